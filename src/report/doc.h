/* The pieces that a report is made of, in the form that is asked for. Words are our own; every text is escaped. */
#ifndef SEV1_DOC_H
#define SEV1_DOC_H

#include <stdbool.h>

#include "report/report.h"

enum drawing { DRAW_CHECKPOINTS, DRAW_PROGRESS };

struct doc {
	/* The document around all; title: what its window is called. */
	void (*begin)(struct buf *b, const struct report *r, const char *title);
	void (*end)(struct buf *b, const struct report *r);
	/* level 1 to 3, below the document's own. text goes on behind words: NULL none; missing: the name of what is not there instead. */
	void (*head)(struct buf *b, int level, const char *words, const char *text, const char *missing);
	void (*para)(struct buf *b, const char *words, bool strong);
	/* A text of several lines: a blank one parts paragraphs, "- " begins an item. */
	void (*lines)(struct buf *b, const char *text);
	void (*missing)(struct buf *b, const char *name); /* a paragraph */
	/* A list of facts; depth 0, or 1 within an item of one (begun with fact, text and missing NULL). */
	void (*list)(struct buf *b, int depth);
	void (*list_end)(struct buf *b, int depth);
	void (*fact)(struct buf *b, int depth, const char *label, const char *text, const char *missing);
	/* A list of pairs; label in words of our own. */
	void (*facts)(struct buf *b);
	void (*facts_end)(struct buf *b);
	void (*pair)(struct buf *b, const char *label, const char *text);
	void (*verdict)(struct buf *b, const char *words, bool good); /* a paragraph */
	void (*moment)(struct buf *b, const char *at, const char *text); /* an item of a timeline */
	/* columns: "A | B | C". A row's cells stand between row and row_end. */
	void (*table)(struct buf *b, const char *columns);
	void (*table_end)(struct buf *b);
	void (*row)(struct buf *b);
	void (*row_end)(struct buf *b);
	void (*cell)(struct buf *b, const char *text);
	void (*cell_words)(struct buf *b, const char *words, bool strong);
	void (*hash)(struct buf *b, const char *text);
	void (*count)(struct buf *b, int64_t n);
	void (*time)(struct buf *b, int64_t ms);  /* empty where ms is 0 */
	void (*state)(struct buf *b, const char *text, int good); /* good, bad (-1) or neither (0) */
	/* Where the appendix lies: words of our own around the name of the file. */
	void (*file)(struct buf *b, const char *before, const char *name, const char *after);
	void (*block)(struct buf *b, const struct buf *lines);
	/* With its heading where it needs one; nothing in a form that cannot draw, or where there is nothing to draw. */
	void (*drawing)(struct buf *b, const struct report *r, enum drawing which);
};

/* Markdown to be pasted into a form, and as a document of its own; HTML as a page of its own. */
extern const struct doc doc_md, doc_md_alone, doc_html;

#endif
