/* The start screen: open incidents and what is due, the configuration's state, what can be begun. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "board.h"
#include "list.h"
#include "screen.h"
#include "theme.h"

/* Rows below the incidents. */
static const struct entry {
	const char *title, *what, *words;
} entries[] = {
	{ N_("New incident"), N_("declare it; its clocks start now"), "open" },
	{ N_("Problem reports"), N_("the inbox: what has come in, and since when"), "intake" },
	{ N_("Drill"), N_("a tabletop exercise in a sandbox on this machine"), "drill" },
	{ N_("Doctor"), N_("check everything an incident will need"), "doctor" },
	{ N_("Help"), N_("keys and commands"), "help" },
};
#define ENTRIES (sizeof entries / sizeof entries[0])
#define READ_EVERY (60 * 1000)

struct start {
	struct incident_entry *incident;
	size_t incidents;
	struct report_entry *report;
	size_t reports;
	struct list list;
	int64_t read_at; /* clock_mono */
	int64_t seq;     /* of the open incident, then */
	int64_t stamp;   /* of the reports, then */
};

static const struct column columns[] = {
	{ N_("Incident"), 15, false },
	{ "", 5, false },
	{ N_("Title"), 0, false },
	{ N_("Next"), 20, false },
	{ N_("Due"), 9, true },
};

static int64_t start_seq(const struct screen *s)
{
	const struct incident *in = model_incident(ui_engine(s->ui));

	return in != NULL ? in->last_seq : 0;
}

static void start_read(struct screen *s)
{
	struct start *st = s->data;

	model_incidents_free(st->incident, st->incidents);
	st->incident = model_incidents(ui_engine(s->ui), &st->incidents);
	st->stamp = model_reports_stamp(ui_engine(s->ui));
	model_reports_free(st->report, st->reports);
	st->report = model_reports(ui_engine(s->ui), &st->reports);
	st->read_at = clock_mono();
	st->seq = start_seq(s);
	list_set(&st->list, st->incidents + ENTRIES);
}

static void start_open(struct screen *s, void *arg)
{
	(void)arg;
	s->data = mem_zalloc(1, sizeof(struct start));
	start_read(s);
}

static void start_done(struct screen *s)
{
	struct start *st = s->data;

	model_incidents_free(st->incident, st->incidents);
	model_reports_free(st->report, st->reports);
	list_free(&st->list);
	free(st);
}

/* What is due first: the fuse of a CRL or a follow-up. */
static enum style start_due(const struct incident_entry *it, char out[40])
{
	int64_t now = clock_now();

	out[0] = '\0';
	if (it->fuse > 0) {
		show_span(out, it->fuse - now);
		return theme_clock(it->fuse - now);
	}
	if (it->followup > 0) {
		show_span(out, it->followup - now);
		return theme_clock(it->followup - now);
	}
	return STYLE_PLAIN;
}

static void start_incident(const struct area *a, int row, const struct incident_entry *it, bool here)
{
	char due[40], next[200];
	enum style when = start_due(it, due);
	const char *kind = it->drill ? _("DRILL") : _("REAL");
	const char *text[] = { it->id, kind, it->title, next, due };
	enum style st[] = { STYLE_BOLD, it->drill ? STYLE_WARN : STYLE_BAD, STYLE_PLAIN, STYLE_PLAIN, when };

	if (it->error != NULL) {
		draw_text(a, row, 1, 1, STYLE_BOLD, here ? ">" : " ");
		draw_printf(a, row, 3, a->cols - 4, STYLE_BAD, "%s: %s", it->path, it->error);
		return;
	}
	if (it->closed)
		snprintf(next, sizeof next, "%s", it->followup > 0 ? it->followup_title : _("closed"));
	else if (it->next != NULL && it->next[0] != '\0')
		snprintf(next, sizeof next, "%zu/%zu %s", it->checkpoints_done, it->checkpoints, it->next);
	else
		snprintf(next, sizeof next, _("%zu/%zu closed"), it->checkpoints_done, it->checkpoints);
	draw_row(a, row, here ? '>' : ' ', columns, 5, text, st);
}

static int start_draw_config(const struct screen *s, const struct area *a, int row)
{
	const struct config *c = model_config(ui_engine(s->ui));
	const struct err *e = model_config_error(ui_engine(s->ui));

	if (c != NULL) {
		draw_printf(a, row, 1, a->cols - 2, STYLE_PLAIN, _("Configuration %s   CAs: %zu   points: %zu   actions: %zu"),
		    c->path, c->cas, c->points, c->actions);
		return row + 1;
	}
	draw_text(a, row++, 1, a->cols - 2, STYLE_BAD, _("There is no usable configuration."));
	if (e != NULL && e->text[0] != '\0')
		row += draw_wrap(a, row, 3, a->cols - 4, 3, STYLE_PLAIN, e->text);
	if (e != NULL && e->remedy[0] != '\0')
		row += draw_wrap(a, row, 3, a->cols - 4, 2, STYLE_WARN, e->remedy);
	return row;
}

/* Reports that no incident was opened for: the oldest and the most urgent say how late it is. */
static int start_draw_reports(const struct start *st, const struct area *a, int row)
{
	int64_t oldest = INT64_MAX, due = INT64_MAX;
	size_t waiting = 0;
	char span[40], left[40];

	for (size_t i = 0; i < st->reports; i++)
		if (strcmp(st->report[i].state, "open") == 0 && strcmp(st->report[i].level, "high") == 0) {
			waiting++;
			oldest = st->report[i].received < oldest ? st->report[i].received : oldest;
			due = st->report[i].due < due ? st->report[i].due : due;
		}
	if (waiting == 0)
		return row;
	clock_span(left, sizeof left, llabs(due - clock_now()));
	draw_printf(a, row++, 1, a->cols - 2, STYLE_BAD, due < clock_now() ? ngettext("%zu problem report waits for %s, %s late: intake",
	    "%zu problem reports wait, the first for %s, %s late: intake", waiting) : ngettext("%zu problem report waits for %s, "
	    "%s left: intake", "%zu problem reports wait, the first for %s, %s left: intake", waiting), waiting,
	    clock_span(span, sizeof span, clock_now() - oldest), left);
	return row;
}

static int start_draw_due(const struct start *st, const struct area *a, int row)
{
	char span[40];

	row = start_draw_reports(st, a, row);
	for (size_t i = 0; i < st->incidents && row < a->rows; i++) {
		const struct incident_entry *it = &st->incident[i];
		if (it->overdue > 0)
			draw_printf(a, row++, 1, a->cols - 2, STYLE_BAD,
			    _("%s: %zu follow-ups overdue, first: %s"), it->id, it->overdue,
			    it->followup_title != NULL ? it->followup_title : "");
		if (it->fuse > 0 && it->fuse - clock_now() < 3600 * 1000 && row < a->rows)
			draw_printf(a, row++, 1, a->cols - 2, STYLE_BAD, _("%s: CRL fuse %s, renew it: crl renew"),
			    it->id, clock_span(span, sizeof span, it->fuse - clock_now()));
	}
	return row;
}

static void start_draw(struct screen *s, const struct area *a)
{
	struct start *st = s->data;
	int row = 0, rows;
	size_t n;

	if (clock_mono() - st->read_at > READ_EVERY || st->seq != start_seq(s) ||
	    st->stamp != model_reports_stamp(ui_engine(s->ui)))
		start_read(s);
	row = start_draw_config(s, a, row);
	row = start_draw_due(st, a, row) + 1;
	if (st->incidents > 0)
		draw_head(a, row++, columns, 5);
	rows = a->rows - row - 1;
	list_height(&st->list, (size_t)(rows > 1 ? rows : 1));
	for (size_t i = 0; (n = list_seen(&st->list, i)) != LIST_NONE; i++) {
		bool here = list_is_here(&st->list, i);
		if (n < st->incidents) {
			start_incident(a, row++, &st->incident[n], here);
			continue;
		}
		if (n == st->incidents && i > 0)
			row++;
		draw_text(a, row, 1, 1, STYLE_BOLD, here ? ">" : " ");
		draw_text(a, row, 3, 20, here ? STYLE_HERE : STYLE_PLAIN, _(entries[n - st->incidents].title));
		draw_text(a, row++, 24, a->cols - 25, STYLE_DIM, _(entries[n - st->incidents].what));
	}
}

static void start_enter(struct screen *s)
{
	struct start *st = s->data;
	const struct incident *in = model_incident(ui_engine(s->ui));
	size_t here = list_here(&st->list);
	struct err e = { 0 };

	if (here >= st->incidents) {
		if (here < st->incidents + ENTRIES)
			ui_do(s->ui, entries[here - st->incidents].words);
		return;
	}
	if (st->incident[here].error != NULL) {
		ui_say(s->ui, STYLE_BAD, "%s.", st->incident[here].error);
		return;
	}
	if (in != NULL && strcmp(in->id, st->incident[here].id) == 0) {
		ui_home(s->ui);
		return;
	}
	if (jobs_open(ui_jobs(s->ui), st->incident[here].path, &e) < 0) {
		ui_say_err(s->ui, &e);
		return;
	}
	ui_home(s->ui);
}

static bool start_key(struct screen *s, int key)
{
	struct start *st = s->data;

	if (keymap_act(key) == ACT_ENTER || keymap_act(key) == ACT_RIGHT) {
		start_enter(s);
		return true;
	}
	if (key == 'r') {
		start_read(s);
		return true;
	}
	return ui_list_key(&st->list, key);
}

static const struct binding start_keys[] = {
	{ KEYC_ENTER, "Enter", NC_("verb", "open"), NULL },
	{ 'r', "r", N_("read again"), NULL },
	{ ':', ":", N_("command"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_start = {
	.name = "start",
	.title = N_("Incidents"),
	.keys = start_keys,
	.open = start_open,
	.draw = start_draw,
	.key = start_key,
	.done = start_done,
};
