/* Checkpoint 1: live counts, the triage answers, the frozen scope. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/engine.h"
#include "app/request.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "incident/triage.h"
#include "journal/journal.h"

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
	json_t *cas = json_array();

	for (size_t i = 0; i < c->cas; i++)
		json_array_append_new(cas, ca_request(c, c->ca[i].name));
	json_object_set_new(run_result(r), "cas", json_array());
	run_child(r, "ca", json_pack("{s:s,s:o,s:I}", "op", "count", "cas", cas, "at", (json_int_t)clock_now()),
	    COUNT_DEADLINE_S, count_line, count_done, r);
}

const struct command cmd_count = {
	.name = "count", .usage = "",
	.summary = N_("count valid, expired, revoked and unreadable rows of every CA"),
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

static json_t *triage_selectors(const struct args *a, int64_t issued_since)
{
	json_t *o = json_object(), *serials = json_array();
	const char *s;

	for (size_t i = 0; (s = args_nth(a, "serial", i)) != NULL; i++)
		json_array_append_new(serials, json_string(s));
	if (json_array_size(serials) > 0)
		json_object_set_new(o, "serials", serials);
	else
		json_decref(serials);
	if (args_get(a, "subject") != NULL)
		json_put(o, "subject", args_get(a, "subject"));
	if (issued_since > 0)
		json_put_num(o, "since", issued_since);
	return o;
}

static int triage_body(struct run *r, json_t *body, struct err *e)
{
	const struct args *a = run_args(r);
	const char *ca = args_get(a, "ca"), *compromise = args_get(a, "compromise");
	const char *reason = args_get(a, "reason"), *s;
	int64_t received, since, issued;
	int rc;

	for (size_t i = 0; (s = args_nth(a, "serial", i)) != NULL; i++)
		if (!text_is_hex(s) || strlen(s) > 40)
			return err_set(e, ERR_USAGE, _("triage: --serial '%s' is not a hexadecimal serial"), s);
	if ((rc = triage_time(a, "received", clock_now(), &received, e)) < 0 ||
	    (rc = triage_time(a, "since", 0, &since, e)) < 0 ||
	    (rc = triage_time(a, "issued-since", 0, &issued, e)) < 0)
		return rc;
	if (ca == NULL || config_ca(run_config(r), ca) == NULL) {
		err_set(e, ERR_USAGE, _("triage: no CA is called '%s' in %s"), ca != NULL ? ca : "",
		    run_config(r)->path);
		return err_remedy(e, _("see the names with: sev1 count"));
	}
	json_put(body, "ca", ca);
	json_put(body, "level", args_get(a, "level"));
	json_put_num(body, "compromise", compromise != NULL ? atoi(compromise) : 0);
	json_put(body, "channel", args_get(a, "channel") != NULL ? args_get(a, "channel") : "other");
	json_put(body, "reporter", args_get(a, "reporter"));
	json_put(body, "reason", reason != NULL ? reason : "keyCompromise");
	json_put_num(body, "received", received);
	json_put_num(body, "since", since);
	json_object_set_new(body, "selectors", triage_selectors(a, issued));
	return triage_complete(body, run_incident(r)->profile, e);
}

static void triage_show(struct run *r)
{
	const struct incident *in = run_incident(r);
	char at[24], until[24];
	const json_t *who;
	size_t i;

	run_out(r, _("Affected CA        %s (%s)"), in->triage.ca, in->triage.level);
	run_out(r, _("Trigger            %s: %s"), in->triage.trigger, in->triage.action);
	run_out(r, _("First received     %s by %s"), clock_iso(at, sizeof at, in->triage.received), in->triage.channel);
	run_out(r, _("Revocation due     %s"), clock_iso(until, sizeof until, in->triage.deadline));
	json_array_foreach(in->triage.tell, i, who)
		run_out(r, "%-18s %s", i == 0 ? _("Must be told") : "", json_string_value(who));
	run_out(r, _("Next               freeze the scope: sev1 scope"));
}

static void triage_start(struct run *r)
{
	json_t *body = json_object();
	struct err e = { 0 };

	if (triage_body(r, body, &e) < 0) {
		json_decref(body);
		run_fail(r, &e);
		return;
	}
	json_object_set(run_result(r), "triage", body);
	if (run_append(r, EV_TRIAGE, body) < 0)
		return;
	triage_show(r);
	run_end(r, EXIT_DONE);
}

const struct command cmd_triage = {
	.name = "triage", .key = "t", .usage = "", .summary = N_("answer what is affected, how, and since when"),
	.options = (const struct option[]){
		{ "ca", "NAME", N_("the affected CA, as in the configuration") },
		{ "level", "LEVEL", N_("root, intermediate or end-entity") },
		{ "compromise", "1-4", N_("1 private key stolen, 2 unauthorised issuance, 3 system, 4 algorithm") },
		{ "received", "TIME", N_("first receipt of the report, on any channel (default now)") },
		{ "channel", "NAME", N_("problem-report, support, phone, monitoring, staff, authority, other") },
		{ "reporter", "TEXT", N_("who reported it") },
		{ "since", "TIME", N_("when the compromise began, or unknown") },
		{ "reason", "REASON", N_("revocation reason (default keyCompromise)") },
		{ "serial", "HEX", N_("end-entity: a serial; may be repeated") },
		{ "subject", "GLOB", N_("end-entity: subjects like this") },
		{ "issued-since", "TIME", N_("end-entity: issued at or after") },
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

static json_t *scope_request(struct run *r, const char *folder)
{
	const struct incident *in = run_incident(r);
	const struct config *c = run_config(r);
	bool end_entity = strcmp(in->triage.level, "end-entity") == 0;
	json_t *cas = json_array(), *parents = json_array(), *selectors = json_object(), *o;

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
	json_object_update(selectors, in->triage.selectors);
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
	char n[32];

	for (size_t i = 0; i < in->scopes; i++)
		run_out(r, _("%-20s %10s of %lld valid; %lld revoked before, %lld expired"), in->scope[i].ca,
		    text_count(n, in->scope[i].selected), (long long)in->scope[i].valid,
		    (long long)in->scope[i].revoked, (long long)in->scope[i].expired);
	for (size_t i = 0; i < in->owns; i++)
		run_out(r, _("%-20s %10s on %s's CRL: %s"), in->own[i].ca, "1", in->own[i].issuer, in->own[i].subject);
	run_out(r, _("Frozen: %s certificates, manifest sha256 %s"), text_count(n, in->scope_count), in->manifest);
}

static void scope_done(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	json_t *body;
	struct err e = { 0 };

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
	body = json_deep_copy(result);
	json_object_set(run_result(r), "scope", body);
	if (run_append(r, EV_SCOPE, body) < 0)
		return;
	scope_show(r);
	run_end(r, EXIT_DONE);
}

static void scope_start(struct run *r)
{
	struct err e = { 0 };
	char *folder = engine_folder(run_engine(r), "manifests", &e);

	if (folder == NULL) {
		run_fail(r, &e);
		return;
	}
	run_child(r, "ca", scope_request(r, folder), SCOPE_DEADLINE_S, NULL, scope_done, r);
	free(folder);
}

const struct command cmd_scope = {
	.name = "scope", .usage = "", .summary = N_("freeze what is to be revoked: count and manifest"),
	.gates = GATE_CONFIG | GATE_INCIDENT | GATE_TRIAGE, .start = scope_start,
};
