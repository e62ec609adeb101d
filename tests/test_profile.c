/* Profiles: those that are installed, and what is refused; the list of keys that get no certificate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "fleet/profile.h"
#include "pki/blocklist.h"

static void test_installed(void **state)
{
	static const struct {
		const char *name, *starttls;
		int port;
		bool combined;
	} want[] = { { "nginx", NULL, 443, false }, { "apache", NULL, 443, false }, { "haproxy", NULL, 443, true },
		{ "postfix", "smtp", 25, false }, { "dovecot", "imap", 143, false } };
	const char *top = getenv("SRCDIR");

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		char *file = mem_printf("%s/data/profiles/%s.ini", top != NULL ? top : ".", want[i].name);
		struct err e = { 0 };
		struct profile *p = profile_load(want[i].name, file, &e);
		if (p == NULL)
			fail_msg("%s", e.text);
		assert_int_equal(p->probe_port, want[i].port);
		assert_int_equal(p->combined, want[i].combined);
		assert_int_equal(strcmp(p->key, p->certificate) == 0, want[i].combined);
		if (want[i].starttls == NULL)
			assert_null(p->starttls);
		else
			assert_string_equal(p->starttls, want[i].starttls);
		profile_free(p);
		free(file);
	}
}

static void refused(const char *text, const char *said)
{
	struct err e = { 0 };

	assert_null(profile_read(text, "x", "x.ini", &e));
	if (strstr(e.text, said) == NULL)
		fail_msg("'%s' does not hold '%s'", e.text, said);
}

static void test_refused(void **state)
{
	(void)state;
	refused("[profile]\nkey = k\n", "x.ini:2: key = k: an absolute path");
	refused("[profile]\nkey = /k\ncolour = red\n", "x.ini:3: unknown key 'colour'");
	refused("[fleet]\n", "x.ini:1: unknown section [fleet]");
	refused("[profile]\nprobe-port = 0\n", "not a port");
	refused("[profile]\nstarttls = nntp\n", "smtp, imap, pop3, ftp or ldap");
	refused("[profile]\nsudo = maybe\n", "yes or no");
	refused("[profile]\nkey = /k\ncertificate = /c\n", "x.ini: a profile needs");
}

static void test_blocklist(void **state)
{
	char path[] = "/tmp/sev1-block-XXXXXX";
	const char *a = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	struct err e = { 0 };
	struct blocklist *b;
	FILE *f = fdopen(mkstemp(path), "w");

	(void)state;
	assert_non_null(f);
	fprintf(f, "# stolen\r\n00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff # one\n\n");
	fclose(f);
	b = blocklist_load(path, &e);
	assert_non_null(b);
	assert_true(blocklist_has(b, a));
	assert_false(blocklist_has(b, "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"));
	assert_false(blocklist_has(NULL, a));
	blocklist_free(b);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n%.63s\n", a, a);
	fclose(f);
	assert_null(blocklist_load(path, &e));
	assert_non_null(strstr(e.text, ":2: not a SHA-256"));
	unlink(path);
	assert_null(blocklist_load(path, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_installed), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_blocklist) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
