/* Who must be told before and after revocation: found in the scope, tried, heard. Nothing here holds anything back. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "incident/fold.h"
#include "incident/times.h"

#define MINUTE_MS (60LL * 1000)

static void subscriber_clear(struct subscriber *s)
{
	for (size_t i = 0; i < s->attempts; i++) {
		free(s->attempt[i].channel);
		free(s->attempt[i].outcome);
		free(s->attempt[i].detail);
	}
	free(s->attempt);
	free(s->name);
	free(s->mail);
	free(s->phone);
	free(s->webhook);
	free(s->answer);
	json_decref(s->reasons);
	*s = (struct subscriber){ 0 };
}

void incident_free_subscribers(struct incident *in)
{
	for (size_t i = 0; i < in->subscribers; i++)
		subscriber_clear(&in->subscriber[i]);
	free(in->subscriber);
	in->subscriber = NULL;
	in->subscribers = 0;
}

static struct subscriber *subscriber_of(struct incident *in, const char *name)
{
	return (struct subscriber *)incident_subscriber(in, name);
}

static struct subscriber *subscriber_add(struct incident *in, const char *name)
{
	struct subscriber *s = subscriber_of(in, name);

	if (s != NULL)
		return s;
	in->subscriber = mem_grow(in->subscriber, in->subscribers + 1, sizeof *in->subscriber);
	s = &in->subscriber[in->subscribers++];
	*s = (struct subscriber){ .name = mem_strdup(name), .answer = mem_strdup("") };
	return s;
}

static void replace(char **at, const char *value)
{
	free(*at);
	*at = mem_strdup(value);
}

/* Looked up again: who is concerned no more and was never tried is dropped; what was tried stays on record. */
void apply_roster(struct incident *in, const struct event *ev)
{
	const json_t *rows = json_list(ev->body, "rows"), *row;
	size_t i, kept = 0;

	for (i = 0; i < in->subscribers; i++) {
		struct subscriber *s = &in->subscriber[i];
		s->certificates = 0;
		if (s->attempts == 0 && s->answered == 0)
			subscriber_clear(s);
		else
			in->subscriber[kept++] = *s;
	}
	in->subscribers = kept;
	json_array_foreach(rows, i, row) {
		struct subscriber *s = subscriber_add(in, json_str(row, "name"));
		s->reporter = strcmp(json_str(row, "kind"), "reporter") == 0;
		replace(&s->mail, json_str(row, "mail"));
		replace(&s->phone, json_str(row, "phone"));
		replace(&s->webhook, json_str(row, "webhook"));
		s->certificates = json_num(row, "certificates", 0);
		json_decref(s->reasons);
		s->reasons = json_incref(json_object_get(row, "reasons"));
	}
	in->roster_at = ev->at;
	in->unmatched = json_num(ev->body, "unmatched", 0);
}

static void subscriber_tried(struct subscriber *s, const char *channel, const char *outcome, const char *detail, int64_t at)
{
	s->attempt = mem_grow(s->attempt, s->attempts + 1, sizeof *s->attempt);
	s->attempt[s->attempts++] = (struct attempt){ .channel = mem_strdup(channel), .outcome = mem_strdup(outcome),
		.detail = mem_strdup(detail), .at = at };
	if (s->tried == 0 || at < s->tried)
		s->tried = at;
}

void apply_contact(struct incident *in, const struct event *ev)
{
	struct subscriber *s = subscriber_of(in, json_str(ev->body, "subscriber"));
	int64_t when = json_num(ev->body, "when", ev->at);

	if (s == NULL)
		return;
	subscriber_tried(s, json_str(ev->body, "channel"), json_str(ev->body, "outcome"), json_str(ev->body, "detail"), when);
	if (json_bool(ev->body, "preliminary") && s->reported == 0)
		s->reported = when;
}

void apply_told(struct incident *in, const struct event *ev)
{
	const char *notice = json_str(ev->body, "notice"), *colon = strchr(notice, ':');
	bool report = strncmp(notice, "preliminary:", 12) == 0, ok;
	struct subscriber *s;

	if (ev->kind != EV_NOTICE || (!report && strncmp(notice, "subscriber:", 11) != 0) ||
	    (s = subscriber_of(in, colon + 1)) == NULL)
		return;
	ok = strcmp(json_str(ev->body, "outcome"), "accepted") == 0;
	subscriber_tried(s, strcmp(json_str(ev->body, "transport"), "webhook") == 0 ? "webhook" : "mail",
	    ok ? "sent" : "failed", json_str(ev->body, "detail"), ev->at);
	if (report && ok && s->reported == 0)
		s->reported = ev->at;
}

void apply_answer(struct incident *in, const struct event *ev)
{
	struct subscriber *s = subscriber_of(in, json_str(ev->body, "subscriber"));

	if (s == NULL)
		return;
	s->answered = json_num(ev->body, "when", ev->at);
	replace(&s->answer, json_str(ev->body, "text"));
}

void apply_proceed(struct incident *in, const struct event *ev)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_list(ev->body, "rows"), i, row) {
		struct subscriber *s = subscriber_of(in, json_str(row, "name"));
		if (s != NULL && s->proceeded == 0)
			s->proceeded = ev->at;
	}
}

int64_t subscriber_hold(const struct incident *in, const struct subscriber *s)
{
	int minutes = -1, m;
	const char *reason;
	json_t *n;
	int64_t end;

	if (s->reporter || s->tried == 0 || s->answered != 0 || in->times == NULL)
		return 0;
	json_object_foreach(s->reasons, reason, n)
		if ((m = times_answer(in->times, reason)) < minutes || minutes < 0)
			minutes = m;
	if (minutes < 0)
		minutes = times_answer(in->times, in->triage.answered ? in->triage.reason : "keyCompromise");
	end = s->tried + minutes * MINUTE_MS;
	return in->triage.answered && in->triage.deadline < end ? in->triage.deadline : end;
}

/* When the plan proceeded past a wait last; 0 never. */
static int64_t proceeded_at(const struct incident *in)
{
	int64_t last = 0;

	for (size_t i = 0; i < in->subscribers; i++)
		last = in->subscriber[i].proceeded > last ? in->subscriber[i].proceeded : last;
	return last;
}

bool incident_told(const struct incident *in, const char *to)
{
	int64_t since = proceeded_at(in);

	for (size_t i = 0; i < in->recipients; i++) {
		const struct recipient *r = &in->recipient[i];
		if (strcmp(r->notice, "approvers") == 0 && strcmp(r->to, to) == 0)
			return r->accepted && r->at >= since;
	}
	return false;
}

/* By hand is for all of them. */
bool incident_untold(const struct incident *in)
{
	size_t told = 0, open = 0;

	if (proceeded_at(in) == 0 || incident_told(in, TOLD_BY_HAND))
		return false;
	for (size_t i = 0; i < in->recipients; i++) {
		const struct recipient *r = &in->recipient[i];
		if (strcmp(r->notice, "approvers") != 0 || strcmp(r->to, TOLD_BY_HAND) == 0)
			continue;
		told += incident_told(in, r->to);
		open += !incident_told(in, r->to);
	}
	return told == 0 || open > 0;
}
