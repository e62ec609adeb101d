/* The journal: append, verify, and every way in which a hand can spoil it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "journal/journal.h"

static char folder[] = "/tmp/sev1-test-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL || chdir(folder) < 0;
}

static int drop_folder(void **state)
{
	(void)state;
	return chdir("/") < 0 || fs_remove_tree(folder, NULL) < 0;
}

/* A file of five notes. */
static void make_file(const char *path)
{
	struct err e = { 0 };
	struct journal *j;
	json_t *body;

	unlink(path);
	j = journal_create(path, &e);
	assert_non_null(j);
	for (int i = 1; i <= 5; i++) {
		int64_t seq;
		body = json_pack("{s:i}", "n", i);
		assert_int_equal(journal_append(j, 1000 * i, "op", EV_NOTE, body, &seq, &e), 0);
		assert_int_equal(seq, i);
		json_decref(body);
	}
	journal_free(j);
}

static void spoil(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void audit_finds(const char *sql, const char *row)
{
	struct err e = { 0 };
	struct journal *j;

	make_file("a.sev1");
	spoil("a.sev1", sql);
	j = journal_open("a.sev1", true, &e);
	assert_non_null(j);
	assert_int_equal(journal_audit(j, NULL, NULL, &e), ERR_AUDIT);
	if (strstr(e.text, row) == NULL)
		fail_msg("'%s' does not name %s", e.text, row);
	journal_free(j);
}

static void test_a_good_journal_verifies(void **state)
{
	struct err e = { 0 };
	struct journal *j;
	int64_t rows;
	char head[65];

	(void)state;
	make_file("a.sev1");
	j = journal_open("a.sev1", true, &e);
	assert_non_null(j);
	assert_int_equal(journal_audit(j, &rows, head, &e), 0);
	assert_int_equal(rows, 5);
	assert_int_equal(strlen(head), 64);
	journal_free(j);
}

static void test_hands_are_found(void **state)
{
	(void)state;
	audit_finds("UPDATE journal SET body = '{\"n\":9}' WHERE seq = 3", "row 3");
	audit_finds("UPDATE journal SET at = at + 1 WHERE seq = 2", "row 2");
	audit_finds("UPDATE journal SET actor = 'eve' WHERE seq = 1", "row 1");
	audit_finds("UPDATE journal SET kind = 'armed' WHERE seq = 5", "row 5");
	audit_finds("UPDATE journal SET hash = replace(hash, 'a', 'b') WHERE seq = 4", "row 4");
	audit_finds("DELETE FROM journal WHERE seq = 3", "row 3");
	audit_finds("DELETE FROM journal WHERE seq = 1", "row 1");
	audit_finds("DELETE FROM journal WHERE seq = 5", "row 5");
	audit_finds("DELETE FROM journal WHERE seq > 2", "row 3");
	audit_finds("DELETE FROM journal", "row 1");
	audit_finds("UPDATE journal SET seq = 99 WHERE seq = 2; UPDATE journal SET seq = 2 WHERE seq = 3;"
	    "UPDATE journal SET seq = 3 WHERE seq = 99", "row 2");
	audit_finds("INSERT INTO journal SELECT 6, at, actor, kind, body, hash FROM journal WHERE seq = 5", "row 6");
	audit_finds("UPDATE head SET seq = 4", "row 5");
	audit_finds("DELETE FROM head", "row 1");
}

static int count_event(void *ctx, const struct event *ev, struct err *e)
{
	(void)ev;
	(void)e;
	++*(int *)ctx;
	return 0;
}

static void test_two_processes_see_each_other(void **state)
{
	struct err e = { 0 };
	struct journal *mine, *yours;
	json_t *body = json_pack("{s:s}", "text", "x");
	int seen = 0;

	(void)state;
	make_file("two.sev1");
	mine = journal_open("two.sev1", false, &e);
	yours = journal_open("two.sev1", false, &e);
	assert_int_equal(journal_each(yours, 0, count_event, &seen, &e), 0);
	assert_false(journal_changed(yours));
	assert_int_equal(journal_append(mine, 1, "op", EV_NOTE, body, NULL, &e), 0);
	assert_true(journal_changed(yours));
	assert_int_equal(journal_each(yours, 5, count_event, &seen, &e), 0);
	assert_int_equal(seen, 6);
	journal_free(mine);
	journal_free(yours);
	json_decref(body);
}

static void test_files_that_are_not_ours(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(journal_open("absent.sev1", false, &e));
	assert_int_equal(e.code, ERR_NOTFOUND);
	assert_int_equal(fs_write("text.sev1", "not a database, but long enough to be read as one\n", 50, 0600, &e), 0);
	assert_null(journal_open("text.sev1", false, &e));
	assert_non_null(strstr(e.text, "not a sev1 incident file"));
	unlink("other.sev1");
	spoil("other.sev1", "CREATE TABLE t (x)");
	assert_null(journal_open("other.sev1", false, &e));
	assert_non_null(strstr(e.text, "not a sev1 incident file"));
	make_file("new.sev1");
	spoil("new.sev1", "PRAGMA user_version = 2");
	assert_null(journal_open("new.sev1", false, &e));
	assert_non_null(strstr(e.text, "newer sev1 (format 2"));
	assert_true(e.remedy[0] != '\0');
	make_file("twice.sev1");
	assert_null(journal_create("twice.sev1", &e));
}

static void test_artefacts(void **state)
{
	struct err e = { 0 };
	struct journal *j;
	struct buf b = { 0 };
	char hex[65];

	(void)state;
	make_file("art.sev1");
	j = journal_open("art.sev1", false, &e);
	assert_int_equal(journal_keep(j, "manifest", "abc", 3, hex, &e), 0);
	assert_int_equal(journal_keep(j, "manifest", "abc", 3, hex, &e), 0);
	assert_int_equal(journal_fetch(j, hex, &b, &e), 0);
	assert_string_equal(b.data, "abc");
	buf_free(&b);
	spoil("art.sev1", "UPDATE artefact SET data = 'abd'");
	assert_int_equal(journal_fetch(j, hex, &b, &e), ERR_AUDIT);
	assert_int_equal(journal_fetch(j, "00", &b, &e), ERR_NOTFOUND);
	buf_free(&b);
	journal_free(j);
}

/* Another process holds the lease: refused while it lives, ours once it is killed. */
static void test_lease(void **state)
{
	struct err e = { 0 };
	struct journal *j;
	int ready[2];
	char c;
	pid_t pid;

	(void)state;
	make_file("lease.sev1");
	assert_int_equal(pipe(ready), 0);
	if ((pid = fork()) == 0) {
		j = journal_open("lease.sev1", false, &e);
		c = j != NULL && journal_lease(j, 1000, 15000, &e) == 0 ? 'y' : 'n';
		if (write(ready[1], &c, 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	j = journal_open("lease.sev1", false, &e);
	assert_int_equal(journal_lease(j, 1000, 15000, &e), ERR_REFUSED);
	assert_non_null(strstr(e.text, "is running an action"));
	assert_true(journal_leased(j, 1000));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_false(journal_leased(j, 1000));
	assert_int_equal(journal_lease(j, 1000, 15000, &e), 0);
	assert_int_equal(journal_lease(j, 2000, 15000, &e), 0); /* refresh */
	assert_true(journal_leased(j, 2000));
	assert_int_equal(journal_release(j, &e), 0);
	assert_false(journal_leased(j, 2000));
	journal_free(j);
	close(ready[0]);
	close(ready[1]);
}

static void test_append_to_a_read_only_file_is_reported(void **state)
{
	struct err e = { 0 };
	struct journal *j;
	json_t *body = json_object();

	(void)state;
	make_file("ro.sev1");
	j = journal_open("ro.sev1", true, &e);
	assert_non_null(j);
	assert_true(journal_append(j, 1, "op", EV_NOTE, body, NULL, &e) < 0);
	assert_true(e.text[0] != '\0');
	json_decref(body);
	journal_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_journal_verifies), cmocka_unit_test(test_hands_are_found),
		cmocka_unit_test(test_two_processes_see_each_other),
		cmocka_unit_test(test_files_that_are_not_ours), cmocka_unit_test(test_artefacts),
		cmocka_unit_test(test_lease), cmocka_unit_test(test_append_to_a_read_only_file_is_reported),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
