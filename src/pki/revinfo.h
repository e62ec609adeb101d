/* Dates of index.txt, and the third field of an R row: date[,reason[,extra]], as `openssl ca` writes
 * and reads it. */
#ifndef SEV1_REVINFO_H
#define SEV1_REVINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* RFC 5280 5.3.1. */
enum reason {
	REASON_NONE = -1, /* the field names none */
	REASON_UNSPECIFIED = 0,
	REASON_KEY_COMPROMISE = 1,
	REASON_CA_COMPROMISE = 2,
	REASON_AFFILIATION = 3,
	REASON_SUPERSEDED = 4,
	REASON_CESSATION = 5,
	REASON_HOLD = 6,
	REASON_REMOVE = 8,
	REASON_PRIVILEGE = 9,
	REASON_AA_COMPROMISE = 10
};

struct revinfo {
	int64_t at;         /* seconds since the epoch */
	enum reason reason;
	int64_t invalid;    /* invalidityDate, seconds; INT64_MIN where there is none */
	const char *hold;   /* hold instruction, an OID or name, not NUL-terminated; NULL */
	size_t hold_len;
};

/* YYMMDDhhmm[ss]Z (until 2049) or YYYYMMDDhhmmssZ. False where it is no date. */
bool time_field(const char *s, size_t len, int64_t *seconds);
/* As `openssl ca` writes it: two digits of the year until 2049. out needs 16 octets. */
char *time_write(char *out, int64_t seconds);
/* YYYYMMDDhhmmssZ, 16 octets. */
char *time_write_long(char *out, int64_t seconds);

/* Read the field. NULL, or why it cannot be (untranslated). */
const char *revinfo_read(struct revinfo *r, const char *s, size_t len);
/* Append the field. A hold instruction is not written. */
void revinfo_write(struct buf *b, int64_t at, enum reason reason, int64_t invalid);

/* "keyCompromise" ... as RFC 5280 spells it; "" for none. */
const char *reason_name(enum reason r);
/* The reason of a name, any letter case; REASON_NONE where there is no such. */
enum reason reason_of(const char *name, size_t len);
/* Has the third field a word for it? privilegeWithdrawn and aACompromise have none: OpenSSL 3.0's table ends
 * before them, and `openssl ca` refuses a whole database that holds another word. See row_beyond. */
bool reason_in_index(enum reason r);

#endif
