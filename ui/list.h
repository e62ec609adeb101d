/* A cursor over rows, with paging and a filter. It knows no curses and no data. */
#ifndef SEV1_LIST_H
#define SEV1_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	size_t count;  /* rows that can be reached: all, or those the filter lets through */
	size_t at;     /* the cursor among them */
	size_t top;    /* the first one that is seen */
	size_t height; /* how many are seen */
	size_t *row;   /* the filter's answer: indexes into the data; NULL unfiltered */
};

#define LIST_NONE ((size_t)-1)

/* How many rows there are; drops a filter. The cursor stays where it can. */
void list_set(struct list *l, size_t count);
/* How many rows are seen at once; the cursor stays in sight. */
void list_height(struct list *l, size_t height);
/* Keep the rows that match; the cursor stays on its data where that is still there. */
typedef bool (*list_match_fn)(const void *ctx, size_t index);
void list_filter(struct list *l, size_t total, list_match_fn match, const void *ctx);
void list_free(struct list *l);

void list_move(struct list *l, long by); /* stops at both ends */
void list_page(struct list *l, int pages);
void list_first(struct list *l);
void list_last(struct list *l);

/* The data's index at line i of the window, LIST_NONE below the last. */
size_t list_seen(const struct list *l, size_t i);
/* The data's index under the cursor, LIST_NONE where there is no row. */
size_t list_here(const struct list *l);
/* Is line i of the window the cursor's? */
bool list_is_here(const struct list *l, size_t i);

#endif
