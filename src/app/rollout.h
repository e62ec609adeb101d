/* Where a re-issue in waves stands, for commands. */
#ifndef SEV1_APP_ROLLOUT_H
#define SEV1_APP_ROLLOUT_H

#include "app/engine.h"

/* {state, wave, waves, each: [{name, total, verified}], max_failed ..., stopped}; new. */
json_t *rollout_json(const struct incident *in);
/* One line of the answer; none where no re-issue was begun. */
void rollout_say(struct run *r, const struct incident *in);

#endif
