/* Serials of rows: their one form, and their order. */
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "pki/index.h"

const unsigned char serial_digits[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static int serial_digit(char c)
{
	return serial_digits[(unsigned char)c] - 1;
}

/* Octets that stand for themselves in the one form. */
static const bool upper[256] = {
	['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true, ['6'] = true,
	['7'] = true, ['8'] = true, ['9'] = true, ['A'] = true, ['B'] = true, ['C'] = true, ['D'] = true,
	['E'] = true, ['F'] = true,
};

bool serial_is_canon(const char *s, size_t len)
{
	bool digits = true;

	if (len < 2 || len > SERIAL_MAX - 4)
		return false;
	if (s[0] == '-')
		s++, len--;
	for (size_t i = 0; i < len; i++)
		digits &= upper[(unsigned char)s[i]];
	return digits && len % 2 == 0 && (len == 2 || s[0] != '0' || s[1] != '0');
}

size_t serial_canon(char *out, const char *s, size_t len)
{
	size_t n = 0;
	int d;

	if (serial_is_canon(s, len)) { /* as openssl writes it */
		memcpy(out, s, len);
		out[len] = '\0';
		return len;
	}
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

/* Radix sort by key, an octet at a time from the last; an octet that all keys share costs no pass. */
static void sorted_by_key(struct sorted *s, size_t n)
{
	struct sorted *from = s, *to = mem_grow(NULL, n, sizeof *to), *spare = to, *swap;
	size_t count[256], at, i;

	for (int shift = 0; shift < 64; shift += 8) {
		memset(count, 0, sizeof count);
		for (i = 0; i < n; i++)
			count[from[i].key >> shift & 0xff]++;
		if (count[from[0].key >> shift & 0xff] == n)
			continue;
		for (i = at = 0; i < 256; i++) {
			size_t these = count[i];

			count[i] = at;
			at += these;
		}
		for (i = 0; i < n; i++)
			to[count[from[i].key >> shift & 0xff]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	if (from != s)
		memcpy(s, from, n * sizeof *s);
	free(spare);
}

/* Among those of one key, what follows the key's octets decides. */
static void sorted_by_text(const struct index *x, struct sorted *s, size_t n)
{
	size_t from, to;

	for (from = 0; from < n; from = to) {
		for (to = from + 1; to < n && s[to].key == s[from].key; to++)
			;
		if (to - from > 1)
			qsort_r(s + from, to - from, sizeof *s, sorted_cmp, (void *)(uintptr_t)x);
	}
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
	sorted_by_key(s, n);
	sorted_by_text(x, s, n);
	for (i = 1; i < n; i++) {
		if (s[i - 1].key != s[i].key || sorted_cmp(&s[i - 1], &s[i], (void *)(uintptr_t)x) != 0)
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

void index_ahead(const struct index *x, const struct sorted *s, size_t n, size_t i)
{
	if (i + 32 < n)
		__builtin_prefetch(&x->row[s[i + 32].row]);
	if (i + 16 < n) {
		const char *p = x->data + x->row[s[i + 16].row].at;

		__builtin_prefetch(p);
		__builtin_prefetch(p + 64);
	}
}

bool row_is(const struct index *x, const struct row *r, const char *serial, size_t len)
{
	char canon[SERIAL_MAX];
	size_t n;
	const char *s = row_serial(x, r, &n);

	if (n == len && memcmp(s, serial, len) == 0)
		return true; /* written in its one form, as openssl does */
	return row_canon(x, r, canon) == len && memcmp(canon, serial, len) == 0;
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
