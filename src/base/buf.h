/* A growable byte string, and allocation that cannot fail silently. */
#ifndef SEV1_BUF_H
#define SEV1_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data; /* always NUL-terminated once something was added; NULL before */
	size_t len; /* octets without the NUL */
	size_t cap;
};

/* Out of memory ends the process with exit status 1 and one line on stderr: nothing in sev1 can
 * go on without it, and a job that dies is found unfinished by its journal. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t count, size_t size);
void *mem_grow(void *p, size_t count, size_t size);
char *mem_strdup(const char *s); /* NULL gives NULL */
char *mem_strndup(const char *s, size_t n);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void buf_room(struct buf *b, size_t more); /* so that more octets can be added without copying */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_drop(struct buf *b, size_t n); /* remove n octets from the front */
void buf_clear(struct buf *b);          /* empty it, keep the memory */
char *buf_take(struct buf *b);          /* the string, owned by the caller ("" never NULL); b is emptied */
const char *buf_str(const struct buf *b); /* "" where nothing was added */
void buf_free(struct buf *b);

#endif
