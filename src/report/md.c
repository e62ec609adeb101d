#include "report/md.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"

/* Text of the incident in a paragraph, a heading or a cell. Every character that could begin markup is
 * escaped; '|' as an entity, because a backslash before it counts twice in a table. "http://" and "www."
 * are broken up, so that no reader is a click away from where an attacker wants them. */
void md_text(struct buf *b, const char *s)
{
	struct buf safe = { 0 };
	const char *text;

	text_escape(&safe, s, strlen(s));
	text = buf_str(&safe);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '|')
			buf_adds(b, "&#124;");
		else if (*p == '@')
			buf_adds(b, "&#64;");
		else if (strchr("\\`*_[]<>&~!#$", *p) != NULL || strncmp(p, "://", 3) == 0 ||
		    (*p == '.' && p - text >= 3 && strncasecmp(p - 3, "www", 3) == 0))
			buf_addf(b, "\\%c", *p);
		else
			buf_addc(b, *p);
	}
	buf_free(&safe);
}

/* Lines of a fenced block; the fence is longer than any run of backticks in them. */
void md_block(struct buf *b, const struct buf *lines)
{
	size_t longest = 2, run = 0;

	for (const char *p = buf_str(lines); *p != '\0'; p++) {
		run = *p == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	for (int end = 0; end < 2; end++) {
		for (size_t i = 0; i <= longest; i++)
			buf_addc(b, '`');
		buf_addc(b, '\n');
		if (end == 0)
			buf_adds(b, buf_str(lines));
	}
	buf_addc(b, '\n');
}

void md_line(struct buf *lines, const char *label, const char *s)
{
	char pad[64];

	if (s[0] == '\0')
		return;
	buf_adds(lines, text_pad(pad, sizeof pad, label, 8));
	text_escape(lines, s, strlen(s));
	buf_addc(lines, '\n');
}

void md_cell(struct buf *b, const char *s)
{
	buf_addc(b, ' ');
	md_text(b, s);
	buf_adds(b, " |");
}

void md_count(struct buf *b, int64_t n)
{
	char count[32];

	buf_addf(b, " %s |", text_count(count, n));
}

void md_time(struct buf *b, int64_t ms)
{
	char iso[32];

	buf_addf(b, " %s |", ms > 0 ? clock_iso(iso, sizeof iso, ms) : "");
}

/* "00:04:12 early", "00:01:00 late". */
void md_margin(struct buf *b, int64_t ms)
{
	char span[32];

	buf_addf(b, ms >= 0 ? _("%s early") : _("%s late"),
	    clock_span(span, sizeof span, ms >= 0 ? ms : -ms));
}

/* "0.9 s", "00:12:04": how long something took. */
char *md_took(char *out, size_t size, int64_t ms)
{
	if (ms >= 60000)
		return clock_span(out, size, ms);
	snprintf(out, size, "%" PRId64 ".%d s", ms / 1000, (int)(ms % 1000 / 100));
	return out;
}

void md_fact(struct buf *b, const char *label, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	buf_addf(b, "- **%s:** ", label);
	md_text(b, value);
	buf_addc(b, '\n');
}
