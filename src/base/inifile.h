/* INI text, read with inih but strictly: nothing is cut short and every line has its number. */
#ifndef SEV1_INIFILE_H
#define SEV1_INIFILE_H

#include "base/err.h"

#define INIFILE_LINE 4096  /* octets of the longest line */
#define INIFILE_SECTION 48 /* octets of the longest section heading, "kind name" */

/* Called for each heading with key and value NULL, then for each key under it. A negative answer
 * stops; e then holds the text without "FILE:LINE: ", which is put before it. */
typedef int (*inifile_fn)(void *ctx, const char *section, const char *key, const char *value,
    int line, struct err *e);

/* Read text; name is for messages. Values are all that stands after '=', without the white space
 * around it: "a ; b" stays whole (it may be a shell command), a comment stands on its own line.
 * 0; ERR_SYNTAX with "NAME:LINE: what" and a remedy: no '=', an over-long line or heading, a NUL
 * or other control octet; or fn's answer. */
int inifile_each(const char *text, const char *name, inifile_fn fn, void *ctx, struct err *e);

#endif
