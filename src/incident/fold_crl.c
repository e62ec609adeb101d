/* Events of revocation and of the CRL's life: signed, ahead, renewed, placed, taken back. */
#include "incident/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"

struct point *point_add(struct incident *in, const json_t *o)
{
	struct point *p = (struct point *)incident_point(in, json_str(o, "ca"), json_str(o, "point"));

	if (p != NULL)
		return p;
	in->point = fold_list(in->point, &in->points, sizeof *in->point);
	p = &in->point[in->points - 1];
	fold_set(&p->ca, o, "ca");
	fold_set(&p->point, o, "point");
	fold_set(&p->url, o, "url");
	fold_literal(&p->part, "");
	fold_literal(&p->sha256, "");
	fold_literal(&p->detail, "");
	return p;
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
	fold_literal(&l->detail, why);
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
		fold_literal(&r->offered, "");
		crl_made_clear(&r->before);
		if (crl != NULL)
			crl_copy(&r->before, crl);
	}
	fold_set(&r->manifest, ev->body, "manifest");
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

void apply_undo(struct incident *in, const struct event *ev)
{
	struct revocation *r = (struct revocation *)incident_revocation(in, json_str(ev->body, "ca"));

	if (r == NULL)
		return;
	if (ev->kind == EV_UNDO_START) {
		r->state = REVOKE_UNDOING;
		fold_literal(&r->detail, "");
		undo_crl(in, r);
		return;
	}
	fold_set(&r->detail, ev->body, "detail");
	r->state = strcmp(json_str(ev->body, "outcome"), "done") == 0 ? REVOKE_UNDONE : REVOKE_FAILED;
	r->revoked = 0;
}

void apply_revoke(struct incident *in, const struct event *ev)
{
	const json_t *o = ev->body;
	struct revocation *r = (struct revocation *)incident_revocation(in, json_str(o, "ca"));

	if (r == NULL) {
		in->revocation = fold_list(in->revocation, &in->revocations, sizeof *in->revocation);
		r = &in->revocation[in->revocations - 1];
		fold_set(&r->ca, o, "ca");
		fold_literal(&r->manifest, "");
		fold_literal(&r->backup, "");
		fold_literal(&r->detail, "");
		fold_literal(&r->offered, "");
		r->state = REVOKE_UNDONE;
	}
	fold_set(&r->plan, o, "plan");
	if (ev->kind == EV_REVOKE_START) {
		revoke_begin(in, r, ev);
		return;
	}
	fold_set(&r->backup, o, "backup");
	fold_set(&r->detail, o, "detail");
	r->planned = json_num(o, "planned", r->planned);
	r->revoked = json_num(o, "revoked", 0);
	r->state = strcmp(json_str(o, "outcome"), "done") == 0 ? REVOKE_DONE : REVOKE_FAILED;
}

/* ---- the CRL's life ---- */

void apply_ladder(struct incident *in, const json_t *o)
{
	struct ladder *l = ladder_of(in, json_str(o, "ca"));

	if (strcmp(json_str(o, "state"), "stale") == 0) {
		ladder_stale(in, json_str(o, "ca"), json_str(o, "detail"));
		return;
	}
	if (l == NULL) {
		in->ladder = fold_list(in->ladder, &in->ladders, sizeof *in->ladder);
		l = &in->ladder[in->ladders - 1];
		fold_set(&l->ca, o, "ca");
	}
	fold_literal(&l->detail, "");
	l->stale = false;
	json_decref(l->rungs);
	l->rungs = json_incref(json_object_get(o, "rungs"));
}

static struct renewing *renewing_of(struct incident *in, const char *ca)
{
	struct renewing *r = (struct renewing *)incident_renewing(in, ca);

	if (r != NULL)
		return r;
	in->renewing = fold_list(in->renewing, &in->renewings, sizeof *in->renewing);
	r = &in->renewing[in->renewings - 1];
	fold_literal(&r->ca, ca);
	fold_literal(&r->detail, "");
	return r;
}

void apply_renew(struct incident *in, const struct event *ev)
{
	struct renewing *r = renewing_of(in, json_str(ev->body, "ca"));

	r->failed = strcmp(json_str(ev->body, "state"), "failed") == 0;
	fold_set(&r->detail, ev->body, "detail");
	if (r->failed)
		return;
	r->tries++;
	r->at = ev->at;
}

/* A partition that was left out when the whole was signed is configured no more; that is known when the next is signed. */
static void parts_drop(struct incident *in, const struct crl_made *whole)
{
	char *ca = mem_strdup(whole->ca); /* whole moves */
	int64_t signed_at = whole->this_update;
	size_t kept = 0;

	for (size_t i = 0; i < in->crls; i++) {
		struct crl_made *c = &in->crl[i];

		if (strcmp(c->ca, ca) == 0 && c->part[0] != '\0' && c->this_update < signed_at)
			crl_made_clear(c);
		if (c->ca != NULL)
			in->crl[kept++] = *c;
	}
	in->crls = kept;
	free(ca);
}

void apply_crl(struct incident *in, const struct event *ev)
{
	const json_t *o = ev->body;
	const char *part = json_str(o, "part");
	struct crl_made *c = (struct crl_made *)incident_crl_part(in, json_str(o, "ca"), part);
	struct renewing *trying = (struct renewing *)incident_renewing(in, json_str(o, "ca"));

	if (c != NULL && part[0] == '\0') {
		parts_drop(in, c);
		c = (struct crl_made *)incident_crl(in, json_str(o, "ca"));
	}
	if (c == NULL) {
		in->crl = fold_list(in->crl, &in->crls, sizeof *in->crl);
		c = &in->crl[in->crls - 1];
		fold_set(&c->ca, o, "ca");
		fold_set(&c->part, o, "part");
	}
	if (!json_bool(o, "ladder"))
		ladder_stale(in, json_str(o, "ca"), json_bool(o, "revoke") && !json_bool(o, "renewed")
		    ? _("certificates were revoked after it was signed") : _("a newer CRL was signed"));
	if (trying != NULL) {
		trying->tries = 0;
		trying->failed = false;
	}
	c->renewed = json_bool(o, "renewed");
	fold_set(&c->number, o, "number");
	fold_set(&c->sha256, o, "sha256");
	fold_set(&c->der, o, "der");
	fold_set(&c->pem, o, "pem");
	fold_set(&c->signature, o, "signature");
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
		fold_set(&r->offered, o, "point");
}

void apply_point(struct incident *in, const struct event *ev)
{
	const json_t *o = ev->body;
	const char *state = json_str(o, "state");
	struct point *p = point_add(in, o);
	const struct crl_made *crl;

	revoke_offered(in, o);

	fold_set(&p->url, o, "url");
	fold_set(&p->part, o, "part");
	fold_set(&p->sha256, o, "sha256");
	fold_set(&p->detail, o, "detail");
	p->at = ev->at;
	p->attempt = (int)json_num(o, "attempt", 0);
	p->state = ev->kind == EV_POINT_START ? POINT_STARTED : strcmp(state, "verified") == 0 ? POINT_VERIFIED :
	    strcmp(state, "placed") == 0 ? POINT_PLACED : POINT_FAILED;
	if (p->state == POINT_VERIFIED && (crl = incident_crl_part(in, p->ca, p->part)) != NULL &&
	    strcmp(crl->sha256, p->sha256) == 0)
		p->until = crl->next_update;
	revoke_published(in, p->ca, ev->at);
}
