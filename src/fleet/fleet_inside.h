/* What the two halves of a fleet share, the pool (fleet.c) and the talk (fleet_talk.c); nobody else includes this. */
#ifndef SEV1_FLEET_INSIDE_H
#define SEV1_FLEET_INSIDE_H

#include "fleet/fleet.h"
#include "fleet/pace.h"

#define FLEET_NOBODY ((size_t)-1)

struct peer {
	void *handle;      /* NULL: not running */
	size_t host;       /* SSH: the one it works on; FLEET_NOBODY */
	uint64_t overdue;  /* timer */
	bool dying;        /* was killed; what it still says does not count */
};

/* A host, and what waits for an answer about it. */
struct entry {
	struct fleet *f;
	size_t i, slot;
	struct host host;
	json_t *order, *issued; /* while it is on its way */
	char *csr;              /* while the CA owes an answer */
	uint64_t probe_timer;
	bool probing;           /* the probe owes an answer */
};

struct fleet {
	struct loop *loop;
	struct fleet_job job;
	struct entry *entry;
	size_t entries, next, busy;
	struct peer *ssh;
	size_t slots;
	struct peer single[FLEET_PEERS]; /* CA and probe */
	int deaths[FLEET_PEERS];
	int64_t started, ended;
	struct waves waves;
	size_t wave, wave_end; /* the one that runs; hosts before wave_end may be taken */
	long out[FLEET_LIMITS];
	struct pace pace;
	bool paused, draining, over;
	struct err fatal;
};

/* The pool's half. Tell of a host's new state. */
void fleet_row(struct fleet *f, const struct entry *en);
/* A host has come out: its slot takes the next one, or all is over. */
void fleet_release(struct fleet *f, struct entry *en);
/* Start a peer. False where it cannot be: nothing more can be done, not even orderly. */
bool fleet_launch(struct fleet *f, enum fleet_peer kind, struct peer *p, size_t slot);
/* End the job where nothing is on its way and nothing more may begin. */
void fleet_check_end(struct fleet *f);

#endif
