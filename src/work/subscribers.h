/* Subscribers: who is concerned, who was told, who has answered; and what happens when one does not. */
#ifndef SEV1_APP_SUBSCRIBERS_H
#define SEV1_APP_SUBSCRIBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "comms/subscribers.h"
#include "engine/run.h"

/* Has a wait for an answer ended that the plan has not proceeded past? */
bool subscribers_overdue(const struct incident *in, int64_t now);

/* The configured file; NULL with an error, also where none is configured. */
struct contacts *subscribers_file(const struct config *c, struct err *e);

/* find looks the scope's subscribers up; plan is notify's for the kinds subscriber and (report) preliminary, go sends what it
 * planned; proceed journals that waits have ended, and tells the approvers. */
void subscribers_find(struct run *r);
void subscribers_plan(struct run *r, bool report);
void subscribers_go(struct run *r);
void subscribers_proceed(struct run *r);

#endif
