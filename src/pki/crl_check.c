#include "pki/crl_check.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/cert.h"

#define CRL_MAX ((size_t)1 << 30)
#define ENTRY_HUGE 1024              /* octets: a serial, a date and three extensions take under 200 */
#define EARLY_MS (5 * 60 * 1000)     /* a clock that goes wrong by less is no fault */
#define LONG_MS (366LL * 86400000)   /* TLS BR 7.2 ends at twelve months for any CA */
#define NAMED 5

/* Every fault that is known, and whether it forbids publication. */
enum fault {
	F_EMPTY, F_HTML, F_PEM, F_NOT_DER, F_TRUNCATED, F_INDEFINITE, F_LENGTH, F_TRAILING, F_VERSION, F_ALGORITHM,
	F_STRUCTURE, F_DIGEST_BROKEN, F_DIGEST_WEAK, F_ISSUER, F_KEY_ID, F_NO_KEY_ID, F_SIGNATURE, F_NO_NUMBER, F_NEGATIVE,
	F_NUMBER_LARGE, F_OLDER, F_SAME_NUMBER, F_NO_NEXT, F_ORDER, F_EXPIRED, F_FUTURE, F_LONG, F_CRITICAL, F_TWICE,
	F_DELTA, F_INDIRECT, F_POINT, F_ONLY, F_ENTRY, F_ENTRY_CRITICAL, F_ENTRY_HUGE, F_DUPLICATE, F_MISSING, F_EXTRA,
	F_DIFFERS, F_INDEX, F_CERTIFICATE
};

static const struct {
	const char *id;
	bool fails;
	const char *what;
} faults[] = {
	[F_EMPTY] = { "empty-file", true, N_("the file is empty") },
	[F_HTML] = { "html", true, N_("it is a web page, not a CRL") },
	[F_PEM] = { "pem", true, N_("it is PEM where DER is served (RFC 5280 4.2.1.13)") },
	[F_NOT_DER] = { "not-der", true, N_("it is neither DER nor a PEM CRL") },
	[F_TRUNCATED] = { "truncated", true, N_("it is truncated") },
	[F_INDEFINITE] = { "indefinite", true, N_("it has an indefinite length, which DER forbids (X.690 10.1)") },
	[F_LENGTH] = { "length", true, N_("it has a length that is not in its shortest form (X.690 10.1)") },
	[F_TRAILING] = { "trailing", true, N_("octets follow the CRL") },
	[F_VERSION] = { "version", true, N_("it is not of version 2 (RFC 5280 5.1.2.1)") },
	[F_ALGORITHM] = { "algorithm", true, N_("its two signature algorithms differ (RFC 5280 5.1.1.2)") },
	[F_STRUCTURE] = { "structure", true, N_("its structure is broken") },
	[F_DIGEST_BROKEN] = { "digest-broken", true, N_("its signature uses a broken digest") },
	[F_DIGEST_WEAK] = { "digest-weak", false, N_("its signature uses a weak digest") },
	[F_ISSUER] = { "issuer", true, N_("it is of another issuer") },
	[F_KEY_ID] = { "key-id", true, N_("its authority key identifier is of another key: it is of another issuer") },
	[F_NO_KEY_ID] = { "no-key-id", true, N_("it has no authority key identifier (RFC 5280 5.2.1)") },
	[F_SIGNATURE] = { "signature", true, N_("its signature does not verify") },
	[F_NO_NUMBER] = { "no-number", true, N_("it has no CRL number (RFC 5280 5.2.3)") },
	[F_NEGATIVE] = { "negative-number", true, N_("its CRL number is negative (RFC 5280 5.2.3)") },
	[F_NUMBER_LARGE] = { "large-number", true, N_("its CRL number is longer than 20 octets (RFC 5280 5.2.3)") },
	[F_OLDER] = { "older", true, N_("its CRL number is lower than that of the CRL that was published") },
	[F_SAME_NUMBER] = { "same-number", true, N_("another CRL with this CRL number was published") },
	[F_NO_NEXT] = { "no-next-update", true, N_("it has no nextUpdate (RFC 5280 5.1.2.5)") },
	[F_ORDER] = { "order", true, N_("its nextUpdate does not come after its thisUpdate") },
	[F_EXPIRED] = { "expired", true, N_("it has expired") },
	[F_FUTURE] = { "future", true, N_("its thisUpdate lies in the future") },
	[F_LONG] = { "long", false, N_("it is valid for more than a year") },
	[F_CRITICAL] = { "critical-extension", true, N_("it has an unknown critical extension") },
	[F_TWICE] = { "extension-twice", true, N_("it has an extension twice (RFC 5280 4.2)") },
	[F_DELTA] = { "delta", true, N_("it is a delta CRL") },
	[F_INDIRECT] = { "indirect", true, N_("it is an indirect CRL: it lists certificates of other issuers") },
	[F_POINT] = { "point", true, N_("it is for another distribution point (issuingDistributionPoint)") },
	[F_ONLY] = { "only-some", true, N_("it is for some kinds of certificates or reasons only (issuingDistributionPoint)") },
	[F_ENTRY] = { "entry", true, N_("an entry is malformed") },
	[F_ENTRY_CRITICAL] = { "critical-entry", true, N_("an entry has an unknown critical extension") },
	[F_ENTRY_HUGE] = { "huge-entry", true, N_("an entry is larger than any certificate's can be") },
	[F_DUPLICATE] = { "duplicate", true, N_("it lists a certificate twice") },
	[F_MISSING] = { "missing", true, N_("it lacks certificates that are revoked") },
	[F_EXTRA] = { "extra", true, N_("it lists certificates that are not revoked") },
	[F_DIFFERS] = { "differs", true, N_("entries have another date or reason than index.txt") },
	[F_INDEX] = { "index", true, N_("its entries cannot be judged") },
	[F_CERTIFICATE] = { "certificate", true, N_("the CA's certificate cannot be read") },
};

struct look {
	const struct crl_ask *ask;
	json_t *o, *findings, *problems;
	int failing;
};

static void fault(struct look *k, enum fault f, const char *detail)
{
	json_t *o = json_object();
	char *what = mem_printf("%s%s%s", _(faults[f].what), detail != NULL ? ": " : "", detail != NULL ? detail : "");

	json_put(o, "id", faults[f].id);
	json_put(o, "level", faults[f].fails ? "fail" : "warn");
	json_put(o, "what", what);
	if (faults[f].fails) {
		json_array_append(k->problems, json_object_get(o, "what"));
		k->failing++;
	}
	json_array_append_new(k->findings, o);
	free(what);
}

/* ---- octets ---- */

/* Why the next value of d cannot be taken. */
static enum fault der_fault(const struct der *d)
{
	size_t left = der_len(d), n;

	if (left < 2)
		return F_TRUNCATED;
	if (d->p[1] == 0x80)
		return F_INDEFINITE;
	if (d->p[1] < 0x80)
		return F_TRUNCATED;
	n = d->p[1] & 0x7f;
	if (left < 2 + n)
		return F_TRUNCATED;
	if (d->p[2] == 0 || (n == 1 && d->p[2] < 0x80))
		return F_LENGTH;
	return F_TRUNCATED;
}

/* Take a value of this tag (-1: any), or name the fault. */
static bool take(struct look *k, struct der *d, int tag, struct der *inner, const char *where)
{
	struct der whole = *d;

	if (tag >= 0 ? der_get(d, tag, inner) : der_skip(d, inner))
		return true;
	if (der_len(d) > 0 && (tag < 0 || der_peek(d) == tag))
		fault(k, der_fault(&whole), where);
	else
		fault(k, der_len(d) == 0 ? F_TRUNCATED : F_STRUCTURE, where);
	return false;
}

/* The layers of a CRL, far enough to name what crl_parse refuses. */
static void diagnose(struct look *k, const void *data, size_t len)
{
	struct der all = { data, (const unsigned char *)data + len }, crl, tbs, outer, inner, v;

	if (!take(k, &all, DER_SEQ, &crl, NULL))
		return;
	if (der_len(&all) > 0) {
		fault(k, F_TRAILING, NULL);
		return;
	}
	if (!take(k, &crl, DER_SEQ, &tbs, "tbsCertList") || !take(k, &crl, DER_SEQ, &outer, "signatureAlgorithm") ||
	    !take(k, &crl, DER_BITS, &v, "signatureValue"))
		return;
	if (der_len(&crl) > 0) {
		fault(k, F_TRAILING, "CertificateList");
		return;
	}
	if (der_peek(&tbs) != DER_INTEGER) {
		fault(k, F_VERSION, NULL);
		return;
	}
	if (!take(k, &tbs, DER_INTEGER, &v, "version"))
		return;
	if (der_len(&v) != 1 || v.p[0] != 1) {
		fault(k, F_VERSION, NULL);
		return;
	}
	if (!take(k, &tbs, DER_SEQ, &inner, "signature"))
		return;
	if (der_len(&inner) != der_len(&outer) || memcmp(inner.p, outer.p, der_len(&inner)) != 0) {
		fault(k, F_ALGORITHM, NULL);
		return;
	}
	for (int i = 0; der_len(&tbs) > 0; i++) {
		static const char *const name[] = { "issuer", "thisUpdate", "nextUpdate" };
		int tag = der_peek(&tbs);

		if (!take(k, &tbs, -1, &v, i < 3 ? name[i] : "revokedCertificates"))
			return;
		if (tag == DER_CONTEXT_0 && der_len(&tbs) > 0)
			fault(k, F_STRUCTURE, "crlExtensions");
		if (i == 0 && tag != DER_SEQ)
			fault(k, F_STRUCTURE, "issuer");
		v = (struct der){ v.p + 1, v.end };
	}
}

/* PEM or DER to DER in b; false where it is neither, with the fault. */
static bool to_der(struct look *k, const struct buf *file, struct buf *b)
{
	const char *p = buf_str(file), *end = p + file->len;
	unsigned char *der = NULL;
	char *name = NULL, *header = NULL;
	long len = 0;
	bool pem, ok;
	BIO *bio;

	if (file->len == 0) {
		fault(k, F_EMPTY, NULL);
		return false;
	}
	if (p[0] == 0x30) {
		json_put(k->o, "form", "DER");
		return true;
	}
	while (p < end && isspace((unsigned char)*p))
		p++;
	if (p < end && *p == '<') {
		fault(k, F_HTML, NULL);
		return false;
	}
	pem = file->len < INT32_MAX && memmem(p, (size_t)(end - p), "-----BEGIN X509 CRL-----", 24) != NULL;
	bio = pem ? BIO_new_mem_buf(p, (int)(end - p)) : NULL;
	ok = bio != NULL && PEM_read_bio(bio, &name, &header, &der, &len) == 1 && strcmp(name, PEM_STRING_X509_CRL) == 0;
	BIO_free(bio);
	ERR_clear_error();
	if (ok)
		buf_add(b, der, (size_t)len);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	json_put(k->o, "form", "PEM");
	if (pem && k->ask->der)
		fault(k, F_PEM, NULL);
	else if (!ok)
		fault(k, pem ? F_STRUCTURE : F_NOT_DER, pem ? "PEM" : NULL);
	return ok;
}

/* ---- extensions ---- */

static void idp_names(json_t *urls, struct der point)
{
	struct der full, name;

	if (!der_get(&point, 0xa0, &full))
		return;
	while (der_len(&full) > 0) {
		int tag = der_peek(&full);
		char *url;

		if (!der_get(&full, tag, &name))
			return;
		url = text_escaped((const char *)name.p, der_len(&name), 500);
		if (tag == 0x86)
			json_array_append_new(urls, json_string(url));
		free(url);
	}
}

/* IssuingDistributionPoint, RFC 5280 5.2.5. */
static void look_idp(struct look *k, struct der value, json_t *urls)
{
	struct der idp, v;

	if (!der_get(&value, DER_SEQ, &idp)) {
		fault(k, F_STRUCTURE, "issuingDistributionPoint");
		return;
	}
	while (der_len(&idp) > 0) {
		int tag = der_peek(&idp);

		if (!der_get(&idp, tag, &v)) {
			fault(k, F_STRUCTURE, "issuingDistributionPoint");
			return;
		}
		if (tag == 0xa0)
			idp_names(urls, v);
		else if (tag == 0x84)
			fault(k, F_INDIRECT, NULL);
		else
			fault(k, F_ONLY, NULL);
	}
}

static bool url_in(const json_t *list, const char *url)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
		if (json_is_string(v) && strcmp(json_string_value(v), url) == 0)
			return true;
	return false;
}

/* The scope it states must be the one that is wanted: a relying party takes a CRL for the certificates whose
 * point it names (RFC 5280 6.3.3 b 2 i). */
static void judge_point(struct look *k, bool has, const json_t *urls)
{
	const struct ca *ca = k->ask->ca;
	const json_t *v;
	size_t i;

	if (ca == NULL)
		return;
	if (k->ask->urls == NULL) {
		const char *want = ca_setting(ca, ca->crl_extensions, "issuingDistributionPoint");

		if (has && want[0] == '\0')
			fault(k, F_POINT, json_string_value(json_array_get(urls, 0)));
		else if (!has && want[0] != '\0')
			fault(k, F_POINT, _("it has none"));
		return;
	}
	if (!has || json_array_size(urls) != json_array_size(k->ask->urls)) {
		fault(k, F_POINT, has ? json_string_value(json_array_get(urls, 0)) : _("it has none"));
		return;
	}
	json_array_foreach(urls, i, v)
		if (!url_in(k->ask->urls, json_string_value(v))) {
			fault(k, F_POINT, json_string_value(v));
			return;
		}
}

static void oid_text(const struct der *oid, char *text, size_t size, char *name, size_t name_size)
{
	unsigned char whole[140];
	const unsigned char *p = whole;
	ASN1_OBJECT *o = NULL;

	snprintf(text, size, "?");
	snprintf(name, name_size, "?");
	if (der_len(oid) > 0 && der_len(oid) <= 120)
		o = d2i_ASN1_OBJECT(NULL, &p, (long)der_put(whole, DER_OID, oid->p, der_len(oid)));
	if (o != NULL) {
		OBJ_obj2txt(text, (int)size, o, 1);
		OBJ_obj2txt(name, (int)name_size, o, 0);
	}
	ASN1_OBJECT_free(o);
	ERR_clear_error();
}

/* The crlExtensions of a CRL that crl_parse took: what remains of the signed part after the list. */
static void look_extensions(struct look *k, const struct crl_view *v)
{
	struct der tbs = v->tbs, d = { 0 }, list, ext, oid, value, flag;
	json_t *all = json_array(), *urls = json_array(), *seen = json_object();
	bool has = false;

	der_get(&tbs, DER_SEQ, &d);
	d.p = v->entries.end;
	if (der_get(&d, DER_CONTEXT_0, &list) && der_get(&list, DER_SEQ, &d))
		while (der_get(&d, DER_SEQ, &ext) && der_get(&ext, DER_OID, &oid)) {
			bool critical = der_get(&ext, 0x01, &flag) && der_len(&flag) == 1 && flag.p[0] != 0;
			char text[160], name[100];
			json_t *o = json_object();

			oid_text(&oid, text, sizeof text, name, sizeof name);
			json_put(o, "oid", text);
			json_put(o, "name", name);
			json_object_set_new(o, "critical", json_boolean(critical));
			json_array_append_new(all, o);
			if (json_object_get(seen, text) != NULL)
				fault(k, F_TWICE, name);
			json_object_set_new(seen, text, json_true());
			if (!der_get(&ext, DER_OCTETS, &value))
				break;
			if (strcmp(text, "2.5.29.28") == 0) {
				has = true;
				look_idp(k, value, urls);
			}
		}
	judge_point(k, has, urls);
	json_object_set_new(k->o, "extensions", all);
	json_object_set_new(k->o, "distribution", urls);
	json_decref(seen);
}

/* ---- header ---- */

int crl_number_compare(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	if ((a[0] == '-') != (b[0] == '-'))
		return a[0] == '-' ? -1 : 1;
	return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}

static void look_number(struct look *k, const struct crl_view *v)
{
	const char *last = k->ask->last;

	if (v->number[0] == '\0')
		fault(k, F_NO_NUMBER, NULL);
	else if (v->number[0] == '-')
		fault(k, F_NEGATIVE, v->number);
	else if (strlen(v->number) > 40 || (strlen(v->number) == 40 && v->number[0] > '7'))
		fault(k, F_NUMBER_LARGE, NULL);
	else if (last != NULL && last[0] != '\0') {
		char *detail = mem_printf(_("%s, after %s"), v->number, last);
		int cmp = crl_number_compare(v->number, last);

		if (cmp < 0)
			fault(k, F_OLDER, detail);
		else if (cmp == 0 && strcmp(json_str(k->o, "sha256"), k->ask->last_sha256) != 0)
			fault(k, F_SAME_NUMBER, v->number);
		free(detail);
	}
}

static void look_times(struct look *k, const struct crl_view *v)
{
	if (v->next_update == 0)
		fault(k, F_NO_NEXT, NULL);
	else if (v->next_update <= v->this_update)
		fault(k, F_ORDER, NULL);
	else if (v->next_update <= k->ask->now)
		fault(k, F_EXPIRED, NULL);
	else if (v->next_update - v->this_update > LONG_MS)
		fault(k, F_LONG, NULL);
	if (v->this_update > k->ask->now + EARLY_MS)
		fault(k, F_FUTURE, NULL);
}

static void look_digest(struct look *k, const struct crl_view *v)
{
	int nid = OBJ_ln2nid(crl_algorithm(v)), md = NID_undef, key = NID_undef;

	if (!OBJ_find_sigid_algs(nid, &md, &key))
		return; /* the signature will not verify */
	if (md == NID_md5 || md == NID_md4 || md == NID_md2)
		fault(k, F_DIGEST_BROKEN, OBJ_nid2ln(md));
	else if (md == NID_sha1)
		fault(k, F_DIGEST_WEAK, OBJ_nid2ln(md));
}

static void look_issuer(struct look *k, const struct crl_view *v)
{
	struct err e = { 0 };
	X509 *cert = ca_certificate(k->ask->ca, &e);
	struct crl_view bare = *v;
	bool name, id, signature;

	if (cert == NULL) {
		fault(k, F_CERTIFICATE, e.text);
		return;
	}
	bare.key_id.end = bare.key_id.p; /* crl_issuer_is looks at both */
	name = crl_issuer_is(&bare, cert);
	id = crl_issuer_is(v, cert);
	if (!name)
		fault(k, F_ISSUER, NULL);
	else if (!id)
		fault(k, F_KEY_ID, NULL);
	if (!(signature = crl_verify(v, cert, &e) == 0))
		fault(k, F_SIGNATURE, e.text);
	json_object_set_new(k->o, "issuer_ok", json_boolean(id));
	json_object_set_new(k->o, "signature_ok", json_boolean(signature));
	X509_free(cert);
}

/* ---- entries ---- */

/* A serial's octets as they stand in the CRL, and a hash of them. */
struct serial {
	uint64_t hash;
	const unsigned char *p;
	size_t len;
};

struct serials {
	struct serial *s;
	size_t n;
};

static int serial_order(const void *a, const void *b)
{
	const struct serial *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->p, y->p, x->len);
}

static struct serial serial_at(const struct der *number)
{
	struct serial s = { 14695981039346656037u, number->p, der_len(number) };

	for (const unsigned char *p = number->p; p < number->end; p++)
		s.hash = (s.hash ^ *p) * 1099511628211u;
	return s;
}

/* All serials of a list, sorted for serials_has; stops at the first malformed entry. */
static struct serials serials_of(const struct crl_view *v)
{
	struct serials all = { mem_zalloc((size_t)v->count + 1, sizeof(struct serial)), 0 };
	struct der d = v->entries, one, number;

	while (all.n < (size_t)v->count && der_get(&d, DER_SEQ, &one) && der_get(&one, DER_INTEGER, &number))
		all.s[all.n++] = serial_at(&number);
	qsort(all.s, all.n, sizeof *all.s, serial_order);
	return all;
}

static bool serials_has(const struct serials *all, const struct der *number)
{
	struct serial want = serial_at(number);

	return bsearch(&want, all->s, all->n, sizeof *all->s, serial_order) != NULL;
}

static void name_first(struct look *k, const char *serial, const char *why)
{
	json_t *list = json_object_get(k->o, "named");
	char *text;

	if (json_array_size(list) >= NAMED)
		return;
	text = mem_printf("%s: %s", serial, why);
	json_array_append_new(list, json_string(text));
	free(text);
}

static void look_duplicates(struct look *k, const struct crl_view *v)
{
	struct serials all = serials_of(v);
	int64_t twice = 0;

	for (size_t i = 1; i < all.n; i++) {
		char serial[SERIAL_MAX] = "?";

		if (serial_order(&all.s[i - 1], &all.s[i]) != 0)
			continue;
		twice++;
		if (all.s[i].len <= 64)
			der_serial(serial, &(struct der){ all.s[i].p, all.s[i].p + all.s[i].len });
		name_first(k, serial, _("listed twice"));
	}
	json_put_num(k->o, "duplicates", twice);
	if (twice > 0)
		fault(k, F_DUPLICATE, NULL);
	free(all.s);
}

/* Why crl_next stopped at one. */
static enum fault entry_fault(struct der one)
{
	struct der v, list, ext, oid, flag;
	enum fault f = F_ENTRY;

	if (!der_get(&one, DER_SEQ, &v) || !der_skip(&v, &list) || !der_skip(&v, &list) || !der_get(&v, DER_SEQ, &list))
		return f;
	while (der_get(&list, DER_SEQ, &ext) && der_get(&ext, DER_OID, &oid)) {
		bool id_ce = der_len(&oid) == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x1d;
		bool critical = der_get(&ext, 0x01, &flag) && der_len(&flag) == 1 && flag.p[0] != 0;

		if (id_ce && oid.p[2] == 29)
			return F_INDIRECT;
		if (critical && !(id_ce && (oid.p[2] == 21 || oid.p[2] == 23 || oid.p[2] == 24)))
			f = F_ENTRY_CRITICAL;
	}
	return f;
}

/* Does the entry say what the row's third field says? */
static bool entry_says(const struct crl_entry *c, const struct index *x, const struct row *r)
{
	struct revinfo info;
	size_t len;
	const char *rev = row_rev(x, r, &len);

	if (revinfo_read(&info, rev, len) != NULL)
		return false;
	if (info.reason == REASON_UNSPECIFIED)
		info.reason = REASON_NONE;
	return c->at == info.at && c->invalid == info.invalid &&
	    (c->reason == info.reason || (c->reason == REASON_UNSPECIFIED && info.reason == REASON_NONE));
}

struct tally {
	const struct listing *l;
	char *met;        /* a row that an entry was found for */
	size_t next;      /* of l's rows: entries mostly come in their order */
	int64_t missing, extra, differing;
};

/* Is a row on this CRL, or may it be (RFC 5280 3.3: one issue after expiry)? */
static bool row_may(const struct listing *l, const struct row *r)
{
	return r->kind == ROW_REVOKED && (l->part == NULL || l->part[r - l->x->row] == l->want);
}

static const struct row *tally_find(struct tally *t, const char *serial)
{
	const struct listing *l = t->l;
	char mine[SERIAL_MAX];

	while (t->next < l->n && !row_may(l, &l->x->row[l->rows[t->next].row]))
		t->next++;
	for (size_t i = t->next; i < l->n && i < t->next + 1; i++) {
		const struct row *r = &l->x->row[l->rows[i].row];

		row_canon(l->x, r, mine);
		if (strcmp(mine, serial) == 0) {
			t->next = i + 1;
			return r;
		}
	}
	return index_find(l->x, l->rows, l->n, serial);
}

static void tally_entry(struct look *k, struct tally *t, const struct crl_entry *c)
{
	const struct row *r = tally_find(t, c->serial);

	if (r == NULL || !row_may(t->l, r)) {
		t->extra++;
		name_first(k, c->serial, r == NULL ? _("listed, not in index.txt") : _("listed, not revoked in index.txt"));
		return;
	}
	if (!t->met[r - t->l->x->row] && !entry_says(c, t->l->x, r)) {
		t->differing++;
		name_first(k, c->serial, _("other date or reason than index.txt"));
	}
	t->met[r - t->l->x->row] = 1;
}

/* Revoked rows that no entry was found for, but those that expired before the CRL was made. */
static void tally_missing(struct look *k, struct tally *t, int64_t made)
{
	const struct listing *l = t->l;
	char serial[SERIAL_MAX];

	for (size_t i = 0; i < l->n; i++) {
		const struct row *r = &l->x->row[l->rows[i].row];

		if (!row_may(l, r) || t->met[l->rows[i].row] || r->expires < made)
			continue;
		t->missing++;
		row_canon(l->x, r, serial);
		name_first(k, serial, _("revoked in index.txt, not listed"));
	}
}

static void tally_say(struct look *k, enum fault f, const char *key, int64_t n)
{
	char count[32];

	json_put_num(k->o, key, n);
	if (n > 0)
		fault(k, f, text_count(count, n));
}

static void look_entries(struct look *k, const struct crl_view *v)
{
	struct tally t = { .l = k->ask->l };
	struct der d = v->entries, before = d;
	struct crl_entry c;
	bool bad = false, huge = false;

	if (t.l != NULL)
		t.met = mem_zalloc(t.l->x->rows + 1, 1);
	while (crl_next(&d, &c, &bad)) {
		huge = huge || d.p - before.p > ENTRY_HUGE;
		if (t.l != NULL)
			tally_entry(k, &t, &c);
		before = d;
	}
	if (bad) {
		struct der whole = before, one;

		huge = huge || (der_skip(&whole, &one) && der_len(&one) > ENTRY_HUGE);
		if (!huge)
			fault(k, entry_fault(before), NULL);
	}
	if (huge)
		fault(k, F_ENTRY_HUGE, NULL);
	look_duplicates(k, v);
	if (k->ask->no_index != NULL)
		fault(k, F_INDEX, k->ask->no_index);
	if (t.l != NULL && !bad) {
		tally_missing(k, &t, v->this_update / 1000);
		tally_say(k, F_MISSING, "missing", t.missing);
		tally_say(k, F_EXTRA, "extra", t.extra);
		tally_say(k, F_DIFFERS, "differing", t.differing);
	}
	free(t.met);
}

/* ---- all of it ---- */

static void look_view(struct look *k, const struct crl_view *v)
{
	json_put(k->o, "number", v->number);
	json_put_num(k->o, "entries", v->count);
	json_put_num(k->o, "this_update", v->this_update);
	json_put_num(k->o, "next_update", v->next_update);
	json_put(k->o, "signature", crl_algorithm(v));
	look_number(k, v);
	look_times(k, v);
	look_digest(k, v);
	if (der_len(&v->key_id) == 0)
		fault(k, F_NO_KEY_ID, NULL);
	if (v->critical[0] != '\0')
		fault(k, F_CRITICAL, v->critical);
	if (v->delta)
		fault(k, F_DELTA, NULL);
	look_extensions(k, v);
	if (k->ask->ca != NULL)
		look_issuer(k, v);
	look_entries(k, v);
}

static int crl_look(const struct buf *file, const struct crl_ask *ask, struct look *k)
{
	struct buf b = { 0 };
	const struct buf *der = &b;
	struct crl_view v;
	struct err e = { 0 };
	char sha256[DIGEST_HEX];

	*k = (struct look){ .ask = ask, .o = json_object(), .findings = json_array(), .problems = json_array() };
	json_object_set_new(k->o, "findings", k->findings);
	json_object_set_new(k->o, "problems", k->problems);
	json_object_set_new(k->o, "named", json_array());
	if (to_der(k, file, &b)) {
		if (b.data == NULL)
			der = file;
		json_put_num(k->o, "octets", (int64_t)der->len);
		digest_of(buf_str(der), der->len, sha256);
		json_put(k->o, "sha256", sha256);
		if (crl_parse(&v, buf_str(der), der->len, &e) == 0) {
			look_view(k, &v);
		} else {
			int before = k->failing;

			diagnose(k, buf_str(der), der->len);
			if (k->failing == before)
				fault(k, F_STRUCTURE, e.text);
		}
	}
	buf_free(&b);
	return k->failing;
}

json_t *crl_check(const struct buf *file, const struct crl_ask *ask)
{
	struct look k;

	crl_look(file, ask, &k);
	return k.o;
}

/* ---- admission ---- */

int crl_covers(const struct crl_view *v, const struct crl_view *was, const struct listing *l, int64_t now,
    struct err *e)
{
	struct serials mine = serials_of(v);
	struct der d = was->entries, before = d, one, number;
	struct crl_entry c;
	bool bad;
	char first[SERIAL_MAX] = "";
	int64_t lost = 0;

	for (; crl_next(&d, &c, &bad); before = d) {
		const struct row *r;

		if (!der_get(&before, DER_SEQ, &one) || !der_get(&one, DER_INTEGER, &number) || serials_has(&mine, &number) ||
		    c.reason == REASON_HOLD || c.reason == REASON_REMOVE)
			continue;
		r = l != NULL ? index_find(l->x, l->rows, l->n, c.serial) : NULL;
		if (r != NULL && (r->expires < now / 1000 || (l->part != NULL && l->part[r - l->x->row] != l->want)))
			continue;
		if (lost++ == 0)
			memcpy(first, c.serial, sizeof first);
	}
	free(mine.s);
	if (lost == 0)
		return 0;
	err_set(e, ERR_REFUSED, _("CRL %s lacks %lld certificates that CRL %s revokes, first %s"), v->number, (long long)lost,
	    was->number, first);
	return err_remedy(e, _("a revocation is never taken back: see what became of these rows of index.txt, then sign a "
	    "new CRL: sev1 crl renew"));
}

/* A FIFO or device would hang or never end. */
int crl_read_some(const char *path, struct buf *b, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)CRL_MAX)
		return err_set(e, ERR_SYNTAX, _("%s: not a file of at most 1 GiB"), path);
	return fs_read(path, b, CRL_MAX, e);
}

/* Against a CRL that is served. What is not this CA's protects nobody and may be replaced. */
static int admit_served(const char *path, const struct crl_view *v, const char *sha256, const struct crl_ask *ask,
    struct err *e)
{
	struct look k = { .ask = ask, .o = json_object(), .findings = json_array(), .problems = json_array() };
	struct buf file = { 0 }, b = { 0 };
	const struct buf *der = &b;
	struct crl_view was;
	char hex[DIGEST_HEX];
	X509 *cert = ca_certificate(ask->ca, e);
	int rc = cert == NULL ? e->code : 0, cmp;

	if (rc == 0 && crl_read_some(path, &file, NULL) == 0 && to_der(&k, &file, &b)) {
		if (b.data == NULL)
			der = &file;
		digest_of(buf_str(der), der->len, hex);
		if (strcmp(hex, sha256) != 0 && crl_parse(&was, buf_str(der), der->len, NULL) == 0 &&
		    crl_issuer_is(&was, cert) && crl_verify(&was, cert, NULL) == 0) {
			cmp = was.number[0] != '\0' ? crl_number_compare(v->number, was.number) : 1;
			if (cmp <= 0) {
				rc = err_set(e, ERR_REFUSED, cmp < 0 ? _("CRL %s is older than CRL %s, which is served (older)")
				    : _("CRL %s has the same number as CRL %s, which is served with other octets (same-number)"),
				    v->number, was.number);
				err_remedy(e, _("sign one with a higher number: write it into %s, then sev1 crl renew --ca %s"),
				    ask->ca->crlnumber, ask->ca->name);
			} else {
				rc = crl_covers(v, &was, ask->l, ask->now, e);
			}
		}
	}
	X509_free(cert);
	json_decref(k.o);
	json_decref(k.findings);
	json_decref(k.problems);
	buf_free(&file);
	buf_free(&b);
	return rc;
}

/* The failing findings in one sentence: ids and words. */
static int admit_refuse(const char *path, const json_t *findings, struct err *e)
{
	struct buf b = { 0 };
	const json_t *f;
	size_t i;

	json_array_foreach(findings, i, f)
		if (strcmp(json_str(f, "level"), "fail") == 0 && b.len < 300)
			buf_addf(&b, "%s%s (%s)", b.len > 0 ? "; " : "", json_str(f, "what"), json_str(f, "id"));
	err_set(e, ERR_REFUSED, "%s: %s", path, buf_str(&b));
	buf_free(&b);
	return err_remedy(e, _("it is not published, the point keeps what it serves; see sev1 crl check FILE, then sign anew: "
	    "sev1 crl renew"));
}

int crl_admit(const char *path, const char *sha256, const struct crl_ask *ask, const char *const *served,
    size_t n, struct err *e)
{
	struct buf file = { 0 }, b = { 0 };
	struct crl_view v;
	struct look k = { 0 };
	char hex[DIGEST_HEX];
	int rc = crl_read_some(path, &file, e);

	if (rc < 0)
		goto out;
	digest_of(buf_str(&file), file.len, hex);
	if (crl_look(&file, ask, &k) > 0) {
		rc = admit_refuse(path, k.findings, e);
		goto out;
	}
	if (strcmp(hex, sha256) != 0) {
		rc = err_set(e, ERR_REFUSED, _("%s: the file changed since it was planned: its digest is %.16s..., not %.16s..."), path,
		    hex, sha256);
		goto out;
	}
	if (strcmp(json_str(k.o, "form"), "PEM") == 0 && !to_der(&k, &file, &b)) {
		rc = ERR_SYNTAX;
		goto out;
	}
	if ((rc = crl_parse(&v, b.data != NULL ? b.data : file.data, b.data != NULL ? b.len : file.len, e)) < 0)
		goto out;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = admit_served(served[i], &v, json_str(k.o, "sha256"), ask, e);
out:
	json_decref(k.o);
	buf_free(&file);
	buf_free(&b);
	return rc;
}
