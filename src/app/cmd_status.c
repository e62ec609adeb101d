/* Where the incident stands, from its journal: status, timeline, audit, watch. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/run.h"
#include "incident/owed.h"
#include "journal/journal.h"
#include "work/deadlines.h"
#include "work/renewal.h"
#include "work/replaced.h"
#include "work/rollout.h"

static json_t *status_clock(int64_t left)
{
	return left == INT64_MIN ? json_null() : json_integer((json_int_t)(left / 1000));
}

static void status_checkpoints(struct run *r, const struct incident *in, int64_t now)
{
	json_t *all = json_array(), *o;
	char clock[40], pad[64];

	for (size_t i = 0; i < in->checkpoints; i++) {
		const struct checkpoint *c = &in->checkpoint[i];
		run_out(r, "  %d %-28s +%dm %10s  %s %s", c->n, c->title, c->due,
		    checkpoint_clock(clock, sizeof clock, in, c, now), text_pad(pad, sizeof pad, _(checkpoint_word(in, c, now)), 8),
		    c->shown);
		o = json_object();
		json_put_num(o, "n", c->n);
		json_put(o, "title", c->title);
		json_put_num(o, "due", in->declared + (int64_t)c->due * 60000);
		json_put(o, "state", checkpoint_state(c));
		json_put_num(o, "done_at", c->done_at);
		json_put(o, "evidence", c->shown);
		json_array_append_new(all, o);
	}
	json_object_set_new(run_result(r), "checkpoints", all);
}

static void status_followups(struct run *r, const struct incident *in, int64_t now)
{
	json_t *all = json_array(), *o;
	char at[24];

	for (size_t i = 0; i < in->followups; i++) {
		const struct followup *f = &in->followup[i];
		bool overdue = followup_overdue(in, f, now);

		if (!followup_owed(in, f, now))
			continue;
		if (overdue)
			run_out(r, f->kind[0] != '\0' ? _("OVERDUE action item %d: %s, due %s") :
			    _("OVERDUE follow-up %d: %s, due %s"), f->n, f->title, clock_iso(at, sizeof at, f->due));
		o = json_object();
		json_put_num(o, "n", f->n);
		json_put(o, "title", f->title);
		json_put_num(o, "due", f->due);
		json_put(o, "kind", f->kind);
		json_put(o, "status", owed_status_name(f->status));
		json_object_set_new(o, "done", json_boolean(f->done));
		json_object_set_new(o, "overdue", json_boolean(overdue));
		json_array_append_new(all, o);
	}
	json_object_set_new(run_result(r), "followups", all);
}

static void status_start(struct run *r)
{
	const struct incident *in = run_incident(r);
	const struct checkpoint *next = incident_next(in);
	int64_t now = clock_now();
	char a[32], b[32], c[32], *line;
	json_t *o = run_result(r);
	bool bad;

	run_out(r, "%s  %s%s%s", in->id, in->drill ? _("DRILL  ") : "", in->title, in->closed ? _("  (closed)") : "");
	run_out(r, _("RTO %s left   deadline %s left   CRL fuse %s"), clock_span(a, sizeof a, incident_rto_left(in, now)),
	    clock_span(b, sizeof b, incident_deadline_left(in, now)),
	    clock_span(c, sizeof c, incident_fuse_left(in, now)));
	line = renewal_line(in, run_config(r), now, &bad);
	if (line[0] != '\0')
		run_out(r, "%s", line);
	json_put(o, "renewal", line);
	json_object_set_new(o, "renewal_on", json_boolean(in->renewal));
	json_object_set_new(o, "ladder_until", incident_ladder_end(in) == INT64_MIN ? json_null() : json_integer((json_int_t)incident_ladder_end(in)));
	free(line);
	line = replaced_words(in);
	if (line[0] != '\0')
		run_out(r, "%s", line);
	json_put(o, "replaced", line);
	free(line);
	line = deadlines_line(in, now, &bad);
	if (line[0] != '\0')
		run_out(r, "%s", line);
	json_put(o, "deadline", line);
	free(line);
	status_checkpoints(r, in, now);
	rollout_say(r);
	if (run_config(r) != NULL && run_config(r)->missing.total > 0)
		run_out(r, ngettext("The configuration names %zu file that is not there: sev1 doctor",
		    "The configuration names %zu files that are not there: sev1 doctor", run_config(r)->missing.total),
		    run_config(r)->missing.total);
	status_followups(r, in, now);
	run_out(r, next != NULL ? _("Next: %s (sev1 %s)") : _("Every checkpoint is closed."),
	    next != NULL ? next->title : "", next != NULL ? next->command : "");
	json_put(o, "id", in->id);
	json_put(o, "title", in->title);
	json_put(o, "kind", in->drill ? "drill" : "real");
	json_object_set_new(o, "closed", json_boolean(in->closed));
	json_put_num(o, "declared", in->declared);
	json_object_set_new(o, "rto_left_s", status_clock(incident_rto_left(in, now)));
	json_object_set_new(o, "deadline_left_s", status_clock(incident_deadline_left(in, now)));
	json_object_set_new(o, "fuse_left_s", status_clock(incident_fuse_left(in, now)));
	json_put(o, "next", next != NULL ? next->command : "");
	json_put_num(o, "scope", in->scope_count);
	json_put_num(o, "hosts", (int64_t)in->hosts);
	json_put_num(o, "hosts_verified", (int64_t)in->hosts_verified);
	if (in->rollout.state != ROLLOUT_NONE)
		json_object_set_new(o, "rollout", rollout_json(run_engine(r)));
	run_end(r, EXIT_DONE);
}

const struct command cmd_status = {
	.name = "status", .usage = "", .summary = N_("where the incident stands, and what comes next"),
	.gates = GATE_INCIDENT, .start = status_start,
};

/* ---- timeline ---- */

static int timeline_event(void *ctx, const struct event *ev, struct err *e)
{
	struct run *r = ctx;
	json_t *o = json_object();
	char at[24], *text = event_text(ev);

	(void)e;
	run_out(r, "%s  %-8s %s", clock_iso(at, sizeof at, ev->at), ev->actor, text);
	json_put_num(o, "seq", ev->seq);
	json_put(o, "at", at);
	json_put(o, "actor", ev->actor);
	json_put(o, "kind", event_name(ev->kind));
	json_put(o, "text", text);
	json_object_set(o, "body", ev->body);
	json_array_append_new(json_object_get(run_result(r), "events"), o);
	free(text);
	return 0;
}

static void timeline_start(struct run *r)
{
	struct err e = { 0 };

	json_object_set_new(run_result(r), "events", json_array());
	if (journal_each(engine_journal(run_engine(r)), 0, timeline_event, r, &e) < 0)
		run_fail(r, &e);
	else
		run_end(r, EXIT_DONE);
}

const struct command cmd_timeline = {
	.name = "timeline", .key = "L", .usage = "", .summary = N_("every event in order, times in UTC"),
	.gates = GATE_INCIDENT, .start = timeline_start,
};

/* ---- audit ---- */

static void audit_start(struct run *r)
{
	const char *path = args_nth(run_args(r), "", 0);
	struct journal *j = NULL;
	struct err e = { 0 };
	int64_t rows = 0;
	char head[65] = "";
	int rc;

	if (path != NULL || engine_journal(run_engine(r)) == NULL) {
		char *found = engine_find(run_engine(r), path, &e);
		j = found != NULL ? journal_open(found, true, &e) : NULL;
		free(found);
		if (j == NULL) {
			run_fail(r, &e);
			return;
		}
	}
	rc = journal_audit(j != NULL ? j : engine_journal(run_engine(r)), &rows, head, &e);
	json_object_set_new(run_result(r), "verified", json_boolean(rc == 0));
	json_put_num(run_result(r), "rows", rows);
	json_put(run_result(r), "head", head);
	journal_free(j);
	if (rc < 0) {
		json_put(run_result(r), "error", e.text);
		run_fail(r, &e);
		return;
	}
	run_out(r, _("The journal verifies: %lld rows, head sha256 %s"), (long long)rows, head);
	run_end(r, EXIT_DONE);
}

const struct command cmd_audit = {
	.name = "audit", .usage = N_("[FILE]"),
	.summary = N_("verify the journal's chain; a row changed by hand is named"), .start = audit_start,
};
