/* index.txt: every form of a row that openssl ca writes or people make of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "pki/index.h"
#include "pki/revinfo.h"
#include "pki_seam.h"

#define NOW 1790000000000LL /* 2026-09-21 */

static struct index *load(const char *text)
{
	struct err e = { 0 };
	struct index *x;

	pki_write("index.txt", text);
	if ((x = index_load("index.txt", &e)) == NULL)
		print_message("%s\n", e.text);
	assert_non_null(x);
	return x;
}

static void counts_are(const char *text, int valid, int expired, int revoked, int bad)
{
	struct index *x = load(text);
	struct index_counts c;

	index_count(x, NOW, &c);
	assert_int_equal(c.valid, valid);
	assert_int_equal(c.expired, expired);
	assert_int_equal(c.revoked, revoked);
	assert_int_equal(c.unreadable, bad);
	index_free(x);
}

static void test_forms(void **state)
{
	(void)state;
	counts_are("", 0, 0, 0, 0);
	counts_are("V\t291231235959Z\t\t01\tunknown\t/CN=a\n", 1, 0, 0, 0);
	counts_are("V\t20291231235959Z\t\t01\tunknown\t/CN=a\n", 1, 0, 0, 0);
	counts_are("V\t20991231235959Z\t\t01\tunknown\t/CN=a\n", 1, 0, 0, 0);
	counts_are("V\t240101000000Z\t\t01\tunknown\t/CN=a\n", 0, 1, 0, 0);
	counts_are("E\t240101000000Z\t\t01\tunknown\t/CN=a\n", 0, 1, 0, 0);
	counts_are("V\t500101000000Z\t\t01\tunknown\t/CN=1950\n", 0, 1, 0, 0);
	counts_are("V\t491231235959Z\t\t01\tunknown\t/CN=2049\n", 1, 0, 0, 0);
	counts_are("V\t291231235959Z\t\t01\tfile.pem\t\n", 1, 0, 0, 0);
	counts_are("V\t291231235959Z\t\t01\t\t/CN=no file\n", 1, 0, 0, 0);
	counts_are("V\t291231235959Z\t\t01\tunknown\t/CN=no newline", 1, 0, 0, 0);
	counts_are("V\t291231235959Z\t\t01\tunknown\t/CN=crlf\r\n", 1, 0, 0, 0);
	counts_are("# a comment\nV\t291231235959Z\t\t01\tunknown\t/CN=a\n", 1, 0, 0, 0);
	counts_are("R\t291231235959Z\t260101000000Z\t01\tunknown\t/CN=a\n", 0, 0, 1, 0);
	counts_are("R\t291231235959Z\t20260101000000Z,superseded\t01\tunknown\t/CN=a\n", 0, 0, 1, 0);
	counts_are("R\t291231235959Z\t260101000000Z,KEYCOMPROMISE\t01\tunknown\t/CN=a\n", 0, 0, 1, 0);
	counts_are("R\t291231235959Z\t260101000000Z,keyTime,20251201000000Z\t01\tunknown\t/CN=a\n", 0, 0, 1, 0);
	counts_are("R\t291231235959Z\t260101000000Z,CAkeyTime,20251201000000Z\t01\tu\t/CN=a\n", 0, 0, 1, 0);
	counts_are("R\t291231235959Z\t260101000000Z,holdInstruction,holdInstructionReject\t01\tu\t/CN=a\n", 0, 0, 1,
	    0);
	counts_are("V\t291231235959Z\t\t01\tunknown\t/CN=a\\\tb\n", 1, 0, 0, 0);
}

static void bad_is(const char *row, const char *why)
{
	char *text = mem_printf("V\t291231235959Z\t\t77\tunknown\t/CN=good\n%s\n", row);
	struct index *x = load(text);
	struct err e = { 0 };

	assert_int_equal(x->bads, 1);
	assert_int_equal(x->bad[0].line, 2);
	assert_non_null(strstr(x->bad[0].why, why));
	assert_int_equal(index_refuse_bad(x, &e), ERR_REFUSED);
	assert_non_null(strstr(e.text, "index.txt: line 2 "));
	index_free(x);
	free(text);
}

static void test_bad(void **state)
{
	struct index *x = load("V\t291231235959Z\t\t01\tunknown\t/CN=a\n\nV\t291231235959Z\t\t02\tunknown\t/CN=b\n");
	struct err e = { 0 };

	(void)state;
	assert_int_equal(index_refuse_bad(x, &e), ERR_REFUSED);
	index_free(x);
	pki_must("printf ' \\t\\r\\n\\n' >> index.txt; %s", strstr(e.remedy, "sed ")); /* all of them at one go */
	x = index_load("index.txt", &e);
	assert_int_equal(index_refuse_bad(x, &e), 0);
	index_free(x);
	bad_is("", "empty");
	bad_is(" \t", "empty");
	bad_is("\r", "empty");
	bad_is("V 291231235959Z 01 unknown /CN=spaces", "no tabs");
	bad_is("V\t291231235959Z\t01\tunknown\t/CN=five", "fewer than six");
	bad_is("V\t291231235959Z\t\t01\tunknown\t/CN=a\tb", "more than six");
	bad_is("X\t291231235959Z\t\t01\tunknown\t/CN=a", "status");
	bad_is("VV\t291231235959Z\t\t01\tunknown\t/CN=a", "status");
	bad_is("\t291231235959Z\t\t01\tunknown\t/CN=a", "status");
	bad_is("v\t291231235959Z\t\t01\tunknown\t/CN=a", "status");
	bad_is("V\t291331235959Z\t\t01\tunknown\t/CN=a", "expiry");
	bad_is("V\t290230235959Z\t\t01\tunknown\t/CN=a", "expiry");
	bad_is("V\t291231235959\t\t01\tunknown\t/CN=a", "expiry");
	bad_is("V\t291231 35959Z\t\t01\tunknown\t/CN=a", "expiry");
	bad_is("V\t\t\t01\tunknown\t/CN=a", "expiry");
	bad_is("V\t291231235959Z\t260101000000Z\t01\tunknown\t/CN=a", "not revoked");
	bad_is("R\t291231235959Z\t\t01\tunknown\t/CN=a", "revocation date");
	bad_is("R\t291231235959Z\tyesterday\t01\tunknown\t/CN=a", "revocation date");
	bad_is("R\t291231235959Z\t260101000000Z,\t01\tunknown\t/CN=a", "reason");
	bad_is("R\t291231235959Z\t260101000000Z,because\t01\tunknown\t/CN=a", "reason");
	bad_is("R\t291231235959Z\t260101000000Z,keyTime\t01\tunknown\t/CN=a", "compromise");
	bad_is("R\t291231235959Z\t260101000000Z,keyTime,soon\t01\tunknown\t/CN=a", "compromise");
	bad_is("R\t291231235959Z\t260101000000Z,holdInstruction\t01\tunknown\t/CN=a", "hold");
	bad_is("V\t291231235959Z\t\t\tunknown\t/CN=a", "no serial");
	bad_is("V\t291231235959Z\t\t123\tunknown\t/CN=a", "odd number");
	bad_is("V\t291231235959Z\t\t1\tunknown\t/CN=a", "odd number");
	bad_is("V\t291231235959Z\t\t-\tunknown\t/CN=a", "no serial");
	bad_is("V\t291231235959Z\t\t10:03\tunknown\t/CN=a", "hexadecimal");
	bad_is("V\t291231235959Z\t\t1003 \tunknown\t/CN=a", "hexadecimal");
	bad_is("V\t291231235959Z\t\t0G\tunknown\t/CN=a", "hexadecimal");
	bad_is("V\t291231235959Z\t\t0x01\tunknown\t/CN=a", "hexadecimal");
}

/* openssl ca itself accepts what is accepted here and refuses what is refused. */
static void test_openssl_agrees(void **state)
{
	static const struct { const char *row; int good; } row[] = {
		{ "V\t291231235959Z\t\t0abc\tunknown\t/CN=lower case", 1 },
		{ "V\t20991231235959Z\t\t0001\tunknown\t/CN=four digits", 1 },
		{ "R\t291231235959Z\t260101000000Z,keyTime,20251201000000Z\t02\tunknown\t/CN=a", 1 },
		{ "V\t291231235959Z\t\t03\tunknown\t/CN=cr\r", 1 },
		{ "# comment", 1 },
		{ "V\t291231235959Z\t\t-04\tunknown\t/CN=negative", 1 },
		{ "", 0 },
		{ "V\t291231235959Z\t\t123\tunknown\t/CN=odd", 0 },
		{ "V\t291231235959Z\t260101000000Z\t05\tunknown\t/CN=a", 0 },
		{ "R\t291231235959Z\t260101000000Z,because\t06\tunknown\t/CN=a", 0 },
		{ "V\t291331235959Z\t\t07\tunknown\t/CN=a", 0 },
	};

	(void)state;
	pki_openssl("agree", "ec", 0);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		char *text = mem_printf("%s\n", row[i].row);
		struct index *x;
		int status;

		pki_write("agree/index.txt", text);
		status = pki_sh("openssl ca -gencrl -config agree/openssl.cnf -out agree/x.crl");
		if ((status == 0) != row[i].good)
			print_message("openssl says %d of: %s", status, text);
		assert_int_equal(status == 0, row[i].good);
		x = load(text);
		assert_int_equal(x->bads == 0, row[i].good);
		index_free(x);
		free(text);
	}
}

static void test_raw(void **state)
{
	static const char text[] = "V\t291231235959Z\t\t0aBc\tunknown\t/CN=x\x1b[2J\xff\r\nV\t291231235959Z\t\t02\tf\t/CN=y";
	struct index *x = load(text);
	char serial[SERIAL_MAX];
	size_t len;
	const char *name;

	(void)state;
	assert_int_equal(x->len, strlen(text));
	assert_memory_equal(x->data, text, x->len);
	assert_true(x->open_end);
	assert_int_equal(x->rows, 2);
	assert_int_equal(row_canon(x, &x->row[0], serial), 4);
	assert_string_equal(serial, "0ABC");
	name = row_name(x, &x->row[0], &len);
	assert_int_equal(len, strlen("/CN=x\x1b[2J\xff"));
	assert_memory_equal(name, "/CN=x\x1b[2J\xff", len);
	index_free(x);
}

static void canon_is(const char *in, const char *out)
{
	char text[SERIAL_MAX] = "";
	size_t n = serial_canon(text, in, strlen(in));

	assert_int_equal(n, strlen(out));
	assert_string_equal(text, out);
}

static void test_serials(void **state)
{
	(void)state;
	canon_is("a", "0A");
	canon_is("000a", "0A");
	canon_is("00", "00");
	canon_is("0", "00");
	canon_is("FFff", "FFFF");
	canon_is("-01", "-01");
	canon_is("7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF");
	canon_is("", "");
	canon_is("xy", "");
	canon_is("1 2", "");
}

static void test_order(void **state)
{
	struct index *x = load("V\t291231235959Z\t\tFF\tu\t/CN=1\n"
	                       "V\t291231235959Z\t\t0100\tu\t/CN=2\n"
	                       "V\t291231235959Z\t\t0001\tu\t/CN=3\n"
	                       "V\t291231235959Z\t\tAABBCCDDEEFF00112233\tu\t/CN=4\n"
	                       "V\t291231235959Z\t\taabbccddeeff00112232\tu\t/CN=5\n");
	static const unsigned want[] = { 2, 0, 1, 4, 3 };
	struct sorted *s;
	struct err e = { 0 };
	size_t n;

	(void)state;
	s = index_sorted(x, &n, &e);
	assert_non_null(s);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(s[i].row, want[i]);
	assert_ptr_equal(index_find(x, s, n, "AABBCCDDEEFF00112232"), &x->row[4]);
	assert_ptr_equal(index_find(x, s, n, "01"), &x->row[2]);
	assert_null(index_find(x, s, n, "02"));
	free(s);
	index_free(x);
	x = load("V\t291231235959Z\t\t0A\tu\t/CN=1\nV\t291231235959Z\t\t0B\tu\t/CN=2\n"
	         "R\t291231235959Z\t260101000000Z\t000a\tu\t/CN=3\n");
	assert_null(index_sorted(x, &n, &e));
	assert_int_equal(e.code, ERR_REFUSED);
	assert_non_null(strstr(e.text, "lines 1 and 3"));
	index_free(x);
}

/* Row i is line i + 1, whoever parsed it. */
static void rows_are_lines(const struct index *x)
{
	const char *p = x->data, *end = x->data + x->len, *nl;
	size_t i;

	for (i = 0; p < end; i++, p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		assert_true(i < x->rows && x->row[i].at == (uint64_t)(p - x->data) && x->row[i].len == nl - p);
	}
	assert_int_equal(i, x->rows);
}

static void in_order(const struct index *x, const struct sorted *s, size_t n)
{
	char a[SERIAL_MAX], z[SERIAL_MAX];

	assert_non_null(s);
	for (size_t i = 1; i < n; i++) {
		size_t la = row_canon(x, &x->row[s[i - 1].row], a), lz = row_canon(x, &x->row[s[i].row], z);
		assert_true(la < lz || (la == lz && memcmp(a, z, la) < 0));
	}
}

/* Serials that are alike in their first octets, in a few of them, in all that a sorted row keeps of them: n rows of such
 * a form, in no order. */
static void test_alike(void **state)
{
	static const struct {
		const char *form;
		unsigned mask;
	} shapes[] = {
		{ "V\t291231235959Z\t\t%08X%08X\tu\t/\n", 0xffffffff }, { "V\t291231235959Z\t\t1122334455667788%08X%08X\tu\t/\n", 0xff },
		{ "V\t291231235959Z\t\t%08X00%08X\tu\t/\n", 0x01010101 }, { "V\t291231235959Z\t\t%08X0102030405%08X\tu\t/\n", 0x3 },
		{ "V\t291231235959Z\t\t%08x112233445566778899%08x\tu\t/\n", 0 },
	};
	enum { ROWS = 140000 };

	(void)state;
	for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
		struct buf b = { 0 };
		struct err e = { 0 };
		struct sorted *s;
		struct index *x;
		size_t n;

		for (unsigned i = 0; i < ROWS; i++)
			buf_addf(&b, shapes[k].form, (i * 2246822519u) & shapes[k].mask, i * 2654435761u);
		x = load(buf_str(&b));
		s = index_sorted(x, &n, &e);
		assert_int_equal(n, ROWS);
		in_order(x, s, n);
		free(s);
		index_free(x);
		buf_addf(&b, shapes[k].form, (777 * 2246822519u) & shapes[k].mask, 777 * 2654435761u);
		x = load(buf_str(&b));
		assert_null(index_sorted(x, &n, &e));
		assert_non_null(strstr(e.text, "lines 778 and 140001"));
		index_free(x);
		buf_free(&b);
	}
}

/* Many rows in no order, of every form, on both sides of the middle: counted alike, kept or not. */
static void test_tally(void **state)
{
	static const char *const forms[] = { "V\t291231235959Z\t\t%08X\tunknown\t/CN=%d\n",
		"V\t20210101000000Z\t\t%08X\tunknown\t/CN=%d\n", "R\t291231235959Z\t260101000000Z,superseded\t%08x\tu\t/CN=%d\n",
		"E\t200101000000Z\t\t00%08X\tu\t/CN=%d\n", "# %08X %d\n", "V 291231235959Z %08X %d\n", "\n" };
	static const int sizes[] = { 0, 1, 10, 1000, 150000 }; /* the last is counted by two threads */
	struct index_bad *bad = calloc(INDEX_BAD_KEPT, sizeof *bad);
	struct index_counts kept, tallied;
	struct err e = { 0 };

	(void)state;
	for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
		int rows = sizes[k];
		struct buf b = { 0 };
		struct index *x;
		size_t n;

		for (int i = 0; i < rows; i++)
			/* the bad ones are rare at first, so that some lie in each half */
			buf_addf(&b, forms[i % 97 < 5 ? i % 97 : i % 4001 == 7 ? 5 + i % 2 : i % 2], (unsigned)i * 2654435761u, i);
		if (rows % 2 == 0)
			buf_adds(&b, "V\t291231235959Z\t\tFF\tunknown\t/CN=no newline at the end");
		x = load(buf_str(&b));
		index_count(x, 1790000000000LL, &kept);
		assert_int_equal(index_tally(x->path, 1790000000000LL, &tallied, bad, &e), 0);
		assert_memory_equal(&kept, &tallied, sizeof kept);
		for (size_t i = 0; i < x->bads && i < INDEX_BAD_KEPT; i++) {
			assert_int_equal(bad[i].line, x->bad[i].line);
			assert_string_equal(bad[i].why, x->bad[i].why);
		}
		rows_are_lines(x);
		if (rows > 100) {
			struct sorted *s = index_sorted(x, &n, &e);

			in_order(x, s, n);
			free(s);
		}
		index_free(x);
		buf_free(&b);
	}
	free(bad);
	assert_int_not_equal(index_tally("/nonexistent", 0, &tallied, NULL, &e), 0);
	assert_int_not_equal(index_tally("/", 0, &tallied, NULL, &e), 0);
}

static void test_dates(void **state)
{
	int64_t t;
	char text[16];

	(void)state;
	/* against the C library, day by day over leap years and centuries */
	for (time_t at = -631152000; at < 4102444800; at += 86400 * 13 + 3607) {
		struct tm tm;
		char want[16];

		gmtime_r(&at, &tm);
		strftime(want, sizeof want, "%Y%m%d%H%M%SZ", &tm);
		assert_true(time_field(want, 15, &t));
		assert_int_equal(t, at);
		assert_string_equal(time_write_long(text, t), want);
		time_write(text, t);
		assert_int_equal(strlen(text), tm.tm_year + 1900 < 2050 && tm.tm_year + 1900 >= 1950 ? 13 : 15);
		assert_true(time_field(text, strlen(text), &t));
		assert_int_equal(t, at);
	}
	assert_true(time_field("2601010000Z", 11, &t)); /* ASN1_UTCTIME without seconds */
	assert_false(time_field("260229000000Z", 13, &t));
	assert_false(time_field("260101240000Z", 13, &t));
	assert_false(time_field("260101000060Z", 13, &t));
	assert_false(time_field("260101000000+", 13, &t));
}

static void test_missing(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(index_load("no/such/index.txt", &e));
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "no/such/index.txt"));
	assert_null(index_load("/", &e));
}

static void test_changed(void **state)
{
	struct index *x = load("V\t291231235959Z\t\t01\tu\t/CN=1\n");

	(void)state;
	assert_false(index_changed(x));
	pki_write("index.txt", "V\t291231235959Z\t\t02\tu\t/CN=1\n");
	assert_true(index_changed(x));
	index_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms), cmocka_unit_test(test_bad), cmocka_unit_test(test_openssl_agrees),
		cmocka_unit_test(test_raw), cmocka_unit_test(test_serials), cmocka_unit_test(test_order),
		cmocka_unit_test(test_tally), cmocka_unit_test(test_alike),
		cmocka_unit_test(test_dates), cmocka_unit_test(test_missing), cmocka_unit_test(test_changed),
	};

	return cmocka_run_group_tests_name("index", tests, pki_folder, pki_folder_drop);
}
