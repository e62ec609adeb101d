#include "ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "keymap.h"
#include "prompt.h"

#define ROWS_ASKED 9 /* a question, five rows of its menu, a hint, and space between */

void ask_choice(struct ask *a, const char *value, const char *title)
{
	a->row = mem_grow(a->row, a->rows + 1, sizeof *a->row);
	a->row[a->rows++] = (struct ask_row){ mem_strdup(value), mem_strdup(title) };
}

static void ask_drop_rows(struct ask *a)
{
	for (size_t i = 0; i < a->rows; i++) {
		free(a->row[i].value);
		free(a->row[i].title);
	}
	a->rows = 0;
}

static void ask_fill(struct ask *a)
{
	ask_drop_rows(a);
	if (a->at < a->count && a->item[a->at].menu != NULL)
		a->item[a->at].menu(a, a->ctx);
	list_set(&a->list, a->rows);
}

/* What is known of the question at hand; new, NULL. */
static char *ask_known(const struct ask *a)
{
	const struct ask_item *it = &a->item[a->at];

	return a->source != NULL && it->known != NULL ? it->known(a, a->ctx) : NULL;
}

/* Bring the question at hand up: the cursor on what was answered before, else on what is known. */
static void ask_enter(struct ask *a)
{
	const char *old;
	char *known;

	a->knows = false;
	list_free(&a->list);
	a->err.code = 0;
	edit_free(&a->edit);
	edit_init(&a->edit, "", NULL);
	if (a->at >= a->count)
		return;
	old = a->answer[a->at];
	known = ask_known(a);
	list_height(&a->list, 8);
	ask_fill(a);
	if (a->item[a->at].menu == NULL) {
		edit_set(&a->edit, old != NULL ? a->said[a->at] : known != NULL ? known : a->item[a->at].preset);
		a->knows = known != NULL;
	}
	a->fresh = a->edit.len > 0;
	for (size_t i = 0; i < a->rows; i++) {
		const char *first = old != NULL ? old : known;

		a->knows = a->knows || (known != NULL && strcmp(a->row[i].value, known) == 0);
		if (first != NULL && strcmp(a->row[i].value, first) == 0)
			list_move(&a->list, (long)i);
	}
	free(known);
}

void ask_source(struct ask *a, const char *name)
{
	free(a->source);
	a->source = mem_strdup(name);
	ask_enter(a);
}

char *ask_known_words(const struct ask *a)
{
	return a->knows ? mem_printf(_("%s says so: Enter takes it over."), a->source) : NULL;
}

static bool ask_wanted(const struct ask *a, size_t i)
{
	return a->item[i].wanted == NULL || a->item[i].wanted(a, a->ctx);
}

void ask_init(struct ask *a, const struct ask_item *item, void *ctx)
{
	*a = (struct ask){ .item = item, .ctx = ctx };
	while (item[a->count].name != NULL)
		a->count++;
	a->answer = mem_zalloc(a->count + 1, sizeof *a->answer);
	a->said = mem_zalloc(a->count + 1, sizeof *a->said);
	a->known = mem_zalloc(a->count + 1, sizeof *a->known);
	while (a->at < a->count && !ask_wanted(a, a->at))
		a->at++;
	ask_enter(a);
}

void ask_free(struct ask *a)
{
	ask_drop_rows(a);
	free(a->row);
	for (size_t i = 0; i < a->count; i++) {
		free(a->answer[i]);
		free(a->said[i]);
	}
	free(a->answer);
	free(a->said);
	free(a->known);
	free(a->source);
	list_free(&a->list);
	edit_free(&a->edit);
}

static void ask_answer(struct ask *a, char *value, const char *said)
{
	char *known = value != NULL ? ask_known(a) : NULL;

	a->known[a->at] = known != NULL && strcmp(known, value) == 0;
	free(known);
	free(a->answer[a->at]);
	free(a->said[a->at]);
	a->answer[a->at] = value;
	a->said[a->at] = mem_strdup(said);
}

static void ask_next(struct ask *a)
{
	do {
		a->at++;
		if (a->at < a->count && !ask_wanted(a, a->at))
			ask_answer(a, NULL, NULL);
	} while (a->at < a->count && !ask_wanted(a, a->at));
	ask_enter(a);
}

static enum ask_end ask_back(struct ask *a)
{
	size_t at = a->at;

	while (at > 0 && !ask_wanted(a, at - 1))
		at--;
	if (at == 0)
		return ASK_BACK;
	a->at = at - 1;
	ask_enter(a);
	return ASK_MORE;
}

static enum ask_end ask_take(struct ask *a)
{
	const struct ask_item *it = &a->item[a->at];
	char *value = NULL, *said;
	size_t here;

	if (it->menu != NULL) {
		here = list_here(&a->list);
		if (here == LIST_NONE)
			return ASK_MORE;
		/* What follows two blanks (live counts) belongs to the menu, not to the answer. */
		said = mem_strdup(a->row[here].title);
		if (strstr(said, "  ") != NULL)
			*strstr(said, "  ") = '\0';
		ask_answer(a, mem_strdup(a->row[here].value), said);
		free(said);
	} else {
		a->err.code = 0;
		if (a->edit.len == 0 && !it->optional) {
			err_set(&a->err, ERR_USAGE, _("this must be answered"));
			return ASK_MORE;
		}
		if (a->edit.len > 0 && it->check != NULL) {
			if (it->check(a->ctx, a->edit.text, &value, &a->err) < 0)
				return ASK_MORE;
		} else {
			value = mem_strdup(a->edit.text);
		}
		ask_answer(a, value, a->edit.text);
	}
	ask_next(a);
	return ask_done(a) ? ASK_DONE : ASK_MORE;
}

/* A menu is also chosen by the digit before its row. */
static bool ask_digit(struct ask *a, int key)
{
	if (key < '1' || key > '9' || (size_t)(key - '0') > a->rows)
		return false;
	list_first(&a->list);
	list_move(&a->list, key - '1');
	return true;
}

enum ask_end ask_key(struct ask *a, int key)
{
	bool menu = a->at < a->count && a->item[a->at].menu != NULL;
	enum act act = keymap_act(key);

	if (a->at >= a->count)
		return ASK_DONE;
	if (key == KEYC_ESC || (menu && (act == ACT_BACK || act == ACT_LEFT)))
		return ask_back(a);
	if (act == ACT_ENTER || (menu && act == ACT_RIGHT))
		return ask_take(a);
	if (!menu) {
		if (a->fresh && key >= ' ' && key < KEYC_UP && key != 0x7f)
			edit_set(&a->edit, "");
		a->fresh = false;
		if (edit_key(&a->edit, key))
			a->err.code = 0;
		return ASK_MORE;
	}
	if (ask_digit(a, key))
		return ASK_MORE;
	if (act == ACT_UP || act == ACT_DOWN)
		list_move(&a->list, act == ACT_UP ? -1 : 1);
	else if (act == ACT_PAGE_UP || act == ACT_PAGE_DOWN)
		list_page(&a->list, act == ACT_PAGE_UP ? -1 : 1);
	else if (act == ACT_FIRST)
		list_first(&a->list);
	else if (act == ACT_LAST)
		list_last(&a->list);
	return ASK_MORE;
}

static bool ask_is_shown(const struct ask *a, size_t i)
{
	return a->answer[i] != NULL && (a->said[i][0] != '\0' || !a->item[i].quiet);
}

/* What was answered; the last of it where not all leaves room for the question. */
static int ask_draw_answered(const struct ask *a, const struct area *ar)
{
	int row = 0, shown = 0, room = ar->rows - ROWS_ASKED;

	for (size_t i = 0; i < a->at && i < a->count; i++)
		shown += ask_is_shown(a, i);
	for (size_t i = 0; i < a->at && i < a->count; i++) {
		if (!ask_is_shown(a, i))
			continue;
		if (shown-- > room && room > 0) {
			draw_text(ar, 0, 3, 20, STYLE_DIM, "...");
			row = 1;
			room -= room == ar->rows - ROWS_ASKED; /* the dots take one */
			continue;
		}
		draw_text(ar, row, 3, 20, STYLE_DIM, _(a->item[i].title));
		draw_text(ar, row, 24, ar->cols - 25 - (a->known[i] ? 1 + text_columns(a->source) : 0), STYLE_PLAIN,
		    a->said[i][0] != '\0' ? a->said[i] : "-");
		if (a->known[i]) /* whose word it is */
			draw_text(ar, row, ar->cols - 1 - text_columns(a->source), text_columns(a->source), STYLE_DIM, a->source);
		row++;
	}
	return row;
}

/* The rows of the menu at hand, room lines of them at the most; beside the question, which of them are seen. Returns the
 * row below. */
static int ask_draw_menu(struct ask *a, const struct area *ar, int row, int room)
{
	char part[80];
	size_t i, n;

	ask_fill(a);
	list_height(&a->list, (size_t)(room > 2 ? room : 2));
	for (i = 0; (n = list_seen(&a->list, i)) != LIST_NONE; i++) {
		bool here = list_is_here(&a->list, i);
		draw_text(ar, row, 1, 1, STYLE_BOLD, here ? ">" : " ");
		if (n < 9)
			draw_printf(ar, row, 3, 2, STYLE_DIM, "%zu", n + 1);
		draw_text(ar, row++, 5, ar->cols - 6, here ? STYLE_HERE : STYLE_PLAIN, a->row[n].title);
	}
	if (i < a->rows) {
		snprintf(part, sizeof part, _("%zu to %zu of %zu, arrows scroll"), list_seen(&a->list, 0) + 1,
		    list_seen(&a->list, 0) + i, a->rows);
		draw_right(ar, row - (int)i - 1, ar->cols - 1, STYLE_DIM, part);
	}
	return row;
}

void ask_draw(struct ask *a, const struct area *ar)
{
	const struct ask_item *it;
	const char *below;
	char *known;
	int row = ask_draw_answered(a, ar);

	if (a->at >= a->count)
		return;
	it = &a->item[a->at];
	below = a->err.code != 0 ? a->err.text : it->hint != NULL ? _(it->hint) : "";
	known = a->err.code == 0 ? ask_known_words(a) : NULL;
	if (row > 0)
		row++;
	draw_text(ar, row++, 1, ar->cols - 2, STYLE_BOLD, _(it->question));
	if (it->menu == NULL) {
		draw_text(ar, row, 1, 1, STYLE_BOLD, ">");
		prompt_draw_edit(ar, row, 3, ar->cols - 4, &a->edit);
		row++;
	} else {
		row = ask_draw_menu(a, ar, row, ar->rows - row - 1 - (known != NULL) - draw_lines(ar->cols - 4, 3, below));
	}
	row++;
	if (known != NULL)
		draw_text(ar, row++, 3, ar->cols - 4, STYLE_WARN, known);
	free(known);
	draw_wrap(ar, row, 3, ar->cols - 4, 3, a->err.code != 0 ? STYLE_BAD : STYLE_DIM, below);
}

bool ask_leaves(const struct ask *a, int key)
{
	enum act act = keymap_act(key);

	return key == KEYC_F1 || act == ACT_REDRAW || (act == ACT_HELP && a->at < a->count && a->item[a->at].menu != NULL);
}

static size_t ask_index(const struct ask *a, const char *name)
{
	size_t i = 0;

	while (i < a->count && strcmp(a->item[i].name, name) != 0)
		i++;
	return i;
}

const char *ask_get(const struct ask *a, const char *name)
{
	size_t i = ask_index(a, name);

	return i < a->count && i < a->at ? a->answer[i] : NULL;
}

const char *ask_shown(const struct ask *a, const char *name)
{
	size_t i = ask_index(a, name);

	return i < a->count && i < a->at && a->said[i] != NULL ? a->said[i] : "";
}

void ask_refresh(struct ask *a)
{
	ask_fill(a);
	list_height(&a->list, a->rows > 0 ? a->rows : 1);
}

bool ask_done(const struct ask *a)
{
	return a->at >= a->count;
}

void ask_reopen(struct ask *a)
{
	ask_back(a);
}
