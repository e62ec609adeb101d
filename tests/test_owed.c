/* incident/owed.c and report/ical.c: action items as they are folded; the calendar, read back by the rules of RFC 5545. */
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
#include "incident/owed.h"
#include "report/ical.h"

#define T0 1788143201000LL /* 2026-08-31T02:26:41Z */
#define DAY 86400000LL

static int64_t seq;

static void say(struct incident *in, int64_t at, enum event_kind kind, json_t *body)
{
	struct event ev = { .seq = ++seq, .at = at, .actor = (char *)(uintptr_t)"op", .kind = kind, .body = body };
	struct err e = { 0 };

	assert_non_null(body);
	assert_int_equal(incident_apply(in, &ev, &e), 0);
	json_decref(body);
}

static struct incident *opened(void)
{
	struct incident *in = incident_new();

	seq = 0;
	say(in, T0, EV_OPENED, json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:[],s:[{s:i,s:s,s:i},{s:i,s:s,s:i}]}", "id", "INC-2026-0042",
	    "title", "t", "kind", "real", "profile", "private", "organisation", "o", "declared", (json_int_t)T0, "root", "",
	    "checkpoints", "followups", "n", 1, "title", "Forensic report", "due", 1440, "n", 2, "title", "Notify authorities",
	    "due", -1));
	return in;
}

static void test_items(void **state)
{
	struct incident *in = opened();
	const struct followup *f;
	char *text;
	struct event ev = { .kind = EV_ITEM };

	(void)state;
	assert_int_equal(incident_followup_next(in), 3);
	say(in, T0 + 1, EV_ITEM, json_pack("{s:i,s:s,s:s,s:s,s:s,s:I,s:s}", "n", 3, "title", "Route it", "kind", "Prevent", "cause",
	    "1, w2", "criteria", "a drill", "due", (json_int_t)(T0 + DAY), "status", "Ongoing"));
	f = incident_followup(in, 3);
	assert_string_equal(f->title, "Route it");
	assert_false(f->done);
	assert_false(followup_overdue(in, f, T0 + DAY));
	assert_true(followup_overdue(in, f, T0 + DAY + 1));
	assert_string_equal(followup_state(in, f, T0 + DAY + 1), "overdue");
	/* only what is given changes */
	say(in, T0 + 2, EV_ITEM, json_pack("{s:i,s:s,s:s}", "n", 3, "status", "Delayed", "text", "why"));
	f = incident_followup(in, 3);
	assert_string_equal(f->criteria, "a drill");
	assert_string_equal(followup_state(in, f, T0), "Delayed");
	assert_int_equal(f->due, T0 + DAY);
	say(in, T0 + 3, EV_ITEM, json_pack("{s:i,s:s}", "n", 3, "status", "Canceled"));
	assert_true(incident_followup(in, 3)->done);
	assert_false(followup_overdue(in, incident_followup(in, 3), T0 + 9 * DAY));
	say(in, T0 + 4, EV_FOLLOWUP, json_pack("{s:i,s:b,s:s}", "n", 3, "done", 0, "text", "again"));
	assert_int_equal(incident_followup(in, 3)->status, OWED_ONGOING);
	/* a follow-up of the playbook may be given a day */
	say(in, T0 + 5, EV_ITEM, json_pack("{s:i,s:I}", "n", 2, "due", (json_int_t)(T0 + 3 * DAY)));
	assert_string_equal(incident_followup(in, 2)->title, "Notify authorities");
	assert_true(followup_overdue(in, incident_followup(in, 2), T0 + 4 * DAY));
	ev.body = json_pack("{s:i,s:s,s:s}", "n", 3, "title", "Route it", "status", "Ongoing");
	text = event_text(&ev);
	assert_string_equal(text, "action item 3: Route it; Ongoing");
	free(text);
	json_decref(ev.body);
	incident_free(in);
}

static void test_causes(void **state)
{
	static const struct {
		const char *word;
		int n;
		bool delay, bad;
	} want[] = { { "1", 1, false, false }, { "w2", 2, false, true }, { "D3", 3, true, false }, { "dw4", 4, true, true },
		{ "x", 0, false, false }, { "0", 0, false, false }, { "1a", 0, false, false }, { "wd1", 0, false, true } };
	const char *at = " 1,w2;D3 dw4, x 0 1a wd1 ";
	struct owed_cause c;

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		assert_true(owed_cause_next(&at, &c));
		assert_string_equal(c.word, want[i].word);
		assert_int_equal(c.n, want[i].n);
		assert_int_equal(c.delay, want[i].delay);
		assert_int_equal(c.bad, want[i].bad);
	}
	assert_false(owed_cause_next(&at, &c));
}

/* ---- RFC 5545 ---- */

/* Unfold (3.1), checking each line on the way: CRLF at its end, at most 75 octets, no half a character. */
static char *unfolded(const char *p)
{
	struct buf b = { 0 };

	while (*p != '\0') {
		const char *end = strstr(p, "\r\n");

		assert_non_null(end);
		assert_in_range(end - p, 1, 75);
		assert_true(((unsigned char)p[*p == ' '] & 0xc0) != 0x80);
		for (const char *q = p; q < end; q++)
			assert_false(iscntrl((unsigned char)*q));
		if (*p == ' ')
			p++;
		else if (b.len > 0)
			buf_addc(&b, '\n');
		buf_add(&b, p, (size_t)(end - p));
		p = end + 2;
	}
	buf_addc(&b, '\n');
	return buf_take(&b);
}

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

/* Components nest, and a VTODO has exactly one UID, DTSTAMP and SUMMARY (3.6.2). */
static void components(const char *text)
{
	char stack[8][24], *copy = mem_strdup(text), *at = copy, *line;
	int depth = 0, uid = 0, stamp = 0, summary = 0;

	while ((line = strsep(&at, "\n")) != NULL && line[0] != '\0') {
		assert_true(strpbrk(line, ":;") != NULL && strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == strcspn(line, ":;"));
		if (strncmp(line, "BEGIN:", 6) == 0) {
			assert_true(depth < 8);
			snprintf(stack[depth++], sizeof stack[0], "%s", line + 6);
			if (strcmp(line, "BEGIN:VTODO") == 0)
				uid = stamp = summary = 0;
		} else if (strncmp(line, "END:", 4) == 0) {
			assert_true(depth > 0);
			assert_string_equal(stack[--depth], line + 4);
			if (strcmp(line, "END:VTODO") == 0)
				assert_true(uid == 1 && stamp == 1 && summary == 1);
		}
		uid += strncmp(line, "UID:", 4) == 0;
		stamp += strncmp(line, "DTSTAMP:", 8) == 0;
		summary += strncmp(line, "SUMMARY:", 8) == 0;
	}
	assert_int_equal(depth, 0);
	free(copy);
}

static char *calendar(const struct incident *in, int64_t now)
{
	struct buf b = { 0 };
	char *text;

	ical_write(in, now, &b);
	text = unfolded(buf_str(&b));
	buf_free(&b);
	components(text);
	return text;
}

static void test_ical(void **state)
{
	struct incident *in = opened();
	char *text, *again;
	struct buf title = { 0 };

	(void)state;
	text = calendar(in, T0);
	assert_int_equal(strncmp(text, "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:", 35), 0);
	assert_int_equal(times(text, "BEGIN:VTODO\n"), 2);
	assert_int_equal(times(text, "BEGIN:VALARM\n"), 2); /* what has no day has no alarm */
	assert_non_null(strstr(text, "\nUID:INC-2026-0042-1788143201000-1@sev1\n"));
	assert_non_null(strstr(text, "\nDTSTAMP:20260831T022641Z\n"));
	assert_non_null(strstr(text, "\nDUE:20260901T022641Z\n"));
	assert_non_null(strstr(text, "\nSTATUS:NEEDS-ACTION\n"));
	assert_non_null(strstr(text, "\nTRIGGER;RELATED=END:-P1D\n"));

	/* another title, done later: the same UIDs */
	for (int i = 0; i < 60; i++)
		buf_adds(&title, i % 3 == 0 ? "\xc3\xa9" : i % 3 == 1 ? "\xe2\x82\xac" : "\xf0\x9f\x94\x91");
	buf_adds(&title, " a; b, c \\n d \\\r\nEND:VTODO\n");
	say(in, T0 + 1, EV_ITEM, json_pack("{s:i,s:s,s:s,s:s,s:s,s:I}", "n", 3, "title", buf_str(&title), "kind", "Prevent", "cause",
	    "1", "criteria", "x;y,z", "due", (json_int_t)(T0 + DAY)));
	say(in, T0 + 2, EV_FOLLOWUP, json_pack("{s:i,s:b,s:s}", "n", 1, "done", 1, "text", "in the safe"));
	again = calendar(in, T0 + DAY);
	assert_int_equal(times(again, "BEGIN:VTODO\n"), 3);
	assert_non_null(strstr(again, "\nUID:INC-2026-0042-1788143201000-1@sev1\n"));
	assert_non_null(strstr(again, "\nSTATUS:COMPLETED\nCOMPLETED:20260831T022641Z\nEND:VTODO\n")); /* and no alarm */
	assert_non_null(strstr(again, " a\\; b\\, c \\\\n d \\\\\\nEND:VTODO\\n\n"));
	assert_non_null(strstr(again, "x\\;y\\,z"));
	free(text);
	free(again);
	buf_free(&title);
	incident_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_ical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
