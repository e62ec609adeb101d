/* Memory for a PIN or a passphrase: pages of their own, locked, left out of core dumps, empty in a
 * forked process, wiped before they are given back. */
#ifndef SEV1_SECRET_H
#define SEV1_SECRET_H

#include "base/err.h"

#define SECRET_MAX 256   /* octets with the NUL */
#define SECRET_LINE 2048 /* one in a line of JSON, where an octet takes up to six */

/* SECRET_LINE octets of zeros; NULL with an error where they cannot be locked. */
char *secret_new(struct err *e);
/* Wipe and give back. NULL is ignored. */
void secret_free(char *s);
/* From now on this process leaves no core and is closed to debuggers of the same user. */
void secret_harden(void);

#endif
