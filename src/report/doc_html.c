/* The pieces of a report as a page of its own: one file that needs nothing else, no script; to be read, printed, signed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "report/doc.h"
#include "report/ht.h"

static void html_begin(struct buf *b, const struct report *r, const char *title)
{
	char *whole = mem_printf("%s: %s", r->in->id, title);

	ht_page(b, whole);
	buf_adds(b, "<h1>");
	ht_text(b, r->in->id);
	buf_adds(b, ": ");
	ht_text(b, r->in->title);
	buf_adds(b, "</h1>\n");
	free(whole);
}

/* Whose report it is, and of which state of the journal: a sheet of paper has no file name. */
static void html_end(struct buf *b, const struct report *r)
{
	char *made, iso[32];

	made = mem_printf(_("%s, incident %s, made by sev1 %s at %s from %" PRId64 " journal rows, last hash %s"),
	    r->in->organisation, r->in->id, r->version, clock_iso(iso, sizeof iso, r->at), r->rows, r->head);
	buf_adds(b, "<p class=\"made\">");
	ht_text(b, made);
	buf_adds(b, "</p>\n");
	free(made);
	ht_page_end(b);
}

static void html_missing_mark(struct buf *b, const char *name)
{
	buf_adds(b, "<strong class=\"bad\">[MISSING: ");
	ht_text(b, name);
	buf_adds(b, "]</strong>");
}

static void html_head(struct buf *b, int level, const char *words, const char *text, const char *missing)
{
	buf_addf(b, "<h%d>", level + 1);
	ht_text(b, words);
	if (text != NULL)
		ht_text(b, text);
	else if (missing != NULL)
		html_missing_mark(b, missing);
	buf_addf(b, "</h%d>\n", level + 1);
}

static void html_para(struct buf *b, const char *words, bool strong)
{
	buf_adds(b, strong ? "<p class=\"drill\">" : "<p>");
	ht_text(b, words);
	buf_adds(b, "</p>\n");
}

enum open { OPEN_NOTHING, OPEN_PARA, OPEN_ITEM };

static enum open lines_change(struct buf *b, enum open is, enum open to)
{
	static const char *const ends[] = { "", "</p>\n", "</li>\n</ul>\n" }, *const begins[] = { "", "<p>", "<ul>\n<li>" };

	if (is == OPEN_ITEM && to == OPEN_ITEM) {
		buf_adds(b, "</li>\n<li>");
	} else {
		buf_adds(b, ends[is]);
		buf_adds(b, begins[to]);
	}
	return to;
}

static void html_lines(struct buf *b, const char *text)
{
	enum open is = OPEN_NOTHING;

	for (const char *p = text, *nl; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		char *line;
		bool item;

		nl = p + strcspn(p, "\n");
		line = mem_strndup(p, (size_t)(nl - p));
		p = line + strspn(line, " \t");
		item = strncmp(p, "- ", 2) == 0 || strncmp(p, "* ", 2) == 0;
		if (*p == '\0')
			is = lines_change(b, is, OPEN_NOTHING);
		else if (item || is == OPEN_NOTHING)
			is = lines_change(b, is, item ? OPEN_ITEM : OPEN_PARA);
		else
			buf_adds(b, "<br/>\n");
		ht_text(b, p + (item ? 2 : 0));
		free(line);
	}
	lines_change(b, is, OPEN_NOTHING);
}

static void html_missing(struct buf *b, const char *name)
{
	buf_adds(b, "<p>");
	html_missing_mark(b, name);
	buf_adds(b, "</p>\n");
}

static void html_list(struct buf *b, int depth)
{
	(void)depth;
	buf_adds(b, "<ul>\n");
}

static void html_list_end(struct buf *b, int depth)
{
	buf_adds(b, depth > 0 ? "</ul>\n</li>\n" : "</ul>\n");
}

static void html_fact(struct buf *b, int depth, const char *label, const char *text, const char *missing)
{
	(void)depth;
	buf_adds(b, "<li><strong>");
	ht_text(b, label);
	buf_adds(b, ":</strong> ");
	if (text == NULL && missing == NULL) { /* its own facts follow, and end the item */
		buf_addc(b, '\n');
		return;
	}
	if (text == NULL)
		html_missing_mark(b, missing);
	for (const char *p = text, *nl; p != NULL && *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		char *line;

		nl = p + strcspn(p, "\n");
		line = mem_strndup(p, (size_t)(nl - p));
		buf_adds(b, p > text ? "<br/>\n" : "");
		ht_text(b, line);
		free(line);
	}
	buf_adds(b, "</li>\n");
}

static void html_facts(struct buf *b)
{
	buf_adds(b, "<dl>\n");
}

static void html_facts_end(struct buf *b)
{
	buf_adds(b, "</dl>\n");
}

static void html_verdict(struct buf *b, const char *words, bool good)
{
	buf_addf(b, "<p class=\"%s\">", good ? "good" : "bad");
	ht_text(b, words);
	buf_adds(b, "</p>\n");
}

static void html_moment(struct buf *b, const char *at, const char *text)
{
	buf_addf(b, "<li><span class=\"time\">%s</span> ", at);
	ht_text(b, text);
	buf_adds(b, "</li>\n");
}

static void html_cell_words(struct buf *b, const char *words, bool strong)
{
	buf_adds(b, strong ? "<td class=\"bad\">" : "<td>");
	ht_text(b, words);
	buf_adds(b, "</td>");
}

static void html_file(struct buf *b, const char *before, const char *name, const char *after)
{
	buf_adds(b, "<p>");
	ht_text(b, before);
	ht_text(b, name);
	ht_text(b, after);
	buf_adds(b, "</p>\n");
}

static void html_block(struct buf *b, const struct buf *lines)
{
	buf_adds(b, "<pre>");
	for (const char *p = buf_str(lines), *nl; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		char *line;

		nl = p + strcspn(p, "\n");
		line = mem_strndup(p, (size_t)(nl - p));
		ht_text(b, line);
		buf_addc(b, '\n');
		free(line);
	}
	buf_adds(b, "</pre>\n");
}

static void html_drawing(struct buf *b, const struct report *r, enum drawing which)
{
	struct buf svg = { 0 };

	(which == DRAW_CHECKPOINTS ? svg_checkpoints : svg_progress)(r, &svg);
	if (which == DRAW_PROGRESS && svg.len > 0)
		html_head(b, 1, _("Progress"), NULL, NULL);
	buf_adds(b, buf_str(&svg));
	buf_free(&svg);
}

const struct doc doc_html = {
	.begin = html_begin,
	.end = html_end,
	.head = html_head,
	.para = html_para,
	.lines = html_lines,
	.missing = html_missing,
	.list = html_list,
	.list_end = html_list_end,
	.fact = html_fact,
	.facts = html_facts,
	.facts_end = html_facts_end,
	.pair = ht_fact,
	.verdict = html_verdict,
	.moment = html_moment,
	.table = ht_table,
	.table_end = ht_table_end,
	.row = ht_row,
	.row_end = ht_row_end,
	.cell = ht_cell,
	.cell_words = html_cell_words,
	.hash = ht_hash,
	.count = ht_count,
	.time = ht_time,
	.state = ht_state,
	.file = html_file,
	.block = html_block,
	.drawing = html_drawing,
};
