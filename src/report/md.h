/* Pieces of Markdown: CommonMark with the tables of GitHub. No text given to them becomes markup. */
#ifndef SEV1_MD_H
#define SEV1_MD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Text in a paragraph, a heading or a cell. */
void md_text(struct buf *b, const char *s);
/* Lines in a fenced block that they cannot leave. */
void md_block(struct buf *b, const struct buf *lines);
/* Append "label   s" to the lines of a block; nothing where s is empty. */
void md_line(struct buf *lines, const char *label, const char *s);
/* A row is '|' and then its cells, each with the bar behind it. */
void md_cell(struct buf *b, const char *s);
void md_count(struct buf *b, int64_t n);
void md_time(struct buf *b, int64_t ms); /* empty where ms is 0 */
void md_margin(struct buf *b, int64_t ms); /* no cell: "00:04:12 early" */
char *md_took(char *out, size_t size, int64_t ms);
/* "- **Label:** value"; nothing where there is no value. */
void md_fact(struct buf *b, const char *label, const char *value);

#endif
