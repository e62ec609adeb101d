/* report/: a scripted incident, compared whole with a golden file; hostile text in every place. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "report/report.h"
#include "strict_html.h"

#define T0 1788143201000LL /* 2026-08-31T02:26:41Z */
#define MIN 60000LL

struct script {
	struct incident *in;
	struct event event[64];
	size_t events;
};

static void say(struct script *s, int64_t at, enum event_kind kind, json_t *body)
{
	struct err e = { 0 };
	struct event *ev = &s->event[s->events];

	assert_non_null(body);
	*ev = (struct event){ .seq = (int64_t)++s->events, .at = at, .actor = mem_strdup("op"),
		.kind = kind, .body = body };
	assert_int_equal(incident_apply(s->in, ev, &e), 0);
}

static void end(struct script *s)
{
	for (size_t i = 0; i < s->events; i++)
		event_clear(&s->event[i]);
	incident_free(s->in);
}

/* The runbook from the first question to the last checkpoint; x stands in every free text. */
static void play(struct script *s, const char *x)
{
	*s = (struct script){ .in = incident_new() };
	say(s, T0, EV_OPENED, json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:s,"
	    "s:[{s:i,s:s,s:i,s:s,s:s},{s:i,s:s,s:i,s:s,s:s},{s:i,s:s,s:i,s:s,s:s},{s:i,s:s,s:i,s:s,s:s}],"
	    "s:[{s:i,s:s,s:i},{s:i,s:s,s:i}]}",
	    "id", "INC-2026-0042", "title", x, "kind", "real", "profile", "private", "organisation", x,
	    "declared", (json_int_t)T0, "root", "",
	    "checkpoints",
	    "n", 1, "title", "Triage completed", "due", 15, "command", "triage", "evidence", "scope-frozen",
	    "n", 2, "title", "CA offline", "due", 20, "command", "contain", "evidence", "actions-held",
	    "n", 3, "title", "CRL distributed", "due", 35, "command", "publish", "evidence", "crl-published",
	    "n", 4, "title", "External communication", "due", 45, "command", "notify external", "evidence",
	    "notice:external",
	    "followups", "n", 1, "title", "Forensic report", "due", 1440,
	    "n", 2, "title", "Notify authorities", "due", -1));
	say(s, T0 + 11 * MIN, EV_TRIAGE, json_pack("{s:s,s:s,s:i,s:s,s:s,s:I,s:s,s:s,s:i,s:s,s:I}",
	    "ca", "issuing2", "level", "intermediate", "compromise", 1, "trigger", "Intermediate compromised",
	    "action", "Revoke the sub-CA and all its certificates", "received", (json_int_t)(T0 - 30 * MIN),
	    "channel", "support", "reporter", x, "since", 0, "reason", "keyCompromise",
	    "deadline", (json_int_t)(T0 - 30 * MIN + 24 * 60 * MIN)));
	say(s, T0 + 12 * MIN, EV_SCOPE, json_pack("{s:s,s:i,s:[{s:s,s:i,s:i,s:i,s:i,s:i,s:s}],s:[{s:s,s:s,s:s,s:s}]}",
	    "manifest", "9f3c11ab", "count", 4813, "cas", "ca", "issuing2", "valid", 4812, "expired", 901,
	    "revoked", 37, "unreadable", 0, "selected", 4812, "manifest", "52d0aa01",
	    "own", "ca", "issuing2", "issuer", "root", "serial", "1001", "subject", x));
	say(s, T0 + 14 * MIN, EV_ACTION_START, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "id", "stop",
	    "title", x, "kind", "command", "host", "", "command", x, "verify", "! systemctl is-active pki-ca",
	    "undo", "systemctl start pki-ca"));
	say(s, T0 + 14 * MIN + 800, EV_ACTION_END, json_pack("{s:s,s:s,s:s,s:i}", "id", "stop", "outcome",
	    "held", "detail", x, "ms", 800));
	say(s, T0 + 15 * MIN, EV_PLAN, json_pack("{s:s,s:s,s:s,s:s,s:{}}", "command", "revoke", "hash",
	    "aa11", "phrase", "REVOKE 4813", "title", x, "spec"));
	say(s, T0 + 16 * MIN, EV_REFUSED, json_pack("{s:s,s:s,s:s}", "command", "revoke", "hash", "aa11",
	    "why", x));
	say(s, T0 + 17 * MIN, EV_PLAN, json_pack("{s:s,s:s,s:s,s:s,s:{}}", "command", "revoke", "hash",
	    "bb22", "phrase", "REVOKE 4813", "title", "Revoke everything", "spec"));
	say(s, T0 + 18 * MIN, EV_CONFIRMED, json_pack("{s:s,s:s}", "command", "revoke", "hash", "bb22"));
	for (int i = 0; i < 2; i++) {
		const char *ca = i == 0 ? "issuing2" : "root";

		say(s, T0 + (19 + i) * MIN, EV_REVOKE_START, json_pack("{s:s,s:s,s:s,s:i,s:I}", "ca", ca, "plan",
		    "bb22", "manifest", "52d0aa01", "count", i == 0 ? 4812 : 1, "stamp",
		    (json_int_t)(T0 + 19 * MIN)));
		say(s, T0 + (19 + i) * MIN + 40, EV_CRL, json_pack("{s:s,s:s,s:i,s:I,s:I,s:s,s:s,s:s,s:i,s:s,s:b}",
		    "ca", ca, "number", "1F", "entries", i == 0 ? 4849 : 2, "this_update", (json_int_t)(T0 + 19 * MIN),
		    "next_update", (json_int_t)(T0 + (19 + 24 * 60) * MIN), "sha256", i == 0 ? "c0ffee" : "beef",
		    "der", "/v/crl/x.crl", "pem", "/v/crl/x.pem", "octets", 180000, "signature",
		    "ecdsa-with-SHA256", "revoke", 1));
		say(s, T0 + (19 + i) * MIN + 50, EV_REVOKE_END, json_pack("{s:s,s:s,s:s,s:i,s:i,s:s,s:s,s:i}",
		    "ca", ca, "plan", "bb22", "outcome", "done", "planned", i == 0 ? 4812 : 1, "revoked",
		    i == 0 ? 4812 : 1, "backup", x, "detail", "", "ms", 50));
	}
	say(s, T0 + 36 * MIN, EV_POINT, json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "ca", "issuing2", "point",
	    "crl1", "url", "http://crl.example.com/2.crl", "sha256", "c0ffee", "state", "verified",
	    "attempt", 2, "detail", x));
	say(s, T0 + 36 * MIN, EV_POINT, json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "ca", "root", "point",
	    "crl2", "url", "http://crl.example.com/r.crl", "sha256", "beef", "state", "verified",
	    "attempt", 1, "detail", ""));
	say(s, T0 + 37 * MIN, EV_NOTICE_START, json_pack("{s:s,s:s,s:s,s:[s,s]}", "notice", "management",
	    "sha256", "d1ce", "subject", x, "to", "ciso@example.com", "it@example.com"));
	say(s, T0 + 37 * MIN, EV_NOTICE, json_pack("{s:s,s:s,s:s,s:s,s:s}", "notice", "management", "to",
	    "ciso@example.com", "outcome", "accepted", "detail", "", "transport", "sendmail"));
	say(s, T0 + 37 * MIN, EV_NOTICE, json_pack("{s:s,s:s,s:s,s:s,s:s}", "notice", "management", "to",
	    "it@example.com", "outcome", "failed", "detail", x, "transport", "sendmail"));
	say(s, T0 + 38 * MIN, EV_CHECKPOINT, json_pack("{s:i,s:s,s:s}", "n", 4, "state", "waived", "reason", x));
	say(s, T0 + 40 * MIN, EV_ISSUER, json_pack("{s:s,s:s,s:s,s:s,s:I,s:s}", "name", "issuing3", "subject",
	    x, "fingerprint", "f00d", "spki", "5e", "not_after", (json_int_t)(T0 + 525600 * MIN), "how", "existing"));
	say(s, T0 + 41 * MIN, EV_REISSUE_START, json_pack("{s:s,s:s,s:[s,s]}", "plan", "cc33", "issuer",
	    "issuing3", "hosts", "web01.example.com", "web07.example.com"));
	say(s, T0 + 42 * MIN, EV_HOST, json_pack("{s:[{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:i},{s:s,s:s,s:s,s:s,s:i}]}",
	    "rows", "host", "web01.example.com", "phase", "verify", "state", "verified", "detail", "",
	    "serial", "5D0A", "fingerprint", "ab", "not_after", (json_int_t)(T0 + 129600 * MIN), "ms", 900,
	    "host", "web07.example.com", "phase", "reload", "state", "rolled back", "detail", x, "ms", 1400));
	say(s, T0 + 50 * MIN, EV_FOLLOWUP, json_pack("{s:i,s:b,s:s}", "n", 1, "done", 1, "text", x));
	say(s, T0 + 51 * MIN, EV_NOTE, json_pack("{s:s}", "text", x));
}

static char *render(const struct script *s, const char *format, const char *verdict)
{
	struct report r = { .in = s->in, .event = s->event, .events = s->events, .at = T0 + 60 * MIN,
		.version = "0.1.0", .rows = (int64_t)s->events, .head = "0123abcd", .verdict = verdict };
	struct buf b = { 0 };

	report_format_find(format)->write(&r, &b);
	return buf_take(&b);
}

static void test_golden(void **state)
{
	const char *srcdir = getenv("SRCDIR");
	char *path = fs_join(srcdir != NULL ? srcdir : ".", "tests/golden/report.md");
	struct buf want = { 0 };
	struct script s;
	struct err e = { 0 };
	char *got;

	(void)state;
	play(&s, "plain words");
	got = render(&s, "markdown", NULL);
	assert_int_equal(fs_read(path, &want, 1 << 20, &e), 0);
	if (strcmp(got, buf_str(&want)) != 0)
		fs_write("report.md.got", got, strlen(got), 0600, NULL);
	assert_string_equal(got, buf_str(&want));
	free(got);
	free(path);
	buf_free(&want);
	end(&s);
}

/* What a hostile host, subject or reporter may send; escaped at the door as json_put does. */
static const char hostile[] = "|x| `y` ```\n# h\r\n- l\n<script>alert(1)</script> [a](http://evil) "
    "![i](x) *b* _u_ ~~s~~ &amp; \\| \033[2J \xc2\x9b \xe2\x80\xae www.evil.com http://evil $m$ @you";

static bool plain(const char *text, const char *markup)
{
	for (const char *p = text; (p = strstr(p, markup)) != NULL; p++)
		if (p == text || p[-1] != '\\')
			return false;
	return true;
}

static void test_hostile_markdown(void **state)
{
	static const char *const markup[] = { "<script", "[a](", "![i]", "*b*", "_u_", "~~s", "`y`", "&amp;",
		"www.evil", "http://evil", "$m$", "@you", "|x|" };
	json_t *o = json_object();
	struct script s;
	char *got, *line, *next;
	bool fenced = false;
	size_t columns = 0;

	(void)state;
	json_put(o, "x", hostile);
	play(&s, json_str(o, "x"));
	got = render(&s, "markdown", hostile);
	for (const char *p = got; *p != '\0'; p++)
		assert_true(*p == '\n' || !iscntrl((unsigned char)*p));
	assert_null(strstr(got, "\xc2\x9b"));
	assert_null(strstr(got, "\xe2\x80\xae"));
	for (line = got; *line != '\0'; line = next) {
		next = strchr(line, '\n');
		*next++ = '\0';
		if (strspn(line, "`") >= 3 && line[strspn(line, "`")] == '\0') {
			assert_int_equal(strlen(line), 4); /* longer than the three inside */
			fenced = !fenced;
			continue;
		}
		if (fenced)
			continue;
		for (size_t i = 0; i < sizeof markup / sizeof markup[0]; i++)
			assert_true(plain(line, markup[i]));
		if (line[0] == '|') { /* every row of a table has the columns of its head */
			size_t bars = 0;

			for (const char *p = line; *p != '\0'; p++)
				bars += *p == '|';
			if (columns == 0)
				columns = bars;
			assert_int_equal(bars, columns);
		} else {
			columns = 0;
			assert_true(line[0] == '\0' || line[0] == '#' || line[0] == '-' ||
			    strncmp(line, "**DRILL", 7) == 0 || strncmp(line, "Published ", 10) == 0 ||
		    strncmp(line, "**Published ", 12) == 0);
		}
	}
	assert_false(fenced);
	free(got);
	json_decref(o);
	end(&s);
}

static void test_json(void **state)
{
	struct script s;
	struct err e = { 0 };
	json_t *o, *row;
	char *got;

	(void)state;
	play(&s, hostile);
	got = render(&s, "json", NULL);
	o = json_read(got, strlen(got), &e);
	assert_non_null(o);
	assert_int_equal(json_num(o, "version", 0), 1);
	assert_string_equal(json_str(o, "declared"), "2026-08-31T02:26:41Z");
	assert_int_equal(json_array_size(json_list(o, "timeline")), s.events);
	assert_int_equal(json_array_size(json_list(o, "crls")), 2);
	assert_string_equal(json_str(json_object_get(o, "journal"), "audit"), "ok");
	row = json_array_get(json_list(o, "checkpoints"), 2);
	assert_string_equal(json_str(row, "state"), "done");
	assert_int_equal(json_num(row, "margin_ms", 0), -MIN);
	row = json_array_get(json_list(o, "plans"), 0);
	assert_string_equal(json_str(row, "answer"), "refused");
	row = json_array_get(json_list(o, "hosts"), 1);
	assert_string_equal(json_str(row, "state"), "rolled back");
	assert_null(strchr(json_str(row, "detail"), '\033'));
	json_decref(o);
	free(got);
	end(&s);
}

static void test_html(void **state)
{
	static const char bad[] = "</style></title><script>alert(1)</script> \" onload=\"x ' & &amp; <!-- --> <![CDATA[ ]]> "
	    "\033[2J \xc2\x9b \xe2\x80\xae \xff \xc3";
	json_t *o = json_object();
	struct script s;
	char *got, *json;

	(void)state;
	json_put(o, "x", bad);
	play(&s, json_str(o, "x"));
	got = render(&s, "html", bad);
	assert_true(strict_html(got) >= 100);
	assert_null(strstr(got, "<script"));
	assert_null(strstr(got, "\xe2\x80\xae"));
	assert_non_null(strstr(got, "&lt;script&gt;alert(1)&lt;/script&gt;"));
	free(got);
	json_decref(o);
	end(&s);

	play(&s, "plain words");
	got = render(&s, "html", NULL);
	assert_true(strict_html(got) >= 100);
	assert_non_null(strstr(got, "00:01:00 late")); /* in the drawing and in the table */
	assert_non_null(strstr(got, "certificates revoked: 4 813 / 4 813"));
	assert_non_null(strstr(got, "hosts verified: 1 / 2"));
	assert_null(strstr(got, "with a successor")); /* nobody has counted */
	free(got);
	for (int n = 1; n <= 2; n++)
		say(&s, T0 + (60 + 10 * n) * MIN, EV_REPLACED, json_pack("{s:i,s:i,s:i,s:i}", "total", 4812, "replaced", 1203 * n, "seen",
		    1, "unknown", 0));
	got = render(&s, "html", NULL);
	strict_html(got);
	json = render(&s, "json", NULL);
	assert_non_null(strstr(strstr(json, "\"replacement\": ["), "\"replaced\": 2406"));
	free(json);
	assert_non_null(strstr(got, "certificates with a successor: 2 406 / 4 812"));
	assert_non_null(strstr(got, "<path class=\"curve three\" d=\"M60 200 H")); /* of a height of 156: a quarter, then half */
	assert_non_null(strstr(strstr(got, "curve three\" d=\"M60 200"), " V161 H"));
	assert_non_null(strstr(strstr(got, "curve three\" d=\"M60 200"), " V122 H"));
	assert_null(strstr(got, "src="));
	assert_null(strstr(got, "url("));
	assert_null(strstr(got, "@import"));
	free(got);
	end(&s);
}

static void test_formats(void **state)
{
	(void)state;
	assert_string_equal(report_format_find("markdown")->suffix, "md");
	assert_string_equal(report_format_find("json")->suffix, "json");
	assert_string_equal(report_format_find("html")->suffix, "html");
	assert_null(report_format_find("pdf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_hostile_markdown),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
