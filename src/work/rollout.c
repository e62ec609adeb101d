/* Where a re-issue in waves stands: the journal's word, held against whether anybody still runs it. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "work/rollout.h"

enum rollout_state rollout_now(const struct engine *en)
{
	const struct incident *in = engine_incident(en);

	return in != NULL ? rollout_stands(in, engine_acting(en)) : ROLLOUT_NONE;
}

char *rollout_waits(const struct engine *en)
{
	switch (rollout_now(en)) {
	case ROLLOUT_PAUSED:
		return mem_strdup(_("paused: what runs finishes, nothing new begins; go on: rollout continue"));
	case ROLLOUT_DRAINING:
		return mem_strdup(_("draining: what runs finishes, then it ends; go on after that: reissue --resume"));
	case ROLLOUT_ABORTED:
		return mem_strdup(_("aborted: what ran puts its old files back; go on after that: reissue --resume"));
	case ROLLOUT_INTERRUPTED:
		return mem_strdup(_("interrupted: nobody runs it any more; go on: reissue --resume"));
	default:
		return mem_strdup("");
	}
}

static json_t *rollout_limit(long n)
{
	return n < 0 ? json_null() : json_integer(n);
}

json_t *rollout_json(const struct engine *en)
{
	const struct rollout *r = &engine_incident(en)->rollout;
	json_t *waves = json_array();

	for (size_t i = 0; i < r->waves; i++)
		json_array_append_new(waves, json_pack("{s:s, s:I, s:I}", "name", r->wave[i].name, "total",
		    (json_int_t)r->wave[i].hosts, "verified", (json_int_t)r->wave[i].verified));
	return json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:s}", "state", rollout_word(rollout_now(en)), "wave",
	    (json_int_t)r->at, "waves", (json_int_t)r->waves, "each", waves, "max_failed", rollout_limit(r->failed),
	    "max_unreachable", rollout_limit(r->unreachable), "max_refused", rollout_limit(r->refused), "stopped",
	    r->stopped != NULL ? r->stopped : "");
}

void rollout_say(struct run *r)
{
	const struct incident *in = run_incident(r);
	const struct rollout *ro = &in->rollout;
	char *words = rollout_words(ro), *waits = rollout_waits(run_engine(r));

	if (ro->state != ROLLOUT_NONE)
		run_out(r, _("Re-issue: %s%s%s, %zu of %zu hosts verified%s%s"), words, words[0] != '\0' ? ", " : "",
		    _(rollout_word(rollout_now(run_engine(r)))), in->hosts_verified, in->hosts,
		    ro->stopped[0] != '\0' ? _("; stopped: ") : "", ro->stopped);
	if (waits[0] != '\0')
		run_out(r, "  %s", waits);
	free(words);
	free(waits);
}
