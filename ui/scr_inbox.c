/* Problem reports that have come in: what was recognised and why, and the clock that runs since the first receipt. */
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

#define READ_EVERY (2 * 1000) /* ms: a look at the folder */
#define DETAIL 10 /* lines below the list */

static const struct column columns[] = {
	{ N_("Report"), 11, false },
	{ N_("level"), 8, false },
	{ N_("state"), 13, false },
	{ N_("since"), 9, true },
	{ N_("left"), 9, true },
	{ NC_("mail", "Subject"), 0, false },
};

struct inbox {
	struct list list;
	struct report_entry *report;
	size_t reports;
	int64_t looked, stamp; /* clock_mono; what was read then */
	struct job *job; /* a reading */
};

static void inbox_read(struct inbox *v, struct engine *en)
{
	v->stamp = model_reports_stamp(en); /* before: what is written meanwhile is read next time */
	model_reports_free(v->report, v->reports);
	v->report = model_reports(en, &v->reports);
	v->looked = clock_mono();
	list_set(&v->list, v->reports);
}

static void inbox_open(struct screen *s, void *arg)
{
	(void)arg;
	s->data = mem_zalloc(1, sizeof(struct inbox));
	inbox_read(s->data, ui_engine(s->ui));
}

static void inbox_done(struct screen *s)
{
	struct inbox *v = s->data;

	if (v->job != NULL)
		v->job->held--;
	model_reports_free(v->report, v->reports);
	list_free(&v->list);
	free(v);
}

static enum style level_style(const char *level)
{
	return level[0] == 'h' ? STYLE_BAD : level[0] == 'd' ? STYLE_WARN : STYLE_PLAIN;
}

/* A level or state of a report; the file of one that cannot be read has none. */
static const char *word_of(const char *s)
{
	return s[0] != '\0' ? _(s) : "";
}

static void inbox_row(const struct area *a, int row, const struct report_entry *r, bool here)
{
	int64_t now = clock_now(), left = r->due - (r->published != 0 ? r->published : now);
	char since[40], due[40];
	const char *text[] = { r->id, word_of(r->level), r->incident[0] != '\0' ? r->incident : word_of(r->state), since, due,
	    r->subject };
	enum style st[] = { STYLE_BOLD, level_style(r->level), STYLE_PLAIN, STYLE_PLAIN, theme_clock(left), STYLE_PLAIN };

	if (r->error != NULL) {
		draw_text(a, row, 1, 1, STYLE_BOLD, here ? ">" : " ");
		draw_printf(a, row, 3, a->cols - 4, STYLE_BAD, "%s: %s", r->id, r->error);
		return;
	}
	show_span(since, now - r->received);
	due[0] = '\0';
	if (r->published != 0)
		snprintf(due, sizeof due, "%s", left < 0 ? _("late") : _("met"));
	else if (r->due != 0)
		show_span(due, left);
	draw_row(a, row, here ? '>' : ' ', columns, 6, text, st);
}

/* "90 min", "24 h", "5 d". */
static void inbox_span(char out[40], int minutes)
{
	if (minutes % 60 != 0)
		snprintf(out, 40, _("%d min"), minutes);
	else if (minutes % 1440 != 0 || minutes < 2880)
		snprintf(out, 40, _("%d h"), minutes / 60);
	else
		snprintf(out, 40, _("%d d"), minutes / 1440);
}

/* "keyCompromise, it says so of a key: revoke by 2026-09-01 17:49Z (24 h)". */
static int inbox_clock(const struct area *a, int row, const struct report_entry *r)
{
	char at[32], took[40];

	if (r->due == 0) {
		draw_printf(a, row, 1, a->cols - 2, STYLE_PLAIN, _("its clock is that of incident %s"), r->incident);
		return row + 1;
	}
	inbox_span(took, r->minutes);
	draw_printf(a, row++, 1, a->cols - 2, STYLE_BOLD, _("%s, %s: revoke by %s (%s)"), r->reason,
	    r->grounds != NULL ? r->grounds : _("by triage"), show_minute(at, r->due), took);
	if (r->published != 0)
		draw_printf(a, row++, 1, a->cols - 2, STYLE_PLAIN, _("revocation published %s"), show_minute(at, r->published));
	else if (r->advised != 0)
		draw_printf(a, row++, 1, a->cols - 2, STYLE_PLAIN, _("by %s where the circumstance wants it: deadline --circumstances"),
		    show_minute(at, r->advised));
	return row;
}

static void inbox_detail(const struct area *a, int row, const struct report_entry *r)
{
	char at[24], age[40];

	draw_rule(a, row++, r->id, r->from);
	draw_printf(a, row++, 1, a->cols - 2, STYLE_PLAIN, ngettext("first received %s, %s ago, by %s", "first received %s, %s ago, "
	    "by %s, in %zu messages", r->messages), clock_iso(at, sizeof at, r->received), clock_span(age, sizeof age,
	    clock_now() - r->received), r->channel, r->messages);
	row = inbox_clock(a, row, r);
	draw_printf(a, row++, 1, a->cols - 2, STYLE_PLAIN, _("%zu certificates of ours, %zu keys, %zu things found"), r->matches,
	    r->keys, r->found);
	for (size_t i = 0; i < REPORT_WHY && r->why[i] != NULL && row < a->rows; i++)
		draw_text(a, row++, 3, a->cols - 4, STYLE_DIM, r->why[i]);
}

static void inbox_draw(struct screen *s, const struct area *a)
{
	struct inbox *v = s->data;
	int rows = a->rows - 1 - DETAIL;
	size_t n;

	if (clock_mono() - v->looked > READ_EVERY) {
		v->looked = clock_mono();
		if (model_reports_stamp(ui_engine(s->ui)) != v->stamp)
			inbox_read(v, ui_engine(s->ui));
	}
	if (v->reports == 0) {
		draw_text(a, 0, 1, a->cols - 2, STYLE_PLAIN, _("No report waits."));
		draw_wrap(a, 2, 1, a->cols - 2, 3, STYLE_DIM, _("Mails come in by sev1 intake, behind the alias of a queue or from "
		    "a mailbox; n types one in that was made by telephone."));
		return;
	}
	list_height(&v->list, (size_t)(rows > 1 ? rows : 1));
	draw_head(a, 0, columns, 6);
	for (size_t i = 0; (n = list_seen(&v->list, i)) != LIST_NONE; i++)
		inbox_row(a, 1 + (int)i, &v->report[n], list_is_here(&v->list, i));
	if (list_here(&v->list) != LIST_NONE && rows > 1 && v->report[list_here(&v->list)].error == NULL)
		inbox_detail(a, 1 + rows, &v->report[list_here(&v->list)]);
}

static void inbox_start(struct screen *s, struct answer *w)
{
	struct inbox *v = s->data;

	if (v->job != NULL)
		v->job->held--;
	v->job = answer_start(w, s->ui);
	if (v->job != NULL)
		v->job->held++;
}

/* The rest of a command, to be seen and confirmed as it is typed. */
static void inbox_command(struct screen *s, const char *fmt_id, const char *id)
{
	char *words = mem_printf("%s%s ", fmt_id, id);

	ui_ask_command(s->ui, words);
	free(words);
}

static void inbox_incident(struct screen *s, const struct report_entry *r)
{
	const struct incident *in = model_incident(ui_engine(s->ui));

	if (r->incident[0] != '\0')
		ui_say(s->ui, STYLE_BAD, _("%s belongs to incident %s already."), r->id, r->incident);
	else if (in != NULL && !in->closed)
		ui_say(s->ui, STYLE_BAD, _("Incident %s is open here: close it first, or open another from a second console."), in->id);
	else
		ui_push(s->ui, &scr_new, (void *)r);
}

static void inbox_act(struct screen *s, int key, const struct report_entry *r)
{
	char *words;

	if (r->error != NULL) {
		ui_say(s->ui, STYLE_BAD, _("%s cannot be read: restore it from a backup, or move it away."), r->id);
	} else if (key == 'o') {
		inbox_incident(s, r);
	} else if (key == 'c') {
		words = mem_printf("%s --reason", r->id);
		inbox_command(s, "intake close ", words);
		free(words);
	} else {
		words = mem_printf("intake show %s", r->id);
		ui_do(s->ui, words);
		free(words);
	}
}

static bool inbox_key(struct screen *s, int key)
{
	struct inbox *v = s->data;
	size_t here = list_here(&v->list);
	struct answer w;

	if (key == 'n') {
		v->looked -= READ_EVERY + 1; /* once it is back, with what was typed in */
		ui_push(s->ui, &scr_typed, NULL);
	} else if (key == 'r') {
		if (answer_init(&w, "intake", true))
			inbox_start(s, &w);
	} else if (keymap_act(key) == ACT_ENTER || key == 'o' || key == 'c') {
		if (here != LIST_NONE)
			inbox_act(s, key, &v->report[here]);
	} else {
		return ui_list_key(&v->list, key);
	}
	return true;
}

static void inbox_ended(struct screen *s, struct job *j)
{
	struct inbox *v = s->data;

	inbox_read(v, ui_engine(s->ui));
	if (j != v->job)
		return;
	if (j->err.code != 0)
		ui_say_err(s->ui, &j->err);
	else if (j->out.count > 0)
		ui_say(s->ui, j->status == EXIT_DONE ? STYLE_GOOD : STYLE_BAD, "%s", j->status != EXIT_DONE && j->said.count > 0 ?
		    j->said.line[j->said.count - 1] : j->out.line[j->out.count - 1]);
}

static const struct binding inbox_keys[] = {
	{ KEYC_ENTER, "Enter", N_("look"), NULL },
	{ 'n', "n", N_("type one in"), NULL },
	{ 'o', "o", N_("open an incident"), NULL },
	{ 'c', "c", N_("close"), NULL },
	{ 'r', "r", N_("read mail"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_inbox = {
	.name = "inbox",
	.title = N_("Problem reports"),
	.keys = inbox_keys,
	.open = inbox_open,
	.draw = inbox_draw,
	.key = inbox_key,
	.ended = inbox_ended,
	.done = inbox_done,
};
