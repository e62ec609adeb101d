#include "report/ht.h"

#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"

static const char style[] =
    ":root{--fg:#1b1b1b;--bg:#fff;--dim:#595959;--line:#c8c8c8;--good:#136b2d;--bad:#b3161b;--one:#1450a3;--two:#8a4b00;--three:#6a1b8a;"
    "color-scheme:light dark}\n"
    "@media(prefers-color-scheme:dark){:root{--fg:#e6e6e6;--bg:#161616;--dim:#a8a8a8;--line:#4a4a4a;--good:#6fd08c;"
    "--bad:#ff8a85;--one:#8ab8ff;--two:#ffb45e;--three:#d9a3f5}}\n"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:60rem;margin:2rem auto;"
    "padding:0 1rem}\n"
    "h1{font-size:1.6rem}h2{font-size:1.3rem;margin-top:2.2rem;border-bottom:1px solid var(--line)}\n"
    "table{border-collapse:collapse;width:100%;font-size:.87rem}.wide{overflow-x:auto}\n"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;border-bottom:1px solid var(--line)}\n"
    ".num{text-align:right;white-space:nowrap}.time{white-space:nowrap}td{overflow-wrap:anywhere;min-width:5em}td.num{min-width:2em}"
    "td.good,td.bad,td.open{overflow-wrap:break-word}\n"
    ".hash,pre{font-family:ui-monospace,monospace;font-size:.8rem}.hash{word-break:break-all;min-width:8rem}\n"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;border-left:3px solid var(--line);padding-left:.7rem}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}\n"
    ".good{color:var(--good)}.bad{color:var(--bad);font-weight:600}.drill{border:3px solid var(--bad);padding:.6rem}\n"
    "ul{padding-left:1.3rem}h3{font-size:1.1rem;margin:1.4rem 0 .3rem}h4{font-size:1rem;margin:1.2rem 0 .3rem}.made{margin-top:2.5rem;border-top:1px solid var(--line);"
    "color:var(--dim);font-size:.8rem;overflow-wrap:anywhere}li{overflow-wrap:anywhere}\n"
    "figure{margin:1rem 0}figcaption{color:var(--dim);font-size:.85rem}svg{width:100%;height:auto}\n"
    "svg text{fill:var(--fg);font:13px system-ui,sans-serif}svg text.tick{fill:var(--dim);font-size:11px}\n"
    ".grid{stroke:var(--line);stroke-width:1}.due{fill:var(--bg);stroke:var(--fg);stroke-width:1.5}\n"
    "line.early{stroke:var(--good);stroke-width:3}line.late{stroke:var(--bad);stroke-width:3;stroke-dasharray:7 3}\n"
    "circle.early,rect.early{fill:var(--good)}circle.late,rect.late{fill:var(--bad)}\n"
    ".curve{fill:none;stroke-width:2.5}.one{stroke:var(--one)}.two{stroke:var(--two);stroke-dasharray:8 4}.three{stroke:var(--three);stroke-dasharray:2 4}\n"
    "@page{margin:15mm}\n"
    "@media print{:root{--fg:#000;--bg:#fff;--dim:#444;--line:#999;--good:#0b4d1e;--bad:#900;--one:#003a80;--two:#6b3a00;--three:#4d0f66;"
    "color-scheme:light}body{font-size:10pt;max-width:none;margin:0;padding:0}"
    "h2,h3,h4{break-after:avoid}tr,li,figure,pre{break-inside:avoid}thead{display:table-header-group}.wide{overflow:visible}"
    "table{font-size:8pt}.hash,pre{font-size:7pt}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

void ht_page(struct buf *b, const char *title)
{
	/* TRANSLATORS: the language code of this translation, for the lang attribute */
	buf_addf(b, "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"%s\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n<title>",
	    _("en"));
	ht_text(b, title);
	buf_adds(b, "</title>\n<style>\n");
	buf_adds(b, style);
	buf_adds(b, "</style>\n</head>\n<body>\n");
}

void ht_page_end(struct buf *b)
{
	buf_adds(b, "</body>\n</html>\n");
}

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

void ht_table(struct buf *b, const char *columns)
{
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
