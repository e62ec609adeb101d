/* What takes the place of what is revoked: the issuer, the hosts, the re-issue in waves. */
#ifndef SEV1_REISSUED_H
#define SEV1_REISSUED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct incident;

struct issuer {
	char *name, *subject, *fingerprint, *spki, *how;
	char *config; /* its openssl.cnf where it was made here; "" for a configured one */
	int64_t not_after;
};

/* A host's row. phase is the last one reached; state one of waiting, running, verified, failed,
 * "rolled back", unreachable, refused, skipped. What stands in its second line is known once it has ended, and is
 * NULL where it is not: phases "connect 0 csr 120 ..." (ms after it was begun), the certificate it had before, and
 * what it said, a line each. */
struct host_row {
	char *host, *phase, *state, *detail, *serial, *fingerprint;
	char *phases, *old_serial, *old_fingerprint, *old_subject, *output;
	char *issuer; /* fingerprint of the issuer that it was verified with; NULL: not yet */
	int64_t not_after, old_not_after, ms, at;
	size_t wave; /* of the rollout, from 1; 0: it is not in it */
	bool tried;  /* in this rollout, to its end */
};

/* The last re-issue that was begun, with all that resumed it. */
enum rollout_state { ROLLOUT_NONE, ROLLOUT_GOING, ROLLOUT_PAUSED, ROLLOUT_DRAINING, ROLLOUT_ABORTED, ROLLOUT_ENDED,
	ROLLOUT_INTERRUPTED }; /* only of rollout_stands */
struct rollout {
	enum rollout_state state;
	struct rollout_wave {
		char *name;
		size_t hosts, verified; /* of those that are in it */
	} *wave;
	size_t waves, at; /* at: the wave that runs or ran last, from 1; 0 before the first */
	long failed, unreachable, refused; /* how many may be; -1: no limit */
	char *stopped; /* why it ended early; "" */
};

struct replaced { /* certificates of the scope that had a successor at a moment */
	int64_t at, total, replaced, seen, unknown;
};

/* Its state; running: somebody runs an action on the incident. Where nobody does, what the journal leaves going was cut
 * off (kill -9, a power cut): interrupted, or ended where no host is left to try. */
enum rollout_state rollout_stands(const struct incident *in, bool running);
/* "going", "paused" ...: untranslated. */
const char *rollout_word(enum rollout_state state);
/* "wave 2 of 4 (10%)", where there is more than one; owned by the caller, "" otherwise. */
char *rollout_words(const struct rollout *r);
const struct host_row *incident_host(const struct incident *in, const char *host);

#endif
