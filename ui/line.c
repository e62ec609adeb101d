#include "line.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/model.h"
#include "asked.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/tty.h"
#include "engine/engine.h"
#include "job.h"
#include "line_ask.h"

struct line {
	struct engine *en;
	struct loop *loop;
	struct jobs *jobs;
	struct buf in;
	struct job *plan;  /* waits for its phrase */
	bool arming;       /* waits for ARM */
	struct ask ask;    /* questions at hand */
	const char *asking; /* "triage", "recover" while there are any */
	struct job *quiet; /* counts for the questions; what it says is not read out */
	bool leaving, ended;
	bool prompted;
	struct tty *tty;   /* asks for a PIN or passphrase */
	uint64_t asked;    /* which one */
	uint64_t tick;
	int said;          /* per cent that was last said of the job at work */
};

/* Everything goes out through here: one line, escaped, at once. */
static void line_put(const char *text)
{
	char *safe = text_escaped(text, strlen(text), 8192);

	printf("%s\n", safe);
	fflush(stdout);
	free(safe);
}

static void line_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void line_printf(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	line_put(text);
}

static void line_err(const struct err *e)
{
	line_printf(_("Error: %s"), e->text);
	if (e->remedy[0] != '\0')
		line_printf(_("Remedy: %s"), e->remedy);
}

static void line_errs(const struct errs *es)
{
	for (size_t i = 0; i < es->count; i++) {
		line_printf(_("Error: %s"), es->err[i].text);
		if (errs_remedy(es, i)[0] != '\0')
			line_printf(_("Remedy: %s"), errs_remedy(es, i));
	}
}

/* Where things stand, and the numbers that can be typed. */
static void line_menu(const struct line *l)
{
	const struct incident *in = model_incident(l->en);
	char now[32], span[40];

	line_put("");
	if (in == NULL) {
		line_put(_("No incident is open."));
		line_put(_("Type: open --title TEXT, intake list, open --report ID, doctor, help, quit."));
		return;
	}
	line_printf("%s %s. %s. %s. %s.", in->drill ? _("DRILL") : _("REAL"), in->id, in->title,
	    model_armed(l->en) ? _("ARMED") : _("OBSERVE"), clock_iso(now, sizeof now, clock_now()));
	line_printf(_("RTO %s."), clock_span(span, sizeof span, incident_rto_left(in, clock_now())));
	line_printf(_("Deadline %s."), clock_span(span, sizeof span, incident_deadline_left(in, clock_now())));
	line_printf(_("CRL fuse %s."), clock_span(span, sizeof span, incident_fuse_left(in, clock_now())));
	for (size_t i = 0; i < in->checkpoints; i++) {
		const struct checkpoint *c = &in->checkpoint[i];
		line_printf(_("%d. %s: %s, due %+d minutes. %s (%s)"), c->n, c->title,
		    _(checkpoint_word(in, c, clock_now())), c->due, c->shown, c->command);
	}
	line_put(_("Type a number, or a command: arm, note TEXT, help, quit. An empty line repeats this."));
}

static void line_prompt(const struct line *l)
{
	if (l->plan != NULL)
		printf(_("Type %s to go on, or an empty line to give up: "), l->plan->phrase);
	else if (l->arming)
		printf("%s", _("Type ARM to arm this console, or an empty line to give up: "));
	else
		printf(l->asking != NULL ? "? " : "sev1> ");
	fflush(stdout);
}

static void line_help(void)
{
	const struct command *c;

	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		line_printf("%s%s%s: %s", c->name, c->usage != NULL && c->usage[0] != '\0' ? " " : "",
		    c->usage != NULL && c->usage[0] != '\0' ? _(c->usage) : "", _(c->summary));
		for (const struct option *o = c->options; o != NULL && o->name != NULL; o++)
			line_printf("    --%s%s%s: %s", o->name, o->arg != NULL ? " " : "",
			    o->arg != NULL ? _(o->arg) : "", _(o->help));
	}
	line_put(_("quit: leave; the incident is kept."));
}

static void line_start(struct line *l, const char *words)
{
	struct err e = { 0 };

	l->said = 0;
	if (jobs_start_words(l->jobs, words, false, NULL, &e) < 0)
		line_err(&e);
}

/* A number stands for the command of that checkpoint. */
static const char *line_number(const struct line *l, const char *text)
{
	const struct incident *in = model_incident(l->en);
	char *end;
	long n = strtol(text, &end, 10);
	const struct checkpoint *c = in != NULL && end != text && *end == '\0' && n > 0 && n < 1000
	    ? incident_checkpoint(in, (int)n) : NULL;

	return c != NULL ? c->command : text;
}

/* ---- questions ---- */

static void line_ask_end(struct line *l)
{
	ask_free(&l->ask);
	l->asking = NULL;
}

/* triage, then scope; or recover; or what recovery leads to. */
static void line_asked(struct line *l)
{
	bool triage = strcmp(l->asking, "triage") == 0;
	struct answer w;
	struct err e = { 0 };
	struct args *args;

	if (!triage && strcmp(ask_get(&l->ask, "how"), "reissue") == 0) {
		line_ask_end(l);
		line_start(l, "reissue");
		return;
	}
	if (answer_init(&w, l->asking, true)) {
		(triage ? triage_words : recover_words)(&l->ask, &w);
		line_printf("sev1 %s", buf_str(&w.words));
		args = w.args;
		w.args = NULL;
		if (jobs_start(l->jobs, w.command, args, buf_str(&w.words), false, NULL, &e) < 0)
			line_err(&e);
		answer_free(&w);
	}
	line_ask_end(l);
}

static void line_ask_begin(struct line *l, const char *what)
{
	const struct command *count = command_find("count");

	l->asking = what;
	ask_init(&l->ask, strcmp(what, "triage") == 0 ? triage_items : recover_items, l->en);
	if (strcmp(what, "triage") == 0)
		triage_source(&l->ask, l->en);
	if (count != NULL && strcmp(what, "triage") == 0 &&
	    jobs_start(l->jobs, count, args_new(), "count", true, &l->quiet, NULL) == 0)
		return; /* the first question comes with its counts */
	line_ask_show(&l->ask, line_put);
}

static void line_ask_line(struct line *l, const char *text)
{
	switch (line_ask_take(&l->ask, text, line_put)) {
	case ASK_MORE:
		line_ask_show(&l->ask, line_put);
		break;
	case ASK_DONE:
		line_asked(l);
		break;
	case ASK_BACK:
		line_ask_end(l);
		line_menu(l);
		break;
	}
}

static void line_phrase(struct line *l, const char *text)
{
	struct job *j = l->plan;
	struct err e = { 0 };

	if (text[0] == '\0') {
		l->plan = NULL;
		jobs_cancel(l->jobs, j, _("given up at the plan"));
		return;
	}
	l->plan = NULL;
	if (jobs_confirm(l->jobs, j, text, &e) < 0) {
		line_err(&e);
		if (j->state == JOB_PLANNED)
			l->plan = j;
	}
}

static void line_take(struct line *l, const char *text)
{
	text += strspn(text, " ");
	if (l->plan != NULL) {
		line_phrase(l, text);
	} else if (l->asking != NULL) {
		line_ask_line(l, text);
	} else if (l->arming) {
		l->arming = false;
		if (strcmp(text, "ARM") == 0)
			line_start(l, "arm");
		else
			line_put(_("Not armed."));
	} else if (text[0] == '\0') {
		line_menu(l);
	} else if (strcmp(text, "quit") == 0 || strcmp(text, "q") == 0) {
		l->leaving = true;
	} else if (strcmp(text, "help") == 0 || strcmp(text, "?") == 0) {
		line_help();
	} else if (strcmp(text, "arm") == 0 && !model_armed(l->en)) {
		l->arming = true;
	} else {
		text = line_number(l, text);
		if (model_incident(l->en) != NULL && (strcmp(text, "triage") == 0 || strcmp(text, "recover") == 0)) {
			line_ask_begin(l, strcmp(text, "triage") == 0 ? "triage" : "recover");
			return;
		}
		line_start(l, text);
	}
}

/* May the next line be taken? Not while a command is at work: it may ask for its phrase. */
static bool line_free(const struct line *l)
{
	return !l->leaving && (l->plan != NULL || jobs_active(l->jobs) == 0);
}

/* Take what has been typed, as far as it can be. */
static void line_pump(struct line *l)
{
	char *nl, text[4096];

	while (line_free(l) && l->in.len > 0 && (nl = memchr(l->in.data, '\n', l->in.len)) != NULL) {
		size_t len = (size_t)(nl - l->in.data);
		snprintf(text, sizeof text, "%.*s", (int)len, l->in.data);
		if (len > 0 && len < sizeof text && text[len - 1] == '\r')
			text[len - 1] = '\0';
		buf_drop(&l->in, len + 1);
		line_take(l, text);
		l->prompted = false;
	}
	if (l->ended && line_free(l)) {
		if (l->plan != NULL)
			jobs_cancel(l->jobs, l->plan, _("the input ended at the plan"));
		l->plan = NULL;
		l->leaving = true;
	}
	if (line_free(l) && !l->prompted) {
		l->prompted = true;
		line_prompt(l);
	}
}

static void line_readable(void *ctx, short revents)
{
	struct line *l = ctx;
	char chunk[4096];
	ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);

	(void)revents;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		buf_add(&l->in, chunk, (size_t)n);
	} else {
		l->ended = true;
		loop_fd_drop(l->loop, STDIN_FILENO);
	}
	line_pump(l);
}

static void line_wake(void *ctx)
{
	line_pump(ctx);
}

static void line_plan_lines(const struct job *j)
{
	const json_t *r;
	size_t i;

	line_printf(_("Plan: %s"), j->title);
	json_array_foreach(j->rows, i, r)
		line_printf("  %s: %s", json_string_value(json_array_get(r, 0)),
		    json_string_value(json_array_get(r, 1)));
	json_array_foreach(j->lines, i, r)
		line_printf("  %zu. %s", i + 1, json_string_value(r));
	line_printf(_("  sha256 %s"), j->hash);
	line_printf(_("The same from a shell: sev1 %s --plan %s --confirm '%s'"), j->words, j->hash, j->phrase);
}

static void line_planned(void *ctx, struct job *j)
{
	struct line *l = ctx;

	line_plan_lines(j);
	l->plan = j;
	l->prompted = false;
	loop_after(l->loop, 0, line_wake, l);
}

static void line_ended(void *ctx, struct job *j)
{
	struct line *l = ctx;

	j->shown = true;
	if (l->plan == j)
		l->plan = NULL;
	if (j == l->quiet) {
		l->quiet = NULL;
		if (l->asking != NULL)
			line_ask_show(&l->ask, line_put);
	} else if (j->err.code != 0) {
		if (j->errs != NULL)
			line_errs(j->errs);
		line_err(&j->err);
	} else
		line_printf(j->status == EXIT_DONE ? _("%s: done.") : _("%s: not done."), j->command->name);
	l->prompted = false;
	loop_after(l->loop, 0, line_wake, l);
}

static void line_out(void *ctx, struct job *j, const char *line)
{
	(void)ctx;
	if (!j->quiet)
		line_put(line);
}

static void line_said(void *ctx, struct job *j, const char *line)
{
	(void)ctx;
	if (j != NULL && j->quiet)
		return;
	if (j != NULL)
		line_printf("%s: %s", j->command->name, line);
	else
		line_put(line);
}

/* Each tenth of the way is said once. */
static void line_changed(void *ctx)
{
	struct line *l = ctx;
	struct run_view v;
	int tenth;

	if (model_runs(l->en) == 0)
		return;
	model_run(l->en, model_runs(l->en) - 1, &v);
	tenth = v.total > 0 ? (int)(v.done * 10 / v.total) : 0;
	if (tenth > l->said)
		line_printf(_("%s: %d per cent, %s"), v.command, tenth * 10, v.text);
	if (tenth > l->said)
		l->said = tenth;
}

static void line_tick(void *ctx)
{
	struct line *l = ctx;

	jobs_tick(l->jobs);
	jobs_sweep(l->jobs, 5);
	l->tick = loop_after(l->loop, 1000, line_tick, l);
}

static void line_signal(void *ctx, int signo)
{
	struct line *l = ctx;

	(void)signo;
	l->leaving = true;
}

/* ---- secrets: at the terminal itself, with echo off; the lines that come in are not read meanwhile ---- */

static void line_listen(struct line *l)
{
	if (!l->ended)
		loop_fd(l->loop, STDIN_FILENO, POLLIN, line_readable, l);
}

static void line_typed(void *ctx, const char *text)
{
	struct line *l = ctx;
	struct err e = { 0 };

	l->tty = NULL;
	line_listen(l);
	if (text != NULL) {
		engine_secret_give(l->en, text);
		return;
	}
	err_set(&e, ERR_REFUSED, _("given up at the question for a PIN or passphrase"));
	engine_secret_refuse(l->en, &e);
}

static void line_secret(struct line *l)
{
	const struct secret_ask *a = engine_secret(l->en);
	struct err e = { 0 };
	char *label;

	if (l->tty != NULL && (a == NULL || a->id != l->asked)) {
		tty_free(l->tty);
		l->tty = NULL;
		line_listen(l);
	}
	if (a == NULL || l->tty != NULL)
		return;
	if (a->note[0] != '\0')
		line_put(a->note);
	label = engine_secret_label(a);
	l->asked = a->id;
	if ((l->tty = tty_ask(l->loop, label, line_typed, l, &e)) == NULL) {
		err_remedy(&e, _("run it at a terminal, or with --pin-fd N: a line each from that descriptor"));
		engine_secret_refuse(l->en, &e);
	} else {
		loop_fd_drop(l->loop, STDIN_FILENO);
	}
	free(label);
}

int line_run(struct engine *e, struct loop *l, struct err *err)
{
	static const struct job_hooks hooks = { line_planned, line_ended, line_out, line_said, line_changed };
	static const int signals[] = { SIGHUP, SIGTERM, SIGINT };
	struct line line = { .en = e, .loop = l };

	(void)err;
	line.jobs = jobs_new(e, &hooks, &line);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		loop_signal(l, signals[i], line_signal, &line);
	line_menu(&line);
	line_pump(&line);
	line_listen(&line);
	line.tick = loop_after(l, 1000, line_tick, &line);
	while (loop_step(l) && !line.leaving)
		line_secret(&line);
	tty_free(line.tty);
	if (line.asking != NULL)
		line_ask_end(&line);
	jobs_kill(line.jobs);
	loop_fd_drop(l, STDIN_FILENO);
	loop_cancel(l, line.tick);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		loop_signal(l, signals[i], NULL, NULL);
	jobs_free(line.jobs);
	buf_free(&line.in);
	return 0;
}
