/* kill -9 before and after every call that changes what lies on the disk, and at random moments: whoever starts again
 * ends with what was planned, nothing twice, and no reader sees a file that is neither the old one nor the new one.
 *
 *	KILLS=1000  how many kills at random moments (60)
 *	SEED=N      the same moments again */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "ca_scene.h"
#include "pki_seam.h"
#include "program_scene.h"

#define STATE_CHANGES "write,sync,rename,create,unlink,trunc"

static const char *const sides[] = { "before", "after" };

static void wrong(const char *what, const struct shot *s, const struct outcome *o, const char *why)
{
	print_message("%s, killed %s: %s\n  status %d signal %d, error \"%s\", stderr \"%s\"\n", what,
	    fault_words(s, &o->fault), why, o->status, o->sig, json_str(o->error, "text"), o->said);
	fail();
}

/* ---- the children ---- */

static const char *wrong_put(const json_t *result)
{
	(void)result;
	return pki_sh("cmp new.crl point/ca.crl && test \"$(ls -A point)\" = ca.crl") == 0 ? NULL :
	    "the point does not hold the new CRL, and it alone";
}

static const char *wrong_plan(const json_t *result)
{
	return json_num(result, "planned", 0) == scene()->planned ? scene_wrong_any() : "another number was planned";
}

static const char *wrong_scope(const json_t *result)
{
	return json_num(result, "count", 0) == scene()->planned ? scene_wrong_any() : "another number was frozen";
}

static const struct operation {
	const char *in, *name;
	const char *(*wrong)(const json_t *result);
	bool revoked; /* it begins where a revocation has ended */
} operations[] = {
	{ "child ca", "scope", wrong_scope, false }, { "child ca", "plan", wrong_plan, false },
	{ "child ca", "revoke", scene_wrong_revoked, false }, { "child ca", "crl", scene_wrong_crl, false },
	{ "child ca", "undo", scene_wrong_undone, true }, { "child action", "put", wrong_put, false },
};

/* Kill it there, look, and let the next run (killed once more at the same count, then not at all) end it. False where
 * the run had ended before. */
static bool kill_at(const struct operation *op, const struct shot *s)
{
	json_t *request = strcmp(op->name, "put") == 0 ? scene_put() : scene_request(op->name);
	struct outcome o;
	const char *why;
	bool fired;

	scene_restore();
	if (op->revoked)
		scene_revoke();
	fault_child(op->in + strlen("child "), request, s, &o);
	if ((fired = o.fault.fired)) {
		if (o.sig != SIGKILL || (why = scene_wrong_any()) != NULL)
			wrong(op->name, s, &o, o.sig != SIGKILL ? "it lives" : why);
		outcome_clear(&o);
		fault_child(op->in + strlen("child "), request, s, &o);
		if ((why = scene_wrong_any()) != NULL)
			wrong(op->name, s, &o, why);
		outcome_clear(&o);
		fault_child(op->in + strlen("child "), request, NULL, &o);
	}
	why = o.result == NULL ? "the last run failed" : op->wrong(o.result);
	if (why != NULL)
		wrong(op->name, s, &o, why);
	outcome_clear(&o);
	json_decref(request);
	return fired;
}

static void test_children(void **state)
{
	struct reader *r = reader_begin("ca/index.txt", scene_whole, NULL), *p = reader_begin("point/ca.crl", scene_crl_whole, NULL);
	struct readings seen, published;
	int places = 0, all = 0;

	(void)state;
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
		for (size_t side = 0; side < 2; side++) {
			struct shot s = { .in = operations[i].in, .calls = STATE_CHANGES, .what = sides[side], .at = 1 };
			for (places = 0; kill_at(&operations[i], &s); s.at++)
				places++;
			all += places;
		}
		print_message("%s: killed before and after each of %d calls\n", operations[i].name, places);
	}
	seen = reader_end(r);
	published = reader_end(p);
	print_message("%d places; %ld readings of index.txt and %ld of the CRL meanwhile\n", all, seen.reads, published.reads);
	assert_true(all >= 60);
	assert_true(seen.reads > 100 && seen.absent == 0 && seen.torn == 0);
	assert_true(published.reads > 100 && published.absent == 0 && published.torn == 0);
}

/* ---- the whole program ---- */

/* Run the command until it ends by itself, without a kill. */
static void finish(const char *command, const char *when)
{
	struct planned p;
	struct outcome o;

	if (!program_plan(&p, command))
		return;
	fault_wait(program_start(&p, NULL), &o);
	if (o.status != 0) {
		print_message("%s after %s: status %d: %s\n", command, when, o.status, o.said);
		fail();
	}
	outcome_clear(&o);
}

static const char *wrong_done(const char *command)
{
	return strcmp(command, "undo") == 0 ? program_wrong_undone() : program_wrong_done(strcmp(command, "publish") == 0);
}

static void must_hold(const char *why, const char *when)
{
	if (why != NULL) {
		print_message("%s: %s\n", when, why);
		fail();
	}
}

/* The program itself killed at each change of its journal; its children die with it. */
static bool program_kill_at(const struct planned *p, const struct shot *s)
{
	struct outcome o;
	char when[700];

	program_restore();
	fault_wait(program_start(p, s), &o);
	snprintf(when, sizeof when, "%s killed %s", p->command, fault_words(s, &o.fault));
	if (!o.fault.fired) {
		assert_int_equal(o.status, 0);
		outcome_clear(&o);
		return false;
	}
	outcome_clear(&o);
	must_hold(program_wrong_any(), when);
	finish("revoke", when);
	must_hold(program_wrong_done(false), when);
	return true;
}

static void test_program(void **state)
{
	const char *all = getenv("FAULTS");
	bool every = all != NULL && strcmp(all, "all") == 0;
	struct planned p;
	int places = 0;

	(void)state;
	program_restore();
	assert_true(program_plan(&p, "revoke"));
	for (size_t side = 0; side < 2; side++) {
		/* each event is written alike: in the everyday run every third call, another third on each side */
		struct shot s = { .in = "main", .calls = STATE_CHANGES, .what = sides[side], .at = every ? 1 : 1 + (int)side };
		for (; program_kill_at(&p, &s); s.at += every ? 1 : 3)
			places++;
	}
	print_message("the program itself killed at %d places\n", places);
	assert_true(places >= 30);
}

/* ---- random moments ---- */

/* A process that pid started; 0 without. */
static pid_t child_of(pid_t pid, unsigned long which)
{
	char path[64];
	long child[8];
	int n = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (n < 8 && fscanf(f, "%ld", &child[n]) == 1)
		n++;
	fclose(f);
	return n > 0 ? (pid_t)child[which % (unsigned long)n] : 0;
}

struct storm {
	unsigned long seed;
	long took_us;          /* by a run that is let be */
	long kills, parents, children, runs;
};

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

/* Start it, and kill it or one of its children at a random microsecond. Does it go on from there? */
static void storm_run(struct storm *st, const char *command, const struct planned *p)
{
	long us = (long)(fault_random(&st->seed) % (unsigned long)st->took_us);
	struct timespec wait = { us / 1000000, us % 1000000 * 1000 };
	bool parent = fault_random(&st->seed) % 2 == 0;
	struct outcome o;
	char when[200];
	pid_t pid = program_start(p, NULL), victim;

	nanosleep(&wait, NULL);
	victim = parent ? pid : child_of(pid, fault_random(&st->seed));
	if (victim > 0 && kill(victim, SIGKILL) == 0) {
		st->kills++;
		st->parents += parent;
		st->children += !parent;
	}
	fault_wait(pid, &o);
	snprintf(when, sizeof when, "%s, %s killed after %ld us", command, parent ? "itself" : "a child", us);
	if (o.sig == 0 && o.status == 0)
		must_hold(wrong_done(command), when);
	else if (o.sig == 0 && strlen(o.said) < 10)
		must_hold("a failure without a word", when);
	else
		must_hold(program_wrong_any(), when);
	outcome_clear(&o);
}

/* One incident: revoked, undone, revoked again, published, each interrupted up to five times, then let be. */
static void storm_round(struct storm *st, long most)
{
	static const char *const commands[] = { "revoke", "undo", "revoke", "publish" };
	struct planned p;

	program_restore();
	for (size_t i = 0; i < 4; i++) {
		for (unsigned long n = fault_random(&st->seed) % 6; n > 0 && st->kills < most && program_plan(&p, commands[i]); n--)
			storm_run(st, commands[i], &p);
		finish(commands[i], "a round of kills");
		must_hold(wrong_done(commands[i]), commands[i]);
	}
	st->runs++;
}

static void test_random(void **state)
{
	const char *kills = getenv("KILLS"), *seed = getenv("SEED");
	long most = kills != NULL ? atol(kills) : 60, began;
	struct storm st = { .seed = seed != NULL ? strtoul(seed, NULL, 10) : (unsigned long)time(NULL) };
	struct reader *r;
	struct readings seen;
	struct planned p;

	(void)state;
	print_message("seed %lu\n", st.seed);
	fault_keep_leaks();
	program_restore();
	assert_true(program_plan(&p, "revoke"));
	began = now_us();
	finish("revoke", "nothing");
	st.took_us = now_us() - began;
	r = reader_begin("ca/index.txt", program_whole, NULL);
	while (st.kills < most)
		storm_round(&st, most);
	seen = reader_end(r);
	print_message("%ld kills in %ld incidents: %ld of the program, %ld of a child; %ld readings of index.txt\n", st.kills,
	    st.runs, st.parents, st.children, seen.reads);
	assert_true(seen.reads > 100 && seen.absent == 0 && seen.torn == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_children), cmocka_unit_test(test_program), cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("kill", tests, program_setup, program_drop);
}
