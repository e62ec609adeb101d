#include "prompt.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/i18n.h"
#include "base/secret.h"
#include "keymap.h"

void prompt_open(struct prompt *p, const char *label, const char *hint, const char *text,
    struct history *h, prompt_fn fn, void *ctx)
{
	prompt_close(p);
	p->open = true;
	p->wrong = p->secret = false;
	snprintf(p->label, sizeof p->label, "%s", label);
	snprintf(p->hint, sizeof p->hint, "%s", hint != NULL ? hint : "");
	p->phrase[0] = '\0';
	edit_init(&p->edit, text, h);
	p->fn = fn;
	p->ctx = ctx;
}

void prompt_open_phrase(struct prompt *p, const char *label, const char *hint, const char *phrase,
    prompt_fn fn, void *ctx)
{
	prompt_open(p, label, hint, "", NULL, fn, ctx);
	snprintf(p->phrase, sizeof p->phrase, "%s", phrase);
}

void prompt_open_secret(struct prompt *p, const char *label, const char *hint, prompt_fn fn, void *ctx)
{
	prompt_open(p, label, hint, "", NULL, fn, ctx);
	p->secret = true;
	mlock(&p->edit, sizeof p->edit); /* against the swap; where that is refused, it is still wiped below */
}

void prompt_close(struct prompt *p)
{
	if (p->open)
		edit_free(&p->edit);
	if (p->open && p->secret) {
		explicit_bzero(&p->edit, sizeof p->edit);
		munlock(&p->edit, sizeof p->edit);
	}
	p->open = p->secret = false;
}

/* The text leaves in pages of its own; without them nothing is given. */
static void prompt_end_secret(struct prompt *p, enum prompt_end end)
{
	char *text = secret_new(NULL);
	prompt_fn fn = p->fn;
	void *ctx = p->ctx;

	if (text != NULL && end == PROMPT_DONE && p->edit.len < SECRET_MAX)
		memcpy(text, p->edit.text, p->edit.len);
	prompt_close(p);
	fn(ctx, end, text != NULL ? text : "");
	secret_free(text);
}

static void prompt_end(struct prompt *p, enum prompt_end end)
{
	char text[EDIT_MAX + 1];
	prompt_fn fn = p->fn;
	void *ctx = p->ctx;

	memcpy(text, p->edit.text, p->edit.len + 1);
	if (end == PROMPT_DONE && p->edit.history != NULL)
		history_add(p->edit.history, text);
	prompt_close(p);
	fn(ctx, end, text);
}

void prompt_key(struct prompt *p, int key)
{
	enum act act = keymap_act(key);

	if (key == KEYC_ESC || act == ACT_LEAVE) {
		(p->secret ? prompt_end_secret : prompt_end)(p, PROMPT_GIVEN_UP);
	} else if (act == ACT_ENTER) {
		p->wrong = p->phrase[0] != '\0' && strcmp(p->phrase, p->edit.text) != 0;
		if (!p->wrong)
			(p->secret ? prompt_end_secret : prompt_end)(p, PROMPT_DONE);
	} else if (edit_key(&p->edit, key)) {
		p->wrong = false;
		if (!p->secret)
			p->fn(p->ctx, PROMPT_CHANGED, p->edit.text);
	}
}

void prompt_draw_edit(const struct area *a, int row, int col, int width, const struct edit *ed)
{
	int at;
	size_t from = edit_view(ed, width, &at);

	draw_text(a, row, col, width, STYLE_PLAIN, ed->text + from);
	a->f->cursor_row = a->top + row;
	a->f->cursor_col = a->left + col + at;
}

/* That something was typed, not how much of it. */
static void prompt_draw_secret(const struct area *a, int row, int col, bool typed)
{
	int n = typed ? draw_text(a, row, col, a->cols - col - 1, STYLE_DIM, _("(typed, not shown)")) : 0;

	a->f->cursor_row = a->top + row;
	a->f->cursor_col = a->left + col + n;
}

void prompt_draw(const struct prompt *p, const struct area *a)
{
	int row = a->rows - 2, col;

	for (int c = 0; c < a->cols; c++) {
		draw_text(a, row, c, 1, STYLE_PLAIN, " ");
		draw_text(a, row + 1, c, 1, STYLE_PLAIN, " ");
	}
	col = 1 + draw_text(a, row, 1, a->cols / 2, STYLE_BOLD, p->label) + 1;
	if (p->secret)
		prompt_draw_secret(a, row, col, p->edit.len > 0);
	else
		prompt_draw_edit(a, row, col, a->cols - col - 1, &p->edit);
	if (p->wrong)
		draw_printf(a, row + 1, 1, a->cols - 2, STYLE_BAD,
		    _("That is not %s. Nothing was done."), p->phrase);
	else
		draw_text(a, row + 1, 1, a->cols - 2, STYLE_DIM, p->hint);
}
