/* The engine: gates, plans that must be confirmed as they were read, the lease, events of another process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "engine/run.h"
#include "journal/journal.h"
#include "work/declare.h"

static char folder[] = "/tmp/sev1-test-XXXXXX";

static int make_folder(void **state)
{
	char *conf;

	(void)state;
	if (mkdtemp(folder) == NULL || chdir(folder) < 0 || fs_mkdirs("state", 0700, NULL) < 0)
		return -1;
	conf = mem_printf("[sev1]\nstate = %s/state\n[ca x]\nconfig = %s/openssl.cnf\n", folder, folder);
	if (fs_write("openssl.cnf", "", 0, 0600, NULL) < 0)
		return -1;
	int rc = fs_write("sev1.conf", conf, strlen(conf), 0600, NULL);
	free(conf);
	return rc;
}

static int drop_folder(void **state)
{
	(void)state;
	return chdir("/") < 0 || fs_remove_tree(folder, NULL) < 0;
}

/* A command of our own: its plan counts what `count` says; going adds a note. */
static int64_t count;

static void test_start(struct run *r)
{
	json_t *spec = json_object();
	char phrase[32];

	json_put_num(spec, "count", count);
	snprintf(phrase, sizeof phrase, "DO %lld", (long long)count);
	run_plan(r, plan_new("Do it", phrase, spec));
}

static void test_go(struct run *r)
{
	if (run_append(r, EV_NOTE, json_pack("{s:s}", "text", "done")) == 0)
		run_end(r, EXIT_DONE);
}

static const struct command cmd_test = {
	.name = "test", .usage = "", .summary = "",
	.options = (const struct option[]){ { "name", "X", "" }, { "flag", NULL, "" }, { NULL, NULL, NULL } },
	.gates = GATE_CONFIG | GATE_INCIDENT | GATE_ARMED | GATE_LEASE, .start = test_start, .go = test_go,
};

static const struct command cmd_gated = {
	.name = "gated", .summary = "", .gates = GATE_INCIDENT | GATE_TRIAGE, .start = test_go,
};

struct fixture {
	struct loop *loop;
	struct engine *engine;
	int ended, status;
	struct err err;
};

static void on_ended(void *ctx, struct run *r)
{
	struct fixture *f = ctx;

	f->ended++;
	f->status = run_status(r);
	if (run_error(r) != NULL)
		f->err = *run_error(r);
	loop_stop(f->loop);
}

static struct fixture *fixture_new(bool console)
{
	static const struct sink sink = { .ended = on_ended };
	struct fixture *f = mem_zalloc(1, sizeof *f);
	struct engine_options o = { .config_path = "sev1.conf", .console = console };
	struct err e = { 0 };

	f->loop = loop_new();
	f->engine = engine_new(f->loop, &o, &e);
	assert_non_null(f->engine);
	engine_sink(f->engine, &sink, f);
	if (engine_config(f->engine) == NULL)
		fail_msg("%s", engine_config_error(f->engine)->text);
	return f;
}

static void declare(struct fixture *f)
{
	struct err e = { 0 };

	if (incident_declare(f->engine, "test", NULL, clock_now(), &e) < 0)
		fail_msg("%s", e.text);
}

static void fixture_free(struct fixture *f)
{
	engine_free(f->engine);
	loop_free(f->loop);
	free(f);
}

static struct run *start(struct fixture *f, const struct command *cmd, const char *plan)
{
	struct args *a = args_new();
	struct err e = { 0 };
	struct run *r;

	if (plan != NULL)
		args_set(a, "plan", plan);
	if (command_start(f->engine, cmd, a, &r, &e) < 0) {
		f->err = e;
		return NULL;
	}
	return r;
}

static void finish(struct fixture *f)
{
	loop_run(f->loop);
	assert_int_equal(f->ended, 1);
}

static void test_args(void **state)
{
	char *good[] = { (char *)"--name=a", (char *)"--flag", (char *)"--name", (char *)"b" };
	char *unknown[] = { (char *)"--nam", (char *)"x" }, *bare[] = { (char *)"--name" };
	char *word[] = { (char *)"word" };
	struct args *a = args_new();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(args_parse(a, &cmd_test, 4, good, &e), 0);
	assert_string_equal(args_get(a, "name"), "b");
	assert_string_equal(args_nth(a, "name", 0), "a");
	assert_true(args_has(a, "flag"));
	assert_int_equal(args_parse(a, &cmd_test, 2, unknown, &e), ERR_USAGE);
	assert_non_null(strstr(e.text, "--nam"));
	assert_int_equal(args_parse(a, &cmd_test, 1, bare, &e), ERR_USAGE);
	assert_int_equal(args_parse(a, &cmd_test, 1, word, &e), ERR_USAGE);
	args_free(a);
}

static void test_every_command_is_whole(void **state)
{
	const struct command *c;

	(void)state;
	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		assert_non_null(c->start);
		assert_true(strlen(c->summary) > 5);
		assert_ptr_equal(command_find(c->name), c);
		if (c->go != NULL) /* what has a plan changes something: it is armed and alone */
			assert_true((c->gates & (GATE_ARMED | GATE_LEASE)) == (GATE_ARMED | GATE_LEASE));
	}
}

static void test_gates(void **state)
{
	struct fixture *f = fixture_new(true);

	(void)state;
	assert_null(start(f, &cmd_test, NULL));
	assert_non_null(strstr(f->err.text, "no incident"));
	declare(f);
	assert_null(start(f, &cmd_test, NULL));
	assert_non_null(strstr(f->err.text, "observes"));
	assert_null(start(f, &cmd_gated, NULL));
	assert_int_equal(f->err.code, ERR_REFUSED);
	assert_non_null(strstr(f->err.text, "triage"));
	fixture_free(f);
}

static void test_a_plan_needs_its_phrase(void **state)
{
	struct fixture *f = fixture_new(true);
	struct err e = { 0 };
	struct run *r;

	(void)state;
	declare(f);
	engine_arm(f->engine, true);
	count = 4812;
	r = start(f, &cmd_test, NULL);
	assert_non_null(r);
	assert_int_equal(run_state(r), RUN_PLANNED);
	assert_int_equal(run_confirm(r, "DO 4811", &e), ERR_REFUSED);
	assert_int_equal(run_confirm(r, "do 4812", &e), ERR_REFUSED);
	assert_int_equal(run_state(r), RUN_PLANNED);
	engine_arm(f->engine, false); /* disarmed meanwhile */
	assert_int_equal(run_confirm(r, "DO 4812", &e), ERR_REFUSED);
	engine_arm(f->engine, true);
	assert_int_equal(run_confirm(r, "DO 4812", &e), 0);
	finish(f);
	assert_int_equal(f->status, EXIT_DONE);
	assert_string_equal(engine_incident(f->engine)->confirmed.hash, engine_incident(f->engine)->plan_hash);
	fixture_free(f);
}

static void test_a_changed_plan_is_refused_with_the_difference(void **state)
{
	struct fixture *f = fixture_new(false);
	char hash[65], *path;
	struct run *r;

	(void)state;
	declare(f);
	path = mem_strdup(journal_path(engine_journal(f->engine)));
	count = 10;
	r = start(f, &cmd_test, NULL);
	memcpy(hash, run_plan_of(r)->hash, sizeof hash);
	run_cancel(r, "not now");
	finish(f);
	f->ended = 0;
	fixture_free(f);

	f = fixture_new(false);
	assert_int_equal(engine_open(f->engine, NULL, &f->err), ERR_USAGE); /* several are open */
	assert_non_null(strstr(f->err.text, "INC-"));
	assert_int_equal(engine_open(f->engine, path, &f->err), 0);
	free(path);
	count = 11;
	start(f, &cmd_test, hash);
	finish(f);
	assert_int_equal(f->status, EXIT_REFUSED);
	assert_non_null(strstr(f->err.text, "count was 10, is 11"));
	fixture_free(f);
}

static void test_another_console_holds_the_lease(void **state)
{
	struct fixture *f = fixture_new(false);
	struct err e = { 0 };
	struct run *r;
	int ready[2];
	pid_t pid;
	char c;

	(void)state;
	declare(f);
	assert_int_equal(pipe(ready), 0);
	if ((pid = fork()) == 0) {
		struct journal *j = journal_open(journal_path(engine_journal(f->engine)), false, &e);
		c = j != NULL && journal_lease(j, clock_now(), 60000, &e) == 0 ? 'y' : 'n';
		if (write(ready[1], &c, 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	count = 1;
	r = start(f, &cmd_test, NULL);
	assert_int_equal(run_confirm(r, "DO 1", &e), ERR_REFUSED);
	assert_non_null(strstr(e.text, "is running an action"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(run_confirm(r, "DO 1", &e), 0);
	finish(f);
	fixture_free(f);
	close(ready[0]);
	close(ready[1]);
}

static void test_events_of_another_process_are_seen(void **state)
{
	struct fixture *f = fixture_new(false);
	struct journal *other;
	struct err e = { 0 };
	json_t *body = json_pack("{s:s}", "text", "from elsewhere");
	size_t n;

	(void)state;
	declare(f);
	other = journal_open(journal_path(engine_journal(f->engine)), false, &e);
	assert_int_equal(journal_append(other, clock_now(), "scribe", EV_NOTE, body, NULL, &e), 0);
	assert_int_equal(engine_catch_up(f->engine, &e), 0);
	assert_non_null(strstr(engine_lines(f->engine, &n)[1], "from elsewhere"));
	assert_int_equal(n, 2);
	journal_free(other);
	json_decref(body);
	fixture_free(f);
}

/* Two consoles show the same plan, and somebody types its phrase into both. */
static void test_a_plan_is_not_carried_out_twice(void **state)
{
	struct fixture *f = fixture_new(false);
	struct journal *other;
	struct err e = { 0 };
	struct run *r;
	json_t *body;
	char *path;

	(void)state;
	declare(f);
	count = 5;
	r = start(f, &cmd_test, NULL);
	path = mem_strdup(journal_path(engine_journal(f->engine)));
	other = journal_open(path, false, &e);
	body = json_pack("{s:s,s:s}", "command", "test", "hash", run_plan_of(r)->hash);
	assert_int_equal(journal_append(other, clock_now(), "ciso", EV_CONFIRMED, body, NULL, &e), 0);
	journal_free(other);
	json_decref(body);
	assert_int_equal(run_confirm(r, "DO 5", &e), ERR_REFUSED);
	assert_non_null(strstr(e.text, "ciso has confirmed this plan at "));
	run_cancel(r, "not twice");
	finish(f);
	fixture_free(f);

	f = fixture_new(false); /* made anew it shows what is left, and that may be done */
	assert_int_equal(engine_open(f->engine, path, &e), 0);
	r = start(f, &cmd_test, NULL);
	assert_int_equal(run_confirm(r, "DO 5", &e), 0);
	finish(f);
	assert_int_equal(f->status, EXIT_DONE);
	fixture_free(f);
	free(path);
}

static void test_a_closed_incident_takes_no_more_actions(void **state)
{
	struct fixture *f = fixture_new(false);
	struct err e = { 0 };

	(void)state;
	declare(f);
	assert_int_equal(engine_append(f->engine, EV_CLOSED, json_pack("{s:s}", "reason", "over"), &e), 0);
	assert_int_equal(engine_append(f->engine, EV_ARMED, json_pack("{s:b}", "on", 1), &e), ERR_REFUSED);
	assert_int_equal(engine_append(f->engine, EV_NOTE, json_pack("{s:s}", "text", "later"), &e), 0);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_args), cmocka_unit_test(test_every_command_is_whole),
		cmocka_unit_test(test_gates), cmocka_unit_test(test_a_plan_needs_its_phrase),
		cmocka_unit_test(test_a_changed_plan_is_refused_with_the_difference),
		cmocka_unit_test(test_another_console_holds_the_lease),
		cmocka_unit_test(test_events_of_another_process_are_seen),
		cmocka_unit_test(test_a_plan_is_not_carried_out_twice),
		cmocka_unit_test(test_a_closed_incident_takes_no_more_actions),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
