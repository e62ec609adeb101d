#include "pki/der.h"

#include <string.h>

#include "pki/index.h"

size_t der_header_len(size_t len)
{
	size_t n = 2;

	if (len >= 0x80)
		for (; len > 0; len >>= 8)
			n++;
	return n;
}

size_t der_header(unsigned char *out, int tag, size_t len)
{
	size_t n = der_header_len(len);

	out[0] = (unsigned char)tag;
	if (n == 2) {
		out[1] = (unsigned char)len;
		return n;
	}
	out[1] = (unsigned char)(0x80 | (n - 2));
	for (size_t i = n - 1; i >= 2; i--, len >>= 8)
		out[i] = (unsigned char)(len & 0xff);
	return n;
}

size_t der_put(unsigned char *out, int tag, const void *data, size_t len)
{
	size_t n = der_header(out, tag, len);

	memcpy(out + n, data, len);
	return n + len;
}

static unsigned char der_nibble(char c)
{
	return (unsigned char)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* Two's complement of n octets in place (X.690 8.3.3). */
static void der_negate(unsigned char *p, size_t n)
{
	unsigned carry = 1;

	for (size_t i = n; i-- > 0;) {
		carry += (unsigned char)~p[i];
		p[i] = (unsigned char)carry;
		carry >>= 8;
	}
}

size_t der_put_serial(unsigned char *out, const char *serial, size_t len)
{
	unsigned char v[SERIAL_MAX / 2 + 1];
	bool negative = serial[0] == '-';
	size_t n = 1, from = 0;

	v[0] = 0;
	for (size_t i = negative; i + 1 < len; i += 2)
		v[n++] = (unsigned char)(der_nibble(serial[i]) << 4 | der_nibble(serial[i + 1]));
	if (negative)
		der_negate(v, n);
	/* the shortest form: no leading octet that only repeats the sign */
	while (from + 1 < n && ((v[from] == 0 && v[from + 1] < 0x80) ||
	                           (v[from] == 0xff && v[from + 1] >= 0x80)))
		from++;
	return der_put(out, DER_INTEGER, v + from, n - from);
}

size_t der_serial(char *out, const struct der *content)
{
	unsigned char v[SERIAL_MAX / 2];
	size_t n = der_len(content), at = 0, from;
	bool negative;

	out[0] = '\0';
	if (n == 0 || n > SERIAL_MAX / 2 - 3)
		return 0;
	if (n > 1 && ((content->p[0] == 0 && content->p[1] < 0x80) ||
	                 (content->p[0] == 0xff && content->p[1] >= 0x80)))
		return 0;
	memcpy(v, content->p, n);
	negative = v[0] >= 0x80;
	if (negative)
		der_negate(v, n);
	if (negative)
		out[at++] = '-';
	for (from = n > 1 && v[0] == 0; from < n; from++) {
		out[at++] = "0123456789ABCDEF"[v[from] >> 4];
		out[at++] = "0123456789ABCDEF"[v[from] & 15];
	}
	out[at] = '\0';
	return at;
}
