/* CRLs beside the one that crl_file_make signs: numbers taken ahead, given times, partitions, the ladder.
 * They lie in folders of their own below the CRLs' folder, so that none is taken for the last CRL. */
#ifndef SEV1_CRL_STORE_H
#define SEV1_CRL_STORE_H

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "pki/ca.h"
#include "pki/crl_file.h"

/* The folders, below that of the CRLs; owned by the caller. */
char *crl_ladder_folder(const char *folder);
char *crl_parts_folder(const char *folder);

/* The highest number in those folders, where it is above number: it replaces it. For whoever takes the next. */
void crl_store_floor(const struct ca *ca, const char *folder, char *number);

/* Take n numbers: the first into first (SERIAL_MAX); the crlnumber file stands beyond the last when this
 * returns 0, so that none is ever used twice. */
int crl_number_take(const struct ca *ca, const char *folder, size_t n, char *first, struct err *e);
/* The number n after first. out needs SERIAL_MAX. */
void crl_number_after(const char *first, size_t n, char *out);

/* Write DER, and PEM beside it first where pem is set, durably: the DER comes last. */
int crl_store(const char *path, const void *der, size_t len, bool pem, struct err *e);

/* A scope of its own among the CRLs of a CA: the certificates that name these URLs as distribution points. */
struct crl_scope {
	const char *name;    /* "" the whole CA */
	const json_t *urls;  /* NULL for the whole CA */
	uint8_t want;        /* in listing.part */
};

/* Sign a CRL of l with this number at these times (ms), store it as folder/NAME-NUMBER.crl, read it back and
 * verify it. A scope with URLs gets a critical issuingDistributionPoint of them (RFC 5280 5.2.5). */
int crl_store_make(const struct ca *ca, X509 *cert, EVP_PKEY *key, const struct listing *l,
    const struct crl_scope *scope, const char *folder, const struct crl_terms *terms, bool pem, struct crl_file *out,
    struct err *e);

#endif
