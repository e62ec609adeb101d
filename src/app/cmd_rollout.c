/* The operator's word to a re-issue, from any terminal. */
#include <string.h>

#include "app/commands.h"
#include "base/i18n.h"
#include "base/json.h"
#include "engine/run.h"
#include "work/rollout.h"

static void rollout_show(struct run *r)
{
	const struct incident *in = run_incident(r);

	if (in->rollout.state == ROLLOUT_NONE)
		run_out(r, _("No re-issue was begun: sev1 reissue"));
	rollout_say(r);
	for (size_t i = 0; i < in->rollout.waves; i++)
		run_out(r, "  %zu  %-12s %zu/%zu", i + 1, in->rollout.wave[i].name, in->rollout.wave[i].verified,
		    in->rollout.wave[i].hosts);
	json_object_set_new(run_result(r), "rollout", rollout_json(run_engine(r)));
	run_end(r, EXIT_DONE);
}

/* May host be left out? 0 or an error. */
static int rollout_may_skip(const struct incident *in, const char *host, struct err *e)
{
	const struct host_row *h = incident_host(in, host != NULL ? host : "");

	if (host == NULL)
		return err_set(e, ERR_USAGE, _("rollout skip: which host?"));
	if (h == NULL) {
		err_set(e, ERR_NOTFOUND, _("rollout: there is no host %s in this re-issue"), host);
		return err_remedy(e, _("see them: sev1 status, or the fleet screen"));
	}
	if (strcmp(h->state, "running") != 0 && strcmp(h->state, "verified") != 0)
		return 0;
	err_set(e, ERR_REFUSED, _("rollout: %s is %s: it cannot be skipped any more"), host, h->state);
	return err_remedy(e, _("what runs ends by itself, or by: sev1 rollout abort"));
}

static int rollout_check(struct run *r, const char *what, struct err *e)
{
	const struct incident *in = run_incident(r);
	enum rollout_state state = rollout_now(run_engine(r));

	if (strcmp(what, "skip") == 0)
		return rollout_may_skip(in, args_nth(run_args(r), "", 1), e);
	if (strcmp(what, "pause") != 0 && strcmp(what, "continue") != 0 && strcmp(what, "drain") != 0 &&
	    strcmp(what, "abort") != 0)
		return err_set(e, ERR_USAGE, _("rollout takes pause, continue, skip HOST, drain or abort, not '%s'"), what);
	if (state == ROLLOUT_NONE || state == ROLLOUT_ENDED)
		return err_set(e, ERR_REFUSED, _("rollout: no re-issue goes"));
	if (state == ROLLOUT_INTERRUPTED) {
		err_set(e, ERR_REFUSED, _("rollout: the re-issue was interrupted: nobody runs it any more"));
		return err_remedy(e, _("go on: sev1 reissue --resume"));
	}
	if (strcmp(what, "continue") == 0 && state != ROLLOUT_PAUSED)
		return err_set(e, ERR_REFUSED, _("rollout: it is %s, not paused"), _(rollout_word(state)));
	return strcmp(what, "continue") == 0 ? run_gate(r, GATE_ARMED, e) : 0;
}

static void rollout_start(struct run *r)
{
	const char *what = args_nth(run_args(r), "", 0), *why = args_get(run_args(r), "reason");
	struct err e = { 0 };
	json_t *body = json_object();

	if (what == NULL) {
		json_decref(body);
		rollout_show(r);
		return;
	}
	if (rollout_check(r, what, &e) < 0) {
		json_decref(body);
		run_fail(r, &e);
		return;
	}
	json_put(body, "what", what);
	if (strcmp(what, "skip") == 0)
		json_put(body, "host", args_nth(run_args(r), "", 1));
	json_put(body, "text", why != NULL ? why : strcmp(what, "skip") == 0 ? _("skipped by the operator") : "");
	if (run_append(r, EV_STEER, body) < 0)
		return;
	rollout_show(r);
}

const struct command cmd_rollout = {
	.name = "rollout", .usage = "[pause|continue|skip HOST|drain|abort]",
	.summary = N_("where the re-issue stands, wave by wave; pause it, go on, skip a host, drain, abort"),
	.effect = N_("pause: nothing new begins, what runs finishes; drain: the same, then it ends; abort: what runs is killed, and "
	             "each host puts its old files back. Go on: rollout continue, or reissue --resume where it has ended"),
	.options = (const struct option[]){
		{ "reason", "TEXT", N_("for the journal") },
		{ NULL, NULL, NULL } },
	.gates = GATE_INCIDENT, .start = rollout_start,
};
