/* Keys: their codes, what they mean on every screen, and their names. The keys of commands stand in
 * the command table. Knows no curses: term.c turns what curses reads into these codes. */
#ifndef SEV1_KEYMAP_H
#define SEV1_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "engine/command.h"

#define KEYC_CTRL(c) ((c) & 0x1f)

/* Characters are their code points; these lie beyond them. */
enum {
	KEYC_ENTER = '\r',
	KEYC_TAB = '\t',
	KEYC_ESC = 0x1b,
	KEYC_UP = 0x110000,
	KEYC_DOWN,
	KEYC_LEFT,
	KEYC_RIGHT,
	KEYC_PAGE_UP,
	KEYC_PAGE_DOWN,
	KEYC_HOME,
	KEYC_END,
	KEYC_BACKSPACE,
	KEYC_DELETE,
	KEYC_BACKTAB,
	KEYC_F1,
	KEYC_OTHER /* a key without a meaning */
};

enum act {
	ACT_NONE,
	ACT_UP,
	ACT_DOWN,
	ACT_LEFT,
	ACT_RIGHT,
	ACT_PAGE_UP,
	ACT_PAGE_DOWN,
	ACT_FIRST,
	ACT_LAST,
	ACT_ENTER,
	ACT_BACK,
	ACT_PANE,
	ACT_HELP,
	ACT_COMMAND,
	ACT_FILTER,
	ACT_LEAVE,
	ACT_REDRAW,
	ACT_IGNORE
};

struct keydef {
	int key;
	enum act act;
	const char *label; /* "Enter" */
	const char *what;  /* untranslated; NULL: not listed */
};

/* A key of one screen, for its footer and help. command: the label is that command's key. */
struct binding {
	int key;
	const char *label;
	const char *what;    /* untranslated; the table ends with a NULL */
	const char *command; /* or NULL */
};

const struct keydef *keymap_at(size_t i);          /* the global table; NULL past the end */
enum act keymap_act(int key);
const struct command *keymap_command(int key);     /* the command of this key, or NULL */
const char *keymap_label(const struct binding *b); /* NULL where its command has no key */
/* The footer of a screen, at most cols columns: its own keys, then how to get help and back. typing:
 * letters are text on this screen. */
void keymap_footer(struct buf *b, const struct binding *own, bool typing, int cols);

#endif
