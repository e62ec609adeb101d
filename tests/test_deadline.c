/* Times as data; deadlines from first receipt; warnings once; the wait for an answer; the pace so far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "incident/deadline.h"
#include "incident/times.h"
#include "incident/triage.h"

#define MINUTE 60000LL
#define HOUR (60 * MINUTE)

static int64_t seq;

static json_t *installed(const char *profile)
{
	const char *srcdir = getenv("SRCDIR");
	char *name = mem_printf("data/playbooks/deadlines-%s.ini", profile);
	char *path = fs_join(srcdir != NULL ? srcdir : ".", name);
	struct buf text = { 0 };
	struct err e = { 0 };
	json_t *times;

	assert_int_equal(fs_read(path, &text, 1 << 16, &e), 0);
	if ((times = times_read(buf_str(&text), path, &e)) == NULL)
		fail_msg("%s", e.text);
	buf_free(&text);
	free(path);
	free(name);
	return times;
}

static void test_the_installed_times(void **state)
{
	static const struct {
		int n;
		const char *reason;
		int must, should;
	} rules[] = { /* TLS BR 4.9.1.1 */
		{ 1, "unspecified", 24, 0 }, { 2, "privilegeWithdrawn", 24, 0 }, { 3, "keyCompromise", 24, 0 },
		{ 4, "keyCompromise", 24, 0 }, { 5, "superseded", 24, 0 }, { 6, "superseded", 120, 24 },
		{ 7, "privilegeWithdrawn", 120, 24 }, { 8, "privilegeWithdrawn", 120, 24 }, { 9, "cessationOfOperation", 120, 24 },
		{ 10, "privilegeWithdrawn", 120, 24 }, { 11, "privilegeWithdrawn", 120, 24 }, { 12, "superseded", 120, 24 },
		{ 13, "privilegeWithdrawn", 120, 24 }, { 14, "unspecified", 120, 24 }, { 15, "unspecified", 120, 24 },
		{ 16, "keyCompromise", 120, 24 },
	};
	json_t *tls = installed("public-tls"), *own = installed("private");

	(void)state;
	assert_int_equal(json_array_size(json_list(tls, "circumstances")), 16);
	for (size_t i = 0; i < 16; i++) {
		const json_t *c = times_circumstance(tls, rules[i].n);
		assert_string_equal(json_str(c, "reason"), rules[i].reason);
		assert_int_equal(json_num(c, "must", 0), rules[i].must * 60);
		assert_int_equal(json_num(c, "should", 0), rules[i].should * 60);
	}
	assert_int_equal(times_revocation(tls, "end-entity", "keyCompromise"), 24 * 60);
	assert_int_equal(times_revocation(tls, "end-entity", "superseded"), 5 * 24 * 60);
	assert_int_equal(times_revocation(tls, "intermediate", "keyCompromise"), 24 * 60);
	assert_int_equal(times_revocation(tls, "intermediate", "cACompromise"), 7 * 24 * 60);
	assert_int_equal(times_answer(tls, "keyCompromise"), 6 * 60);
	assert_int_equal(json_num(tls, "preliminary", 0), 24 * 60);
	assert_int_equal(json_array_size(json_list(tls, "warnings")), 3);
	assert_int_equal(times_revocation(own, "end-entity", "superseded"), 24 * 60);
	json_decref(tls);
	json_decref(own);
}

#define HEAD "[revocation]\ndefault = 24h\n[ca]\nissued = 24h\ncertificate = 24h\n[report]\npreliminary = 24h\n"
#define WHOLE HEAD "[answer]\ndefault = 6h\n"

static void test_bad_times_are_named(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ HEAD, "[answer] lacks the key 'default'" },
		{ WHOLE "[warnings]\nat = 50%, soon\n", "t.ini:11" },
		{ WHOLE "[warnings]\nat = 100%\n", "not a point of time" },
		{ "[revocation]\nkeycompromise = 24h\n", "unknown key 'keycompromise'" },
		{ "[revocation]\nkeyCompromise = 1 day\n", "not a time" },
		{ "[revocation]\nkeyCompromise = 0h\n", "not a time" },
		{ WHOLE "[circumstance 1]\ntitle = a\nreason = stolen\n", "no reason of a CRL entry" },
		{ WHOLE "[circumstance 1]\ntitle = a\nreason = superseded\n", "[circumstance 1] lacks the key 'must'" },
		{ WHOLE "[circumstance 0]\n", "not a new number" },
		{ WHOLE "[other]\n", "unknown section" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = { 0 };
		assert_null(times_read(bad[i].text, "t.ini", &e));
		assert_int_equal(e.code, ERR_SYNTAX);
		if (strstr(e.text, bad[i].says) == NULL)
			fail_msg("'%s' does not say '%s'", e.text, bad[i].says);
	}
}

/* ---- an incident ---- */

static void fold(struct incident *in, int64_t at, enum event_kind kind, json_t *body)
{
	struct event ev = { .seq = ++seq, .at = at, .actor = (char *)"op", .kind = kind, .body = body };
	struct err e = { 0 };

	assert_non_null(body);
	if (incident_apply(in, &ev, &e) < 0)
		fail_msg("%s", e.text);
	json_decref(body);
}

static void ok(struct incident *in, int64_t at, enum event_kind kind, const char *body)
{
	struct err e = { 0 };

	fold(in, at, kind, json_read(body, strlen(body), &e));
}

/* Declared at hour 2, received at 0, as the rules have it. */
static struct incident *opened(const char *profile)
{
	struct incident *in = incident_new();

	seq = 0;
	fold(in, 2 * HOUR, EV_OPENED, json_pack("{s:s,s:s,s:s,s:s,s:i,s:[{s:i,s:s,s:i,s:s,s:s}],s:[],s:o}", "id", "INC-1", "title",
	    "t", "kind", "real", "profile", profile, "declared", (int)(2 * HOUR), "checkpoints", "n", 1, "title", "Published",
	    "due", 60, "command", "publish", "evidence", "crl-published", "followups", "times", installed(profile)));
	return in;
}

static void triaged(struct incident *in, const char *level, const char *reason, int circumstance)
{
	struct err e = { 0 };
	json_t *body = json_pack("{s:s,s:s,s:i,s:s,s:s,s:i,s:i,s:{}}", "ca", "x", "level", level, "compromise", 1, "channel",
	    "support", "reason", reason, "received", 1, "circumstance", circumstance, "selectors");

	if (strcmp(level, "end-entity") == 0)
		json_object_set_new(body, "selectors", json_pack("{s:[{s:b}]}", "groups", "all", 1));
	if (triage_complete(body, "public-tls", in->times, &e) < 0)
		fail_msg("%s", e.text);
	fold(in, 2 * HOUR, EV_TRIAGE, body);
}

static int64_t due_of(const struct incident *in, int64_t now, const char *name, int64_t *met)
{
	size_t n;
	struct deadline *list = incident_deadlines(in, now, &n);
	int64_t due = -1;

	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0) {
			due = list[i].due;
			if (met != NULL)
				*met = list[i].met;
		}
	incident_deadlines_free(list, n);
	return due;
}

#define SCOPE "{\"manifest\":\"m\",\"count\":11,\"cas\":[{\"ca\":\"x\",\"valid\":10,\"selected\":10,\"manifest\":\"m\"," \
	"\"reasons\":{\"keyCompromise\":10}}],\"own\":[{\"ca\":\"x\",\"issuer\":\"r\",\"serial\":\"01\",\"subject\":\"CN=x\"}]}"

static void published(struct incident *in, const char *ca, int64_t at)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:i,s:s}", "ca", ca, "plan", "p", "outcome", "done", "point", ca, "state",
	    "verified", "sha256", ca, "revoke", 1, "count", 1, "url", "u");

	fold(in, at - 3, EV_REVOKE_START, json_incref(o));
	fold(in, at - 2, EV_CRL, json_incref(o));
	fold(in, at - 1, EV_REVOKE_END, json_incref(o));
	fold(in, at, EV_POINT, o);
}

static void test_a_revocation_is_met_when_it_is_published(void **state)
{
	struct incident *in = opened("public-tls");
	struct forecast f[FORECASTS];
	int64_t met = -1;

	(void)state;
	triaged(in, "intermediate", "keyCompromise", 0);
	ok(in, 3 * HOUR, EV_SCOPE, SCOPE);
	assert_int_equal(due_of(in, 3 * HOUR, "revocation:keyCompromise", &met), 24 * HOUR + 1);
	assert_int_equal(met, 0);
	assert_int_equal(due_of(in, 3 * HOUR, "revocation:cACompromise", NULL), 7 * 24 * HOUR + 1);
	assert_int_equal(incident_revocation_due(in, 3 * HOUR), 24 * HOUR + 1);
	incident_forecast(in, 3 * HOUR, f);
	assert_int_equal(f[1].total, 11);
	assert_int_equal(f[1].end, 0);
	published(in, "x", 12 * HOUR);
	due_of(in, 13 * HOUR, "revocation:keyCompromise", &met);
	assert_int_equal(met, 12 * HOUR);
	due_of(in, 13 * HOUR, "revocation:cACompromise", &met);
	assert_int_equal(met, 0);
	assert_int_equal(incident_revocation_due(in, 13 * HOUR), 7 * 24 * HOUR + 1);
	/* ten of eleven in ten hours: the last takes one more */
	incident_forecast(in, 12 * HOUR, f);
	assert_int_equal(f[1].done, 10);
	assert_int_equal(f[1].end, 13 * HOUR);
	published(in, "r", 40 * HOUR);
	due_of(in, 41 * HOUR, "revocation:cACompromise", &met);
	assert_int_equal(met, 40 * HOUR);
	/* a renewed CRL does not move the moment */
	ok(in, 50 * HOUR, EV_POINT, "{\"ca\":\"x\",\"point\":\"x\",\"url\":\"u\",\"state\":\"verified\",\"sha256\":\"x\"}");
	due_of(in, 51 * HOUR, "revocation:keyCompromise", &met);
	assert_int_equal(met, 12 * HOUR);
	incident_forecast(in, 51 * HOUR, f);
	assert_int_equal(f[1].end, 40 * HOUR);
	incident_free(in);
}

/* Certificates of the scope, not the servers of a re-issue. */
static void test_forecast_of_replacement(void **state)
{
	struct incident *in = opened("public-tls");
	struct forecast f[FORECASTS];

	(void)state;
	triaged(in, "intermediate", "keyCompromise", 0);
	ok(in, 3 * HOUR, EV_SCOPE, SCOPE);
	incident_forecast(in, 3 * HOUR, f);
	assert_int_equal(f[2].total, 0); /* nobody replaces anything yet */
	ok(in, 4 * HOUR, EV_ISSUER, "{\"name\":\"y\",\"subject\":\"s\",\"fingerprint\":\"f\",\"how\":\"chosen\"}");
	incident_forecast(in, 5 * HOUR, f);
	assert_string_equal(f[2].name, "replaced");
	assert_int_equal(f[2].total, 10); /* of 11 one is the CA's own */
	assert_int_equal(f[2].done, 0);
	assert_int_equal(f[2].end, 0);
	assert_int_equal(f[2].counted, 0);
	ok(in, 6 * HOUR, EV_ARI, "{\"state\":\"written\",\"folder\":\"/a\",\"files\":10,\"sha256\":\"x\"}");
	ok(in, 8 * HOUR, EV_REPLACED, "{\"total\":10,\"replaced\":4,\"seen\":0,\"unknown\":0}");
	incident_forecast(in, 8 * HOUR, f);
	assert_int_equal(f[2].done, 4); /* four in two hours: six more in three */
	assert_int_equal(f[2].since, 6 * HOUR);
	assert_int_equal(f[2].end, 11 * HOUR);
	incident_forecast(in, 10 * HOUR, f);
	assert_int_equal(f[2].end, 16 * HOUR); /* and nothing in the two hours after */
	assert_int_equal(f[2].counted, 8 * HOUR);
	ok(in, 12 * HOUR, EV_REPLACED, "{\"total\":10,\"replaced\":10,\"seen\":2,\"unknown\":0}");
	incident_forecast(in, 20 * HOUR, f);
	assert_int_equal(f[2].end, 12 * HOUR);
	assert_string_equal(f[3].name, "reissued");
	assert_int_equal(f[3].total, 0);
	incident_free(in);
}

/* A plan that proceeds past somebody owes it to the approvers to say so. */
static void test_untold(void **state)
{
	struct incident *in = opened("public-tls");

	(void)state;
	triaged(in, "intermediate", "keyCompromise", 0);
	ok(in, 3 * HOUR, EV_SCOPE, SCOPE);
	ok(in, 4 * HOUR, EV_ROSTER, "{\"file\":\"f\",\"rows\":[{\"name\":\"a\",\"kind\":\"subscriber\",\"certificates\":1},"
	    "{\"name\":\"b\",\"kind\":\"subscriber\",\"certificates\":1}]}");
	assert_false(incident_untold(in));
	ok(in, 10 * HOUR, EV_PROCEED, "{\"rows\":[{\"name\":\"a\"}],\"certificates\":1}");
	assert_true(incident_untold(in));
	ok(in, 10 * HOUR + 1, EV_NOTICE_START, "{\"notice\":\"approvers\",\"to\":[\"x@y\",\"z@y\"],\"subject\":\"s\",\"sha256\":\"h\"}");
	assert_true(incident_untold(in));
	ok(in, 10 * HOUR + 2, EV_NOTICE, "{\"notice\":\"approvers\",\"to\":\"x@y\",\"outcome\":\"accepted\"}");
	ok(in, 10 * HOUR + 3, EV_NOTICE, "{\"notice\":\"approvers\",\"to\":\"z@y\",\"outcome\":\"failed\"}");
	assert_true(incident_untold(in));
	assert_true(incident_told(in, "x@y"));
	assert_false(incident_told(in, "z@y"));
	ok(in, 11 * HOUR, EV_NOTICE, "{\"notice\":\"approvers\",\"to\":\"z@y\",\"outcome\":\"accepted\"}");
	assert_false(incident_untold(in));
	ok(in, 12 * HOUR, EV_PROCEED, "{\"rows\":[{\"name\":\"b\"}],\"certificates\":1}");
	assert_true(incident_untold(in)); /* what they know is of before */
	ok(in, 13 * HOUR, EV_NOTICE, "{\"notice\":\"approvers\",\"to\":\"by hand\",\"outcome\":\"accepted\",\"detail\":\"phone\"}");
	assert_false(incident_untold(in));
	incident_free(in);
}

static void test_a_circumstance_decides(void **state)
{
	struct incident *in = opened("public-tls");
	struct err e = { 0 };
	json_t *body;

	(void)state;
	triaged(in, "end-entity", "superseded", 5);
	assert_int_equal(in->triage.deadline, 24 * HOUR + 1);
	triaged(in, "end-entity", "superseded", 12);
	assert_int_equal(in->triage.deadline, 120 * HOUR + 1);
	assert_int_equal(due_of(in, 3 * HOUR, "revocation:superseded", NULL), 120 * HOUR + 1);
	assert_int_equal(due_of(in, 3 * HOUR, "advised:superseded", NULL), 24 * HOUR + 1);
	body = json_pack("{s:s,s:s,s:i,s:s,s:s,s:i,s:i,s:{s:[{s:b}]}}", "ca", "x", "level", "end-entity", "compromise", 1, "channel",
	    "phone", "reason", "keyCompromise", "received", 1, "circumstance", 12, "selectors", "groups", "all", 1);
	assert_int_equal(triage_complete(body, "public-tls", in->times, &e), ERR_USAGE);
	assert_non_null(strstr(e.text, "circumstance 12 is superseded"));
	json_object_set_new(body, "circumstance", json_integer(17));
	assert_int_equal(triage_complete(body, "public-tls", in->times, &e), ERR_USAGE);
	json_decref(body);
	incident_free(in);
}

/* Take the warnings that are due, as the program does; returns them. */
static json_t *warn(struct incident *in, int64_t now)
{
	json_t *due = incident_warnings(in, now), *w;
	size_t i;

	json_array_foreach(due, i, w)
		fold(in, now, EV_WARNING, json_incref(w));
	return due;
}

static void warns(struct incident *in, int64_t now, size_t n, const char *point)
{
	json_t *due = warn(in, now);

	assert_int_equal(json_array_size(due), n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(json_str(json_array_get(due, i), "point"), point);
	json_decref(due);
}

static void test_warnings_come_once(void **state)
{
	struct incident *in = opened("public-tls");

	(void)state;
	warns(in, 2 * HOUR, 0, "");
	triaged(in, "end-entity", "keyCompromise", 0);
	warns(in, 2 * HOUR, 0, "");
	warns(in, 12 * HOUR + 1, 2, "50%"); /* revocation and preliminary report */
	warns(in, 13 * HOUR, 0, "");
	warns(in, 23 * HOUR + 1, 2, "1h");  /* 80% was passed on the way and is not made up for */
	warns(in, 23 * HOUR + 2, 0, "");
	warns(in, 24 * HOUR + 1, 2, "late");
	warns(in, 48 * HOUR, 0, "");
	incident_free(in);
}

#define ROSTER "{\"file\":\"f\",\"certificates\":3,\"unmatched\":0,\"rows\":[" \
	"{\"name\":\"reporter\",\"kind\":\"reporter\",\"mail\":\"r@x.test\"}," \
	"{\"name\":\"acme\",\"kind\":\"subscriber\",\"certificates\":2,\"reasons\":{\"keyCompromise\":2}}," \
	"{\"name\":\"late\",\"kind\":\"subscriber\",\"certificates\":1,\"reasons\":{\"superseded\":1}}]}"

static void test_a_wait_ends(void **state)
{
	struct incident *in = opened("public-tls");
	const struct subscriber *acme, *late;
	int64_t met = -1;

	(void)state;
	triaged(in, "end-entity", "keyCompromise", 0);
	ok(in, 3 * HOUR, EV_ROSTER, ROSTER);
	assert_int_equal(in->subscribers, 3);
	acme = incident_subscriber(in, "acme");
	late = incident_subscriber(in, "late");
	assert_int_equal(subscriber_hold(in, acme), 0);
	/* a message that failed was an attempt too: it must not hold the plan for ever */
	ok(in, 4 * HOUR, EV_NOTICE, "{\"notice\":\"subscriber:acme\",\"to\":\"a\",\"outcome\":\"failed\",\"transport\":\"smtp\"}");
	assert_int_equal(subscriber_hold(in, acme), 10 * HOUR);
	ok(in, 5 * HOUR, EV_CONTACT, "{\"subscriber\":\"acme\",\"channel\":\"phone\",\"outcome\":\"no answer\"}");
	assert_int_equal(subscriber_hold(in, acme), 10 * HOUR);
	assert_int_equal(acme->attempts, 2);
	assert_string_equal(acme->attempt[0].channel, "mail");
	/* never beyond the revocation deadline */
	ok(in, 22 * HOUR, EV_CONTACT, "{\"subscriber\":\"late\",\"channel\":\"phone\",\"outcome\":\"no answer\"}");
	assert_int_equal(subscriber_hold(in, late), 24 * HOUR + 1);
	assert_int_equal(due_of(in, 22 * HOUR, "answer:acme", NULL), 10 * HOUR);
	ok(in, 22 * HOUR, EV_PROCEED, "{\"rows\":[{\"name\":\"acme\"}],\"certificates\":2}");
	assert_int_equal(due_of(in, 22 * HOUR, "answer:acme", NULL), -1);
	ok(in, 22 * HOUR, EV_ANSWER, "{\"subscriber\":\"late\",\"text\":\"go ahead\"}");
	assert_int_equal(subscriber_hold(in, late), 0);
	/* the preliminary report is met once everyone has it */
	ok(in, 22 * HOUR, EV_NOTICE, "{\"notice\":\"preliminary:reporter\",\"to\":\"r\",\"outcome\":\"accepted\",\"transport\":\"smtp\"}");
	ok(in, 22 * HOUR, EV_NOTICE, "{\"notice\":\"preliminary:acme\",\"to\":\"a\",\"outcome\":\"failed\",\"transport\":\"smtp\"}");
	ok(in, 23 * HOUR, EV_CONTACT, "{\"subscriber\":\"late\",\"channel\":\"phone\",\"outcome\":\"reached\",\"preliminary\":true}");
	assert_int_equal(due_of(in, 23 * HOUR, "preliminary", &met), 24 * HOUR + 1);
	assert_int_equal(met, 0);
	ok(in, 23 * HOUR + 5, EV_NOTICE, "{\"notice\":\"preliminary:acme\",\"to\":\"a\",\"outcome\":\"accepted\",\"transport\":\"smtp\"}");
	due_of(in, 23 * HOUR + 6, "preliminary", &met);
	assert_int_equal(met, 23 * HOUR + 5);
	/* looked up again: who was tried stays on record */
	ok(in, 23 * HOUR + 7, EV_ROSTER, "{\"rows\":[],\"certificates\":0}");
	assert_int_equal(in->subscribers, 3);
	assert_int_equal(incident_subscriber(in, "acme")->certificates, 0);
	incident_free(in);
}

static void test_late_ones_come_first(void **state)
{
	struct incident *in = opened("public-tls");
	size_t n;
	struct deadline *list;

	(void)state;
	triaged(in, "end-entity", "keyCompromise", 0);
	list = incident_deadlines(in, 4 * HOUR, &n);
	assert_int_equal(n, 5); /* RTO, revocation, preliminary report; and what the incident report owes */
	assert_string_equal(list[0].name, "rto"); /* due at hour 3 */
	for (size_t i = 2; i < n; i++)
		assert_true(list[i - 1].due <= list[i].due);
	incident_deadlines_free(list, n);
	incident_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_installed_times),
		cmocka_unit_test(test_bad_times_are_named),
		cmocka_unit_test(test_a_revocation_is_met_when_it_is_published),
		cmocka_unit_test(test_forecast_of_replacement),
		cmocka_unit_test(test_untold),
		cmocka_unit_test(test_a_circumstance_decides),
		cmocka_unit_test(test_warnings_come_once),
		cmocka_unit_test(test_a_wait_ends),
		cmocka_unit_test(test_late_ones_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
