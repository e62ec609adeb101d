/* Ask at the controlling terminal with echo off, from the loop. */
#ifndef SEV1_TTY_H
#define SEV1_TTY_H

#include "base/err.h"
#include "base/loop.h"

struct tty;

/* text is in locked memory and borrowed; NULL: the operator gave up (Ctrl-C, Ctrl-D, Esc, or the terminal
 * is gone); "" where it was too long. The terminal is as it was before; the tty is freed after done returns. */
typedef void (*tty_fn)(void *ctx, const char *text);

/* Print prompt and read a line that is not shown. NULL with an error where there is no terminal. */
struct tty *tty_ask(struct loop *l, const char *prompt, tty_fn done, void *ctx, struct err *e);
/* Give it up without calling done. NULL is ignored. */
void tty_free(struct tty *t);

#endif
