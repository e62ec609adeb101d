/* The words before TLS on a plain port: SMTP (RFC 3207), IMAP and POP3 (RFC 2595), LDAP (RFC 4511 4.14). No I/O:
 * what came is fed, what is to be sent comes out. */
#ifndef SEV1_STARTTLS_H
#define SEV1_STARTTLS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct starttls {
	const char *protocol; /* "smtp", "imap", "pop3", "ftp", "ldap" */
	int step;
};

bool starttls_known(const char *protocol);
/* Go on with what is in in; takes what it has understood out of it and appends to out. 1: more is wanted; 0: TLS may
 * begin, in is empty; ERR_FAILED with what the server said. Call once with in empty at the start. */
int starttls_step(struct starttls *t, struct buf *in, struct buf *out, struct err *e);

#endif
