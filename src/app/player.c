#include "app/player.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/drill_console.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "engine/run.h"

#define MINUTE_MS 60000LL
#define LOOK_MS 50          /* is the command done? */
#define WATCHED_MS 1600     /* a plan or an answer is read */
#define BOARD_MS 1200       /* the board between two steps */
#define WATCHED_END_MS 4000
#define LETTER_MS 70        /* between two letters of a phrase */
#define ENTER_MS 700        /* between the last one and Enter */
#define TRIES 3             /* of one step without anything having changed */
#define PLAY_MS (20 * 60 * 1000)

struct player {
	struct engine *en;
	struct loop *loop;
	struct player_hands hands;
	bool watched, over;
	bool busy, home;          /* watched: an answer may be on the screen; the board is */
	size_t typed;             /* letters of the phrase on the screen */
	uint64_t timer;
	int64_t started, planned; /* clock_mono(); planned: since when a plan is on the screen, 0 none */
	const char *last;         /* the step that was started last */
	int tries;
	int64_t progress;         /* how far it was then */
	bool report;              /* written */
	struct err err;
};

/* A step: when it is due, and the words typed for it. */
struct step {
	const char *name, *command;
	bool (*due)(const struct player *p, const struct incident *in);
	void (*fill)(const struct player *p, const struct incident *in, struct args *a);
};

static bool cp_open(const struct incident *in, const char *evidence)
{
	return !incident_checkpoint_closed(in, evidence);
}

static bool due_arm(const struct player *p, const struct incident *in)
{
	(void)in;
	return !engine_armed(p->en);
}

static bool due_triage(const struct player *p, const struct incident *in)
{
	(void)p;
	return !in->triage.answered;
}

static bool due_scope(const struct player *p, const struct incident *in)
{
	(void)p;
	return !in->scope_frozen;
}

static bool due_contain(const struct player *p, const struct incident *in)
{
	(void)p;
	return cp_open(in, "actions-held");
}

static bool due_management(const struct player *p, const struct incident *in)
{
	(void)p;
	return cp_open(in, "notice:management");
}

static bool due_revoke(const struct player *p, const struct incident *in)
{
	(void)p;
	return cp_open(in, "crl-made");
}

static bool due_publish(const struct player *p, const struct incident *in)
{
	(void)p;
	return cp_open(in, "crl-published");
}

static bool due_internal(const struct player *p, const struct incident *in)
{
	(void)p;
	return cp_open(in, "notice:internal");
}

static bool due_external(const struct player *p, const struct incident *in)
{
	(void)p;
	return cp_open(in, "notice:external");
}

static bool due_recover(const struct player *p, const struct incident *in)
{
	(void)p;
	return in->issuer == NULL;
}

static bool due_reissue(const struct player *p, const struct incident *in)
{
	(void)p;
	return cp_open(in, "reissue-verified");
}

/* The key can be locked once the CRL is signed, which is why it was left at first. */
static bool due_lock(const struct player *p, const struct incident *in)
{
	const struct config *c = engine_config(p->en);

	for (size_t i = 0; c != NULL && i < c->actions; i++) {
		const struct action *a = incident_action(in, c->action[i].name);

		if (c->action[i].kind == ACTION_KEYLOCK && (a == NULL || a->state != ACTION_HELD))
			return true;
	}
	return false;
}

static bool due_report(const struct player *p, const struct incident *in)
{
	(void)in;
	return !p->report;
}

/* The answers lie in the scenario; outside a drill's console the first issuing CA will do. */
static void fill_triage(const struct player *p, const struct incident *in, struct args *a)
{
	const struct scenario *s = drill_scenario();
	char number[16], at[24];

	(void)p;
	if (s == NULL)
		return;
	snprintf(number, sizeof number, "%d", s->compromise);
	args_set(a, "ca", s->ca);
	args_set(a, "level", s->level);
	args_set(a, "compromise", number);
	args_set(a, "received", clock_iso(at, sizeof at, in->declared - s->received * MINUTE_MS));
	args_set(a, "channel", s->channel);
	if (s->reporter[0] != '\0')
		args_set(a, "reporter", s->reporter);
}

static void fill_management(const struct player *p, const struct incident *in, struct args *a)
{
	(void)p;
	(void)in;
	args_add(a, "", "management");
}

static void fill_internal(const struct player *p, const struct incident *in, struct args *a)
{
	(void)p;
	(void)in;
	args_add(a, "", "internal");
}

static void fill_external(const struct player *p, const struct incident *in, struct args *a)
{
	(void)p;
	(void)in;
	args_add(a, "", "external");
}

static void fill_recover(const struct player *p, const struct incident *in, struct args *a)
{
	const struct config *c = engine_config(p->en);

	(void)in;
	for (size_t i = 0; i < c->cas; i++)
		if (c->ca[i].spare)
			args_set(a, "issuer", c->ca[i].name);
}

static const struct step steps[] = {
	{ "arm", "arm", due_arm, NULL },
	{ "triage", "triage", due_triage, fill_triage },
	{ "scope", "scope", due_scope, NULL },
	{ "contain", "contain", due_contain, NULL },
	{ "notify management", "notify", due_management, fill_management },
	{ "revoke", "revoke", due_revoke, NULL },
	{ "publish", "publish", due_publish, NULL },
	{ "notify internal", "notify", due_internal, fill_internal },
	{ "notify external", "notify", due_external, fill_external },
	{ "recover", "recover", due_recover, fill_recover },
	{ "reissue", "reissue", due_reissue, NULL },
	{ "contain: lock the key", "contain", due_lock, NULL },
	{ "report", "report", due_report, NULL },
};

static void player_over(struct player *p)
{
	p->over = true;
	loop_stop(p->loop);
}

static void player_stop(void *ctx)
{
	player_over(ctx);
}

static void player_give_up(struct player *p, int code, const char *why)
{
	const char *last = p->last != NULL ? p->last : "";

	if (p->err.code == 0)
		err_set(&p->err, code, _("%s: %s"), last, why);
	player_over(p);
}

/* Everything that a step can move: where it stands still, trying again does not help. */
static int64_t player_progress(const struct incident *in)
{
	int64_t n = (int64_t)in->hosts_verified + (int64_t)in->crls + (in->issuer != NULL);

	for (size_t i = 0; i < in->checkpoints; i++)
		n += in->checkpoint[i].state != CP_OPEN;
	for (size_t i = 0; i < in->actions; i++)
		n += in->action[i].state == ACTION_HELD;
	for (size_t i = 0; i < in->points; i++)
		n += in->point[i].state == POINT_VERIFIED;
	for (size_t i = 0; i < in->notices; i++)
		n += (int64_t)in->notice[i].accepted;
	return n + in->triage.answered + in->scope_frozen;
}

static void player_start(struct player *p, const struct step *s)
{
	const struct incident *in = engine_incident(p->en);
	struct args *a = args_new();
	int64_t progress = player_progress(in);

	p->tries = p->last == s->name && progress == p->progress ? p->tries + 1 : 1;
	p->last = s->name;
	p->progress = progress;
	if (p->tries > TRIES) {
		args_free(a);
		player_give_up(p, ERR_FAILED, _("tried again and again, and nothing changed"));
		return;
	}
	if (s->fill != NULL)
		s->fill(p, in, a);
	if (!p->watched)
		printf("> %s\n", s->name);
	if (s->due == due_report)
		p->report = true;
	if (command_start(p->en, command_find(s->command), a, NULL, &p->err) < 0)
		player_over(p);
}

/* A plan waits for its phrase. Watched, it is read, then typed on the screen that shows it; where the
 * screen shows something else the phrase is given to the run. Returns ms until the next look. */
static int player_confirm(struct player *p, struct run *r)
{
	const char *phrase = run_plan_of(r)->phrase;
	struct err e = { 0 };

	if (p->planned == 0) {
		p->planned = clock_mono();
		p->typed = 0;
		if (p->watched)
			return WATCHED_MS;
	}
	if (p->watched && phrase[p->typed] != '\0' && p->hands.key(phrase[p->typed]))
		return phrase[++p->typed] != '\0' ? LETTER_MS : ENTER_MS;
	p->planned = 0;
	if (p->watched && p->typed > 0 && phrase[p->typed] == '\0' && p->hands.key('\n'))
		return LOOK_MS;
	if (!p->watched)
		printf("> %s\n", phrase);
	if (run_confirm(r, phrase, &e) < 0) {
		p->err = e;
		player_over(p);
	}
	return LOOK_MS;
}

static void player_look(void *ctx);

static void player_next(struct player *p)
{
	const struct incident *in = engine_incident(p->en);
	size_t i = 0;

	while (i < sizeof steps / sizeof steps[0] && !steps[i].due(p, in))
		i++;
	if (p->watched && !p->home) {
		p->hands.home();
		p->home = true;
		p->timer = loop_after(p->loop, BOARD_MS, player_look, p);
		return;
	}
	p->home = false;
	p->busy = true;
	if (i < sizeof steps / sizeof steps[0]) {
		player_start(p, &steps[i]);
		p->timer = loop_after(p->loop, LOOK_MS, player_look, p);
	} else {
		p->timer = loop_after(p->loop, p->watched ? WATCHED_END_MS : 0, player_stop, p);
	}
}

static void player_look(void *ctx)
{
	struct player *p = ctx;
	int wait = LOOK_MS;
	bool busy;

	p->timer = 0;
	if (p->over)
		return;
	if (clock_mono() - p->started > PLAY_MS) {
		player_give_up(p, ERR_TIMEOUT, _("the exercise takes too long"));
		return;
	}
	busy = engine_runs(p->en) > 0;
	for (size_t i = 0; i < engine_runs(p->en); i++) {
		struct run *r = engine_run(p->en, i);

		if (run_state(r) == RUN_PLANNED) {
			wait = player_confirm(p, r);
			break; /* the list may have changed */
		}
	}
	if (p->over)
		return;
	if (busy) {
		p->timer = loop_after(p->loop, wait, player_look, p);
	} else if (p->watched && p->busy) {
		p->busy = false; /* let its answer be read */
		p->timer = loop_after(p->loop, WATCHED_MS, player_look, p);
	} else {
		player_next(p);
	}
}

struct player *player_new(struct engine *en, struct loop *l, const struct player_hands *hands)
{
	struct player *p = mem_zalloc(1, sizeof *p);
	bool watched = hands != NULL;

	p->en = en;
	p->loop = l;
	p->watched = watched;
	if (watched)
		p->hands = *hands;
	p->started = clock_mono();
	p->timer = loop_after(l, watched ? WATCHED_MS : 0, player_look, p);
	return p;
}

int player_end(struct player *p, struct err *e)
{
	const struct incident *in;
	int rc = 0;

	if (p == NULL)
		return err_set(e, ERR_FAILED, _("nobody played"));
	in = engine_incident(p->en);
	loop_cancel(p->loop, p->timer);
	if (p->err.code != 0) {
		rc = p->err.code;
		if (e != NULL)
			*e = p->err;
	}
	for (size_t i = 0; rc == 0 && i < in->checkpoints; i++)
		if (in->checkpoint[i].state != CP_DONE)
			rc = err_set(e, ERR_PARTIAL, _("checkpoint %d, %s, is not closed by evidence"),
			    in->checkpoint[i].n, in->checkpoint[i].title);
	if (rc == 0 && in->checkpoints == 0)
		rc = err_set(e, ERR_FAILED, _("the incident has no checkpoints"));
	free(p);
	return rc;
}

/* ---- without a console ---- */

static void play_line(void *ctx, struct run *r, const char *line)
{
	(void)ctx;
	(void)r;
	printf("    %s\n", line);
}

static void play_event(void *ctx, const struct event *ev)
{
	char *text = event_text(ev), at[24];

	(void)ctx;
	printf("%s %s\n", clock_time(at, sizeof at, ev->at), text);
	fflush(stdout);
	free(text);
}

static void play_ended(void *ctx, struct run *r)
{
	const struct err *e = run_error(r);

	(void)ctx;
	if (e != NULL)
		printf("    %s: %s\n", run_command(r)->name, e->text);
}

static void play_signal(void *ctx, int signo)
{
	(void)signo;
	player_give_up(ctx, ERR_FAILED, _("interrupted"));
}

int player_run(struct engine *en, struct loop *l, struct err *e)
{
	static const struct sink sink = { .say = play_line, .out = play_line, .event = play_event,
		.ended = play_ended };
	struct player *p;

	if (engine_incident(en) == NULL)
		return err_set(e, ERR_REFUSED, _("no incident is open"));
	p = player_new(en, l, NULL);
	engine_sink(en, &sink, NULL);
	loop_signal(l, SIGINT, play_signal, p);
	loop_signal(l, SIGTERM, play_signal, p);
	loop_run(l);
	loop_signal(l, SIGINT, NULL, NULL);
	loop_signal(l, SIGTERM, NULL, NULL);
	engine_sink(en, NULL, NULL);
	fflush(stdout);
	return player_end(p, e);
}
