#include "line_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "keymap.h"

void line_ask_show(struct ask *a, void (*put)(const char *line))
{
	const struct ask_item *it;
	char text[600], *known;

	if (ask_done(a))
		return;
	it = &a->item[a->at];
	put("");
	put(_(it->question));
	if (it->menu != NULL)
		ask_refresh(a);
	for (size_t i = 0; it->menu != NULL && i < a->rows; i++) {
		snprintf(text, sizeof text, "%zu. %s", i + 1, a->row[i].title);
		put(text);
	}
	if (it->hint != NULL)
		put(_(it->hint));
	if ((known = ask_known_words(a)) != NULL)
		put(known);
	free(known);
	if (it->menu != NULL && a->knows) {
		snprintf(text, sizeof text, _("An empty line means: %zu. Or a number, or back."), list_here(&a->list) + 1);
		put(text);
	} else if (it->menu != NULL)
		put(_("Type a number, or back."));
	else if (a->edit.len > 0) {
		snprintf(text, sizeof text, _("An empty line means: %s. Or back."), a->edit.text);
		put(text);
	}
}

static bool line_ask_choose(struct ask *a, const char *line)
{
	char *end;
	long n = strtol(line, &end, 10);

	ask_refresh(a);
	if (end == line || *end != '\0' || n < 1 || (size_t)n > a->rows)
		return false;
	list_first(&a->list);
	list_move(&a->list, n - 1);
	return true;
}

enum ask_end line_ask_take(struct ask *a, const char *line, void (*put)(const char *line))
{
	enum ask_end end;

	if (strcmp(line, "back") == 0)
		return ask_key(a, KEYC_ESC);
	if (a->item[a->at].menu != NULL) {
		if ((line[0] != '\0' || !a->knows) && !line_ask_choose(a, line)) {
			put(_("That is none of the numbers."));
			return ASK_MORE;
		}
	} else if (line[0] != '\0') {
		edit_set(&a->edit, line);
	}
	end = ask_key(a, KEYC_ENTER);
	if (end == ASK_MORE && a->err.code != 0) {
		put(a->err.text);
		edit_set(&a->edit, a->item[a->at].preset);
	}
	return end;
}
