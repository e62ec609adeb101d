/* The fleet: a row for each host of the re-issue, as many as there are; equal errors as one; the curve of hosts
 * done with what it promises. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "fleet_view.h"
#include "forecast.h"
#include "list.h"
#include "screen.h"
#include "theme.h"

struct fleet {
	struct list list;        /* over the view's rows, or its groups */
	size_t before;           /* where the groups' cursor was while one is open */
	struct fleet_view view;
	int64_t made, cost;      /* clock_mono of the view's last making, and the ms that it took */
	bool grouped;            /* groups are listed, not hosts */
	bool plot, plot_chosen;  /* the operator has chosen, else the size of the terminal does */
	bool tall;               /* it is large enough for the plot */
	struct job *job;         /* NULL where opened without one */
};

/* Worst first: what is cut at the right edge is what can wait. */
static const enum fleet_state order[] = { FLEET_FAILED, FLEET_ROLLED_BACK, FLEET_UNREACHABLE, FLEET_REFUSED,
	FLEET_RUNNING, FLEET_SKIPPED, FLEET_WAITING };

#define HEAD_ROWS 4 /* above the table's head */
#define PLOT_ROWS 9
#define PLOT_FROM 30 /* rows from which on the plot shows by itself */

static const struct column narrow[] = {
	{ N_("host"), 20, false },
	{ N_("phase"), 8, false },
	{ N_("state"), 11, false },
	{ N_("detail"), 0, false },
	{ N_("took"), 6, true },
};
static const struct column wide[] = {
	{ N_("host"), 32, false },
	{ N_("phase"), 9, false },
	{ N_("state"), 12, false },
	{ N_("detail"), 0, false },
	{ N_("took"), 7, true },
};
static const struct column of_groups[] = {
	{ N_("hosts"), 6, true },
	{ N_("state"), 11, false },
	{ N_("phase"), 8, false },
	{ N_("what they said, # for figures"), 0, false },
};

static const struct column *fleet_columns(const struct area *a)
{
	return a->cols >= 100 ? wide : narrow;
}

static void fleet_open(struct screen *s, void *arg)
{
	struct fleet *f = mem_zalloc(1, sizeof *f);

	f->job = arg;
	if (f->job != NULL)
		f->job->held++;
	s->data = f;
}

static void fleet_done(struct screen *s)
{
	struct fleet *f = s->data;

	if (f->job != NULL)
		f->job->held--;
	fleet_view_free(&f->view);
	list_free(&f->list);
	free(f);
}

/* The cursor stays on its host while rows come and go; where the operator chose others, it starts above them. */
static void fleet_refresh(struct fleet *f, const struct incident *in)
{
	size_t at = list_here(&f->list), host = LIST_NONE;
	int64_t now = clock_mono();

	/* What the journal brings may wait a little: no more than a twentieth of the time goes into this. */
	if (!f->view.stale && f->view.in == in && now < f->made + f->cost * 20)
		return;
	if (!f->grouped && !f->view.stale && at < f->view.rows)
		host = f->view.row[at];
	if (!fleet_view_refresh(&f->view, in))
		return;
	f->made = clock_mono();
	f->cost = f->made - now;
	if (!f->grouped && host == LIST_NONE)
		f->list.at = 0;
	if (host != LIST_NONE && (at = fleet_view_find(&f->view, host)) < f->view.rows)
		f->list.at = at;
	list_set(&f->list, f->grouped ? f->view.groups : f->view.rows);
}

static void fleet_forecast(const struct fleet *f, struct forecast *c)
{
	const struct incident *in = f->view.in;
	int64_t now = clock_now(), start = in->reissue_at > 0 ? in->reissue_at : now;

	forecast_make(c, f->view.ended, f->view.ends, in->hosts, start, now, incident_rto_left(in, now));
}

/* A count that does not fit whole is left out: "running 9" for 96 would be a lie. */
static void fleet_add(struct buf *b, int cols, const char *state, size_t n)
{
	char item[80];

	snprintf(item, sizeof item, "%s%s %zu", b->len > 0 ? "  " : "", state, n);
	if (text_columns(buf_str(b)) + text_columns(item) <= cols)
		buf_adds(b, item);
}

/* What is shown of all: "21 with "failed", by took", on the rule above the rows. */
static char *fleet_choice(const struct fleet *f)
{
	struct buf b = { 0 };

	if (f->grouped)
		buf_addf(&b, _("%zu kinds of error"), f->view.groups);
	else if (f->view.like != NULL && f->view.filter[0] != '\0')
		buf_addf(&b, _("%zu with one error and \"%s\""), f->view.rows, f->view.filter);
	else if (f->view.like != NULL)
		buf_addf(&b, _("%zu with one error"), f->view.rows);
	else if (f->view.filter[0] != '\0')
		buf_addf(&b, _("%zu with \"%s\""), f->view.rows, f->view.filter);
	if (!f->grouped && (f->view.by != FLEET_BY_ORDER || f->view.down))
		buf_addf(&b, _("%sby %s%s"), b.len > 0 ? ", " : "", f->view.by == FLEET_BY_ORDER ? _("inventory") :
		    _(narrow[f->view.by - 1].title), f->view.down ? _(", turned") : "");
	return b.len > 0 ? buf_take(&b) : NULL;
}

/* Why nothing new begins, or else the forecast; owned by the caller. */
static char *fleet_outlook(const struct engine *en, const struct forecast *c, enum style *st)
{
	const struct config *conf = model_config(en);
	char *waits = model_rollout(en);

	*st = STYLE_WARN;
	if (waits[0] != '\0')
		return waits;
	free(waits);
	*st = c->open > 0 && c->rto != INT64_MIN && c->left > c->rto ? STYLE_BAD : STYLE_PLAIN;
	return forecast_words(c, conf != NULL ? conf->fleet.concurrency : 0);
}

static void fleet_draw_head(const struct fleet *f, const struct forecast *c, const struct engine *en, const struct area *a)
{
	const struct incident *in = f->view.in;
	char rate[40] = "", *words, *choice, *wave;
	enum style st;
	struct buf b = { 0 };

	words = fleet_outlook(en, c, &st);
	draw_printf(a, 0, 1, a->cols - 2, STYLE_PLAIN, _("Re-issue from %s     %zu of %zu verified"),
	    in->issuer != NULL ? in->issuer->name : "-", f->view.count[FLEET_VERIFIED], in->hosts);
	if (c->open > 0 && c->rate > 0 && st != STYLE_WARN)
		snprintf(rate, sizeof rate, c->rate < 10 ? _("%.1f/s") : _("%.0f/s"), c->rate);
	draw_right(a, 0, a->cols - 1, STYLE_PLAIN, rate);
	draw_bar(a, 1, 1, a->cols / 4, (int64_t)f->view.count[FLEET_VERIFIED], (int64_t)in->hosts);
	for (size_t k = 0; k < sizeof order / sizeof order[0]; k++)
		if (f->view.count[order[k]] > 0)
			fleet_add(&b, a->cols - a->cols / 4 - 4, _(fleet_state_name(order[k])), f->view.count[order[k]]);
	draw_text(a, 1, a->cols / 4 + 3, a->cols - a->cols / 4 - 4, STYLE_PLAIN, buf_str(&b));
	buf_free(&b);
	draw_text(a, 2, 1, a->cols - 2, st, words);
	free(words);
	choice = fleet_choice(f);
	wave = rollout_words(&in->rollout);
	draw_rule(a, 3, wave[0] != '\0' ? wave : NULL, choice);
	free(choice);
	free(wave);
}

/* Of a verified host the new certificate comes first: it is the proof. */
static void fleet_row_detail(char *out, size_t size, const struct host_row *h)
{
	char until[24];

	if (strcmp(h->state, "verified") == 0 && h->serial[0] != '\0' && h->not_after > 0)
		snprintf(out, size, _("%.4s.. until %.10s, %s"), h->serial, clock_iso(until, sizeof until, h->not_after), h->detail);
	else
		snprintf(out, size, "%s", h->detail);
}

static void fleet_draw_row(const struct area *a, int row, const struct host_row *h, bool here)
{
	char took[32] = "", detail[512];
	const char *text[] = { h->host, h->phase, _(h->state), detail, took };
	enum style st[] = { STYLE_PLAIN, STYLE_DIM, theme_state(h->state), STYLE_PLAIN, STYLE_DIM };

	if (h->ms > 0)
		snprintf(took, sizeof took, "%.1fs", (double)h->ms / 1000);
	fleet_row_detail(detail, sizeof detail, h);
	draw_row(a, row, here ? '>' : ' ', fleet_columns(a), 5, text, st);
}

static void fleet_draw_hosts(const struct fleet *f, const struct area *a)
{
	size_t n;

	draw_head(a, 0, fleet_columns(a), 5);
	for (size_t i = 0; (n = list_seen(&f->list, i)) != LIST_NONE && n < f->view.rows; i++)
		fleet_draw_row(a, 1 + (int)i, &f->view.in->host[f->view.row[n]], list_is_here(&f->list, i));
	if (f->list.count == 0)
		draw_text(a, 1, 3, a->cols - 4, STYLE_DIM, _("No host matches."));
}

static void fleet_draw_groups(const struct fleet *f, const struct area *a)
{
	size_t n;

	draw_head(a, 0, of_groups, 4);
	for (size_t i = 0; (n = list_seen(&f->list, i)) != LIST_NONE && n < f->view.groups; i++) {
		const struct fleet_group *g = &f->view.group[n];
		char count[24];
		const char *text[] = { count, _(g->first->state), g->first->phase, g->words };
		enum style st[] = { STYLE_BOLD, theme_state(g->first->state), STYLE_DIM, STYLE_PLAIN };
		snprintf(count, sizeof count, "%zu", g->count);
		draw_row(a, 1 + (int)i, list_is_here(&f->list, i) ? '>' : ' ', of_groups, 4, text, st);
	}
	if (f->list.count == 0)
		draw_text(a, 1, 3, a->cols - 4, STYLE_DIM, _("No host has failed."));
}

/* ---- the curve ---- */

/* The column of a moment, -1 outside. */
static int plot_column(const struct forecast *c, int64_t end, int64_t t, int cols)
{
	int64_t at;

	if (t < c->start || t > end || end <= c->start)
		return -1;
	at = (t - c->start) * cols / (end - c->start);
	return (int)(at < cols ? at : cols - 1);
}

static void plot_axis(const struct area *a, const struct forecast *c, int64_t end, int left, int cols)
{
	int row = a->rows - 1, rto = c->rto != INT64_MIN ? plot_column(c, end, c->now + c->rto, cols) : -1;
	int now = plot_column(c, end, c->now, cols);
	char at[32], label[64];

	draw_text(a, row, left, cols, STYLE_DIM, clock_time(at, sizeof at, c->start));
	clock_time(at, sizeof at, end);
	draw_right(a, row, left + cols, STYLE_DIM, at);
	snprintf(label, sizeof label, "%s", _("now"));
	if (now > 10 && now < cols - 16)
		draw_text(a, row, left + now, cols - now, STYLE_BOLD, label);
	if (rto > 10 && rto < cols - 14 && (now < 0 || rto > now + 5 || rto < now - 4))
		draw_text(a, row, left + rto, 4, STYLE_WARN, "RTO");
}

static void fleet_draw_plot(const struct fleet *f, const struct forecast *c, const struct area *a)
{
	int left = 8, cols = a->cols - left - 2, height = a->rows - 2, past, rto;
	int64_t end = forecast_end(c);
	size_t *done;
	char count[32];

	if (cols < 10 || height < 2)
		return;
	done = mem_zalloc((size_t)cols, sizeof *done);
	past = forecast_curve(c, f->view.ended, end, done, cols);
	rto = c->rto != INT64_MIN ? plot_column(c, end, c->now + c->rto, cols) : -1;
	draw_rule(a, 0, _("Hosts done"), NULL);
	for (int r = 0; r < height; r++) {
		/* A column reaches into a row once it holds half of it. */
		size_t level = (c->total * (size_t)(2 * (height - r) - 1) + (size_t)(2 * height) - 1) / (size_t)(2 * height);
		for (int x = 0; x < cols; x++) {
			if (done[x] >= level && done[x] > 0)
				draw_text(a, r + 1, left + x, 1, x < past ? STYLE_GOOD : STYLE_DIM, x < past ? "#" : ".");
			else if (x == rto)
				draw_text(a, r + 1, left + x, 1, STYLE_WARN, "|");
		}
	}
	snprintf(count, sizeof count, "%zu", c->total);
	draw_right(a, 1, left - 1, STYLE_DIM, count);
	draw_right(a, height, left - 1, STYLE_DIM, "0");
	plot_axis(a, c, end, left, cols);
	free(done);
}

static void fleet_draw(struct screen *s, const struct area *a)
{
	struct fleet *f = s->data;
	const struct incident *in = model_incident(ui_engine(s->ui));
	struct forecast c;
	struct area table, plot;
	bool plots;
	int rows;

	if (in == NULL || in->hosts == 0) {
		draw_text(a, 0, 1, a->cols - 2, STYLE_PLAIN, _("No host has been started yet. :reissue makes the plan."));
		return;
	}
	fleet_refresh(f, in);
	fleet_forecast(f, &c);
	fleet_draw_head(f, &c, ui_engine(s->ui), a);
	f->tall = a->rows >= PLOT_FROM;
	plots = f->plot_chosen ? f->plot : f->tall;
	rows = a->rows - HEAD_ROWS - (plots ? PLOT_ROWS : 0);
	table = frame_area(a->f, a->top + HEAD_ROWS, a->left, rows, a->cols);
	list_height(&f->list, (size_t)(rows > 1 ? rows - 1 : 1));
	if (f->grouped)
		fleet_draw_groups(f, &table);
	else
		fleet_draw_hosts(f, &table);
	if (!plots)
		return;
	plot = frame_area(a->f, a->top + HEAD_ROWS + rows, a->left, PLOT_ROWS, a->cols);
	fleet_draw_plot(f, &c, &plot);
}

/* ---- keys ---- */

static void fleet_filtered(void *ctx, enum prompt_end end, const char *text)
{
	struct fleet *f = ctx;

	fleet_view_filter(&f->view, end == PROMPT_GIVEN_UP ? "" : text);
}

/* Between the list of hosts and that of their errors. */
static void fleet_group(struct fleet *f, bool on)
{
	if (on) {
		f->list.at = f->view.like != NULL ? f->before : 0;
		fleet_view_like(&f->view, NULL);
	} else {
		f->list.at = 0;
	}
	f->grouped = on;
	f->view.stale = true;
}

static bool fleet_enter(struct screen *s)
{
	struct fleet *f = s->data;
	size_t here = list_here(&f->list);

	if (f->view.in == NULL || here == LIST_NONE)
		return true;
	if (!f->grouped && here < f->view.rows) {
		ui_push(s->ui, &scr_host, f->view.in->host[f->view.row[here]].host);
	} else if (f->grouped && here < f->view.groups) {
		f->before = here;
		fleet_view_like(&f->view, &f->view.group[here]);
		fleet_group(f, false);
	}
	return true;
}

/* Esc leaves a group first, then the groups, then the screen. */
static bool fleet_back(struct fleet *f)
{
	if (!f->grouped && f->view.like == NULL)
		return false;
	fleet_group(f, !f->grouped);
	return true;
}

static bool fleet_letter(struct fleet *f, int key)
{
	switch (key) {
	case 's':
		fleet_view_sort(&f->view, (f->view.by + 1) % FLEET_BYS, false);
		return true;
	case 'S':
		fleet_view_sort(&f->view, f->view.by, !f->view.down);
		return true;
	case 'e':
		fleet_group(f, !f->grouped);
		return true;
	case 'p':
		f->plot = f->plot_chosen ? !f->plot : !f->tall;
		f->plot_chosen = true;
		return true;
	default:
		return false;
	}
}

static bool fleet_key(struct screen *s, int key)
{
	struct fleet *f = s->data;

	if (fleet_letter(f, key))
		return true;
	switch (keymap_act(key)) {
	case ACT_FILTER:
		ui_ask(s->ui, "/", _("states, host patterns (web*), texts, !not; all must hold. Esc shows all"),
		    f->view.filter, fleet_filtered, f);
		return true;
	case ACT_ENTER:
	case ACT_RIGHT:
		return fleet_enter(s);
	case ACT_BACK:
	case ACT_LEFT:
		return fleet_back(f);
	default:
		return ui_list_key(&f->list, key);
	}
}

/* The end is news here, not a reason to be taken elsewhere. */
static void fleet_ended(struct screen *s, struct job *j)
{
	struct fleet *f = s->data;
	const struct incident *in = model_incident(ui_engine(s->ui));

	if (j != f->job)
		return;
	j->shown = true;
	if (j->err.code != 0)
		ui_say_err(s->ui, &j->err);
	else
		ui_say(s->ui, j->status == EXIT_DONE ? STYLE_GOOD : STYLE_WARN, _("reissue: ended, %zu of %zu verified"),
		    in != NULL ? in->hosts_verified : 0, in != NULL ? in->hosts : 0);
}

static const struct binding fleet_keys[] = {
	{ KEYC_ENTER, "Enter", NC_("verb", "open"), NULL },
	{ '/', "/", N_("filter"), NULL },
	{ 's', "s S", N_("sort, turn"), NULL },
	{ 'e', "e", N_("errors"), NULL },
	{ 'p', "p", N_("plot"), NULL },
	{ KEYC_UP, "Up Down PgUp PgDn", N_("move"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_fleet = {
	.name = "fleet",
	.title = N_("Fleet"),
	.keys = fleet_keys,
	.open = fleet_open,
	.draw = fleet_draw,
	.key = fleet_key,
	.ended = fleet_ended,
	.done = fleet_done,
};
