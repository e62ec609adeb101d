/* Several errors of one operation, as of a file with many slips: the first ones are kept, the others counted. */
#ifndef SEV1_ERRS_H
#define SEV1_ERRS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ERRS_KEPT 20 /* what somebody reads, and mends, at one go */

/* All zeros is none. Nothing in it is owned: it may be copied. */
struct errs {
	struct err err[ERRS_KEPT]; /* by place; those of one place as they came */
	int64_t place[ERRS_KEPT];
	size_t count;              /* of these */
	size_t total;              /* of all */
};

/* Count one more, and make room for it at its place: an empty record, to be filled at once with err_set. NULL, which
 * err_set takes too, where it comes behind all that are kept. */
struct err *errs_add(struct errs *es, int64_t place);
/* The remedy of error i where none before it has the same; else "". */
const char *errs_remedy(const struct errs *es, size_t i);
/* One in place of them all: the only one as it is; of several, who: how many there are. Returns its code. */
int errs_sum(const struct errs *es, const char *who, struct err *e);

#endif
