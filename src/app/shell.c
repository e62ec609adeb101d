#include "app/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/help.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "base/tty.h"
#include "engine/run.h"

#define PHRASE_TRIES 3

struct shell {
	const struct shell_call *call;
	struct engine *engine;
	struct loop *loop;
	struct run *run;
	int status;
	bool interrupted;
	bool progress; /* a progress line stands on the terminal */
	struct tty *tty;   /* asks for the secret */
	uint64_t asked;    /* which one */
	json_t *open;  /* {config, incident, play}: the console is to follow */
};

/* ---- global options ---- */

static int shell_usage(const char *fmt, const char *word)
{
	fprintf(stderr, "sev1: ");
	fprintf(stderr, fmt, word); /* fmt is one of our own literals */
	fprintf(stderr, "\n%s\n", _("See: sev1 --help"));
	return EXIT_USAGE;
}

static int shell_flag(struct shell_call *call, const char *word)
{
	struct buf b = { 0 };

	if (strcmp(word, "--json") == 0)
		call->json = true;
	else if (strcmp(word, "--line") == 0)
		call->line = true;
	else if (strcmp(word, "--no-input") == 0)
		call->no_input = true;
	else if (strcmp(word, "--read-only") == 0)
		call->read_only = true;
	else if (strcmp(word, "--play") == 0)
		call->play = true;
	else if (strcmp(word, "--version") == 0) {
		printf("sev1 %s\n", PACKAGE_VERSION);
		return EXIT_DONE;
	} else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		help_usage(&b);
		fputs(buf_str(&b), stdout);
		buf_free(&b);
		return EXIT_DONE;
	} else {
		return shell_usage(_("unknown option %s"), word);
	}
	return -1;
}

int shell_parse(struct shell_call *call, int argc, char *argv[])
{
	int i, rc;

	*call = (struct shell_call){ 0 };
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		char **value = strcmp(argv[i], "-c") == 0 ? &call->config :
		    strcmp(argv[i], "-i") == 0 ? &call->incident :
		    strcmp(argv[i], "--actor") == 0 ? &call->actor :
		    strcmp(argv[i], "--pin-fd") == 0 ? &call->pin_fd : NULL;
		if (value != NULL && ++i >= argc)
			return shell_usage(_("%s needs a value"), argv[i - 1]);
		if (value != NULL)
			*value = argv[i];
		else if ((rc = shell_flag(call, argv[i])) >= 0)
			return rc;
	}
	call->argc = argc - i;
	call->argv = argv + i;
	return -1;
}

/* ---- answers ---- */

static void shell_line(FILE *f, const char *prefix, const char *text)
{
	char *safe = text_escaped(text, strlen(text), 16000);

	fprintf(f, "%s%s\n", prefix, safe);
	free(safe);
}

void shell_error(const struct err *e)
{
	shell_line(stderr, "sev1: ", e->text);
	if (e->remedy[0] != '\0')
		shell_line(stderr, "      ", e->remedy);
}

static void shell_errors(const struct errs *es)
{
	for (size_t i = 0; i < es->count; i++) {
		shell_line(stderr, "sev1: ", es->err[i].text);
		if (errs_remedy(es, i)[0] != '\0')
			shell_line(stderr, "      ", errs_remedy(es, i));
	}
}

static json_t *shell_error_json(const struct err *e)
{
	return json_pack("{s:s,s:s}", "text", e->text, "remedy", e->remedy);
}

/* "error" is what ended it, "errors" all that is wrong, "errors_total" how many these would be without an end. */
static void shell_errors_json(json_t *o, const struct run *r)
{
	const struct errs *es = run_errors(r);
	json_t *list = json_array();

	for (size_t i = 0; es != NULL && i < es->count; i++)
		json_array_append_new(list, shell_error_json(&es->err[i]));
	if (es == NULL)
		json_array_append_new(list, shell_error_json(run_error(r)));
	json_object_set_new(o, "error", shell_error_json(run_error(r)));
	json_object_set_new(o, "errors", list);
	json_put_num(o, "errors_total", es != NULL ? (json_int_t)es->total : 1);
}

static void shell_end_progress(struct shell *sh)
{
	if (sh->progress)
		fputs("\r\033[K", stderr);
	sh->progress = false;
}

static void shell_say(void *ctx, struct run *r, const char *line)
{
	struct shell *sh = ctx;

	(void)r;
	shell_end_progress(sh);
	fprintf(stderr, "%s\n", line);
}

static void shell_out(void *ctx, struct run *r, const char *line)
{
	struct shell *sh = ctx;

	(void)r;
	shell_end_progress(sh);
	if (!sh->call->json)
		printf("%s\n", line);
}

static void shell_progress(void *ctx, struct run *r)
{
	struct shell *sh = ctx;
	int64_t done, total;
	const char *text;

	if (!isatty(STDERR_FILENO))
		return;
	run_get_progress(r, &done, &total, &text);
	fprintf(stderr, "\r\033[K%lld/%lld %.*s", (long long)done, (long long)total, (int)text_fit(text, 60, NULL), text);
	sh->progress = true;
}

/* ---- plans ---- */

static void shell_show_plan(const struct plan *p)
{
	const json_t *row, *line;
	char pad[256];
	size_t i;

	printf("%s\n\n", p->title);
	json_array_foreach(p->rows, i, row)
		printf("  %s %s\n", text_pad(pad, sizeof pad, json_string_value(json_array_get(row, 0)), 22),
		    json_string_value(json_array_get(row, 1)));
	if (json_array_size(p->lines) > 0)
		printf("\n");
	json_array_foreach(p->lines, i, line)
		printf("    %s\n", json_string_value(line));
	printf("\n  %s %s\n", text_pad(pad, sizeof pad, _("plan"), 22), p->hash);
	fflush(stdout);
}

static json_t *shell_plan_json(const struct plan *p)
{
	return json_pack("{s:s,s:s,s:s,s:O,s:O}", "title", p->title, "hash", p->hash, "phrase", p->phrase,
	    "rows", p->rows, "lines", p->lines);
}

static void shell_ask(struct shell *sh, struct run *r)
{
	const struct plan *p = run_plan_of(r);
	char line[256];
	struct err e = { 0 };

	for (int i = 0; i < PHRASE_TRIES && run_state(r) == RUN_PLANNED; i++) {
		printf(_("\nType  %s  to go on, or press Enter to give up.\n> "), p->phrase);
		fflush(stdout);
		if (fgets(line, sizeof line, stdin) == NULL)
			break;
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '\0')
			break;
		if (run_confirm(r, line, &e) == 0)
			return;
		shell_error(&e);
		if (e.code != ERR_REFUSED)
			break;
	}
	(void)sh;
	run_cancel(r, _("not confirmed; nothing was done"));
}

static void shell_word(struct buf *b, const char *word)
{
	static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:=@,+%";

	buf_addc(b, ' ');
	if (word[0] != '\0' && word[strspn(word, bare)] == '\0')
		buf_adds(b, word);
	else
		text_quote(b, word);
}

/* The call as it was made, with what confirms its plan: what is pasted back runs on the same files. */
static void shell_show_again(const struct shell_call *call, const struct plan *p)
{
	struct buf b = { 0 };

	if (call->config != NULL) {
		buf_adds(&b, " -c");
		shell_word(&b, call->config);
	}
	if (call->incident != NULL) {
		buf_adds(&b, " -i");
		shell_word(&b, call->incident);
	}
	for (int i = 0; i < call->argc; i++) {
		const char *word = call->argv[i];

		if (strcmp(word, "--plan") == 0 || strcmp(word, "--confirm") == 0)
			i++;
		else if (strncmp(word, "--plan=", 7) != 0 && strncmp(word, "--confirm=", 10) != 0)
			shell_word(&b, word);
	}
	printf(_("\nTo run exactly this plan:\n  sev1%s --plan %s --confirm '%s'\n"), buf_str(&b), p->hash, p->phrase);
	buf_free(&b);
}

static void shell_planned(void *ctx, struct run *r)
{
	struct shell *sh = ctx;
	const struct plan *p = run_plan_of(r);
	const char *phrase = args_get(run_args(r), "confirm");
	bool named = args_has(run_args(r), "plan");
	struct err e = { 0 };

	shell_end_progress(sh);
	if (sh->call->json)
		json_object_set_new(run_result(r), "plan", shell_plan_json(p));
	else
		shell_show_plan(p);
	if (named && phrase != NULL) {
		if (run_confirm(r, phrase, &e) < 0) {
			shell_error(&e);
			run_cancel(r, _("not confirmed; nothing was done"));
		}
	} else if (!sh->call->json && !sh->call->no_input && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
		shell_ask(sh, r);
	} else {
		if (!sh->call->json)
			shell_show_again(sh->call, p);
		run_cancel(r, _("a plan needs --plan HASH and --confirm PHRASE without a terminal; nothing was done"));
	}
}

static void shell_ended(void *ctx, struct run *r)
{
	struct shell *sh = ctx;
	const struct err *e = run_error(r);
	json_t *o;

	shell_end_progress(sh);
	if (r != sh->run)
		return;
	sh->status = run_status(r);
	sh->open = json_incref(json_object_get(run_result(r), "console"));
	if (sh->call->json) {
		o = run_result(r);
		json_put_num(o, "status", sh->status);
		if (e != NULL)
			shell_errors_json(o, r);
		json_dumpf(o, stdout, JSON_INDENT(2));
		printf("\n");
	} else if (e != NULL) {
		fflush(stdout);
		if (run_errors(r) != NULL)
			shell_errors(run_errors(r));
		shell_error(e);
	}
	loop_stop(sh->loop);
}

/* The first time what runs may finish where the command can let it, the second time it is killed. */
static void shell_interrupt(void *ctx, int signo)
{
	struct shell *sh = ctx;

	(void)signo;
	if (sh->run == NULL || (!sh->interrupted && run_steer(sh->run, STEER_DRAIN))) {
		sh->interrupted = true;
		return;
	}
	run_cancel(sh->run, _("interrupted"));
}

static void shell_pause(void *ctx, int signo)
{
	struct shell *sh = ctx;

	if (sh->run != NULL)
		run_steer(sh->run, signo == SIGUSR1 ? STEER_PAUSE : STEER_CONTINUE);
}

/* ---- secrets ---- */

int shell_pin_fd(struct engine *en, const char *text, struct err *e)
{
	char *end;
	long fd;

	if (text == NULL)
		return 0;
	errno = 0;
	fd = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || fd < 0 || fd > 65535 || fcntl((int)fd, F_GETFD) < 0) {
		err_set(e, ERR_USAGE, _("--pin-fd %s: not an open descriptor"), text);
		return err_remedy(e, _("open one for reading: sev1 ... --pin-fd 3 3<&0"));
	}
	if (isatty((int)fd)) {
		err_set(e, ERR_USAGE, _("--pin-fd %s: a terminal, which shows what is typed"), text);
		return err_remedy(e, _("leave --pin-fd out: at a terminal it is asked for, and not shown"));
	}
	if (fd > STDERR_FILENO)
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	engine_secret_fd(en, (int)fd);
	return 0;
}

static void shell_typed(void *ctx, const char *text)
{
	struct shell *sh = ctx;
	struct err e = { 0 };

	sh->tty = NULL;
	if (text != NULL) {
		engine_secret_give(sh->engine, text);
		return;
	}
	err_set(&e, ERR_REFUSED, _("given up at the question for a PIN or passphrase"));
	engine_secret_refuse(sh->engine, &e);
}

/* Ask what a child waits for; stop asking what nobody waits for any more. */
static void shell_secret(struct shell *sh)
{
	const struct secret_ask *a = engine_secret(sh->engine);
	struct err e = { 0 };
	char *label, *prompt;

	if (sh->tty != NULL && (a == NULL || a->id != sh->asked)) {
		tty_free(sh->tty);
		sh->tty = NULL;
	}
	if (a == NULL || sh->tty != NULL)
		return;
	shell_end_progress(sh);
	label = engine_secret_label(a);
	prompt = mem_printf("%s%s%s", a->note, a->note[0] != '\0' ? "\r\n" : "", label);
	sh->asked = a->id;
	if (sh->call->no_input)
		err_set(&e, ERR_REFUSED, _("%sa secret is wanted, and --no-input forbids the question"), label);
	else
		sh->tty = tty_ask(sh->loop, prompt, shell_typed, sh, &e);
	if (sh->tty == NULL) {
		err_remedy(&e, _("run it at a terminal, or with --pin-fd N: a line each from that descriptor"));
		engine_secret_refuse(sh->engine, &e);
	}
	free(label);
	free(prompt);
}

/* ---- one command ---- */

static int shell_start(struct shell *sh, const struct command *cmd, struct args *args)
{
	static const struct sink sink = { .say = shell_say, .out = shell_out, .planned = shell_planned,
		.progress = shell_progress, .ended = shell_ended };
	struct err e = { 0 };

	engine_sink(sh->engine, &sink, sh);
	/* ended comes from the loop, so run is set before it is compared */
	if (command_start(sh->engine, cmd, args, &sh->run, &e) < 0) {
		if (sh->call->json)
			printf("{\"version\": 1, \"command\": \"%s\", \"status\": %d}\n", cmd->name,
			    err_exit_status(e.code));
		shell_error(&e);
		return err_exit_status(e.code);
	}
	while (loop_step(sh->loop))
		shell_secret(sh);
	tty_free(sh->tty);
	return sh->status;
}

static struct engine *shell_engine(struct shell *sh, const struct command *cmd, struct err *e)
{
	struct engine_options o = { .config_path = sh->call->config, .actor = sh->call->actor,
		.read_only = sh->call->read_only };
	struct engine *en = engine_new(sh->loop, &o, e);

	bool needs = cmd->gates & GATE_INCIDENT, looks = cmd->gates & GATE_IF_OPEN;

	if (en == NULL || !(needs || looks) || engine_open(en, sh->call->incident, e) == 0)
		return en;
	if (looks && sh->call->incident == NULL && e->code == ERR_NOTFOUND)
		return en;
	engine_free(en);
	return NULL;
}

static void shell_follow(struct shell_call *call, const json_t *open, bool *console)
{
	if (!json_is_object(open))
		return;
	*console = true;
	call->config = call->followed[0] = mem_strdup(json_str(open, "config"));
	call->incident = call->followed[1] = mem_strdup(json_str(open, "incident"));
	call->play = json_bool(open, "play");
}

void shell_clear(struct shell_call *call)
{
	free(call->followed[0]);
	free(call->followed[1]);
	call->followed[0] = call->followed[1] = NULL;
}

/* sev1 COMMAND --help: as sev1 help COMMAND. */
static bool shell_helped(const struct command *cmd, const struct shell_call *call)
{
	struct buf b = { 0 };
	bool asked = false;

	for (int i = 1; i < call->argc && strcmp(call->argv[i], "--") != 0; i++)
		asked = asked || strcmp(call->argv[i], "--help") == 0 || strcmp(call->argv[i], "-h") == 0;
	if (asked) {
		help_command(cmd, &b);
		fputs(buf_str(&b), stdout);
		buf_free(&b);
	}
	return asked;
}

int shell_run(struct shell_call *call, bool *console)
{
	const struct command *cmd = command_find(call->argv[0]);
	struct shell sh = { .call = call, .status = EXIT_FAILED };
	struct args *args;
	struct err e = { 0 };

	*console = false;
	if (cmd == NULL)
		return shell_usage(_("there is no command '%s'"), call->argv[0]);
	if (shell_helped(cmd, call))
		return EXIT_DONE;
	args = args_new();
	if (args_parse(args, cmd, call->argc - 1, call->argv + 1, &e) < 0) {
		shell_error(&e);
		args_free(args);
		return err_exit_status(e.code);
	}
	call->json = call->json || args_has(args, "json");
	if (!(cmd->gates & (GATE_INCIDENT | GATE_IF_OPEN)) && call->incident != NULL && !args_has(args, ""))
		args_add(args, "", call->incident); /* audit opens its file by itself */
	setvbuf(stdout, NULL, _IOLBF, 0); /* watch is read as it goes */
	sh.loop = loop_new();
	loop_signal(sh.loop, SIGINT, shell_interrupt, &sh);
	loop_signal(sh.loop, SIGTERM, shell_interrupt, &sh);
	loop_signal(sh.loop, SIGUSR1, shell_pause, &sh);
	loop_signal(sh.loop, SIGUSR2, shell_pause, &sh);
	if ((sh.engine = shell_engine(&sh, cmd, &e)) == NULL || shell_pin_fd(sh.engine,
	    args_has(args, "pin-fd") ? args_get(args, "pin-fd") : call->pin_fd, &e) < 0) {
		shell_error(&e);
		args_free(args);
		sh.status = err_exit_status(e.code);
	} else {
		sh.status = shell_start(&sh, cmd, args);
	}
	fflush(stdout);
	engine_free(sh.engine);
	loop_free(sh.loop);
	shell_follow(call, sh.open, console);
	json_decref(sh.open);
	return sh.status;
}
