/* What mail wraps its text in: transfer encodings, charsets, encoded words, parameters, dates. All input is
 * hostile: whatever cannot be decoded stays as it is. */
#ifndef SEV1_MAIL_DECODE_H
#define SEV1_MAIL_DECODE_H

#include <stdint.h>

#include "base/buf.h"

/* Decode len octets by a Content-Transfer-Encoding (RFC 2045 6) and append them; an unknown one counts as 8bit. Never
 * more octets than came in. */
void mail_transfer(struct buf *out, const char *encoding, const char *p, size_t len);

/* Append len octets of a charset as UTF-8. Charsets that mail really has are converted; of any other, and where none is
 * said, valid UTF-8 is taken as it is and the rest as windows-1252. NULs become spaces. */
void mail_utf8(struct buf *out, const char *charset, const char *p, size_t len);

/* A header's value with its encoded words decoded (RFC 2047), as UTF-8; owned by the caller. */
char *mail_words(const char *s, size_t len);

/* A parameter of a header's value ("charset" of "text/plain; charset=utf-8"), RFC 2231 continuations and charsets
 * included; as UTF-8, owned by the caller, NULL where there is none. */
char *mail_parameter(const char *value, const char *name);

/* A date of RFC 5322 3.3, obsolete zones and two-digit years included: ms since the epoch into *ms. 0, or ERR_SYNTAX;
 * a zone that says nothing (-0000, a military letter) counts as UTC. */
int mail_date(const char *s, int64_t *ms);

/* Text of HTML: no tags, scripts, styles nor comments; blocks are lines, references are decoded, and links stand as
 * <URL> behind their text. */
void mail_html(struct buf *out, const char *p, size_t len);

#endif
