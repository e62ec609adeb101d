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

/* The tag that comes next, or -1 at the end. */
int der_peek(const struct der *d);
/* Take the next value if it has this tag: *inner is its content. False, nothing taken, where it is
 * another one, is longer than what is left, or has a length that DER forbids (10.1: definite,
 * shortest). */
bool der_get(struct der *d, int tag, struct der *inner);
/* Take the next value, whatever it is; *whole is all of it, header included. */
bool der_skip(struct der *d, struct der *whole);
size_t der_len(const struct der *d);

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
