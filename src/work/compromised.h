/* Which CAs of the configuration are compromised, and what they must not be again. */
#ifndef SEV1_COMPROMISED_H
#define SEV1_COMPROMISED_H

#include <jansson.h>
#include <stdbool.h>

#include "engine/run.h"

/* Part of a command's data. */
struct compromised {
	struct run *run;
	size_t at;
	json_t *refuse; /* [{ca, fingerprint, spki}] */
	char *stolen;   /* a file of hashes of public keys (pki/blocklist.h); NULL where no key of a server was stolen */
	int64_t keys;   /* in there */
	void (*done)(struct run *r);
};

/* Is ca the compromised CA, or one below it? In the end-entity case no CA is. */
bool compromised_is(const struct run *r, const char *ca);
/* Ask the CA child for the fingerprint and public key hash of each; done is called once refuse holds
 * them all. A CA whose certificate cannot be read ends the run: nothing could be refused then. */
void compromised_ask(struct compromised *c, struct run *r, void (*done)(struct run *r));
/* In the end-entity case: ask the CA child for the keys of what is revoked for keyCompromise. done is called once stolen
 * names them. A scope that is not frozen, or a certificate that cannot be read, ends the run: no key could be refused. */
void compromised_ask_keys(struct compromised *c, void (*done)(struct run *r));
void compromised_clear(struct compromised *c);

#endif
