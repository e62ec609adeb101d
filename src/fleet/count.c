/* How far a fleet is, in numbers and in words. */
#include "fleet/fleet.h"

#include "base/buf.h"
#include "base/i18n.h"

char *fleet_words(const struct fleet_counts *c)
{
	struct buf b = { 0 };
	size_t failed = c->state[HOST_FAILED] + c->state[HOST_ROLLED_BACK], unreachable =
	    c->state[HOST_UNREACHABLE], refused = c->state[HOST_REFUSED];
	size_t left = c->state[HOST_WAITING] + c->state[HOST_RUNNING], done = c->total - left;
	double rate = c->rate;
	int64_t eta;

	buf_addf(&b, _("%zu of %zu verified"), c->state[HOST_VERIFIED], c->total);
	if (rate <= 0 && c->ms > 0)
		rate = (double)done * 1000 / (double)c->ms;
	if (rate > 0) {
		buf_addf(&b, rate < 10 ? "  %.1f/s" : "  %.0f/s", rate);
		eta = (int64_t)((double)left / rate + 0.999);
		if (left > 0 && eta < 3600)
			buf_addf(&b, _("  ETA %02d:%02d"), (int)(eta / 60), (int)(eta % 60));
		else if (left > 0)
			buf_addf(&b, _("  ETA %d:%02d:%02d"), (int)(eta / 3600), (int)(eta / 60 % 60),
			    (int)(eta % 60));
	}
	if (failed > 0)
		buf_addf(&b, _("  failed %zu"), failed);
	if (unreachable > 0)
		buf_addf(&b, _("  unreachable %zu"), unreachable);
	if (refused > 0)
		buf_addf(&b, _("  refused %zu"), refused);
	if (c->state[HOST_SKIPPED] > 0)
		buf_addf(&b, _("  skipped %zu"), c->state[HOST_SKIPPED]);
	return buf_take(&b);
}
