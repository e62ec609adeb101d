#include "work/deadlines.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/loop.h"
#include "engine/engine.h"
#include "incident/deadline.h"
#include "work/subscribers.h"

#define TICK_MS 1000
#define RETRY_MS (60LL * 1000)
#define RETRY_MAX (15 * RETRY_MS)

int deadlines_warn(struct engine *en, struct err *e)
{
	json_t *due, *body;
	size_t i;
	int rc;

	if (engine_incident(en) == NULL || engine_is_read_only(en))
		return 0;
	if ((rc = engine_catch_up(en, e)) < 0) /* another console may have warned already */
		return rc;
	due = incident_warnings(engine_incident(en), clock_now());
	json_array_foreach(due, i, body)
		if ((rc = engine_append(en, EV_WARNING, json_incref(body), e)) < 0)
			break;
	rc = rc < 0 ? rc : (int)json_array_size(due);
	json_decref(due);
	return rc;
}

/* Has a point of warning of this one passed? Told by the journal, so that every console says the same. */
static bool warned(const struct incident *in, const struct deadline *d)
{
	return json_object_get(in->warned, d->name) != NULL;
}

char *deadlines_line(const struct incident *in, int64_t now, bool *late)
{
	size_t n;
	struct deadline *list = incident_deadlines(in, now, &n);
	char *line = NULL, left[40];

	*late = !in->closed && incident_untold(in);
	if (*late)
		line = mem_strdup(_("Revocation proceeds without an answer; the approvers are NOT TOLD: subscribers proceed"));
	for (size_t i = 0; i < n && line == NULL && !in->closed; i++) {
		if (list[i].met != 0 || !warned(in, &list[i]))
			continue;
		*late = list[i].due < now;
		clock_span(left, sizeof left, *late ? now - list[i].due : list[i].due - now);
		if (*late && list[i].kind == DEADLINE_ANSWER)
			line = mem_printf(_("No answer of %s in time: revocation proceeds"), strchr(list[i].name, ':') + 1);
		else
			line = mem_printf(*late ? _("Deadline: %s: %s late") : _("Deadline: %s: %s left"), list[i].title,
			    left);
	}
	incident_deadlines_free(list, n);
	return line != NULL ? line : mem_strdup("");
}

/* ---- unattended ---- */

struct deadlines_watch {
	struct engine *en;
	bool acts;
	uint64_t timer;
	int64_t tried;  /* clock_mono of the last try to tell the approvers; 0 never */
	int64_t wait;   /* until the next one, ms: longer each time that they cannot be told */
};

static void watch_proceed(struct deadlines_watch *w)
{
	const struct incident *in = engine_incident(w->en);
	bool overdue = subscribers_overdue(in, clock_now());
	struct args *a;

	if (!w->acts || !engine_armed(w->en) || engine_config(w->en) == NULL || engine_runs_a(w->en, "subscribers"))
		return;
	if (!overdue && !incident_untold(in)) {
		w->tried = w->wait = 0;
		return;
	}
	if (w->tried != 0 && clock_mono() - w->tried < (overdue ? RETRY_MS : w->wait))
		return;
	w->tried = clock_mono();
	w->wait = w->wait == 0 ? RETRY_MS : w->wait * 2 < RETRY_MAX ? w->wait * 2 : RETRY_MAX;
	a = args_new();
	args_add(a, "", "proceed");
	args_set(a, "due", "");
	command_start(w->en, command_find("subscribers"), a, NULL, NULL); /* a closed gate is looked at again */
}

static void watch_tick(void *ctx)
{
	struct deadlines_watch *w = ctx;

	w->timer = loop_after(engine_loop(w->en), TICK_MS, watch_tick, w);
	if (engine_incident(w->en) == NULL || engine_incident(w->en)->closed)
		return;
	if (deadlines_warn(w->en, NULL) >= 0)
		watch_proceed(w);
}

struct deadlines_watch *deadlines_start(struct engine *en, bool acts)
{
	struct deadlines_watch *w = mem_zalloc(1, sizeof *w);

	w->en = en;
	w->acts = acts;
	w->timer = loop_after(engine_loop(en), TICK_MS, watch_tick, w);
	return w;
}

void deadlines_stop(struct deadlines_watch *w)
{
	if (w == NULL)
		return;
	loop_cancel(engine_loop(w->en), w->timer);
	free(w);
}
