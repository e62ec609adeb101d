#include "incident/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"

static const char *const names[EV_KINDS] = {
	[EV_OPENED] = "incident.opened",
	[EV_SESSION] = "session.started",
	[EV_ARMED] = "armed",
	[EV_NOTE] = "note",
	[EV_TRIAGE] = "triage.answered",
	[EV_SCOPE] = "scope.frozen",
	[EV_PLAN] = "plan.made",
	[EV_CONFIRMED] = "plan.confirmed",
	[EV_REFUSED] = "plan.refused",
	[EV_ACTION_START] = "action.started",
	[EV_ACTION_END] = "action.ended",
	[EV_REVOKE_START] = "revocation.started",
	[EV_REVOKE_END] = "revocation.ended",
	[EV_CRL] = "crl.signed",
	[EV_UNDO_START] = "undo.started",
	[EV_UNDO_END] = "undo.ended",
	[EV_POINT_START] = "publication.started",
	[EV_POINT] = "publication.point",
	[EV_NOTICE_START] = "notice.started",
	[EV_NOTICE] = "notice.sent",
	[EV_CHECKPOINT] = "checkpoint.by-hand",
	[EV_CEREMONY] = "ceremony.step",
	[EV_ISSUER] = "issuer.chosen",
	[EV_REISSUE_START] = "reissue.started",
	[EV_WAVE] = "reissue.wave",
	[EV_STEER] = "reissue.steered",
	[EV_HOST] = "reissue.hosts",
	[EV_REISSUE_END] = "reissue.ended",
	[EV_FOLLOWUP] = "followup",
	[EV_REPORT] = "report.written",
	[EV_CLOSED] = "incident.closed",
	[EV_RENEWAL] = "crl.standing-order",
	[EV_RENEW] = "crl.renewal",
	[EV_LADDER] = "crl.ladder",
	[EV_ARI] = "ari",
	[EV_REPLACED] = "replacement.counted",
	[EV_FIELD] = "report.field",
	[EV_ITEM] = "action.item",
	[EV_APPENDIX] = "report.appendix",
	[EV_WARNING] = "deadline.warning",
	[EV_ROSTER] = "subscribers.found",
	[EV_CONTACT] = "subscriber.contact",
	[EV_ANSWER] = "subscriber.answer",
	[EV_PROCEED] = "subscribers.proceed",
};

const char *event_name(enum event_kind kind)
{
	return names[kind];
}

int event_kind_of(const char *name)
{
	for (int i = 0; i < EV_KINDS; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

void event_clear(struct event *ev)
{
	free(ev->actor);
	json_decref(ev->body);
	ev->actor = NULL;
	ev->body = NULL;
}

static const char *or_else(const char *s, const char *otherwise)
{
	return s[0] != '\0' ? s : otherwise;
}

static void text_plan(struct buf *b, const struct event *ev)
{
	const char *command = json_str(ev->body, "command"), *hash = json_str(ev->body, "hash");

	if (ev->kind == EV_PLAN)
		buf_addf(b, _("%s: plan %.12s made: %s"), command, hash, json_str(ev->body, "title"));
	else if (ev->kind == EV_CONFIRMED)
		buf_addf(b, _("%s: plan %.12s confirmed"), command, hash);
	else
		buf_addf(b, _("%s: plan %.12s refused: %s"), command, hash, json_str(ev->body, "why"));
}

static void text_action(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	if (ev->kind == EV_ACTION_START) {
		buf_addf(b, _("contain: %s on %s: %s"), json_str(o, "title"), or_else(json_str(o, "host"), _("this machine")),
		    json_str(o, "command"));
		return;
	}
	buf_addf(b, "contain: %s: ", json_str(o, "id"));
	if (strcmp(json_str(o, "outcome"), "held") == 0)
		buf_adds(b, _("held"));
	else if (strcmp(json_str(o, "outcome"), "undone") == 0)
		buf_adds(b, _("undone"));
	else
		buf_adds(b, _("FAILED"));
	if (json_str(o, "detail")[0] != '\0')
		buf_addf(b, ", %s", json_str(o, "detail"));
	if (json_str(o, "sha256")[0] != '\0')
		buf_addf(b, ", sha256 %.16s", json_str(o, "sha256"));
}

static void text_revoke(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char count[32];

	if (ev->kind == EV_REVOKE_START)
		buf_addf(b, _("revoke: %s: %s certificates, manifest %.12s"), json_str(o, "ca"),
		    text_count(count, json_num(o, "count", 0)), json_str(o, "manifest"));
	else if (strcmp(json_str(o, "outcome"), "done") == 0)
		buf_addf(b, _("revoke: %s: %lld of %lld revoked, backup %s"), json_str(o, "ca"),
		    (long long)json_num(o, "revoked", 0), (long long)json_num(o, "planned", 0), json_str(o, "backup"));
	else
		buf_addf(b, _("revoke: %s: FAILED: %s"), json_str(o, "ca"), json_str(o, "detail"));
}

static void text_undo(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char count[32];

	if (ev->kind == EV_UNDO_START)
		buf_addf(b, _("undo: %s: index.txt from %s, sha256 %.16s"), json_str(o, "ca"),
		    or_else(json_str(o, "backup"), _("what it is: nothing had been written")), json_str(o, "sha256"));
	else if (strcmp(json_str(o, "outcome"), "done") == 0)
		buf_addf(b, _("undo: %s: %s valid again, CRL files set aside: %zu"), json_str(o, "ca"),
		    text_count(count, json_num(o, "rows", 0)), json_array_size(json_list(o, "crls")));
	else
		buf_addf(b, _("undo: %s: FAILED: %s"), json_str(o, "ca"), json_str(o, "detail"));
}

static void text_crl(struct buf *b, const struct event *ev)
{
	char until[32];
	const char *part = json_str(ev->body, "part");

	if (part[0] != '\0') {
		buf_addf(b, _("crl: %s, partition %s: number %s, %lld entries, nextUpdate %s, sha256 %.16s"),
		    json_str(ev->body, "ca"), part, json_str(ev->body, "number"), (long long)json_num(ev->body, "entries", 0),
		    clock_iso(until, sizeof until, json_num(ev->body, "next_update", 0)), json_str(ev->body, "sha256"));
		return;
	}
	buf_addf(b, _("crl: %s: number %s, %lld entries, nextUpdate %s, sha256 %.16s"), json_str(ev->body, "ca"),
	    json_str(ev->body, "number"), (long long)json_num(ev->body, "entries", 0),
	    clock_iso(until, sizeof until, json_num(ev->body, "next_update", 0)), json_str(ev->body, "sha256"));
}

static void text_renew(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	const char *how = json_str(o, "how"), *ca = json_str(o, "ca");

	if (strcmp(json_str(o, "state"), "failed") == 0)
		buf_addf(b, _("crl: %s: renewal FAILED: %s"), ca, json_str(o, "detail"));
	else if (strcmp(how, "rung") == 0)
		buf_addf(b, _("crl: %s: takes the next rung of the ladder"), ca);
	else if (strcmp(how, "publish") == 0)
		buf_addf(b, _("crl: %s: publishes again"), ca);
	else
		buf_addf(b, _("crl: %s: signs the next CRL"), ca);
	if (json_bool(o, "due") && strcmp(json_str(o, "state"), "started") == 0)
		buf_adds(b, _(" (standing order)"));
}

static void text_ladder(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body, *rungs = json_list(o, "rungs");
	size_t n = json_array_size(rungs);
	char until[24];

	if (strcmp(json_str(o, "state"), "stale") == 0) {
		buf_addf(b, _("crl: %s: the ladder is STALE: %s"), json_str(o, "ca"), json_str(o, "detail"));
		return;
	}
	buf_addf(b, ngettext("crl: %s: ladder of %zu rung signed, until %s", "crl: %s: ladder of %zu rungs signed, until %s", n),
	    json_str(o, "ca"), n,
	    clock_iso(until, sizeof until, json_num(json_array_get(rungs, n - 1), "next_update", 0)));
}

static void text_point(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	const char *state = json_str(o, "state");

	buf_addf(b, "publish: %s: ", json_str(o, "point"));
	if (ev->kind == EV_POINT_START)
		buf_addf(b, _("started, sha256 %.16s"), json_str(o, "sha256"));
	else if (strcmp(state, "verified") == 0)
		buf_addf(b, _("verified, %s serves sha256 %.16s"), json_str(o, "url"), json_str(o, "sha256"));
	else if (strcmp(state, "placed") == 0)
		buf_adds(b, _("placed, not yet verified"));
	else
		buf_addf(b, _("FAILED (attempt %lld): %s"), (long long)json_num(o, "attempt", 1), json_str(o, "detail"));
}

static void text_notice(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	if (ev->kind == EV_NOTICE_START)
		buf_addf(b, _("notify %s: sending to %zu: %s"), json_str(o, "notice"),
		    json_array_size(json_list(o, "to")), json_str(o, "subject"));
	else if (strcmp(json_str(o, "outcome"), "accepted") == 0)
		buf_addf(b, _("notify %s: accepted for %s"), json_str(o, "notice"), json_str(o, "to"));
	else
		buf_addf(b, _("notify %s: FAILED for %s: %s"), json_str(o, "notice"), json_str(o, "to"),
		    json_str(o, "detail"));
}

/* The word of a state, as the screens show it. */
static const char *state_word(const json_t *o)
{
	const char *state = json_str(o, "state");

	return state[0] != '\0' ? _(state) : "";
}

static void text_hosts(struct buf *b, const json_t *rows)
{
	size_t n = json_array_size(rows);
	const json_t *row = json_array_get(rows, 0);

	if (n == 1) {
		buf_addf(b, "reissue: %s: %s", json_str(row, "host"), state_word(row));
		if (json_str(row, "detail")[0] != '\0')
			buf_addf(b, ", %s", json_str(row, "detail"));
		return;
	}
	buf_addf(b, ngettext("reissue: %zu host: ", "reissue: %zu hosts: ", n), n);
	for (size_t i = 0; i < n && i < 6; i++)
		buf_addf(b, "%s%s %s", i > 0 ? ", " : "", json_str(json_array_get(rows, i), "host"),
		    state_word(json_array_get(rows, i)));
	if (n > 6)
		buf_adds(b, " ...");
}

static void text_steer(struct buf *b, const json_t *o)
{
	const char *what = json_str(o, "what"), *text = json_str(o, "text");

	buf_addf(b, "reissue: %s%s%s", what, json_str(o, "host")[0] != '\0' ? " " : "", json_str(o, "host"));
	if (text[0] != '\0')
		buf_addf(b, ": %s", text);
}

static void text_reissue(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	if (ev->kind == EV_HOST)
		text_hosts(b, json_list(o, "rows"));
	else if (ev->kind == EV_REISSUE_START)
		buf_addf(b, json_bool(o, "resumed") ? _("reissue: resumed, %zu hosts from %s") :
		    _("reissue: %zu hosts from %s"), json_array_size(json_list(o, "hosts")), json_str(o, "issuer"));
	else if (ev->kind == EV_WAVE)
		buf_addf(b, strcmp(json_str(o, "state"), "ended") == 0 ? _("reissue: wave %lld of %lld (%s) ended") :
		    _("reissue: wave %lld of %lld (%s) begins"), (long long)json_num(o, "wave", 0),
		    (long long)json_num(o, "waves", 0), json_str(o, "name"));
	else if (ev->kind == EV_STEER)
		text_steer(b, o);
	else
		buf_addf(b, _("reissue: ended: %lld verified, %lld failed, %lld unreachable, %lld refused"),
		    (long long)json_num(o, "verified", 0), (long long)json_num(o, "failed", 0),
		    (long long)json_num(o, "unreachable", 0), (long long)json_num(o, "refused", 0));
	if (ev->kind == EV_REISSUE_END && json_str(o, "stopped")[0] != '\0')
		buf_addf(b, _("; stopped: %s"), json_str(o, "stopped"));
}

static void text_ari(struct buf *b, const json_t *o)
{
	const char *state = json_str(o, "state"), *folder = json_str(o, "folder");
	char n[32];

	text_count(n, json_num(o, "files", 0));
	if (strcmp(state, "started") == 0)
		buf_addf(b, _("ari: writing renewal information of %s certificates to %s"), n, folder);
	else if (strcmp(state, "written") == 0)
		buf_addf(b, _("ari: renewal information of %s certificates written to %s, sha256 %.16s"), n, folder,
		    json_str(o, "sha256"));
	else
		buf_addf(b, _("ari: FAILED: %s"), json_str(o, "detail"));
}

static void text_replaced(struct buf *b, const json_t *o)
{
	int64_t total = json_num(o, "total", 0), replaced = json_num(o, "replaced", 0);
	char n[32], all[32], seen[32];

	buf_addf(b, _("ari: %s of %s certificates replaced (%lld %%), %s of them seen on servers"), text_count(n, replaced),
	    text_count(all, total), (long long)(total > 0 ? replaced * 100 / total : 0),
	    text_count(seen, json_num(o, "seen", 0)));
}

static void text_item(struct buf *b, const struct event *ev)
{
	static const char *const shown[] = { "title", "kind", "cause", "criteria", "status", "text" };
	const json_t *o = ev->body;
	char due[32];

	buf_addf(b, _("action item %lld:"), (long long)json_num(o, "n", 0));
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
		if (json_str(o, shown[i])[0] != '\0')
			buf_addf(b, "%s %s", b->data[b->len - 1] != ':' ? ";" : "", json_str(o, shown[i]));
	if (json_num(o, "due", -1) >= 0)
		buf_addf(b, _("; due %s"), clock_iso(due, sizeof due, json_num(o, "due", 0)));
}

static void text_field(struct buf *b, const struct event *ev)
{
	const json_t *lines = json_list(ev->body, "lines");
	size_t n = json_array_size(lines);

	if (n == 0) {
		buf_addf(b, _("report field %s: emptied"), json_str(ev->body, "name"));
		return;
	}
	buf_addf(b, _("report field %s: %s"), json_str(ev->body, "name"),
	    json_is_string(json_array_get(lines, 0)) ? json_string_value(json_array_get(lines, 0)) : "");
	if (n > 1)
		buf_adds(b, " ...");
}

static void text_triage(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char at[32];

	buf_addf(b, _("triage: %s (%s), %s; first received %s by %s"), json_str(o, "ca"), json_str(o, "level"),
	    json_str(o, "trigger"), clock_iso(at, sizeof at, json_num(o, "received", 0)), json_str(o, "channel"));
}

static void text_warning(struct buf *b, const json_t *o)
{
	char due[24];

	clock_iso(due, sizeof due, json_num(o, "due", 0));
	if (strcmp(json_str(o, "point"), "late") == 0)
		buf_addf(b, _("deadline: %s: LATE, it was due at %s"), json_str(o, "title"), due);
	else if (strchr(json_str(o, "point"), '%') != NULL)
		buf_addf(b, _("deadline: %s: %s of the time is gone, due at %s"), json_str(o, "title"), json_str(o, "point"), due);
	else
		buf_addf(b, _("deadline: %s: less than %s left, due at %s"), json_str(o, "title"), json_str(o, "point"), due);
}

static void text_subscriber(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body, *rows = json_list(o, "rows"), *row;
	char count[32], at[24];
	size_t i;

	switch (ev->kind) {
	case EV_ROSTER:
		buf_addf(b, _("subscribers: %zu to be told, %s certificates"), json_array_size(rows),
		    text_count(count, json_num(o, "certificates", 0)));
		if (json_num(o, "unmatched", 0) > 0)
			buf_addf(b, _("; %s are nobody's"), text_count(count, json_num(o, "unmatched", 0)));
		break;
	case EV_CONTACT:
		buf_addf(b, _("subscriber %s: by %s at %s: %s"), json_str(o, "subscriber"), json_str(o, "channel"),
		    clock_iso(at, sizeof at, json_num(o, "when", ev->at)), json_str(o, "outcome"));
		if (json_str(o, "detail")[0] != '\0')
			buf_addf(b, ", %s", json_str(o, "detail"));
		if (json_bool(o, "preliminary"))
			buf_adds(b, _("; the preliminary report was given"));
		break;
	case EV_ANSWER:
		buf_addf(b, _("subscriber %s answered by %s at %s: %s"), json_str(o, "subscriber"), json_str(o, "channel"),
		    clock_iso(at, sizeof at, json_num(o, "when", ev->at)), json_str(o, "text"));
		break;
	default:
		buf_adds(b, _("subscribers: no answer in time, revocation proceeds:"));
		json_array_foreach(rows, i, row)
			buf_addf(b, "%s %s", i > 0 ? "," : "", json_str(row, "name"));
	}
}

static void text_incident(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	switch (ev->kind) {
	case EV_OPENED:
		buf_addf(b, _("incident %s declared: %s (%s)"), json_str(o, "id"), json_str(o, "title"),
		    strcmp(json_str(o, "kind"), "drill") == 0 ? _("drill") : _("real"));
		break;
	case EV_SESSION:
		buf_addf(b, _("sev1 %s opened the incident (%s)"), json_str(o, "version"), json_str(o, "how"));
		break;
	case EV_ARMED:
		buf_adds(b, json_bool(o, "on") ? _("armed") : _("disarmed, observing"));
		break;
	case EV_NOTE:
		buf_addf(b, _("note: %s"), json_str(o, "text"));
		break;
	case EV_SCOPE:
		buf_addf(b, _("scope: %lld certificates frozen, manifest %.16s"), (long long)json_num(o, "count", 0),
		    json_str(o, "manifest"));
		break;
	case EV_CHECKPOINT:
		buf_addf(b, _("checkpoint %lld %s: %s"), (long long)json_num(o, "n", 0), state_word(o),
		    json_str(o, "reason"));
		break;
	case EV_CEREMONY:
		buf_addf(b, _("ceremony step %lld: %s"), (long long)json_num(o, "step", 0), json_str(o, "text"));
		break;
	case EV_ISSUER:
		buf_addf(b, _("recover: issuer %s (%s), fingerprint %.16s"), json_str(o, "name"), json_str(o, "how"),
		    json_str(o, "fingerprint"));
		break;
	case EV_FOLLOWUP:
		buf_addf(b, json_bool(o, "done") ? _("follow-up %lld done: %s") : _("follow-up %lld reopened: %s"),
		    (long long)json_num(o, "n", 0), json_str(o, "text"));
		break;
	case EV_REPORT:
		buf_addf(b, _("report: %s written to %s"), or_else(json_str(o, "kind"), json_str(o, "format")),
		    json_str(o, "path"));
		break;
	case EV_APPENDIX:
		buf_addf(b, _("report: appendix of %lld certificates written to %s"), (long long)json_num(o, "rows", 0),
		    json_str(o, "path"));
		break;
	case EV_RENEWAL:
		buf_adds(b, json_bool(o, "on") ? _("crl: standing order: renew CRLs unattended") :
		    _("crl: standing order withdrawn: CRLs are renewed by hand only"));
		break;
	case EV_CLOSED:
		buf_addf(b, _("incident closed: %s"), json_str(o, "reason"));
		break;
	default:
		buf_adds(b, event_name(ev->kind));
	}
}

char *event_text(const struct event *ev)
{
	struct buf b = { 0 };

	switch (ev->kind) {
	case EV_TRIAGE:
		text_triage(&b, ev);
		break;
	case EV_PLAN:
	case EV_CONFIRMED:
	case EV_REFUSED:
		text_plan(&b, ev);
		break;
	case EV_ACTION_START:
	case EV_ACTION_END:
		text_action(&b, ev);
		break;
	case EV_REVOKE_START:
	case EV_REVOKE_END:
		text_revoke(&b, ev);
		break;
	case EV_UNDO_START:
	case EV_UNDO_END:
		text_undo(&b, ev);
		break;
	case EV_CRL:
		text_crl(&b, ev);
		break;
	case EV_POINT_START:
	case EV_POINT:
		text_point(&b, ev);
		break;
	case EV_RENEW:
		text_renew(&b, ev);
		break;
	case EV_LADDER:
		text_ladder(&b, ev);
		break;
	case EV_ARI:
		text_ari(&b, ev->body);
		break;
	case EV_REPLACED:
		text_replaced(&b, ev->body);
		break;
	case EV_WARNING:
		text_warning(&b, ev->body);
		break;
	case EV_ROSTER:
	case EV_CONTACT:
	case EV_ANSWER:
	case EV_PROCEED:
		text_subscriber(&b, ev);
		break;
	case EV_NOTICE_START:
	case EV_NOTICE:
		text_notice(&b, ev);
		break;
	case EV_ITEM:
		text_item(&b, ev);
		break;
	case EV_FIELD:
		text_field(&b, ev);
		break;
	case EV_REISSUE_START:
	case EV_WAVE:
	case EV_STEER:
	case EV_HOST:
	case EV_REISSUE_END:
		text_reissue(&b, ev);
		break;
	default:
		text_incident(&b, ev);
	}
	return buf_take(&b);
}
