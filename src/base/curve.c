#include "base/curve.h"

#include <string.h>

#include "base/clock.h"

/* Rows of height that n of total fill. */
static int curve_rows(int64_t n, int64_t total, int height)
{
	int rows;

	if (total <= 0 || n <= 0)
		return 0;
	if (n >= total)
		return height;
	rows = (int)((double)n / (double)total * height);
	if (rows < 1)
		rows = 1;
	return rows < height ? rows : height - 1;
}

/* The point that holds at a moment; NULL before the first. */
static const struct curve_point *curve_at(const struct curve_point *p, size_t n, int64_t at)
{
	const struct curve_point *last = NULL;

	for (size_t i = 0; i < n && p[i].at <= at; i++)
		last = &p[i];
	return last;
}

static char curve_cell(const struct curve_point *p, int row, int height)
{
	if (p == NULL)
		return ' ';
	return curve_rows(p->part, p->total, height) >= row ? '#' : curve_rows(p->whole, p->total, height) >= row ? '+' : ' ';
}

static void curve_line(struct buf *b, char *line, int width)
{
	while (width > 0 && line[width - 1] == ' ')
		width--;
	buf_add(b, line, (size_t)width);
	buf_addc(b, '\n');
}

void curve_draw(struct buf *b, const struct curve_point *p, size_t n, int64_t from, int64_t until, int width, int height)
{
	char line[256], at[24];

	if (width > (int)sizeof line)
		width = (int)sizeof line;
	for (int row = height; row > 0; row--) {
		for (int x = 0; x < width; x++) {
			/* the right edge of the column: the last one is the present */
			double share = (double)(x + 1) / width;
			line[x] = curve_cell(curve_at(p, n, from + (int64_t)((double)(until - from) * share)), row, height);
		}
		if (row == height || row == (height + 1) / 2)
			buf_addf(b, "%4d %%|", row * 100 / height);
		else
			buf_adds(b, "      |");
		curve_line(b, line, width);
	}
	memset(line, '-', (size_t)width);
	buf_adds(b, "   0 %+");
	curve_line(b, line, width);
	buf_addf(b, "       %s", clock_iso(at, sizeof at, from));
	buf_addf(b, "%*s\n", width - (int)strlen(at), clock_iso(at, sizeof at, until));
}
