#include "keymap.h"

#include <stdio.h>

#include "base/i18n.h"
#include "base/text.h"

/* Nothing here does anything to a system: keys move, open, ask, and go back. */
static const struct keydef keys[] = {
	{ KEYC_UP, ACT_UP, "Up k", N_("one row up") },
	{ 'k', ACT_UP, "k", NULL },
	{ KEYC_DOWN, ACT_DOWN, "Down j", N_("one row down") },
	{ 'j', ACT_DOWN, "j", NULL },
	{ KEYC_LEFT, ACT_LEFT, "Left h", N_("to the left, back") },
	{ 'h', ACT_LEFT, "h", NULL },
	{ KEYC_RIGHT, ACT_RIGHT, "Right l", N_("to the right, into") },
	{ 'l', ACT_RIGHT, "l", NULL },
	{ KEYC_PAGE_UP, ACT_PAGE_UP, "PgUp ^B", N_("a page up") },
	{ KEYC_CTRL('b'), ACT_PAGE_UP, "^B", NULL },
	{ KEYC_PAGE_DOWN, ACT_PAGE_DOWN, "PgDn ^F", N_("a page down") },
	{ KEYC_CTRL('f'), ACT_PAGE_DOWN, "^F", NULL },
	{ ' ', ACT_PAGE_DOWN, "Space", NULL },
	{ KEYC_HOME, ACT_FIRST, "Home g", N_("the first row") },
	{ 'g', ACT_FIRST, "g", NULL },
	{ KEYC_END, ACT_LAST, "End G", N_("the last row") },
	{ 'G', ACT_LAST, "G", NULL },
	{ KEYC_ENTER, ACT_ENTER, "Enter", N_("do, open or confirm what is selected") },
	{ '\n', ACT_ENTER, "^J", NULL },
	{ KEYC_TAB, ACT_PANE, "Tab", N_("the next pane") },
	{ KEYC_BACKTAB, ACT_PANE, "Shift-Tab", NULL },
	{ ':', ACT_COMMAND, ":", N_("type a command, as in the shell") },
	{ '/', ACT_FILTER, "/", N_("show only rows that hold a text") },
	{ '?', ACT_HELP, "?", N_("this help") },
	{ KEYC_F1, ACT_HELP, "F1", NULL },
	{ 'q', ACT_BACK, "q", N_("back; on the first screen: leave") },
	{ KEYC_ESC, ACT_BACK, "Esc", N_("back, give up a prompt") },
	{ KEYC_CTRL('c'), ACT_LEAVE, "^C", N_("ask whether to leave") },
	{ KEYC_CTRL('l'), ACT_REDRAW, "^L", N_("draw the screen again") },
	{ KEYC_CTRL('z'), ACT_IGNORE, "^Z", NULL },
	{ KEYC_CTRL('\\'), ACT_IGNORE, "^\\", NULL },
	{ KEYC_CTRL('s'), ACT_IGNORE, "^S", NULL },
	{ KEYC_CTRL('q'), ACT_IGNORE, "^Q", NULL },
};

const struct keydef *keymap_at(size_t i)
{
	return i < sizeof keys / sizeof keys[0] ? &keys[i] : NULL;
}

enum act keymap_act(int key)
{
	const struct keydef *k;

	for (size_t i = 0; (k = keymap_at(i)) != NULL; i++)
		if (k->key == key)
			return k->act;
	return ACT_NONE;
}

const struct command *keymap_command(int key)
{
	const struct command *c;

	if (key < 0x21 || key > 0x7e)
		return NULL;
	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		if (c->key != NULL && c->key[0] == key && c->key[1] == '\0')
			return c;
	return NULL;
}

const char *keymap_label(const struct binding *b)
{
	const struct command *c;

	if (b->command == NULL)
		return b->label;
	c = command_find(b->command);
	return c != NULL ? c->key : NULL;
}

static void keymap_add(struct buf *b, int cols, const char *label, const char *what)
{
	char item[160];
	int used = text_columns(buf_str(b));

	snprintf(item, sizeof item, "%s%s %s", used > 0 ? "   " : "", label, what);
	if (used + text_columns(item) <= cols)
		buf_adds(b, item);
}

void keymap_footer(struct buf *b, const struct binding *own, bool typing, int cols)
{
	/* What everyone must find comes first into the count of columns. */
	char tail[80];
	int room;

	snprintf(tail, sizeof tail, "   %s %s   %s %s", typing ? "F1" : "?", _("help"), typing ? "Esc" : "q", _("back"));
	room = cols - text_columns(tail);
	for (; own != NULL && own->what != NULL; own++)
		if (keymap_label(own) != NULL)
			keymap_add(b, room, keymap_label(own), in_(own->what));
	buf_adds(b, b->len > 0 ? tail : tail + 3);
}
