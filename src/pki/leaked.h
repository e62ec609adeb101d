/* A key that got out, as it was handed in: a private key, a request, a certificate or a public key. Only the
 * CA child calls this. Nothing of a private key outlives leaked_read but its public half. */
#ifndef SEV1_LEAKED_H
#define SEV1_LEAKED_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"

/* Read a file, PEM or DER, of at most 256 KiB: a private key (PKCS#8, or traditional RSA and EC), a PKCS#10
 * request, one certificate, or a public key. A private key must sign a random challenge that its own public
 * half verifies: a file with the public half of someone's key and an invented private one is refused. A
 * request must be signed by its own key. Returns a new object for the journal, NULL with an error:
 *	{"kind": "private-key" | "request" | "certificate" | "public-key",
 *	 "name": the file's last part, escaped, "spki": SHA-256 of the SubjectPublicKeyInfo,
 *	 "public": the SubjectPublicKeyInfo, base64, "proved": bool,
 *	 "challenge", "signature": hex, of a private key} */
json_t *leaked_read(const char *path, struct err *e);
/* The same of len octets that are called name. The caller wipes data. */
json_t *leaked_of(const char *name, const void *data, size_t len, struct err *e);

/* The public key of such an object; owned by the caller, NULL where it holds none. */
EVP_PKEY *leaked_public(const json_t *key);
/* Does its signature over its challenge verify with pub (a certificate's)? */
bool leaked_proves(const json_t *key, EVP_PKEY *pub);
/* The same key, though written in another way: RSA for any padding or for PSS only, an EC point compressed. */
bool leaked_same(EVP_PKEY *a, EVP_PKEY *b);

/* A hash of a SubjectPublicKeyInfo as people write it: 64 hexadecimal digits, colons or not, or a pin
 * "sha256/BASE64" (RFC 7469 2.4; curl's sha256// too). 0 and hex, or ERR_USAGE. */
int leaked_hash(const char *s, char hex[DIGEST_HEX], struct err *e);

#endif
