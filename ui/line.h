/* --line: numbered prompts and plain lines on stdin and stdout, for screen readers, dumb terminals
 * and serial consoles. The same command table as the console. */
#ifndef SEV1_LINE_H
#define SEV1_LINE_H

#include "base/err.h"
#include "base/loop.h"

struct engine;

/* Run until "quit", end of file or a signal. 0 or an error. e and l are borrowed. */
int line_run(struct engine *e, struct loop *l, struct err *err);

#endif
