#include "work/undo.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/request.h"

#define UNDO_DEADLINE_S 300

struct undo_job {
	char *ca, *title, *manifest;
	int64_t stamp, planned;
	json_t *plan; /* the CA child's answer to "undo-plan" */
};

struct undo_jobs {
	struct undo_job *job;
	size_t jobs, at;
	int done, failed;
	int64_t started;
	char *folder; /* of the CRLs */
	struct err error;
};

static void undo_free(void *data)
{
	struct undo_jobs *d = data;

	for (size_t i = 0; i < d->jobs; i++) {
		free(d->job[i].ca), free(d->job[i].title), free(d->job[i].manifest);
		json_decref(d->job[i].plan);
	}
	free(d->job);
	free(d->folder);
	free(d);
}

/* The last revocation that stands; NULL where none does. */
static const struct revocation *undo_last(const struct incident *in)
{
	const struct revocation *last = NULL;

	for (size_t i = 0; i < in->revocations; i++) {
		const struct revocation *v = &in->revocation[i];
		if (v->state != REVOKE_UNDONE && (last == NULL || v->at > last->at))
			last = v;
	}
	return last;
}

static int undo_add(struct run *r, struct undo_jobs *d, const struct revocation *v, struct err *e)
{
	const struct ca_conf *conf = config_ca(run_config(r), v->ca);

	if (conf == NULL)
		return err_set(e, ERR_NOTFOUND, _("the CA %s was revoked from, but is not in %s"), v->ca, run_config(r)->path);
	if (v->offered[0] != '\0') {
		err_set(e, ERR_REFUSED, _("the CRL of %s was given to the point %s: clients may have it, and a revocation that "
		    "was published cannot be undone"), v->ca, v->offered);
		return err_remedy(e, _("issue new certificates instead (recover, reissue)"));
	}
	d->job = mem_grow(d->job, d->jobs + 1, sizeof *d->job);
	d->job[d->jobs++] = (struct undo_job){ .ca = mem_strdup(v->ca), .manifest = mem_strdup(v->manifest),
		.title = mem_strdup(conf->title != NULL && conf->title[0] != '\0' ? conf->title : v->ca),
		.stamp = v->stamp, .planned = v->planned };
	return 0;
}

/* Every CA that was revoked from under the plan of the last revocation: that plan is taken back as a whole. */
static int undo_collect(struct run *r, struct undo_jobs *d, struct err *e)
{
	const struct incident *in = run_incident(r);
	const struct revocation *last = undo_last(in);

	if (last == NULL) {
		err_set(e, ERR_REFUSED, _("nothing was revoked in this incident, or it was undone already"));
		return ERR_REFUSED;
	}
	for (size_t i = 0; i < in->revocations; i++)
		if (in->revocation[i].state != REVOKE_UNDONE && strcmp(in->revocation[i].plan, last->plan) == 0 &&
		    undo_add(r, d, &in->revocation[i], e) < 0)
			return e->code;
	return 0;
}

static json_t *undo_request(struct run *r, const struct undo_jobs *d, const struct undo_job *j, const char *op)
{
	json_t *o = json_object();

	json_put(o, "op", op);
	json_object_set_new(o, "ca", ca_request(run_config(r), j->ca));
	json_put(o, "folder", d->folder);
	json_put_num(o, "stamp", j->stamp);
	json_put_num(o, "planned", j->planned);
	json_put(o, "sha256", json_str(j->plan, "sha256"));
	return o;
}

/* ---- the plan ---- */

static json_t *undo_spec(const struct undo_jobs *d)
{
	json_t *cas = json_array();

	for (size_t i = 0; i < d->jobs; i++) {
		const struct undo_job *j = &d->job[i];

		json_array_append_new(cas, json_pack("{s:s,s:s,s:I,s:I,s:s,s:s,s:O}", "ca", j->ca, "manifest", j->manifest,
		    "stamp", (json_int_t)j->stamp, "count", (json_int_t)j->planned, "backup", json_str(j->plan, "backup"),
		    "sha256", json_str(j->plan, "sha256"), "crls", json_list(j->plan, "crls")));
	}
	return json_pack("{s:s,s:b,s:o}", "command", "revoke", "undo", 1, "cas", cas);
}

static void undo_plan_job(struct plan *p, const struct undo_job *j)
{
	const json_t *v;
	char n[32], at[24];
	size_t i;

	plan_row(p, j->title, _("%s revoked at %s: valid again"), text_count(n, j->planned), clock_iso(at, sizeof at, j->stamp));
	if (json_str(j->plan, "backup")[0] == '\0')
		plan_row(p, "", _("index.txt had not been written: it stays as it is"));
	else if (json_num(j->plan, "rows", 0) == 0)
		plan_row(p, "", _("index.txt is as it was before already"));
	else
		plan_line(p, _("%s: %s from %s (sha256 %.16s)"), j->ca, json_str(j->plan, "database"),
		    json_str(j->plan, "backup"), json_str(j->plan, "sha256"));
	json_array_foreach(json_list(j->plan, "crls"), i, v)
		plan_line(p, _("%s: set aside %s"), j->ca, json_string_value(v));
	if (json_array_size(json_list(j->plan, "crls")) > 0)
		plan_row(p, "", _("the CRL was signed and exists: the next one is number %s, none is used again"),
		    json_str(j->plan, "number"));
}

static struct plan *undo_plan(const struct undo_jobs *d)
{
	int64_t count = 0;
	struct plan *p;
	char *phrase;

	for (size_t i = 0; i < d->jobs; i++)
		count += d->job[i].planned;
	phrase = mem_printf("UNDO %lld", (long long)count);
	p = plan_new(_("Undo the revocation: nothing of it was published"), phrase, undo_spec(d));
	for (size_t i = 0; i < d->jobs; i++)
		undo_plan_job(p, &d->job[i]);
	free(phrase);
	return p;
}

static void undo_ask(struct run *r);

static void undo_asked(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct undo_jobs *d = run_data(r);

	if (result == NULL) {
		run_fail(r, err);
		return;
	}
	d->job[d->at++].plan = json_deep_copy(result);
	undo_ask(r);
}

static void undo_ask(struct run *r)
{
	struct undo_jobs *d = run_data(r);

	if (d->at == d->jobs)
		run_plan(r, undo_plan(d));
	else
		run_child(r, "ca", undo_request(r, d, &d->job[d->at], "undo-plan"), UNDO_DEADLINE_S, NULL, undo_asked, r);
}

void undo_start(struct run *r)
{
	struct undo_jobs *d = mem_zalloc(1, sizeof *d);
	struct err e = { 0 };

	run_set_data(r, d, undo_free);
	if (undo_collect(r, d, &e) < 0 || (d->folder = engine_folder(run_engine(r), "crl", &e)) == NULL)
		run_fail(r, &e);
	else
		undo_ask(r);
}

/* ---- going ---- */

static void undo_next(struct run *r);

static json_t *undo_body(struct run *r, const struct undo_job *j)
{
	json_t *o = json_object();

	json_put(o, "ca", j->ca);
	json_put(o, "plan", run_plan_of(r)->hash);
	return o;
}

static void undo_ended(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct undo_jobs *d = run_data(r);
	struct undo_job *j = &d->job[d->at];
	json_t *end = undo_body(r, j);
	char n[32];

	json_put(end, "outcome", result != NULL ? "done" : "failed");
	json_put_num(end, "rows", json_num(result, "rows", 0));
	json_put(end, "number", json_str(result, "number"));
	json_put(end, "detail", result != NULL ? "" : err->text);
	json_object_set_new(end, "crls", result != NULL ? json_deep_copy(json_list(result, "crls")) : json_array());
	json_put_num(end, "ms", clock_now() - d->started);
	json_array_append(json_object_get(run_result(r), "cas"), end);
	if (run_append(r, EV_UNDO_END, end) < 0)
		return;
	if (result != NULL) {
		run_out(r, _("%-20s %s valid again; the next CRL is number %s"), j->title, text_count(n, json_num(result, "rows", 0)),
		    json_str(result, "number"));
		d->done++;
	} else if (d->failed++ == 0) {
		d->error = *err;
	}
	d->at++;
	undo_next(r);
}

static void undo_next(struct run *r)
{
	struct undo_jobs *d = run_data(r);
	struct undo_job *j;
	json_t *start;

	if (d->at == d->jobs && d->failed == 0) {
		run_out(r, _("Next: correct the scope, or revoke again: sev1 scope, sev1 revoke"));
		run_end(r, EXIT_DONE);
		return;
	}
	if (d->at == d->jobs) {
		if (d->done > 0)
			d->error.code = ERR_PARTIAL;
		run_fail(r, &d->error);
		return;
	}
	j = &d->job[d->at];
	start = undo_body(r, j);
	json_put(start, "backup", json_str(j->plan, "backup"));
	json_put(start, "sha256", json_str(j->plan, "sha256"));
	json_put_num(start, "stamp", j->stamp);
	json_put_num(start, "count", j->planned);
	if (run_append(r, EV_UNDO_START, start) < 0)
		return;
	d->started = clock_now();
	run_child(r, "ca", undo_request(r, d, j, "undo"), UNDO_DEADLINE_S, NULL, undo_ended, r);
}

void undo_go(struct run *r)
{
	struct undo_jobs *d = run_data(r);

	d->at = 0;
	json_object_set_new(run_result(r), "cas", json_array());
	undo_next(r);
}
