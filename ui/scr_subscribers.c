/* Who is concerned: who has been tried, who has answered, when the wait for an answer ends. */
#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "board.h"
#include "list.h"
#include "theme.h"

#define DETAIL_ROWS 6

static const struct column columns[] = {
	{ N_("Subscriber"), 15, false },
	{ N_("certs"), 7, true },
	{ N_("tried"), 5, true },
	{ N_("wait ends"), 17, false },
	{ N_("left"), 10, true },
	{ N_("state"), 0, false },
};

struct subscribers {
	struct list list;
	struct job *job;  /* the last one started from here */
	char *name;       /* who is asked about */
	bool answered;    /* an answer is typed in, else an attempt without one */
};

static void subscribers_open(struct screen *s, void *arg)
{
	(void)arg;
	s->data = mem_zalloc(1, sizeof(struct subscribers));
}

static void subscribers_done(struct screen *s)
{
	struct subscribers *v = s->data;

	if (v->job != NULL)
		v->job->held--;
	list_free(&v->list);
	free(v->name);
	free(v);
}

static const char *subscriber_state(const struct subscriber *s, int64_t hold, int64_t now)
{
	if (s->reporter)
		return s->reported != 0 ? N_("reported") : N_("not reported");
	if (s->answered != 0)
		return N_("answered");
	if (hold != 0 && hold <= now)
		return N_("proceeds");
	return hold != 0 ? N_("waits") : N_("not tried");
}

static void subscribers_row(struct screen *s, const struct area *a, int row, const struct subscriber *it, bool here)
{
	int64_t now = clock_now(), hold = model_hold(ui_engine(s->ui), it);
	char certs[32], tried[16], until[32] = "", left[40] = "";
	const char *state = subscriber_state(it, hold, now);
	const char *text[] = { it->name, it->reporter ? "" : text_count(certs, it->certificates), tried, until, left, _(state) };
	enum style st[] = { STYLE_PLAIN, STYLE_PLAIN, STYLE_PLAIN, STYLE_PLAIN, STYLE_PLAIN,
		hold != 0 && hold <= now ? STYLE_WARN : it->answered != 0 ? STYLE_GOOD : STYLE_PLAIN };

	snprintf(tried, sizeof tried, "%zu", it->attempts);
	if (hold != 0) {
		show_minute(until, hold);
		clock_span(left, sizeof left, hold - now);
	}
	draw_row(a, row, here ? '>' : ' ', columns, 6, text, st);
}

/* How to reach the one under the cursor, and what came of it so far, the last attempt first. */
static void subscribers_detail(const struct area *a, int row, const struct subscriber *it)
{
	char at[32];

	draw_rule(a, row++, it->name, it->reported != 0 ? _("has the preliminary report") : _("preliminary report open"));
	draw_printf(a, row++, 3, a->cols - 4, STYLE_DIM, "%s  %s  %s", it->mail, it->phone, it->webhook);
	if (it->answered != 0) {
		show_minute(at, it->answered);
		draw_printf(a, row++, 3, a->cols - 4, STYLE_GOOD, _("%s  answered: %s"), at, it->answer);
	}
	for (size_t i = it->attempts; i > 0 && row < a->rows; i--) {
		const struct attempt *t = &it->attempt[i - 1];
		show_minute(at, t->at);
		draw_printf(a, row++, 3, a->cols - 4, STYLE_PLAIN, "%s  %-8s %s%s%s", at, t->channel, t->outcome,
		    t->detail[0] != '\0' ? ", " : "", t->detail);
	}
}

static void subscribers_draw(struct screen *s, const struct area *a)
{
	const struct incident *in = model_incident(ui_engine(s->ui));
	struct list *l = &((struct subscribers *)s->data)->list;
	int rows = a->rows - 1 - DETAIL_ROWS;
	size_t n;

	if (in == NULL || in->subscribers == 0) {
		draw_text(a, 0, 1, a->cols - 2, STYLE_PLAIN, _("Nobody was looked up yet: f does it, once the scope is frozen."));
		return;
	}
	list_set(l, in->subscribers);
	list_height(l, (size_t)(rows < (int)in->subscribers ? rows : (int)in->subscribers));
	draw_head(a, 0, columns, 6);
	for (size_t i = 0; (n = list_seen(l, i)) != LIST_NONE; i++)
		subscribers_row(s, a, 1 + (int)i, &in->subscriber[n], list_is_here(l, i));
	n = list_here(l);
	if (n < in->subscribers)
		subscribers_detail(a, a->rows - DETAIL_ROWS, &in->subscriber[n]);
}

static void subscribers_said(void *ctx, enum prompt_end end, const char *text)
{
	struct screen *s = ctx;
	struct subscribers *v = s->data;
	struct answer w;

	if (end != PROMPT_DONE || !answer_init(&w, "subscribers", true))
		return;
	args_add(w.args, "", v->answered ? "answer" : "log");
	args_add(w.args, "", v->name);
	answer_add(&w, "text", text);
	if (!v->answered)
		answer_add(&w, "outcome", "no answer");
	if (v->job != NULL)
		v->job->held--;
	v->job = answer_start(&w, s->ui);
	if (v->job != NULL)
		v->job->held++;
}

/* Another channel, time or outcome: the words of the command, to be finished. */
static void subscribers_log(struct screen *s, const char *name)
{
	struct buf words = { 0 };

	buf_adds(&words, "subscribers log ");
	if (text_is_word(name))
		buf_adds(&words, name);
	else
		text_quote(&words, name);
	buf_adds(&words, " --channel phone --outcome ");
	ui_ask_command(s->ui, buf_str(&words));
	buf_free(&words);
}

static bool subscribers_key(struct screen *s, int key)
{
	const struct incident *in = model_incident(ui_engine(s->ui));
	struct subscribers *v = s->data;
	size_t here = list_here(&v->list);

	if (key == 'f') {
		ui_do(s->ui, "subscribers find");
		return true;
	}
	if (keymap_act(key) != ACT_ENTER && key != 'p' && key != 'o')
		return ui_list_key(&v->list, key);
	if (in == NULL || here >= in->subscribers)
		return true;
	if (key == 'o') {
		subscribers_log(s, in->subscriber[here].name);
		return true;
	}
	free(v->name);
	v->name = mem_strdup(in->subscriber[here].name);
	v->answered = key != 'p';
	ui_ask(s->ui, v->answered ? _("Answered: what was said?") : _("Called without an answer; a remark:"),
	    _("Enter writes it to the journal, Esc gives up"), "", subscribers_said, s);
	return true;
}

static void subscribers_ended(struct screen *s, struct job *j)
{
	struct subscribers *v = s->data;

	if (j == v->job && j->err.code != 0)
		ui_say_err(s->ui, &j->err);
}

static const struct binding subscribers_keys[] = {
	{ KEYC_ENTER, "Enter", N_("answered"), NULL },
	{ 'p', "p", N_("called, no answer"), NULL },
	{ 'o', "o", N_("other attempt"), NULL },
	{ 'f', "f", N_("look up"), NULL },
	{ KEYC_UP, "Up Down", N_("move"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_subscribers = {
	.name = "subscribers",
	.title = N_("Subscribers"),
	.keys = subscribers_keys,
	.open = subscribers_open,
	.draw = subscribers_draw,
	.key = subscribers_key,
	.ended = subscribers_ended,
	.done = subscribers_done,
};
