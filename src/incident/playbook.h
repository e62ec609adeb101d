/* Checkpoints and follow-ups as data: data/playbooks/NAME.ini. */
#ifndef SEV1_PLAYBOOK_H
#define SEV1_PLAYBOOK_H

#include <jansson.h>

#include "base/err.h"

/* Read a playbook's text; name is for messages ("FILE:LINE: ..."). Adds "checkpoints" and
 * "followups" to body as EV_OPENED wants them. 0 or ERR_SYNTAX. */
int playbook_read(const char *text, const char *name, json_t *body, struct err *e);

/* A time as playbooks write it, "+15m", "24h", "5d", "1w", in minutes; negative where it is none. */
long playbook_minutes(const char *value);

#endif
