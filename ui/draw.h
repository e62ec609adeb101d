/* Drawing into a frame of cells in memory. term.c brings to the terminal only the rows that differ
 * from the frame before; tests read frames as text. All text passes the escaper here. */
#ifndef SEV1_DRAW_H
#define SEV1_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Colours by meaning. What they say stands there as a word too. */
enum style {
	STYLE_PLAIN,
	STYLE_DIM,
	STYLE_BOLD,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_BUSY,
	STYLE_HERE, /* the row under the cursor */
	STYLE_REAL, /* the marker of a real incident */
	STYLE_DRILL,
	STYLE_ARMED,
	STYLES
};

struct cell {
	char s[14];          /* one character with its combining marks, NUL-terminated */
	unsigned char style;
	unsigned char cols;  /* 1 or 2; 0: the second half of the one before */
};

struct frame {
	int rows, cols;
	int cursor_row, cursor_col; /* -1: no cursor */
	struct cell *cell;
};

/* A part of a frame that a screen draws into; rows and columns count from its corner. */
struct area {
	struct frame *f;
	int top, left, rows, cols;
};

struct frame *frame_new(int rows, int cols);
void frame_free(struct frame *f);
void frame_clear(struct frame *f);
bool frame_row_same(const struct frame *a, const struct frame *b, int row);
/* Copy a row of another frame to row at of a. */
void frame_copy(const struct frame *from, int row, const struct area *a, int at);
struct area frame_area(struct frame *f, int top, int left, int rows, int cols);

/* Put s at row, col, cut to width columns (and to the area). Returns the columns taken. */
int draw_text(const struct area *a, int row, int col, int width, enum style st, const char *s);
int draw_printf(const struct area *a, int row, int col, int width, enum style st, const char *fmt,
    ...) __attribute__((format(printf, 6, 7)));
/* The same, ending at column end. */
void draw_right(const struct area *a, int row, int end, enum style st, const char *s);
/* s over at most max lines, broken at spaces. Returns the lines taken. */
int draw_wrap(const struct area *a, int row, int col, int width, int max, enum style st,
    const char *s);
/* The octets of s, which is escaped, that go on one line of width columns, and the blank behind that is left out. */
size_t draw_break(const char *s, int width, size_t *skip);
/* How many lines draw_wrap would take. */
int draw_lines(int width, int max, const char *s);
/* "-- title ------- note --" */
void draw_rule(const struct area *a, int row, const char *title, const char *note);
/* "[#####....]" over width columns; total 0: unknown, "[.....]". */
void draw_bar(const struct area *a, int row, int col, int width, int64_t done, int64_t total);
/* Style a row's cells from col on that are plain (a cursor's row). */
void draw_mark(const struct area *a, int row, enum style st);

struct column {
	const char *title; /* untranslated */
	int width;         /* 0: what is left */
	bool right;
};

/* One row of a table: a mark ('>' or ' '), then n cells; style NULL: all plain. */
void draw_row(const struct area *a, int row, char mark, const struct column *c, size_t n,
    const char *const text[], const enum style style[]);
void draw_head(const struct area *a, int row, const struct column *c, size_t n);

#endif
