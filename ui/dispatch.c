/* From words and keys to screens and jobs, and from jobs back to screens. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "engine/engine.h"
#include "term.h"
#include "ui_state.h"

void ui_say(struct ui *u, enum style st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(u->message, sizeof u->message, fmt, ap);
	va_end(ap);
	u->message_style = st;
	u->dirty = true;
}

void ui_say_err(struct ui *u, const struct err *e)
{
	ui_say(u, STYLE_BAD, e->remedy[0] != '\0' ? "%s. %s." : "%s.", e->text, e->remedy);
}

/* Words that open a screen rather than run a command, when they stand alone. */
static const struct special {
	const char *word;
	const struct screen_ops *ops;
} specials[] = {
	{ "triage", &scr_triage },
	{ "recover", &scr_recover },
	{ "timeline", &scr_timeline },
	{ "followup", &scr_followups },
	{ "report", &scr_report },
	{ "subscribers", &scr_subscribers },
	{ "fleet", &scr_fleet },
	{ "help", &scr_help },
	{ "open", &scr_new },
	{ "intake", &scr_inbox },
};

const char *ui_closed(const struct ui *u, const struct command *cmd)
{
	static char text[80];
	const struct incident *in = model_incident(u->en);
	const struct command *arm = command_find("arm");

	if ((cmd->gates & GATE_CONFIG) && model_config(u->en) == NULL)
		return _("needs a configuration");
	if ((cmd->gates & GATE_INCIDENT) && in == NULL)
		return _("needs an open incident");
	if ((cmd->gates & GATE_ARMED) && !model_armed(u->en)) {
		snprintf(text, sizeof text, _("arm first (%s)"),
		    arm != NULL && arm->key != NULL ? arm->key : ":arm");
		return text;
	}
	if (in == NULL)
		return NULL;
	if ((cmd->gates & GATE_TRIAGE) && !in->triage.answered)
		return _("triage first");
	if ((cmd->gates & GATE_SCOPE) && !in->scope_frozen)
		return _("freeze the scope first");
	if ((cmd->gates & GATE_OFFLINE) && !incident_checkpoint_closed(in, "actions-held"))
		return _("CA offline first");
	if ((cmd->gates & GATE_CRL) && in->crls == 0)
		return _("emergency CRL first");
	if ((cmd->gates & GATE_ISSUER) && in->issuer == NULL)
		return _("choose the issuer first");
	return NULL;
}

static void ui_start(struct ui *u, const char *words)
{
	struct err e = { 0 };

	if (jobs_start_words(u->jobs, words, false, NULL, &e) < 0)
		ui_say_err(u, &e);
}

static void ui_armed(void *ctx, enum prompt_end end, const char *text)
{
	(void)text;
	if (end == PROMPT_DONE)
		ui_start(ctx, "arm");
}

static void ui_arm(struct ui *u)
{
	const struct command *arm = command_find("arm");
	const char *closed = arm != NULL ? ui_closed(u, arm) : NULL;

	if (model_armed(u->en)) {
		ui_say(u, STYLE_PLAIN, _("This console is armed already. :disarm goes back to observing."));
		return;
	}
	if (closed != NULL) {
		ui_say(u, STYLE_BAD, "arm: %s.", closed);
		return;
	}
	ui_ask_phrase(u, _("Type ARM to arm this console:"),
	    _("Armed, it may start actions; each still asks for its own phrase. Esc gives up."), "ARM",
	    ui_armed, u);
}

static void ui_drilled(void *ctx, enum prompt_end end, const char *text)
{
	struct ui *u = ctx;

	(void)text;
	u->drill = u->leaving = end == PROMPT_DONE;
}

static bool ui_special(struct ui *u, const char *words)
{
	size_t len = strcspn(words, " ");

	if (words[len] != '\0' && words[len + strspn(words + len, " ")] != '\0')
		return false;
	if (len == 3 && strncmp(words, "arm", 3) == 0) {
		ui_arm(u);
		return true;
	}
	if (len == 4 && strncmp(words, "quit", 4) == 0) {
		ui_ask_leave(u);
		return true;
	}
	if (len == 5 && strncmp(words, "drill", 5) == 0) {
		ui_ask(u, _("Leave this console and begin a drill?"), _("Enter begins it, Esc stays. A drill has a "
		    "console and a folder of its own."), "", ui_drilled, u);
		return true;
	}
	for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++) {
		if (strlen(specials[i].word) != len || strncmp(words, specials[i].word, len) != 0)
			continue;
		const struct command *cmd = command_find(specials[i].word);
		const char *closed = cmd != NULL ? ui_closed(u, cmd) : NULL;
		if (closed != NULL)
			ui_say(u, STYLE_BAD, "%s: %s.", specials[i].word, closed);
		else
			ui_push(u, specials[i].ops, NULL);
		return true;
	}
	return false;
}

void ui_do(struct ui *u, const char *words)
{
	words += strspn(words, " ");
	if (words[0] != '\0' && !ui_special(u, words))
		ui_start(u, words);
	u->dirty = true;
}

static void ui_commanded(void *ctx, enum prompt_end end, const char *text)
{
	if (end == PROMPT_DONE)
		ui_do(ctx, text);
}

/* Under the ':' line: what the first word takes and does. */
static void ui_command_typed(void *ctx, enum prompt_end end, const char *text)
{
	struct ui *u = ctx;
	char name[32];
	const struct command *cmd;

	if (end != PROMPT_CHANGED) {
		ui_commanded(ctx, end, text);
		return;
	}
	text += strspn(text, " ");
	snprintf(name, sizeof name, "%.*s", (int)strcspn(text, " "), text);
	cmd = command_find(name);
	if (cmd == NULL)
		snprintf(u->prompt.hint, sizeof u->prompt.hint, "%s", _("Enter runs it, Esc gives up"));
	else
		snprintf(u->prompt.hint, sizeof u->prompt.hint, "%s%s%s: %s", cmd->name,
		    cmd->usage != NULL && cmd->usage[0] != '\0' ? " " : "",
		    cmd->usage != NULL && cmd->usage[0] != '\0' ? _(cmd->usage) : "", _(cmd->summary));
}

void ui_ask_command(struct ui *u, const char *text)
{
	prompt_open(&u->prompt, ":", _("Enter runs it, Esc gives up"), text, u->history,
	    ui_command_typed, u);
	if (text[0] != '\0')
		ui_command_typed(u, PROMPT_CHANGED, text);
	u->dirty = true;
}

/* Screens that may be covered by a result: the operator is not in the middle of something there. */
static bool ui_idle(const struct ui *u)
{
	const struct screen_ops *o = u->top->ops;

	return !u->prompt.open &&
	    (o == &scr_board || o == &scr_start || o == &scr_fleet || o == &scr_timeline ||
	    o == &scr_followups || o == &scr_report || o == &scr_subscribers || o == &scr_progress ||
	    o == &scr_help || o == &scr_inbox);
}

static void ui_show_ended(struct ui *u, struct job *j)
{
	const char *last = j->said.count > 0 ? j->said.line[j->said.count - 1] : NULL;

	j->shown = true;
	if (u->top->ops == &scr_progress && u->top->data == j)
		ui_replace(u, &scr_result, j);
	else if (j->status == EXIT_DONE && j->out.count > 0)
		ui_push(u, &scr_output, j);
	else if (j->title != NULL && j->status != EXIT_REFUSED)
		ui_push(u, &scr_result, j);
	else if (j->status == EXIT_DONE)
		ui_say(u, STYLE_GOOD, "%s: %s", j->command->name, last != NULL ? last : _("done"));
	else if (j->errs != NULL)
		ui_push(u, &scr_errors, j);
	else if (j->err.code != 0)
		ui_say_err(u, &j->err);
	else
		ui_say(u, STYLE_BAD, "%s: %s", j->command->name, last != NULL ? last : _("not done"));
}

void ui_show_job(struct ui *u, struct job *j)
{
	if (j->state == JOB_PLANNED) {
		j->shown = true;
		term_flush();
		ui_push(u, &scr_plan, j);
	} else if (j->state == JOB_ENDED) {
		ui_show_ended(u, j);
	}
}

static void ui_secret_typed(void *ctx, enum prompt_end end, const char *text)
{
	struct ui *u = ctx;
	struct err e = { 0 };

	u->secret = 0;
	u->dirty = true;
	if (end == PROMPT_DONE) {
		engine_secret_give(u->en, text); /* it says of "" that nothing was typed, or too much */
		return;
	}
	err_set(&e, ERR_REFUSED, _("given up at the question for a PIN or passphrase"));
	engine_secret_refuse(u->en, &e);
}

/* Ask what a child waits for, once the prompt is free; stop asking what nobody waits for any more. */
static void ui_secret(struct ui *u)
{
	const struct secret_ask *a = engine_secret(u->en);
	char *label, *hint;

	if (u->secret != 0 && (a == NULL || a->id != u->secret)) {
		prompt_close(&u->prompt);
		u->secret = 0;
		u->dirty = true;
	}
	if (a == NULL || u->prompt.open)
		return;
	label = engine_secret_label(a);
	hint = mem_printf(_("%s%sIt is not shown. Enter gives it, Esc gives up."), a->note,
	    a->note[0] != '\0' ? " " : "");
	u->secret = a->id;
	term_flush();
	prompt_open_secret(&u->prompt, label, hint, ui_secret_typed, u);
	u->dirty = true;
	free(label);
	free(hint);
}

void ui_settle(struct ui *u)
{
	struct job *j;

	ui_secret(u);
	for (size_t i = 0; (j = jobs_at(u->jobs, i)) != NULL && ui_idle(u); i++)
		if (!j->quiet && !j->shown && (j->state == JOB_PLANNED || j->state == JOB_ENDED))
			ui_show_job(u, j);
}

/* Tell the screens of a job's news. One that was waiting for it may leave, and take others along: then
 * nobody is left to be told. */
static void ui_tell(struct ui *u, struct job *j)
{
	unsigned stack = u->stack;

	for (struct screen *s = u->top, *below; s != NULL && u->stack == stack; s = below) {
		void (*hear)(struct screen *, struct job *) =
		    j->state == JOB_PLANNED ? s->ops->planned : s->ops->ended;
		below = s->below;
		if (hear != NULL)
			hear(s, j);
	}
}

static void ui_planned(void *ctx, struct job *j)
{
	struct ui *u = ctx;

	u->dirty = true;
	ui_tell(u, j);
	if (!j->quiet && !j->shown && !ui_idle(u))
		ui_say(u, STYLE_WARN, _("%s: the plan is ready; it opens when you are back."),
		    j->command->name);
}

static void ui_ended(void *ctx, struct job *j)
{
	struct ui *u = ctx;

	u->dirty = true;
	ui_tell(u, j);
}

static void ui_said(void *ctx, struct job *j, const char *line)
{
	struct ui *u = ctx;

	if (j == NULL)
		ui_say(u, STYLE_BAD, "%s", line);
	else if (!j->quiet && u->top->data != j) /* its own screen shows it already */
		ui_say(u, STYLE_PLAIN, "%s: %s", j->command->name, line);
}

const struct job_hooks ui_hooks = {
	.planned = ui_planned,
	.ended = ui_ended,
	.said = ui_said,
};
