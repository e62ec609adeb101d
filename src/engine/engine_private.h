/* Shared by engine.c and run.c only. */
#ifndef SEV1_ENGINE_PRIVATE_H
#define SEV1_ENGINE_PRIVATE_H

#include "engine/run.h"

/* Add a run to the engine's list; take it off again. */
void engine_add_run(struct engine *en, struct run *r);
void engine_drop_run(struct engine *en, struct run *r);
/* Hold the lease for a run; let go when no run needs it any more. */
int engine_lease(struct engine *en, struct err *e);
void engine_unlease(struct engine *en);
struct secrets *engine_secrets(struct engine *en);
const struct sink *engine_get_sink(const struct engine *en, void **ctx);

#endif
