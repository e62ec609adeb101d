/* Where the problem-reporting address stands, how people write it, and the subscribers' file: hostile text included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/fs.h"
#include "comms/published.h"
#include "comms/subscribers.h"

static void test_addresses(void **state)
{
	static const struct {
		const char *text, *want;
		bool named;
	} rows[] = {
		{ "write to problems@ca.example.", "problems@ca.example", true },
		{ "<a href=\"mailto:Problems@CA.example?subject=x\">", "problems@ca.example", true },
		{ "problems&#64;ca&#46;example", "problems@ca.example", true },
		{ "problems (at) ca [dot] example", "problems@ca.example", true },
		{ "myproblems@ca.example", "problems@ca.example", false },
		{ "problems@ca.example.org", "problems@ca.example", false },
		{ "problems@ca", "problems@ca.example", false },
		{ "see https://ca.example/report.", "https://ca.example/report", true },
		{ "see https://ca.example/report/old", "https://ca.example/report", false },
		{ "see https://ca.example/reporting", "https://ca.example/report", false },
		{ "@", "a@b.c", false },
		{ "", "a@b.c", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (published_names(rows[i].text, rows[i].want) != rows[i].named)
			fail_msg("'%s' and %s", rows[i].text, rows[i].want);
}

static void test_hostile_text_is_bounded(void **state)
{
	struct buf b = { 0 };
	json_t *all;

	(void)state;
	for (int i = 0; i < 5000; i++)
		buf_addf(&b, "a%d@b%d.example \x1b[31m\xff@@@ ", i, i);
	all = published_addresses(buf_str(&b));
	assert_int_equal(json_array_size(all), 200);
	json_decref(all);
	buf_free(&b);
}

static void section_is(const char *text, const char *want)
{
	char *s = published_section(text);

	assert_string_equal(s, want);
	free(s);
}

static void test_the_section_of_a_cps(void **state)
{
	(void)state;
	section_is("1.5.2 Contact .... 9\nx\n 1.5.2 Contact\na@b.c\n1.5.3 Person\nz@b.c\n", "1.5.2 Contact\na@b.c\n");
	section_is("## 1.5.2 Contact\na@b.c\n", "1.5.2 Contact\na@b.c\n");
	section_is("1.5.21 x\nno heading\n", "1.5.21 x\nno heading\n");
	section_is("", "");
}

#define EXPORT "CA Owner,Problem Reporting Mechanism\r\nOther,o@x.test\r\n\"My, CA\",\"a@x.test\nor \"\"b\"\"\"\r\n"

static void test_a_directory(void **state)
{
	struct err e = { 0 };
	char *says = published_directory(EXPORT, "d.csv", "my, ca", &e);

	(void)state;
	assert_string_equal(says, "a@x.test\nor \"b\"");
	free(says);
	assert_null(published_directory(EXPORT, "d.csv", "Nobody", &e));
	assert_non_null(strstr(e.text, "no row of the CA owner \"Nobody\""));
	assert_null(published_directory("Owner,Mail\na,b\n", "d.csv", "a", &e));
	assert_non_null(strstr(e.text, "d.csv:1: no column \"CA Owner\""));
	assert_null(published_directory("CA Owner,\"Problem", "d.csv", "a", &e));
	assert_non_null(strstr(e.text, "does not end"));
}

static void file_says(const char *path, const char *text, const char *says)
{
	struct err e = { 0 };
	struct contacts *c;

	assert_int_equal(fs_write(path, text, strlen(text), 0600, &e), 0);
	c = contacts_load(path, &e);
	if (says == NULL && c == NULL)
		fail_msg("%s", e.text);
	if (says != NULL && (c != NULL || strstr(e.text, says) == NULL))
		fail_msg("'%s' does not say '%s'", c != NULL ? "no error" : e.text, says);
	contacts_free(c);
}

#define COLUMNS_LINE "subscriber,match,mail,phone,webhook\n"

static void test_the_subscribers_file(void **state)
{
	char folder[] = "/tmp/sev1-subscribers-XXXXXX", *path;
	struct err e = { 0 };
	struct contacts *c;

	(void)state;
	assert_non_null(mkdtemp(folder));
	path = fs_join(folder, "s.csv");
	file_says(path, "\xef\xbb\xbfphone,Match,subscriber\n+49 1,*.a.test b.test;c.test,acme\n", NULL);
	c = contacts_load(path, &e);
	assert_int_equal(c->contacts, 1);
	assert_int_equal(c->contact[0].matches, 3);
	assert_string_equal(c->contact[0].match[2], "c.test");
	assert_string_equal(c->contact[0].mail, "");
	contacts_free(c);
	file_says(path, "name,match\n", "no column 'subscriber'");
	file_says(path, COLUMNS_LINE "a,*,a@b.c,,\na,*,a@b.c,,\n", "s.csv:3: the subscriber a again; the first is at line 2");
	file_says(path, COLUMNS_LINE "a,*,,,\n", "cannot be reached");
	file_says(path, COLUMNS_LINE "a,,a@b.c,,\n", "no pattern");
	file_says(path, COLUMNS_LINE "a,*,-fx@b.c,,\n", "not a plain mail address");
	file_says(path, COLUMNS_LINE "a,*,\"a@b.c\nBcc: x@y.z\",,\n", "not a plain mail address");
	file_says(path, COLUMNS_LINE "a,*,,,file:///etc/passwd\n", "no http or https URL");
	file_says(path, COLUMNS_LINE "reporter,*,a@b.c,,\n", "who reported the problem");
	file_says(path, COLUMNS_LINE "\"\x1b[2J\",*,a@b.c,,\n", "\\x1B[2J");
	assert_int_equal(fs_remove_tree(folder, &e), 0);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_hostile_text_is_bounded),
		cmocka_unit_test(test_the_section_of_a_cps),
		cmocka_unit_test(test_a_directory),
		cmocka_unit_test(test_the_subscribers_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
