#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "engine/run.h"

struct entry {
	struct job job; /* first: a job's address is its entry's */
	struct run *run; /* NULL before it is known, and once ended */
};

struct jobs {
	struct engine *en;
	struct job_hooks hooks;
	void *ctx;
	struct entry **entry;
	size_t count;
	struct entry *starting; /* command_start is at work: its run may speak before we know it */
};

static struct entry *jobs_add(struct jobs *js, const struct command *cmd, const char *words,
    bool quiet)
{
	struct entry *en = mem_zalloc(1, sizeof *en);

	en->job.command = cmd;
	en->job.words = mem_strdup(words);
	en->job.quiet = quiet;
	en->job.began = clock_mono();
	en->job.said.max = 500;
	en->job.out.max = 100000;
	js->entry = mem_grow(js->entry, js->count + 1, sizeof *js->entry);
	js->entry[js->count++] = en;
	return en;
}

static void entry_free(struct entry *en)
{
	struct job *j = &en->job;

	lines_free(&j->out);
	lines_free(&j->said);
	json_decref(j->rows);
	json_decref(j->lines);
	free(j->words);
	free(j->title);
	free(j->phrase);
	free(j->hash);
	free(j->text);
	free(j->errs);
	free(en);
}

void jobs_drop(struct jobs *js, struct job *j)
{
	for (size_t i = 0; i < js->count; i++) {
		if (&js->entry[i]->job != j)
			continue;
		memmove(js->entry + i, js->entry + i + 1,
		    (js->count - i - 1) * sizeof js->entry[0]);
		js->count--;
		entry_free((struct entry *)j);
		return;
	}
}

void jobs_sweep(struct jobs *js, size_t keep)
{
	for (size_t i = 0; i < js->count && js->count > keep;) {
		struct job *j = &js->entry[i]->job;
		if (j->state == JOB_ENDED && j->held == 0 && (j->shown || j->quiet))
			jobs_drop(js, j);
		else
			i++;
	}
}

/* The job of a run. One that nobody here started (a command that starts another) gets its own. */
static struct entry *jobs_entry(struct jobs *js, struct run *r)
{
	struct entry *en;

	for (size_t i = 0; i < js->count; i++)
		if (js->entry[i]->run == r)
			return js->entry[i];
	if (js->starting != NULL && js->starting->run == NULL &&
	    js->starting->job.state != JOB_ENDED &&
	    js->starting->job.command == run_command(r)) {
		js->starting->run = r;
		return js->starting;
	}
	/* what nobody asked for (a renewal that was due) opens no screen over the operator's */
	en = jobs_add(js, run_command(r), run_command(r)->name, args_has(run_args(r), "due"));
	en->run = r;
	return en;
}

static void job_say(void *ctx, struct run *r, const char *line)
{
	struct jobs *js = ctx;
	struct entry *en = jobs_entry(js, r);

	lines_add(&en->job.said, line);
	if (js->hooks.said != NULL)
		js->hooks.said(js->ctx, &en->job, line);
}

static void job_out(void *ctx, struct run *r, const char *line)
{
	struct jobs *js = ctx;
	struct entry *en = jobs_entry(js, r);

	lines_add(&en->job.out, line);
	if (js->hooks.out != NULL)
		js->hooks.out(js->ctx, &en->job, line);
}

static void job_planned(void *ctx, struct run *r)
{
	struct jobs *js = ctx;
	struct entry *en = jobs_entry(js, r);
	const struct plan *p = run_plan_of(r);

	if (p == NULL)
		return;
	en->job.title = mem_strdup(p->title);
	en->job.phrase = mem_strdup(p->phrase);
	en->job.hash = mem_strdup(p->hash);
	en->job.rows = json_incref(p->rows);
	en->job.lines = json_incref(p->lines);
	en->job.state = JOB_PLANNED;
	en->job.shown = false;
	if (js->hooks.planned != NULL)
		js->hooks.planned(js->ctx, &en->job);
}

static void job_read_progress(struct entry *en)
{
	const char *text = NULL;

	if (en->run == NULL)
		return;
	run_get_progress(en->run, &en->job.done, &en->job.total, &text);
	if (text != NULL && (en->job.text == NULL || strcmp(en->job.text, text) != 0)) {
		free(en->job.text);
		en->job.text = mem_strdup(text);
	}
}

static void job_progress(void *ctx, struct run *r)
{
	struct jobs *js = ctx;

	job_read_progress(jobs_entry(js, r));
	if (js->hooks.changed != NULL)
		js->hooks.changed(js->ctx);
}

static void job_ended(void *ctx, struct run *r)
{
	struct jobs *js = ctx;
	struct entry *en = jobs_entry(js, r);

	job_read_progress(en);
	en->job.status = run_status(r);
	if (run_error(r) != NULL)
		en->job.err = *run_error(r);
	if (run_errors(r) != NULL) {
		en->job.errs = mem_alloc(sizeof *en->job.errs);
		*en->job.errs = *run_errors(r);
	}
	en->job.state = JOB_ENDED;
	en->job.shown = false;
	en->job.ended = clock_mono();
	en->run = NULL;
	if (js->hooks.ended != NULL)
		js->hooks.ended(js->ctx, &en->job);
}

static void job_event(void *ctx, const struct event *ev)
{
	struct jobs *js = ctx;

	(void)ev;
	if (js->hooks.changed != NULL)
		js->hooks.changed(js->ctx);
}

struct jobs *jobs_new(struct engine *en, const struct job_hooks *hooks, void *ctx)
{
	static const struct sink sink = { job_say, job_out, job_planned, job_progress, job_ended,
		job_event };
	struct jobs *js = mem_zalloc(1, sizeof *js);

	js->en = en;
	js->hooks = *hooks;
	js->ctx = ctx;
	engine_sink(en, &sink, js);
	return js;
}

void jobs_free(struct jobs *js)
{
	static const struct sink deaf = { 0 };

	if (js == NULL)
		return;
	engine_sink(js->en, &deaf, NULL);
	for (size_t i = 0; i < js->count; i++)
		entry_free(js->entry[i]);
	free(js->entry);
	free(js);
}

int jobs_start(struct jobs *js, const struct command *cmd, struct args *args, const char *words,
    bool quiet, struct job **out, struct err *e)
{
	struct entry *en = jobs_add(js, cmd, words, quiet);
	struct run *r = NULL;
	int rc;

	js->starting = en;
	rc = command_start(js->en, cmd, args, &r, e);
	js->starting = NULL;
	if (rc < 0) {
		jobs_drop(js, &en->job);
		return rc;
	}
	/* A run that ended on the spot is freed by now. */
	if (en->job.state != JOB_ENDED)
		en->run = r;
	if (out != NULL)
		*out = &en->job;
	return 0;
}

/* Words to arguments. A command that takes one TEXT gets the rest of the line as it stands: nobody
 * closes quotes in a note. */
static const struct command *job_parse(const char *words, struct args *args, struct err *e)
{
	const struct command *cmd;
	char name[32], **argv = NULL;
	const char *rest;
	int argc;

	words += strspn(words, " ");
	snprintf(name, sizeof name, "%.*s", (int)strcspn(words, " "), words);
	if (name[0] == '\0') {
		err_set(e, ERR_USAGE, _("no command given"));
		return NULL;
	}
	if ((cmd = command_find(name)) == NULL) {
		err_set(e, ERR_USAGE, _("there is no command \"%s\""), name);
		err_remedy(e, _("? lists the commands"));
		return NULL;
	}
	rest = words + strlen(name) + strspn(words + strlen(name), " ");
	if (cmd->usage != NULL && strcmp(cmd->usage, "TEXT") == 0 && rest[0] != '\0') {
		args_add(args, "", rest);
		return cmd;
	}
	if ((argc = words_split(rest, &argv, e)) < 0)
		return NULL;
	if (args_parse(args, cmd, argc, argv, e) < 0)
		cmd = NULL;
	words_free(argv, argc);
	return cmd;
}

int jobs_start_words(struct jobs *js, const char *words, bool quiet, struct job **out,
    struct err *e)
{
	struct args *args = args_new();
	const struct command *cmd = job_parse(words, args, e);

	if (cmd == NULL) {
		args_free(args);
		return ERR_USAGE;
	}
	return jobs_start(js, cmd, args, words, quiet, out, e);
}

int jobs_confirm(struct jobs *js, struct job *j, const char *phrase, struct err *e)
{
	struct entry *en = (struct entry *)j;
	int rc;

	(void)js;
	if (en->run == NULL || j->state != JOB_PLANNED)
		return err_set(e, ERR_REFUSED, _("this plan is no longer waiting"));
	/* Set first: the run may go and even end before run_confirm returns. */
	j->state = JOB_GOING;
	j->began = clock_mono();
	rc = run_confirm(en->run, phrase, e);
	j->confirmed = rc == 0;
	if (rc < 0 && j->state == JOB_GOING)
		j->state = JOB_PLANNED;
	return rc;
}

void jobs_cancel(struct jobs *js, struct job *j, const char *why)
{
	struct entry *en = (struct entry *)j;

	(void)js;
	if (en->run != NULL)
		run_cancel(en->run, why);
}

void jobs_kill(struct jobs *js)
{
	child_kill_all(engine_loop(js->en));
}

struct job *jobs_at(const struct jobs *js, size_t i)
{
	return i < js->count ? &js->entry[i]->job : NULL;
}

size_t jobs_active(const struct jobs *js)
{
	size_t n = 0;

	for (size_t i = 0; i < js->count; i++)
		n += js->entry[i]->job.state != JOB_ENDED;
	return n;
}

void jobs_tick(struct jobs *js)
{
	struct err e;

	for (size_t i = 0; i < js->count; i++)
		job_read_progress(js->entry[i]);
	if (engine_incident(js->en) != NULL && engine_catch_up(js->en, &e) < 0 &&
	    js->hooks.said != NULL)
		js->hooks.said(js->ctx, NULL, e.text);
}

int jobs_open(struct jobs *js, const char *path, struct err *e)
{
	if (engine_incident(js->en) != NULL) {
		if (jobs_active(js) > 0)
			return err_set(e, ERR_REFUSED,
			    _("a command is still running on the open incident"));
		engine_close(js->en);
	}
	return engine_open(js->en, path, e);
}
