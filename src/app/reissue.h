/* A re-issue: its hosts, what is done on each, and the children that do it. */
#ifndef SEV1_REISSUE_H
#define SEV1_REISSUE_H

#include <jansson.h>
#include <stdbool.h>

#include "app/compromised.h"
#include "app/engine.h"
#include "fleet/fleet.h"
#include "fleet/inventory.h"
#include "fleet/profile.h"

/* A command's data. */
struct reissue {
	struct run *run;
	struct compromised compromised;
	struct inventory *inventory;
	struct profile **profile; size_t profiles; /* those that its hosts name */
	const struct server **target; /* of inventory, in its order */
	size_t targets;
	size_t verified;              /* left out: they have their certificate */
	json_t *ca;                   /* the issuer as the CA child takes it */
	/* going */
	struct fleet *fleet;
	struct reissue_peer *peer;    /* a list */
	bool by_ansible;              /* --engine ansible */
	struct ansible *ansible;      /* NULL before it goes, and with SSH children */
	json_t *rows;                 /* host -> row, not yet in the journal */
	json_t *order;                /* hosts of rows in the order of their first change */
	uint64_t flush;               /* timer */
	bool soon;                    /* it is the short one */
	char tag[32];                 /* of staged keys: one for the incident */
};

/* Read the inventory and choose the hosts by the command's arguments. NULL with an error. */
struct reissue *reissue_new(struct run *r, struct err *e);
void reissue_free(void *data);

/* What the SSH child is told of host i, and where its handshake is looked for; new objects. */
json_t *reissue_order(void *ctx, size_t i);
json_t *reissue_probe(void *ctx, size_t i);
/* How a server takes its certificate: its profile, and what [fleet] says. Strings are borrowed. */
struct reissue_how {
	const char *key, *certificate, *chain, *test, *reload, *starttls; /* NULL: not said */
	int probe_port;
	bool combined, sudo;
};
struct reissue_how reissue_how(const struct reissue *d, const struct server *s);
/* Read the profiles of all targets. 0 or an error. */
int reissue_profiles(struct reissue *d, struct err *e);

/* The plan, from what is known; new. */
struct plan *reissue_plan(struct reissue *d);

/* reissue_run.c: start the fleet; the run ends when it has. */
void reissue_run(struct reissue *d);
/* Forget the children; the run ends them. */
void reissue_drop_peers(struct reissue *d);

#endif
