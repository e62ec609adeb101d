/* SHA-256, in lower-case hexadecimal wherever people see it. */
#ifndef SEV1_DIGEST_H
#define SEV1_DIGEST_H

#include <stddef.h>

#include "base/err.h"

#define DIGEST_HEX 65 /* 64 digits and a NUL */

struct digest;

struct digest *digest_new(void);
void digest_add(struct digest *d, const void *data, size_t len);
void digest_end(struct digest *d, char hex[DIGEST_HEX]); /* frees d; hex may be NULL */

/* The digest of len octets. */
void digest_of(const void *data, size_t len, char hex[DIGEST_HEX]);
/* The digest of a file's content. Returns 0 or ERR_IO. */
int digest_file(const char *path, char hex[DIGEST_HEX], struct err *e);

#endif
