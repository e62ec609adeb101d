/* How far replacement is: the certificates of the frozen scope that have a successor. */
#ifndef SEV1_REPLACED_H
#define SEV1_REPLACED_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "engine/run.h"

#define REPLACED_DEADLINE_S 1800

/* [{name, title, config, section, key, path, manifest}]: every CA of the frozen scope with its manifest, as the CA
 * child takes it; new. NULL with an error. */
json_t *scope_request(struct run *r, struct err *e);

/* Part of a command's data. */
struct replacing {
	struct run *run;
	json_t *result;  /* see ca_successors; NULL before, and where it failed */
	bool aside;      /* it is not what the run is for: where it fails that is said, and done called without a result */
	void (*done)(struct run *r);
};
/* Count, and note a point in the journal where anything has changed since the last one; then done. On an error the run
 * ends, unless this is an aside. */
void replaced_count(struct replacing *p, struct run *r, void (*done)(struct run *r));
void replaced_clear(struct replacing *p);
/* What was counted last, as lines and as members of the run's result. */
void replaced_show(const struct replacing *p);
/* The points of the journal as a plot of lines, and in the run's result. */
void replaced_plot(struct run *r, int64_t now);
/* "4 of 10 certificates replaced (40 %), 3 of them seen on servers"; owned by the caller. "" before the first count. */
char *replaced_words(const struct incident *in);

#endif
