/* Serials of rows: their one form, and their order. */
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "pki/index.h"

static int serial_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

size_t serial_canon(char *out, const char *s, size_t len)
{
	size_t n = 0;
	int d;

	out[0] = '\0';
	if (len > 0 && s[0] == '-') {
		out[n++] = '-';
		s++, len--;
	}
	while (len > 1 && s[0] == '0')
		s++, len--;
	if (len == 0 || len > SERIAL_MAX - 4) {
		out[0] = '\0';
		return 0;
	}
	if (len % 2 != 0)
		out[n++] = '0';
	for (size_t i = 0; i < len; i++) {
		if ((d = serial_digit(s[i])) < 0) {
			out[0] = '\0';
			return 0;
		}
		out[n++] = "0123456789ABCDEF"[d];
	}
	out[n] = '\0';
	return n;
}

size_t row_canon(const struct index *x, const struct row *r, char *out)
{
	size_t len;
	const char *s = row_serial(x, r, &len);

	return serial_canon(out, s, len);
}

/* Octets of the magnitude in the top byte, the first seven of them below: serials that differ early
 * are ordered without looking at their text. */
static uint64_t serial_key(const char *s, size_t len)
{
	uint64_t key = 0;
	size_t digits, i;

	if (len > 0 && s[0] == '-')
		s++, len--;
	while (len > 1 && s[0] == '0')
		s++, len--;
	digits = (len + 1) / 2 * 2;
	for (i = 0; i < 14; i++) {
		size_t at = i - (digits - len); /* wraps for the 0 in front of an odd digit: not < len */

		key = key << 4 | (at < len ? (uint64_t)serial_digit(s[at]) : 0);
	}
	return (uint64_t)(digits / 2) << 56 | key;
}

/* The order of OpenSSL's ASN1_STRING_cmp: length, digits, then positive before negative. */
static int serial_cmp(const char *a, const char *b)
{
	bool na = a[0] == '-', nb = b[0] == '-';
	size_t la = strlen(a += na), lb = strlen(b += nb);
	int d;

	if (la != lb)
		return la < lb ? -1 : 1;
	d = memcmp(a, b, la);
	return d != 0 ? d : (int)na - (int)nb;
}

static int sorted_cmp(const void *pa, const void *pb, void *ctx)
{
	const struct sorted *a = pa, *b = pb;
	const struct index *x = ctx;
	char ta[SERIAL_MAX], tb[SERIAL_MAX];

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	row_canon(x, &x->row[a->row], ta);
	row_canon(x, &x->row[b->row], tb);
	return serial_cmp(ta, tb);
}

int index_sort(const struct index *x, struct sorted *s, size_t n, struct err *e)
{
	size_t len, i;
	const char *text;
	char serial[SERIAL_MAX];

	for (i = 0; i < n; i++) {
		text = row_serial(x, &x->row[s[i].row], &len);
		s[i].key = serial_key(text, len);
	}
	for (i = 1; i < n && sorted_cmp(&s[i - 1], &s[i], (void *)(uintptr_t)x) < 0; i++)
		;
	if (i >= n)
		return 0; /* in order already, as sequential serials are */
	qsort_r(s, n, sizeof *s, sorted_cmp, (void *)(uintptr_t)x);
	for (i = 1; i < n; i++) {
		if (sorted_cmp(&s[i - 1], &s[i], (void *)(uintptr_t)x) != 0)
			continue;
		row_canon(x, &x->row[s[i].row], serial);
		err_set(e, ERR_REFUSED, _("%s: lines %u and %u have the same serial %s"), x->path,
		    s[i - 1].row + 1, s[i].row + 1, serial);
		return err_remedy(e, _("one of the two rows is wrong: correct it or move it out of the file"));
	}
	return 0;
}

struct sorted *index_sorted(const struct index *x, size_t *n, struct err *e)
{
	struct sorted *s = mem_grow(NULL, x->rows, sizeof *s);

	*n = 0;
	for (size_t i = 0; i < x->rows; i++)
		if (x->row[i].kind <= ROW_EXPIRED)
			s[(*n)++] = (struct sorted){ 0, (uint32_t)i };
	if (index_sort(x, s, *n, e) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

const struct row *index_find_at(const struct index *x, const struct sorted *s, size_t n,
    const char *serial, size_t *at)
{
	uint64_t key = serial_key(serial, strlen(serial));
	size_t lo = 0, hi = n, mid;
	char text[SERIAL_MAX];
	int d = -1;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		d = s[mid].key < key ? -1 : s[mid].key > key;
		if (d == 0) {
			row_canon(x, &x->row[s[mid].row], text);
			d = serial_cmp(text, serial);
		}
		if (d == 0) {
			*at = mid;
			return &x->row[s[mid].row];
		}
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*at = lo;
	return NULL;
}

const struct row *index_find(const struct index *x, const struct sorted *s, size_t n,
    const char *serial)
{
	size_t at;

	return index_find_at(x, s, n, serial, &at);
}
