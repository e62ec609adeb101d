/* Checkpoint 8, second half: new certificates on every server, each proved by a handshake. */
#include "app/commands.h"
#include "base/i18n.h"
#include "work/ansible.h"
#include "work/reissue.h"

static void reissue_go(struct run *r)
{
	reissue_run(run_data(r));
}

static void reissue_known(struct run *r)
{
	struct err e = { 0 };

	if (!args_has(run_args(r), "export"))
		run_plan(r, reissue_plan(run_data(r)));
	else if (ansible_export(run_data(r), &e) < 0)
		run_fail(r, &e);
	else
		run_end(r, EXIT_DONE);
}

/* A key that is made on the host is nobody's yet: only those that stay can be stolen ones. */
static void reissue_judged(struct run *r)
{
	struct reissue *d = run_data(r);

	if (reissue_new_key(run_config(r)))
		reissue_known(r);
	else
		compromised_ask_keys(&d->compromised, reissue_known);
}

static void reissue_start(struct run *r)
{
	struct errs es = { 0 };
	struct reissue *d = reissue_new(r, &es);
	char *gone;

	if (d == NULL) {
		run_fail_all(r, &es);
	} else if (d->targets == 0) {
		run_out(r, _("Nothing to re-issue: %zu hosts of %zu are verified."), d->verified,
		    d->inventory->servers);
		if (d->former > 0)
			run_out(r, _("%zu of these have theirs from the issuer before this one; replace them too: --again"), d->former);
		if (reissue_gone(d, &gone) > 0)
			run_out(r, _("no longer in the inventory, not verified and not done here: %s"), gone);
		free(gone);
		if (d->skipped > 0)
			run_out(r, _("%zu are skipped: sev1 reissue --retry skipped"), d->skipped);
		run_end(r, EXIT_DONE);
	} else {
		compromised_ask(&d->compromised, r, reissue_judged);
	}
}

const struct command cmd_reissue = {
	.name = "reissue", .key = "w", .usage = "",
	.summary = N_("new certificates for the fleet, installed, tested, reloaded and seen in a handshake"),
	.effect = N_("replaces certificate (and key, with key-mode new) on each host beside a backup .FILE.sev1-TIME; puts the "
	             "old files back where test, reload or handshake fail. To undo later, move the backup over the file. "
	             "Ctrl-C: what runs finishes, nothing new begins; again: it is killed, and the hosts put their files back"),
	.options = (const struct option[]){
		{ "only", N_("PATTERNS"), N_("only these, also -w: web*, GROUP, web[01-20], @FILE, a:&b, a:!b") },
		{ "exclude", N_("PATTERNS"), N_("all but these, also -x") },
		{ "retry", N_("WHICH"), N_("only failed (tried and not verified), untried, or skipped hosts") },
		{ "canaries", "N|HOSTS", N_("these first; each must be verified before anything else begins") },
		{ "waves", N_("SIZES"), N_("then in parts, as 5,10%,50%,rest; each only after the one before it") },
		{ "max-failed", "N", N_("stop once more than N hosts failed or were rolled back; default: what [fleet] says, or none") },
		{ "max-unreachable", "N", N_("stop once more than N are unreachable") },
		{ "max-refused", "N", N_("stop once more than N are refused") },
		{ "resume", NULL, N_("go on with the waves and limits that the journal holds") },
		{ "engine", N_("ENGINE"), N_("ssh, the default, or ansible: ansible-playbook connects, sev1 issues and verifies") },
		{ "export", N_("DIR"), N_("with --engine ansible: only write playbook and inventory, for an AWX or another machine") },
		{ "from", N_("DIR"), N_("with --engine ansible: go on from the results of what was exported and run elsewhere") },
		{ "again", NULL, N_("also hosts that are verified already") },
		{ NULL, NULL, NULL } },
	.gates = GATE_CONFIG | GATE_INCIDENT | GATE_ARMED | GATE_ISSUER | GATE_LEASE,
	.start = reissue_start, .go = reissue_go, .steer = reissue_steer,
};
