/* Every event of the journal, in order. */
#include <stdlib.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "pager.h"
#include "screen.h"

struct timeline {
	struct lines lines;
	struct pager pager;
	int64_t seq; /* read up to here */
};

/* The cursor stays at the end when it was there: new events come into sight. */
static void timeline_read(struct screen *s)
{
	struct timeline *t = s->data;
	const struct incident *in = model_incident(ui_engine(s->ui));
	bool end = t->pager.list.count == 0 || t->pager.list.at + 1 == t->pager.list.count;
	char **line;
	size_t n;

	if (in == NULL || in->last_seq == t->seq)
		return;
	t->seq = in->last_seq;
	line = model_timeline(ui_engine(s->ui), &n);
	lines_take(&t->lines, line, n);
	pager_refresh(&t->pager);
	if (end)
		list_last(&t->pager.list);
}

static void timeline_open(struct screen *s, void *arg)
{
	struct timeline *t = mem_zalloc(1, sizeof *t);

	(void)arg;
	t->pager.lines = &t->lines;
	s->data = t;
}

static void timeline_done(struct screen *s)
{
	struct timeline *t = s->data;

	pager_free(&t->pager);
	lines_free(&t->lines);
	free(t);
}

static void timeline_draw(struct screen *s, const struct area *a)
{
	struct timeline *t = s->data;

	timeline_read(s);
	pager_draw(&t->pager, a);
}

static bool timeline_key(struct screen *s, int key)
{
	struct timeline *t = s->data;

	return pager_key(&t->pager, s->ui, key);
}

static const struct binding timeline_keys[] = {
	{ KEYC_UP, "Up Down g G", N_("move"), NULL },
	{ KEYC_LEFT, "Left Right", N_("scroll"), NULL },
	{ '/', "/", N_("filter"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_timeline = {
	.name = "timeline",
	.title = N_("Timeline, UTC"),
	.keys = timeline_keys,
	.open = timeline_open,
	.draw = timeline_draw,
	.key = timeline_key,
	.done = timeline_done,
};
