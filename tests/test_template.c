#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "comms/template.h"

static struct err e;
static struct fields *f;
static char *subject, *body;

static int fill(const char *text, const char *instead, json_t *missing)
{
	free(subject);
	free(body);
	memset(&e, 0, sizeof e);
	return template_fill(text, "internal.txt", f, instead, missing, &subject, &body, &e);
}

static int setup(void **state)
{
	(void)state;
	f = fields_new();
	fields_set(f, "count", "4812");
	fields_set(f, "systems", "web01\nweb02");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fields_free(f);
	free(subject);
	free(body);
	subject = body = NULL;
	return 0;
}

static void test_filled(void **state)
{
	(void)state;
	assert_int_equal(fill("Subject: {{count}} gone\n\n- {{count}}/{{count}}\n{{systems}}\nend", NULL, NULL), 0);
	assert_string_equal(subject, "4812 gone");
	assert_string_equal(body, "- 4812/4812\nweb01\nweb02\nend\n");
	assert_int_equal(fill("Subject: x\n\nb\n", "ours: {{count}}", NULL), 0);
	assert_string_equal(subject, "ours: 4812");
}

static void test_unfilled(void **state)
{
	json_t *missing = json_array();

	(void)state;
	assert_int_equal(fill("Subject: s\n\none\n{{downtime}} hours\n", NULL, NULL), ERR_REFUSED);
	assert_string_equal(e.text, "internal.txt:4: the field {{downtime}} is not filled");
	assert_non_null(strstr(e.remedy, "--field downtime="));
	assert_null(subject);
	fields_set(f, "downtime", ""); /* nothing is not a value */
	assert_int_equal(fill("Subject: {{who}}\n\n{{count}} {{downtime}}\n", NULL, missing), 0);
	assert_string_equal(subject, "{{who}}");
	assert_string_equal(body, "4812 {{downtime}}\n");
	assert_int_equal(json_array_size(missing), 2);
	assert_string_equal(json_str(json_array_get(missing, 0), "field"), "who");
	assert_int_equal(json_num(json_array_get(missing, 0), "line", 0), 1);
	assert_string_equal(json_str(json_array_get(missing, 1), "field"), "downtime");
	assert_int_equal(json_num(json_array_get(missing, 1), "line", 0), 3);
	json_decref(missing);
}

static void test_hostile_values(void **state)
{
	(void)state;
	fields_set(f, "ca", "Issuing\r\nBcc: thief@example.net\x1b[2J \xff{{count}}");
	assert_int_equal(fill("Subject: {{ca}}\n\n{{ca}}\n", NULL, NULL), 0);
	assert_string_equal(subject, "Issuing\\x0D Bcc: thief@example.net\\x1B[2J \\xFF{{count}}");
	assert_string_equal(body, "Issuing\\x0D\nBcc: thief@example.net\\x1B[2J \\xFF{{count}}\n");
	fields_set(f, "ca", "a\nb");
	assert_int_equal(fill("Subject: x\n\nb\n", "{{ca}}\nBcc: t", NULL), 0);
	assert_string_equal(subject, "a b");
}

static void test_malformed(void **state)
{
	(void)state;
	assert_int_equal(fill("Dear all\n\n", NULL, NULL), ERR_SYNTAX);
	assert_non_null(strstr(e.text, "internal.txt:1:"));
	assert_int_equal(fill("", NULL, NULL), ERR_SYNTAX);
	assert_int_equal(fill("Subject: \n\nb\n", NULL, NULL), ERR_SYNTAX);
	assert_int_equal(fill("Subject: s\nb\n", NULL, NULL), ERR_SYNTAX);
	assert_non_null(strstr(e.text, "internal.txt:2:"));
	assert_int_equal(fill("Subject: s\n\na\nb {{count\n", NULL, NULL), ERR_SYNTAX);
	assert_non_null(strstr(e.text, "internal.txt:4:"));
	assert_int_equal(fill("Subject: s\n\n{{ count }}\n", NULL, NULL), ERR_SYNTAX);
	assert_int_equal(fill("Subject: s\n\n{{}}\n", NULL, NULL), ERR_SYNTAX);
}

/* The fields that a template of the package names. */
static json_t *shipped(const char *name, struct fields *none)
{
	const char *srcdir = getenv("SRCDIR");
	char *path = fs_join(srcdir != NULL ? srcdir : ".", name), *s = NULL, *b = NULL;
	json_t *named = json_array(), *all = json_object(), *one;
	struct buf text = { 0 };
	size_t i;

	assert_int_equal(fs_read(path, &text, 65536, &e), 0);
	assert_int_equal(template_fill(buf_str(&text), name, none, NULL, named, &s, &b, &e), 0);
	json_array_foreach(named, i, one)
		json_object_set_new(all, json_str(one, "field"), json_true());
	assert_true(json_object_size(all) > 0);
	json_decref(named);
	buf_free(&text);
	free(path);
	free(s);
	free(b);
	return all;
}

static void test_translated(void **state)
{
	static const char *const names[] = { "approvers", "external", "intake", "internal", "management", "preliminary",
		"subscriber" };
	struct fields *none = fields_new();

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *en = mem_printf("data/templates/%s.txt", names[i]), *de = mem_printf("data/templates/de/%s.txt", names[i]);
		json_t *a = shipped(en, none), *b = shipped(de, none);

		if (!json_equal(a, b))
			fail_msg("%s and %s do not name the same fields", en, de);
		json_decref(a);
		json_decref(b);
		free(en);
		free(de);
	}
	fields_free(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_filled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unfilled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
		cmocka_unit_test(test_translated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
