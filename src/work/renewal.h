/* Renewal before the fuse burns: what is due when, and who does it unattended. */
#ifndef SEV1_RENEWAL_H
#define SEV1_RENEWAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/config.h"
#include "incident/incident.h"

struct engine;
struct run;

enum renewal_how { RENEW_NONE, RENEW_SIGN, RENEW_RUNG, RENEW_PUBLISH };

/* What comes next for a CA: when (ms), and how. RENEW_NONE where its CRL was never published: the first
 * publication is the operator's. A CRL is renewed renew-before minutes before nextUpdate, a third of its lifetime
 * by default, at least ten minutes, at most nine tenths of it; a rung of the ladder at its thisUpdate. A try
 * that failed is repeated after 30 s, 1, 2, 4, 8, then every 15 minutes. */
struct renewal_due {
	enum renewal_how how;
	int64_t at;
};
struct renewal_due renewal_next(const struct incident *in, const struct config *c, const char *ca, int64_t now);

/* The rungs to publish at now: those with the latest thisUpdate that has come, [{number, sha256, this_update, next_update,
 * part, last}], last being the file of the CRL they follow. New; NULL where none has come or can be used. */
json_t *renewal_rungs(const struct incident *in, const char *ca, int64_t now);
/* The rungs that are still to come or current, with last as above; new; empty without. */
json_t *renewal_rungs_left(const struct incident *in, const char *ca, int64_t now);

/* One line of the state of renewal, "" where there is nothing to say; *bad: it needs somebody. Owned by the caller. */
char *renewal_line(const struct incident *in, const struct config *c, int64_t now, bool *bad);

/* Say in a plan that takes a key away, or hands it in, whether each CA's CRLs are signed ahead. */
struct plan;
void renewal_plan_ladder(struct plan *p, const struct incident *in);

/* Look every second whether a renewal is due, and run it, as long as the standing order is given; every five minutes
 * whether the ladder still fits index.txt. Only where the engine may act: an armed console, or a command. */
struct renewal;
struct renewal *renewal_start(struct engine *en);
void renewal_stop(struct renewal *w);

#endif
