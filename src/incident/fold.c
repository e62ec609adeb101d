#include "incident/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"

#define MINUTE_MS (60LL * 1000)

void fold_set(char **at, const json_t *o, const char *key)
{
	free(*at);
	*at = mem_strdup(json_str(o, key));
}

void fold_literal(char **at, const char *s)
{
	free(*at);
	*at = mem_strdup(s);
}

void *fold_list(void *list, size_t *n, size_t size)
{
	char *p = mem_grow(list, *n + 1, size);

	memset(p + *n * size, 0, size);
	(*n)++;
	return p;
}

static void apply_opened(struct incident *in, const json_t *o)
{
	const json_t *list, *item;
	size_t i;

	fold_set(&in->id, o, "id");
	fold_set(&in->title, o, "title");
	fold_set(&in->profile, o, "profile");
	fold_set(&in->organisation, o, "organisation");
	fold_set(&in->root, o, "root");
	in->drill = strcmp(json_str(o, "kind"), "drill") == 0;
	in->declared = json_num(o, "declared", 0);
	json_decref(in->report);
	in->report = json_incref(json_object_get(o, "report"));
	incident_free_playbook(in);
	list = json_list(o, "checkpoints");
	json_array_foreach(list, i, item) {
		in->checkpoint = fold_list(in->checkpoint, &in->checkpoints, sizeof *in->checkpoint);
		struct checkpoint *c = &in->checkpoint[i];
		c->n = (int)json_num(item, "n", (int64_t)i + 1);
		c->due = (int)json_num(item, "due", 60);
		fold_set(&c->title, item, "title");
		fold_set(&c->command, item, "command");
		fold_set(&c->evidence, item, "evidence");
		fold_literal(&c->shown, "");
	}
	json_decref(in->times);
	in->times = json_incref(json_object_get(o, "times"));
	list = json_list(o, "followups");
	json_array_foreach(list, i, item) {
		int64_t due = json_num(item, "due", -1);
		owed_add(in, (int)json_num(item, "n", (int64_t)i + 1), json_str(item, "title"),
		    due < 0 ? -1 : in->declared + due * MINUTE_MS);
	}
}

static void apply_triage(struct incident *in, const json_t *o)
{
	in->triage.answered = true;
	fold_set(&in->triage.ca, o, "ca");
	fold_set(&in->triage.level, o, "level");
	fold_set(&in->triage.trigger, o, "trigger");
	fold_set(&in->triage.action, o, "action");
	fold_set(&in->triage.channel, o, "channel");
	fold_set(&in->triage.reporter, o, "reporter");
	fold_set(&in->triage.reason, o, "reason");
	in->triage.compromise = (int)json_num(o, "compromise", 0);
	in->triage.circumstance = (int)json_num(o, "circumstance", 0);
	in->triage.received = json_num(o, "received", 0);
	in->triage.since = json_num(o, "since", 0);
	in->triage.deadline = json_num(o, "deadline", 0);
	json_decref(in->triage.selectors);
	json_decref(in->triage.tell);
	in->triage.selectors = json_incref(json_object_get(o, "selectors"));
	in->triage.tell = json_incref(json_object_get(o, "tell"));
	if (in->title[0] == '\0') {
		free(in->title);
		in->title = mem_printf("%s: %s", in->triage.ca, in->triage.trigger);
	}
	in->scope_frozen = false; /* other answers, another scope */
	owed_triage(in);
}

static void apply_scope(struct incident *in, const json_t *o)
{
	const json_t *list = json_list(o, "cas"), *item;
	bool same = in->manifest != NULL && strcmp(in->manifest, json_str(o, "manifest")) == 0;
	size_t i;

	incident_free_scope(in);
	in->scope_frozen = true;
	fold_set(&in->manifest, o, "manifest");
	in->scope_count = json_num(o, "count", 0);
	if (!same) {
		in->ari.at = 0; /* what was written and counted is of the scope of before */
		in->replacements = 0;
	}
	json_array_foreach(list, i, item) {
		in->scope = fold_list(in->scope, &in->scopes, sizeof *in->scope);
		struct ca_scope *s = &in->scope[i];
		fold_set(&s->ca, item, "ca");
		fold_set(&s->manifest, item, "manifest");
		s->valid = json_num(item, "valid", 0);
		s->expired = json_num(item, "expired", 0);
		s->revoked = json_num(item, "revoked", 0);
		s->unreadable = json_num(item, "unreadable", 0);
		s->selected = json_num(item, "selected", 0);
		s->reasons = json_incref(json_object_get(item, "reasons"));
	}
	list = json_list(o, "own");
	json_array_foreach(list, i, item) {
		in->own = fold_list(in->own, &in->owns, sizeof *in->own);
		fold_set(&in->own[i].ca, item, "ca");
		fold_set(&in->own[i].issuer, item, "issuer");
		fold_set(&in->own[i].serial, item, "serial");
		fold_set(&in->own[i].subject, item, "subject");
	}
}

static struct action *action_add(struct incident *in, const char *id)
{
	struct action *a = (struct action *)incident_action(in, id);

	if (a != NULL)
		return a;
	in->action = fold_list(in->action, &in->actions, sizeof *in->action);
	a = &in->action[in->actions - 1];
	fold_literal(&a->id, id);
	fold_literal(&a->title, id);
	for (char **s[] = { &a->kind, &a->host, &a->command, &a->verify, &a->undo, &a->detail, &a->sha256, NULL },
	    ***p = s; *p != NULL; p++)
		fold_literal(*p, "");
	return a;
}

static void action_describe(struct action *a, const json_t *o)
{
	fold_set(&a->title, o, "title");
	fold_set(&a->kind, o, "kind");
	fold_set(&a->host, o, "host");
	fold_set(&a->command, o, "command");
	fold_set(&a->verify, o, "verify");
	fold_set(&a->undo, o, "undo");
}

/* What a plan lists is known from then on, so that "2 of 5" can be said before the third starts:
 * spec.actions of contain, spec.points of publish. */
static void apply_planned(struct incident *in, const json_t *spec)
{
	const json_t *list = json_list(spec, "actions"), *item;
	size_t i;

	json_array_foreach(list, i, item) {
		struct action *a = action_add(in, json_str(item, "id"));
		if (a->state == ACTION_NONE)
			action_describe(a, item);
	}
	list = json_list(spec, "points");
	json_array_foreach(list, i, item)
		point_add(in, item);
}

static void apply_plan(struct incident *in, const struct event *ev)
{
	if (ev->kind == EV_PLAN) {
		fold_set(&in->plan_command, ev->body, "command");
		fold_set(&in->plan_hash, ev->body, "hash");
		fold_set(&in->plan_phrase, ev->body, "phrase");
		json_decref(in->plan_spec);
		in->plan_spec = json_incref(json_object_get(ev->body, "spec"));
		apply_planned(in, json_object_get(ev->body, "spec"));
	} else if (ev->kind == EV_CONFIRMED) {
		fold_set(&in->confirmed.hash, ev->body, "hash");
		fold_literal(&in->confirmed.by, ev->actor);
		in->confirmed.seq = ev->seq;
		in->confirmed.at = ev->at;
	}
}

static void apply_action(struct incident *in, const struct event *ev)
{
	const json_t *o = ev->body;
	struct action *a = action_add(in, json_str(o, "id"));
	const char *outcome = json_str(o, "outcome");

	a->at = ev->at;
	if (ev->kind == EV_ACTION_START) {
		action_describe(a, o);
		fold_literal(&a->detail, "");
		a->state = ACTION_RUNNING;
		return;
	}
	fold_set(&a->detail, o, "detail");
	fold_set(&a->sha256, o, "sha256");
	a->ms = json_num(o, "ms", 0);
	a->state = strcmp(outcome, "held") == 0 ? ACTION_HELD :
	    strcmp(outcome, "undone") == 0 ? ACTION_UNDONE : ACTION_FAILED;
}

static struct recipient *find_recipient(struct incident *in, const char *notice, const char *to)
{
	for (size_t i = 0; i < in->recipients; i++)
		if (strcmp(in->recipient[i].notice, notice) == 0 && strcmp(in->recipient[i].to, to) == 0)
			return &in->recipient[i];
	in->recipient = fold_list(in->recipient, &in->recipients, sizeof *in->recipient);
	return &in->recipient[in->recipients - 1];
}

static void apply_notice(struct incident *in, const struct event *ev)
{
	const json_t *o = ev->body;
	const char *name = json_str(o, "notice");
	struct notice *n = (struct notice *)incident_notice(in, name);
	struct recipient *r;

	if (n == NULL) {
		in->notice = fold_list(in->notice, &in->notices, sizeof *in->notice);
		n = &in->notice[in->notices - 1];
		fold_set(&n->name, o, "notice");
		fold_literal(&n->subject, "");
		fold_literal(&n->sha256, "");
	}
	if (ev->kind == EV_NOTICE_START) {
		fold_set(&n->subject, o, "subject");
		fold_set(&n->sha256, o, "sha256");
		if (json_array_size(json_list(o, "to")) > n->wanted)
			n->wanted = json_array_size(json_list(o, "to"));
		return;
	}
	r = find_recipient(in, name, json_str(o, "to"));
	fold_set(&r->notice, o, "notice");
	fold_set(&r->to, o, "to");
	fold_set(&r->detail, o, "detail");
	r->accepted = strcmp(json_str(o, "outcome"), "accepted") == 0;
	r->at = ev->at;
	n->accepted = n->failed = 0;
	for (size_t i = 0; i < in->recipients; i++) {
		if (strcmp(in->recipient[i].notice, name) != 0)
			continue;
		n->accepted += in->recipient[i].accepted;
		n->failed += !in->recipient[i].accepted;
	}
}

static void apply_issuer(struct incident *in, const json_t *o)
{
	incident_free_issuer(in);
	in->issuer = mem_zalloc(1, sizeof *in->issuer);
	fold_set(&in->issuer->name, o, "name");
	fold_set(&in->issuer->subject, o, "subject");
	fold_set(&in->issuer->fingerprint, o, "fingerprint");
	fold_set(&in->issuer->spki, o, "spki");
	fold_set(&in->issuer->how, o, "how");
	fold_set(&in->issuer->config, o, "config");
	in->issuer->not_after = json_num(o, "not_after", 0);
}

static int apply_checkpoint(struct incident *in, const struct event *ev, struct err *e)
{
	int n = (int)json_num(ev->body, "n", 0);
	const char *state = json_str(ev->body, "state");

	for (size_t i = 0; i < in->checkpoints; i++) {
		struct checkpoint *c = &in->checkpoint[i];
		if (c->n != n)
			continue;
		c->state = strcmp(state, "waived") == 0 ? CP_WAIVED :
		    strcmp(state, "by hand") == 0 ? CP_BY_HAND : CP_OPEN;
		c->done_at = c->state == CP_OPEN ? 0 : ev->at;
		fold_set(&c->shown, ev->body, "reason");
		return 0;
	}
	return err_set(e, ERR_SYNTAX, _("journal row %lld: there is no checkpoint %d"), (long long)ev->seq, n);
}

static void apply_warning(struct incident *in, const json_t *o)
{
	if (in->warned == NULL)
		in->warned = json_object();
	json_put_num(in->warned, json_str(o, "deadline"), json_num(o, "when", 0));
}

int incident_apply(struct incident *in, const struct event *ev, struct err *e)
{
	int rc = 0;

	if (in->last_seq == 0 && ev->kind != EV_OPENED)
		return err_set(e, ERR_SYNTAX, _("journal row %lld: an incident begins with incident.opened"),
		    (long long)ev->seq);
	switch (ev->kind) {
	case EV_OPENED: apply_opened(in, ev->body); break;
	case EV_ARMED: in->armed = json_bool(ev->body, "on"); break;
	case EV_TRIAGE: apply_triage(in, ev->body); break;
	case EV_SCOPE: apply_scope(in, ev->body); break;
	case EV_PLAN:
	case EV_CONFIRMED: apply_plan(in, ev); break;
	case EV_ACTION_START:
	case EV_ACTION_END: apply_action(in, ev); break;
	case EV_REVOKE_START:
	case EV_REVOKE_END: apply_revoke(in, ev); break;
	case EV_CRL: apply_crl(in, ev); break;
	case EV_UNDO_START:
	case EV_UNDO_END: apply_undo(in, ev); break;
	case EV_POINT_START:
	case EV_POINT: apply_point(in, ev); break;
	case EV_NOTICE_START:
	case EV_NOTICE:
		apply_notice(in, ev);
		apply_told(in, ev);
		break;
	case EV_CHECKPOINT: rc = apply_checkpoint(in, ev, e); break;
	case EV_ISSUER: apply_issuer(in, ev->body); break;
	case EV_REISSUE_START:
	case EV_HOST: apply_hosts(in, ev); rollout_apply(in, ev); break;
	case EV_WAVE:
	case EV_STEER:
	case EV_REISSUE_END: rollout_apply(in, ev); break;
	case EV_FOLLOWUP:
	case EV_FIELD:
	case EV_ITEM: owed_apply(in, ev); break;
	case EV_RENEWAL: in->renewal = json_bool(ev->body, "on"); break;
	case EV_RENEW: apply_renew(in, ev); break;
	case EV_LADDER: apply_ladder(in, ev->body); break;
	case EV_ARI: apply_ari(in, ev); break;
	case EV_REPLACED: apply_replaced(in, ev); break;
	case EV_WARNING: apply_warning(in, ev->body); break;
	case EV_ROSTER: apply_roster(in, ev); break;
	case EV_CONTACT: apply_contact(in, ev); break;
	case EV_ANSWER: apply_answer(in, ev); break;
	case EV_PROCEED: apply_proceed(in, ev); break;
	case EV_CLOSED: in->closed = true; break;
	default: break;
	}
	if (rc < 0)
		return rc;
	in->last_seq = ev->seq;
	in->last_at = ev->at;
	checkpoint_update(in, ev->at);
	return 0;
}
