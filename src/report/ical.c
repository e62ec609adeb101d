#include "report/ical.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "incident/owed.h"

#define FOLD 75 /* octets of a line, without its end: RFC 5545 3.1 */

/* A content line, folded between characters, never inside of one. */
static void ical_line(struct buf *b, const char *s)
{
	size_t col = 0;

	for (const char *p = s; *p != '\0';) {
		size_t len = 1;

		while (((unsigned char)p[len] & 0xc0) == 0x80)
			len++;
		if (col + len > FOLD) {
			buf_adds(b, "\r\n ");
			col = 1;
		}
		buf_add(b, p, len);
		col += len;
		p += len;
	}
	buf_adds(b, "\r\n");
}

/* "NAME:" and a TEXT value (3.3.11). */
static void ical_text(struct buf *b, const char *name, const char *value)
{
	struct buf line = { 0 };

	buf_addf(&line, "%s:", name);
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '\n')
			buf_adds(&line, "\\n");
		else if (strchr("\\;,", *p) != NULL)
			buf_addf(&line, "\\%c", *p);
		else if ((unsigned char)*p >= ' ')
			buf_addc(&line, *p);
	}
	ical_line(b, buf_str(&line));
	buf_free(&line);
}

/* "NAME:20260831T022641Z" (3.3.5, form 2). */
static void ical_time(struct buf *b, const char *name, int64_t ms)
{
	char stamp[32], line[80];

	clock_stamp(stamp, sizeof stamp, ms);
	snprintf(line, sizeof line, "%s:%.8sT%.6sZ", name, stamp, stamp + 8);
	ical_line(b, line);
}

static void ical_alarm(struct buf *b, const char *trigger, const char *title)
{
	ical_line(b, "BEGIN:VALARM");
	ical_line(b, "ACTION:DISPLAY");
	ical_text(b, "DESCRIPTION", title);
	ical_line(b, trigger);
	ical_line(b, "END:VALARM");
}

/* Letters, digits, '.', '-' and '_' of the incident's name; it goes into a UID, which must never change. */
static void ical_uid(struct buf *b, const struct incident *in, const struct followup *f)
{
	char id[80], line[160];
	size_t n = 0;

	for (const char *p = in->id; *p != '\0' && n + 1 < sizeof id; p++)
		id[n++] = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_", *p) != NULL ? *p : '-';
	id[n] = '\0';
	snprintf(line, sizeof line, "UID:%s-%lld-%d@sev1", id, (long long)in->declared, f->n);
	ical_line(b, line);
}

static const char *ical_status(const struct followup *f)
{
	return f->status == OWED_CANCELED ? "STATUS:CANCELLED" : f->done ? "STATUS:COMPLETED" :
	    f->status == OWED_DELAYED ? "STATUS:IN-PROCESS" : "STATUS:NEEDS-ACTION";
}

static void ical_todo(struct buf *b, const struct incident *in, const struct followup *f, int64_t now)
{
	char *title = mem_printf("%s: %s", in->id, f->title);
	struct buf words = { 0 };

	if (in->drill)
		buf_adds(&words, "DRILL\n");
	if (f->kind[0] != '\0')
		buf_addf(&words, "%s; root causes: %s\n", f->kind, f->cause);
	if (f->criteria[0] != '\0')
		buf_addf(&words, "%s\n", f->criteria);
	buf_adds(&words, f->text);
	ical_line(b, "BEGIN:VTODO");
	ical_uid(b, in, f);
	ical_time(b, "DTSTAMP", now);
	ical_text(b, "SUMMARY", title);
	if (words.len > 0)
		ical_text(b, "DESCRIPTION", buf_str(&words));
	if (f->due >= 0)
		ical_time(b, "DUE", f->due);
	ical_line(b, ical_status(f));
	if (f->done && f->status == OWED_COMPLETE && f->at > 0)
		ical_time(b, "COMPLETED", f->at);
	if (!f->done && f->due >= 0) {
		ical_alarm(b, "TRIGGER;RELATED=END:-P1D", title);
		ical_alarm(b, "TRIGGER;RELATED=END:PT0S", title);
	}
	ical_line(b, "END:VTODO");
	buf_free(&words);
	free(title);
}

void ical_write(const struct incident *in, int64_t now, struct buf *b)
{
	ical_line(b, "BEGIN:VCALENDAR");
	ical_line(b, "VERSION:2.0");
	ical_line(b, "PRODID:-//sev1//" PACKAGE_VERSION "//EN");
	for (size_t i = 0; i < in->followups; i++)
		if (followup_owed(in, &in->followup[i], now))
			ical_todo(b, in, &in->followup[i], now);
	ical_line(b, "END:VCALENDAR");
}
