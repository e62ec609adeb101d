/* Declare a new incident; from a problem report, with what it says, and triage comes next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "app/model.h"
#include "ask.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "board.h"

struct fresh {
	struct ask ask;
	struct job *job;
	char *report, *subject, *said; /* of a problem report: its id, and what it is in a line; NULL without one */
};

static char *new_known(const struct ask *a, void *ctx)
{
	const struct fresh *f = ctx;

	(void)a;
	return f->subject[0] != '\0' ? mem_strdup(f->subject) : NULL;
}

static void new_sure(struct ask *a, void *ctx)
{
	(void)ctx;
	ask_choice(a, "yes", _("Declare it: the one-hour clock runs from then"));
	ask_choice(a, "no", _("Go back, declare nothing"));
}

static const struct ask_item items[] = {
	{ .name = "title", .title = N_("Title"), .question = N_("What has happened, in a few words?"),
	    .hint = N_("As it shall stand in the header and in the report. Triage asks the rest."),
	    .optional = true, .known = new_known },
	{ .name = "declared", .title = N_("Declared"), .question = N_("When was it declared?"), .preset = "now",
	    .hint = N_("now, -20m, or a time with its zone: 2026-08-31T02:14Z"), .check = answer_time },
	{ .name = "sure", .title = N_("Declare"), .question = N_("Declare a REAL incident?"), .menu = new_sure },
	{ .name = NULL },
};

static void new_open(struct screen *s, void *arg)
{
	struct fresh *f = mem_zalloc(1, sizeof *f);
	const struct report_entry *r = arg;
	char at[32];

	s->data = f;
	ask_init(&f->ask, items, f);
	if (r == NULL)
		return;
	f->report = mem_strdup(r->id);
	f->subject = mem_strdup(r->subject);
	f->said = mem_printf(_("%s: first received %s by %s"), r->id, show_minute(at, r->received), r->channel);
	ask_source(&f->ask, f->report);
}

static void new_done(struct screen *s)
{
	struct fresh *f = s->data;

	if (f->job != NULL)
		f->job->held--;
	ask_free(&f->ask);
	free(f->report);
	free(f->subject);
	free(f->said);
	free(f);
}

static void new_draw(struct screen *s, const struct area *a)
{
	struct fresh *f = s->data;
	struct area below = *a;

	if (f->said != NULL) {
		draw_text(a, 0, 1, a->cols - 2, STYLE_BOLD, f->said);
		below = frame_area(a->f, a->top + 2, a->left, a->rows - 2, a->cols);
	}
	ask_draw(&f->ask, &below);
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
	answer_add(&w, "report", f->report);
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
	bool report = f->report != NULL;

	if (j == f->job && j->status == EXIT_DONE) {
		ui_home(u); /* s is gone */
		if (report) /* its answers wait there */
			ui_do(u, "triage");
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
