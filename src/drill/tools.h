/* The small programs of a sandbox, found first in the PATH of its hosts: POSIX sh scripts that take
 * the words their namesakes take and act on the sandbox's own state. */
#ifndef SEV1_TOOLS_H
#define SEV1_TOOLS_H

#include "base/err.h"
#include "drill/map.h"

/* Write them into FOLDER/bin. 0 or an error. */
int tools_write(const struct map *m, struct err *e);

#endif
