/* ACME Renewal Information: names, bodies, the folder of files, and the successors of certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/curve.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "child/serve.h"
#include "pki/ari.h"
#include "pki/successor.h"
#include "pki_seam.h"
#include "serve_seam.h"

/* ---- names and bodies ---- */

static void names(const unsigned char *key, size_t len, const char *serial, const char *want)
{
	char *id = ari_id(key, len, serial, strlen(serial));

	assert_string_equal(id, want);
	free(id);
}

/* The certificate of RFC 9773, appendix A; then serials of every length, with a sign bit and without. */
static void test_id(void **state)
{
	static const unsigned char key[] = { 0x69, 0x88, 0x5b, 0x6b, 0x87, 0x46, 0x40, 0x41, 0xe1, 0xb3, 0x7b, 0x84, 0x7b,
		0xa0, 0xae, 0x2c, 0xde, 0x01, 0xc8, 0xd4 };

	(void)state;
	names(key, sizeof key, "87654321", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
	names(key, 3, "00", "aYhb.AA");
	names(key, 2, "7F", "aYg.fw");
	names(key, 1, "80", "aQ.AIA");
	names((const unsigned char *)"\xff\xff\xfe", 3, "FBFF", "___-.APv_");
	names(key, 3, "0102030405", "aYhb.AQIDBAU");
}

static void test_body(void **state)
{
	char *b = ari_body(1788143201000, 1788229601000, "https://example.com/why?a=\"b\"");
	json_t *o = json_loads(b, 0, NULL);
	int64_t from, until;

	(void)state;
	assert_non_null(o);
	assert_int_equal(clock_parse(json_str(json_object_get(o, "suggestedWindow"), "start"), &from), 0);
	assert_int_equal(clock_parse(json_str(json_object_get(o, "suggestedWindow"), "end"), &until), 0);
	assert_int_equal(from, 1788143201000);
	assert_int_equal(until, 1788229601000);
	assert_string_equal(json_str(o, "explanationURL"), "https://example.com/why?a=\"b\"");
	json_decref(o);
	free(b);
	b = ari_body(0, 1, "");
	assert_null(strstr(b, "explanationURL"));
	free(b);
}

static void test_site(void **state)
{
	static const char *const bad[] = { "", "relative", "/a b", "/a\"", "/a;b", "/a//b", "/a/../b", "/a$b", "/a\nb", NULL };
	struct ari_site s = { .incident = "INC-1", .files = "/srv/ari", .prefix = "/acme/renewal-info", .retry_after = 60 };
	struct err e = { 0 };
	char *p;

	(void)state;
	assert_int_equal(ari_site_check(&s, &e), 0);
	for (const char *const *b = bad; *b != NULL; b++) {
		struct ari_site one = s, two = s;
		one.files = two.prefix = *b;
		assert_int_equal(ari_site_check(&one, &e), ERR_USAGE);
		assert_int_equal(ari_site_check(&two, &e), ERR_USAGE);
	}
	s.incident = "a\nb";
	assert_int_equal(ari_site_check(&s, &e), ERR_USAGE);
	p = ari_prefix("https://acme.example.com:8443/acme/renewal-info//");
	assert_string_equal(p, "/acme/renewal-info");
	free(p);
	p = ari_prefix("https://acme.example.com");
	assert_string_equal(p, "");
	free(p);
}

/* ---- the folder ---- */

static size_t entries(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *de;
	size_t n = 0;

	assert_non_null(d);
	while ((de = readdir(d)) != NULL)
		n += de->d_name[0] != '.';
	closedir(d);
	return n;
}

static void write_files(const char *folder, const char *body, int from, int n)
{
	struct err e = { 0 };
	struct ari_files *f = ari_files_new(folder, "INC-1", body, &e);
	char id[32];

	assert_non_null(f);
	for (int i = from; i < from + n; i++) {
		snprintf(id, sizeof id, "key.%d", i);
		assert_int_equal(ari_files_add(f, id, &e), 0);
	}
	snprintf(id, sizeof id, "key.%d", from); /* the same again is no other file */
	assert_int_equal(ari_files_add(f, id, &e), 0);
	assert_int_equal(ari_files_count(f), n);
	assert_int_equal(ari_files_commit(f, "nginx\n", "apache\n", &e), 0);
	ari_files_free(f);
}

/* More names than an inode takes; what was there before and what a killed run left is gone. */
static void test_files(void **state)
{
	struct stat st;
	char *text;

	(void)state;
	write_files("out", "one\n", 0, 70000);
	assert_int_equal(entries("out/renewal-info"), 70000);
	text = pki_read("out/renewal-info/key.69999");
	assert_string_equal(text, "one\n");
	free(text);
	assert_int_equal(stat("out/renewal-info", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(stat("out/renewal-info/key.3", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	pki_must("mkdir out/renewal-info.new && echo junk > out/renewal-info.new/junk");
	write_files("out", "two\n", 5, 10);
	assert_int_equal(entries("out/renewal-info"), 10);
	text = pki_read("out/renewal-info/key.5");
	assert_string_equal(text, "two\n");
	free(text);
	assert_int_equal(entries("out"), 5); /* with both snippets, the mark and its lock */
}

/* Not committed: nothing changes. Folders of others are left alone. */
static void test_files_refused(void **state)
{
	struct err e = { 0 };
	struct ari_files *f = ari_files_new("out", "INC-1", "three\n", &e);

	(void)state;
	assert_non_null(f);
	assert_int_equal(ari_files_add(f, "key.99", &e), 0);
	assert_null(ari_files_new("out", "INC-1", "four\n", &e)); /* someone is at it */
	assert_int_equal(e.code, ERR_TIMEOUT);
	ari_files_free(f);
	pki_must("test ! -e out/renewal-info.new && grep two out/renewal-info/key.5 && test ! -e out/renewal-info/key.99");
	assert_null(ari_files_new("out", "INC-2", "x", &e));
	assert_int_equal(e.code, ERR_REFUSED);
	assert_non_null(strstr(e.text, "INC-1"));
	pki_must("mkdir web && echo hello > web/index.html");
	assert_null(ari_files_new("web", "INC-1", "x", &e));
	assert_int_equal(e.code, ERR_REFUSED);
	assert_non_null(strstr(e.text, "index.html"));
	pki_must("grep hello web/index.html && test $(ls web | grep -v lock | wc -l) = 1");
}

/* ---- the CA child ---- */

static json_t *request_of(const char *name)
{
	char *config = mem_printf("%s/%s/openssl.cnf", pki_here(), name);
	json_t *o = json_pack("{s:s,s:s,s:s,s:b}", "name", name, "title", name, "config", config, "all", 1);

	free(config);
	return o;
}

static json_t *ask(json_t *request, int code, const char *what)
{
	struct err e = { 0 };
	json_t *result = NULL;
	int rc;

	seam_reset();
	rc = ca_child(request, &result, &e);
	json_decref(request);
	if (rc != code || (what != NULL && strstr(e.text, what) == NULL))
		print_message("%d: %s\n", rc, e.text);
	assert_int_equal(rc, code);
	if (what != NULL)
		assert_non_null(strstr(e.text, what));
	return result;
}

/* Freeze a CA's scope: its object for ari and successors. */
static json_t *frozen(const char *name)
{
	json_t *r = ask(json_pack("{s:s,s:s,s:s,s:[o],s:[],s:{}}", "op", "scope", "level", "root", "folder", pki_here(), "cas",
	                    request_of(name), "parents", "selectors"), 0, NULL);
	const json_t *one = json_array_get(json_list(r, "cas"), 0);
	json_t *o = request_of(name);

	json_put(o, "path", json_str(one, "path"));
	json_put(o, "manifest", json_str(one, "manifest"));
	json_decref(r);
	return o;
}

static json_t *ari_request(json_t *ca)
{
	char *folder = mem_printf("%s/ari", pki_here());
	json_t *o = json_pack("{s:s,s:[o],s:[],s:s,s:s,s:s,s:I,s:I,s:s,s:i,s:i}", "op", "ari", "cas", ca, "own", "folder", folder,
	    "incident", "INC-1", "url", "/ari", "start", (json_int_t)1000, "end", (json_int_t)2000, "explanation", "",
	    "retry_after", 60, "total", 4);

	free(folder);
	return o;
}

/* What openssl says of a certificate is what the file is called. */
static void test_ari(void **state)
{
	json_t *r = ask(ari_request(frozen("old")), 0, NULL), *again;

	(void)state;
	assert_int_equal(json_num(r, "files", 0), 4);
	assert_int_equal(json_num(r, "checked", 0), 4);
	assert_int_equal(json_num(r, "missing", -1), 0);
	pki_write("id.sh",
	    "octets() { for h in $(echo $1 | sed 's/../& /g'); do printf \"\\\\$(printf %03o 0x$h)\"; done; }\n"
	    "b64() { octets $1 | openssl base64 -A | tr '+/' '-_' | tr -d =; }\n"
	    "for c in old/newcerts/*.pem; do\n"
	    "  key=$(openssl x509 -in $c -noout -ext authorityKeyIdentifier | tail -n 1 | tr -d ': ')\n"
	    "  serial=$(openssl x509 -in $c -noout -serial | sed 's/.*=//')\n"
	    "  case $serial in [89A-F]*) serial=00$serial;; esac\n"
	    "  test -s ari/renewal-info/$(b64 $key).$(b64 $serial) || exit 1\n"
	    "done\n");
	pki_must("sh -eu id.sh");
	assert_int_equal(entries("ari/renewal-info"), 4);
	again = ask(ari_request(frozen("old")), 0, NULL);
	assert_string_equal(json_str(again, "sha256"), json_str(r, "sha256"));
	json_decref(again);
	json_decref(r);
}

static void test_ari_refused(void **state)
{
	json_t *o;

	(void)state;
	o = ari_request(frozen("old"));
	json_put_num(o, "end", 1000);
	ask(o, ERR_USAGE, "ends after its start");
	o = ari_request(frozen("old"));
	json_put(json_array_get(json_object_get(o, "cas"), 0), "manifest", "00");
	ask(o, ERR_REFUSED, "not the manifest");
	pki_must("mv old/newcerts/1001.pem kept.pem");
	o = ask(ari_request(frozen("old")), 0, NULL);
	assert_int_equal(json_num(o, "missing", 0), 1);
	json_decref(o);
	pki_must("mv kept.pem old/newcerts/1001.pem");
	/* certificates without an authorityKeyIdentifier, or with another than the CA's, cannot be named */
	ask(ari_request(frozen("bare")), ERR_REFUSED, "has no authorityKeyIdentifier");
	pki_must("cp old/ca.crt kept.crt && "
	         "openssl req -x509 -new -key old/private/ca.key -subj '/C=DE/O=Test/CN=old CA' -days 9 -config old/openssl.cnf "
	         "-addext subjectKeyIdentifier=01:02:03:04 -addext basicConstraints=critical,CA:TRUE -out old/ca.crt");
	ask(ari_request(frozen("old")), ERR_REFUSED, "is not the key identifier of");
	pki_must("cp kept.crt old/ca.crt");
}

static json_t *successors(const char *issuer, json_t *seen, bool new_key, int code, const char *what)
{
	return ask(json_pack("{s:s,s:[o],s:[o],s:o,s:b}", "op", "successors", "cas", frozen("old"), "issuers",
	               request_of(issuer), "seen", seen, "new_key", new_key), code, what);
}

static void counts(json_t *r, int replaced, int seen, int unknown)
{
	assert_int_equal(json_num(r, "total", 0), 4);
	assert_int_equal(json_num(r, "replaced", -1), replaced);
	assert_int_equal(json_num(r, "seen", -1), seen);
	assert_int_equal(json_num(r, "unknown", -1), unknown);
	json_decref(r);
}

static void issue(const char *ca, const char *key, const char *subject, const char *names, const char *more)
{
	pki_must("openssl req -new -key %s -subj '%s' %s%s -config %s/openssl.cnf -out x.csr && openssl ca -batch -notext "
	         "-config %s/openssl.cnf -in x.csr -out x.crt %s", key, subject, names[0] != '\0' ? "-addext subjectAltName=" : "",
	    names, ca, ca, more);
}

static void test_successors(void **state)
{
	json_t *r;

	(void)state;
	counts(successors("new", json_array(), false, 0, NULL), 0, 0, 0);
	issue("new", "leaf.key", "/CN=other", "DNS:b.example.com,DNS:A.example.com", "-startdate 20300101000000Z");
	r = successors("new", json_array(), false, 0, NULL);
	/* letter case, order and common name are not the point: the names are */
	assert_string_equal(json_str(json_array_get(json_list(r, "waiting"), 0), "names"), "host0001.example.com");
	counts(r, 1, 0, 0);
	issue("new", "leaf.key", "/CN=HOST0001.example.com", "", "-startdate 20300101000000Z");
	issue("new", "leaf.key", "/CN=x", "DNS:host0003.example.com", "-startdate 20200101000000Z -enddate 20490101000000Z");
	issue("new", "leaf.key", "/CN=x", "DNS:host0002.example.com,DNS:more.example.com", "");
	/* older or for other names: neither counts; a server shows one */
	counts(successors("new", json_pack("[s,s]", "1001", "nonsense"), false, 0, NULL), 2, 1, 0);
	counts(successors("new", json_array(), true, 0, NULL), 1, 0, 0); /* a.example.com has the old key still */
	pki_must("openssl ca -config new/openssl.cnf -revoke new/newcerts/1001.pem");
	counts(successors("new", json_pack("[s]", "1001"), false, 0, NULL), 1, 0, 0);
	pki_must("mv old/newcerts/1002.pem kept.pem && mv new/newcerts/1000.pem kept2.pem");
	r = successors("new", json_array(), false, 0, NULL);
	assert_int_equal(json_num(r, "lost", 0), 1);
	counts(r, 0, 0, 1);
	pki_must("mv kept.pem old/newcerts/1002.pem && mv kept2.pem new/newcerts/1000.pem");
}

/* The issuer of before: never after a CA's compromise; else what is not in the scope, with a new key. */
static void test_successors_same(void **state)
{
	(void)state;
	successors("old", json_array(), false, ERR_REFUSED, "which is compromised");
	counts(successors("old", json_array(), true, 0, NULL), 0, 0, 0);
}

/* ---- the curve ---- */

static void test_curve(void **state)
{
	static const struct curve_point p[] = { { 1000, 0, 0, 10 }, { 3000, 0, 1, 1000 }, { 5000, 3, 5, 10 }, { 8000, 999, 999, 1000 },
		{ 10000, 10, 10, 10 } };
	struct buf b = { 0 };

	(void)state;
	curve_draw(&b, p, 5, 0, 10000, 20, 5);
	assert_string_equal(buf_str(&b),
	    " 100 %|                   #\n"
	    "      |               #####\n"
	    "  60 %|               #####\n"
	    "      |         ++++++#####\n"
	    "      |     ++++######" "#####\n"
	    "   0 %+--------------------\n"
	    "       1970-01-01T00:00:00Z1970-01-01T00:00:10Z\n");
	buf_free(&b);
}

/* old: three certificates by common name, one with two names; new takes over; bare puts no key identifier in. */
static int setup(void **state)
{
	if (pki_folder(state) != 0)
		return -1;
	seam_reset();
	pki_openssl("old", "ec", 3);
	pki_openssl("new", "ec", 0);
	pki_openssl("bare", "ec", 0);
	pki_must("openssl ecparam -name prime256v1 -genkey -noout -out leaf.key; sed -i 's/^authorityKeyIdentifier.*/authorityKeyIdentifier = none/' bare/openssl.cnf; "
	         "echo 8000000000000000000000000000F001 > old/serial");
	issue("old", "leaf.key", "/CN=a.example.com", "DNS:a.example.com,DNS:b.example.com", "");
	issue("bare", "leaf.key", "/CN=a.example.com", "", "");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_id), cmocka_unit_test(test_body), cmocka_unit_test(test_site),
		cmocka_unit_test(test_files), cmocka_unit_test(test_files_refused), cmocka_unit_test(test_ari),
		cmocka_unit_test(test_ari_refused), cmocka_unit_test(test_successors), cmocka_unit_test(test_successors_same),
		cmocka_unit_test(test_curve),
	};

	return cmocka_run_group_tests(tests, setup, pki_folder_drop);
}
