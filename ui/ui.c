#include "ui.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "list.h"
#include "term.h"
#include "ui_state.h"

#define DRAW_EVERY 50 /* ms between drawings that nobody's key asked for */

struct engine *ui_engine(const struct ui *u)
{
	return u->en;
}

struct jobs *ui_jobs(const struct ui *u)
{
	return u->jobs;
}

void ui_push(struct ui *u, const struct screen_ops *ops, void *arg)
{
	struct screen *s = mem_zalloc(1, sizeof *s);

	s->ops = ops;
	s->ui = u;
	s->below = u->top;
	u->top = s;
	u->stack++;
	if (ops->open != NULL)
		ops->open(s, arg);
	u->dirty = true;
}

static void ui_drop_top(struct ui *u)
{
	struct screen *s = u->top;

	u->top = s->below;
	u->stack++;
	if (s->ops->done != NULL)
		s->ops->done(s);
	free(s->title);
	free(s);
	u->dirty = true;
}

void ui_pop(struct ui *u)
{
	if (u->top->below != NULL)
		ui_drop_top(u);
}

void ui_replace(struct ui *u, const struct screen_ops *ops, void *arg)
{
	struct screen *old = u->top, *s;

	/* The new one opens before the old one lets go of what both may show. */
	ui_push(u, ops, arg);
	s = u->top;
	s->below = old->below;
	u->top = old;
	ui_drop_top(u);
	u->top = s;
}

void ui_home(struct ui *u)
{
	while (u->top->below != NULL)
		ui_drop_top(u);
	if (model_incident(u->en) != NULL)
		ui_push(u, &scr_board, NULL);
}

void ui_ask(struct ui *u, const char *label, const char *hint, const char *text, prompt_fn fn,
    void *ctx)
{
	prompt_open(&u->prompt, label, hint, text, NULL, fn, ctx);
	u->dirty = true;
}

void ui_ask_phrase(struct ui *u, const char *label, const char *hint, const char *phrase,
    prompt_fn fn, void *ctx)
{
	prompt_open_phrase(&u->prompt, label, hint, phrase, fn, ctx);
	term_flush();
	u->dirty = true;
}

static void ui_leave(void *ctx, enum prompt_end end, const char *text)
{
	struct ui *u = ctx;

	(void)text;
	if (end == PROMPT_DONE)
		u->leaving = true;
}

void ui_ask_leave(struct ui *u)
{
	size_t n = jobs_active(u->jobs);
	char hint[200];

	snprintf(hint, sizeof hint, n > 0
	    ? _("Enter leaves, Esc stays. What is running (%zu) is stopped; started again, it resumes.")
	    : _("Enter leaves, Esc stays. The incident is kept as it is."), n);
	ui_ask(u, _("Leave sev1?"), hint, "", ui_leave, u);
}

bool ui_list_key(struct list *l, int key)
{
	switch (keymap_act(key)) {
	case ACT_UP:
	case ACT_DOWN:
		list_move(l, keymap_act(key) == ACT_UP ? -1 : 1);
		return true;
	case ACT_PAGE_UP:
	case ACT_PAGE_DOWN:
		list_page(l, keymap_act(key) == ACT_PAGE_UP ? -1 : 1);
		return true;
	case ACT_FIRST:
		list_first(l);
		return true;
	case ACT_LAST:
		list_last(l);
		return true;
	default:
		return false;
	}
}

static void ui_global_key(struct ui *u, int key)
{
	switch (keymap_act(key)) {
	case ACT_HELP:
		if (u->top->ops != &scr_help)
			ui_push(u, &scr_help, (void *)u->top);
		break;
	case ACT_COMMAND:
		ui_ask_command(u, "");
		break;
	case ACT_BACK:
	case ACT_LEFT:
		if (u->top->below != NULL)
			ui_pop(u);
		else if (keymap_act(key) == ACT_BACK)
			ui_ask_leave(u);
		break;
	case ACT_LEAVE:
		ui_ask_leave(u);
		break;
	case ACT_REDRAW:
		term_forget();
		break;
	case ACT_NONE:
	case ACT_FILTER:
		if (key > ' ' && key < 0x7f)
			ui_say(u, STYLE_PLAIN, _("%c does nothing here; ? shows the keys"), key);
		break;
	default:
		break;
	}
}

static void ui_key(struct ui *u, int key)
{
	u->dirty = true;
	if (ui_too_small(u))
		return; /* nothing is done blind; what was typed before stays */
	if (u->prompt.open) {
		prompt_key(&u->prompt, key);
		return;
	}
	u->message[0] = '\0';
	if (keymap_act(key) == ACT_LEAVE || u->top->ops->key == NULL || !u->top->ops->key(u->top, key))
		ui_global_key(u, key);
}

static void ui_readable(void *ctx, short revents)
{
	struct ui *u = ctx;
	int key, n = 0;

	while (!u->leaving && (key = term_key()) != -1) {
		ui_key(u, key);
		ui_settle(u);
		n++;
	}
	if ((revents & (POLLERR | POLLNVAL)) || (n == 0 && term_gone()))
		u->gone = true;
}

static void ui_signal(void *ctx, int signo)
{
	struct ui *u = ctx;

	u->dirty = true;
	if (signo == SIGHUP)
		u->gone = true;
	else if (signo == SIGTERM)
		u->leaving = true;
	else if (signo == SIGINT && !u->prompt.open)
		ui_ask_leave(u);
}

static void ui_tick(void *ctx)
{
	struct ui *u = ctx;

	u->tick = loop_after(u->loop, 1000 - clock_now() % 1000, ui_tick, u);
	jobs_tick(u->jobs);
	jobs_sweep(u->jobs, 20);
	u->dirty = true;
}

static void ui_draw_now(void *ctx)
{
	struct ui *u = ctx;

	u->soon = 0;
	u->dirty = true;
}

/* Called by dispatch.c for news that came without a key: at most one drawing each DRAW_EVERY. */
static void ui_news(void *ctx)
{
	struct ui *u = ctx;
	int64_t wait = u->drawn + DRAW_EVERY - clock_mono();

	if (wait <= 0)
		u->dirty = true;
	else if (u->soon == 0)
		u->soon = loop_after(u->loop, wait, ui_draw_now, u);
}

static void ui_listen(struct ui *u, bool on)
{
	static const int signals[] = { SIGWINCH, SIGHUP, SIGTERM, SIGINT };

	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		loop_signal(u->loop, signals[i], on ? ui_signal : NULL, u);
	if (on) {
		loop_fd(u->loop, 0, POLLIN, ui_readable, u);
		ui_tick(u);
	} else {
		loop_fd_drop(u->loop, 0);
		loop_cancel(u->loop, u->tick);
		loop_cancel(u->loop, u->soon);
	}
}

static void ui_loop(struct ui *u)
{
	ui_push(u, &scr_start, NULL);
	if (model_incident(u->en) != NULL)
		ui_push(u, &scr_board, NULL);
	do {
		ui_settle(u);
		if (u->dirty && !u->gone) {
			u->dirty = false;
			u->drawn = clock_mono();
			ui_draw(u);
		}
	} while (loop_step(u->loop) && !u->leaving && !u->gone);
}

/* Become `sev1 drill`: a process that was fenced in never touches a real incident, nor the other way round. */
static int ui_become_drill(struct err *err)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execl("/proc/self/exe", "sev1", "drill", (char *)NULL);
	return err_sys(err, "sev1 drill");
}

static struct ui *playing; /* the console that runs, for ui_play_*() */

void ui_play_home(void)
{
	if (playing == NULL)
		return;
	prompt_close(&playing->prompt);
	ui_home(playing);
	playing->dirty = true;
}

bool ui_play_key(int key)
{
	if (playing == NULL || playing->prompt.open || playing->top->ops != &scr_plan)
		return false;
	ui_key(playing, key == '\n' ? KEYC_ENTER : key);
	return true;
}

/* Files that the configuration names and that are not there: the console opens all the same. */
static void ui_say_missing(struct ui *u)
{
	const struct config *c = model_config(u->en);

	if (c != NULL && c->missing.total > 0)
		ui_say(u, STYLE_WARN, ngettext("The configuration names %zu file that is not there: :doctor",
		    "The configuration names %zu files that are not there: :doctor", c->missing.total), c->missing.total);
}

int ui_run(struct engine *e, struct loop *l, struct err *err)
{
	struct ui u = { .en = e, .loop = l };
	struct job_hooks hooks = ui_hooks;
	int rc = term_start(err);

	if (rc < 0)
		return rc;
	hooks.changed = ui_news;
	u.history = history_new();
	u.jobs = jobs_new(e, &hooks, &u);
	ui_listen(&u, true);
	ui_say_missing(&u);
	playing = &u;
	ui_loop(&u);
	playing = NULL;
	jobs_kill(u.jobs);
	ui_listen(&u, false);
	prompt_close(&u.prompt);
	while (u.top != NULL)
		ui_drop_top(&u);
	term_stop();
	jobs_free(u.jobs);
	history_free(u.history);
	frame_free(u.frame);
	if (u.drill)
		return ui_become_drill(err);
	return u.gone ? err_set(err, ERR_IO, _("the terminal is gone; the incident is safe")) : 0;
}
