/* The ladder: the next CRLs of a CA, signed while its key is there, each for its own time. Publishing one
 * needs no key. A rung is good while index.txt revokes what it revoked when the rung was signed. */
#ifndef SEV1_LADDER_H
#define SEV1_LADDER_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/ca.h"
#include "pki/crl_store.h"

#define LADDER_MAX 1000

struct ladder_terms {
	int count;              /* rungs */
	int64_t first, step;    /* ms: thisUpdate of the first, and from each to the next */
	int hours;              /* of validity, longer than step */
};

/* One CRL of it. */
struct rung {
	struct crl_file file;
	char *part;             /* the scope's name, "" the whole CA */
};

/* Sign count times each scope over l, into the ladder's folder below folder: all numbers are taken before the first
 * is signed, and each rung is read back and verified. *out: count * scopes rungs in the order of their numbers,
 * to be freed. Refused: terms that leave a gap, no room on the disk. */
int ladder_make(const struct ca *ca, X509 *cert, EVP_PKEY *key, const struct listing *l,
    const struct crl_scope *scope, size_t scopes, const char *folder, const struct ladder_terms *t,
    const struct watch *w, struct rung **out, size_t *n, struct err *e);
void ladder_free(struct rung *r, size_t n);

/* What the journal says of a rung. */
struct rung_claim {
	const char *number, *sha256;
	int64_t this_update, next_update; /* ms */
};

/* May the rung be published at now? From its bytes: digest, signature, number, times; it holds the revoked
 * rows of l, no more and no less, and all that the last CRL in folder (with this name or below its
 * parts) revokes. last: that CRL's file, or NULL. ERR_REFUSED saying whether it is not yet valid, over, or
 * stale. */
int ladder_judge(const struct ca *ca, const struct listing *l, const struct crl_scope *scope, const char *folder,
    const struct rung_claim *claim, const char *last, int64_t now, struct err *e);

/* The rung has been judged: put it, DER and PEM, where CRLs that were signed lie, and fill out. */
int ladder_take(const struct ca *ca, X509 *cert, const struct listing *l, const struct crl_scope *scope,
    const char *folder, const struct rung_claim *claim, struct crl_file *out, struct err *e);

#endif
