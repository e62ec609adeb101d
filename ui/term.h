/* The terminal: the only file, with theme.c, that knows curses. */
#ifndef SEV1_TERM_H
#define SEV1_TERM_H

#include <stdbool.h>

#include "base/err.h"
#include "draw.h"

/* Take the terminal over. ERR_FAILED where stdin or stdout is none or curses does not know it. It
 * is given back by term_stop, when the process exits, and when it crashes. */
int term_start(struct err *e);
void term_stop(void);
void term_size(int *rows, int *cols); /* as the kernel says now */
/* Bring f to the terminal; only rows that changed since the last call are written, all of them
 * after term_forget. */
void term_show(const struct frame *f);
void term_forget(void);
/* The next key that has been typed, or -1. */
int term_key(void);
/* Drop what was typed ahead: a question that matters must be read first. */
void term_flush(void);
/* Is the terminal gone? To be asked when it is ready to be read but holds no key. */
bool term_gone(void);

#endif
