/* What is owed after the hour: list the follow-ups, close one with what came of it. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/engine.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"

static void followup_list(struct run *r)
{
	const struct incident *in = run_incident(r);
	int64_t now = clock_now();
	json_t *all = json_array(), *o;
	char due[32];

	for (size_t i = 0; i < in->followups; i++) {
		const struct followup *f = &in->followup[i];
		bool overdue = !f->done && f->due >= 0 && f->due < now;

		run_out(r, "%2d  %-9s %-20s  %s%s%s", f->n,
		    f->done ? _("done") : overdue ? _("OVERDUE") : _("open"),
		    f->due < 0 ? _("per regulation") : clock_iso(due, sizeof due, f->due), f->title,
		    f->text[0] != '\0' ? ": " : "", f->text);
		o = json_object();
		json_put_num(o, "n", f->n);
		json_put(o, "title", f->title);
		json_put_num(o, "due", f->due);
		json_object_set_new(o, "done", json_boolean(f->done));
		json_object_set_new(o, "overdue", json_boolean(overdue));
		json_put(o, "text", f->text);
		json_array_append_new(all, o);
	}
	json_object_set_new(run_result(r), "followups", all);
	if (in->followups == 0)
		run_out(r, _("The playbook names no follow-ups."));
	run_end(r, EXIT_DONE);
}

static const struct followup *followup_find(const struct incident *in, const char *word)
{
	char *end;
	long n = strtol(word, &end, 10);

	for (size_t i = 0; end != word && *end == '\0' && i < in->followups; i++)
		if (in->followup[i].n == n)
			return &in->followup[i];
	return NULL;
}

static void followup_start(struct run *r)
{
	const char *word = args_nth(run_args(r), "", 0), *text = args_get(run_args(r), "done");
	bool reopen = args_has(run_args(r), "reopen");
	const struct followup *f;
	struct err e = { 0 };
	json_t *body;

	if (reopen)
		text = args_get(run_args(r), "reopen");
	if (word == NULL && text == NULL) {
		followup_list(r);
		return;
	}
	if (word == NULL || (f = followup_find(run_incident(r), word)) == NULL) {
		err_set(&e, ERR_USAGE, _("there is no follow-up '%s'"), word != NULL ? word : "");
		err_remedy(&e, _("list them with: sev1 followup"));
		run_fail(r, &e);
		return;
	}
	if (text == NULL || text[strspn(text, " \t")] == '\0') {
		err_set(&e, ERR_USAGE, _("follow-up %d: what came of it?"), f->n);
		err_remedy(&e, _("say it: sev1 followup %d --done \"...\""), f->n);
		run_fail(r, &e);
		return;
	}
	body = json_object();
	json_put_num(body, "n", f->n);
	json_object_set_new(body, "done", json_boolean(!reopen));
	json_put(body, "text", text);
	if (run_append(r, EV_FOLLOWUP, body) < 0)
		return;
	followup_list(r);
}

const struct command cmd_followup = {
	.name = "followup", .key = "f", .usage = N_("[N]"),
	.summary = N_("list what is owed after the incident, or close one of it"),
	.options = (const struct option[]){
		{ "done", N_("TEXT"), N_("close follow-up N: what came of it, or where it lies") },
		{ "reopen", N_("TEXT"), N_("open follow-up N again: why") },
		{ NULL, NULL, NULL } },
	.gates = GATE_INCIDENT, .start = followup_start,
};
