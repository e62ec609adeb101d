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
	unsigned long slot;
};

/* The private keys of a token that can be seen after a login of this process. */
struct token_keys {
	size_t fit;          /* those that a URI describes */
	struct token_uri one[8]; /* the first of them, each with its CKA_ID */
	bool always;         /* one of them wants the PIN again for each signature */
	char odd[24];        /* the kind of one that OpenSSL's engine cannot take, wherever it lies; "" where there is none */
};

/* Find the one token that u describes, with the library at path module, which is loaded and stays so; one that is not
 * there is looked for again for 300 ms. 0; ERR_NOTFOUND where no token, or more than one, matches; ERR_IO where the
 * library cannot be used. */
int token_find(const char *module, const struct token_uri *u, struct token *t, struct err *e);
/* Look through the private keys of a token that token_find found. 0 or ERR_IO. */
int token_keys(const struct token *t, const struct token_uri *u, struct token_keys *out);
/* Shut the library down: sessions and logins end, and the next token_find sees the tokens that are there then. */
void token_forget(void);

#endif
