/* The certificates of an incident as others are told of them: the appendix of a CCADB incident report. */
#ifndef SEV1_APPENDIX_H
#define SEV1_APPENDIX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/ca.h"
#include "pki/watch.h"

struct appendix {
	bool links;     /* lines of https://crt.sh/?sha256=..., else the CSV of template 3.2 */
	bool late;      /* what is not revoked is Delayed, else Planned */
	int64_t at;     /* ms: now; what expired before needs no revocation */
	int64_t rows, revoked, missing; /* missing: no certificate file of the CA's, so no hashes */
};

/* The first line of the CSV. */
void appendix_head(const struct appendix *a, struct buf *b);
/* Append a line for each serial of text, lines "SERIAL [REASON]" (others are passed over), of certificates that ca
 * issued. The hash of a precertificate is N/A for a certificate without SCTs, and empty for one that has them: the CA's
 * folder does not hold precertificates. 0; ERR_NOTFOUND for a serial that is not in the index; ERR_REFUSED, ERR_IO. */
int appendix_add(struct appendix *a, const struct ca *ca, const char *text, const struct watch *w, struct buf *b,
    struct err *e);

#endif
