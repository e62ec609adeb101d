/* Where a re-issue in waves stands: a fold over its events. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "incident/fold.h"

const char *rollout_word(enum rollout_state state)
{
	static const char *const word[] = {
		[ROLLOUT_NONE] = "none", [ROLLOUT_GOING] = N_("going"), [ROLLOUT_PAUSED] = N_("paused"),
		[ROLLOUT_DRAINING] = N_("draining"), [ROLLOUT_ABORTED] = N_("aborted"), [ROLLOUT_ENDED] = N_("ended"),
		[ROLLOUT_INTERRUPTED] = N_("interrupted"),
	};

	return word[state];
}

enum rollout_state rollout_stands(const struct incident *in, bool running)
{
	enum rollout_state state = in->rollout.state;

	if (running || state == ROLLOUT_NONE || state == ROLLOUT_ENDED)
		return state;
	for (size_t i = 0; i < in->hosts; i++)
		if (in->host[i].wave > 0 && !in->host[i].tried && strcmp(in->host[i].state, "skipped") != 0)
			return ROLLOUT_INTERRUPTED;
	return ROLLOUT_ENDED;
}

char *rollout_words(const struct rollout *r)
{
	if (r->waves < 2 || r->at == 0)
		return mem_strdup("");
	return mem_printf(_("wave %zu of %zu (%s)"), r->at, r->waves, r->wave[r->at - 1].name);
}

void rollout_clear(struct rollout *r)
{
	for (size_t i = 0; i < r->waves; i++)
		free(r->wave[i].name);
	free(r->wave);
	free(r->stopped);
	*r = (struct rollout){ 0 };
}

static void set(char **at, const char *s)
{
	free(*at);
	*at = mem_strdup(s);
}

/* How many are in each wave, and how many of them are done. */
static void rollout_count(struct incident *in)
{
	struct rollout *r = &in->rollout;

	for (size_t i = 0; i < r->waves; i++)
		r->wave[i].hosts = r->wave[i].verified = 0;
	for (size_t i = 0; i < in->hosts; i++) {
		const struct host_row *h = &in->host[i];

		if (h->wave == 0 || h->wave > r->waves)
			continue;
		r->wave[h->wave - 1].hosts++;
		r->wave[h->wave - 1].verified += strcmp(h->state, "verified") == 0;
	}
}

/* Hosts stand in the order of their waves. */
static void rollout_assign(struct incident *in, const json_t *o)
{
	const json_t *hosts = json_list(o, "hosts"), *waves = json_list(o, "waves"), *name, *wave;
	size_t i, w, at = 0;

	json_array_foreach(waves, w, wave) {
		int64_t n = json_num(wave, "hosts", 0);

		for (i = 0; (int64_t)i < n && (name = json_array_get(hosts, at)) != NULL; i++, at++) {
			struct host_row *h = json_is_string(name) ?
			    (struct host_row *)incident_host(in, json_string_value(name)) : NULL;

			if (h == NULL)
				continue;
			h->wave = w + 1;
			h->tried = false;
			if (strcmp(h->state, "skipped") == 0)
				set(&h->state, "waiting"); /* it is wanted again */
		}
	}
}

static void rollout_start(struct incident *in, const json_t *o)
{
	struct rollout *r = &in->rollout;
	const json_t *waves = json_list(o, "waves"), *limits = json_object_get(o, "limits"), *wave;
	size_t w;

	if (!json_bool(o, "resumed")) {
		rollout_clear(r);
		for (w = 0; w < in->hosts; w++)
			in->host[w].wave = 0;
		json_array_foreach(waves, w, wave) {
			r->wave = mem_grow(r->wave, r->waves + 1, sizeof *r->wave);
			r->wave[r->waves++] = (struct rollout_wave){ .name = mem_strdup(json_str(wave, "name")) };
		}
	}
	set(&r->stopped, "");
	r->state = ROLLOUT_GOING;
	r->failed = (long)json_num(limits, "failed", -1);
	r->unreachable = (long)json_num(limits, "unreachable", -1);
	r->refused = (long)json_num(limits, "refused", -1);
	rollout_assign(in, o);
}

/* A host is left out at once; one that is on its way shows by its next row that it was not. */
static void rollout_skip(struct incident *in, const struct event *ev)
{
	struct host_row *h = (struct host_row *)incident_host(in, json_str(ev->body, "host"));

	if (h == NULL || strcmp(h->state, "running") == 0 || strcmp(h->state, "verified") == 0)
		return;
	set(&h->state, "skipped");
	set(&h->detail, json_str(ev->body, "text"));
	h->at = ev->at;
}

static void rollout_steer(struct incident *in, const struct event *ev)
{
	struct rollout *r = &in->rollout;
	const char *what = json_str(ev->body, "what");

	if (strcmp(what, "skip") == 0)
		rollout_skip(in, ev);
	else if (r->state == ROLLOUT_NONE || r->state == ROLLOUT_ENDED || r->state == ROLLOUT_ABORTED)
		return;
	else if (strcmp(what, "abort") == 0)
		r->state = ROLLOUT_ABORTED;
	else if (r->state == ROLLOUT_DRAINING)
		return;
	else if (strcmp(what, "drain") == 0)
		r->state = ROLLOUT_DRAINING;
	else
		r->state = strcmp(what, "pause") == 0 ? ROLLOUT_PAUSED : ROLLOUT_GOING;
}

void rollout_apply(struct incident *in, const struct event *ev)
{
	struct rollout *r = &in->rollout;
	int64_t n;

	if (ev->kind == EV_REISSUE_START) {
		rollout_start(in, ev->body);
	} else if (ev->kind == EV_STEER) {
		rollout_steer(in, ev);
	} else if (ev->kind == EV_WAVE) {
		n = json_num(ev->body, "wave", 0);
		r->at = n > 0 && n <= (int64_t)r->waves ? (size_t)n : 0;
	} else if (ev->kind == EV_REISSUE_END) {
		r->state = ROLLOUT_ENDED;
		set(&r->stopped, json_str(ev->body, "stopped"));
	}
	rollout_count(in);
}
