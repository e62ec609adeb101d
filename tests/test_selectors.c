/* Selectors of the end-entity scope: each kind alone and together, groups and their reasons, wrong input, leaked
 * keys and the proof of possession; on a CA made by openssl with keys of every kind. */
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
#include "base/fs.h"
#include "base/json.h"
#include "pki/leaked.h"
#include "pki/scope.h"
#include "pki/selector.h"
#include "pki/serial_list.h"
#include "pki_seam.h"

static struct opened ca;
static struct index *x;
static struct sorted *rows;
static size_t n;

/* Eight certificates:
 *	1000 rsa.key   www.example.com, *.wild.example.org       issued 2024-01-01, by the CA's clock
 *	1001 ec.key    192.0.2.7, 2001:db8::7                    2024-03-01
 *	1002 ed.key    mail of an operator                       2024-05-01
 *	1003 ec.key    a URI, and an otherName that has no text  now
 *	1004 ecc.key   point compressed, no names                now
 *	1005 pss.key   the modulus of rsa.key, for PSS only      now
 *	1006 p12.key   revoked
 *	1007 rsa4.key  expired */
static int setup(void **state)
{
	struct err e = { 0 };

	if (pki_folder(state) != 0)
		return -1;
	pki_openssl("s", "ec", 0);
	pki_must("set -e; cat >issue <<'EOF'\n"
	         "set -e\n"
	         "openssl req -new -key $1.key -subj \"/CN=$2\" -config s/openssl.cnf ${3:+-addext subjectAltName=$3} -out $1.req\n"
	         "key=$1; shift 3\n"
	         "openssl ca -batch -notext -config s/openssl.cnf -in $key.req -out leaf.crt \"$@\"\n"
	         "EOF\n"
	         "openssl genrsa -out rsa.key 2048; openssl genrsa -out rsa4.key 2048; openssl genrsa -out free.key 2048\n"
	         "for k in ec ecc0 p12; do openssl ecparam -name prime256v1 -genkey -noout -out $k.key; done\n"
	         "openssl genpkey -algorithm ed25519 -out ed.key\n"
	         "openssl ec -in ecc0.key -conv_form compressed -out ecc.key");
	pki_must("set -e; to='-enddate 20481231235959Z';\n"
	         "sh issue rsa web DNS:www.example.com,DNS:*.wild.example.org -startdate 20240101000000Z $to\n"
	         "sh issue ec addr IP:192.0.2.7,IP:2001:db8::7 -startdate 20240301000000Z $to\n"
	         "sh issue ed operator email:ops@example.net -startdate 20240501000000Z $to\n"
	         "sh issue ec service 'URI:https://api.example.com/v1,otherName:1.2.3.4;UTF8:www.example.com'\n"
	         "sh issue ecc 'plain, comma' ''\n"
	         "sed -i 's/plain, comma/& J\\\\xC3\\\\xBCrgen \\\\x/' s/index.txt; grep -F 'J\\xC3\\xBCrgen \\x' s/index.txt");
	/* the same modulus under id-RSASSA-PSS: no option of openssl makes that of an RSA key, so its PKCS#8 by hand */
	pki_must("set -e; openssl rsa -in rsa.key -traditional -out rsa.trad\n"
	         "printf 'asn1=SEQUENCE:a\\n[a]\\nv=INTEGER:0\\nalg=SEQUENCE:b\\nkey=OCTWRAP,SEQUENCE:c\\n[b]\\n"
	         "o=OID:1.2.840.113549.1.1.10\\n[c]\\n' >pss.cnf\n"
	         "openssl asn1parse -in rsa.trad | awk -F: '/INTEGER/ "
	         "{ i++; print \"i\" i \"=INTEGER:0x\" $NF }' >>pss.cnf\n"
	         "openssl asn1parse -genconf pss.cnf -noout -out pss.der\n"
	         "openssl pkey -inform DER -in pss.der -out pss.key; grep -q . pss.key\n"
	         "sh issue pss pss ''\n"
	         "sh issue p12 gone ''; openssl ca -config s/openssl.cnf -revoke s/newcerts/1006.pem\n"
	         "sh issue rsa4 old DNS:old.example.com -startdate 20200101000000Z -enddate 20210101000000Z\n");
	ca = pki_open("s", "s/openssl.cnf");
	x = index_load(ca.ca->database, &e);
	rows = index_sorted(x, &n, &e);
	return rows == NULL || n != 8;
}

static int drop(void **state)
{
	free(rows);
	index_free(x);
	pki_close(&ca);
	return pki_folder_drop(state);
}

static json_t *found; /* the groups of the last selection */

/* Resolve groups and select: the manifest's rows, or the error. Paths in groups start at the folder: "@". */
static char *picked(const char *groups, const char *reason, struct err *e)
{
	struct buf b = { 0 }, text = { 0 };
	json_t *raw, *made, *s;
	struct scope sc;
	char *out = NULL;

	for (const char *p = groups; *p != '\0'; p++) {
		if (*p == '@' && p[-1] == '\'')
			buf_addf(&text, "%s/", pki_here());
		else
			buf_addc(&text, *p == '\'' ? '"' : *p);
	}
	raw = json_loads(buf_str(&text), 0, NULL);
	if (raw == NULL)
		fail_msg("%s", buf_str(&text));
	buf_free(&text);
	*e = (struct err){ 0 };
	made = selectors_resolve(raw, e);
	json_decref(raw);
	if (made == NULL)
		return NULL;
	s = json_pack("{s:o,s:s}", "groups", made, "reason", reason);
	json_decref(found);
	found = NULL;
	if (scope_select(ca.ca, ca.cert, x, rows, n, s, NULL, (int64_t)time(NULL) * 1000, NULL, &sc, e) == 0) {
		scope_manifest(&b, ca.ca, ca.cert, x, &sc);
		out = mem_strdup(strchr(strstr(buf_str(&b), "issuer-key-id"), '\n') + 1);
		found = json_incref(sc.groups);
		scope_clear(&sc);
	}
	json_decref(s);
	buf_free(&b);
	return out;
}

/* The rows without their reason, which is superseded: "1000 1003". */
static void picks(const char *groups, const char *want)
{
	struct err e;
	char *got = picked(groups, "superseded", &e), *line, *save = NULL;
	struct buf b = { 0 };

	if (got == NULL)
		fail_msg("%s: %s", groups, e.text);
	for (line = strtok_r(got, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		assert_string_equal(strchr(line, ' '), " superseded");
		buf_addf(&b, "%s%.*s", b.len > 0 ? " " : "", (int)strcspn(line, " "), line);
	}
	if (strcmp(buf_str(&b), want) != 0)
		print_message("%s\n", groups);
	assert_string_equal(buf_str(&b), want);
	buf_free(&b);
	free(got);
}

static void refuses(const char *groups, int code, const char *what)
{
	struct err e;
	char *got = picked(groups, "superseded", &e);

	if (got != NULL || strstr(e.text, what) == NULL)
		fail_msg("%s: %s", groups, got != NULL ? got : e.text);
	assert_int_equal(e.code, code);
}

static void test_serials(void **state)
{
	(void)state;
	picks("[{'serial':['10:00','0x1003','dec:4100']}]", "1000 1003 1004");
	picks("[{'serial':['10 00',' 001001 ']}]", "1000 1001");
	picks("[{'serial':['1006','1000']}]", "1000"); /* revoked before */
	picks("[{'serial':['1007','1000']}]", "1000"); /* expired */
	refuses("[{'serial':['1000 1001']}]", ERR_USAGE, "\"1000 1001\" is not a serial");
	refuses("[{'serial':['dec:10A0']}]", ERR_USAGE, "is not a serial");
	refuses("[{'serial':['dec:']}]", ERR_USAGE, "is not a serial");
	refuses("[{'serial':['']}]", ERR_USAGE, "is not a serial");
	refuses("[{'serial':['1:00']}]", ERR_USAGE, "is not a serial");
	refuses("[{'serial':['--1000']}]", ERR_USAGE, "is not a serial");
	refuses("[{'serial':['4096']}]", ERR_REFUSED, "serial 4096 is not in"); /* hexadecimal, unless marked */
}

/* Every form that serial_read takes comes to the one form. */
static void test_forms(void **state)
{
	static const struct {
		const char *text, *canon;
	} form[] = { { "0a:bC", "0ABC" }, { "0XABC", "0ABC" }, { "dec:2748", "0ABC" }, { "DEC: 2748", "0ABC" },
		{ "-01", "-01" }, { "0", "00" }, { "dec:0", "00" },
		{ "dec:1461501637330902918203684832716283019655932542975", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" },
		{ "FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" },
		{ "0x", NULL }, { "1G", NULL }, { ":", NULL }, { "10:", NULL }, { "10::00", NULL }, { "-", NULL }, { "dec:-1", NULL } };
	char out[SERIAL_MAX], longest[2000];

	(void)state;
	for (size_t i = 0; i < sizeof form / sizeof form[0]; i++) {
		size_t len = serial_read(out, form[i].text, strlen(form[i].text));

		if ((len == 0) != (form[i].canon == NULL))
			print_message("%s\n", form[i].text);
		assert_int_equal(len, form[i].canon != NULL ? strlen(form[i].canon) : 0);
		if (form[i].canon != NULL)
			assert_string_equal(out, form[i].canon);
	}
	memset(longest, '9', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(serial_read(out, longest, strlen(longest)), 0);
	memcpy(longest, "dec:", 4);
	assert_int_equal(serial_read(out, longest, strlen(longest)), 0);
}

static void test_file(void **state)
{
	(void)state;
	pki_write("list", "\xef\xbb\xbf# leaked on Monday\r\n\r\n10:00, dec:4097 ,\r\n  0x1004 # the third\r\n10 03");
	picks("[{'serials-file':['@list']}]", "1000 1001 1003 1004");
	pki_write("more", "1002\n1002\n1000\n");
	picks("[{'serials-file':['@list','@more'],'serial':['1005']}]", "1000 1001 1002 1003 1004 1005");
	pki_write("bad", "1000\n\nweb.example.com\n1001 1002\n");
	refuses("[{'serials-file':['@bad']}]", ERR_SYNTAX, "bad: line 3: \"web.example.com\" is not a serial (2 such)");
	pki_write("bad", "1000\n\x1b[2J\n");
	refuses("[{'serials-file':['@bad']}]", ERR_SYNTAX, "line 2: \"\\x1B[2J\" is not");
	pki_write("strange", "# two\n1000\n\n1001,BEEF\n");
	refuses("[{'serials-file':['@strange']}]", ERR_REFUSED, "strange: line 4: serial BEEF is not in ");
	pki_write("empty", "# nothing yet\n,,\n");
	refuses("[{'serials-file':['@empty']}]", ERR_NOTFOUND, "holds no serial");
	refuses("[{'serials-file':['@none']}]", ERR_IO, "none");
	refuses("[{'serials-file':['@s']}]", ERR_SYNTAX, "not a regular file");
	pki_must("rm -f pipe huge; mkfifo pipe; truncate -s 65M huge");
	refuses("[{'serials-file':['@pipe']}]", ERR_SYNTAX, "not a regular file");
	refuses("[{'serials-file':['@huge']}]", ERR_SYNTAX, "larger than");
	refuses("[{'serials-file':['@rsa.key']}]", ERR_SYNTAX, "line 1: \"-----BEGIN PRIVATE KEY-----\" is not a serial");
}

static void test_patterns(void **state)
{
	(void)state;
	picks("[{'subject':['*CN=web','*/CN=OPERATOR']}]", "1000 1002");
	picks("[{'subject':['*plain, comma*']}]", "1004");
	/* as it is read, as index.txt has it, and as a shell wants that written */
	picks("[{'subject':['*J\u00fcrgen*']}]", "1004");
	picks("[{'subject':['*J\\\\xC3\\\\xBCrgen*']}]", "1004");
	picks("[{'subject':['*j\\\\\\\\xc3\\\\\\\\xbcrgen*']}]", "1004");
	picks("[{'san':['*.example.com']}]", "1000");
	picks("[{'san':['WWW.*']}]", "1000"); /* and no otherName */
	picks("[{'san':['\\\\*.wild.example.org']}]", "1000");
	picks("[{'san':['192.0.2.*']}]", "1001");
	picks("[{'san':['2001:db8:*']}]", "1001");
	picks("[{'san':['2001:0DB8:0:0::0007']}]", "1001");
	picks("[{'san':['*@example.net']}]", "1002");
	picks("[{'san':['https://api.example.com/*']}]", "1003");
	picks("[{'san':['ops@*','192.0.2.7','www.example.com']}]", "1000 1001 1002");
	refuses("[{'san':['*.exmaple.com']}]", ERR_REFUSED, "--san \"*.exmaple.com\" matches no certificate");
	refuses("[{'san':['www.example.com','*.exmaple.com']}]", ERR_REFUSED, "*.exmaple.com");
	refuses("[{'san':['old.example.com']}]", ERR_REFUSED, "matches no certificate"); /* expired */
	refuses("[{'subject':['']}]", ERR_USAGE, "a pattern has 1 to");
	refuses("[{'subject':['nobody']}]", ERR_REFUSED, "--subject \"nobody\" matches no certificate");
}

static void test_times(void **state)
{
	(void)state; /* 2024-03-01 is 1709251200 */
	picks("[{'since':1709251200000}]", "1001 1002 1003 1004 1005");
	picks("[{'since':1709251200001}]", "1002 1003 1004 1005");
	picks("[{'until':1709251200000}]", "1000 1001");
	picks("[{'until':1709251199999}]", "1000");
	picks("[{'since':1709251200000,'until':1709251200000}]", "1001");
	refuses("[{'since':2,'until':1}]", ERR_USAGE, "after the time");
	refuses("[{'until':1000}]", ERR_REFUSED, "group 1 of the selectors matches no certificate");
}

/* The hash of a certificate's key, as openssl and sha256sum make it. */
static char *hash_of(const char *how, const char *serial)
{
	char *hex, *end;

	pki_must("openssl x509 -in s/newcerts/%s.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst "
	         "-sha256 %s", serial, how);
	hex = pki_read("log");
	end = strchr(hex, '\n');
	if (end != NULL)
		*end = '\0';
	return hex;
}

#define SLASHES "//////////////////////////////////////////8=" /* 32 octets of 0xff */

static void test_hashes(void **state)
{
	char *log = hash_of("-r", "1001"), *colons = hash_of("-c", "1002"), *group, *pin;

	(void)state;
	group = mem_printf("[{'key-hash':['%.64s']}]", log);
	picks(group, "1001 1003"); /* two on one key */
	free(group);
	group = mem_printf("[{'key-hash':['%s','%.64s']}]", strstr(colons, "= ") + 2, log);
	picks(group, "1001 1002 1003");
	free(group);
	pki_must("openssl x509 -in s/newcerts/1001.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst "
	         "-sha256 -binary | openssl base64 -A");
	pin = pki_read("log");
	group = mem_printf("[{'key-hash':['sha256/%s','sha256//%s']}]", pin, pin);
	picks(group, "1001 1003");
	free(group);
	/* one in 64 begins with a '/' of its own */
	for (int i = 0; i < 2; i++) {
		char hex[DIGEST_HEX], want[DIGEST_HEX];
		struct err e = { 0 };

		memset(want, 'f', 64);
		want[64] = '\0';
		assert_int_equal(leaked_hash(i == 0 ? "sha256/" SLASHES : "sha256//" SLASHES, hex, &e), 0);
		assert_string_equal(hex, want);
		assert_int_equal(leaked_hash(i == 0 ? "sha256///" SLASHES : "sha256/" SLASHES "=", hex, &e), ERR_USAGE);
	}
	refuses("[{'key-hash':['0000000000000000000000000000000000000000000000000000000000000000']}]", ERR_REFUSED,
	    "is in no valid certificate of s");
	refuses("[{'key-hash':['00']}]", ERR_USAGE, "not the SHA-256");
	refuses("[{'key-hash':['sha256/AAAA']}]", ERR_USAGE, "not the SHA-256");
	refuses("[{'key-hash':['sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA']}]", ERR_USAGE, "not the SHA-256");
	free(pin);
	free(log);
	free(colons);
}

static void finds(const char *file, const char *want, const char *kind, bool proved)
{
	char *group = mem_printf("[{'key-file':['@%s']}]", file);
	const json_t *key;

	picks(group, want);
	key = json_array_get(json_list(json_array_get(found, 0), "keys"), 0);
	assert_string_equal(json_str(key, "kind"), kind);
	assert_string_equal(json_str(key, "name"), file);
	assert_int_equal(json_bool(key, "proved"), proved);
	assert_int_equal(json_num(key, "matched", 0), (int)(strlen(want) + 1) / 5);
	free(group);
}

static void test_private(void **state)
{
	(void)state;
	pki_must("set -e; openssl rsa -in rsa.key -traditional -out rsa.trad; openssl ec -in ec.key -out ec.trad\n"
	         "openssl pkey -in rsa.key -outform DER -out rsa.p8; openssl rsa -in rsa.key -traditional -outform DER -out rsa.p1\n"
	         "openssl pkcs8 -topk8 -nocrypt -in ec.key -outform DER -out ec.p8; openssl ec -in ec.key -outform DER -out ec.sec1\n"
	         "openssl ecparam -name prime256v1 -out p; cat p ec.trad >ec.param; cat s/newcerts/1001.pem ec.key >bundle.pem\n"
	         "grep -q 'BEGIN RSA PRIVATE' rsa.trad; grep -q 'BEGIN EC PRIVATE' ec.trad");
	finds("rsa.key", "1000 1005", "private-key", true); /* 1005: the same modulus, for PSS only */
	finds("rsa.trad", "1000 1005", "private-key", true);
	finds("rsa.p8", "1000 1005", "private-key", true);
	finds("rsa.p1", "1000 1005", "private-key", true);
	finds("pss.key", "1000 1005", "private-key", true);
	finds("ec.key", "1001 1003", "private-key", true);
	finds("ec.trad", "1001 1003", "private-key", true);
	finds("ec.param", "1001 1003", "private-key", true);
	finds("ec.p8", "1001 1003", "private-key", true);
	finds("ec.sec1", "1001 1003", "private-key", true);
	finds("ed.key", "1002", "private-key", true);
	finds("ecc0.key", "1004", "private-key", true); /* another encoding of the point */
	finds("bundle.pem", "1001 1003", "private-key", true);
}

static void test_public(void **state)
{
	(void)state;
	pki_must("set -e; openssl pkey -in ed.key -pubout -out ed.pub; openssl pkey -in ed.key -pubout -outform DER -out ed.der\n"
	         "openssl req -in ec.req -outform DER -out ec.reqder; openssl x509 -in s/newcerts/1003.pem -outform DER -out c.der\n"
	         "openssl req -x509 -key rsa.key -subj /CN=other -days 1 -config s/openssl.cnf -out other.pem");
	finds("ed.pub", "1002", "public-key", false);
	finds("ed.der", "1002", "public-key", false);
	finds("ec.req", "1001 1003", "request", false);
	finds("ec.reqder", "1001 1003", "request", false);
	finds("c.der", "1001 1003", "certificate", false);
	finds("other.pem", "1000 1005", "certificate", false); /* another issuer's, on the same key */
}

/* Nothing of the private key is in what the journal gets. */
static void test_journal(void **state)
{
	struct err e = { 0 };
	char *path = mem_printf("%s/name\033[2J.key", pki_here()), *line, *d;
	json_t *o;

	(void)state;
	pki_must("cp rsa.key \"$(printf 'name\\033[2J.key')\"; openssl rsa -in rsa.key -noout -text | sed -n "
	         "'/privateExponent/,/prime1/p' | grep '^ ' | tr -d ' :\\n' | cut -c 9-72");
	d = pki_read("log");
	o = leaked_read(path, &e);
	assert_non_null(o);
	line = json_line(o);
	assert_int_equal(strlen(d), 65);
	d[64] = '\0';
	assert_null(strcasestr(line, d));
	assert_string_equal(json_str(o, "name"), "name\\x1B[2J.key");
	assert_null(strstr(line, pki_here()));
	assert_int_equal(json_object_size(o), 7); /* kind, name, spki, public, proved, challenge, signature */
	free(line);
	free(path);
	free(d);
	json_decref(o);
}

static void test_leaked_wrong(void **state)
{
	(void)state;
	pki_must("set -e; openssl pkcs8 -topk8 -in rsa.key -passout pass:x -out enc.key; openssl pkcs8 -topk8 -in rsa.key "
	         "-passout pass:x -outform DER -out enc.der; openssl rsa -in rsa.key -aes128 -traditional -passout pass:x -out enc.trad\n"
	         "grep -q Proc-Type enc.trad; cat ec.key ed.key >two.key; cat s/newcerts/100[01].pem >two.pem\n"
	         "openssl genpkey -algorithm x25519 -out x.key; head -c 40 rsa.key >cut.key; : >nothing.key\n"
	         "openssl req -in rsa.req -outform DER -out broken.der; s=$(stat -c %%s broken.der)\n"
	         "printf ZZZZZZZZ | dd of=broken.der bs=1 seek=$((s - 9)) conv=notrunc; truncate -s 300K huge.key");
	refuses("[{'key-file':['@free.key']}]", ERR_REFUSED, "free.key: the public key ");
	refuses("[{'key-file':['@ec.key','@free.key']}]", ERR_REFUSED, "free.key: the public key ");
	refuses("[{'key-file':['@rsa4.key']}]", ERR_REFUSED, "is in no valid certificate"); /* expired */
	refuses("[{'key-file':['@enc.key']}]", ERR_REFUSED, "is encrypted");
	refuses("[{'key-file':['@enc.der']}]", ERR_REFUSED, "is encrypted");
	refuses("[{'key-file':['@enc.trad']}]", ERR_REFUSED, "is encrypted");
	refuses("[{'key-file':['@broken.der']}]", ERR_REFUSED, "not signed by its own key");
	refuses("[{'key-file':['@two.key']}]", ERR_USAGE, "holds 2 keys");
	refuses("[{'key-file':['@two.pem']}]", ERR_USAGE, "holds 2 keys");
	refuses("[{'key-file':['@x.key']}]", ERR_REFUSED, "does not prove possession");
	refuses("[{'key-file':['@cut.key']}]", ERR_SYNTAX, "neither a private key nor");
	refuses("[{'key-file':['@nothing.key']}]", ERR_SYNTAX, "neither a private key nor");
	refuses("[{'key-file':['@issue']}]", ERR_SYNTAX, "neither a private key nor");
	refuses("[{'key-file':['@huge.key']}]", ERR_SYNTAX, "larger than");
	refuses("[{'key-file':['@gone.key']}]", ERR_IO, "gone.key");
	pki_must("rm -f pipe; mkfifo pipe");
	refuses("[{'key-file':['@pipe']}]", ERR_SYNTAX, "not a regular file");
}

/* A file with the victim's public half and an invented private one proves nothing. */
static void test_invented(void **state)
{
	(void)state;
	pki_must("set -e; openssl rsa -in rsa.key -traditional -outform DER -out fake.rsa\n"
	         "for at in 300 600 800; do head -c 60 /dev/zero | tr '\\0' '\\125' | dd of=fake.rsa bs=1 seek=$at conv=notrunc; done\n"
	         "openssl rsa -inform DER -in fake.rsa -noout -modulus >a; openssl rsa -in rsa.key -noout -modulus >b; cmp a b\n"
	         "openssl ec -in ec.key -outform DER -out fake.ec; printf 'an invented one' | dd of=fake.ec bs=1 seek=9 conv=notrunc");
	refuses("[{'key-file':['@fake.rsa']}]", ERR_REFUSED, "does not prove possession");
	refuses("[{'key-file':['@fake.ec']}]", ERR_REFUSED, "does not prove possession");
}

/* A proof that was altered after it was recorded. */
static void test_proof(void **state)
{
	struct err e = { 0 };
	char *path = mem_printf("%s/ec.key", pki_here());
	json_t *key = leaked_read(path, &e), *s;
	struct scope sc;

	(void)state;
	assert_non_null(key);
	json_put(key, "challenge", "0000000000000000000000000000000000000000000000000000000000000000");
	s = json_pack("{s:[{s:[o]}]}", "groups", "keys", key);
	assert_int_equal(scope_select(ca.ca, ca.cert, x, rows, n, s, NULL, (int64_t)time(NULL) * 1000, NULL, &sc, &e),
	    ERR_REFUSED);
	assert_non_null(strstr(e.text, "the proof of possession of ec.key does not verify with the certificate of serial 1001"));
	json_decref(s);
	free(path);
}

static void test_together(void **state)
{
	(void)state;
	/* of a kind one is enough, and all kinds must hold */
	picks("[{'serial':['1000','1001','1002'],'san':['www.*','192.*']}]", "1000 1001");
	picks("[{'key-file':['@ec.key'],'since':1709251200001}]", "1003");
	picks("[{'subject':['*CN=*e*'],'san':['*example*'],'until':1719251200000}]", "1000 1002");
	picks("[{'all':true}]", "1000 1001 1002 1003 1004 1005");
	picks("[{'all':true,'serial':['1004']}]", "1004");
	refuses("[{'serial':['1000'],'san':['192.*']}]", ERR_REFUSED, "--san \"192.*\" matches no certificate");
	refuses("[{'serial':['1004'],'key-file':['@ec.key']}]", ERR_REFUSED, "ec.key: the public key");
	refuses("[{'san':['www.*'],'since':1709251200000}]", ERR_REFUSED, "matches no certificate");
	refuses("[{}]", ERR_USAGE, "a group of selectors is empty");
	refuses("[{'reason':'superseded'}]", ERR_USAGE, "a group of selectors is empty");
	refuses("[{'serial':['1000']},{}]", ERR_USAGE, "a group of selectors is empty");
}

static void groups_are(const char *groups, const char *want)
{
	struct err e;
	char *got = picked(groups, "keyCompromise", &e);

	if (got == NULL)
		fail_msg("%s", e.text);
	assert_string_equal(got, want);
	free(got);
}

static void test_groups(void **state)
{
	(void)state;
	pki_write("list", "1000\n1001\n");
	groups_are("[{'serials-file':['@list'],'reason':'superseded'},{'key-file':['@ec.key']},"
	           "{'subject':['*CN=operator'],'reason':'PrivilegeWithdrawn'}]",
	    "1000 superseded\n1001 superseded\n1002 privilegeWithdrawn\n1003 keyCompromise\n");
	assert_int_equal(json_array_size(found), 3);
	assert_int_equal(json_num(json_array_get(found, 1), "matched", 0), 2);
	assert_int_equal(json_num(json_array_get(found, 1), "selected", 0), 1); /* the first group has 1001 */
	/* the other way about: the first one's reason */
	groups_are("[{'key-file':['@ec.key']},{'serials-file':['@list'],'reason':'superseded'}]",
	    "1000 superseded\n1001 keyCompromise\n1003 keyCompromise\n");
	/* a group that an earlier one swallows is no error, one that matches nothing is */
	groups_are("[{'all':true,'reason':'certificateHold'},{'serial':['1000'],'reason':'aACompromise'}]",
	    "1000 certificateHold\n1001 certificateHold\n1002 certificateHold\n1003 certificateHold\n1004 certificateHold\n"
	    "1005 certificateHold\n");
	refuses("[{'all':true},{'serial':['1006']}]", ERR_REFUSED, "group 2 of the selectors matches no certificate");
	refuses("[{'serial':['1000'],'reason':'removeFromCRL'}]", ERR_USAGE, "delta CRL");
	refuses("[{'serial':['1000'],'reason':'because'}]", ERR_USAGE, "\"because\" is not a reason");
}

static void test_files(void **state)
{
	(void)state;
	if (geteuid() == 0) { /* a folder that may not be looked into is not one without certificates */
		pki_must("chmod 755 . && chmod 700 s/newcerts");
		assert_int_equal(seteuid(65534), 0);
		refuses("[{'san':['*']}]", ERR_IO, "s/newcerts/1000.pem: Permission denied");
		assert_int_equal(seteuid(0), 0);
	}
	pki_must("mkdir away; mv s/newcerts/1002.pem away");
	refuses("[{'san':['*']}]", ERR_NOTFOUND, "s/newcerts: 1 certificate that the selectors must look at is not there: 1002.pem");
	picks("[{'san':['*'],'serial':['1000','1003']}]", "1000 1003"); /* not looked at */
	picks("[{'subject':['*CN=operator']}]", "1002");
	pki_must("mv s/newcerts/* away");
	refuses("[{'key-file':['@ec.key']}]", ERR_NOTFOUND, "6 certificates");
	refuses("[{'until':1}]", ERR_NOTFOUND, ": 1000.pem, 1001.pem, 1002.pem, 1003.pem, 1004.pem, ...");
	pki_must("mv away/* s/newcerts; cp s/newcerts/1003.pem keep; cp s/newcerts/1002.pem s/newcerts/1003.pem");
	refuses("[{'key-file':['@ec.key']}]", ERR_REFUSED, "1003.pem holds another certificate, with the serial 1002");
	pki_must("openssl req -x509 -key ec.key -subj '/C=DE/O=Test/CN=s CA' -set_serial 0x1003 -days 9 -config s/openssl.cnf "
	         "-out s/newcerts/1003.pem");
	refuses("[{'key-file':['@ec.key']}]", ERR_REFUSED, "serial 1003 in ");
	pki_must("openssl req -x509 -key ec.key -subj /CN=else -set_serial 0x1003 -days 9 -config s/openssl.cnf "
	         "-out s/newcerts/1003.pem");
	refuses("[{'key-file':['@ec.key']}]", ERR_REFUSED, "that s did not issue");
	pki_write("s/newcerts/1003.pem", "");
	refuses("[{'san':['*']}]", ERR_SYNTAX, "1003.pem: not a certificate");
	pki_must("openssl x509 -in keep -outform DER -out s/newcerts/1003.pem");
	picks("[{'key-file':['@ec.key']}]", "1001 1003");
	pki_must("openssl x509 -in keep -text -out s/newcerts/1003.pem");
	picks("[{'key-file':['@ec.key']}]", "1001 1003");
	pki_must("cp keep s/newcerts/1003.pem");
}

/* A certificate cut or altered at any octet is an error or is read as it stands; nothing is read beyond it. */
static void test_hostile(void **state)
{
	struct buf b = { 0 };
	struct err e = { 0 };
	struct issued c = { 0 };
	struct issued_by by = { 0 };
	int read = 0, refused = 0;

	(void)state;
	pki_must("cp s/newcerts/1001.pem keep; openssl x509 -in keep -outform DER -out keep.der");
	assert_int_equal(fs_read("keep.der", &b, 1 << 16, &e), 0);
	assert_int_equal(issued_by_init(&by, ca.ca, ca.cert, &e), 0);
	for (size_t i = 0; i < b.len; i += 3) {
		char old = b.data[i];

		b.data[i] = (char)(old ^ 0x41);
		assert_int_equal(fs_write("s/newcerts/1001.pem", b.data, b.len, 0644, &e), 0);
		if (issued_read(&c, &by, "1001", &e) == 0) {
			struct der at = c.names;
			char *name;

			while ((name = issued_name_next(&at)) != NULL)
				free(name);
			read++;
		} else {
			refused++;
		}
		b.data[i] = old;
		assert_int_equal(fs_write("s/newcerts/1001.pem", b.data, i, 0644, &e), 0);
		assert_true(issued_read(&c, &by, "1001", &e) < 0);
	}
	assert_true(read > 0 && refused > 0);
	issued_clear(&c);
	issued_by_clear(&by);
	buf_free(&b);
	pki_must("cp keep s/newcerts/1001.pem");
}

static void test_end(void **state)
{
	(void)state;
	json_decref(found);
	found = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serials), cmocka_unit_test(test_forms), cmocka_unit_test(test_file),
		cmocka_unit_test(test_patterns), cmocka_unit_test(test_times), cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_private), cmocka_unit_test(test_public), cmocka_unit_test(test_journal),
		cmocka_unit_test(test_leaked_wrong), cmocka_unit_test(test_invented), cmocka_unit_test(test_proof),
		cmocka_unit_test(test_together), cmocka_unit_test(test_groups), cmocka_unit_test(test_files),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests_name("selectors", tests, setup, drop);
}
