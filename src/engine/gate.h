/* What must hold before a command runs. One function a gate, one table, one place. */
#ifndef SEV1_GATE_H
#define SEV1_GATE_H

#include "engine/engine.h"

/* Check these gates in order. 0, or ERR_REFUSED with the remedy. The lease is taken by the run. */
int gate_check(const struct engine *en, unsigned wanted, struct err *e);

#endif
