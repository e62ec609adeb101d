/* A plan, before it runs: what will be done, the exact commands, the hash, and the phrase to type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "screen.h"

struct plan_view {
	struct job *job;
	struct edit edit;
	struct err err;
	size_t top, total, seen; /* lines below the rows: first, how many, how many are seen */
};

static void plan_open(struct screen *s, void *arg)
{
	struct plan_view *v = mem_zalloc(1, sizeof *v);

	v->job = arg;
	v->job->held++;
	edit_init(&v->edit, "", NULL);
	s->data = v;
	s->title = mem_strdup(v->job->title);
}

static void plan_done(struct screen *s)
{
	struct plan_view *v = s->data;

	v->job->held--;
	edit_free(&v->edit);
	free(v);
}

static int plan_draw_rows(const struct area *a, int row, int end, const struct job *j)
{
	const json_t *r;
	size_t i;

	json_array_foreach(j->rows, i, r) {
		const char *label = json_string_value(json_array_get(r, 0));
		const char *value = json_string_value(json_array_get(r, 1));
		if (row >= end)
			break;
		draw_text(a, row, 3, 20, STYLE_DIM, label);
		row += draw_wrap(a, row, 24, a->cols - 25, 4, STYLE_PLAIN, value != NULL ? value : "");
		row += value == NULL || value[0] == '\0';
	}
	return row;
}

/* The lines from v->top on, below their rule; each may take several rows, so that a command is seen
 * whole. */
static void plan_draw_lines(const struct area *a, int row, int end, struct plan_view *v)
{
	const struct job *j = v->job;
	char note[80];
	int at = row + 1, n;

	v->total = json_array_size(j->lines);
	v->seen = 0;
	if (v->total == 0 || at >= end)
		return;
	if (v->top >= v->total)
		v->top = v->total - 1;
	for (size_t i = v->top; i < v->total && at < end; i++) {
		const char *line = json_string_value(json_array_get(j->lines, i));
		n = draw_wrap(a, at, 3, a->cols - 4, end - at, STYLE_PLAIN, line != NULL ? line : "");
		at += n > 0 ? n : 1;
		v->seen++;
	}
	snprintf(note, sizeof note, _("%zu to %zu of %zu, arrows scroll"), v->top + 1, v->top + v->seen,
	    v->total);
	draw_rule(a, row, _("what is run, or concerned"), note);
}

static void plan_draw(struct screen *s, const struct area *a)
{
	struct plan_view *v = s->data;
	const struct job *j = v->job;
	/* From below: what is typed, the question, the equivalent, a rule. */
	int ask = a->rows - 1, row;

	row = plan_draw_rows(a, 0, ask - 7, j);
	plan_draw_lines(a, row, ask - 4, v);
	draw_rule(a, ask - 4, NULL, NULL);
	draw_same(a, ask - 3, j);
	if (j->state != JOB_PLANNED)
		draw_text(a, ask - 1, 1, a->cols - 2, STYLE_WARN, _("This plan is no longer waiting. Esc goes back."));
	else if (v->err.code != 0)
		draw_text(a, ask - 1, 1, a->cols - 2, STYLE_BAD, v->err.text);
	else
		draw_printf(a, ask - 1, 1, a->cols - 2, STYLE_BOLD, _("Type  %s  to go on, or Esc."), j->phrase);
	draw_text(a, ask, 1, 1, STYLE_BOLD, ">");
	prompt_draw_edit(a, ask, 3, a->cols - 4, &v->edit);
}

static void plan_confirm(struct screen *s)
{
	struct plan_view *v = s->data;
	struct job *j = v->job;

	if (v->edit.len == 0)
		return;
	v->err.code = 0;
	if (jobs_confirm(ui_jobs(s->ui), j, v->edit.text, &v->err) < 0) {
		edit_set(&v->edit, "");
		return;
	}
	if (strcmp(j->command->name, "reissue") == 0)
		ui_replace(s->ui, &scr_fleet, j);
	else if (j->state == JOB_ENDED)
		ui_replace(s->ui, &scr_result, j);
	else
		ui_replace(s->ui, &scr_progress, j);
}

static bool plan_key(struct screen *s, int key)
{
	struct plan_view *v = s->data;
	enum act act = keymap_act(key);

	if (key == KEYC_ESC) {
		if (v->job->state == JOB_PLANNED)
			jobs_cancel(ui_jobs(s->ui), v->job, _("given up at the plan"));
		v->job->quiet = true;
		ui_say(s->ui, STYLE_PLAIN, _("%s: given up, nothing was done."), v->job->command->name);
		ui_pop(s->ui);
		return true;
	}
	if (act == ACT_ENTER) {
		plan_confirm(s);
		return true;
	}
	if (key == KEYC_DOWN && v->top + v->seen < v->total)
		v->top++;
	else if (key == KEYC_UP && v->top > 0)
		v->top--;
	else if (key == KEYC_PAGE_DOWN && v->top + v->seen < v->total)
		v->top += v->seen > 0 ? v->seen : 1;
	else if (key == KEYC_PAGE_UP)
		v->top = v->top > v->seen ? v->top - v->seen : 0;
	else if (act == ACT_REDRAW || key == KEYC_F1)
		return false;
	else if (edit_key(&v->edit, key))
		v->err.code = 0;
	return true;
}

/* After giving up, the run's own ending is no news. */
static void plan_ended(struct screen *s, struct job *j)
{
	struct plan_view *v = s->data;

	if (j == v->job && j->err.code != 0)
		v->err = j->err;
}

static const struct binding plan_keys[] = {
	{ KEYC_ENTER, "Enter", N_("confirm the typed phrase"), NULL },
	{ KEYC_UP, "Up Down PgUp PgDn", N_("scroll"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_plan = {
	.name = "plan",
	.title = N_("Plan"),
	.keys = plan_keys,
	.open = plan_open,
	.draw = plan_draw,
	.typing = true,
	.key = plan_key,
	.ended = plan_ended,
	.done = plan_done,
};
