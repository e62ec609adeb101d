/* Every call that can fail, failing once: each is reported, none ends in a false success, index.txt is whole at any
 * moment for another reader, and the next run ends what this one began. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ca_scene.h"
#include "pki_seam.h"

/* An operation of a child, and what must hold when it said that it succeeded. */
struct operation {
	const char *child, *name;
	json_t *(*request)(const char *op);
	const char *(*wrong)(const json_t *result);
	bool revoked; /* it begins where a revocation has ended */
};

static json_t *request_put(const char *op)
{
	(void)op;
	return scene_put();
}

static const char *wrong_put(const json_t *result)
{
	(void)result;
	return pki_sh("cmp new.crl point/ca.crl && test \"$(ls -A point)\" = ca.crl") == 0 ? NULL :
	    "the point does not hold the new CRL, and it alone";
}

static const char *wrong_scope(const json_t *result)
{
	return json_num(result, "count", 0) == scene()->planned &&
	        pki_sh("test $(grep -c ' keyCompromise$' manifests/ca.manifest) = %d && sha256sum manifests/overall.manifest "
	               "| grep -q ^%s", scene()->planned, json_str(result, "manifest")) == 0 ? NULL :
	    "the manifest is not what was told";
}

static const char *wrong_plan(const json_t *result)
{
	return json_num(result, "planned", 0) == scene()->planned ? scene_wrong_any() : "another number was planned";
}

static const struct operation operations[] = {
	{ "ca", "scope", scene_request, wrong_scope, false },
	{ "ca", "plan", scene_request, wrong_plan, false },
	{ "ca", "revoke", scene_request, scene_wrong_revoked, false },
	{ "ca", "crl", scene_request, scene_wrong_crl, false },
	{ "ca", "undo", scene_request, scene_wrong_undone, true },
	{ "action", "put", request_put, wrong_put, false },
};

static struct tally {
	int runs, reported, died, harmless;
} tally;

static void wrong(const struct operation *op, const struct shot *s, const struct outcome *o, const char *why)
{
	print_message("%s, %s: %s\n  status %d signal %d, error \"%s\", stderr \"%s\"\n", op->name,
	    fault_words(s, &o->fault), why, o->status, o->sig, json_str(o->error, "text"), o->said);
	fail();
}

/* A run with a fault: what it said must be true. */
static void judge(const struct operation *op, const struct shot *s, const struct outcome *o)
{
	bool memory = strcmp(s->calls, "memory") == 0, own = strstr(o->fault.path, "/answer") != NULL;
	const char *why;

	tally.runs++;
	if (o->result != NULL && (o->status != 0 || o->error != NULL))
		wrong(op, s, o, "a result and a failure");
	if (o->sig != 0 && (!memory || strncmp(o->fault.crashed, "libcrypto.", 10) != 0))
		wrong(op, s, o, o->fault.crashed[0] != '\0' ? o->fault.crashed : "it crashed");
	if (o->result == NULL && o->status == 0)
		wrong(op, s, o, "a failure that looks like success");
	if (o->result != NULL && !memory && (strcmp(s->what, "short") != 0 && strcmp(s->calls, "open") != 0))
		wrong(op, s, o, "the failure was passed over");
	if (o->error != NULL && !memory && strchr(json_str(o->error, "text"), '/') == NULL)
		wrong(op, s, o, "it does not say with which file it failed");
	if (o->result == NULL && o->sig == 0 && !own && strlen(json_str(o->error, "text")) + strlen(o->said) < 10)
		wrong(op, s, o, "a failure without a word");
	if ((why = o->result != NULL ? op->wrong(o->result) : scene_wrong_any()) != NULL)
		wrong(op, s, o, why);
	tally.reported += o->result == NULL && o->sig == 0;
	tally.died += o->sig != 0;
	tally.harmless += o->result != NULL;
	if (getenv("FAULT_SHOW") != NULL)
		print_message("%s, %s -> %s %s\n", op->name, fault_words(s, &o->fault), o->result != NULL ? "success" : json_str(o->error, "text"), o->said);
}

/* What the folders hold where an operation begins. */
static const struct operation *begun;
static char clean[DIGEST_HEX];

static bool untouched(void)
{
	char now[DIGEST_HEX];

	scene_print(now);
	return strcmp(now, clean) == 0;
}

static void begin(const struct operation *op)
{
	if (begun == op && untouched())
		return;
	scene_restore();
	if (op->revoked)
		scene_revoke();
	begun = op;
	scene_print(clean);
}

/* The cause is gone: the same again ends well. Where nothing was touched, it begins as every run does; where the run
 * succeeded all the same, there is nothing to mend. */
static void mend(const struct operation *op, const struct shot *s, const json_t *request)
{
	struct outcome o;
	const char *why;

	if (untouched())
		return;
	fault_child(op->child, request, NULL, &o);
	if (o.result == NULL)
		wrong(op, s, &o, "the next run failed");
	if ((why = op->wrong(o.result)) != NULL)
		wrong(op, s, &o, why);
	outcome_clear(&o);
}

static struct fault_place struck; /* by the last run */

static bool strike(const struct operation *op, const struct shot *s)
{
	json_t *request = op->request(op->name);
	struct outcome o;
	bool fired;

	begin(op);
	fault_child(op->child, request, s, &o);
	fired = o.fault.fired;
	struck = o.fault.place;
	if (fired) {
		judge(op, s, &o);
		if (o.result == NULL || strcmp(s->calls, "memory") != 0)
			mend(op, s, request);
	} else if (o.result == NULL) {
		wrong(op, s, &o, "no fault was put, and it failed");
	}
	outcome_clear(&o);
	json_decref(request);
	return fired;
}

/* The first such call, the second ... until a run makes no more. How many. */
static int every(const struct operation *op, const char *calls, const char *what)
{
	struct shot s = { .calls = calls, .what = what };
	char in[32];
	int n;

	snprintf(in, sizeof in, "child %s", op->child);
	s.in = in;
	for (n = 1; s.at = n, strike(op, &s); n++)
		;
	return n - 1;
}

static void test_calls(void **state)
{
	static const struct {
		const char *calls, *what;
	} way[] = {
		{ "write", "ENOSPC" }, { "write", "EIO" }, { "write", "short" }, { "sync", "EIO" },
		{ "rename", "EIO" }, { "open", "EMFILE" }, { "create", "ENOSPC" }, { "trunc", "EIO" }, { "map", "ENOMEM" },
		{ "unlink", "EIO" },
	};
	struct reader *r = reader_begin("ca/index.txt", scene_whole, NULL), *p = reader_begin("point/ca.crl", scene_crl_whole, NULL);
	struct readings seen, published;
	int writes = 0, n;

	(void)state;
	tally = (struct tally){ 0 };
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
		for (size_t k = 0; k < sizeof way / sizeof way[0]; k++) {
			n = every(&operations[i], way[k].calls, way[k].what);
			writes += strcmp(way[k].calls, "write") == 0 ? n : 0;
		}
	seen = reader_end(r);
	published = reader_end(p);
	print_message("%d failing calls: %d reported, %d that cost nothing; %ld + %ld readings meanwhile\n", tally.runs,
	    tally.reported, tally.harmless, seen.reads, published.reads);
	assert_true(writes >= 30 && tally.reported >= 60);
	assert_true(seen.reads > 100 && seen.absent == 0 && seen.torn == 0);
	assert_true(published.reads > 100 && published.absent == 0 && published.torn == 0);
}

/* Every write takes at most a few octets: all of them must be carried on. */
static void test_crumbs(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
		const struct operation *op = &operations[i];
		struct shot s = { .in = strcmp(op->child, "ca") == 0 ? "child ca" : "child action", .calls = "write",
			.what = "crumbs", .at = 1 };
		json_t *request = op->request(op->name);

		begin(op);
		fault_child(op->child, request, &s, &o);
		if (o.result == NULL || op->wrong(o.result) != NULL)
			wrong(op, &s, &o, "short writes are not carried on");
		assert_true(o.fault.count > 50);
		outcome_clear(&o);
		json_decref(request);
	}
}

/* A set of hashes. */
#define MET (1 << 16)
static uint64_t met[MET];

/* Put it there; was it not there before? */
static bool meet(uint64_t hash)
{
	size_t i = hash % MET;

	while (met[i] != 0 && met[i] != hash)
		i = (i + 1) % MET;
	if (met[i] == hash)
		return false;
	met[i] = hash;
	return true;
}

/* Where an operation that nothing happens to asks for memory: how many places, in the order of their first calls. */
static size_t places(const struct operation *op, const char *in, struct fault_seen **list, int *calls)
{
	struct shot s = { .in = in, .calls = "memory", .what = "stacks" };
	json_t *request = op->request(op->name);
	struct outcome o;

	begin(op);
	fault_child(op->child, request, &s, &o);
	if (o.result == NULL)
		wrong(op, &s, &o, "no fault was put, and it failed");
	*calls = o.fault.count;
	outcome_clear(&o);
	json_decref(request);
	return fault_places(list);
}

enum often { SITES, STACKS, ALL };

/* The first call from each new place fails. How many places were not met again: a run that counts and one that fails
 * are alike, but for what chance decides in them. */
static int each_place(const struct operation *op, struct shot *s, enum often often, int *all)
{
	struct fault_seen *list;
	size_t n = places(op, s->in, &list, all);
	int missed = 0;

	for (size_t k = 0; k < n; k++) {
		struct fault_place p = list[k].place;

		if (!meet(often == STACKS ? p.stack : p.site))
			continue;
		s->at = list[k].first;
		missed += !strike(op, s) || struck.stack != p.stack;
	}
	free(list);
	return missed;
}

/* Tens of thousands of allocations, from thousands of places: one of each site (the innermost frames), or of each stack
 * with FAULTS=stacks, or every one with FAULTS=all. Where OpenSSL crashes for want of memory, that is a failure too: the
 * parent reports it. */
static void test_memory(void **state)
{
	const char *given = getenv("FAULTS");
	enum often often = given == NULL ? SITES : strcmp(given, "all") == 0 ? ALL : strcmp(given, "stacks") == 0 ? STACKS : SITES;
	struct shot s = { .calls = "memory", .what = "ENOMEM" };
	int calls = 0, missed = 0;

	(void)state;
	tally = (struct tally){ 0 };
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
		const struct operation *op = &operations[i];
		int before = tally.runs;

		s.in = strcmp(op->child, "ca") == 0 ? "child ca" : "child action";
		if (often != ALL)
			missed += each_place(op, &s, often, &calls);
		for (s.at = 1; often == ALL && strike(op, &s); calls = s.at++)
			;
		print_message("%s: %d of %d allocations fail\n", op->name, tally.runs - before, calls);
	}
	print_message("%d failing allocations: %d reported, %d crashed in OpenSSL, %d that cost nothing; %d places missed\n",
	    tally.runs, tally.reported, tally.died, tally.harmless, missed);
	assert_true(tally.reported > 40);
	assert_true(missed * 100 <= tally.runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls), cmocka_unit_test(test_crumbs), cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("fault", tests, scene_setup, scene_drop);
}
