/* The command table of the console's tests: what needs no PKI is real, the rest is scripted with the
 * same run_* calls that real commands use. */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "base/clock.h"
#include "base/json.h"
#include "engine/engine_private.h"
#include "engine/run.h"

/* ---- count, scope ---- */

static void count_start(struct run *r)
{
	static const struct {
		const char *ca, *title;
		int valid, expired, revoked;
	} n[] = { { "root", "Example Root CA", 2, 0, 0 }, { "issuing1", "Issuing CA 1", 1204, 310, 12 },
		{ "issuing2", "Issuing CA 2", 4812, 901, 37 } };

	for (size_t i = 0; i < 3; i++)
		engine_set_count(run_engine(r), n[i].ca,
		    json_pack("{s:s,s:s,s:i,s:i,s:i,s:i,s:i}", "title", n[i].title, "subject", n[i].title, "valid", n[i].valid,
			"expired", n[i].expired, "revoked", n[i].revoked, "unreadable", 0, "matches",
			args_has(run_args(r), "serial") ? 2 : -1));
	run_end(r, EXIT_DONE);
}

static void scope_start(struct run *r)
{
	json_t *body = json_pack("{s:s,s:i,s:[{s:s,s:i,s:i,s:i,s:i,s:i,s:s}],s:[{s:s,s:s,s:s,s:s}]}", "manifest",
	    "9f3c11ab52d0c3d4e5f60718293a4b5c6d7e8f901a2b3c4d5e6f708192a3b4c5", "count", 4813, "cas", "ca", "issuing2",
	    "valid", 4812, "expired", 901, "revoked", 37, "unreadable", 0, "selected", 4812, "manifest", "9f3c", "own",
	    "ca", "issuing2", "issuer", "root", "serial", "1003", "subject", "CN=Issuing CA 2");

	if (run_append(r, EV_SCOPE, body) == 0)
		run_end(r, EXIT_DONE);
}

/* ---- revoke: a plan, then slow work ---- */

static void revoke_start(struct run *r)
{
	struct plan *p = plan_new("Revoke every valid certificate of Issuing CA 2", "REVOKE 4812",
	    json_pack("{s:s,s:i}", "ca", "issuing2", "count", 4812));

	plan_row(p, "will be revoked", "4 812   keyCompromise   (invalidity date 2026-08-30 22:00Z)");
	plan_row(p, "already revoked", "37   left as they are");
	plan_row(p, "expired", "901   left as they are");
	plan_row(p, "unreadable rows", "0");
	plan_row(p, "and on Root CA's CRL", "1   Issuing CA 2 itself, cACompromise");
	plan_row(p, "files", "index.txt (backup index.txt.pre-emergency-20260831022641), index.txt.attr, crlnumber");
	for (int i = 0; i < 40; i++)
		plan_line(p, "%04X2B3C4D5E6F708192  CN=web%02d.example.com  until 2027-03-02", 0x1a00 + i, i + 1);
	run_plan(r, p);
}

static void revoke_step(void *ctx)
{
	struct run *r = ctx;
	int64_t done, total;
	const char *text;

	run_get_progress(r, &done, &total, &text);
	if (done == 1604)
		run_say(r, "backed up index.txt, index.txt.attr, crlnumber");
	if (done >= 4812) {
		run_say(r, "4 812 of 4 812 revoked, CRL number 1F, 4 849 entries, signature verified");
		run_end(r, EXIT_DONE);
		return;
	}
	run_progress(r, done + 802, 4812, "writing index.txt");
	loop_after(engine_loop(run_engine(r)), 150, revoke_step, r);
}

static void revoke_go(struct run *r)
{
	run_progress(r, 0, 4812, "checking the manifest");
	if (!args_has(run_args(r), "hold"))
		loop_after(engine_loop(run_engine(r)), 150, revoke_step, r);
}

/* ---- contain: a plan that fails ---- */

static void contain_start(struct run *r)
{
	struct plan *p = plan_new("Take Issuing CA 2 offline", "CONTAIN 3", json_pack("{s:i}", "actions", 3));

	plan_row(p, "actions", "3 to run, 2 hold already");
	plan_row(p, "stays reachable", "what serves CRLs: crl1, crl2");
	plan_line(p, "ca01  block 80, 443: iptables -I INPUT 1 -p tcp -m multiport --dports 80,443 -j DROP && ip6tables -I "
	    "INPUT 1 -p tcp -m multiport --dports 80,443 -j DROP");
	plan_line(p, "ca01  forensic image: dd if=/dev/sda of=/backup/forensic/ca01.img bs=4M");
	plan_line(p, "hsm   lock signing key: after checkpoint 4");
	run_plan(r, p);
}

static void contain_go(struct run *r)
{
	struct err e;

	run_say(r, "block 80, 443 on ca01: \033[31mfailed\033[0m");
	err_set(&e, ERR_PARTIAL, "1 of 3 actions did not hold: block 80, 443 on ca01: iptables: Permission denied");
	err_remedy(&e, "give the user of [host ca01] the right to change the firewall, then run contain again");
	run_fail(r, &e);
}

static void doctor_start(struct run *r)
{
	for (int i = 1; i <= 40; i++)
		run_out(r, "%-5s check %02d of an incident's needs", i == 7 ? "FAIL" : "ok", i);
	run_end(r, EXIT_DONE);
}

static void refuse_start(struct run *r)
{
	struct err e;

	err_set(&e, ERR_FAILED, "%s is not part of this demonstration", run_command(r)->name);
	run_fail(r, &e);
}

/* An inventory with more errors than are shown. */
static void reissue_start(struct run *r)
{
	static const char path[] = "/etc/pki/inventory/datacentre-frankfurt/all-servers.csv";
	struct errs es = { 0 };

	for (int line = 12; line <= 1012; line += 40) {
		struct err *e = errs_add(&es, line);

		if (line % 3 == 0) {
			err_set(e, ERR_SYNTAX, "%s:%d: this host stands in line %d already: web%04d.example.com", path, line, line - 1,
			    line - 2);
			err_remedy(e, "leave one; two servers need two names, and what they are reached by as their address");
		} else {
			err_set(e, ERR_SYNTAX, "%s:%d: not a port: 22%c\033[31m", path, line, 'a' + line % 26);
		}
	}
	run_fail_all(r, &es);
}

static void recover_start(struct run *r)
{
	json_t *body = json_object();

	if (args_get(run_args(r), "issuer") == NULL) {
		refuse_start(r);
		json_decref(body);
		return;
	}
	json_put(body, "name", args_get(run_args(r), "issuer"));
	json_put(body, "subject", "CN=Issuing CA 3");
	json_put(body, "fingerprint", "c0ffee11ab52d0c3d4e5f60718293a4b5c6d7e8f901a2b3c4d5e6f708192a3b4");
	json_put(body, "spki", "bb");
	json_put_num(body, "not_after", 1945908840000);
	json_put(body, "how", "existing");
	if (run_append(r, EV_ISSUER, body) < 0)
		return;
	run_say(r, "issuing3 takes over");
	run_end(r, EXIT_DONE);
}

#define ACT (GATE_CONFIG | GATE_INCIDENT | GATE_ARMED | GATE_TRIAGE | GATE_SCOPE)

static const struct option issuer_options[] = { { "issuer", "NAME", "a spare CA" }, { NULL, NULL, NULL } };
static const struct option hold_options[] = { { "hold", NULL, "never end" }, { NULL, NULL, NULL } };

static const struct command fake[] = {
	{ .name = "count", .usage = "", .summary = "count each CA's certificates", .gates = GATE_CONFIG,
	    .start = count_start },
	{ .name = "scope", .usage = "", .summary = "freeze what is to be revoked", .gates = GATE_CONFIG | GATE_INCIDENT |
	    GATE_TRIAGE, .start = scope_start },
	{ .name = "contain", .key = "c", .usage = "", .summary = "take the CA offline",
	    .effect = "Runs each configured action; its undo is recorded.", .gates = ACT, .start = contain_start,
	    .go = contain_go },
	{ .name = "notify", .key = "m", .usage = "KIND", .summary = "send a notice", .gates = ACT, .start = refuse_start,
	    .go = refuse_start },
	{ .name = "revoke", .key = "r", .usage = "", .summary = "revoke the scope and sign the emergency CRL",
	    .effect = "Rewrites index.txt; a backup lies beside it.", .options = hold_options, .gates = ACT,
	    .start = revoke_start, .go = revoke_go },
	{ .name = "publish", .key = "p", .usage = "", .summary = "place the CRL and fetch it back", .gates = ACT | GATE_CRL,
	    .start = refuse_start, .go = refuse_start },
	{ .name = "recover", .usage = "", .summary = "choose the replacement issuer", .options = issuer_options,
	    .gates = ACT, .start = recover_start },
	{ .name = "reissue", .usage = "", .summary = "re-issue across the inventory", .gates = ACT | GATE_ISSUER,
	    .start = reissue_start, .go = refuse_start },
	{ .name = "doctor", .usage = "", .summary = "check everything an incident needs", .start = doctor_start },
};
#define FAKES (sizeof fake / sizeof fake[0])

static const struct command *const real[] = { &cmd_open, &cmd_list, &cmd_arm, &cmd_disarm, &cmd_note, &cmd_triage,
	&cmd_checkpoint, &cmd_close, &cmd_status, &cmd_timeline, &cmd_audit, &cmd_report, &cmd_followup, &cmd_action };
#define REALS (sizeof real / sizeof real[0])

const struct command *command_at(size_t i)
{
	if (i < REALS)
		return real[i];
	return i - REALS < FAKES ? &fake[i - REALS] : NULL;
}

const struct command *command_find(const char *name)
{
	const struct command *c;

	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}
