/* Checkpoint 1: live counts, the triage answers, the frozen scope. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/request.h"
#include "engine/run.h"
#include "incident/times.h"
#include "incident/triage.h"
#include "journal/journal.h"
#include "work/selectors.h"

#define COUNT_DEADLINE_S 60
#define SCOPE_DEADLINE_S 300
#define MANIFEST_MAX (512u << 20)

/* ---- count ---- */

static void count_line(void *ctx, struct child *c, const json_t *msg)
{
	struct run *r = ctx;
	json_t *o = json_object_get(msg, "count");
	char v[32], x[32], k[32];

	(void)c;
	if (o == NULL)
		return;
	engine_set_count(run_engine(r), json_str(o, "ca"), json_incref(o));
	json_array_append(json_object_get(run_result(r), "cas"), o);
	if (json_str(o, "error")[0] != '\0')
		run_out(r, "%-20s %s", json_str(o, "ca"), json_str(o, "error"));
	else
		run_out(r, _("%-20s %10s valid  %8s expired  %8s revoked  %lld unreadable"), json_str(o, "ca"),
		    text_count(v, json_num(o, "valid", 0)), text_count(x, json_num(o, "expired", 0)),
		    text_count(k, json_num(o, "revoked", 0)), (long long)json_num(o, "unreadable", 0));
	if (json_object_get(o, "matches") != NULL)
		run_out(r, _("%-20s %10s of them match"), "", text_count(v, json_num(o, "matches", 0)));
	else if (json_str(o, "refused")[0] != '\0')
		run_out(r, "%-20s %s", "", json_str(o, "refused"));
	selectors_found(r, json_list(o, "groups"));
}

static void count_done(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;

	if (result == NULL)
		run_fail(r, err);
	else
		run_end(r, EXIT_DONE);
}

static void count_start(struct run *r)
{
	const struct config *c = run_config(r);
	const char *only = args_get(run_args(r), "ca");
	json_t *cas = json_array(), *request, *groups;
	struct err e = { 0 };

	if ((groups = selectors_of(run_args(r), &e)) == NULL || (only != NULL && config_ca(c, only) == NULL)) {
		if (groups != NULL)
			err_set(&e, ERR_USAGE, _("count: no CA is called '%s' in %s"), only, c->path);
		json_decref(groups);
		json_decref(cas);
		run_fail(r, &e);
		return;
	}
	for (size_t i = 0; i < c->cas; i++)
		if (only == NULL || strcmp(c->ca[i].name, only) == 0)
			json_array_append_new(cas, ca_request(c, c->ca[i].name));
	json_object_set_new(run_result(r), "cas", json_array());
	request = json_pack("{s:s,s:o,s:I}", "op", "count", "cas", cas, "at", (json_int_t)clock_now());
	if (json_array_size(groups) > 0)
		json_object_set(request, "groups", groups);
	run_child(r, "ca", request, json_array_size(groups) > 0 ? SCOPE_DEADLINE_S : COUNT_DEADLINE_S, count_line,
	    count_done, r);
	json_decref(groups);
}

const struct command cmd_count = {
	.name = "count", .usage = "",
	.summary = N_("count valid, expired, revoked and unreadable rows of every CA; with selectors, what they match"),
	.options = (const struct option[]){ { "ca", "NAME", N_("this CA only") }, SELECTOR_OPTIONS, { NULL, NULL, NULL } },
	.gates = GATE_CONFIG, .start = count_start,
};

/* ---- triage ---- */

static int triage_time(const struct args *a, const char *name, int64_t otherwise, int64_t *ms, struct err *e)
{
	const char *s = args_get(a, name);

	*ms = otherwise;
	if (s == NULL || (strcmp(name, "since") == 0 && strcmp(s, "unknown") == 0))
		return 0;
	if (clock_parse_when(s, clock_now(), ms) < 0) {
		err_set(e, ERR_USAGE, _("triage: --%s '%s' is not a time with a zone"), name, s);
		return err_remedy(e, _("write 2026-08-31T23:19+05:30, 2026-08-31T17:49Z, -35m or now"));
	}
	if (*ms > clock_now())
		return err_set(e, ERR_USAGE, _("triage: --%s lies in the future"), name);
	return 0;
}

/* The answer of this name, else what the report says. NULL for neither. */
static const char *triage_word(const struct args *a, const char *name, const json_t *report)
{
	const char *s = args_get(a, name);

	return s != NULL || json_str(report, name)[0] == '\0' ? s : json_str(report, name);
}

static int triage_body(struct run *r, json_t *body, struct err *e)
{
	const struct args *a = run_args(r);
	const json_t *report = run_incident(r)->report; /* what is not answered it knows; NULL */
	const char *ca = triage_word(a, "ca", report), *compromise = args_get(a, "compromise");
	const char *reason = args_get(a, "reason"), *channel = triage_word(a, "channel", report);
	const char *circumstance = args_get(a, "circumstance");
	int n = circumstance != NULL ? atoi(circumstance) : 0;
	const json_t *c = times_circumstance(run_incident(r)->times, n);
	int64_t received, since;
	json_t *groups;
	int rc;

	if ((rc = triage_time(a, "received", json_num(report, "received", clock_now()), &received, e)) < 0 ||
	    (rc = triage_time(a, "since", 0, &since, e)) < 0)
		return rc;
	if (circumstance != NULL && c == NULL) {
		err_set(e, ERR_USAGE, _("triage: there is no circumstance '%s'"), circumstance);
		return err_remedy(e, _("list them with: sev1 deadline --circumstances"));
	}
	if (ca == NULL || config_ca(run_config(r), ca) == NULL) {
		err_set(e, ERR_USAGE, _("triage: no CA is called '%s' in %s"), ca != NULL ? ca : "",
		    run_config(r)->path);
		return err_remedy(e, _("see the names with: sev1 count"));
	}
	json_put(body, "ca", ca);
	json_put(body, "level", args_get(a, "level"));
	json_put_num(body, "compromise", compromise != NULL ? atoi(compromise) : 0);
	json_put(body, "channel", channel != NULL ? channel : "other");
	json_put(body, "reporter", triage_word(a, "reporter", report));
	json_put_num(body, "circumstance", n);
	json_put(body, "reason", reason != NULL ? reason : c != NULL ? json_str(c, "reason") : "keyCompromise");
	json_put_num(body, "received", received);
	json_put_num(body, "since", since);
	if ((groups = selectors_of(a, e)) == NULL)
		return e->code;
	if (json_array_size(groups) == 0 && strcmp(json_str(body, "level"), "end-entity") == 0 &&
	    strcmp(json_str(report, "ca"), ca) == 0)
		json_array_extend(groups, json_object_get(report, "selectors"));
	json_object_set_new(body, "selectors", json_array_size(groups) > 0 ? json_pack("{s:O}", "groups", groups) :
	    json_object());
	json_decref(groups);
	return triage_complete(body, run_incident(r)->profile, run_incident(r)->times, e);
}

static void triage_show(struct run *r, bool hold)
{
	const struct incident *in = run_incident(r);
	char at[24], until[24];
	const json_t *who;
	size_t i;

	run_out(r, _("Affected CA        %s (%s)"), in->triage.ca, in->triage.level);
	run_out(r, _("Trigger            %s: %s"), in->triage.trigger, in->triage.action);
	run_out(r, _("First received     %s by %s"), clock_iso(at, sizeof at, in->triage.received), in->triage.channel);
	run_out(r, _("Revocation due     %s"), clock_iso(until, sizeof until, in->triage.deadline));
	selectors_show(r, in->triage.selectors);
	if (hold)
		run_out(r, "%-18s %s", "certificateHold",
		    _("suspends: it can be lifted again, and it is not for public TLS (TLS BR 7.2)"));
	json_array_foreach(in->triage.tell, i, who)
		run_out(r, "%-18s %s", i == 0 ? _("Must be told") : "", json_string_value(who));
	run_out(r, _("Next               freeze the scope: sev1 scope"));
}

/* The answers are complete: body is stolen. False where the run has ended. */
static bool triage_record(struct run *r, json_t *body, bool *hold)
{
	struct err e = { 0 };

	if (triage_complete(body, run_incident(r)->profile, run_incident(r)->times, &e) < 0) {
		json_decref(body);
		run_fail(r, &e);
		return false;
	}
	*hold = triage_holds(body);
	json_object_set(run_result(r), "triage", body);
	return run_append(r, EV_TRIAGE, body) == 0;
}

static void triage_selected(struct run *r, json_t *body)
{
	bool hold;

	if (!triage_record(r, body, &hold))
		return;
	triage_show(r, hold);
	run_end(r, EXIT_DONE);
}

static void triage_start(struct run *r)
{
	json_t *body = json_object();
	const json_t *groups;
	struct err e = { 0 };

	if (triage_body(r, body, &e) < 0) {
		json_decref(body);
		run_fail(r, &e);
		return;
	}
	groups = json_list(json_object_get(body, "selectors"), "groups");
	if (groups == NULL)
		triage_selected(r, body);
	else
		selectors_ask(r, json_deep_copy(groups), body, triage_selected);
}

const struct command cmd_triage = {
	.name = "triage", .key = "t", .usage = "", .summary = N_("answer what is affected, how, and since when"),
	.options = (const struct option[]){
		{ "ca", "NAME", N_("the affected CA, as in the configuration") },
		{ "level", N_("LEVEL"), N_("root, intermediate or end-entity") },
		{ "compromise", "1-4", N_("1 private key stolen, 2 unauthorised issuance, 3 system, 4 algorithm") },
		{ "received", N_("TIME"), N_("first receipt of the report, on any channel (default now)") },
		{ "channel", "NAME", N_("problem-report, support, phone, monitoring, staff, authority, other") },
		{ "reporter", "TEXT", N_("who reported it") },
		{ "since", N_("TIME"), N_("when the compromise began, or unknown") },
		{ "reason", N_("REASON"), N_("revocation reason (default keyCompromise)") },
		{ "circumstance", "N", N_("the rule's number that applies, where it decides the time: see deadline --circumstances") },
		SELECTOR_OPTIONS,
		{ NULL, NULL, NULL } },
	.gates = GATE_CONFIG | GATE_INCIDENT, .start = triage_start,
};

/* ---- scope ---- */

static bool scope_below(const struct config *c, const char *ca, const char *top)
{
	const struct ca_conf *at = config_ca(c, ca);

	for (size_t depth = 0; at != NULL && depth <= c->cas; depth++) {
		if (strcmp(at->name, top) == 0)
			return true;
		at = at->parent != NULL ? config_ca(c, at->parent) : NULL;
	}
	return false;
}

/* Is `name` the parent of a CA in the list, without being in it? Its index holds their certificates. */
static bool scope_is_parent(const struct config *c, const json_t *cas, const char *name)
{
	const json_t *ca;
	bool parent = false;
	size_t i;

	(void)c;
	json_array_foreach(cas, i, ca) {
		if (strcmp(json_str(ca, "name"), name) == 0)
			return false;
		parent = parent || strcmp(json_str(ca, "parent"), name) == 0;
	}
	return parent;
}

static json_t *scope_request(struct run *r, const char *folder, struct err *e)
{
	const struct incident *in = run_incident(r);
	const struct config *c = run_config(r);
	bool end_entity = strcmp(in->triage.level, "end-entity") == 0;
	const json_t *answers = run_data(r);
	json_t *cas, *parents, *o, *selectors = selectors_request(r, answers != NULL ?
	    json_object_get(answers, "selectors") : in->triage.selectors, folder, e);

	if (selectors == NULL)
		return NULL;
	cas = json_array();
	parents = json_array();
	for (size_t i = 0; i < c->cas; i++) {
		if (end_entity ? strcmp(c->ca[i].name, in->triage.ca) != 0 :
		    !scope_below(c, c->ca[i].name, in->triage.ca) || c->ca[i].spare)
			continue;
		o = ca_request(c, c->ca[i].name);
		json_object_set_new(o, "all", json_boolean(!end_entity));
		json_array_append_new(cas, o);
	}
	for (size_t i = 0; i < c->cas; i++)
		if (scope_is_parent(c, cas, c->ca[i].name))
			json_array_append_new(parents, ca_request(c, c->ca[i].name));
	json_put(selectors, "reason", in->triage.reason);
	return json_pack("{s:s,s:o,s:o,s:s,s:o,s:I,s:s}", "op", "scope", "cas", cas, "parents", parents,
	    "level", in->triage.level, "selectors", selectors, "at", (json_int_t)clock_now(), "folder", folder);
}

/* Keep every manifest in the incident file: it is what was confirmed. */
static int scope_keep(struct run *r, const json_t *cas, struct err *e)
{
	const json_t *ca;
	size_t i;
	int rc = 0;

	json_array_foreach(cas, i, ca) {
		struct buf text = { 0 };
		char hex[65];
		rc = fs_read(json_str(ca, "path"), &text, MANIFEST_MAX, e);
		if (rc == 0)
			rc = journal_keep(engine_journal(run_engine(r)), "manifest", buf_str(&text), text.len, hex, e);
		if (rc == 0 && strcmp(hex, json_str(ca, "manifest")) != 0)
			rc = err_set(e, ERR_REFUSED, _("manifest %s changed under our hands"), json_str(ca, "path"));
		buf_free(&text);
		if (rc < 0)
			break;
	}
	return rc;
}

static void scope_show(struct run *r)
{
	const struct incident *in = run_incident(r);
	char n[64], *reasons = incident_reasons(in);

	for (size_t i = 0; i < in->scopes; i++)
		run_out(r, _("%-20s %10s of %lld valid; %lld revoked before, %lld expired"), in->scope[i].ca,
		    text_count(n, in->scope[i].selected), (long long)in->scope[i].valid,
		    (long long)in->scope[i].revoked, (long long)in->scope[i].expired);
	for (size_t i = 0; i < in->owns; i++)
		run_out(r, _("%-20s %10s on %s's CRL: %s"), in->own[i].ca, "1", in->own[i].issuer, in->own[i].subject);
	run_out(r, _("To be revoked for %s"), reasons);
	if (strstr(reasons, "certificateHold") != NULL)
		run_out(r, "%-18s %s", "certificateHold", _("suspends: it can be lifted again, and it is not for public TLS (TLS BR 7.2)"));
	free(reasons);
	run_out(r, _("Frozen: %s, manifest sha256 %s"), text_certificates(n, in->scope_count), in->manifest);
}

static void scope_show_found(struct run *r, const json_t *scope)
{
	const json_t *ca;
	size_t i;

	json_array_foreach(json_list(scope, "cas"), i, ca)
		selectors_found(r, json_list(ca, "groups"));
}

static void scope_done(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	json_t *body;
	struct err e = { 0 };
	bool hold;

	if (result == NULL) {
		run_fail(r, err);
		return;
	}
	if (json_num(result, "count", 0) == 0) {
		err_set(&e, ERR_REFUSED, _("scope: no valid certificate of %s is selected: what the answers name is "
		    "expired or revoked already"), run_incident(r)->triage.ca);
		err_remedy(&e, _("check the CA and the selectors, and answer again: sev1 triage; nothing was frozen"));
		run_fail(r, &e);
		return;
	}
	if (scope_keep(r, json_list(result, "cas"), &e) < 0) {
		run_fail(r, &e);
		return;
	}
	if (run_data(r) != NULL && !triage_record(r, json_incref(run_data(r)), &hold))
		return;
	body = json_deep_copy(result);
	json_object_set(run_result(r), "scope", body);
	if (run_append(r, EV_SCOPE, body) < 0)
		return;
	scope_show_found(r, json_object_get(run_result(r), "scope"));
	scope_show(r);
	run_end(r, EXIT_DONE);
}

static void scope_freeze(struct run *r)
{
	struct err e = { 0 };
	char *folder = engine_folder(run_engine(r), "manifests", &e);
	json_t *request = folder != NULL ? scope_request(r, folder, &e) : NULL;

	free(folder);
	if (request == NULL)
		run_fail(r, &e);
	else
		run_child(r, "ca", request, SCOPE_DEADLINE_S, NULL, scope_done, r);
}

static void scope_drop(void *body)
{
	json_decref(body);
}

/* The new answers are recorded with the scope that they make: a refused one leaves all as it was. */
static void scope_selected(struct run *r, json_t *body)
{
	run_set_data(r, body, scope_drop);
	scope_freeze(r);
}

/* The answers of triage as they stand, with other selectors. */
static json_t *scope_answers(const struct incident *in, const json_t *groups)
{
	json_t *body = json_object();

	json_put(body, "ca", in->triage.ca);
	json_put(body, "level", in->triage.level);
	json_put_num(body, "compromise", in->triage.compromise);
	json_put(body, "channel", in->triage.channel);
	json_put(body, "reporter", in->triage.reporter);
	json_put(body, "reason", in->triage.reason);
	json_put_num(body, "circumstance", in->triage.circumstance);
	json_put_num(body, "received", in->triage.received);
	json_put_num(body, "since", in->triage.since);
	json_object_set_new(body, "selectors", json_pack("{s:O}", "groups", groups));
	return body;
}

static void scope_start(struct run *r)
{
	struct err e = { 0 };
	json_t *groups = selectors_of(run_args(r), &e), *body;

	if (groups != NULL && json_array_size(groups) == 0) {
		json_decref(groups);
		scope_freeze(r);
		return;
	}
	body = groups != NULL ? scope_answers(run_incident(r), groups) : NULL;
	if (body == NULL || triage_complete(body, run_incident(r)->profile, run_incident(r)->times, &e) < 0) {
		json_decref(groups);
		json_decref(body);
		run_fail(r, &e);
		return;
	}
	selectors_ask(r, groups, body, scope_selected);
}

const struct command cmd_scope = {
	.name = "scope", .usage = "", .summary = N_("freeze what is to be revoked: count and manifest"),
	.effect = N_("Reads index.txt; and new_certs_dir, once, where a name, a key or the time of issue is asked for. Changes "
	    "nothing. With selectors it first answers triage anew with these instead of those of before, the level being "
	    "end-entity. Undo: answer triage again."),
	.options = (const struct option[]){ SELECTOR_OPTIONS, { NULL, NULL, NULL } },
	.gates = GATE_CONFIG | GATE_INCIDENT | GATE_TRIAGE, .start = scope_start,
};
