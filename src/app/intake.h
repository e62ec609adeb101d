/* Between cmd_intake.c, which reads reports, and intake_notice.c, which tells people of them. */
#ifndef SEV1_INTAKE_H
#define SEV1_INTAKE_H

#include "app/engine.h"

/* Tell those of [notice intake] of every report of high level that they have not been told of, then call done; those
 * who were not reached are tried again next time. left: how many recipients were not reached, all reports together. */
void intake_route(struct run *r, void (*done)(struct run *r, size_t left));

#endif
