#include "theme.h"

#include <curses.h>
#include <stdbool.h>
#include <stdlib.h>

struct look {
	short fg, bg;      /* -1: the terminal's own */
	attr_t colour;     /* attributes beside the colour */
	attr_t monochrome; /* attributes where there is none */
};

static const struct look looks[STYLES] = {
	[STYLE_PLAIN] = { -1, -1, A_NORMAL, A_NORMAL },
	[STYLE_DIM] = { -1, -1, A_DIM, A_DIM },
	[STYLE_BOLD] = { -1, -1, A_BOLD, A_BOLD },
	[STYLE_GOOD] = { COLOR_GREEN, -1, A_NORMAL, A_NORMAL },
	[STYLE_WARN] = { COLOR_YELLOW, -1, A_NORMAL, A_BOLD },
	[STYLE_BAD] = { COLOR_RED, -1, A_BOLD, A_BOLD | A_UNDERLINE },
	[STYLE_BUSY] = { COLOR_CYAN, -1, A_BOLD, A_BOLD },
	[STYLE_HERE] = { -1, -1, A_BOLD, A_BOLD },
	[STYLE_REAL] = { COLOR_WHITE, COLOR_RED, A_BOLD, A_REVERSE | A_BOLD },
	[STYLE_DRILL] = { COLOR_BLACK, COLOR_YELLOW, A_NORMAL, A_REVERSE },
	[STYLE_ARMED] = { COLOR_RED, -1, A_BOLD, A_REVERSE | A_BOLD },
};

static bool coloured;

void theme_start(void)
{
	const char *no = getenv("NO_COLOR");

	coloured = (no == NULL || no[0] == '\0') && has_colors() && start_color() == OK;
	if (!coloured)
		return;
	use_default_colors();
	for (short i = 1; i < STYLES; i++)
		init_pair(i, looks[i].fg, looks[i].bg);
}

void theme_attr(enum style st, unsigned long *attr, short *pair)
{
	*attr = coloured ? looks[st].colour : looks[st].monochrome;
	*pair = coloured && (looks[st].fg >= 0 || looks[st].bg >= 0) ? (short)st : 0;
}
