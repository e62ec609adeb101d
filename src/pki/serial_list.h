/* Serials as people write them, one or a file of them. */
#ifndef SEV1_SERIAL_LIST_H
#define SEV1_SERIAL_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/index.h"

/* One serial in its one form (index.h), out needs SERIAL_MAX: hexadecimal in any letter case, "0x" in front
 * or not, octets apart by colons or blanks or not; decimal after "dec:". Returns its length, 0 where s is
 * no serial. Blanks must part whole octets, so that two serials with a blank between are not taken for one. */
size_t serial_read(char *out, const char *s, size_t len);

/* Read a file of serials: one a line, or several with commas between; # starts a comment; blank lines, CRLF
 * and a byte order mark are passed over. Appends a line "SERIAL LINE" for each to out (LINE: where it
 * stands in the file) and counts them. At most 64 MiB. 0; ERR_SYNTAX naming file and line of the first that
 * is no serial and how many such lines there are; ERR_NOTFOUND for a file without serials; ERR_IO. */
int serial_list_read(const char *path, struct buf *out, size_t *count, struct err *e);

/* Step through lines "SERIAL LINE": the serial (out needs SERIAL_MAX) and its line; *at goes on to the next.
 * False at the end, or at a line that serial_list_read did not write: then **at is not NUL. */
bool serial_list_next(const char **at, char *out, size_t *line);

#endif
