/* What a check found: {level: "ok", "warn" or "fail", what, remedy}. Checks of a CA, of the configuration, of contacts. */
#ifndef SEV1_FINDING_H
#define SEV1_FINDING_H

#include <jansson.h>

#include "base/err.h"

/* Append one; remedy may be "". */
void finding_add(json_t *list, const char *level, const char *remedy, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Append an error as a failure, with its remedy. */
void finding_err(json_t *list, const struct err *e);

#endif
