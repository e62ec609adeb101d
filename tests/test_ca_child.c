/* The CA child's operations, spoken to as the console does: scope over a hierarchy, plan, revoke, crl, issue. */
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
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "child/serve.h"
#include "pki_seam.h"
#include "serve_seam.h"

static json_t *request_of(const char *name, const char *parent)
{
	char *config = mem_printf("%s/%s/openssl.cnf", pki_here(), name);
	json_t *o = json_pack("{s:s,s:s,s:s,s:b}", "name", name, "title", name, "config", config, "all", 1);

	if (parent != NULL)
		json_object_set_new(o, "parent", json_string(parent));
	free(config);
	return o;
}

/* A root, an issuing CA below it with three certificates, and one that the root did not issue. */
static int setup(void **state)
{
	if (pki_folder(state) != 0)
		return -1;
	seam_reset();
	pki_openssl("root", "rsa", 1);
	pki_openssl("sub", "ec", 0);
	pki_openssl("stranger", "ec", 0);
	pki_must("openssl req -new -key sub/private/ca.key -subj '/C=DE/CN=sub CA' -config sub/openssl.cnf -out sub.csr && "
	         "printf 'basicConstraints=critical,CA:TRUE,pathlen:0\\nsubjectKeyIdentifier=hash\\n"
	         "keyUsage=keyCertSign,cRLSign\\n' > sub.ext && "
	         "openssl ca -batch -notext -config root/openssl.cnf -in sub.csr -extfile sub.ext -out sub/ca.crt");
	pki_must("openssl ecparam -name prime256v1 -genkey -noout -out leaf.key; for i in 1 2 3; do "
	         "openssl req -new -key leaf.key -subj /CN=web$i.example.com -config sub/openssl.cnf -out leaf.csr && "
	         "openssl ca -batch -notext -config sub/openssl.cnf -in leaf.csr -out leaf.crt || exit 1; done");
	return 0;
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

static json_t *scope_request(const char *level, json_t *cas, json_t *parents)
{
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:{}}", "op", "scope", "level", level, "folder", pki_here(), "cas", cas,
	    "parents", parents, "selectors");
}

static void test_count(void **state)
{
	json_t *none = json_pack("{s:s,s:s}", "name", "none", "config", "/no/such.cnf");
	json_t *r = ask(json_pack("{s:s,s:[o,o]}", "op", "count", "cas", request_of("sub", NULL), none), 0, NULL);

	(void)state;
	assert_int_equal(json_num(seam_find("count", 0), "valid", -1), 3);
	assert_string_equal(json_str(seam_find("count", 0), "subject"), "/CN=sub CA");
	assert_string_equal(json_str(seam_find("count", 0), "error"), "");
	assert_non_null(strstr(json_str(seam_find("count", 1), "error"), "/no/such.cnf"));
	json_decref(r);
}

static void test_scope(void **state)
{
	json_t *r = ask(scope_request("intermediate", json_pack("[o]", request_of("sub", "root")),
	                    json_pack("[o]", request_of("root", NULL))), 0, NULL);
	json_t *own = json_array_get(json_list(r, "own"), 0), *again;
	char *overall = pki_read("overall.manifest"), hash[DIGEST_HEX];

	(void)state;
	assert_int_equal(json_num(r, "count", 0), 4);
	assert_string_equal(json_str(own, "ca"), "sub");
	assert_string_equal(json_str(own, "issuer"), "root");
	assert_string_equal(json_str(own, "serial"), "1001");
	digest_of(overall, strlen(overall), hash);
	assert_string_equal(json_str(r, "manifest"), hash);
	assert_non_null(strstr(overall, "own sub root 1001\n"));
	free(overall);
	/* the same again has the same hash */
	again = ask(scope_request("intermediate", json_pack("[o]", request_of("sub", "root")),
	                json_pack("[o]", request_of("root", NULL))), 0, NULL);
	assert_string_equal(json_str(r, "manifest"), json_str(again, "manifest"));
	json_decref(again);
	json_decref(r);
	/* the whole hierarchy: the sub-CA is a row of the root, as cACompromise, and not listed twice */
	r = ask(scope_request("root", json_pack("[o,o]", request_of("root", NULL), request_of("sub", "root")),
	            json_array()), 0, NULL);
	assert_int_equal(json_num(r, "count", 0), 5);
	assert_int_equal(json_array_size(json_list(r, "own")), 0);
	pki_must("grep '^1001 cACompromise$' root.manifest && grep '^1000 keyCompromise$' root.manifest");
	json_decref(r);
}

static json_t *scope_sub(int code, const char *what)
{
	return ask(scope_request("intermediate", json_pack("[o]", request_of("sub", "root")),
	    json_pack("[o]", request_of("root", NULL))), code, what);
}

/* A sub-CA that was renewed on its key has two certificates to be revoked; one on a new key is not concerned. */
static void test_scope_renewed(void **state)
{
	json_t *r;

	(void)state;
	pki_must("cp -rp root kept; "
	         "ca() { openssl ca -batch -notext -config root/openssl.cnf -in $1 -extfile sub.ext -out again.crt; }; "
	         "ca sub.csr && openssl ecparam -name prime256v1 -genkey -noout -out new.key && "
	         "openssl req -new -key new.key -subj '/C=DE/CN=sub CA' -config sub/openssl.cnf -out new.csr && ca new.csr");
	r = scope_sub(0, NULL);
	assert_int_equal(json_num(r, "count", 0), 5);
	assert_string_equal(json_str(json_array_get(json_list(r, "own"), 1), "serial"), "1002");
	pki_must("grep '^own sub root 1001$' overall.manifest && grep '^own sub root 1002$' overall.manifest");
	json_decref(r);
	pki_must("mv root/newcerts/1003.pem away.pem");
	scope_sub(ERR_REFUSED, "root/index.txt: serial 1003 has the subject of the compromised CA");
	pki_must("mv away.pem root/newcerts/1003.pem; openssl ca -config root/openssl.cnf -revoke root/newcerts/1003.pem && "
	         "openssl ca -config root/openssl.cnf -revoke sub/ca.crt && rm root/newcerts/100[013].pem");
	r = scope_sub(0, NULL);
	assert_int_equal(json_array_size(json_list(r, "own")), 1);
	assert_string_equal(json_str(json_array_get(json_list(r, "own"), 0), "serial"), "1002");
	json_decref(r);
	pki_must("rm -r root && mv kept root");
}

static void test_scope_refused(void **state)
{
	(void)state;
	ask(scope_request("intermediate", json_pack("[o]", request_of("sub", "stranger")),
	        json_pack("[o]", request_of("stranger", NULL))), ERR_REFUSED, "was not issued by stranger");
	pki_must("cp root/index.txt keep; sed -i '/\\t1001\\t/d' root/index.txt");
	ask(scope_request("intermediate", json_pack("[o]", request_of("sub", "root")),
	        json_pack("[o]", request_of("root", NULL))), ERR_REFUSED, "no row for serial 1001");
	pki_must("cp keep root/index.txt; cp sub/index.txt keep; echo junk >> sub/index.txt");
	ask(scope_request("end-entity", json_pack("[o]", request_of("sub", "root")), json_array()), ERR_REFUSED,
	    "sub/index.txt: line 4 cannot be read");
	pki_must("cp keep sub/index.txt");
	ask(scope_request("root", json_array(), json_array()), ERR_USAGE, "no CA is concerned");
}

/* The sub-CA's own certificate on the root's CRL, as the console asks for it. */
static void test_own(void **state)
{
	char *path = mem_printf("%s/own.manifest", pki_here()), *crls = mem_printf("%s/crls", pki_here());
	int64_t stamp = (int64_t)time(NULL) * 1000;
	json_t *r, *plan, *crl;

	(void)state;
	ask(json_pack("{s:s,s:o,s:s,s:s,s:[s],s:s}", "op", "plan", "ca", request_of("root", NULL), "path", path, "folder",
	        crls, "serials", "77", "reason", "cACompromise"), ERR_REFUSED, "not every CA certificate");
	plan = ask(json_pack("{s:s,s:o,s:s,s:s,s:[s],s:s,s:I}", "op", "plan", "ca", request_of("root", NULL), "path", path,
	               "folder", crls, "serials", "1001", "reason", "cACompromise", "stamp", (json_int_t)stamp), 0, NULL);
	assert_int_equal(json_num(plan, "planned", 0), 1);
	assert_string_equal(json_str(json_object_get(plan, "first"), "serial"), "1001");
	r = ask(json_pack("{s:s,s:o,s:s,s:s,s:s,s:I,s:I,s:i}", "op", "revoke", "ca", request_of("root", NULL), "path", path,
	            "folder", crls, "manifest", json_str(plan, "manifest"), "stamp", (json_int_t)stamp, "since",
	            (json_int_t)1790000000000LL, "hours", 5), 0, NULL);
	crl = json_object_get(r, "crl");
	assert_int_equal(json_num(r, "revoked", 0), 1);
	assert_int_equal(json_num(crl, "next_update", 0) - json_num(crl, "this_update", 0), 5 * 3600000);
	assert_string_equal(json_string_value(seam_find("stage", 0)), "check");
	assert_string_equal(json_string_value(seam_find("stage", 4)), "verify");
	pki_must("openssl crl -inform DER -in %s -noout -text > own.txt && grep 'CA Compromise' own.txt && "
	         "grep 'Sep 21 14:13:20 2026' own.txt && test $(grep -c 'Serial Number:' own.txt) = 1", json_str(crl, "der"));
	pki_must("cat root/ca.crt %s > both; openssl verify -crl_check -CAfile both sub/ca.crt; test $? -ne 0",
	    json_str(crl, "pem"));
	json_decref(plan);
	json_decref(r);
	free(path);
	free(crls);
}

static json_t *lines; /* what is still to be sent */

static json_t *next_line(int *end)
{
	json_t *msg = json_incref(json_array_get(lines, 0));

	json_array_remove(lines, 0);
	*end = msg == NULL;
	return msg;
}

static void test_issue(void **state)
{
	char *csr;
	json_t *r;

	(void)state;
	pki_must("openssl req -new -key leaf.key -subj /CN=web1.example.com -config sub/openssl.cnf -out leaf.csr");
	csr = pki_read("leaf.csr");
	lines = json_pack("[{s:s,s:s,s:[s]},{s:s,s:s,s:[s]},{s:s,s:s,s:[s]},{s:s,s:s}]", "id", "a", "csr", csr, "names",
	    "web1.example.com", "id", "b", "csr", csr, "names", "web2.example.com", "id", "c\033[2J", "csr", "\033[2J",
	    "names", "x", "id", "d", "csr", csr);
	seam_next = next_line;
	r = ask(json_pack("{s:s,s:o,s:i,s:I}", "op", "issue", "ca", request_of("sub", NULL), "days", 7, "since",
	            (json_int_t)time(NULL) * 1000), 0, NULL);
	json_decref(r);
	assert_string_equal(json_str(seam_find("issued", 0), "id"), "a");
	assert_non_null(strstr(json_str(seam_find("issued", 0), "chain"), "BEGIN CERTIFICATE"));
	assert_null(seam_find("issued", 1));
	assert_string_equal(json_str(seam_find("refused", 0), "id"), "b");
	assert_non_null(strstr(json_str(seam_find("refused", 0), "text"), "another name"));
	assert_string_equal(json_str(seam_find("refused", 1), "id"), "c\\x1B[2J");
	assert_non_null(strstr(json_str(seam_find("refused", 2), "text"), "no name"));
	pki_write("issued.crt", json_str(seam_find("issued", 0), "certificate"));
	pki_must("cat root/ca.crt > roots; openssl verify -CAfile roots -untrusted sub/ca.crt issued.crt");
	json_decref(lines);
	lines = NULL;
	seam_next = NULL;
	free(csr);
	r = ask(json_pack("{s:s,s:o,s:[{s:s}]}", "op", "issue", "ca", request_of("sub", NULL), "refuse", "spki", "00"), 0, NULL);
	json_decref(r);
}

/* One request with the certificate that is said to be in place; the refusal, or "" where it was issued. */
static const char *in_place(const char *certificate)
{
	char *csr = pki_read("place.csr"), *old = pki_read(certificate), *both = mem_printf("%s%s", csr, old);
	const char *text;

	lines = json_pack("[{s:s,s:s,s:[s]}]", "id", "a", "csr", both, "names", "web1.example.com");
	seam_next = next_line;
	json_decref(ask(json_pack("{s:s,s:o,s:i,s:[o,o]}", "op", "issue", "ca", request_of("sub", NULL), "days", 7, "known",
	                    request_of("sub", NULL), request_of("root", NULL)), 0, NULL));
	seam_next = NULL;
	json_decref(lines);
	lines = NULL;
	free(csr);
	free(old);
	free(both);
	text = seam_find("refused", 0) != NULL ? json_str(seam_find("refused", 0), "text") : "";
	if (seam_find("issued", 0) != NULL)
		pki_write("placed.crt", json_str(seam_find("issued", 0), "certificate"));
	return text;
}

/* Names are those of the certificate in place, if one of our CAs gave it to this host. */
static void test_in_place(void **state)
{
	(void)state;
	pki_must("cat > place.ext <<E\nsubjectAltName=DNS:www.example.com,DNS:web1.example.com,IP:192.0.2.7,email:a@b.c\nE\n"
	         "echo 'subjectAltName=DNS:bank.example' > bank.ext; echo 'basicConstraints=CA:FALSE' > none.ext; "
	         "openssl req -new -key leaf.key -subj /CN=web1.example.com -config sub/openssl.cnf -out place.csr && "
	         "for n in place bank none; do openssl ca -batch -notext -config sub/openssl.cnf -in place.csr -extfile $n.ext "
	         "-out $n.crt || exit 1; done; openssl ca -batch -notext -config stranger/openssl.cnf -in place.csr "
	         "-extfile place.ext -out strange.crt && sed 's/^MII/MIJ/' place.crt > broken.crt && : > empty.crt");
	assert_string_equal(in_place("place.crt"), "");
	pki_must("openssl x509 -in placed.crt -noout -ext subjectAltName | tr -d ' \n' | "
	         "grep 'DNS:www.example.com,DNS:web1.example.com,IPAddress:192.0.2.7$'");
	assert_non_null(strstr(in_place("bank.crt"), "not one for web1.example.com"));
	assert_non_null(strstr(in_place("strange.crt"), "not issued by a CA of the configuration"));
	assert_non_null(strstr(in_place("none.crt"), "not one for web1.example.com")); /* its CN is no name */
	assert_non_null(strstr(in_place("broken.crt"), "no certificate is in place"));
	assert_non_null(strstr(in_place("empty.crt"), "no certificate is in place"));
}

static void test_unknown(void **state)
{
	(void)state;
	ask(json_pack("{s:s}", "op", "format-disk"), ERR_USAGE, "format-disk");
	ask(json_object(), ERR_USAGE, "no operation");
	ask(json_pack("{s:s,s:i}", "op", "check", "ca", 7), ERR_USAGE, "names no CA");
	ask(json_pack("{s:s,s:o,s:s}", "op", "crl", "ca", request_of("sub", NULL), "folder", "relative"), ERR_USAGE,
	    "absolute");
}

static int drop(void **state)
{
	json_decref(seam_said);
	seam_said = NULL;
	return pki_folder_drop(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count), cmocka_unit_test(test_scope), cmocka_unit_test(test_scope_renewed),
		cmocka_unit_test(test_scope_refused),
		cmocka_unit_test(test_own), cmocka_unit_test(test_issue), cmocka_unit_test(test_in_place), cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests_name("ca_child", tests, setup, drop);
}
