/* Declaring an incident: the file, its id, its playbook. */
#ifndef SEV1_DECLARE_H
#define SEV1_DECLARE_H

#include <stdint.h>

#include "engine/run.h"

/* Make and open a new incident. root: a drill's folder, NULL for a real incident. declared in ms. 0
 * or an error; nothing is left behind on error. */
int incident_declare(struct engine *en, const char *title, const char *root, int64_t declared, struct err *e);
/* The same of a real incident, with what a problem report says of it (incident.h): borrowed, NULL without one. */
int incident_declare_of(struct engine *en, const char *title, int64_t declared, json_t *report, struct err *e);

/* The file of times that an incident would be declared with; owned by the caller. */
char *declare_times(const struct config *c, const char *profile);

#endif
