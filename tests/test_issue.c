/* Issuing into real CA directories, and new issuers: openssl goes on with both. */
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
#include "pki/build.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/issue.h"
#include "pki/issuer.h"
#include "pki/key.h"
#include "pki_seam.h"

static int64_t now(void)
{
	return (int64_t)time(NULL) * 1000;
}

static struct issuer issuer_of(struct opened *o)
{
	return (struct issuer){ .ca = o->ca, .cert = o->cert, .key = o->key, .days = 30, .since = 1 };
}

/* An item for these names with this key file. */
static struct issue_item item_for(struct opened *o, EVP_PKEY *key, const json_t *names)
{
	struct issue_item item = { .names = names };

	item.subject = build_server_subject(o->ca, o->cert, names, &item.error);
	EVP_PKEY_up_ref(key);
	item.key = key;
	return item;
}

static EVP_PKEY *new_key(void)
{
	struct err e = { 0 };
	EVP_PKEY *key = key_make("ec-p256", &e);

	assert_non_null(key);
	return key;
}

static void put_cert(const char *path, X509 *x)
{
	char *pem = cert_pem(x);

	pki_write(path, pem);
	free(pem);
}

static void test_plain(void **state)
{
	struct opened o;
	struct issuer is;
	struct issue_item item[3];
	json_t *one = json_pack("[s,s,s]", "web01.example.com", "www.example.com", "192.0.2.7");
	json_t *two = json_pack("[s]", "web02.example.com");
	json_t *bad = json_pack("[s]", "bad name\033[2J");
	EVP_PKEY *key = new_key(), *other = new_key();
	struct err e = { 0 };
	char *serial;

	(void)state;
	pki_openssl("plain", "ec", 1);
	pki_must("printf 'V\\t291231235959Z\\t\\t99\\tunknown\\t/CN=open end' >> plain/index.txt");
	o = pki_open("plain", "plain/openssl.cnf");
	is = issuer_of(&o);
	item[0] = item_for(&o, key, one);
	item[1] = item_for(&o, other, two);
	item[2] = item_for(&o, key, bad);
	assert_int_equal(issue_all(&is, item, 3, now(), &e), 0);
	assert_non_null(item[0].made);
	assert_non_null(item[1].made);
	assert_null(item[2].made); /* refused, and the others are not held up by it */
	assert_int_equal(item[2].error.code, ERR_REFUSED);
	assert_non_null(strstr(item[2].error.text, "\\x1B[2J"));
	put_cert("one.crt", item[0].made);
	pki_must("openssl verify -x509_strict -purpose sslserver -verify_hostname www.example.com -CAfile plain/ca.crt "
	         "one.crt && openssl verify -verify_ip 192.0.2.7 -CAfile plain/ca.crt one.crt");
	pki_must("openssl x509 -in one.crt -noout -text > one.txt; grep 'URI:http://crl.example.com/plain.crl' one.txt && "
	         "grep 'DNS:web01.example.com, DNS:www.example.com, IP Address:192.0.2.7' one.txt && "
	         "grep 'CA:FALSE' one.txt && openssl x509 -in one.crt -noout -subject | grep 'CN = web01.example.com'");
	/* as openssl ca would have left it */
	serial = cert_serial(X509_get0_serialNumber(item[0].made));
	assert_string_equal(serial, "1001");
	free(serial);
	pki_must("test \"$(cat plain/serial)\" = 1003 && cmp one.crt plain/newcerts/1001.pem && "
	         "grep -P '^V\\t[0-9]{12}Z\\t\\t1001\\tunknown\\t/CN=web01.example.com$' plain/index.txt && "
	         "grep -P '/CN=open end$' plain/index.txt");
	pki_must("openssl ca -config plain/openssl.cnf -revoke plain/newcerts/1001.pem && "
	         "openssl ca -batch -config plain/openssl.cnf -in plain/leaf.csr -out x.crt && test -e plain/newcerts/1003.pem");
	for (int i = 0; i < 3; i++)
		issue_item_clear(&item[i]);
	json_decref(one);
	json_decref(two);
	json_decref(bad);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	pki_close(&o);
}

static X509 *issue_one(struct issuer *is, struct opened *o, EVP_PKEY *key, const char *name, bool *reused,
    struct err *e)
{
	json_t *names = json_pack("[s]", name);
	struct issue_item item = item_for(o, key, names);
	X509 *x = NULL;

	*e = (struct err){ 0 };
	if (issue_all(is, &item, 1, now(), e) == 0) {
		x = item.made;
		item.made = NULL;
		if (x == NULL)
			*e = item.error;
	}
	*reused = item.reused;
	issue_item_clear(&item);
	json_decref(names);
	return x;
}

/* Asked again after an interruption, the same certificate is given, not a second one. */
static void test_twice(void **state)
{
	struct opened o;
	struct issuer is;
	EVP_PKEY *key = new_key(), *other = new_key();
	X509 *a, *b, *c, *d;
	struct err e;
	bool reused;

	(void)state;
	pki_openssl("twice", "rsa", 0);
	o = pki_open("twice", "twice/openssl.cnf");
	is = issuer_of(&o);
	is.since = now();
	a = issue_one(&is, &o, key, "web01.example.com", &reused, &e);
	assert_non_null(a);
	assert_false(reused);
	b = issue_one(&is, &o, key, "web01.example.com", &reused, &e);
	assert_non_null(b);
	assert_true(reused);
	assert_int_equal(X509_cmp(a, b), 0);
	c = issue_one(&is, &o, other, "web01.example.com", &reused, &e); /* another key */
	assert_non_null(c);
	assert_false(reused);
	is.since = now() + 60000; /* a later run */
	d = issue_one(&is, &o, key, "web01.example.com", &reused, &e);
	assert_non_null(d);
	assert_false(reused);
	assert_int_equal(pki_count("twice/index.txt", "V"), 3);
	{ /* twice in one go */
		json_t *names = json_pack("[s]", "web02.example.com"), *more = json_pack("[s,s]", "web02.example.com", "x.example.com");
		struct issue_item item[3] = { item_for(&o, key, names), item_for(&o, key, names), item_for(&o, key, more) };

		assert_int_equal(issue_all(&is, item, 3, now(), &e), 0);
		assert_ptr_equal(item[0].made, item[1].made);
		assert_true(item[1].reused);
		assert_ptr_not_equal(item[0].made, item[2].made); /* other names */
		assert_int_equal(pki_count("twice/index.txt", "V"), 5);
		for (int i = 0; i < 3; i++)
			issue_item_clear(&item[i]);
		json_decref(names);
		json_decref(more);
	}
	X509_free(a);
	X509_free(b);
	X509_free(c);
	X509_free(d);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	pki_close(&o);
}

static void fails(struct issuer *is, struct opened *o, EVP_PKEY *key, const char *what)
{
	struct err e;
	bool reused;
	X509 *x = issue_one(is, o, key, "web09.example.com", &reused, &e);

	assert_null(x);
	if (strstr(e.text, what) == NULL)
		print_message("%s\n", e.text);
	assert_non_null(strstr(e.text, what));
}

static void test_errors(void **state)
{
	struct opened o;
	struct issuer is;
	EVP_PKEY *key = new_key();
	X509 *x;
	struct err e;
	bool reused;

	(void)state;
	pki_openssl("errs", "ec", 1);
	pki_must("echo 'unique_subject = yes' > errs/index.txt.attr");
	o = pki_open("errs", "errs/openssl.cnf");
	is = issuer_of(&o);
	is.since = now() + 60000;
	assert_true(o.ca->unique_subject);
	x = issue_one(&is, &o, key, "web09.example.com", &reused, &e);
	assert_non_null(x);
	X509_free(x);
	fails(&is, &o, key, "unique_subject = yes");
	pki_must("echo xyz > errs/serial; cp errs/index.txt kept");
	fails(&is, &o, key, "not a serial");
	pki_must("rm errs/serial");
	fails(&is, &o, key, "errs/serial");
	pki_must("echo 2000 > errs/serial; echo junk >> errs/index.txt");
	fails(&is, &o, key, "line 3 cannot be read");
	pki_must("cp kept errs/index.txt; mv errs/newcerts errs/away; echo unique_subject = no > errs/index.txt.attr");
	pki_close(&o);
	o = pki_open("errs", "errs/openssl.cnf");
	is = issuer_of(&o);
	is.since = now() + 60000;
	fails(&is, &o, key, "newcerts");
	pki_must("cmp kept errs/index.txt && mv errs/away errs/newcerts");
	/* a serial that is taken already is passed over */
	pki_must("echo 1000 > errs/serial");
	x = issue_one(&is, &o, key, "web10.example.com", &reused, &e);
	assert_non_null(x);
	X509_free(x);
	pki_must("test -e errs/newcerts/1002.pem");
	EVP_PKEY_free(key);
	pki_close(&o);
}

static void test_easyrsa(void **state)
{
	struct opened o;
	struct issuer is;
	EVP_PKEY *key = new_key();
	struct err e;
	bool reused;
	X509 *x;

	(void)state;
	pki_easyrsa("easy", 1);
	o = pki_open("easy", "easy/pki");
	is = issuer_of(&o);
	x = issue_one(&is, &o, key, "web20.example.com", &reused, &e);
	assert_non_null(x);
	put_cert("easy.crt", x);
	pki_must("openssl verify -CAfile easy/pki/ca.crt easy.crt");
	assert_int_equal(pki_easyrsa_run("easy", "build-server-full web21.example.com nopass"), 0);
	assert_int_equal(pki_count("easy/pki/index.txt", "V"), 3);
	X509_free(x);
	EVP_PKEY_free(key);
	pki_close(&o);
}

/* ---- issuers ---- */

static char *folder(const char *name)
{
	return fs_join(pki_here(), name);
}

static X509 *make(struct issuer_plan *p, int code)
{
	struct err e = { 0 };
	X509 *x = NULL;
	int rc = issuer_make(p, &x, &e);

	if (rc != code)
		print_message("%s\n", e.text);
	assert_int_equal(rc, code);
	return x;
}

static void test_root(void **state)
{
	char *path = folder("new root");
	struct issuer_plan p = { .root = true, .folder = path, .name = "newroot", .subject = "/C=DE/O=A \\/ B/CN=New Root",
		.key = "ec-p384", .days = 3650, .cdp = "http://crl.example.com/new.crl", .now = now() };
	X509 *x, *again;
	struct opened o;
	struct issuer is;
	EVP_PKEY *key = new_key();
	struct err e;
	bool reused;

	(void)state;
	x = make(&p, 0);
	assert_non_null(x);
	assert_true(cert_is_ca(x));
	again = make(&p, 0); /* asked again: the same */
	assert_int_equal(X509_cmp(x, again), 0);
	X509_free(again);
	pki_must("test $(stat -c %%a 'new root/private/ca.key') = 600");
	pki_must("openssl x509 -in 'new root/ca.crt' -noout -subject | grep 'O = A / B, CN = New Root'");
	/* openssl works on it */
	pki_must("openssl ecparam -name prime256v1 -genkey -noout -out l.key && "
	         "printf '[req]\\ndistinguished_name=dn\\n[dn]\\n' > r.cnf && "
	         "openssl req -new -config r.cnf -key l.key -subj /CN=a.example.com -out l.csr && "
	         "openssl ca -batch -config 'new root/openssl.cnf' -in l.csr -out l.crt && "
	         "openssl verify -CAfile 'new root/ca.crt' l.crt && "
	         "openssl x509 -in l.crt -noout -text | grep http://crl.example.com/new.crl && "
	         "openssl ca -gencrl -config 'new root/openssl.cnf' -crlhours 1 -out c.pem");
	/* and sev1 too */
	o = pki_open("newroot", "new root/openssl.cnf");
	is = issuer_of(&o);
	again = issue_one(&is, &o, key, "b.example.com", &reused, &e);
	assert_non_null(again);
	put_cert("b.crt", again);
	pki_must("openssl verify -x509_strict -CAfile 'new root/ca.crt' b.crt && "
	         "openssl x509 -in b.crt -noout -text | grep http://crl.example.com/new.crl");
	X509_free(again);
	X509_free(x);
	EVP_PKEY_free(key);
	pki_close(&o);
	free(path);
}

static void test_intermediate(void **state)
{
	char *path = folder("sub"), *outside = folder("outside"), *csr;
	struct issuer_plan p = { .folder = path, .name = "sub", .subject = "/CN=New Issuing CA", .key = "ec-p256",
		.days = 1825, .cdp = "", .now = now() };
	struct opened o;
	X509 *x, *again;
	struct err e = { 0 };

	(void)state;
	pki_openssl("parent", "rsa", 0);
	o = pki_open("parent", "parent/openssl.cnf");
	p.parent = o.ca;
	x = make(&p, 0);
	assert_non_null(x);
	pki_must("openssl verify -x509_strict -CAfile parent/ca.crt sub/ca.crt && grep 'New Issuing CA' parent/index.txt && "
	         "openssl x509 -in sub/ca.crt -noout -text | grep 'CA:TRUE, pathlen:0'");
	pki_must("rm sub/ca.crt"); /* killed before it was stored: the parent's row is used again */
	again = make(&p, 0);
	assert_int_equal(X509_cmp(x, again), 0);
	assert_int_equal(pki_count("parent/index.txt", "V"), 1);
	X509_free(again);
	X509_free(x);
	/* signed elsewhere */
	p.folder = outside;
	p.name = "outside";
	p.parent = NULL;
	x = make(&p, 0);
	assert_null(x);
	csr = pki_read("outside/ca.csr");
	assert_non_null(strstr(csr, "BEGIN CERTIFICATE REQUEST"));
	free(csr);
	pki_must("printf 'basicConstraints=critical,CA:TRUE\\n' > e; openssl ca -batch -notext -config parent/openssl.cnf "
	         "-in outside/ca.csr -extfile e -out signed.crt");
	assert_int_equal(issuer_import(outside, "sub/ca.crt", NULL, now(), &x, &e), ERR_FAILED);
	assert_non_null(strstr(e.text, "does not belong"));
	assert_int_equal(issuer_import(outside, "signed.crt", NULL, now(), &x, &e), 0);
	assert_non_null(x);
	X509_free(x);
	pki_must("cmp signed.crt outside/ca.crt");
	pki_close(&o);
	free(path);
	free(outside);
}

static void judged(const char *path, const json_t *refuse, const char *what)
{
	struct err e = { 0 };
	X509 *x = cert_read(path, &e);

	assert_non_null(x);
	assert_int_equal(issuer_judge(x, refuse, now(), &e), ERR_REFUSED);
	if (strstr(e.text, what) == NULL)
		print_message("%s\n", e.text);
	assert_non_null(strstr(e.text, what));
	X509_free(x);
}

static void test_judge(void **state)
{
	char fingerprint[DIGEST_HEX], spki[DIGEST_HEX];
	struct opened o;
	json_t *refuse;
	struct err e = { 0 };
	char *path = folder("occupied");
	struct issuer_plan p = { .root = true, .folder = path, .name = "x", .subject = "/CN=x", .key = "ec-p256",
		.days = 10, .cdp = "", .now = now() };

	(void)state;
	pki_openssl("old", "ec", 1);
	o = pki_open("old", "old/openssl.cnf");
	assert_int_equal(issuer_judge(o.cert, NULL, now(), &e), 0);
	cert_fingerprint(o.cert, fingerprint);
	cert_spki(X509_get_X509_PUBKEY(o.cert), spki);
	refuse = json_pack("[{s:s}]", "fingerprint", fingerprint);
	judged("old/ca.crt", refuse, "is the compromised certificate itself");
	json_decref(refuse);
	/* another certificate on the same key */
	pki_must("openssl req -x509 -config old/openssl.cnf -key old/private/ca.key -subj /CN=Renamed -days 10 -out re.crt "
	         "-addext basicConstraints=critical,CA:TRUE");
	refuse = json_pack("[{s:s,s:s}]", "fingerprint", fingerprint, "spki", spki);
	judged("re.crt", refuse, "uses the compromised key");
	json_decref(refuse);
	judged("old/newcerts/1000.pem", NULL, "not a CA certificate");
	pki_must("openssl req -x509 -config old/openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k "
	         "-subj /CN=nosign -days 10 -out ns.crt -addext basicConstraints=critical,CA:TRUE -addext keyUsage=cRLSign");
	judged("ns.crt", NULL, "not a CA certificate");
	assert_int_equal(issuer_judge(o.cert, NULL, now() + 4000LL * 86400000, &e), ERR_REFUSED);
	assert_non_null(strstr(e.text, "has expired"));
	pki_close(&o);
	/* requests that cannot be */
	pki_must("mkdir occupied; echo x > occupied/thesis.txt");
	make(&p, ERR_REFUSED);
	p.folder = "relative";
	make(&p, ERR_USAGE);
	p.folder = "/tmp/$(id)";
	make(&p, ERR_USAGE);
	free(path);
	p.folder = path = folder("fresh");
	p.subject = "CN=x";
	make(&p, ERR_USAGE);
	p.subject = "/XX=x";
	make(&p, ERR_USAGE);
	p.subject = "/CN=x";
	p.key = "rsa-512";
	make(&p, ERR_USAGE);
	p.key = "ec-p256";
	p.cdp = "http://x/$HOME";
	make(&p, ERR_USAGE);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain), cmocka_unit_test(test_twice), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_easyrsa), cmocka_unit_test(test_root), cmocka_unit_test(test_intermediate),
		cmocka_unit_test(test_judge),
	};

	return cmocka_run_group_tests_name("issue", tests, pki_folder, pki_folder_drop);
}
