/* What is typed: the line editor, prompts, questions, words, and what a frame shows of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "ask.h"
#include "base/buf.h"
#include "base/clock.h"
#include "edit.h"
#include "job.h"
#include "keymap.h"
#include "prompt.h"

static void type(struct edit *ed, const char *s)
{
	for (; *s != '\0'; s++)
		edit_key(ed, (unsigned char)*s);
}

static void editing(void **state)
{
	struct edit ed;

	(void)state;
	edit_init(&ed, "", NULL);
	type(&ed, "revoke now");
	edit_key(&ed, KEYC_BACKSPACE);
	assert_string_equal(ed.text, "revoke no");
	edit_key(&ed, KEYC_HOME);
	edit_key(&ed, KEYC_DELETE);
	type(&ed, "R");
	assert_string_equal(ed.text, "Revoke no");
	edit_key(&ed, KEYC_END);
	edit_key(&ed, KEYC_CTRL('w'));
	assert_string_equal(ed.text, "Revoke ");
	edit_key(&ed, KEYC_CTRL('a'));
	edit_key(&ed, KEYC_RIGHT);
	edit_key(&ed, KEYC_CTRL('k'));
	assert_string_equal(ed.text, "R");
	edit_key(&ed, KEYC_CTRL('u'));
	assert_string_equal(ed.text, "");
	edit_key(&ed, KEYC_BACKSPACE);
	edit_key(&ed, KEYC_DELETE);
	edit_key(&ed, KEYC_LEFT);
	assert_int_equal(ed.len, 0);
	edit_free(&ed);
}

static void utf8_moves_by_characters(void **state)
{
	struct edit ed;

	(void)state;
	edit_init(&ed, "", NULL);
	edit_key(&ed, 'a');
	edit_key(&ed, 0xfc);    /* u with diaeresis */
	edit_key(&ed, 0x20ac);  /* euro */
	edit_key(&ed, 0x1f511); /* a key */
	assert_string_equal(ed.text, "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x94\x91");
	edit_key(&ed, KEYC_LEFT);
	edit_key(&ed, KEYC_BACKSPACE);
	assert_string_equal(ed.text, "a\xc3\xbc\xf0\x9f\x94\x91");
	edit_key(&ed, KEYC_LEFT);
	edit_key(&ed, KEYC_DELETE);
	assert_string_equal(ed.text, "a\xf0\x9f\x94\x91");
	edit_free(&ed);
}

static void controls_are_not_text(void **state)
{
	static const int keys[] = { 0x1b, 0x07, 0x7f, 0x9b, 0xd800, KEYC_F1, KEYC_OTHER, KEYC_TAB, KEYC_ENTER, 0 };
	struct edit ed;

	(void)state;
	edit_init(&ed, "", NULL);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		assert_false(edit_key(&ed, keys[i]));
	assert_int_equal(ed.len, 0);
	edit_free(&ed);
}

static void a_giant_paste_is_cut_whole(void **state)
{
	struct edit ed;

	(void)state;
	edit_init(&ed, "", NULL);
	for (int i = 0; i < 5000; i++)
		edit_key(&ed, 0x20ac);
	assert_in_range(ed.len, EDIT_MAX - 3, EDIT_MAX);
	assert_int_equal(ed.len % 3, 0);
	edit_free(&ed);
}

static void history_looks_back_and_returns(void **state)
{
	struct history *h = history_new();
	struct edit ed;

	(void)state;
	history_add(h, "arm");
	history_add(h, "arm");
	history_add(h, "");
	history_add(h, "note x");
	edit_init(&ed, "rev", h);
	edit_key(&ed, KEYC_UP);
	assert_string_equal(ed.text, "note x");
	edit_key(&ed, KEYC_UP);
	assert_string_equal(ed.text, "arm");
	edit_key(&ed, KEYC_UP);
	assert_string_equal(ed.text, "arm");
	edit_key(&ed, KEYC_DOWN);
	edit_key(&ed, KEYC_DOWN);
	assert_string_equal(ed.text, "rev");
	edit_key(&ed, KEYC_DOWN);
	assert_string_equal(ed.text, "rev");
	edit_free(&ed);
	history_free(h);
}

static void the_cursor_of_a_long_line_stays_in_view(void **state)
{
	struct edit ed;
	int column;

	(void)state;
	edit_init(&ed, "0123456789abcdefghij", NULL);
	assert_int_equal(edit_view(&ed, 10, &column), 11);
	assert_int_equal(column, 9);
	edit_key(&ed, KEYC_HOME);
	assert_int_equal(edit_view(&ed, 10, &column), 0);
	assert_int_equal(column, 0);
	edit_free(&ed);
}

/* ---- prompts ---- */

static int done, given_up;
static char last[200];

static void heard(void *ctx, enum prompt_end end, const char *text)
{
	(void)ctx;
	done += end == PROMPT_DONE;
	given_up += end == PROMPT_GIVEN_UP;
	snprintf(last, sizeof last, "%s", text);
}

static void prompt_type(struct prompt *p, const char *s)
{
	for (; *s != '\0'; s++)
		prompt_key(p, (unsigned char)*s);
}

static void only_the_exact_phrase_goes_on(void **state)
{
	static const char *const wrong[] = { "", "revoke 4812", "REVOKE 4813", "REVOKE 4812 ", " REVOKE 4812", "REVOKE" };
	struct prompt p = { 0 };

	(void)state;
	done = given_up = 0;
	prompt_open_phrase(&p, "Type", "", "REVOKE 4812", heard, NULL);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		prompt_key(&p, KEYC_CTRL('u'));
		prompt_type(&p, wrong[i]);
		prompt_key(&p, KEYC_ENTER);
		assert_true(p.open);
		assert_true(p.wrong);
		assert_int_equal(done, 0);
	}
	prompt_key(&p, KEYC_CTRL('u'));
	prompt_type(&p, "REVOKE 4812");
	prompt_key(&p, KEYC_ENTER);
	assert_int_equal(done, 1);
	assert_false(p.open);
	prompt_close(&p);
}

static void esc_and_ctrl_c_give_up(void **state)
{
	static const int keys[] = { KEYC_ESC, KEYC_CTRL('c') };
	struct prompt p = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		done = given_up = 0;
		prompt_open_phrase(&p, "Type", "", "ARM", heard, NULL);
		prompt_type(&p, "ARM");
		prompt_key(&p, keys[i]);
		assert_int_equal(done, 0);
		assert_int_equal(given_up, 1);
		assert_false(p.open);
	}
}

/* Letters that are keys elsewhere are letters here. */
static void a_prompt_takes_every_letter(void **state)
{
	struct prompt p = { 0 };

	(void)state;
	done = 0;
	prompt_open(&p, ":", "", "", NULL, heard, NULL);
	prompt_type(&p, "qjkhlgG?:/ n");
	prompt_key(&p, KEYC_ENTER);
	assert_int_equal(done, 1);
	assert_string_equal(last, "qjkhlgG?:/ n");
}

/* ---- questions ---- */

static void menu(struct ask *a, void *ctx)
{
	(void)ctx;
	ask_choice(a, "one", "The first  live 3");
	ask_choice(a, "two", "The second  live 4");
}

static bool if_two(const struct ask *a, void *ctx)
{
	(void)ctx;
	return strcmp(ask_get(a, "which"), "two") == 0;
}

static const struct ask_item items[] = {
	{ .name = "which", .title = "Which", .question = "Which one?", .menu = menu },
	{ .name = "more", .title = "More", .question = "Say more", .wanted = if_two },
	{ .name = "when", .title = "When", .question = "When?", .check = answer_time, .preset = "now" },
	{ .name = NULL },
};

static void ask_type(struct ask *a, const char *s)
{
	for (; *s != '\0'; s++)
		ask_key(a, (unsigned char)*s);
}

static void questions_skip_and_go_back(void **state)
{
	struct ask a;

	(void)state;
	clock_pin(1788142440000);
	ask_init(&a, items, NULL);
	assert_int_equal(ask_key(&a, KEYC_ENTER), ASK_MORE);
	assert_string_equal(ask_get(&a, "which"), "one");
	assert_string_equal(ask_shown(&a, "which"), "The first");
	assert_int_equal(a.at, 2);
	assert_int_equal(ask_key(&a, KEYC_ESC), ASK_MORE);
	assert_int_equal(a.at, 0);
	assert_null(ask_get(&a, "which"));
	ask_key(&a, '2');
	ask_key(&a, KEYC_ENTER);
	assert_int_equal(a.at, 1);
	ask_key(&a, KEYC_ENTER);
	assert_int_equal(a.at, 1); /* empty is no answer here */
	ask_type(&a, "q why");
	ask_key(&a, KEYC_ENTER);
	assert_string_equal(ask_get(&a, "more"), "q why");
	ask_type(&a, "-35m"); /* replaces the preset */
	assert_int_equal(ask_key(&a, KEYC_ENTER), ASK_DONE);
	assert_string_equal(ask_get(&a, "when"), "2026-08-31T01:39:00Z");
	ask_reopen(&a);
	assert_false(ask_done(&a));
	ask_free(&a);
	ask_init(&a, items, NULL);
	assert_int_equal(ask_key(&a, KEYC_ESC), ASK_BACK);
	ask_free(&a);
	clock_pin(-1);
}

static void times_need_a_zone_and_a_past(void **state)
{
	static const char *const bad[] = { "2026-08-31 02:00", "2026-08-31 02:30Z", "yesterday", "-5x", "02:00Z", "-" };
	static const char *const good[][2] = { { "now", "2026-08-31T02:14:00Z" }, { "-2h", "2026-08-31T00:14:00Z" },
		{ "2026-08-31T07:30:00+05:30", "2026-08-31T02:00:00Z" }, { "2026-08-31 02:00Z", "2026-08-31T02:00:00Z" } };
	struct err e;
	char *value = NULL;

	(void)state;
	clock_pin(1788142440000);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_true(answer_time(NULL, bad[i], &value, &e) < 0);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(answer_time(NULL, good[i][0], &value, &e), 0);
		assert_string_equal(value, good[i][1]);
		free(value);
	}
	assert_int_equal(answer_time_or_unknown(NULL, "unknown", &value, &e), 0);
	assert_string_equal(value, "unknown");
	free(value);
	clock_pin(-1);
}

static void words_are_quoted_as_in_a_shell(void **state)
{
	struct err e;
	char **argv;
	int argc = words_split("close --reason 'it is over' \"and \\\"done\\\"\" a\\ b ''", &argv, &e);

	(void)state;
	assert_int_equal(argc, 6);
	assert_string_equal(argv[2], "it is over");
	assert_string_equal(argv[3], "and \"done\"");
	assert_string_equal(argv[4], "a b");
	assert_string_equal(argv[5], "");
	words_free(argv, argc);
	assert_int_equal(words_split("  ", &argv, &e), 0);
	words_free(argv, 0);
	assert_int_equal(words_split("note 'open", &argv, &e), ERR_USAGE);
}

/* ---- frames ---- */

static char *row_text(const struct frame *f, int row)
{
	struct buf b = { 0 };

	for (int i = 0; i < f->cols; i++)
		buf_adds(&b, f->cell[row * f->cols + i].s);
	return buf_take(&b);
}

static void assert_row(const struct frame *f, int row, const char *want)
{
	char *s = row_text(f, row);

	assert_string_equal(s, want);
	free(s);
}

static void nothing_raw_reaches_a_frame(void **state)
{
	struct frame *f = frame_new(2, 24);
	struct area a = frame_area(f, 0, 0, 2, 24);

	(void)state;
	draw_text(&a, 0, 0, 24, STYLE_PLAIN, "a\033[2J\r\x9b" "b\n\xe2\x80\xae");
	assert_row(f, 0, "a\\x1B[2J\\x0D\\x9Bb\\n\\u{20");
	draw_text(&a, 1, 20, 10, STYLE_PLAIN, "outside");
	assert_row(f, 1, "                    outs");
	draw_text(&a, 7, 0, 10, STYLE_PLAIN, "nowhere");
	draw_text(&a, -1, -3, 10, STYLE_PLAIN, "nowhere");
	frame_free(f);
}

static void wide_characters_keep_columns(void **state)
{
	struct frame *f = frame_new(1, 10);
	struct area a = frame_area(f, 0, 0, 1, 10);

	(void)state;
	assert_int_equal(draw_text(&a, 0, 0, 5, STYLE_PLAIN, "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2"), 4);
	draw_text(&a, 0, 5, 5, STYLE_PLAIN, "e\xcc\x81x");
	assert_row(f, 0, "\xe6\xbc\xa2\xe5\xad\x97 e\xcc\x81x   ");
	frame_free(f);
}

static void bars_are_full_only_when_done(void **state)
{
	struct frame *f = frame_new(5, 12);
	struct area a = frame_area(f, 0, 0, 5, 12);

	(void)state;
	draw_bar(&a, 0, 0, 12, 0, 2000);
	draw_bar(&a, 1, 0, 12, 1999, 2000);
	draw_bar(&a, 2, 0, 12, 2000, 2000);
	draw_bar(&a, 3, 0, 12, 9, 0);
	draw_bar(&a, 4, 0, 12, INT64_MAX, 5);
	assert_row(f, 0, "[..........]");
	assert_row(f, 1, "[#########.]");
	assert_row(f, 2, "[##########]");
	assert_row(f, 3, "[..........]");
	assert_row(f, 4, "[##########]");
	frame_free(f);
}

static void wrapping_breaks_at_blanks(void **state)
{
	struct frame *f = frame_new(4, 10);
	struct area a = frame_area(f, 0, 0, 4, 10);

	(void)state;
	assert_int_equal(draw_wrap(&a, 0, 0, 10, 4, STYLE_PLAIN, "one two three abcdefghijklm"), 4);
	assert_row(f, 0, "one two   ");
	assert_row(f, 1, "three     ");
	assert_row(f, 2, "abcdefghij");
	assert_row(f, 3, "klm       ");
	assert_int_equal(draw_lines(10, 2, "one two three four five six"), 2);
	frame_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(editing),
		cmocka_unit_test(utf8_moves_by_characters),
		cmocka_unit_test(controls_are_not_text),
		cmocka_unit_test(a_giant_paste_is_cut_whole),
		cmocka_unit_test(history_looks_back_and_returns),
		cmocka_unit_test(the_cursor_of_a_long_line_stays_in_view),
		cmocka_unit_test(only_the_exact_phrase_goes_on),
		cmocka_unit_test(esc_and_ctrl_c_give_up),
		cmocka_unit_test(a_prompt_takes_every_letter),
		cmocka_unit_test(questions_skip_and_go_back),
		cmocka_unit_test(times_need_a_zone_and_a_past),
		cmocka_unit_test(words_are_quoted_as_in_a_shell),
		cmocka_unit_test(nothing_raw_reaches_a_frame),
		cmocka_unit_test(wide_characters_keep_columns),
		cmocka_unit_test(bars_are_full_only_when_done),
		cmocka_unit_test(wrapping_breaks_at_blanks),
	};

	if (setlocale(LC_ALL, "C.UTF-8") == NULL)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
