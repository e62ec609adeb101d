/* What a problem report carries, held against what the CAs have issued. Only the CA child calls this. */
#ifndef SEV1_REPORT_MATCH_H
#define SEV1_REPORT_MATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/ca.h"
#include "pki/watch.h"

struct report;

/* serials, hashes (of a certificate or of its public key) and hosts are arrays of text as found, borrowed. */
struct report *report_new(const json_t *serials, const json_t *hashes, const json_t *hosts, int64_t at);
void report_free(struct report *p);
/* Look into octets that may be a certificate, a PKCS#7 bundle, a request or a key, DER. where says from which part of the
 * mail they are. Nothing of a private key is kept but its public half, and the proof of possession. */
void report_blob(struct report *p, const char *where, const unsigned char *der, size_t len);
/* Match it all against one CA: its index, and new_certs_dir where something asks for it. 0 or an error: then this CA was
 * not looked at. */
int report_match(struct report *p, const struct ca *ca, const struct watch *w, struct err *e);
/* {"certificates": [{"where", "subject", "issuer", "serial", "sha256", "spki"}],
 *  "keys": [{"kind", "where", "spki", "proved", "certificates"}], "unreadable": [{"where", "why"}],
 *  "matches": [{"ca", "serial", "subject", "status": valid, expired, revoked, ca or unknown, "by": [kinds]}],
 *  "more": matches beyond those that are listed}. New; once. */
json_t *report_result(struct report *p);

#endif
