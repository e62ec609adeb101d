/* Issuing, as `openssl ca` does it: serial, new_certs_dir, a row in the index, under the lock. */
#ifndef SEV1_ISSUE_H
#define SEV1_ISSUE_H

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "pki/ca.h"
#include "pki/index.h"

/* One certificate that was asked for. */
struct issue_item {
	X509_NAME *subject;
	EVP_PKEY *key;         /* the public one */
	X509_PUBKEY *as;       /* as the request has it; may be NULL */
	const json_t *names;   /* NULL: a CA certificate */
	bool reused;           /* out: an earlier run had issued it */
	X509 *made;            /* out; NULL where error.code is set */
	struct err error;
};
void issue_item_clear(struct issue_item *item); /* frees subject, key, as and made */

struct issuer {
	const struct ca *ca;
	X509 *cert;
	EVP_PKEY *key;
	int days;
	int64_t since; /* ms: what was issued from then on for the same is given again; 0 never */
};

/* Issue all of them with one rewrite of the index: serial file advanced, then new_certs_dir, then
 * the rows, so that a certificate that was handed out has its row. Each item has made or an error
 * of its own; the answer is 0, or the error that stopped them all (nothing was issued then). now in
 * ms. */
int issue_all(const struct issuer *is, struct issue_item *item, size_t n, int64_t now, struct err *e);

#endif
