/* The fence around a drill's hosts: what runs on them writes below the drill's folder only. */
#ifndef SEV1_FENCE_H
#define SEV1_FENCE_H

#include "base/err.h"

/* From here on this process, and all that it starts, can write below folder (and to devices) only. 0;
 * also where the kernel cannot do that, with *on false: commands on the hosts are then bounded by what
 * the drill's own configuration runs. on may be NULL. */
int fence_raise(const char *folder, int *on, struct err *e);

#endif
