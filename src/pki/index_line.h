/* What the whole index and those who only count it share: the file, and one line of it. */
#ifndef SEV1_INDEX_LINE_H
#define SEV1_INDEX_LINE_H

#include <sys/stat.h>

#include "pki/index.h"

/* Open a database for reading: a regular file, st is its. The fd, or an error. */
int index_open(const char *path, struct stat *st, struct err *e);

/* Nothing but blanks? */
bool row_blank(const char *p, size_t len);

/* Read the line of len octets at p. r gets its kind, expiry and the offsets of its fields. NULL, or what is
 * wrong with it (untranslated); r's kind is ROW_BAD then. */
const char *index_line(const char *p, size_t len, struct row *r);

/* Add a row to counts at a moment (ms). */
void index_count_row(struct index_counts *c, const struct row *r, int64_t at);

#endif
