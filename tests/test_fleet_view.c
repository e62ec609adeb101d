/* The fleet as it is looked at: filters, orders, groups of equal errors, and that nothing is made twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "fleet_view.h"
#include "forecast.h"

static struct host_row hosts[] = {
	{ .host = "web10.test", .phase = "verify", .state = "verified", .detail = "", .ms = 300, .at = 5000 },
	{ .host = "web2.test", .phase = "install", .state = "failed",
	    .detail = "/etc/web2.test.pem.sev1-aB3dE9: disk full, 120 left", .ms = 900, .at = 3000 },
	{ .host = "db1.test", .phase = "install", .state = "failed",
	    .detail = "/etc/db1.test.pem.sev1-Zz81kQ: disk full, 7 left", .ms = 700, .at = 4000 },
	{ .host = "db2.test", .phase = "connect", .state = "unreachable", .detail = "no answer from 192.0.2.7", .at = 9000 },
	{ .host = "db3.test", .phase = "reload", .state = "rolled back", .detail = "nginx: \\x1B[2J emerg", .ms = 50, .at = 100 },
	{ .host = "db4.test", .phase = "csr", .state = "running", .detail = "" },
	{ .host = "db5.test", .phase = "", .state = "waiting", .detail = "" },
};
static struct incident incident = { .host = hosts, .hosts = sizeof hosts / sizeof hosts[0], .last_seq = 7 };

static void has_rows(struct fleet_view *v, const char *want)
{
	struct buf b = { 0 };

	fleet_view_refresh(v, &incident);
	for (size_t i = 0; i < v->rows; i++)
		buf_addf(&b, "%s%.*s", i > 0 ? " " : "", (int)strcspn(hosts[v->row[i]].host, "."), hosts[v->row[i]].host);
	assert_string_equal(buf_str(&b), want);
	buf_free(&b);
}

static void filters_by_state_pattern_text_and_not(void **state)
{
	static const struct {
		const char *filter, *rows;
	} cases[] = {
		{ "", "web10 web2 db1 db2 db3 db4 db5" },
		{ "failed", "web2 db1" },
		{ "FAILED", "web2 db1" },
		{ "rolled back", "db3" },
		{ "rolled", "db3" },
		{ "failed unreachable", "web2 db1 db2" },
		{ "failed web*", "web2" },
		{ "db?.test !failed", "db2 db3 db4 db5" },
		{ "web* !web1*", "web2" },
		{ "disk", "web2 db1" },
		{ "disk install db1", "db1" },
		{ "nobody", "" },
		{ "web", "web10 web2" },
		{ "  failed  ", "web2 db1" },
		{ "!", "" },
	};
	struct fleet_view v = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		fleet_view_filter(&v, cases[i].filter);
		has_rows(&v, cases[i].rows);
	}
	fleet_view_free(&v);
}

static void sorts_by_each_column_both_ways(void **state)
{
	static const struct {
		enum fleet_by by;
		bool down;
		const char *rows;
	} cases[] = {
		{ FLEET_BY_ORDER, false, "web10 web2 db1 db2 db3 db4 db5" },
		{ FLEET_BY_ORDER, true, "db5 db4 db3 db2 db1 web2 web10" },
		{ FLEET_BY_HOST, false, "db1 db2 db3 db4 db5 web2 web10" }, /* 2 before 10 */
		{ FLEET_BY_HOST, true, "web10 web2 db5 db4 db3 db2 db1" },
		{ FLEET_BY_PHASE, false, "db5 db2 db4 web2 db1 db3 web10" },
		{ FLEET_BY_STATE, false, "web2 db1 db3 db2 db4 db5 web10" }, /* worst first */
		{ FLEET_BY_TOOK, false, "web2 db1 web10 db3 db2 db4 db5" },  /* slowest first, equals in order */
		{ FLEET_BY_TOOK, true, "db2 db4 db5 db3 web10 db1 web2" },
	};
	struct fleet_view v = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		fleet_view_sort(&v, cases[i].by, cases[i].down);
		has_rows(&v, cases[i].rows);
	}
	fleet_view_free(&v);
}

static void equal_errors_are_one_group_that_opens(void **state)
{
	struct fleet_view v = { 0 };

	(void)state;
	fleet_view_refresh(&v, &incident);
	assert_int_equal(v.groups, 3);
	assert_int_equal(v.group[0].count, 2);
	assert_string_equal(v.group[0].words, "/etc/HOST.pem.sev1-#: disk full, # left");
	fleet_view_like(&v, &v.group[0]);
	has_rows(&v, "web2 db1");
	fleet_view_filter(&v, "db*");
	has_rows(&v, "db1");
	assert_int_equal(v.groups, 3); /* of all hosts, whatever is shown */
	fleet_view_filter(&v, "");
	fleet_view_like(&v, NULL);
	has_rows(&v, "web10 web2 db1 db2 db3 db4 db5");
	fleet_view_free(&v);
}

static void what_differs_from_host_to_host_is_abstracted(void **state)
{
	static const struct {
		const char *detail, *host, *is;
	} cases[] = {
		{ "", "a.test", "" },
		{ "port 2222 of a.test", "a.test", "port # of HOST" },
		{ "port 2222", "", "port #" },
		{ "serial 5D0A00FF11 and deadbeef", "a.test", "serial # and #" },
		{ "deadbeefs", "a.test", "deadbeefs" },
		{ "\\x1B]0;x\\x07 at 3", "a.test", "\\x1B]#;x\\x07 at #" },
		{ "\\x", "a.test", "\\x" },
		{ "x.sev1-", "a.test", "x.sev1-#" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *is = fleet_abstract(cases[i].detail, cases[i].host);
		assert_string_equal(is, cases[i].is);
		free(is);
	}
}

static void nothing_is_made_again_where_nothing_changed(void **state)
{
	struct fleet_view v = { 0 };

	(void)state;
	assert_true(fleet_view_refresh(&v, &incident));
	assert_false(fleet_view_refresh(&v, &incident));
	assert_int_equal(v.made, 1);
	fleet_view_sort(&v, FLEET_BY_HOST, false);
	assert_true(fleet_view_refresh(&v, &incident));
	assert_false(fleet_view_refresh(&v, &incident));
	incident.last_seq++;
	assert_true(fleet_view_refresh(&v, &incident));
	assert_int_equal(v.made, 3);
	incident.last_seq--;
	fleet_view_free(&v);
}

static void counts_and_ends_are_of_all_hosts(void **state)
{
	struct fleet_view v = { 0 };

	(void)state;
	fleet_view_filter(&v, "nobody");
	fleet_view_refresh(&v, &incident);
	assert_int_equal(v.count[FLEET_FAILED], 2);
	assert_int_equal(v.count[FLEET_WAITING], 1);
	assert_int_equal(v.ends, 5);
	for (size_t i = 1; i < v.ends; i++)
		assert_true(v.ended[i - 1] <= v.ended[i]);
	assert_int_equal(fleet_view_find(&v, 0), v.rows);
	fleet_view_free(&v);
}

/* ---- the forecast ---- */

#define SECOND 1000

/* n hosts, one each ms, the first at from. */
static int64_t *ends(size_t n, int64_t from, int64_t each)
{
	int64_t *t = mem_zalloc(n, sizeof *t);

	for (size_t i = 0; i < n; i++)
		t[i] = from + (int64_t)i * each;
	return t;
}

static void says(const struct forecast *f, int concurrency, const char *want)
{
	char *is = forecast_words(f, concurrency);

	assert_string_equal(is, want);
	free(is);
}

static void forecasts_against_the_rto(void **state)
{
	int64_t *t = ends(600, 100, 100); /* ten a second for a minute */
	struct forecast f;

	(void)state;
	forecast_make(&f, t, 600, 940, 0, 60 * SECOND, 754 * SECOND);
	assert_true(f.rate > 9.9 && f.rate < 10.1);
	assert_int_equal((f.left + 500) / SECOND, 34);
	says(&f, 16, "at this rate done in 00:34, 12 minutes before the RTO");
	forecast_make(&f, t, 600, 940, 0, 60 * SECOND, 44 * SECOND);
	says(&f, 16, "at this rate done in 00:34, 00:10 before the RTO");
	forecast_make(&f, t, 600, 940, 0, 60 * SECOND, 14 * SECOND);
	says(&f, 16, "done in 00:34, late by 00:20: raise the concurrency from 16 to 39");
	says(&f, 0, "done in 00:34, late by 00:20: raise the concurrency");
	forecast_make(&f, t, 600, 940, 0, 60 * SECOND, -14 * SECOND);
	says(&f, 16, "at this rate done in 00:34; the RTO has passed: raise the concurrency");
	forecast_make(&f, t, 600, 940, 0, 60 * SECOND, INT64_MIN);
	says(&f, 16, "at this rate done in 00:34");
	forecast_make(&f, t, 600, 600, 0, 60 * SECOND, INT64_MIN);
	says(&f, 16, "every host has ended");
	free(t);
}

static void the_rate_is_that_of_late(void **state)
{
	int64_t *t = ends(600, 100, 100); /* a minute at ten a second, then nothing */
	struct forecast f;

	(void)state;
	forecast_make(&f, t, 600, 700, 0, 90 * SECOND, INT64_MIN);
	assert_int_equal(f.window, 90 * SECOND); /* none in 30 s: a longer look */
	forecast_make(&f, t, 600, 700, 0, 600 * SECOND, INT64_MIN);
	assert_true(f.rate == 0 && f.left == -1);
	says(&f, 16, "no host ended in the last 02:00: no forecast");
	forecast_make(&f, t, 0, 700, 0, 10, INT64_MIN);
	says(&f, 16, "it has just begun: no forecast yet");
	forecast_make(&f, t, 0, 0, 0, 10, INT64_MIN);
	says(&f, 16, "");
	free(t);
}

static void the_curve_rises_to_now_and_goes_on_at_the_rate(void **state)
{
	int64_t *t = ends(600, 100, 100);
	struct forecast f;
	size_t done[20];
	int past;

	(void)state;
	forecast_make(&f, t, 600, 1200, 0, 60 * SECOND, 80 * SECOND);
	assert_int_equal(forecast_end(&f) / SECOND, 140); /* the RTO, as it is near */
	past = forecast_curve(&f, t, 120 * SECOND, done, 20);
	assert_int_equal(past, 10);
	assert_int_equal(done[4], 300);
	assert_int_equal(done[9], 600);
	assert_in_range(done[14], 895, 905);
	assert_in_range(done[19], 1195, 1200);
	for (int i = 1; i < 20; i++)
		assert_true(done[i] >= done[i - 1]);
	forecast_make(&f, t, 600, 1200, 0, 60 * SECOND, 3600 * SECOND);
	assert_int_equal((forecast_end(&f) + 500) / SECOND, 120); /* far: it would squeeze the curve */
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_by_state_pattern_text_and_not),
		cmocka_unit_test(sorts_by_each_column_both_ways),
		cmocka_unit_test(equal_errors_are_one_group_that_opens),
		cmocka_unit_test(what_differs_from_host_to_host_is_abstracted),
		cmocka_unit_test(nothing_is_made_again_where_nothing_changed),
		cmocka_unit_test(counts_and_ends_are_of_all_hosts),
		cmocka_unit_test(forecasts_against_the_rto),
		cmocka_unit_test(the_rate_is_that_of_late),
		cmocka_unit_test(the_curve_rises_to_now_and_goes_on_at_the_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
