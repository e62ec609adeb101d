/* What a command answered: reports, doctor, lists. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "pager.h"
#include "screen.h"

struct output {
	struct job *job;
	struct pager pager;
};

static void output_open(struct screen *s, void *arg)
{
	struct output *o = mem_zalloc(1, sizeof *o);

	o->job = arg;
	o->job->held++;
	o->pager.lines = &o->job->out;
	pager_refresh(&o->pager);
	s->data = o;
	s->title = mem_printf("sev1 %s", o->job->words);
}

static void output_done(struct screen *s)
{
	struct output *o = s->data;

	o->job->held--;
	pager_free(&o->pager);
	free(o);
}

static void output_draw(struct screen *s, const struct area *a)
{
	struct output *o = s->data;

	pager_draw(&o->pager, a);
}

static bool output_key(struct screen *s, int key)
{
	struct output *o = s->data;

	if (keymap_act(key) == ACT_ENTER) {
		ui_pop(s->ui);
		return true;
	}
	return pager_key(&o->pager, s->ui, key);
}

static const struct binding output_keys[] = {
	{ KEYC_UP, "Up Down PgUp PgDn", N_("scroll"), NULL },
	{ '/', "/", N_("filter"), NULL },
	{ KEYC_ENTER, "Enter", N_("close"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_output = {
	.name = "output",
	.title = N_("Answer"),
	.keys = output_keys,
	.open = output_open,
	.draw = output_draw,
	.key = output_key,
	.done = output_done,
};
