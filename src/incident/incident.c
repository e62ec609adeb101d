#include "incident/incident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "incident/fold.h"

#define MINUTE_MS (60LL * 1000)

struct incident *incident_new(void)
{
	struct incident *in = mem_zalloc(1, sizeof *in);

	in->id = mem_strdup("");
	in->title = mem_strdup("");
	in->profile = mem_strdup("private");
	in->organisation = mem_strdup("");
	in->root = mem_strdup("");
	return in;
}

static void free_all(char **first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(first[i]);
}
#define FREE_ALL(...) free_all((char *[]){ __VA_ARGS__ }, sizeof((char *[]){ __VA_ARGS__ }) / sizeof(char *))

void incident_free_playbook(struct incident *in)
{
	for (size_t i = 0; i < in->checkpoints; i++) {
		struct checkpoint *c = &in->checkpoint[i];
		FREE_ALL(c->title, c->command, c->evidence, c->shown);
	}
	free(in->checkpoint);
	in->checkpoint = NULL;
	in->checkpoints = 0;
	owed_free(in);
}

void incident_free_scope(struct incident *in)
{
	for (size_t i = 0; i < in->scopes; i++) {
		FREE_ALL(in->scope[i].ca, in->scope[i].manifest);
		json_decref(in->scope[i].reasons);
	}
	for (size_t i = 0; i < in->owns; i++)
		FREE_ALL(in->own[i].ca, in->own[i].issuer, in->own[i].serial, in->own[i].subject);
	FREE_ALL((char *)in->scope, (char *)in->own, in->manifest);
	in->scope = NULL;
	in->own = NULL;
	in->manifest = NULL;
	in->scopes = in->owns = 0;
}

void incident_free_issuer(struct incident *in)
{
	if (in->issuer != NULL)
		FREE_ALL(in->issuer->name, in->issuer->subject, in->issuer->fingerprint, in->issuer->spki,
		    in->issuer->how, in->issuer->config);
	free(in->issuer);
	in->issuer = NULL;
}

void crl_made_clear(struct crl_made *c)
{
	FREE_ALL(c->ca, c->part, c->number, c->sha256, c->der, c->pem, c->signature);
	*c = (struct crl_made){ 0 };
}

static void incident_free_work(struct incident *in)
{
	for (size_t i = 0; i < in->actions; i++) {
		struct action *a = &in->action[i];
		FREE_ALL(a->id, a->title, a->kind, a->host, a->command, a->verify, a->undo, a->detail, a->sha256);
	}
	for (size_t i = 0; i < in->revocations; i++) {
		struct revocation *r = &in->revocation[i];
		FREE_ALL(r->ca, r->plan, r->manifest, r->backup, r->detail, r->offered);
		crl_made_clear(&r->before);
	}
	for (size_t i = 0; i < in->crls; i++)
		crl_made_clear(&in->crl[i]);
	for (size_t i = 0; i < in->ladders; i++) {
		FREE_ALL(in->ladder[i].ca, in->ladder[i].detail);
		json_decref(in->ladder[i].rungs);
	}
	for (size_t i = 0; i < in->renewings; i++)
		FREE_ALL(in->renewing[i].ca, in->renewing[i].detail);
	FREE_ALL((char *)in->ladder, (char *)in->renewing);
	for (size_t i = 0; i < in->points; i++) {
		struct point *p = &in->point[i];
		FREE_ALL(p->ca, p->point, p->part, p->url, p->sha256, p->detail);
	}
	for (size_t i = 0; i < in->notices; i++)
		FREE_ALL(in->notice[i].name, in->notice[i].subject, in->notice[i].sha256);
	for (size_t i = 0; i < in->recipients; i++)
		FREE_ALL(in->recipient[i].notice, in->recipient[i].to, in->recipient[i].detail);
	for (size_t i = 0; i < in->hosts; i++) {
		struct host_row *h = &in->host[i];
		FREE_ALL(h->host, h->phase, h->state, h->detail, h->serial, h->fingerprint);
		FREE_ALL(h->phases, h->old_serial, h->old_fingerprint, h->old_subject, h->output, h->issuer);
	}
	FREE_ALL(in->ari.folder, in->ari.sha256, (char *)in->replaced);
	incident_free_subscribers(in);
	json_decref(in->times);
	json_decref(in->warned);
	dict_free(&in->by_host);
	FREE_ALL((char *)in->action, (char *)in->revocation, (char *)in->crl, (char *)in->point,
	    (char *)in->notice, (char *)in->recipient, (char *)in->host);
}

void incident_free(struct incident *in)
{
	if (in == NULL)
		return;
	incident_free_playbook(in);
	incident_free_scope(in);
	incident_free_work(in);
	incident_free_issuer(in);
	rollout_clear(&in->rollout);
	json_decref(in->triage.selectors);
	json_decref(in->triage.tell);
	json_decref(in->plan_spec);
	json_decref(in->report);
	FREE_ALL(in->triage.ca, in->triage.level, in->triage.trigger, in->triage.action, in->triage.channel,
	    in->triage.reporter, in->triage.reason);
	FREE_ALL(in->id, in->title, in->profile, in->organisation, in->root, in->plan_command, in->plan_hash,
	    in->plan_phrase, in->confirmed.hash, in->confirmed.by);
	free(in);
}

/* ---- finding ---- */

const struct action *incident_action(const struct incident *in, const char *id)
{
	for (size_t i = 0; i < in->actions; i++)
		if (strcmp(in->action[i].id, id) == 0)
			return &in->action[i];
	return NULL;
}

const struct revocation *incident_revocation(const struct incident *in, const char *ca)
{
	for (size_t i = 0; i < in->revocations; i++)
		if (strcmp(in->revocation[i].ca, ca) == 0)
			return &in->revocation[i];
	return NULL;
}

const struct crl_made *incident_crl_part(const struct incident *in, const char *ca, const char *part)
{
	for (size_t i = 0; i < in->crls; i++)
		if (strcmp(in->crl[i].ca, ca) == 0 && strcmp(in->crl[i].part, part) == 0)
			return &in->crl[i];
	return NULL;
}

const struct crl_made *incident_crl(const struct incident *in, const char *ca)
{
	return incident_crl_part(in, ca, "");
}

const struct ladder *incident_ladder(const struct incident *in, const char *ca)
{
	for (size_t i = 0; i < in->ladders; i++)
		if (strcmp(in->ladder[i].ca, ca) == 0)
			return &in->ladder[i];
	return NULL;
}

const struct renewing *incident_renewing(const struct incident *in, const char *ca)
{
	for (size_t i = 0; i < in->renewings; i++)
		if (strcmp(in->renewing[i].ca, ca) == 0)
			return &in->renewing[i];
	return NULL;
}

const struct point *incident_point(const struct incident *in, const char *ca, const char *point)
{
	for (size_t i = 0; i < in->points; i++)
		if (strcmp(in->point[i].ca, ca) == 0 && strcmp(in->point[i].point, point) == 0)
			return &in->point[i];
	return NULL;
}

const struct notice *incident_notice(const struct incident *in, const char *name)
{
	for (size_t i = 0; i < in->notices; i++)
		if (strcmp(in->notice[i].name, name) == 0)
			return &in->notice[i];
	return NULL;
}

const struct host_row *incident_host(const struct incident *in, const char *host)
{
	size_t i = dict_get(&in->by_host, host);

	return i != DICT_NONE ? &in->host[i] : NULL;
}

const struct subscriber *incident_subscriber(const struct incident *in, const char *name)
{
	for (size_t i = 0; i < in->subscribers; i++)
		if (strcmp(in->subscriber[i].name, name) == 0)
			return &in->subscriber[i];
	return NULL;
}

const struct checkpoint *incident_checkpoint(const struct incident *in, int n)
{
	for (size_t i = 0; i < in->checkpoints; i++)
		if (in->checkpoint[i].n == n)
			return &in->checkpoint[i];
	return NULL;
}

const struct checkpoint *incident_next(const struct incident *in)
{
	for (size_t i = 0; i < in->checkpoints; i++)
		if (in->checkpoint[i].state == CP_OPEN)
			return &in->checkpoint[i];
	return NULL;
}

bool incident_checkpoint_closed(const struct incident *in, const char *evidence)
{
	for (size_t i = 0; i < in->checkpoints; i++)
		if (strcmp(in->checkpoint[i].evidence, evidence) == 0)
			return in->checkpoint[i].state != CP_OPEN;
	return true; /* a playbook without that checkpoint does not ask for it */
}

/* ---- clocks ---- */

int64_t checkpoint_left(const struct incident *in, const struct checkpoint *cp, int64_t now)
{
	return in->declared + cp->due * MINUTE_MS - (cp->state == CP_OPEN ? now : cp->done_at);
}

const char *checkpoint_state(const struct checkpoint *cp)
{
	switch (cp->state) {
	case CP_DONE:
		return N_("done");
	case CP_BY_HAND:
		return N_("by hand");
	case CP_WAIVED:
		return N_("waived");
	case CP_OPEN:
		break;
	}
	return N_("open");
}

const char *checkpoint_word(const struct incident *in, const struct checkpoint *cp, int64_t now)
{
	if (cp->state != CP_OPEN)
		return checkpoint_state(cp);
	if (checkpoint_left(in, cp, now) < 0)
		return N_("late");
	return incident_next(in) == cp ? N_("next") : N_("open");
}

char *checkpoint_clock(char *out, size_t size, const struct incident *in, const struct checkpoint *cp, int64_t now)
{
	int64_t left = checkpoint_left(in, cp, now);
	char span[32];

	if (left > 0)
		left += 999;
	if (cp->state != CP_OPEN)
		return clock_span(out, size, cp->done_at - in->declared);
	snprintf(out, size, "%s%s", left < 0 ? "+" : "-", clock_span(span, sizeof span, llabs(left)));
	return out;
}

int64_t incident_rto_left(const struct incident *in, int64_t now)
{
	int due = 0;

	for (size_t i = 0; i < in->checkpoints; i++)
		if (in->checkpoint[i].due > due)
			due = in->checkpoint[i].due;
	return in->checkpoints == 0 ? INT64_MIN : in->declared + due * MINUTE_MS - now;
}

int64_t incident_deadline_left(const struct incident *in, int64_t now)
{
	return in->triage.answered ? in->triage.deadline - now : INT64_MIN;
}

int64_t incident_fuse_left(const struct incident *in, int64_t now)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < in->crls; i++)
		if (in->crl[i].next_update < first)
			first = in->crl[i].next_update;
	for (size_t i = 0; i < in->points; i++) {
		const struct point *p = &in->point[i];
		const struct crl_made *crl = incident_crl_part(in, p->ca, p->part);

		/* the CRL that was made is not there yet: what clients have is the one before */
		if (p->state != POINT_VERIFIED && p->until > 0 && p->until < first && crl != NULL &&
		    strcmp(crl->sha256, p->sha256) == 0)
			first = p->until;
	}
	return first == INT64_MAX ? INT64_MIN : first - now;
}

int64_t incident_ladder_end(const struct incident *in)
{
	int64_t end = INT64_MIN;

	for (size_t i = 0; i < in->ladders; i++) {
		const struct ladder *l = &in->ladder[i];
		size_t n = json_array_size(l->rungs);
		int64_t last = n > 0 ? json_num(json_array_get(l->rungs, n - 1), "next_update", 0) : 0;

		if (!l->stale && n > 0 && (end == INT64_MIN || last < end))
			end = last;
	}
	return end;
}

char *incident_reasons(const struct incident *in)
{
	json_t *all = json_object(), *n;
	struct buf b = { 0 };
	const char *name;

	for (size_t i = 0; in->scope_frozen && i < in->scopes; i++)
		json_object_foreach(in->scope[i].reasons, name, n)
			json_put_num(all, name, json_num(all, name, 0) + json_integer_value(n));
	json_object_foreach(all, name, n) {
		if (json_object_size(all) == 1)
			buf_adds(&b, name);
		else
			buf_addf(&b, "%s%s %lld", b.len > 0 ? ", " : "", name, (long long)json_integer_value(n));
	}
	if (b.len == 0)
		buf_adds(&b, in->triage.reason);
	json_decref(all);
	return buf_take(&b);
}
