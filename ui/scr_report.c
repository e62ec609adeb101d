/* The reports that are owed: what is known, what is missing, what contradicts itself; give a field, write one. */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "app/model.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "list.h"
#include "theme.h"

static const struct column columns[] = {
	{ N_("Field"), 22, false },
	{ N_("state"), 8, false },
	{ N_("text"), 0, false },
};

struct report_screen {
	struct report_view view;
	struct list list;
	size_t kind;
	bool lint;
	int64_t seq; /* of the journal, as it was read; -1 never */
	struct err err;
	struct job *job;
	char *field; /* that is asked for */
};

static void report_open(struct screen *s, void *arg)
{
	struct report_screen *v = mem_zalloc(1, sizeof *v);

	(void)arg;
	v->seq = -1;
	s->data = v;
}

static void report_done(struct screen *s)
{
	struct report_screen *v = s->data;

	if (v->job != NULL)
		v->job->held--;
	model_report_free(&v->view);
	list_free(&v->list);
	free(v->field);
	free(v);
}

static void report_read(struct screen *s)
{
	struct report_screen *v = s->data;
	const struct incident *in = model_incident(ui_engine(s->ui));

	if (in == NULL || in->last_seq == v->seq)
		return;
	v->seq = in->last_seq;
	v->err = (struct err){ 0 };
	model_report_free(&v->view);
	(void)model_report(ui_engine(s->ui), model_report_kind(v->kind), v->lint, &v->view, &v->err);
	list_set(&v->list, v->view.rows);
}

static enum style report_style(const char *state)
{
	return strcmp(state, "missing") == 0 ? STYLE_BAD : strcmp(state, "given") == 0 ? STYLE_GOOD : STYLE_DIM;
}

static void report_row(const struct report_screen *v, const struct area *a, int row, size_t n, bool here)
{
	const struct report_row *f = &v->view.row[n];
	char *first = mem_strndup(f->text, strcspn(f->text, "\n"));
	const char *text[] = { f->name, _(f->state), first };
	enum style st[] = { STYLE_PLAIN, report_style(f->state), STYLE_PLAIN };

	if (v->lint) {
		draw_text(a, row, 1, 1, STYLE_BOLD, here ? ">" : " ");
		draw_text(a, row, 3, a->cols - 4, STYLE_PLAIN, f->name);
	} else {
		draw_row(a, row, here ? '>' : ' ', columns, 3, text, st);
	}
	free(first);
}

static void report_draw(struct screen *s, const struct area *a)
{
	struct report_screen *v = s->data;
	size_t n, here;

	report_read(s);
	draw_printf(a, 0, 1, a->cols - 2, v->view.findings > 0 ? STYLE_WARN : STYLE_GOOD,
	    _("The %s report: %zu fields missing, %zu findings"), model_report_kind(v->kind), v->view.missing, v->view.findings);
	if (v->err.code != 0) {
		draw_wrap(a, 2, 1, a->cols - 2, 4, STYLE_BAD, v->err.text);
		return;
	}
	if (v->view.rows == 0) {
		draw_text(a, 2, 1, a->cols - 2, STYLE_GOOD, _("It lacks nothing that can be told from here."));
		return;
	}
	if (!v->lint)
		draw_head(a, 1, columns, 3);
	list_height(&v->list, (size_t)(a->rows > 8 ? a->rows - 6 : 2));
	for (size_t i = 0; (n = list_seen(&v->list, i)) != LIST_NONE; i++)
		report_row(v, a, 2 + (int)i, n, list_is_here(&v->list, i));
	here = list_here(&v->list);
	if (here >= v->view.rows)
		return;
	draw_rule(a, a->rows - 4, v->lint ? _("what mends it") : v->view.row[here].name, NULL);
	if (v->lint)
		draw_wrap(a, a->rows - 3, 1, a->cols - 2, 2, STYLE_PLAIN, v->view.row[here].name);
	draw_wrap(a, a->rows - (v->lint ? 1 : 3), 1, a->cols - 2, v->lint ? 1 : 3, STYLE_DIM, v->view.row[here].text);
}

static void report_run(struct screen *s, struct answer *w)
{
	struct report_screen *v = s->data;

	if (v->job != NULL)
		v->job->held--;
	v->job = answer_start(w, s->ui);
	if (v->job != NULL)
		v->job->held++;
}

static void report_start(struct screen *s, const char *flag, const char *name, const char *value)
{
	struct report_screen *v = s->data;
	struct answer w;

	if (!answer_init(&w, "report", true))
		return;
	if (name == NULL || (strcmp(name, "set") != 0 && strcmp(name, "kind") != 0))
		answer_add(&w, "kind", model_report_kind(v->kind));
	else if (strcmp(name, "kind") == 0)
		answer_add(&w, "format", "html");
	if (flag != NULL)
		answer_flag(&w, flag);
	if (name != NULL)
		answer_add(&w, name, value);
	report_run(s, &w);
}

static void report_said(void *ctx, enum prompt_end end, const char *text)
{
	struct screen *s = ctx;
	struct report_screen *v = s->data;
	char *set;

	if (end != PROMPT_DONE)
		return;
	set = mem_printf("%s=%s", v->field, text);
	report_start(s, NULL, "set", set);
	free(set);
}

/* A line of the prompt stands for all lines of the field. */
static void report_ask(struct screen *s)
{
	struct report_screen *v = s->data;
	const struct report_row *f;
	struct buf text = { 0 };
	size_t here = list_here(&v->list);

	if (v->lint || here >= v->view.rows)
		return;
	f = &v->view.row[here];
	free(v->field);
	v->field = mem_strdup(f->name);
	for (const char *p = strcmp(f->state, "given") == 0 || strcmp(f->state, "journal") == 0 ? f->text : ""; *p != '\0'; p++) {
		if (*p == '\n')
			buf_adds(&text, "\\n");
		else
			buf_addc(&text, *p);
	}
	ui_ask(s->ui, f->name, _("Enter writes it to the journal; \\n begins a new line; N/A where it does not apply"),
	    buf_str(&text), report_said, s);
	buf_free(&text);
}

static bool report_key(struct screen *s, int key)
{
	struct report_screen *v = s->data;

	report_read(s); /* a key before may have asked for other rows */
	if (keymap_act(key) == ACT_ENTER) {
		report_ask(s);
		return true;
	}
	switch (key) {
	case '\t':
	case 't':
		v->kind = model_report_kind(v->kind + 1) != NULL ? v->kind + 1 : 0;
		v->seq = -1;
		list_first(&v->list);
		return true;
	case 'v':
		v->lint = !v->lint;
		v->seq = -1;
		list_first(&v->list);
		return true;
	case 'w':
		report_start(s, NULL, NULL, NULL);
		return true;
	case 'x':
		report_start(s, "appendix", NULL, NULL);
		return true;
	case 'H':
		report_start(s, NULL, "format", "html");
		return true;
	case 'A':
		report_start(s, NULL, "kind", "after-action");
		return true;
	default:
		return ui_list_key(&v->list, key);
	}
}

static void report_ended(struct screen *s, struct job *j)
{
	struct report_screen *v = s->data;

	if (j != v->job)
		return;
	if (j->err.code != 0)
		ui_say_err(s->ui, &j->err);
	else if (j->out.count > 0)
		ui_say(s->ui, STYLE_GOOD, "%s", j->out.line[0]);
}

static const struct binding report_keys[] = {
	{ KEYC_ENTER, "Enter", N_("give it"), NULL },
	{ 't', "t", N_("next report"), NULL },
	{ 'v', "v", N_("fields, findings"), NULL },
	{ 'w', "w", N_("write"), NULL },
	{ 'x', "x", N_("appendix"), NULL },
	{ 'H', "H", N_("HTML"), NULL },
	{ 'A', "A", N_("after-action, in HTML"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_report = {
	.name = "report",
	.title = N_("Reports"),
	.keys = report_keys,
	.open = report_open,
	.draw = report_draw,
	.key = report_key,
	.ended = report_ended,
	.done = report_done,
};
