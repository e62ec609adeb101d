/* Serials of rows: their one form, and their order. */
#include <stdlib.h>
#include <string.h>

#include "base/beside.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "pki/index.h"

#define FEW 32               /* rows that are sorted by comparing them */
#define APART ((size_t)1 << 16) /* rows from which on two threads are worth it */

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

/* Count every octet of the keys; the highest four that are not the same in all go to shift, highest first. How many
 * such there are. */
static int keys_count(const struct sorted *s, size_t n, size_t count[8][256], int shift[4])
{
	int differ = 0;

	memset(count, 0, 8 * sizeof *count);
	for (size_t i = 0; i < n; i++)
		for (int o = 0; o < 8; o++)
			count[o][s[i].key >> (8 * o) & 0xff]++;
	for (int o = 7; o >= 0; o--)
		if (count[o][s[0].key >> (8 * o) & 0xff] != n && differ++ < 4)
			shift[differ - 1] = 8 * o;
	return differ;
}

/* Radix sort by the highest four octets in which keys differ, from the last of them: with serials at random that
 * leaves few alike. Returns the shift that takes what has not been looked at off a key; 0: all has. */
static int sorted_by_octets(struct sorted *s, struct sorted *spare, size_t n)
{
	struct sorted *from = s, *to = spare, *swap;
	size_t count[8][256], at, i;
	int shift[4], differ = keys_count(s, n, count, shift);

	for (int k = differ < 4 ? differ - 1 : 3; k >= 0; k--) {
		size_t *c = count[shift[k] / 8];

		for (i = at = 0; i < 256; i++) {
			size_t these = c[i];

			c[i] = at;
			at += these;
		}
		for (i = 0; i < n; i++)
			to[c[from[i].key >> shift[k] & 0xff]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	if (from != s)
		memcpy(s, from, n * sizeof *s);
	return differ > 4 ? shift[3] : 0;
}

/* Those that are alike so far are few, and are compared; or they are sorted in the same way by what is left. What
 * follows a key's octets, its text decides. */
static void sorted_by_key(const struct index *x, struct sorted *s, struct sorted *spare, size_t n)
{
	int shift = sorted_by_octets(s, spare, n);
	size_t from, to;

	for (from = 0; from < n; from = to) {
		for (to = from + 1; to < n && s[to].key >> shift == s[from].key >> shift; to++)
			;
		if (to - from > FEW && shift > 0)
			sorted_by_key(x, s + from, spare, to - from);
		else if (to - from > 1)
			qsort_r(s + from, to - from, sizeof *s, sorted_cmp, (void *)(uintptr_t)x);
	}
}

struct keys {
	const struct index *x;
	struct sorted *s;
	size_t n;
};

static void keys_make(void *arg)
{
	struct keys *k = arg;
	const char *text;
	size_t len;

	for (size_t i = 0; i < k->n; i++) {
		text = row_serial(k->x, &k->x->row[k->s[i].row], &len);
		k->s[i].key = serial_key(text, len);
	}
}

int index_sort(const struct index *x, struct sorted *s, size_t n, struct err *e)
{
	struct keys a = { x, s, n > APART ? n / 2 : n }, b = { x, s + a.n, n - a.n };
	char serial[SERIAL_MAX];
	struct sorted *spare;
	struct beside beside;
	size_t i;

	beside_start(&beside, b.n > 0, keys_make, &b);
	keys_make(&a);
	beside_end(&beside);
	for (i = 1; i < n && sorted_cmp(&s[i - 1], &s[i], (void *)(uintptr_t)x) < 0; i++)
		;
	if (i >= n)
		return 0; /* in order already, as sequential serials are */
	spare = mem_grow(NULL, n, sizeof *spare);
	sorted_by_key(x, s, spare, n);
	free(spare);
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
