/* The frame around every screen: whose incident, which kind, armed or not, the clocks, the message
 * line, the footer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "term.h"
#include "theme.h"
#include "ui_state.h"

#define MESSAGE_LINES 3

bool ui_too_small(const struct ui *u)
{
	return u->frame != NULL && (u->frame->rows < UI_ROWS || u->frame->cols < UI_COLS);
}

/* "REAL  OBSERVE  02:26:41Z" from the right; returns where it begins. */
static int chrome_status(const struct ui *u, const struct area *a, const struct incident *in)
{
	char now[32];
	int end = a->cols - 1;
	const char *mode = model_armed(u->en) ? _("ARMED") : _("OBSERVE"), *kind;

	clock_time(now, sizeof now, clock_now());
	draw_right(a, 0, end, STYLE_BOLD, now);
	end -= (int)strlen(now) + 2;
	draw_right(a, 0, end, model_armed(u->en) ? STYLE_ARMED : STYLE_PLAIN, mode);
	end -= text_columns(mode) + 2;
	if (in == NULL)
		return end;
	kind = in->drill ? _(" DRILL ") : _(" REAL ");
	draw_right(a, 0, end, in->drill ? STYLE_DRILL : STYLE_REAL, kind);
	end -= text_columns(kind) + 1;
	if (in->closed) {
		draw_right(a, 0, end, STYLE_BOLD, _("CLOSED"));
		end -= text_columns(_("CLOSED")) + 2;
	}
	return end;
}

struct clock_text {
	char text[120];
	enum style style;
};

/* word: what follows while it runs. */
static struct clock_text chrome_clock(const char *name, int64_t left, const char *word)
{
	struct clock_text c = { .style = theme_clock(left) };
	char span[40];

	if (left > 0)
		left += 999; /* up, as T+ is down: the two add up */
	if (left == INT64_MIN)
		snprintf(c.text, sizeof c.text, "%s --:--:--", name);
	else
		snprintf(c.text, sizeof c.text, "%s %s%s", name, clock_span(span, sizeof span, llabs(left)),
		    left < 0 ? _(" late") : word);
	return c;
}

/* As far apart as the line has room. */
static void chrome_clocks(const struct area *a, const struct incident *in)
{
	int64_t now = clock_now();
	struct clock_text c[] = {
		{ .style = STYLE_PLAIN },
		chrome_clock(_("RTO"), incident_rto_left(in, now), _(" left")),
		chrome_clock(_("deadline"), incident_deadline_left(in, now), _(" left")),
		chrome_clock(_("CRL fuse"), incident_fuse_left(in, now), ""),
	};
	const int n = (int)(sizeof c / sizeof c[0]);
	int col = 1, gap = 3, wide = 1;
	char span[40];

	snprintf(c[0].text, sizeof c[0].text, "T+%s", clock_span(span, sizeof span, now - in->declared));
	for (int i = 0; i < n; i++)
		wide += text_columns(c[i].text);
	while (gap > 1 && wide + gap * (n - 1) > a->cols)
		gap--;
	for (int i = 0; i < n; i++)
		col += draw_text(a, 1, col, a->cols - col, c[i].style, c[i].text) + gap;
}

static void chrome_head(const struct ui *u, const struct area *a)
{
	const struct incident *in = model_incident(u->en);
	int end = chrome_status(u, a, in), col;

	if (in == NULL) {
		draw_text(a, 0, 1, end - 1, STYLE_BOLD, "sev1");
		draw_text(a, 1, 1, a->cols - 2, STYLE_DIM, _("no incident is open"));
		return;
	}
	col = 1 + draw_text(a, 0, 1, end - 1, STYLE_BOLD, in->id) + 1;
	draw_text(a, 0, col, end - col, STYLE_PLAIN, in->title);
	chrome_clocks(a, in);
}

/* One line of what is at work, where there is no message; false where nothing is. A plan that waits for its phrase is not. */
static bool chrome_busy(const struct ui *u, const struct area *a, int row)
{
	const struct job *j, *last = NULL;
	char count[80] = "", done[32], total[32];
	size_t n = 0;

	for (size_t i = 0; (j = jobs_at(u->jobs, i)) != NULL; i++) {
		if (j->state != JOB_WORKING && j->state != JOB_GOING)
			continue;
		last = j;
		n++;
	}
	if (last == NULL)
		return false;
	if (last->total > 0)
		snprintf(count, sizeof count, _("%s of %s  "), text_count(done, last->done),
		    text_count(total, last->total));
	draw_printf(a, row, 1, a->cols - 2, STYLE_BUSY, "%s: %s%s", last->command->name, count,
	    last->text != NULL && last->text[0] != '\0' ? last->text : _("working"));
	if (n > 1) {
		snprintf(count, sizeof count, _("+%zu more"), n - 1);
		draw_right(a, row, a->cols - 1, STYLE_BUSY, count);
	}
	return true;
}

/* Whether the CRLs live on, or which deadline comes near: what needs somebody stands out, the rest stays calm. */
static void chrome_state(const struct ui *u, const struct area *a, int row)
{
	bool bad, late = false;
	char *line = model_renewal(u->en, &bad), *deadline = bad ? mem_strdup("") : model_deadline(u->en, &late);
	char *halted = model_halted(u->en);

	if (halted[0] != '\0' && !bad && !late)
		draw_text(a, row, 1, a->cols - 2, STYLE_WARN, halted);
	else if (deadline[0] != '\0')
		draw_text(a, row, 1, a->cols - 2, late ? STYLE_WARN : STYLE_PLAIN, deadline);
	else if (line[0] != '\0')
		draw_text(a, row, 1, a->cols - 2, bad ? STYLE_BAD : STYLE_DIM, line);
	free(deadline);
	free(halted);
	free(line);
}

static void chrome_foot(const struct ui *u, const struct area *a)
{
	struct buf b = { 0 };
	int lines, row = a->rows - 2;

	if (u->prompt.open) {
		prompt_draw(&u->prompt, a);
		return;
	}
	if (u->message[0] != '\0') {
		lines = draw_lines(a->cols - 2, MESSAGE_LINES, u->message);
		for (int i = 0; i < lines; i++)
			draw_printf(a, row - i, 0, a->cols, STYLE_PLAIN, "%*s", a->cols, "");
		draw_wrap(a, row - lines + 1, 1, a->cols - 2, lines, u->message_style, u->message);
	} else if (!chrome_busy(u, a, row)) {
		chrome_state(u, a, row);
	}
	keymap_footer(&b, u->top->ops->keys, u->top->ops->typing, a->cols - 2);
	draw_text(a, a->rows - 1, 1, a->cols - 2, STYLE_DIM, buf_str(&b));
	buf_free(&b);
}

void draw_same(const struct area *a, int row, const struct job *j)
{
	if (j->hash == NULL) {
		draw_printf(a, row, 1, a->cols - 2, STYLE_DIM, "sev1 %s", j->words);
		return;
	}
	draw_printf(a, row, 1, a->cols - 2, STYLE_DIM, "sev1 %s --confirm '%s' \\", j->words, j->phrase);
	draw_printf(a, row + 1, 1, a->cols - 2, STYLE_DIM, "  --plan %s", j->hash);
}

static void chrome_too_small(struct frame *f)
{
	struct area a = frame_area(f, 0, 0, f->rows, f->cols);
	char line[120];

	snprintf(line, sizeof line, _("sev1 needs %dx%d, this is %dx%d; all is kept."), UI_COLS, UI_ROWS,
	    f->cols, f->rows);
	draw_text(&a, 0, 0, f->cols, STYLE_PLAIN, line);
}

void ui_draw(struct ui *u)
{
	int rows, cols;
	struct area all, body;
	struct screen *s = u->top;
	const char *title;

	term_size(&rows, &cols);
	if (u->frame == NULL || u->frame->rows != rows || u->frame->cols != cols) {
		frame_free(u->frame);
		u->frame = frame_new(rows, cols);
	}
	frame_clear(u->frame);
	if (ui_too_small(u)) {
		chrome_too_small(u->frame);
		term_show(u->frame);
		return;
	}
	all = frame_area(u->frame, 0, 0, rows, cols);
	body = frame_area(u->frame, 3, 0, rows - 5, cols);
	chrome_head(u, &all);
	title = s->title != NULL ? s->title : s->ops->title != NULL ? _(s->ops->title) : NULL;
	draw_rule(&all, 2, title, NULL);
	s->ops->draw(s, &body);
	chrome_foot(u, &all);
	term_show(u->frame);
}
