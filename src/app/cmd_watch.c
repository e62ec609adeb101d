/* watch: the incident's journal as it grows; with --renew CRLs are renewed before their fuse burns. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/loop.h"
#include "engine/run.h"
#include "work/deadlines.h"
#include "work/renewal.h"

#define TICK_MS 1000

struct watching {
	struct run *run;
	size_t shown;      /* journal lines */
	uint64_t timer;
	char *line;        /* the state of renewal as it was said last */
	struct renewal *renewal;
	struct deadlines_watch *deadlines;
};

static void watching_free(void *data)
{
	struct watching *w = data;

	loop_cancel(engine_loop(run_engine(w->run)), w->timer);
	renewal_stop(w->renewal);
	deadlines_stop(w->deadlines);
	free(w->line);
	free(w);
}

/* News of the journal, and of the fuse where it needs somebody. */
static void watch_news(struct watching *w)
{
	struct run *r = w->run;
	size_t n;
	bool bad;
	char *const *line = engine_lines(run_engine(r), &n), *state;

	for (; w->shown < n; w->shown++)
		run_out(r, "%s", line[w->shown]);
	state = renewal_line(run_incident(r), run_config(r), clock_now(), &bad);
	if (state[0] != '\0' && (w->line == NULL || strcmp(w->line, state) != 0)) {
		if (bad)
			run_say(r, "*** %s ***", state);
		else
			run_out(r, "%s", state);
	}
	free(w->line);
	w->line = state;
}

static void watch_tick(void *ctx)
{
	struct watching *w = ctx;
	struct err e = { 0 };

	w->timer = loop_after(engine_loop(run_engine(w->run)), TICK_MS, watch_tick, w);
	if (engine_catch_up(run_engine(w->run), &e) < 0) {
		run_fail(w->run, &e);
		return;
	}
	watch_news(w);
	if (run_incident(w->run)->closed) {
		run_out(w->run, _("The incident is closed; nothing is renewed any more."));
		run_end(w->run, EXIT_DONE);
	}
}

static void watch_start(struct run *r)
{
	struct watching *w = mem_zalloc(1, sizeof *w);
	bool renew = args_has(run_args(r), "renew");
	struct err e = { 0 };
	char *const *line;
	size_t n;

	w->run = r;
	run_set_data(r, w, watching_free);
	if (renew && run_gate(r, GATE_CONFIG | GATE_ARMED, &e) < 0) {
		run_fail(r, &e);
		return;
	}
	line = engine_lines(run_engine(r), &n);
	w->shown = n > 10 ? n - 10 : 0;
	for (size_t i = w->shown; i < n; i++)
		run_out(r, "%s", line[i]);
	w->shown = n;
	/* to watch with --renew is to give the order; who withdraws it later is heard */
	if (renew && !run_incident(r)->renewal && run_append(r, EV_RENEWAL, json_pack("{s:b}", "on", 1)) < 0)
		return;
	if (renew)
		w->renewal = renewal_start(run_engine(r));
	if (!engine_is_read_only(run_engine(r)))
		w->deadlines = deadlines_start(run_engine(r), renew);
	w->timer = loop_after(engine_loop(run_engine(r)), 0, watch_tick, w);
}

const struct command cmd_watch = {
	.name = "watch", .usage = "",
	.summary = N_("follow the journal as it grows; --renew keeps the CRLs alive meanwhile"),
	.effect = N_("alone it changes no system, but journals the warnings of deadlines; with --renew it gives the standing order (see crl renew --auto) and carries it out: "
	             "CRLs are signed, or taken from the ladder, and published before their fuse burns; and the approvers are told when "
	             "a subscriber has not answered in time"),
	.options = (const struct option[]){
		{ "renew", NULL, N_("renew CRLs before nextUpdate, unattended") },
		{ NULL, NULL, NULL } },
	.gates = GATE_INCIDENT, .start = watch_start,
};
