/* CA directories: openssl.cnf as people write it, easy-rsa, keys that do not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "pki/cert.h"
#include "pki/check.h"
#include "pki_seam.h"

static void test_expansion(void **state)
{
	struct err e = { 0 };
	struct ca *ca;

	(void)state;
	pki_write("a.cnf", "HOME = .\n[ca]\ndefault_ca = CA_default\n[CA_default]\ndir = /srv/pki\n"
	                   "sub = ${dir}/sub\ndatabase = $sub/index.txt\ncertificate = $dir/ca.crt\n"
	                   "private_key = $dir/private/ca.key # a comment\nserial = $dir/serial\n"
	                   "crlnumber = $dir/crlnumber\nnew_certs_dir = $dir/newcerts\ndefault_md = sha384\n"
	                   "default_days = 90\nunique_subject = no\npolicy = p\nrand_serial = yes\n[p]\n"
	                   "[other]\ndatabase = rel/index.txt\ncertificate = ./ca.crt\nprivate_key = ca.key\n");
	ca = ca_load("a", "Title", "a.cnf", NULL, NULL, &e);
	assert_non_null(ca);
	assert_string_equal(ca->database, "/srv/pki/sub/index.txt");
	assert_string_equal(ca->attr, "/srv/pki/sub/index.txt.attr");
	assert_string_equal(ca->private_key, "/srv/pki/private/ca.key");
	assert_string_equal(ca->crlnumber, "/srv/pki/crlnumber");
	assert_string_equal(ca->default_md, "sha384");
	assert_int_equal(ca->default_days, 90);
	assert_false(ca->unique_subject);
	assert_true(ca->rand_serial);
	assert_false(ca->crlnumber_own);
	ca_free(ca);
	ca = ca_load("a", NULL, "a.cnf", "other", "/dev/shm/other.key", &e);
	assert_non_null(ca);
	assert_string_equal(ca->database, "./rel/index.txt");
	assert_string_equal(ca->certificate, "./ca.crt");
	assert_string_equal(ca->private_key, "/dev/shm/other.key");
	assert_true(ca->unique_subject); /* openssl's default */
	assert_true(ca->crlnumber_own);
	assert_string_equal(ca->title, "a");
	ca_free(ca);
}

/* Where the folders are that openssl would be called in. */
static void test_layouts(void **state)
{
	static const char conf[] = "[ca]\ndefault_ca = c\n[c]\ndir = %s\ndatabase = $dir/index.txt\ncertificate = $dir/ca.crt\n"
	                           "private_key = $dir/ca.key\nserial = $dir/serial\n";
	static const struct {
		const char *make, *config, *dir, *database;
	} layout[] = {
		/* openssl-ca(1): called above demoCA, the file there or in it */
		{ "mkdir -p l/demoCA && : > l/demoCA/index.txt", "l/openssl.cnf", "./demoCA", "l/demoCA/index.txt" },
		{ "true", "l/demoCA/openssl.cnf", "./demoCA", "l/demoCA/index.txt" },
		{ "true", "l/demoCA/openssl.cnf", ".", "l/demoCA/index.txt" },
		/* called above etc/ */
		{ "mkdir -p l/etc l/ca/db && : > l/ca/db/index.txt", "l/etc/root.conf", "ca/db", "l/ca/db/index.txt" },
		{ "mkdir -p l/radius && : > l/radius/index.txt", "l/radius/ca.cnf", "./", "l/radius/index.txt" },
		{ "true", "l/radius/ca.cnf", ".//.", "l/radius/index.txt" },
		{ "mkdir -p 'l/a b/c d' && : > 'l/a b/c d/index.txt'", "l/a b/openssl.cnf", "./c d", "l/a b/c d/index.txt" },
	};
	struct err e = { 0 };
	struct ca *ca;

	(void)state;
	for (size_t i = 0; i < sizeof layout / sizeof layout[0]; i++) {
		char *text = mem_printf(conf, layout[i].dir);

		pki_must("%s", layout[i].make);
		pki_write(layout[i].config, text);
		ca = ca_load("l", NULL, layout[i].config, NULL, NULL, &e);
		assert_non_null(ca);
		pki_must("test '%s' -ef '%s'", ca->database, layout[i].database);
		assert_int_equal(strncmp(ca->serial, ca->database, strlen(ca->database) - strlen("index.txt")), 0);
		ca_free(ca);
		free(text);
	}
}

static void test_found(void **state)
{
	struct err e = { 0 };
	struct ca *ca;

	(void)state;
	/* what is included lies beside the file, and the environment is left as it was */
	pki_must("mkdir -p inc && printf '.include part.cnf\\n[ca]\\ndefault_ca = c\\n' > inc/openssl.cnf && "
	         "printf '[c]\\ndatabase = i\\ncertificate = c\\nprivate_key = k\\n' > inc/part.cnf");
	ca = ca_load("i", NULL, "inc/openssl.cnf", NULL, NULL, &e);
	assert_non_null(ca);
	assert_string_equal(ca->database, "inc/i");
	assert_null(getenv("OPENSSL_CONF_INCLUDE"));
	ca_free(ca);
	/* CA.pl: demoCA in a folder that openssl is called in with its own configuration */
	pki_must("mkdir -p called/demoCA bare && : > called/demoCA/index.txt");
	pki_write("own.cnf", "[ca]\ndefault_ca = c\n[c]\ndir = ./demoCA\ndatabase = $dir/index.txt\ncertificate = $dir/cacert.pem\n"
	                     "private_key = $dir/private/cakey.pem\n");
	setenv("OPENSSL_CONF", "own.cnf", 1);
	for (int i = 0; i < 2; i++) {
		ca = ca_load("c", NULL, i == 0 ? "called" : "called/demoCA", NULL, NULL, &e);
		assert_non_null(ca);
		pki_must("test '%s' -ef called/demoCA/index.txt", ca->database);
		assert_string_equal(ca->config, "own.cnf");
		ca_free(ca);
	}
	assert_null(ca_load("c", NULL, "bare", NULL, NULL, &e));
	assert_non_null(strstr(e.text, "bare: neither"));
	pki_write("own.cnf", "[ca]\ndefault_ca = c\n[c]\ndatabase = /etc/passwd\ncertificate = c\nprivate_key = k\n");
	assert_null(ca_load("c", NULL, "bare", NULL, NULL, &e)); /* another CA's, wherever it is called */
	unsetenv("OPENSSL_CONF");
	/* easy-rsa 2 kept everything in keys/ */
	pki_must("mkdir -p two/keys && cd two/keys && : > index.txt && : > ca.crt && : > ca.key && echo 01 > serial");
	ca = ca_load("two", NULL, "two", NULL, NULL, &e);
	assert_non_null(ca);
	assert_string_equal(ca->private_key, "two/keys/ca.key");
	assert_string_equal(ca->new_certs_dir, "two/keys");
	assert_false(ca->rand_serial);
	ca_free(ca);
}

static void error_is(const char *text, const char *section, const char *what)
{
	struct err e = { 0 };

	pki_write("bad.cnf", text);
	assert_null(ca_load("b", NULL, "bad.cnf", section, NULL, &e));
	if (strstr(e.text, what) == NULL)
		print_message("%s\n", e.text);
	assert_non_null(strstr(e.text, what));
	assert_non_null(strstr(e.text, "bad.cnf"));
}

static void test_errors(void **state)
{
	struct err e = { 0 };

	(void)state;
	error_is("", NULL, "no 'default_ca'");
	error_is("[ca]\ndefault_ca = x\n", NULL, "no section [x]");
	error_is("[ca]\ndefault_ca = x\n[x]\ndir = .\n", NULL, "no 'database'");
	error_is("[x]\ndatabase = i\n", "x", "no 'certificate'");
	error_is("[x]\ndatabase = i\ncertificate = c\n", "x", "no 'private_key'");
	error_is("[x\ndatabase", NULL, "line 1");
	error_is("[x]\ndatabase = $nothing/i\n", "x", "line 2");
	error_is("[x]\ndir = $ENV::SEV1_NO_SUCH_VARIABLE\n", "x", "line 2: SEV1_NO_SUCH_VARIABLE is not set in the environment");
	error_is("[x]\ndir = /x\nn = $ENV::HOME${ENV::SEV1_NO_SAN}/y\n[y]\n", "x", "line 3: SEV1_NO_SAN is not set");
	error_is("# $ENV::SEV1_NO_SAN\n[x]\ndir = $ENV::HOME$none\n", "x", "line 3: not an OpenSSL configuration");
	assert_null(ca_load("b", NULL, "no.cnf", NULL, NULL, &e));
	assert_non_null(strstr(e.text, "no.cnf"));
	pki_must("mkdir empty");
	assert_null(ca_load("b", NULL, "empty", NULL, NULL, &e));
	assert_int_equal(e.code, ERR_NOTFOUND);
	assert_true(e.remedy[0] != '\0');
}

static void test_attr(void **state)
{
	struct err e = { 0 };
	struct ca *ca;

	(void)state;
	pki_write("attr.cnf", "[ca]\ndefault_ca = x\n[x]\ndatabase = at/index.txt\ncertificate = c\n"
	                      "private_key = k\nunique_subject = no\n");
	pki_must("mkdir at; : > at/index.txt; echo 'unique_subject = yes' > at/index.txt.attr");
	ca = ca_load("a", NULL, "attr.cnf", NULL, NULL, &e);
	assert_non_null(ca);
	assert_true(ca->unique_subject); /* the file before the configuration, as openssl has it */
	ca_free(ca);
}

static void test_easyrsa(void **state)
{
	struct err e = { 0 };
	struct ca *ca;
	X509 *x;

	(void)state;
	pki_easyrsa("easy", 1);
	for (int i = 0; i < 2; i++) { /* the folder above is understood too */
		ca = ca_load("e", NULL, i == 0 ? "easy/pki/" : "easy", NULL, NULL, &e);
		assert_non_null(ca);
		assert_true(ca->easyrsa);
		assert_true(ca->crlnumber_own);
		assert_false(ca->unique_subject);
		assert_string_equal(ca->database, "easy/pki/index.txt");
		x = ca_certificate(ca, &e);
		assert_non_null(x);
		assert_true(cert_is_ca(x));
		X509_free(x);
		ca_free(ca);
	}
}

/* vars in the pki folder goes before the one above it, the environment before both; the first set_var counts. */
static void test_easyrsa_vars(void **state)
{
	static const struct {
		const char *pki, *above, *env, *md;
		bool rand;
	} v[] = {
		{ "", "", NULL, "sha256", true },
		{ "", "set_var EASYRSA_DIGEST \"sha512\"\n", NULL, "sha512", true },
		{ "set_var EASYRSA_DIGEST\t'sha384' # as agreed\n", "set_var EASYRSA_DIGEST \"sha512\"\n", NULL, "sha384", true },
		{ "#set_var EASYRSA_DIGEST \"sha512\"\nset_var EASYRSA_DIGESTS \"md5\"\n", "", NULL, "sha256", true },
		{ "  set_var EASYRSA_DIGEST sha384\r\nset_var EASYRSA_DIGEST sha512\n", "", NULL, "sha384", true },
		{ "set_var EASYRSA_DIGEST \"sha512\"\n", "", "sha224", "sha224", true },
		{ "set_var EASYRSA_RAND_SN \"no\"\n", "", NULL, "sha256", false },
	};
	struct err e = { 0 };
	struct ca *ca;

	(void)state;
	pki_must("mkdir -p vars/pki/private && : > vars/pki/index.txt && : > vars/pki/ca.crt");
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		pki_write("vars/pki/vars", v[i].pki);
		pki_write("vars/vars", v[i].above);
		if (v[i].env != NULL)
			setenv("EASYRSA_DIGEST", v[i].env, 1);
		ca = ca_load("v", NULL, "vars/pki", NULL, NULL, &e);
		unsetenv("EASYRSA_DIGEST");
		assert_non_null(ca);
		assert_string_equal(ca->default_md, v[i].md);
		assert_int_equal(ca->rand_serial, v[i].rand);
		ca_free(ca);
	}
}

static bool has_finding(const json_t *o, const char *level, const char *what)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_list(o, "findings"), i, v)
		if (strcmp(json_str(v, "level"), level) == 0 && strstr(json_str(v, "what"), what) != NULL)
			return true;
	return false;
}

static void test_check(void **state)
{
	struct opened o;
	json_t *found;

	(void)state;
	pki_openssl("good", "rsa", 2);
	o = pki_open("good", "good/openssl.cnf");
	found = check_ca(o.ca, true, false, (int64_t)time(NULL) * 1000);
	assert_true(has_finding(found, "ok", "belongs to the certificate and signs"));
	assert_true(has_finding(found, "ok", "2 valid, 0 expired, 0 revoked"));
	assert_true(has_finding(found, "ok", "next CRL number is 01"));
	assert_false(has_finding(found, "fail", ""));
	assert_int_equal(json_array_size(json_list(found, "cdps")), 1);
	assert_string_equal(json_string_value(json_array_get(json_list(found, "cdps"), 0)),
	    "http://crl.example.com/good.crl");
	assert_true(json_bool(found, "self_signed"));
	json_decref(found);

	/* a key in DER, a certificate with trust settings: openssl ca takes them */
	pki_must("cp -r good other.good; cd good; openssl pkey -in private/ca.key -outform DER -out k && mv k private/ca.key; "
	         "openssl x509 -in ca.crt -trustout -out c && mv c ca.crt; openssl ca -gencrl -config openssl.cnf -out x.pem; "
	         "printf 'R\\t291231235959Z\\t20260101000000Z\\t20\\tunknown\\t/CN=a\\nR\\t291231235959Z\\t260101000000Z,aACompromise\\t21\\t"
	         "unknown\\t/CN=b\\n' >> index.txt");
	found = check_ca(o.ca, true, false, (int64_t)time(NULL) * 1000);
	assert_true(has_finding(found, "ok", "belongs to the certificate and signs"));
	assert_true(has_finding(found, "warn", "index.txt: line 3: openssl ca does not take this revocation, though sev1 does (2 "));
	json_decref(found);
	pki_must("openssl ca -gencrl -config good/openssl.cnf -out good/x.pem && exit 1; rm -r good; mv other.good good");
	pki_close(&o);
}

static void test_check_configuration(void **state)
{
	static const struct {
		const char *config, *level, *what;
	} odd[] = {
		{ "good/ext.cnf", "fail", "good/ext.cnf: there is no section [nowhere]" },
		{ "good/md5.cnf", "fail", "a CRL signed now would not be published: its signature uses a broken digest: md5" },
		{ "good/nc.cnf", "warn", "good/nc.cnf: [CA_default] has no 'new_certs_dir'" },
	};
	struct err e = { 0 };
	json_t *found;
	struct ca *ca;

	(void)state;
	/* what crl_extensions asks for and no CRL can have, a digest that is broken */
	pki_must("sed 's/^policy = pol/policy = pol\\ncrl_extensions = nowhere/' good/openssl.cnf > good/ext.cnf; "
	         "sed 's/^default_md.*/default_md = md5/' good/openssl.cnf > good/md5.cnf; sed '/new_certs_dir/d' good/openssl.cnf > good/nc.cnf");
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		ca = ca_load("good", NULL, odd[i].config, NULL, NULL, &e);
		found = check_ca(ca, true, false, (int64_t)time(NULL) * 1000);
		assert_true(has_finding(found, odd[i].level, odd[i].what));
		json_decref(found);
		ca_free(ca);
	}
}

static void test_check_broken(void **state)
{
	struct opened o;
	json_t *found;

	(void)state;
	/* another CA's key, garbage in crlnumber, a malformed row: each is named */
	pki_openssl("other", "ec", 0);
	o = pki_open("good", "good/openssl.cnf");
	pki_must("cp other/private/ca.key good/private/ca.key; echo xyz > good/crlnumber; echo junk >> good/index.txt");
	found = check_ca(o.ca, true, false, (int64_t)time(NULL) * 1000);
	assert_true(has_finding(found, "fail", "does not belong to the certificate"));
	assert_true(has_finding(found, "fail", "\"xyz\" is not a CRL number"));
	assert_true(has_finding(found, "fail", "line 3 cannot be read"));
	json_decref(found);
	pki_close(&o);
}

static void test_check_secret(void **state)
{
	struct err e = { 0 };
	json_t *found;
	struct ca *ca;

	(void)state;
	/* a key that wants a secret is not tried where nobody may be asked; a URI that names no key */
	pki_must("openssl pkey -in other/private/ca.key -aes256 -passout pass:secret -out other/enc.key");
	pki_must("sed 's,private_key.*,private_key = $dir/enc.key,' other/openssl.cnf > other/enc.cnf");
	ca = ca_load("enc", NULL, "other/enc.cnf", NULL, NULL, &e);
	found = check_ca(ca, true, false, 0);
	assert_true(has_finding(found, "warn", "not tried: it wants its passphrase"));
	json_decref(found);
	found = check_ca(ca, true, true, 0); /* nobody is there */
	assert_true(has_finding(found, "fail", "is encrypted, and nobody can be asked"));
	json_decref(found);
	ca_free(ca);
	ca = ca_load("hsm", NULL, "other/openssl.cnf", NULL, "pkcs11:token=x", &e);
	found = check_ca(ca, true, false, 0);
	assert_true(has_finding(found, "fail", "names no key"));
	json_decref(found);
	ca_free(ca);
	pki_must("sed 's/^private_key.*/private_key = engine:pkcs11:object=x?pin-value=1234/' other/openssl.cnf >other/engine.cnf");
	assert_null(ca_load("hsm", NULL, "other/engine.cnf", NULL, NULL, &e));
	assert_non_null(strstr(e.text, "engine.cnf: something stands before the pkcs11: URI"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expansion), cmocka_unit_test(test_layouts), cmocka_unit_test(test_found), cmocka_unit_test(test_errors), cmocka_unit_test(test_attr),
		cmocka_unit_test(test_easyrsa), cmocka_unit_test(test_easyrsa_vars), cmocka_unit_test(test_check), cmocka_unit_test(test_check_configuration),
		cmocka_unit_test(test_check_broken), cmocka_unit_test(test_check_secret),
	};

	return cmocka_run_group_tests_name("ca", tests, pki_folder, pki_folder_drop);
}
