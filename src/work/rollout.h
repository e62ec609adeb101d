/* Where a re-issue in waves stands, for commands and screens. */
#ifndef SEV1_APP_ROLLOUT_H
#define SEV1_APP_ROLLOUT_H

#include "engine/run.h"

/* As the journal has it, and as far as somebody still runs it. */
enum rollout_state rollout_now(const struct engine *en);
/* Where nothing new begins: why, and what to do; "" where it goes, or none was begun, or it has ended. Owned by the caller. */
char *rollout_waits(const struct engine *en);
/* {state, wave, waves, each: [{name, total, verified}], max_failed ..., stopped}; new. */
json_t *rollout_json(const struct engine *en);
/* One line of the answer, and a second where it waits; none where no re-issue was begun. */
void rollout_say(struct run *r);

#endif
