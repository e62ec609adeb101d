/* Private keys. Only the CA child calls this. */
#ifndef SEV1_KEY_H
#define SEV1_KEY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "pki/ca.h"

/* Open the private key of a CA, and check that it belongs to its certificate. NULL with an error:
 * not there, encrypted, not a key, another key. The caller owns the result. */
EVP_PKEY *key_open(const struct ca *ca, X509 *certificate, struct err *e);

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
