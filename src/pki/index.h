/* index.txt of `openssl ca`: six fields a line, parted by single tabs. The file is held as it is and
 * rows are offsets into it, so that what is not touched is written back octet for octet. */
#ifndef SEV1_INDEX_H
#define SEV1_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/revinfo.h"
#include "pki/watch.h"

enum row_kind {
	ROW_VALID,    /* V: expired or not, see row_expired */
	ROW_REVOKED,  /* R */
	ROW_EXPIRED,  /* E, as `openssl ca -updatedb` marks them */
	ROW_COMMENT,  /* starts with #: openssl passes over it */
	ROW_BAD       /* cannot be read; why is in index_bad */
};

struct row {
	uint64_t at;      /* offset of its first octet */
	int64_t expires;  /* seconds since the epoch */
	uint32_t len;     /* octets without the line's end */
	uint16_t serial;  /* offsets of the fields in the row */
	uint16_t file;
	uint16_t name;
	uint8_t rev;
	uint8_t kind;     /* enum row_kind */
	uint8_t given;    /* 0, or which of the index's given revocations it has taken */
};

/* A revocation that rows are given in memory, before the index is written. */
struct given {
	char *rev;           /* the third field */
	size_t len;
	enum reason beyond;  /* a reason that the third field has no word for; REASON_NONE */
};
#define GIVEN_MAX 16

struct index_bad {
	size_t line;      /* 1, 2, 3 ... */
	const char *why;  /* untranslated */
};

#define INDEX_BAD_KEPT 1000

struct index {
	char *path;
	char *data;
	size_t len;
	struct row *row;  /* row i is line i + 1 */
	size_t rows;
	size_t bads;      /* rows that cannot be read */
	struct index_bad bad[INDEX_BAD_KEPT]; /* the first of them */
	bool open_end;    /* the last line has no newline (openssl would pass over it) */
	struct given given[GIVEN_MAX]; /* from 1 */
	size_t givens;
	struct stat st;   /* of the file as it was read */
};

struct index_counts {
	int64_t valid, expired, revoked, unreadable, rows; /* rows: without comments */
};

/* Read a database. NULL with an error where the file cannot be read; bad rows are no error here. */
struct index *index_load(const char *path, struct err *e);
void index_free(struct index *x);

/* Has the file been replaced or written since it was read? */
bool index_changed(const struct index *x);

/* Counts at a moment (ms): a V row whose time has passed counts as expired. */
void index_count(const struct index *x, int64_t at, struct index_counts *c);
/* ERR_REFUSED naming the file, the first bad row and how many there are; 0 where there is none. */
int index_refuse_bad(const struct index *x, struct err *e);

/* The counts of the file at path without keeping its rows: bad (INDEX_BAD_KEPT of them) gets the first of the
 * c->unreadable. 0 or an error where it cannot be read. */
int index_tally(const char *path, int64_t at, struct index_counts *c, struct index_bad *bad, struct err *e);

/* A revocation for rows of x: date (seconds), reason, invalidityDate (seconds, INT64_MIN none). Returns its
 * number for index_revoke; at most GIVEN_MAX - 1 different ones. */
uint8_t index_give(struct index *x, int64_t date, enum reason reason, int64_t invalid);
/* The row is revoked, in memory: all that is asked of x from now on is as of a file where it is. */
void index_revoke(struct index *x, struct row *r, uint8_t given);
/* Write x as it is now to fd, every line with its end. 0 or ERR_IO. */
int index_write(const struct index *x, int fd, const struct watch *w, struct err *e);
/* Does path hold exactly what index_write writes? 0, ERR_FAILED where it differs, ERR_IO. */
int index_same(const struct index *x, const char *path, struct err *e);

/* Fields of a row: not NUL-terminated. */
const char *row_serial(const struct index *x, const struct row *r, size_t *len);
const char *row_rev(const struct index *x, const struct row *r, size_t *len);
const char *row_name(const struct index *x, const struct row *r, size_t *len); /* without a CR */
bool row_expired(const struct row *r, int64_t at_ms);

/* The reasons that `openssl ca` has no word for are kept behind the file name (the fifth field, which it
 * carries along and never reads): "unknown;reason=privilegeWithdrawn". REASON_NONE where there is none. */
#define INDEX_BEYOND ";reason="
enum reason row_beyond(const struct index *x, const struct row *r);
/* The whole revocation of an R row. NULL, or why it cannot be read (untranslated). */
const char *row_revinfo(const struct index *x, const struct row *r, struct revinfo *out);
/* Have two R rows the same revocation, word for word? */
bool row_revoked_alike(const struct index *x, const struct row *a, const struct row *b);

/* One more than the value of a hexadecimal digit; 0 for any other octet. */
extern const unsigned char serial_digits[256];
/* A serial in its one form: upper case, whole octets, no leading zero octets ("0A", "00", "-01").
 * out needs SERIAL_MAX octets. Returns its length, 0 where s is not a serial. */
#define SERIAL_MAX 136
size_t serial_canon(char *out, const char *s, size_t len);
bool serial_is_canon(const char *s, size_t len); /* is it in that form already? */
size_t row_canon(const struct index *x, const struct row *r, char *out);

/* Rows in the order of their serials: length before digits, as a CRL is sorted. */
struct sorted {
	uint64_t key;  /* octets of the serial, then its first seven: compares before the text does */
	uint32_t row;
};
/* Sort n rows by serial in place; key need not be set. Two rows with one serial: ERR_REFUSED naming
 * both lines. */
int index_sort(const struct index *x, struct sorted *s, size_t n, struct err *e);
/* Every row that can be read, sorted; *n of them, owned by the caller. NULL with an error. */
struct sorted *index_sorted(const struct index *x, size_t *n, struct err *e);
/* Rows in order lie anywhere in the file: fetch those that row i's successors need. */
void index_ahead(const struct index *x, const struct sorted *s, size_t n, size_t i);
/* Is this canonical serial the row's? */
bool row_is(const struct index *x, const struct row *r, const char *serial, size_t len);
/* The row of a canonical serial in sorted rows, or NULL. */
const struct row *index_find(const struct index *x, const struct sorted *s, size_t n, const char *serial);
/* As index_find; *at is its place in s, or where it would stand. */
const struct row *index_find_at(const struct index *x, const struct sorted *s, size_t n,
    const char *serial, size_t *at);

#endif
