/* Certificate revocation lists, version 2 (RFC 5280 5): made from index.txt, signed, parsed back,
 * verified, compared. The list of entries is encoded and read as a stream; OpenSSL hashes, signs and
 * encodes all around it. */
#ifndef SEV1_CRL_H
#define SEV1_CRL_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/ca.h"
#include "pki/der.h"
#include "pki/index.h"
#include "pki/revinfo.h"

/* A CRL in DER. base is what to free. */
struct crl {
	unsigned char *base;
	const unsigned char *der;
	size_t len;
	int64_t entries;
};
void crl_clear(struct crl *c);

/* Which rows of an index stand on a CRL: those that are revoked, but for what is said here. */
struct listing {
	const struct index *x;
	const struct sorted *rows; /* all of x's that can be read, in order */
	size_t n;
	int64_t gone;        /* seconds: certificates that expired before are left out, since a CRL made
	                      * after their expiry still had them (RFC 5280 3.3); INT64_MIN: none is */
	const uint8_t *part; /* the partition of each row of x; NULL: one CRL holds all */
	uint8_t want;        /* the partition this CRL is for */
};
bool listing_has(const struct listing *l, const struct row *r);

/* What a CRL says about itself. */
struct crl_terms {
	int64_t this_update, next_update; /* ms, taken to the second */
	const char *number;               /* hexadecimal, canonical */
	const char *distribution; /* issuingDistributionPoint as openssl.cnf writes it; NULL: the one of the
	                           * CA's crl_extensions, if they have one */
};

/* Can what openssl.cnf says in crl_extensions stand on a CRL? 0; ERR_SYNTAX naming file, section and line. */
int crl_check_configured(const struct ca *ca, X509 *cert, struct err *e);
/* Make and sign a CRL of the rows of l: with AKI, cRLNumber and the extensions of crl_extensions. */
int crl_make(const struct ca *ca, X509 *cert, EVP_PKEY *key, const struct listing *l,
    const struct crl_terms *terms, struct crl *out, struct err *e);

/* What a CRL says, read from its octets; ranges point into them. */
struct crl_view {
	struct der tbs;       /* with its header: what is signed */
	struct der algorithm; /* the outer AlgorithmIdentifier */
	struct der issuer;    /* the Name, with its header */
	struct der entries;   /* content of revokedCertificates; empty where absent */
	struct der signature; /* without the unused-bits octet */
	struct der key_id;    /* keyIdentifier of the AKI; empty where absent */
	int64_t this_update, next_update; /* ms; next_update 0 where absent */
	char number[SERIAL_MAX];          /* "" where absent */
	char critical[64];    /* an unknown critical extension's OID, "" without */
	bool delta;           /* a deltaCRLIndicator is there */
	int64_t count;        /* entries */
};

struct crl_entry {
	char serial[SERIAL_MAX];
	int64_t at;         /* seconds */
	enum reason reason;
	int64_t invalid;    /* seconds; INT64_MIN where absent */
	struct der tail;    /* all after the serial; start with {0} */
};

/* Read a CRL of len octets of DER. 0, or ERR_SYNTAX saying where it is not one. data must outlive v. */
int crl_parse(struct crl_view *v, const void *data, size_t len, struct err *e);
/* Take the next entry from d (start with v->entries, and with an entry of zeroes, which is used again). False at the end; *bad where it is malformed. */
bool crl_next(struct der *d, struct crl_entry *entry, bool *bad);
/* Its signature with this certificate's key: 0, or ERR_FAILED. */
int crl_verify(const struct crl_view *v, X509 *cert, struct err *e);
/* Name of the signature algorithm: "ecdsa-with-SHA256"; static. */
const char *crl_algorithm(const struct crl_view *v);
/* Is it of this issuer: name, and key identifier where both have one? */
bool crl_issuer_is(const struct crl_view *v, X509 *cert);
/* Does it hold the rows of l with date, reason and invalidity date, and no others? A revoked row that l
 * leaves out because it expired may be there all the same. 0, or ERR_FAILED naming the first that differs. */
int crl_compare(const struct crl_view *v, const struct listing *l, struct err *e);

#endif
