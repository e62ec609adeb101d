/* Revocation in one pass over index.txt, from a frozen manifest, and the CRL that follows. Killed
 * at any moment it is run again with the same job and ends in the same state. */
#ifndef SEV1_REVOKE_H
#define SEV1_REVOKE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/ca.h"
#include "pki/crl_file.h"
#include "pki/index.h"
#include "pki/scope.h"

struct revoke_job {
	const struct ca *ca;
	X509 *cert;
	EVP_PKEY *key;        /* NULL for revoke_check */
	const char *path;     /* manifest file */
	const char *manifest; /* its SHA-256 */
	const char *folder;   /* of the CRLs */
	int64_t stamp;        /* revocation date, ms; the same again when it is resumed */
	int64_t since;        /* invalidityDate, ms; 0 none */
	int64_t now;          /* ms */
	int hours;            /* nextUpdate after thisUpdate */
	bool exact;           /* every valid row must be in the manifest */
};

struct revoke_result {
	int64_t planned;      /* rows of the manifest */
	int64_t revoked;      /* of them revoked now, read back */
	int64_t already;      /* R rows that are not of this run */
	int64_t done;         /* rows of the manifest that an earlier try had revoked */
	struct index_counts counts; /* before */
	char first[SERIAL_MAX];     /* the first serial of the manifest, "" where it is empty */
	char *first_name;     /* its subject */
	int64_t first_until;  /* ms */
	char number[SERIAL_MAX];    /* the CRL number that is next */
	char *backup[3];      /* index.txt, index.txt.attr, crlnumber; NULL where there is no such file */
	struct crl_file crl;
};
void revoke_clear(struct revoke_result *r);

/* Where a file of the CA's database is kept by a revocation of this moment (ms); owned by the caller. */
char *revoke_backup_name(const char *file, int64_t stamp);

/* Everything that can be checked without writing: rows readable, manifest the one confirmed, the
 * same rows still valid, none missing, none too many, CRL number usable, room on the disk. Fills
 * all but revoked and crl; backup holds the paths that would be used. ERR_REFUSED says how many
 * rows differ and names up to five. */
int revoke_check(const struct revoke_job *job, struct revoke_result *out, struct err *e);

/* Do it, under the lock of the database. w hears the stages check, backup, index, crl, verify. On
 * error index.txt is either as it was or wholly rewritten, and running again goes on from there. */
int revoke_run(const struct revoke_job *job, const struct watch *w, struct revoke_result *out,
    struct err *e);

#endif
