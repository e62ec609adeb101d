/* The checks of `sev1 doctor` that need no child: quick looks at this machine and the configuration.
 * Each appends findings {level: "ok"|"warn"|"fail", what, remedy} to a JSON array. */
#ifndef SEV1_DOCTOR_H
#define SEV1_DOCTOR_H

#include <jansson.h>

#include "base/finding.h"
#include "engine/config.h"

void doctor_clock(json_t *list);
void doctor_terminal(json_t *list);
void doctor_libraries(json_t *list);
/* The state folder: there or can be made, ours alone, on a local file system, with room. */
void doctor_state(json_t *list, const char *state);
/* Is everything there that the playbook's checkpoints need? Actions, points, notices, an issuer. */
void doctor_complete(json_t *list, const struct config *c);
/* Room for a revocation in a CA's folder: backups, a new index.txt and the CRLs. */
void doctor_ca_room(json_t *list, const struct ca_conf *ca);
/* URLs that a CA's certificates name (check's "cdps") and no [point] serves. */
void doctor_ca_points(json_t *list, const struct config *c, const char *ca, const json_t *cdps);
/* A point's file on this machine: can it be put there? */
void doctor_point_place(json_t *list, const struct point_conf *p);
void doctor_image(json_t *list, const struct action_conf *a);
void doctor_notice(json_t *list, const struct config *c, const struct notice_conf *n);
/* The file of times, and that of the subscribers where there is one. */
void doctor_times(json_t *list, const struct config *c);
void doctor_fleet(json_t *list, const struct config *c);

#endif
