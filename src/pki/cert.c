#include "pki/cert.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"

#define CERT_MAX (1 << 20)

const char *cert_why(void)
{
	const char *why = NULL, *lib, *s;
	unsigned long code;

	while ((code = ERR_get_error()) != 0) {
		if ((s = ERR_reason_error_string(code)) != NULL)
			why = s;
		if ((lib = ERR_lib_error_string(code)) != NULL && strcmp(lib, "PKCS#11 module") == 0 && s != NULL)
			break; /* what the token answered; the rest is that something below failed */
	}
	ERR_clear_error();
	return why != NULL ? why : "no reason given";
}

X509 *cert_read(const char *path, struct err *e)
{
	struct buf b = { 0 };
	const unsigned char *p;
	X509 *x = NULL;
	BIO *bio;

	if (fs_read(path, &b, CERT_MAX, e) < 0)
		goto out;
	if ((bio = BIO_new_mem_buf(buf_str(&b), (int)b.len)) != NULL)
		x = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL); /* BEGIN TRUSTED CERTIFICATE too */
	BIO_free(bio);
	p = (const unsigned char *)buf_str(&b);
	if (x == NULL)
		x = d2i_X509(NULL, &p, (long)b.len);
	if (x == NULL)
		err_set(e, ERR_SYNTAX, _("%s: not a certificate (%s)"), path, cert_why());
	ERR_clear_error();
out:
	buf_free(&b);
	return x;
}

char *cert_pem(X509 *x)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *out;
	long n;

	if (bio == NULL || PEM_write_bio_X509(bio, x) != 1)
		mem_alloc((size_t)-1); /* a parsed certificate encodes: only memory can be short */
	n = BIO_get_mem_data(bio, &data);
	out = mem_strndup(data, (size_t)n);
	BIO_free(bio);
	return out;
}

void cert_fingerprint(X509 *x, char hex[DIGEST_HEX])
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);

	digest_of(der, n > 0 ? (size_t)n : 0, hex);
	OPENSSL_free(der);
}

void cert_spki(X509_PUBKEY *key, char hex[DIGEST_HEX])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(key, &der);

	digest_of(der, n > 0 ? (size_t)n : 0, hex);
	OPENSSL_free(der);
}

char *cert_name(const X509_NAME *name)
{
	char *s = X509_NAME_oneline(name, NULL, 0), *out = mem_strdup(s != NULL ? s : "");

	OPENSSL_free(s);
	return out;
}

char *cert_serial(const ASN1_INTEGER *serial)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(serial, NULL);
	char *hex = bn == NULL ? NULL : BN_is_zero(bn) ? OPENSSL_strdup("00") : BN_bn2hex(bn);
	char *out = mem_strdup(hex != NULL ? hex : "00");

	OPENSSL_free(hex);
	BN_free(bn);
	return out;
}

int64_t cert_time(const ASN1_TIME *t)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return -1;
	return (int64_t)timegm(&tm) * 1000;
}

ASN1_OCTET_STRING *cert_key_id(X509 *x)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(x);
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	ASN1_OCTET_STRING *out;

	if (id != NULL)
		return ASN1_OCTET_STRING_dup(id);
	out = ASN1_OCTET_STRING_new();
	if (out == NULL || X509_pubkey_digest(x, EVP_sha1(), md, &n) != 1 ||
	    ASN1_OCTET_STRING_set(out, md, (int)n) != 1) {
		ASN1_OCTET_STRING_free(out);
		return NULL;
	}
	return out;
}

char *cert_key_id_hex(X509 *x)
{
	ASN1_OCTET_STRING *id = cert_key_id(x);
	struct buf b = { 0 };

	for (int i = 0; id != NULL && i < ASN1_STRING_length(id); i++)
		buf_addf(&b, "%02X", ASN1_STRING_get0_data(id)[i]);
	ASN1_OCTET_STRING_free(id);
	return buf_take(&b);
}

bool cert_is_ca(X509 *x)
{
	uint32_t flags = X509_get_extension_flags(x);

	if ((flags & EXFLAG_INVALID) != 0 || (flags & EXFLAG_CA) == 0)
		return false;
	return (flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(x) & KU_KEY_CERT_SIGN) != 0;
}

bool cert_issued_by(X509 *x, X509 *issuer)
{
	bool ok = X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(issuer)) == 0 &&
	    X509_verify(x, X509_get0_pubkey(issuer)) == 1;

	ERR_clear_error();
	return ok;
}
