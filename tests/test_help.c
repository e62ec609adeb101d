/* help.c: what is said of a command comes from its row, in lines that fit, and is safe in mdoc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/help.h"
#include "base/text.h"

static void nothing(struct run *r)
{
	(void)r;
}

/* A link seam in place of app/command.c. */
static const struct command table[] = {
	{ .name = "burn", .key = "b", .usage = "HOUSE [STREET]", .summary = "burn a house down",
	    .effect = "'Tis final. Removes every room of the house; there is no undo, and no path\\way back, "
		      "whatever a neighbour may tell you.",
	    .options = (const struct option[]){ { "match", "KIND", "the match to use" },
		{ "a-rather-long-option", NULL, ".dotted help" }, { NULL, NULL, NULL } },
	    .gates = GATE_CONFIG | GATE_ARMED, .start = nothing, .go = nothing },
	{ .name = "look", .usage = "", .summary = "look around", .start = nothing },
};

const struct command *command_at(size_t i)
{
	return i < sizeof table / sizeof table[0] ? &table[i] : NULL;
}

static void lines_fit(const char *text)
{
	for (const char *p = text, *nl; *p != '\0'; p = nl + 1) {
		char *line;

		nl = strchr(p, '\n');
		assert_non_null(nl);
		line = strndup(p, (size_t)(nl - p));
		assert_true(text_columns(line) <= 80);
		assert_true(nl == p || nl[-1] != ' ');
		free(line);
	}
}

static void test_usage(void **state)
{
	struct buf b = { 0 };

	(void)state;
	help_usage(&b);
	lines_fit(buf_str(&b));
	assert_non_null(strstr(buf_str(&b), "\n  burn        burn a house down\n"));
	assert_non_null(strstr(buf_str(&b), "\n  look        look around\n"));
	assert_non_null(strstr(buf_str(&b), "Exit status: 0 done"));
	buf_free(&b);
}

static void test_command(void **state)
{
	struct buf b = { 0 };

	(void)state;
	help_command(&table[0], &b);
	lines_fit(buf_str(&b));
	assert_string_equal(buf_str(&b),
	    "Usage: sev1 burn HOUSE [STREET] [OPTIONS]\n"
	    "\n"
	    "burn a house down\n"
	    "\n"
	    "'Tis final. Removes every room of the house; there is no undo, and no path\\way\n"
	    "back, whatever a neighbour may tell you.\n"
	    "\n"
	    "Options:\n"
	    "  --match KIND          the match to use\n"
	    "  --a-rather-long-option\n"
	    "                        .dotted help\n"
	    "\n"
	    "Needs: a configuration, an armed console (on the command line: the typed\n"
	    "       phrase).\n"
	    "First shows a plan; it runs once its phrase is typed, or with --plan HASH\n"
	    "--confirm PHRASE where there is no terminal.\n"
	    "In the console: the key b, or :burn\n");
	buf_clear(&b);
	help_command(&table[1], &b);
	assert_string_equal(buf_str(&b), "Usage: sev1 look\n\nlook around\n");
	buf_free(&b);
}

static void test_man(void **state)
{
	struct buf b = { 0 };

	(void)state;
	help_man(&b);
	assert_non_null(strstr(buf_str(&b), "\n.It Ic burn Ar \\&HOUSE Ar \\&[STREET]\nburn a house down\n"));
	assert_non_null(strstr(buf_str(&b), "\n\\&'Tis final.\nRemoves every room"));       /* no request */
	assert_non_null(strstr(buf_str(&b), "path\\eway"));             /* no escape */
	assert_non_null(strstr(buf_str(&b), ".It Fl \\-match Ar \\&KIND\n"));
	assert_non_null(strstr(buf_str(&b), ".It Fl \\-a-rather-long-option\n\\&.dotted help\n"));
	for (const char *p = buf_str(&b); *p != '\0'; p = strchr(p, '\n') + 1)
		assert_true(*p != '.' || strncmp(p, ".It", 3) == 0 || strncmp(p, ".Bl", 3) == 0 ||
		    strncmp(p, ".El", 3) == 0 || strncmp(p, ".Sh", 3) == 0 || strncmp(p, ".Pp", 3) == 0);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_man),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
