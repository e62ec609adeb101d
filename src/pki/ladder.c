#include "pki/ladder.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "pki/crl_check.h"
#include "pki/crl_hours.h"

#define ROOM_LEFT (64LL << 20) /* octets that stay free on the disk */

void ladder_free(struct rung *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		crl_file_clear(&r[i].file);
		free(r[i].part);
	}
	free(r);
}

static int terms_check(const struct ladder_terms *t, struct err *e)
{
	int64_t life = (int64_t)t->hours * 3600000;

	if (t->count < 1 || t->count > LADDER_MAX)
		return err_set(e, ERR_USAGE, _("a ladder has 1 to %d rungs, not %d"), LADDER_MAX, t->count);
	if (crl_hours_check(t->hours, e) < 0)
		return e->code;
	if (t->step < 1000 || t->step > life * 9 / 10) {
		err_set(e, ERR_USAGE, _("rungs of %d hours cannot follow each other after %lld s: the next must come before "
		    "nine tenths of that time are over"), t->hours, (long long)t->step / 1000);
		return err_remedy(e, _("a step of two thirds of the hours leaves a third for publishing"));
	}
	return 0;
}

int ladder_make(const struct ca *ca, X509 *cert, EVP_PKEY *key, const struct listing *l,
    const struct crl_scope *scope, size_t scopes, const char *folder, const struct ladder_terms *t,
    const struct watch *w, struct rung **out, size_t *n, struct err *e)
{
	size_t all = (size_t)t->count * scopes;
	struct rung *r = mem_zalloc(all + 1, sizeof *r);
	char first[SERIAL_MAX], number[SERIAL_MAX], *below = crl_ladder_folder(folder);
	struct listing then = *l;
	int rc;

	*out = NULL;
	*n = 0;
	if ((rc = terms_check(t, e)) < 0 || (rc = crl_number_take(ca, folder, all, first, e)) < 0)
		goto out;
	for (size_t i = 0; i < all; i++) {
		const struct crl_scope *s = &scope[i % scopes];
		int64_t at = t->first / 1000 * 1000 + (int64_t)(i / scopes) * t->step;

		crl_number_after(first, i, number);
		/* an expired entry leaves one issue after its expiry: each rung is an issue (RFC 5280 3.3) */
		then.gone = i < scopes ? l->gone : (at - t->step) / 1000;
		if ((rc = crl_store_make(ca, cert, key, &then, s, below, &(struct crl_terms){ at,
		        at + (int64_t)t->hours * 3600000, number, NULL }, false, &r[i].file, e)) < 0)
			goto out;
		r[i].part = mem_strdup(s->name);
		if (i + 1 == scopes && fs_free_octets(below) >= 0 &&
		    fs_free_octets(below) - ROOM_LEFT < r[0].file.octets * (int64_t)(all - scopes)) {
			rc = err_set(e, ERR_REFUSED, _("%s: no room for %zu rungs of %lld octets"), below, all,
			    (long long)r[0].file.octets);
			err_remedy(e, _("free some, or sign fewer rungs with more hours each"));
			goto out;
		}
		watch_progress(w, (int64_t)i + 1, (int64_t)all, _("rungs signed"));
	}
	*out = r;
	*n = all;
	r = NULL;
out:
	if (r != NULL)
		ladder_free(r, all);
	free(below);
	return rc;
}

static char *rung_path(const struct ca *ca, const char *folder, const char *number)
{
	char *below = crl_ladder_folder(folder), *name = mem_printf("%s-%s.crl", ca->name, number);
	char *path = fs_join(below, name);

	free(below);
	free(name);
	return path;
}

static struct listing rung_listing(const struct listing *l, const struct crl_scope *scope)
{
	struct listing mine = *l;

	mine.want = scope->want;
	if (scope->urls == NULL)
		mine.part = NULL;
	return mine;
}

static int judge_time(const struct rung_claim *c, int64_t now, struct err *e)
{
	char at[24];

	if (c->this_update > now)
		return err_set(e, ERR_REFUSED, _("rung %s is not valid before %s"), c->number,
		    clock_iso(at, sizeof at, c->this_update));
	if (c->next_update <= now)
		return err_set(e, ERR_REFUSED, _("rung %s expired at %s"), c->number, clock_iso(at, sizeof at, c->next_update));
	return 0;
}

int ladder_judge(const struct ca *ca, const struct listing *l, const struct crl_scope *scope, const char *folder,
    const struct rung_claim *claim, const char *last, int64_t now, struct err *e)
{
	struct listing mine = rung_listing(l, scope);
	struct crl_ask ask = { .ca = ca, .l = &mine, .now = now, .urls = scope->urls, .der = true };
	char *path = rung_path(ca, folder, claim->number);
	struct buf b = { 0 };
	struct crl_view v;
	int rc;

	if ((rc = judge_time(claim, now, e)) < 0)
		goto out;
	if ((rc = crl_admit(path, claim->sha256, &ask, &last, last != NULL ? 1 : 0, e)) < 0) {
		err_prefix(e, _("ladder of %s, rung %s"), ca->name, claim->number);
		err_remedy(e, _("if index.txt changed since, the rungs that remain are stale: sign a new ladder while the key is "
		    "there: sev1 crl ladder --ca %s"), ca->name);
		goto out;
	}
	if ((rc = crl_read_some(path, &b, e)) < 0 || (rc = crl_parse(&v, buf_str(&b), b.len, e)) < 0)
		goto out;
	if (strcmp(v.number, claim->number) != 0 || v.this_update != claim->this_update ||
	    v.next_update != claim->next_update)
		rc = err_set(e, ERR_REFUSED, _("%s: number or times are not those that were journalled"), path);
out:
	buf_free(&b);
	free(path);
	return rc;
}

int ladder_take(const struct ca *ca, X509 *cert, const struct listing *l, const struct crl_scope *scope,
    const char *folder, const struct rung_claim *claim, struct crl_file *out, struct err *e)
{
	struct listing mine = rung_listing(l, scope);
	char *from = rung_path(ca, folder, claim->number), *name = mem_printf("%s-%s.crl", ca->name, claim->number);
	char *to = scope->urls != NULL ? crl_parts_folder(folder) : mem_strdup(folder), *path = fs_join(to, name);
	struct buf b = { 0 };
	int rc;

	*out = (struct crl_file){ 0 };
	if ((rc = crl_read_some(from, &b, e)) == 0 && (rc = fs_mkdirs(to, 0700, e)) == 0 &&
	    (rc = crl_store(path, buf_str(&b), b.len, true, e)) == 0 &&
	    (rc = crl_file_verify(path, cert, &mine, out, e)) == 0 && strcmp(out->sha256, claim->sha256) != 0)
		rc = err_set(e, ERR_IO, _("%s: what was written reads back differently"), path);
	buf_free(&b);
	free(from);
	free(name);
	free(to);
	free(path);
	return rc;
}
