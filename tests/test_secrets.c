/* PINs between the console and its CA children: asked for once, tried once, whoever else waits. The children are the
 * real program, the token is a real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/secret.h"
#include "child/child.h"
#include "engine/secrets.h"
#include "patience.h"
#include "pki_seam.h"
#include "token_seam.h"

struct one {
	struct child *child;
	json_t *result, *issued;
	struct err err;
	bool done, turned;
};

static struct loop *loop;
static struct secrets *secrets;
static struct one one[3];

static void on_line(void *ctx, struct child *c, const json_t *msg)
{
	struct one *o = ctx;

	if (!secrets_line(secrets, c, msg) && json_object_get(msg, "issued") != NULL)
		o->issued = json_incref(json_object_get(msg, "issued"));
}

static void on_done(void *ctx, const json_t *result, const struct err *err)
{
	struct one *o = ctx;

	o->result = json_incref((json_t *)(uintptr_t)result);
	if (err != NULL)
		o->err = *err;
	o->done = true;
	o->turned = secrets_turned(secrets, o->child);
	secrets_gone(secrets, o->child);
}

static void start(size_t i, json_t *request, int deadline_s)
{
	struct err e = { 0 };

	json_decref(one[i].result);
	json_decref(one[i].issued);
	one[i] = (struct one){ 0 };
	one[i].child = child_start(loop, "ca", request, deadline_s, on_line, on_done, &one[i], &e);
	assert_non_null(one[i].child);
}

static bool any_left(void)
{
	for (size_t i = 0; i < 3; i++)
		if (one[i].child != NULL && !one[i].done)
			return true;
	return false;
}

static void until_asked(void)
{
	while (secrets_wanted(secrets) == NULL) {
		assert_true(any_left()); /* nobody else would ask */
		assert_true(loop_step(loop));
	}
}

static void until_done(size_t i)
{
	while (!one[i].done)
		assert_true(loop_step(loop));
}

static json_t *key_request(const char *name)
{
	return json_pack("{s:s,s:o}", "op", "key", "ca", token_request(name, 1));
}

static int setup(void **state)
{
	if (pki_folder(state) != 0)
		return -1;
	token_make();
	pki_openssl("ec", "ec", 0);
	pki_openssl("rsa", "rsa", 0);
	token_import("ec");
	token_import("rsa");
	child_program(getenv("SEV1"));
	loop = loop_new();
	secrets = secrets_new();
	return 0;
}

static int drop(void **state)
{
	for (size_t i = 0; i < 3; i++) {
		json_decref(one[i].result);
		json_decref(one[i].issued);
	}
	secrets_free(secrets);
	loop_free(loop);
	return pki_folder_drop(state);
}

/* Three want the same PIN; the first is given a wrong one. It is tried once, and the others are asked for anew. */
static void test_wrong_once(void **state)
{
	uint64_t first;
	struct rlimit core;

	(void)state;
	token_logins();
	for (size_t i = 0; i < 3; i++)
		start(i, key_request(i == 1 ? "rsa" : "ec"), PATIENCE_S);
	until_asked();
	assert_string_equal(secrets_wanted(secrets)->kind, "pin");
	assert_string_equal(secrets_wanted(secrets)->of, "CA token");
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
	assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
	assert_int_equal(core.rlim_cur, 0);
	assert_int_equal(core.rlim_max, 0);
	first = secrets_wanted(secrets)->id;
	secrets_give(secrets, "no \"PIN\"\\");
	assert_null(secrets_wanted(secrets)); /* nobody else is asked before it is known */
	until_asked();
	assert_true(secrets_wanted(secrets)->id != first);
	assert_int_equal(token_logins(), 1);
	secrets_give(secrets, TOKEN_PIN);
	for (size_t i = 0; i < 3; i++)
		until_done(i);
	assert_null(secrets_wanted(secrets));
	assert_int_equal(token_logins(), 2); /* typed once, right for both that are left */
	for (size_t i = 0, signs = 0; i < 3; i++) {
		signs += strcmp(json_str(one[i].result, "key"), "signs") == 0;
		if (i == 2)
			assert_int_equal(signs, 2);
	}
}

/* It is remembered, until it is to be forgotten; a PIN that was changed meanwhile is tried once, and forgotten too. */
static void test_kept(void **state)
{
	(void)state;
	start(0, key_request("ec"), PATIENCE_S);
	until_done(0);
	assert_string_equal(json_str(one[0].result, "key"), "signs");
	pki_must("pkcs11-tool --module " TOKEN_MODULE " --token-label 'CA token' --login --pin %s --change-pin --new-pin other-1",
	    TOKEN_PIN);
	token_logins();
	start(0, key_request("ec"), PATIENCE_S);
	until_done(0);
	assert_true(one[0].turned); /* evidence of a lock: it was right before */
	assert_string_equal(json_str(one[0].result, "key"), "secret");
	assert_int_equal(token_logins(), 1);
	pki_must("pkcs11-tool --module " TOKEN_MODULE " --token-label 'CA token' --login --pin other-1 --change-pin --new-pin %s",
	    TOKEN_PIN);
	/* and so is it of another key on that token: no second try is lost on it, until that is on record */
	start(0, key_request("rsa"), PATIENCE_S);
	until_done(0);
	assert_true(one[0].turned);
	assert_string_equal(json_str(one[0].result, "key"), "unknown");
	assert_non_null(strstr(json_str(one[0].result, "why"), "refused the PIN that was right before"));
	assert_int_equal(token_logins(), 0);
	secrets_proved(secrets);
	start(0, key_request("ec"), PATIENCE_S);
	until_asked();
	secrets_give(secrets, TOKEN_PIN);
	until_done(0);
	secrets_forget(secrets);
	start(0, key_request("ec"), PATIENCE_S);
	until_asked();
	secrets_give(secrets, TOKEN_PIN);
	until_done(0);
	assert_string_equal(json_str(one[0].result, "key"), "signs");
}

/* An order that comes before the PIN waits for it. */
static void test_order_before_pin(void **state)
{
	char *csr;

	(void)state;
	secrets_forget(secrets);
	pki_must("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout web.key -subj "
	         "/CN=web.example.com -config ec/openssl.cnf -out web.csr");
	csr = pki_read("web.csr");
	start(0, json_pack("{s:s,s:o,s:i}", "op", "issue", "ca", token_request("ec", 0), "days", 7), PATIENCE_S);
	child_send(one[0].child, json_pack("{s:s,s:s,s:[s]}", "id", "a", "csr", csr, "names", "web.example.com"));
	until_asked();
	secrets_give(secrets, TOKEN_PIN);
	while (one[0].issued == NULL)
		assert_true(loop_step(loop));
	child_finish(one[0].child);
	until_done(0);
	pki_write("issued.crt", json_str(one[0].issued, "certificate"));
	pki_must("openssl verify -CAfile ec/ca.crt issued.crt");
	free(csr);
}

static void by_fd(json_t *request, const char *line)
{
	int fd[2];

	secrets_free(secrets);
	secrets = secrets_new();
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], line, strlen(line)), (ssize_t)strlen(line));
	close(fd[1]);
	secrets_fd(secrets, fd[0]);
	start(0, request, PATIENCE_S);
	until_done(0);
	close(fd[0]);
}

/* Lines of a file from Windows; as long a PIN as there is, of what JSON writes in two octets; and the last try, which is for
 * somebody who reads the warning. */
static void test_by_fd(void **state)
{
	char longest[SECRET_MAX];
	json_t *odd = key_request("ec");
	char *module = mem_printf("%s/tests/odd_token.so", getenv("BUILDDIR") != NULL ? getenv("BUILDDIR") : ".");

	(void)state;
	by_fd(key_request("ec"), TOKEN_PIN "\r\n");
	assert_string_equal(json_str(one[0].result, "key"), "signs");
	memset(longest, '"', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	pki_must("pkcs11-tool --module " TOKEN_MODULE " --token-label 'CA token' --login --pin %s --change-pin --new-pin '%s'",
	    TOKEN_PIN, longest);
	by_fd(key_request("ec"), longest);
	assert_string_equal(json_str(one[0].result, "key"), "signs");
	pki_must("pkcs11-tool --module " TOKEN_MODULE " --token-label 'CA token' --login --pin '%s' --change-pin --new-pin %s",
	    longest, TOKEN_PIN);
	json_object_set_new(json_object_get(odd, "ca"), "module", json_string(module));
	setenv("ODD_FLAGS", "20000", 1);
	start(0, json_incref(odd), PATIENCE_S); /* the one that is remembered is not tried either */
	until_done(0);
	assert_string_equal(json_str(one[0].result, "key"), "unknown");
	by_fd(odd, TOKEN_PIN "\n");
	unsetenv("ODD_FLAGS");
	assert_string_equal(json_str(one[0].result, "key"), "unknown");
	assert_non_null(strstr(json_str(one[0].result, "why"), "one try is left before the token CA token locks its PIN"));
	free(module);
	secrets_free(secrets);
	secrets = secrets_new();
}

/* Nobody answers, what cannot be sent, a child that dies at the question. */
static void test_refused(void **state)
{
	struct err why = { 0 };
	char *dash = mem_alloc(301);

	(void)state;
	secrets_forget(secrets);
	err_set(&why, ERR_REFUSED, "given up");
	err_remedy(&why, "try later");
	start(0, key_request("ec"), PATIENCE_S);
	until_asked();
	secrets_refuse(secrets, &why);
	until_done(0);
	assert_string_equal(json_str(one[0].result, "key"), "unknown");
	assert_string_equal(json_str(one[0].result, "why"), "given up");
	assert_string_equal(json_str(one[0].result, "remedy"), "try later");
	memset(dash, '-', 300);
	dash[300] = '\0';
	for (const char *const *bad = (const char *const[]){ dash, "", "\xff\xfe", NULL }; *bad != NULL; bad++) {
		start(0, key_request("ec"), PATIENCE_S);
		until_asked();
		secrets_give(secrets, *bad);
		until_done(0);
		assert_string_equal(json_str(one[0].result, "key"), "unknown");
	}
	/* one of two need not wait any longer: the other is still asked for */
	start(0, key_request("ec"), PATIENCE_S);
	start(1, key_request("rsa"), PATIENCE_S);
	until_asked();
	while (!secrets_give_up(secrets, one[0].child, &why))
		assert_true(loop_step(loop));
	until_done(0);
	assert_string_equal(json_str(one[0].result, "why"), "given up");
	until_asked();
	secrets_give(secrets, TOKEN_PIN);
	until_done(1);
	assert_string_equal(json_str(one[1].result, "key"), "signs");
	assert_false(secrets_give_up(secrets, one[1].child, &why));
	secrets_forget(secrets);
	start(0, key_request("ec"), PATIENCE_S);
	start(1, key_request("rsa"), PATIENCE_S);
	until_asked();
	child_kill(one[0].child, "killed");
	child_kill(one[1].child, "killed");
	until_done(0);
	until_done(1);
	assert_null(secrets_wanted(secrets));
	free(dash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_once), cmocka_unit_test(test_kept), cmocka_unit_test(test_order_before_pin),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_by_fd),
	};

	return cmocka_run_group_tests_name("secrets", tests, setup, drop);
}
