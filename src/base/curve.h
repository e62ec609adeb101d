/* Two shares over time as lines of plain text, one within the other: made of '#' and '+'. */
#ifndef SEV1_CURVE_H
#define SEV1_CURVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* At a moment (ms) and until the next point: part and whole of total, 0 <= part <= whole <= total. */
struct curve_point {
	int64_t at, part, whole, total;
};

/* Draw n points (by time) from one moment to another, '#' up to part, '+' from there up to whole: height lines of a
 * scale and width columns, an axis, and the two times. A share above zero is never empty, one below the total never
 * full. Appends to b, a newline after each line. */
void curve_draw(struct buf *b, const struct curve_point *p, size_t n, int64_t from, int64_t until, int width, int height);

#endif
