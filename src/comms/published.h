/* The problem-reporting address as the world finds it: in a directory's export, in a CP or CPS, on a page. Addresses rot
 * where nobody compares them. */
#ifndef SEV1_PUBLISHED_H
#define SEV1_PUBLISHED_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* The mail addresses that a text or an HTML page holds, in lower case, each once, in their order: written plainly, with
 * character references, or with (at) and [at], (dot) and [dot] in place of the signs. New array of strings, at most 200. */
json_t *published_addresses(const char *text);

/* Is the address (a mail address, or the http(s) URL of a form) named in the text? Letter case does not matter. */
bool published_names(const char *text, const char *address);

/* The part of a CP or CPS that RFC 3647 4.1.5 gives to contacts: what follows its last heading "1.5.2", up to "1.5.3" where
 * there is one; the whole text where it has none. Owned by the caller. */
char *published_section(const char *text);

/* What an export (CSV) says of an owner: the column whose name holds "Problem Reporting", in the rows whose column "CA
 * Owner" is owner; several rows' are joined by newlines. Owned by the caller; NULL with ERR_NOTFOUND where a column or the
 * owner is missing, ERR_SYNTAX. */
char *published_directory(const char *csv, const char *name, const char *owner, struct err *e);

#endif
