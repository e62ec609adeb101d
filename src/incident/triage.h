/* Triage as the runbook asks it: closed menus, the trigger row, who must be told, the deadline. */
#ifndef SEV1_TRIAGE_H
#define SEV1_TRIAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct choice {
	const char *value; /* what the journal and the command line hold */
	const char *title; /* untranslated; pass through gettext */
};

/* Tables that end with a NULL value. */
extern const struct choice triage_levels[];      /* root, intermediate, end-entity */
extern const struct choice triage_compromises[]; /* "1" .. "4" */
extern const struct choice triage_channels[];    /* mail, phone, web form, ... */
extern const struct choice triage_reasons[];     /* RFC 5280 5.3.1 reasons that may be chosen */

/* The row of the runbook's trigger table for these answers: trigger and action, gettext'ed. */
void triage_trigger(const char *level, int compromise, const char **trigger, const char **action);
/* Who must be told, as a new array of strings. */
json_t *triage_tell(const char *level, const char *profile);
/* Of journals without times of their own: hours from first receipt to published revocation: TLS BR 4.9.1.1 and 4.9.1.2 for "public-tls",
 * the private profile's 24 hours otherwise. */
int triage_deadline_hours(const char *profile, const char *level, const char *reason);
/* Does an EV_TRIAGE body give anything the reason certificateHold? */
bool triage_holds(const json_t *body);
/* Minutes from first receipt to published revocation for answers as in EV_TRIAGE: the shortest of its reasons'. times as
 * the incident has them, NULL for the profile's of before. */
int triage_shortest(const json_t *body, const char *profile, const json_t *times);
/* Complete and check an EV_TRIAGE body (fills trigger, action, tell, deadline). 0 or ERR_USAGE. */
int triage_complete(json_t *body, const char *profile, const json_t *times, struct err *e);

#endif
