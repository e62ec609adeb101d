/* pkcs11: URIs (RFC 7512), as far as they name one private key on one token. */
#ifndef SEV1_TOKEN_URI_H
#define SEV1_TOKEN_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct token_uri {
	/* "" where not given; text is decoded */
	char token[33], manufacturer[33], serial[17], model[17];
	char object[256];
	unsigned char id[128];
	size_t id_len;
};

/* "pkcs11:..." or something else? */
bool token_uri_is(const char *s);
/* Something else with such a URI in it, in quotes or after "engine:": ERR_SYNTAX, and the value, which may hold a PIN, is
 * not repeated. Else 0. */
int token_uri_alone(const char *s, struct err *e);
/* Take it apart. 0; ERR_REFUSED for a PIN or a module in it; ERR_SYNTAX for what is malformed, unknown, or names
 * no key (object or id). The text of an error never holds a PIN. */
int token_uri_parse(struct token_uri *u, const char *s, struct err *e);
/* Write the path of a URI for that key. */
void token_uri_build(struct buf *b, const struct token_uri *u);

#endif
