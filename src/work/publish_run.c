/* Publication as it goes: every point beside the others; each is written, then its public URL is fetched
 * until it serves the octets that were signed, or the tries are used up. */
#include "work/publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/loop.h"
#include "engine/request.h"

#define PUT_S 60
#define FETCH_S 20
#define LOOK_S 5         /* what the point serves before: one that does not answer holds nobody up */
#define LOOK_MIN (64 << 20) /* octets of it that are read, at least */
#define ADMIT_S 120
#define SLACK 4096 /* octets beyond the CRL that are read, to tell "other" from "longer" */

struct job {
	struct publish *all;
	const json_t *item;
	int attempt;
	bool placed, ended, good;
	int64_t began;
	uint64_t timer;
	char *detail;
	char *served;   /* what the point served before, in a file; NULL */
};

struct publish {
	json_t *spec;      /* owned: the jobs point into it */
	struct run *run;
	struct job *job;
	size_t jobs, ended;
	int attempts;
	struct err before; /* what failed before, and is told at the end */
};

static void job_try(struct job *j);

static bool job_dead(const struct job *j)
{
	return run_state(j->all->run) == RUN_ENDED;
}

static int job_event(struct job *j, enum event_kind kind, const char *state)
{
	json_t *o = json_object();

	for (const char *const *k = (const char *const[]){ "ca", "point", "part", "url", "sha256", NULL }; *k != NULL; k++)
		json_put(o, *k, json_str(j->item, *k));
	if (state != NULL) {
		json_put(o, "state", state);
		json_put_num(o, "attempt", j->attempt);
		json_put(o, "detail", j->detail);
	}
	return run_append(j->all->run, kind, o);
}

static void job_detail(struct job *j, char *text)
{
	free(j->detail);
	j->detail = text;
}

static void publish_finish(struct publish *all)
{
	json_t *list = json_array();
	size_t good = 0;

	for (size_t i = 0; i < all->jobs; i++) {
		const struct job *j = &all->job[i];
		json_t *o = json_object();
		json_put(o, "ca", json_str(j->item, "ca"));
		json_put(o, "point", json_str(j->item, "point"));
		json_put(o, "url", json_str(j->item, "url"));
		json_put(o, "state", j->good ? "verified" : "failed");
		json_put(o, "detail", j->detail);
		json_array_append_new(list, o);
		good += j->good;
	}
	json_object_set_new(run_result(all->run), "points", list);
	run_out(all->run, _("%zu of %zu points serve what was signed"), good, all->jobs);
	if (all->before.code != 0)
		run_fail(all->run, &all->before);
	else
		run_end(all->run, good == all->jobs ? EXIT_DONE : good > 0 ? EXIT_PARTIAL : EXIT_FAILED);
}

static void job_end(struct job *j, bool good)
{
	struct publish *all = j->all;

	j->ended = true;
	j->good = good;
	if (job_event(j, EV_POINT, good ? "verified" : "failed") < 0)
		return;
	run_say(all->run, "%s: %s: %s", json_str(j->item, "point"), good ? _("verified") : _("failed"), j->detail);
	run_progress(all->run, (int64_t)++all->ended, (int64_t)all->jobs, _("distribution points"));
	if (all->ended == all->jobs)
		publish_finish(all);
}

static void job_again(void *ctx)
{
	struct job *j = ctx;

	j->timer = 0;
	if (!job_dead(j))
		job_try(j);
}

/* 1, 2, 4, 8 s, and 8 s from then on. */
static void job_retry(struct job *j)
{
	int pause = 1 << (j->attempt < 4 ? j->attempt - 1 : 3);

	if (j->attempt >= j->all->attempts) {
		job_end(j, false);
		return;
	}
	run_say(j->all->run, _("%s: %s; again in %d s"), json_str(j->item, "point"), j->detail, pause);
	j->timer = loop_after(engine_loop(run_engine(j->all->run)), pause * 1000, job_again, j);
}

static void job_fetched(void *ctx, const json_t *result, const struct err *err)
{
	struct job *j = ctx;
	long status;

	if (result == NULL) {
		job_detail(j, mem_strdup(err->text));
		job_retry(j);
		return;
	}
	status = (long)json_num(result, "status", 0);
	if (status == 200 && strcmp(json_str(result, "sha256"), json_str(j->item, "digest")) == 0) {
		job_detail(j, mem_printf(_("serves these %lld octets, fetched in %lld ms"),
		    (long long)json_num(result, "octets", 0), (long long)json_num(result, "ms", 0)));
		job_end(j, true);
		return;
	}
	if (status != 200)
		job_detail(j, mem_printf(_("HTTP status %ld"), status));
	else
		job_detail(j, mem_printf(_("serves other octets: %lld of them, sha256 %.16s..."),
		    (long long)json_num(result, "octets", 0), json_str(result, "sha256")));
	job_retry(j);
}

static void job_fetch(struct job *j)
{
	/* a PEM file is longer than its DER by a third and its frame */
	int64_t max = json_num(j->item, "octets", 0) * 3 / 2 + SLACK;

	run_child(j->all->run, "probe", json_pack("{s:s,s:s,s:i,s:I}", "op", "fetch", "url",
	    json_str(j->item, "url"), "timeout_s", FETCH_S, "max", (json_int_t)max), FETCH_S, NULL,
	    job_fetched, j);
}

static void job_put_done(void *ctx, const json_t *result, const struct err *err)
{
	struct job *j = ctx;

	if (result == NULL) {
		job_detail(j, mem_strdup(err->text));
		job_retry(j);
		return;
	}
	if (strcmp(json_str(result, "sha256"), json_str(j->item, "digest")) != 0) {
		job_detail(j, mem_strdup(_("the file changed between plan and publication")));
		job_end(j, false);
		return;
	}
	j->placed = true;
	job_detail(j, mem_printf("%s", json_str(j->item, "path")));
	if (job_event(j, EV_POINT, "placed") == 0)
		job_fetch(j);
}

static void job_put(struct job *j)
{
	const char *host = json_str(j->item, "host");
	json_t *request = json_pack("{s:s,s:s,s:s,s:s,s:i}", "op", "put", "path", json_str(j->item, "path"),
	    "file", json_str(j->item, "file"), "sha256", json_str(j->item, "digest"), "mode", 0644);

	if (host[0] != '\0')
		json_object_set_new(request, "host", host_request(run_config(j->all->run), host));
	run_child(j->all->run, host[0] != '\0' ? "ssh" : "action", request, PUT_S, NULL, job_put_done, j);
}

static void job_admitted(void *ctx, const json_t *result, const struct err *err)
{
	struct job *j = ctx;

	if (result != NULL) {
		job_put(j);
		return;
	}
	job_detail(j, mem_printf("%s%s%s", err->text, err->remedy[0] != '\0' ? "; " : "", err->remedy));
	if (err->code == ERR_REFUSED || err->code == ERR_SYNTAX)
		job_end(j, false);
	else
		job_retry(j);
}

/* Once more before the octets are placed: are they this CA's newest CRL, whole, and no step back from what the
 * point serves? */
static void job_admit(struct job *j)
{
	const struct config *c = run_config(j->all->run);
	struct err e = { 0 };
	char *folder = engine_folder(run_engine(j->all->run), "crl", &e);
	json_t *o, *served;

	if (folder == NULL) {
		job_detail(j, mem_strdup(e.text));
		job_end(j, false);
		return;
	}
	o = json_object();
	served = json_array();
	if (j->served != NULL)
		json_array_append_new(served, json_string(j->served));
	if (json_str(j->item, "host")[0] == '\0')
		json_array_append_new(served, json_string(json_str(j->item, "path")));
	json_put(o, "op", "admit");
	json_object_set_new(o, "ca", ca_request(c, json_str(j->item, "ca")));
	json_object_set_new(o, "partitions", partitions_request(c, json_str(j->item, "ca")));
	json_put(o, "folder", folder);
	json_object_set(o, "path", json_object_get(j->item, "file"));
	json_put(o, "digest", json_str(j->item, "digest"));
	json_put(o, "part", json_str(j->item, "part"));
	json_object_set_new(o, "der", json_boolean(!json_bool(j->item, "pem")));
	json_put_num(o, "at", clock_now());
	json_object_set_new(o, "served", served);
	free(folder);
	run_child(j->all->run, "ca", o, ADMIT_S, NULL, job_admitted, j);
}

static void job_looked(void *ctx, const json_t *result, const struct err *err)
{
	struct job *j = ctx;

	(void)err; /* what cannot be fetched protects nobody */
	if (result == NULL || json_num(result, "status", 0) != 200) {
		free(j->served);
		j->served = NULL;
	}
	job_admit(j);
}

/* What the point serves now, into a file. */
static void job_look(struct job *j)
{
	char *folder = engine_folder(run_engine(j->all->run), "served", NULL), *name;
	int64_t max = json_num(j->item, "octets", 0) * 4;

	if (folder == NULL) {
		job_admit(j);
		return;
	}
	name = mem_printf("%s.crl", json_str(j->item, "point"));
	free(j->served);
	j->served = fs_join(folder, name);
	free(name);
	free(folder);
	run_child(j->all->run, "probe", json_pack("{s:s,s:s,s:i,s:I,s:s}", "op", "fetch", "url", json_str(j->item, "url"),
	    "timeout_s", LOOK_S, "max", (json_int_t)(max > LOOK_MIN ? max : LOOK_MIN), "path", j->served), LOOK_S, NULL,
	    job_looked, j);
}

/* One more try. An older CRL never replaces a newer one: what is published is the CA's last CRL in the
 * journal, and where that has changed this job is over. */
static void job_try(struct job *j)
{
	const struct crl_made *crl = incident_crl_part(run_incident(j->all->run), json_str(j->item, "ca"),
	    json_str(j->item, "part"));

	j->attempt++;
	if (crl == NULL || strcmp(crl->sha256, json_str(j->item, "sha256")) != 0) {
		job_detail(j, mem_strdup(_("a newer CRL was signed meanwhile: publish that one")));
		job_end(j, false);
	} else if (j->placed) {
		job_fetch(j);
	} else {
		job_look(j);
	}
}

static void publish_free(void *data)
{
	struct publish *all = data;

	for (size_t i = 0; i < all->jobs; i++) {
		loop_cancel(engine_loop(run_engine(all->run)), all->job[i].timer);
		free(all->job[i].detail);
		free(all->job[i].served);
	}
	free(all->job);
	json_decref(all->spec);
	free(all);
}

static void publish_add(struct publish *all, const json_t *points, const char *id)
{
	const json_t *item;
	size_t i;

	json_array_foreach(points, i, item) {
		char *name = mem_printf("%s/%s", json_str(item, "ca"), json_str(item, "point"));
		bool same = strcmp(name, id) == 0;
		free(name);
		if (!same)
			continue;
		all->job = mem_grow(all->job, all->jobs + 1, sizeof *all->job);
		all->job[all->jobs++] = (struct job){ .all = all, .item = item };
	}
}

void publish_go(struct run *r)
{
	publish_points(r, run_plan_of(r)->spec, NULL);
}

void publish_points(struct run *r, json_t *spec, const struct err *before)
{
	const json_t *run = json_list(spec, "run");
	struct publish *all = mem_zalloc(1, sizeof *all);
	json_t *id;
	size_t i;

	all->run = r;
	if (before != NULL)
		all->before = *before;
	all->spec = json_incref(spec);
	all->attempts = (int)json_num(spec, "attempts", 1);
	run_set_data(r, all, publish_free);
	json_array_foreach(run, i, id)
		publish_add(all, json_list(spec, "points"), json_string_value(id));
	for (i = 0; i < all->jobs; i++)
		if (job_event(&all->job[i], EV_POINT_START, NULL) < 0)
			return;
	for (i = 0; i < all->jobs && run_state(r) != RUN_ENDED; i++)
		job_try(&all->job[i]);
}
