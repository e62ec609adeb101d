/* What is owed after the hour: forensic report, root cause analysis, authorities. */
#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "board.h"
#include "list.h"
#include "theme.h"

#define DETAIL_ROWS 6

static const struct column columns[] = {
	{ N_("Follow-up"), 32, false },
	{ N_("due"), 17, false },
	{ N_("left"), 12, true },
	{ N_("state"), 8, false },
	{ "", 0, false },
};

struct followups {
	struct list list;
	struct job *job; /* the last one started from here */
	size_t *row;     /* those of the incident's that are owed by now */
	size_t rows;
	int n;           /* the follow-up that is asked about */
	bool reopen;
};

static void followups_open(struct screen *s, void *arg)
{
	(void)arg;
	s->data = mem_zalloc(1, sizeof(struct followups));
}

static void followups_done(struct screen *s)
{
	struct followups *v = s->data;

	if (v->job != NULL)
		v->job->held--;
	list_free(&v->list);
	free(v->row);
	free(v);
}

static void followups_row(const struct area *a, int row, const struct followup *f, const char *state, bool here)
{
	char title[160], due[32], left[40] = "";
	const char *text[] = { title, due, left, _(state), f->text };
	enum style st[] = { STYLE_PLAIN, STYLE_PLAIN, STYLE_PLAIN, theme_state(state), STYLE_DIM };

	snprintf(title, sizeof title, "%d %s", f->n, f->title);
	if (f->due < 0) {
		snprintf(due, sizeof due, "%s", f->kind[0] != '\0' ? "" : _("per regulation"));
	} else {
		show_minute(due, f->due);
		if (!f->done)
			clock_span(left, sizeof left, f->due - clock_now());
	}
	draw_row(a, row, here ? '>' : ' ', columns, 5, text, st);
}

static void followups_read(struct followups *v, const struct incident *in)
{
	v->rows = 0;
	for (size_t i = 0; in != NULL && i < in->followups; i++) {
		if (!model_owed(in, i))
			continue;
		v->row = mem_grow(v->row, v->rows + 1, sizeof *v->row);
		v->row[v->rows++] = i;
	}
}

static int detail_line(const struct area *a, int row, const char *label, const char *text)
{
	int n;

	if (text[0] == '\0' || row >= a->rows)
		return row;
	draw_text(a, row, 3, 14, STYLE_DIM, label);
	n = draw_wrap(a, row, 18, a->cols - 19, a->rows - row < 2 ? 1 : 2, STYLE_PLAIN, text);
	return row + (n > 0 ? n : 1);
}

/* All of the one at the cursor: its title whole, and of an action item what the report says of it. */
static void followups_detail(const struct area *a, int row, const struct followup *f, const char *state)
{
	char n[16], *title = mem_printf("%d %s", f->n, f->title);

	snprintf(n, sizeof n, "%s", _(state));
	draw_rule(a, row++, f->kind[0] != '\0' ? _("Action item") : _("Follow-up"), n);
	row += draw_wrap(a, row, 3, a->cols - 4, 2, STYLE_BOLD, title);
	row = detail_line(a, row, _("kind"), f->kind);
	row = detail_line(a, row, _("root causes"), f->cause);
	row = detail_line(a, row, _("criteria"), f->criteria);
	detail_line(a, row, _("result"), f->text);
	free(title);
}

static void followups_draw(struct screen *s, const struct area *a)
{
	const struct incident *in = model_incident(ui_engine(s->ui));
	struct followups *v = s->data;
	struct list *l = &v->list;
	size_t n;

	followups_read(v, in);
	if (v->rows == 0) {
		draw_text(a, 0, 1, a->cols - 2, STYLE_PLAIN, _("There is nothing to follow up."));
		return;
	}
	list_set(l, v->rows);
	list_height(l, (size_t)(a->rows > DETAIL_ROWS + 2 ? a->rows - 1 - DETAIL_ROWS : 1));
	draw_head(a, 0, columns, 5);
	for (size_t i = 0; (n = list_seen(l, i)) != LIST_NONE; i++)
		followups_row(a, 1 + (int)i, &in->followup[v->row[n]], model_owed_state(in, v->row[n]),
		    list_is_here(l, i));
	n = list_here(l);
	if (n < v->rows)
		followups_detail(a, a->rows - DETAIL_ROWS, &in->followup[v->row[n]], model_owed_state(in, v->row[n]));
}

static void followups_said(void *ctx, enum prompt_end end, const char *text)
{
	struct screen *s = ctx;
	struct followups *v = s->data;
	struct answer w;
	char n[16];

	if (end != PROMPT_DONE || !answer_init(&w, "followup", true))
		return;
	snprintf(n, sizeof n, "%d", v->n);
	args_add(w.args, "", n);
	answer_add(&w, v->reopen ? "reopen" : "done", text);
	if (v->job != NULL)
		v->job->held--;
	v->job = answer_start(&w, s->ui);
	if (v->job != NULL)
		v->job->held++;
}

static bool followups_key(struct screen *s, int key)
{
	const struct incident *in = model_incident(ui_engine(s->ui));
	struct followups *v = s->data;
	size_t here = list_here(&v->list);
	char words[48];

	if (key == 'n') {
		ui_ask_command(s->ui, "action add ");
		return true;
	}
	if (keymap_act(key) != ACT_ENTER && key != 'e')
		return ui_list_key(&v->list, key);
	if (in == NULL || here >= v->rows || v->row[here] >= in->followups)
		return true;
	if (key == 'e') {
		snprintf(words, sizeof words, "action set %d ", in->followup[v->row[here]].n);
		ui_ask_command(s->ui, words);
		return true;
	}
	v->n = in->followup[v->row[here]].n;
	v->reopen = in->followup[v->row[here]].done;
	ui_ask(s->ui, v->reopen ? _("Open it again, why?") : _("Done: what came of it?"),
	    _("Enter writes it to the journal, Esc gives up"), "", followups_said, s);
	return true;
}

static void followups_ended(struct screen *s, struct job *j)
{
	struct followups *v = s->data;

	if (j == v->job && j->err.code != 0)
		ui_say_err(s->ui, &j->err);
}

static const struct binding followups_keys[] = {
	{ KEYC_ENTER, "Enter", N_("done, with a remark"), NULL },
	{ 'n', "n", N_("new action item"), NULL },
	{ 'e', "e", N_("change it"), NULL },
	{ KEYC_UP, "Up Down", N_("move"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_followups = {
	.name = "followups",
	.title = N_("Follow-ups"),
	.keys = followups_keys,
	.open = followups_open,
	.draw = followups_draw,
	.key = followups_key,
	.ended = followups_ended,
	.done = followups_done,
};
