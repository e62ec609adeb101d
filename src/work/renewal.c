#include "work/renewal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/loop.h"
#include "engine/run.h"

#define MINUTE_MS (60LL * 1000)
#define PUBLISH_MS (10 * MINUTE_MS) /* what publishing may take, with its tries */
#define RETRY_MS (30LL * 1000)
#define RETRY_MAX_MS (15 * MINUTE_MS)
#define LADDER_LOOK_MS (5 * MINUTE_MS)
#define TICK_MS 1000
#define LATE_MS MINUTE_MS         /* nobody did it: say so */
#define EARLY_MS (5 * MINUTE_MS)  /* a clock that goes wrong by less is no fault */

/* ---- what is due ---- */

static int64_t lead_of(const struct crl_made *crl, const struct ca_conf *conf)
{
	int64_t life = crl->next_update - crl->this_update, lead = life / 3;

	if (conf != NULL && conf->renew_before > 0)
		lead = conf->renew_before * MINUTE_MS;
	if (lead < PUBLISH_MS)
		lead = PUBLISH_MS;
	return lead > life * 9 / 10 ? life * 9 / 10 : lead;
}

/* 30 s after the first try, doubled with each, at most a quarter of an hour. */
static int64_t retry_at(const struct renewing *r)
{
	int64_t pause = RETRY_MS;

	for (int i = 1; i < r->tries && pause < RETRY_MAX_MS; i++)
		pause *= 2;
	return r->at + (pause < RETRY_MAX_MS ? pause : RETRY_MAX_MS);
}

static bool number_above(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	return la != lb ? la > lb : strcmp(a, b) > 0;
}

/* A rung that may follow the last CRL of its part. */
static bool rung_left(const struct incident *in, const char *ca, const json_t *rung, int64_t now)
{
	const struct crl_made *last = incident_crl_part(in, ca, json_str(rung, "part"));

	return json_num(rung, "next_update", 0) > now &&
	    (last == NULL || number_above(json_str(rung, "number"), last->number));
}

static json_t *rung_with_last(const struct incident *in, const char *ca, const json_t *rung)
{
	const struct crl_made *last = incident_crl_part(in, ca, json_str(rung, "part"));
	json_t *o = json_object();

	for (const char *const *k = (const char *const[]){ "number", "sha256", "part", NULL }; *k != NULL; k++)
		json_put(o, *k, json_str(rung, *k));
	json_put_num(o, "this_update", json_num(rung, "this_update", 0));
	json_put_num(o, "next_update", json_num(rung, "next_update", 0));
	json_object_set_new(o, "last", json_string(last != NULL ? last->der : ""));
	return o;
}

json_t *renewal_rungs_left(const struct incident *in, const char *ca, int64_t now)
{
	const struct ladder *l = incident_ladder(in, ca);
	json_t *left = json_array();
	const json_t *rung;
	size_t i;

	json_array_foreach(l != NULL && !l->stale ? l->rungs : NULL, i, rung)
		if (rung_left(in, ca, rung, now))
			json_array_append_new(left, rung_with_last(in, ca, rung));
	return left;
}

json_t *renewal_rungs(const struct incident *in, const char *ca, int64_t now)
{
	json_t *left = renewal_rungs_left(in, ca, now), *come = json_array(), *rung;
	int64_t latest = INT64_MIN;
	size_t i;

	json_array_foreach(left, i, rung)
		if (json_num(rung, "this_update", 0) <= now && json_num(rung, "this_update", 0) > latest)
			latest = json_num(rung, "this_update", 0);
	json_array_foreach(left, i, rung)
		if (json_num(rung, "this_update", 0) == latest)
			json_array_append(come, rung);
	json_decref(left);
	if (json_array_size(come) > 0)
		return come;
	json_decref(come);
	return NULL;
}

/* When the next rung's time comes; INT64_MAX where none is left. */
static int64_t rung_at(const struct incident *in, const char *ca, int64_t now)
{
	json_t *left = renewal_rungs_left(in, ca, now), *rung;
	int64_t at = INT64_MAX;
	size_t i;

	json_array_foreach(left, i, rung)
		if (json_num(rung, "this_update", 0) < at)
			at = json_num(rung, "this_update", 0);
	json_decref(left);
	return at;
}

static bool was_published(const struct incident *in, const char *ca)
{
	for (size_t i = 0; i < in->points; i++)
		if (strcmp(in->point[i].ca, ca) == 0 && in->point[i].state != POINT_NONE)
			return true;
	return false;
}

/* A renewed CRL that does not stand on every configured point. */
static bool publish_open(const struct incident *in, const struct config *c, const char *ca)
{
	for (size_t i = 0; i < c->points; i++) {
		const struct point_conf *p = &c->point[i];
		const struct crl_made *crl = incident_crl_part(in, ca, p->partition != NULL ? p->partition : "");
		const struct point *at = incident_point(in, ca, p->name);

		if (strcmp(p->ca, ca) != 0 || crl == NULL || !crl->renewed)
			continue;
		if (at == NULL || at->state != POINT_VERIFIED || strcmp(at->sha256, crl->sha256) != 0 ||
		    strcmp(at->url, p->url) != 0)
			return true;
	}
	return false;
}

/* The one that expires first of the CA's CRL and those of the partitions that are still configured. */
static const struct crl_made *first_to_expire(const struct incident *in, const struct config *c, const char *ca)
{
	const struct crl_made *first = incident_crl(in, ca);

	for (size_t i = 0; first != NULL && i < c->points; i++) {
		const char *part = strcmp(c->point[i].ca, ca) == 0 ? c->point[i].partition : NULL;
		const struct crl_made *crl = part != NULL ? incident_crl_part(in, ca, part) : NULL;

		if (crl != NULL && crl->next_update < first->next_update)
			first = crl;
	}
	return first;
}

struct renewal_due renewal_next(const struct incident *in, const struct config *c, const char *ca, int64_t now)
{
	const struct crl_made *crl = first_to_expire(in, c, ca);
	const struct renewing *trying = incident_renewing(in, ca);
	struct renewal_due due = { RENEW_NONE, INT64_MAX };
	int64_t rung;

	if (crl == NULL || config_ca(c, ca) == NULL || !was_published(in, ca))
		return due;
	rung = rung_at(in, ca, now);
	if (rung <= crl->next_update || (rung != INT64_MAX && crl->next_update <= now))
		due = (struct renewal_due){ RENEW_RUNG, rung };
	else
		due = (struct renewal_due){ RENEW_SIGN, crl->next_update - lead_of(crl, config_ca(c, ca)) };
	if (publish_open(in, c, ca) && due.at > now)
		due = (struct renewal_due){ RENEW_PUBLISH, crl->at + RETRY_MS };
	/* a try of the future was made by a clock that was ahead: it holds nothing up */
	if (trying != NULL && trying->tries > 0 && trying->at <= now + EARLY_MS && retry_at(trying) > due.at)
		due.at = retry_at(trying);
	return due;
}

/* ---- in words ---- */

/* What keeps CRLs from being renewed, the first of it; NULL where nothing does. Owned by the caller. */
static char *renewal_trouble(const struct incident *in, int64_t now)
{
	char at[24];

	for (size_t i = 0; i < in->renewings; i++)
		if (in->renewing[i].failed)
			return mem_printf(_("CRL RENEWAL FAILED: %s: %s"), in->renewing[i].ca, in->renewing[i].detail);
	for (size_t i = 0; i < in->crls; i++)
		if (in->crl[i].part[0] == '\0' && in->crl[i].this_update > now + EARLY_MS)
			return mem_printf(_("CRL NOT YET VALID: %s: CRL %s begins at %s: the clock was ahead when it was signed, or is behind now; "
			    "set it, then sev1 crl renew --ca %s"), in->crl[i].ca, in->crl[i].number,
			    clock_iso(at, sizeof at, in->crl[i].this_update), in->crl[i].ca);
	for (size_t i = 0; i < in->points; i++) {
		const struct crl_made *crl = incident_crl_part(in, in->point[i].ca, in->point[i].part);

		if (in->point[i].state == POINT_FAILED && crl != NULL && crl->renewed && strcmp(crl->sha256, in->point[i].sha256) == 0)
			return mem_printf(_("CRL NOT PUBLISHED: %s: %s"), in->point[i].point, in->point[i].detail);
	}
	for (size_t i = 0; i < in->ladders; i++)
		if (in->renewal && in->ladder[i].stale && incident_crl(in, in->ladder[i].ca) != NULL)
			return mem_printf(_("LADDER STALE: %s: %s"), in->ladder[i].ca, in->ladder[i].detail);
	return NULL;
}

/* When the next CRL of any CA is due, ms; INT64_MAX: none is. */
static int64_t renewal_at(const struct incident *in, const struct config *c, int64_t now)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; in->renewal && c != NULL && i < in->crls; i++) {
		struct renewal_due due = in->crl[i].part[0] == '\0' ? renewal_next(in, c, in->crl[i].ca, now)
		                                                    : (struct renewal_due){ RENEW_NONE, INT64_MAX };

		if (due.how != RENEW_NONE && due.at < next)
			next = due.at;
	}
	return next;
}

char *renewal_line(const struct incident *in, const struct config *c, int64_t now, bool *bad)
{
	int64_t end = incident_ladder_end(in), next;
	struct buf b = { 0 };
	char at[24], *trouble = in->closed ? NULL : renewal_trouble(in, now);

	*bad = trouble != NULL;
	if (trouble != NULL)
		return trouble;
	next = renewal_at(in, c, now);
	if (in->renewal && !in->closed && next < now - LATE_MS) {
		*bad = true;
		return mem_printf(_("CRL RENEWAL LATE: due at %s; it needs an armed console or sev1 watch --renew"),
		    clock_time(at, sizeof at, next));
	}
	if (in->renewal && !in->closed)
		buf_adds(&b, _("CRL renewal on"));
	if (next != INT64_MAX)
		buf_addf(&b, _(", next at %s"), clock_time(at, sizeof at, next > now ? next : now));
	if (end != INT64_MIN)
		buf_addf(&b, _("%sladder until %s"), b.len > 0 ? ", " : "", clock_iso(at, sizeof at, end));
	return buf_take(&b);
}

/* Once a key is locked nothing more is signed with it: is the ladder there? */
void renewal_plan_ladder(struct plan *p, const struct incident *in)
{
	for (size_t i = 0; i < in->crls; i++) {
		const struct ladder *l = incident_ladder(in, in->crl[i].ca);
		char at[24];

		if (in->crl[i].part[0] != '\0')
			continue;
		if (l != NULL && !l->stale)
			plan_row(p, _("ladder"), _("%s: CRLs are signed ahead until %s"), in->crl[i].ca, clock_iso(at, sizeof at,
			    json_num(json_array_get(l->rungs, json_array_size(l->rungs) - 1), "next_update", 0)));
		else
			plan_row(p, _("WARNING"), _("%s: after the lock no CRL can be signed, and there is no %sladder; sign one first: sev1 crl "
			    "ladder --count 24"), in->crl[i].ca, l != NULL ? _("usable ") : "");
	}
}

/* ---- unattended ---- */

struct renewal {
	struct engine *en;
	uint64_t timer;
	int64_t looked;  /* clock_mono of the last look at the ladders; 0 never */
};

static void renewal_run(const struct renewal *w, const char *what, const char *ca)
{
	struct args *a = args_new();

	args_add(a, "", what);
	args_set(a, "ca", ca);
	args_set(a, "due", "");
	command_start(w->en, command_find("crl"), a, NULL, NULL); /* a closed gate is looked at again in a second */
}

static void renewal_look(struct renewal *w)
{
	const struct incident *in = engine_incident(w->en);
	const struct config *c = engine_config(w->en);
	int64_t now = clock_now();

	for (size_t i = 0; i < in->crls; i++) {
		struct renewal_due due;

		if (in->crl[i].part[0] != '\0')
			continue;
		due = renewal_next(in, c, in->crl[i].ca, now);
		if (due.how == RENEW_NONE || due.at > now)
			continue;
		renewal_run(w, "renew", in->crl[i].ca);
		return;
	}
	if (w->looked != 0 && clock_mono() - w->looked < LADDER_LOOK_MS)
		return;
	w->looked = clock_mono();
	for (size_t i = 0; i < in->ladders; i++)
		if (!in->ladder[i].stale)
			renewal_run(w, "ladder", in->ladder[i].ca);
}

static void renewal_tick(void *ctx)
{
	struct renewal *w = ctx;

	w->timer = loop_after(engine_loop(w->en), TICK_MS, renewal_tick, w);
	if (engine_incident(w->en) == NULL || engine_config(w->en) == NULL || !engine_armed(w->en))
		return;
	if (engine_catch_up(w->en, NULL) < 0 || !engine_incident(w->en)->renewal || engine_incident(w->en)->closed)
		return;
	if (!engine_runs_a(w->en, "crl"))
		renewal_look(w);
}

struct renewal *renewal_start(struct engine *en)
{
	struct renewal *w = mem_zalloc(1, sizeof *w);

	w->en = en;
	w->timer = loop_after(engine_loop(en), TICK_MS, renewal_tick, w);
	return w;
}

void renewal_stop(struct renewal *w)
{
	if (w == NULL)
		return;
	loop_cancel(engine_loop(w->en), w->timer);
	free(w);
}
