/* Problem reports: the grounds that are recognised, the clock that follows from them, and reports that join. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "comms/grounds.h"
#include "engine/config.h"
#include "incident/times.h"
#include "work/intake_clock.h"
#include "work/intake_store.h"

#define HOUR_MS (3600 * 1000LL)
#define RECEIVED (1725126540LL * 1000)

/* A report of one message, whose text is a line. */
static json_t *report_saying(const char *text)
{
	return json_pack("{s:s,s:s,s:I,s:[{s:s,s:[s]}],s:[],s:[],s:[],s:[],s:[],s:[]}", "state", "open", "level", "high", "received",
	    (json_int_t)RECEIVED, "messages", "subject", "", "text", text, "keys", "matches", "found", "certificates", "unreadable",
	    "faults");
}

static void test_grounds_said(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "Please revoke it, the private key leaked.", "keyCompromise" },
		{ "Somebody stole the KEY of web1.", "keyCompromise" },
		{ "Der private Schluessel wurde gestohlen.", "keyCompromise" },
		{ "The certificate is misissued. My dog has a key.", "superseded" },
		{ "It should not have been issued to them.", "superseded" },
		{ "We no longer own example.com, please revoke.", "cessationOfOperation" },
		{ "Please revoke serial 1001.", "unspecified" },
		{ "The monkey was stolen.", "unspecified" }, /* no key */
		{ "", "unspecified" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		json_t *o = report_saying(cases[i].text);

		assert_string_equal(grounds_of(o).reason, cases[i].reason);
		json_decref(o);
	}
}

static void test_grounds_carried(void **state)
{
	json_t *o = report_saying("misissued");

	(void)state;
	json_array_append_new(json_object_get(o, "keys"), json_pack("{s:s}", "kind", "private-key"));
	assert_string_equal(grounds_of(o).reason, "keyCompromise");
	json_array_append_new(json_object_get(o, "matches"), json_pack("{s:s}", "status", "ca"));
	assert_string_equal(grounds_of(o).reason, "cACompromise");
	json_decref(o);
}

/* A sentence may go over lines, and does not go over a full stop. */
static void test_grounds_lines(void **state)
{
	json_t *o = report_saying("the private"), *text = json_object_get(json_array_get(json_object_get(o, "messages"), 0), "text");

	(void)state;
	json_array_append_new(text, json_string("key is public, a"));
	json_array_append_new(text, json_string("leak."));
	assert_string_equal(grounds_of(o).reason, "keyCompromise");
	json_array_clear(text);
	json_array_append_new(text, json_string("The key is fine."));
	json_array_append_new(text, json_string(""));
	json_array_append_new(text, json_string("A leak of water"));
	assert_string_equal(grounds_of(o).reason, "unspecified");
	json_decref(o);
}

static json_t *times_of(const char *name)
{
	char *path = mem_printf("%s/data/playbooks/deadlines-%s.ini", getenv("SRCDIR"), name);
	struct buf text = { 0 };
	struct err e = { 0 };
	json_t *times;

	assert_int_equal(fs_read(path, &text, 1 << 20, &e), 0);
	times = times_read(buf_str(&text), path, &e);
	assert_non_null(times);
	buf_free(&text);
	free(path);
	return times;
}

static void clock_is(const char *text, const json_t *times, int hours, int advised)
{
	json_t *o = report_saying(text);
	struct intake_clock k;

	intake_clock(NULL, times, o, &k);
	assert_int_equal(k.minutes, hours * 60);
	assert_true(k.due == RECEIVED + hours * HOUR_MS);
	assert_true(k.advised == (advised > 0 ? RECEIVED + advised * HOUR_MS : 0));
	json_decref(o);
}

static void test_clock_public(void **state)
{
	json_t *times = times_of("public-tls"), *o;
	struct intake_clock k;

	(void)state;
	clock_is("the key was stolen", times, 24, 0);
	clock_is("revoke it", times, 24, 0);
	clock_is("it was misissued", times, 120, 24);
	clock_is("we no longer own it", times, 120, 24);
	o = report_saying("");
	json_array_append_new(json_object_get(o, "matches"), json_pack("{s:s}", "status", "ca"));
	intake_clock(NULL, times, o, &k);
	assert_int_equal(k.minutes, 24 * 60); /* what it issued, before its own certificate */
	json_decref(o);
	json_decref(times);
}

/* A private PKI sets its own times, by reason. */
static void test_clock_private(void **state)
{
	struct err e = { 0 };
	json_t *times = times_read("[revocation]\nkeyCompromise = 4h\ndefault = 3d\n[ca]\nissued = 2h\ncertificate = 1h\n"
				   "[report]\npreliminary = 24h\n[answer]\ndefault = 6h\n", "test", &e);

	(void)state;
	assert_non_null(times);
	clock_is("the key was stolen", times, 4, 0);
	clock_is("revoke it", times, 72, 0);
	json_decref(times);
	clock_is("the key was stolen", NULL, 24, 0);
}

/* A key that joins what was about something else leaves less time: people are told again. */
static void test_merge_key(void **state)
{
	json_t *old = report_saying("misissued"), *fresh = report_saying("revoke, please"), *key = report_saying("its key was stolen");

	(void)state;
	assert_false(intake_merge(old, fresh));
	assert_true(intake_merge(old, key));
	assert_false(intake_merge(old, key));
	json_decref(old);
	json_decref(fresh);
	json_decref(key);
}

static json_t *match_of(const char *ca, const char *serial, const char *status, const char *by)
{
	return json_pack("{s:s,s:s,s:s,s:[s]}", "ca", ca, "serial", serial, "status", status, "by", by);
}

/* What is meant of each CA: not what is revoked already, not what merely has the host's name. */
static void test_of_each_ca(void **state)
{
	json_t *o = report_saying("x"), *m = json_object_get(o, "matches"), *groups, *others;

	(void)state;
	json_array_append_new(m, match_of("web", "1000", "valid", "serial"));
	json_array_append_new(m, match_of("web", "1001", "valid", "host"));
	json_array_append_new(m, match_of("web", "1002", "valid", "fingerprint"));
	json_array_append_new(m, match_of("old", "2000", "valid", "serial"));
	json_array_append_new(m, match_of("old", "2001", "revoked", "serial"));
	json_array_append_new(m, match_of("older", "3000", "valid", "host"));
	assert_string_equal(intake_ca(o), "web");
	groups = intake_selectors(o, "web");
	assert_int_equal(json_array_size(json_object_get(json_array_get(groups, 0), "serial")), 2);
	others = intake_others(o, "web");
	assert_int_equal(json_object_size(others), 1);
	assert_int_equal(json_num(others, "old", 0), 1);
	json_decref(groups);
	json_decref(others);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grounds_said),
		cmocka_unit_test(test_grounds_carried),
		cmocka_unit_test(test_grounds_lines),
		cmocka_unit_test(test_clock_public),
		cmocka_unit_test(test_clock_private),
		cmocka_unit_test(test_merge_key),
		cmocka_unit_test(test_of_each_ca),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
