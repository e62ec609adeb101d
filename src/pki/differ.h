/* What somebody else did to index.txt, row by row: for the refusal that says so. */
#ifndef SEV1_DIFFER_H
#define SEV1_DIFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/index.h"

struct differ {
	int64_t missing, issued, revoked, altered; /* rows */
	int64_t own;     /* rows that own() took for what was to be */
	char named[400]; /* the first five of the others, in words */
};

/* Compare the file as it was read into from with to. A row that both have and that differs is asked about: own (which
 * may be NULL) answers whether it is as it should be. 0; an error where one of the two cannot be put in order. */
int differ_run(struct differ *d, const struct index *from, const struct index *to,
    bool (*own)(void *ctx, const struct row *was, const struct row *is), void *ctx, struct err *e);
/* Is there nothing but what own() took? */
bool differ_none(const struct differ *d);
/* ERR_REFUSED: "PATH is not what WHAT: 1 issued, 1 revoked (1007 is new, 1003 was revoked by someone else)". */
int differ_refuse(const struct differ *d, const char *path, const char *what, struct err *e);

#endif
