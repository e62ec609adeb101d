/* Triage: closed menus one after another, with live counts; then what will happen and who must be
 * told; then the answers are recorded and the scope is frozen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "app/model.h"
#include "ask.h"
#include "ask_select.h"
#include "asked.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"

enum step { STEP_ASK, STEP_TRIAGE, STEP_SCOPE, STEP_ENDED };

struct triage {
	struct screen *screen;
	struct ask ask;
	enum step step;
	struct job *count, *job;
	struct job *match;  /* a count with the selectors so far */
	char *matched;      /* its words */
	bool failed;
};

static void triage_open(struct screen *s, void *arg)
{
	struct triage *t = mem_zalloc(1, sizeof *t);
	struct answer w;

	(void)arg;
	t->screen = s;
	s->data = t;
	if (answer_init(&w, "count", true))
		t->count = answer_start(&w, s->ui);
	if (t->count != NULL)
		t->count->held++;
	ask_init(&t->ask, triage_items, ui_engine(s->ui));
	triage_source(&t->ask, ui_engine(s->ui));
}

static void match_drop(struct triage *t)
{
	if (t->match != NULL && t->match->state != JOB_ENDED)
		jobs_cancel(ui_jobs(t->screen->ui), t->match, _("the answers have changed"));
	if (t->match != NULL)
		t->match->held--;
	t->match = NULL;
	free(t->matched);
	t->matched = NULL;
}

static void triage_done(struct screen *s)
{
	struct triage *t = s->data;

	if (t->count != NULL)
		t->count->held--;
	match_drop(t);
	if (t->job != NULL)
		t->job->held--;
	ask_free(&t->ask);
	free(t);
}

/* Count what the answers select as far as index.txt alone can tell; again whenever they change. */
static void triage_match(struct triage *t)
{
	struct answer w;
	bool any;

	if (!answer_init(&w, "count", true))
		return;
	answer_add(&w, "ca", ask_get(&t->ask, "ca"));
	any = select_words(&t->ask, &w, true);
	if (any && t->matched != NULL && strcmp(t->matched, buf_str(&w.words)) == 0) {
		answer_free(&w);
		return;
	}
	match_drop(t);
	if (!any) {
		answer_free(&w);
		return;
	}
	t->matched = mem_strdup(buf_str(&w.words));
	t->match = answer_start(&w, t->screen->ui);
	if (t->match != NULL)
		t->match->held++;
}

/* False where nothing is counted. */
static bool triage_matches(const struct triage *t, char *out, size_t size, bool *bad)
{
	struct ca_count n;
	char num[2][32];

	*bad = false;
	if (t->match == NULL)
		return false;
	if (t->match->state != JOB_ENDED) {
		snprintf(out, size, "%s", _("counting ..."));
	} else if (t->match->status != EXIT_DONE || !model_count(ui_engine(t->screen->ui), ask_get(&t->ask, "ca"), &n) ||
	    n.matches < 0) {
		*bad = true;
		snprintf(out, size, "%s", t->match->status != EXIT_DONE ? t->match->err.text :
		    n.refused != NULL ? n.refused : n.error != NULL ? n.error : "");
	} else {
		snprintf(out, size, _("%s of %s valid, by what index.txt holds"), text_count(num[0], n.matches),
		    text_count(num[1], n.valid));
	}
	return true;
}

static int summary_line(const struct area *a, int row, const char *label, enum style st, const char *text)
{
	int n;

	draw_text(a, row, 3, 18, STYLE_DIM, label);
	n = draw_wrap(a, row, 22, a->cols - 23, 2, st, text);
	return row + (n > 0 ? n : 1);
}

/* What the scope holds now, for the summary; the scope command counts again and freezes. */
static void summary_counts(const struct triage *t, char *out, size_t size)
{
	int64_t valid;
	size_t cas;
	char num[32];
	bool bad;

	if (strcmp(ask_get(&t->ask, "level"), "end-entity") == 0) {
		if (!triage_matches(t, out, size, &bad))
			snprintf(out, size, "%s", _("those the selectors match; the scope counts them"));
		return;
	}
	valid = triage_valid(ui_engine(t->screen->ui), ask_get(&t->ask, "ca"), &cas);
	snprintf(out, size, _("%s valid certificates, CAs: %zu%s"), text_count(num, valid), cas,
	    strcmp(ask_get(&t->ask, "level"), "intermediate") == 0 ? _("; its own on its parent's CRL") : "");
}

static void summary_tell(const struct triage *t, char *out, size_t size)
{
	const struct incident *in = model_incident(ui_engine(t->screen->ui));
	json_t *tell = triage_tell(ask_get(&t->ask, "level"), in != NULL ? in->profile : "private");
	const json_t *who;
	size_t i, n = 0;

	out[0] = '\0';
	json_array_foreach(tell, i, who)
		if (n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", i > 0 ? ", " : "", json_string_value(who));
	json_decref(tell);
}

static void summary_deadline(const struct triage *t, char *out, size_t size)
{
	const struct incident *in = model_incident(ui_engine(t->screen->ui));
	json_t *answers = json_pack("{s:s,s:s,s:i}", "level", ask_get(&t->ask, "level"), "reason", ask_get(&t->ask, "reason"),
	    "circumstance", asked_circumstance(&t->ask));
	int minutes = triage_shortest(answers, in != NULL ? in->profile : "private", in != NULL ? in->times : NULL);
	int64_t received = clock_now();
	char iso[32], span[40];

	clock_parse(ask_get(&t->ask, "received"), &received);
	json_decref(answers);
	received += (int64_t)minutes * 60 * 1000;
	snprintf(out, size, minutes % 60 == 0 ? _("%s, %d h after first receipt (%s left)") :
	    _("%s, %d min after first receipt (%s left)"), clock_iso(iso, sizeof iso, received), minutes % 60 == 0 ? minutes / 60 : minutes,
	    clock_span(span, sizeof span, received - clock_now()));
}

static void triage_draw_summary(const struct triage *t, const struct area *a)
{
	const char *trigger, *action;
	char text[500], *others;
	struct answer w;
	int row = 0;

	triage_trigger(ask_get(&t->ask, "level"), atoi(ask_get(&t->ask, "compromise")), &trigger, &action);
	snprintf(text, sizeof text, "%s (%s), %s", ask_get(&t->ask, "ca"), ask_get(&t->ask, "level"),
	    ask_shown(&t->ask, "compromise"));
	row = summary_line(a, row, _("Affected"), STYLE_BOLD, text);
	row = summary_line(a, row, _("Trigger"), STYLE_PLAIN, trigger);
	row = summary_line(a, row, _("Action"), STYLE_BOLD, action);
	summary_counts(t, text, sizeof text);
	if (ask_get(&t->ask, "select") != NULL && strcmp(ask_get(&t->ask, "select"), "report") == 0)
		snprintf(text + strlen(text), sizeof text - strlen(text), " (%s)", model_report_id(ui_engine(t->screen->ui)));
	row = summary_line(a, row, _("To be revoked"), STYLE_PLAIN, text);
	if ((others = model_reported(ui_engine(t->screen->ui), "others", ask_get(&t->ask, "ca"))) != NULL) {
		snprintf(text, sizeof text, _("of other CAs (%s): they need an incident of their own"), others);
		row = summary_line(a, row, _("Not covered"), STYLE_BAD, text);
	}
	free(others);
	snprintf(text, sizeof text, _("%s; compromised since %s"), ask_get(&t->ask, "reason"), ask_get(&t->ask, "since"));
	row = summary_line(a, row, _("Reason"), STYLE_PLAIN, text);
	if (strcmp(ask_get(&t->ask, "reason"), "certificateHold") == 0)
		row = summary_line(a, row, "", STYLE_WARN, _("a hold can be lifted again, and is not for public TLS"));
	snprintf(text, sizeof text, _("%s by %s%s%s"), ask_get(&t->ask, "received"), ask_get(&t->ask, "channel"),
	    ask_get(&t->ask, "reporter")[0] != '\0' ? _(", from ") : "", ask_get(&t->ask, "reporter"));
	row = summary_line(a, row, _("First receipt"), STYLE_PLAIN, text);
	summary_deadline(t, text, sizeof text);
	row = summary_line(a, row, _("Revoked by"), STYLE_WARN, text);
	summary_tell(t, text, sizeof text);
	row = summary_line(a, row, _("Must be told"), STYLE_BOLD, text);
	draw_rule(a, row++, NULL, NULL);
	if (answer_init(&w, "triage", false)) {
		triage_words(&t->ask, &w);
		snprintf(text, sizeof text, "sev1 %s && sev1 scope", buf_str(&w.words));
		row += draw_wrap(a, row, 1, a->cols - 2, 3, STYLE_DIM, text);
		answer_free(&w);
	}
	draw_text(a, row + 1, 1, a->cols - 2, STYLE_BOLD,
	    t->step == STEP_ASK ? _("Enter records this and freezes the scope; nothing is revoked yet.")
	    : t->step == STEP_TRIAGE ? _("Recording the answers ...") : _("Freezing the scope ..."));
}

static void triage_draw_failure(const struct triage *t, const struct area *a)
{
	int row = 0;

	draw_text(a, row++, 1, a->cols - 2, STYLE_BAD,
	    t->step == STEP_TRIAGE ? _("The answers were not recorded.") : _("The scope is not frozen."));
	row += draw_wrap(a, row + 1, 3, a->cols - 4, 6, STYLE_PLAIN, t->job->err.text) + 2;
	row += draw_wrap(a, row, 3, a->cols - 4, 4, STYLE_WARN, t->job->err.remedy) + 1;
	draw_text(a, row, 1, a->cols - 2, STYLE_BOLD, _("Enter tries again, Esc goes back to the questions."));
}

static void triage_draw_question(struct triage *t, const struct area *a)
{
	struct area above = *a;
	char text[700];
	bool bad;

	if (!triage_matches(t, text, sizeof text, &bad)) {
		ask_draw(&t->ask, a);
		return;
	}
	above.rows--;
	ask_draw(&t->ask, &above);
	if (bad) {
		draw_text(a, a->rows - 1, 3, a->cols - 4, STYLE_BAD, text);
		return;
	}
	draw_text(a, a->rows - 1, 3, 20, STYLE_DIM, _("Selected so far"));
	draw_text(a, a->rows - 1, 24, a->cols - 25, STYLE_BOLD, text);
}

static void triage_draw(struct screen *s, const struct area *a)
{
	struct triage *t = s->data;

	if (t->failed)
		triage_draw_failure(t, a);
	else if (ask_done(&t->ask))
		triage_draw_summary(t, a);
	else
		triage_draw_question(t, a);
}

static void triage_run(struct triage *t, enum step step)
{
	struct answer w;

	if (t->job != NULL)
		t->job->held--;
	t->job = NULL;
	t->failed = false;
	t->step = step;
	if (!answer_init(&w, step == STEP_TRIAGE ? "triage" : "scope", true))
		return;
	if (step == STEP_TRIAGE)
		triage_words(&t->ask, &w);
	t->job = answer_start(&w, t->screen->ui);
	if (t->job != NULL)
		t->job->held++;
	else
		t->step = STEP_ASK;
}

static bool triage_key(struct screen *s, int key)
{
	struct triage *t = s->data;
	bool enter = keymap_act(key) == ACT_ENTER;
	size_t at;

	if (ask_leaves(&t->ask, key))
		return false;
	if (t->failed) {
		if (enter)
			triage_run(t, t->step);
		else if (key == KEYC_ESC) {
			t->failed = false;
			t->step = STEP_ASK;
		}
		return true;
	}
	if (t->step != STEP_ASK) {
		if (key == KEYC_ESC)
			ui_pop(s->ui); /* what runs goes on and ends in the journal */
		return true;
	}
	if (ask_done(&t->ask)) {
		if (enter)
			triage_run(t, STEP_TRIAGE);
		else if (key == KEYC_ESC)
			ask_reopen(&t->ask);
		return true;
	}
	at = t->ask.at;
	if (ask_key(&t->ask, key) == ASK_BACK)
		ui_pop(s->ui); /* s is gone */
	else if (t->ask.at != at)
		triage_match(t);
	return true;
}

static void triage_ended(struct screen *s, struct job *j)
{
	struct triage *t = s->data;
	struct ui *u = s->ui;
	const struct incident *in;
	char num[64];

	if (j != t->job)
		return;
	if (j->status != EXIT_DONE) {
		t->failed = true;
		if (j->err.code == 0)
			err_set(&j->err, ERR_FAILED, "%s", j->said.count > 0 ? j->said.line[j->said.count - 1] : "");
		return;
	}
	if (t->step == STEP_TRIAGE) {
		triage_run(t, STEP_SCOPE);
		return;
	}
	in = model_incident(ui_engine(u));
	ui_home(u); /* s is gone */
	if (in != NULL && in->scope_frozen)
		ui_say(u, STYLE_GOOD, _("The scope is frozen: %s, manifest sha256 %.16s."),
		    text_certificates(num, in->scope_count), in->manifest);
}

static const struct binding triage_keys[] = {
	{ KEYC_ENTER, "Enter", N_("answer"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_triage = {
	.name = "triage",
	.title = N_("Triage"),
	.keys = triage_keys,
	.open = triage_open,
	.draw = triage_draw,
	.typing = true,
	.key = triage_key,
	.ended = triage_ended,
	.done = triage_done,
};
