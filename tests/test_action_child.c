#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/confine.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "child/serve.h"
#include "patience.h"
#include "serve_seam.h"

static const char *folder;
static struct err e;

static int run(const char *command, int timeout_s, json_t **result)
{
	json_t *request = json_pack("{s:s,s:s,s:i}", "op", "run", "command", command, "timeout_s",
	    timeout_s);
	int rc;

	memset(&e, 0, sizeof e);
	seam_reset();
	*result = NULL;
	rc = action_child(request, result, &e);
	json_decref(request);
	return rc;
}

static void test_success(void **state)
{
	json_t *r;

	(void)state;
	assert_int_equal(run("echo one; echo two; echo three >&2", PATIENCE_S, &r), 0);
	assert_int_equal(json_num(r, "status", -9), 0);
	assert_string_equal(json_str(r, "stdout"), "one\\ntwo");
	assert_string_equal(json_str(r, "stderr"), "three");
	assert_string_equal(json_string_value(seam_find("line", 0)), "one");
	assert_string_equal(json_string_value(seam_find("line", 1)), "two");
	assert_null(seam_find("line", 2));
	json_decref(r);
}

static void test_failure(void **state)
{
	json_t *r;

	(void)state;
	assert_int_equal(run("echo no >&2; exit 7", PATIENCE_S, &r), 0);
	assert_int_equal(json_num(r, "status", -9), 7);
	assert_string_equal(json_str(r, "stderr"), "no");
	json_decref(r);
	assert_int_equal(run("kill -TERM $$", PATIENCE_S, &r), 0);
	assert_int_equal(json_num(r, "status", -9), 128 + 15);
	json_decref(r);
	assert_int_equal(run("/no/such/program", PATIENCE_S, &r), 0);
	assert_int_equal(json_num(r, "status", -9), 127);
	json_decref(r);
	assert_int_equal(run("", PATIENCE_S, &r), ERR_USAGE);
}

/* Is the process whose id stands in this file gone, or will be within a moment? A dead one that init
 * has not yet collected counts as gone. */
static bool gone(const char *file)
{
	int64_t until = clock_mono() + PATIENCE_MS;
	struct buf b = { 0 };
	char *stat_file, *at;
	bool dead = false;
	int pid;

	assert_int_equal(fs_read(file, &b, 100, &e), 0);
	pid = atoi(buf_str(&b));
	assert_true(pid > 1);
	stat_file = mem_printf("/proc/%d/stat", pid);
	while (!dead && clock_mono() < until) {
		buf_clear(&b);
		if (fs_read(stat_file, &b, 4096, &e) < 0 || (at = strrchr(buf_str(&b), ')')) == NULL)
			dead = true;
		else
			dead = at[2] == 'Z' || at[2] == 'X';
	}
	free(stat_file);
	buf_free(&b);
	return dead;
}

static void test_deadline(void **state)
{
	int64_t began = clock_mono();
	json_t *r;

	(void)state;
	/* a grandchild that ignores everything that can be ignored */
	assert_int_equal(run("sh -c 'trap \"\" TERM HUP INT; echo $$ >deep; while :; do sleep 60; done' & "
	                     "trap '' TERM; echo $$ >top; until [ -s deep ]; do :; done; echo working; wait", 3, &r), ERR_TIMEOUT);
	assert_in_range(clock_mono() - began, 2900, SOON_MS);
	assert_null(r);
	assert_string_equal(json_string_value(seam_find("line", 0)), "working");
	assert_true(gone("deep"));
	assert_true(gone("top"));
}

static void test_background(void **state)
{
	int64_t began = clock_mono();
	json_t *r;

	(void)state;
	/* what is left in the background keeps the pipe open: no reason to wait for it */
	assert_int_equal(run("sh -c 'echo $$ >left; exec sleep 60' & until [ -s left ]; do :; done; echo up",
	                     PATIENCE_S, &r), 0);
	assert_int_equal(json_num(r, "status", -9), 0);
	assert_string_equal(json_str(r, "stdout"), "up");
	assert_in_range(clock_mono() - began, 0, SOON_MS);
	assert_true(gone("left"));
	json_decref(r);
}

/* The child is killed in the middle of a run: nothing it started goes on. */
static void test_killed(void **state)
{
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		json_t *r;
		run("echo $$ >orphan.new; mv orphan.new orphan; exec sleep 60", 0, &r);
		_exit(0);
	}
	while (access("orphan", F_OK) < 0)
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(gone("orphan"));
}

static void test_endless(void **state)
{
	int64_t began = clock_mono();
	json_t *r;

	(void)state;
	assert_int_equal(run("yes flood", 3, &r), ERR_TIMEOUT);
	assert_in_range(json_array_size(seam_said), 1000, 1000 + (size_t)((clock_mono() - began) / 1000 + 2) * 10);
	assert_int_equal(run("head -c 10000000 /dev/zero | tr '\\0' x; echo; printf '\\033%.0s' $(seq 60000)",
	                     PATIENCE_S, &r), 0);
	assert_int_equal(strlen(json_string_value(seam_find("line", 0))), 1000);
	assert_true(strlen(json_str(r, "stdout")) <= 65536);
	json_decref(r);
	/* escapes make it longer, never longer than this */
	assert_int_equal(run("head -c 60000 /dev/zero", PATIENCE_S, &r), 0);
	assert_true(strlen(json_str(r, "stdout")) <= 65536);
	assert_true(strlen(json_str(r, "stdout")) > 20000);
	json_decref(r);
}

static void test_escapes(void **state)
{
	json_t *r;

	(void)state;
	assert_int_equal(run("printf '\\033]0;owned\\007 \\302\\233 \\377\\n'; printf '\\033[2J' >&2", PATIENCE_S, &r), 0);
	assert_string_equal(json_string_value(seam_find("line", 0)),
	    "\\x1B]0;owned\\x07 \\u{9B} \\xFF");
	assert_null(strchr(json_str(r, "stdout"), 033));
	assert_string_equal(json_str(r, "stderr"), "\\x1B[2J");
	json_decref(r);
}

static int put(const char *file, const char *path)
{
	char *from = fs_join(folder, file), *to = fs_join(folder, path);
	json_t *request = json_pack("{s:s,s:s,s:s,s:i}", "op", "put", "file", from, "path", to, "mode",
	    0640), *r = NULL;
	char hex[DIGEST_HEX];
	int rc;

	memset(&e, 0, sizeof e);
	if ((rc = action_child(request, &r, &e)) == 0) {
		assert_int_equal(digest_file(to, hex, &e), 0);
		assert_string_equal(json_str(r, "sha256"), hex);
	}
	json_decref(r);
	json_decref(request);
	free(from);
	free(to);
	return rc;
}

static void test_put(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(fs_write("new.crl", "0123", 4, 0600, &e), 0);
	assert_int_equal(put("new.crl", "served.crl"), 0);
	assert_int_equal(stat("served.crl", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(chmod("served.crl", 0644), 0);
	assert_int_equal(fs_write("new.crl", "4567", 4, 0600, &e), 0);
	assert_int_equal(put("new.crl", "served.crl"), 0);
	assert_int_equal(stat("served.crl", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644); /* as it was */
	assert_int_equal(put("new.crl", "no/such/folder.crl"), ERR_IO);
	assert_non_null(strstr(e.text, "no/such"));
	assert_int_equal(put("absent.crl", "served.crl"), ERR_IO);
}

/* In a process of its own: confinement is for ever. */
static void test_confined(void **state)
{
	char *inside = fs_join(folder, "bin/service"), *command;
	int status;
	json_t *r;

	(void)state;
	assert_int_equal(fs_mkdirs("bin", 0755, &e), 0);
	assert_int_equal(fs_write(inside, "#!/bin/sh\necho \"$1 is off\"\n", 27, 0755, &e), 0);
	if (fork() == 0) {
		if (confine_to(folder, &e) < 0)
			_exit(1);
		command = mem_printf("! %s 'one two' || %s three && %s four; %s five", inside, inside,
		    inside, inside);
		if (run(command, PATIENCE_S, &r) != 0 || json_num(r, "status", 9) != 0)
			_exit(2);
		static const char *const bad[] = { "systemctl stop pki-ca", "%s; /bin/rm x", "%s `id`",
			"%s $(id)", "%s >x", "%s & id", "%s\nid", "%s | cat", "sh", "../bin/sh", "%s 'open" };
		for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
			struct buf b = { 0 };
			const char *at = strstr(bad[i], "%s");
			buf_adds(&b, at != NULL ? inside : "");
			buf_adds(&b, at != NULL ? at + 2 : bad[i]);
			if (run(buf_str(&b), PATIENCE_S, &r) != ERR_CONFINED)
				_exit(10 + (int)i);
			buf_free(&b);
		}
		_exit(0);
	}
	wait(&status);
	assert_int_equal(status, 0);
	free(inside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_success),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_background),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_confined),
	};

	folder = test_folder();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
