/* Scopes: what is selected, reasons, the canonical manifest, manifests read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "pki/scope.h"
#include "pki_seam.h"

static struct opened ca;
static struct index *x;
static struct sorted *rows;
static size_t n;

static int64_t now(void)
{
	return (int64_t)time(NULL) * 1000;
}

/* Four certificates, one of a sub-CA, one expired, one revoked before; the sub-CA's serial is odd in case. */
static int setup(void **state)
{
	struct err e = { 0 };

	if (pki_folder(state) != 0)
		return -1;
	pki_openssl("s", "ec", 4);
	pki_must("cd s && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout sub.key -out sub.csr "
	         "-subj '/CN=Sub CA' -config openssl.cnf && printf 'basicConstraints=critical,CA:TRUE\\n' > sub.ext && "
	         "openssl ca -batch -config openssl.cnf -in sub.csr -extfile sub.ext -out sub.crt");
	pki_must("cd s && openssl ca -config openssl.cnf -revoke newcerts/1001.pem -crl_reason superseded");
	pki_must("printf 'V\\t240101000000Z\\t\\t0abc\\tunknown\\t/CN=old\\n' >> s/index.txt");
	ca = pki_open("s", "s/openssl.cnf");
	x = index_load(ca.ca->database, &e);
	rows = index_sorted(x, &n, &e);
	return rows == NULL;
}

static int drop(void **state)
{
	free(rows);
	index_free(x);
	pki_close(&ca);
	return pki_folder_drop(state);
}

/* Select, and give the manifest without its head, owned by the caller. */
static char *picked(const char *selectors, struct err *e)
{
	json_t *s = json_loads(selectors, 0, NULL);
	struct scope sc;
	struct buf b = { 0 };
	const char *body;
	char *out = NULL;

	assert_non_null(s);
	*e = (struct err){ 0 };
	if (scope_select(ca.ca, ca.cert, x, rows, n, s, NULL, now(), NULL, &sc, e) == 0) {
		scope_manifest(&b, ca.ca, ca.cert, x, &sc);
		body = strstr(buf_str(&b), "issuer-key-id");
		assert_non_null(body);
		out = mem_strdup(strchr(body, '\n') + 1);
		scope_clear(&sc);
	}
	json_decref(s);
	buf_free(&b);
	return out;
}

static void picks(const char *selectors, const char *want)
{
	struct err e;
	char *got = picked(selectors, &e);

	if (got == NULL)
		print_message("%s\n", e.text);
	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
}

static void refuses(const char *selectors, int code, const char *what)
{
	struct err e;
	char *got = picked(selectors, &e);

	assert_null(got);
	assert_int_equal(e.code, code);
	if (strstr(e.text, what) == NULL)
		print_message("%s\n", e.text);
	assert_non_null(strstr(e.text, what));
}

static void test_select(void **state)
{
	(void)state;
	/* the sub-CA's own row is one of a CA: its reason follows */
	picks("{}", "1000 keyCompromise\n1002 keyCompromise\n1003 keyCompromise\n1004 cACompromise\n");
	picks("{\"reason\":\"superseded\"}",
	    "1000 superseded\n1002 superseded\n1003 superseded\n1004 superseded\n");
	picks("{\"serials\":[\"10:03\",\"0x1000\"]}", "1000 keyCompromise\n1003 keyCompromise\n");
	picks("{\"serials\":[\"1001\"]}", ""); /* revoked before: left as it is */
	picks("{\"serials\":[\"0ABC\"]}", ""); /* expired */
	picks("{\"subject\":\"*host000[14]*\"}", "1000 keyCompromise\n1003 keyCompromise\n");
	picks("{\"subject\":\"*HOST0003*\"}", "1002 keyCompromise\n");
	picks("{\"since\":1000000000000,\"subject\":\"*host*\"}",
	    "1000 keyCompromise\n1002 keyCompromise\n1003 keyCompromise\n");
	/* any reason but removeFromCRL */
	picks("{\"reason\":\"certificateHold\",\"serials\":[\"1000\"]}", "1000 certificateHold\n");
	picks("{\"reason\":\"PRIVILEGEWITHDRAWN\",\"serials\":[\"1000\"]}", "1000 privilegeWithdrawn\n");
	picks("{\"reason\":\"aACompromise\",\"serials\":[\"1000\"]}", "1000 aACompromise\n");
	picks("{\"reason\":\"unspecified\",\"serials\":[\"1000\"]}", "1000 unspecified\n");
}

static void test_refuse(void **state)
{
	struct err e;
	char *got, late[60];

	(void)state;
	refuses("{\"subject\":\"nobody\"}", ERR_REFUSED, "\"nobody\" matches no certificate of s");
	snprintf(late, sizeof late, "{\"since\":%lld}", (long long)now() + 86400000);
	refuses(late, ERR_REFUSED, "matches no certificate of s");
	refuses("{\"serials\":[\"9999\"]}", ERR_REFUSED, "serial 9999 is not in");
	refuses("{\"serials\":[\"\\u001b[2J\"]}", ERR_USAGE, "\\x1B[2J");
	refuses("{\"serials\":[7]}", ERR_USAGE, "not a serial");
	refuses("{\"reason\":\"because\"}", ERR_USAGE, "not a reason");
	refuses("{\"reason\":\"removeFromCRL\"}", ERR_USAGE, "off a delta CRL");
	pki_must("mv s/newcerts/1002.pem s/gone.pem");
	refuses("{\"since\":1000}", ERR_NOTFOUND, "1002.pem");
	pki_must("mv s/gone.pem s/newcerts/1002.pem");
	got = picked("{\"since\":1000}", &e);
	assert_non_null(got);
	free(got);
}

static void test_counts(void **state)
{
	struct scope sc;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(scope_select(ca.ca, ca.cert, x, rows, n, NULL, NULL, now(), NULL, &sc, &e), 0);
	assert_int_equal(sc.counts.valid, 4);
	assert_int_equal(sc.counts.expired, 1);
	assert_int_equal(sc.counts.revoked, 1);
	assert_int_equal(sc.counts.unreadable, 0);
	assert_int_equal(sc.picks, 4);
	scope_clear(&sc);
}

static void manifest_fails(const char *text, const char *hash, const char *what)
{
	struct manifest m;
	struct err e = { 0 };

	pki_write("m", text);
	assert_true(manifest_read(&m, "m", hash, ca.ca, ca.cert, &e) < 0);
	if (strstr(e.text, what) == NULL)
		print_message("%s\n", e.text);
	assert_non_null(strstr(e.text, what));
}

static void test_manifest(void **state)
{
	struct scope sc;
	struct manifest m;
	struct buf b = { 0 };
	struct err e = { 0 };
	char hash[DIGEST_HEX], *text, *at;

	(void)state;
	assert_int_equal(scope_select(ca.ca, ca.cert, x, rows, n, NULL, NULL, now(), NULL, &sc, &e), 0);
	scope_manifest(&b, ca.ca, ca.cert, x, &sc);
	digest_of(buf_str(&b), b.len, hash);
	pki_write("m", buf_str(&b));
	assert_int_equal(manifest_read(&m, "m", hash, ca.ca, ca.cert, &e), 0);
	assert_int_equal(m.rows, 4);
	assert_memory_equal(m.row[0].serial, "1000", 4);
	assert_int_equal(m.row[3].reason, REASON_CA_COMPROMISE);
	manifest_clear(&m);
	text = mem_strdup(buf_str(&b));
	at = strstr(text, "\n1003 ") + 1; /* four digits alone may stand in the key identifier too */
	at[3] = '5'; /* out of order now, and another hash */
	manifest_fails(text, hash, "not the manifest that was confirmed");
	manifest_fails(text, "", "line 7 is not");
	at[3] = '3';
	text[strlen(text) - 1] = '\0';
	manifest_fails(text, "", "line 7 is not");
	manifest_fails("", "", "not a manifest of the CA s");
	manifest_fails("sev1-manifest 1\nca other\n", "", "not a manifest of the CA s");
	free(text);
	buf_free(&b);
	scope_clear(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_select), cmocka_unit_test(test_refuse), cmocka_unit_test(test_counts),
		cmocka_unit_test(test_manifest),
	};

	return cmocka_run_group_tests_name("scope", tests, setup, drop);
}
