/* The cursor: it moves, pages, stays in sight and on its data, whatever the number of rows does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "list.h"

static bool even(const void *ctx, size_t i)
{
	(void)ctx;
	return i % 2 == 0;
}

static bool never(const void *ctx, size_t i)
{
	(void)ctx;
	(void)i;
	return false;
}

static bool below(const void *ctx, size_t i)
{
	return i < *(const size_t *)ctx;
}

static void empty_has_no_row(void **state)
{
	struct list l = { 0 };

	(void)state;
	list_height(&l, 5);
	list_move(&l, 3);
	list_move(&l, -3);
	list_page(&l, 1);
	list_last(&l);
	assert_int_equal(list_here(&l), LIST_NONE);
	assert_int_equal(list_seen(&l, 0), LIST_NONE);
	assert_false(list_is_here(&l, 0));
	list_free(&l);
}

static void moves_stop_at_both_ends(void **state)
{
	struct list l = { 0 };

	(void)state;
	list_set(&l, 3);
	list_height(&l, 2);
	list_move(&l, -1);
	assert_int_equal(list_here(&l), 0);
	list_move(&l, 100);
	assert_int_equal(list_here(&l), 2);
	list_move(&l, -100);
	assert_int_equal(list_here(&l), 0);
	list_free(&l);
}

static void cursor_is_always_in_sight(void **state)
{
	static const long moves[] = { 1, 7, -3, 40, -2, 900, -1000, 5 };
	struct list l = { 0 };

	(void)state;
	list_set(&l, 100);
	list_height(&l, 10);
	for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
		list_move(&l, moves[i]);
		assert_in_range(l.at, l.top, l.top + 9);
		assert_in_range(l.top, 0, 90);
	}
	list_height(&l, 3);
	assert_in_range(l.at, l.top, l.top + 2);
	list_free(&l);
}

static void a_page_keeps_one_row(void **state)
{
	struct list l = { 0 };

	(void)state;
	list_set(&l, 100);
	list_height(&l, 10);
	list_page(&l, 1);
	assert_int_equal(list_here(&l), 9);
	list_page(&l, 1);
	assert_int_equal(list_here(&l), 18);
	list_page(&l, -1);
	assert_int_equal(list_here(&l), 9);
	list_last(&l);
	assert_int_equal(list_here(&l), 99);
	assert_int_equal(list_seen(&l, 9), 99);
	list_first(&l);
	assert_int_equal(list_here(&l), 0);
	list_free(&l);
}

static void a_filter_maps_to_the_data(void **state)
{
	struct list l = { 0 };

	(void)state;
	list_set(&l, 10);
	list_height(&l, 3);
	list_move(&l, 6);
	list_filter(&l, 10, even, NULL);
	assert_int_equal(l.count, 5);
	assert_int_equal(list_here(&l), 6);
	list_move(&l, 1);
	assert_int_equal(list_here(&l), 8);
	list_set(&l, 10);
	assert_int_equal(list_here(&l), 8);
	list_free(&l);
}

static void a_filter_without_rows_comes_back(void **state)
{
	struct list l = { 0 };

	(void)state;
	list_set(&l, 4);
	list_height(&l, 3);
	list_filter(&l, 4, never, NULL);
	assert_int_equal(list_here(&l), LIST_NONE);
	assert_int_equal(list_seen(&l, 0), LIST_NONE);
	list_set(&l, 4);
	assert_int_equal(list_here(&l), 0);
	list_free(&l);
}

static void rows_that_vanish_pull_the_cursor_along(void **state)
{
	struct list l = { 0 };
	size_t keep = 3;

	(void)state;
	list_set(&l, 10000);
	list_height(&l, 20);
	list_last(&l);
	list_filter(&l, 10000, below, &keep);
	assert_int_equal(list_here(&l), 2);
	assert_int_equal(l.top, 0);
	list_set(&l, 2);
	assert_int_equal(list_here(&l), 1);
	assert_int_equal(list_seen(&l, 2), LIST_NONE);
	list_free(&l);
}

static void only_the_cursors_line_is_marked(void **state)
{
	struct list l = { 0 };
	int marked = 0;

	(void)state;
	list_set(&l, 50);
	list_height(&l, 8);
	list_move(&l, 30);
	for (size_t i = 0; i < 8; i++)
		marked += list_is_here(&l, i);
	assert_int_equal(marked, 1);
	list_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_has_no_row),
		cmocka_unit_test(moves_stop_at_both_ends),
		cmocka_unit_test(cursor_is_always_in_sight),
		cmocka_unit_test(a_page_keeps_one_row),
		cmocka_unit_test(a_filter_maps_to_the_data),
		cmocka_unit_test(a_filter_without_rows_comes_back),
		cmocka_unit_test(rows_that_vanish_pull_the_cursor_along),
		cmocka_unit_test(only_the_cursors_line_is_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
