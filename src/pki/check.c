#include "pki/check.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/finding.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/crl_check.h"
#include "pki/crl_file.h"
#include "pki/csr.h"
#include "pki/index.h"
#include "pki/issuer.h"
#include "pki/key.h"
#include "pki/key_token.h"

#define DAY_MS 86400000LL
#define SAMPLE 20

static void check_opened_key(json_t *list, const struct ca *ca, X509 *cert, bool sign, int64_t now)
{
	struct err e = { 0 };
	EVP_PKEY *key = key_open(ca, cert, &e);

	if (key == NULL)
		finding_err(list, &e);
	else if (sign && (key_probe(key, cert, &e) < 0 || crl_rehearse(ca, cert, key, "01", now, 24, &e) < 0))
		finding_err(list, &e);
	else
		finding_add(list, "ok", "", sign ? _("the key belongs to the certificate and signs")
		                             : _("the key belongs to the certificate"));
	if (key != NULL && csr_key_check(key, &e) < 0)
		finding_add(list, "warn", "", "%s", e.text);
	EVP_PKEY_free(key);
}

/* What can be said of the token without its PIN. */
static bool check_token(json_t *list, const struct ca *ca)
{
	struct err e = { 0 };
	struct token t;

	if (key_token_look(ca, &t, &e) < 0) {
		finding_err(list, &e);
		return false;
	}
	finding_add(list, "ok", "", _("the token %s (%s %s, serial %s) is there"), t.label, t.manufacturer, t.model,
	    t.serial);
	if (t.locked || t.last || t.low)
		finding_add(list, t.locked ? "fail" : "warn", _("ask the token's security officer (SO)"), _("the token %s: %s"),
		    t.label, key_token_note(&t));
	else if (t.fresh)
		finding_add(list, "fail", _("its security officer (SO) must set one"), _("the token %s has no user PIN"), t.label);
	return !t.locked && !t.fresh;
}

static void check_key(json_t *list, const struct ca *ca, X509 *cert, bool sign, bool ask, int64_t now)
{
	const char *secret;

	if (token_uri_is(ca->private_key) && !check_token(list, ca))
		return;
	secret = key_secret(ca);
	if (secret != NULL && !ask)
		finding_add(list, "warn", _("sev1 doctor --sign asks for it and signs a probe"), strcmp(secret, "pin") == 0
		    ? _("the key was not tried: it wants its token's PIN") : _("the key was not tried: it wants its passphrase"));
	else
		check_opened_key(list, ca, cert, sign, now);
}

static void check_cert(json_t *list, X509 *cert, int64_t now)
{
	int64_t left = cert_time(X509_get0_notAfter(cert)) - now;

	if (!cert_is_ca(cert))
		finding_add(list, "fail", _("the incident needs the CA's own certificate here"),
		    _("the certificate is not one of a CA (basicConstraints, keyUsage)"));
	if ((X509_get_extension_flags(cert) & EXFLAG_KUSAGE) != 0 &&
	    (X509_get_key_usage(cert) & KU_CRL_SIGN) == 0)
		finding_add(list, "warn", _("clients may reject CRLs of this CA: RFC 5280 4.2.1.3"),
		    _("the certificate's keyUsage lacks cRLSign"));
	if (left <= 0)
		finding_add(list, "fail", _("renew the CA"), _("the CA's certificate has expired"));
	else if (left < 30 * DAY_MS)
		finding_add(list, "warn", _("renew the CA"), _("the CA's certificate expires in %lld days"),
		    (long long)(left / DAY_MS));
	else
		finding_add(list, "ok", "", _("the CA's certificate is valid for %lld days"),
		    (long long)(left / DAY_MS));
}

/* Revocations that sev1 reads and openssl ca does not: from then on it neither issues nor signs a CRL. */
static void check_foreign(json_t *list, const struct index *x)
{
	size_t first = 0, n = 0, len;

	for (size_t i = 0; i < x->rows; i++) {
		struct revinfo info;
		const char *rev;

		if (x->row[i].kind != ROW_REVOKED)
			continue;
		rev = row_rev(x, &x->row[i], &len);
		if (revinfo_read(&info, rev, len) == NULL && reason_in_index(info.reason) &&
		    strcspn(rev, "Z") < 14)
			continue;
		if (n++ == 0)
			first = i + 1;
	}
	if (n > 0)
		finding_add(list, "warn", _("write the date as YYMMDDhhmmssZ, and a reason that openssl ca knows"),
		    _("%s: line %zu: openssl ca does not take this revocation, though sev1 does (%zu such lines)"), x->path,
		    first, n);
}

static void check_index(json_t *list, const struct ca *ca, int64_t now)
{
	struct index_counts c;
	struct err e = { 0 };
	struct index *x = index_load(ca->database, &e);
	struct sorted *rows = NULL;
	size_t n;

	if (x == NULL) {
		finding_err(list, &e);
		return;
	}
	index_count(x, now, &c);
	if (index_refuse_bad(x, &e) < 0 || (rows = index_sorted(x, &n, &e)) == NULL)
		finding_err(list, &e);
	else
		finding_add(list, "ok", "", _("%s: %lld valid, %lld expired, %lld revoked"), ca->database,
		    (long long)c.valid, (long long)c.expired, (long long)c.revoked);
	check_foreign(list, x);
	if (x->open_end)
		finding_add(list, "warn", _("end the line; sev1 does when it writes the file"),
		    _("%s: the last line has no newline: openssl ca passes over it"), ca->database);
	free(rows);
	index_free(x);
}

static void check_files(json_t *list, const struct ca *ca)
{
	char number[SERIAL_MAX];
	struct err e = { 0 };
	struct buf b = { 0 };

	if (crl_number_next(ca, "/nonexistent", number, &e) < 0)
		finding_err(list, &e);
	else
		finding_add(list, "ok", "", _("the next CRL number is %s"), number);
	if (!ca->rand_serial && ca->serial[0] != '\0') {
		if (fs_read(ca->serial, &b, 256, &e) < 0)
			finding_add(list, "warn", _("it is needed to issue certificates"), "%s", e.text);
		else if (strspn(buf_str(&b), "0123456789abcdefABCDEF\r\n") != b.len || b.len == 0)
			finding_add(list, "warn", _("write the next serial into it"), _("%s: not a serial in hexadecimal"),
			    ca->serial);
	}
	if (!fs_exists(ca->attr))
		finding_add(list, "warn", "", _("%s is missing: openssl ca makes it anew"), ca->attr);
	if (fs_replaceable(ca->database, &e) < 0 || fs_replaceable(ca->crlnumber, &e) < 0)
		finding_err(list, &e);
	buf_clear(&b);
	if (ca->crl[0] != '\0' && fs_exists(ca->crl) && crl_file_read(ca->crl, &b, &e) < 0)
		finding_add(list, "warn", _("the number of the CRL in it is not known: mind that crlnumber is higher"), "%s", e.text);
	buf_free(&b);
}

static void check_points(json_t *cdps, X509 *x)
{
	STACK_OF(DIST_POINT) *points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);

	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *p = sk_DIST_POINT_value(points, i);
		GENERAL_NAMES *names = p->distpoint != NULL && p->distpoint->type == 0 ? p->distpoint->name.fullname
		                                                                       : NULL;

		for (int j = 0; j < sk_GENERAL_NAME_num(names); j++) {
			int type;
			const ASN1_STRING *s = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, j), &type);
			json_t *v;
			char *url;
			size_t k;
			bool known = false;

			if (type != GEN_URI)
				continue;
			url = text_escaped((const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s), 500);
			json_array_foreach(cdps, k, v)
				known = known || strcmp(json_string_value(v), url) == 0;
			if (!known)
				json_array_append_new(cdps, json_string(url));
			free(url);
		}
	}
	CRL_DIST_POINTS_free(points);
}

/* The distribution points that subscribers' certificates name, from a sample. */
static json_t *check_cdps(json_t *list, const struct ca *ca)
{
	json_t *cdps = json_array();
	DIR *d = ca->new_certs_dir[0] != '\0' ? opendir(ca->new_certs_dir) : NULL;
	struct dirent *de;
	int seen = 0;

	if (d == NULL && ca->new_certs_dir[0] == '\0')
		finding_add(list, "warn", _("selection by name, key and time needs the certificates"),
		    _("%s: [%s] has no 'new_certs_dir'"), ca->config, ca->section);
	else if (d == NULL)
		finding_add(list, "warn", _("selection by name, key and time needs the certificates"),
		    _("%s: %s"), ca->new_certs_dir, strerror(errno));
	while (d != NULL && seen < SAMPLE && (de = readdir(d)) != NULL) {
		char *path = fs_join(ca->new_certs_dir, de->d_name);
		X509 *x = de->d_name[0] != '.' ? cert_read(path, NULL) : NULL;

		if (x != NULL) {
			seen++;
			check_points(cdps, x);
		}
		X509_free(x);
		free(path);
	}
	if (d != NULL)
		closedir(d);
	ERR_clear_error();
	return cdps;
}

json_t *check_ca(const struct ca *ca, bool sign, bool ask, int64_t now)
{
	json_t *o = json_object(), *list = json_array();
	struct err e = { 0 };
	X509 *cert = ca_certificate(ca, &e);

	if (cert == NULL) {
		finding_err(list, &e);
	} else {
		json_t *about = issuer_json(cert);
		char *issuer;

		json_object_update(o, about);
		json_decref(about);
		issuer = cert_name(X509_get_issuer_name(cert));
		json_put(o, "issuer", issuer);
		free(issuer);
		json_object_set_new(o, "self_signed", json_boolean(X509_self_signed(cert, 0) == 1));
		check_cert(list, cert, now);
		if (crl_check_configured(ca, cert, &e) < 0) /* else the key's check says it once more */
			finding_err(list, &e);
		else
			check_key(list, ca, cert, sign, ask, now);
	}
	check_index(list, ca, now);
	check_files(list, ca);
	json_object_set_new(o, "cdps", check_cdps(list, ca));
	json_object_set_new(o, "findings", list);
	X509_free(cert);
	return o;
}

json_t *check_crl(const char *path, const struct ca *ca, int64_t now, struct err *e)
{
	struct index *x = ca != NULL ? index_load(ca->database, e) : NULL;
	struct sorted *rows = NULL;
	struct listing l = { 0 };
	struct crl_ask ask = { .ca = ca, .now = now };
	json_t *o = NULL;
	struct buf b = { 0 };
	size_t n = 0;

	if (x != NULL && index_refuse_bad(x, e) == 0 && (rows = index_sorted(x, &n, e)) != NULL) {
		l = (struct listing){ x, rows, n, INT64_MIN, NULL, 0 };
		ask.l = &l;
	} else if (ca != NULL) {
		ask.no_index = e->text;
	}
	if (crl_read_some(path, &b, e) == 0)
		o = crl_check(&b, &ask);
	buf_free(&b);
	free(rows);
	index_free(x);
	return o;
}
