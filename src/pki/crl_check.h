/* A CRL judged, ours or not: what it says, and every fault that speaks against it. Nothing here needs a
 * key; a file of any content and size costs a bounded time. */
#ifndef SEV1_CRL_CHECK_H
#define SEV1_CRL_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/ca.h"
#include "pki/crl.h"

/* Against what a CRL is held. */
struct crl_ask {
	const struct ca *ca;     /* NULL: issuer, signature and entries are not judged */
	const struct listing *l; /* the rows it must hold (l's gone is not looked at); NULL: entries are not judged */
	const char *no_index;    /* why there are no rows to judge by; NULL */
	int64_t now;             /* ms */
	const char *last;        /* the number that was last published, with its digest; NULL or "" none */
	const char *last_sha256;
	const json_t *urls;      /* distribution points of the partition it must be of; NULL: openssl.cnf's, or none */
	bool der;                /* PEM is a fault: it is for a point that serves DER */
};

/* Is file a CRL of this issuer, by name and, where both have one, key identifier? */
bool crl_is_of(const struct buf *file, X509 *issuer);

/* {issuer (its name), number, entries, this_update, next_update, octets, sha256, signature, form: "DER"|"PEM", extensions:
 * [{oid, name, critical}], distribution: [urls], findings: [{id, level: "fail"|"warn", what}], problems:
 * [the failing ones' words], signature_ok, issuer_ok, missing, extra, differing, duplicates, named: [first five]}:
 * new, never NULL. What cannot be read has findings and little else. */
json_t *crl_check(const struct buf *file, const struct crl_ask *ask);

/* Sign a CRL without entries in memory, and judge it as one that is to be published: what keeps this key, digest and
 * crl_extensions from it is told before anything is touched. 0, or an error with its remedy. */
int crl_rehearse(const struct ca *ca, X509 *cert, EVP_PKEY *key, const char *number, int64_t now, int hours,
    struct err *e);

/* May the file take the place of what a point serves? It must have this digest, be a CRL of ask->ca without
 * a failing finding, and for each CRL in served (paths; what is no CRL of this CA there counts for nothing): its
 * number is higher, or it is the same CRL, and it lists all that one listed, but for what expired or was
 * on hold. 0; ERR_REFUSED naming the fault. */
int crl_admit(const char *path, const char *sha256, const struct crl_ask *ask, const char *const *served,
    size_t n, struct err *e);

/* Does v list all that was lists, but for rows of l that expired by now, were on hold, or are of another
 * partition? 0; ERR_REFUSED naming the first that is missing, and how many. */
int crl_covers(const struct crl_view *v, const struct crl_view *was, const struct listing *l, int64_t now,
    struct err *e);

/* Read a regular file of at most 1 GiB, whatever is in it. 0 or an error. */
int crl_read_some(const char *path, struct buf *b, struct err *e);

/* -1, 0, 1: two canonical CRL numbers; a negative one is below all. */
int crl_number_compare(const char *a, const char *b);

#endif
