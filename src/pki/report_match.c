#include "pki/report_match.h"

#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/index.h"
#include "pki/issued.h"
#include "pki/leaked.h"
#include "pki/serial_list.h"

#define MATCHES_MAX 500
#define BUNDLE_MAX 100 /* certificates of one PKCS#7 */

struct report {
	const json_t *serials, *hosts;
	json_t *hashes;        /* {hex: true} */
	json_t *certificates, *keys, *unreadable, *matches;
	json_t *known;         /* {"CA SERIAL": its match} */
	X509 **cert;
	size_t certs;
	int64_t at, more;
};

/* A CA that is being looked through. */
struct looking {
	struct report *report;
	const struct ca *ca;
	X509 *cert;
	struct index *x;
	struct sorted *rows;
	size_t n;
};

struct report *report_new(const json_t *serials, const json_t *hashes, const json_t *hosts, int64_t at)
{
	struct report *p = mem_zalloc(1, sizeof *p);
	char hex[DIGEST_HEX], plain[80];
	const json_t *v;
	size_t i, n;

	p->serials = serials;
	p->hosts = hosts;
	p->at = at;
	p->hashes = json_object();
	p->certificates = json_array();
	p->keys = json_array();
	p->unreadable = json_array();
	p->matches = json_array();
	p->known = json_object();
	json_array_foreach(hashes, i, v) {
		const char *s = json_is_string(v) ? json_string_value(v) : "";

		for (n = 0; strncmp(s, "sha256/", 7) != 0 && *s != '\0' && n < sizeof plain - 1; s++)
			if (*s != ' ' && *s != ':' && *s != '-')
				plain[n++] = *s;
		plain[n] = '\0';
		if (leaked_hash(n > 0 ? plain : s, hex, NULL) == 0)
			json_object_set_new(p->hashes, hex, json_true());
	}
	return p;
}

void report_free(struct report *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->certs; i++)
		X509_free(p->cert[i]);
	free(p->cert);
	json_decref(p->hashes);
	json_decref(p->certificates);
	json_decref(p->keys);
	json_decref(p->unreadable);
	json_decref(p->matches);
	json_decref(p->known);
	free(p);
}

/* ---- what was carried ---- */

/* x is taken. */
static void report_certificate(struct report *p, const char *where, X509 *x)
{
	char hex[DIGEST_HEX], spki[DIGEST_HEX], *subject = cert_name(X509_get_subject_name(x));
	char *issuer = cert_name(X509_get_issuer_name(x)), *serial = cert_serial(X509_get0_serialNumber(x));
	json_t *o = json_object();

	cert_fingerprint(x, hex);
	cert_spki(X509_get_X509_PUBKEY(x), spki);
	json_put(o, "where", where);
	json_put(o, "subject", subject);
	json_put(o, "issuer", issuer);
	json_put(o, "serial", serial);
	json_put(o, "sha256", hex);
	json_put(o, "spki", spki);
	json_array_append_new(p->certificates, o);
	p->cert = mem_grow(p->cert, p->certs + 1, sizeof(X509 *));
	p->cert[p->certs++] = x;
	free(subject);
	free(issuer);
	free(serial);
}

static bool report_bundle(struct report *p, const char *where, const unsigned char *der, size_t len)
{
	PKCS7 *p7 = d2i_PKCS7(NULL, &der, (long)len);
	const STACK_OF(X509) *list = p7 != NULL && PKCS7_type_is_signed(p7) && p7->d.sign != NULL ? p7->d.sign->cert : NULL;

	for (int i = 0; i < sk_X509_num(list) && i < BUNDLE_MAX; i++) {
		X509 *x = sk_X509_value(list, i);
		if (X509_up_ref(x) == 1)
			report_certificate(p, where, x);
	}
	PKCS7_free(p7);
	ERR_clear_error();
	return list != NULL;
}

void report_blob(struct report *p, const char *where, const unsigned char *der, size_t len)
{
	const unsigned char *q = der;
	X509 *x = d2i_X509(NULL, &q, (long)len);
	struct err e = { 0 };
	json_t *o;

	ERR_clear_error();
	if (x != NULL) {
		report_certificate(p, where, x);
		return;
	}
	if (report_bundle(p, where, der, len))
		return;
	if ((o = leaked_of(where, der, len, &e)) != NULL) {
		json_put(o, "where", where);
		json_array_append_new(p->keys, o);
	} else {
		o = json_object();
		json_put(o, "where", where);
		json_put(o, "why", e.text);
		json_array_append_new(p->unreadable, o);
	}
}

/* ---- matches ---- */

/* The certificate with this serial is meant, by what was carried. */
static void match_add(struct looking *l, const char *serial, const struct row *r, const char *status, const char *by)
{
	struct report *p = l->report;
	char *key = mem_printf("%s %s", l->ca->name, serial), *safe;
	json_t *o = json_object_get(p->known, key), *list, *v;
	const char *name;
	size_t len, i;

	if (o == NULL && json_array_size(p->matches) >= MATCHES_MAX) {
		p->more++;
	} else if (o == NULL) {
		o = json_object();
		name = r != NULL ? row_name(l->x, r, &len) : "";
		safe = text_escaped(name, r != NULL ? len : 0, 400);
		json_put(o, "ca", l->ca->name);
		json_put(o, "serial", serial);
		json_object_set_new(o, "subject", json_string(safe));
		json_put(o, "status", status);
		json_object_set_new(o, "by", json_array());
		json_array_append_new(p->matches, o);
		json_object_set(p->known, key, o);
		free(safe);
	}
	list = json_object_get(o, "by");
	json_array_foreach(list, i, v)
		if (strcmp(json_string_value(v), by) == 0)
			list = NULL;
	if (list != NULL)
		json_array_append_new(list, json_string(by));
	free(key);
}

static void match_row(struct looking *l, const struct row *r, const char *by)
{
	char serial[SERIAL_MAX];

	serial[row_canon(l->x, r, serial)] = '\0';
	match_add(l, serial, r, r->kind == ROW_REVOKED ? "revoked" : r->kind == ROW_EXPIRED || row_expired(r, l->report->at) ?
	    "expired" : "valid", by);
}

/* A serial as it was written; one of digits only may be decimal as well as hexadecimal. */
static void match_serial(struct looking *l, const char *text)
{
	char serial[SERIAL_MAX], clean[2 * SERIAL_MAX], *decimal;
	const struct row *r;
	size_t n = 0;

	if (strncasecmp(text, "0x", 2) == 0)
		text += 2;
	for (; *text != '\0' && n < sizeof clean - 1; text++)
		if (strchr(" :-", *text) == NULL)
			clean[n++] = *text;
	clean[n] = '\0';
	if (serial_canon(serial, clean, n) > 0 && (r = index_find(l->x, l->rows, l->n, serial)) != NULL)
		match_row(l, r, "serial");
	decimal = mem_printf("dec:%s", clean);
	if (strspn(clean, "0123456789") == n && serial_read(serial, decimal, strlen(decimal)) != 0 &&
	    (r = index_find(l->x, l->rows, l->n, serial)) != NULL)
		match_row(l, r, "serial");
	free(decimal);
}

/* A certificate that was carried: did this CA sign it? One that its index does not know is worse. */
static void match_certificate(struct looking *l, X509 *x)
{
	const struct row *r;
	char *serial;

	if (!cert_issued_by(x, l->cert))
		return;
	serial = cert_serial(X509_get0_serialNumber(x));
	if ((r = index_find(l->x, l->rows, l->n, serial)) != NULL)
		match_row(l, r, "certificate");
	else
		match_add(l, serial, NULL, "unknown", "certificate");
	free(serial);
}

/* A certificate's key: was it carried? A private key must prove possession with the certificate's own. */
static void match_key(struct looking *l, const char *spki, EVP_PKEY *pub, const struct der *raw, const struct row *r)
{
	const unsigned char *q;
	json_t *key;
	size_t i;

	json_array_foreach(l->report->keys, i, key) {
		EVP_PKEY *own = NULL;

		if (strcmp(json_str(key, "spki"), spki) != 0)
			continue;
		if (pub == NULL && raw != NULL) {
			q = raw->p;
			own = d2i_PUBKEY(NULL, &q, (long)der_len(raw));
		}
		if (strcmp(json_str(key, "kind"), "private-key") != 0 || leaked_proves(key, pub != NULL ? pub : own)) {
			json_put_num(key, "certificates", json_num(key, "certificates", 0) + 1);
			if (r != NULL)
				match_row(l, r, json_str(key, "kind"));
			else
				match_add(l, _("(its own key)"), NULL, "ca", json_str(key, "kind"));
		}
		EVP_PKEY_free(own);
		ERR_clear_error();
	}
}

static bool name_covers(const char *name, const char *host)
{
	const char *dot;

	if (strcasecmp(name, host) == 0)
		return true;
	return name[0] == '*' && name[1] == '.' && (dot = strchr(host, '.')) != NULL && strcasecmp(name + 1, dot) == 0;
}

static bool host_among(const json_t *hosts, const char *name)
{
	const json_t *v;
	size_t i;

	json_array_foreach(hosts, i, v)
		if (name_covers(name, json_string_value(v)))
			return true;
	return false;
}

static void match_issued(struct looking *l, const struct issued *c, const struct row *r)
{
	char hex[DIGEST_HEX], spki[DIGEST_HEX], *name;
	struct der at = c->names;

	digest_of(c->der, c->len, hex);
	issued_spki(c, spki);
	if (json_object_get(l->report->hashes, hex) != NULL)
		match_row(l, r, "fingerprint");
	if (json_object_get(l->report->hashes, spki) != NULL)
		match_row(l, r, "key-hash");
	match_key(l, spki, NULL, &c->spki, r);
	if (r->kind != ROW_VALID || row_expired(r, l->report->at))
		return;
	while ((name = issued_name_next(&at)) != NULL) {
		if (host_among(l->report->hosts, name))
			match_row(l, r, "host");
		free(name);
	}
}

/* Every certificate is read only where something asks for more than index.txt holds. */
static int match_all(struct looking *l, const struct watch *w, struct err *e)
{
	struct report *p = l->report;
	struct issued_by by = { 0 };
	struct issued c = { 0 };
	char serial[SERIAL_MAX];
	int rc;

	if (json_object_size(p->hashes) + json_array_size(p->keys) + json_array_size(p->hosts) == 0)
		return 0;
	rc = issued_by_init(&by, l->ca, l->cert, e);
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		const struct row *r = &l->x->row[l->rows[i].row];

		if (i % 512 == 0)
			watch_progress(w, (int64_t)i, (int64_t)l->n, l->ca->name);
		serial[row_canon(l->x, r, serial)] = '\0';
		if (issued_read(&c, &by, serial, NULL) == 0) /* one that is not there cannot be matched by what it holds */
			match_issued(l, &c, r);
	}
	issued_clear(&c);
	issued_by_clear(&by);
	return rc;
}

int report_match(struct report *p, const struct ca *ca, const struct watch *w, struct err *e)
{
	struct looking l = { .report = p, .ca = ca, .cert = ca_certificate(ca, e) };
	char spki[DIGEST_HEX];
	const json_t *v;
	size_t i;
	int rc = ERR_FAILED;

	if (l.cert != NULL && (l.x = index_load(ca->database, e)) != NULL && (l.rows = index_sorted(l.x, &l.n, e)) != NULL) {
		json_array_foreach(p->serials, i, v)
			match_serial(&l, json_is_string(v) ? json_string_value(v) : "");
		for (size_t k = 0; k < p->certs; k++)
			match_certificate(&l, p->cert[k]);
		cert_spki(X509_get_X509_PUBKEY(l.cert), spki);
		match_key(&l, spki, X509_get0_pubkey(l.cert), NULL, NULL);
		rc = match_all(&l, w, e);
	} else {
		rc = e != NULL && e->code < 0 ? e->code : ERR_FAILED;
	}
	free(l.rows);
	index_free(l.x);
	X509_free(l.cert);
	return rc;
}

json_t *report_result(struct report *p)
{
	return json_pack("{s:O,s:O,s:O,s:O,s:I}", "certificates", p->certificates, "keys", p->keys, "unreadable",
	    p->unreadable, "matches", p->matches, "more", (json_int_t)p->more);
}
