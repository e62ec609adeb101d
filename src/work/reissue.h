/* A re-issue: its hosts, what is done on each, and the children that do it. */
#ifndef SEV1_REISSUE_H
#define SEV1_REISSUE_H

#include <jansson.h>
#include <stdbool.h>

#include "engine/run.h"
#include "fleet/fleet.h"
#include "fleet/inventory.h"
#include "fleet/profile.h"
#include "work/compromised.h"
#include "work/replaced.h"

/* A command's data. */
struct reissue {
	struct run *run;
	struct compromised compromised;
	struct replacing replacing;   /* at its end */
	struct err outcome;           /* what is said once that is counted; code 0: all is well */
	struct inventory *inventory;
	struct profile **profile; size_t profiles; /* those that its hosts name */
	const struct server **target; /* of inventory, in its order */
	size_t targets;
	size_t verified;              /* left out: they have their certificate */
	size_t former;                /* of these: from an issuer that was chosen before this one */
	size_t skipped;               /* left out: the operator said so */
	bool resumed;                 /* goes on with the waves of the journal */
	struct waves waves;           /* of target */
	long limit[FLEET_LIMITS], before[FLEET_LIMITS]; /* how many may come out so, and have before */
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
	uint64_t tick;                /* timer: is there a word of the operator in the journal? */
	enum rollout_state obeyed;
	json_t *late;                 /* hosts of which it was said that a skip came too late; NULL none */
	int64_t seen;                 /* the journal's row up to which it was looked for */
	char tag[32];                 /* of staged keys: one for the incident */
};

/* Read the inventory and choose the hosts by the command's arguments. NULL with all errors of the inventory, or the one
 * behind it. */
struct reissue *reissue_new(struct run *r, struct errs *es);
void reissue_free(void *data);

/* reissue_how.c: is a new key made on each host? Are the names those of the certificate in place on each host? */
bool reissue_new_key(const struct config *c);
bool reissue_in_place(const struct config *c);
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

/* Hosts of the journal that are not verified, and that the inventory no longer has: their number, and the names of the first
 * few, new. */
size_t reissue_gone(const struct reissue *d, char **names);
/* The plan, from what is known; new. */
struct plan *reissue_plan(struct reissue *d);

/* reissue_waves.c: is the host wanted by --retry and --resume? Then put the hosts in the order of their
 * waves, canaries first, and read the limits. 0, ERR_USAGE, or ERR_REFUSED where the journal's rollout may
 * not go on as it stands. */
bool reissue_wants(struct reissue *d, const struct server *s);
int reissue_waves(struct reissue *d, struct err *e);
/* What the plan says of it, and what is hashed (added to spec). */
void reissue_waves_plan(const struct reissue *d, struct plan *p);
void reissue_waves_spec(const struct reissue *d, json_t *spec);
/* What EV_REISSUE_START says of it. */
void reissue_waves_start(const struct reissue *d, json_t *body);

/* reissue_steer.c: look for the operator's words in the journal, from here or from elsewhere, until the
 * run ends; and put one there. */
void reissue_listen(struct reissue *d);
void reissue_steer(struct run *r, enum steer how);

/* reissue_run.c: start the fleet; the run ends when it has. */
void reissue_run(struct reissue *d);
/* Forget the children; the run ends them. */
void reissue_drop_peers(struct reissue *d);

#endif
