/* A CRL's way to disk: its number, DER and PEM written durably, read back and verified from there. */
#ifndef SEV1_CRL_FILE_H
#define SEV1_CRL_FILE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "pki/ca.h"
#include "pki/crl.h"
#include "pki/watch.h"

struct crl_file {
	char number[SERIAL_MAX];
	int64_t entries, this_update, next_update; /* ms */
	int64_t octets;       /* of the DER */
	char sha256[DIGEST_HEX];
	char *der, *pem;      /* paths */
	char signature[64];   /* algorithm */
};
void crl_file_clear(struct crl_file *f);

/* The number the next CRL of this CA takes, from its crlnumber file: out needs SERIAL_MAX. It must
 * be above the last one in folder and that of the CA's own CRL file (RFC 5280 5.2.3). Error: no
 * such file, garbage, used up, not above; with the remedy. Writes nothing. */
int crl_number_next(const struct ca *ca, const char *folder, char *out, struct err *e);

/* The last CRL of this CA in folder (NAME-NUMBER.crl with the highest number): its path, owned by
 * the caller, and number (SERIAL_MAX). NULL where there is none. */
char *crl_file_last(const struct ca *ca, const char *folder, char *number);

/* The moment (seconds) before which an expired certificate has stood on its last CRL: thisUpdate of the
 * last CRL of this CA, in folder or at the CA; INT64_MIN where there is none. One of another issuer, or made after now
 * (ms), says nothing of it. For listing.gone. */
int64_t crl_gone(const struct ca *ca, X509 *cert, const char *folder, int64_t now);

/* A CRL that is signed and not yet on disk. */
struct crl_draft {
	const struct ca *ca;
	X509 *cert;
	const struct listing *l;
	struct crl crl;
	char number[SERIAL_MAX];
	char *der, *pem; /* where it will be */
};

/* Sign the next CRL over the rows of l, valid for hours from now (ms) on. Writes nothing. */
int crl_file_sign(struct crl_draft *d, const struct ca *ca, X509 *cert, EVP_PKEY *key,
    const struct listing *l, const char *folder, int64_t now, int hours, const struct watch *w, struct err *e);
/* Write it: the number file is advanced first, so that a number is never used twice; DER and PEM are read back
 * and verified before the DER, last of all, gets its name. d is cleared in any case. */
int crl_file_store(struct crl_draft *d, const struct watch *w, struct crl_file *out, struct err *e);
void crl_draft_clear(struct crl_draft *d);
/* Both. */
int crl_file_make(const struct ca *ca, X509 *cert, EVP_PKEY *key, const struct listing *l,
    const char *folder, int64_t now, int hours, const struct watch *w, struct crl_file *out,
    struct err *e);

/* Read path back (DER), verify it against certificate and index, and fill out (with pem beside it).
 * Certificates that had expired when it was made may be on it or not: l's gone is not looked at. */
int crl_file_verify(const char *path, X509 *cert, const struct listing *l, struct crl_file *out,
    struct err *e);

/* Read a CRL in DER or PEM of at most 1 GiB; b gets its DER. 0 or an error naming path. */
int crl_file_read(const char *path, struct buf *b, struct err *e);

#endif
