/* Between cmd_publish.c, which plans, and publish_run.c, which does it. */
#ifndef SEV1_PUBLISH_H
#define SEV1_PUBLISH_H

#include "app/engine.h"

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
