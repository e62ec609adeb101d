/* Containment as it goes: in the file's order on each host, beside each other on different hosts, forensic
 * images beside everything. Each action: intent, command, its verify until it holds, a look at the
 * port from here, outcome. */
#include "work/contain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"
#include "child/image.h"
#include "engine/request.h"
#include "journal/journal.h"
#include "work/action.h"

#define PROBE_S 3
#define KEY_S 60
#define DETAIL_KEPT 200u

enum phase { JOB_WAITING, JOB_COMMAND, JOB_VERIFY, JOB_PROBE, JOB_KEY, JOB_PAUSE, JOB_ENDED };

struct job {
	struct contain *all;
	const json_t *item; /* of the plan's spec */
	enum phase phase, again; /* again: what a pause leads to */
	bool undo, image, held;
	bool resumed;       /* its command may have run before */
	bool was_dead;      /* before the lock: then it proves nothing that it is afterwards */
	int64_t began, until;
	int tries, status;  /* status: the command's */
	uint64_t timer;
	char *said;         /* what the command said, which stands once it is verified */
	char *detail, sha256[65];
	int64_t octets, ms;
	const struct child *tried; /* the child that tries the key */
};

struct contain {
	struct run *run;
	struct job *job;
	size_t jobs;
};

/* Until the next try of a check that does not hold yet. */
static const int pause_ms[] = { 200, 500, 1000, 2000, 4000, 8000 };
#define TRIES ((int)(sizeof pause_ms / sizeof pause_ms[0]))

static void contain_next(struct contain *all);
static void job_check(struct job *j);
static void job_holds(struct job *j);

static const char *job_id(const struct job *j)
{
	return json_str(j->item, "id");
}

static bool job_dead(const struct job *j)
{
	return run_state(j->all->run) == RUN_ENDED;
}

static void job_detail(struct job *j, const char *text)
{
	free(j->detail);
	j->detail = text_escaped(text, strlen(text), DETAIL_KEPT);
}

/* ---- the end of one, the end of all ---- */

static void contain_finish(struct contain *all)
{
	json_t *list = json_array();
	size_t held = 0;

	for (size_t i = 0; i < all->jobs; i++) {
		const struct job *j = &all->job[i];
		json_t *o = json_object();
		json_put(o, "id", job_id(j));
		json_put(o, "outcome", !j->held ? "failed" : j->undo ? "undone" : "held");
		json_put(o, "detail", j->detail);
		json_put(o, "sha256", j->sha256);
		json_array_append_new(list, o);
		held += j->held;
	}
	json_object_set_new(run_result(all->run), "actions", list);
	engine_secret_proved(run_engine(all->run));
	run_out(all->run, all->job[0].undo ? _("%zu of %zu undone") : _("%zu of %zu actions held"), held,
	    all->jobs);
	run_end(all->run, held == all->jobs ? EXIT_DONE : held > 0 ? EXIT_PARTIAL : EXIT_FAILED);
}

static void job_end(struct job *j, bool held)
{
	const char *outcome = !held ? "failed" : j->undo ? "undone" : "held";
	json_t *o = json_object();

	j->phase = JOB_ENDED;
	j->held = held;
	j->ms = clock_mono() - j->began;
	json_put(o, "id", job_id(j));
	json_put(o, "outcome", outcome);
	json_put(o, "detail", j->detail);
	json_put_num(o, "ms", j->ms);
	json_put(o, "sha256", j->sha256);
	json_put_num(o, "octets", j->octets);
	if (run_append(j->all->run, EV_ACTION_END, o) < 0)
		return;
	run_say(j->all->run, "%s: %s%s%s", json_str(j->item, "title"),
	    !held ? _("failed") : j->undo ? _("undone") : _("held"),
	    j->detail != NULL && j->detail[0] != '\0' ? ": " : "", j->detail != NULL ? j->detail : "");
	contain_next(j->all);
}

/* Not yet: once more after a pause, or the end. */
static void job_again(void *ctx)
{
	struct job *j = ctx;

	j->timer = 0;
	j->phase = j->again;
	if (!job_dead(j))
		job_check(j);
}

static void job_retry(struct job *j)
{
	int64_t pause = j->tries < TRIES ? pause_ms[j->tries] : 0;

	/* a command that failed does not come true by waiting */
	if (j->tries >= TRIES || j->status != 0 || clock_mono() + pause >= j->until) {
		job_end(j, false);
		return;
	}
	j->tries++;
	j->again = j->phase;
	j->phase = JOB_PAUSE;
	j->timer = loop_after(engine_loop(run_engine(j->all->run)), pause, job_again, j);
}

/* ---- the key itself ---- */

static const json_t *job_ca(const struct job *j)
{
	return json_object_get(j->item, "ca");
}

static struct child *job_try_key(struct job *j, child_done_fn done)
{
	return run_child(j->all->run, "ca", json_pack("{s:s,s:O}", "op", "key", "ca", job_ca(j)), KEY_S, NULL, done, j);
}

/* The lock holds where the key was tried and is of no use. A refused PIN proves that only if it was right before. */
static void job_key_tried(void *ctx, const json_t *result, const struct err *err)
{
	struct job *j = ctx;
	const char *key = json_str(result, "key"), *why = result != NULL ? json_str(result, "why") : err->text;
	bool turned = engine_secret_turned(run_engine(j->all->run), j->tried), signs = strcmp(key, "signs") == 0;
	bool dead = turned || (strcmp(key, "dead") == 0 && !j->was_dead);
	char *text;

	if (signs)
		text = mem_strdup(_("the key still signs"));
	else if (j->was_dead && !dead)
		text = mem_printf(_("not proved: sev1 could not use this key before the lock either: %s"), why);
	else
		text = mem_printf(dead ? _("%s%sfound locked: %s") : _("%s%snot proved, the key could not be tried: %s"),
		    j->detail != NULL ? j->detail : "", j->detail != NULL && j->detail[0] != '\0' ? "; " : "", why);
	job_detail(j, text);
	free(text);
	if (signs)
		job_retry(j);
	else
		job_end(j, dead);
}

static void job_holds(struct job *j)
{
	if (j->undo || job_ca(j) == NULL) {
		job_end(j, true);
		return;
	}
	j->phase = JOB_KEY;
	j->tries = 0;
	job_check(j);
}

/* ---- probe and verify ---- */

static void job_probed(void *ctx, const json_t *result, const struct err *err)
{
	struct job *j = ctx;
	char *text;

	if (result == NULL) {
		job_detail(j, err->text);
		job_end(j, false); /* not to know is not to hold */
		return;
	}
	if (!json_bool(result, "open")) {
		text = mem_printf(_("%s%sno answer from %s"), j->detail != NULL ? j->detail : "",
		    j->detail != NULL && j->detail[0] != '\0' ? "; " : "", json_str(j->item, "probe"));
		job_detail(j, text);
		free(text);
		job_holds(j);
		return;
	}
	text = mem_printf(_("%s still answers from here"), json_str(j->item, "probe"));
	job_detail(j, text);
	free(text);
	job_retry(j);
}

static void job_probe(struct job *j)
{
	struct err e = { 0 };
	char *address;
	int port;

	if (action_probe(json_str(j->item, "probe"), &address, &port, &e) < 0) {
		job_detail(j, e.text);
		job_end(j, false);
		return;
	}
	run_child(j->all->run, "probe", json_pack("{s:s,s:s,s:i,s:i}", "op", "tcp", "address", address,
	    "port", port, "timeout_s", PROBE_S), PROBE_S, NULL, job_probed, j);
	free(address);
}

static void job_verified(struct job *j)
{
	if (!j->undo && json_str(j->item, "probe")[0] != '\0') {
		j->phase = JOB_PROBE;
		j->tries = 0;
		job_check(j);
	} else {
		job_holds(j);
	}
}

/* The first words of what a command said: stderr where there is any and it failed. */
static void job_said(struct job *j, const json_t *result, bool failed)
{
	const char *out = json_str(result, "stdout"), *why = json_str(result, "stderr");
	const char *s = (failed && why[0] != '\0') || out[0] == '\0' ? why : out;
	char *text;

	if (s[0] == '\0' && failed) {
		text = mem_printf(_("exit status %d"), (int)json_num(result, "status", -1));
		job_detail(j, text);
		free(text);
	} else if (s[0] != '\0') {
		job_detail(j, s);
	}
}

static void job_checked(void *ctx, const json_t *result, const struct err *err)
{
	struct job *j = ctx;

	if (result == NULL) {
		job_detail(j, err->text);
		job_retry(j);
		return;
	}
	if (json_num(result, "status", -1) == 0) {
		job_detail(j, j->said != NULL ? j->said : "");
		job_said(j, result, false);
		job_verified(j);
	} else {
		char *text;
		job_said(j, result, true);
		text = mem_printf(_("does not hold: %s"), j->detail);
		job_detail(j, text);
		free(text);
		job_retry(j);
	}
}

/* Run a command where the action belongs. NULL: the run has ended. */
static struct child *job_run(struct job *j, const char *command, int deadline_s, child_line_fn line,
    child_done_fn done)
{
	const char *host = json_str(j->item, "host");
	json_t *request = json_pack("{s:s,s:s,s:i}", "op", "run", "command", command, "timeout_s", deadline_s);

	if (host[0] != '\0')
		json_object_set_new(request, "host", host_request(run_config(j->all->run), host));
	return run_child(j->all->run, host[0] != '\0' ? "ssh" : "action", request, deadline_s, line, done, j);
}

static const char *job_verify_command(const struct job *j)
{
	return json_str(j->item, j->undo ? "undone" : "verify");
}

static void job_check(struct job *j)
{
	int64_t left = (j->until - clock_mono()) / 1000;

	if (j->phase == JOB_PROBE)
		job_probe(j);
	else if (j->phase == JOB_KEY)
		j->tried = job_try_key(j, job_key_tried);
	else
		job_run(j, job_verify_command(j), left > 1 ? (int)left : 1, NULL, job_checked);
}

/* ---- the command ---- */

static void job_line(void *ctx, struct child *c, const json_t *msg)
{
	struct job *j = ctx;
	const char *line = json_str(msg, "line");
	int64_t done, total;

	(void)c;
	if (!j->image)
		return;
	if (sscanf(line, "progress %" SCNd64 " %" SCNd64, &done, &total) == 2 && done >= 0 && total >= done) {
		j->octets = done;
		run_progress(j->all->run, done, total, json_str(j->item, "title"));
	} else if (strncmp(line, "sha256 ", 7) == 0 && strlen(line + 7) == 64 && text_is_hex(line + 7)) {
		memcpy(j->sha256, line + 7, 65);
	}
}

static void job_imaged(struct job *j)
{
	char size[16], *text;

	if (j->status != 0 || j->sha256[0] == '\0') {
		if (j->status == 0)
			job_detail(j, _("ended without a digest"));
		j->sha256[0] = '\0';
		job_end(j, false);
		return;
	}
	text = mem_printf(_("%s, sha256 %.16s..."), text_size(size, j->octets), j->sha256);
	job_detail(j, text);
	free(text);
	job_end(j, true);
}

static void job_done(void *ctx, const json_t *result, const struct err *err)
{
	struct job *j = ctx;

	if (result == NULL) {
		job_detail(j, err->text);
		job_end(j, false);
		return;
	}
	j->status = (int)json_num(result, "status", -1);
	job_said(j, result, j->status != 0);
	j->said = mem_strdup(j->detail);
	if (j->image && !j->undo)
		job_imaged(j);
	else if (job_verify_command(j)[0] != '\0') {
		j->phase = JOB_VERIFY;
		job_check(j);
	} else if (j->status == 0)
		job_verified(j);
	else
		job_end(j, false);
}

static json_t *job_intent(const struct job *j)
{
	json_t *o = json_object();

	for (const char *const *k = (const char *const[]){ "id", "title", "kind", "host", NULL }; *k != NULL; k++)
		json_put(o, *k, json_str(j->item, *k));
	json_put(o, "command", json_str(j->item, j->undo ? "undo" : "command"));
	json_put(o, "verify", job_verify_command(j));
	json_put(o, "undo", json_str(j->item, "undo"));
	return o;
}

/* The script of an image is in the journal by its digest: keep what that digest stands for. */
static int job_keep_script(struct job *j)
{
	char hex[DIGEST_HEX];
	struct err e = { 0 };

	if (!j->image || j->undo || journal_keep(engine_journal(run_engine(j->all->run)), "script",
	    image_script, strlen(image_script), hex, &e) == 0)
		return 0;
	run_fail(j->all->run, &e);
	return -1;
}

static void job_command(struct job *j)
{
	int deadline = (int)json_num(j->item, "deadline", 60);
	json_t *request;
	char *script;

	j->until = clock_mono() + (int64_t)deadline * 1000;
	if (!j->image || j->undo) {
		job_run(j, json_str(j->item, j->undo ? "undo" : "command"), deadline, job_line, job_done);
	} else if (json_str(j->item, "host")[0] != '\0') {
		script = image_command(json_str(j->item, "source"), json_str(j->item, "target"),
		    json_str(j->item, "image"));
		job_run(j, script, deadline, job_line, job_done);
		free(script);
	} else {
		request = json_pack("{s:s,s:s,s:s,s:s,s:i}", "op", "image", "source",
		    json_str(j->item, "source"), "target", json_str(j->item, "target"), "name",
		    json_str(j->item, "image"), "timeout_s", deadline);
		run_child(j->all->run, "action", request, deadline, job_line, job_done, j);
	}
}

/* The PIN is right now, or it is not: either way the lock goes on. */
static void job_pin_proved(void *ctx, const json_t *result, const struct err *err)
{
	struct job *j = ctx;

	(void)err;
	j->was_dead = !j->resumed && strcmp(json_str(result, "key"), "dead") == 0;
	job_command(j);
}

static void job_start(struct job *j)
{
	const struct action *before = incident_action(run_incident(j->all->run), job_id(j));

	/* one that held, or was cut off: the key may well be locked by now */
	j->resumed = before != NULL && (before->state == ACTION_HELD || before->state == ACTION_RUNNING);
	if (job_keep_script(j) < 0 || run_append(j->all->run, EV_ACTION_START, job_intent(j)) < 0)
		return;
	j->phase = JOB_COMMAND;
	j->began = clock_mono();
	run_say(j->all->run, _("%s: started"), json_str(j->item, "title"));
	if (!j->undo && json_str(job_ca(j), "module")[0] != '\0') /* its key's URI may stand in openssl.cnf */
		job_try_key(j, job_pin_proved); /* so that a refusal afterwards is evidence */
	else
		job_command(j);
}

/* May it start: is nothing before it on its host still to be done? An image holds up nobody. */
static bool job_may(const struct contain *all, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (all->job[k].phase != JOB_ENDED &&
		    !(all->job[k].image && all->job[k].phase != JOB_WAITING) &&
		    strcmp(json_str(all->job[k].item, "host"), json_str(all->job[i].item, "host")) == 0)
			return false;
	return true;
}

static void contain_next(struct contain *all)
{
	size_t open = 0, images = 0;

	for (size_t i = 0; i < all->jobs && run_state(all->run) != RUN_ENDED; i++) {
		if (all->job[i].phase == JOB_WAITING && job_may(all, i))
			job_start(&all->job[i]);
		open += all->job[i].phase != JOB_ENDED;
		images += all->job[i].phase == JOB_COMMAND && all->job[i].image;
	}
	if (run_state(all->run) == RUN_ENDED)
		return;
	if (open == 0)
		contain_finish(all);
	else if (open == images)
		run_yield(all->run); /* an image takes hours: others may act meanwhile */
}

static void contain_free(void *data)
{
	struct contain *all = data;

	for (size_t i = 0; i < all->jobs; i++) {
		loop_cancel(engine_loop(run_engine(all->run)), all->job[i].timer);
		free(all->job[i].detail);
		free(all->job[i].said);
	}
	free(all->job);
	free(all);
}

static void contain_add(struct contain *all, const json_t *item, bool undo)
{
	all->job = mem_grow(all->job, all->jobs + 1, sizeof *all->job);
	all->job[all->jobs++] = (struct job){ .all = all, .item = item, .undo = undo,
		.image = strcmp(json_str(item, "kind"), "image") == 0 };
}

void contain_go(struct run *r)
{
	const json_t *spec = run_plan_of(r)->spec, *undo = json_object_get(spec, "undo"), *item;
	struct contain *all = mem_zalloc(1, sizeof *all);
	const json_t *run = json_list(spec, "run"), *actions = json_list(spec, "actions");
	json_t *id;
	size_t i, k;

	all->run = r;
	run_set_data(r, all, contain_free);
	if (undo != NULL)
		contain_add(all, undo, true);
	json_array_foreach(run, i, id)
		json_array_foreach(actions, k, item)
			if (strcmp(json_str(item, "id"), json_string_value(id)) == 0)
				contain_add(all, item, false);
	contain_next(all);
}

bool contain_is_running(const struct engine *en, const struct run *self, const char *id)
{
	for (size_t i = 0; i < engine_runs(en); i++) {
		const struct run *r = engine_run(en, i);
		const struct contain *all;
		if (r == self || run_state(r) != RUN_GOING || run_command(r)->go != contain_go)
			continue;
		all = run_data(r);
		for (size_t k = 0; all != NULL && k < all->jobs; k++)
			if (strcmp(job_id(&all->job[k]), id) == 0 && all->job[k].phase != JOB_ENDED)
				return true;
	}
	return false;
}
