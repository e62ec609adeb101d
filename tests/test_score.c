#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drill/score.h"

#define MINUTE 60000LL
#define START 1767225600000LL

static struct checkpoint points[4];
static struct incident in;

static void make(void)
{
	static const struct checkpoint fresh[4] = {
		{ .n = 1, .title = (char *)"Triage completed", .due = 15, .evidence = (char *)"scope-frozen" },
		{ .n = 2, .title = (char *)"CA offline", .due = 20, .evidence = (char *)"actions-held" },
		{ .n = 5, .title = (char *)"CRL distributed", .due = 35, .evidence = (char *)"crl-published" },
		{ .n = 8, .title = (char *)"Recovery plan activated", .due = 60,
		    .evidence = (char *)"reissue-verified" },
	};

	memcpy(points, fresh, sizeof points);
	memset(&in, 0, sizeof in);
	in.declared = START;
	in.checkpoint = points;
	in.checkpoints = 4;
}

static void done(int i, enum checkpoint_state state, int64_t minutes)
{
	points[i].state = state;
	points[i].done_at = START + minutes * MINUTE;
}

static void test_nothing_done(void **state)
{
	struct score *s;

	(void)state;
	make();
	s = score_new(&in, START + MINUTE);
	assert_int_equal(s->points, 0);
	assert_int_equal(s->of, 40);
	assert_false(s->evidence);
	assert_false(s->rto);
	assert_int_equal(s->line[0].verdict, VERDICT_OPEN);
	assert_true(s->deadline_left == INT64_MIN);
	score_free(s);
}

static void test_all_in_time(void **state)
{
	struct score *s;

	(void)state;
	make();
	in.triage.answered = true;
	in.triage.deadline = START + 24 * 60 * MINUTE;
	done(0, CP_DONE, 15); /* at its time is in time */
	done(1, CP_DONE, 2);
	done(2, CP_DONE, 35);
	done(3, CP_DONE, 60);
	s = score_new(&in, START + 90 * MINUTE);
	assert_int_equal(s->points, 40);
	assert_true(s->evidence);
	assert_true(s->rto);
	assert_true(s->deadline_left == (24 * 60 - 35) * MINUTE);
	score_free(s);
}

static void test_mixed(void **state)
{
	struct score *s;
	char **line;
	size_t n;

	(void)state;
	make();
	in.triage.answered = true;
	in.triage.deadline = START + 30 * MINUTE;
	in.hosts = 12;
	in.hosts_verified = 11;
	done(0, CP_DONE, 16);
	done(1, CP_BY_HAND, 3);
	done(2, CP_DONE, 34);
	done(3, CP_WAIVED, 61);
	s = score_new(&in, START + 90 * MINUTE);
	assert_int_equal(s->line[0].verdict, VERDICT_LATE);
	assert_int_equal(s->line[1].verdict, VERDICT_BY_HAND);
	assert_int_equal(s->line[2].verdict, VERDICT_IN_TIME);
	assert_int_equal(s->line[3].verdict, VERDICT_WAIVED);
	assert_int_equal(s->points, 25);
	assert_false(s->evidence);
	assert_false(s->rto);
	assert_true(s->deadline_left == -4 * MINUTE);
	line = score_text(s, &n);
	assert_int_equal(n, 7);
	assert_non_null(strstr(line[0], "00:15:00   00:16:00  late"));
	assert_string_equal(line[4], "25 of 40 points; RTO missed");
	assert_string_equal(line[5], "revocation deadline missed: -00:04:00");
	assert_string_equal(line[6], "11 of 12 hosts have a new certificate");
	while (n > 0)
		free(line[--n]);
	free(line);
	score_free(s);
}

/* Published is what counts: while it is not, the deadline goes on. */
static void test_unpublished(void **state)
{
	struct score *s;

	(void)state;
	make();
	in.triage.answered = true;
	in.triage.deadline = START + 30 * MINUTE;
	done(0, CP_DONE, 5);
	s = score_new(&in, START + 45 * MINUTE);
	assert_true(s->deadline_left == -15 * MINUTE);
	score_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_done),
		cmocka_unit_test(test_all_in_time),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_unpublished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
