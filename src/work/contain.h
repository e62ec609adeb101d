/* Between cmd_contain.c, which plans, and contain_run.c, which does it. */
#ifndef SEV1_CONTAIN_H
#define SEV1_CONTAIN_H

#include <stdbool.h>

#include "engine/run.h"

/* cmd->go of contain: spec.run names the actions of spec.actions that are done, in that order;
 * spec.undo, where it is there, is the one that is taken back instead. */
void contain_go(struct run *r);

/* Is this action under way in another run of this console (an image beside the rest)? */
bool contain_is_running(const struct engine *en, const struct run *self, const char *id);

#endif
