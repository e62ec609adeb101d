#include "incident/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"

#define MINUTE_MS (60LL * 1000)

/* Every string in the state is a copy of one in an event. */
static void set(char **at, const json_t *o, const char *key)
{
	free(*at);
	*at = mem_strdup(json_str(o, key));
}

static void set_literal(char **at, const char *s)
{
	free(*at);
	*at = mem_strdup(s);
}

static void *list_add(void *list, size_t *n, size_t size)
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

	set(&in->id, o, "id");
	set(&in->title, o, "title");
	set(&in->profile, o, "profile");
	set(&in->organisation, o, "organisation");
	set(&in->root, o, "root");
	in->drill = strcmp(json_str(o, "kind"), "drill") == 0;
	in->declared = json_num(o, "declared", 0);
	json_decref(in->report);
	in->report = json_incref(json_object_get(o, "report"));
	incident_free_playbook(in);
	list = json_list(o, "checkpoints");
	json_array_foreach(list, i, item) {
		in->checkpoint = list_add(in->checkpoint, &in->checkpoints, sizeof *in->checkpoint);
		struct checkpoint *c = &in->checkpoint[i];
		c->n = (int)json_num(item, "n", (int64_t)i + 1);
		c->due = (int)json_num(item, "due", 60);
		set(&c->title, item, "title");
		set(&c->command, item, "command");
		set(&c->evidence, item, "evidence");
		set_literal(&c->shown, "");
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
	set(&in->triage.ca, o, "ca");
	set(&in->triage.level, o, "level");
	set(&in->triage.trigger, o, "trigger");
	set(&in->triage.action, o, "action");
	set(&in->triage.channel, o, "channel");
	set(&in->triage.reporter, o, "reporter");
	set(&in->triage.reason, o, "reason");
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
	set(&in->manifest, o, "manifest");
	in->scope_count = json_num(o, "count", 0);
	if (!same) {
		in->ari.at = 0; /* what was written and counted is of the scope of before */
		in->replacements = 0;
	}
	json_array_foreach(list, i, item) {
		in->scope = list_add(in->scope, &in->scopes, sizeof *in->scope);
		struct ca_scope *s = &in->scope[i];
		set(&s->ca, item, "ca");
		set(&s->manifest, item, "manifest");
		s->valid = json_num(item, "valid", 0);
		s->expired = json_num(item, "expired", 0);
		s->revoked = json_num(item, "revoked", 0);
		s->unreadable = json_num(item, "unreadable", 0);
		s->selected = json_num(item, "selected", 0);
		s->reasons = json_incref(json_object_get(item, "reasons"));
	}
	list = json_list(o, "own");
	json_array_foreach(list, i, item) {
		in->own = list_add(in->own, &in->owns, sizeof *in->own);
		set(&in->own[i].ca, item, "ca");
		set(&in->own[i].issuer, item, "issuer");
		set(&in->own[i].serial, item, "serial");
		set(&in->own[i].subject, item, "subject");
	}
}

static struct action *action_add(struct incident *in, const char *id)
{
	struct action *a = (struct action *)incident_action(in, id);

	if (a != NULL)
		return a;
	in->action = list_add(in->action, &in->actions, sizeof *in->action);
	a = &in->action[in->actions - 1];
	set_literal(&a->id, id);
	set_literal(&a->title, id);
	for (char **s[] = { &a->kind, &a->host, &a->command, &a->verify, &a->undo, &a->detail, &a->sha256, NULL },
	    ***p = s; *p != NULL; p++)
		set_literal(*p, "");
	return a;
}

static void action_describe(struct action *a, const json_t *o)
{
	set(&a->title, o, "title");
	set(&a->kind, o, "kind");
	set(&a->host, o, "host");
	set(&a->command, o, "command");
	set(&a->verify, o, "verify");
	set(&a->undo, o, "undo");
}

static struct point *point_add(struct incident *in, const json_t *o)
{
	struct point *p = (struct point *)incident_point(in, json_str(o, "ca"), json_str(o, "point"));

	if (p != NULL)
		return p;
	in->point = list_add(in->point, &in->points, sizeof *in->point);
	p = &in->point[in->points - 1];
	set(&p->ca, o, "ca");
	set(&p->point, o, "point");
	set(&p->url, o, "url");
	set_literal(&p->part, "");
	set_literal(&p->sha256, "");
	set_literal(&p->detail, "");
	return p;
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
	const char *hash = json_str(ev->body, "hash");

	if (ev->kind == EV_PLAN) {
		set(&in->plan_command, ev->body, "command");
		set(&in->plan_hash, ev->body, "hash");
		set(&in->plan_phrase, ev->body, "phrase");
		json_decref(in->plan_spec);
		in->plan_spec = json_incref(json_object_get(ev->body, "spec"));
		in->plan_confirmed = false;
		apply_planned(in, json_object_get(ev->body, "spec"));
	} else if (ev->kind == EV_CONFIRMED && in->plan_hash != NULL) {
		in->plan_confirmed = strcmp(in->plan_hash, hash) == 0;
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
		set_literal(&a->detail, "");
		a->state = ACTION_RUNNING;
		return;
	}
	set(&a->detail, o, "detail");
	set(&a->sha256, o, "sha256");
	a->ms = json_num(o, "ms", 0);
	a->state = strcmp(outcome, "held") == 0 ? ACTION_HELD :
	    strcmp(outcome, "undone") == 0 ? ACTION_UNDONE : ACTION_FAILED;
}

static struct ladder *ladder_of(struct incident *in, const char *ca)
{
	return (struct ladder *)incident_ladder(in, ca);
}

static void ladder_stale(struct incident *in, const char *ca, const char *why)
{
	struct ladder *l = ladder_of(in, ca);

	if (l == NULL || l->stale)
		return;
	l->stale = true;
	set_literal(&l->detail, why);
}

static void crl_copy(struct crl_made *to, const struct crl_made *from)
{
	crl_made_clear(to);
	*to = *from;
	to->ca = mem_strdup(from->ca);
	to->part = mem_strdup(from->part);
	to->number = mem_strdup(from->number);
	to->sha256 = mem_strdup(from->sha256);
	to->der = mem_strdup(from->der);
	to->pem = mem_strdup(from->pem);
	to->signature = mem_strdup(from->signature);
}

/* A revocation begins, or one that was interrupted goes on (its stamp is the same). */
static void revoke_begin(struct incident *in, struct revocation *r, const struct event *ev)
{
	int64_t stamp = json_num(ev->body, "stamp", 0);
	const struct crl_made *crl = incident_crl(in, r->ca);

	if (stamp != r->stamp || r->state == REVOKE_UNDONE) {
		set_literal(&r->offered, "");
		crl_made_clear(&r->before);
		if (crl != NULL)
			crl_copy(&r->before, crl);
	}
	set(&r->manifest, ev->body, "manifest");
	r->planned = json_num(ev->body, "count", 0);
	r->revoked = 0;
	r->stamp = stamp;
	r->at = ev->at;
	r->published = 0;
	r->state = REVOKE_STARTED;
}

/* What the revocation signed is the CA's CRL no more, and checkpoint 4 waits again. */
static void undo_crl(struct incident *in, const struct revocation *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < in->crls; i++) {
		struct crl_made *c = &in->crl[i];
		bool mine = strcmp(c->ca, r->ca) == 0, whole = c->part == NULL || c->part[0] == '\0';

		if (mine && whole && r->before.ca != NULL)
			crl_copy(c, &r->before);
		else if (mine && (whole || c->this_update >= r->stamp / 1000 * 1000))
			crl_made_clear(c); /* a partition's too, if it was signed since */
		if (c->ca != NULL)
			in->crl[kept++] = *c;
	}
	in->crls = kept;
	ladder_stale(in, r->ca, _("a revocation was taken back after it was signed"));
	for (size_t i = 0; i < in->checkpoints; i++) {
		struct checkpoint *cp = &in->checkpoint[i];
		if (strcmp(cp->evidence, "crl-made") != 0 || cp->state != CP_DONE)
			continue;
		cp->state = CP_OPEN;
		cp->done_at = 0;
	}
}

static void apply_undo(struct incident *in, const struct event *ev)
{
	struct revocation *r = (struct revocation *)incident_revocation(in, json_str(ev->body, "ca"));

	if (r == NULL)
		return;
	if (ev->kind == EV_UNDO_START) {
		r->state = REVOKE_UNDOING;
		set_literal(&r->detail, "");
		undo_crl(in, r);
		return;
	}
	set(&r->detail, ev->body, "detail");
	r->state = strcmp(json_str(ev->body, "outcome"), "done") == 0 ? REVOKE_UNDONE : REVOKE_FAILED;
	r->revoked = 0;
}

static void apply_revoke(struct incident *in, const struct event *ev)
{
	const json_t *o = ev->body;
	struct revocation *r = (struct revocation *)incident_revocation(in, json_str(o, "ca"));

	if (r == NULL) {
		in->revocation = list_add(in->revocation, &in->revocations, sizeof *in->revocation);
		r = &in->revocation[in->revocations - 1];
		set(&r->ca, o, "ca");
		set_literal(&r->manifest, "");
		set_literal(&r->backup, "");
		set_literal(&r->detail, "");
		set_literal(&r->offered, "");
		r->state = REVOKE_UNDONE;
	}
	set(&r->plan, o, "plan");
	if (ev->kind == EV_REVOKE_START) {
		revoke_begin(in, r, ev);
		return;
	}
	set(&r->backup, o, "backup");
	set(&r->detail, o, "detail");
	r->planned = json_num(o, "planned", r->planned);
	r->revoked = json_num(o, "revoked", 0);
	r->state = strcmp(json_str(o, "outcome"), "done") == 0 ? REVOKE_DONE : REVOKE_FAILED;
}

/* ---- the CRL's life ---- */

static void apply_ladder(struct incident *in, const json_t *o)
{
	struct ladder *l = ladder_of(in, json_str(o, "ca"));

	if (strcmp(json_str(o, "state"), "stale") == 0) {
		ladder_stale(in, json_str(o, "ca"), json_str(o, "detail"));
		return;
	}
	if (l == NULL) {
		in->ladder = list_add(in->ladder, &in->ladders, sizeof *in->ladder);
		l = &in->ladder[in->ladders - 1];
		set(&l->ca, o, "ca");
	}
	set_literal(&l->detail, "");
	l->stale = false;
	json_decref(l->rungs);
	l->rungs = json_incref(json_object_get(o, "rungs"));
}

static struct renewing *renewing_of(struct incident *in, const char *ca)
{
	struct renewing *r = (struct renewing *)incident_renewing(in, ca);

	if (r != NULL)
		return r;
	in->renewing = list_add(in->renewing, &in->renewings, sizeof *in->renewing);
	r = &in->renewing[in->renewings - 1];
	set_literal(&r->ca, ca);
	set_literal(&r->detail, "");
	return r;
}

static void apply_renew(struct incident *in, const struct event *ev)
{
	struct renewing *r = renewing_of(in, json_str(ev->body, "ca"));

	r->failed = strcmp(json_str(ev->body, "state"), "failed") == 0;
	set(&r->detail, ev->body, "detail");
	if (r->failed)
		return;
	r->tries++;
	r->at = ev->at;
}

static void apply_crl(struct incident *in, const struct event *ev)
{
	const json_t *o = ev->body;
	struct crl_made *c = (struct crl_made *)incident_crl_part(in, json_str(o, "ca"), json_str(o, "part"));
	struct renewing *trying = (struct renewing *)incident_renewing(in, json_str(o, "ca"));

	if (c == NULL) {
		in->crl = list_add(in->crl, &in->crls, sizeof *in->crl);
		c = &in->crl[in->crls - 1];
		set(&c->ca, o, "ca");
		set(&c->part, o, "part");
	}
	if (!json_bool(o, "ladder"))
		ladder_stale(in, json_str(o, "ca"), json_bool(o, "revoke") && !json_bool(o, "renewed")
		    ? _("certificates were revoked after it was signed") : _("a newer CRL was signed"));
	if (trying != NULL) {
		trying->tries = 0;
		trying->failed = false;
	}
	c->renewed = json_bool(o, "renewed");
	set(&c->number, o, "number");
	set(&c->sha256, o, "sha256");
	set(&c->der, o, "der");
	set(&c->pem, o, "pem");
	set(&c->signature, o, "signature");
	c->entries = json_num(o, "entries", 0);
	c->octets = json_num(o, "octets", 0);
	c->this_update = json_num(o, "this_update", 0);
	c->next_update = json_num(o, "next_update", 0);
	c->revoke = c->revoke || json_bool(o, "revoke");
	c->at = ev->at;
}

/* The period that a deadline measures ends with the first moment at which every point serves it. */
static void revoke_published(struct incident *in, const char *ca, int64_t at)
{
	struct revocation *r = (struct revocation *)incident_revocation(in, ca);

	if (r != NULL && r->published == 0 && r->state == REVOKE_DONE && incident_published_of(in, ca))
		r->published = at;
}

/* From the moment a CRL of a revocation was begun to be put somewhere, a client may have it. */
static void revoke_offered(struct incident *in, const json_t *o)
{
	struct revocation *r = (struct revocation *)incident_revocation(in, json_str(o, "ca"));

	if (r != NULL && r->state != REVOKE_UNDONE && r->offered[0] == '\0' &&
	    (r->before.ca == NULL || strcmp(r->before.sha256, json_str(o, "sha256")) != 0))
		set(&r->offered, o, "point");
}

static void apply_point(struct incident *in, const struct event *ev)
{
	const json_t *o = ev->body;
	const char *state = json_str(o, "state");
	struct point *p = point_add(in, o);

	revoke_offered(in, o);

	set(&p->url, o, "url");
	set(&p->part, o, "part");
	set(&p->sha256, o, "sha256");
	set(&p->detail, o, "detail");
	p->at = ev->at;
	p->attempt = (int)json_num(o, "attempt", 0);
	p->state = ev->kind == EV_POINT_START ? POINT_STARTED : strcmp(state, "verified") == 0 ? POINT_VERIFIED :
	    strcmp(state, "placed") == 0 ? POINT_PLACED : POINT_FAILED;
	revoke_published(in, p->ca, ev->at);
}

static struct recipient *find_recipient(struct incident *in, const char *notice, const char *to)
{
	for (size_t i = 0; i < in->recipients; i++)
		if (strcmp(in->recipient[i].notice, notice) == 0 && strcmp(in->recipient[i].to, to) == 0)
			return &in->recipient[i];
	in->recipient = list_add(in->recipient, &in->recipients, sizeof *in->recipient);
	return &in->recipient[in->recipients - 1];
}

static void apply_notice(struct incident *in, const struct event *ev)
{
	const json_t *o = ev->body;
	const char *name = json_str(o, "notice");
	struct notice *n = (struct notice *)incident_notice(in, name);
	struct recipient *r;

	if (n == NULL) {
		in->notice = list_add(in->notice, &in->notices, sizeof *in->notice);
		n = &in->notice[in->notices - 1];
		set(&n->name, o, "notice");
		set_literal(&n->subject, "");
		set_literal(&n->sha256, "");
	}
	if (ev->kind == EV_NOTICE_START) {
		set(&n->subject, o, "subject");
		set(&n->sha256, o, "sha256");
		if (json_array_size(json_list(o, "to")) > n->wanted)
			n->wanted = json_array_size(json_list(o, "to"));
		return;
	}
	r = find_recipient(in, name, json_str(o, "to"));
	set(&r->notice, o, "notice");
	set(&r->to, o, "to");
	set(&r->detail, o, "detail");
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
	set(&in->issuer->name, o, "name");
	set(&in->issuer->subject, o, "subject");
	set(&in->issuer->fingerprint, o, "fingerprint");
	set(&in->issuer->spki, o, "spki");
	set(&in->issuer->how, o, "how");
	set(&in->issuer->config, o, "config");
	in->issuer->not_after = json_num(o, "not_after", 0);
}

static struct host_row *host_add(struct incident *in, const char *name)
{
	struct host_row *h = (struct host_row *)incident_host(in, name);

	if (h != NULL)
		return h;
	in->host = list_add(in->host, &in->hosts, sizeof *in->host);
	h = &in->host[in->hosts - 1];
	set_literal(&h->host, name);
	set_literal(&h->phase, "");
	set_literal(&h->state, "waiting");
	set_literal(&h->detail, "");
	set_literal(&h->serial, "");
	set_literal(&h->fingerprint, "");
	dict_put(&in->by_host, h->host, in->hosts - 1);
	return h;
}

static bool host_failed(const struct host_row *h)
{
	return strcmp(h->state, "verified") != 0 && strcmp(h->state, "waiting") != 0 &&
	    strcmp(h->state, "running") != 0 && strcmp(h->state, "skipped") != 0;
}

/* What a host said, its lines joined. */
static char *host_output(const json_t *lines)
{
	struct buf b = { 0 };
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
		buf_addf(&b, "%s%s", i > 0 ? "\n" : "", json_is_string(line) ? json_string_value(line) : "");
	return buf_take(&b);
}

/* What comes with a host's last word. */
static void host_ended(struct host_row *h, const json_t *item)
{
	const json_t *before = json_object_get(item, "before");

	if (json_object_get(item, "phases") == NULL)
		return;
	set(&h->phases, item, "phases");
	free(h->output);
	h->output = host_output(json_list(item, "output"));
	if (before == NULL)
		return;
	set(&h->old_serial, before, "serial");
	set(&h->old_fingerprint, before, "fingerprint");
	set(&h->old_subject, before, "subject");
	h->old_not_after = json_num(before, "not_after", 0);
}

static void apply_hosts(struct incident *in, const struct event *ev)
{
	const json_t *list, *item;
	size_t i;

	if (ev->kind == EV_REISSUE_START) {
		in->reissue_at = ev->at;
		if (in->reissue_first == 0)
			in->reissue_first = ev->at;
		list = json_list(ev->body, "hosts");
		json_array_foreach(list, i, item)
			host_add(in, json_is_string(item) ? json_string_value(item) : "");
		return;
	}
	list = json_list(ev->body, "rows");
	json_array_foreach(list, i, item) {
		struct host_row *h = host_add(in, json_str(item, "host"));
		set(&h->phase, item, "phase");
		set(&h->state, item, "state");
		set(&h->detail, item, "detail");
		if (json_str(item, "serial")[0] != '\0')
			set(&h->serial, item, "serial");
		if (json_str(item, "fingerprint")[0] != '\0')
			set(&h->fingerprint, item, "fingerprint");
		h->not_after = json_num(item, "not_after", h->not_after);
		h->ms = json_num(item, "ms", 0);
		h->at = ev->at;
		h->tried = strcmp(h->state, "waiting") != 0 && strcmp(h->state, "running") != 0;
		host_ended(h, item);
	}
	in->hosts_verified = in->hosts_failed = 0;
	for (i = 0; i < in->hosts; i++) {
		in->hosts_verified += strcmp(in->host[i].state, "verified") == 0;
		in->hosts_failed += host_failed(&in->host[i]);
	}
}

static void apply_ari(struct incident *in, const struct event *ev)
{
	if (strcmp(json_str(ev->body, "state"), "written") != 0)
		return;
	set(&in->ari.folder, ev->body, "folder");
	set(&in->ari.sha256, ev->body, "sha256");
	in->ari.files = json_num(ev->body, "files", 0);
	in->ari.at = ev->at;
}

static void apply_replaced(struct incident *in, const struct event *ev)
{
	in->replaced = list_add(in->replaced, &in->replacements, sizeof *in->replaced);
	in->replaced[in->replacements - 1] = (struct replaced){ .at = ev->at, .total = json_num(ev->body, "total", 0),
		.replaced = json_num(ev->body, "replaced", 0), .seen = json_num(ev->body, "seen", 0),
		.unknown = json_num(ev->body, "unknown", 0) };
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
		set(&c->shown, ev->body, "reason");
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
