/* A confirmed job at work: how far, how fast, what it does now, what has happened. */
#include <stdio.h>
#include <string.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "screen.h"

static void progress_open(struct screen *s, void *arg)
{
	struct job *j = arg;

	s->data = j;
	j->held++;
	if (j->title != NULL)
		s->title = mem_strdup(j->title);
}

static void progress_done(struct screen *s)
{
	struct job *j = s->data;

	j->held--;
}

static void progress_draw_rate(const struct area *a, int row, const struct job *j)
{
	int64_t ms = (j->state == JOB_ENDED ? j->ended : clock_mono()) - j->began;
	char done[32], total[32], speed[32], span[40];
	double rate;

	if (j->total <= 0 || j->done <= 0 || ms < 100)
		return;
	rate = (double)j->done * 1000 / (double)ms;
	draw_printf(a, row, 3, a->cols - 4, STYLE_PLAIN, _("%s of %s   %s/s   %s left"),
	    text_count(done, j->done), text_count(total, j->total), text_count(speed, (long long)rate),
	    clock_span(span, sizeof span, (int64_t)((double)(j->total - j->done) / rate * 1000)));
}

static void progress_draw(struct screen *s, const struct area *a)
{
	const struct job *j = s->data;
	size_t room = (size_t)(a->rows > 7 ? a->rows - 7 : 0), from;
	int row = 6;

	draw_bar(a, 1, 3, a->cols - 6, j->done, j->total);
	progress_draw_rate(a, 2, j);
	draw_text(a, 3, 3, a->cols - 4, STYLE_BUSY,
	    j->text != NULL && j->text[0] != '\0' ? j->text : _("working"));
	draw_rule(a, 5, _("What has happened"), NULL);
	from = j->said.count > room ? j->said.count - room : 0;
	for (size_t i = from; i < j->said.count; i++)
		draw_text(a, row++, 3, a->cols - 4, STYLE_PLAIN, j->said.line[i]);
}

static void progress_stop(void *ctx, enum prompt_end end, const char *text)
{
	struct screen *s = ctx;

	(void)text;
	if (end == PROMPT_DONE)
		jobs_cancel(ui_jobs(s->ui), s->data, _("stopped by the operator"));
}

static bool progress_key(struct screen *s, int key)
{
	const struct job *j = s->data;

	if (key == 'x' && j->state == JOB_GOING) {
		ui_ask_phrase(s->ui, _("Type STOP to stop it:"),
		    _("What is done stays done; started again, it goes on from there. Esc lets it run."),
		    "STOP", progress_stop, s);
		return true;
	}
	return false;
}

static const struct binding progress_keys[] = {
	{ 'x', "x", N_("stop it"), NULL },
	{ KEYC_ESC, "Esc", N_("leave it running"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_progress = {
	.name = "progress",
	.title = N_("At work"),
	.keys = progress_keys,
	.open = progress_open,
	.draw = progress_draw,
	.key = progress_key,
	.done = progress_done,
};
