#include "report/ht.h"

#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"

void ht_text(struct buf *b, const char *s)
{
	struct buf safe = { 0 };

	text_escape(&safe, s, strlen(s));
	for (const char *p = buf_str(&safe); *p != '\0'; p++) {
		switch (*p) {
		case '&': buf_adds(b, "&amp;"); break;
		case '<': buf_adds(b, "&lt;"); break;
		case '>': buf_adds(b, "&gt;"); break;
		case '"': buf_adds(b, "&quot;"); break;
		case '\'': buf_adds(b, "&#39;"); break;
		default: buf_addc(b, *p);
		}
	}
	buf_free(&safe);
}

void ht_head(struct buf *b, const char *title, const char *columns)
{
	buf_adds(b, "<h2>");
	ht_text(b, title);
	buf_adds(b, "</h2>\n");
	if (columns == NULL)
		return;
	buf_adds(b, "<div class=\"wide\"><table>\n<thead><tr><th>");
	for (const char *p = columns; *p != '\0'; p++) {
		char one[2] = { *p, '\0' };

		if (strncmp(p, " | ", 3) == 0) {
			buf_adds(b, "</th><th>");
			p += 2;
		} else {
			buf_adds(b, one[0] == '&' ? "&amp;" : one[0] == '<' ? "&lt;" : one);
		}
	}
	buf_adds(b, "</th></tr></thead>\n<tbody>\n");
}

void ht_table_end(struct buf *b)
{
	buf_adds(b, "</tbody></table></div>\n");
}

void ht_row(struct buf *b)
{
	buf_adds(b, "<tr>");
}

void ht_row_end(struct buf *b)
{
	buf_adds(b, "</tr>\n");
}

void ht_cell(struct buf *b, const char *s)
{
	buf_adds(b, "<td>");
	ht_text(b, s);
	buf_adds(b, "</td>");
}

void ht_hash(struct buf *b, const char *s)
{
	buf_adds(b, "<td class=\"hash\">");
	ht_text(b, s);
	buf_adds(b, "</td>");
}

void ht_count(struct buf *b, int64_t n)
{
	char count[32];

	buf_addf(b, "<td class=\"num\">%s</td>", text_count(count, n));
}

void ht_time(struct buf *b, int64_t ms)
{
	char iso[32];

	buf_addf(b, "<td class=\"time\">%s</td>", ms > 0 ? clock_iso(iso, sizeof iso, ms) : "");
}

void ht_state(struct buf *b, const char *word, int good)
{
	buf_addf(b, "<td class=\"%s\">", good > 0 ? "good" : good < 0 ? "bad" : "open");
	ht_text(b, word);
	buf_adds(b, "</td>");
}

void ht_fact(struct buf *b, const char *label, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	buf_adds(b, "<dt>");
	ht_text(b, label);
	buf_adds(b, "</dt><dd>");
	ht_text(b, value);
	buf_adds(b, "</dd>\n");
}

void ht_fact_time(struct buf *b, const char *label, int64_t ms)
{
	char iso[32];

	if (ms > 0)
		ht_fact(b, label, clock_iso(iso, sizeof iso, ms));
}
