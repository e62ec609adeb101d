/* What a style looks like on this terminal, and which style a word of state has. */
#ifndef SEV1_THEME_H
#define SEV1_THEME_H

#include "draw.h"

/* After curses has started. Colours are used where the terminal has them and NO_COLOR is not set. */
void theme_start(void);
/* The curses attributes of a style (an attr_t and a pair's number). */
void theme_attr(enum style st, unsigned long *attr, short *pair);
/* The style of "done", "failed", "running" and the like; plain for other words. Curses-free. */
enum style theme_state(const char *word);
/* The style of a clock: yellow in its last ten minutes, red when late, dim when it does not run. */
enum style theme_clock(int64_t left_ms);

#endif
