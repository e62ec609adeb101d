/* What sev1 asks of a certificate: read, identify, compare. */
#ifndef SEV1_CERT_H
#define SEV1_CERT_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

/* The last error OpenSSL holds, in words, or what a token answered; its queue is emptied. Static text, never NULL. */
const char *cert_why(void);

/* Read the first certificate of a PEM file (or the DER of one), at most 1 MiB. NULL with an error. */
X509 *cert_read(const char *path, struct err *e);
/* As PEM, owned by the caller. */
char *cert_pem(X509 *x);
/* SHA-256 over the DER of the certificate. */
void cert_fingerprint(X509 *x, char hex[DIGEST_HEX]);
/* SHA-256 over the DER of a SubjectPublicKeyInfo. */
void cert_spki(X509_PUBKEY *key, char hex[DIGEST_HEX]);
/* The subject as index.txt has it ("/C=DE/CN=x"), or of any name; owned by the caller. */
char *cert_name(const X509_NAME *name);
/* The serial in upper-case hex, whole octets, without leading zero octets; owned by the caller. */
char *cert_serial(const ASN1_INTEGER *serial);
/* An ASN.1 time as ms since the epoch; -1 where it is none. */
int64_t cert_time(const ASN1_TIME *t);
/* Its subjectKeyIdentifier, else the SHA-1 of its key as RFC 5280 4.2.1.2 (1) makes it. */
ASN1_OCTET_STRING *cert_key_id(X509 *x);
/* The same in upper-case hex, owned by the caller. */
char *cert_key_id_hex(X509 *x);
/* May it sign certificates: basicConstraints CA, and keyCertSign where keyUsage is there
 * (RFC 5280 4.2.1.3, 4.2.1.9)? An old certificate without basicConstraints may not. */
bool cert_is_ca(X509 *x);
/* Was x issued by this CA: issuer name, key id and signature? */
bool cert_issued_by(X509 *x, X509 *issuer);

#endif
