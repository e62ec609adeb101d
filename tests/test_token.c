/* Keys that need a secret: on a real SoftHSM2 token, and in encrypted files. The CA child's operations are spoken to
 * as the console does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "child/serve.h"
#include "pki/token_uri.h"
#include "pki_seam.h"
#include "serve_seam.h"
#include "token_seam.h"

static const char *secret; /* what the operator types; NULL: nothing */
static int asked;

static json_t *answer(const char *member)
{
	asked++;
	return secret != NULL ? json_pack("{s:s}", member, secret)
	                      : json_pack("{s:{s:s,s:s}}", "refused", "text", "nobody there", "remedy", "call somebody");
}

static int setup(void **state)
{
	if (pki_folder(state) != 0)
		return -1;
	token_make();
	seam_reset();
	seam_answer = answer;
	pki_openssl("rsa", "rsa", 2);
	pki_openssl("ec", "ec", 3);
	pki_openssl("file", "rsa", 1);
	token_import("rsa");
	token_import("ec");
	return 0;
}

static struct err why; /* of the last ask() */

/* A process of its own for each operation, as in life: a PKCS#11 library and its engine start once. What it said, and
 * how it ended, comes back through a file. */
static void ask_in_child(const json_t *request)
{
	json_t *result = NULL;
	int rc = ca_child(request, &result, &why);
	json_t *all = json_pack("{s:i,s:s,s:s,s:i,s:O,s:o}", "rc", rc, "text", why.text, "remedy", why.remedy, "asked", asked,
	    "said", seam_said, "result", result != NULL ? result : json_null());

	_exit(json_dump_file(all, "answer", 0) == 0 ? 0 : 1);
}

/* Run an operation; the result is the caller's, NULL where it failed with code. */
static json_t *ask(json_t *request, const char *typed, int code)
{
	json_t *all, *result;
	int status;
	pid_t pid;

	why = (struct err){ 0 };
	secret = typed;
	asked = 0;
	seam_reset();
	unlink("answer");
	if ((pid = fork()) == 0)
		ask_in_child(request);
	json_decref(request);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_non_null(all = json_load_file("answer", 0, NULL));
	err_set(&why, (int)json_num(all, "rc", 1), "%s", json_str(all, "text"));
	err_remedy(&why, "%s", json_str(all, "remedy"));
	asked = (int)json_num(all, "asked", -1);
	json_decref(seam_said);
	seam_said = json_incref(json_object_get(all, "said"));
	result = json_is_object(json_object_get(all, "result")) ? json_incref(json_object_get(all, "result")) : NULL;
	json_decref(all);
	if (why.code != code)
		print_message("%d: %s\n", why.code, why.text);
	assert_int_equal(why.code, code);
	return result;
}

static void said(const char *what)
{
	if (strstr(why.text, what) == NULL && strstr(why.remedy, what) == NULL)
		print_message("%s | %s\n", why.text, why.remedy);
	assert_true(strstr(why.text, what) != NULL || strstr(why.remedy, what) != NULL);
}

static json_t *crl_request(json_t *ca)
{
	return json_pack("{s:s,s:o,s:s+,s:i}", "op", "crl", "ca", ca, "folder", pki_here(), "/crls", "hours", 24);
}

static void verify_crl(const json_t *result, const char *name)
{
	pki_must("openssl crl -inform DER -in %s -CAfile %s/ca.crt -noout 2>&1 | grep 'verify OK'",
	    json_str(json_object_get(result, "crl"), "der"), name);
}

static void test_crl(void **state)
{
	static const char *const name[] = { "rsa", "ec" };
	json_t *r;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		r = ask(crl_request(token_request(name[i], 1)), TOKEN_PIN, 0);
		verify_crl(r, name[i]);
		json_decref(r);
		assert_int_equal(asked, 1);
		assert_int_equal(token_logins(), 1);
		assert_string_equal(json_string_value(seam_find("secret", 0)), "right");
		assert_string_equal(json_string_value(seam_find("of", 0)), "CA token");
	}
}

static json_t *lines;

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
	pki_must("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout web.key -subj "
	         "/CN=web.example.com -config ec/openssl.cnf -out web.csr");
	csr = pki_read("web.csr");
	lines = json_pack("[{s:s,s:s,s:[s]}]", "id", "a", "csr", csr, "names", "web.example.com");
	seam_next = next_line;
	r = ask(json_pack("{s:s,s:o,s:i}", "op", "issue", "ca", token_request("ec", 0), "days", 7), TOKEN_PIN, 0);
	assert_non_null(seam_find("issued", 0));
	pki_write("issued.crt", json_str(seam_find("issued", 0), "certificate"));
	pki_must("openssl verify -CAfile ec/ca.crt issued.crt");
	json_decref(r);
	json_decref(lines);
	lines = NULL;
	seam_next = NULL;
	free(csr);
}

static json_t *pull_at_second(int *end)
{
	if (json_array_size(lines) == 1)
		token_pull();
	return next_line(end);
}

/* In the middle of issuing: the session ends, and nothing of the batch is in the index. */
static void test_issue_pulled(void **state)
{
	char *csr = pki_read("web.csr");
	int rows = pki_count("ec/index.txt", "V");

	(void)state;
	lines = json_pack("[{s:s,s:s,s:[s]},{s:s,s:s,s:[s]}]", "id", "a", "csr", csr, "names", "web.example.com", "id", "b",
	    "csr", csr, "names", "web.example.com");
	seam_next = pull_at_second;
	ask(json_pack("{s:s,s:o,s:i}", "op", "issue", "ca", token_request("ec", 0), "days", 7), TOKEN_PIN, ERR_FAILED);
	said("the token went away in the middle");
	assert_null(seam_find("issued", 0)); /* both were one batch */
	assert_null(seam_find("refused", 0)); /* it is no server's fault: they may be asked for again */
	token_return();
	assert_int_equal(pki_count("ec/index.txt", "V"), rows);
	json_decref(lines);
	lines = NULL;
	seam_next = NULL;
	free(csr);
}

/* A new intermediate, signed by a key on the token. */
static void test_issuer_new(void **state)
{
	json_t *r = ask(json_pack("{s:s,s:s,s:o,s:s+,s:s,s:s,s:s}", "op", "issuer-new", "mode", "intermediate", "parent",
	                    token_request("rsa", 1), "folder", pki_here(), "/next", "name", "next", "subject", "/CN=Next CA",
	                    "key", "ec-p256"), TOKEN_PIN, 0);

	(void)state;
	assert_int_equal(asked, 1);
	pki_must("openssl verify -CAfile rsa/ca.crt next/ca.crt");
	json_decref(r);
	token_logins();
}

/* One try for one typed PIN, whatever the engine would do; and none where nobody types. */
static void test_wrong_pin(void **state)
{
	(void)state;
	token_logins();
	ask(crl_request(token_request("ec", 1)), "not-it", ERR_REFUSED);
	said("the token CA token refused the PIN; it was tried once");
	said("tries are running out");
	assert_null(strstr(why.text, "not-it"));
	assert_int_equal(token_logins(), 1);
	assert_int_equal(asked, 1);
	assert_string_equal(json_string_value(seam_find("secret", 0)), "wrong");
	/* the next question says so beforehand */
	ask(crl_request(token_request("ec", 1)), NULL, ERR_REFUSED);
	said("nobody there");
	said("call somebody");
	assert_non_null(strstr(json_string_value(seam_find("note", 0)), "tries are running out"));
	assert_int_equal(token_logins(), 0);
	ask(crl_request(token_request("ec", 1)), "1", ERR_REFUSED); /* shorter than any */
	said("refused the PIN");
	assert_int_equal(token_logins(), 1);
	json_decref(ask(crl_request(token_request("ec", 0)), TOKEN_PIN, 0));
}

static json_t *manifest_of(const char *name, char *path)
{
	json_t *r = ask(json_pack("{s:s,s:o,s:s,s:s,s:[s,s],s:s+}", "op", "plan", "ca", token_request(name, 0), "path", path,
	                    "reason", "keyCompromise", "serials", "1000", "1001", "folder", pki_here(), "/crls"), NULL, 0);

	assert_int_equal(asked, 0); /* a plan needs no key */
	return r;
}

static void pull_before_crl(const json_t *msg)
{
	if (strcmp(json_str(msg, "stage"), "crl") == 0)
		token_pull();
}

/* Between the index and the CRL the token is gone: said, and the same run again ends what was begun. */
static void test_pulled(void **state)
{
	char *path = mem_printf("%s/pull.manifest", pki_here());
	int64_t stamp = (int64_t)time(NULL) * 1000;
	json_t *plan = manifest_of("ec", path), *r = NULL;

	(void)state;
	for (int i = 0; i < 3; i++) {
		json_t *request = json_pack("{s:s,s:o,s:s,s:s+,s:s,s:I,s:I,s:i}", "op", "revoke", "ca", token_request("ec", 0),
		    "path", path, "folder", pki_here(), "/crls", "manifest", json_str(plan, "manifest"), "stamp",
		    (json_int_t)stamp, "since", (json_int_t)1790000000000LL, "hours", 24);

		if (i == 0) {
			seam_hear = pull_before_crl;
			ask(request, TOKEN_PIN, ERR_FAILED);
			seam_hear = NULL;
			assert_true(fs_exists("pulled"));
			said("ec: the token went away in the middle (the token CA token is not there");
			said("put it back and run the same again");
			assert_int_equal(pki_count("ec/index.txt", "R"), 2);
		} else if (i == 1) {
			ask(request, TOKEN_PIN, ERR_NOTFOUND);
			said("the token CA token is not there");
			assert_int_equal(asked, 0); /* no PIN for a token that is away */
			token_return();
		} else {
			r = ask(request, TOKEN_PIN, 0);
		}
	}
	assert_int_equal(pki_count("ec/index.txt", "R"), 2);
	assert_int_equal(json_num(json_object_get(r, "crl"), "entries", 0), 2);
	verify_crl(r, "ec");
	json_decref(r);
	json_decref(plan);
	free(path);
}

static const char *key_state(json_t *ca, const char *typed)
{
	static char state[16];
	json_t *r = ask(json_pack("{s:s,s:o}", "op", "key", "ca", ca), typed, 0);

	snprintf(state, sizeof state, "%s", json_str(r, "key"));
	err_set(&why, ERR_FAILED, "%s", json_str(r, "why"));
	json_decref(r);
	return state;
}

static char *odd_module(void)
{
	return mem_printf("%s/tests/odd_token.so", getenv("BUILDDIR") != NULL ? getenv("BUILDDIR") : ".");
}

static json_t *file_request(const char *key)
{
	return json_pack("{s:s,s:s+,s:s+}", "name", "file", "config", pki_here(), "/file/openssl.cnf", "key", pki_here(), key);
}

/* What containment takes for evidence that a key is locked. */
static void test_locked(void **state)
{
	(void)state;
	assert_string_equal(key_state(token_request("rsa", 0), TOKEN_PIN), "signs");
	assert_string_equal(key_state(token_request("rsa", 0), NULL), "unknown");
	pki_must("pkcs11-tool --module %s --token-label 'CA token' --login --pin %s --change-pin --new-pin locked-1",
	    TOKEN_MODULE, TOKEN_PIN);
	assert_string_equal(key_state(token_request("rsa", 0), TOKEN_PIN), "secret");
	pki_must("pkcs11-tool --module %s --token-label 'CA token' --login --pin locked-1 --change-pin --new-pin %s",
	    TOKEN_MODULE, TOKEN_PIN);
	token_pull();
	assert_string_equal(key_state(token_request("rsa", 0), TOKEN_PIN), "dead");
	token_return();
	pki_must("cp -a tokens kept && pkcs11-tool --module %s --token-label 'CA token' --login --pin %s --delete-object "
	         "--type privkey --label rsa", TOKEN_MODULE, TOKEN_PIN);
	assert_string_equal(key_state(token_request("rsa", 0), TOKEN_PIN), "dead");
	said("no such key");
	assert_string_equal(json_string_value(seam_find("secret", 0)), "right");
	pki_must("rm -r tokens && mv kept tokens");
	assert_string_equal(key_state(token_request("rsa", 0), TOKEN_PIN), "signs");
	/* a file */
	assert_string_equal(key_state(file_request("/file/private/ca.key"), NULL), "signs");
	pki_must("mv file/private/ca.key file/away.key");
	assert_string_equal(key_state(file_request("/file/private/ca.key"), NULL), "dead");
	pki_must("head -c 1000 /dev/urandom > file/private/ca.key");
	assert_string_equal(key_state(file_request("/file/private/ca.key"), NULL), "dead");
	pki_must("mv file/away.key file/private/ca.key");
}

/* ---- tokens and keys that are unlike the others ---- */

static json_t *key_request(const char *ca, const char *uri)
{
	json_t *o = token_request(ca, 0);

	json_object_set_new(o, "key", json_string(uri));
	return o;
}

static void pkcs11_tool(const char *token, const char *what)
{
	pki_must("pkcs11-tool --module %s --token-label '%s' --login --pin %s %s", TOKEN_MODULE, token, TOKEN_PIN, what);
}

static void import_to(const char *token, const char *file, const char *label, int id)
{
	pki_must("softhsm2-util --import %s --token '%s' --label %s --id %02d --pin %s", file, token, label, id, TOKEN_PIN);
}

/* Keys as other tokens keep them; each case has a token of its own. The key of CA "lone" is an EC one, in lone.key. */
static void test_keys(void **state)
{
	static const struct {
		const char *key;
		int code;
		const char *says;
	} cases[] = {
		{ "pkcs11:token=bare;object=lone", 0, NULL },  /* no public half on the token */
		{ "pkcs11:token=bare;object=other", ERR_FAILED, "does not belong to the certificate" },
		{ "pkcs11:token=strict;object=lone", 0, NULL }, /* the PIN for each signature, typed once */
		{ "pkcs11:token=twins;object=lone", 0, NULL }, /* two of that label: the certificate chooses */
		{ "pkcs11:token=twins;object=odd", ERR_FAILED, "2 keys on the token twins are called" },
		{ "pkcs11:token=twins;object=lone;id=%01", ERR_FAILED, "does not belong to the certificate" },
		{ "pkcs11:token=twins;object=lone;id=%02", 0, NULL },
		{ "pkcs11:token=twins;id=%02", 0, NULL },
		{ "pkcs11:token=mixed;object=lone", ERR_FAILED, "a token that holds one of the kind EdDSA" },
		{ "pkcs11:token=mixed;object=none", ERR_NOTFOUND, "there is no such key" },
		{ "pkcs11:token=fresh;object=lone", ERR_REFUSED, "the token fresh has no user PIN" },
	};
	json_t *r, *ca;
	char *csr, *module = odd_module();

	(void)state;
	pki_openssl("lone", "ec", 1);
	pki_must("openssl pkcs8 -topk8 -nocrypt -in lone/private/ca.key -out lone.key && openssl genpkey -algorithm EC -pkeyopt "
	         "ec_paramgen_curve:P-256 -out other.key && openssl genpkey -algorithm ED25519 -out ed.key");
	for (const char *const *t = (const char *const[]){ "bare", "strict", "twins", "mixed", NULL }; *t != NULL; t++)
		pki_must("softhsm2-util --init-token --free --label %s --pin %s --so-pin so-pin-1", *t, TOKEN_PIN);
	pki_must("pkcs11-tool --module %s --slot $(softhsm2-util --show-slots | awk '/^Slot/ { s = $2 } /Initialized: *no/ { print s; "
	         "exit }') --init-token --label fresh --so-pin so-pin-1", TOKEN_MODULE);
	import_to("bare", "lone.key", "lone", 1);
	import_to("bare", "other.key", "other", 2);
	pkcs11_tool("bare", "--delete-object --type pubkey --label lone");
	pkcs11_tool("bare", "--delete-object --type pubkey --label other");
	pkcs11_tool("strict", "--write-object lone.key --type privkey --usage-sign --always-auth --label lone --id 01");
	import_to("twins", "other.key", "lone", 1);
	import_to("twins", "lone.key", "lone", 2);
	import_to("twins", "other.key", "odd", 3);
	import_to("twins", "other.key", "odd", 4);
	import_to("mixed", "ed.key", "ed", 1);
	import_to("mixed", "lone.key", "lone", 2);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		r = ask(crl_request(key_request("lone", cases[i].key)), TOKEN_PIN, cases[i].code);
		if (r != NULL)
			verify_crl(r, "lone");
		else
			said(cases[i].says);
		assert_int_equal(asked, strstr(cases[i].key, "fresh") == NULL); /* no PIN is typed that none can be */
		json_decref(r);
	}
	csr = pki_read("web.csr"); /* several signatures, one question */
	lines = json_pack("[{s:s,s:s,s:[s]},{s:s,s:s,s:[s]}]", "id", "a", "csr", csr, "names", "web.example.com", "id", "b",
	    "csr", csr, "names", "web.example.com");
	seam_next = next_line;
	json_decref(ask(json_pack("{s:s,s:o,s:i}", "op", "issue", "ca", key_request("lone", "pkcs11:token=strict;object=lone"),
	    "days", 7), TOKEN_PIN, 0));
	assert_non_null(seam_find("issued", 1));
	assert_int_equal(asked, 1);
	json_decref(lines);
	lines = NULL;
	seam_next = NULL;
	free(csr);
	/* a PIN that opens the token, and is wrong for the signature: tried once for it */
	setenv("PKCS11SPY", module, 1);
	setenv("ODD_AGAIN", "a0", 1);
	token_logins();
	ca = token_request("lone", 1);
	json_object_set_new(ca, "key", json_string("pkcs11:token=strict;object=lone"));
	ask(crl_request(ca), TOKEN_PIN, ERR_FAILED);
	said("wants the PIN for each signature: the key does not sign");
	assert_int_equal(token_logins(), 2);
	unsetenv("ODD_AGAIN");
	setenv("PKCS11SPY", TOKEN_MODULE, 1);
	free(module);
	pkcs11_tool("strict", "--change-pin --new-pin 123456789012345678901234567890123");
	ask(crl_request(key_request("lone", "pkcs11:token=strict;object=lone")), "123456789012345678901234567890123", ERR_FAILED);
	said("wants the PIN for each signature");
	said("32 octets at the most");
	pki_must("for t in bare strict twins mixed; do softhsm2-util --delete-token --token $t; done && rm -r "
	         "$(grep -l fresh tokens/*/token.object | xargs dirname)");
}

/* What SoftHSM never does: it counts no tries, and its hardware does not fail. */
static void test_odd(void **state)
{
	static const struct {
		const char *name, *value;
		int asked;
		const char *key, *says;
	} cases[] = {
		{ "ODD_FLAGS", "0", 1, "signs", NULL },
		{ "ODD_FLAGS", "20000", 1, "signs", NULL },    /* the final try */
		{ "ODD_FLAGS", "40000", 0, "dead", "the PIN of the token CA token is locked" },
		{ "ODD_LOGIN", "30", 1, "unknown", "PKCS#11 error 0x30" }, /* a fault is no lock */
		{ "ODD_LOGIN", "102", 1, "dead", "has no user PIN" },
		{ "ODD_LOGIN", "a4", 1, "dead", "refused the PIN; it was tried once" },
		{ "ODD_LOGIN", "a3", 1, "secret", "has expired" },
		{ "ODD_LOGIN", "104", 1, "unknown", "User another is already logged in" },
		{ "ODD_SLOTS", "c8", 1, "signs", NULL },
		{ "ODD_SIGN", "30", 1, "unknown", "the key does not sign" },
		{ "ODD_SIGN", "68", 1, "dead", "the key does not sign" },
	};
	char *module = odd_module();
	json_t *ca;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		setenv(cases[i].name, cases[i].value, 1);
		ca = token_request("ec", 0);
		json_object_set_new(ca, "module", json_string(module));
		assert_string_equal(key_state(ca, TOKEN_PIN), cases[i].key);
		assert_int_equal(asked, cases[i].asked);
		if (cases[i].says != NULL)
			said(cases[i].says);
		if (asked)
			assert_int_equal(json_is_true(seam_find("last", 0)), strcmp(cases[i].value, "20000") == 0);
		if (strcmp(cases[i].value, "20000") == 0)
			assert_non_null(strstr(json_string_value(seam_find("note", 0)), "ONE TRY IS LEFT"));
		unsetenv(cases[i].name);
	}
	setenv("ODD_SIGN", "68", 1); /* what the token answered, and not what OpenSSL made of it */
	ca = token_request("ec", 0);
	json_object_set_new(ca, "module", json_string(module));
	ask(crl_request(ca), TOKEN_PIN, ERR_FAILED);
	said("the CRL could not be signed (Key function not permitted)");
	unsetenv("ODD_SIGN");
	free(module);
}

static void test_not_found(void **state)
{
	json_t *ca;

	(void)state;
	ca = token_request("ec", 0);
	json_object_set_new(ca, "key", json_string("pkcs11:token=CA%20token;object=none"));
	ask(crl_request(ca), TOKEN_PIN, ERR_NOTFOUND);
	said("on the token CA token there is no such key: pkcs11:token=CA%20token;object=none");
	ca = token_request("ec", 0);
	json_object_set_new(ca, "key", json_string("pkcs11:token=CA%20token;object=rsa"));
	ask(crl_request(ca), TOKEN_PIN, ERR_FAILED);
	said("does not belong to the certificate");
	ca = token_request("ec", 0);
	json_object_set_new(ca, "key", json_string("pkcs11:token=Other;object=ec"));
	ask(crl_request(ca), TOKEN_PIN, ERR_NOTFOUND);
	said("the token Other is not there (1 others are: CA token)");
	assert_int_equal(asked, 0);
	ca = token_request("ec", 0);
	json_object_set_new(ca, "key", json_string("pkcs11:token=CA%20token;serial=00;object=ec"));
	ask(crl_request(ca), TOKEN_PIN, ERR_NOTFOUND);
	said("the token CA token, serial 00 is not there");
	pki_must("mv tokens aside && mkdir tokens");
	ask(crl_request(token_request("ec", 0)), TOKEN_PIN, ERR_NOTFOUND);
	said("sees no token at all");
	said("SOFTHSM2_CONF");
	pki_must("rmdir tokens && mv aside tokens");
	ca = token_request("ec", 0);
	json_object_set_new(ca, "module", json_string("/nowhere/libhsm.so"));
	ask(crl_request(ca), TOKEN_PIN, ERR_IO);
	said("the PKCS#11 library /nowhere/libhsm.so: No such file");
	said("package softhsm2");
	ca = token_request("ec", 0);
	json_object_set_new(ca, "module", json_string(""));
	ask(crl_request(ca), TOKEN_PIN, ERR_SYNTAX);
	said("pkcs11-module =");
	ca = token_request("ec", 0);
	json_object_set_new(ca, "module", json_string("ec/openssl.cnf"));
	ask(crl_request(ca), TOKEN_PIN, ERR_IO);
	said("not a PKCS#11 library");
	/* two of one name: a PIN must not go to the wrong one */
	pki_must("softhsm2-util --init-token --free --label 'CA token' --pin another-1 --so-pin so-pin-2");
	ask(crl_request(token_request("ec", 0)), TOKEN_PIN, ERR_NOTFOUND);
	said("2 tokens are called CA token");
	assert_int_equal(asked, 0);
	ca = token_request("ec", 0);
	json_object_set_new(ca, "key", json_string("pkcs11:object=ec"));
	ask(crl_request(ca), TOKEN_PIN, ERR_NOTFOUND);
	said("names no token, and 2 are there: CA token, CA token");
	said("add token=");
}

static json_t *ca_checked(json_t *ca, bool sign, const char *typed)
{
	return ask(json_pack("{s:s,s:o,s:b,s:b}", "op", "check", "ca", ca, "sign", 1, "ask", sign), typed, 0);
}

static bool finds(const json_t *r, const char *level, const char *what)
{
	const json_t *f;
	size_t i;

	json_array_foreach(json_list(r, "findings"), i, f)
		if (strcmp(json_str(f, "level"), level) == 0 && strstr(json_str(f, "what"), what) != NULL)
			return true;
	return false;
}

/* doctor asks nobody unless it is told to. */
static void test_check(void **state)
{
	json_t *r = ca_checked(token_request("rsa", 0), false, TOKEN_PIN);

	(void)state;
	assert_int_equal(asked, 0);
	assert_true(finds(r, "ok", "the token CA token ("));
	assert_true(finds(r, "warn", "was not tried: it wants its token's PIN"));
	json_decref(r);
	r = ca_checked(token_request("rsa", 0), true, TOKEN_PIN);
	assert_int_equal(asked, 1);
	assert_true(finds(r, "ok", "belongs to the certificate and signs"));
	json_decref(r);
	pki_must("openssl pkey -in file/private/ca.key -aes256 -passout pass:sesame -out file/enc.key");
	r = ca_checked(file_request("/file/enc.key"), false, "sesame");
	assert_int_equal(asked, 0);
	assert_true(finds(r, "warn", "was not tried: it wants its passphrase"));
	json_decref(r);
	r = ca_checked(file_request("/file/enc.key"), true, "sesame");
	assert_true(finds(r, "ok", "belongs to the certificate and signs"));
	json_decref(r);
}

static void test_passphrase(void **state)
{
	json_t *r;

	(void)state;
	pki_must("openssl pkey -in file/private/ca.key -aes256 -passout pass:sesame -out file/enc.key && "
	         "openssl rsa -traditional -in file/private/ca.key -aes128 -passout pass:sesame -out file/old.key");
	for (const char *const *key = (const char *const[]){ "/file/enc.key", "/file/old.key", NULL }; *key != NULL; key++) {
		r = ask(crl_request(file_request(*key)), "sesame", 0);
		assert_int_equal(asked, 1);
		assert_string_equal(json_string_value(seam_find("need", 0)), "passphrase");
		verify_crl(r, "file");
		json_decref(r);
		ask(crl_request(file_request(*key)), "wrong one", ERR_REFUSED);
		said("the passphrase does not open the private key");
		assert_int_equal(asked, 1);
		ask(crl_request(file_request(*key)), NULL, ERR_REFUSED);
		said("nobody there");
	}
}

/* RSA-PSS is a kind of key of its own; its parameters hold the digest. */
static void test_pss(void **state)
{
	json_t *r;

	(void)state;
	pki_openssl("pss", "rsa", 0);
	pki_must("openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha384 -pkeyopt "
	         "rsa_pss_keygen_mgf1_md:sha384 -pkeyopt rsa_pss_keygen_saltlen:48 -out pss/private/ca.key && sed -i "
	         "'s/^default_md.*/default_md = sha384/' pss/openssl.cnf && openssl req -x509 -key pss/private/ca.key -sha384 -out "
	         "pss/ca.crt -days 30 -subj /CN=pss -config pss/openssl.cnf -addext basicConstraints=critical,CA:TRUE -addext "
	         "keyUsage=critical,keyCertSign,cRLSign -addext subjectKeyIdentifier=hash");
	r = ask(crl_request(json_pack("{s:s,s:s+}", "name", "pss", "config", pki_here(), "/pss/openssl.cnf")), NULL, 0);
	verify_crl(r, "pss");
	json_decref(r);
	r = ca_checked(json_pack("{s:s,s:s+}", "name", "pss", "config", pki_here(), "/pss/openssl.cnf"), true, NULL);
	assert_true(finds(r, "ok", "belongs to the certificate and signs"));
	json_decref(r);
}

static void bad_uri(const char *uri, int code, const char *what)
{
	struct token_uri u;

	why = (struct err){ 0 };
	assert_int_equal(token_uri_parse(&u, uri, &why), code);
	said(what);
	assert_null(strstr(why.text, "1234"));
	assert_null(strstr(why.remedy, "1234"));
}

static void test_uri(void **state)
{
	struct token_uri u;
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(token_uri_parse(&u, "pkcs11:token=A%3bB;id=%01%00%ff;object=k%20y;type=private", NULL), 0);
	assert_string_equal(u.token, "A;B");
	assert_string_equal(u.object, "k y");
	assert_int_equal(u.id_len, 3);
	token_uri_build(&b, &u);
	assert_string_equal(buf_str(&b), "pkcs11:token=A%3BB;object=k%20y;id=%01%00%FF;type=private");
	buf_free(&b);
	/* no PIN, though the letters are there; and a scheme in capitals is no file's name */
	assert_int_equal(token_uri_parse(&u, "PKCS11:token=spin-dle;object=the-pin-pad", NULL), 0);
	assert_true(token_uri_is("Pkcs11:token=A"));
	bad_uri("pkcs11:token=A;object=k?pin-value=1234", ERR_REFUSED, "a PIN in a file is not safe");
	bad_uri("pkcs11:token=A;object=k?x=y&pin-source=file:/1234", ERR_REFUSED, "--pin-fd");
	bad_uri("pkcs11:token=A;object=k;pin-value=1234", ERR_REFUSED, "a PIN in a file is not safe");
	bad_uri("pkcs11:token=A;object=k?module-path=/x", ERR_REFUSED, "pkcs11-module");
	bad_uri("pkcs11:token=A;object=k?odd=1234", ERR_SYNTAX, "take them out");
	bad_uri("pkcs11:token=A", ERR_SYNTAX, "names no key");
	bad_uri("pkcs11:", ERR_SYNTAX, "names no key");
	bad_uri("pkcs11:token=A;object=", ERR_SYNTAX, "empty");
	bad_uri("pkcs11:token=A;object=%2", ERR_SYNTAX, "malformed");
	bad_uri("pkcs11:token=A;object=%zz", ERR_SYNTAX, "malformed");
	bad_uri("pkcs11:token=A%00;object=k", ERR_SYNTAX, "malformed");
	bad_uri("pkcs11:token=123456789012345678901234567890123;object=k", ERR_SYNTAX, "'token'");
	bad_uri("pkcs11:object=k;type=public", ERR_SYNTAX, "type=private");
	bad_uri("PKCS11:token=A;object=k?pin-value=1234", ERR_REFUSED, "a PIN in a file is not safe");
	bad_uri("pkcs11:token=A;object=k;PIN-VALUE=1234", ERR_REFUSED, "a PIN in a file is not safe");
	bad_uri("pkcs11:token=A;object=k?x=y&Pin-Value=1234", ERR_REFUSED, "a PIN in a file is not safe");
	bad_uri("pkcs11:token=A;token=B;object=k", ERR_SYNTAX, "'token' stands twice");
	bad_uri("pkcs11:id=%01;id=%02", ERR_SYNTAX, "'id' stands twice");
	bad_uri("pkcs11:object=k;slot-id=3", ERR_SYNTAX, "'slot-id'");
	bad_uri("file:/x", ERR_SYNTAX, "not a pkcs11");
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
		cmocka_unit_test(test_uri), cmocka_unit_test(test_crl), cmocka_unit_test(test_issue),
		cmocka_unit_test(test_issue_pulled), cmocka_unit_test(test_issuer_new),
		cmocka_unit_test(test_wrong_pin), cmocka_unit_test(test_pulled), cmocka_unit_test(test_locked),
		cmocka_unit_test(test_check), cmocka_unit_test(test_passphrase), cmocka_unit_test(test_pss),
		cmocka_unit_test(test_keys), cmocka_unit_test(test_odd),
		cmocka_unit_test(test_not_found),
	};

	return cmocka_run_group_tests_name("token", tests, setup, drop);
}
