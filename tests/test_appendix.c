/* pki/appendix.c over a real `openssl ca`: CSV and crt.sh lines, compared with what OpenSSL says of each file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "pki/appendix.h"
#include "pki/cert.h"
#include "pki_seam.h"

static struct opened ca;
static char *text; /* every serial */

static int setup(void **state)
{
	struct buf b = { 0 };

	if (pki_folder(state) != 0)
		return -1;
	pki_openssl("a", "ec", 4);
	ca = pki_open("a", "a/openssl.cnf");
	pki_must("cut -f4 a/index.txt | sed 's/$/ keyCompromise/' >a/serials");
	buf_adds(&b, "sev1-manifest 1\nca a\nissuer-key-id 00\n");
	text = pki_read("a/serials");
	buf_adds(&b, text);
	free(text);
	text = buf_take(&b);
	return 0;
}

static int teardown(void **state)
{
	free(text);
	pki_close(&ca);
	return pki_folder_drop(state);
}

static char *made(struct appendix *a, const char *serials, struct err *e)
{
	struct buf b = { 0 };

	appendix_head(a, &b);
	if (appendix_add(a, ca.ca, serials, NULL, &b, e) < 0) {
		buf_free(&b);
		return NULL;
	}
	return buf_take(&b);
}

static void has(const char *got, const char *what)
{
	if (strstr(got, what) == NULL)
		print_error("lacks %s in\n%s\n", what, got);
	assert_non_null(strstr(got, what));
}

/* The file of the n-th serial as OpenSSL reads it. */
static X509 *issued_nth(int n, char **serial)
{
	char *line = pki_read("a/serials"), *p = line;
	X509 *x;
	char *path;

	while (n-- > 0)
		p = strchr(p, '\n') + 1;
	*strchr(p, ' ') = '\0';
	*serial = mem_strdup(p);
	path = mem_printf("a/newcerts/%s.pem", p);
	x = cert_read(path, NULL);
	assert_non_null(x);
	free(path);
	free(line);
	return x;
}

static void test_csv(void **state)
{
	struct appendix a = { .at = clock_now() };
	struct err e = { 0 };
	char *got = made(&a, text, &e), hash[DIGEST_HEX], *serial, *want;
	X509 *x;

	(void)state;
	assert_non_null(got);
	assert_int_equal(a.rows, 4);
	assert_int_equal(a.revoked, 0);
	assert_int_equal(a.missing, 0);
	assert_int_equal(strncmp(got, "Precertificate SHA-256 hash,Certificate SHA-256 hash,Subject,Issuer,Not before,Not after,"
	    "Serial # (hex),dNSNames,Is revoked?,Revocation date,Revocation reason\n", 158), 0);
	for (int i = 0; i < 4; i++) {
		x = issued_nth(i, &serial);
		cert_fingerprint(x, hash);
		has(got, hash);
		want = mem_printf("\"%s\",\"", serial);
		has(got, want);
		free(want);
		free(serial);
		X509_free(x);
	}
	has(got, "\"Planned\",\"\",\"\"\n");
	free(got);
	a = (struct appendix){ .at = clock_now(), .late = true };
	got = made(&a, text, &e);
	has(got, "\"Delayed\",\"\",\"\"\n");
	assert_null(strstr(got, "Planned"));
	free(got);
	a = (struct appendix){ .at = clock_now() + 4000LL * 86400 * 1000 };
	got = made(&a, text, &e);
	has(got, "\"N/A\",\"\",\"\"\n"); /* expired: nothing to revoke */
	assert_null(strstr(got, "Planned"));
	free(got);
}

static void test_links(void **state)
{
	struct appendix a = { .at = clock_now(), .links = true };
	struct err e = { 0 };
	char *got = made(&a, text, &e), hash[DIGEST_HEX], *serial, *want;
	X509 *x = issued_nth(2, &serial);

	(void)state;
	cert_fingerprint(x, hash);
	want = mem_printf("https://crt.sh/?sha256=%s\n", hash);
	has(got, want);
	assert_int_equal(strlen(got), 4 * strlen(want));
	free(want);
	free(serial);
	free(got);
	X509_free(x);
}

static void test_revoked(void **state)
{
	struct appendix a = { .at = clock_now() };
	struct err e = { 0 };
	char *serial, *got;
	X509 *x = issued_nth(1, &serial);

	(void)state;
	pki_must("openssl ca -config a/openssl.cnf -revoke a/newcerts/%s.pem -crl_reason superseded", serial);
	pki_must("mv a/newcerts/%s.pem a/lost.pem", serial);
	got = made(&a, text, &e);
	assert_non_null(got);
	assert_int_equal(a.revoked, 1);
	assert_int_equal(a.missing, 1);
	has(got, "\"superseded\"\n\"N/A\"");
	has(got, "\n\"\",\"\",\"/CN=host0002.example.com\""); /* no file, no hashes; the rest from index.txt */
	free(got);
	a = (struct appendix){ .at = clock_now(), .links = true };
	got = made(&a, text, &e);
	assert_int_equal(a.rows, 4);
	assert_int_equal(a.missing, 1);
	free(got);
	pki_must("mv a/lost.pem a/newcerts/%s.pem", serial);
	free(serial);
	X509_free(x);
}

/* A serial that the CA never gave; a file of another certificate. */
static void test_refused(void **state)
{
	struct appendix a = { .at = clock_now() };
	struct err e = { 0 };
	char *one, *two;
	X509 *x = issued_nth(0, &one), *y = issued_nth(3, &two);

	(void)state;
	assert_null(made(&a, "0BADC0DE keyCompromise\n", &e));
	assert_int_equal(e.code, ERR_NOTFOUND);
	has(e.text, "has no row for serial 0BADC0DE");
	assert_true(e.remedy[0] != '\0');
	pki_must("cp a/newcerts/%s.pem a/kept.pem; cp a/newcerts/%s.pem a/newcerts/%s.pem", one, two, one);
	assert_null(made(&a, text, &e));
	assert_int_equal(e.code, ERR_REFUSED);
	pki_must("mv a/kept.pem a/newcerts/%s.pem", one);
	free(one);
	free(two);
	X509_free(x);
	X509_free(y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
