/* Children: results, errors, silence, garbage, death, deadlines, what they leave behind. A shell script
 * stands in for the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "child/child.h"
#include "patience.h"

static const char script[] =
    "#!/bin/sh\n"
    "read -r request\n"
    "case $2 in\n"
    "echo) echo \"{\\\"result\\\":{\\\"got\\\":$request}}\";;\n"
    "lines) echo '{\"n\":1}'; echo '{\"n\":2}'; echo '{\"result\":{}}';;\n"
    "talk) echo '{\"ready\":1}'; read -r more; echo \"{\\\"result\\\":$more}\";;\n"
    "until) while read -r more; do n=$((n+1)); done; echo \"{\\\"result\\\":{\\\"n\\\":$n}}\";;\n"
    "error) echo '{\"error\":{\"code\":-3,\"text\":\"no\",\"remedy\":\"do this\"}}'; exit 3;;\n"
    "quiet) echo complaint >&2; exit 7;;\n"
    "die) kill -9 $$;;\n"
    "garbage) printf 'x\\033[2Jy\\n'; exec sleep 1000;;\n"
    "hang) exec sleep 1000;;\n"
    "endless) exec tr '\\0' x </dev/zero;;\n"
    "orphan) sleep 1000 >/dev/null 2>&1 </dev/null & echo \"{\\\"result\\\":{\\\"pid\\\":$!}}\";;\n"
    "esac\n";

static char folder[] = "/tmp/sev1-test-XXXXXX";

static int make_folder(void **state)
{
	static char path[64];

	(void)state;
	if (mkdtemp(folder) == NULL || chdir(folder) < 0)
		return -1;
	if (fs_write("program", script, sizeof script - 1, 0700, NULL) < 0)
		return -1;
	snprintf(path, sizeof path, "%s/program", folder);
	child_program(path);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	return chdir("/") < 0 || fs_remove_tree(folder, NULL) < 0;
}

struct seen {
	struct loop *loop;
	int lines, done;
	json_t *result;
	struct err err;
};

static void on_line(void *ctx, struct child *c, const json_t *msg)
{
	struct seen *s = ctx;

	s->lines++;
	if (json_num(msg, "ready", 0) == 1)
		child_send(c, json_pack("{s:i}", "answer", 42));
}

static void on_done(void *ctx, const json_t *result, const struct err *err)
{
	struct seen *s = ctx;

	s->done++;
	s->result = result != NULL ? json_deep_copy(result) : NULL;
	if (err != NULL)
		s->err = *err;
	loop_stop(s->loop);
}

static struct seen run(const char *name, int deadline_s)
{
	struct seen s = { .loop = loop_new() };
	struct child *c;
	struct err e = { 0 };

	c = child_start(s.loop, name, json_pack("{s:s}", "op", "x"), deadline_s, on_line, on_done, &s, &e);
	assert_non_null(c);
	if (strcmp(name, "until") == 0) {
		for (int i = 0; i < 1000; i++)
			child_send(c, json_pack("{s:i}", "i", i));
		child_finish(c);
	}
	loop_run(s.loop);
	assert_int_equal(s.done, 1);
	loop_free(s.loop);
	return s;
}

static void test_request_and_result(void **state)
{
	struct seen s = run("echo", PATIENCE_S);
	const json_t *got = json_object_get(s.result, "got");

	(void)state;
	assert_string_equal(json_str(got, "op"), "x");
	assert_int_equal(json_num(got, "parent_pid", 0), getpid());
	json_decref(s.result);
}

static void test_lines_and_talk(void **state)
{
	struct seen s = run("lines", PATIENCE_S);

	(void)state;
	assert_int_equal(s.lines, 2);
	json_decref(s.result);
	s = run("talk", PATIENCE_S);
	assert_int_equal(json_num(s.result, "answer", 0), 42);
	json_decref(s.result);
	s = run("until", PATIENCE_S);
	assert_int_equal(json_num(s.result, "n", 0), 1000);
	json_decref(s.result);
}

static void fails(const char *name, int deadline_s, int code, const char *text)
{
	struct seen s = run(name, deadline_s);

	assert_null(s.result);
	assert_int_equal(s.err.code, code);
	if (strstr(s.err.text, text) == NULL)
		fail_msg("'%s' does not say '%s'", s.err.text, text);
}

static void test_failures_are_told_apart(void **state)
{
	(void)state;
	fails("error", PATIENCE_S, ERR_REFUSED, "no");
	fails("quiet", PATIENCE_S, ERR_FAILED, "status 7) complaint");
	fails("die", PATIENCE_S, ERR_FAILED, "signal 9");
	fails("garbage", PATIENCE_S, ERR_FAILED, "not JSON: x\\x1B[2Jy");
	fails("endless", PATIENCE_S, ERR_FAILED, "a line without end");
}

static void test_deadline(void **state)
{
	int64_t before = clock_mono(), took;

	(void)state;
	fails("hang", 1, ERR_FAILED, "within 1 s");
	took = clock_mono() - before;
	assert_in_range(took, 1000, SOON_MS);
}

/* What a child started and left running dies with it. */
static void test_nothing_is_left_behind(void **state)
{
	struct seen s = run("orphan", PATIENCE_S);
	pid_t pid = (pid_t)json_num(s.result, "pid", 0);
	int64_t until = clock_mono() + PATIENCE_MS;
	char stat[64], line[64] = "";

	(void)state;
	assert_true(pid > 1);
	snprintf(stat, sizeof stat, "/proc/%d/stat", (int)pid);
	while (clock_mono() < until) { /* gone, or a zombie that init has yet to reap */
		FILE *f = fopen(stat, "r");
		if (f == NULL)
			break;
		if (fgets(line, sizeof line, f) == NULL)
			line[0] = '\0';
		fclose(f);
		if (strstr(line, ") Z") != NULL)
			break;
	}
	assert_true(access(stat, F_OK) < 0 || strstr(line, ") Z") != NULL);
	json_decref(s.result);
}

static void test_a_program_that_is_not_there(void **state)
{
	struct seen s = { .loop = loop_new() };
	struct err e = { 0 };

	(void)state;
	child_program("/nonexistent/sev1");
	assert_null(child_start(s.loop, "echo", json_object(), 1, NULL, on_done, &s, &e));
	assert_non_null(strstr(e.text, "No such file"));
	assert_int_equal(s.done, 0);
	loop_free(s.loop);
}

static void waited(void *ctx)
{
	*(bool *)ctx = true;
}

/* It stands still while the operator is asked something, and starts anew afterwards. */
static void test_deadline_waits(void **state)
{
	struct seen s = { .loop = loop_new() };
	struct err e = { 0 };
	struct child *c = child_start(s.loop, "hang", json_pack("{s:s}", "op", "x"), 1, on_line, on_done, &s, &e);
	bool later = false;

	(void)state;
	assert_non_null(c);
	child_wait(c, true);
	loop_after(s.loop, 3500, waited, &later); /* it would have been killed after 3 s */
	while (!later)
		assert_true(loop_step(s.loop));
	assert_int_equal(s.done, 0);
	child_wait(c, false);
	while (s.done == 0)
		loop_step(s.loop);
	assert_non_null(strstr(s.err.text, "within 1 s"));
	loop_free(s.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_and_result), cmocka_unit_test(test_lines_and_talk),
		cmocka_unit_test(test_failures_are_told_apart), cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_deadline_waits),
		cmocka_unit_test(test_nothing_is_left_behind),
		cmocka_unit_test(test_a_program_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
