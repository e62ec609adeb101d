/* Declare a new incident. */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "app/model.h"
#include "ask.h"
#include "base/i18n.h"

struct fresh {
	struct ask ask;
	struct job *job;
};

static void new_sure(struct ask *a, void *ctx)
{
	(void)ctx;
	ask_choice(a, "yes", _("Declare it: the one-hour clock runs from then"));
	ask_choice(a, "no", _("Go back, declare nothing"));
}

static const struct ask_item items[] = {
	{ .name = "title", .title = N_("Title"), .question = N_("What has happened, in a few words?"),
	    .hint = N_("As it shall stand in the header and in the report. Triage asks the rest."),
	    .optional = true },
	{ .name = "declared", .title = N_("Declared"), .question = N_("When was it declared?"), .preset = "now",
	    .hint = N_("now, -20m, or a time with its zone: 2026-08-31T02:14Z"), .check = answer_time },
	{ .name = "sure", .title = N_("Declare"), .question = N_("Declare a REAL incident?"), .menu = new_sure },
	{ .name = NULL },
};

static void new_open(struct screen *s, void *arg)
{
	struct fresh *f = mem_zalloc(1, sizeof *f);

	(void)arg;
	s->data = f;
	ask_init(&f->ask, items, f);
}

static void new_done(struct screen *s)
{
	struct fresh *f = s->data;

	if (f->job != NULL)
		f->job->held--;
	ask_free(&f->ask);
	free(f);
}

static void new_draw(struct screen *s, const struct area *a)
{
	struct fresh *f = s->data;

	ask_draw(&f->ask, a);
	if (f->job != NULL && f->job->err.code != 0)
		draw_wrap(a, a->rows - 4, 1, a->cols - 2, 4, STYLE_BAD, f->job->err.text);
}

static void new_start(struct screen *s)
{
	struct fresh *f = s->data;
	struct answer w;

	if (strcmp(ask_get(&f->ask, "sure"), "yes") != 0) {
		ui_pop(s->ui);
		return;
	}
	if (!answer_init(&w, "open", true))
		return;
	answer_add(&w, "title", ask_get(&f->ask, "title"));
	answer_add(&w, "declared", ask_get(&f->ask, "declared"));
	f->job = answer_start(&w, s->ui);
	if (f->job != NULL)
		f->job->held++;
	else
		ask_reopen(&f->ask);
}

static bool new_key(struct screen *s, int key)
{
	struct fresh *f = s->data;

	if (ask_leaves(&f->ask, key))
		return false;
	if (f->job != NULL) {
		if (f->job->state == JOB_ENDED)
			ui_pop(s->ui);
		return true;
	}
	switch (ask_key(&f->ask, key)) {
	case ASK_BACK:
		ui_pop(s->ui);
		break;
	case ASK_DONE:
		new_start(s);
		break;
	case ASK_MORE:
		break;
	}
	return true;
}

static void new_ended(struct screen *s, struct job *j)
{
	struct fresh *f = s->data;
	struct ui *u = s->ui;

	if (j == f->job && j->status == EXIT_DONE) {
		ui_home(u); /* s is gone */
		ui_say(u, STYLE_GOOD, "%s", j->out.count > 0 ? j->out.line[0] : _("declared"));
	}
}

static const struct binding new_keys[] = {
	{ KEYC_ENTER, "Enter", N_("answer"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_new = {
	.name = "new",
	.title = N_("New incident"),
	.keys = new_keys,
	.open = new_open,
	.draw = new_draw,
	.typing = true,
	.key = new_key,
	.ended = new_ended,
	.done = new_done,
};
