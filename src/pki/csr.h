/* Certificate requests from servers: nothing in them is believed but their key. */
#ifndef SEV1_CSR_H
#define SEV1_CSR_H

#include <jansson.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"

/* Is this public key strong enough: RSA of 2048 to 16384 bits with an odd exponent from 65537 to
 * 2^256 - 1 (TLS BR 6.1.6), EC on P-256, P-384 or P-521, Ed25519? 0 or ERR_REFUSED. */
int csr_key_check(EVP_PKEY *key, struct err *e);

/* Is this certificate or key in refuse: [{"fingerprint": hex, "spki": hex}, ...]? NULL means no. */
bool csr_is_refused(const json_t *refuse, const char *fingerprint, const char *spki);

/* Read and check a request in PEM (at most 64 KiB): its own signature, its key, that the key is not in
 * refuse, and that every CN, dNSName and iPAddress in it is one of names (an array of strings; other
 * kinds of names are refused). The request, owned by the caller, and its key's hash; NULL with
 * ERR_REFUSED, the text escaped. */
X509_REQ *csr_read(const char *pem, size_t len, const json_t *names, const json_t *refuse,
    char spki[DIGEST_HEX], struct err *e);

#endif
