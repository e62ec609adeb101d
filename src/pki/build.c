#include "pki/build.h"

#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/key.h"

#define DAY_MS 86400000LL

static bool build_add(X509_NAME *name, const char *field, const char *value)
{
	return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1,
	    0) == 1;
}

/* One part of "/C=DE/CN=x" at *p, unescaped, into part; advances. */
static void build_part(const char **p, struct buf *part)
{
	buf_clear(part);
	for (++*p; **p != '\0' && **p != '/'; ++*p) {
		if (**p == '\\' && (*p)[1] != '\0')
			++*p;
		buf_addc(part, **p);
	}
}

X509_NAME *build_subject(const char *text, struct err *e)
{
	X509_NAME *name = X509_NAME_new();
	struct buf part = { 0 };
	const char *p = text;
	char *equals;
	bool ok = name != NULL && text[0] == '/';

	while (ok && *p != '\0') {
		build_part(&p, &part);
		equals = part.data != NULL ? strchr(part.data, '=') : NULL;
		if (equals != NULL)
			*equals = '\0';
		ok = equals != NULL && equals[1] != '\0' && build_add(name, part.data, equals + 1);
	}
	if (ok && X509_NAME_entry_count(name) == 0)
		ok = false;
	if (!ok) {
		char *safe = text_escaped(text, strlen(text), 200);

		err_set(e, ERR_USAGE, _("\"%s\" is not a subject"), safe);
		err_remedy(e, _("write it as /C=DE/O=Example/CN=Issuing CA 3"));
		free(safe);
		X509_NAME_free(name);
		name = NULL;
	}
	ERR_clear_error();
	buf_free(&part);
	return name;
}

/* Copy the issuer's entries of one kind. */
static int build_copy(X509_NAME *to, const X509_NAME *from, int nid)
{
	int at = -1, copied = 0;

	while ((at = X509_NAME_get_index_by_NID(from, nid, at)) >= 0)
		copied += X509_NAME_add_entry(to, X509_NAME_get_entry(from, at), -1, 0) == 1;
	return copied;
}

X509_NAME *build_server_subject(const struct ca *ca, X509 *issuer, const json_t *names, struct err *e)
{
	const char *first = json_string_value(json_array_get(names, 0));
	STACK_OF(CONF_VALUE) *policy =
	    ca->conf != NULL && ca->policy[0] != '\0' ? NCONF_get_section(ca->conf, ca->policy) : NULL;
	X509_NAME *name = X509_NAME_new();
	bool wanted;

	for (int i = 0; policy != NULL && i < sk_CONF_VALUE_num(policy); i++) {
		const CONF_VALUE *v = sk_CONF_VALUE_value(policy, i);
		int nid = OBJ_txt2nid(v->name);

		wanted = strcmp(v->value, "match") == 0 || strcmp(v->value, "supplied") == 0;
		if (nid == NID_undef || nid == NID_commonName || !wanted)
			continue;
		if (build_copy(name, X509_get_subject_name(issuer), nid) == 0 &&
		    strcmp(v->value, "supplied") == 0) {
			err_set(e, ERR_REFUSED, _("%s: [%s] wants %s in every subject, and the CA's own has none to take"),
			    ca->config, ca->policy, v->name);
			X509_NAME_free(name);
			return NULL;
		}
	}
	ERR_clear_error();
	if (first != NULL && strlen(first) <= 64)
		build_add(name, "CN", first);
	return name;
}

bool build_serial(X509 *x, const char *serial)
{
	BIGNUM *bn = NULL;
	bool ok = BN_hex2bn(&bn, serial) > 0 && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL;

	BN_free(bn);
	return ok;
}

/* X509_set_pubkey encodes the key and decodes it again, which takes as long as to check the request's signature. */
bool build_key_as(X509 *x, const X509_PUBKEY *key)
{
	const unsigned char *octets;
	const ASN1_OBJECT *kind;
	const void *value;
	X509_ALGOR *algorithm;
	ASN1_OBJECT *object = NULL, *curve = NULL;
	unsigned char *copy;
	int n, type;

	if (X509_PUBKEY_get0_param(&object, &octets, &n, &algorithm, key) != 1)
		return false;
	X509_ALGOR_get0(&kind, &type, &value, algorithm);
	if ((type != V_ASN1_OBJECT && type != V_ASN1_NULL && type != V_ASN1_UNDEF) ||
	    (object = OBJ_dup(kind)) == NULL || (type == V_ASN1_OBJECT && (curve = OBJ_dup(value)) == NULL) ||
	    (copy = OPENSSL_memdup(octets, (size_t)n)) == NULL)
		return false;
	return X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(x), object, type, curve, copy, n) == 1;
}

X509 *build_new(X509 *issuer, const char *serial, X509_NAME *subject, EVP_PKEY *key, int64_t now,
    int days, struct err *e)
{
	int64_t until = now / 1000 * 1000 + days * DAY_MS;
	int64_t end = issuer != NULL ? cert_time(X509_get0_notAfter(issuer)) : INT64_MAX;
	X509 *x = X509_new();

	if (until > end)
		until = end; /* nothing outlives its issuer */
	if (x != NULL && until > now && build_serial(x, serial) && X509_set_version(x, 2) == 1 &&
	    X509_set_subject_name(x, subject) == 1 &&
	    X509_set_issuer_name(x, issuer != NULL ? X509_get_subject_name(issuer) : subject) == 1 &&
	    ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(now / 1000)) != NULL &&
	    ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(until / 1000)) != NULL &&
	    (key == NULL || X509_set_pubkey(x, key) == 1))
		return x;
	if (until <= now)
		err_set(e, ERR_REFUSED, _("the issuer's certificate has expired"));
	else
		err_set(e, ERR_FAILED, _("the certificate could not be made (%s)"), cert_why());
	X509_free(x);
	return NULL;
}

int build_extension(X509 *x, X509 *issuer, struct conf_st *conf, int nid, const char *value,
    struct err *e)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	bool ok;

	X509V3_set_ctx(&ctx, issuer != NULL ? issuer : x, x, NULL, NULL, 0);
	if (conf != NULL)
		X509V3_set_nconf(&ctx, conf);
	ext = X509V3_EXT_nconf_nid(conf, &ctx, nid, value);
	ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	if (ok)
		return 0;
	return err_set(e, ERR_SYNTAX, _("extension %s = %s: %s"), OBJ_nid2sn(nid), value, cert_why());
}

/* Extensions that the CA's configuration sets for what it issues. */
static int build_configured(X509 *x, const struct ca *ca, X509 *issuer, const int *nids, struct err *e)
{
	const char *value;
	int rc = 0;

	for (; rc == 0 && *nids != 0; nids++) {
		value = ca_setting(ca, ca->x509_extensions, OBJ_nid2sn(*nids));
		if (value[0] != '\0')
			rc = build_extension(x, issuer, ca->conf, *nids, value, e);
	}
	return rc;
}

static int build_sans(X509 *x, X509 *issuer, const json_t *names, struct err *e)
{
	struct buf b = { 0 };
	const json_t *v;
	size_t i;
	int rc = 0;

	if (X509_NAME_entry_count(X509_get_subject_name(x)) == 0)
		buf_adds(&b, "critical"); /* RFC 5280 4.2.1.6 */
	json_array_foreach(names, i, v) {
		const char *s = json_string_value(v);
		bool ip = s != NULL && strspn(s, "0123456789abcdefABCDEF:.") == strlen(s) &&
		    (strchr(s, ':') != NULL || strspn(s, "0123456789.") == strlen(s));

		if (s == NULL || !text_is_host(s, true)) {
			char *safe = text_escaped(s != NULL ? s : "", s != NULL ? strlen(s) : 0, 100);

			rc = err_set(e, ERR_REFUSED, _("\"%s\" is not a name a certificate can be for"), safe);
			free(safe);
			break;
		}
		buf_addf(&b, "%s%s:%s", b.len > 0 ? "," : "", ip ? "IP" : "DNS", s);
	}
	if (rc == 0 && json_array_size(names) == 0)
		rc = err_set(e, ERR_REFUSED, _("no name to issue the certificate for"));
	if (rc == 0)
		rc = build_extension(x, issuer, NULL, NID_subject_alt_name, buf_str(&b), e);
	buf_free(&b);
	return rc;
}

int build_server_extensions(X509 *x, const struct ca *ca, X509 *issuer, const json_t *names,
    struct err *e)
{
	static const int configured[] = { NID_crl_distribution_points, NID_info_access,
		NID_certificate_policies, NID_ext_key_usage, 0 };
	bool rsa = EVP_PKEY_is_a(X509_get0_pubkey(x), "RSA");
	bool purposed = ca_setting(ca, ca->x509_extensions, "extendedKeyUsage")[0] != '\0';
	int rc;

	if ((rc = build_extension(x, issuer, NULL, NID_basic_constraints, "critical,CA:FALSE", e)) < 0 ||
	    (rc = build_extension(x, issuer, NULL, NID_key_usage,
	         rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature", e)) < 0 ||
	    (!purposed && (rc = build_extension(x, issuer, NULL, NID_ext_key_usage, "serverAuth", e)) < 0) ||
	    (rc = build_sans(x, issuer, names, e)) < 0 ||
	    (rc = build_extension(x, issuer, NULL, NID_subject_key_identifier, "hash", e)) < 0 ||
	    (rc = build_extension(x, issuer, NULL, NID_authority_key_identifier, "keyid:always", e)) < 0)
		return rc;
	return build_configured(x, ca, issuer, configured, e);
}

int build_ca_extensions(X509 *x, const struct ca *ca, X509 *issuer, bool root, struct err *e)
{
	static const int configured[] = { NID_crl_distribution_points, NID_info_access,
		NID_certificate_policies, 0 };
	int rc;

	if ((rc = build_extension(x, issuer, NULL, NID_basic_constraints,
	         root ? "critical,CA:TRUE" : "critical,CA:TRUE,pathlen:0", e)) < 0 ||
	    (rc = build_extension(x, issuer, NULL, NID_key_usage, "critical,keyCertSign,cRLSign", e)) < 0 ||
	    (rc = build_extension(x, issuer, NULL, NID_subject_key_identifier, "hash", e)) < 0 ||
	    (rc = build_extension(x, issuer, NULL, NID_authority_key_identifier, "keyid:always", e)) < 0)
		return rc;
	return ca != NULL ? build_configured(x, ca, issuer, configured, e) : 0;
}

int build_sign(X509 *x, EVP_PKEY *key, const char *default_md, struct err *e)
{
	const EVP_MD *md;
	int rc = key_digest(key, default_md, &md, e);

	if (rc == 0 && X509_sign(x, key, md) <= 0)
		rc = err_set(e, ERR_FAILED, _("the certificate could not be signed (%s)"), cert_why());
	return rc;
}
