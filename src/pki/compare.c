#include "pki/compare.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"

void compare_clear(struct compare *c)
{
	free(c->mark);
	*c = (struct compare){ 0 };
}

static void compare_name(struct compare *c, const char *serial, size_t len, const char *why)
{
	size_t at = strlen(c->named);

	if (c->names++ < 5)
		snprintf(c->named + at, sizeof c->named - at, "%s%.*s %s", at > 0 ? ", " : "", (int)len, serial,
		    why);
}

/* One row of the manifest against its row of the index, which may be NULL. */
static void compare_row(struct compare *c, const struct index *x, const struct manifest_row *m,
    const struct row *r, uint8_t given)
{
	const struct given *want = &x->given[given];
	const char *rev;
	size_t len;

	if (r == NULL) {
		c->missing++;
		compare_name(c, m->serial, m->len, _("is not in the index"));
	} else if (r->kind == ROW_VALID) {
		c->todo++;
		c->mark[r - x->row] = given;
	} else if (r->kind == ROW_EXPIRED) {
		c->expired++;
		compare_name(c, m->serial, m->len, _("is marked as expired"));
	} else if (rev = row_rev(x, r, &len), len == want->len && memcmp(rev, want->rev, len) == 0 &&
	    row_beyond(x, r) == want->beyond) {
		c->done++;
		c->mark[r - x->row] = given;
	} else {
		c->revoked++;
		compare_name(c, m->serial, m->len, _("was revoked by someone else"));
	}
}

/* What the rows of a reason are given: made when the first of them comes. */
static uint8_t compare_given(struct index *x, const struct revoke_job *job, uint8_t given[], int reason)
{
	if (given[reason + 1] == 0)
		given[reason + 1] = index_give(x, job->stamp / 1000, (enum reason)reason,
		    job->since > 0 ? job->since / 1000 : INT64_MIN);
	return given[reason + 1];
}

static void compare_extra(struct compare *c, const struct revoke_job *job, const struct index *x)
{
	char serial[SERIAL_MAX];

	for (size_t i = 0; i < x->rows; i++) {
		const struct row *r = &x->row[i];

		if (r->kind == ROW_REVOKED && c->mark[i] == 0)
			c->already++;
		if (!job->exact || r->kind != ROW_VALID || c->mark[i] != 0 || row_expired(r, job->now))
			continue;
		c->extra++;
		compare_name(c, serial, row_canon(x, r, serial), _("is new"));
	}
}

static int compare_verdict(const struct compare *c, const struct index *x, struct err *e)
{
	struct buf b = { 0 };
	int64_t n = c->missing + c->revoked + c->expired + c->extra;

	if (n == 0)
		return 0;
	buf_addf(&b, _("%s is not what was confirmed: "), x->path);
	if (c->missing > 0)
		buf_addf(&b, _("%lld missing, "), (long long)c->missing);
	if (c->revoked > 0)
		buf_addf(&b, _("%lld revoked meanwhile, "), (long long)c->revoked);
	if (c->expired > 0)
		buf_addf(&b, _("%lld marked expired meanwhile, "), (long long)c->expired);
	if (c->extra > 0)
		buf_addf(&b, _("%lld issued meanwhile, "), (long long)c->extra);
	err_set(e, ERR_REFUSED, "%.*s (%s%s)", (int)(b.len - 2), b.data, c->named,
	    n > 5 ? ", ..." : "");
	buf_free(&b);
	return err_remedy(e, _("nothing was changed; freeze the scope anew with 'scope' and confirm that"));
}

int compare_run(struct compare *c, const struct revoke_job *job, const struct manifest *m, struct index *x,
    const struct sorted *rows, size_t n, struct err *e)
{
	uint8_t given[GIVEN_MAX] = { 0 };
	char serial[SERIAL_MAX];
	size_t next = 0;

	*c = (struct compare){ .mark = mem_zalloc(x->rows, 1) };
	for (size_t i = 0; i < m->rows; i++) {
		const struct row *r = NULL;

		/* both are in the same order: mostly the next row is the one */
		index_ahead(x, rows, n, next);
		if (next < n && row_is(x, &x->row[rows[next].row], m->row[i].serial, m->row[i].len)) {
			r = &x->row[rows[next].row];
		} else {
			memcpy(serial, m->row[i].serial, m->row[i].len);
			serial[m->row[i].len] = '\0';
			r = index_find_at(x, rows, n, serial, &next);
		}
		next += r != NULL;
		compare_row(c, x, &m->row[i], r, compare_given(x, job, given, m->row[i].reason));
	}
	compare_extra(c, job, x);
	return compare_verdict(c, x, e);
}
