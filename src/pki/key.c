#include "pki/key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "pki/cert.h"

#define KEY_MAX (1 << 18)

/* OpenSSL asks for a passphrase: note that it did, and give none. */
static int key_asked(char *out, int size, int writing, void *ctx)
{
	(void)out;
	(void)size;
	(void)writing;
	*(bool *)ctx = true;
	return -1;
}

static EVP_PKEY *key_read(const char *path, struct err *e)
{
	struct buf b = { 0 };
	EVP_PKEY *key = NULL;
	bool asked = false;
	BIO *bio;

	if (fs_read(path, &b, KEY_MAX, e) < 0)
		goto out;
	bio = BIO_new_mem_buf(buf_str(&b), (int)b.len);
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, key_asked, &asked);
	BIO_free(bio);
	if (key == NULL && asked) {
		ERR_clear_error();
		err_set(e, ERR_REFUSED, _("%s: the private key is encrypted, and sev1 does not ask for "
		    "passphrases"), path);
		err_remedy(e, _("openssl pkey -in KEY -out /dev/shm/ca.key makes a plain copy in memory; name it "
		    "with 'key =' of this CA, and remove it afterwards"));
	} else if (key == NULL) {
		err_set(e, ERR_SYNTAX, _("%s: not a private key in PEM (%s)"), path, cert_why());
	}
	ERR_clear_error();
out:
	if (b.data != NULL)
		OPENSSL_cleanse(b.data, b.cap);
	buf_free(&b);
	return key;
}

EVP_PKEY *key_open(const struct ca *ca, X509 *certificate, struct err *e)
{
	EVP_PKEY *key;

	if (strncmp(ca->private_key, "pkcs11:", 7) == 0) {
		err_set(e, ERR_REFUSED, _("%s: keys on a token (pkcs11:) are not supported by this version"),
		    ca->name);
		err_remedy(e, _("name a key file with 'key =' of this CA"));
		return NULL;
	}
	if ((key = key_read(ca->private_key, e)) == NULL)
		return NULL;
	if (EVP_PKEY_eq(key, X509_get0_pubkey(certificate)) != 1) {
		ERR_clear_error();
		err_set(e, ERR_FAILED, _("the key %s does not belong to the certificate %s"), ca->private_key,
		    ca->certificate);
		err_remedy(e, _("correct private_key or certificate in %s"), ca->config);
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

int key_digest(const EVP_PKEY *key, const char *default_md, const EVP_MD **md, struct err *e)
{
	int id = EVP_PKEY_get_id(key);

	*md = NULL;
	if (id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448)
		return 0;
	if (default_md == NULL || default_md[0] == '\0' || strcmp(default_md, "default") == 0)
		default_md = "sha256";
	if ((*md = EVP_get_digestbyname(default_md)) == NULL)
		return err_set(e, ERR_SYNTAX, _("default_md = %s: no such digest"), default_md);
	return 0;
}

int key_probe(EVP_PKEY *key, X509 *certificate, struct err *e)
{
	static const unsigned char probe[] = "sev1 key probe";
	unsigned char sig[1024];
	size_t n = sizeof sig;
	const EVP_MD *md;
	EVP_MD_CTX *ctx;
	int rc, ok;

	if ((rc = key_digest(key, "default", &md, e)) < 0)
		return rc;
	if (EVP_PKEY_get_size(key) > (int)sizeof sig)
		return err_set(e, ERR_FAILED, _("the key is larger than 8192 bits"));
	ctx = EVP_MD_CTX_new();
	ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, sig, &n, probe, sizeof probe) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return err_set(e, ERR_FAILED, _("the key does not sign (%s)"), cert_why());
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
