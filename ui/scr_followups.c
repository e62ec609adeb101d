/* What is owed after the hour: forensic report, root cause analysis, authorities. */
#include <stdio.h>
#include <stdlib.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "board.h"
#include "list.h"
#include "screen.h"
#include "theme.h"

static const struct column columns[] = {
	{ N_("Follow-up"), 32, false },
	{ N_("due"), 17, false },
	{ N_("left"), 12, true },
	{ N_("state"), 6, false },
	{ "", 0, false },
};

static void followups_open(struct screen *s, void *arg)
{
	(void)arg;
	s->data = mem_zalloc(1, sizeof(struct list));
}

static void followups_done(struct screen *s)
{
	list_free(s->data);
	free(s->data);
}

static void followups_row(const struct area *a, int row, const struct followup *f, bool here)
{
	char title[160], due[32], left[40] = "";
	const char *state = f->done ? "done" : f->due >= 0 && f->due < clock_now() ? "late" : "open";
	const char *text[] = { title, due, left, _(state), f->text };
	enum style st[] = { STYLE_PLAIN, STYLE_PLAIN, STYLE_PLAIN, theme_state(state), STYLE_DIM };

	snprintf(title, sizeof title, "%d %s", f->n, f->title);
	if (f->due < 0) {
		snprintf(due, sizeof due, "%s", _("per regulation"));
	} else {
		show_minute(due, f->due);
		if (!f->done)
			clock_span(left, sizeof left, f->due - clock_now());
	}
	draw_row(a, row, here ? '>' : ' ', columns, 5, text, st);
}

static void followups_draw(struct screen *s, const struct area *a)
{
	const struct incident *in = model_incident(ui_engine(s->ui));
	struct list *l = s->data;
	size_t n;

	if (in == NULL || in->followups == 0) {
		draw_text(a, 0, 1, a->cols - 2, STYLE_PLAIN, _("There is nothing to follow up."));
		return;
	}
	list_set(l, in->followups);
	list_height(l, (size_t)(a->rows - 1));
	draw_head(a, 0, columns, 5);
	for (size_t i = 0; (n = list_seen(l, i)) != LIST_NONE; i++)
		followups_row(a, 1 + (int)i, &in->followup[n], list_is_here(l, i));
}

static bool followups_key(struct screen *s, int key)
{
	const struct incident *in = model_incident(ui_engine(s->ui));
	struct list *l = s->data;
	char words[64];

	if (keymap_act(key) == ACT_ENTER) {
		if (in != NULL && list_here(l) < in->followups) {
			const struct followup *f = &in->followup[list_here(l)];
			snprintf(words, sizeof words, "followup %d --%s --text ", f->n, f->done ? "reopen" : "done");
			ui_ask_command(s->ui, words);
		}
		return true;
	}
	return ui_list_key(l, key);
}

static const struct binding followups_keys[] = {
	{ KEYC_ENTER, "Enter", N_("done, with a remark"), NULL },
	{ KEYC_UP, "Up Down", N_("move"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_followups = {
	.name = "followups",
	.title = N_("Follow-ups"),
	.keys = followups_keys,
	.open = followups_open,
	.draw = followups_draw,
	.key = followups_key,
	.done = followups_done,
};
