/* A CA of the sandbox: keys, certificates and CRLs made with OpenSSL, kept as a real `openssl ca`
 * directory that openssl itself goes on working with. */
#ifndef SEV1_AUTHORITY_H
#define SEV1_AUTHORITY_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>

#include "base/err.h"

struct authority;

struct authority_spec {
	const char *dir;     /* absolute; made */
	const char *subject; /* CN */
	const char *organisation;
	const char *url[2];  /* where its own CRL is fetched: the CDP of what it issues */
	int age, days;       /* its certificate began so many days ago and is valid for days */
	long serial;         /* of the first certificate it issues */
	long crl;            /* number of the CRL that authority_crl() signs first */
	struct authority *issuer; /* NULL: a root. Borrowed; gets a row in its index */
};

/* How a certificate stands in the index. */
enum leaf_state { LEAF_VALID, LEAF_EXPIRED_V, LEAF_EXPIRED_E, LEAF_REVOKED };

struct leaf_spec {
	EVP_PKEY *key;       /* borrowed */
	const char *name;    /* CN and only SAN */
	long from, until;    /* seconds since the epoch */
	enum leaf_state state;
	long revoked;        /* when, where LEAF_REVOKED */
};

/* A new P-256 key; NULL on error. */
EVP_PKEY *authority_key(struct err *e);
/* Write a private key (PKCS #8, mode 0600). 0 or an error. */
int authority_key_write(const char *path, EVP_PKEY *key, struct err *e);
int authority_certificate_write(const char *path, X509 *x, struct err *e);

/* Make the CA: key, certificate, folders. now: seconds since the epoch. NULL on error. */
struct authority *authority_new(const struct authority_spec *s, long now, struct err *e);
/* Issue one certificate into newcerts and the index. *out (NULL: not wanted) is owned by the caller. */
int authority_issue(struct authority *a, const struct leaf_spec *s, X509 **out, struct err *e);
/* Write openssl.cnf and the database; nothing is issued after that. Those of the issuers come last. */
int authority_save(struct authority *a, struct err *e);
/* Sign the CRL of what is revoked and write it as DER to each of the n paths. hours: to nextUpdate. */
int authority_crl(struct authority *a, int hours, char *const path[], size_t n, struct err *e);
X509 *authority_certificate(const struct authority *a); /* borrowed */
void authority_free(struct authority *a);

#endif
