/* Partitioned CRLs: where certificates name one of several distribution points each, the point's CRL lists the
 * revoked ones of those that name it (RFC 5280 5.2.5). Which certificate names what is read from newcerts, once. */
#ifndef SEV1_PARTITION_H
#define SEV1_PARTITION_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/ca.h"
#include "pki/crl_file.h"
#include "pki/crl_store.h"
#include "pki/index.h"

#define PARTITION_MAX 200

struct partitions {
	struct crl_scope *scope; /* scope[0] is the whole CA; want 1, 2 ... are the partitions */
	size_t n;
	uint8_t *part;           /* of each row of the index, for listing.part; NULL without partitions */
};

/* want: [{name, urls: [..]}], borrowed, must outlive p; empty or NULL: no partitions. Assign every revoked row of x.
 * The distribution points of certificates are kept in folder/NAME.points, beside the CRLs, so that each
 * certificate is read once; a file that does not fit its own digest is made anew. Refused: a certificate
 * that is missing or unreadable, that names no configured point, or points of two partitions; the first five
 * are named, with their count. */
int partitions_make(struct partitions *p, const struct ca *ca, const struct index *x, const json_t *want,
    const char *folder, const struct watch *w, struct err *e);
void partitions_clear(struct partitions *p);
/* The scope of that name; NULL. */
const struct crl_scope *partitions_find(const struct partitions *p, const char *name);

#endif
