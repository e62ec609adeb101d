/* A manifest held against index.txt: what is to do, what is done, what differs. */
#ifndef SEV1_COMPARE_H
#define SEV1_COMPARE_H

#include <stdint.h>

#include "base/err.h"
#include "pki/index.h"
#include "pki/revoke.h"
#include "pki/scope.h"

struct compare {
	uint8_t *mark;   /* a row of x: 0 untouched, else what it is given */
	int64_t todo, done, already;
	int64_t missing, revoked, expired, extra; /* differences */
	char named[400]; /* the first five of them, in words */
	int names;
};

/* Hold m against x, which learns what its rows are to be given (index_give). 0; ERR_REFUSED where they
 * differ. c is filled either way. */
int compare_run(struct compare *c, const struct revoke_job *job, const struct manifest *m, struct index *x,
    const struct sorted *rows, size_t n, struct err *e);
void compare_clear(struct compare *c);

#endif
