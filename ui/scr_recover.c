/* Recovery: the replacement issuer, one of the spare CAs, a new intermediate or a new root made in a
 * witnessed ceremony; then the re-issue. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "app/model.h"
#include "ask.h"
#include "asked.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "term.h"

struct recover {
	struct screen *screen;
	struct ask ask;
	struct job *job;
};

static const struct incident *recover_incident(const struct recover *r)
{
	return model_incident(ui_engine(r->screen->ui));
}

static void recover_open(struct screen *s, void *arg)
{
	struct recover *r = mem_zalloc(1, sizeof *r);

	(void)arg;
	r->screen = s;
	s->data = r;
	ask_init(&r->ask, recover_items, ui_engine(s->ui));
}

static void recover_done(struct screen *s)
{
	struct recover *r = s->data;

	if (r->job != NULL)
		r->job->held--;
	ask_free(&r->ask);
	free(r);
}

static void recover_draw(struct screen *s, const struct area *a)
{
	struct recover *r = s->data;
	const struct incident *in = recover_incident(r);
	struct answer w;
	int row;

	ask_draw(&r->ask, a);
	if (in != NULL && in->issuer != NULL)
		draw_printf(a, a->rows - 1, 1, a->cols - 2, STYLE_DIM, _("chosen now: %s, fingerprint %.32s..."),
		    in->issuer->name, in->issuer->fingerprint);
	if (!ask_done(&r->ask))
		return;
	row = 1;
	for (size_t i = 0; i < r->ask.count; i++)
		row += r->ask.answer[i] != NULL;
	row = row < a->rows - 7 ? row : a->rows - 7;
	if (r->job != NULL && r->job->err.code != 0) {
		row += draw_wrap(a, row, 3, a->cols - 4, 4, STYLE_BAD, r->job->err.text);
		draw_wrap(a, row, 3, a->cols - 4, 2, STYLE_WARN, r->job->err.remedy);
	} else if (answer_init(&w, "recover", false)) {
		recover_words(&r->ask, &w);
		char *same = mem_printf("sev1 %s", buf_str(&w.words));
		row += draw_wrap(a, row, 1, a->cols - 2, 4, STYLE_DIM, same);
		free(same);
		draw_text(a, row + 1, 1, a->cols - 2, STYLE_BOLD,
		    r->job != NULL ? _("At work ...") : _("Enter does this, Esc goes back."));
		answer_free(&w);
	}
}

static void recover_start(struct recover *r)
{
	struct ui *u = r->screen->ui;
	struct answer w;
	struct job *j;

	if (!answer_init(&w, "recover", true)) {
		ui_say(u, STYLE_BAD, _("There is no command \"recover\" in this build."));
		return;
	}
	recover_words(&r->ask, &w);
	if ((j = answer_start(&w, u)) == NULL)
		return;
	if (r->job != NULL)
		r->job->held--;
	r->job = j;
	j->held++;
}

static bool recover_key(struct screen *s, int key)
{
	struct recover *r = s->data;
	struct ui *u = s->ui;

	if (ask_leaves(&r->ask, key))
		return false;
	if (ask_done(&r->ask)) {
		bool busy = r->job != NULL && r->job->state != JOB_ENDED;
		if (key == KEYC_ESC && busy)
			ui_pop(u);
		else if (key == KEYC_ESC)
			ask_reopen(&r->ask);
		else if (keymap_act(key) == ACT_ENTER && !busy)
			recover_start(r);
		return true;
	}
	switch (ask_key(&r->ask, key)) {
	case ASK_BACK:
		ui_pop(u);
		break;
	case ASK_DONE:
		if (strcmp(ask_get(&r->ask, "how"), "reissue") == 0) {
			ui_pop(u);
			ui_do(u, "reissue");
		}
		break;
	case ASK_MORE:
		break;
	}
	return true;
}

/* The plan takes this screen's place; from here on the job is like any other. */
static void recover_planned(struct screen *s, struct job *j)
{
	struct recover *r = s->data;

	if (j != r->job)
		return;
	j->quiet = false;
	j->shown = true;
	term_flush();
	ui_replace(s->ui, &scr_plan, j);
}

static void recover_ended(struct screen *s, struct job *j)
{
	struct recover *r = s->data;
	struct ui *u = s->ui;

	if (j != r->job || j->status != EXIT_DONE)
		return;
	if (j->out.count > 0) {
		ui_replace(u, &scr_output, j);
		return;
	}
	ui_home(u); /* s is gone */
	ui_say(u, STYLE_GOOD, "recover: %s", j->said.count > 0 ? j->said.line[j->said.count - 1] : _("done"));
}

static const struct binding recover_keys[] = {
	{ KEYC_ENTER, "Enter", N_("answer"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_recover = {
	.name = "recover",
	.title = N_("Recovery"),
	.keys = recover_keys,
	.open = recover_open,
	.draw = recover_draw,
	.typing = true,
	.key = recover_key,
	.planned = recover_planned,
	.ended = recover_ended,
	.done = recover_done,
};
