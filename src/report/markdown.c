/* The report in Markdown: CommonMark with the tables of GitHub. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "incident/owed.h"
#include "report/md.h"
#include "report/report.h"

static void md_summary(const struct report *r, struct buf *b)
{
	const struct incident *in = r->in;
	int64_t published = report_closed_at(r, "crl-published");

	buf_adds(b, "# ");
	md_text(b, in->id);
	buf_adds(b, ": ");
	md_text(b, in->title);
	buf_adds(b, "\n\n");
	if (in->drill)
		buf_addf(b, "**%s**\n\n", _("DRILL: an exercise in a sandbox. Nothing here happened to real systems."));
	md_fact(b, _("Organisation"), in->organisation);
	md_fact_time(b, _("Declared"), in->declared);
	md_fact(b, _("State"), in->closed ? _("closed") : _("open"));
	if (in->triage.answered) {
		md_fact(b, _("Affected CA"), in->triage.ca);
		md_fact(b, _("Level"), in->triage.level);
		md_fact(b, _("Compromise"), report_compromise(in));
		md_fact(b, _("Trigger"), in->triage.trigger);
		md_fact(b, _("Action"), in->triage.action);
		md_fact_time(b, _("First received"), in->triage.received);
		md_fact(b, _("Channel"), in->triage.channel);
		md_fact(b, _("Reporter"), in->triage.reporter);
		md_fact_time(b, _("Compromised since"), in->triage.since);
		md_fact_time(b, _("Revocation deadline"), in->triage.deadline);
		if (published > 0 && in->triage.deadline > 0) {
			buf_addf(b, "- **%s:** ", _("Revocation published"));
			md_margin(b, in->triage.deadline - published);
			buf_addc(b, '\n');
		}
	}
	buf_addc(b, '\n');
}

static void md_checkpoints(const struct report *r, struct buf *b)
{
	md_head(b, _("Checkpoints"), _("# | Checkpoint | Due | Closed | Margin | State | Evidence or reason"));
	for (size_t i = 0; i < r->in->checkpoints; i++) {
		const struct checkpoint *c = &r->in->checkpoint[i];

		buf_addf(b, "| %d |", c->n);
		md_cell(b, c->title);
		md_time(b, report_due(r, c));
		md_time(b, c->done_at);
		buf_addc(b, ' ');
		if (c->done_at > 0 || report_margin(r, c) < 0)
			md_margin(b, report_margin(r, c));
		buf_adds(b, " |");
		md_cell(b, _(report_checkpoint_state(c)));
		md_cell(b, c->shown);
		buf_addc(b, '\n');
	}
	buf_addc(b, '\n');
}

static void md_scope(const struct report *r, struct buf *b)
{
	const struct incident *in = r->in;

	if (!in->scope_frozen)
		return;
	md_head(b, _("Scope"), _("CA | Valid | Expired | Revoked before | Unreadable | To be revoked | Manifest (SHA-256)"));
	for (size_t i = 0; i < in->scopes; i++) {
		const struct ca_scope *s = &in->scope[i];

		buf_addc(b, '|');
		md_cell(b, s->ca);
		md_count(b, s->valid);
		md_count(b, s->expired);
		md_count(b, s->revoked);
		md_count(b, s->unreadable);
		md_count(b, s->selected);
		md_cell(b, s->manifest);
		buf_addc(b, '\n');
	}
	buf_addc(b, '\n');
	for (size_t i = 0; i < in->owns; i++) {
		buf_adds(b, "- ");
		md_text(b, in->own[i].subject);
		buf_adds(b, _(": the CA's own certificate, serial "));
		md_text(b, in->own[i].serial);
		buf_adds(b, _(", on the CRL of "));
		md_text(b, in->own[i].issuer);
		buf_addc(b, '\n');
	}
	buf_adds(b, in->owns > 0 ? "\n" : "");
	md_fact(b, _("Whole manifest (SHA-256)"), in->manifest);
	buf_addc(b, '\n');
}

static void md_actions(const struct report *r, struct buf *b)
{
	struct buf lines = { 0 };
	char iso[32], span[32];

	if (r->in->actions == 0)
		return;
	md_head(b, _("Containment"), NULL);
	for (size_t i = 0; i < r->in->actions; i++) {
		const struct action *a = &r->in->action[i];

		buf_adds(b, "### ");
		md_text(b, a->title);
		buf_adds(b, "\n\n");
		md_fact(b, _("State"), _(report_action_state(a)));
		md_fact(b, _("Host"), a->host[0] != '\0' ? a->host : _("this machine"));
		if (a->at > 0)
			buf_addf(b, "- **%s:** %s (%s)\n", _("At"), clock_iso(iso, sizeof iso, a->at),
			    md_took(span, sizeof span, a->ms));
		md_fact(b, _("Detail"), a->detail);
		md_fact(b, "SHA-256", a->sha256);
		buf_addc(b, '\n');
		md_line(&lines, "run", a->command);
		md_line(&lines, "verify", a->verify);
		md_line(&lines, "undo", a->undo);
		md_block(b, &lines);
		buf_clear(&lines);
	}
	buf_free(&lines);
}

static void md_plans(const struct report *r, struct buf *b)
{
	struct buf answer = { 0 };
	bool any = false;

	for (size_t i = 0; i < r->events; i++) {
		const struct event *ev = &r->event[i], *then;

		if (ev->kind != EV_PLAN)
			continue;
		if (!any)
			md_head(b, _("Plans"), _("Made | Command | Plan | SHA-256 | Answered | Answer | By"));
		any = true;
		then = report_verdict_of(r, i);
		buf_addc(b, '|');
		md_time(b, ev->at);
		md_cell(b, json_str(ev->body, "command"));
		md_cell(b, json_str(ev->body, "title"));
		md_cell(b, json_str(ev->body, "hash"));
		md_time(b, then != NULL ? then->at : 0);
		if (then != NULL && then->kind == EV_REFUSED)
			buf_addf(&answer, "%s: %s", _("refused"), json_str(then->body, "why"));
		else
			buf_adds(&answer, then != NULL ? _("confirmed") : "");
		md_cell(b, buf_str(&answer));
		buf_clear(&answer);
		md_cell(b, then != NULL ? then->actor : "");
		buf_addc(b, '\n');
	}
	buf_adds(b, any ? "\n" : "");
	buf_free(&answer);
}

static void md_revocations(const struct report *r, struct buf *b)
{
	bool any = false;

	if (r->in->revocations > 0)
		md_head(b, _("Revocations"), _("CA | State | Planned | Revoked | Revocation date | Manifest | Backup | Detail"));
	for (size_t i = 0; i < r->in->revocations; i++) {
		const struct revocation *v = &r->in->revocation[i];

		buf_addc(b, '|');
		md_cell(b, v->ca);
		md_cell(b, _(report_revocation_state(v)));
		md_count(b, v->planned);
		md_count(b, v->revoked);
		md_time(b, v->stamp);
		md_cell(b, v->manifest);
		md_cell(b, v->backup);
		md_cell(b, v->detail);
		buf_addc(b, '\n');
	}
	buf_adds(b, r->in->revocations > 0 ? "\n" : "");
	for (size_t i = 0; i < r->events; i++) {
		const json_t *o = r->event[i].body;

		if (r->event[i].kind != EV_CRL)
			continue;
		if (!any)
			md_head(b, _("CRLs"), _("Signed | CA | Number | Entries | nextUpdate | SHA-256 (DER) | Signature | File"));
		any = true;
		buf_addc(b, '|');
		md_time(b, r->event[i].at);
		md_cell(b, json_str(o, "ca"));
		md_cell(b, json_str(o, "number"));
		md_count(b, json_num(o, "entries", 0));
		md_time(b, json_num(o, "next_update", 0));
		md_cell(b, json_str(o, "sha256"));
		md_cell(b, json_str(o, "signature"));
		md_cell(b, json_str(o, "der"));
		buf_addc(b, '\n');
	}
	buf_adds(b, any ? "\n" : "");
}

static void md_points(const struct report *r, struct buf *b)
{
	if (r->in->points == 0)
		return;
	md_head(b, _("Publication"), _("CA | Distribution point | URL | State | At | Attempts | SHA-256 served | Detail"));
	for (size_t i = 0; i < r->in->points; i++) {
		const struct point *p = &r->in->point[i];

		buf_addc(b, '|');
		md_cell(b, p->ca);
		md_cell(b, p->point);
		md_cell(b, p->url);
		md_cell(b, _(report_point_state(p)));
		md_time(b, p->at);
		md_count(b, p->attempt);
		md_cell(b, p->sha256);
		md_cell(b, p->detail);
		buf_addc(b, '\n');
	}
	buf_addc(b, '\n');
}

static void md_notices(const struct report *r, struct buf *b)
{
	const struct incident *in = r->in;

	if (in->notices == 0)
		return;
	md_head(b, _("Notices"), _("Notice | Subject | Recipient | Outcome | At | Detail | SHA-256 of the text"));
	for (size_t i = 0; i < in->notices; i++) {
		for (size_t k = 0; k < in->recipients; k++) {
			const struct recipient *to = &in->recipient[k];

			if (strcmp(to->notice, in->notice[i].name) != 0)
				continue;
			buf_addc(b, '|');
			md_cell(b, to->notice);
			md_cell(b, in->notice[i].subject);
			md_cell(b, to->to);
			md_cell(b, to->accepted ? _("accepted") : _("failed"));
			md_time(b, to->at);
			md_cell(b, to->detail);
			md_cell(b, in->notice[i].sha256);
			buf_addc(b, '\n');
		}
	}
	buf_addc(b, '\n');
}

static void md_recovery(const struct report *r, struct buf *b)
{
	const struct incident *in = r->in;
	char count[32], span[32], *replaced;

	if (in->issuer == NULL && in->hosts == 0 && in->replacements == 0)
		return;
	md_head(b, _("Recovery"), NULL);
	if (in->issuer != NULL) {
		md_fact(b, _("Replacement issuer"), in->issuer->name);
		md_fact(b, _("Subject"), in->issuer->subject);
		md_fact(b, _("Fingerprint (SHA-256)"), in->issuer->fingerprint);
		md_fact(b, _("How"), in->issuer->how);
		md_fact_time(b, _("Valid until"), in->issuer->not_after);
	}
	md_fact(b, _("Hosts"), text_count(count, (long long)in->hosts));
	md_fact(b, _("Verified"), text_count(count, (long long)in->hosts_verified));
	md_fact(b, _("Not verified"), text_count(count, (long long)(in->hosts - in->hosts_verified)));
	replaced = report_replaced(r);
	md_fact(b, _("Replaced"), replaced);
	free(replaced);
	buf_addc(b, '\n');
	if (in->hosts == 0)
		return;
	md_head(b, _("Hosts"), _("Host | State | Phase | New serial | Valid until | At | Took | Detail"));
	for (size_t i = 0; i < in->hosts; i++) {
		const struct host_row *h = &in->host[i];

		buf_addc(b, '|');
		md_cell(b, h->host);
		md_cell(b, h->state);
		md_cell(b, h->phase);
		md_cell(b, h->serial);
		md_time(b, h->not_after);
		md_time(b, h->at);
		md_cell(b, h->ms > 0 ? md_took(span, sizeof span, h->ms) : "");
		md_cell(b, h->detail);
		buf_addc(b, '\n');
	}
	buf_addc(b, '\n');
}

static void md_followups(const struct report *r, struct buf *b)
{
	char iso[32];

	if (r->in->followups == 0)
		return;
	md_head(b, _("Follow-ups and action items"), _("# | What | Kind | Causes | Criteria | Due | State | Result"));
	for (size_t i = 0; i < r->in->followups; i++) {
		const struct followup *f = &r->in->followup[i];

		if (!followup_owed(r->in, f, r->at))
			continue;
		buf_addf(b, "| %d |", f->n);
		md_cell(b, f->title);
		md_cell(b, f->kind);
		md_cell(b, f->cause);
		md_cell(b, f->criteria);
		md_cell(b, f->due >= 0 ? clock_iso(iso, sizeof iso, f->due) : f->kind[0] != '\0' ? "" : _("per regulation"));
		md_cell(b, _(followup_state(r->in, f, r->at)));
		md_cell(b, f->text);
		buf_addc(b, '\n');
	}
	buf_addc(b, '\n');
}

static void md_timeline(const struct report *r, struct buf *b)
{
	char *text;

	md_head(b, _("Timeline (UTC)"), _("# | Time | Who | What"));
	for (size_t i = 0; i < r->events; i++) {
		const struct event *ev = &r->event[i];

		buf_addf(b, "| %" PRId64 " |", ev->seq);
		md_time(b, ev->at);
		md_cell(b, ev->actor);
		text = event_text(ev);
		md_cell(b, text);
		free(text);
		buf_addc(b, '\n');
	}
	buf_addc(b, '\n');
}

void markdown_write(const struct report *r, struct buf *b)
{
	char iso[32];

	md_summary(r, b);
	md_checkpoints(r, b);
	md_scope(r, b);
	md_plans(r, b);
	md_actions(r, b);
	md_revocations(r, b);
	md_points(r, b);
	md_notices(r, b);
	md_recovery(r, b);
	md_followups(r, b);
	md_timeline(r, b);
	md_head(b, _("Journal"), NULL);
	buf_addf(b, "- **%s:** %" PRId64 "\n", _("Rows"), r->rows);
	md_fact(b, _("Last hash (SHA-256)"), r->head);
	md_fact(b, _("Audit"), r->verdict != NULL ? r->verdict : _("the chain verifies"));
	buf_addf(b, "- **%s:** sev1 %s, %s\n", _("Report made by"), r->version,
	    clock_iso(iso, sizeof iso, r->at));
}
