/* A manifest held against index.txt: what is to do, what is done, what differs. */
#ifndef SEV1_COMPARE_H
#define SEV1_COMPARE_H

#include <stdint.h>

#include "base/err.h"
#include "pki/index.h"
#include "pki/revinfo.h"
#include "pki/revoke.h"
#include "pki/scope.h"

struct compare {
	uint8_t *mark;   /* a row of x: 0 untouched, else its reason + 2 */
	int64_t todo, done, already;
	int64_t missing, revoked, expired, extra; /* differences */
	char named[400]; /* the first five of them, in words */
	int names;
};

/* The text of an R row's third field for each reason (index: reason + 2), owned by the caller. */
#define REV_TEXTS 13
void compare_texts(const struct revoke_job *job, char *text[REV_TEXTS]);
void compare_texts_free(char *text[REV_TEXTS]);

/* Hold m against x. 0; ERR_REFUSED where they differ. c is filled either way. */
int compare_run(struct compare *c, const struct revoke_job *job, const struct manifest *m,
    const struct index *x, const struct sorted *rows, size_t n, char *const text[REV_TEXTS], struct err *e);
void compare_clear(struct compare *c);

#endif
