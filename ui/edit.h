/* One line of text being typed: UTF-8, a cursor, a history. It knows no curses. */
#ifndef SEV1_EDIT_H
#define SEV1_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#define EDIT_MAX 1000 /* octets; a longer paste is cut */

struct history;
struct history *history_new(void);
void history_free(struct history *h);
/* Remember a line; an empty one and a repetition of the last are not kept. */
void history_add(struct history *h, const char *line);

struct edit {
	char text[EDIT_MAX + 1];
	size_t len, at;      /* octets; at is always between two characters */
	struct history *history; /* borrowed; NULL: none */
	size_t back;         /* how far back in it we are; 0: on the new line */
	char *kept;          /* the new line, while we look back; owned */
};

void edit_init(struct edit *ed, const char *text, struct history *h);
void edit_free(struct edit *ed);
void edit_set(struct edit *ed, const char *text);
/* Take a key (keymap.h). False for one that is not for a line of text (Enter, Esc, Tab ...). */
bool edit_key(struct edit *ed, int key);
/* Where to start showing so that the cursor is within cols columns: an offset into text. *column
 * is the cursor's, counted from there. */
size_t edit_view(const struct edit *ed, int cols, int *column);

#endif
