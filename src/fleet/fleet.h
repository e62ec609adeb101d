/* The job over many hosts: a bounded pool of SSH children, each with one host after another, one CA
 * child that issues and one probe child that looks. The children are reached through a transport, so
 * that a fleet can be tested without any. */
#ifndef SEV1_FLEET_H
#define SEV1_FLEET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "fleet/host.h"
#include "fleet/wave.h"

struct fleet;

enum fleet_peer { FLEET_SSH, FLEET_CA, FLEET_PROBE, FLEET_PEERS };

struct fleet_transport {
	/* Start a peer; slot counts the SSH peers, 0 for the others. What it says goes to fleet_hear,
	 * its end to fleet_gone. NULL: it cannot be started, and the job is over. */
	void *(*start)(void *ctx, enum fleet_peer peer, size_t slot);
	void (*send)(void *ctx, void *handle, json_t *msg); /* msg stolen */
	void (*finish)(void *ctx, void *handle);            /* no more will be sent */
	void (*kill)(void *ctx, void *handle, const char *why); /* fleet_gone follows, from the loop */
};

/* What is counted apart, and may each stop the rest. */
enum fleet_limit { FLEET_FAILED, FLEET_UNREACHABLE, FLEET_REFUSED, FLEET_LIMITS };
#define FLEET_NO_LIMIT (-1)

struct fleet_job {
	struct fleet_transport transport;
	/* The order for host i as the SSH child takes it (without "id"), and {address, port, name} for a
	 * handshake; new objects. */
	json_t *(*order)(void *ctx, size_t i);
	json_t *(*probe)(void *ctx, size_t i);
	/* Host i changed; result is what the CA issued ({serial, fingerprint, not_after}), or NULL. */
	void (*row)(void *ctx, size_t i, const struct host *h, const json_t *result);
	/* Wave i, from 0, begins (ended false), or has ended within its limits. May be NULL. */
	void (*wave)(void *ctx, size_t i, bool ended);
	/* All is done. err: NULL, or why the rest was not tried. Not to be freed in it, but later from the loop. */
	void (*ended)(void *ctx, const struct err *err);
	void *ctx;
	size_t concurrency; /* SSH peers at once */
	int timeout_s;      /* for each host; a peer that keeps one 2 s longer is killed */
	const struct waves *waves; /* of the hosts in their order; fleet_new copies them; NULL: one */
	/* Once more hosts than this have come out so, no further one is tried. Rolled back counts as failed.
	 * before: what an earlier run of the same rollout has left. */
	long limit[FLEET_LIMITS], before[FLEET_LIMITS];
};

struct fleet_counts {
	size_t total, state[HOST_STATES];
	int64_t ms; /* since it began */
	double rate; /* hosts that ended in a second, lately; 0: not known yet */
};

struct fleet *fleet_new(struct loop *l, const struct fleet_job *job);
void fleet_free(struct fleet *f);
void fleet_add(struct fleet *f, const char *name);
/* Begin. Once, after all hosts were added. */
void fleet_start(struct fleet *f);
/* Take no new host for now, or go on. Those on their way go on. */
void fleet_pause(struct fleet *f, bool on);
/* Leave a host out that waits; false where it does not. */
bool fleet_skip(struct fleet *f, const char *name, const char *why);
/* Take no new host; those on their way go on, then it ends. The rest stays waiting. */
void fleet_drain(struct fleet *f);
/* Kill what runs: each row says why, and the hosts put their files back by themselves. Then it ends. */
void fleet_abort(struct fleet *f, const char *why);

/* From the transport: peer said msg (borrowed), or is gone (err NULL: it ended as it should). */
void fleet_hear(struct fleet *f, enum fleet_peer peer, size_t slot, const json_t *msg);
void fleet_gone(struct fleet *f, enum fleet_peer peer, size_t slot, const struct err *err);

const struct host *fleet_host(const struct fleet *f, size_t i); /* NULL past the end */
void fleet_count(const struct fleet *f, struct fleet_counts *out);
/* "612 of 2000 verified  41/s  ETA 00:34", and what failed; owned by the caller. The forecast follows
 * the rate of late, as a fleet has its slow corners. */
char *fleet_words(const struct fleet_counts *c);

#endif
