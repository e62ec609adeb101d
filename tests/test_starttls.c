/* What is said before TLS, in pieces of any size, and what is no answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "child/starttls.h"

/* Play the server's words, piece octets at a time: how it ended, and what was said to it. */
static int play(const char *protocol, const char *server, size_t len, size_t piece, const char *want)
{
	struct starttls t = { .protocol = protocol };
	struct buf in = { 0 }, out = { 0 };
	struct err e = { 0 };
	int rc = starttls_step(&t, &in, &out, &e);

	for (size_t at = 0; at < len && rc > 0; at += piece) {
		buf_add(&in, server + at, len - at < piece ? len - at : piece);
		rc = starttls_step(&t, &in, &out, &e);
	}
	if (want != NULL && strcmp(buf_str(&out), want) != 0)
		fail_msg("said: %s", buf_str(&out));
	if (rc < 0)
		assert_non_null(strstr(e.text, "said: "));
	buf_free(&in);
	buf_free(&out);
	return rc;
}

static void good(const char *protocol, const char *server, size_t len, const char *want)
{
	for (size_t piece = 1; piece <= len; piece++)
		assert_int_equal(play(protocol, server, len, piece, want), 0);
}

static void bad(const char *protocol, const char *server, size_t len)
{
	assert_true(play(protocol, server, len, len, NULL) < 0);
}

#define TEXT(s) s, sizeof s - 1

static void test_good(void **state)
{
	(void)state;
	good("smtp", TEXT("220-mx\r\n220 mx ESMTP\r\n250-mx\r\n250-STARTTLS\r\n250 OK\r\n220 go on\r\n"),
	    "EHLO sev1.invalid\r\nSTARTTLS\r\n");
	good("ftp", TEXT("220-hello\r\n  there\r\n220 ready\r\n234 go on\r\n"), "AUTH TLS\r\n");
	good("imap", TEXT("* OK ready\r\n* CAPABILITY IMAP4\r\na OK begin\r\n"), "a STARTTLS\r\n");
	good("pop3", TEXT("+OK\r\n+OK begin\r\n"), "STLS\r\n");
	good("ldap", TEXT("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"), NULL);
	good("ldap", TEXT("\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"), NULL);
}

static void test_bad(void **state)
{
	char *flood = mem_alloc(40000);

	(void)state;
	bad("smtp", TEXT("554 go away\r\n"));
	bad("smtp", TEXT("220 mx\r\n250 OK\r\n454 no TLS\r\n"));
	bad("imap", TEXT("* BYE\r\n"));
	bad("imap", TEXT("* OK\r\na NO\r\n"));
	bad("pop3", TEXT("+OK\r\n-ERR\r\n"));
	bad("ftp", TEXT("220 ready\r\n500-AUTH\r\n500 not understood\r\n"));
	/* words that were put in before TLS */
	bad("smtp", TEXT("220 mx\r\n250 OK\r\n220 go on\r\n250 injected\r\n"));
	bad("ldap", TEXT("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00")); /* protocolError */
	bad("ldap", TEXT("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00more"));
	bad("ldap", TEXT("\x30\x0c\x02\x01\x01\x78\x89\x0a\x01\x00\x04\x00\x04\x00")); /* a length beyond its end */
	bad("ldap", TEXT("HTTP/1.1 400\r\n"));
	bad("ldap", TEXT("\x30\x8f\x00\x00\x00"));
	memset(flood, 'x', 40000);
	bad("smtp", flood, 40000);
	free(flood);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
