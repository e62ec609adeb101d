/* The drawings of the HTML report. Colours come from classes, so that they suit light, dark and paper; what they
 * say is said by shape and word too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "report/ht.h"

#define WIDTH 760
#define LEFT 230  /* where the time axis begins */
#define RIGHT 700 /* and ends */
#define ROW 28
#define TOP 24
#define HEIGHT 240 /* of the curves */
#define CURVE_TOP 44 /* under two lines of legend */
#define BOTTOM (HEIGHT - 40)

struct axis {
	int64_t from, to; /* ms */
};

/* The column of a moment, clamped to the axis. */
static int axis_x(const struct axis *ax, int left, int64_t at)
{
	if (at >= ax->to)
		return RIGHT;
	if (at <= ax->from || ax->to <= ax->from)
		return left;
	return left + (int)((at - ax->from) * (RIGHT - left) / (ax->to - ax->from));
}

/* A step of an axis in ms, so that it has four to ten. */
static int64_t axis_step(int64_t span)
{
	static const int64_t minutes[] = { 1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440, 2880, 7200, 14400 };

	for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++)
		if (span / (minutes[i] * 60000) <= 8)
			return minutes[i] * 60000;
	return span / 8;
}

/* "+15m", "+2h", "+3d". */
static void axis_label(char out[32], int64_t ms)
{
	int64_t m = ms / 60000;

	if (m < 120 || m % 60 != 0)
		snprintf(out, 32, "+%lldm", (long long)m);
	else if (m < 2880 || m % 1440 != 0)
		snprintf(out, 32, "+%lldh", (long long)(m / 60));
	else
		snprintf(out, 32, "+%lldd", (long long)(m / 1440));
}

static void axis_draw(const struct axis *ax, struct buf *b, int left, int top, int bottom)
{
	int64_t step = axis_step(ax->to - ax->from);
	char label[32];

	for (int64_t at = 0; step > 0 && ax->from + at <= ax->to; at += step) {
		int x = axis_x(ax, left, ax->from + at);

		axis_label(label, at);
		buf_addf(b, "<line class=\"grid\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>"
			    "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
		    x, top, x, bottom, x, bottom + 16, label);
	}
}

/* ---- checkpoints ---- */

/* Three times the last due moment at most: one checkpoint that took days must not press the others into a line. */
static struct axis checkpoints_axis(const struct report *r)
{
	const struct incident *in = r->in;
	struct axis ax = { in->declared, in->declared + 60000 };
	int64_t due = in->declared;

	for (size_t i = 0; i < in->checkpoints; i++) {
		const struct checkpoint *c = &in->checkpoint[i];
		int64_t at = c->done_at > 0 ? c->done_at : report_due(r, c);

		due = report_due(r, c) > due ? report_due(r, c) : due;
		ax.to = at > ax.to ? at : ax.to;
	}
	ax.to = due > ax.to ? due : ax.to;
	if (due > in->declared && ax.to > in->declared + 3 * (due - in->declared))
		ax.to = in->declared + 3 * (due - in->declared);
	return ax;
}

static void checkpoint_label(const struct checkpoint *c, struct buf *b, int y)
{
	int used;
	size_t fits;
	char *name = mem_printf("%d %s", c->n, c->title), *safe = text_escaped(name, strlen(name), 200);

	fits = text_fit(safe, 32, &used);
	if (safe[fits] != '\0') {
		fits = text_fit(safe, 29, &used);
		safe[fits] = '\0';
	}
	buf_addf(b, "<text x=\"0\" y=\"%d\">", y + 5);
	ht_text(b, safe);
	buf_addf(b, "%s</text>", strlen(safe) < strlen(name) && fits >= 29 ? "..." : "");
	free(name);
	free(safe);
}

static void checkpoint_draw(const struct report *r, const struct axis *ax, const struct checkpoint *c, struct buf *b, int y)
{
	int due = axis_x(ax, LEFT, report_due(r, c)), done = axis_x(ax, LEFT, c->done_at);
	bool late = report_margin(r, c) < 0;
	char span[40];

	checkpoint_label(c, b, y);
	if (c->state != CP_OPEN) {
		buf_addf(b, "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>", late ? "late" : "early", due, y, done, y);
		if (c->state == CP_DONE)
			buf_addf(b, "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"6\"/>", late ? "late" : "early", done, y);
		else
			buf_addf(b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"11\" height=\"11\"/>", late ? "late" : "early",
			    done - 5, y - 5);
		clock_span(span, sizeof span, llabs(report_margin(r, c)));
		buf_addf(b, "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">", done > RIGHT - 60 ? done - 12 : done + 10, y - 8,
		    done > RIGHT - 60 ? "end" : "start");
		buf_addf(b, late ? _("%s late") : _("%s early"), span);
		buf_adds(b, "</text>");
	}
	if (c->state == CP_OPEN && late) {
		buf_addf(b, "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">", due > RIGHT - 60 ? due - 12 : due + 12, y + 4,
		    due > RIGHT - 60 ? "end" : "start");
		buf_addf(b, _("open, %s late"), clock_span(span, sizeof span, llabs(report_margin(r, c))));
		buf_adds(b, "</text>");
	}
	buf_addf(b, "<path class=\"due\" d=\"M%d %d l6 6 l-6 6 l-6 -6 z\"/>\n", due, y - 6);
}

void svg_checkpoints(const struct report *r, struct buf *b)
{
	const struct incident *in = r->in;
	struct axis ax = checkpoints_axis(r);
	int bottom = TOP + (int)in->checkpoints * ROW;

	if (in->checkpoints == 0)
		return;
	buf_addf(b, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\"><title>%s</title>\n",
	    WIDTH, bottom + 24, _("Checkpoints, planned against actual"));
	axis_draw(&ax, b, LEFT, TOP - 10, bottom);
	for (size_t i = 0; i < in->checkpoints; i++)
		checkpoint_draw(r, &ax, &in->checkpoint[i], b, TOP + (int)i * ROW + ROW / 2);
	buf_addf(b, "</svg>\n<figcaption>%s</figcaption></figure>\n",
	    _("Diamond: planned. Disc: closed by evidence. Square: closed by hand or waived. The line between them is the "
	      "time won or lost."));
}

/* ---- curves ---- */

struct point_xy {
	int64_t at, n;
};
struct curve {
	struct point_xy *p;
	size_t n;
	int64_t whole; /* 100% */
};

static void curve_add(struct curve *c, int64_t at, int64_t n)
{
	if (c->n > 0 && c->p[c->n - 1].n == n)
		return;
	c->p = mem_grow(c->p, c->n + 1, sizeof *c->p);
	c->p[c->n++] = (struct point_xy){ at, n };
}

static struct curve curve_revoked(const struct report *r)
{
	struct curve c = { 0 };
	json_t *by = json_object(), *n;
	const char *ca;

	c.whole = r->in->scope_count;
	for (size_t i = 0; i < r->events; i++) {
		const struct event *ev = &r->event[i];
		bool done = strcmp(json_str(ev->body, "outcome"), "done") == 0;
		int64_t sum = 0;

		if (!done || (ev->kind != EV_REVOKE_END && ev->kind != EV_UNDO_END))
			continue;
		json_put_num(by, json_str(ev->body, "ca"), ev->kind == EV_UNDO_END ? 0 : json_num(ev->body, "revoked", 0));
		json_object_foreach(by, ca, n)
			sum += json_integer_value(n);
		curve_add(&c, ev->at, sum);
		c.whole = sum > c.whole ? sum : c.whole;
	}
	json_decref(by);
	return c;
}

static struct curve curve_verified(const struct report *r)
{
	struct curve c = { .whole = (int64_t)r->in->hosts };
	json_t *ok = json_object();

	for (size_t i = 0; i < r->events; i++) {
		const json_t *rows = r->event[i].kind == EV_HOST ? json_list(r->event[i].body, "rows") : NULL, *row;
		size_t k;

		json_array_foreach(rows, k, row) {
			if (strcmp(json_str(row, "state"), "verified") == 0)
				json_object_set_new(ok, json_str(row, "host"), json_true());
			else
				json_object_del(ok, json_str(row, "host"));
		}
		if (rows != NULL)
			curve_add(&c, r->event[i].at, (int64_t)json_object_size(ok));
	}
	json_decref(ok);
	return c;
}

/* What `ari --progress` and its kin counted: certificates of the scope that have a successor. */
static struct curve curve_replaced(const struct report *r)
{
	const struct incident *in = r->in;
	struct curve c = { 0 };

	for (size_t i = 0; i < in->replacements; i++) {
		curve_add(&c, in->replaced[i].at, in->replaced[i].replaced);
		c.whole = in->replaced[i].total;
	}
	return c;
}

static int curve_y(const struct curve *c, int64_t n)
{
	return BOTTOM - (int)((BOTTOM - CURVE_TOP) * n / (c->whole > 0 ? c->whole : 1));
}

static void curve_draw(const struct curve *c, const struct axis *ax, struct buf *b, const char *class)
{
	buf_addf(b, "<path class=\"%s\" d=\"M60 %d", class, BOTTOM);
	for (size_t i = 0; i < c->n; i++)
		buf_addf(b, " H%d V%d", axis_x(ax, 60, c->p[i].at), curve_y(c, c->p[i].n));
	buf_addf(b, " H%d\"/>\n", RIGHT);
}

static void curve_legend(const struct curve *c, struct buf *b, int n, const char *class, const char *words)
{
	char done[32], whole[32];
	int x = n % 2 == 0 ? 60 : 400, y = n < 2 ? 10 : 28;

	buf_addf(b, "<path class=\"%s\" d=\"M%d %d h36\"/><text x=\"%d\" y=\"%d\">%s: %s / %s</text>\n", class, x, y, x + 44, y + 5,
	    words, text_count(done, c->n > 0 ? c->p[c->n - 1].n : 0), text_count(whole, c->whole));
}

static void curves_draw(const struct curve *c, size_t n, struct axis *ax, struct buf *b)
{
	static const char *const class[] = { "curve one", "curve two", "curve three" };
	static const char *const words[] = { N_("certificates revoked"), N_("hosts verified"), N_("certificates with a successor") };
	int shown = 0;

	ax->to += (ax->to - ax->from) / 10;
	buf_addf(b, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\"><title>%s</title>\n",
	    WIDTH, HEIGHT, _("Progress since the declaration"));
	axis_draw(ax, b, 60, CURVE_TOP, BOTTOM);
	for (int percent = 0; percent <= 100; percent += 50)
		buf_addf(b, "<text class=\"tick\" x=\"52\" y=\"%d\" text-anchor=\"end\">%d%%</text>\n",
		    BOTTOM - (BOTTOM - CURVE_TOP) * percent / 100 + 4, percent);
	for (size_t i = 0; i < n; i++) {
		if (c[i].n == 0)
			continue;
		curve_draw(&c[i], ax, b, class[i]);
		curve_legend(&c[i], b, shown++, class[i], _(words[i]));
	}
	buf_addf(b, "</svg>\n<figcaption>%s</figcaption></figure>\n", _("Since the declaration: certificates revoked; hosts of the "
	    "re-issue that were seen to serve their new certificate; certificates of the scope that have a successor, as it was counted."));
}

void svg_progress(const struct report *r, struct buf *b)
{
	struct curve c[] = { curve_revoked(r), curve_verified(r), curve_replaced(r) };
	struct axis ax = { r->in->declared, r->in->declared + 60000 };
	size_t n = sizeof c / sizeof c[0], points = 0;

	for (size_t i = 0; i < n; i++) {
		points += c[i].n;
		if (c[i].n > 0 && c[i].p[c[i].n - 1].at > ax.to)
			ax.to = c[i].p[c[i].n - 1].at;
	}
	if (points > 0)
		curves_draw(c, n, &ax, b);
	else
		buf_addf(b, "<p>%s</p>\n", _("Nothing was revoked, re-issued or replaced yet."));
	for (size_t i = 0; i < n; i++)
		free(c[i].p);
}
