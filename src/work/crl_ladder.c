/* The ladder: sign ahead while the key is there; judge what is left of it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "work/crl.h"
#include "work/renewal.h"

struct ladder_run {
	char **ca;
	size_t cas, at;
	int count;
	int64_t step;  /* ms; 0: two thirds of the hours */
	int failed;
	struct err error;
};

static void ladder_free(void *data)
{
	struct ladder_run *d = data;

	for (size_t i = 0; i < d->cas; i++)
		free(d->ca[i]);
	free(d->ca);
	free(d);
}

static void ladder_next(struct run *r);

/* "90s", "30m", "16h", "2d" in ms; 0 where it is none. */
static int64_t span_parse(const char *s)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
	char *end;
	long n = strtol(s, &end, 10);

	if (!isdigit((unsigned char)s[0]) || n < 1 || n > 1000000 || end[0] == '\0' || end[1] != '\0')
		return 0;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (*end == units[i].unit)
			return n * units[i].ms;
	return 0;
}

static void ladder_show(struct run *r, const char *ca, const json_t *rungs)
{
	const json_t *first = json_array_get(rungs, 0), *last = json_array_get(rungs, json_array_size(rungs) - 1);
	char from[24], until[24];

	run_out(r, _("%-20s %zu rungs, CRL %s to %s: from %s until %s"), ca, json_array_size(rungs), json_str(first, "number"),
	    json_str(last, "number"), clock_iso(from, sizeof from, json_num(first, "this_update", 0)),
	    clock_iso(until, sizeof until, json_num(last, "next_update", 0)));
}

static void ladder_failed(struct run *r, const struct err *err)
{
	struct ladder_run *d = run_data(r);

	if (run_state(r) == RUN_ENDED)
		return;
	run_say(r, "%s: %s", d->ca[d->at], err->text);
	if (d->failed++ == 0)
		d->error = *err;
	d->at++;
	ladder_next(r);
}

static void ladder_signed(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct ladder_run *d = run_data(r);
	json_t *body;

	if (result == NULL) {
		ladder_failed(r, err);
		return;
	}
	body = json_object();
	json_put(body, "ca", d->ca[d->at]);
	json_put(body, "state", "signed");
	json_put_num(body, "step", d->step);
	json_object_set(body, "rungs", json_object_get(result, "rungs"));
	json_array_append(json_object_get(run_result(r), "ladders"), body);
	ladder_show(r, d->ca[d->at], json_object_get(result, "rungs"));
	if (run_append(r, EV_LADDER, body) < 0)
		return;
	d->at++;
	ladder_next(r);
}

/* The first rung follows the last CRL as the rungs follow each other, and before that one's last third. */
static int64_t ladder_first(const struct crl_made *last, int64_t step, int64_t now)
{
	int64_t first = now, latest;

	if (last != NULL) {
		latest = last->next_update - (last->next_update - last->this_update) / 3;
		first = last->this_update + step < latest ? last->this_update + step : latest;
	}
	return first > now ? first : now;
}

static void ladder_sign(struct run *r, const char *ca)
{
	struct ladder_run *d = run_data(r);
	struct err e = { 0 };
	int hours = crl_hours(r, ca, &e);
	int64_t step = d->step > 0 ? d->step : (int64_t)hours * 3600000 * 2 / 3;
	json_t *o = hours > 0 ? crl_request(r, "ladder", ca, &e) : NULL;

	if (o == NULL) {
		ladder_failed(r, &e);
		return;
	}
	json_put_num(o, "count", d->count);
	json_put_num(o, "hours", hours);
	json_put_num(o, "step", step);
	json_put_num(o, "first", ladder_first(incident_crl(run_incident(r), ca), step, clock_now()));
	run_child(r, "ca", o, LADDER_DEADLINE_S, NULL, ladder_signed, r);
}

/* ---- what is there ---- */

bool crl_stale(struct run *r, const char *ca, const json_t *result, struct err *e)
{
	const char *why = json_str(result, "stale");
	json_t *o;

	if (why[0] == '\0')
		return false;
	if (!incident_ladder(run_incident(r), ca)->stale) {
		o = json_object();
		json_put(o, "ca", ca);
		json_put(o, "state", "stale");
		json_put(o, "detail", why);
		run_append(r, EV_LADDER, o); /* where that fails the run is over */
	}
	err_set(e, ERR_REFUSED, _("the ladder of %s is stale: %s"), ca, why);
	err_remedy(e, _("sign a new one while the key is there: sev1 crl ladder --count 24 --ca %s"), ca);
	return true;
}

static void ladder_judged(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct ladder_run *d = run_data(r);
	struct err e = { 0 };

	if (result == NULL) {
		ladder_failed(r, err);
	} else if (crl_stale(r, d->ca[d->at], result, &e)) {
		ladder_failed(r, &e);
	} else {
		d->at++;
		ladder_next(r);
	}
}

static void ladder_judge(struct run *r, const char *ca)
{
	const struct ladder *l = incident_ladder(run_incident(r), ca);
	json_t *left, *first, *o;
	struct err e = { 0 };

	if (l == NULL) {
		err_set(&e, ERR_NOTFOUND, _("%s has no ladder: once its key is locked no CRL can be signed"), ca);
		err_remedy(&e, _("sign one while the key is there: sev1 crl ladder --count 24"));
		ladder_failed(r, &e);
		return;
	}
	if (l->stale) {
		err_set(&e, ERR_REFUSED, _("the ladder of %s is stale: %s"), ca, l->detail);
		err_remedy(&e, _("sign a new one while the key is there: sev1 crl ladder --count 24 --ca %s"), ca);
		ladder_failed(r, &e);
		return;
	}
	left = renewal_rungs_left(run_incident(r), ca, clock_now());
	if (json_array_size(left) == 0) {
		json_decref(left);
		err_set(&e, ERR_REFUSED, _("the ladder of %s is used up"), ca);
		err_remedy(&e, _("sign a new one: sev1 crl ladder --count 24 --ca %s"), ca);
		ladder_failed(r, &e);
		return;
	}
	if (!args_has(run_args(r), "due"))
		ladder_show(r, ca, left);
	if ((o = crl_request(r, "rung", ca, &e)) == NULL) {
		json_decref(left);
		ladder_failed(r, &e);
		return;
	}
	/* the rungs were signed over the same rows: the next one speaks for all that follow */
	first = json_array();
	for (size_t i = 0; i < json_array_size(left); i++)
		if (json_num(json_array_get(left, i), "this_update", 0) == json_num(json_array_get(left, 0), "this_update", 0))
			json_array_append(first, json_array_get(left, i));
	json_object_set_new(o, "rungs", first);
	json_decref(left);
	run_child(r, "ca", o, CRL_DEADLINE_S, NULL, ladder_judged, r);
}

static void ladder_next(struct run *r)
{
	struct ladder_run *d = run_data(r);

	if (run_state(r) == RUN_ENDED)
		return;
	if (d->at < d->cas) {
		if (d->count > 0)
			ladder_sign(r, d->ca[d->at]);
		else
			ladder_judge(r, d->ca[d->at]);
	} else if (d->failed > 0) {
		if ((size_t)d->failed < d->cas)
			d->error.code = ERR_PARTIAL;
		run_fail(r, &d->error);
	} else {
		if (d->count > 0 && !run_incident(r)->renewal)
			run_out(r, _("Next: let each be published when its time comes: sev1 crl renew --auto on, and leave an armed "
			    "console or sev1 watch --renew running"));
		run_end(r, EXIT_DONE);
	}
}

static int ladder_cas(struct run *r, struct ladder_run *d, struct err *e)
{
	const char *name = args_get(run_args(r), "ca");
	const struct incident *in = run_incident(r);

	d->ca = mem_zalloc(in->crls + 1, sizeof *d->ca);
	for (size_t i = 0; name == NULL && i < in->crls; i++)
		if (in->crl[i].part[0] == '\0')
			d->ca[d->cas++] = mem_strdup(in->crl[i].ca);
	if (name != NULL)
		d->ca[d->cas++] = mem_strdup(name);
	for (size_t i = 0; i < d->cas; i++)
		if (config_ca(run_config(r), d->ca[i]) == NULL)
			return err_set(e, ERR_USAGE, _("crl: no CA is called '%s' in %s"), d->ca[i], run_config(r)->path);
	if (d->cas > 0)
		return 0;
	err_set(e, ERR_REFUSED, _("no CRL has been signed in this incident"));
	return err_remedy(e, _("name the CA: sev1 crl ladder --ca NAME --count 24"));
}

static int ladder_options(struct run *r, struct ladder_run *d, struct err *e)
{
	const char *count = args_get(run_args(r), "count"), *step = args_get(run_args(r), "step");
	char *end = NULL;
	long n;

	if (count != NULL) {
		n = strtol(count, &end, 10);
		if (n < 1 || n > 1000 || *end != '\0')
			return err_set(e, ERR_USAGE, _("crl: --count '%s' is not a number from 1 to 1000"), count);
		d->count = (int)n;
	}
	if (step != NULL && (d->step = span_parse(step)) == 0)
		return err_set(e, ERR_USAGE, _("crl: --step '%s' is not a span like 30m, 16h or 2d"), step);
	return 0;
}

void crl_ladder(struct run *r)
{
	struct ladder_run *d = mem_zalloc(1, sizeof *d);
	struct err e = { 0 };
	unsigned gates = GATE_INCIDENT;

	run_set_data(r, d, ladder_free);
	if (ladder_options(r, d, &e) < 0) {
		run_fail(r, &e);
		return;
	}
	if (d->count > 0)
		gates |= GATE_ARMED | GATE_LEASE;
	if (run_gate(r, gates, &e) < 0 || engine_catch_up(run_engine(r), &e) < 0 || ladder_cas(r, d, &e) < 0) {
		run_fail(r, &e);
		return;
	}
	json_object_set_new(run_result(r), "ladders", json_array());
	ladder_next(r);
}
