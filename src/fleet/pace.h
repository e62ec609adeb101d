/* How many things end in a second, lately: the last PACE_S seconds count. */
#ifndef SEV1_PACE_H
#define SEV1_PACE_H

#include <stdint.h>

#define PACE_S 30

struct pace {
	int64_t began, last; /* seconds */
	int count[PACE_S];   /* of second s at s % PACE_S */
};

/* Times are the monotonic clock's ms. */
void pace_begin(struct pace *p, int64_t now);
void pace_add(struct pace *p, int64_t now);
/* In a second; 0 in the first second, and where nothing ended lately. */
double pace_rate(const struct pace *p, int64_t now);

#endif
