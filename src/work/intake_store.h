/* Reports that came in, kept before there is an incident: a file each in the folder "intake" of the state folder, written
 * whole or not at all, under one lock. What is read twice is kept once. No private key is ever in such a file. */
#ifndef SEV1_INTAKE_STORE_H
#define SEV1_INTAKE_STORE_H

#include <jansson.h>

#include "base/err.h"

/* Hold the store's lock: a descriptor to close, or an error. */
int intake_lock(const char *state, struct err *e);
/* All reports, the newest id first: a new array, empty where there is no folder. A file that cannot be read is an object
 * {"id", "error"}. NULL with an error. */
json_t *intake_load(const char *state, struct err *e);
/* The report with this id (letter case does not matter, "12" is the 12th of this year). New; NULL with ERR_NOTFOUND. */
json_t *intake_get(const char *state, const char *id, struct err *e);
/* Write a report; one without an id gets the next. The lock is held. 0 or an error. */
int intake_save(const char *state, json_t *report, struct err *e);

/* The one of reports that a new one belongs to: the same message, an answer to one, or the same certificates or keys.
 * *same: this very message has been read before. Borrowed; NULL. */
json_t *intake_join(json_t *reports, const json_t *fresh, const char *references, int *same);
/* Put fresh into an open report: the earlier receipt and the higher level count, what is new is added. Returns whether
 * people must be told again. */
int intake_merge(json_t *report, const json_t *fresh);
/* Write a line into its log. */
void intake_log(json_t *report, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Selectors of all certificates that it means, of one CA, as selectors_of gives them; new, empty where nothing matched. */
json_t *intake_selectors(const json_t *report, const char *ca);
/* {CA: certificates}: those that it means of any other CA; new. */
json_t *intake_others(const json_t *report, const char *ca);
/* The CA that most of its matches belong to; "" for none. */
const char *intake_ca(const json_t *report);

#endif
