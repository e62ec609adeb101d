/* Certificates put together: names, extensions, validity, signature. */
#ifndef SEV1_BUILD_H
#define SEV1_BUILD_H

#include <jansson.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/ca.h"

/* A subject from "/C=DE/O=X/CN=Y"; a backslash keeps the next character. NULL with ERR_USAGE. */
X509_NAME *build_subject(const char *text, struct err *e);
/* The subject of a server certificate: CN is the first of names (left out where longer than 64);
 * what the CA's policy wants to "match" or has "supplied" is taken from the CA's own subject. */
X509_NAME *build_server_subject(const struct ca *ca, X509 *issuer, const json_t *names, struct err *e);

/* Give x the key of a request as it stands there. False where it cannot be taken over so; x is as it was then. x has the
 * octets only, X509_get0_pubkey does not know them. */
bool build_key_as(X509 *x, const X509_PUBKEY *key);

/* An unsigned certificate with serial (hex), subject and key (NULL: build_key_as sets it), valid from now (ms) for days, not
 * beyond the issuer's own end. issuer NULL: self-signed. */
X509 *build_new(X509 *issuer, const char *serial, X509_NAME *subject, EVP_PKEY *key, int64_t now,
    int days, struct err *e);
/* Give it another serial (hex), before it is signed. */
bool build_serial(X509 *x, const char *serial);
/* Add one extension as openssl.cnf words it. conf may be NULL. 0 or an error. */
int build_extension(X509 *x, X509 *issuer, struct conf_st *conf, int nid, const char *value,
    struct err *e);
/* Those of a TLS server (RFC 5280 4.2, TLS BR 7.1.2.7): SANs are names; distribution points, AIA,
 * policies and extendedKeyUsage are those of the CA's x509_extensions. */
int build_server_extensions(X509 *x, const struct ca *ca, X509 *issuer, const json_t *names,
    struct err *e);
/* Those of a CA certificate. ca is the issuing CA, whose distribution points are taken; NULL for a
 * root. */
int build_ca_extensions(X509 *x, const struct ca *ca, X509 *issuer, bool root, struct err *e);
/* Sign it with the digest that default_md names. */
int build_sign(X509 *x, EVP_PKEY *key, const char *default_md, struct err *e);

#endif
