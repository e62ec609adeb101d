/* Keys on a PKCS#11 token, through OpenSSL's pkcs11 engine: it is loaded here, in the CA child, and
 * nowhere else. key.c and tests see this. */
#ifndef SEV1_KEY_TOKEN_H
#define SEV1_KEY_TOKEN_H

#include <openssl/evp.h>

#include "pki/key.h"
#include "pki/token.h"

/* Open the key of ca->private_key, a pkcs11: URI: the token is found, its PIN asked for where it wants one, and used once;
 * where the key wants it again for each signature, it is kept until key_close_token. Of several
 * keys that the URI describes it is the certificate's; what the token does not say of an EC key is taken from there, and
 * proved. *state says which kind of failure it was. NULL with an error. */
EVP_PKEY *key_token_open(const struct ca *ca, X509 *certificate, const struct key_asker *asker, enum key_state *state,
    struct err *e);
/* It did not sign: why, as OpenSSL's errors have it, which are cleared. Was it a fault of the token, which says nothing of
 * the key, or is the key of no use? */
bool key_token_fault(char *why, size_t size);
/* The token of ca->private_key as it is now. 0 or an error. */
int key_token_look(const struct ca *ca, struct token *t, struct err *e);
/* What an operator should know of its PIN before a try; "" for nothing. */
const char *key_token_note(const struct token *t);

#endif
