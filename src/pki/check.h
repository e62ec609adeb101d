/* What doctor asks of a CA before there is an incident, and what `crl check` finds in a CRL. */
#ifndef SEV1_CHECK_H
#define SEV1_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/ca.h"

/* {findings: [{level: "ok"|"warn"|"fail", what, remedy}], subject, fingerprint, spki, not_after,
 * cdps: [..], self_signed}: new. sign: sign a probe with the key. ask: ask for a PIN or a
 * passphrase where the key wants one; otherwise that key is not tried, and a finding says so. Never NULL:
 * what cannot be read is a finding. */
json_t *check_ca(const struct ca *ca, bool sign, bool ask, int64_t now);

/* crl_check() of a file (see crl_check.h) against its CA and index.txt. ca may be NULL: then issuer, signature
 * and index are not judged. NULL where path is no file that can be read. */
json_t *check_crl(const char *path, const struct ca *ca, int64_t now, struct err *e);

#endif
