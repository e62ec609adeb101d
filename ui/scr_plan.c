/* A plan, before it runs: what will be done, the exact commands, the hash, and the phrase to type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "screen.h"

#define PLAN_LINES 20000 /* rows of the whole that can be scrolled through */

struct plan_view {
	struct job *job;
	struct edit edit;
	struct err err;
	struct frame *page; /* the whole plan, as wide as the screen; drawn once */
	int height;         /* its rows in use */
	int top, seen;      /* the window on it */
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
	frame_free(v->page);
	free(v);
}

static int plan_page_row(const struct area *a, int row, const json_t *r)
{
	const char *label = json_string_value(json_array_get(r, 0));
	const char *value = json_string_value(json_array_get(r, 1));
	/* A long label pushes its own value aside, not the column. */
	int at = label != NULL && text_columns(label) > 20 ? text_columns(label) + 5 : 24, n;

	at = at < a->cols / 2 ? at : a->cols / 2;
	draw_text(a, row, 3, at - 4, STYLE_DIM, label);
	n = draw_wrap(a, row, at, a->cols - at - 1, 50, STYLE_PLAIN, value != NULL ? value : "");
	return row + (n > 0 ? n : 1);
}

/* Rows, then every line of what is run; each as long as it is: nothing of a plan is out of reach. */
static int plan_page_draw(const struct area *a, const struct job *j)
{
	const json_t *r;
	int row = 0, n;
	size_t i;

	json_array_foreach(j->rows, i, r)
		row = plan_page_row(a, row, r);
	if (json_array_size(j->lines) > 0)
		draw_rule(a, row++, _("what is run, or concerned"), NULL);
	json_array_foreach(j->lines, i, r) {
		const char *line = json_string_value(r);
		n = draw_wrap(a, row, 3, a->cols - 4, 50, STYLE_PLAIN, line != NULL ? line : "");
		row += n > 0 ? n : 1;
	}
	return row < a->rows ? row : a->rows;
}

static void plan_page(struct plan_view *v, int cols)
{
	struct frame *measure;
	struct area a;
	int rows;

	if (v->page != NULL && v->page->cols == cols)
		return;
	frame_free(v->page);
	/* Count first: a frame of one row takes the drawing in and tells its height. */
	measure = frame_new(1, cols);
	a = frame_area(measure, 0, 0, PLAN_LINES, cols);
	rows = plan_page_draw(&a, v->job);
	frame_free(measure);
	v->page = frame_new(rows, cols);
	a = frame_area(v->page, 0, 0, v->page->rows, cols);
	v->height = plan_page_draw(&a, v->job);
}

static void plan_draw_page(struct plan_view *v, const struct area *a, int rows)
{
	char note[80] = "";

	plan_page(v, a->cols);
	v->seen = rows;
	if (v->top + rows > v->height)
		v->top = v->height > rows ? v->height - rows : 0;
	for (int i = 0; i < rows && v->top + i < v->height; i++)
		frame_copy(v->page, v->top + i, a, i);
	if (v->height > rows)
		snprintf(note, sizeof note, _("lines %d to %d of %d, arrows scroll"), v->top + 1, v->top + rows, v->height);
	draw_rule(a, rows, NULL, note);
}

static void plan_draw(struct screen *s, const struct area *a)
{
	struct plan_view *v = s->data;
	const struct job *j = v->job;
	/* From below: what is typed, the question, the equivalent, a rule. */
	int ask = a->rows - 1;

	plan_draw_page(v, a, ask - 4);
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
	struct ui *u = s->ui;

	if (v->edit.len == 0)
		return;
	v->err.code = 0;
	if (jobs_confirm(ui_jobs(s->ui), j, v->edit.text, &v->err) < 0) {
		edit_set(&v->edit, "");
		return;
	}
	ui_say(u, STYLE_PLAIN, "%s", ""); /* what it said at once is on its own screen */
	ui_replace(u, strcmp(j->command->name, "reissue") == 0 ? &scr_fleet :
	    j->state == JOB_ENDED ? &scr_result : &scr_progress, j);
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
	/* Bounds are kept where it is drawn. */
	if (key == KEYC_DOWN)
		v->top++;
	else if (key == KEYC_UP)
		v->top -= v->top > 0;
	else if (key == KEYC_PAGE_DOWN)
		v->top += v->seen - 1;
	else if (key == KEYC_PAGE_UP)
		v->top = v->top >= v->seen ? v->top - v->seen + 1 : 0;
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
