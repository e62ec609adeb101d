#include "pager.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

#define STEP 20

bool text_has(const char *line, const char *what)
{
	return what[0] == '\0' || strcasestr(line, what) != NULL;
}

static bool pager_match(const void *ctx, size_t i)
{
	const struct pager *p = ctx;

	return text_has(p->lines->line[i], p->filter);
}

void pager_refresh(struct pager *p)
{
	p->known = p->lines->count;
	if (p->filter[0] != '\0')
		list_filter(&p->list, p->lines->count, pager_match, p);
	else
		list_set(&p->list, p->lines->count);
}

void pager_free(struct pager *p)
{
	list_free(&p->list);
}

static const char *pager_cut(const char *line, int left)
{
	return line + (left > 0 ? text_fit(line, left, NULL) : 0);
}

void pager_draw(struct pager *p, const struct area *a)
{
	int rows = a->rows - 1;
	size_t n;

	if (p->known != p->lines->count)
		pager_refresh(p);
	list_height(&p->list, (size_t)(rows > 0 ? rows : 1));
	for (size_t i = 0; (n = list_seen(&p->list, i)) != LIST_NONE; i++) {
		bool here = list_is_here(&p->list, i);
		draw_text(a, (int)i, 0, 1, STYLE_BOLD, here ? ">" : " ");
		draw_text(a, (int)i, 1, a->cols - 2, here ? STYLE_HERE : STYLE_PLAIN,
		    pager_cut(p->lines->line[n], p->left));
	}
	if (p->list.count == 0)
		draw_text(a, 0, 3, a->cols - 4, STYLE_DIM,
		    p->filter[0] != '\0' ? _("No line holds that text.") : _("Nothing here yet."));
	if (p->filter[0] != '\0')
		draw_printf(a, rows, 1, a->cols - 2, STYLE_WARN, _("%zu of %zu lines hold \"%s\"; / changes it"),
		    p->list.count, p->lines->count, p->filter);
	else if (p->list.count > 0)
		draw_printf(a, rows, 1, a->cols - 2, STYLE_DIM, _("line %zu of %zu"), p->list.at + 1,
		    p->list.count);
}

static void pager_filtered(void *ctx, enum prompt_end end, const char *text)
{
	struct pager *p = ctx;

	snprintf(p->filter, sizeof p->filter, "%s", end == PROMPT_GIVEN_UP ? "" : text);
	pager_refresh(p);
}

bool pager_key(struct pager *p, struct ui *u, int key)
{
	switch (keymap_act(key)) {
	case ACT_FILTER:
		ui_ask(u, "/", _("Enter keeps the filter, Esc shows all lines"), p->filter, pager_filtered, p);
		return true;
	case ACT_RIGHT:
		p->left += STEP;
		return true;
	case ACT_LEFT:
		if (p->left == 0)
			return false;
		p->left -= STEP;
		return true;
	default:
		return ui_list_key(&p->list, key);
	}
}
