#include "incident/deadline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "incident/owed.h"
#include "incident/times.h"

#define MINUTE_MS (60LL * 1000)

struct deadlines {
	int64_t now;
	const struct incident *in;
	struct deadline *list;
	size_t n;
};

const char *deadline_word(enum deadline_kind kind)
{
	static const char *const words[] = { "revocation", "advised", "preliminary", "answer", "rto", "fuse", "followup" };

	return words[kind];
}

/* name and title are stolen. */
static void add(struct deadlines *d, enum deadline_kind kind, char *name, char *title, int64_t from, int64_t due,
    int64_t met)
{
	d->list = mem_grow(d->list, d->n + 1, sizeof *d->list);
	d->list[d->n++] = (struct deadline){ .kind = kind, .name = name, .title = title, .from = from, .due = due, .met = met };
}

/* ---- revocation ---- */

/* When the last CA that has certificates of this reason was published; 0 where one is open. */
static int64_t published_at(const struct incident *in, const char *reason)
{
	int64_t last = 0;
	bool any = false;

	for (size_t i = 0; i < in->scopes + in->owns; i++) {
		const struct ca_scope *s = i < in->scopes ? &in->scope[i] : NULL;
		const char *ca = s != NULL ? s->ca : in->own[i - in->scopes].issuer;
		const struct revocation *r = incident_revocation(in, ca);
		if (s != NULL ? json_num(s->reasons, reason, 0) == 0 && (s->reasons != NULL || s->selected == 0) :
		    strcmp(reason, "cACompromise") != 0)
			continue;
		any = true;
		if (r == NULL || r->state != REVOKE_DONE || r->published == 0)
			return 0;
		last = r->published > last ? r->published : last;
	}
	return any ? last : 0;
}

static void add_reason(struct deadlines *d, const char *reason, int64_t count)
{
	const struct incident *in = d->in;
	const json_t *c = strcmp(reason, in->triage.reason) == 0 ? times_circumstance(in->times, in->triage.circumstance) : NULL;
	int64_t from = in->triage.received, met = in->scope_frozen ? published_at(in, reason) : 0, due = in->triage.deadline;
	char n[32];

	if (in->times != NULL)
		due = from + MINUTE_MS * (c != NULL ? json_num(c, "must", 0) : times_revocation(in->times, in->triage.level, reason));
	add(d, DEADLINE_REVOCATION, mem_printf("revocation:%s", reason), count > 0 ?
	    mem_printf(_("revocation published, %s (%s)"), reason, text_count(n, count)) :
	    mem_printf(_("revocation published, %s"), reason), from, due, met);
	if (json_num(c, "should", 0) > 0)
		add(d, DEADLINE_ADVISED, mem_printf("advised:%s", reason), mem_printf(_("revocation advised, %s"), reason), from,
		    from + MINUTE_MS * json_num(c, "should", 0), met);
}

/* {reason: certificates} of what is, or will be, revoked. */
static json_t *reasons_of(const struct incident *in)
{
	const json_t *groups = json_list(in->triage.selectors, "groups"), *group;
	json_t *all = json_object(), *n;
	const char *reason;
	size_t i;

	for (i = 0; in->scope_frozen && i < in->scopes; i++)
		json_object_foreach(in->scope[i].reasons, reason, n)
			json_put_num(all, reason, json_num(all, reason, 0) + json_integer_value(n));
	if (in->scope_frozen && in->owns > 0)
		json_put_num(all, "cACompromise", json_num(all, "cACompromise", 0) + (int64_t)in->owns);
	json_array_foreach(in->scope_frozen ? NULL : groups, i, group)
		json_put_num(all, json_str(group, "reason")[0] != '\0' ? json_str(group, "reason") : in->triage.reason, 0);
	if (json_object_size(all) == 0)
		json_put_num(all, in->triage.reason, in->scope_frozen ? in->scope_count : 0);
	return all;
}

static void add_revocation(struct deadlines *d)
{
	json_t *all, *n;
	const char *reason;

	if (!d->in->triage.answered)
		return;
	all = reasons_of(d->in);
	json_object_foreach(all, reason, n)
		add_reason(d, reason, json_integer_value(n));
	json_decref(all);
}

/* ---- people ---- */

static void add_preliminary(struct deadlines *d)
{
	const struct incident *in = d->in;
	int64_t minutes = json_num(in->times, "preliminary", 0), last = 0;
	size_t open = 0;

	if (!in->triage.answered || minutes == 0)
		return;
	for (size_t i = 0; i < in->subscribers; i++) {
		open += in->subscriber[i].reported == 0;
		last = in->subscriber[i].reported > last ? in->subscriber[i].reported : last;
	}
	add(d, DEADLINE_REPORT, mem_strdup("preliminary"), in->subscribers == 0 || open == 0 ?
	    mem_strdup(_("preliminary report to reporter and subscribers")) :
	    mem_printf(_("preliminary report, %zu of %zu have it"), in->subscribers - open, in->subscribers),
	    in->triage.received, in->triage.received + minutes * MINUTE_MS, in->subscribers > 0 && open == 0 ? last : 0);
}

/* Once the plan has proceeded there is nothing more to wait for. */
static void add_answers(struct deadlines *d)
{
	for (size_t i = 0; i < d->in->subscribers; i++) {
		const struct subscriber *s = &d->in->subscriber[i];
		int64_t due = subscriber_hold(d->in, s);
		if (due != 0 && s->proceeded == 0)
			add(d, DEADLINE_ANSWER, mem_printf("answer:%s", s->name), mem_printf(_("answer of %s"), s->name),
			    s->tried, due, 0);
	}
}

/* ---- the other clocks ---- */

static void add_clocks(struct deadlines *d)
{
	const struct incident *in = d->in;
	int64_t rto = incident_rto_left(in, 0), fuse = incident_fuse_left(in, 0), made = 0, done = 0;
	bool open = false;

	for (size_t i = 0; i < in->checkpoints; i++) {
		open = open || in->checkpoint[i].state == CP_OPEN;
		done = in->checkpoint[i].done_at > done ? in->checkpoint[i].done_at : done;
	}
	if (rto != INT64_MIN)
		add(d, DEADLINE_RTO, mem_strdup("rto"), mem_strdup(_("recovery (RTO)")), in->declared, rto, open ? 0 : done);
	for (size_t i = 0; i < in->crls; i++)
		if (in->crl[i].next_update == fuse)
			made = in->crl[i].at;
	if (fuse != INT64_MIN)
		add(d, DEADLINE_FUSE, mem_strdup("fuse"), mem_strdup(_("CRL fuse: the first nextUpdate")), made, fuse, 0);
	for (size_t i = 0; i < in->followups; i++)
		if (!in->followup[i].done && in->followup[i].due >= 0 && followup_owed(in, &in->followup[i], d->now))
			add(d, DEADLINE_FOLLOWUP, mem_printf("followup:%d", in->followup[i].n), mem_strdup(in->followup[i].title),
			    in->declared, in->followup[i].due, 0);
}

/* Late first, by how late; then running; then met: within each by their time. */
static int by_urgency(const void *a, const void *b, void *ctx)
{
	const struct deadline *x = a, *y = b;
	int64_t now = *(const int64_t *)ctx;
	int px = x->met != 0 ? 2 : x->due < now ? 0 : 1, py = y->met != 0 ? 2 : y->due < now ? 0 : 1;

	if (px != py)
		return px < py ? -1 : 1;
	if (x->due != y->due)
		return x->due < y->due ? -1 : 1;
	return strcmp(x->name, y->name);
}

struct deadline *incident_deadlines(const struct incident *in, int64_t now, size_t *n)
{
	struct deadlines d = { .now = now, .in = in };

	add_revocation(&d);
	add_preliminary(&d);
	add_answers(&d);
	add_clocks(&d);
	if (d.n > 1)
		qsort_r(d.list, d.n, sizeof *d.list, by_urgency, &now);
	*n = d.n;
	return d.list;
}

void incident_deadlines_free(struct deadline *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].name);
		free(list[i].title);
	}
	free(list);
}

/* ---- warnings ---- */

static char *left_word(int64_t minutes)
{
	if (minutes % (24 * 60) == 0)
		return mem_printf("%lldd", (long long)(minutes / (24 * 60)));
	return minutes % 60 == 0 ? mem_printf("%lldh", (long long)(minutes / 60)) : mem_printf("%lldm", (long long)minutes);
}

/* The last point of a deadline that has come; its word is owned by the caller, NULL where none has. */
static char *last_point(const struct incident *in, const struct deadline *d, int64_t now, int64_t *when)
{
	const json_t *points = json_list(in->times, "warnings"), *p;
	char *word = NULL;
	size_t i;

	*when = INT64_MIN;
	if (d->due <= now) {
		*when = d->due;
		return mem_strdup("late");
	}
	json_array_foreach(points, i, p) {
		int64_t percent = json_num(p, "percent", 0), left = json_num(p, "left", 0);
		int64_t at = percent > 0 ? d->from + (d->due - d->from) / 100 * percent : d->due - left * MINUTE_MS;
		if (at > now || at <= *when || at < d->from)
			continue;
		*when = at;
		free(word);
		word = percent > 0 ? mem_printf("%lld%%", (long long)percent) : left_word(left);
	}
	return word;
}

json_t *incident_warnings(const struct incident *in, int64_t now)
{
	json_t *all = json_array(), *o;
	size_t n;
	struct deadline *list = in->times != NULL && !in->closed ? incident_deadlines(in, now, &n) : NULL;

	for (size_t i = 0; list != NULL && i < n; i++) {
		const struct deadline *d = &list[i];
		int64_t when;
		char *word;
		if (d->met != 0 || (d->kind != DEADLINE_REVOCATION && d->kind != DEADLINE_REPORT && d->kind != DEADLINE_ANSWER))
			continue;
		word = last_point(in, d, now, &when);
		if (word != NULL && when > json_num(in->warned, d->name, INT64_MIN)) {
			o = json_object();
			json_put(o, "deadline", d->name);
			json_put(o, "title", d->title);
			json_put(o, "point", word);
			json_put_num(o, "when", when);
			json_put_num(o, "due", d->due);
			json_array_append_new(all, o);
		}
		free(word);
	}
	if (list != NULL)
		incident_deadlines_free(list, n);
	return all;
}

/* ---- the forecast ---- */

static void pace(struct forecast *f, int64_t now, int64_t last)
{
	if (f->total > 0 && f->done >= f->total)
		f->end = last;
	else if (f->done > 0 && now > f->since)
		f->end = now + (int64_t)((double)(f->total - f->done) * (double)(now - f->since) / (double)f->done);
}

static int64_t of_ca(const struct incident *in, const char *ca)
{
	int64_t n = 0;

	for (size_t i = 0; i < in->scopes; i++)
		n += strcmp(in->scope[i].ca, ca) == 0 ? in->scope[i].selected : 0;
	for (size_t i = 0; i < in->owns; i++)
		n += strcmp(in->own[i].issuer, ca) == 0;
	return n;
}

/* Certificates of the scope with a successor, as it was counted last; no work for it before somebody has begun. */
static struct forecast forecast_replaced(const struct incident *in)
{
	const struct replaced *last = in->replacements > 0 ? &in->replaced[in->replacements - 1] : NULL;
	struct forecast f = { .name = "replaced", .since = in->declared };

	if (last == NULL && in->issuer == NULL && in->ari.at == 0 && in->reissue_first == 0)
		return f;
	if (in->reissue_first != 0 || in->ari.at != 0)
		f.since = in->reissue_first != 0 && (in->ari.at == 0 || in->reissue_first < in->ari.at) ? in->reissue_first :
		    in->ari.at;
	f.total = last != NULL ? last->total : in->scope_frozen ? in->scope_count - (int64_t)in->owns : 0;
	f.done = last != NULL ? last->replaced : 0;
	f.counted = last != NULL ? last->at : 0;
	return f;
}

void incident_forecast(const struct incident *in, int64_t now, struct forecast out[FORECASTS])
{
	int64_t revoked = 0, published = 0, reissued = 0;

	for (int i = 0; i < 2; i++)
		out[i] = (struct forecast){ .name = i == 0 ? "revoked" : "published", .since = in->declared,
			.total = in->scope_frozen ? in->scope_count : 0 };
	out[2] = forecast_replaced(in);
	out[3] = (struct forecast){ .name = "reissued", .since = in->reissue_first, .total = (int64_t)in->hosts,
		.done = (int64_t)in->hosts_verified };
	for (size_t i = 0; i < in->revocations; i++) {
		const struct revocation *r = &in->revocation[i];
		if (r->state != REVOKE_DONE)
			continue;
		out[0].done += of_ca(in, r->ca);
		revoked = r->at > revoked ? r->at : revoked;
		if (r->published == 0)
			continue;
		out[1].done += of_ca(in, r->ca);
		published = r->published > published ? r->published : published;
	}
	for (size_t i = 0; i < in->hosts; i++)
		reissued = in->host[i].at > reissued ? in->host[i].at : reissued;
	pace(&out[0], now, revoked);
	pace(&out[1], now, published);
	pace(&out[2], now, out[2].counted);
	pace(&out[3], now, reissued);
}

int64_t incident_revocation_due(const struct incident *in, int64_t now)
{
	size_t n;
	struct deadline *list = incident_deadlines(in, now, &n);
	int64_t due = in->triage.answered ? in->triage.deadline : INT64_MIN;

	for (size_t i = 0; i < n; i++) {
		if (list[i].kind != DEADLINE_REVOCATION || list[i].met != 0)
			continue;
		due = list[i].due; /* the list is by time */
		break;
	}
	incident_deadlines_free(list, n);
	return due;
}
