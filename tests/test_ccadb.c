/* report/ccadb.c, lint.c, fields.c: the delayed revocation of 2024 rebuilt from a scripted journal, in UTC where the
 * people of the case wrote IST; a report that lacks things and contradicts itself; the file of fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "incident/owed.h"
#include "report/fields.h"
#include "strict_html.h"

struct script {
	struct incident *in;
	struct event event[96];
	size_t events;
	int64_t at;
	const char *appendix, *manifest;
};

static int64_t when(const char *iso)
{
	int64_t ms;

	assert_int_equal(clock_parse(iso, &ms), 0);
	return ms;
}

static void say(struct script *s, int64_t at, enum event_kind kind, json_t *body)
{
	struct err e = { 0 };
	struct event *ev = &s->event[s->events];

	assert_non_null(body);
	assert_true(s->events < sizeof s->event / sizeof s->event[0]);
	*ev = (struct event){ .seq = (int64_t)++s->events, .at = at, .actor = mem_strdup("op"), .kind = kind, .body = body };
	assert_int_equal(incident_apply(s->in, ev, &e), 0);
}

static void drop(struct script *s)
{
	for (size_t i = 0; i < s->events; i++)
		event_clear(&s->event[i]);
	incident_free(s->in);
}

static struct report report_of(const struct script *s)
{
	return (struct report){ .in = s->in, .event = s->event, .events = s->events, .at = s->at, .version = "0.1.0",
		.rows = (int64_t)s->events, .head = "0123abcd", .appendix = s->appendix, .appendix_sha256 = "feed",
		.manifest = s->manifest };
}

static char *write_kind(const struct script *s, enum report_what kind)
{
	struct report r = report_of(s);
	struct buf b = { 0 };

	ccadb_write(&r, kind, &b);
	return buf_take(&b);
}

static json_t *lint(const struct script *s, enum report_what kind)
{
	struct report r = report_of(s);

	return report_lint(&r, kind);
}

static bool says(const json_t *findings, const char *what)
{
	const json_t *o;
	size_t i;

	json_array_foreach(findings, i, o)
		if (strstr(json_str(o, "what"), what) != NULL)
			return true;
	return false;
}

static void field(struct script *s, const char *name, const char *text)
{
	assert_true(field_known(name));
	say(s, s->at, EV_FIELD, field_body(name, text));
}

static void item(struct script *s, int n, const char *title, const char *kind, const char *cause, const char *criteria,
    const char *due, const char *status)
{
	say(s, s->at, EV_ITEM, json_pack("{s:i,s:s,s:s,s:s,s:s,s:I,s:s}", "n", n, "title", title, "kind", kind, "cause", cause,
	    "criteria", criteria, "due", (json_int_t)when(due), "status", status));
}

static const char manifest[] = "sev1-manifest 1\nca issuing\nissuer-key-id AB12\n0A01 keyCompromise\n0A02 keyCompromise\n"
    "0A03 keyCompromise\n0A04 keyCompromise\n";

static const char *csv(bool all)
{
	static char text[2048];
	const char *const serial[] = { "0A01", "0A02", "0A03", "0A04" };
	struct buf b = { 0 };

	buf_adds(&b, "Precertificate SHA-256 hash,Certificate SHA-256 hash,Subject,Issuer,Not before,Not after,Serial # (hex),"
	    "dNSNames,Is revoked?,Revocation date,Revocation reason\n");
	for (size_t i = 0; i < (all ? 4u : 3u); i++)
		buf_addf(&b, "\"N/A\",\"c%zu\",\"/O=a \"\"b\"\", c\n/CN=x\",\"/CN=I\",\"2024-01-01T00:00:00Z\",\"2025-01-01T00:00:00Z\","
			     "\"%s\",\"a.example\",\"Yes\",\"2024-09-02T04:54:00Z\",\"keyCompromise\"\n", i, serial[i]);
	strcpy(text, buf_str(&b));
	buf_free(&b);
	return text;
}

/* shared/reference: received 2024-08-31 23:19 IST in a general support queue, revoked 2024-09-02 10:24 IST. */
static void play(struct script *s)
{
	int64_t received = when("2024-08-31T23:19:00+05:30"), aware = when("2024-09-01T10:30:00+05:30"),
		revoked = when("2024-09-02T10:24:00+05:30");

	*s = (struct script){ .in = incident_new(), .at = when("2024-09-03T06:00:00Z") };
	say(s, aware, EV_OPENED, json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:[{s:i,s:s,s:i,s:s,s:s},{s:i,s:s,s:i,s:s,s:s}],"
	    "s:[{s:i,s:s,s:i}]}", "id", "INC-2024-0019", "title", "Four leaked keys", "kind", "real", "profile", "public-tls",
	    "organisation", "Example CA", "declared", (json_int_t)aware, "root", "", "checkpoints",
	    "n", 1, "title", "Triage completed", "due", 15, "command", "triage", "evidence", "scope-frozen",
	    "n", 2, "title", "CRL distributed", "due", 35, "command", "publish", "evidence", "crl-published", "followups",
	    "n", 1, "title", "Forensic report", "due", 1440));
	say(s, aware + 45 * 60000, EV_TRIAGE, json_pack("{s:s,s:s,s:i,s:s,s:s,s:I,s:s,s:s,s:i,s:s,s:I}", "ca", "issuing",
	    "level", "end-entity", "compromise", 1, "trigger", "Mass compromise", "action", "Revoke all affected", "received",
	    (json_int_t)received, "channel", "general support queue", "reporter", "researcher", "since", 0, "reason",
	    "keyCompromise", "deadline", (json_int_t)(received + 24 * 3600 * 1000)));
	say(s, aware + 50 * 60000, EV_SCOPE, json_pack("{s:s,s:i,s:[{s:s,s:i,s:i,s:i,s:i,s:i,s:s}],s:[]}", "manifest", "9f3c",
	    "count", 4, "cas", "ca", "issuing", "valid", 1204, "expired", 3, "revoked", 2, "unreadable", 0, "selected", 4,
	    "manifest", "52d0", "own"));
	s->manifest = manifest;
	/* nothing happens for a day; then */
	say(s, revoked - 60000, EV_REVOKE_START, json_pack("{s:s,s:s,s:s,s:i,s:I}", "ca", "issuing", "plan", "bb", "manifest",
	    "52d0", "count", 4, "stamp", (json_int_t)(revoked - 60000)));
	say(s, revoked - 30000, EV_CRL, json_pack("{s:s,s:s,s:i,s:I,s:I,s:s,s:s,s:s,s:i,s:s,s:b}", "ca", "issuing", "number", "1F",
	    "entries", 6, "this_update", (json_int_t)(revoked - 60000), "next_update", (json_int_t)(revoked + 86400000), "sha256",
	    "c0ffee", "der", "/v/x.crl", "pem", "/v/x.pem", "octets", 900, "signature", "ecdsa-with-SHA256", "revoke", 1));
	say(s, revoked - 20000, EV_REVOKE_END, json_pack("{s:s,s:s,s:s,s:i,s:i,s:s,s:s,s:i}", "ca", "issuing", "plan", "bb",
	    "outcome", "done", "planned", 4, "revoked", 4, "backup", "/v/index.old", "detail", "", "ms", 50));
	say(s, revoked, EV_POINT, json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "ca", "issuing", "point", "crl1", "url",
	    "http://crl.example.com/2.crl", "sha256", "c0ffee", "state", "verified", "attempt", 1, "detail", ""));
	s->appendix = csv(true);
	say(s, revoked + 60000, EV_APPENDIX, json_pack("{s:s,s:s,s:s,s:i,s:i,s:i}", "path", "/v/reports/appendix.csv", "sha256",
	    "feed", "form", "csv", "rows", 4, "revoked", 4, "missing", 0));
}

/* All that the people of the case wrote, as far as it is their words that count. */
static void answer(struct script *s)
{
	static const char *const given[][2] = {
		{ "owner", "A000123" },
		{ "description", "Four leaked keys were reported; revocation was late." },
		{ "start", "2024-08-31 17:49Z" },
		{ "policies", "TLS BR 4.9.1.1" },
		{ "source", "Third Party Reported" },
		{ "types", "OV" },
		{ "heuristic", "the four certificates of the appendix" },
		{ "issuance", "No: the issuing CA was not compromised." },
		{ "event.began", "N/A" },
		{ "event.preliminary", "2024-09-02 05:30Z" },
		{ "event.subscribers", "2024-09-02 04:40Z the customer answered" },
		{ "event.ceased", "N/A" },
		{ "event.resumed", "N/A" },
		{ "timeline", "2024-09-01 07:15Z first attempt to reach the customer\n2024-09-01 11:00Z second attempt" },
		{ "related", "1916478 | 2024-09-03 | the report itself" },
		{ "factor.1.title", "Outdated directory entry" },
		{ "factor.1.description", "The directory named the support queue." },
		{ "factor.1.timeline", "Since the contact was changed." },
		{ "factor.1.detection", "By the researcher." },
		{ "factor.1.method", "Five whys" },
		{ "lessons.well", "- the researcher reported at once" },
		{ "lessons.bad", "- the queue did not recognise the request\n- revocation waited for the customer" },
		{ "lessons.lucky", "- no misuse was seen" },
		{ "delay.description", "Revocation took longer than 24 hours." },
		{ "delay.identified", "2024-09-02 04:10Z" },
		{ "delay.analysis", "The clock was started when the report was routed, not when it came." },
		{ "delay.factor.1.title", "The clock began at routing" },
		{ "delay.factor.1.description", "x" },
		{ "delay.factor.1.timeline", "x" },
		{ "delay.factor.1.detection", "x" },
		{ "delay.factor.1.method", "x" },
		{ "delay.lessons.well", "N/A" },
		{ "delay.lessons.bad", "N/A" },
		{ "delay.lessons.lucky", "N/A" },
	};

	for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
		field(s, given[i][0], given[i][1]);
	item(s, 10, "Route revocation requests by keyword", "Prevent", "1, w1", "a drill finds every request", "2024-10-31T23:59Z",
	    "Ongoing");
	item(s, 11, "Revoke after six hours without an answer", "Prevent", "w2, d1", "the timer runs in a drill",
	    "2024-09-30T23:59Z", "Ongoing");
}

static void has(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		print_error("lacks: %s\nin:\n%s\n", what, text);
	assert_non_null(strstr(text, what));
}

/* In this order, each after the one before. */
static void ordered(const char *text, const char *const part[])
{
	for (; *part != NULL; part++) {
		const char *p = strstr(text, *part);

		if (p == NULL)
			print_error("lacks, or out of order: %s\n", *part);
		assert_non_null(p);
		text = p + strlen(*part);
	}
}

static void clean(const json_t *findings)
{
	const json_t *o;
	size_t i;

	json_array_foreach(findings, i, o)
		print_error("found: %s (%s)\n", json_str(o, "what"), json_str(o, "where"));
	assert_int_equal(json_array_size(findings), 0);
}

static void test_case_of_2024(void **state)
{
	static const char *const sections[] = { "## Full Incident Report\n", "### Summary\n", "CA Owner CCADB unique ID",
		"Incident description", "Timeline summary", "Non-compliance start date", "Non-compliance identified date",
		"Non-compliance end date", "Relevant policies", "Source of incident disclosure", "### Impact\n",
		"Total number of certificates", "remaining valid", "Affected certificate types", "Incident heuristic",
		"Was issuance stopped", "Analysis", "Additional considerations", "### Timeline\n", "2024-08-31 17:49Z Problem report",
		"2024-09-01 05:00Z The CA became aware", "2024-09-01 07:15Z first attempt", "2024-09-01 11:00Z second",
		"2024-09-01 17:49Z Revocation expected", "2024-09-02 04:54Z CRL of issuing published", "### Related Incidents\n",
		"| 1916478 | 2024-09-03 |", "### Root Cause Analysis\n", "#### Contributing Factor # 1: Outdated directory entry",
		"Description", "Timeline", "Detection", "Interaction with other factors", "methodology used",
		"### Lessons Learned\n", "#### What went well", "#### What didn't go well", "#### Where we got lucky",
		"#### Additional", "### Action Items\n",
		"| Route revocation requests by keyword | Prevent | Root Cause # 1, What didn't go well # 1 |", "2024-10-31 | Ongoing |",
		"### Appendix\n", "0A04", NULL };
	struct script s;
	json_t *findings;
	char *text;

	(void)state;
	play(&s);
	answer(&s);
	for (int kind = REPORT_FULL; kind <= REPORT_DELAY; kind += REPORT_DELAY - REPORT_FULL) {
		text = write_kind(&s, (enum report_what)kind);
		has(text, "First received 2024-08-31 17:49Z, to be revoked by 2024-09-01 17:49Z, revocation published 2024-09-02 "
			  "04:54Z: 35 h 05 min after receipt, 11 h 05 min late.");
		assert_null(strstr(text, "MISSING"));
		ordered(text, kind == REPORT_FULL ? sections : (const char *[]){ "Non-compliance start date:** 2024-09-01 17:49Z",
		    "Non-compliance identified date:** 2024-09-02 04:10Z", "Non-compliance end date:** 2024-09-02 04:54Z",
		    "Analysis:** The clock was started", "The clock began at routing", "Revoke after six hours", NULL });
		assert_true((strstr(text, "Route revocation") != NULL) == (kind == REPORT_FULL));
		free(text);
		findings = lint(&s, (enum report_what)kind);
		clean(findings);
		json_decref(findings);
	}
	text = write_kind(&s, REPORT_PRELIMINARY);
	ordered(text, (const char *[]){ "## Preliminary Incident Report", "### Summary", "Incident description", "Relevant policies",
	    "Source of incident disclosure", NULL });
	assert_null(strstr(text, "CCADB unique ID"));
	free(text);
	drop(&s);
}

static char *html_kind(const struct script *s, enum report_what kind)
{
	struct report r = report_of(s);
	struct buf b = { 0 };

	ccadb_html_write(&r, kind, &b);
	return buf_take(&b);
}

/* The same, as a page: the template's order, every fact, nothing that runs. */
static void test_html(void **state)
{
	static const char *const full[] = { "<title>INC-2024-0019: Full Incident Report</title>", "<h2>Full Incident Report</h2>",
		"<h3>Summary</h3>", "CA Owner CCADB unique ID:</strong> A000123", "Timeline summary:</strong>", "<ul>",
		"Non-compliance start date:</strong> 2024-08-31 17:49Z", "</ul>", "Relevant policies", "<h3>Impact</h3>",
		"<h3>Timeline</h3>", "35 h 05 min after receipt, 11 h 05 min late.", "2024-09-01 07:15Z</span> first attempt",
		"<h3>Related Incidents</h3>", "<td>1916478</td><td>2024-09-03</td>", "<h3>Root Cause Analysis</h3>",
		"<h4>Contributing Factor # 1: Outdated directory entry</h4>", "<h3>Lessons Learned</h3>",
		"<h4>What didn&#39;t go well</h4>", "<li>the queue did not recognise the request</li>\n<li>revocation waited",
		"<h3>Action Items</h3>", "<td>Route revocation requests by keyword</td><td>Prevent</td>",
		"<td>Root Cause # 1, What didn&#39;t go well # 1</td>", "<h3>Appendix</h3>", "<pre>", "0A04", NULL };
	static const enum report_what kinds[] = { REPORT_PRELIMINARY, REPORT_FULL, REPORT_DELAY, REPORT_STATUS, REPORT_CLOSURE };
	struct script s;
	char *text;

	(void)state;
	play(&s);
	answer(&s);
	text = html_kind(&s, REPORT_FULL);
	ordered(text, full);
	assert_null(strstr(text, "MISSING"));
	free(text);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		text = html_kind(&s, kinds[i]);
		strict_html(text);
		free(text);
	}
	drop(&s);
	play(&s); /* with nothing given, what is missing is named in every kind */
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		text = html_kind(&s, kinds[i]);
		strict_html(text);
		has(text, kinds[i] == REPORT_STATUS ? "[MISSING: update]" : "[MISSING: ");
		free(text);
	}
	drop(&s);
}

static void test_html_hostile(void **state)
{
	static const char bad[] = "</style></title><script>alert(1)</script> \" onload=\"x ' & &amp; <!-- <img src=x> | ](javascript:x)";
	static const char *const names[] = { "owner", "description", "policies", "heuristic", "related", "timeline", "event.preliminary",
		"factor.1.title", "factor.1.description", "lessons.bad", "lessons.additional", "update", "closure.remediation",
		"delay.description", "delay.factor.1.title" };
	static const enum report_what kinds[] = { REPORT_PRELIMINARY, REPORT_FULL, REPORT_DELAY, REPORT_STATUS, REPORT_CLOSURE };
	struct script s;
	char *text, *several = mem_printf("%s\n- %s\n%s\n\n2024-09-01 07:15Z %s", bad, bad, bad, bad);

	(void)state;
	play(&s);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		field(&s, names[i], several);
	item(&s, 10, bad, "Prevent", "1, w1", bad, "2024-10-31T23:59Z", "Ongoing");
	s.appendix = "</pre><script>alert(2)</script>\n";
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		text = html_kind(&s, kinds[i]);
		strict_html(text);
		assert_null(strstr(text, "<script"));
		assert_null(strstr(text, "<img"));
		free(text);
	}
	free(several);
	drop(&s);
}

/* The CRL is renewed for days after: the timeline tells of its first publication only. */
static void test_renewals(void **state)
{
	struct script s;
	char *text;
	size_t n = 0;

	(void)state;
	play(&s);
	for (int i = 1; i <= 9; i++)
		say(&s, s.at + i * 3600000LL, EV_POINT, json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "ca", "issuing", "point", "crl1", "url",
		    "http://crl.example.com/2.crl", "sha256", "beef", "state", "verified", "attempt", 1, "detail", ""));
	text = write_kind(&s, REPORT_FULL);
	for (const char *p = text; (p = strstr(p, "CRL of issuing published")) != NULL; p++)
		n++;
	assert_int_equal(n, 1);
	free(text);
	drop(&s);
}

/* Whom the journal knows to have been told needs nobody to say so. */
static void test_told(void **state)
{
	struct script s;
	struct report r;
	char *text;

	(void)state;
	play(&s);
	r = report_of(&s);
	text = field_text(&r, "event.subscribers");
	assert_string_equal(text, "");
	free(text);
	say(&s, s.at, EV_ROSTER, json_pack("{s:s,s:[{s:s,s:s,s:s,s:i},{s:s,s:s,s:s,s:i}]}", "file", "f", "rows", "name", "acme", "kind",
	    "subscriber", "mail", "a@b", "certificates", 4, "name", "reporter", "kind", "reporter", "mail", "r@b", "certificates", 0));
	say(&s, s.at, EV_CONTACT, json_pack("{s:s,s:s,s:s,s:s,s:I,s:b}", "subscriber", "reporter", "channel", "phone", "outcome",
	    "reached", "detail", "", "when", (json_int_t)when("2024-09-01T09:00:00Z"), "preliminary", 1));
	say(&s, s.at, EV_CONTACT, json_pack("{s:s,s:s,s:s,s:s,s:I,s:b}", "subscriber", "acme", "channel", "phone", "outcome",
	    "no answer", "detail", "", "when", (json_int_t)when("2024-09-01T10:00:00Z"), "preliminary", 0));
	say(&s, s.at, EV_NOTICE, json_pack("{s:s,s:s,s:s,s:s}", "notice", "preliminary:acme", "to", "a@b", "outcome", "accepted",
	    "transport", "smtp"));
	text = field_text(&r, "event.subscribers");
	assert_string_equal(text, "2024-09-03 06:00Z"); /* not the reporter, not the call without an answer */
	free(text);
	text = field_text(&r, "event.preliminary");
	assert_string_equal(text, "2024-09-01 09:00Z");
	free(text);
	drop(&s);
}

static void test_owed(void **state)
{
	struct script s;
	const struct followup *delay = NULL, *status = NULL;
	int64_t deadline;

	(void)state;
	play(&s);
	deadline = s.in->triage.deadline;
	for (size_t i = 0; i < s.in->followups; i++) {
		delay = s.in->followup[i].when == OWED_IF_LATE ? &s.in->followup[i] : delay;
		status = s.in->followup[i].when == OWED_WHILE_LATE ? &s.in->followup[i] : status;
	}
	assert_non_null(delay);
	assert_non_null(status);
	assert_true(followup_owed(s.in, delay, s.at));
	assert_int_equal(delay->due, deadline + 72 * 3600 * 1000LL);
	assert_int_equal(s.in->followups, 5); /* forensic, preliminary, full, delay, status */
	drop(&s);

	/* the same before anything was revoked */
	play(&s);
	s.in->checkpoint[1].state = CP_OPEN;
	s.in->checkpoint[1].done_at = 0;
	status = &s.in->followup[4];
	assert_int_equal(status->when, OWED_WHILE_LATE);
	assert_false(followup_owed(s.in, status, deadline));
	assert_true(followup_owed(s.in, status, deadline + 1));
	assert_false(followup_overdue(s.in, status, deadline + OWED_STATUS_EVERY));
	assert_true(followup_overdue(s.in, status, deadline + OWED_STATUS_EVERY + 1));
	say(&s, deadline + 100, EV_NOTE, json_pack("{s:s}", "text", "x"));
	s.in->checkpoint[1].state = CP_OPEN; /* the fold sees the point as verified again */
	s.in->checkpoint[1].done_at = 0;
	s.in->point[0].state = POINT_FAILED;
	say(&s, deadline + 200, EV_FOLLOWUP, json_pack("{s:i,s:b,s:s}", "n", status->n, "done", 1, "text", "first update"));
	status = &s.in->followup[4];
	assert_false(status->done); /* one is given: the next is due */
	assert_int_equal(status->due, deadline + 200 + OWED_STATUS_EVERY);
	s.in->checkpoint[1].state = CP_DONE;
	s.in->checkpoint[1].done_at = deadline + 300;
	say(&s, deadline + 400, EV_FOLLOWUP, json_pack("{s:i,s:b,s:s}", "n", status->n, "done", 1, "text", "revoked"));
	assert_true(s.in->followup[4].done);
	drop(&s);
}

struct fault {
	const char *name, *text, *found;
};

/* One fault at a time in a report that is well otherwise: it is named, and nothing else is. */
static void test_lint(void **state)
{
	static const struct fault faults[] = {
		{ "policies", "", "policies is missing" },
		{ "event.preliminary", "", "event.preliminary: an expected event" },
		{ "source", "Twitter", "source: one of Self Reported" },
		{ "types", "DV, XV", "types: of DV, IV, OV, EV" },
		{ "start", "2024-08-31 23:19 IST", "start: \"2024-08-31 23:19 IST\" does not begin with a time in UTC" },
		{ "start", "2024-08-31T23:19+05:30", "is not in UTC; it is 2024-08-31 17:49Z" },
		{ "end", "2024-08-30 10:00Z", "end (2024-08-30 10:00Z) is before start" },
		{ "end", "2024-09-01 10:00Z", "end (2024-09-01 10:00Z) is before the revocation was published" },
		{ "event.aware", "2024-08-31 17:00Z", "event.aware (2024-08-31 17:00Z) is before event.received" },
		{ "event.preliminary", "2025-01-01 00:00Z", "has not come yet" },
		{ "timeline", "2024-09-01 11:00Z b\n2024-09-01 07:15Z a", "timeline, line 2: 2024-09-01 07:15Z is out of order" },
		{ "timeline", "2024-09-01 11:00 b", "timeline, line 1: \"2024-09-01 11:00 b\" does not begin" },
		{ "total", "5", "total says 5, the journal 4" },
		{ "remaining", "1", "remaining says 1, the journal 0" },
		{ "factor.1.method", "", "factor.1.method is missing" },
		{ "lessons.bad", "- a\n- b\n- c", "what didn't go well, 3, has no action item: c" },
		{ "lessons.bad", "- a", "action item 11: there is no root cause w2" },
		{ "delay.analysis", "", "a report on the delay is owed" },
	};
	struct script s;
	json_t *findings;

	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		play(&s);
		answer(&s);
		field(&s, faults[i].name, faults[i].text);
		findings = lint(&s, REPORT_FULL);
		if (!says(findings, faults[i].found))
			print_error("not found: %s\n", faults[i].found);
		assert_true(says(findings, faults[i].found));
		assert_true(json_array_size(findings) <= 2); /* a wrong end contradicts two things */
		json_decref(findings);
		drop(&s);
	}
}

/* What is said to mend a line of the timeline is the timeline. */
static void test_lint_remedy(void **state)
{
	struct script s;
	json_t *findings, *o;
	size_t i, lines = 0;

	(void)state;
	play(&s);
	answer(&s);
	field(&s, "timeline", "2024-09-01 11:00 b");
	findings = lint(&s, REPORT_FULL);
	json_array_foreach(findings, i, o)
		if (strncmp(json_str(o, "what"), "timeline, line", 14) == 0) {
			lines++;
			assert_string_equal(json_str(o, "where"), "sev1 report --set timeline=...");
		}
	assert_int_equal(lines, 1);
	json_decref(findings);
	drop(&s);
}

static void expect(struct script *s, enum report_what kind, const char *what)
{
	json_t *findings = lint(s, kind);

	if (!says(findings, what))
		print_error("not found: %s\n", what);
	assert_true(says(findings, what));
	json_decref(findings);
}

static void test_lint_items(void **state)
{
	struct script s;

	(void)state;
	play(&s);
	answer(&s);
	field(&s, "factor.2.title", "Nobody watched the queue");
	expect(&s, REPORT_FULL, "contributing factor 2 has no action item: Nobody watched");
	expect(&s, REPORT_FULL, "factor.2.description is missing");
	item(&s, 12, "Train", "Detect", "7", "", "2024-09-30T00:00Z", "Ongoing");
	expect(&s, REPORT_FULL, "action item 12: there is no root cause 7");
	expect(&s, REPORT_FULL, "action item 12 has no evaluation criteria");
	item(&s, 10, "Route", "Prevent", "w1", "c", "2024-09-02T00:00Z", "Ongoing");
	expect(&s, REPORT_FULL, "contributing factor 1 has no action item");
	expect(&s, REPORT_FULL, "action item 10 is Ongoing and past its due date");
	item(&s, 11, "Revoke", "Prevent", "w2, d1", "c", "2024-10-02T00:00Z", "Canceled");
	expect(&s, REPORT_FULL, "what didn't go well, 2, has no action item");
	expect(&s, REPORT_DELAY, "contributing factor 1 has no action item");
	expect(&s, REPORT_CLOSURE, "the closure says that all are completed");
	expect(&s, REPORT_CLOSURE, "closure.remediation is missing");
	drop(&s);
}

static void test_lint_appendix(void **state)
{
	struct script s;
	char other[2048], *p;

	(void)state;
	play(&s);
	answer(&s);
	s.appendix = csv(false);
	expect(&s, REPORT_FULL, "of the scope's certificates not in it: 1; of its own not in the scope: 0 (first: 0A04)");
	strcpy(other, csv(true));
	p = strstr(other, "0A02");
	p[3] = '9';
	s.appendix = other;
	expect(&s, REPORT_FULL, "of the scope's certificates not in it: 1; of its own not in the scope: 1 (first: 0A02)");
	strcpy(other, csv(true));
	p = strstr(other, "\"c2\"");
	memmove(p + 1, p + 3, strlen(p + 3) + 1);
	expect(&s, REPORT_FULL, "does not hold their certificate: 1; write it in");
	s.appendix = NULL;
	expect(&s, REPORT_FULL, "is not there any more");
	drop(&s);
	play(&s);
	s.events--; /* no EV_APPENDIX: */
	event_clear(&s.event[s.events]);
	expect(&s, REPORT_FULL, "the appendix is missing");
	drop(&s);
}

static void test_lint_journal(void **state)
{
	struct script s;
	struct report r;
	json_t *findings;

	(void)state;
	play(&s);
	answer(&s);
	say(&s, s.at - 3600000, EV_NOTE, json_pack("{s:s}", "text", "late"));
	expect(&s, REPORT_FULL, "the clock was set back");
	r = report_of(&s);
	r.verdict = "row 3 was changed";
	findings = report_lint(&r, REPORT_AFTER);
	assert_true(says(findings, "the journal does not verify: row 3 was changed"));
	json_decref(findings);
	drop(&s);
}

/* ---- the file of fields ---- */

static char *exported(const struct script *s)
{
	struct report r = report_of(s);
	struct buf b = { 0 };

	fields_write(&r, &b);
	return buf_take(&b);
}

static json_t *imported(const struct script *s, const char *text, struct err *e)
{
	struct report r = report_of(s);
	json_t *changes = NULL;

	if (fields_read(&r, text, "f.txt", &changes, e) < 0)
		return NULL;
	return changes;
}

/* Put words below a field's head. */
static char *edited(const char *file, const char *name, const char *words)
{
	char *head = mem_printf("\n@@ %s ", name), *got;
	const char *at = strstr(file, head), *end;

	assert_non_null(at);
	at = strchr(at + 1, '\n') + 1;
	if (strncmp(at, "@#", 2) == 0)
		at = strchr(at, '\n') + 1;
	end = strstr(at, "\n@@");
	end = end != NULL ? end : at + strlen(at);
	got = mem_printf("%.*s%s\n%s", (int)(at - file), file, words, end);
	free(head);
	return got;
}

static void test_fields_file(void **state)
{
	struct script s;
	struct err e = { 0 };
	char *file, *one, *two;
	json_t *changes;

	(void)state;
	play(&s);
	answer(&s);
	file = exported(&s);
	changes = imported(&s, file, &e);
	assert_non_null(changes);
	assert_int_equal(json_object_size(changes), 0); /* as it was written, it changes nothing */
	json_decref(changes);

	one = edited(file, "policies", "BR 4.9.1.1\n\n\\@home \\\\x\n- and CPS 4.9\n\n");
	changes = imported(&s, one, &e);
	assert_int_equal(json_object_size(changes), 1);
	assert_string_equal(json_str(changes, "policies"), "BR 4.9.1.1\n\n@home \\\\x\n- and CPS 4.9");
	field(&s, "policies", json_str(changes, "policies"));
	json_decref(changes);

	/* taken: the same file changes nothing any more, and a new one holds the words */
	changes = imported(&s, one, &e);
	assert_int_equal(json_object_size(changes), 0);
	json_decref(changes);
	two = exported(&s);
	has(two, "BR 4.9.1.1\n\n\\@home");
	changes = imported(&s, two, &e);
	assert_int_equal(json_object_size(changes), 0);
	json_decref(changes);
	free(two);

	/* changed here, and otherwise there since: neither is lost */
	field(&s, "policies", "the console's words");
	assert_null(imported(&s, one, &e));
	assert_int_equal(e.code, ERR_REFUSED);
	has(e.text, "policies was changed here and in the incident");
	has(e.text, "the console's words");
	free(one);
	one = edited(file, "types", "DV"); /* of before: the console's policies stay */
	changes = imported(&s, one, &e);
	assert_int_equal(json_object_size(changes), 1);
	assert_string_equal(json_str(changes, "types"), "DV");
	json_decref(changes);
	free(one);

	changes = imported(&s, "@@ policies !\nthese\n", &e);
	assert_string_equal(json_str(changes, "policies"), "these");
	json_decref(changes);
	changes = imported(&s, "@@ factor.3.title\nnew\n", &e);
	assert_string_equal(json_str(changes, "factor.3.title"), "new");
	json_decref(changes);
	free(file);
	drop(&s);
}

static void test_fields_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "@@ nonsense\nx\n", "f.txt:1: no report has a field nonsense" },
		{ "@@ factor.0.title\nx\n", "no report has a field factor.0.title" },
		{ "@@ factor.100.title\nx\n", "no report has a field" },
		{ "@@ factor.1.color\nx\n", "no report has a field" },
		{ "words\n@@ policies\nx\n", "f.txt:1: text before the first field" },
		{ "@@ policies\nx\n@@ policies\ny\n", "f.txt:3: policies stands there twice" },
		{ "@@\nx\n", "is not \"@@ NAME\"" },
		{ "@@ policies a b\nx\n", "is not \"@@ NAME\"" },
		{ "@odd\nx\n", "is not \"@@ NAME\"" },
	};
	struct script s;

	(void)state;
	play(&s);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = { 0 };

		assert_null(imported(&s, bad[i][0], &e));
		has(e.text, bad[i][1]);
	}
	drop(&s);
}

/* What a field may hold that someone pasted. */
static void test_hostile(void **state)
{
	static const char hostile[] = "<script>alert(1)</script> [a](http://evil) | x\n# heading\n- item *b*\n| a | b |\n1. one\n===\n"
	    "\033[2J \xe2\x80\xae ```";
	struct script s;
	static const char *const markup[] = { "<script", "[a](", "http://evil", "*b*", "*x*", "<i>" };
	char *text, *line, *next;
	bool fenced = false;

	(void)state;
	play(&s);
	answer(&s);
	for (size_t i = 0; i < s.in->fields; i++)
		if (strchr(s.in->field[i].name, '.') == NULL || strncmp(s.in->field[i].name, "event.", 6) != 0)
			field(&s, s.in->field[i].name, hostile);
	item(&s, 12, "a | b <i>", "Prevent", "1", "*x* | y", "2024-10-01T00:00Z", "Ongoing");
	text = write_kind(&s, REPORT_FULL);
	assert_null(strchr(text, '\033'));
	assert_null(strstr(text, "\xe2\x80\xae"));
	for (line = text; *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		if (*next == '\n')
			*next++ = '\0';
		if (strspn(line, "`") >= 3)
			fenced = !fenced;
		if (fenced)
			continue;
		for (size_t i = 0; i < sizeof markup / sizeof markup[0]; i++)
			for (const char *p = line; (p = strstr(p, markup[i])) != NULL; p++)
				assert_true(p > line && p[-1] == '\\');
		assert_true(strncmp(line, "# ", 2) != 0 && strncmp(line, "===", 3) != 0 && strncmp(line, "1.", 2) != 0);
		assert_true(strncmp(line, "| a |", 5) != 0);
	}
	free(text);
	drop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_case_of_2024),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_html_hostile),
		cmocka_unit_test(test_renewals),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_owed),
		cmocka_unit_test(test_lint),
		cmocka_unit_test(test_lint_remedy),
		cmocka_unit_test(test_lint_items),
		cmocka_unit_test(test_lint_appendix),
		cmocka_unit_test(test_lint_journal),
		cmocka_unit_test(test_fields_file),
		cmocka_unit_test(test_fields_refused),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
