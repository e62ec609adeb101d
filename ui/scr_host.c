/* One host of the fleet: its phases with times, its certificate before and after, what it said. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "pager.h"
#include "screen.h"
#include "theme.h"

struct host_page {
	char *name;
	struct lines lines;  /* what it said */
	struct pager pager;
	int64_t seen;        /* the row's time when the lines were made; -1 none */
};

static void host_open(struct screen *s, void *arg)
{
	struct host_page *p = mem_zalloc(1, sizeof *p);

	p->name = mem_strdup(arg);
	p->seen = -1;
	p->pager.lines = &p->lines;
	s->data = p;
	s->title = mem_strdup(arg);
}

static void host_done(struct screen *s)
{
	struct host_page *p = s->data;

	pager_free(&p->pager);
	lines_free(&p->lines);
	free(p->name);
	free(p);
}

static void host_refresh(struct host_page *p, const struct host_row *h)
{
	const char *at = h->output;

	if (p->seen == h->at)
		return;
	p->seen = h->at;
	lines_free(&p->lines);
	p->lines = (struct lines){ 0 };
	while (at != NULL && *at != '\0') {
		size_t n = strcspn(at, "\n");
		char *line = mem_strndup(at, n);
		lines_add(&p->lines, line);
		free(line);
		at += n + (at[n] != '\0');
	}
	pager_refresh(&p->pager);
}

static const struct column phase_columns[] = {
	{ N_("phase"), 9, false },
	{ N_("began"), 9, false },
	{ N_("took"), 7, true },
};

/* The phases it went through, in two columns' room. Returns the rows taken. */
static int host_draw_phases(const struct area *a, const struct host_row *h)
{
	const char *at = h->phases;
	int64_t start = h->at - h->ms, next;
	int row = 1;

	draw_head(a, 0, phase_columns, 3);
	if (at == NULL) {
		draw_text(a, row, 3, a->cols - 4, STYLE_DIM, _("known once it has ended"));
		return row + 1;
	}
	while (*at != '\0' && row < a->rows) {
		char name[32] = "", began[32], took[32];
		const char *text[] = { name, began, took };
		long long ms = 0;
		int used = 0;
		if (sscanf(at, "%31s %lld%n", name, &ms, &used) != 2)
			break;
		at += used;
		at += strspn(at, " ");
		next = h->ms;
		sscanf(at, "%*s %" SCNd64, &next);
		clock_time(began, sizeof began, start + ms);
		snprintf(took, sizeof took, "%.2fs", (double)(next - ms) / 1000);
		draw_row(a, row++, ' ', phase_columns, 3, text, NULL);
	}
	return row;
}

static int host_draw_cert(const struct area *a, int row, const char *title, const char *serial, const char *print,
    int64_t not_after)
{
	char at[32];

	draw_text(a, row, 0, a->cols, STYLE_DIM, title);
	if (serial == NULL || serial[0] == '\0') {
		draw_text(a, row, 8, a->cols - 8, STYLE_DIM, "-");
		return row + 1;
	}
	draw_printf(a, row++, 8, a->cols - 8, STYLE_PLAIN, "%s", serial);
	draw_printf(a, row++, 8, a->cols - 8, STYLE_DIM, _("until %s"), not_after > 0 ?
	    clock_iso(at, sizeof at, not_after) : "-");
	return row + draw_wrap(a, row, 8, a->cols - 8, 2, STYLE_DIM, print != NULL ? print : "");
}

static int host_draw_certs(const struct area *a, const struct host_row *h)
{
	int row = 0;

	draw_text(a, row++, 0, a->cols, STYLE_DIM, _("certificate: serial, end, sha256"));
	if (h->old_subject != NULL && h->old_subject[0] != '\0')
		draw_text(a, row++, 8, a->cols - 8, STYLE_PLAIN, h->old_subject);
	row = host_draw_cert(a, row, _("before"), h->old_serial, h->old_fingerprint, h->old_not_after);
	return host_draw_cert(a, row, _("after"), h->serial, h->fingerprint, h->not_after);
}

static int host_draw_state(const struct area *a, const struct host_row *h)
{
	char at[32];
	int row = 0;

	draw_text(a, row, 3, 12, theme_state(h->state), _(h->state));
	draw_printf(a, row, 16, a->cols - 17, STYLE_PLAIN, _("in %s, %.1f s, last change %s"),
	    h->phase[0] != '\0' ? h->phase : "-", (double)h->ms / 1000, h->at > 0 ? clock_iso(at, sizeof at, h->at) : "-");
	row++;
	if (h->detail[0] != '\0')
		row += draw_wrap(a, row, 3, a->cols - 4, 3, STYLE_PLAIN, h->detail);
	return row;
}

static void host_draw(struct screen *s, const struct area *a)
{
	struct host_page *p = s->data;
	const struct incident *in = model_incident(ui_engine(s->ui));
	const struct host_row *h = in != NULL ? incident_host(in, p->name) : NULL;
	struct area part;
	int top, left, right, half = 34;

	if (h == NULL) {
		draw_text(a, 0, 1, a->cols - 2, STYLE_PLAIN, _("This host is not in the incident."));
		return;
	}
	host_refresh(p, h);
	top = host_draw_state(a, h) + 1;
	part = frame_area(a->f, a->top + top, a->left, a->rows - top, half);
	left = host_draw_phases(&part, h);
	part = frame_area(a->f, a->top + top, a->left + half, a->rows - top, a->cols - half);
	right = host_draw_certs(&part, h);
	top += left > right ? left : right;
	draw_rule(a, top++, _("What it said"), NULL);
	if (p->lines.count == 0) {
		draw_text(a, top, 3, a->cols - 4, STYLE_DIM, _("nothing"));
		return;
	}
	part = frame_area(a->f, a->top + top, a->left + 2, a->rows - top, a->cols - 2);
	pager_draw(&p->pager, &part);
}

static bool host_key(struct screen *s, int key)
{
	struct host_page *p = s->data;

	return p->lines.count > 0 && pager_key(&p->pager, s->ui, key);
}

static const struct binding host_keys[] = {
	{ KEYC_UP, "Up Down Right", N_("scroll"), NULL },
	{ '/', "/", N_("filter"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_host = {
	.name = "host",
	.title = N_("Host"),
	.keys = host_keys,
	.open = host_open,
	.draw = host_draw,
	.key = host_key,
	.done = host_done,
};
