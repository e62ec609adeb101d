/* Publication: publish_plan.c says what goes where, publish_run.c does it. */
#ifndef SEV1_PUBLISH_H
#define SEV1_PUBLISH_H

#include "engine/run.h"

#define PUBLISH_ATTEMPTS 5 /* unless --attempts says otherwise */

/* The points of the run's --ca and --point (all without) into p, points and run (see publish_go). A CRL that has
 * expired holds up no other: it is an error where it is all that there is. 0 or an error. */
int publish_collect(struct run *r, struct plan *p, json_t *points, json_t *run, struct err *e);
/* cmd->go of publish: spec.run names the members of spec.points (as "CA/POINT") that are served, each
 * {ca, point, url, host, path, file, sha256, digest, octets}: sha256 is the CRL's (its DER), digest
 * that of the file as it lies there, DER or PEM. spec.attempts is how often each is tried. */
void publish_go(struct run *r);
/* The same for a spec that needs no phrase of its own (borrowed); ends the run, with the error before (may be NULL) where
 * something had failed already. */
void publish_points(struct run *r, json_t *spec, const struct err *before);

/* A renewed CRL holds what was confirmed before: put it on every point of the run's --ca (all CAs without)
 * that does not serve it yet, as a part of run r, and end r, as publish_points does. */
void publish_follow(struct run *r, const struct err *before);

/* The digest of a PEM file and of the octets in it. 0 or ERR_IO, ERR_SYNTAX. */
int publish_pem(const char *path, char file_hex[65], char der_hex[65], struct err *e);

#endif
