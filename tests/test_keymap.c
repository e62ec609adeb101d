/* The tables of keys: no key means two things, every command is reachable, no key acts by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "keymap.h"
#include "screen.h"

static const struct screen_ops *const screens[] = { &scr_start, &scr_board, &scr_triage, &scr_plan, &scr_progress,
	&scr_result, &scr_fleet, &scr_host, &scr_timeline, &scr_output, &scr_followups, &scr_help, &scr_recover, &scr_new,
	&scr_errors };

static void global_keys_mean_one_thing(void **state)
{
	const struct keydef *a, *b;

	(void)state;
	for (size_t i = 0; (a = keymap_at(i)) != NULL; i++)
		for (size_t k = i + 1; (b = keymap_at(k)) != NULL; k++)
			if (a->key == b->key)
				fail_msg("key %s is there twice", a->label);
}

static void command_keys_are_free(void **state)
{
	const struct command *a, *b;

	(void)state;
	for (size_t i = 0; (a = command_at(i)) != NULL; i++) {
		if (a->key == NULL)
			continue;
		if (strlen(a->key) != 1 || a->key[0] <= ' ' || a->key[0] > '~')
			fail_msg("%s: its key \"%s\" is no single printable character", a->name, a->key);
		/* Help is the same command everywhere. */
		if (keymap_act(a->key[0]) != ACT_NONE && strcmp(a->name, "help") != 0)
			fail_msg("%s: its key %s is taken everywhere", a->name, a->key);
		if (a->key[0] >= '0' && a->key[0] <= '9')
			fail_msg("%s: digits choose checkpoints", a->name);
		for (size_t k = i + 1; (b = command_at(k)) != NULL; k++)
			if (b->key != NULL && strcmp(a->key, b->key) == 0)
				fail_msg("%s and %s share the key %s", a->name, b->name, a->key);
	}
}

static void every_command_is_reachable(void **state)
{
	const struct command *c;

	(void)state;
	assert_non_null(command_at(0));
	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		if (command_find(c->name) != c)
			fail_msg("%s: ':' does not find it", c->name);
		if (!text_is_word(c->name))
			fail_msg("%s: cannot be typed as one word", c->name);
		if (c->summary == NULL || c->summary[0] == '\0')
			fail_msg("%s: help has nothing to say", c->name);
		if (c->key != NULL && keymap_command(c->key[0]) != c)
			fail_msg("%s: its key %s does not find it", c->name, c->key);
	}
}

/* What changes systems either makes a plan that waits for its phrase, or needs an armed console;
 * screens' own keys start nothing (they open, move, ask). No Ctrl key and no Esc is a command's. */
static void nothing_destructive_on_one_key(void **state)
{
	const struct command *c;

	(void)state;
	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		if (c->key != NULL && (c->gates & GATE_ARMED) && c->go == NULL && c->effect == NULL)
			fail_msg("%s: acts at once on its key %s: neither a plan nor an effect to ask about", c->name, c->key);
	for (int key = 0; key < 0x20; key++)
		assert_null(keymap_command(key));
	assert_null(keymap_command(0x7f));
	for (int key = KEYC_UP; key <= KEYC_OTHER; key++)
		assert_null(keymap_command(key));
}

static void screens_keys_do_not_hide_global_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof screens / sizeof screens[0]; i++) {
		assert_non_null(screens[i]->name);
		assert_non_null(screens[i]->draw);
		for (const struct binding *b = screens[i]->keys; b != NULL && b->what != NULL; b++)
			if (b->key > ' ' && b->key < 0x7f && keymap_act(b->key) != ACT_NONE &&
			    strchr(":/", b->key) == NULL)
				fail_msg("%s: its key %s means something else everywhere", screens[i]->name, b->label);
	}
}

static void footers_fit_and_say_how_to_leave(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof screens / sizeof screens[0]; i++) {
		struct buf b = { 0 };
		keymap_footer(&b, screens[i]->keys, screens[i]->typing, 78);
		assert_in_range(text_columns(buf_str(&b)), 1, 78);
		assert_non_null(strstr(buf_str(&b), screens[i]->typing ? "Esc back" : "q back"));
		assert_non_null(strstr(buf_str(&b), screens[i]->typing ? "F1 help" : "? help"));
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(global_keys_mean_one_thing),
		cmocka_unit_test(command_keys_are_free),
		cmocka_unit_test(every_command_is_reachable),
		cmocka_unit_test(nothing_destructive_on_one_key),
		cmocka_unit_test(screens_keys_do_not_hide_global_ones),
		cmocka_unit_test(footers_fit_and_say_how_to_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
