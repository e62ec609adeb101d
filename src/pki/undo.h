/* A revocation taken back: index.txt as it was before, octet for octet, from its backup. The CRLs signed since are set
 * aside, so that nothing publishes them; the CRL number does not go back, since a signed CRL that bears it exists. */
#ifndef SEV1_UNDO_H
#define SEV1_UNDO_H

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "pki/ca.h"
#include "pki/index.h"

struct undo_job {
	const struct ca *ca;
	const char *folder; /* of the CRLs */
	int64_t stamp;      /* ms: of the revocation; it names the backups and dates its rows */
	int64_t planned;    /* rows that it was to revoke */
	const char *sha256; /* of the backup as it was confirmed; "" for undo_check */
};

struct undo_result {
	char *backup;           /* of index.txt; NULL where the revocation had not come so far */
	char sha256[DIGEST_HEX];/* of it */
	int64_t rows;           /* revoked now, valid afterwards; 0 where index.txt is already as it was */
	char number[SERIAL_MAX];/* the next CRL's, from the crlnumber file; "" where there is none */
	char **crl;             /* files that are (to be) set aside; ends with NULL */
	size_t crls;
};
void undo_clear(struct undo_result *r);

/* What undo_run would do. ERR_REFUSED names the rows where index.txt is not what the revocation left. */
int undo_check(const struct undo_job *job, struct undo_result *out, struct err *e);
/* Do it, under the lock of the database: CRLs first, then index.txt. Killed at any moment it is run again and ends in
 * the same state. */
int undo_run(const struct undo_job *job, struct undo_result *out, struct err *e);

#endif
