/* The console: screens over the engine, in its poll loop. */
#ifndef SEV1_UI_H
#define SEV1_UI_H

#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"

struct engine;

/* Run until the operator leaves, a signal ends it or the terminal is gone; the terminal is restored
 * in every case. 0, or ERR_FAILED where there is no terminal to run on. e and l are borrowed. */
int ui_run(struct engine *e, struct loop *l, struct err *err);

/* For whoever plays the operator, from the loop while ui_run() runs; without a console nothing. Go back
 * to the board; type a key where a plan waits on the screen for its phrase (false: none does). */
void ui_play_home(void);
bool ui_play_key(int key);

#endif
