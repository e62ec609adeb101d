/* The fleet: a row for each host of the re-issue, as many as there are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "list.h"
#include "pager.h"
#include "screen.h"
#include "theme.h"

struct fleet {
	struct list list;
	char filter[128];
	int64_t seq;       /* the filter has seen the state up to here */
	size_t known;
	const struct incident *in;
	int64_t since;     /* clock_mono when this screen first saw the count below */
	size_t then;
	struct job *job;   /* NULL where opened without one */
};

static const char *const states[] = { "waiting", "running", "verified", "failed", "rolled back",
	"unreachable", "refused" };
#define STATES (sizeof states / sizeof states[0])

/* Worst first: what is cut at the right edge is what can wait. */
static const size_t order[] = { 3, 4, 5, 6, 1, 0 };

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
	f->since = clock_mono();
	s->data = f;
}

static void fleet_done(struct screen *s)
{
	struct fleet *f = s->data;

	if (f->job != NULL)
		f->job->held--;
	list_free(&f->list);
	free(f);
}

/* A filter is a state's name, or a text in the host's name, phase or detail. */
static bool fleet_match(const void *ctx, size_t i)
{
	const struct fleet *f = ctx;
	const struct host_row *h = &f->in->host[i];

	return strcasecmp(h->state, f->filter) == 0 || text_has(h->host, f->filter) ||
	    text_has(h->phase, f->filter) || text_has(h->detail, f->filter);
}

static void fleet_refresh(struct fleet *f, const struct incident *in)
{
	if (f->in == in && f->seq == in->last_seq && f->known == in->hosts)
		return;
	f->in = in;
	f->seq = in->last_seq;
	f->known = in->hosts;
	if (f->filter[0] != '\0')
		list_filter(&f->list, in->hosts, fleet_match, f);
	else
		list_set(&f->list, in->hosts);
}

static void fleet_count(const struct incident *in, size_t n[STATES])
{
	memset(n, 0, STATES * sizeof n[0]);
	for (size_t i = 0; i < in->hosts; i++)
		for (size_t k = 0; k < STATES; k++)
			if (strcmp(in->host[i].state, states[k]) == 0) {
				n[k]++;
				break;
			}
}

/* "41/s   ETA 00:00:34", from the hosts that ended since this screen opened. */
static void fleet_rate(struct fleet *f, const size_t n[STATES], char *out, size_t size)
{
	size_t open = n[0] + n[1], ended = f->in->hosts - open;
	int64_t ms = clock_mono() - f->since;
	double rate;
	char span[40];

	out[0] = '\0';
	if (f->then == 0 || ended < f->then) {
		f->then = ended + 1;
		f->since = clock_mono();
	}
	if (open == 0 || ms < 1000 || ended + 1 <= f->then)
		return;
	rate = (double)(ended + 1 - f->then) * 1000 / (double)ms;
	snprintf(out, size, _("%.1f/s   ETA %s"), rate,
	    clock_span(span, sizeof span, (int64_t)((double)open / rate * 1000)));
}

/* A count that does not fit whole is left out: "running 9" for 96 would be a lie. */
static void fleet_add(struct buf *b, int cols, const char *state, size_t n)
{
	char item[80];

	snprintf(item, sizeof item, "%s%s %zu", b->len > 0 ? "  " : "", state, n);
	if (text_columns(buf_str(b)) + text_columns(item) <= cols)
		buf_adds(b, item);
}

static void fleet_draw_head(struct fleet *f, const struct area *a)
{
	const struct incident *in = f->in;
	size_t n[STATES];
	char rate[80];
	struct buf b = { 0 };

	fleet_count(in, n);
	fleet_rate(f, n, rate, sizeof rate);
	draw_printf(a, 0, 1, a->cols - 2, STYLE_PLAIN, _("Re-issue from %s     %zu of %zu verified"),
	    in->issuer != NULL ? in->issuer->name : "-", n[2], in->hosts);
	draw_right(a, 0, a->cols - 1, STYLE_PLAIN, rate);
	draw_bar(a, 1, 1, a->cols / 4, (int64_t)n[2], (int64_t)in->hosts);
	for (size_t k = 0; k < STATES - 1; k++)
		if (n[order[k]] > 0)
			fleet_add(&b, a->cols - a->cols / 4 - 4, _(states[order[k]]), n[order[k]]);
	draw_text(a, 1, a->cols / 4 + 3, a->cols - a->cols / 4 - 4, STYLE_PLAIN, buf_str(&b));
	buf_free(&b);
	if (f->filter[0] != '\0') {
		char note[200];
		snprintf(note, sizeof note, _("%zu with \"%s\""), f->list.count, f->filter);
		draw_rule(a, 2, NULL, note);
	} else {
		draw_rule(a, 2, NULL, NULL);
	}
}

static void fleet_draw_row(const struct area *a, int row, const struct host_row *h, bool here)
{
	char took[32] = "";
	const char *text[] = { h->host, h->phase, _(h->state), h->detail, took };
	enum style st[] = { STYLE_PLAIN, STYLE_DIM, theme_state(h->state), STYLE_PLAIN, STYLE_DIM };

	if (h->ms > 0)
		snprintf(took, sizeof took, "%.1fs", (double)h->ms / 1000);
	draw_row(a, row, here ? '>' : ' ', fleet_columns(a), 5, text, st);
}

static void fleet_draw(struct screen *s, const struct area *a)
{
	struct fleet *f = s->data;
	const struct incident *in = model_incident(ui_engine(s->ui));
	size_t n;

	if (in == NULL || in->hosts == 0) {
		draw_text(a, 0, 1, a->cols - 2, STYLE_PLAIN, _("No host has been started yet. :reissue makes the plan."));
		return;
	}
	fleet_refresh(f, in);
	fleet_draw_head(f, a);
	draw_head(a, 3, fleet_columns(a), 5);
	list_height(&f->list, (size_t)(a->rows - 4));
	for (size_t i = 0; (n = list_seen(&f->list, i)) != LIST_NONE; i++)
		fleet_draw_row(a, 4 + (int)i, &in->host[n], list_is_here(&f->list, i));
	if (f->list.count == 0)
		draw_text(a, 4, 3, a->cols - 4, STYLE_DIM, _("No host matches."));
}

static void fleet_filtered(void *ctx, enum prompt_end end, const char *text)
{
	struct fleet *f = ctx;

	snprintf(f->filter, sizeof f->filter, "%s", end == PROMPT_GIVEN_UP ? "" : text);
	f->seq = -1;
}

static bool fleet_key(struct screen *s, int key)
{
	struct fleet *f = s->data;
	const struct incident *in = model_incident(ui_engine(s->ui));
	size_t here;

	switch (keymap_act(key)) {
	case ACT_FILTER:
		ui_ask(s->ui, "/", _("a state (failed, unreachable ...) or a text; Esc shows all"), f->filter,
		    fleet_filtered, f);
		return true;
	case ACT_ENTER:
	case ACT_RIGHT:
		here = list_here(&f->list);
		if (in != NULL && here < in->hosts)
			ui_push(s->ui, &scr_host, in->host[here].host);
		return true;
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
	{ KEYC_ENTER, "Enter", N_("host"), NULL },
	{ '/', "/", N_("filter by state or text"), NULL },
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

/* ---- one host ---- */

static void host_open(struct screen *s, void *arg)
{
	s->data = mem_strdup(arg);
	s->title = mem_strdup(arg);
}

static void host_done(struct screen *s)
{
	free(s->data);
}

static int host_field(const struct area *a, int row, enum style st, const char *label, const char *value)
{
	draw_text(a, row, 3, 16, STYLE_DIM, label);
	return row + draw_wrap(a, row, 20, a->cols - 21, 6, st, value[0] != '\0' ? value : "-");
}

static void host_draw(struct screen *s, const struct area *a)
{
	const struct incident *in = model_incident(ui_engine(s->ui));
	const struct host_row *h = in != NULL ? incident_host(in, s->data) : NULL;
	char at[32], took[32];
	int row = 0;

	if (h == NULL) {
		draw_text(a, 0, 1, a->cols - 2, STYLE_PLAIN, _("This host is not in the incident."));
		return;
	}
	snprintf(took, sizeof took, "%.1f s", (double)h->ms / 1000);
	row = host_field(a, row, theme_state(h->state), _("state"), _(h->state));
	row = host_field(a, row, STYLE_PLAIN, _("phase"), h->phase);
	row = host_field(a, row, STYLE_PLAIN, _("last change"), clock_iso(at, sizeof at, h->at));
	row = host_field(a, row, STYLE_PLAIN, _("took"), took);
	row = host_field(a, row, STYLE_PLAIN, _("serial"), h->serial);
	row = host_field(a, row, STYLE_PLAIN, _("sha256"), h->fingerprint);
	row = host_field(a, row, STYLE_PLAIN, _("valid until"),
	    h->not_after > 0 ? clock_iso(at, sizeof at, h->not_after) : "");
	draw_rule(a, row + 1, _("What it said"), NULL);
	draw_wrap(a, row + 2, 3, a->cols - 4, a->rows - row - 2, STYLE_PLAIN,
	    h->detail[0] != '\0' ? h->detail : _("nothing"));
}

static const struct binding host_keys[] = {
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_host = {
	.name = "host",
	.title = N_("Host"),
	.keys = host_keys,
	.open = host_open,
	.draw = host_draw,
	.done = host_done,
};
