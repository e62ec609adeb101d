/* Which CAs of the configuration are compromised, and what they must not be again. */
#ifndef SEV1_COMPROMISED_H
#define SEV1_COMPROMISED_H

#include <jansson.h>
#include <stdbool.h>

#include "app/engine.h"

/* Part of a command's data. */
struct compromised {
	struct run *run;
	size_t at;
	json_t *refuse; /* [{ca, fingerprint, spki}] */
	void (*done)(struct run *r);
};

/* Is ca the compromised CA, or one below it? In the end-entity case no CA is. */
bool compromised_is(const struct run *r, const char *ca);
/* Ask the CA child for the fingerprint and public key hash of each; done is called once refuse holds
 * them all. A CA whose certificate cannot be read ends the run: nothing could be refused then. */
void compromised_ask(struct compromised *c, struct run *r, void (*done)(struct run *r));
void compromised_clear(struct compromised *c);

#endif
