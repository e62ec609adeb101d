/* The report in JSON, for machines: "version" rises when a member changes its meaning. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "incident/owed.h"
#include "report/report.h"

#define JSON_REPORT_VERSION 1

/* A time in RFC 3339, null where there is none. */
static void put_time(json_t *o, const char *key, int64_t ms)
{
	char iso[32];

	json_object_set_new(o, key, ms > 0 ? json_string(clock_iso(iso, sizeof iso, ms)) : json_null());
}

static json_t *list_row(json_t *list)
{
	json_t *o = json_object();

	json_array_append_new(list, o);
	return o;
}

static json_t *report_triage(const struct incident *in)
{
	json_t *o = json_object();

	json_put(o, "ca", in->triage.ca);
	json_put(o, "level", in->triage.level);
	json_put(o, "trigger", in->triage.trigger);
	json_put(o, "action", in->triage.action);
	json_put(o, "channel", in->triage.channel);
	json_put(o, "reporter", in->triage.reporter);
	json_put(o, "reason", in->triage.reason);
	json_put_num(o, "compromise", in->triage.compromise);
	put_time(o, "received", in->triage.received);
	put_time(o, "since", in->triage.since);
	put_time(o, "deadline", in->triage.deadline);
	json_object_set(o, "selectors", in->triage.selectors != NULL ? in->triage.selectors : json_null());
	json_object_set(o, "tell", in->triage.tell != NULL ? in->triage.tell : json_null());
	return o;
}

static json_t *report_checkpoints(const struct report *r)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < r->in->checkpoints; i++) {
		const struct checkpoint *c = &r->in->checkpoint[i];

		o = list_row(list);
		json_put_num(o, "n", c->n);
		json_put(o, "title", c->title);
		json_put(o, "state", checkpoint_state(c));
		json_put(o, "shown", c->shown);
		put_time(o, "due", report_due(r, c));
		put_time(o, "closed", c->done_at);
		json_put_num(o, "margin_ms", report_margin(r, c));
	}
	return list;
}

static json_t *report_scope(const struct incident *in)
{
	json_t *o = json_object(), *cas = json_array(), *own = json_array(), *row;

	for (size_t i = 0; i < in->scopes; i++) {
		const struct ca_scope *s = &in->scope[i];

		row = list_row(cas);
		json_put(row, "ca", s->ca);
		json_put(row, "manifest", s->manifest);
		json_put_num(row, "valid", s->valid);
		json_put_num(row, "expired", s->expired);
		json_put_num(row, "revoked", s->revoked);
		json_put_num(row, "unreadable", s->unreadable);
		json_put_num(row, "selected", s->selected);
	}
	for (size_t i = 0; i < in->owns; i++) {
		row = list_row(own);
		json_put(row, "ca", in->own[i].ca);
		json_put(row, "issuer", in->own[i].issuer);
		json_put(row, "serial", in->own[i].serial);
		json_put(row, "subject", in->own[i].subject);
	}
	json_put(o, "manifest", in->manifest);
	json_put_num(o, "count", in->scope_count);
	json_object_set_new(o, "cas", cas);
	json_object_set_new(o, "own", own);
	return o;
}

static json_t *report_plans(const struct report *r)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < r->events; i++) {
		const struct event *ev = &r->event[i], *then;

		if (ev->kind != EV_PLAN)
			continue;
		then = report_verdict_of(r, i);
		o = list_row(list);
		json_put(o, "command", json_str(ev->body, "command"));
		json_put(o, "title", json_str(ev->body, "title"));
		json_put(o, "hash", json_str(ev->body, "hash"));
		put_time(o, "made", ev->at);
		put_time(o, "answered", then != NULL ? then->at : 0);
		json_put(o, "answer", then == NULL ? "" : then->kind == EV_CONFIRMED ? "confirmed" : "refused");
		json_put(o, "by", then != NULL ? then->actor : "");
	}
	return list;
}

static json_t *report_actions(const struct incident *in)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < in->actions; i++) {
		const struct action *a = &in->action[i];

		o = list_row(list);
		json_put(o, "id", a->id);
		json_put(o, "title", a->title);
		json_put(o, "kind", a->kind);
		json_put(o, "host", a->host);
		json_put(o, "command", a->command);
		json_put(o, "verify", a->verify);
		json_put(o, "undo", a->undo);
		json_put(o, "detail", a->detail);
		json_put(o, "sha256", a->sha256);
		json_put(o, "state", report_action_state(a));
		put_time(o, "at", a->at);
		json_put_num(o, "ms", a->ms);
	}
	return list;
}

static json_t *report_revocations(const struct incident *in)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < in->revocations; i++) {
		const struct revocation *v = &in->revocation[i];

		o = list_row(list);
		json_put(o, "ca", v->ca);
		json_put(o, "plan", v->plan);
		json_put(o, "manifest", v->manifest);
		json_put(o, "backup", v->backup);
		json_put(o, "detail", v->detail);
		json_put(o, "state", report_revocation_state(v));
		put_time(o, "stamp", v->stamp);
		json_put_num(o, "planned", v->planned);
		json_put_num(o, "revoked", v->revoked);
	}
	return list;
}

/* Every CRL that was signed, the bodies of the events themselves. */
static json_t *report_crls(const struct report *r)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < r->events; i++) {
		if (r->event[i].kind != EV_CRL)
			continue;
		o = json_deep_copy(r->event[i].body);
		put_time(o, "signed", r->event[i].at);
		put_time(o, "this_update", json_num(r->event[i].body, "this_update", 0));
		put_time(o, "next_update", json_num(r->event[i].body, "next_update", 0));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *report_points(const struct incident *in)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < in->points; i++) {
		const struct point *p = &in->point[i];

		o = list_row(list);
		json_put(o, "ca", p->ca);
		json_put(o, "point", p->point);
		json_put(o, "url", p->url);
		json_put(o, "sha256", p->sha256);
		json_put(o, "detail", p->detail);
		json_put(o, "state", report_point_state(p));
		json_put_num(o, "attempt", p->attempt);
		put_time(o, "at", p->at);
	}
	return list;
}

static json_t *report_notices(const struct incident *in)
{
	json_t *list = json_array(), *o, *to, *row;

	for (size_t i = 0; i < in->notices; i++) {
		o = list_row(list);
		json_put(o, "notice", in->notice[i].name);
		json_put(o, "subject", in->notice[i].subject);
		json_put(o, "sha256", in->notice[i].sha256);
		json_object_set_new(o, "recipients", to = json_array());
		for (size_t k = 0; k < in->recipients; k++) {
			if (strcmp(in->recipient[k].notice, in->notice[i].name) != 0)
				continue;
			row = list_row(to);
			json_put(row, "to", in->recipient[k].to);
			json_put(row, "outcome", in->recipient[k].accepted ? "accepted" : "failed");
			json_put(row, "detail", in->recipient[k].detail);
			put_time(row, "at", in->recipient[k].at);
		}
	}
	return list;
}

static json_t *report_issuer(const struct incident *in)
{
	json_t *o;

	if (in->issuer == NULL)
		return json_null();
	o = json_object();
	json_put(o, "name", in->issuer->name);
	json_put(o, "subject", in->issuer->subject);
	json_put(o, "fingerprint", in->issuer->fingerprint);
	json_put(o, "spki", in->issuer->spki);
	json_put(o, "how", in->issuer->how);
	put_time(o, "not_after", in->issuer->not_after);
	return o;
}

static json_t *report_hosts(const struct incident *in)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < in->hosts; i++) {
		const struct host_row *h = &in->host[i];

		o = list_row(list);
		json_put(o, "host", h->host);
		json_put(o, "phase", h->phase);
		json_put(o, "state", h->state);
		json_put(o, "detail", h->detail);
		json_put(o, "serial", h->serial);
		json_put(o, "fingerprint", h->fingerprint);
		put_time(o, "not_after", h->not_after);
		put_time(o, "at", h->at);
		json_put_num(o, "ms", h->ms);
	}
	return list;
}

static json_t *report_followups(const struct report *r)
{
	const struct incident *in = r->in;
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < in->followups; i++) {
		const struct followup *f = &in->followup[i];

		if (!followup_owed(in, f, r->at))
			continue;
		o = list_row(list);
		json_put_num(o, "n", f->n);
		json_put(o, "title", f->title);
		put_time(o, "due", f->due);
		json_object_set_new(o, "done", json_boolean(f->done));
		json_put(o, "text", f->text);
		json_put(o, "kind", f->kind);
		json_put(o, "cause", f->cause);
		json_put(o, "criteria", f->criteria);
		json_put(o, "status", owed_status_name(f->status));
	}
	return list;
}

/* How far replacement was, each time that it was counted. */
static json_t *report_replacement(const struct incident *in)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < in->replacements; i++) {
		o = list_row(list);
		put_time(o, "at", in->replaced[i].at);
		json_put_num(o, "total", in->replaced[i].total);
		json_put_num(o, "replaced", in->replaced[i].replaced);
		json_put_num(o, "seen", in->replaced[i].seen);
		json_put_num(o, "unknown", in->replaced[i].unknown);
	}
	return list;
}

static json_t *report_timeline(const struct report *r)
{
	json_t *list = json_array(), *o;
	char *text;

	for (size_t i = 0; i < r->events; i++) {
		o = list_row(list);
		json_put_num(o, "seq", r->event[i].seq);
		put_time(o, "at", r->event[i].at);
		json_put(o, "who", r->event[i].actor);
		json_put(o, "kind", event_name(r->event[i].kind));
		text = event_text(&r->event[i]);
		json_put(o, "text", text);
		free(text);
	}
	return list;
}

void json_report_write(const struct report *r, struct buf *b)
{
	const struct incident *in = r->in;
	json_t *o = json_object(), *journal = json_object();
	char *text;

	json_put_num(o, "version", JSON_REPORT_VERSION);
	json_put(o, "id", in->id);
	json_put(o, "title", in->title);
	json_put(o, "kind", in->drill ? "drill" : "real");
	json_put(o, "organisation", in->organisation);
	json_put(o, "profile", in->profile);
	json_object_set_new(o, "closed", json_boolean(in->closed));
	put_time(o, "declared", in->declared);
	put_time(o, "made", r->at);
	json_put(o, "sev1", r->version);
	json_object_set_new(o, "triage", in->triage.answered ? report_triage(in) : json_null());
	json_object_set_new(o, "checkpoints", report_checkpoints(r));
	json_object_set_new(o, "scope", in->scope_frozen ? report_scope(in) : json_null());
	json_object_set_new(o, "plans", report_plans(r));
	json_object_set_new(o, "actions", report_actions(in));
	json_object_set_new(o, "revocations", report_revocations(in));
	json_object_set_new(o, "crls", report_crls(r));
	json_object_set_new(o, "points", report_points(in));
	json_object_set_new(o, "notices", report_notices(in));
	json_object_set_new(o, "issuer", report_issuer(in));
	json_object_set_new(o, "hosts", report_hosts(in));
	json_object_set_new(o, "replacement", report_replacement(in));
	json_object_set_new(o, "followups", report_followups(r));
	json_object_set_new(o, "timeline", report_timeline(r));
	json_put_num(journal, "rows", r->rows);
	json_put(journal, "head", r->head);
	json_put(journal, "audit", r->verdict != NULL ? r->verdict : "ok");
	json_object_set_new(o, "journal", journal);
	text = json_dumps(o, JSON_INDENT(2));
	if (text == NULL)
		mem_alloc((size_t)-1); /* only memory can fail: every string was checked on entry */
	buf_addf(b, "%s\n", text);
	free(text);
	json_decref(o);
}
