/* Shared by the files that judge a CRL: crl_check.c, crl_fault.c, crl_extensions.c, crl_entries.c. */
#ifndef SEV1_CRL_LOOK_H
#define SEV1_CRL_LOOK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "pki/crl_check.h"

/* Every fault that is known; crl_fault.c says which forbid publication. */
enum fault {
	F_EMPTY, F_HTML, F_PEM, F_NOT_DER, F_TRUNCATED, F_INDEFINITE, F_LENGTH, F_TRAILING, F_VERSION, F_ALGORITHM,
	F_STRUCTURE, F_DIGEST_BROKEN, F_DIGEST_WEAK, F_ISSUER, F_KEY_ID, F_NO_KEY_ID, F_SIGNATURE, F_NO_NUMBER, F_NEGATIVE,
	F_NUMBER_LARGE, F_OLDER, F_SAME_NUMBER, F_NO_NEXT, F_ORDER, F_EXPIRED, F_FUTURE, F_LONG, F_CRITICAL, F_TWICE,
	F_DELTA, F_INDIRECT, F_POINT, F_ONLY, F_ENTRY, F_ENTRY_CRITICAL, F_ENTRY_HUGE, F_DUPLICATE, F_MISSING, F_EXTRA,
	F_DIFFERS, F_INDEX, F_CERTIFICATE
};

/* A CRL that is being judged: o is the answer, which owns findings and problems. */
struct look {
	const struct crl_ask *ask;
	json_t *o, *findings, *problems;
	int failing;
};

/* Note a fault; detail may be NULL. */
void look_fault(struct look *k, enum fault f, const char *detail);
/* PEM or DER: the DER is file itself where b stays empty, else in b. False where it is neither, with the fault. */
bool look_der(struct look *k, const struct buf *file, struct buf *b);
/* Name what crl_parse refuses in these octets. */
void look_structure(struct look *k, const void *data, size_t len);
/* The extensions of a CRL that crl_parse took, and the scope they state. */
void look_extensions(struct look *k, const struct crl_view *v);
/* Its entries, among themselves and against the rows of k->ask->l. */
void look_entries(struct look *k, const struct crl_view *v);

#endif
