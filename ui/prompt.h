/* The prompt on the bottom lines: one question at a time, a line of text or a phrase that must be
 * typed as it stands. Esc always gives up. Curses-free. */
#ifndef SEV1_PROMPT_H
#define SEV1_PROMPT_H

#include <stdbool.h>

#include "draw.h"
#include "edit.h"

enum prompt_end {
	PROMPT_CHANGED, /* the text has changed; the prompt stays */
	PROMPT_DONE,
	PROMPT_GIVEN_UP
};

/* text is borrowed. Except for PROMPT_CHANGED the prompt is closed already: a new one may be opened. */
typedef void (*prompt_fn)(void *ctx, enum prompt_end end, const char *text);

struct prompt {
	bool open;
	char label[160];
	char hint[240];
	char phrase[80]; /* "": any text */
	bool wrong;      /* the phrase was mistyped */
	bool secret;     /* a PIN or passphrase: not shown, locked, wiped */
	struct edit edit;
	prompt_fn fn;
	void *ctx;
};

void prompt_open(struct prompt *p, const char *label, const char *hint, const char *text,
    struct history *h, prompt_fn fn, void *ctx);
/* Only phrase, typed exactly, ends it. */
void prompt_open_phrase(struct prompt *p, const char *label, const char *hint, const char *phrase,
    prompt_fn fn, void *ctx);
/* What is typed is not shown. It is given to fn in locked memory. */
void prompt_open_secret(struct prompt *p, const char *label, const char *hint, prompt_fn fn, void *ctx);
void prompt_close(struct prompt *p);
void prompt_key(struct prompt *p, int key);
/* Draw on the last two lines of a; sets the frame's cursor. */
void prompt_draw(const struct prompt *p, const struct area *a);

/* "> text_": an edit on one line with the frame's cursor in it. */
void prompt_draw_edit(const struct area *a, int row, int col, int width, const struct edit *ed);

#endif
