/* The entries of a CRL: among themselves, against index.txt, against another CRL. */
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/crl_look.h"

#define ENTRY_HUGE 1024              /* octets: a serial, a date and three extensions take under 200 */
#define NAMED 5

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

/* In the order that OpenSSL and we write, where none can be there twice. */
static bool ascending(const struct crl_view *v)
{
	struct der d = v->entries, one, number, last = { 0 };

	while (der_get(&d, DER_SEQ, &one) && der_get(&one, DER_INTEGER, &number)) {
		size_t a = der_len(&last), b = der_len(&number);

		if (last.p != NULL && (a != b ? a > b : memcmp(last.p, number.p, a) >= 0))
			return false;
		last = number;
	}
	return der_len(&d) == 0;
}

static void look_duplicates(struct look *k, const struct crl_view *v)
{
	struct serials all = { 0 };
	int64_t twice = 0;

	if (!ascending(v))
		all = serials_of(v);

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
		look_fault(k, F_DUPLICATE, NULL);
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

struct tally {
	const struct listing *l;
	char *met;        /* a row that an entry was found for */
	size_t next;      /* of l's rows: entries mostly come in their order */
	const struct row *last;
	struct revinfo known; /* what last says */
	int64_t missing, extra, differing;
};

/* Is a row on this CRL, or may it be (RFC 5280 3.3: one issue after expiry)? */
static bool row_may(const struct listing *l, const struct row *r)
{
	return r->kind == ROW_REVOKED && (l->part == NULL || l->part[r - l->x->row] == l->want);
}

/* Does the entry say what the row's third field says? Rows of one mass revocation share it. */
static bool entry_says(struct tally *t, const struct crl_entry *c, const struct row *r)
{
	enum reason reason;

	if ((t->last == NULL || !row_revoked_alike(t->l->x, r, t->last)) && row_revinfo(t->l->x, r, &t->known) != NULL)
		return false;
	t->last = r;
	reason = t->known.reason == REASON_UNSPECIFIED ? REASON_NONE : t->known.reason;
	return c->at == t->known.at && c->invalid == t->known.invalid &&
	    (c->reason == reason || (c->reason == REASON_UNSPECIFIED && reason == REASON_NONE));
}

static const struct row *tally_find(struct tally *t, const char *serial)
{
	const struct listing *l = t->l;
	const struct row *r;

	while (t->next < l->n && !row_may(l, &l->x->row[l->rows[t->next].row]))
		t->next++;
	index_ahead(l->x, l->rows, l->n, t->next);
	r = t->next < l->n ? &l->x->row[l->rows[t->next].row] : NULL;
	if (r == NULL || !row_is(l->x, r, serial, strlen(serial)))
		return index_find(l->x, l->rows, l->n, serial);
	t->next++;
	return r;
}

static void tally_entry(struct look *k, struct tally *t, const struct crl_entry *c)
{
	const struct row *r = tally_find(t, c->serial);

	if (r == NULL || !row_may(t->l, r)) {
		t->extra++;
		name_first(k, c->serial, r == NULL ? _("listed, not in index.txt") : _("listed, not revoked in index.txt"));
		return;
	}
	if (!t->met[r - t->l->x->row] && !entry_says(t, c, r)) {
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
		look_fault(k, f, text_count(count, n));
}

void look_entries(struct look *k, const struct crl_view *v)
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
			look_fault(k, entry_fault(before), NULL);
	}
	if (huge)
		look_fault(k, F_ENTRY_HUGE, NULL);
	look_duplicates(k, v);
	if (k->ask->no_index != NULL)
		look_fault(k, F_INDEX, k->ask->no_index);
	if (t.l != NULL && !bad) {
		tally_missing(k, &t, v->this_update / 1000);
		tally_say(k, F_MISSING, "missing", t.missing);
		tally_say(k, F_EXTRA, "extra", t.extra);
		tally_say(k, F_DIFFERS, "differing", t.differing);
	}
	free(t.met);
}

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
	err_set(e, ERR_REFUSED, _("CRL %s does not list what CRL %s revokes: %lld, first %s"), v->number,
	    was->number, (long long)lost, first);
	return err_remedy(e, _("a revocation is never taken back: see what became of these rows of index.txt, then sign a "
	    "new CRL: sev1 crl renew"));
}
