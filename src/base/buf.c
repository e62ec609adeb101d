#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE ((size_t)8 << 20)
#define HUGE_PAGE ((uintptr_t)2 << 20)

static void *mem_check(void *p)
{
	static const char msg[] = "sev1: out of memory\n";

	if (p == NULL) {
		ssize_t rc = write(STDERR_FILENO, msg, sizeof msg - 1);
		(void)rc;
		_exit(1);
	}
	return p;
}

/* A database of a million rows is walked in the order of its serials: in pages of 4 KiB a fifth of the time goes
 * into finding them. Only a wish: where the kernel has no huge pages left, it takes small ones. */
static void *mem_large(void *p, size_t size)
{
	uintptr_t from = ((uintptr_t)p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1), to = ((uintptr_t)p + size) & ~(HUGE_PAGE - 1);

	if (size >= LARGE && from < to)
		madvise((void *)from, to - from, MADV_HUGEPAGE);
	return p;
}

void *mem_alloc(size_t size)
{
	return mem_large(mem_check(malloc(size > 0 ? size : 1)), size);
}

void *mem_zalloc(size_t count, size_t size)
{
	return mem_check(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *mem_grow(void *p, size_t count, size_t size)
{
	return mem_large(mem_check(reallocarray(p, count > 0 ? count : 1, size)), count * size);
}

char *mem_strdup(const char *s)
{
	return s == NULL ? NULL : mem_check(strdup(s));
}

char *mem_strndup(const char *s, size_t n)
{
	return mem_check(strndup(s, n));
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return mem_check(s);
}

void buf_room(struct buf *b, size_t more)
{
	size_t want;

	if (more > SIZE_MAX / 4 - b->len)
		mem_check(NULL);
	want = b->len + more + 1;
	if (want <= b->cap)
		return;
	b->cap = b->cap * 2 > want ? b->cap * 2 : want + 64;
	b->data = mem_grow(b->data, b->cap, 1);
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	buf_room(b, len);
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	buf_room(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_drop(struct buf *b, size_t n)
{
	if (n > b->len)
		n = b->len;
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
	b->data[b->len] = '\0';
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

char *buf_take(struct buf *b)
{
	char *s = b->data != NULL ? b->data : mem_strdup("");

	b->data = NULL;
	b->len = b->cap = 0;
	return s;
}

const char *buf_str(const struct buf *b)
{
	return b->data != NULL ? b->data : "";
}

void buf_free(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
}
