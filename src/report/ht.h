/* Pieces of HTML that is well-formed XML too. No text given to them becomes markup. */
#ifndef SEV1_HT_H
#define SEV1_HT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "report/report.h"

/* Text in an element or in a quoted attribute. */
void ht_text(struct buf *b, const char *s);
/* Everything around the body of a page: one file that needs nothing else, for screens, dark ones and paper. */
void ht_page(struct buf *b, const char *title);
void ht_page_end(struct buf *b);
/* The head of a table ("A | B | C", our own words), to be closed with ht_table_end. */
void ht_table(struct buf *b, const char *columns);
void ht_table_end(struct buf *b);
/* A row is ht_row and its cells, then ht_row_end. */
void ht_row(struct buf *b);
void ht_row_end(struct buf *b);
void ht_cell(struct buf *b, const char *s);
void ht_hash(struct buf *b, const char *s);     /* monospaced, may break anywhere */
void ht_count(struct buf *b, int64_t n);
void ht_time(struct buf *b, int64_t ms);        /* empty where ms is 0 */
/* A state as a word with a colour: good, bad or neither. */
void ht_state(struct buf *b, const char *word, int good);
/* A row of a list of facts; nothing where there is no value. */
void ht_fact(struct buf *b, const char *label, const char *value);

/* Drawings, inline SVG: checkpoints planned against actual; certificates revoked, hosts verified and certificates
 * with a successor over time. Where there is nothing to draw nothing is, or that is said. */
void svg_checkpoints(const struct report *r, struct buf *b);
void svg_progress(const struct report *r, struct buf *b);

#endif
