/* What a PKCS#11 library says of its tokens. Nothing is signed and nobody logs in here. */
#ifndef SEV1_TOKEN_H
#define SEV1_TOKEN_H

#include <stdbool.h>

#include "base/err.h"
#include "pki/token_uri.h"

struct token {
	char label[33], serial[17], manufacturer[33], model[17];
	bool login;   /* asks for a PIN */
	bool pinpad;  /* takes the PIN by itself */
	bool low, last, locked; /* tries at the user's PIN: fewer than usual, only one, none */
	bool fresh;   /* no user PIN was set yet */
};

/* Find the one token that u describes, with the library at path module, which is loaded and stays so; one that is not
 * there is looked for again for 300 ms. 0; ERR_NOTFOUND where no token, or more than one, matches; ERR_IO where the
 * library cannot be used. */
int token_find(const char *module, const struct token_uri *u, struct token *t, struct err *e);
/* Shut the library down: sessions and logins end, and the next token_find sees the tokens that are there then. */
void token_forget(void);

#endif
