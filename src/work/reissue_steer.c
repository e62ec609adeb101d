/* The operator's word to a re-issue that goes. It passes through the journal, so that a key in the console, a
 * signal and a command in another terminal are the same, and all are recorded. */
#include <string.h>

#include "base/i18n.h"
#include "base/json.h"
#include "work/reissue.h"

#define TICK_MS 200

/* It began before its row was in the journal, so the skip was taken there. The row will say what became of it. */
static void steer_too_late(struct reissue *d, const char *host)
{
	if (d->late == NULL)
		d->late = json_object();
	if (json_object_get(d->late, host) != NULL)
		return;
	json_object_set_new(d->late, host, json_true());
	run_say(d->run, _("reissue: %s was on its way already: it is not skipped"), host);
}

static void steer_skips(struct reissue *d)
{
	const struct incident *in = run_incident(d->run);
	const struct host *h;

	for (size_t i = 0; (h = fleet_host(d->fleet, i)) != NULL; i++) {
		const struct host_row *row = incident_host(in, h->name);

		if (row == NULL || strcmp(row->state, "skipped") != 0)
			continue;
		if (h->state == HOST_WAITING)
			fleet_skip(d->fleet, h->name, row->detail);
		else if (h->state == HOST_RUNNING)
			steer_too_late(d, h->name);
	}
}

static void steer_obey(struct reissue *d)
{
	enum rollout_state now = run_incident(d->run)->rollout.state, was = d->obeyed;

	if (now == was)
		return;
	d->obeyed = now;
	run_say(d->run, _("reissue: %s"), rollout_word(now));
	if (now == ROLLOUT_PAUSED || (now == ROLLOUT_GOING && was == ROLLOUT_PAUSED))
		fleet_pause(d->fleet, now == ROLLOUT_PAUSED);
	else if (now == ROLLOUT_DRAINING)
		fleet_drain(d->fleet);
	else if (now == ROLLOUT_ABORTED)
		fleet_abort(d->fleet, _("stopped by the operator"));
}

static void steer_look(struct reissue *d)
{
	const struct incident *in = run_incident(d->run);

	if (in->last_seq == d->seen)
		return;
	d->seen = in->last_seq;
	steer_skips(d);
	if (run_state(d->run) != RUN_ENDED)
		steer_obey(d);
}

static void steer_tick(void *ctx)
{
	struct reissue *d = ctx;
	struct err e = { 0 };

	d->tick = 0;
	if (run_state(d->run) == RUN_ENDED)
		return;
	if (engine_catch_up(run_engine(d->run), &e) < 0) {
		run_fail(d->run, &e);
		return;
	}
	d->tick = loop_after(engine_loop(run_engine(d->run)), TICK_MS, steer_tick, d);
	steer_look(d);
}

void reissue_listen(struct reissue *d)
{
	d->obeyed = ROLLOUT_GOING;
	d->tick = loop_after(engine_loop(run_engine(d->run)), TICK_MS, steer_tick, d);
}

void reissue_steer(struct run *r, enum steer how)
{
	static const char *const word[] = { [STEER_PAUSE] = "pause", [STEER_CONTINUE] = "continue",
		[STEER_DRAIN] = "drain", [STEER_ABORT] = "abort" };

	if (run_append(r, EV_STEER, json_pack("{s:s}", "what", word[how])) == 0)
		steer_look(run_data(r));
}
