/* Declaring an incident: the file, its id, its playbook. */
#ifndef SEV1_DECLARE_H
#define SEV1_DECLARE_H

#include <stdint.h>

#include "app/engine.h"

/* Make and open a new incident. root: a drill's folder, NULL for a real incident. declared in ms. 0
 * or an error; nothing is left behind on error. */
int incident_declare(struct engine *en, const char *title, const char *root, int64_t declared, struct err *e);

/* The file of times that an incident would be declared with; owned by the caller. */
char *declare_times(const struct config *c, const char *profile);

#endif
