/* The console: screens over the engine, in its poll loop. */
#ifndef SEV1_UI_H
#define SEV1_UI_H

#include "base/err.h"
#include "base/loop.h"

struct engine;

/* Run until the operator leaves, a signal ends it or the terminal is gone; the terminal is restored
 * in every case. 0, or ERR_FAILED where there is no terminal to run on. e and l are borrowed. */
int ui_run(struct engine *e, struct loop *l, struct err *err);

#endif
