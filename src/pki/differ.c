#include "pki/differ.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"

struct difference {
	struct differ *d;
	const struct index *from, *to;
	const struct sorted *was, *is;
	size_t was_n, is_n;
	int names;
};

static void differ_name(struct difference *w, const char *serial, const char *why)
{
	size_t at = strlen(w->d->named);

	if (w->names++ < 5)
		snprintf(w->d->named + at, sizeof w->d->named - at, "%s%s %s", at > 0 ? ", " : "", serial, why);
}

/* Rows as they lie in the file: what has been done to them in memory since is not in it. */
static bool differ_same(const struct index *a, const struct row *r, const struct index *b, const struct row *s)
{
	return r->len == s->len && memcmp(a->data + r->at, b->data + s->at, r->len) == 0;
}

static bool differ_name_same(const struct difference *w, const struct row *was, const struct row *is)
{
	size_t a, b;
	const char *p = row_name(w->from, was, &a), *q = row_name(w->to, is, &b);

	return a == b && memcmp(p, q, a) == 0;
}

static void differ_row(struct difference *w, const struct row *was, const struct row *is, const char *serial,
    bool (*own)(void *ctx, const struct row *was, const struct row *is), void *ctx)
{
	if (differ_same(w->from, was, w->to, is))
		return;
	if (own != NULL && own(ctx, was, is)) {
		w->d->own++;
	} else if (w->from->data[was->at] == 'V' && w->to->data[is->at] == 'R' && differ_name_same(w, was, is)) {
		w->d->revoked++;
		differ_name(w, serial, _("was revoked by someone else"));
	} else {
		w->d->altered++;
		differ_name(w, serial, _("was altered"));
	}
}

/* Both lists are in one order: walk them side by side. */
static void differ_walk(struct difference *w, bool (*own)(void *ctx, const struct row *was, const struct row *is),
    void *ctx)
{
	char serial[SERIAL_MAX];
	size_t at, next = 0;

	for (size_t i = 0; i < w->was_n; i++) {
		const struct row *was = &w->from->row[w->was[i].row], *is;

		row_canon(w->from, was, serial);
		is = index_find_at(w->to, w->is, w->is_n, serial, &at);
		for (; next < at; next++) {
			char other[SERIAL_MAX];
			row_canon(w->to, &w->to->row[w->is[next].row], other);
			w->d->issued++;
			differ_name(w, other, _("is new"));
		}
		if (is == NULL) {
			w->d->missing++;
			differ_name(w, serial, _("is missing"));
			continue;
		}
		next = at + 1;
		differ_row(w, was, is, serial, own, ctx);
	}
	for (; next < w->is_n; next++) {
		row_canon(w->to, &w->to->row[w->is[next].row], serial);
		w->d->issued++;
		differ_name(w, serial, _("is new"));
	}
}

int differ_run(struct differ *d, const struct index *from, const struct index *to,
    bool (*own)(void *ctx, const struct row *was, const struct row *is), void *ctx, struct err *e)
{
	struct difference w = { .d = d, .from = from, .to = to };
	struct sorted *was = index_sorted(from, &w.was_n, e), *is = NULL;
	int rc = 0;

	*d = (struct differ){ 0 };
	if (was == NULL || (is = index_sorted(to, &w.is_n, e)) == NULL) {
		rc = ERR_REFUSED;
	} else {
		w.was = was;
		w.is = is;
		differ_walk(&w, own, ctx);
		if (from->rows - w.was_n != to->rows - w.is_n) {
			d->altered++;
			differ_name(&w, _("a line"), _("that is no row was added or taken away"));
		}
	}
	free(was);
	free(is);
	return rc;
}

bool differ_none(const struct differ *d)
{
	return d->missing == 0 && d->issued == 0 && d->revoked == 0 && d->altered == 0;
}

int differ_refuse(const struct differ *d, const char *path, const char *what, struct err *e)
{
	struct buf b = { 0 };

	if (d->issued > 0)
		buf_addf(&b, _("%lld issued meanwhile, "), (long long)d->issued);
	if (d->revoked > 0)
		buf_addf(&b, _("%lld revoked meanwhile, "), (long long)d->revoked);
	if (d->missing > 0)
		buf_addf(&b, _("%lld missing, "), (long long)d->missing);
	if (d->altered > 0)
		buf_addf(&b, _("%lld altered meanwhile, "), (long long)d->altered);
	if (b.len == 0)
		buf_adds(&b, _("written anew with the same rows  ")); /* two octets are cut */
	err_set(e, ERR_REFUSED, "%s %s: %.*s%s%s%s", path, what, (int)(b.len - 2), b.data, d->named[0] != '\0' ? " (" : "",
	    d->named, d->named[0] != '\0' ? ")" : "");
	buf_free(&b);
	return ERR_REFUSED;
}
