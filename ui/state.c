/* The half of the theme that needs no curses. */
#include "theme.h"

#include <string.h>

struct word {
	const char *word;
	enum style style;
};

static const struct word words[] = {
	{ "done", STYLE_GOOD },
	{ "held", STYLE_GOOD },
	{ "verified", STYLE_GOOD },
	{ "accepted", STYLE_GOOD },
	{ "ok", STYLE_GOOD },
	{ "by hand", STYLE_WARN },
	{ "waived", STYLE_WARN },
	{ "undone", STYLE_WARN },
	{ "placed", STYLE_WARN },
	{ "rolled back", STYLE_WARN },
	{ "due", STYLE_WARN },
	{ "warn", STYLE_WARN },
	{ "failed", STYLE_BAD },
	{ "late", STYLE_BAD },
	{ "unreachable", STYLE_BAD },
	{ "refused", STYLE_BAD },
	{ "expired", STYLE_BAD },
	{ "running", STYLE_BUSY },
	{ "started", STYLE_BUSY },
	{ "next", STYLE_BUSY },
	{ "waiting", STYLE_DIM },
	{ "open", STYLE_PLAIN },
};

enum style theme_state(const char *word)
{
	for (size_t i = 0; word != NULL && i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].style;
	return STYLE_PLAIN;
}

enum style theme_clock(int64_t left_ms)
{
	if (left_ms == INT64_MIN)
		return STYLE_DIM;
	if (left_ms < 0)
		return STYLE_BAD;
	return left_ms < 10 * 60 * 1000 ? STYLE_WARN : STYLE_PLAIN;
}
