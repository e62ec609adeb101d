/* Contacts that rot: the problem-reporting address of the configuration against every place that names it. */
#ifndef SEV1_CONTACTS_H
#define SEV1_CONTACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/run.h"

/* Compare, in children where it is slow: findings as doctor's go to list, which stays the caller's; then done is called,
 * from the loop. The returned object is the caller's, to be freed with contacts_drop after that. */
struct contacts_check;
struct contacts_check *contacts_check(struct run *r, json_t *list, void (*done)(void *ctx), void *ctx);
/* Begin, once it is kept where the run's end frees it. */
void contacts_begin(struct contacts_check *c);
void contacts_drop(struct contacts_check *c);

/* When they were compared last, ms, and with how many failures; 0 never. due: when they must be again. */
struct contacts_due {
	int64_t checked, due;
	int64_t failures;
};
struct contacts_due contacts_due(const struct engine *en);

#endif
