/* Comma-separated values as RFC 4180 has them: quoted fields, doubled quotes, newlines within quotes. */
#ifndef SEV1_CSV_H
#define SEV1_CSV_H

#include <stddef.h>

#include "base/err.h"

#define CSV_FIELDS 256 /* of one row */

/* Called for each row that is not empty, line being where it begins; fields are valid during the call only and raw: to be
 * escaped before they are shown. A negative answer stops; e then holds the text without "FILE:LINE: ". */
typedef int (*csv_fn)(void *ctx, char *const *field, size_t fields, int line, struct err *e);

/* Read text; name is for messages. 0; ERR_SYNTAX with "NAME:LINE: what" for an open quote or too many fields; or
 * fn's answer. A byte order mark at the start is passed over. */
int csv_each(const char *text, const char *name, csv_fn fn, void *ctx, struct err *e);

#endif
