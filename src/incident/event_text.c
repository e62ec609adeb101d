/* Each kind of event in a line of words. */
#include "incident/event.h"

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"

static const char *or_else(const char *s, const char *otherwise)
{
	return s[0] != '\0' ? s : otherwise;
}

static bool is(const json_t *o, const char *member, const char *value)
{
	return strcmp(json_str(o, member), value) == 0;
}

/* The word of a state, as the screens show it. */
static const char *state_word(const json_t *o)
{
	const char *state = json_str(o, "state");

	return state[0] != '\0' ? _(state) : "";
}

/* ---- the incident ---- */

static void text_opened(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("incident %s declared: %s (%s)"), json_str(o, "id"), json_str(o, "title"),
	    is(o, "kind", "drill") ? _("drill") : _("real"));
}

static void text_session(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("sev1 %s opened the incident (%s)"), json_str(o, "version"), json_str(o, "how"));
}

static void text_armed(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_adds(b, json_bool(o, "on") ? _("armed") : _("disarmed, observing"));
}

static void text_note(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("note: %s"), json_str(o, "text"));
}

static void text_triage(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char at[32];

	buf_addf(b, _("triage: %s (%s), %s; first received %s by %s"), json_str(o, "ca"), json_str(o, "level"),
	    json_str(o, "trigger"), clock_iso(at, sizeof at, json_num(o, "received", 0)), json_str(o, "channel"));
}

static void text_scope(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char n[64];

	buf_addf(b, _("scope: %s frozen, manifest %.16s"), text_certificates(n, json_num(o, "count", 0)), json_str(o, "manifest"));
}

static void text_checkpoint(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("checkpoint %lld %s: %s"), (long long)json_num(o, "n", 0), state_word(o), json_str(o, "reason"));
}

static void text_followup(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, json_bool(o, "done") ? _("follow-up %lld done: %s") : _("follow-up %lld reopened: %s"),
	    (long long)json_num(o, "n", 0), json_str(o, "text"));
}

static void text_closed(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("incident closed: %s"), json_str(o, "reason"));
}

static void text_warning(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char due[24];

	clock_iso(due, sizeof due, json_num(o, "due", 0));
	if (is(o, "point", "late"))
		buf_addf(b, _("deadline: %s: LATE, it was due at %s"), json_str(o, "title"), due);
	else if (strchr(json_str(o, "point"), '%') != NULL)
		buf_addf(b, _("deadline: %s: %s of the time is gone, due at %s"), json_str(o, "title"), json_str(o, "point"), due);
	else
		buf_addf(b, _("deadline: %s: less than %s left, due at %s"), json_str(o, "title"), json_str(o, "point"), due);
}

/* ---- plans and actions ---- */

static void text_plan(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("%s: plan %.12s made: %s"), json_str(o, "command"), json_str(o, "hash"), json_str(o, "title"));
}

static void text_confirmed(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("%s: plan %.12s confirmed"), json_str(o, "command"), json_str(o, "hash"));
}

static void text_refused(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("%s: plan %.12s refused: %s"), json_str(o, "command"), json_str(o, "hash"), json_str(o, "why"));
}

static void text_action_start(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("contain: %s on %s: %s"), json_str(o, "title"), or_else(json_str(o, "host"), _("this machine")),
	    json_str(o, "command"));
}

static void text_action_end(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, "contain: %s: %s", json_str(o, "id"), is(o, "outcome", "held") ? _("held") :
	    is(o, "outcome", "undone") ? _("undone") : _("FAILED"));
	if (json_str(o, "detail")[0] != '\0')
		buf_addf(b, ", %s", json_str(o, "detail"));
	if (json_str(o, "sha256")[0] != '\0')
		buf_addf(b, ", sha256 %.16s", json_str(o, "sha256"));
}

/* ---- revocation and CRLs ---- */

static void text_revoke_start(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char n[64];

	buf_addf(b, _("revoke: %s: %s, manifest %.12s"), json_str(o, "ca"), text_certificates(n, json_num(o, "count", 0)),
	    json_str(o, "manifest"));
}

static void text_revoke_end(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char revoked[32], planned[32];

	if (is(o, "outcome", "done"))
		buf_addf(b, _("revoke: %s: %s of %s revoked, backup %s"), json_str(o, "ca"),
		    text_count(revoked, json_num(o, "revoked", 0)), text_count(planned, json_num(o, "planned", 0)),
		    json_str(o, "backup"));
	else
		buf_addf(b, _("revoke: %s: FAILED: %s"), json_str(o, "ca"), json_str(o, "detail"));
}

static void text_undo_start(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("undo: %s: index.txt from %s, sha256 %.16s"), json_str(o, "ca"),
	    or_else(json_str(o, "backup"), _("what it is: nothing had been written")), json_str(o, "sha256"));
}

static void text_undo_end(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char count[32];

	if (is(o, "outcome", "done"))
		buf_addf(b, _("undo: %s: %s valid again, CRL files set aside: %zu"), json_str(o, "ca"),
		    text_count(count, json_num(o, "rows", 0)), json_array_size(json_list(o, "crls")));
	else
		buf_addf(b, _("undo: %s: FAILED: %s"), json_str(o, "ca"), json_str(o, "detail"));
}

static void text_crl(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	const char *part = json_str(o, "part");
	char until[32], entries[64];

	text_entries(entries, json_num(o, "entries", 0));
	clock_iso(until, sizeof until, json_num(o, "next_update", 0));
	if (part[0] != '\0')
		buf_addf(b, _("crl: %s, partition %s: number %s, %s, nextUpdate %s, sha256 %.16s"), json_str(o, "ca"), part,
		    json_str(o, "number"), entries, until, json_str(o, "sha256"));
	else
		buf_addf(b, _("crl: %s: number %s, %s, nextUpdate %s, sha256 %.16s"), json_str(o, "ca"), json_str(o, "number"),
		    entries, until, json_str(o, "sha256"));
}

static void text_renewal(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_adds(b, json_bool(o, "on") ? _("crl: standing order: renew CRLs unattended") :
	    _("crl: standing order withdrawn: CRLs are renewed by hand only"));
}

static void text_renew(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	const char *ca = json_str(o, "ca");

	if (is(o, "state", "failed"))
		buf_addf(b, _("crl: %s: renewal FAILED: %s"), ca, json_str(o, "detail"));
	else if (is(o, "how", "rung"))
		buf_addf(b, _("crl: %s: takes the next rung of the ladder"), ca);
	else if (is(o, "how", "publish"))
		buf_addf(b, _("crl: %s: publishes again"), ca);
	else
		buf_addf(b, _("crl: %s: signs the next CRL"), ca);
	if (json_bool(o, "due") && is(o, "state", "started"))
		buf_adds(b, _(" (standing order)"));
}

static void text_ladder(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	const json_t *rungs = json_list(o, "rungs");
	size_t n = json_array_size(rungs);
	char until[24];

	if (is(o, "state", "stale")) {
		buf_addf(b, _("crl: %s: the ladder is STALE: %s"), json_str(o, "ca"), json_str(o, "detail"));
		return;
	}
	buf_addf(b, ngettext("crl: %s: ladder of %zu rung signed, until %s", "crl: %s: ladder of %zu rungs signed, until %s", n),
	    json_str(o, "ca"), n,
	    clock_iso(until, sizeof until, json_num(json_array_get(rungs, n - 1), "next_update", 0)));
}

static void text_point_start(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, "publish: %s: ", json_str(o, "point"));
	buf_addf(b, _("started, sha256 %.16s"), json_str(o, "sha256"));
}

static void text_point(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, "publish: %s: ", json_str(o, "point"));
	if (is(o, "state", "verified"))
		buf_addf(b, _("verified, %s serves sha256 %.16s"), json_str(o, "url"), json_str(o, "sha256"));
	else if (is(o, "state", "placed"))
		buf_adds(b, _("placed, not yet verified"));
	else
		buf_addf(b, _("FAILED (attempt %lld): %s"), (long long)json_num(o, "attempt", 1), json_str(o, "detail"));
}

/* ---- notices and subscribers ---- */

static void text_notice_start(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("notify %s: sending to %zu: %s"), json_str(o, "notice"), json_array_size(json_list(o, "to")),
	    json_str(o, "subject"));
}

static void text_notice(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	if (is(o, "outcome", "accepted"))
		buf_addf(b, _("notify %s: accepted for %s"), json_str(o, "notice"), json_str(o, "to"));
	else
		buf_addf(b, _("notify %s: FAILED for %s: %s"), json_str(o, "notice"), json_str(o, "to"), json_str(o, "detail"));
}

static void text_roster(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char n[64];

	buf_addf(b, _("subscribers: %zu to be told, %s"), json_array_size(json_list(o, "rows")),
	    text_certificates(n, json_num(o, "certificates", 0)));
	if (json_num(o, "unmatched", 0) > 0)
		buf_addf(b, _("; of nobody: %s"), text_count(n, json_num(o, "unmatched", 0)));
}

static void text_contact(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char at[24];

	buf_addf(b, _("subscriber %s: by %s at %s: %s"), json_str(o, "subscriber"), json_str(o, "channel"),
	    clock_iso(at, sizeof at, json_num(o, "when", ev->at)), json_str(o, "outcome"));
	if (json_str(o, "detail")[0] != '\0')
		buf_addf(b, ", %s", json_str(o, "detail"));
	if (json_bool(o, "preliminary"))
		buf_adds(b, _("; the preliminary report was given"));
}

static void text_answer(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char at[24];

	buf_addf(b, _("subscriber %s answered by %s at %s: %s"), json_str(o, "subscriber"), json_str(o, "channel"),
	    clock_iso(at, sizeof at, json_num(o, "when", ev->at)), json_str(o, "text"));
}

static void text_proceed(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	const json_t *row;
	size_t i;

	buf_adds(b, _("subscribers: no answer in time, revocation proceeds:"));
	json_array_foreach(json_list(o, "rows"), i, row)
		buf_addf(b, "%s %s", i > 0 ? "," : "", json_str(row, "name"));
}

/* ---- recovery ---- */

static void text_ceremony(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("ceremony step %lld: %s"), (long long)json_num(o, "step", 0), json_str(o, "text"));
}

static void text_issuer(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("recover: issuer %s (%s), fingerprint %.16s"), json_str(o, "name"), json_str(o, "how"),
	    json_str(o, "fingerprint"));
}

static void text_reissue_start(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	size_t n = json_array_size(json_list(o, "hosts"));

	if (json_bool(o, "resumed"))
		buf_addf(b, ngettext("reissue: resumed, %zu host from %s", "reissue: resumed, %zu hosts from %s", n), n,
		    json_str(o, "issuer"));
	else
		buf_addf(b, ngettext("reissue: %zu host from %s", "reissue: %zu hosts from %s", n), n, json_str(o, "issuer"));
}

static void text_wave(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, is(o, "state", "ended") ? _("reissue: wave %lld of %lld (%s) ended") :
	    _("reissue: wave %lld of %lld (%s) begins"), (long long)json_num(o, "wave", 0),
	    (long long)json_num(o, "waves", 0), json_str(o, "name"));
}

static void text_steer(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	const char *text = json_str(o, "text");

	buf_addf(b, "reissue: %s%s%s", json_str(o, "what"), json_str(o, "host")[0] != '\0' ? " " : "", json_str(o, "host"));
	if (text[0] != '\0')
		buf_addf(b, ": %s", text);
}

static void text_hosts(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	const json_t *rows = json_list(o, "rows"), *row = json_array_get(rows, 0);
	size_t n = json_array_size(rows);

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

static void text_reissue_end(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("reissue: ended: %lld verified, %lld failed, %lld unreachable, %lld refused"),
	    (long long)json_num(o, "verified", 0), (long long)json_num(o, "failed", 0),
	    (long long)json_num(o, "unreachable", 0), (long long)json_num(o, "refused", 0));
	if (json_str(o, "stopped")[0] != '\0')
		buf_addf(b, _("; stopped: %s"), json_str(o, "stopped"));
}

static void text_ari(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	const char *folder = json_str(o, "folder");
	char n[64];

	text_certificates(n, json_num(o, "files", 0));
	if (is(o, "state", "started"))
		buf_addf(b, _("ari: writing renewal information to %s: %s"), folder, n);
	else if (is(o, "state", "written"))
		buf_addf(b, _("ari: renewal information written to %s: %s, sha256 %.16s"), folder, n, json_str(o, "sha256"));
	else
		buf_addf(b, _("ari: FAILED: %s"), json_str(o, "detail"));
}

static void text_replaced(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	int64_t total = json_num(o, "total", 0), replaced = json_num(o, "replaced", 0);
	char n[32], all[64], seen[32];

	buf_addf(b, _("ari: %s of %s replaced (%lld %%), %s of them seen on servers"), text_count(n, replaced),
	    text_certificates(all, total), (long long)(total > 0 ? replaced * 100 / total : 0),
	    text_count(seen, json_num(o, "seen", 0)));
}

/* ---- reports ---- */

static void text_report(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;

	buf_addf(b, _("report: %s written to %s"), or_else(json_str(o, "kind"), json_str(o, "format")), json_str(o, "path"));
}

static void text_appendix(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	char n[64];

	buf_addf(b, _("report: appendix written to %s: %s"), json_str(o, "path"), text_certificates(n, json_num(o, "rows", 0)));
}

static void text_field(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	const json_t *lines = json_list(o, "lines"), *first = json_array_get(lines, 0);

	if (first == NULL) {
		buf_addf(b, _("report field %s: emptied"), json_str(o, "name"));
		return;
	}
	buf_addf(b, _("report field %s: %s"), json_str(o, "name"), json_is_string(first) ? json_string_value(first) : "");
	if (json_array_size(lines) > 1)
		buf_adds(b, " ...");
}

static void text_item(struct buf *b, const struct event *ev)
{
	const json_t *o = ev->body;
	static const char *const shown[] = { "title", "kind", "cause", "criteria", "status", "text" };
	char due[32];

	buf_addf(b, _("action item %lld:"), (long long)json_num(o, "n", 0));
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
		if (json_str(o, shown[i])[0] != '\0')
			buf_addf(b, "%s %s", b->data[b->len - 1] != ':' ? ";" : "", json_str(o, shown[i]));
	if (json_num(o, "due", -1) >= 0)
		buf_addf(b, _("; due %s"), clock_iso(due, sizeof due, json_num(o, "due", 0)));
}

static void (*const words[EV_KINDS])(struct buf *b, const struct event *ev) = {
	[EV_OPENED] = text_opened,
	[EV_SESSION] = text_session,
	[EV_ARMED] = text_armed,
	[EV_NOTE] = text_note,
	[EV_TRIAGE] = text_triage,
	[EV_SCOPE] = text_scope,
	[EV_PLAN] = text_plan,
	[EV_CONFIRMED] = text_confirmed,
	[EV_REFUSED] = text_refused,
	[EV_ACTION_START] = text_action_start,
	[EV_ACTION_END] = text_action_end,
	[EV_REVOKE_START] = text_revoke_start,
	[EV_REVOKE_END] = text_revoke_end,
	[EV_CRL] = text_crl,
	[EV_UNDO_START] = text_undo_start,
	[EV_UNDO_END] = text_undo_end,
	[EV_POINT_START] = text_point_start,
	[EV_POINT] = text_point,
	[EV_NOTICE_START] = text_notice_start,
	[EV_NOTICE] = text_notice,
	[EV_CHECKPOINT] = text_checkpoint,
	[EV_CEREMONY] = text_ceremony,
	[EV_ISSUER] = text_issuer,
	[EV_REISSUE_START] = text_reissue_start,
	[EV_WAVE] = text_wave,
	[EV_STEER] = text_steer,
	[EV_HOST] = text_hosts,
	[EV_REISSUE_END] = text_reissue_end,
	[EV_FOLLOWUP] = text_followup,
	[EV_REPORT] = text_report,
	[EV_CLOSED] = text_closed,
	[EV_RENEWAL] = text_renewal,
	[EV_RENEW] = text_renew,
	[EV_LADDER] = text_ladder,
	[EV_ARI] = text_ari,
	[EV_REPLACED] = text_replaced,
	[EV_FIELD] = text_field,
	[EV_ITEM] = text_item,
	[EV_APPENDIX] = text_appendix,
	[EV_WARNING] = text_warning,
	[EV_ROSTER] = text_roster,
	[EV_CONTACT] = text_contact,
	[EV_ANSWER] = text_answer,
	[EV_PROCEED] = text_proceed,
};

char *event_text(const struct event *ev)
{
	struct buf b = { 0 };

	words[ev->kind](&b, ev);
	return buf_take(&b);
}
