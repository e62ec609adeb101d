#include "fleet/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/ssh_reissue.h"
#include "fleet/pace.h"

#define NOBODY ((size_t)-1)
/* A row is over within 2 s of its deadline; this leaves the loop a moment. */
#define GRACE_MS 1900
#define PROBE_TIMEOUT_S 3
/* postscreen and its like hold back their greeting for 6 s, and more may come before TLS. */
#define PROBE_TALK_TIMEOUT_S 12
/* The verdict is on its way for so long. */
#define VERDICT_MS 300
/* A peer that dies so often without an answer between has a reason that does not go away. */
#define DEATHS_MAX 3

struct peer {
	void *handle;      /* NULL: not running */
	size_t host;       /* SSH: the one it works on; NOBODY */
	uint64_t overdue;  /* timer */
	bool dying;        /* was killed; what it still says does not count */
};

/* A host, and what waits for an answer about it. */
struct entry {
	struct fleet *f;
	size_t i, slot;
	struct host host;
	json_t *order, *issued; /* while it is on its way */
	char *csr;              /* while the CA owes an answer */
	uint64_t probe_timer;
	bool probing;           /* the probe owes an answer */
};

struct fleet {
	struct loop *loop;
	struct fleet_job job;
	struct entry *entry;
	size_t entries, next, busy;
	struct peer *ssh;
	size_t slots;
	struct peer single[FLEET_PEERS]; /* CA and probe */
	int deaths[FLEET_PEERS];
	int64_t started, ended;
	struct waves waves;
	size_t wave, wave_end; /* the one that runs; hosts before wave_end may be taken */
	long out[FLEET_LIMITS];
	struct pace pace;
	bool paused, draining, over;
	struct err fatal;
};

static void fleet_do(struct fleet *f, struct entry *en, enum host_ask ask);
static void fleet_feed(struct fleet *f, size_t slot);

struct fleet *fleet_new(struct loop *l, const struct fleet_job *job)
{
	struct fleet *f = mem_zalloc(1, sizeof *f);

	f->loop = l;
	f->job = *job;
	f->job.waves = NULL;
	for (size_t i = 0; job->waves != NULL && i < job->waves->count; i++)
		waves_add(&f->waves, job->waves->wave[i].name, job->waves->wave[i].hosts, job->waves->wave[i].all);
	return f;
}

static void entry_settle(struct fleet *f, struct entry *en)
{
	loop_cancel(f->loop, en->probe_timer);
	json_decref(en->order);
	json_decref(en->issued);
	free(en->csr);
	en->order = en->issued = NULL;
	json_decref(en->host.found);
	en->host.found = NULL; /* it went with the row */
	en->csr = NULL;
	en->probe_timer = 0;
	en->probing = false;
	en->slot = NOBODY;
}

void fleet_free(struct fleet *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->slots; i++)
		loop_cancel(f->loop, f->ssh[i].overdue);
	for (size_t i = 0; i < f->entries; i++) {
		entry_settle(f, &f->entry[i]);
		host_clear(&f->entry[i].host);
	}
	waves_clear(&f->waves);
	free(f->entry);
	free(f->ssh);
	free(f);
}

void fleet_add(struct fleet *f, const char *name)
{
	if ((f->entries & (f->entries - 1)) == 0)
		f->entry = mem_grow(f->entry, f->entries > 0 ? f->entries * 2 : 1, sizeof *f->entry);
	f->entry[f->entries] = (struct entry){ .f = f, .i = f->entries, .slot = NOBODY };
	host_init(&f->entry[f->entries++].host, name);
}

const struct host *fleet_host(const struct fleet *f, size_t i)
{
	return i < f->entries ? &f->entry[i].host : NULL;
}

static void fleet_row(struct fleet *f, const struct entry *en)
{
	if (f->job.row != NULL)
		f->job.row(f->job.ctx, en->i, &en->host, en->issued);
}

/* ---- the end ---- */

static bool fleet_more(const struct fleet *f)
{
	return !f->draining && f->fatal.code == 0 && f->next < f->entries;
}

/* Past those that were skipped. */
static void fleet_seek(struct fleet *f)
{
	while (f->next < f->entries && f->entry[f->next].host.state != HOST_WAITING)
		f->next++;
}

static void fleet_tell_wave(struct fleet *f, bool ended)
{
	if (f->job.wave != NULL && f->waves.wave[f->wave].hosts > 0)
		f->job.wave(f->job.ctx, f->wave, ended);
}

static void fleet_finish_peer(struct fleet *f, struct peer *p)
{
	if (p->handle != NULL)
		f->job.transport.finish(f->job.ctx, p->handle);
	p->handle = NULL;
}

static void fleet_check_end(struct fleet *f)
{
	if (f->over || f->busy > 0 || fleet_more(f))
		return;
	f->over = true;
	f->ended = clock_mono();
	if (f->next >= f->entries && f->fatal.code == 0)
		fleet_tell_wave(f, true);
	for (size_t i = 0; i < f->slots; i++)
		fleet_finish_peer(f, &f->ssh[i]);
	fleet_finish_peer(f, &f->single[FLEET_CA]);
	fleet_finish_peer(f, &f->single[FLEET_PROBE]);
	f->job.ended(f->job.ctx, f->fatal.code != 0 ? &f->fatal : NULL);
}

/* A peer cannot be started: nothing more can be done, not even orderly. */
static bool fleet_launch(struct fleet *f, enum fleet_peer kind, struct peer *p, size_t slot)
{
	p->dying = false;
	p->handle = f->job.transport.start(f->job.ctx, kind, slot);
	if (p->handle == NULL)
		f->over = true;
	return p->handle != NULL;
}

/* ---- hosts and slots ---- */

static void fleet_overdue(void *ctx)
{
	struct entry *en = ctx;
	struct fleet *f = en->f;
	char *why = mem_printf(_("not done within %d s; stopped in phase %s"), f->job.timeout_s,
	    host_phase_name(en->host.phase));

	f->ssh[en->slot].overdue = 0;
	f->ssh[en->slot].dying = true;
	f->job.transport.kill(f->job.ctx, f->ssh[en->slot].handle, why);
	free(why);
}

static void fleet_feed(struct fleet *f, size_t slot)
{
	struct peer *p = &f->ssh[slot];
	struct entry *en;
	char id[24];

	if (f->over || p->host != NOBODY)
		return;
	if (!fleet_more(f)) {
		fleet_finish_peer(f, p);
		return;
	}
	if (f->paused || f->next >= f->wave_end)
		return; /* it keeps its peer: there will be more */
	if (p->handle == NULL && !fleet_launch(f, FLEET_SSH, p, slot))
		return;
	en = &f->entry[f->next++];
	fleet_seek(f);
	en->slot = slot;
	en->order = f->job.order(f->job.ctx, en->i);
	snprintf(id, sizeof id, "%zu", en->i);
	json_object_set_new(en->order, "id", json_string(id));
	p->host = en->i;
	p->overdue = loop_after(f->loop, (int64_t)f->job.timeout_s * 1000 + GRACE_MS, fleet_overdue, en);
	f->busy++;
	host_step(&en->host, HOST_EV_ORDER, NULL, 0, clock_mono());
	en->host.until = en->host.started + reissue_forward((int64_t)f->job.timeout_s * 1000) - VERDICT_MS;
	f->job.transport.send(f->job.ctx, p->handle, json_incref(en->order));
	fleet_row(f, en);
}

/* ---- waves ---- */

static const char *const limit_words[FLEET_LIMITS] = {
	[FLEET_FAILED] = N_("failed or rolled back: %ld, with --max-failed %ld"),
	[FLEET_UNREACHABLE] = N_("unreachable: %ld, with --max-unreachable %ld"),
	[FLEET_REFUSED] = N_("refused: %ld, with --max-refused %ld"),
};

/* A host has come out: may the rest follow? */
static void fleet_judge(struct fleet *f, const struct entry *en)
{
	const struct host *h = &en->host;
	enum fleet_limit kind = h->state == HOST_UNREACHABLE ? FLEET_UNREACHABLE :
	    h->state == HOST_REFUSED ? FLEET_REFUSED : FLEET_FAILED;

	if (h->state == HOST_VERIFIED || f->draining || f->fatal.code != 0)
		return;
	f->out[kind]++;
	if (f->waves.wave[waves_of(&f->waves, en->i)].all)
		err_set(&f->fatal, ERR_PARTIAL, _("the canary %s is not verified: %s"), h->name,
		    host_state_name(h->state));
	else if (f->job.limit[kind] != FLEET_NO_LIMIT && f->out[kind] > f->job.limit[kind])
		err_set(&f->fatal, ERR_PARTIAL, _(limit_words[kind]), f->out[kind], f->job.limit[kind]);
}

/* Once all of a wave are back, the next one begins. */
static void fleet_advance(struct fleet *f)
{
	while (!f->over && !f->paused && f->busy == 0 && fleet_more(f) && f->next >= f->wave_end) {
		fleet_tell_wave(f, true);
		f->wave++;
		f->wave_end += f->waves.wave[f->wave].hosts;
		fleet_tell_wave(f, false);
	}
}

/* Whoever is idle takes a host, or goes where there is none left. */
static void fleet_go(struct fleet *f)
{
	fleet_advance(f);
	for (size_t i = 0; i < f->slots && !f->over; i++)
		fleet_feed(f, i);
	fleet_check_end(f);
}

static void fleet_release(struct fleet *f, struct entry *en)
{
	size_t slot = en->slot;

	loop_cancel(f->loop, f->ssh[slot].overdue);
	f->ssh[slot].overdue = 0;
	f->ssh[slot].host = NOBODY;
	f->busy--;
	pace_add(&f->pace, clock_mono());
	fleet_judge(f, en);
	fleet_row(f, en);
	entry_settle(f, en);
	if (f->busy == 0 || !fleet_more(f))
		fleet_go(f);
	else
		fleet_feed(f, slot);
}

static void fleet_tell_ssh(struct fleet *f, const struct entry *en, const char *word, json_t *body)
{
	json_object_set(body, "id", json_object_get(en->order, "id"));
	f->job.transport.send(f->job.ctx, f->ssh[en->slot].handle, json_pack("{s:o}", word, body));
}

/* ---- the CA and the probe ---- */

static void fleet_ask_ca(struct fleet *f, const struct entry *en)
{
	struct peer *p = &f->single[FLEET_CA];

	if (p->handle == NULL)
		return; /* asked again once there is one */
	f->job.transport.send(f->job.ctx, p->handle, json_pack("{s:O, s:s, s:O}", "id",
	    json_object_get(en->order, "id"), "csr", en->csr, "names", json_object_get(en->order, "names")));
}

static void fleet_ask_probe(void *ctx)
{
	struct entry *en = ctx;
	struct fleet *f = en->f;
	struct peer *p = &f->single[FLEET_PROBE];
	int64_t left, most;
	json_t *msg;

	en->probe_timer = 0;
	en->probing = true;
	if (p->handle == NULL)
		return;
	msg = f->job.probe(f->job.ctx, en->i);
	json_object_set(msg, "id", json_object_get(en->order, "id"));
	json_object_set(msg, "fingerprint", json_object_get(en->issued, "fingerprint"));
	json_object_set(msg, "chain", json_object_get(en->issued, "chain"));
	left = (en->host.until - clock_mono()) / 1000;
	most = json_str(msg, "starttls")[0] != '\0' ? PROBE_TALK_TIMEOUT_S : PROBE_TIMEOUT_S;
	json_put_num(msg, "timeout_s", left < 1 ? 1 : left < most ? left : most);
	f->job.transport.send(f->job.ctx, p->handle, msg);
}

static void fleet_stop(struct fleet *f, struct entry *en, const char *why)
{
	fleet_do(f, en, host_step(&en->host, HOST_EV_REFUSED, why, 0, clock_mono()));
}

/* What it owed is asked again of its successor. */
static void fleet_restart_single(struct fleet *f, enum fleet_peer kind, const struct err *err)
{
	struct peer *p = &f->single[kind];
	bool hopeless = ++f->deaths[kind] >= DEATHS_MAX;

	p->handle = NULL;
	if (f->over)
		return;
	if (hopeless && kind == FLEET_CA && f->fatal.code == 0) {
		f->fatal = err != NULL ? *err : (struct err){ 0 };
		if (f->fatal.code == 0)
			err_set(&f->fatal, ERR_FAILED, _("the CA child ends again and again"));
	}
	if (!hopeless && !fleet_launch(f, kind, p, 0))
		return;
	for (size_t i = 0; i < f->next; i++) {
		struct entry *en = &f->entry[i];
		if (kind == FLEET_CA && en->csr != NULL && hopeless)
			fleet_stop(f, en, f->fatal.text);
		else if (kind == FLEET_CA && en->csr != NULL)
			fleet_ask_ca(f, en);
		else if (kind == FLEET_PROBE && en->probing && hopeless)
			fleet_do(f, en, host_step(&en->host, HOST_EV_UNSEEN, err != NULL ? err->text : "", 0,
			    clock_mono()));
		else if (kind == FLEET_PROBE && en->probing)
			fleet_ask_probe(en);
	}
	fleet_check_end(f);
}

/* ---- what hosts need ---- */

static void fleet_verdict(struct fleet *f, const struct entry *en)
{
	json_t *v = json_object();

	json_object_set_new(v, "ok", json_boolean(en->host.seen));
	json_put(v, "text", en->host.detail);
	fleet_tell_ssh(f, en, "verdict", v);
}

static void fleet_do(struct fleet *f, struct entry *en, enum host_ask ask)
{
	switch (ask) {
	case ASK_NOTHING:
		return;
	case ASK_ISSUE:
		if (f->single[FLEET_CA].handle == NULL && f->fatal.code != 0)
			fleet_stop(f, en, f->fatal.text);
		else
			fleet_ask_ca(f, en);
		break;
	case ASK_INSTALL:
		fleet_tell_ssh(f, en, "install", json_pack("{s:O?, s:O?}", "certificate",
		    json_object_get(en->issued, "certificate"), "chain", json_object_get(en->issued, "chain")));
		break;
	case ASK_STOP:
		free(en->csr);
		en->csr = NULL;
		fleet_tell_ssh(f, en, "stop", json_pack("{s:s}", "text", en->host.detail));
		break;
	case ASK_PROBE:
		if (f->single[FLEET_PROBE].handle == NULL)
			fleet_do(f, en, host_step(&en->host, HOST_EV_UNSEEN, _("no handshake can be made"), 0,
			    clock_mono()));
		else
			en->probe_timer = loop_after(f->loop, host_probe_delay(&en->host), fleet_ask_probe, en);
		return;
	case ASK_VERDICT:
		fleet_verdict(f, en);
		break;
	case ASK_END:
		fleet_release(f, en);
		return;
	}
	fleet_row(f, en);
}

/* ---- what peers say ---- */

/* The host on its way that msg is about, NULL where there is none; slot NOBODY: any. */
static struct entry *fleet_find(struct fleet *f, const json_t *body, size_t slot)
{
	const char *id = json_str(body, "id");
	char *end;
	unsigned long i = strtoul(id, &end, 10);

	if (id[0] == '\0' || *end != '\0' || i >= f->entries || f->entry[i].slot == NOBODY ||
	    (slot != NOBODY && f->entry[i].slot != slot))
		return NULL;
	return &f->entry[i];
}

static void fleet_hear_ssh(struct fleet *f, size_t slot, const char *word, const json_t *body)
{
	struct entry *en = fleet_find(f, body, slot);
	enum host_ask ask = ASK_NOTHING;
	int64_t now = clock_mono();

	if (en == NULL || f->ssh[slot].dying)
		return;
	if (strcmp(word, "phase") == 0) {
		host_step(&en->host, HOST_EV_PHASE, json_str(body, "phase"), 0, now);
		fleet_row(f, en);
	} else if (strcmp(word, "csr") == 0) {
		if ((ask = host_step(&en->host, HOST_EV_CSR, NULL, 0, now)) == ASK_ISSUE)
			en->csr = mem_strdup(json_str(body, "csr"));
	} else if (strcmp(word, "installed") == 0) {
		ask = host_step(&en->host, HOST_EV_INSTALLED, NULL, 0, now);
	} else if (strcmp(word, "host") == 0) {
		host_step(&en->host, HOST_EV_PHASE, json_str(body, "phase"), 0, now);
		json_decref(en->host.found);
		en->host.found = json_incref(json_object_get(body, "found"));
		ask = host_step(&en->host, HOST_EV_ENDED, json_str(body, "detail"),
		    host_state_of(json_str(body, "state")), now);
	}
	fleet_do(f, en, ask);
}

static void fleet_hear_ca(struct fleet *f, const char *word, const json_t *body)
{
	struct entry *en = fleet_find(f, body, NOBODY);
	bool issued = strcmp(word, "issued") == 0;

	if (en == NULL || en->csr == NULL || (!issued && strcmp(word, "refused") != 0))
		return;
	f->deaths[FLEET_CA] = 0;
	free(en->csr);
	en->csr = NULL;
	if (!issued) {
		fleet_stop(f, en, json_str(body, "text"));
		return;
	}
	en->issued = json_incref((json_t *)body);
	fleet_do(f, en, host_step(&en->host, HOST_EV_ISSUED, NULL, 0, clock_mono()));
}

static void fleet_hear_probe(struct fleet *f, const json_t *body)
{
	struct entry *en = fleet_find(f, body, NOBODY);

	if (en == NULL || !en->probing)
		return;
	f->deaths[FLEET_PROBE] = 0;
	en->probing = false;
	fleet_do(f, en, host_step(&en->host, json_bool(body, "ok") ? HOST_EV_SEEN : HOST_EV_UNSEEN,
	    json_str(body, "detail"), 0, clock_mono()));
}

void fleet_hear(struct fleet *f, enum fleet_peer peer, size_t slot, const json_t *msg)
{
	const char *word = json_object_iter_key(json_object_iter((json_t *)msg));
	const json_t *body = word != NULL ? json_object_get(msg, word) : NULL;

	if (f->over || !json_is_object(body))
		return;
	if (peer == FLEET_SSH)
		fleet_hear_ssh(f, slot, word, body);
	else if (peer == FLEET_CA)
		fleet_hear_ca(f, word, body);
	else if (strcmp(word, "tls") == 0)
		fleet_hear_probe(f, body);
}

void fleet_gone(struct fleet *f, enum fleet_peer peer, size_t slot, const struct err *err)
{
	struct entry *en;
	char *why;

	if (f->over)
		return;
	if (peer != FLEET_SSH) {
		fleet_restart_single(f, peer, err);
		return;
	}
	f->ssh[slot].handle = NULL;
	if (f->ssh[slot].host == NOBODY)
		return;
	en = &f->entry[f->ssh[slot].host];
	why = mem_printf("%s%s", err != NULL ? err->text : _("its SSH child ended"),
	    en->host.seen ? _("; a handshake had shown the new certificate, and the host may have kept it: "
	    "try it again") : en->host.phase >= HOST_INSTALL ?
	    _("; the host puts the old files back by itself") : "");
	fleet_do(f, en, host_step(&en->host, HOST_EV_LOST, why, 0, clock_mono()));
	free(why);
}

void fleet_start(struct fleet *f)
{
	f->started = clock_mono();
	pace_begin(&f->pace, f->started);
	f->slots = f->job.concurrency < f->entries ? f->job.concurrency : f->entries;
	f->ssh = mem_zalloc(f->slots, sizeof *f->ssh);
	for (size_t i = 0; i < f->slots; i++)
		f->ssh[i].host = NOBODY;
	if (f->waves.count == 0)
		waves_add(&f->waves, "all", f->entries, false);
	for (size_t i = 0; i < FLEET_LIMITS; i++)
		f->out[i] = f->job.before[i];
	f->wave_end = f->waves.wave[0].hosts;
	fleet_seek(f);
	if (!fleet_launch(f, FLEET_CA, &f->single[FLEET_CA], 0) ||
	    !fleet_launch(f, FLEET_PROBE, &f->single[FLEET_PROBE], 0))
		return;
	fleet_tell_wave(f, false);
	fleet_go(f);
}

void fleet_count(const struct fleet *f, struct fleet_counts *out)
{
	int64_t now = f->ended != 0 ? f->ended : clock_mono();

	*out = (struct fleet_counts){ .total = f->entries, .ms = now - f->started,
		.rate = pace_rate(&f->pace, now) };
	for (size_t i = 0; i < f->entries; i++)
		out->state[f->entry[i].host.state]++;
}

/* ---- the operator's word ---- */

void fleet_pause(struct fleet *f, bool on)
{
	f->paused = on;
	if (!on && !f->over)
		fleet_go(f);
}

bool fleet_skip(struct fleet *f, const char *name, const char *why)
{
	for (size_t i = 0; i < f->entries; i++) {
		if (strcmp(f->entry[i].host.name, name) != 0)
			continue;
		if (f->over || !host_skip(&f->entry[i].host, why))
			return false;
		fleet_row(f, &f->entry[i]);
		fleet_seek(f);
		fleet_go(f);
		return true;
	}
	return false;
}

void fleet_drain(struct fleet *f)
{
	f->draining = true;
	if (!f->over)
		fleet_go(f);
}

void fleet_abort(struct fleet *f, const char *why)
{
	f->draining = true;
	for (size_t i = 0; i < f->slots && !f->over; i++) {
		struct peer *p = &f->ssh[i];
		char *text;

		if (p->host == NOBODY || p->dying)
			continue;
		p->dying = true;
		text = mem_printf(_("%s in phase %s"), why, host_phase_name(f->entry[p->host].host.phase));
		f->job.transport.kill(f->job.ctx, p->handle, text);
		free(text);
	}
	if (!f->over)
		fleet_go(f);
}
