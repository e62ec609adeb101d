/* How a job ended: what happened, the evidence, what comes next. */
#include <string.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "screen.h"
#include "theme.h"

static void result_open(struct screen *s, void *arg)
{
	struct job *j = arg;

	s->data = j;
	j->held++;
	j->shown = true;
	if (j->title != NULL)
		s->title = mem_strdup(j->title);
}

static void result_done(struct screen *s)
{
	struct job *j = s->data;

	j->held--;
}

static const char *result_word(const struct job *j)
{
	switch (j->status) {
	case EXIT_DONE:
		return _("Done.");
	case EXIT_PARTIAL:
		return _("Done in part.");
	case EXIT_REFUSED:
		return j->confirmed ? _("Stopped.") : _("Refused; nothing was done.");
	default:
		return _("Failed.");
	}
}

static int result_lines(const struct area *a, int row, int end, const struct lines *l)
{
	size_t room = end > row ? (size_t)(end - row) : 0;
	size_t from = l->count > room ? l->count - room : 0;

	for (size_t i = from; i < l->count && row < end; i++) {
		/* A digest is read in one piece: a deep indent gives way to it. */
		const char *line = l->line[i];
		size_t lead = strspn(line, " ");
		if (lead > 4 && text_columns(line) > a->cols - 4)
			line += lead - 4;
		row += draw_wrap(a, row, 3, a->cols - 4, end - row, STYLE_PLAIN, line);
	}
	return row;
}

static void result_draw_next(const struct screen *s, const struct area *a, int row)
{
	const struct incident *in = model_incident(ui_engine(s->ui));
	const struct checkpoint *next = in != NULL ? incident_next(in) : NULL;

	if (next != NULL)
		draw_printf(a, row, 1, a->cols - 2, STYLE_PLAIN, _("Next: %d %s  (%s)"), next->n, next->title,
		    next->command);
	else if (in != NULL)
		draw_text(a, row, 1, a->cols - 2, STYLE_GOOD, _("Every checkpoint is closed. :report writes the report."));
}

static void result_draw(struct screen *s, const struct area *a)
{
	const struct job *j = s->data;
	enum style st = j->status == EXIT_DONE ? STYLE_GOOD : j->status == EXIT_PARTIAL ? STYLE_WARN : STYLE_BAD;
	int row = 1, end = a->rows - 5;
	char took[40];

	draw_printf(a, 0, 1, a->cols - 2, st, "%s", result_word(j));
	draw_right(a, 0, a->cols - 1, STYLE_DIM, clock_span(took, sizeof took, j->ended - j->began));
	if (j->err.code != 0) {
		row += draw_wrap(a, row, 3, a->cols - 4, 5, STYLE_PLAIN, j->err.text);
		if (j->err.remedy[0] != '\0')
			row += draw_wrap(a, row, 3, a->cols - 4, 3, STYLE_WARN, j->err.remedy);
	}
	row++;
	if (j->said.count + j->out.count > 0) {
		draw_rule(a, row++, _("What happened"), NULL);
		row = result_lines(a, row, end, &j->said);
		row = result_lines(a, row, end, &j->out);
	}
	draw_rule(a, a->rows - 4, NULL, NULL);
	result_draw_next(s, a, a->rows - 3);
	draw_same(a, a->rows - 2, j);
}

static bool result_key(struct screen *s, int key)
{
	struct job *j = s->data;

	if (keymap_act(key) == ACT_ENTER) {
		ui_pop(s->ui);
		return true;
	}
	if (key == 'o' && j->out.count > 0) {
		ui_push(s->ui, &scr_output, j);
		return true;
	}
	return false;
}

static const struct binding result_keys[] = {
	{ KEYC_ENTER, "Enter", N_("go on"), NULL },
	{ 'o', "o", N_("all of its answer"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_result = {
	.name = "result",
	.title = N_("Result"),
	.keys = result_keys,
	.open = result_open,
	.draw = result_draw,
	.key = result_key,
	.done = result_done,
};
