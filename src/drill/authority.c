#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "drill/authority_inside.h"

#define DAY 86400L

int authority_fail(struct err *e, const char *what)
{
	unsigned long code = ERR_get_error();
	char reason[160] = "no reason given";

	if (code != 0)
		ERR_error_string_n(code, reason, sizeof reason);
	ERR_clear_error();
	return err_set(e, ERR_FAILED, "%s: %s", what, reason);
}

EVP_PKEY *authority_key(struct err *e)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	if (key == NULL)
		authority_fail(e, "a P-256 key");
	return key;
}

static X509_NAME *authority_name(const char *organisation, const char *cn)
{
	X509_NAME *n = X509_NAME_new();

	if (n == NULL ||
	    X509_NAME_add_entry_by_txt(n, "O", MBSTRING_UTF8, (const unsigned char *)organisation, -1, -1,
	    0) != 1 ||
	    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) != 1) {
		X509_NAME_free(n);
		return NULL;
	}
	return n;
}

/* A certificate without extensions and signature. ERR_FAILED leaves *out NULL. */
static int authority_blank(struct authority *a, X509_NAME *subject, EVP_PKEY *key, long serial,
    long from, long until, X509 **out, struct err *e)
{
	X509 *x = X509_new();
	X509_NAME *issuer = a->cert != NULL ? X509_get_subject_name(a->cert) : subject;

	*out = NULL;
	if (x == NULL || X509_set_version(x, X509_VERSION_3) != 1 ||
	    ASN1_INTEGER_set(X509_get_serialNumber(x), serial) != 1 ||
	    X509_set_subject_name(x, subject) != 1 || X509_set_issuer_name(x, issuer) != 1 ||
	    ASN1_TIME_set(X509_getm_notBefore(x), from) == NULL ||
	    ASN1_TIME_set(X509_getm_notAfter(x), until) == NULL || X509_set_pubkey(x, key) != 1) {
		X509_free(x);
		return authority_fail(e, "a certificate");
	}
	*out = x;
	return 0;
}

static int authority_extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	int ok;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	if ((ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value)) == NULL)
		return 0;
	ok = X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	return ok;
}

static char *authority_cdp(const struct authority *a)
{
	return mem_printf("URI:%s,URI:%s", a->url[0], a->url[1]);
}

/* One row as `openssl ca` writes it; r is NULL unless revoked. */
static int authority_row(struct authority *a, char state, X509 *x, const ASN1_TIME *r,
    const char *reason)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get_serialNumber(x), NULL);
	char *hex = bn != NULL ? BN_bn2hex(bn) : NULL;
	char *name = X509_NAME_oneline(X509_get_subject_name(x), NULL, 0);
	const ASN1_TIME *until = X509_get0_notAfter(x);

	if (hex != NULL && name != NULL)
		buf_addf(&a->index, "%c\t%.*s\t%.*s%s%s\t%s\tunknown\t%s\n", state, until->length,
		    (const char *)until->data, r != NULL ? r->length : 0,
		    r != NULL ? (const char *)r->data : "", r != NULL ? "," : "",
		    r != NULL ? reason : "", hex, name);
	BN_free(bn);
	OPENSSL_free(hex);
	OPENSSL_free(name);
	return hex != NULL && name != NULL;
}

static int authority_newcert(struct authority *a, long serial, X509 *x, struct err *e)
{
	char hex[24], *path = mem_printf("%s/newcerts/%s.pem", a->dir, authority_hex(hex, serial));
	int rc = authority_certificate_write(path, x, e);

	free(path);
	return rc;
}

static int authority_certify(struct authority *a, const struct authority_spec *s, struct err *e)
{
	struct authority *by = a->issuer != NULL ? a->issuer : a;
	long from = a->now - s->age * DAY, serial = a->issuer != NULL ? by->serial++ : 1;
	X509_NAME *name = authority_name(s->organisation, s->subject);
	char *cdp = authority_cdp(by);
	X509 *x = NULL;
	int rc, ok;

	if (name == NULL ||
	    authority_blank(by, name, a->key, serial, from, from + s->days * DAY, &x, e) < 0) {
		rc = authority_fail(e, s->subject);
		goto out;
	}
	a->cert = x;
	ok = authority_extend(x, by->cert, NID_subject_key_identifier, "hash") &&
	    authority_extend(x, by->cert, NID_authority_key_identifier, "keyid:always") &&
	    authority_extend(x, by->cert, NID_basic_constraints,
	    a->issuer != NULL ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE") &&
	    authority_extend(x, by->cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    (a->issuer == NULL || authority_extend(x, by->cert, NID_crl_distribution_points, cdp)) &&
	    X509_sign(x, by->key, EVP_sha256()) > 0 &&
	    (a->issuer == NULL || authority_row(by, 'V', x, NULL, ""));
	rc = ok ? 0 : authority_fail(e, s->subject);
	if (rc == 0 && a->issuer != NULL)
		rc = authority_newcert(by, serial, x, e);
out:
	X509_NAME_free(name);
	free(cdp);
	return rc;
}

/* What every leaf has in common is made once: each of these costs more than a signature. */
static int authority_leaf_extensions(struct authority *a, struct err *e)
{
	static const struct {
		int nid;
		const char *value;
	} common[] = {
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage, "serverAuth" },
		{ NID_authority_key_identifier, "keyid:always" },
	};
	X509 *x = X509_new();
	char *cdp = authority_cdp(a);
	int ok = x != NULL;

	for (size_t i = 0; ok && i < sizeof common / sizeof common[0]; i++)
		ok = authority_extend(x, a->cert, common[i].nid, common[i].value);
	ok = ok && authority_extend(x, a->cert, NID_crl_distribution_points, cdp);
	if (ok)
		a->leaf = sk_X509_EXTENSION_deep_copy(X509_get0_extensions(x), X509_EXTENSION_dup,
		    X509_EXTENSION_free);
	X509_free(x);
	free(cdp);
	return a->leaf != NULL ? 0 : authority_fail(e, "extensions");
}

static int authority_folders(const struct authority *a, struct err *e)
{
	static const char *const folders[] = { "newcerts", "private", "crl" };
	int rc = 0;

	for (size_t i = 0; i < sizeof folders / sizeof folders[0] && rc == 0; i++) {
		char *path = fs_join(a->dir, folders[i]);

		rc = fs_mkdirs(path, 0700, e);
		free(path);
	}
	return rc;
}

struct authority *authority_new(const struct authority_spec *s, long now, struct err *e)
{
	struct authority *a = mem_zalloc(1, sizeof *a);
	char *key, *cert;
	int rc;

	a->dir = mem_strdup(s->dir);
	a->organisation = mem_strdup(s->organisation);
	a->url[0] = mem_strdup(s->url[0]);
	a->url[1] = mem_strdup(s->url[1]);
	a->issuer = s->issuer;
	a->now = now;
	a->serial = s->serial;
	a->crl = s->crl;
	a->revoked = sk_X509_REVOKED_new_null();
	key = fs_join(a->dir, "private/ca.key");
	cert = fs_join(a->dir, "ca.crt");
	rc = (a->key = authority_key(e)) != NULL ? authority_folders(a, e) : ERR_FAILED;
	if (rc == 0)
		rc = authority_certify(a, s, e);
	if (rc == 0 && a->issuer != NULL)
		rc = authority_leaf_extensions(a, e);
	if (rc == 0)
		rc = authority_key_write(key, a->key, e);
	if (rc == 0)
		rc = authority_certificate_write(cert, a->cert, e);
	free(key);
	free(cert);
	if (rc < 0) {
		authority_free(a);
		return NULL;
	}
	return a;
}

static int authority_revoked(struct authority *a, X509 *x, ASN1_TIME *when)
{
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
	int ok = r != NULL && reason != NULL && ASN1_ENUMERATED_set(reason, CRL_REASON_SUPERSEDED) == 1 &&
	    X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(x)) == 1 &&
	    X509_REVOKED_set_revocationDate(r, when) == 1 &&
	    X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, reason, 0, 0) == 1 &&
	    sk_X509_REVOKED_push(a->revoked, r) > 0;

	ASN1_ENUMERATED_free(reason);
	if (!ok)
		X509_REVOKED_free(r);
	return ok;
}

int authority_issue(struct authority *a, const struct leaf_spec *s, X509 **out, struct err *e)
{
	static const char states[] = { 'V', 'V', 'E', 'R' };
	X509_NAME *name = authority_name(a->organisation, s->name);
	ASN1_TIME *when = s->state == LEAF_REVOKED ? ASN1_TIME_set(NULL, s->revoked) : NULL;
	char *san = mem_printf("DNS:%s", s->name);
	long serial = a->serial++;
	X509 *x = NULL;
	int ok = name != NULL, rc = ok ? 0 : ERR_FAILED;

	if (!ok || (rc = authority_blank(a, name, s->key, serial, s->from, s->until, &x, e)) < 0)
		goto out;
	for (int i = 0; ok && i < sk_X509_EXTENSION_num(a->leaf); i++)
		ok = X509_add_ext(x, sk_X509_EXTENSION_value(a->leaf, i), -1);
	ok = ok && authority_extend(x, a->cert, NID_subject_key_identifier, "hash") &&
	    authority_extend(x, a->cert, NID_subject_alt_name, san) &&
	    X509_sign(x, a->key, EVP_sha256()) > 0 &&
	    authority_row(a, states[s->state], x, when, "superseded") &&
	    (when == NULL || authority_revoked(a, x, when));
	rc = ok ? authority_newcert(a, serial, x, e) : authority_fail(e, s->name);
out:
	if (rc == 0 && out != NULL)
		*out = x;
	else
		X509_free(x);
	X509_NAME_free(name);
	ASN1_TIME_free(when);
	free(san);
	return rc;
}

X509 *authority_certificate(const struct authority *a)
{
	return a->cert;
}

void authority_free(struct authority *a)
{
	if (a == NULL)
		return;
	EVP_PKEY_free(a->key);
	X509_free(a->cert);
	sk_X509_EXTENSION_pop_free(a->leaf, X509_EXTENSION_free);
	sk_X509_REVOKED_pop_free(a->revoked, X509_REVOKED_free);
	buf_free(&a->index);
	free(a->url[0]);
	free(a->url[1]);
	free(a->organisation);
	free(a->dir);
	free(a);
}
