/* Every clock that runs: late ones first; what was warned of; whether the pace so far will do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/run.h"
#include "incident/deadline.h"
#include "work/deadlines.h"

static void put_time(json_t *o, const char *key, int64_t at)
{
	json_object_set_new(o, key, at != 0 ? json_integer((json_int_t)at) : json_null());
}

static void deadline_row(struct run *r, json_t *all, const struct deadline *d, int64_t now)
{
	const char *state = d->met != 0 ? (d->met > d->due ? "met late" : "met") : d->due < now ? "late" : "running";
	int64_t left = d->due - (d->met != 0 ? d->met : now);
	char due[24], span[40], pad[64];
	json_t *o = json_object();

	run_out(r, "%s %s  %14s  %s", text_pad(pad, sizeof pad, strcmp(state, "late") == 0 ? _("LATE") :
	    strcmp(state, "running") == 0 ? _("running") : strcmp(state, "met") == 0 ? _("met") : _("met late"), 9), clock_iso(due, sizeof due, d->due),
	    clock_span(span, sizeof span, left), d->title);
	json_put(o, "name", d->name);
	json_put(o, "kind", deadline_word(d->kind));
	json_put(o, "title", d->title);
	json_put(o, "state", state);
	put_time(o, "from", d->from);
	put_time(o, "due", d->due);
	put_time(o, "met", d->met);
	json_put_num(o, "left_s", left / 1000);
	json_array_append_new(all, o);
}

static const char *forecast_name(const char *name)
{
	static const struct {
		const char *name, *shown;
	} names[] = { { "revoked", N_("revoked") }, { "published", N_("published") }, { "replaced", N_("replaced") },
		{ "reissued", N_("servers re-issued") } };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i].name, name) == 0)
			return _(names[i].shown);
	return name;
}

/* Replacement is counted when somebody asks for it: how old the number is belongs to it. */
static void forecast_counted(struct run *r, const struct forecast *f)
{
	char at[24];

	if (strcmp(f->name, "replaced") != 0 || f->done >= f->total)
		return;
	if (f->counted != 0)
		run_out(r, _("%-20s last seen to change at %s; count again: sev1 ari --progress"), "",
		    clock_iso(at, sizeof at, f->counted));
	else
		run_out(r, _("%-20s nobody has counted yet: sev1 ari --progress"), "");
}

static void forecast_row(struct run *r, json_t *all, const struct forecast *f, int64_t due)
{
	const char *name = forecast_name(f->name);
	char done[32], total[32], at[24], span[40], pad[64];
	json_t *o = json_object();
	bool before = f->end != 0 && (due == INT64_MIN || f->end <= due);

	name = text_pad(pad, sizeof pad, name, 20);
	text_count(done, f->done);
	text_count(total, f->total);
	if (f->end == 0)
		run_out(r, _("%-20s %s of %s: nothing is done yet, there is no pace to go by"), name, done, total);
	else if (due == INT64_MIN)
		run_out(r, _("%-20s %s of %s: done at %s"), name, done, total, clock_iso(at, sizeof at, f->end));
	else
		run_out(r, before ? _("%-20s %s of %s: done at %s, %s before the deadline") :
		    _("%-20s %s of %s: done at %s, %s AFTER the deadline"), name, done, total, clock_iso(at, sizeof at, f->end),
		    clock_span(span, sizeof span, llabs(due - f->end)));
	forecast_counted(r, f);
	json_put(o, "name", f->name);
	json_put_num(o, "done", f->done);
	json_put_num(o, "total", f->total);
	put_time(o, "since", f->since);
	put_time(o, "end", f->end);
	if (strcmp(f->name, "replaced") == 0)
		put_time(o, "counted", f->counted);
	json_object_set_new(o, "verdict", json_string(f->end == 0 || due == INT64_MIN ? "unknown" : before ? "before" : "after"));
	json_array_append_new(all, o);
}

static void deadline_forecast(struct run *r, const struct incident *in, int64_t now)
{
	int64_t due = incident_revocation_due(in, now);
	struct forecast f[FORECASTS];
	json_t *all = json_array();

	incident_forecast(in, now, f);
	for (size_t i = 0; i < FORECASTS; i++) {
		if (f[i].total == 0)
			continue;
		if (json_array_size(all) == 0)
			run_out(r, "%s", _("At the pace so far:"));
		forecast_row(r, all, &f[i], due);
	}
	json_object_set_new(run_result(r), "forecast", all);
}

static void deadline_circumstances(struct run *r, const struct incident *in)
{
	const json_t *list = json_list(in->times, "circumstances"), *c;
	char must[32], should[48];
	size_t i;

	json_array_foreach(list, i, c) {
		snprintf(must, sizeof must, "%lld h", (long long)json_num(c, "must", 0) / 60);
		snprintf(should, sizeof should, _(" (should: %lld h)"), (long long)json_num(c, "should", 0) / 60);
		run_out(r, "%2lld  %-20s %6s  %s%s", (long long)json_num(c, "n", 0), json_str(c, "reason"), must,
		    json_str(c, "title"), json_num(c, "should", 0) > 0 ? should : "");
	}
	if (json_array_size(list) == 0)
		run_out(r, _("The times of this incident know no circumstances."));
	json_object_set_new(run_result(r), "circumstances", list != NULL ? json_deep_copy(list) : json_array());
	run_end(r, EXIT_DONE);
}

static void deadline_start(struct run *r)
{
	const struct incident *in = run_incident(r);
	json_t *all = json_array();
	struct err e = { 0 };
	int64_t now = clock_now();
	struct deadline *list;
	size_t n;

	if (args_has(run_args(r), "circumstances")) {
		deadline_circumstances(r, in);
		json_decref(all);
		return;
	}
	if (deadlines_warn(run_engine(r), &e) < 0) {
		json_decref(all);
		run_fail(r, &e);
		return;
	}
	in = run_incident(r);
	list = incident_deadlines(in, now, &n);
	for (size_t i = 0; i < n; i++)
		deadline_row(r, all, &list[i], now);
	if (n == 0)
		run_out(r, _("No deadline runs yet: answer triage."));
	json_object_set_new(run_result(r), "deadlines", all);
	json_put_num(run_result(r), "now", now);
	deadline_forecast(r, in, now);
	incident_deadlines_free(list, n);
	run_end(r, EXIT_DONE);
}

const struct command cmd_deadline = {
	.name = "deadline", .key = "d", .usage = "",
	.summary = N_("every deadline, late ones first, and whether the pace so far will do"),
	.options = (const struct option[]){
		{ "circumstances", NULL, N_("list the circumstances that decide the time of a revocation") },
		{ NULL, NULL, NULL } },
	.gates = GATE_INCIDENT, .start = deadline_start,
};
