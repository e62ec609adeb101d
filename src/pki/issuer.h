/* Replacement issuers: made here, signed by a parent here or elsewhere, imported, judged. */
#ifndef SEV1_ISSUER_H
#define SEV1_ISSUER_H

#include <jansson.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/ca.h"

struct issuer_plan {
	bool root;              /* self-signed; otherwise an intermediate */
	const char *folder;     /* made; an `openssl ca` directory afterwards */
	const char *name;       /* its section in openssl.cnf */
	const char *subject;    /* "/C=DE/O=X/CN=Y" */
	const char *key;        /* see key_make */
	int days;
	const char *cdp;        /* distribution point of its own CRL, put into what it issues; "" none */
	const struct ca *parent;/* signs it here; NULL for a root, or where it is signed elsewhere */
	const json_t *refuse;   /* [{fingerprint, spki}] */
	int64_t now;            /* ms */
};

/* Make the directory: key (0600), openssl.cnf, empty database, and the certificate, or ca.csr where
 * it is signed elsewhere. Run again after an interruption it goes on with the same key. A folder
 * with other content is refused. *certificate is owned by the caller; NULL where a CSR waits to be
 * signed. */
int issuer_make(const struct issuer_plan *p, X509 **certificate, struct err *e);

/* Take the certificate that was signed elsewhere into folder: it must be for the key there, and pass
 * issuer_judge. */
int issuer_import(const char *folder, const char *path, const json_t *refuse, int64_t now,
    X509 **certificate, struct err *e);

/* May it be the replacement: a CA certificate (RFC 5280 4.2.1.3, 4.2.1.9), valid now, a strong key,
 * and neither it nor its key in refuse? 0 or ERR_REFUSED. */
int issuer_judge(X509 *x, const json_t *refuse, int64_t now, struct err *e);

/* {subject, fingerprint, spki, not_after}: new. */
json_t *issuer_json(X509 *x);

#endif
