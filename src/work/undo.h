/* `revoke --undo`: the latest revocation taken back, as long as nothing of it was published. */
#ifndef SEV1_UNDO_COMMAND_H
#define SEV1_UNDO_COMMAND_H

#include "engine/run.h"

/* start and go of cmd_revoke with --undo. */
void undo_start(struct run *r);
void undo_go(struct run *r);

#endif
