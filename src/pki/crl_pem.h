/* A CRL in PEM (RFC 7468 6), written as a stream. */
#ifndef SEV1_CRL_PEM_H
#define SEV1_CRL_PEM_H

#include <stddef.h>

#include "base/err.h"

/* Write len octets of DER to path as PEM, durably, and read the file back against them before it gets its
 * name. 0, ERR_IO, or ERR_FAILED where the disk holds something else. */
int crl_pem_write(const char *path, const unsigned char *der, size_t len, struct err *e);

#endif
