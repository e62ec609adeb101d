#include "work/intake_clock.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "comms/grounds.h"
#include "engine/config.h"
#include "incident/times.h"
#include "incident/triage.h"
#include "work/declare.h"

#define TIMES_MAX (1u << 20)
#define MINUTE_MS (60LL * 1000)

static const char *clock_profile(const struct config *c)
{
	return c != NULL && c->profile != NULL ? c->profile : "private";
}

json_t *intake_times(const struct config *c)
{
	char *path = declare_times(c, clock_profile(c));
	struct buf text = { 0 };
	struct err e = { 0 };
	json_t *times = fs_read(path, &text, TIMES_MAX, &e) == 0 ? times_read(buf_str(&text), path, &e) : NULL;

	buf_free(&text);
	free(path);
	return times;
}

/* A CA's own key: all that it issued, and its own certificate, whichever comes first. */
static int clock_minutes(const struct config *c, const json_t *times, const char *reason)
{
	bool ca = strcmp(reason, "cACompromise") == 0;
	int own, issued;

	if (times == NULL)
		return triage_deadline_hours(clock_profile(c), ca ? "intermediate" : "end-entity", reason) * 60;
	if (!ca)
		return times_revocation(times, "end-entity", reason);
	own = times_revocation(times, "intermediate", "cACompromise");
	issued = times_revocation(times, "intermediate", "keyCompromise");
	return own < issued ? own : issued;
}

/* The earliest that a circumstance of this reason asks for; which one it is, triage decides. */
static int clock_advised(const json_t *times, const char *reason, int minutes)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_list(times, "circumstances"), i, v) {
		int n = (int)json_num(v, json_num(v, "should", 0) > 0 ? "should" : "must", 0);

		if (strcmp(json_str(v, "reason"), reason) == 0 && n > 0 && n < minutes)
			minutes = n;
	}
	return minutes;
}

void intake_clock(const struct config *c, const json_t *times, const json_t *report, struct intake_clock *out)
{
	struct grounds g = grounds_kept(report);
	int64_t received = json_num(report, "received", 0);
	int advised;

	*out = (struct intake_clock){ .reason = g.reason, .why = g.why, .minutes = clock_minutes(c, times, g.reason) };
	out->due = received + out->minutes * MINUTE_MS;
	advised = clock_advised(times, g.reason, out->minutes);
	out->advised = advised < out->minutes ? received + advised * MINUTE_MS : 0;
}
