/* A notice as a mail: RFC 5322, MIME text/plain in UTF-8. */
#ifndef SEV1_MESSAGE_H
#define SEV1_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct message {
	const char *from;        /* "ada@example.com" or "Ada <ada@example.com>" */
	const char *const *to;
	size_t tos;
	const char *subject;     /* UTF-8; anything: it is encoded */
	const char *body;        /* UTF-8, lines end with a newline */
	const char *key;         /* words for the Message-ID; the same key gives the same id, so that a
	                          * mailbox can tell a retry from a second notice */
	int64_t at;              /* ms: Date */
};

/* The whole message with CRLF line ends, owned by the caller. NULL with ERR_USAGE naming an address
 * that is not one. No value can add a header: RFC 5322 2.2, encoded words of RFC 2047, body in
 * quoted-printable where it is not plain ASCII in lines that mail may have. */
char *message_build(const struct message *m, struct err *e);

/* The addr-spec of an address (what SMTP's RCPT wants), owned by the caller; NULL with ERR_USAGE. */
char *message_address(const char *s, struct err *e);

#endif
