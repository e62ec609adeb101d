/* The incident as a whole: declare, list, arm, note, close by hand. */
#include <stdlib.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "comms/grounds.h"
#include "engine/run.h"
#include "journal/journal.h"
#include "work/declare.h"
#include "work/intake_store.h"

/* What the incident takes over from a report: see incident.h. New; NULL with an error. */
static json_t *open_report(struct engine *en, const char *id, struct err *e)
{
	json_t *o = intake_get(engine_state(en), id, e), *report = NULL;
	const char *ca = o != NULL ? intake_ca(o) : "";

	if (o != NULL && json_str(o, "incident")[0] != '\0') {
		err_set(e, ERR_REFUSED, _("report %s belongs to incident %s already"), json_str(o, "id"), json_str(o, "incident"));
		err_remedy(e, _("go on there: sev1 -i %s status"), json_str(o, "incident"));
	} else if (o != NULL) {
		report = json_object();
		json_put(report, "id", json_str(o, "id"));
		json_put(report, "subject", json_str(o, "subject"));
		json_put(report, "reporter", json_str(o, "from"));
		json_put(report, "channel", json_str(o, "channel"));
		json_put(report, "ca", ca);
		json_put_num(report, "received", json_num(o, "received", 0));
		json_object_set(report, "hops", json_object_get(o, "hops"));
		json_object_set(report, "keys", json_object_get(o, "keys"));
		json_object_set_new(report, "selectors", intake_selectors(o, ca));
		json_object_set_new(report, "others", intake_others(o, ca));
		json_put(report, "reason", grounds_kept(o).reason);
	}
	json_decref(o);
	return report;
}

/* The report says whose it is now. */
static int open_linked(struct engine *en, const char *id, struct err *e)
{
	int lock = intake_lock(engine_state(en), e), rc = lock;
	json_t *o = lock >= 0 ? intake_get(engine_state(en), id, e) : NULL;

	if (o != NULL) {
		json_put(o, "incident", engine_incident(en)->id);
		json_put(o, "state", "incident");
		json_put_num(o, "opened_alert", json_num(o, "alert", 0)); /* what comes after that is news to the incident */
		intake_log(o, _("incident %s opened"), engine_incident(en)->id);
		rc = intake_save(engine_state(en), o, e);
	} else if (lock >= 0) {
		rc = e->code;
	}
	json_decref(o);
	if (lock >= 0)
		close(lock);
	return rc < 0 ? rc : 0;
}

/* An incident has one CA: what the report names of another would be forgotten. */
static void open_others(struct run *r)
{
	const json_t *report = engine_incident(run_engine(r))->report;
	const char *ca;
	char count[64];
	json_t *n;

	json_object_foreach(json_object_get(report, "others"), ca, n)
		run_out(r, _("%s also names %s of %s, which this incident does not cover: declare another one for that"),
		    json_str(report, "id"), text_certificates(count, json_integer_value(n)), ca);
}

static void open_start(struct run *r)
{
	struct engine *en = run_engine(r);
	const char *title = args_get(run_args(r), "title"), *when = args_get(run_args(r), "declared");
	const char *id = args_get(run_args(r), "report");
	int64_t declared = clock_now();
	struct err e = { 0 };
	json_t *report = NULL;
	int rc;

	if (when != NULL && clock_parse_when(when, clock_now(), &declared) < 0) {
		err_set(&e, ERR_USAGE, _("open: '%s' is not a time"), when);
		err_remedy(&e, _("write 2026-08-31T02:14Z, -20m or now"));
		run_fail(r, &e);
		return;
	}
	if (engine_incident(en) != NULL && !engine_incident(en)->closed) {
		err_set(&e, ERR_REFUSED, _("incident %s is open here"), engine_incident(en)->id);
		err_remedy(&e, _("close it first, or open another from a second console"));
		run_fail(r, &e);
		return;
	}
	if (id != NULL && (report = open_report(en, id, &e)) == NULL) {
		run_fail(r, &e);
		return;
	}
	if (title == NULL)
		title = json_str(report, "subject");
	rc = incident_declare_of(en, title, declared, report, &e);
	if (rc == 0 && report != NULL)
		rc = open_linked(en, json_str(report, "id"), &e);
	json_decref(report);
	if (rc < 0) {
		run_fail(r, &e);
		return;
	}
	run_out(r, _("Incident %s declared; everything is recorded in %s"), engine_incident(en)->id,
	    journal_path(engine_journal(en)));
	open_others(r);
	json_put(run_result(r), "id", engine_incident(en)->id);
	json_put(run_result(r), "path", journal_path(engine_journal(en)));
	run_end(r, EXIT_DONE);
}

const struct command cmd_open = {
	.name = "open", .key = NULL, .usage = "",
	.summary = N_("declare an incident: its clocks start now"),
	.options = (const struct option[]){
		{ "title", "TEXT", N_("what happened, in a few words; triage fills it in otherwise") },
		{ "declared", N_("TIME"), N_("when it was declared: 2026-08-31T02:14Z, -20m, now (default)") },
		{ "report", "ID", N_("a problem report (sev1 intake list): triage takes its receipt, channel, reporter and certificates") },
		{ NULL, NULL, NULL } },
	.start = open_start,
};

static void close_start(struct run *r)
{
	const char *reason = args_get(run_args(r), "reason");
	json_t *body = json_object();
	struct err e = { 0 };

	if (reason == NULL || reason[0] == '\0') {
		json_decref(body);
		err_set(&e, ERR_USAGE, _("close needs --reason: why the incident is over"));
		run_fail(r, &e);
		return;
	}
	json_put(body, "reason", reason);
	if (run_append(r, EV_CLOSED, body) == 0)
		run_end(r, EXIT_DONE);
}

const struct command cmd_close = {
	.name = "close", .usage = "", .summary = N_("close the incident; its file stays, follow-ups go on"),
	.options = (const struct option[]){ { "reason", "TEXT", N_("why it is over") }, { NULL, NULL, NULL } },
	.gates = GATE_INCIDENT, .start = close_start,
};

static json_t *list_entry(const struct incident_entry *it)
{
	json_t *o = json_object();

	json_put(o, "path", it->path);
	if (it->error != NULL) {
		json_put(o, "error", it->error);
		return o;
	}
	json_put(o, "id", it->id);
	json_put(o, "title", it->title);
	json_put(o, "kind", it->drill ? "drill" : "real");
	json_object_set_new(o, "closed", json_boolean(it->closed));
	json_put_num(o, "declared", it->declared);
	json_put_num(o, "checkpoints", (int64_t)it->checkpoints);
	json_put_num(o, "checkpoints_done", (int64_t)it->checkpoints_done);
	json_put_num(o, "overdue_followups", (int64_t)it->overdue);
	json_put_num(o, "fuse", it->fuse);
	return o;
}

static void list_start(struct run *r)
{
	size_t n;
	struct incident_entry *list;
	json_t *all;
	char at[24];

	if (engine_astray(run_engine(r))) {
		run_fail(r, engine_config_error(run_engine(r)));
		return;
	}
	list = model_incidents(run_engine(r), &n);
	all = json_array();
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(all, list_entry(&list[i]));
		if (list[i].error != NULL)
			run_out(r, "%-16s %s", "?", list[i].error);
		else
			run_out(r, "%-16s %s  %-6s %zu/%zu  %s", list[i].id, clock_iso(at, sizeof at, list[i].declared),
			    list[i].closed ? _("closed") : _("open"), list[i].checkpoints_done,
			    list[i].checkpoints, list[i].title);
	}
	if (n == 0)
		run_out(r, _("No incidents in %s"), engine_state(run_engine(r)));
	json_object_set_new(run_result(r), "incidents", all);
	model_incidents_free(list, n);
	run_end(r, EXIT_DONE);
}

const struct command cmd_list = {
	.name = "list", .usage = "", .summary = N_("list the incidents of the state folder"), .start = list_start,
};

static void arm_set(struct run *r, bool on)
{
	if (run_append(r, EV_ARMED, json_pack("{s:b}", "on", on)) < 0)
		return;
	engine_arm(run_engine(r), on);
	run_say(r, on ? _("armed: confirmed plans run from this console") : _("observing: nothing can be changed"));
	run_end(r, EXIT_DONE);
}

static void arm_start(struct run *r)
{
	arm_set(r, true);
}

static void disarm_start(struct run *r)
{
	arm_set(r, false);
}

const struct command cmd_arm = {
	.name = "arm", .key = "a", .usage = "", .summary = N_("let this console run confirmed plans"),
	.gates = GATE_INCIDENT, .start = arm_start,
};

const struct command cmd_disarm = {
	.name = "disarm", .usage = "", .summary = N_("back to observing"),
	.gates = GATE_INCIDENT, .start = disarm_start,
};

static void note_start(struct run *r)
{
	struct buf text = { 0 };
	const char *word;
	json_t *body;
	struct err e = { 0 };

	for (size_t i = 0; (word = args_nth(run_args(r), "", i)) != NULL; i++)
		buf_addf(&text, "%s%s", i > 0 ? " " : "", word);
	if (text.len == 0) {
		err_set(&e, ERR_USAGE, _("note needs a text"));
		run_fail(r, &e);
		return;
	}
	body = json_object();
	json_put(body, "text", text.data);
	buf_free(&text);
	if (run_append(r, EV_NOTE, body) == 0)
		run_end(r, EXIT_DONE);
}

const struct command cmd_note = {
	.name = "note", .key = "n", .usage = N_("TEXT"), .summary = N_("write a line into the journal"),
	.gates = GATE_INCIDENT, .start = note_start,
};

static void checkpoint_start(struct run *r)
{
	const char *n = args_nth(run_args(r), "", 0), *reason = args_get(run_args(r), "reason");
	const struct checkpoint *c = n != NULL ? incident_checkpoint(run_incident(r), atoi(n)) : NULL;
	struct err e = { 0 };
	json_t *body;

	if (c == NULL) {
		err_set(&e, ERR_USAGE, _("checkpoint: which one? there is no checkpoint '%s'"), n != NULL ? n : "");
		run_fail(r, &e);
		return;
	}
	if (reason == NULL || reason[0] == '\0') {
		err_set(&e, ERR_USAGE, _("checkpoint %d: closing it without evidence needs --reason"), c->n);
		run_fail(r, &e);
		return;
	}
	body = json_object();
	json_put_num(body, "n", c->n);
	json_put(body, "state", args_has(run_args(r), "reopen") ? N_("reopened") :
	    args_has(run_args(r), "waive") ? N_("waived") : N_("by hand"));
	json_put(body, "reason", reason);
	if (run_append(r, EV_CHECKPOINT, body) == 0)
		run_end(r, EXIT_DONE);
}

const struct command cmd_checkpoint = {
	.name = "checkpoint", .usage = N_("N"),
	.summary = N_("close a checkpoint by hand, waive or reopen it, with the reason"),
	.options = (const struct option[]){
		{ "reason", "TEXT", N_("why evidence is not needed; it is shown and reported") },
		{ "waive", NULL, N_("it does not apply") },
		{ "reopen", NULL, N_("evidence counts again") },
		{ NULL, NULL, NULL } },
	.gates = GATE_INCIDENT, .start = checkpoint_start,
};
