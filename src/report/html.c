/* The report in HTML: one file that needs nothing else, no script, readable on paper. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "incident/owed.h"
#include "report/ht.h"
#include "report/md.h"

static void html_margin(struct buf *b, int64_t ms)
{
	struct buf words = { 0 };

	md_margin(&words, ms);
	ht_state(b, buf_str(&words), ms < 0 ? -1 : 1);
	buf_free(&words);
}

static void html_summary(const struct report *r, struct buf *b)
{
	const struct incident *in = r->in;
	int64_t published = incident_published(in);
	char took[32], by[32];

	buf_adds(b, "<h1>");
	ht_text(b, in->id);
	buf_adds(b, ": ");
	ht_text(b, in->title);
	buf_adds(b, "</h1>\n");
	if (in->drill)
		buf_addf(b, "<p class=\"drill\">%s</p>\n", _("DRILL: an exercise in a sandbox. Nothing here happened to real systems."));
	buf_adds(b, "<dl>\n");
	ht_fact(b, _("Organisation"), in->organisation);
	ht_fact_time(b, _("Declared"), in->declared);
	ht_fact(b, _("State"), in->closed ? _("closed") : _("open"));
	if (in->triage.answered) {
		ht_fact(b, _("Affected CA"), in->triage.ca);
		ht_fact(b, _("Level"), in->triage.level);
		ht_fact(b, _("Compromise"), report_compromise(in));
		ht_fact(b, _("Trigger"), in->triage.trigger);
		ht_fact(b, _("Action"), in->triage.action);
		ht_fact_time(b, _("First received"), in->triage.received);
		ht_fact(b, _("Channel"), in->triage.channel);
		ht_fact(b, _("Reporter"), in->triage.reporter);
		ht_fact_time(b, _("Compromised since"), in->triage.since);
		ht_fact_time(b, _("Revocation deadline"), in->triage.deadline);
		ht_fact_time(b, _("Revocation published"), published);
	}
	buf_adds(b, "</dl>\n");
	if (published > 0 && in->triage.received > 0 && in->triage.deadline > 0) {
		buf_addf(b, "<p class=\"%s\">", published > in->triage.deadline ? "bad" : "good");
		buf_addf(b, published > in->triage.deadline ? _("Published %s after receipt, %s late.") :
		    _("Published %s after receipt, %s early."), report_hours(took, published - in->triage.received),
		    report_hours(by, llabs(in->triage.deadline - published)));
		buf_adds(b, "</p>\n");
	}
}

static void html_checkpoints(const struct report *r, struct buf *b)
{
	ht_head(b, _("Checkpoints"), NULL);
	svg_checkpoints(r, b);
	if (r->in->checkpoints == 0)
		return;
	buf_adds(b, "<div class=\"wide\"><table>\n<thead><tr>");
	for (size_t i = 0; i < 7; i++) {
		static const char *const head[] = { "#", N_("Checkpoint"), N_("Due"), N_("Closed"), N_("Margin"), N_("State"),
			N_("Evidence or reason") };

		buf_addf(b, "<th>%s</th>", _(head[i]));
	}
	buf_adds(b, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < r->in->checkpoints; i++) {
		const struct checkpoint *c = &r->in->checkpoint[i];

		ht_row(b);
		ht_count(b, c->n);
		ht_cell(b, c->title);
		ht_time(b, report_due(r, c));
		ht_time(b, c->done_at);
		if (c->done_at > 0 || report_margin(r, c) < 0)
			html_margin(b, report_margin(r, c));
		else
			ht_cell(b, "");
		ht_state(b, _(report_checkpoint_state(c)), c->state == CP_DONE);
		ht_cell(b, c->shown);
		ht_row_end(b);
	}
	ht_table_end(b);
}

static void html_scope(const struct report *r, struct buf *b)
{
	const struct incident *in = r->in;

	if (!in->scope_frozen)
		return;
	ht_head(b, _("Scope"), _("CA | Valid | Expired | Revoked before | Unreadable | To be revoked | Manifest (SHA-256)"));
	for (size_t i = 0; i < in->scopes; i++) {
		const struct ca_scope *s = &in->scope[i];

		ht_row(b);
		ht_cell(b, s->ca);
		ht_count(b, s->valid);
		ht_count(b, s->expired);
		ht_count(b, s->revoked);
		ht_count(b, s->unreadable);
		ht_count(b, s->selected);
		ht_hash(b, s->manifest);
		ht_row_end(b);
	}
	ht_table_end(b);
	buf_adds(b, "<dl>\n");
	for (size_t i = 0; i < in->owns; i++) {
		char *on = mem_printf(_("the CA's own certificate, serial %s, on the CRL of %s"), in->own[i].serial, in->own[i].issuer);

		ht_fact(b, in->own[i].subject, on);
		free(on);
	}
	ht_fact(b, _("Whole manifest (SHA-256)"), in->manifest);
	buf_adds(b, "</dl>\n");
}

static void html_line(struct buf *b, const char *label, const char *s)
{
	if (s[0] == '\0')
		return;
	buf_addf(b, "%-8s", label);
	ht_text(b, s);
	buf_addc(b, '\n');
}

static void html_actions(const struct report *r, struct buf *b)
{
	char span[32];

	if (r->in->actions == 0)
		return;
	ht_head(b, _("Containment"), NULL);
	for (size_t i = 0; i < r->in->actions; i++) {
		const struct action *a = &r->in->action[i];

		buf_adds(b, "<h3>");
		ht_text(b, a->title);
		buf_adds(b, "</h3>\n<dl>\n");
		ht_fact(b, _("State"), _(report_action_state(a)));
		ht_fact(b, _("Host"), a->host[0] != '\0' ? a->host : _("this machine"));
		ht_fact_time(b, _("At"), a->at);
		ht_fact(b, _("Took"), a->at > 0 ? md_took(span, sizeof span, a->ms) : "");
		ht_fact(b, _("Detail"), a->detail);
		ht_fact(b, "SHA-256", a->sha256);
		buf_adds(b, "</dl>\n<pre>");
		html_line(b, "run", a->command);
		html_line(b, "verify", a->verify);
		html_line(b, "undo", a->undo);
		buf_adds(b, "</pre>\n");
	}
}

static void html_plans(const struct report *r, struct buf *b)
{
	bool any = false;

	for (size_t i = 0; i < r->events; i++) {
		const struct event *ev = &r->event[i], *then;

		if (ev->kind != EV_PLAN)
			continue;
		if (!any)
			ht_head(b, _("Plans"), _("Made | Command | Plan | SHA-256 | Answered | Answer | By"));
		any = true;
		then = report_verdict_of(r, i);
		ht_row(b);
		ht_time(b, ev->at);
		ht_cell(b, json_str(ev->body, "command"));
		ht_cell(b, json_str(ev->body, "title"));
		ht_hash(b, json_str(ev->body, "hash"));
		ht_time(b, then != NULL ? then->at : 0);
		if (then != NULL && then->kind == EV_REFUSED) {
			char *why = mem_printf("%s: %s", _("refused"), json_str(then->body, "why"));
			ht_state(b, why, -1);
			free(why);
		} else {
			ht_state(b, then != NULL ? _("confirmed") : "", then != NULL);
		}
		ht_cell(b, then != NULL ? then->actor : "");
		ht_row_end(b);
	}
	if (any)
		ht_table_end(b);
}

static void html_revocations(const struct report *r, struct buf *b)
{
	if (r->in->revocations == 0)
		return;
	ht_head(b, _("Revocations"), _("CA | State | Planned | Revoked | Revocation date | Manifest | Backup | Detail"));
	for (size_t i = 0; i < r->in->revocations; i++) {
		const struct revocation *v = &r->in->revocation[i];

		ht_row(b);
		ht_cell(b, v->ca);
		ht_state(b, _(report_revocation_state(v)), v->state == REVOKE_DONE ? 1 : v->state == REVOKE_FAILED ? -1 : 0);
		ht_count(b, v->planned);
		ht_count(b, v->revoked);
		ht_time(b, v->stamp);
		ht_hash(b, v->manifest);
		ht_cell(b, v->backup);
		ht_cell(b, v->detail);
		ht_row_end(b);
	}
	ht_table_end(b);
}

static void html_crls(const struct report *r, struct buf *b)
{
	bool any = false;

	for (size_t i = 0; i < r->events; i++) {
		const json_t *o = r->event[i].body;

		if (r->event[i].kind != EV_CRL)
			continue;
		if (!any)
			ht_head(b, _("CRLs"), _("Signed | CA | Number | Entries | nextUpdate | SHA-256 (DER) | Signature | File"));
		any = true;
		ht_row(b);
		ht_time(b, r->event[i].at);
		ht_cell(b, json_str(o, "ca"));
		ht_cell(b, json_str(o, "number"));
		ht_count(b, json_num(o, "entries", 0));
		ht_time(b, json_num(o, "next_update", 0));
		ht_hash(b, json_str(o, "sha256"));
		ht_cell(b, json_str(o, "signature"));
		ht_cell(b, json_str(o, "der"));
		ht_row_end(b);
	}
	if (any)
		ht_table_end(b);
}

static void html_points(const struct report *r, struct buf *b)
{
	if (r->in->points == 0)
		return;
	ht_head(b, _("Publication"), _("CA | Distribution point | URL | State | At | Attempts | SHA-256 served | Detail"));
	for (size_t i = 0; i < r->in->points; i++) {
		const struct point *p = &r->in->point[i];

		ht_row(b);
		ht_cell(b, p->ca);
		ht_cell(b, p->point);
		ht_cell(b, p->url);
		ht_state(b, _(report_point_state(p)), p->state == POINT_VERIFIED ? 1 : p->state == POINT_FAILED ? -1 : 0);
		ht_time(b, p->at);
		ht_count(b, p->attempt);
		ht_hash(b, p->sha256);
		ht_cell(b, p->detail);
		ht_row_end(b);
	}
	ht_table_end(b);
}

static void html_notices(const struct report *r, struct buf *b)
{
	const struct incident *in = r->in;

	if (in->recipients == 0)
		return;
	ht_head(b, _("Notices"), _("Notice | Subject | Recipient | Outcome | At | Detail | SHA-256 of the text"));
	for (size_t i = 0; i < in->recipients; i++) {
		const struct recipient *to = &in->recipient[i];
		const struct notice *n = incident_notice(in, to->notice);

		ht_row(b);
		ht_cell(b, to->notice);
		ht_cell(b, n != NULL ? n->subject : "");
		ht_cell(b, to->to);
		ht_state(b, to->accepted ? _("accepted") : _("failed"), to->accepted ? 1 : -1);
		ht_time(b, to->at);
		ht_cell(b, to->detail);
		ht_hash(b, n != NULL ? n->sha256 : "");
		ht_row_end(b);
	}
	ht_table_end(b);
}

static void html_hosts(const struct report *r, struct buf *b)
{
	const struct incident *in = r->in;
	char span[32], *replaced = report_replaced(r);

	if (in->issuer != NULL || replaced[0] != '\0') {
		ht_head(b, _("Recovery"), NULL);
		buf_adds(b, "<dl>\n");
		ht_fact(b, _("Replaced"), replaced);
	}
	free(replaced);
	if (in->issuer != NULL) {
		ht_fact(b, _("Replacement issuer"), in->issuer->name);
		ht_fact(b, _("Subject"), in->issuer->subject);
		ht_fact(b, _("Fingerprint (SHA-256)"), in->issuer->fingerprint);
		ht_fact(b, _("How"), in->issuer->how);
		ht_fact_time(b, _("Valid until"), in->issuer->not_after);
	}
	if (in->issuer != NULL || in->replacements > 0)
		buf_adds(b, "</dl>\n");
	if (in->hosts == 0)
		return;
	ht_head(b, _("Hosts"), _("Host | State | Phase | New serial | Valid until | At | Took | Detail"));
	for (size_t i = 0; i < in->hosts; i++) {
		const struct host_row *h = &in->host[i];
		bool ok = strcmp(h->state, "verified") == 0;

		ht_row(b);
		ht_cell(b, h->host);
		ht_state(b, h->state, ok ? 1 : strcmp(h->state, "waiting") == 0 || strcmp(h->state, "running") == 0 ? 0 : -1);
		ht_cell(b, h->phase);
		ht_hash(b, h->serial);
		ht_time(b, h->not_after);
		ht_time(b, h->at);
		ht_cell(b, h->ms > 0 ? md_took(span, sizeof span, h->ms) : "");
		ht_cell(b, h->detail);
		ht_row_end(b);
	}
	ht_table_end(b);
}

static void html_owed(const struct report *r, struct buf *b)
{
	bool any = false;

	for (size_t i = 0; i < r->in->followups; i++) {
		const struct followup *f = &r->in->followup[i];

		if (!followup_owed(r->in, f, r->at))
			continue;
		if (!any)
			ht_head(b, _("Follow-ups and action items"), _("# | What | Kind | Causes | Criteria | Due | State | Result"));
		any = true;
		ht_row(b);
		ht_count(b, f->n);
		ht_cell(b, f->title);
		ht_cell(b, f->kind);
		ht_cell(b, f->cause);
		ht_cell(b, f->criteria);
		if (f->due < 0)
			ht_cell(b, f->kind[0] != '\0' ? "" : _("per regulation"));
		else
			ht_time(b, f->due);
		ht_state(b, _(followup_state(r->in, f, r->at)), f->done ? 1 : followup_overdue(r->in, f, r->at) ? -1 : 0);
		ht_cell(b, f->text);
		ht_row_end(b);
	}
	if (any)
		ht_table_end(b);
}

static void html_timeline(const struct report *r, struct buf *b)
{
	ht_head(b, _("Timeline (UTC)"), _("# | Time | Who | What"));
	for (size_t i = 0; i < r->events; i++) {
		const struct event *ev = &r->event[i];
		char *text = event_text(ev);

		ht_row(b);
		ht_count(b, ev->seq);
		ht_time(b, ev->at);
		ht_cell(b, ev->actor);
		ht_cell(b, text);
		ht_row_end(b);
		free(text);
	}
	ht_table_end(b);
}

static void html_journal(const struct report *r, struct buf *b)
{
	char *rows = mem_printf("%" PRId64, r->rows), *made, iso[32];

	made = mem_printf("sev1 %s, %s", r->version, clock_iso(iso, sizeof iso, r->at));
	ht_head(b, _("Journal"), NULL);
	buf_adds(b, "<dl>\n");
	ht_fact(b, _("Rows"), rows);
	ht_fact(b, _("Last hash (SHA-256)"), r->head);
	ht_fact(b, _("Audit"), r->verdict != NULL ? r->verdict : _("the chain verifies"));
	ht_fact(b, _("Report made by"), made);
	buf_adds(b, "</dl>\n");
	free(rows);
	free(made);
}

void html_write(const struct report *r, struct buf *b)
{
	char *title = mem_printf("%s: %s", r->in->id, r->in->title);

	ht_page(b, title);
	free(title);
	html_summary(r, b);
	html_checkpoints(r, b);
	ht_head(b, _("Progress"), NULL);
	svg_progress(r, b);
	html_scope(r, b);
	html_plans(r, b);
	html_actions(r, b);
	html_revocations(r, b);
	html_crls(r, b);
	html_points(r, b);
	html_notices(r, b);
	html_hosts(r, b);
	html_owed(r, b);
	html_timeline(r, b);
	html_journal(r, b);
	ht_page_end(b);
}
