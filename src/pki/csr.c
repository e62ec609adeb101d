#include "pki/csr.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/cert.h"

#define CSR_MAX (64 * 1024)

static int csr_rsa_check(EVP_PKEY *key, struct err *e)
{
	int bits = EVP_PKEY_get_bits(key);
	BIGNUM *exponent = NULL;
	bool sane;

	if (bits < 2048 || bits > 16384)
		return err_set(e, ERR_REFUSED, _("weak key: RSA of %d bits; 2048 to 16384 are accepted"), bits);
	sane = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 && BN_is_odd(exponent) &&
	    BN_num_bits(exponent) >= 17 && BN_num_bits(exponent) <= 256;
	BN_free(exponent);
	return sane ? 0 : err_set(e, ERR_REFUSED, _("weak key: RSA with an exponent outside 65537 to 2^256"));
}

int csr_key_check(EVP_PKEY *key, struct err *e)
{
	char group[64] = "";
	size_t n;

	if (EVP_PKEY_is_a(key, "ED25519"))
		return 0;
	if (EVP_PKEY_is_a(key, "RSA"))
		return csr_rsa_check(key, e);
	if (EVP_PKEY_is_a(key, "EC")) {
		EVP_PKEY_get_group_name(key, group, sizeof group, &n);
		if (strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0 ||
		    strcmp(group, "secp521r1") == 0)
			return 0;
		return err_set(e, ERR_REFUSED, _("weak key: curve %s; P-256, P-384 and P-521 are accepted"),
		    group[0] != '\0' ? group : "?");
	}
	return err_set(e, ERR_REFUSED, _("a key of this kind is not accepted; RSA, EC and Ed25519 are"));
}

bool csr_is_refused(const json_t *refuse, const char *fingerprint, const char *spki)
{
	const json_t *v;
	size_t i;

	json_array_foreach(refuse, i, v) {
		const char *f = json_str(v, "fingerprint"), *k = json_str(v, "spki");

		if ((f[0] != '\0' && fingerprint != NULL && strcasecmp(f, fingerprint) == 0) ||
		    (k[0] != '\0' && spki != NULL && strcasecmp(k, spki) == 0))
			return true;
	}
	return false;
}

static int csr_other_name(const char *name, size_t len, struct err *e)
{
	char *safe = text_escaped(name, len, 100);

	err_set(e, ERR_REFUSED, _("the request is for another name: \"%s\""), safe);
	free(safe);
	return ERR_REFUSED;
}

/* Without a NUL inside, and one of names. */
static int csr_name_check(const char *name, size_t len, const json_t *names, struct err *e)
{
	const json_t *v;
	size_t i;

	json_array_foreach(names, i, v)
		if (json_is_string(v) && json_string_length(v) == len &&
		    strncasecmp(json_string_value(v), name, len) == 0 && memchr(name, '\0', len) == NULL)
			return 0;
	return csr_other_name(name, len, e);
}

static int csr_subject_check(X509_REQ *req, const json_t *names, struct err *e)
{
	const X509_NAME *subject = X509_REQ_get_subject_name(req);
	unsigned char *utf8;
	int at = -1, len, rc = 0;

	while (rc == 0 && (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0) {
		len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
		if (len < 0) {
			ERR_clear_error();
			return err_set(e, ERR_REFUSED, _("the request's common name is broken"));
		}
		rc = csr_name_check((char *)utf8, (size_t)len, names, e);
		OPENSSL_free(utf8);
	}
	return rc;
}

static int csr_san_check(const GENERAL_NAME *g, const json_t *names, struct err *e)
{
	char ip[INET6_ADDRSTRLEN];
	const ASN1_STRING *s;
	int type;

	s = GENERAL_NAME_get0_value(g, &type);
	if (type == GEN_DNS)
		return csr_name_check((const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s), names,
		    e);
	if (type == GEN_IPADD && (ASN1_STRING_length(s) == 4 || ASN1_STRING_length(s) == 16) &&
	    inet_ntop(ASN1_STRING_length(s) == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(s), ip,
	        sizeof ip) != NULL)
		return csr_name_check(ip, strlen(ip), names, e);
	return err_set(e, ERR_REFUSED, _("the request asks for a name that is neither DNS nor IP"));
}

static int csr_names_check(X509_REQ *req, const json_t *names, struct err *e)
{
	STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
	GENERAL_NAMES *sans = X509V3_get_d2i(exts, NID_subject_alt_name, NULL, NULL);
	int rc = csr_subject_check(req, names, e);

	for (int i = 0; rc == 0 && i < sk_GENERAL_NAME_num(sans); i++)
		rc = csr_san_check(sk_GENERAL_NAME_value(sans, i), names, e);
	GENERAL_NAMES_free(sans);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	ERR_clear_error();
	return rc;
}

X509_REQ *csr_read(const char *pem, size_t len, const json_t *names, const json_t *refuse,
    char spki[DIGEST_HEX], struct err *e)
{
	X509_REQ *req = NULL;
	EVP_PKEY *key;
	BIO *bio;

	if (len > CSR_MAX) {
		err_set(e, ERR_REFUSED, _("the request has %zu octets: more than any real one"), len);
		return NULL;
	}
	if ((bio = BIO_new_mem_buf(pem, (int)len)) != NULL)
		req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	BIO_free(bio);
	if (req == NULL) {
		err_set(e, ERR_REFUSED, _("what the host sent is not a certificate request (%s)"), cert_why());
		return NULL;
	}
	if ((key = X509_REQ_get0_pubkey(req)) == NULL) {
		err_set(e, ERR_REFUSED, _("the request's key cannot be read (%s)"), cert_why());
		goto fail;
	}
	if (csr_key_check(key, e) < 0)
		goto fail;
	if (X509_REQ_verify(req, key) != 1) {
		ERR_clear_error();
		err_set(e, ERR_REFUSED, _("the request is not signed by its own key"));
		goto fail;
	}
	cert_spki(X509_REQ_get_X509_PUBKEY(req), spki);
	if (csr_is_refused(refuse, NULL, spki)) {
		err_set(e, ERR_REFUSED, _("the request is for a key that is compromised"));
		err_remedy(e, _("make a new key on the host (key mode \"new\")"));
		goto fail;
	}
	if (csr_names_check(req, names, e) < 0)
		goto fail;
	return req;
fail:
	X509_REQ_free(req);
	return NULL;
}
