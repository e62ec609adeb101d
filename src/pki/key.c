#include "pki/key.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "base/secret.h"
#include "pki/cert.h"
#include "pki/key_token.h"

#define KEY_MAX (1 << 18)

static const struct key_asker *asker;

void key_asker(const struct key_asker *a)
{
	asker = a;
}

/* A file's passphrase: asked for at most once, however often OpenSSL wants it while it tries the formats. */
struct passphrase {
	const char *path;
	char *text;   /* in locked memory; NULL until it was given */
	bool asked;
	struct err *e;
};

static int key_ask(struct passphrase *p)
{
	if (p->asked)
		return p->text != NULL ? 0 : ERR_REFUSED;
	p->asked = true;
	if (asker == NULL) {
		err_set(p->e, ERR_REFUSED, _("%s: the private key is encrypted, and nobody can be asked for its "
		    "passphrase"), p->path);
		return err_remedy(p->e, _("run it at a terminal, or with --pin-fd N"));
	}
	if ((p->text = secret_new(p->e)) == NULL)
		return ERR_IO;
	if (asker->ask("passphrase", p->path, "", "", false, p->text, p->e) == 0)
		return 0;
	secret_free(p->text);
	p->text = NULL;
	return ERR_REFUSED;
}

/* OpenSSL's callback. */
static int key_asked(char *out, int size, int writing, void *ctx)
{
	struct passphrase *p = ctx;
	size_t n;

	(void)writing;
	if (key_ask(p) < 0 || (n = strlen(p->text)) > (size_t)size)
		return -1;
	memcpy(out, p->text, n);
	return (int)n;
}

static EVP_PKEY *key_parse(const char *path, const struct buf *b, enum key_state *state, struct err *e)
{
	struct passphrase p = { .path = path, .e = e };
	BIO *bio = BIO_new_mem_buf(buf_str(b), (int)b->len);
	EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, key_asked, &p) : NULL;
	const unsigned char *der = (const unsigned char *)buf_str(b);
	char why[160];

	BIO_free(bio);
	snprintf(why, sizeof why, "%s", cert_why());
	if (key == NULL && b->len > 0 && der[0] == 0x30) /* SEQUENCE */
		key = d2i_AutoPrivateKey(NULL, &der, (long)b->len);
	ERR_clear_error();
	if (p.text != NULL)
		asker->told("passphrase", path, "", key != NULL);
	if (key != NULL) {
		*state = KEY_SIGNS;
	} else if (p.text != NULL) {
		*state = KEY_SECRET;
		err_set(e, ERR_REFUSED, _("%s: the passphrase does not open the private key"), path);
		err_remedy(e, _("run it again and type the passphrase anew"));
	} else if (!p.asked) {
		*state = KEY_DEAD;
		err_set(e, ERR_SYNTAX, _("%s: not a private key in PEM (%s)"), path, why);
		err_remedy(e, _("openssl pkey -in FILE -out NEW writes one in PEM; name it with 'key =' in the configuration of sev1"));
	}
	secret_free(p.text);
	return key;
}

static EVP_PKEY *key_read(const char *path, enum key_state *state, struct err *e)
{
	struct buf b = { 0 };
	EVP_PKEY *key = NULL;

	*state = KEY_UNKNOWN;
	if (access(path, R_OK) < 0 && (errno == ENOENT || errno == EACCES || errno == ENOTDIR)) {
		*state = KEY_DEAD;
		err_sys(e, "%s", path);
	} else if (fs_read(path, &b, KEY_MAX, e) == 0) {
		key = key_parse(path, &b, state, e);
	}
	if (b.data != NULL)
		OPENSSL_cleanse(b.data, b.cap);
	buf_free(&b);
	return key;
}

static EVP_PKEY *key_open_as(const struct ca *ca, X509 *certificate, enum key_state *state, struct err *e)
{
	EVP_PKEY *key;

	if (token_uri_is(ca->private_key))
		return key_token_open(ca, certificate, asker, state, e);
	key = key_read(ca->private_key, state, e);
	if (key == NULL || EVP_PKEY_eq(key, X509_get0_pubkey(certificate)) == 1)
		return key;
	ERR_clear_error();
	*state = KEY_DEAD;
	EVP_PKEY_free(key);
	err_set(e, ERR_FAILED, _("the key %s does not belong to the certificate %s"), ca->private_key,
	    ca->certificate);
	err_remedy(e, _("correct private_key or certificate in %s"), ca->config);
	return NULL;
}

EVP_PKEY *key_open(const struct ca *ca, X509 *certificate, struct err *e)
{
	enum key_state state;

	return key_open_as(ca, certificate, &state, e);
}

/* *fault: the token failed, which says nothing of the key. */
static int key_signs(EVP_PKEY *key, X509 *certificate, bool *fault, struct err *e)
{
	static const unsigned char probe[] = "sev1 key probe";
	unsigned char sig[1024];
	size_t n = sizeof sig;
	const EVP_MD *md;
	EVP_MD_CTX *ctx;
	char why[160];
	int rc, ok;

	*fault = false;
	if ((rc = key_digest(key, "default", &md, e)) < 0)
		return rc;
	if (EVP_PKEY_get_size(key) > (int)sizeof sig)
		return err_set(e, ERR_FAILED, _("the key is larger than 8192 bits"));
	ctx = EVP_MD_CTX_new();
	ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, sig, &n, probe, sizeof probe) == 1 && n <= sizeof sig; /* see crl_sign */
	EVP_MD_CTX_free(ctx);
	if (!ok) {
		*fault = key_token_fault(why, sizeof why);
		return err_set(e, ERR_FAILED, _("the key does not sign (%s)"), why);
	}
	ctx = EVP_MD_CTX_new();
	ok = ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, md, NULL, X509_get0_pubkey(certificate)) == 1 &&
	    EVP_DigestVerify(ctx, sig, n, probe, sizeof probe) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return err_set(e, ERR_FAILED, _("what the key signs does not verify with the certificate (%s)"),
		    cert_why());
	return 0;
}

int key_probe(EVP_PKEY *key, X509 *certificate, struct err *e)
{
	bool fault;

	return key_signs(key, certificate, &fault, e);
}

enum key_state key_try(const struct ca *ca, X509 *certificate, struct err *e)
{
	enum key_state state;
	bool fault;
	EVP_PKEY *key = key_open_as(ca, certificate, &state, e);

	if (key != NULL && key_signs(key, certificate, &fault, e) < 0)
		state = fault ? KEY_UNKNOWN : KEY_DEAD;
	EVP_PKEY_free(key);
	return state;
}

const char *key_secret(const struct ca *ca)
{
	struct token t;
	struct buf b = { 0 };
	const char *kind = NULL;

	if (token_uri_is(ca->private_key))
		return key_token_look(ca, &t, NULL) == 0 && t.login && !t.pinpad ? "pin" : NULL;
	if (fs_read(ca->private_key, &b, KEY_MAX, NULL) == 0 &&
	    (strstr(buf_str(&b), "ENCRYPTED PRIVATE KEY-----") != NULL ||
	    strstr(buf_str(&b), "Proc-Type: 4,ENCRYPTED") != NULL))
		kind = "passphrase";
	if (b.data != NULL)
		OPENSSL_cleanse(b.data, b.cap);
	buf_free(&b);
	return kind;
}

int key_digest(const EVP_PKEY *key, const char *default_md, const EVP_MD **md, struct err *e)
{
	int id = EVP_PKEY_get_id(key);
	char own[64];

	*md = NULL;
	if (id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448)
		return 0;
	if (default_md == NULL || default_md[0] == '\0' || strcmp(default_md, "default") == 0)
		default_md = id == EVP_PKEY_RSA_PSS && /* its parameters may allow one only */
		    EVP_PKEY_get_default_digest_name((EVP_PKEY *)(uintptr_t)key, own, sizeof own) > 0 ? own : "sha256";
	if ((*md = EVP_get_digestbyname(default_md)) != NULL)
		return 0;
	err_set(e, ERR_SYNTAX, _("default_md = %s: no such digest"), default_md);
	return err_remedy(e, _("write one that openssl knows, such as sha256"));
}

EVP_PKEY *key_make(const char *kind, struct err *e)
{
	EVP_PKEY *key = NULL;

	if (strcmp(kind, "ec-p256") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	else if (strcmp(kind, "ec-p384") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	else if (strcmp(kind, "rsa-3072") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072);
	else if (strcmp(kind, "rsa-4096") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)4096);
	else {
		err_set(e, ERR_USAGE, _("%s: not a kind of key; one of ec-p256, ec-p384, rsa-3072, rsa-4096"),
		    kind);
		return NULL;
	}
	if (key == NULL)
		err_set(e, ERR_FAILED, _("a key could not be made (%s)"), cert_why());
	return key;
}

int key_write(EVP_PKEY *key, const char *path, struct err *e)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *data = NULL;
	long n;
	int rc;

	if (bio == NULL || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		BIO_free(bio);
		return err_set(e, ERR_FAILED, _("the key cannot be written (%s)"), cert_why());
	}
	n = BIO_get_mem_data(bio, &data);
	rc = fs_write(path, data, (size_t)n, 0600, e);
	BIO_free(bio);
	return rc;
}
