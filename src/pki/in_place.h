/* Names for a new certificate, taken from the one that is in place on the host. */
#ifndef SEV1_IN_PLACE_H
#define SEV1_IN_PLACE_H

#include <jansson.h>
#include <openssl/x509.h>
#include <stddef.h>

#include "base/err.h"

/* The DNS names and addresses of the certificate in pem (the first one in it; what stands before is passed over).
 * The host says which it is, so it is believed only where one of n issuers, CAs of ours, has signed it (whether it
 * has expired or been revoked since does not matter: this says what it was, not that it is good) and it covers
 * host, the name that the inventory has for the server: a host gets no name that a certificate of ours did not put
 * beside its own. A new array; NULL with ERR_REFUSED and the remedy. */
json_t *in_place_names(const char *pem, const char *host, X509 *const *issuer, size_t n, struct err *e);

#endif
