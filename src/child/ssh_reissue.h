/* Replace the certificates of hosts, one after another, one connection for each. */
#ifndef SEV1_SSH_REISSUE_H
#define SEV1_SSH_REISSUE_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Of a host's time (ms) the part in which it goes forward; the rest is kept for the way back. */
static inline int64_t reissue_forward(int64_t timeout_ms)
{
	return timeout_ms - (timeout_ms / 4 < 10000 ? timeout_ms / 4 : 10000);
}

/* The session op "reissue": hosts are read with serve_next until end of file. 0; what goes wrong with a
 * host is said in its row. */
int reissue_serve(const json_t *request, json_t **result, struct err *e);

/* The line of a command's stderr that says what is wrong, escaped, at most 200 octets; owned by the
 * caller, "" where it said nothing. */
char *reissue_reason(const struct buf *errors);

/* The same with what to do about what sudo and the kernel's guards say; frees why. */
char *reissue_explained(char *why);

/* The host's own words of b as strings in list, escaped, a string a line, bounded. */
void reissue_said(json_t *list, const struct buf *b);
/* The certificate that follows a request in out: {serial, fingerprint, subject, not_after}, new;
 * NULL where there is none that can be read. */
json_t *reissue_before(const struct buf *out);

#endif
