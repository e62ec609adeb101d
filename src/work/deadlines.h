/* Deadlines at work: warnings journalled once, one calm line for a screen, a subscriber's wait that ends. */
#ifndef SEV1_DEADLINES_H
#define SEV1_DEADLINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "incident/incident.h"

struct engine;

/* Journal the warnings whose point has come, each once whoever looks. Returns how many, or an error; a read-only
 * engine journals none. */
int deadlines_warn(struct engine *en, struct err *e);

/* The most urgent open deadline that is past a point of warning, in one line; "" where there is none. *late: its time has
 * passed. Owned by the caller. */
char *deadlines_line(const struct incident *in, int64_t now, bool *late);

/* Look every second: warn, and, if acts and where the engine may (armed), let the plan proceed once a subscriber's wait has
 * ended. */
struct deadlines_watch;
struct deadlines_watch *deadlines_start(struct engine *en, bool acts);
void deadlines_stop(struct deadlines_watch *w);

#endif
