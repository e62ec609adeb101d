/* playbook.c: the runbook as data, and what a playbook may not say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"
#include "incident/playbook.h"

#define CP(n, due) "[checkpoint " n "]\ntitle = T\ndue = " due "\ncommand = triage\nevidence = crl-made\n"

static void test_runbook(void **state)
{
	static const struct {
		int due;
		const char *command, *evidence;
	} want[] = {
		{ 15, "triage", "scope-frozen" }, { 20, "contain", "actions-held" },
		{ 25, "notify management", "notice:management" }, { 30, "revoke", "crl-made" },
		{ 35, "publish", "crl-published" }, { 40, "notify internal", "notice:internal" },
		{ 45, "notify external", "notice:external" }, { 60, "recover", "reissue-verified" },
	};
	static const int followup[] = { 24 * 60, 48 * 60, 7 * 24 * 60, 14 * 24 * 60, -1 };
	const char *srcdir = getenv("SRCDIR");
	char *path = fs_join(srcdir != NULL ? srcdir : ".", "data/playbooks/ca-compromise.ini");
	struct buf text = { 0 };
	json_t *body = json_object();
	const json_t *item;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(fs_read(path, &text, 1 << 16, &e), 0);
	assert_int_equal(playbook_read(buf_str(&text), path, body, &e), 0);
	assert_int_equal(json_array_size(json_list(body, "checkpoints")), 8);
	assert_int_equal(json_array_size(json_list(body, "followups")), 5);
	for (size_t i = 0; i < 8; i++) {
		item = json_array_get(json_list(body, "checkpoints"), i);
		assert_int_equal(json_num(item, "n", 0), i + 1);
		assert_int_equal(json_num(item, "due", 0), want[i].due);
		assert_string_equal(json_str(item, "command"), want[i].command);
		assert_string_equal(json_str(item, "evidence"), want[i].evidence);
		assert_true(json_str(item, "title")[0] != '\0');
	}
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(json_num(json_array_get(json_list(body, "followups"), i), "due", 0),
		    followup[i]);
	json_decref(body);
	buf_free(&text);
	free(path);
}

static void test_errors(void **state)
{
	static const struct {
		const char *text, *what;
	} bad[] = {
		{ "", "p.ini: no [checkpoint 1]" },
		{ CP("2", "+1m"), "p.ini:1: [checkpoint 2]: number 1 comes next" },
		{ CP("1", "+1m") CP("1", "+2m"), "p.ini:6: [checkpoint 1]: number 2 comes next" },
		{ CP("1", "+1m") CP("x", "+2m"), "p.ini:6: [checkpoint x]: number 2 comes next" },
		{ CP("1", "soon"), "p.ini:3: due = soon: not a time" },
		{ CP("1", "+99999999999999999999m"), "p.ini:3: due = +99999999999999999999m: not a time" },
		{ CP("1", "15"), "p.ini:3: due = 15: not a time" },
		{ CP("1", "per regulation"), "p.ini:3: due = per regulation: not a time" },
		{ CP("1", "-5m"), "p.ini:3: due = -5m: not a time" },
		{ CP("1", "+2m") CP("2", "+1m"), "p.ini: checkpoint 2 is due before checkpoint 1" },
		{ CP("1", "+2m") "evidence = crl-made\n", "p.ini:6: 'evidence' again in [checkpoint 1]" },
		{ CP("1", "+2m") "colour = red\n", "p.ini:6: unknown key 'colour' in [checkpoint 1]" },
		{ "[checkpoint 1]\nevidence = magic\n", "p.ini:2: evidence = magic: no such evidence" },
		{ "[checkpoint 1]\ntitle =\n", "p.ini:2: 'title' is empty" },
		{ "[checkpoint 1]\ntitle = T\n", "p.ini:1: the entry at line 1 lacks the key 'due'" },
		{ "[checkpoint 1]\n" CP("2", "1m"), "p.ini:2: the entry at line 1 lacks the key 'title'" },
		{ "[step 1]\n", "p.ini:1: unknown section [step 1]" },
		{ CP("1", "+1m") "[followup 1]\ntitle = F\n", "p.ini:6: the entry at line 6 lacks the key 'due'" },
		{ CP("1", "+1m") "[followup 1]\ntitle = F\ndue = 1d\n" CP("2", "+2m"),
		    "p.ini:9: [checkpoint 2] after the follow-ups" },
		{ "title = x\n", "p.ini:1: a key before the first heading" },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		json_t *body = json_object();

		assert_int_equal(playbook_read(bad[i].text, "p.ini", body, &e), ERR_SYNTAX);
		assert_string_equal(e.text, bad[i].what);
		assert_int_equal(json_object_size(body), 0);
		json_decref(body);
	}
}

static void test_hostile(void **state)
{
	json_t *body = json_object();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(playbook_read("[checkpoint 1]\ntitle = \xe2\x80\xaeT\xff\ndue = 1h\n"
				       "command = triage\nevidence = notice:x\n", "p", body, &e), 0);
	assert_string_equal(json_str(json_array_get(json_list(body, "checkpoints"), 0), "title"),
	    "\\u{202E}T\\xFF");
	json_decref(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runbook),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
