/* Mails taken apart: encodings, charsets, headers, dates, first receipt; and what hostile ones may do, which is nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "comms/mail.h"
#include "comms/mail_decode.h"
#include "comms/mbox.h"
#include "comms/receipt.h"
#include "comms/recognise.h"
#include "mail_scene.h"

static struct mail *mail_of(const char *text)
{
	return mail_read(text, strlen(text));
}

static bool has_fault(const struct mail *m, const char *what)
{
	for (size_t i = 0; i < m->faults; i++)
		if (strcmp(m->fault[i], what) == 0)
			return true;
	return false;
}

/* ---- decoding ---- */

static void test_words(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain", "plain" },
		{ "=?utf-8?Q?Schl=C3=BCssel?=", "Schlüssel" },
		{ "=?iso-8859-1?q?Gr=FC=DFe_aus?= =?iso-8859-1?q?_Bonn?= x", "Grüße aus Bonn x" },
		{ "=?utf-8?B?U2NobMO8?= =?utf-8?B?c3NlbA==?=", "Schlüssel" },
		{ "=?utf-8?B?w?= =?utf-8?B?w7w=?=", "ü" },
		{ "=?nonsense?Q?a=FCb?=", "aüb" },
		{ "=?utf-8?Q?open", "=?utf-8?Q?open" },
		{ "=?utf-8*en?Q?tagged?=", "tagged" },
		{ "raw \xfc", "raw ü" },
		{ "=?=?=?", "=?=?=?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *s = mail_words(cases[i].in, strlen(cases[i].in));
		assert_string_equal(s, cases[i].out);
		free(s);
	}
}

static void test_parameters(void **state)
{
	static const struct {
		const char *value, *name, *out;
	} cases[] = {
		{ "text/plain; charset=utf-8", "charset", "utf-8" },
		{ "text/plain; Charset=\"utf-8\" ; x=y", "charset", "utf-8" },
		{ "attachment; filename*=UTF-8''Schl%C3%BCssel.pem", "filename", "Schlüssel.pem" },
		{ "attachment; filename*0*=iso-8859-1'de'Schl%FC; filename*1*=ssel; filename*2=\".pem\"", "filename", "Schlüssel.pem" },
		{ "attachment; filename=\"=?utf-8?Q?Schl=C3=BCssel.pem?=\"", "filename", "Schlüssel.pem" },
		{ "attachment; filename=\"a;b\\\"c\"", "filename", "a;b\"c" },
		{ "multipart/mixed; boundary", "boundary", "" },
		{ "multipart/mixed", "boundary", NULL },
		{ "multipart/mixed; boundary=\"open", "boundary", "open" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *s = mail_parameter(cases[i].value, cases[i].name);
		if (cases[i].out == NULL)
			assert_null(s);
		else
			assert_string_equal(s, cases[i].out);
		free(s);
	}
}

static void test_dates(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "Sat, 31 Aug 2024 23:19:00 +0530", "2024-08-31T17:49:00Z" },
		{ " 1 Sep 2024 10:30 +0530 (IST)", "2024-09-01T05:00:00Z" },
		{ "Sat, 31 Aug 24 13:49:00 EDT", "2024-08-31T17:49:00Z" },
		{ "31 Aug 2024 17:49:00 GMT", "2024-08-31T17:49:00Z" },
		{ "Sat (day), 31 (x (y)) Aug 2024 17 : 49 : 00 -0000", "2024-08-31T17:49:00Z" },
		{ "31-Aug-2024 17:49:00 Z", "2024-08-31T17:49:00Z" },
		{ "31 Aug 2024 17:49:00", NULL },
		{ "31 Aug 2024 25:49:00 +0000", NULL },
		{ "yesterday", NULL },
		{ "", NULL },
	};
	char iso[24];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (cases[i].out == NULL) {
			assert_int_not_equal(mail_date(cases[i].in, &ms), 0);
			continue;
		}
		assert_int_equal(mail_date(cases[i].in, &ms), 0);
		assert_string_equal(clock_iso(iso, sizeof iso, ms), cases[i].out);
	}
}

static void test_html(void **state)
{
	static const char in[] = "<style>p{}</style><!-- no --><p>Re&shy;voke&nbsp;<b>this</b></p><a href=\"https://crt.sh/?id=1&amp;x\">"
		"click</a><script>evil()</script>&#115;&#x74; a < b <br>z";
	struct buf out = { 0 };

	(void)state;
	mail_html(&out, in, sizeof in - 1);
	assert_non_null(strstr(buf_str(&out), "Revoke this"));
	assert_non_null(strstr(buf_str(&out), "click <https://crt.sh/?id=1&x>"));
	assert_non_null(strstr(buf_str(&out), "st a < b \nz"));
	assert_null(strstr(buf_str(&out), "evil"));
	assert_null(strstr(buf_str(&out), "p{}"));
	buf_free(&out);
}

/* ---- structure ---- */

static void test_nested(void **state)
{
	struct mail *m = mail_of("Subject: =?utf-8?q?a?=\n b\nContent-Type: multipart/mixed;\n boundary=x\n\npreamble\n--x\n"
		"Content-Type: multipart/alternative; boundary=xy\n\n--xy\n\nplain\n--xy\nContent-Type: text/html\n\n<p>html\n--xy--\n"
		"--x\nContent-Type: message/rfc822\n\nReceived: from a by b; 31 Aug 2024 17:49:00 +0000\nSubject: inner\n\nbody\n"
		"--x\nContent-Type: application/octet-stream; name=k.der\nContent-Transfer-Encoding: base64\n\nAAEC\n--x--\nepilogue\n");

	(void)state;
	assert_string_equal(m->subject, "a b");
	assert_int_equal(m->parts, 4);
	assert_string_equal(buf_str(&m->part[0].data), "plain");
	assert_true(m->part[1].html);
	assert_string_equal(buf_str(&m->part[2].data), "body");
	assert_int_equal(m->part[2].forward, 1);
	assert_int_equal(m->part[3].data.len, 3);
	assert_string_equal(m->part[3].name, "k.der");
	assert_int_equal(m->hops, 1);
	assert_int_equal(m->hop[0].forward, 1);
	assert_int_equal(m->faults, 0);
	mail_free(m);
}

static void test_broken(void **state)
{
	struct mail *m = mail_of("Subject: x\nthis is no header\nbody");

	(void)state;
	assert_int_equal(m->parts, 1);
	assert_non_null(strstr(buf_str(&m->part[0].data), "this is no header\nbody"));
	assert_true(has_fault(m, "a line among the headers is none"));
	mail_free(m);
	m = mail_of("Content-Type: multipart/mixed; boundary=x\n\n--x\n\nfirst\n--x\n\nsecond, without an end");
	assert_int_equal(m->parts, 2);
	assert_true(has_fault(m, "a multipart does not end"));
	mail_free(m);
	m = mail_of("Content-Type: multipart/mixed\n\nno boundary, text all the same");
	assert_non_null(strstr(buf_str(&m->part[0].data), "text all the same"));
	mail_free(m);
	m = mail_read("", 0);
	assert_string_equal(m->subject, "");
	mail_free(m);
}

static void assert_text(const char *mail, const char *text)
{
	struct mail *m = mail_of(mail);

	assert_true(m->parts > 0 && m->part[0].text);
	if (strstr(buf_str(&m->part[0].data), text) == NULL)
		fail_msg("'%s' is not in '%s'", text, buf_str(&m->part[0].data));
	mail_free(m);
}

/* What is said about a text, and is not so. */
static void test_misnamed(void **state)
{
	(void)state;
	assert_text("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nplease revoke the old certificate of ours", "revoke the old");
	assert_text("Content-Type: text/html\n\n<meta charset=\"koi8-r\"><p>\xcb\xcc\xc0\xde</p>", "ключ");
	assert_text("Content-Type: text/plain; charset=us-ascii\n\n\x1b$BHkL)80\x1b(B", "秘密鍵");
	assert_text("Content-Type: text/plain; charset=x-sjis\n\n\x94\xe9\x96\xa7\x8c\xae", "秘密鍵");
	assert_text("Content-Type: text/html; charset=us-ascii\n\n&#31169;&#38053; &oslash; &Auml;", "私钥 ø Ä");
	assert_text("Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: 8bit\n\n"
		"\x30\x80\x06\x09" "Content-Type: text/plain\n\nwithin a signature\n", "within a signature");
}

static void test_unread(void **state)
{
	struct buf b = { 0 };
	struct mail *m;
	struct recognised *r;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
	buf_adds(&b, "\nrevoke");
	m = mail_read(buf_str(&b), b.len);
	r = recognise(m, NULL, 0);
	assert_true(m->unread);
	assert_int_equal(recognised_level(r), REPORT_DOUBTFUL);
	recognised_free(r);
	mail_free(m);
	buf_free(&b);
	m = mail_of("Content-Type: text/plain\n\n-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n");
	assert_true(m->encrypted);
	mail_free(m);
}

/* ---- first receipt ---- */

static int64_t received(const char *text, const char *const *ours, size_t n, json_t *hops)
{
	struct mail *m = mail_of(text);
	int64_t at = receipt_of(m, ours, n, INT64_MIN, INT64_C(1788142001000), hops);

	mail_free(m);
	return at;
}

#define FIRST "2024-08-31T17:49:00Z"
static void test_receipt(void **state)
{
	static const char *const ours[] = { "*.ca.example" };
	static const struct {
		const char *mail, *at;
		bool configured;
	} cases[] = {
		{ "Received: by imap.ca.example; 1 Sep 2024 05:00:00 +0000\nReceived: by mx.ca.example; 31 Aug 2024 23:19:00 +0530\n"
		  "Received: by elsewhere.example; 1 Jan 2024 00:00:00 +0000\nDate: 1 Jan 2023 00:00:00 +0000\n\nx", FIRST, true },
		{ "Received: by imap.ca.example; 1 Sep 2024 05:00:00 +0000\nReceived: by mx.ca.example; 31 Aug 2024 23:19:00 +0530\n\nx",
		  FIRST, false },
		/* a forged line with our name, below one that is not ours */
		{ "Received: by mx.ca.example; 31 Aug 2024 17:49:00 +0000\nReceived: by x.example; 31 Aug 2024 17:48:00 +0000\n"
		  "Received: by mx.ca.example; 30 Aug 2024 00:00:00 +0000\n\nx", FIRST, true },
		/* a clock that is ahead, and one of last year */
		{ "Received: by imap.ca.example; 31 Aug 2024 17:49:00 +0000\nReceived: by mx.ca.example; 31 Aug 2024 19:00:00 +0000\n"
		  "Received: by mx0.ca.example; 31 Aug 2023 17:00:00 +0000\n\nx", FIRST, true },
		/* forwarded as an attachment out of another queue */
		{ "Received: by mx.ca.example; 1 Sep 2024 05:00:00 +0000\nContent-Type: message/rfc822\n\n"
		  "Received: by support.ca.example; 31 Aug 2024 17:49:00 +0000\nSubject: x\n\ny", FIRST, true },
		/* nobody wrote a line: the sender's own Date */
		{ "Date: 31 Aug 2024 17:49:00 +0000\n\nx", FIRST, true },
	};
	char iso[24];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		json_t *hops = json_array();
		int64_t at = received(cases[i].mail, ours, cases[i].configured ? 1 : 0, hops);
		assert_string_equal(clock_iso(iso, sizeof iso, at), cases[i].at);
		assert_true(json_array_size(hops) > 0);
		json_decref(hops);
	}
}

static void test_receipt_none(void **state)
{
	json_t *hops = json_array();

	(void)state;
	assert_int_equal(received("Subject: x\n\ny", NULL, 0, hops), INT64_C(1788142001000));
	assert_int_equal(received("Date: 31 Aug 2099 17:49:00 +0000\n\ny", NULL, 0, hops), INT64_C(1788142001000));
	json_decref(hops);
}

/* A forward in the text: its time is shown, and counts for nothing. */
static void test_receipt_text(void **state)
{
	json_t *hops = json_array();
	const char *text = "Received: by mx.ca.example; 31 Aug 2024 17:49:00 +0000\n\nfyi\n\n> Von: Finder\n> Gesendet: Freitag, 30. August 2024 09:11\n"
		"> An: Vertrieb\n\nDate: not behind a sender\n";
	char iso[24];

	(void)state;
	assert_string_equal(clock_iso(iso, sizeof iso, received(text, NULL, 0, hops)), FIRST);
	assert_int_equal(json_array_size(hops), 2);
	assert_string_equal(json_str(json_array_get(hops, 0), "trust"), "text");
	assert_string_equal(json_str(json_array_get(hops, 0), "stamp"), "Freitag, 30. August 2024 09:11");
	json_decref(hops);
}

/* ---- hostile ---- */

/* All that is done with a mail in this process. */
static int digest(const char *data, size_t len)
{
	static const char *const keywords[] = { "golden ticket" };
	struct mail *m = mail_read(data, len);
	struct recognised *r = recognise(m, keywords, 1);
	json_t *hops = json_array();
	char *text = recognise_text(m, 65536);
	int score = r->score;

	receipt_of(m, NULL, 0, INT64_MIN, INT64_C(1788142001000), hops);
	assert_true(m->parts <= MAIL_PARTS_MAX);
	free(text);
	json_decref(hops);
	recognised_free(r);
	mail_free(m);
	return score;
}

/* A copy that ends where its memory ends, so that a sanitizer sees one octet too many. */
static void digest_exactly(const char *data, size_t len)
{
	char *copy = mem_alloc(len > 0 ? len : 1);

	if (len > 0)
		memcpy(copy, data, len);
	digest(copy, len);
	free(copy);
}

static void test_truncated(void **state)
{
	size_t n;
	char **names = mail_scene_names(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct buf text = { 0 };
		mail_scene_read(names[i], &text);
		for (size_t len = 0; len <= text.len; len += text.len > 1500 && len > 400 ? 7 : 1)
			digest_exactly(buf_str(&text), len);
		buf_free(&text);
		free(names[i]);
	}
	free(names);
}

static uint32_t next_random(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	return *s ^= *s << 5;
}

static void test_mutated(void **state)
{
	static const char *const bits[] = { "\0", "\r\n", "\n\n", "--", "=?utf-8?B?", "?=", "Content-Type: multipart/mixed; boundary=x\n",
		"\xff\xfe", ";", "\"", "<", "&#x", "-----BEGIN PRIVATE KEY-----", "serial ", "(((((", "\xe2\x80" };
	uint32_t seed = 20240831;
	size_t n;
	char **names = mail_scene_names(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct buf text = { 0 };
		mail_scene_read(names[i], &text);
		for (int round = 0; round < 40; round++) {
			struct buf b = { 0 };
			buf_add(&b, buf_str(&text), text.len);
			for (int k = 0; k < 1 + round / 4; k++) {
				size_t at = next_random(&seed) % b.len;
				const char *bit = bits[next_random(&seed) % (sizeof bits / sizeof bits[0])];
				size_t len = bit[0] == '\0' ? 1 : strlen(bit);
				if (next_random(&seed) % 2 == 0)
					b.data[at] = (char)next_random(&seed);
				else if (at + len <= b.len)
					memcpy(b.data + at, bit, len);
			}
			digest_exactly(b.data, b.len);
			buf_free(&b);
		}
		buf_free(&text);
		free(names[i]);
	}
	free(names);
}

static void test_deep(void **state)
{
	struct buf b = { 0 };

	(void)state;
	for (int i = 0; i < 5000; i++)
		buf_addf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
	digest_exactly(b.data, b.len);
	buf_clear(&b);
	for (int i = 0; i < 5000; i++)
		buf_adds(&b, "Content-Type: message/rfc822\n\n");
	buf_adds(&b, "Subject: revoke\n\nrevoke");
	digest_exactly(b.data, b.len);
	buf_clear(&b);
	buf_adds(&b, "Content-Type: multipart/mixed; boundary=b\n\n");
	for (int i = 0; i < 100000; i++)
		buf_adds(&b, "--b\n\nx\n");
	digest_exactly(b.data, b.len);
	buf_clear(&b);
	for (int i = 0; i < 100000; i++)
		buf_addf(&b, "X-%d: (((\n", i);
	digest_exactly(b.data, b.len);
	buf_free(&b);
}

/* Megabytes of one thing after another: none may take time that grows faster than it does. */
static void test_large(void **state)
{
	static const char *const things[] = { "x", " ", "\n", "<", "<a href=", "&", "=?a?b?x", "aa ", "M", "MII", "BEGIN ",
		"-----BEGIN CERTIFICATE-----\n", "serial ", "12:", "crt.sh?", "a.", "\0", "\xff", "> ", "revoke the certificate. ", "serial abcd ", "sha256/", "<p ",
		"aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899 ", "--b\n", "[.", "<!--", "<style>" };
	static const char *const heads[] = { "Subject: s\n\n", "Content-Type: text/html\n\n", "Content-Type: multipart/mixed; boundary=b\n\n" };

	(void)state;
	for (size_t h = 0; h < sizeof heads / sizeof heads[0]; h++)
		for (size_t i = 0; i < sizeof things / sizeof things[0]; i++) {
			struct buf b = { 0 };
			size_t len = things[i][0] == '\0' ? 1 : strlen(things[i]);
			buf_adds(&b, heads[h]);
			while (b.len < 300000)
				buf_add(&b, things[i], len);
			digest(b.data, b.len);
			buf_free(&b);
		}
}

static void test_fifty_megabytes(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_adds(&b, "Subject: Please revoke our certificate\n\nserial 1A2B3C4D5E6F7081\n");
	while (b.len < (50u << 20))
		buf_adds(&b, "All work and no play makes Jack a dull boy, on host www.example.com.\n");
	assert_true(digest(b.data, b.len) >= REPORT_HIGH_AT);
	buf_free(&b);
}

/* A header of the whole size, and a mail that an mbox reader must cut. */
static void test_limits(void **state)
{
	char path[] = "/tmp/sev1-mail-XXXXXX";
	int fd = mkstemp(path);
	struct buf b = { 0 };
	struct err e = { 0 };
	struct mbox *box;
	const struct mbox_mail *m;

	(void)state;
	buf_adds(&b, "Subject: ");
	while (b.len < (1u << 20))
		buf_adds(&b, "revoke\n ");
	digest_exactly(b.data, b.len);
	assert_int_equal(write(fd, b.data, b.len), (ssize_t)b.len);
	close(fd);
	box = mbox_open(path, 1000, &e);
	assert_non_null(box);
	m = mbox_next(box, &e);
	assert_non_null(m);
	assert_true(m->cut);
	assert_int_equal(m->data.len, 1000);
	assert_null(mbox_next(box, &e));
	assert_int_equal(e.code, 0);
	mbox_free(box);
	unlink(path);
	buf_free(&b);
}

/* ---- keys are not kept ---- */

static void test_cut(void **state)
{
	size_t n;
	char **names = mail_scene_names(&n), *line = mem_strndup(strchr(mail_scene_key(), '\n') + 1, 60);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct buf text = { 0 };
		struct mail *m;
		struct recognised *r;
		char *kept, *why, *found;

		mail_scene_read(names[i], &text);
		m = mail_read(buf_str(&text), text.len);
		r = recognise(m, NULL, 0);
		kept = recognise_text(m, 65536);
		why = json_dumps(r->why, 0);
		found = json_dumps(r->found, 0);
		assert_null(strstr(kept, line));
		assert_null(strstr(why, line));
		assert_null(strstr(found, line));
		free(kept);
		free(why);
		free(found);
		recognised_free(r);
		mail_free(m);
		buf_free(&text);
		free(names[i]);
	}
	free(names);
	free(line);
}

static int setup(void **state)
{
	(void)state;
	json_begin();
	mail_scene_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mail_scene_close();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_misnamed),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_receipt),
		cmocka_unit_test(test_receipt_text),
		cmocka_unit_test(test_receipt_none),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_fifty_megabytes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
