/* A problem report that reached somebody by word of mouth, typed in: what was said, by whom, on which way, and when. */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "app/model.h"
#include "ask.h"
#include "base/buf.h"
#include "base/i18n.h"

struct typed {
	struct ask ask;
	struct job *job;
};

/* By telephone most of them come; the rest in their order. */
static void typed_channels(struct ask *a, void *ctx)
{
	(void)ctx;
	for (int first = 1; first >= 0; first--)
		for (const struct choice *c = triage_channels; c->value != NULL; c++)
			if ((strcmp(c->value, "phone") == 0) == first)
				ask_choice(a, c->value, _(c->title));
}

static int typed_text(void *ctx, const char *text, char **value, struct err *e)
{
	(void)ctx;
	if (strstr(text, "PRIVATE KEY") != NULL)
		return err_set(e, ERR_REFUSED, _("A private key is not typed in: put it into a file that only you can read, and have "
		    "that read: intake FILE."));
	*value = mem_strdup(text);
	return 0;
}

static const struct ask_item items[] = {
	{ .name = "text", .title = N_("Reported"), .question = N_("What was reported?"), .check = typed_text,
	    .hint = N_("As it was said. Serials, fingerprints, host names and links of crt.sh in it are looked up.") },
	{ .name = "reporter", .title = N_("Reporter"), .question = N_("Who reported it?"), .optional = true,
	    .hint = N_("A name, and how to reach him; empty where unknown.") },
	{ .name = "channel", .title = N_("Channel"), .question = N_("By which channel?"), .menu = typed_channels },
	{ .name = "received", .title = N_("First receipt"), .question = N_("When was it first reported, on any channel?"),
	    .preset = "now", .check = answer_time,
	    .hint = N_("The revocation deadline runs from here, however late it reached you. "
	        "now, -35m, -2h, or a time with its zone: 2026-08-31T23:19+05:30") },
	{ .name = NULL },
};

static void typed_open(struct screen *s, void *arg)
{
	struct typed *t = mem_zalloc(1, sizeof *t);

	(void)arg;
	s->data = t;
	ask_init(&t->ask, items, t);
}

static void typed_done(struct screen *s)
{
	struct typed *t = s->data;

	if (t->job != NULL)
		t->job->held--;
	ask_free(&t->ask);
	free(t);
}

static void typed_draw(struct screen *s, const struct area *a)
{
	struct typed *t = s->data;

	ask_draw(&t->ask, a);
	if (t->job != NULL)
		draw_text(a, a->rows - 1, 1, a->cols - 2, STYLE_BOLD, _("Looking up what it names, and keeping it ..."));
}

static void typed_start(struct screen *s)
{
	struct typed *t = s->data;
	struct answer w;

	if (!answer_init(&w, "intake", true))
		return;
	args_add(w.args, "", "type");
	buf_adds(&w.words, " type");
	for (const struct ask_item *it = items; it->name != NULL; it++)
		answer_add(&w, it->name, ask_get(&t->ask, it->name));
	t->job = answer_start(&w, s->ui);
	if (t->job != NULL)
		t->job->held++;
	else
		ask_reopen(&t->ask);
}

static bool typed_key(struct screen *s, int key)
{
	struct typed *t = s->data;

	if (key == KEYC_F1 || keymap_act(key) == ACT_REDRAW)
		return false;
	if (t->job != NULL) {
		if (key == KEYC_ESC)
			ui_pop(s->ui); /* it goes on */
		return true;
	}
	switch (ask_key(&t->ask, key)) {
	case ASK_BACK:
		ui_pop(s->ui);
		break;
	case ASK_DONE:
		typed_start(s);
		break;
	case ASK_MORE:
		break;
	}
	return true;
}

/* Kept, though perhaps not everybody could be told of it; or refused, and the questions are there again. */
static void typed_ended(struct screen *s, struct job *j)
{
	struct typed *t = s->data;
	struct ui *u = s->ui;

	if (j != t->job)
		return;
	if (j->out.count == 0) {
		t->job->held--;
		t->job = NULL;
		ask_reopen(&t->ask);
		ui_say_err(u, &j->err);
		return;
	}
	ui_pop(u); /* s is gone */
	if (j->status != EXIT_DONE && j->said.count > 0)
		ui_say(u, STYLE_BAD, "%s", j->said.line[j->said.count - 1]);
	else
		ui_say(u, STYLE_GOOD, "%s", j->out.line[0]);
}

static const struct binding typed_keys[] = {
	{ KEYC_ENTER, "Enter", N_("answer"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_typed = {
	.name = "typed",
	.title = N_("A report, typed in"),
	.keys = typed_keys,
	.open = typed_open,
	.draw = typed_draw,
	.typing = true,
	.key = typed_key,
	.ended = typed_ended,
	.done = typed_done,
};
