/* The talk: what the children say, and what is asked of them for each host that is on its way. */
#include "fleet/fleet_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"

#define PROBE_TIMEOUT_S 3
/* postscreen and its like hold back their greeting for 6 s, and more may come before TLS. */
#define PROBE_TALK_TIMEOUT_S 12
/* A peer that dies so often without an answer between has a reason that does not go away. */
#define DEATHS_MAX 3

static void fleet_do(struct fleet *f, struct entry *en, enum host_ask ask);

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

/* The host on its way that msg is about, NULL where there is none; slot FLEET_NOBODY: any. */
static struct entry *fleet_find(struct fleet *f, const json_t *body, size_t slot)
{
	const char *id = json_str(body, "id");
	char *end;
	unsigned long i = strtoul(id, &end, 10);

	if (id[0] == '\0' || *end != '\0' || i >= f->entries || f->entry[i].slot == FLEET_NOBODY ||
	    (slot != FLEET_NOBODY && f->entry[i].slot != slot))
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
	struct entry *en = fleet_find(f, body, FLEET_NOBODY);
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
	struct entry *en = fleet_find(f, body, FLEET_NOBODY);

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
	if (f->ssh[slot].host == FLEET_NOBODY)
		return;
	en = &f->entry[f->ssh[slot].host];
	why = mem_printf("%s%s", err != NULL ? err->text : _("its SSH child ended"),
	    en->host.seen ? _("; a handshake had shown the new certificate, and the host may have kept it: "
	    "try it again") : en->host.phase >= HOST_INSTALL ?
	    _("; the host puts the old files back by itself") : "");
	fleet_do(f, en, host_step(&en->host, HOST_EV_LOST, why, 0, clock_mono()));
	free(why);
}
