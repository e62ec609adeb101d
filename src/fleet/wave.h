/* A rollout in waves: canaries, then parts of the fleet, each only after the one before it. Pure. */
#ifndef SEV1_WAVE_H
#define SEV1_WAVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define WAVE_CANARIES "canaries"

struct wave {
	char *name;   /* "canaries", "5", "10%", "rest" */
	size_t hosts;
	bool all;     /* every one of them must be verified, or nothing else begins: canaries */
};

struct waves {
	struct wave *wave;
	size_t count;
};

/* Cut total hosts into waves: the first canaries of them alone, then as spec says: sizes separated by
 * commas, each a number, a percentage of total (rounded up) or "rest". What spec leaves goes into a last
 * wave "rest"; what finds no host left is dropped. spec NULL or "": one wave. 0, or ERR_USAGE. */
int waves_cut(struct waves *w, const char *spec, size_t canaries, size_t total, struct err *e);
/* One more wave; name is copied. */
void waves_add(struct waves *w, const char *name, size_t hosts, bool all);
void waves_clear(struct waves *w);
/* The wave, from 0, of the i-th host. */
size_t waves_of(const struct waves *w, size_t i);
/* "2 canaries, 5, 50 (10%), 443 (rest)"; owned by the caller. */
char *waves_words(const struct waves *w);

#endif
