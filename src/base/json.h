/* Short ways to read jansson values: a missing or wrongly typed member has a default. */
#ifndef SEV1_JSON_H
#define SEV1_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* At the start of a program: from then on memory that runs out ends the process. jansson by itself goes on, and drops
 * a character of a string or a member of an object. */
void json_begin(void);

const char *json_str(const json_t *o, const char *key);      /* "" where absent; borrowed */
int64_t json_num(const json_t *o, const char *key, int64_t otherwise);
bool json_bool(const json_t *o, const char *key);            /* false where absent */
const json_t *json_list(const json_t *o, const char *key);   /* an array, or NULL; borrowed */
/* Set a string that may be hostile: broken UTF-8 and control characters are escaped first. */
void json_put(json_t *o, const char *key, const char *value);
void json_put_num(json_t *o, const char *key, int64_t value);
/* One compact line with sorted keys (the form that is hashed), owned by the caller. */
char *json_line(const json_t *o);
/* Parse len octets; jansson's own message on error. NULL on error; the caller owns the result. */
json_t *json_read(const char *s, size_t len, struct err *e);

#endif
