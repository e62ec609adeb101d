/* How a fleet is cut into waves, and how fast it goes lately. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/pace.h"
#include "fleet/wave.h"

static void cuts(const char *spec, size_t canaries, size_t total, const char *words)
{
	struct waves w;
	struct err e = { 0 };
	size_t sum = 0;
	char *s;

	if (waves_cut(&w, spec, canaries, total, &e) < 0)
		fail_msg("%s: %s", spec, e.text);
	s = waves_words(&w);
	assert_string_equal(s, words);
	for (size_t i = 0; i < w.count; i++) {
		for (size_t k = 0; k < w.wave[i].hosts; k++)
			assert_int_equal(waves_of(&w, sum + k), i);
		sum += w.wave[i].hosts;
		assert_true(w.wave[i].hosts > 0);
	}
	assert_int_equal(sum, total);
	free(s);
	waves_clear(&w);
}

static void test_cut(void **state)
{
	(void)state;
	cuts(NULL, 0, 7, "7 (all)");
	cuts("", 0, 7, "7 (all)");
	cuts("5,10%,50%,rest", 0, 1000, "5, 100 (10%), 500 (50%), 395 (rest)");
	cuts("5,10%,50%", 2, 1000, "2 canaries, 5, 100 (10%), 500 (50%), 393 (rest)");
	cuts("5", 0, 3, "3 (5)");
	cuts("5,10%,rest", 0, 5, "5");
	cuts("100%", 1, 10, "1 canaries, 9 (100%)");
	cuts("1%", 0, 10, "1 (1%), 9 (rest)");
	cuts("rest", 9, 3, "3 canaries");
	cuts("33%,33%,33%", 0, 3, "1 (33%), 1 (33%), 1 (33%)");
}

static void test_wrong(void **state)
{
	static const char *const wrong[] = { "0", "0%", "101%", "rest,5", ",", "5,", ",5", "5,,6", "x", "-1", "5 ",
		" 5", "5%%", "1e3", "99999999999999999999", "0x10", "rest%", NULL };
	struct waves w;

	(void)state;
	for (size_t i = 0; wrong[i] != NULL; i++) {
		struct err e = { 0 };

		if (waves_cut(&w, wrong[i], 0, 100, &e) != ERR_USAGE)
			fail_msg("'%s' is taken", wrong[i]);
		assert_non_null(strstr(e.text, "is not a number of hosts"));
		assert_true(e.remedy[0] != '\0');
		assert_null(w.wave);
	}
}

static void test_pace(void **state)
{
	struct pace p;

	(void)state;
	pace_begin(&p, 100000);
	assert_true(pace_rate(&p, 100000) <= 0);
	for (int64_t t = 100000; t < 110000; t += 100)
		pace_add(&p, t);
	assert_in_range((int)(pace_rate(&p, 109999) * 10), 100, 100);
	/* a slow minute later the fast seconds no longer count */
	for (int64_t t = 110000; t < 170000; t += 1000)
		pace_add(&p, t);
	assert_in_range((int)(pace_rate(&p, 169999) * 10), 10, 10);
	/* nothing for long: nothing */
	assert_true(pace_rate(&p, 300000) <= 0);
	pace_add(&p, 400000);
	assert_in_range((int)(pace_rate(&p, 400000) * PACE_S + 0.5), 1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
