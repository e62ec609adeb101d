#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fs.h"
#include "drill/map.h"
#include "drill/scenario.h"

static void refused(const char *text, const char *why)
{
	struct err e = { 0 };
	struct scenario *s = scenario_read(text, "x.ini", &e);

	if (s != NULL || strstr(e.text, why) == NULL)
		fprintf(stderr, "%s\n-> %s\n", text, e.text);
	assert_null(s);
	assert_int_equal(e.code, ERR_SYNTAX);
	assert_non_null(strstr(e.text, why));
}

static void test_defaults(void **state)
{
	struct err e = { 0 };
	struct scenario *s = scenario_read("[scenario]\ntitle = A night\n", "/a/b/quiet.ini", &e);

	(void)state;
	assert_non_null(s);
	assert_string_equal(s->name, "quiet");
	assert_string_equal(s->ca, "issuing2");
	assert_string_equal(s->level, "intermediate");
	assert_int_equal(s->hosts, 12);
	assert_int_equal(s->certificates, 2000);
	assert_int_equal(s->injects, 0);
	scenario_free(s);
}

static void test_whole(void **state)
{
	struct err e = { 0 };
	struct scenario *s = scenario_read("[scenario]\ntitle = T\nca = root\nlevel = root\ncompromise = 4\n"
	    "received = 90\nchannel = phone\nhosts = 3\ncertificates = 100\n"
	    "[faults]\nunreachable = db01, web02\nfailing-test = web01\n"
	    "[injects]\n+12m = later\n+3m = sooner; with a semicolon\n+12m = last\n", "t.ini", &e);

	(void)state;
	assert_non_null(s);
	assert_int_equal(s->compromise, 4);
	assert_int_equal(s->faulties, 3);
	assert_string_equal(s->faulty[1].host, "web02");
	assert_int_equal(s->faulty[1].fault, FAULT_UNREACHABLE);
	assert_int_equal(s->faulty[2].fault, FAULT_TEST);
	assert_int_equal(s->injects, 3);
	assert_int_equal(s->inject[0].minute, 3);
	assert_string_equal(s->inject[0].text, "sooner; with a semicolon");
	assert_string_equal(s->inject[1].text, "later");
	assert_string_equal(s->inject[2].text, "last");
	scenario_free(s);
}

static void test_hostile_text(void **state)
{
	struct err e = { 0 };
	struct scenario *s = scenario_read("[scenario]\ntitle = \xe2\x80\xaegnp\n", "t.ini", &e);

	(void)state;
	assert_non_null(s);
	assert_string_equal(s->title, "\\u{202E}gnp");
	scenario_free(s);
}

static void test_refused(void **state)
{
	(void)state;
	refused("[scenario]\n", "no title");
	refused("[scenario]\ntitle = x\nhost = 3\n", "x.ini:3: unknown key host");
	refused("[weather]\n", "unknown section");
	refused("[scenario]\ntitle = x\nhosts = 0\n", "from 1 to 200");
	refused("[scenario]\ntitle = x\nhosts = 12 or so\n", "from 1 to 200");
	refused("[scenario]\ntitle = x\nhosts = 100\ncertificates = 110\n", "less than hosts");
	refused("[scenario]\ntitle = x\nca = issuing9\n", "one of");
	refused("[scenario]\ntitle = x\nca = g1 issuing\n", "one of");
	refused("[scenario]\ntitle = x\nlevel = root\n", "does not go with");
	refused("[scenario]\ntitle = x\nchannel = pigeon\n", "pigeon");
	refused("[scenario]\ntitle = x\n[faults]\nburning = web01\n", "unknown fault");
	refused("[scenario]\ntitle = x\n[faults]\nunreachable = ../x\n", "not a host");
	refused("[scenario]\ntitle = x\n[injects]\n12 = x\n", "+12m");
	refused("[scenario]\ntitle = x\n[injects]\n+12h = x\n", "+12m");
}

/* A fault of a host that is not there would never happen: it is refused when the map is drawn. */
static void test_unknown_host(void **state)
{
	struct err e = { 0 };
	struct scenario *s = scenario_read("[scenario]\ntitle = x\n[faults]\nunreachable = web99\n", "t.ini",
	    &e);

	(void)state;
	assert_non_null(s);
	assert_null(map_new("/nowhere/drill", s, &e));
	assert_int_equal(e.code, ERR_SYNTAX);
	assert_non_null(strstr(e.text, "web99"));
	scenario_free(s);
}

/* The scenarios that are installed can be read, and every fault of theirs has its host. */
static void test_shipped(void **state)
{
	const char *src = getenv("SRCDIR");
	char *folder = fs_join(src != NULL ? src : "..", "data/scenarios"), **name;
	struct err e = { 0 };
	size_t n;

	(void)state;
	name = scenario_list(folder, &n);
	assert_int_equal(n, 2);
	assert_string_equal(name[0], "intermediate-key");
	assert_string_equal(name[1], "rough-night");
	for (size_t i = 0; i < n; i++) {
		struct scenario *s = scenario_find(folder, name[i], &e);
		struct map *m;

		if (s == NULL)
			fail_msg("%s", e.text);
		assert_true(s->injects > 0);
		m = map_new("/nowhere/drill", s, &e);
		assert_non_null(m);
		map_free(m);
		scenario_free(s);
		free(name[i]);
	}
	free(name);
	assert_null(scenario_find(folder, "no-such", &e));
	assert_int_equal(e.code, ERR_NOTFOUND);
	assert_non_null(strstr(e.remedy, "intermediate-key, rough-night"));
	free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unknown_host),
		cmocka_unit_test(test_shipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
