#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "base/buf.h"
#include "comms/message.h"

static struct err e;

static char *build(const char *from, const char *to, const char *subject, const char *body)
{
	const char *const list[] = { to, "ciso@example.com" };
	struct message m = { .from = from, .to = list, .tos = 2, .subject = subject, .body = body,
		.key = "INC-2026-0042 internal 9f3c", .at = INT64_C(1788142001000) };

	memset(&e, 0, sizeof e);
	return message_build(&m, &e);
}

/* The value of a header, unfolded; NULL where there is none or more than one. */
static char *header(const char *msg, const char *name)
{
	const char *end = strstr(msg, "\r\n\r\n"), *p = msg, *found = NULL;
	struct buf b = { 0 };

	for (; p < end; p = strstr(p, "\r\n") + 2) {
		if (strncasecmp(p, name, strlen(name)) != 0 || p[strlen(name)] != ':')
			continue;
		if (found != NULL)
			return NULL;
		found = p + strlen(name) + 2;
	}
	if (found == NULL)
		return NULL;
	for (p = found; !(p[0] == '\r' && p[2] != ' '); p++)
		if (*p != '\r' && *p != '\n')
			buf_addc(&b, *p);
	return buf_take(&b);
}

static void check_header(const char *msg, const char *name, const char *want)
{
	char *value = header(msg, name);

	assert_non_null(value);
	assert_string_equal(value, want);
	free(value);
}

/* Every line ends with CRLF, no line is longer than RFC 5322 allows, nothing is beyond ASCII. */
static void check_form(const char *msg)
{
	size_t column = 0;

	for (const char *p = msg; *p != '\0'; p++) {
		assert_true((unsigned char)*p < 0x80);
		assert_true(*p != '\n' || (p > msg && p[-1] == '\r'));
		assert_true(*p != '\r' || p[1] == '\n');
		column = *p == '\n' ? 0 : column + 1;
		assert_true(column <= 998);
	}
	assert_string_equal(msg + strlen(msg) - 2, "\r\n");
}

static void test_plain(void **state)
{
	char *msg = build("PKI Team <pki@example.com>", "ops@example.com", "PKI compromise", "One.\nTwo");
	char *again;

	(void)state;
	assert_non_null(msg);
	check_form(msg);
	check_header(msg, "From", "\"PKI Team\" <pki@example.com>");
	check_header(msg, "To", "<ops@example.com>, <ciso@example.com>");
	check_header(msg, "Subject", "PKI compromise");
	check_header(msg, "Date", "Mon, 31 Aug 2026 02:06:41 +0000");
	check_header(msg, "Content-Transfer-Encoding", "7bit");
	assert_string_equal(strstr(msg, "\r\n\r\n"), "\r\n\r\nOne.\r\nTwo\r\n");
	again = build("PKI Team <pki@example.com>", "ops@example.com", "PKI compromise", "One.\nTwo");
	assert_string_equal(msg, again); /* a retry is the same message to a mailbox */
	assert_non_null(strstr(msg, ".sev1@example.com>\r\n"));
	free(again);
	free(msg);
}

static void test_injection(void **state)
{
	char *msg;

	(void)state;
	msg = build("pki@example.com", "ops@example.com", "x\r\nBcc: thief@example.net\r\n\r\nbody", "b\n");
	check_form(msg);
	assert_null(header(msg, "Bcc"));
	check_header(msg, "Subject", "x  Bcc: thief@example.net    body");
	free(msg);
	msg = build("E\r\nBcc: t@example.net\r\nX: <pki@example.com>", "ops@example.com", "s", "b\n");
	check_form(msg);
	assert_null(header(msg, "Bcc"));
	free(msg);
	msg = build("pki@example.com", "ops@example.com", "=?UTF-8?B?QmNj?=", "b\n");
	check_header(msg, "Subject", "=?UTF-8?B?PT9VVEYtOD9CP1FtTmo/PQ==?=");
	free(msg);
}

static void test_addresses(void **state)
{
	static const char *const bad[] = { "", "ops", "ops@", "@example.com", "a b@example.com",
		"ops@example.com\r\nBcc: t@example.net", "ops@exa mple.com", "Ops <ops@example.com",
		"Ops <ops@example.com> x", "a@b@example.com,c@example.com", "-oQ/tmp@example.com",
		"ops@-example.com", "<>", "\"a\"@example.com" };
	char *spec;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_null(build("pki@example.com", bad[i], "s", "b\n"));
		assert_int_equal(e.code, ERR_USAGE);
		assert_null(strchr(e.text, '\n'));
		assert_null(message_address(bad[i], &e));
	}
	assert_null(build("nobody", "ops@example.com", "s", "b\n"));
	spec = message_address("Ada Lovelace <ada.l+pki@mail.example.com>", &e);
	assert_string_equal(spec, "ada.l+pki@mail.example.com");
	free(spec);
}

static void test_non_ascii(void **state)
{
	char *msg = build("Bürgerbüro <pki@example.com>", "\"Größe \\\" x\" <ops@example.com>",
	    "Sicherheitshinweis: Zertifizierungsstelle für Geräte und Behörden geschädigt",
	    "Grüße, 100 % = sicher \nfrom \xe2\x82\xac\n.\n");

	(void)state;
	assert_non_null(msg);
	check_form(msg);
	check_header(msg, "From", "=?UTF-8?B?QsO8cmdlcmLDvHJv?= <pki@example.com>");
	check_header(msg, "Content-Transfer-Encoding", "quoted-printable");
	/* words of at most 75 octets, split between characters */
	check_header(msg, "Subject",
	    "=?UTF-8?B?U2ljaGVyaGVpdHNoaW53ZWlzOiBaZXJ0aWZpemllcnVuZ3NzdGVsbGUgZsO8?= "
	    "=?UTF-8?B?ciBHZXLDpHRlIHVuZCBCZWjDtnJkZW4gZ2VzY2jDpGRpZ3Q=?=");
	assert_string_equal(strstr(msg, "\r\n\r\n"),
	    "\r\n\r\nGr=C3=BC=C3=9Fe, 100 % =3D sicher=20\r\nfrom =E2=82=AC\r\n.\r\n");
	free(msg);
}

static void test_long_lines(void **state)
{
	struct buf body = { 0 };
	size_t column = 0;
	char *msg, *p;

	(void)state;
	for (int i = 0; i < 3000; i++)
		buf_adds(&body, i % 7 ? "x" : "\xc3\xa4");
	msg = build("pki@example.com", "ops@example.com", "s", buf_str(&body));
	check_form(msg);
	for (p = strstr(msg, "\r\n\r\n") + 4; *p != '\0'; p++) {
		column = *p == '\n' ? 0 : column + 1;
		assert_true(column <= 77); /* 76 and the CR */
		if (*p == '=' && p[1] != '\r')
			assert_true(strncmp(p, "=C3", 3) == 0 || strncmp(p, "=A4", 3) == 0);
	}
	free(msg);
	buf_free(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_non_ascii),
		cmocka_unit_test(test_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
