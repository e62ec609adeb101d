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
	uint16_t rev;     /* offsets of the fields in the row */
	uint16_t serial;
	uint16_t file;
	uint16_t name;
	uint8_t kind;     /* enum row_kind */
};

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

/* Fields of a row: not NUL-terminated. */
const char *row_serial(const struct index *x, const struct row *r, size_t *len);
const char *row_rev(const struct index *x, const struct row *r, size_t *len);
const char *row_name(const struct index *x, const struct row *r, size_t *len); /* without a CR */
bool row_expired(const struct row *r, int64_t at_ms);

/* A serial in its one form: upper case, whole octets, no leading zero octets ("0A", "00", "-01").
 * out needs SERIAL_MAX octets. Returns its length, 0 where s is not a serial. */
#define SERIAL_MAX 136
size_t serial_canon(char *out, const char *s, size_t len);
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
/* The row of a canonical serial in sorted rows, or NULL. */
const struct row *index_find(const struct index *x, const struct sorted *s, size_t n, const char *serial);
/* As index_find; *at is its place in s, or where it would stand. */
const struct row *index_find_at(const struct index *x, const struct sorted *s, size_t n,
    const char *serial, size_t *at);

#endif
