/* Shared by authority.c and authority_file.c only. */
#ifndef SEV1_AUTHORITY_INSIDE_H
#define SEV1_AUTHORITY_INSIDE_H

#include <openssl/x509v3.h>

#include "base/buf.h"
#include "drill/authority.h"

struct authority {
	char *dir;
	char *organisation, *url[2];
	EVP_PKEY *key;
	X509 *cert;
	struct authority *issuer;
	long now, serial, crl;
	struct buf index;
	STACK_OF(X509_EXTENSION) *leaf; /* what all leaf certificates have in common */
	STACK_OF(X509_REVOKED) *revoked;
};

/* OpenSSL's first reason, behind what we wanted from it. Returns ERR_FAILED. */
int authority_fail(struct err *e, const char *what);
/* n in whole octets, as openssl writes numbers: 0F. Returns out. */
const char *authority_hex(char out[24], long n);

#endif
