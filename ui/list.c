#include "list.h"

#include <stdlib.h>

#include "base/buf.h"

/* Bring the cursor and the window back into bounds. */
static void list_settle(struct list *l)
{
	if (l->at >= l->count)
		l->at = l->count > 0 ? l->count - 1 : 0;
	if (l->height == 0)
		return;
	if (l->at < l->top)
		l->top = l->at;
	if (l->at >= l->top + l->height)
		l->top = l->at - l->height + 1;
	if (l->top + l->height > l->count)
		l->top = l->count > l->height ? l->count - l->height : 0;
}

void list_set(struct list *l, size_t count)
{
	size_t here = list_here(l);

	if (l->row != NULL && here != LIST_NONE)
		l->at = here;
	free(l->row);
	l->row = NULL;
	l->count = count;
	list_settle(l);
}

void list_height(struct list *l, size_t height)
{
	l->height = height;
	list_settle(l);
}

void list_filter(struct list *l, size_t total, list_match_fn match, const void *ctx)
{
	size_t here = list_here(l), n = 0, at = 0;
	size_t *row = mem_zalloc(total + 1, sizeof *row);

	for (size_t i = 0; i < total; i++) {
		if (!match(ctx, i))
			continue;
		if (here != LIST_NONE && i <= here)
			at = n;
		row[n++] = i;
	}
	free(l->row);
	l->row = row;
	l->count = n;
	l->at = at;
	list_settle(l);
}

void list_free(struct list *l)
{
	free(l->row);
	*l = (struct list){ 0 };
}

void list_move(struct list *l, long by)
{
	if (by < 0)
		l->at = (size_t)-by > l->at ? 0 : l->at - (size_t)-by;
	else
		l->at += (size_t)by;
	list_settle(l);
}

void list_page(struct list *l, int pages)
{
	long step = l->height > 1 ? (long)l->height - 1 : 1;

	list_move(l, pages * step);
}

void list_first(struct list *l)
{
	l->at = 0;
	list_settle(l);
}

void list_last(struct list *l)
{
	l->at = l->count > 0 ? l->count - 1 : 0;
	list_settle(l);
}

static size_t list_index(const struct list *l, size_t n)
{
	if (n >= l->count)
		return LIST_NONE;
	return l->row != NULL ? l->row[n] : n;
}

size_t list_seen(const struct list *l, size_t i)
{
	return i < l->height ? list_index(l, l->top + i) : LIST_NONE;
}

size_t list_here(const struct list *l)
{
	return list_index(l, l->at);
}

bool list_is_here(const struct list *l, size_t i)
{
	return l->top + i == l->at && l->at < l->count;
}
