/* A real token for tests: SoftHSM2 in the test's folder, spoken to through pkcs11-spy where calls are counted. */
#ifndef SEV1_TESTS_TOKEN_SEAM_H
#define SEV1_TESTS_TOKEN_SEAM_H

#include <jansson.h>

#define TOKEN_PIN "4711-ok"
#define TOKEN_MODULE "/usr/lib/softhsm/libsofthsm2.so"

/* Point SOFTHSM2_CONF to a new store below pki_here() and make the token "CA token" there. Exits the test program with 77
 * where SoftHSM2, the engine or pkcs11-tool is absent. */
void token_make(void);
/* Move the key file of CA NAME (pki_openssl) onto the token, as an object of that name; the file is gone then. */
void token_import(const char *name);
/* Pull the token out, and put it back. */
void token_pull(void);
void token_return(void);
/* Calls of C_Login that the spy has seen since the last call. */
int token_logins(void);
/* {"name", "title", "config", "key", "module"} of a CA whose key is on the token; spy: through pkcs11-spy. */
json_t *token_request(const char *name, int spy);

#endif
