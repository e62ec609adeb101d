/* The pool: which host goes when, in waves and within limits, on a bounded number of SSH peers. */
#include "fleet/fleet_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "child/ssh_reissue.h"

/* A row is over within 2 s of its deadline; this leaves the loop a moment. */
#define GRACE_MS 1900
/* The verdict is on its way for so long. */
#define VERDICT_MS 300

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
	en->slot = FLEET_NOBODY;
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
	f->entry[f->entries] = (struct entry){ .f = f, .i = f->entries, .slot = FLEET_NOBODY };
	host_init(&f->entry[f->entries++].host, name);
}

const struct host *fleet_host(const struct fleet *f, size_t i)
{
	return i < f->entries ? &f->entry[i].host : NULL;
}

void fleet_row(struct fleet *f, const struct entry *en)
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

void fleet_check_end(struct fleet *f)
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

bool fleet_launch(struct fleet *f, enum fleet_peer kind, struct peer *p, size_t slot)
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

	if (f->over || p->host != FLEET_NOBODY)
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

void fleet_release(struct fleet *f, struct entry *en)
{
	size_t slot = en->slot;

	loop_cancel(f->loop, f->ssh[slot].overdue);
	f->ssh[slot].overdue = 0;
	f->ssh[slot].host = FLEET_NOBODY;
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

void fleet_start(struct fleet *f)
{
	f->started = clock_mono();
	pace_begin(&f->pace, f->started);
	f->slots = f->job.concurrency < f->entries ? f->job.concurrency : f->entries;
	f->ssh = mem_zalloc(f->slots, sizeof *f->ssh);
	for (size_t i = 0; i < f->slots; i++)
		f->ssh[i].host = FLEET_NOBODY;
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

		if (p->host == FLEET_NOBODY || p->dying)
			continue;
		p->dying = true;
		text = mem_printf(_("%s in phase %s"), why, host_phase_name(f->entry[p->host].host.phase));
		f->job.transport.kill(f->job.ctx, p->handle, text);
		free(text);
	}
	if (!f->over)
		fleet_go(f);
}
