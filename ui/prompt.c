#include "prompt.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "keymap.h"

void prompt_open(struct prompt *p, const char *label, const char *hint, const char *text,
    struct history *h, prompt_fn fn, void *ctx)
{
	prompt_close(p);
	p->open = true;
	p->wrong = false;
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

void prompt_close(struct prompt *p)
{
	if (p->open)
		edit_free(&p->edit);
	p->open = false;
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
		prompt_end(p, PROMPT_GIVEN_UP);
	} else if (act == ACT_ENTER) {
		p->wrong = p->phrase[0] != '\0' && strcmp(p->phrase, p->edit.text) != 0;
		if (!p->wrong)
			prompt_end(p, PROMPT_DONE);
	} else if (edit_key(&p->edit, key)) {
		p->wrong = false;
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

void prompt_draw(const struct prompt *p, const struct area *a)
{
	int row = a->rows - 2, col;

	for (int c = 0; c < a->cols; c++) {
		draw_text(a, row, c, 1, STYLE_PLAIN, " ");
		draw_text(a, row + 1, c, 1, STYLE_PLAIN, " ");
	}
	col = 1 + draw_text(a, row, 1, a->cols / 2, STYLE_BOLD, p->label) + 1;
	prompt_draw_edit(a, row, col, a->cols - col - 1, &p->edit);
	if (p->wrong)
		draw_printf(a, row + 1, 1, a->cols - 2, STYLE_BAD,
		    _("That is not %s. Nothing was done."), p->phrase);
	else
		draw_text(a, row + 1, 1, a->cols - 2, STYLE_DIM, p->hint);
}
