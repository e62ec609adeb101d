/* Public keys that are known to be compromised, by the SHA-256 of their SubjectPublicKeyInfo. */
#ifndef SEV1_BLOCKLIST_H
#define SEV1_BLOCKLIST_H

#include <stdbool.h>

#include "base/err.h"

struct blocklist;

/* One digest a line in hex, upper or lower case, perhaps with colons; "#" starts a comment. NULL with
 * "FILE:LINE: what". */
struct blocklist *blocklist_load(const char *file, struct err *e);
bool blocklist_has(const struct blocklist *b, const char *spki); /* b NULL: no */
void blocklist_free(struct blocklist *b);

#endif
