#include "draw.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"

static const struct cell blank = { " ", STYLE_PLAIN, 1 };

struct frame *frame_new(int rows, int cols)
{
	struct frame *f = mem_zalloc(1, sizeof *f);

	f->rows = rows > 0 ? rows : 1;
	f->cols = cols > 0 ? cols : 1;
	f->cell = mem_zalloc((size_t)f->rows * (size_t)f->cols, sizeof *f->cell);
	frame_clear(f);
	return f;
}

void frame_free(struct frame *f)
{
	if (f == NULL)
		return;
	free(f->cell);
	free(f);
}

void frame_clear(struct frame *f)
{
	for (int i = 0; i < f->rows * f->cols; i++)
		f->cell[i] = blank;
	f->cursor_row = f->cursor_col = -1;
}

bool frame_row_same(const struct frame *a, const struct frame *b, int row)
{
	size_t n = (size_t)a->cols;

	return a->cols == b->cols && row < a->rows && row < b->rows &&
	    memcmp(a->cell + (size_t)row * n, b->cell + (size_t)row * n, n * sizeof *a->cell) == 0;
}

struct area frame_area(struct frame *f, int top, int left, int rows, int cols)
{
	return (struct area){ f, top, left, rows, cols };
}

static struct cell *draw_cell(const struct area *a, int row, int col)
{
	int r = a->top + row, c = a->left + col;

	if (row < 0 || col < 0 || row >= a->rows || col >= a->cols || r >= a->f->rows ||
	    c >= a->f->cols)
		return NULL;
	return &a->f->cell[(size_t)r * (size_t)a->f->cols + (size_t)c];
}

void frame_copy(const struct frame *from, int row, const struct area *a, int at)
{
	struct cell *c;

	for (int i = 0; i < from->cols && row < from->rows && (c = draw_cell(a, at, i)) != NULL; i++)
		*c = from->cell[(size_t)row * (size_t)from->cols + (size_t)i];
}

static size_t draw_next(const char *s)
{
	size_t n = 1;

	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* A mark of no width joins the cell before, as far as it holds it. */
static void draw_join(struct cell *c, const char *s, size_t n)
{
	size_t len = strlen(c->s);

	if (len + n < sizeof c->s) {
		memcpy(c->s + len, s, n);
		memset(c->s + len + n, 0, sizeof c->s - len - n);
	}
}

/* safe is escaped already. */
static int draw_safe(const struct area *a, int row, int col, int width, enum style st,
    const char *safe)
{
	struct cell *c, *last = NULL;
	int used = 0, w;
	size_t n;
	char one[8];

	for (; *safe != '\0'; safe += n) {
		n = draw_next(safe);
		snprintf(one, sizeof one, "%.*s", (int)n, safe);
		w = text_columns(one);
		if (w == 0) {
			if (last != NULL)
				draw_join(last, safe, n);
			continue;
		}
		c = draw_cell(a, row, col + used);
		if (used + w > width || c == NULL ||
		    (w == 2 && draw_cell(a, row, col + used + 1) == NULL))
			break;
		*c = (struct cell){ .style = (unsigned char)st, .cols = (unsigned char)w };
		memcpy(c->s, safe, n);
		if (w == 2)
			*draw_cell(a, row, col + used + 1) = (struct cell){ .style = (unsigned char)st };
		last = c;
		used += w;
	}
	return used;
}

int draw_text(const struct area *a, int row, int col, int width, enum style st, const char *s)
{
	struct buf b = { 0 };
	int used;

	if (s == NULL || row < 0 || row >= a->rows)
		return 0;
	/* A column never shows more than four octets a cell: the rest of a giant need not be escaped. */
	text_escape(&b, s, strnlen(s, (size_t)(a->cols > 0 ? a->cols : 0) * 16 + 16));
	used = draw_safe(a, row, col, width, st, buf_str(&b));
	buf_free(&b);
	return used;
}

int draw_printf(const struct area *a, int row, int col, int width, enum style st, const char *fmt,
    ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	return draw_text(a, row, col, width, st, line);
}

void draw_right(const struct area *a, int row, int end, enum style st, const char *s)
{
	int w = text_columns(s);

	draw_text(a, row, w < end ? end - w : 0, w, st, s);
}

size_t draw_break(const char *s, int width, size_t *skip)
{
	size_t fit = text_fit(s, width, NULL), at = fit;

	*skip = 0;
	if (s[fit] == '\0')
		return fit;
	while (at > 0 && s[at] != ' ')
		at--;
	for (size_t i = fit; at == 0 && i > 0; i--)
		if (s[i - 1] == '/')
			return i; /* a path parts between its folders */
	if (at == 0)
		return fit > 0 ? fit : draw_next(s);
	*skip = 1;
	return at;
}

static int draw_wrapped(const struct area *a, int row, int col, int width, int max, enum style st,
    const char *s)
{
	char *safe = text_escaped(s, strlen(s), 8192), *p = safe, keep;
	int lines = 0;
	size_t n, skip;

	while (*p != '\0' && lines < max) {
		n = draw_break(p, width, &skip);
		keep = p[n];
		p[n] = '\0';
		if (a != NULL)
			draw_safe(a, row + lines, col, width, st, p);
		p[n] = keep;
		p += n + skip;
		lines++;
	}
	free(safe);
	return lines;
}

int draw_wrap(const struct area *a, int row, int col, int width, int max, enum style st,
    const char *s)
{
	return draw_wrapped(a, row, col, width, max, st, s);
}

int draw_lines(int width, int max, const char *s)
{
	return draw_wrapped(NULL, 0, 0, width, max, STYLE_PLAIN, s);
}

void draw_rule(const struct area *a, int row, const char *title, const char *note)
{
	int w, room = a->cols - 9 - (note != NULL && note[0] != '\0' ? text_columns(note) + 3 : 0);

	for (int c = 1; c < a->cols - 1; c++)
		draw_text(a, row, c, 1, STYLE_DIM, "-");
	if (title != NULL && title[0] != '\0') {
		draw_text(a, row, 3, 1, STYLE_PLAIN, " ");
		w = draw_text(a, row, 4, room, STYLE_BOLD, title);
		draw_text(a, row, 4 + w, 1, STYLE_PLAIN, " ");
	}
	if (note != NULL && note[0] != '\0') {
		char padded[200];
		snprintf(padded, sizeof padded, " %s ", note);
		draw_right(a, row, a->cols - 3, STYLE_PLAIN, padded);
	}
}

void draw_bar(const struct area *a, int row, int col, int width, int64_t done, int64_t total)
{
	int in = width - 2, full = 0;

	if (in < 1)
		return;
	if (total > 0 && done > 0)
		full = done >= total ? in : (int)((double)done / (double)total * in);
	draw_text(a, row, col, 1, STYLE_PLAIN, "[");
	for (int i = 0; i < in; i++)
		draw_text(a, row, col + 1 + i, 1, i < full ? STYLE_GOOD : STYLE_DIM,
		    i < full ? "#" : ".");
	draw_text(a, row, col + 1 + in, 1, STYLE_PLAIN, "]");
}

void draw_mark(const struct area *a, int row, enum style st)
{
	struct cell *c;

	for (int i = 0; (c = draw_cell(a, row, i)) != NULL; i++)
		if (c->style == STYLE_PLAIN || c->style == STYLE_DIM)
			c->style = (unsigned char)st;
}

/* The columns take their widths, the open one what is left; two blanks between. */
static int draw_width(const struct area *a, const struct column *c, size_t n, size_t i)
{
	int fixed = 3;

	if (c[i].width > 0)
		return c[i].width;
	for (size_t k = 0; k < n; k++)
		fixed += c[k].width + (k > 0 ? 2 : 0);
	return a->cols - 1 - fixed > 4 ? a->cols - 1 - fixed : 4;
}

void draw_row(const struct area *a, int row, char mark, const struct column *c, size_t n,
    const char *const text[], const enum style style[])
{
	char m[2] = { mark, '\0' };
	int col = 3, w;

	draw_text(a, row, 1, 1, STYLE_BOLD, m);
	for (size_t i = 0; i < n; i++) {
		enum style st = style != NULL ? style[i] : STYLE_PLAIN;
		const char *s = text[i] != NULL ? text[i] : "";
		w = draw_width(a, c, n, i);
		if (c[i].right && text_columns(s) <= w)
			draw_right(a, row, col + w, st, s);
		else
			draw_text(a, row, col, w, st, s);
		col += w + 2;
	}
	if (mark == '>')
		draw_mark(a, row, STYLE_HERE);
}

void draw_head(const struct area *a, int row, const struct column *c, size_t n)
{
	const char *text[16];
	enum style st[16];

	for (size_t i = 0; i < n && i < 16; i++) {
		text[i] = c[i].title[0] != '\0' ? in_(c[i].title) : "";
		st[i] = STYLE_DIM;
	}
	draw_row(a, row, ' ', c, n, text, st);
}
