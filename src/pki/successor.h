/* Has a certificate been replaced? Its successor is for the same names, younger, and of another issuer. */
#ifndef SEV1_SUCCESSOR_H
#define SEV1_SUCCESSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dict.h"
#include "base/digest.h"
#include "base/err.h"
#include "pki/issued.h"
#include "pki/scope.h"

/* What a certificate is for, as one string: the names of its subjectAltName (RFC 5280 4.2.1.6), in lower case, in
 * order, each once; without one its common name where that is a host's, else its subject. Owned by the caller. */
char *successor_names(const struct issued *c);

/* Certificates that may be successors. All zeros is an empty set. */
struct successors {
	struct successor {
		char *names;
		char spki[DIGEST_HEX];
		int64_t since, seen;  /* notBefore, ms, of the youngest; of the youngest that a server presents, 0 none */
	} *one;
	size_t count;
	int64_t lost;             /* valid ones that could not be read */
	struct dict by_name;
};

/* Add every certificate of a CA that is valid at the moment at (ms), but those in without (may be NULL). seen holds
 * the serials that servers were seen to present. What new_certs_dir lacks is counted as lost. 0, ERR_IO,
 * ERR_REFUSED for an index that cannot be read. */
int successors_add(struct successors *s, const struct ca *ca, X509 *cert, const struct dict *seen,
    const struct manifest *without, int64_t at, const struct watch *w, struct err *e);
/* The successor of c, NULL without. new_key: it must have another public key. */
const struct successor *successors_find(const struct successors *s, const struct issued *c, bool new_key);
void successors_clear(struct successors *s);

#endif
