/* The after-action report: told once, in whatever form it is asked for. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "incident/owed.h"
#include "report/doc.h"
#include "report/md.h"

struct after {
	const struct doc *d;
	const struct report *r;
	const struct incident *in;
	struct buf *b;
};

static void head(const struct after *t, const char *title)
{
	t->d->head(t->b, 1, title, NULL, NULL);
}

static void table(const struct after *t, const char *title, const char *columns)
{
	head(t, title);
	t->d->table(t->b, columns);
}

static void cell(const struct after *t, const char *text)
{
	t->d->cell(t->b, text);
}

/* Nothing where there is no value. */
static void pair(const struct after *t, const char *label, const char *text)
{
	if (text != NULL && text[0] != '\0')
		t->d->pair(t->b, label, text);
}

static void pair_time(const struct after *t, const char *label, int64_t ms)
{
	char iso[32];

	if (ms > 0)
		pair(t, label, clock_iso(iso, sizeof iso, ms));
}

static void pair_count(const struct after *t, const char *label, size_t n)
{
	char count[32];

	pair(t, label, text_count(count, (long long)n));
}

static void after_summary(const struct after *t)
{
	int64_t published = incident_published(t->in);

	t->d->facts(t->b);
	pair(t, _("Organisation"), t->in->organisation);
	pair_time(t, _("Declared"), t->in->declared);
	pair(t, _("State"), t->in->closed ? _("closed") : _("open"));
	if (t->in->triage.answered) {
		pair(t, _("Affected CA"), t->in->triage.ca);
		pair(t, _("Level"), t->in->triage.level);
		pair(t, _("Compromise"), report_compromise(t->in));
		pair(t, _("Trigger"), t->in->triage.trigger);
		pair(t, _("Action"), t->in->triage.action);
		pair_time(t, _("First received"), t->in->triage.received);
		pair(t, _("Channel"), t->in->triage.channel);
		pair(t, _("Reporter"), t->in->triage.reporter);
		pair_time(t, _("Compromised since"), t->in->triage.since);
		pair_time(t, _("Revocation deadline"), t->in->triage.deadline);
		pair_time(t, _("Revocation published"), published);
	}
	t->d->facts_end(t->b);
	if (t->in->triage.answered && published > 0 && t->in->triage.received > 0 && t->in->triage.deadline > 0) {
		char took[32], by[32];
		bool late = published > t->in->triage.deadline;
		char *words = mem_printf(late ? _("Published %s after receipt, %s late.") :
		    _("Published %s after receipt, %s early."), report_hours(took, published - t->in->triage.received),
		    report_hours(by, llabs(t->in->triage.deadline - published)));

		t->d->verdict(t->b, words, !late);
		free(words);
	}
}

static void after_checkpoints(const struct after *t)
{
	head(t, _("Checkpoints"));
	t->d->drawing(t->b, t->r, DRAW_CHECKPOINTS);
	if (t->in->checkpoints == 0)
		return;
	t->d->table(t->b, _("# | Checkpoint | Due | Closed | Margin | State | Evidence or reason"));
	for (size_t i = 0; i < t->in->checkpoints; i++) {
		const struct checkpoint *c = &t->in->checkpoint[i];
		int64_t margin = report_margin(t->r, c);
		struct buf words = { 0 };

		if (c->done_at > 0 || margin < 0)
			md_margin(&words, margin);
		t->d->row(t->b);
		t->d->count(t->b, c->n);
		cell(t, c->title);
		t->d->time(t->b, report_due(t->r, c));
		t->d->time(t->b, c->done_at);
		t->d->state(t->b, buf_str(&words), words.len == 0 ? 0 : margin < 0 ? -1 : 1);
		t->d->state(t->b, _(checkpoint_state(c)), c->state == CP_DONE);
		cell(t, c->shown);
		t->d->row_end(t->b);
		buf_free(&words);
	}
	t->d->table_end(t->b);
}

static void after_scope(const struct after *t)
{
	if (!t->in->scope_frozen)
		return;
	table(t, _("Scope"), _("CA | Valid | Expired | Revoked before | Unreadable | To be revoked | Manifest (SHA-256)"));
	for (size_t i = 0; i < t->in->scopes; i++) {
		const struct ca_scope *s = &t->in->scope[i];

		t->d->row(t->b);
		cell(t, s->ca);
		t->d->count(t->b, s->valid);
		t->d->count(t->b, s->expired);
		t->d->count(t->b, s->revoked);
		t->d->count(t->b, s->unreadable);
		t->d->count(t->b, s->selected);
		t->d->hash(t->b, s->manifest);
		t->d->row_end(t->b);
	}
	t->d->table_end(t->b);
	t->d->facts(t->b);
	for (size_t i = 0; i < t->in->owns; i++) {
		char *words = mem_printf(_("%s, serial %s, on the CRL of %s"), t->in->own[i].subject, t->in->own[i].serial,
		    t->in->own[i].issuer);

		pair(t, _("The CA's own certificate"), words);
		free(words);
	}
	pair(t, _("Whole manifest (SHA-256)"), t->in->manifest);
	t->d->facts_end(t->b);
}

/* What was said to the plan of this event: confirmed, or refused and why. */
static void after_verdict(const struct after *t, const struct event *then)
{
	char *why;

	if (then == NULL || then->kind != EV_REFUSED) {
		t->d->state(t->b, then != NULL ? _("confirmed") : "", then != NULL);
		return;
	}
	why = mem_printf("%s: %s", _("refused"), json_str(then->body, "why"));
	t->d->state(t->b, why, -1);
	free(why);
}

static void after_plans(const struct after *t)
{
	bool any = false;

	for (size_t i = 0; i < t->r->events; i++) {
		const struct event *ev = &t->r->event[i], *then;

		if (ev->kind != EV_PLAN)
			continue;
		if (!any)
			table(t, _("Plans"), _("Made | Command | Plan | SHA-256 | Answered | Answer | By"));
		any = true;
		then = report_verdict_of(t->r, i);
		t->d->row(t->b);
		t->d->time(t->b, ev->at);
		cell(t, json_str(ev->body, "command"));
		cell(t, json_str(ev->body, "title"));
		t->d->hash(t->b, json_str(ev->body, "hash"));
		t->d->time(t->b, then != NULL ? then->at : 0);
		after_verdict(t, then);
		cell(t, then != NULL ? then->actor : "");
		t->d->row_end(t->b);
	}
	if (any)
		t->d->table_end(t->b);
}

static void after_actions(const struct after *t)
{
	struct buf lines = { 0 };
	char span[32];

	if (t->in->actions > 0)
		head(t, _("Containment"));
	for (size_t i = 0; i < t->in->actions; i++) {
		const struct action *a = &t->in->action[i];

		t->d->head(t->b, 2, "", a->title, NULL);
		t->d->facts(t->b);
		pair(t, _("State"), _(report_action_state(a)));
		pair(t, _("Host"), a->host[0] != '\0' ? a->host : _("this machine"));
		pair_time(t, _("At"), a->at);
		pair(t, _("Took"), a->at > 0 ? md_took(span, sizeof span, a->ms) : "");
		pair(t, _("Detail"), a->detail);
		pair(t, "SHA-256", a->sha256);
		t->d->facts_end(t->b);
		md_line(&lines, _("run"), a->command);
		md_line(&lines, _("verify"), a->verify);
		md_line(&lines, _("undo"), a->undo);
		t->d->block(t->b, &lines);
		buf_clear(&lines);
	}
	buf_free(&lines);
}

static void after_revocations(const struct after *t)
{
	if (t->in->revocations == 0)
		return;
	table(t, _("Revocations"), _("CA | State | Planned | Revoked | Revocation date | Manifest | Backup | Detail"));
	for (size_t i = 0; i < t->in->revocations; i++) {
		const struct revocation *v = &t->in->revocation[i];

		t->d->row(t->b);
		cell(t, v->ca);
		t->d->state(t->b, _(report_revocation_state(v)), v->state == REVOKE_DONE ? 1 : v->state == REVOKE_FAILED ? -1 : 0);
		t->d->count(t->b, v->planned);
		t->d->count(t->b, v->revoked);
		t->d->time(t->b, v->stamp);
		t->d->hash(t->b, v->manifest);
		cell(t, v->backup);
		cell(t, v->detail);
		t->d->row_end(t->b);
	}
	t->d->table_end(t->b);
}

static void after_crls(const struct after *t)
{
	bool any = false;

	for (size_t i = 0; i < t->r->events; i++) {
		const json_t *o = t->r->event[i].body;

		if (t->r->event[i].kind != EV_CRL)
			continue;
		if (!any)
			table(t, _("CRLs"), _("Signed | CA | Number | Entries | nextUpdate | SHA-256 (DER) | Signature | File"));
		any = true;
		t->d->row(t->b);
		t->d->time(t->b, t->r->event[i].at);
		cell(t, json_str(o, "ca"));
		cell(t, json_str(o, "number"));
		t->d->count(t->b, json_num(o, "entries", 0));
		t->d->time(t->b, json_num(o, "next_update", 0));
		t->d->hash(t->b, json_str(o, "sha256"));
		cell(t, json_str(o, "signature"));
		cell(t, json_str(o, "der"));
		t->d->row_end(t->b);
	}
	if (any)
		t->d->table_end(t->b);
}

static void after_points(const struct after *t)
{
	if (t->in->points == 0)
		return;
	table(t, _("Publication"), _("CA | Distribution point | URL | State | At | Attempts | SHA-256 served | Detail"));
	for (size_t i = 0; i < t->in->points; i++) {
		const struct point *p = &t->in->point[i];

		t->d->row(t->b);
		cell(t, p->ca);
		cell(t, p->point);
		cell(t, p->url);
		t->d->state(t->b, _(report_point_state(p)), p->state == POINT_VERIFIED ? 1 : p->state == POINT_FAILED ? -1 : 0);
		t->d->time(t->b, p->at);
		t->d->count(t->b, p->attempt);
		t->d->hash(t->b, p->sha256);
		cell(t, p->detail);
		t->d->row_end(t->b);
	}
	t->d->table_end(t->b);
}

static void after_notices(const struct after *t)
{
	if (t->in->recipients == 0)
		return;
	table(t, _("Notices"), _("Notice | Subject | Recipient | Outcome | At | Detail | SHA-256 of the text"));
	for (size_t i = 0; i < t->in->recipients; i++) {
		const struct recipient *to = &t->in->recipient[i];
		const struct notice *n = incident_notice(t->in, to->notice);

		t->d->row(t->b);
		cell(t, to->notice);
		cell(t, n != NULL ? n->subject : "");
		cell(t, to->to);
		t->d->state(t->b, to->accepted ? _("accepted") : _("failed"), to->accepted ? 1 : -1);
		t->d->time(t->b, to->at);
		cell(t, to->detail);
		t->d->hash(t->b, n != NULL ? n->sha256 : "");
		t->d->row_end(t->b);
	}
	t->d->table_end(t->b);
}

static void after_recovery(const struct after *t)
{
	const struct incident *in = t->in;
	char *replaced;

	if (in->issuer == NULL && in->hosts == 0 && in->replacements == 0)
		return;
	head(t, _("Recovery"));
	t->d->facts(t->b);
	if (in->issuer != NULL) {
		pair(t, _("Replacement issuer"), in->issuer->name);
		pair(t, _("Subject"), in->issuer->subject);
		pair(t, _("Fingerprint (SHA-256)"), in->issuer->fingerprint);
		pair(t, _("How"), in->issuer->how);
		pair_time(t, _("Valid until"), in->issuer->not_after);
	}
	pair_count(t, _("Hosts"), in->hosts);
	pair_count(t, _("Verified"), in->hosts_verified);
	pair_count(t, _("Not verified"), in->hosts - in->hosts_verified);
	replaced = report_replaced(t->r);
	pair(t, _("Replaced"), replaced);
	free(replaced);
	t->d->facts_end(t->b);
}

static void after_hosts(const struct after *t)
{
	char span[32];

	if (t->in->hosts == 0)
		return;
	table(t, _("Hosts"), _("Host | State | Phase | New serial | Valid until | At | Took | Detail"));
	for (size_t i = 0; i < t->in->hosts; i++) {
		const struct host_row *h = &t->in->host[i];
		bool ok = strcmp(h->state, "verified") == 0;

		t->d->row(t->b);
		cell(t, h->host);
		t->d->state(t->b, h->state, ok ? 1 : strcmp(h->state, "waiting") == 0 || strcmp(h->state, "running") == 0 ? 0 : -1);
		cell(t, h->phase);
		t->d->hash(t->b, h->serial);
		t->d->time(t->b, h->not_after);
		t->d->time(t->b, h->at);
		cell(t, h->ms > 0 ? md_took(span, sizeof span, h->ms) : "");
		cell(t, h->detail);
		t->d->row_end(t->b);
	}
	t->d->table_end(t->b);
}

static void after_owed(const struct after *t)
{
	bool any = false;

	for (size_t i = 0; i < t->in->followups; i++) {
		const struct followup *f = &t->in->followup[i];

		if (!followup_owed(t->in, f, t->r->at))
			continue;
		if (!any)
			table(t, _("Follow-ups and action items"), _("# | What | Kind | Causes | Criteria | Due | State | Result"));
		any = true;
		t->d->row(t->b);
		t->d->count(t->b, f->n);
		cell(t, f->title);
		cell(t, f->kind);
		cell(t, f->cause);
		cell(t, f->criteria);
		if (f->due < 0)
			cell(t, f->kind[0] != '\0' ? "" : _("per regulation"));
		else
			t->d->time(t->b, f->due);
		t->d->state(t->b, _(followup_state(t->in, f, t->r->at)), f->done ? 1 : followup_overdue(t->in, f, t->r->at) ? -1 : 0);
		cell(t, f->text);
		t->d->row_end(t->b);
	}
	if (any)
		t->d->table_end(t->b);
}

static void after_timeline(const struct after *t)
{
	table(t, _("Timeline (UTC)"), _("# | Time | Who | What"));
	for (size_t i = 0; i < t->r->events; i++) {
		const struct event *ev = &t->r->event[i];
		char *text = event_text(ev);

		t->d->row(t->b);
		t->d->count(t->b, ev->seq);
		t->d->time(t->b, ev->at);
		cell(t, ev->actor);
		cell(t, text);
		t->d->row_end(t->b);
		free(text);
	}
	t->d->table_end(t->b);
}

static void after_journal(const struct after *t)
{
	char *rows = mem_printf("%" PRId64, t->r->rows), *made, iso[32];

	made = mem_printf("sev1 %s, %s", t->r->version, clock_iso(iso, sizeof iso, t->r->at));
	head(t, _("Journal"));
	t->d->facts(t->b);
	pair(t, _("Rows"), rows);
	pair(t, _("Last hash (SHA-256)"), t->r->head);
	pair(t, _("Audit"), t->r->verdict != NULL ? t->r->verdict : _("the chain verifies"));
	pair(t, _("Report made by"), made);
	t->d->facts_end(t->b);
	free(rows);
	free(made);
}

static void after_write(const struct report *r, const struct doc *d, struct buf *b)
{
	const struct after t = { d, r, r->in, b };

	d->begin(b, r, r->in->title);
	if (r->in->drill)
		d->para(b, _("DRILL: an exercise in a sandbox. Nothing here happened to real systems."), true);
	after_summary(&t);
	after_checkpoints(&t);
	d->drawing(b, r, DRAW_PROGRESS);
	after_scope(&t);
	after_plans(&t);
	after_actions(&t);
	after_revocations(&t);
	after_crls(&t);
	after_points(&t);
	after_notices(&t);
	after_recovery(&t);
	after_hosts(&t);
	after_owed(&t);
	after_timeline(&t);
	after_journal(&t);
	d->end(b, r);
}

void markdown_write(const struct report *r, struct buf *b)
{
	after_write(r, &doc_md_alone, b);
}

void html_write(const struct report *r, struct buf *b)
{
	after_write(r, &doc_html, b);
}
