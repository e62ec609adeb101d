/* A revocation taken back, and what stands in its way; an index.txt that somebody else changes meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "ca_scene.h"
#include "pki_seam.h"

/* Ask the CA child; the answer is success (what NULL), or an error with this code and all of these words. */
static json_t *ask(const char *op, const struct shot *s, int code, const char *const *words)
{
	json_t *request = scene_request(op), *result;
	struct outcome o;
	const char *text;

	fault_child("ca", request, s, &o);
	json_decref(request);
	text = json_str(o.error, "text");
	if ((o.result != NULL) != (code == 0) || (s != NULL && (!o.fault.fired || o.fault.hook_failed))) {
		print_message("%s: %s%s (fired %d)\n", op, text, o.said, o.fault.fired);
		fail();
	}
	if (code != 0)
		assert_int_equal(json_num(o.error, "code", 0), code);
	for (; words != NULL && *words != NULL; words++)
		if (strstr(text, *words) == NULL) {
			print_message("%s: \"%s\" is not said by: %s\n", op, *words, text);
			fail();
		}
	result = json_incref(o.result);
	outcome_clear(&o);
	return result;
}
#define REFUSED(op, s, ...) assert_null(ask(op, s, ERR_REFUSED, (const char *const[]){ __VA_ARGS__, NULL }))

static void hold(const char *why)
{
	if (why != NULL)
		print_message("%s\n", why);
	assert_null(why);
}

static const char issue[] = "openssl req -new -key ca/leaf.key -subj /CN=late.example.com -config ca/openssl.cnf -out late.csr && "
                            "openssl ca -batch -notext -config ca/openssl.cnf -in late.csr -out late.crt";

static void test_undo(void **state)
{
	json_t *r;

	(void)state;
	scene_restore();
	scene_revoke();
	r = ask("undo-plan", NULL, 0, NULL);
	assert_int_equal(json_num(r, "rows", 0), scene()->planned);
	assert_string_equal(json_str(r, "sha256"), scene()->old_sha256);
	assert_int_equal(json_array_size(json_list(r, "crls")), 2);
	hold(scene_wrong_any());
	json_decref(r);
	r = ask("undo", NULL, 0, NULL);
	assert_int_equal(json_num(r, "rows", 0), scene()->planned);
	hold(scene_wrong_undone(r));
	json_decref(r);
	/* the real openssl goes on with it */
	pki_must("openssl ca -config ca/openssl.cnf -revoke ca/newcerts/1000.pem && openssl ca -config ca/openssl.cnf -gencrl "
	         "-out next.pem && openssl crl -in next.pem -noout -text | grep -A1 'CRL Number' | grep -w 2");
	/* again: it is as it was, until somebody has gone on */
	REFUSED("undo", NULL, "is not what the revocation left", "1 revoked meanwhile", "1000 was revoked by someone else");
}

static void test_again(void **state)
{
	json_t *r;

	(void)state;
	scene_restore();
	scene_revoke();
	json_decref(ask("undo", NULL, 0, NULL));
	json_decref(ask("undo", NULL, 0, NULL));
	hold(scene_wrong_undone(NULL));
	/* and revoked again, later, with the number that follows */
	scene()->stamp += 1000;
	r = ask("revoke", NULL, 0, NULL);
	assert_string_equal(json_str(json_object_get(r, "crl"), "number"), "02");
	assert_int_equal(json_num(r, "revoked", 0), scene()->planned);
	hold(scene_wrong_file(json_str(json_object_get(r, "crl"), "der")));
	json_decref(r);
	scene()->stamp -= 1000;
}

static void test_refused(void **state)
{
	static const char what[] = "is not what the revocation left";

	(void)state;
	scene_restore();
	scene_revoke();
	pki_must("cp ca/index.txt keep");
	pki_must("%s", issue);
	REFUSED("undo", NULL, what, "1 issued meanwhile", "1006 is new");
	pki_must("cp keep ca/index.txt; grep -v '	1003	' keep > ca/index.txt");
	REFUSED("undo", NULL, what, "1 missing", "1003 is missing");
	pki_must("sed 's/^R\\(.*\\)	[^	]*	1002	/V\\1		1002	/' keep > ca/index.txt && ! cmp -s keep ca/index.txt");
	REFUSED("undo", NULL, "5 rows, 4 of them");
	pki_must("sed 's/host0003/host9003/' keep > ca/index.txt");
	REFUSED("undo", NULL, what, "1 altered meanwhile", "1002 was altered");
	pki_must("cp keep ca/index.txt; b=$(ls ca/index.txt.pre*); cp $b keep.pre; cp keep.pre $b.new; echo >> $b.new; mv $b.new $b");
	REFUSED("undo", NULL, "is not the backup that was confirmed");
	pki_must("rm ca/index.txt.pre*");
	REFUSED("undo", NULL, "the backup is gone");
	hold(scene_wrong_any());
	pki_must("ls crls/ca-01.crl");
}

/* Changed between the plan and the run: by the real openssl ca, by a row that is appended, by one that is gone. */
static void test_changed_before(void **state)
{
	(void)state;
	scene_restore();
	json_decref(ask("plan", NULL, 0, NULL));
	pki_must("openssl ca -config ca/openssl.cnf -revoke ca/newcerts/1002.pem -crl_reason superseded && cp ca/index.txt keep");
	REFUSED("revoke", NULL, "is not what was confirmed", "1 revoked meanwhile", "1002 was revoked by someone else");
	pki_must("cmp keep ca/index.txt");
	scene_restore();
	pki_must("%s && cp ca/index.txt keep", issue);
	REFUSED("revoke", NULL, "1 issued meanwhile", "1006 is new");
	pki_must("cmp keep ca/index.txt");
	scene_restore();
	pki_must("grep -v '	1004	' ca/index.txt > keep; cp keep ca/index.txt");
	REFUSED("revoke", NULL, "1 missing", "1004 is not in the index");
	pki_must("cmp keep ca/index.txt && ! ls crls/*.crl && ! ls ca/index.txt.pre*");
}

/* Changed while it runs: it was read, and the new one is being written beside it. */
static void test_changed_during(void **state)
{
	struct shot s = { .in = "child ca", .calls = "sync,write", .path = "ca/index.txt.sev1-", .what = "hook", .at = 1 };
	static const char what[] = "was changed by another program while it was being rewritten";

	(void)state;
	scene_restore();
	s.hook = "openssl ca -config ca/openssl.cnf -revoke ca/newcerts/1002.pem -crl_reason superseded 2>/dev/null && "
	         "cp ca/index.txt keep";
	REFUSED("revoke", &s, what, "1 revoked meanwhile", "1002 was revoked by someone else");
	pki_must("cmp keep ca/index.txt && ! ls crls/*.crl");
	scene_restore();
	s.hook = "printf 'V\\t350101000000Z\\t\\t7777\\tunknown\\t/CN=late\\n' >> ca/index.txt && cp ca/index.txt keep";
	REFUSED("revoke", &s, what, "1 issued meanwhile", "7777 is new");
	pki_must("cmp keep ca/index.txt && ! ls crls/*.crl");
	/* at the last moment of all: it is looked at, and written before the two files change places */
	scene_restore();
	s.calls = "rename";
	s.path = "/index.txt";
	s.at = 2; /* after that of index.txt.attr's backup */
	REFUSED("revoke", &s, what, "1 issued meanwhile", "7777 is new");
	pki_must("cmp keep ca/index.txt && ! ls crls/*.crl ca/*.sev1-*");
	/* and while it is taken back */
	s = (struct shot){ .in = "child ca", .calls = "sync,write", .path = "ca/index.txt.sev1-", .what = "hook", .at = 1,
		.hook = s.hook };
	scene_restore();
	scene_revoke();
	REFUSED("undo", &s, what);
	pki_must("cmp keep ca/index.txt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undo), cmocka_unit_test(test_again), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_changed_before), cmocka_unit_test(test_changed_during),
	};

	return cmocka_run_group_tests_name("undo", tests, scene_setup, scene_drop);
}
