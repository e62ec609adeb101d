#include "pki/leaked.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "pki/cert.h"

#define LEAKED_MAX (1 << 18)
#define CHALLENGE 32
#define SIGNATURE_MAX 2048

struct leaked {
	const char *path;
	unsigned char *data; /* of the file; cleansed */
	size_t len;
	const char *kind;
	EVP_PKEY *key;       /* of a private key both halves, else the public one */
	X509_PUBKEY *spki;   /* as the request or certificate holds it; NULL: as OpenSSL encodes key */
};

/* ---- the file, into memory that is wiped ---- */

static int leaked_slurp(struct leaked *l, struct err *e)
{
	int fd = open(l->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n = 1;
	int rc = 0;

	if (fd < 0)
		return err_sys(e, "%s", l->path);
	if (fstat(fd, &st) < 0)
		rc = err_sys(e, "%s", l->path);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(e, ERR_SYNTAX, _("%s: not a regular file"), l->path);
	else if (st.st_size > LEAKED_MAX)
		rc = err_set(e, ERR_SYNTAX, _("%s: larger than %d octets: no key, request or certificate"), l->path,
		    LEAKED_MAX);
	l->data = mem_zalloc(1, LEAKED_MAX + 1);
	while (rc == 0 && l->len < LEAKED_MAX && (n = read(fd, l->data + l->len, LEAKED_MAX - l->len)) > 0)
		l->len += (size_t)n;
	if (rc == 0 && n < 0)
		rc = err_sys(e, "%s", l->path);
	close(fd);
	return rc;
}

static size_t leaked_blocks(const struct leaked *l, const char *begin)
{
	const char *p = (const char *)l->data;
	size_t n = 0;

	for (; (p = strstr(p, begin)) != NULL; p++)
		n++;
	return n;
}

/* ---- what it holds ---- */

/* OpenSSL asks for a passphrase: note that it did, and give none. */
static int leaked_asked(char *out, int size, int writing, void *ctx)
{
	(void)out;
	(void)size;
	(void)writing;
	*(bool *)ctx = true;
	return -1;
}

static bool leaked_encrypted_der(const struct leaked *l)
{
	const unsigned char *p = l->data;
	X509_SIG *sig = d2i_X509_SIG(NULL, &p, (long)l->len);
	const X509_ALGOR *alg;
	const ASN1_OBJECT *oid = NULL;
	bool encrypted = false;

	if (sig != NULL) {
		X509_SIG_get0(sig, &alg, NULL);
		X509_ALGOR_get0(&oid, NULL, NULL, alg);
		encrypted = OBJ_obj2nid(oid) == NID_pbes2 || OBJ_obj2nid(oid) == NID_pbeWithMD5AndDES_CBC ||
		    OBJ_obj2nid(oid) == NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
	}
	X509_SIG_free(sig);
	return encrypted;
}

static EVP_PKEY *leaked_private(const struct leaked *l, bool pem, bool *encrypted)
{
	const unsigned char *p = l->data;
	EVP_PKEY *key = NULL;
	BIO *bio;

	if (!pem) {
		*encrypted = leaked_encrypted_der(l);
		return *encrypted ? NULL : d2i_AutoPrivateKey(NULL, &p, (long)l->len);
	}
	if ((bio = BIO_new_mem_buf(l->data, (int)l->len)) != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, leaked_asked, encrypted);
	BIO_free(bio);
	return key;
}

static int leaked_request(struct leaked *l, X509_REQ *req, struct err *e)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(req);

	if (key == NULL)
		return err_set(e, ERR_SYNTAX, _("%s: the request's key cannot be read (%s)"), l->path, cert_why());
	if (X509_REQ_verify(req, key) != 1) {
		ERR_clear_error();
		err_set(e, ERR_REFUSED, _("%s: the request is not signed by its own key: it was altered, or never was one"),
		    l->path);
		return err_remedy(e, _("ask for it again; or select by the hash of the public key: --key-hash"));
	}
	EVP_PKEY_up_ref(key);
	l->key = key;
	l->kind = "request";
	l->spki = X509_PUBKEY_dup(X509_REQ_get_X509_PUBKEY(req));
	return 0;
}

static int leaked_certificate(struct leaked *l, X509 *x, struct err *e)
{
	EVP_PKEY *key = X509_get0_pubkey(x);

	if (key == NULL)
		return err_set(e, ERR_SYNTAX, _("%s: the certificate's key cannot be read (%s)"), l->path, cert_why());
	EVP_PKEY_up_ref(key);
	l->key = key;
	l->kind = "certificate";
	l->spki = X509_PUBKEY_dup(X509_get_X509_PUBKEY(x));
	return 0;
}

static int leaked_private_of(struct leaked *l, bool pem, struct err *e)
{
	bool encrypted = false;

	l->key = leaked_private(l, pem, &encrypted);
	ERR_clear_error();
	if (l->key != NULL) {
		l->kind = "private-key";
		return 0;
	}
	if (!encrypted)
		return ERR_NOTFOUND;
	err_set(e, ERR_REFUSED, _("%s: the private key is encrypted, and sev1 does not ask for passphrases"), l->path);
	return err_remedy(e, _("openssl pkey -in FILE -out /dev/shm/leaked.key makes a plain copy in memory: name that, and "
	    "remove it afterwards; or -pubout its public half, which finds the same and proves nothing"));
}

static int leaked_other(struct leaked *l, bool pem, struct err *e)
{
	const unsigned char *p[3] = { l->data, l->data, l->data };
	BIO *bio = BIO_new_mem_buf(l->data, (int)l->len);
	X509_REQ *req = NULL;
	X509 *x = NULL;
	int rc = ERR_NOTFOUND;

	if (pem && leaked_blocks(l, "REQUEST-----") > 0)
		req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	else if (pem && leaked_blocks(l, "BEGIN PUBLIC KEY-----") > 0)
		l->key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	else if (pem)
		x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	else if ((x = d2i_X509(NULL, &p[0], (long)l->len)) == NULL &&
	    (req = d2i_X509_REQ(NULL, &p[1], (long)l->len)) == NULL)
		l->key = d2i_PUBKEY(NULL, &p[2], (long)l->len);
	ERR_clear_error();
	if (req != NULL) {
		rc = leaked_request(l, req, e);
	} else if (x != NULL) {
		rc = leaked_certificate(l, x, e);
	} else if (l->key != NULL) {
		l->kind = "public-key";
		rc = 0;
	}
	X509_REQ_free(req);
	X509_free(x);
	BIO_free(bio);
	return rc;
}

/* A file with a private key beside certificates is one of a private key; several of a kind are several keys. */
static int leaked_parse(struct leaked *l, struct err *e)
{
	bool pem = leaked_blocks(l, "-----BEGIN ") > 0;
	size_t keys = leaked_blocks(l, "PRIVATE KEY-----") / 2, others;
	int rc = ERR_NOTFOUND;

	others = leaked_blocks(l, "REQUEST-----") / 2 + leaked_blocks(l, "BEGIN CERTIFICATE-----") +
	    leaked_blocks(l, "BEGIN PUBLIC KEY-----");
	if (pem && (keys > 1 || (keys == 0 && others > 1))) {
		err_set(e, ERR_USAGE, _("%s: holds %zu keys, requests or certificates"), l->path, keys > 1 ? keys : others);
		return err_remedy(e, _("give each in a file of its own, as one --key-file each"));
	}
	if (!pem || keys > 0)
		rc = leaked_private_of(l, pem, e);
	if (rc == ERR_NOTFOUND && keys == 0)
		rc = leaked_other(l, pem, e);
	if (rc != ERR_NOTFOUND)
		return rc;
	err_set(e, ERR_SYNTAX, _("%s: neither a private key nor a request, a certificate or a public key"), l->path);
	return err_remedy(e, _("PEM or DER; of a PKCS#12 file take the key out first (openssl pkcs12), of an OpenSSH key too "
	    "(ssh-keygen -p -m PKCS8 on a copy)"));
}

/* ---- possession ---- */

static char *hex_of(const unsigned char *p, size_t n)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%02x", p[i]);
	return buf_take(&b);
}

/* What is signed: nothing that could be taken for anything else that a key signs. */
static char *possession_text(const char *spki, const char *challenge)
{
	return mem_printf("sev1 proof of possession of a leaked key\n%s\n%s\n", spki, challenge);
}

/* PSS for RSA, since a key may be for PSS only; Ed25519 and Ed448 hash by themselves. */
static bool possession_init(EVP_MD_CTX *ctx, EVP_PKEY *key, bool sign)
{
	int id = EVP_PKEY_get_base_id(key);
	const EVP_MD *md = id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448 ? NULL : EVP_sha256();
	EVP_PKEY_CTX *p = NULL;

	if (ctx == NULL || (sign ? EVP_DigestSignInit(ctx, &p, md, NULL, key)
	                         : EVP_DigestVerifyInit(ctx, &p, md, NULL, key)) != 1)
		return false;
	if (id != EVP_PKEY_RSA && id != EVP_PKEY_RSA_PSS)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static bool possession_sign(EVP_PKEY *key, const char *text, unsigned char *sig, size_t *n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = EVP_PKEY_get_size(key) <= SIGNATURE_MAX && possession_init(ctx, key, true) &&
	    EVP_DigestSign(ctx, sig, n, (const unsigned char *)text, strlen(text)) == 1 && *n <= SIGNATURE_MAX;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

bool leaked_proves(const json_t *key, EVP_PKEY *pub)
{
	char *text = possession_text(json_str(key, "spki"), json_str(key, "challenge"));
	long n = 0;
	unsigned char *sig = OPENSSL_hexstr2buf(json_str(key, "signature"), &n);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = sig != NULL && n > 0 && possession_init(ctx, pub, false) &&
	    EVP_DigestVerify(ctx, sig, (size_t)n, (const unsigned char *)text, strlen(text)) == 1;

	EVP_MD_CTX_free(ctx);
	OPENSSL_free(sig);
	free(text);
	ERR_clear_error();
	return ok;
}

static int possession_prove(const struct leaked *l, json_t *o, struct err *e)
{
	unsigned char random[CHALLENGE], sig[SIGNATURE_MAX];
	EVP_PKEY *pub = leaked_public(o);
	size_t n = sizeof sig;
	char *challenge, *text, *hex;
	bool ok;

	if (pub == NULL || RAND_bytes(random, sizeof random) != 1) {
		EVP_PKEY_free(pub);
		return err_set(e, ERR_FAILED, _("%s: no challenge could be made (%s)"), l->path, cert_why());
	}
	challenge = hex_of(random, sizeof random);
	text = possession_text(json_str(o, "spki"), challenge);
	if ((ok = possession_sign(l->key, text, sig, &n))) {
		hex = hex_of(sig, n);
		json_put(o, "challenge", challenge);
		json_put(o, "signature", hex);
		ok = leaked_proves(o, pub);
		free(hex);
	}
	EVP_PKEY_free(pub);
	free(challenge);
	free(text);
	if (ok)
		return 0;
	err_set(e, ERR_REFUSED, _("%s: the private key does not prove possession: a random challenge it signed does not "
	    "verify with its own public half"), l->path);
	return err_remedy(e, _("treat it as invented (anyone can write a file with a known public half), and ask for a proof; "
	    "to revoke all the same, select by --key-hash or by the certificate"));
}

/* ---- the object ---- */

static json_t *leaked_json(const struct leaked *l)
{
	const char *slash = strrchr(l->path, '/');
	unsigned char *der = NULL;
	int n = l->spki != NULL ? i2d_X509_PUBKEY(l->spki, &der) : i2d_PUBKEY(l->key, &der);
	char hex[DIGEST_HEX], *b64;
	json_t *o;

	if (n <= 0)
		return NULL;
	digest_of(der, (size_t)n, hex);
	b64 = mem_alloc((size_t)n * 4 / 3 + 8);
	EVP_EncodeBlock((unsigned char *)b64, der, n);
	o = json_object();
	json_put(o, "kind", l->kind);
	json_put(o, "name", slash != NULL ? slash + 1 : l->path);
	json_put(o, "spki", hex);
	json_put(o, "public", b64);
	json_object_set_new(o, "proved", json_boolean(strcmp(l->kind, "private-key") == 0));
	OPENSSL_free(der);
	free(b64);
	return o;
}

static json_t *leaked_judge(struct leaked *l, struct err *e)
{
	json_t *o = NULL;

	if (leaked_parse(l, e) == 0) {
		if ((o = leaked_json(l)) == NULL) {
			err_set(e, ERR_FAILED, _("%s: its public key cannot be encoded (%s)"), l->path, cert_why());
		} else if (json_bool(o, "proved") && possession_prove(l, o, e) < 0) {
			json_decref(o);
			o = NULL;
		}
	}
	return o;
}

static void leaked_clear(struct leaked *l)
{
	ERR_clear_error();
	if (l->data != NULL)
		OPENSSL_cleanse(l->data, LEAKED_MAX + 1);
	free(l->data);
	EVP_PKEY_free(l->key);
	X509_PUBKEY_free(l->spki);
}

json_t *leaked_read(const char *path, struct err *e)
{
	struct leaked l = { .path = path };
	json_t *o = leaked_slurp(&l, e) == 0 ? leaked_judge(&l, e) : NULL;

	leaked_clear(&l);
	return o;
}

json_t *leaked_of(const char *name, const void *data, size_t len, struct err *e)
{
	struct leaked l = { .path = name, .data = mem_zalloc(1, LEAKED_MAX + 1), .len = len < LEAKED_MAX ? len : LEAKED_MAX };
	json_t *o;

	memcpy(l.data, data, l.len);
	o = leaked_judge(&l, e);
	leaked_clear(&l);
	return o;
}

EVP_PKEY *leaked_public(const json_t *key)
{
	const char *b64 = json_str(key, "public");
	size_t len = strlen(b64);
	unsigned char *der = mem_alloc(len + 4);
	const unsigned char *p = der;
	int n = len > 0 ? EVP_DecodeBlock(der, (const unsigned char *)b64, (int)len) : 0;
	EVP_PKEY *pub = n > 0 ? d2i_PUBKEY(NULL, &p, n) : NULL; /* the padding's zero octets follow it */

	free(der);
	ERR_clear_error();
	return pub;
}

static bool same_number(EVP_PKEY *a, EVP_PKEY *b, const char *name)
{
	BIGNUM *x = NULL, *y = NULL;
	bool same = EVP_PKEY_get_bn_param(a, name, &x) == 1 && EVP_PKEY_get_bn_param(b, name, &y) == 1 &&
	    BN_cmp(x, y) == 0;

	BN_free(x);
	BN_free(y);
	return same;
}

static bool is_rsa(const EVP_PKEY *k)
{
	return EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA || EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA_PSS;
}

bool leaked_same(EVP_PKEY *a, EVP_PKEY *b)
{
	bool same = is_rsa(a) && is_rsa(b) ? same_number(a, b, OSSL_PKEY_PARAM_RSA_N) &&
	    same_number(a, b, OSSL_PKEY_PARAM_RSA_E) : EVP_PKEY_eq(a, b) == 1;

	ERR_clear_error();
	return same;
}

static bool hash_pin(const char *s, char hex[DIGEST_HEX])
{
	unsigned char out[48];
	size_t n = strlen(s);

	if (n != 44 || s[43] != '=' || s[42] == '=' || EVP_DecodeBlock(out, (const unsigned char *)s, 44) != 33)
		return false;
	for (size_t i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", out[i]);
	return true;
}

static bool hash_hex(const char *s, char hex[DIGEST_HEX])
{
	size_t n = 0;

	for (; *s != '\0'; s++) {
		if (*s == ':' && n > 0 && n % 2 == 0)
			continue;
		if (n == 64 || strchr("0123456789abcdefABCDEF", *s) == NULL)
			return false;
		hex[n++] = (char)(*s >= 'A' && *s <= 'F' ? *s + 32 : *s);
	}
	hex[n] = '\0';
	return n == 64;
}

int leaked_hash(const char *s, char hex[DIGEST_HEX], struct err *e)
{
	bool ok;

	if (strncmp(s, "sha256/", 7) == 0) /* a second '/' is curl's, or the first digit: the length tells */
		ok = hash_pin(s + 7, hex) || (s[7] == '/' && hash_pin(s + 8, hex));
	else
		ok = hash_hex(s, hex);
	if (ok)
		return 0;
	err_set(e, ERR_USAGE, _("\"%.100s\" is not the SHA-256 of a public key"), s);
	return err_remedy(e, _("64 hexadecimal digits, or sha256/BASE64=: openssl x509 -in FILE -noout -pubkey | openssl pkey "
	    "-pubin -outform DER | sha256sum"));
}
