/* subscribers: who is concerned, who was tried and when, who has answered. What is sent is in subscribers_send.c. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "work/subscribers.h"

static const char *const channels[] = { "phone", "mail", "webhook", "letter", "in person", "other", NULL };
static const char *const outcomes[] = { "reached", "no answer", "failed", NULL };

/* ---- the list ---- */

static json_t *subscriber_json(const struct subscriber *s, int64_t hold, int64_t now)
{
	json_t *o = json_object(), *tries = json_array(), *t;

	json_put(o, "name", s->name);
	json_put(o, "kind", s->reporter ? "reporter" : "subscriber");
	json_put(o, "mail", s->mail);
	json_put(o, "phone", s->phone);
	json_put(o, "webhook", s->webhook);
	json_put_num(o, "certificates", s->certificates);
	for (size_t i = 0; i < s->attempts; i++) {
		t = json_object();
		json_put(t, "channel", s->attempt[i].channel);
		json_put(t, "outcome", s->attempt[i].outcome);
		json_put(t, "detail", s->attempt[i].detail);
		json_put_num(t, "at", s->attempt[i].at);
		json_array_append_new(tries, t);
	}
	json_object_set_new(o, "attempts", tries);
	json_object_set_new(o, "answered", s->answered != 0 ? json_integer((json_int_t)s->answered) : json_null());
	json_put(o, "answer", s->answer);
	json_object_set_new(o, "reported", s->reported != 0 ? json_integer((json_int_t)s->reported) : json_null());
	json_object_set_new(o, "hold_ends", hold != 0 ? json_integer((json_int_t)hold) : json_null());
	json_object_set_new(o, "proceeds", json_boolean(hold != 0 && hold <= now));
	return o;
}

static void subscriber_show(struct run *r, const struct subscriber *s, int64_t hold, int64_t now)
{
	char n[32], at[24], until[24], *tried = NULL, *then;
	const struct attempt *last = s->attempts > 0 ? &s->attempt[s->attempts - 1] : NULL;

	if (last != NULL)
		tried = mem_printf(_("tried %zu times, last by %s at %s: %s"), s->attempts, last->channel,
		    clock_iso(at, sizeof at, last->at), last->outcome);
	if (s->answered != 0)
		then = mem_printf(_("answered %s: %s"), clock_iso(until, sizeof until, s->answered), s->answer);
	else if (hold != 0 && hold <= now)
		then = mem_printf(_("NO ANSWER by %s: revocation proceeds"), clock_iso(until, sizeof until, hold));
	else if (hold != 0)
		then = mem_printf(_("waits until %s"), clock_iso(until, sizeof until, hold));
	else
		then = mem_strdup(s->reporter ? _("reporter") : _("not waited for"));
	run_out(r, "%-20s %8s  %s; %s%s", s->name, s->reporter ? "-" : text_count(n, s->certificates),
	    tried != NULL ? tried : _("not tried"), then, s->reported != 0 ? _("; has the preliminary report") : "");
	free(tried);
	free(then);
}

static void subscribers_list(struct run *r)
{
	const struct incident *in = run_incident(r);
	json_t *all = json_array();
	int64_t now = clock_now();

	for (size_t i = 0; i < in->subscribers; i++) {
		int64_t hold = subscriber_hold(in, &in->subscriber[i]);
		subscriber_show(r, &in->subscriber[i], hold, now);
		json_array_append_new(all, subscriber_json(&in->subscriber[i], hold, now));
	}
	if (in->roster_at == 0)
		run_out(r, _("Nobody was looked up yet: sev1 subscribers find"));
	json_object_set_new(run_result(r), "subscribers", all);
	json_put_num(run_result(r), "unmatched", in->unmatched);
	run_end(r, EXIT_DONE);
}

/* ---- what is typed in ---- */

static const char *one_of(const char *const *list, const char *word)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, word) == 0)
			return *list;
	return NULL;
}

static int typed_when(const struct run *r, int64_t *when, struct err *e)
{
	const char *s = args_get(run_args(r), "at");

	*when = clock_now();
	if (s == NULL)
		return 0;
	if (clock_parse_when(s, clock_now(), when) < 0) {
		err_set(e, ERR_USAGE, _("subscribers: --at '%s' is not a time with a zone"), s);
		return err_remedy(e, _("write 2026-08-31T23:19+05:30, 2026-08-31T17:49Z, -35m or now"));
	}
	return *when > clock_now() ? err_set(e, ERR_USAGE, _("subscribers: --at lies in the future")) : 0;
}

/* The subscriber, channel and time of what is typed in; NULL with an error. New. */
static json_t *typed_body(struct run *r, struct err *e)
{
	const char *name = args_nth(run_args(r), "", 1), *channel = args_get(run_args(r), "channel");
	int64_t when;
	json_t *o;

	if (name == NULL || incident_subscriber(run_incident(r), name) == NULL) {
		err_set(e, ERR_USAGE, _("subscribers: nobody concerned is called '%s'"), name != NULL ? name : "");
		err_remedy(e, _("list them with: sev1 subscribers; look them up with: sev1 subscribers find"));
		return NULL;
	}
	if (channel == NULL)
		channel = "phone";
	if (one_of(channels, channel) == NULL) {
		err_set(e, ERR_USAGE, _("subscribers: --channel '%s' is none of phone, mail, webhook, letter, in person, other"), channel);
		return NULL;
	}
	if (typed_when(r, &when, e) < 0)
		return NULL;
	o = json_object();
	json_put(o, "subscriber", name);
	json_put(o, "channel", channel);
	json_put_num(o, "when", when);
	return o;
}

static void typed_append(struct run *r, enum event_kind kind, json_t *body)
{
	if (run_append(r, kind, body) == 0)
		subscribers_list(r);
}

static void subscribers_log(struct run *r)
{
	const char *outcome = args_get(run_args(r), "outcome"), *text = args_get(run_args(r), "text");
	struct err e = { 0 };
	json_t *o = typed_body(r, &e);

	if (o != NULL && (outcome == NULL || one_of(outcomes, outcome) == NULL)) {
		err_set(&e, ERR_USAGE, _("subscribers log: what came of it?"));
		err_remedy(&e, _("give --outcome reached, --outcome \"no answer\" or --outcome failed"));
	} else if (o != NULL && args_has(run_args(r), "preliminary") && strcmp(outcome, "reached") != 0) {
		err_set(&e, ERR_USAGE, _("subscribers log: a report cannot be given to somebody who was not reached"));
	}
	if (e.code != 0) {
		json_decref(o);
		run_fail(r, &e);
		return;
	}
	json_put(o, "outcome", outcome);
	json_put(o, "detail", text);
	json_object_set_new(o, "preliminary", json_boolean(args_has(run_args(r), "preliminary")));
	typed_append(r, EV_CONTACT, o);
}

static void subscribers_answer(struct run *r)
{
	const char *text = args_get(run_args(r), "text");
	struct err e = { 0 };
	json_t *o = typed_body(r, &e);

	if (o != NULL && (text == NULL || text[strspn(text, " \t")] == '\0')) {
		err_set(&e, ERR_USAGE, _("subscribers answer: what was said?"));
		err_remedy(&e, _("say it: sev1 subscribers answer NAME --text \"...\""));
	}
	if (e.code != 0) {
		json_decref(o);
		run_fail(r, &e);
		return;
	}
	json_put(o, "text", text);
	typed_append(r, EV_ANSWER, o);
}

static void subscribers_start(struct run *r)
{
	static const struct {
		const char *verb;
		void (*fn)(struct run *r);
	} verbs[] = {
		{ "list", subscribers_list }, { "find", subscribers_find }, { "log", subscribers_log },
		{ "answer", subscribers_answer }, { "proceed", subscribers_proceed },
	};
	const char *verb = args_nth(run_args(r), "", 0);
	struct err e = { 0 };

	if (verb == NULL)
		verb = "list";
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(verbs[i].verb, verb) == 0) {
			verbs[i].fn(r);
			return;
		}
	err_set(&e, ERR_USAGE, _("subscribers: '%s' is none of list, find, log, answer, proceed"), verb);
	run_fail(r, &e);
}

const struct command cmd_subscribers = {
	.name = "subscribers", .key = "s", .usage = N_("[list|find|log|answer|proceed] [NAME]"),
	.summary = N_("who is concerned, was tried and has answered; no answer holds nothing back"),
	.effect = N_("proceed tells the approvers that waits for an answer have ended; that cannot be taken back. To tell the "
	             "subscribers: notify subscriber, notify preliminary"),
	.options = (const struct option[]){
		{ "channel", N_("CHANNEL"), N_("log, answer: phone (default), mail, webhook, letter, \"in person\", other") },
		{ "outcome", N_("WORD"), N_("log: reached, \"no answer\" or failed") },
		{ "at", N_("TIME"), N_("log, answer: when it was (default now)") },
		{ "text", "TEXT", N_("log, answer: what was said") },
		{ "preliminary", NULL, N_("log: the preliminary report was given") },
		{ "reporter-mail", N_("ADDRESS"), N_("find: the reporter's address, where triage does not name one") },
		{ "told", "TEXT", N_("proceed: the approvers were told by other means, how and by whom") },
		{ "due", NULL, N_("proceed: only where a wait has ended, as the console does") },
		{ NULL, NULL, NULL } },
	.gates = GATE_INCIDENT, .start = subscribers_start,
};
