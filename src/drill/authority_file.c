/* A CA of the sandbox on disk: openssl.cnf, the database, CRLs. */
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/fs.h"
#include "drill/authority_inside.h"

/* A file of a drill is made anew rather than mended, so it is not made durable: thousands of
 * fsyncs would cost the first minute. The map, written last, says that all are there. */
static int authority_put(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	int fd, rc;

	if (confine_path(path, e) < 0)
		return ERR_CONFINED;
	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)) < 0)
		return err_sys(e, "%s", path);
	rc = fs_put(fd, data, len) < 0 ? err_sys(e, "%s", path) : 0;
	if (close(fd) < 0 && rc == 0)
		rc = err_sys(e, "%s", path);
	return rc;
}

static int authority_put_bio(const char *path, BIO *bio, mode_t mode, struct err *e)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	return authority_put(path, data, (size_t)len, mode, e);
}

int authority_key_write(const char *path, EVP_PKEY *key, struct err *e)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	int rc;

	if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		rc = authority_fail(e, path);
	else
		rc = authority_put_bio(path, bio, 0600, e);
	BIO_free(bio);
	return rc;
}

int authority_certificate_write(const char *path, X509 *x, struct err *e)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int rc;

	if (bio == NULL || PEM_write_bio_X509(bio, x) != 1)
		rc = authority_fail(e, path);
	else
		rc = authority_put_bio(path, bio, 0644, e);
	BIO_free(bio);
	return rc;
}

const char *authority_hex(char out[24], long n)
{
	int len = snprintf(out, 24, "%lX", (unsigned long)n);

	if (len % 2 != 0)
		snprintf(out, 24, "0%lX", (unsigned long)n);
	return out;
}

static int authority_file(const struct authority *a, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int authority_file(const struct authority *a, const char *name, const char *fmt, ...)
{
	char *path = fs_join(a->dir, name), text[4096];
	va_list ap;
	int n, rc;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	rc = n > 0 && (size_t)n < sizeof text ? authority_put(path, text, (size_t)n, 0600, NULL) : -1;
	free(path);
	return rc;
}

/* Every key that `openssl ca`, `openssl req` and easy-rsa users know. */
static const char cnf[] =
    "# %s of a sev1 drill. Try: openssl ca -config %s/openssl.cnf -gencrl\n"
    "[ca]\n"
    "default_ca = CA_default\n\n"
    "[CA_default]\n"
    "dir = %s\n"
    "certs = $dir/newcerts\n"
    "new_certs_dir = $dir/newcerts\n"
    "database = $dir/index.txt\n"
    "serial = $dir/serial\n"
    "crlnumber = $dir/crlnumber\n"
    "crl_dir = $dir/crl\n"
    "certificate = $dir/ca.crt\n"
    "private_key = $dir/private/ca.key\n"
    "default_md = sha256\n"
    "default_days = 90\n"
    "default_crl_days = 7\n"
    "crl_extensions = crl_ext\n"
    "x509_extensions = server_cert\n"
    "unique_subject = no\n"
    "preserve = no\n"
    "policy = policy_any\n\n"
    "[policy_any]\n"
    "countryName = optional\n"
    "organizationName = optional\n"
    "organizationalUnitName = optional\n"
    "commonName = supplied\n\n"
    "[crl_ext]\n"
    "authorityKeyIdentifier = keyid:always\n\n"
    "[server_cert]\n"
    "basicConstraints = critical, CA:FALSE\n"
    "keyUsage = critical, digitalSignature\n"
    "extendedKeyUsage = serverAuth\n"
    "subjectKeyIdentifier = hash\n"
    "authorityKeyIdentifier = keyid:always\n"
    "crlDistributionPoints = URI:%s, URI:%s\n\n"
    "[sub_ca]\n"
    "basicConstraints = critical, CA:TRUE, pathlen:0\n"
    "keyUsage = critical, keyCertSign, cRLSign\n"
    "subjectKeyIdentifier = hash\n"
    "authorityKeyIdentifier = keyid:always\n"
    "crlDistributionPoints = URI:%s, URI:%s\n";

int authority_save(struct authority *a, struct err *e)
{
	char *path = fs_join(a->dir, "index.txt"), cn[80] = "?", serial[24], crl[24];
	int rc = authority_put(path, buf_str(&a->index), a->index.len, 0600, e);

	X509_NAME_get_text_by_NID(X509_get_subject_name(a->cert), NID_commonName, cn, sizeof cn);
	if (rc == 0 && (authority_file(a, "openssl.cnf", cnf, cn, a->dir, a->dir, a->url[0], a->url[1],
	    a->url[0], a->url[1]) < 0 || authority_file(a, "index.txt.attr", "unique_subject = no\n") < 0 ||
	    authority_file(a, "serial", "%s\n", authority_hex(serial, a->serial)) < 0 ||
	    authority_file(a, "crlnumber", "%s\n", authority_hex(crl, a->crl)) < 0))
		rc = err_sys(e, "%s: its openssl.cnf and counters", a->dir);
	free(path);
	return rc;
}

static X509_CRL *authority_crl_sign(struct authority *a, int hours)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = ASN1_TIME_set(NULL, a->now - 3600);
	ASN1_TIME *until = ASN1_TIME_set(NULL, a->now + hours * 3600L);
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	X509_EXTENSION *aki = NULL;
	X509V3_CTX ctx;
	int ok;

	X509V3_set_ctx(&ctx, a->cert, NULL, NULL, crl, 0);
	ok = crl != NULL && from != NULL && until != NULL && number != NULL &&
	    X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(a->cert)) == 1 &&
	    X509_CRL_set1_lastUpdate(crl, from) == 1 && X509_CRL_set1_nextUpdate(crl, until) == 1 &&
	    ASN1_INTEGER_set(number, a->crl) == 1 &&
	    (aki = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always")) != NULL &&
	    X509_CRL_add_ext(crl, aki, -1) == 1 &&
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1;
	for (int i = 0; ok && i < sk_X509_REVOKED_num(a->revoked); i++) {
		X509_REVOKED *r = X509_REVOKED_dup(sk_X509_REVOKED_value(a->revoked, i));

		ok = r != NULL && X509_CRL_add0_revoked(crl, r) == 1;
	}
	ok = ok && X509_CRL_sort(crl) == 1 && X509_CRL_sign(crl, a->key, EVP_sha256()) > 0;
	X509_EXTENSION_free(aki);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	if (!ok) {
		X509_CRL_free(crl);
		return NULL;
	}
	return crl;
}

int authority_crl(struct authority *a, int hours, char *const path[], size_t n, struct err *e)
{
	X509_CRL *crl = authority_crl_sign(a, hours);
	unsigned char *der = NULL;
	int len = crl != NULL ? i2d_X509_CRL(crl, &der) : -1, rc = 0;

	if (len < 0)
		rc = authority_fail(e, "a CRL");
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = authority_put(path[i], der, (size_t)len, 0644, e);
	a->crl++;
	OPENSSL_free(der);
	X509_CRL_free(crl);
	return rc;
}
