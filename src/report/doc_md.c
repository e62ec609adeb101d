/* The pieces of a report in Markdown: CommonMark with the tables of GitHub, as Bugzilla takes it too. */
#include <stdlib.h>
#include <string.h>

#include "report/doc.h"
#include "report/md.h"

static void md_begin(struct buf *b, const struct report *r, const char *title)
{
	(void)b, (void)r, (void)title; /* the template begins with its heading */
}

static void md_begin_alone(struct buf *b, const struct report *r, const char *title)
{
	(void)title;
	buf_adds(b, "# ");
	md_text(b, r->in->id);
	buf_adds(b, ": ");
	md_text(b, r->in->title);
	buf_adds(b, "\n\n");
}

static void md_end(struct buf *b, const struct report *r)
{
	(void)b, (void)r;
}

static void md_missing_mark(struct buf *b, const char *name)
{
	buf_addf(b, "**[MISSING: %s]**", name);
}

static void md_heading(struct buf *b, int level, const char *words, const char *text, const char *missing)
{
	buf_addf(b, "%.*s %s", level + 1, "####", words);
	if (text != NULL)
		md_text(b, text);
	else if (missing != NULL)
		md_missing_mark(b, missing);
	buf_adds(b, "\n\n");
}

static void md_para(struct buf *b, const char *words, bool strong)
{
	buf_addf(b, strong ? "**%s**\n\n" : "%s\n\n", words);
}

static void md_lines(struct buf *b, const char *text)
{
	for (const char *p = text, *nl; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		char *line;

		nl = p + strcspn(p, "\n");
		line = mem_strndup(p, (size_t)(nl - p));
		p = line + strspn(line, " \t");
		if (strncmp(p, "- ", 2) == 0 || strncmp(p, "* ", 2) == 0) {
			buf_adds(b, "- ");
			p += 2;
		} else if (p[0] == '-' || p[0] == '+' || p[0] == '=' || (p[0] >= '0' && p[0] <= '9')) {
			buf_adds(b, "&#8203;"); /* no list, no heading of it */
		}
		md_text(b, p);
		buf_addc(b, '\n');
		free(line);
	}
	buf_addc(b, '\n');
}

static void md_missing(struct buf *b, const char *name)
{
	md_missing_mark(b, name);
	buf_adds(b, "\n\n");
}

static void md_list(struct buf *b, int depth)
{
	(void)b, (void)depth;
}

static void md_list_end(struct buf *b, int depth)
{
	buf_adds(b, depth == 0 ? "\n" : "");
}

static void md_told(struct buf *b, int depth, const char *label, const char *text, const char *missing)
{
	buf_addf(b, "%*s- **%s:**", depth * 2, "", label);
	if (text != NULL || missing != NULL)
		buf_addc(b, ' ');
	if (text == NULL && missing != NULL)
		md_missing_mark(b, missing);
	for (const char *p = text, *nl; p != NULL && *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		char *line;

		nl = p + strcspn(p, "\n");
		line = mem_strndup(p, (size_t)(nl - p));
		if (p > text)
			buf_addf(b, "\n%*s", depth * 2 + 2, "");
		md_text(b, line);
		free(line);
	}
	buf_addc(b, '\n');
}

static void md_facts(struct buf *b)
{
	(void)b;
}

static void md_verdict(struct buf *b, const char *words, bool good)
{
	buf_addf(b, good ? "%s\n\n" : "**%s**\n\n", words);
}

static void md_moment(struct buf *b, const char *at, const char *text)
{
	buf_addf(b, "- %s ", at);
	md_text(b, text);
	buf_addc(b, '\n');
}

static void md_table(struct buf *b, const char *columns)
{
	size_t n = 1;

	for (const char *p = columns; *p != '\0'; p++)
		n += *p == '|';
	buf_addf(b, "| %s |\n|", columns);
	while (n-- > 0)
		buf_adds(b, "---|");
	buf_addc(b, '\n');
}

static void md_table_end(struct buf *b)
{
	buf_addc(b, '\n');
}

static void md_row(struct buf *b)
{
	buf_addc(b, '|');
}

static void md_row_end(struct buf *b)
{
	buf_addc(b, '\n');
}

static void md_cell_words(struct buf *b, const char *words, bool strong)
{
	buf_addf(b, strong ? " **%s** |" : " %s |", words);
}

static void md_state(struct buf *b, const char *text, int good)
{
	(void)good;
	md_cell(b, text);
}

static void md_file(struct buf *b, const char *before, const char *name, const char *after)
{
	buf_adds(b, before);
	md_text(b, name);
	buf_addf(b, "%s\n\n", after);
}

static void md_drawing(struct buf *b, const struct report *r, enum drawing which)
{
	(void)b, (void)r, (void)which;
}

#define PIECES \
	.end = md_end, .head = md_heading, .para = md_para, .lines = md_lines, .missing = md_missing, .list = md_list, \
	.list_end = md_list_end, .fact = md_told, .facts = md_facts, .facts_end = md_table_end, .pair = md_fact, \
	.verdict = md_verdict, .moment = md_moment, .table = md_table, .table_end = md_table_end, .row = md_row, \
	.row_end = md_row_end, .cell = md_cell, .cell_words = md_cell_words, .hash = md_cell, .count = md_count, \
	.time = md_time, .state = md_state, .file = md_file, .block = md_block, .drawing = md_drawing

const struct doc doc_md = { .begin = md_begin, PIECES };
const struct doc doc_md_alone = { .begin = md_begin_alone, PIECES };
