/* Making a drill takes a second or two: for a console, which never waits, another process does it. */
#ifndef SEV1_DRILL_MAKE_H
#define SEV1_DRILL_MAKE_H

#include "app/engine.h"

/* Start `sev1 drill NAME --folder FOLDER --no-console`. done is called from the loop with 0 or an error
 * that holds its last words, unless the run has ended meanwhile. It takes the run's data. 0 or ERR_IO. */
int drill_make(struct run *r, const char *name, const char *folder,
    void (*done)(struct run *r, const char *folder, struct err *e), struct err *e);

#endif
