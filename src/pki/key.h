/* Private keys: in a PEM file, plain or encrypted, or on a PKCS#11 token. Only the CA child calls this. */
#ifndef SEV1_KEY_H
#define SEV1_KEY_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "base/err.h"
#include "pki/ca.h"

/* Who is asked for secrets. Without one, a key that needs a secret is refused. */
struct key_asker {
	/* Ask for the secret of a token's label or of a file: kind is "pin" or "passphrase", which the token's serial
	 * number or "", note what the operator should know before typing ("" for nothing). out has SECRET_MAX octets in
	 * locked memory. last: another wrong one locks the token, so it is for somebody who has read the note. 0 or an error. */
	int (*ask)(const char *kind, const char *of, const char *which, const char *note, bool last, char *out, struct err *e);
	/* What became of it. A wrong one must not be used again. */
	void (*told)(const char *kind, const char *of, const char *which, bool right);
};
void key_asker(const struct key_asker *a); /* borrowed; NULL: nobody */

/* Open the private key of a CA, and check that it belongs to its certificate. NULL with an error:
 * not there, wrong secret (tried exactly once), not a key, another key. The caller owns the result. */
EVP_PKEY *key_open(const struct ca *ca, X509 *certificate, struct err *e);

/* Which secret opening it will ask for, without asking: "pin", "passphrase", or NULL for none. */
const char *key_secret(const struct ca *ca);

enum key_state {
	KEY_SIGNS,
	KEY_DEAD,    /* it was tried, and cannot be used: gone, another key, a locked or absent token, no signature */
	KEY_SECRET,  /* the secret was wrong: that says nothing about the key unless the secret was right before */
	KEY_UNKNOWN  /* it could not be tried at all */
};
/* Does it sign now? e says why not. */
enum key_state key_try(const struct ca *ca, X509 *certificate, struct err *e);

/* After an operation failed: say so in e where the token is no longer there. Every key must be free by now. */
void key_explain(const struct ca *ca, struct err *e);
/* Log out and let go of the token, where one was opened. Every key must be free by now. */
void key_close_token(void);

/* The digest a key of this kind signs with under default_md; *md is NULL for Ed25519 and Ed448.
 * 0, or ERR_SYNTAX for an unknown name. */
int key_digest(const EVP_PKEY *key, const char *default_md, const EVP_MD **md, struct err *e);

/* Sign a probe and verify it with the certificate. 0 or an error. */
int key_probe(EVP_PKEY *key, X509 *certificate, struct err *e);

/* Make a key: "ec-p256", "ec-p384", "rsa-3072", "rsa-4096". NULL with an error. */
EVP_PKEY *key_make(const char *kind, struct err *e);
/* Write it to a new file, mode 0600, durably. 0 or ERR_IO. */
int key_write(EVP_PKEY *key, const char *path, struct err *e);

#endif
