/* What stands behind a checkpoint: the board's detail pane. */
#ifndef SEV1_BOARD_H
#define SEV1_BOARD_H

#include <stddef.h>

#include "app/model.h"
#include "draw.h"

/* Draw the rows of cp's detail from row top on. c may be NULL. evidence: say its words first. Returns how
 * many rows there are. */
size_t detail_draw(const struct area *a, const struct incident *in, const struct config *c,
    const struct checkpoint *cp, bool evidence, size_t top);

/* "2026-08-31 03:20Z"; returns out. */
char *show_minute(char out[32], int64_t ms);

/* A span in a narrow column: seconds do not matter days ahead. */
void show_span(char out[40], int64_t ms);

#endif
