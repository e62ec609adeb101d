/* A fleet whose SSH peers are one ansible-playbook at a time. Each host's peer only stands for it here: what it is
 * told is gathered, and once no host waits for the CA or a handshake, the play that most wait for is run. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/i18n.h"
#include "base/json.h"
#include "work/ansible.h"

/* A host of a play that hangs is ansible's to end; this is for an ansible-playbook that does not. */
#define SPARE_S 600
#define KICK_MS 20

enum slot_state { SLOT_IDLE, SLOT_COLLECT, SLOT_CA, SLOT_DEPLOY, SLOT_PROBE, SLOT_BACK, SLOT_STATES };

struct slot {
	struct ansible *a;
	size_t n;
	enum slot_state state;
	json_t *order, *install;   /* as the SSH child was told */
	json_t *found;             /* for its row: {before, output} */
	json_t *answer;            /* to the fleet, from the loop */
	char *why;                 /* why it is put back */
	char *doubt;               /* why it is not known how its install ended; NULL: it is */
	char *lost;                /* the fleet gave it up */
	char stamp[32];
};

struct ansible {
	struct reissue *d;
	struct fleet_transport real; /* for the CA and the probe */
	struct slot *slot;
	size_t slots, in[SLOT_STATES];
	char *folder, *program;      /* program NULL: others ran the plays */
	uint64_t kick;
	struct child *playing;
	enum ansible_play play;
	size_t *going, goes;         /* the slots of the play */
};

static const enum slot_state play_state[PLAYS] = { SLOT_COLLECT, SLOT_DEPLOY, SLOT_BACK };

static void ansible_kick(void *ctx);

static void ansible_soon(struct ansible *a)
{
	if (a->kick == 0)
		a->kick = loop_after(engine_loop(run_engine(a->d->run)), KICK_MS, ansible_kick, a);
}

static void slot_move(struct slot *s, enum slot_state to)
{
	s->a->in[s->state]--;
	s->a->in[to]++;
	s->state = to;
	ansible_soon(s->a);
}

static void slot_clear(struct slot *s)
{
	json_decref(s->order);
	json_decref(s->install);
	json_decref(s->found);
	json_decref(s->answer);
	free(s->why);
	free(s->doubt);
	free(s->lost);
	s->order = s->install = s->found = s->answer = NULL;
	s->why = s->doubt = s->lost = NULL;
}

/* ---- what the fleet hears ---- */

static void slot_answer(struct slot *s, const char *word, json_t *body)
{
	json_object_set(body, "id", json_object_get(s->order, "id"));
	json_decref(s->answer);
	s->answer = json_pack("{s:o}", word, body);
	ansible_soon(s->a);
}

static void slot_end(struct slot *s, const char *phase, const char *state, const char *detail)
{
	json_t *o = json_pack("{s:s, s:s}", "phase", phase, "state", state);

	json_put(o, "detail", detail);
	if (s->found != NULL)
		json_object_set(o, "found", s->found);
	slot_answer(s, "host", o);
	slot_move(s, SLOT_IDLE);
}

static void ansible_deliver(struct ansible *a)
{
	for (size_t i = 0; i < a->slots; i++) {
		struct slot *s = &a->slot[i];
		json_t *answer = s->answer;
		struct err e = { 0 };
		s->answer = NULL;
		if (s->lost != NULL) {
			err_set(&e, ERR_TIMEOUT, "%s", s->lost);
			free(s->lost);
			s->lost = NULL;
			fleet_gone(a->d->fleet, FLEET_SSH, i, &e);
		} else if (answer != NULL) {
			fleet_hear(a->d->fleet, FLEET_SSH, i, answer);
		}
		json_decref(answer);
	}
}

/* ---- what came of a play ---- */

static void host_found(struct slot *s, const json_t *ran)
{
	json_t *output;

	if (s->found == NULL)
		s->found = json_pack("{s:[]}", "output");
	if (json_object_get(ran, "before") != NULL)
		json_object_set(s->found, "before", json_object_get(ran, "before"));
	output = json_object_get(s->found, "output");
	if (json_list(ran, "output") != NULL)
		json_array_extend(output, json_object_get(ran, "output"));
}

static void ran_collect(struct slot *s, const json_t *ran)
{
	char *detail;

	if (json_num(ran, "status", -1) == 0) {
		slot_answer(s, "csr", json_pack("{s:s}", "csr", json_str(ran, "out")));
		slot_move(s, SLOT_CA);
		return;
	}
	detail = mem_printf(_("no request: %s"), json_str(ran, "why")[0] != '\0' ? json_str(ran, "why") : _("no reason given"));
	slot_end(s, "csr", "failed", detail);
	free(detail);
}

/* How it ended on the host is not known, and what a client sees is: the handshake decides whether it goes back. */
static void slot_doubt(struct slot *s, const char *why)
{
	s->doubt = mem_strdup(why);
	slot_answer(s, "installed", json_object());
	slot_move(s, SLOT_PROBE);
}

static void ran_deploy(struct slot *s, const json_t *ran)
{
	const char *word = json_str(ran, "word"), *why = json_str(ran, "why");
	char *detail;

	if (strcmp(word, "kept") == 0) {
		slot_answer(s, "installed", json_object());
		slot_move(s, SLOT_PROBE);
	} else if (strcmp(word, "restored") == 0) {
		slot_end(s, "reload", "rolled back", why);
	} else if (strcmp(word, "failed") == 0) {
		slot_end(s, "install", "failed", why);
	} else if (strcmp(word, "broken") == 0) {
		detail = mem_printf(_("%s; put back, but the service did not reload: look at the host"), why);
		slot_end(s, "reload", "failed", detail);
		free(detail);
	} else {
		slot_doubt(s, why[0] != '\0' ? why : _("the install did not end"));
	}
}

static void ran_back(struct slot *s, const json_t *ran)
{
	const char *word = json_str(ran, "word");
	char *detail;

	if (strcmp(word, "restored") == 0) {
		slot_end(s, "rollback", "rolled back", s->why);
		return;
	}
	if (s->doubt != NULL && strcmp(word, "nothing") == 0) { /* it had not got so far */
		slot_end(s, "install", "failed", s->doubt);
		return;
	}
	detail = mem_printf(_("%s; not put back: %s; look at the host for .*.sev1-%s"), s->why, json_str(ran, "why"), s->stamp);
	slot_end(s, "rollback", "failed", detail);
	free(detail);
}

static void ansible_ran(struct ansible *a, const json_t *ran)
{
	int64_t n = json_num(ran, "n", -1);
	struct slot *s;

	if (n < 0 || (size_t)n >= a->goes)
		return;
	s = &a->slot[a->going[n]];
	if (s->state != play_state[a->play])
		return;
	host_found(s, ran);
	if (json_bool(ran, "unreachable") && a->play == PLAY_COLLECT)
		slot_end(s, "connect", "unreachable", json_str(ran, "why"));
	else if (a->play == PLAY_COLLECT)
		ran_collect(s, ran);
	else if (a->play == PLAY_DEPLOY)
		ran_deploy(s, ran);
	else
		ran_back(s, ran);
}

static void play_line(void *ctx, struct child *c, const json_t *msg)
{
	const json_t *ran = json_object_get(msg, "ran");

	(void)c;
	if (ran != NULL)
		ansible_ran(ctx, ran);
}

/* Hosts that the play was to reach and said nothing of. */
static void play_done(void *ctx, const json_t *result, const struct err *err)
{
	static const char *const phase[PLAYS] = { "csr", "install", "rollback" };
	struct ansible *a = ctx;
	char *book = mem_printf("%s/%s.json", a->folder, ansible_play_name(a->play));

	(void)result;
	a->playing = NULL;
	for (size_t i = 0; i < a->goes; i++) {
		struct slot *s = &a->slot[a->going[i]];
		char *detail;
		if (s->state != play_state[a->play])
			continue;
		if (err != NULL)
			detail = mem_printf("%s%s%s", err->text, err->remedy[0] != '\0' ? "; " : "", err->remedy);
		else if (a->program == NULL)
			detail = mem_printf(_("no result yet: run %s, then this again"), book);
		else
			detail = mem_strdup(_("ansible-playbook said nothing of it"));
		if (a->play == PLAY_DEPLOY && a->program != NULL)
			slot_doubt(s, detail);
		else
			slot_end(s, phase[a->play], "failed", detail);
		free(detail);
	}
	free(book);
	ansible_soon(a);
}

/* ---- plays ---- */

/* The stamp of a host's backups: the moment, or, where others run the play, what stays the same until then. */
static void slot_stamp(struct slot *s)
{
	const char *pem = json_str(s->install, "certificate");
	char hex[DIGEST_HEX], second[16];
	int64_t now = clock_now();

	if (s->a->program == NULL) {
		digest_of(pem, strlen(pem), hex);
		snprintf(s->stamp, sizeof s->stamp, "%.16s", hex);
	} else if (s->state == SLOT_DEPLOY) {
		clock_stamp(second, sizeof second, now);
		snprintf(s->stamp, sizeof s->stamp, "%s%03d", second, (int)(now % 1000));
	}
}

static int play_write(struct ansible *a, enum ansible_play play, struct err *e)
{
	struct ansible_host *host = mem_zalloc(a->slots, sizeof *host);
	int rc;

	a->goes = 0;
	for (size_t i = 0; i < a->slots; i++) {
		struct slot *s = &a->slot[i];
		if (s->state != play_state[play])
			continue;
		slot_stamp(s);
		host[a->goes] = (struct ansible_host){ .name = json_str(json_object_get(s->order, "host"), "name"),
			.order = s->order, .certificate = json_str(s->install, "certificate"),
			.chain = json_str(s->install, "chain"), .stamp = s->stamp[0] != '\0' ? s->stamp : NULL };
		a->going[a->goes++] = i;
	}
	rc = ansible_write(a->folder, play, host, a->goes, a->d->tag, run_config(a->d->run)->fleet.deadline, e);
	free(host);
	return rc;
}

static int ansible_seconds(const struct ansible *a)
{
	const struct fleet_conf *f = &run_config(a->d->run)->fleet;
	size_t rounds = a->slots / (size_t)f->concurrency + 1;

	return (int)(rounds > 10000 ? 10000 : rounds) * f->deadline + SPARE_S;
}

static void play_start(struct ansible *a, enum ansible_play play)
{
	json_t *hosts = json_array(), *stamps = json_array(), *request;
	struct err e = { 0 };

	a->play = play;
	if (play_write(a, play, &e) < 0) {
		json_decref(hosts);
		json_decref(stamps);
		run_fail(a->d->run, &e);
		return;
	}
	for (size_t i = 0; i < a->goes; i++) {
		json_array_append(hosts, json_object_get(json_object_get(a->slot[a->going[i]].order, "host"), "name"));
		json_array_append_new(stamps, json_string(play != PLAY_COLLECT ? a->slot[a->going[i]].stamp : ""));
	}
	request = json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:i, s:i}", "op", "play", "folder", a->folder, "play",
	    ansible_play_name(play), "hosts", hosts, "stamps", stamps, "program", a->program != NULL ? a->program : "", "forks",
	    run_config(a->d->run)->fleet.concurrency, "timeout_s", ansible_seconds(a));
	run_say(a->d->run, _("ansible: %s.json on %zu hosts"), ansible_play_name(play), a->goes);
	a->playing = run_child(a->d->run, "play", request, 0, play_line, play_done, a);
}

static void ansible_kick(void *ctx)
{
	static const enum ansible_play first[] = { PLAY_DEPLOY, PLAY_BACK, PLAY_COLLECT };
	struct ansible *a = ctx;

	a->kick = 0;
	ansible_deliver(a);
	if (run_state(a->d->run) != RUN_GOING || a->playing != NULL || a->in[SLOT_CA] > 0 || a->in[SLOT_PROBE] > 0)
		return;
	for (size_t i = 0; i < PLAYS; i++)
		if (a->in[play_state[first[i]]] > 0) {
			play_start(a, first[i]);
			return;
		}
}

/* ---- the transport ---- */

static struct slot *ansible_slot(const struct ansible *a, const void *handle)
{
	const struct slot *s = handle;

	return s >= a->slot && s < a->slot + a->slots ? &a->slot[s - a->slot] : NULL;
}

static void *ansible_start(void *ctx, enum fleet_peer peer, size_t slot)
{
	struct reissue *d = ctx;

	return peer == FLEET_SSH ? &d->ansible->slot[slot] : d->ansible->real.start(ctx, peer, slot);
}

static void ansible_send(void *ctx, void *handle, json_t *msg)
{
	struct ansible *a = ((struct reissue *)ctx)->ansible;
	struct slot *s = ansible_slot(a, handle);
	const json_t *verdict = json_object_get(msg, "verdict"), *stop = json_object_get(msg, "stop");

	if (s == NULL) {
		a->real.send(ctx, handle, msg);
		return;
	}
	if (json_object_get(msg, "install") != NULL) {
		s->install = json_incref(json_object_get(msg, "install"));
		slot_move(s, SLOT_DEPLOY);
	} else if (stop != NULL) {
		slot_end(s, "issue", "refused", json_str(stop, "text"));
	} else if (verdict != NULL && json_bool(verdict, "ok")) {
		slot_end(s, "verify", "verified", json_str(verdict, "text"));
	} else if (verdict != NULL) {
		s->why = s->doubt != NULL ? mem_printf("%s; %s", s->doubt, json_str(verdict, "text")) :
		    mem_strdup(json_str(verdict, "text"));
		slot_move(s, SLOT_BACK);
	} else {
		slot_clear(s);
		s->order = json_incref(msg);
		s->stamp[0] = '\0';
		slot_move(s, SLOT_COLLECT);
	}
	json_decref(msg);
}

static void ansible_finish(void *ctx, void *handle)
{
	struct ansible *a = ((struct reissue *)ctx)->ansible;

	if (ansible_slot(a, handle) == NULL)
		a->real.finish(ctx, handle);
}

static void ansible_kill(void *ctx, void *handle, const char *why)
{
	struct ansible *a = ((struct reissue *)ctx)->ansible;
	struct slot *s = ansible_slot(a, handle);

	if (s == NULL) {
		a->real.kill(ctx, handle, why);
		return;
	}
	free(s->lost);
	s->lost = mem_strdup(why);
	slot_move(s, SLOT_IDLE);
}

/* ---- begin ---- */

struct ansible *ansible_take(struct reissue *d, struct fleet_job *job, struct err *e)
{
	const char *from = args_get(run_args(d->run), "from");
	struct ansible *a = mem_zalloc(1, sizeof *a);

	a->d = d;
	a->real = job->transport;
	a->slots = d->targets;
	a->slot = mem_zalloc(a->slots, sizeof *a->slot);
	a->going = mem_zalloc(a->slots, sizeof *a->going);
	a->in[SLOT_IDLE] = a->slots;
	for (size_t i = 0; i < a->slots; i++) {
		a->slot[i].a = a;
		a->slot[i].n = i;
	}
	a->program = from == NULL ? ansible_find() : NULL;
	if ((a->folder = ansible_folder(d->run, from, e)) == NULL) {
		ansible_free(a);
		return NULL;
	}
	job->transport = (struct fleet_transport){ ansible_start, ansible_send, ansible_finish, ansible_kill };
	job->concurrency = d->targets;
	job->timeout_s = PLAYS * ansible_seconds(a);
	return a;
}

void ansible_free(struct ansible *a)
{
	if (a == NULL)
		return;
	if (a->kick != 0)
		loop_cancel(engine_loop(run_engine(a->d->run)), a->kick);
	for (size_t i = 0; i < a->slots; i++)
		slot_clear(&a->slot[i]);
	free(a->slot);
	free(a->going);
	free(a->folder);
	free(a->program);
	free(a);
}
