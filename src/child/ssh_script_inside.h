/* What the files that make scripts share; nobody else includes this. */
#ifndef SEV1_SSH_SCRIPT_INSIDE_H
#define SEV1_SSH_SCRIPT_INSIDE_H

#include <stdbool.h>

#include "base/buf.h"

extern const char script_head[];  /* every script begins with it; die, real, aside, beside */
extern const char script_flush[]; /* flush FILE...: onto the disk */

/* name='value', whatever value holds. */
void script_set(struct buf *b, const char *name, const char *value);
/* One command for a login shell, owned by the caller; script is freed. */
char *script_wrap(struct buf *script, bool sudo);

#endif
