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

struct fleet_job {
	struct fleet_transport transport;
	/* The order for host i as the SSH child takes it (without "id"), and {address, port, name} for a
	 * handshake; new objects. */
	json_t *(*order)(void *ctx, size_t i);
	json_t *(*probe)(void *ctx, size_t i);
	/* Host i changed; result is what the CA issued ({serial, fingerprint, not_after}), or NULL. */
	void (*row)(void *ctx, size_t i, const struct host *h, const json_t *result);
	/* All is done. err: NULL, or why the rest was not tried. Not to be freed in it, but later from the loop. */
	void (*ended)(void *ctx, const struct err *err);
	void *ctx;
	size_t concurrency; /* SSH peers at once */
	int timeout_s;      /* for each host; a peer that keeps one 2 s longer is killed */
};

struct fleet_counts {
	size_t total, state[HOST_STATES];
	int64_t ms; /* since it began */
};

struct fleet *fleet_new(struct loop *l, const struct fleet_job *job);
void fleet_free(struct fleet *f);
void fleet_add(struct fleet *f, const char *name);
/* Begin. Once, after all hosts were added. */
void fleet_start(struct fleet *f);
/* Take no new host; those on their way go on. The rest stays waiting. */
void fleet_drain(struct fleet *f);

/* From the transport: peer said msg (borrowed), or is gone (err NULL: it ended as it should). */
void fleet_hear(struct fleet *f, enum fleet_peer peer, size_t slot, const json_t *msg);
void fleet_gone(struct fleet *f, enum fleet_peer peer, size_t slot, const struct err *err);

const struct host *fleet_host(const struct fleet *f, size_t i); /* NULL past the end */
void fleet_count(const struct fleet *f, struct fleet_counts *out);
/* "612 of 2000 verified  41/s  ETA 00:34", and what failed; owned by the caller. */
char *fleet_words(const struct fleet_counts *c);

#endif
