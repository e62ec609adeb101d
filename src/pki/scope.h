/* Which certificates of a CA are concerned, and the manifest that freezes them. */
#ifndef SEV1_SCOPE_H
#define SEV1_SCOPE_H

#include <jansson.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "pki/ca.h"
#include "pki/crl_file.h"
#include "pki/index.h"
#include "pki/revinfo.h"

struct picked {
	uint32_t row;
	int8_t reason;  /* enum reason */
};

struct scope {
	struct index_counts counts;
	struct picked *pick; /* in the order of their serials */
	size_t picks;
	json_t *groups;      /* what each group of selectors found: see selectors_result */
};

/* Select the rows of x that are valid at the moment at (ms) and match selectors (resolved, see selectors_init; NULL
 * or empty takes all), {"groups": [...], "reason": of groups that have none, default keyCompromise}. rows are
 * all rows in order. new_certs_dir is read only where index.txt does not hold what is asked, each file once.
 * CA certificates are given cACompromise where the reason is keyCompromise: those whose serial is in own
 * (canonical, NULL-terminated, may be NULL), and those with basicConstraints CA in new_certs_dir, unless cert's
 * own pathLen of 0 rules them out (RFC 5280 4.2.1.9). 0; ERR_REFUSED for a bad row, a serial that is not in the
 * index, a pattern, key or group that matches no valid certificate, a file of another certificate; ERR_NOTFOUND for
 * missing files, of which five are named; ERR_USAGE. */
int scope_select(const struct ca *ca, X509 *cert, const struct index *x, const struct sorted *rows,
    size_t n, const json_t *selectors, char *const *own, int64_t at, const struct watch *w,
    struct scope *out, struct err *e);
void scope_clear(struct scope *s);

/* The other certificates on the key of sub, a CA that this one issued: a renewal on the same key, as valid at the moment
 * at (ms) and as dangerous. *serials is NULL-terminated and owned by the caller, as its strings are. new_certs_dir is
 * read. 0; ERR_REFUSED naming a row of sub's subject whose certificate is not there; ERR_IO. */
int scope_same_key(const struct ca *ca, X509 *cert, const struct index *x, const struct sorted *rows, size_t n,
    X509 *sub, int64_t at, const struct watch *w, char ***serials, struct err *e);

/* Append the canonical manifest:
 *	sev1-manifest 1
 *	ca NAME
 *	issuer-key-id HEX
 *	SERIAL REASON           one line a certificate, by serial */
void scope_manifest(struct buf *b, const struct ca *ca, X509 *cert, const struct index *x,
    const struct scope *s);

/* A manifest read back. */
struct manifest_row {
	const char *serial; /* canonical, in text; not NUL-terminated */
	uint8_t len;
	int8_t reason;
};
struct manifest {
	char *text;
	char hash[DIGEST_HEX];
	struct manifest_row *row; /* by serial */
	size_t rows;
};
/* Read and check one: hash (hex; "" accepts any), CA's name, issuer key id, order. 0; ERR_REFUSED
 * where it is not the manifest that was meant; ERR_SYNTAX; ERR_IO. */
int manifest_read(struct manifest *m, const char *path, const char *hash, const struct ca *ca, X509 *cert,
    struct err *e);
void manifest_clear(struct manifest *m);

#endif
