/* Checkpoint 4: revoke what the scope froze, CA by CA, and sign the CRLs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/request.h"
#include "engine/run.h"
#include "work/revoke_jobs.h"
#include "work/undo.h"

#define PLAN_DEADLINE_S 120
#define REVOKE_DEADLINE_S 900

/* ---- going ---- */

static void revoke_next(struct run *r);

static json_t *revoke_end_body(const struct revoke_job *j, const char *plan, int64_t ms,
    const json_t *result, const struct err *err)
{
	json_t *o = json_object();

	json_put(o, "ca", j->ca);
	json_put(o, "plan", plan);
	json_put(o, "outcome", result != NULL ? "done" : "failed");
	json_put_num(o, "planned", result != NULL ? json_num(result, "planned", 0) : j->count);
	json_put_num(o, "revoked", json_num(result, "revoked", 0));
	json_put(o, "backup", json_str(result, "backup"));
	json_put(o, "detail", result != NULL ? "" : err->text);
	json_put_num(o, "ms", ms);
	return o;
}

/* The proof, as the answer: revoked = planned, and the CRL that says so. */
static void revoke_show(struct run *r, const struct revoke_job *j, const json_t *result, int64_t ms)
{
	const json_t *crl = json_object_get(result, "crl");
	int64_t revoked = json_num(result, "revoked", 0), until = json_num(crl, "next_update", 0);
	const char *slash = strrchr(json_str(result, "backup"), '/');
	char n[32], m[32], c[64], size[16], when[24], fuse[24], took[24], rate[32];

	snprintf(took, sizeof took, "%.2f s", (double)ms / 1000);
	run_out(r, _("%s: %s of %s revoked in %s (%s/s), %s before"), j->title, text_count(n, revoked),
	    text_count(m, json_num(result, "planned", 0)), took,
	    text_count(rate, ms > 0 ? revoked * 1000 / ms : revoked), text_count(c, json_num(result, "already", 0)));
	run_out(r, _("  CRL %s: %s, %s, %s, verified"), json_str(crl, "number"),
	    text_entries(c, json_num(crl, "entries", 0)), text_size(size, json_num(crl, "octets", 0)),
	    json_str(crl, "signature"));
	run_out(r, _("  fuse %s, nextUpdate %s"), clock_span(fuse, sizeof fuse, until - clock_now()),
	    clock_iso(when, sizeof when, until));
	run_out(r, _("  sha256 %s"), json_str(crl, "sha256"));
	run_out(r, _("  backup %s"), slash != NULL ? slash + 1 : json_str(result, "backup"));
}

static json_t *revoke_crl_body(const struct revoke_job *j, const json_t *crl)
{
	json_t *o = json_deep_copy(crl);

	json_put(o, "ca", j->ca);
	json_object_set_new(o, "revoke", json_true());
	return o;
}

/* The CRLs of the CA's partitions, where it has some; what failed there is renewed, not revoked again. */
static int revoke_parts(struct run *r, const struct revoke_job *j, const json_t *result)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_list(result, "parts"), i, v)
		if (run_append(r, EV_CRL, revoke_crl_body(j, v)) < 0)
			return -1;
	if (json_str(result, "parts_error")[0] != '\0')
		run_say(r, _("%s: the partitions' CRLs are not signed: %s; when that is mended: sev1 crl renew --ca %s"), j->ca,
		    json_str(result, "parts_error"), j->ca);
	return 0;
}

/* The CRL is told before the end: a revocation that has ended has its CRL in the journal. */
static void revoke_ended(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct revoke_jobs *d = run_data(r);
	struct revoke_job *j = &d->job[d->at];
	int64_t ms = clock_now() - d->started;
	json_t *end = revoke_end_body(j, run_plan_of(r)->hash, ms, result, err);
	json_t *crl = result != NULL ? revoke_crl_body(j, json_object_get(result, "crl")) : NULL;

	if (crl != NULL && (run_append(r, EV_CRL, crl) < 0 || revoke_parts(r, j, result) < 0)) {
		json_decref(end);
		return;
	}
	if (run_append(r, EV_REVOKE_END, end) < 0)
		return;
	if (result != NULL) {
		json_t *copy = json_deep_copy(result);

		json_put(copy, "ca", j->ca);
		json_array_append_new(json_object_get(run_result(r), "cas"), copy);
		revoke_show(r, j, result, ms);
		d->done++;
	} else {
		run_say(r, "%s: %s", j->ca, err->text);
		if (d->failed++ == 0)
			d->error = *err;
	}
	d->at++;
	revoke_next(r);
}

/* The stages of the child and their share of its time, in per cent, as measured over a million rows. */
static const struct stage {
	const char *name;
	int from, to;
} stages[] = { { "check", 0, 25 }, { "backup", 25, 25 }, { "index", 25, 40 }, { "crl", 40, 60 }, { "verify", 60, 100 } };

/* How far the whole is, in certificates: so the screen can tell how many a second. */
static void revoke_line(void *ctx, struct child *c, const json_t *msg)
{
	struct run *r = ctx;
	struct revoke_jobs *d = run_data(r);
	const json_t *in = json_object_get(msg, "progress");
	const char *name = json_str(msg, "stage");
	const struct stage *at = &stages[d->stage];
	int64_t before = 0, total = 0, per_mille;
	char *text;

	(void)c;
	for (size_t i = 0; name[0] != '\0' && i < sizeof stages / sizeof stages[0]; i++)
		if (strcmp(name, stages[i].name) == 0)
			at = &stages[d->stage = i];
	for (size_t i = 0; i < d->jobs; i++) {
		before += i < d->at ? d->job[i].count : 0;
		total += d->job[i].count;
	}
	per_mille = at->from * 10;
	if (json_num(in, "total", 0) > 0)
		per_mille += (at->to - at->from) * 10 * json_num(in, "done", 0) / json_num(in, "total", 1);
	text = mem_printf("%s: %s", d->job[d->at].title, at->name);
	run_progress(r, before + d->job[d->at].count * per_mille / 1000, total, text);
	free(text);
}

static json_t *revoke_start_body(const struct revoke_job *j, const char *plan)
{
	json_t *o = json_object();

	json_put(o, "ca", j->ca);
	json_put(o, "plan", plan);
	json_put(o, "manifest", j->manifest);
	json_put_num(o, "count", j->count);
	json_put_num(o, "stamp", j->stamp);
	return o;
}

static void revoke_finish(struct run *r)
{
	struct revoke_jobs *d = run_data(r);

	if (d->failed == 0) {
		run_out(r, _("Next: publish the CRLs: sev1 publish"));
		run_end(r, EXIT_DONE);
		return;
	}
	if (d->done > 0)
		d->error.code = ERR_PARTIAL;
	if (d->error.remedy[0] == '\0')
		err_remedy(&d->error, _("remove the cause and run revoke again: what is done is kept"));
	run_fail(r, &d->error);
}

/* Now, to the second; the backups are named by it, so one that was undone this very second has had its own. */
static int64_t revoke_moment(const struct run *r, const char *ca)
{
	const struct revocation *was = incident_revocation(run_incident(r), ca);
	int64_t now = clock_now() / 1000 * 1000;

	return was != NULL && now <= was->stamp ? was->stamp + 1000 : now;
}

static void revoke_next(struct run *r)
{
	struct revoke_jobs *d = run_data(r);
	struct revoke_job *j;

	while (d->at < d->jobs && d->job[d->at].complete)
		d->at++;
	if (d->at == d->jobs) {
		revoke_finish(r);
		return;
	}
	j = &d->job[d->at];
	if (j->stamp == 0)
		j->stamp = revoke_moment(r, j->ca);
	if (run_append(r, EV_REVOKE_START, revoke_start_body(j, run_plan_of(r)->hash)) < 0)
		return;
	d->started = clock_now();
	d->stage = 0;
	run_child(r, "ca", revoke_job_request(r, d, j, "revoke"), REVOKE_DEADLINE_S, revoke_line, revoke_ended,
	    r);
}

static void revoke_go(struct run *r)
{
	struct revoke_jobs *d = run_data(r);

	if (args_has(run_args(r), "undo")) {
		undo_go(r);
		return;
	}
	d->at = 0;
	json_object_set_new(run_result(r), "cas", json_array());
	revoke_next(r);
}

/* ---- planning ---- */

static void revoke_ask(struct run *r);

static void revoke_asked(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct revoke_jobs *d = run_data(r);
	struct revoke_job *j = &d->job[d->at];

	if (result == NULL) {
		struct err e = *err;

		err_prefix(&e, "%s", j->ca);
		if (e.remedy[0] == '\0')
			memcpy(e.remedy, err->remedy, sizeof e.remedy);
		run_fail(r, &e);
		return;
	}
	j->plan = json_deep_copy(result);
	if (j->serials != NULL) {
		free(j->manifest);
		j->manifest = mem_strdup(json_str(result, "manifest"));
		revoke_job_recall(r, j);
	}
	if (j->resumed && json_num(result, "done", 0) == 0) {
		j->resumed = false; /* nothing of it is there, or not any more: it begins anew, with backups of its own */
		j->stamp = 0;
	}
	d->at++;
	revoke_ask(r);
}

static size_t revoke_left(const struct revoke_jobs *d)
{
	size_t left = 0;

	for (size_t i = 0; i < d->jobs; i++)
		left += !d->job[i].complete;
	return left;
}

static void revoke_nothing(struct run *r, const struct revoke_jobs *d)
{
	run_out(r, "%s", d->jobs > 0 ? _("Everything in the scope is revoked, and its CRLs are signed.")
	                             : _("The scope is empty: there is nothing to revoke."));
	run_end(r, EXIT_DONE);
}

/* Ask the CA child of each CA what would be done, one after another; then show the plan. */
static void revoke_ask(struct run *r)
{
	struct revoke_jobs *d = run_data(r);

	while (d->at < d->jobs && d->job[d->at].complete)
		d->at++;
	if (d->at == d->jobs && revoke_left(d) == 0)
		revoke_nothing(r, d);
	else if (d->at == d->jobs)
		run_plan(r, revoke_jobs_plan(r, d));
	else
		run_child(r, "ca", revoke_job_request(r, d, &d->job[d->at], "plan"), PLAN_DEADLINE_S, NULL,
		    revoke_asked, r);
}

static void revoke_start(struct run *r)
{
	struct err e = { 0 };
	struct revoke_jobs *d;

	if (args_has(run_args(r), "undo")) {
		undo_start(r);
		return;
	}
	if ((d = revoke_jobs_new(r, &e)) == NULL) {
		run_fail(r, &e);
		return;
	}
	run_set_data(r, d, revoke_jobs_free);
	revoke_ask(r);
}

const struct command cmd_revoke = {
	.name = "revoke", .key = "r", .usage = "",
	.summary = N_("revoke what the scope froze, and sign the emergency CRLs"),
	.effect = N_("rewrites index.txt of each CA concerned once, keeping a backup beside it, and signs a CRL; "
	             "--undo takes it back from the backup as long as nothing was published, and not after"),
	.options = (const struct option[]){
		{ "hours", "N", N_("hours until the CRL's nextUpdate (default: crl_hours of the CA)") },
		{ "undo", NULL, N_("take the latest revocation back: index.txt from its backup, its CRLs set aside") },
		{ NULL, NULL, NULL } },
	.gates = GATE_CONFIG | GATE_INCIDENT | GATE_ARMED | GATE_TRIAGE | GATE_SCOPE | GATE_OFFLINE | GATE_LEASE,
	.start = revoke_start, .go = revoke_go,
};
