/* What is owed after the hour, one list with two doors: the playbook's follow-ups are closed with what came of them,
 * action items are added and changed. Both can be taken into a calendar. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/run.h"
#include "incident/owed.h"
#include "report/ical.h"

#define TITLE_MAX 400

static json_t *owed_json(const struct incident *in, const struct followup *f, int64_t now)
{
	json_t *o = json_object();

	json_put_num(o, "n", f->n);
	json_put(o, "title", f->title);
	json_put_num(o, "due", f->due);
	json_object_set_new(o, "done", json_boolean(f->done));
	json_object_set_new(o, "overdue", json_boolean(followup_overdue(in, f, now)));
	json_put(o, "text", f->text);
	json_put(o, "kind", f->kind);
	json_put(o, "cause", f->cause);
	json_put(o, "criteria", f->criteria);
	json_put(o, "status", owed_status_name(f->status));
	return o;
}

static void owed_show(struct run *r, const struct followup *f, int64_t now)
{
	const struct incident *in = run_incident(r);
	bool item = f->kind[0] != '\0';
	char due[32], pad[64];

	run_out(r, "%2d  %s %-20s  %s%s%s", f->n,
	    text_pad(pad, sizeof pad, followup_overdue(in, f, now) ? _("OVERDUE") : _(followup_state(in, f, now)), 10),
	    f->due >= 0 ? clock_iso(due, sizeof due, f->due) : item ? _("no due date") : _("per regulation"), f->title,
	    f->text[0] != '\0' ? ": " : "", f->text);
	if (item)
		run_out(r, _("    %s   root causes %s   criteria: %s"), f->kind, f->cause[0] != '\0' ? f->cause : "-",
		    f->criteria[0] != '\0' ? f->criteria : "-");
}

/* items: action items only. */
static void owed_list(struct run *r, bool items)
{
	const struct incident *in = run_incident(r);
	int64_t now = clock_now();
	json_t *all = json_array();

	for (size_t i = 0; i < in->followups; i++) {
		const struct followup *f = &in->followup[i];

		if ((items && f->kind[0] == '\0') || !followup_owed(in, f, now))
			continue;
		owed_show(r, f, now);
		json_array_append_new(all, owed_json(in, f, now));
	}
	if (json_array_size(all) == 0)
		run_out(r, "%s", items ? _("There are no action items. Add one: sev1 action add \"...\" --kind Prevent") :
		    _("The playbook names no follow-ups."));
	json_object_set_new(run_result(r), items ? "actions" : "followups", all);
	run_end(r, EXIT_DONE);
}

static const struct followup *owed_find(const struct incident *in, const char *word)
{
	char *end;
	long n = strtol(word, &end, 10);

	return end != word && *end == '\0' && n > 0 && n < 100000 ? incident_followup(in, (int)n) : NULL;
}

static void followup_ical(struct run *r, const char *given)
{
	char *cwd = realpath(".", NULL), *path = fs_join(cwd != NULL ? cwd : ".", given);
	struct buf b = { 0 };
	struct err e = { 0 };

	ical_write(run_incident(r), clock_now(), &b);
	if (fs_write(path, buf_str(&b), b.len, 0600, &e) < 0) {
		err_remedy(&e, _("name another file with --ical"));
		run_fail(r, &e);
	} else {
		run_out(r, _("Calendar written to %s"), path);
		json_put(run_result(r), "path", path);
		run_end(r, EXIT_DONE);
	}
	buf_free(&b);
	free(path);
	free(cwd);
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
	if (args_has(run_args(r), "ical")) {
		followup_ical(r, args_get(run_args(r), "ical"));
		return;
	}
	if (word == NULL && text == NULL) {
		owed_list(r, false);
		return;
	}
	if (word == NULL || (f = owed_find(run_incident(r), word)) == NULL) {
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
	owed_list(r, false);
}

const struct command cmd_followup = {
	.name = "followup", .key = "f", .usage = N_("[N]"),
	.summary = N_("list what is owed after the incident, or close one of it"),
	.options = (const struct option[]){
		{ "done", N_("TEXT"), N_("close follow-up N: what came of it, or where it lies") },
		{ "reopen", N_("TEXT"), N_("open follow-up N again: why") },
		{ "ical", N_("FILE"), N_("write all of it, action items too, as iCalendar; replaces the file") },
		{ NULL, NULL, NULL } },
	.gates = GATE_INCIDENT, .start = followup_start,
};

/* ---- action items ---- */

/* A day counts to its end, UTC. */
static int action_due(const char *word, int64_t *ms, struct err *e)
{
	char *day = mem_printf("%sT23:59Z", word);
	int rc = strlen(word) == 10 ? clock_parse(day, ms) : clock_parse(word, ms);

	free(day);
	if (rc == 0)
		return 0;
	err_set(e, ERR_USAGE, _("action: '%s' is not a day"), word);
	return err_remedy(e, _("write 2026-10-31, or a time as 2026-10-31T12:00Z"));
}

static int action_causes(const char *text, struct err *e)
{
	struct owed_cause c;

	while (owed_cause_next(&text, &c)) {
		if (c.n > 0)
			continue;
		err_set(e, ERR_USAGE, _("action: '%s' names no root cause"), c.word);
		return err_remedy(e, _("write 1 for contributing factor 1, w2 for the second of what didn't go well, d1 and dw1 for "
		    "those of the delay report"));
	}
	return 0;
}

/* The options that were given, checked, as members of body. */
static int action_options(const struct args *a, json_t *body, struct err *e)
{
	static const struct {
		const char *option, *member;
	} plain[] = { { "title", "title" }, { "cause", "cause" }, { "criteria", "criteria" }, { "note", "text" } };
	const char *kind = args_get(a, "kind"), *due = args_get(a, "due"), *status = args_get(a, "status");
	int64_t ms;

	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
		if (args_has(a, plain[i].option))
			json_put(body, plain[i].member, args_get(a, plain[i].option));
	if (args_has(a, "cause") && action_causes(args_get(a, "cause"), e) < 0)
		return e->code;
	if (kind != NULL && owed_kind_of(kind) == NULL)
		return err_set(e, ERR_USAGE, _("action: the kind is Prevent, Mitigate or Detect, not '%s'"), kind);
	if (kind != NULL)
		json_put(body, "kind", owed_kind_of(kind));
	if (status != NULL && owed_status_of(status) < 0)
		return err_set(e, ERR_USAGE, _("action: the status is Ongoing, Complete, Delayed or Canceled, not '%s'"), status);
	if (status != NULL)
		json_put(body, "status", owed_status_name((enum owed_status)owed_status_of(status)));
	if (due != NULL && action_due(due, &ms, e) < 0)
		return e->code;
	if (due != NULL)
		json_put_num(body, "due", ms);
	return 0;
}

static int action_add(struct run *r, json_t *body, struct err *e)
{
	const char *title = args_nth(run_args(r), "", 1);

	if (title == NULL || title[strspn(title, " \t")] == '\0' || strlen(title) > TITLE_MAX || !args_has(run_args(r), "kind")) {
		err_set(e, ERR_USAGE, _("action add: a title (at most %d octets) and a kind are needed"), TITLE_MAX);
		return err_remedy(e, _("say: sev1 action add \"Route revocation requests\" --kind Prevent --cause 1 --due 2026-10-31"));
	}
	json_put_num(body, "n", incident_followup_next(run_incident(r)));
	json_put(body, "title", title);
	json_put(body, "status", "Ongoing");
	return 0;
}

static int action_set(struct run *r, json_t *body, struct err *e)
{
	const char *word = args_nth(run_args(r), "", 1), *name;
	const struct followup *f = word != NULL ? owed_find(run_incident(r), word) : NULL;
	bool any = false;

	if (f == NULL) {
		err_set(e, ERR_USAGE, _("action set: there is no item '%s'"), word != NULL ? word : "");
		return err_remedy(e, _("list them with: sev1 followup"));
	}
	for (size_t i = 0; args_at(run_args(r), i, &name) != NULL; i++)
		any = any || (name[0] != '\0' && strcmp(name, "json") != 0);
	if (!any) {
		err_set(e, ERR_USAGE, _("action set %d: what is to change?"), f->n);
		return err_remedy(e, _("say: sev1 action set %d --status Complete --note \"...\""), f->n);
	}
	json_put_num(body, "n", f->n);
	return 0;
}

static void action_start(struct run *r)
{
	const char *verb = args_nth(run_args(r), "", 0);
	json_t *body;
	struct err e = { 0 };
	int rc;

	if (verb == NULL || strcmp(verb, "list") == 0) {
		owed_list(r, true);
		return;
	}
	body = json_object();
	if (strcmp(verb, "add") == 0) {
		rc = action_add(r, body, &e);
	} else if (strcmp(verb, "set") == 0) {
		rc = action_set(r, body, &e);
	} else {
		rc = err_set(&e, ERR_USAGE, _("action: '%s' is none of add, set, list"), verb);
		err_remedy(&e, _("see: sev1 help action"));
	}
	if (rc == 0)
		rc = action_options(run_args(r), body, &e);
	if (rc < 0) {
		json_decref(body);
		run_fail(r, &e);
		return;
	}
	if (run_append(r, EV_ITEM, body) == 0)
		owed_list(r, true);
}

const struct command cmd_action = {
	.name = "action", .usage = N_("[add TITLE | set N | list]"),
	.summary = N_("the action items of the incident report"),
	.options = (const struct option[]){
		{ "kind", N_("KIND"), N_("Prevent, Mitigate or Detect") },
		{ "cause", N_("LIST"), N_("what it answers: 1 (contributing factor 1), w2 (the second of what didn't go well), d1, dw1 (of the delay report)") },
		{ "criteria", N_("TEXT"), N_("how it is seen that it is done and works") },
		{ "due", N_("DATE"), N_("2026-10-31, or a time with its zone") },
		{ "status", N_("STATUS"), N_("Ongoing, Complete, Delayed or Canceled") },
		{ "title", N_("TEXT"), N_("another title") },
		{ "note", N_("TEXT"), N_("what came of it") },
		{ NULL, NULL, NULL } },
	.gates = GATE_INCIDENT, .start = action_start,
};
