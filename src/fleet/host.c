#include "fleet/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* A handshake that has less time than this is not tried. */
#define PROBE_LEAST_MS 1000

static const char *const phase_names[] = {
	[HOST_CONNECT] = "connect", [HOST_CSR] = "csr", [HOST_ISSUE] = "issue",
	[HOST_INSTALL] = "install", [HOST_TEST] = "test", [HOST_RELOAD] = "reload",
	[HOST_VERIFY] = "verify", [HOST_ROLLBACK] = "rollback",
};

static const char *const state_names[HOST_STATES] = {
	[HOST_WAITING] = "waiting", [HOST_RUNNING] = "running", [HOST_VERIFIED] = "verified",
	[HOST_FAILED] = "failed", [HOST_ROLLED_BACK] = "rolled back",
	[HOST_UNREACHABLE] = "unreachable", [HOST_REFUSED] = "refused", [HOST_SKIPPED] = "skipped",
};

const char *host_phase_name(enum host_phase phase)
{
	return phase_names[phase];
}

const char *host_state_name(enum host_state state)
{
	return state_names[state];
}

enum host_state host_state_of(const char *word)
{
	for (int i = 0; i < HOST_STATES; i++)
		if (strcmp(state_names[i], word) == 0)
			return (enum host_state)i;
	return HOST_FAILED;
}

void host_init(struct host *h, const char *name)
{
	*h = (struct host){ .name = mem_strdup(name), .detail = mem_strdup("") };
}

void host_clear(struct host *h)
{
	free(h->name);
	free(h->detail);
	*h = (struct host){ 0 };
}

static void host_say(struct host *h, const char *text)
{
	if (text == NULL)
		return;
	free(h->detail);
	h->detail = mem_strdup(text);
}

static enum host_ask host_end(struct host *h, enum host_state state, const char *text, int64_t now)
{
	h->state = state;
	h->ms = now - h->started;
	host_say(h, text);
	return ASK_END;
}

/* Forward only: a late word does not take a host back, except that everything may roll back. */
static void host_enter(struct host *h, const char *word)
{
	for (int i = 0; word != NULL && i <= HOST_ROLLBACK; i++)
		if (strcmp(phase_names[i], word) == 0 && i > (int)h->phase)
			h->phase = (enum host_phase)i;
}

/* A word of the CA: only while it is waited for. */
static enum host_ask host_heard_ca(struct host *h, enum host_event ev, const char *text)
{
	if (h->phase != HOST_ISSUE || h->issued)
		return ASK_NOTHING;
	host_say(h, text);
	if (ev == HOST_EV_REFUSED)
		return ASK_STOP;
	h->issued = true;
	return ASK_INSTALL;
}

/* The verdict comes while the host still waits for it, with what was seen last. */
static bool host_may_look_again(const struct host *h, int64_t now)
{
	return h->probes < HOST_PROBES && (h->until == 0 || now + host_probe_delay(h) + PROBE_LEAST_MS <= h->until);
}

static enum host_ask host_heard_probe(struct host *h, enum host_event ev, const char *text, int64_t now)
{
	if (h->phase != HOST_VERIFY || h->seen || h->probes >= HOST_PROBES)
		return ASK_NOTHING;
	host_say(h, text);
	if (ev == HOST_EV_SEEN) {
		h->seen = true;
		return ASK_VERDICT;
	}
	h->probes++;
	return host_may_look_again(h, now) ? ASK_PROBE : ASK_VERDICT;
}

enum host_ask host_step(struct host *h, enum host_event ev, const char *text, enum host_state state,
    int64_t now)
{
	if (ev == HOST_EV_ORDER) {
		h->phase = HOST_CONNECT;
		h->state = HOST_RUNNING;
		h->issued = h->seen = false;
		h->probes = 0;
		h->started = now;
		return ASK_NOTHING;
	}
	if (h->state != HOST_RUNNING)
		return ASK_NOTHING;
	switch (ev) {
	case HOST_EV_PHASE:
		host_enter(h, text);
		return ASK_NOTHING;
	case HOST_EV_CSR:
		if (h->phase >= HOST_ISSUE)
			return ASK_NOTHING;
		h->phase = HOST_ISSUE;
		return ASK_ISSUE;
	case HOST_EV_ISSUED:
	case HOST_EV_REFUSED:
		return host_heard_ca(h, ev, text);
	case HOST_EV_INSTALLED:
		if (!h->issued || h->phase >= HOST_VERIFY)
			return ASK_NOTHING;
		h->phase = HOST_VERIFY;
		return ASK_PROBE;
	case HOST_EV_SEEN:
	case HOST_EV_UNSEEN:
		return host_heard_probe(h, ev, text, now);
	case HOST_EV_ENDED:
		/* Verified is what we saw ourselves, and nothing that a child says without it. */
		if (state == HOST_VERIFIED && !h->seen)
			state = HOST_FAILED;
		if (state == HOST_WAITING || state == HOST_RUNNING || state == HOST_SKIPPED)
			state = HOST_FAILED;
		return host_end(h, state, state == HOST_VERIFIED ? NULL : text, now);
	case HOST_EV_LOST:
		return host_end(h, HOST_FAILED, text, now);
	case HOST_EV_ORDER:
		break;
	}
	return ASK_NOTHING;
}

bool host_skip(struct host *h, const char *why)
{
	if (h->state != HOST_WAITING)
		return false;
	h->state = HOST_SKIPPED;
	host_say(h, why);
	return true;
}

int host_probe_delay(const struct host *h)
{
	if (h->probes == 0)
		return 0;
	return h->probes >= 6 ? 1600 : 50 << (h->probes - 1);
}

char *host_expand(const char *pattern, const char *name)
{
	struct buf b = { 0 };

	if (pattern == NULL)
		return NULL;
	for (const char *p = pattern; *p != '\0'; p++) {
		if (p[0] == '%' && p[1] == 'h') {
			buf_adds(&b, name);
			p++;
		} else {
			buf_addc(&b, *p);
			p += p[0] == '%' && p[1] == '%';
		}
	}
	return buf_take(&b);
}
