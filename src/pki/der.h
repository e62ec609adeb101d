/* Just enough DER (X.690) to write and read the long list of a CRL without an object per entry. */
#ifndef SEV1_DER_H
#define SEV1_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum der_tag {
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_OID = 0x06,
	DER_ENUM = 0x0a,
	DER_UTC = 0x17,
	DER_TIME = 0x18, /* GeneralizedTime */
	DER_SEQ = 0x30,
	DER_CONTEXT_0 = 0xa0
};

/* A range that is being read. */
struct der {
	const unsigned char *p, *end;
};

/* These are inline: a list of a million entries calls them some ten times an entry. */

/* The tag that comes next, or -1 at the end. */
static inline int der_peek(const struct der *d)
{
	return d->p < d->end ? d->p[0] : -1;
}

static inline size_t der_len(const struct der *d)
{
	return (size_t)(d->end - d->p);
}

/* Length octets at p: the content's length, *used how many they are; false where they are not in DER's one form
 * (10.1: definite, shortest). */
static inline bool der_length(const unsigned char *p, const unsigned char *end, size_t *len, size_t *used)
{
	size_t n;

	if (p >= end)
		return false;
	*len = p[0];
	*used = 1;
	if (p[0] < 0x80)
		return true;
	n = p[0] & 0x7f;
	if (n == 0 || n > sizeof *len || (size_t)(end - p) <= n || p[1] == 0)
		return false;
	*len = 0;
	for (size_t i = 1; i <= n; i++)
		*len = *len << 8 | p[i];
	*used = n + 1;
	return *len >= 0x80;
}

/* Take the next value if it has this tag (-1: any); *whole is all of it, header included, *inner its content.
 * False, nothing taken, where it is another one, is longer than what is left, or its length is malformed. */
static inline bool der_take(struct der *d, int tag, struct der *whole, struct der *inner)
{
	size_t len, used;

	if (d->p >= d->end || (tag >= 0 && d->p[0] != tag) || !der_length(d->p + 1, d->end, &len, &used) ||
	    (size_t)(d->end - d->p) - 1 - used < len)
		return false;
	*whole = (struct der){ d->p, d->p + 1 + used + len };
	*inner = (struct der){ d->p + 1 + used, whole->end };
	d->p = whole->end;
	return true;
}

/* Take the next value's content if it has this tag. */
static inline bool der_get(struct der *d, int tag, struct der *inner)
{
	struct der whole;

	return der_take(d, tag, &whole, inner);
}

/* Take the next value, whatever it is; *whole is all of it. */
static inline bool der_skip(struct der *d, struct der *whole)
{
	struct der inner;

	return der_take(d, -1, whole, &inner);
}

/* Octets of a header for a content of len octets. */
size_t der_header_len(size_t len);
/* Write a header. Returns the octets written. out needs 10. */
size_t der_header(unsigned char *out, int tag, size_t len);
/* Write tag, length and content at out. Returns the octets written. */
size_t der_put(unsigned char *out, int tag, const void *data, size_t len);
/* Write a canonical serial (see index.h) as an INTEGER. out needs SERIAL_MAX octets. */
size_t der_put_serial(unsigned char *out, const char *serial, size_t len);
/* The content of an INTEGER as a canonical serial; out needs SERIAL_MAX. 0 where it is none or
 * not in its shortest form (8.3.2). */
size_t der_serial(char *out, const struct der *content);

#endif
