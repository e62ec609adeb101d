/* Evidence closes checkpoints: each evidence word of a playbook has one function here that looks at the
 * state and answers whether it holds, saying in words how far it is. */
#include "incident/incident.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"

static bool scope_frozen(const struct incident *in, const char *arg, struct buf *say)
{
	char count[32];

	(void)arg;
	if (in->scope_frozen)
		buf_addf(say, _("%s in scope"), text_count(count, in->scope_count));
	else if (in->triage.answered)
		buf_adds(say, _("answered; freeze the scope"));
	return in->scope_frozen;
}

/* An image counts once it runs (its hash follows); a key lock waits for the CRL by design. */
static bool actions_held(const struct incident *in, const char *arg, struct buf *say)
{
	size_t wanted = 0, held = 0, running = 0;

	(void)arg;
	for (size_t i = 0; i < in->actions; i++) {
		const struct action *a = &in->action[i];
		bool image = strcmp(a->kind, "image") == 0;
		if (strcmp(a->kind, "keylock") == 0)
			continue;
		wanted++;
		held += a->state == ACTION_HELD || (image && a->state == ACTION_RUNNING);
		running += image && a->state == ACTION_RUNNING;
	}
	if (wanted > 0)
		buf_addf(say, _("%zu of %zu actions held"), held, wanted);
	if (running > 0)
		buf_adds(say, _(", image running"));
	return wanted > 0 && held == wanted;
}

static bool notice_accepted(const struct incident *in, const char *name, struct buf *say)
{
	const struct notice *n = incident_notice(in, name);

	if (n == NULL || n->wanted == 0)
		return false;
	buf_addf(say, _("accepted for %zu of %zu"), n->accepted, n->wanted);
	return n->accepted >= n->wanted;
}

/* The CAs whose CRL must change: those with selected certificates, and the issuers of CA certificates. */
static size_t crl_wanted(const struct incident *in, const char **ca, size_t max)
{
	size_t n = 0, k;

	for (size_t i = 0; i < in->scopes + in->owns && n < max; i++) {
		const char *name = i < in->scopes ? in->scope[i].ca : in->own[i - in->scopes].issuer;
		if (i < in->scopes && in->scope[i].selected == 0)
			continue;
		for (k = 0; k < n && strcmp(ca[k], name) != 0; k++)
			;
		if (k == n)
			ca[n++] = name;
	}
	return n;
}

static bool crl_made(const struct incident *in, const char *arg, struct buf *say)
{
	const char **ca = mem_zalloc(in->scopes + in->owns + 1, sizeof *ca);
	size_t wanted = crl_wanted(in, ca, in->scopes + in->owns), made = 0;
	int64_t entries = 0;
	char count[32];

	(void)arg;
	for (size_t i = 0; i < wanted; i++) {
		const struct crl_made *c = incident_crl(in, ca[i]);
		const struct revocation *r = incident_revocation(in, ca[i]);
		if (c == NULL || !c->revoke || r == NULL || r->state != REVOKE_DONE)
			continue;
		made++;
		entries += c->entries;
	}
	free(ca);
	if (made == 0)
		return false;
	if (made < wanted)
		buf_addf(say, _("%zu of %zu CRLs"), made, wanted);
	else
		buf_addf(say, ngettext("%zu CRL, %s entries", "%zu CRLs, %s entries", made), made,
		    text_count(count, entries));
	return made == wanted;
}

static void ca_points(const struct incident *in, const char *ca, size_t *points, size_t *good)
{
	for (size_t k = 0; k < in->points; k++) {
		const struct point *p = &in->point[k];
		const struct crl_made *c = incident_crl_part(in, ca, p->part);
		if (strcmp(p->ca, ca) != 0)
			continue;
		(*points)++;
		*good += c != NULL && c->revoke && p->state == POINT_VERIFIED && strcmp(p->sha256, c->sha256) == 0;
	}
}

bool incident_published_of(const struct incident *in, const char *ca)
{
	size_t points = 0, good = 0;

	ca_points(in, ca, &points, &good);
	return points > 0 && good == points;
}

static bool crl_published(const struct incident *in, const char *arg, struct buf *say)
{
	const char **ca = mem_zalloc(in->scopes + in->owns + 1, sizeof *ca);
	size_t wanted = crl_wanted(in, ca, in->scopes + in->owns), points = 0, good = 0, served = 0;

	(void)arg;
	for (size_t i = 0; i < wanted; i++) {
		size_t here = 0;
		ca_points(in, ca[i], &here, &good);
		points += here;
		served += here > 0;
	}
	free(ca);
	if (points > 0)
		buf_addf(say, _("%zu of %zu points serve it"), good, points);
	return wanted > 0 && served == wanted && good == points;
}

static bool reissue_verified(const struct incident *in, const char *arg, struct buf *say)
{
	(void)arg;
	if (in->issuer == NULL)
		return false;
	if (in->hosts == 0)
		buf_addf(say, _("issuer %s"), in->issuer->name);
	else
		buf_addf(say, _("%zu of %zu verified"), in->hosts_verified, in->hosts);
	return in->hosts_verified > 0;
}

static const struct {
	const char *word; /* ends with ':' where it takes an argument */
	bool (*holds)(const struct incident *in, const char *arg, struct buf *say);
} evidence[] = {
	{ "scope-frozen", scope_frozen },
	{ "actions-held", actions_held },
	{ "notice:", notice_accepted },
	{ "crl-made", crl_made },
	{ "crl-published", crl_published },
	{ "reissue-verified", reissue_verified },
};

bool checkpoint_evidence(const char *word)
{
	for (size_t i = 0; i < sizeof evidence / sizeof evidence[0]; i++) {
		size_t n = strlen(evidence[i].word);
		if (evidence[i].word[n - 1] != ':' ? strcmp(word, evidence[i].word) == 0 :
		    strncmp(word, evidence[i].word, n) == 0 && word[n] != '\0')
			return true;
	}
	return false;
}

void checkpoint_update(struct incident *in, int64_t at)
{
	for (size_t i = 0; i < in->checkpoints; i++) {
		struct checkpoint *c = &in->checkpoint[i];
		struct buf say = { 0 };
		bool holds = false;
		if (c->state == CP_BY_HAND || c->state == CP_WAIVED)
			continue;
		for (size_t k = 0; k < sizeof evidence / sizeof evidence[0]; k++) {
			size_t n = strlen(evidence[k].word);
			bool takes = evidence[k].word[n - 1] == ':';
			if (strncmp(c->evidence, evidence[k].word, takes ? n : n + 1) == 0)
				holds = evidence[k].holds(in, c->evidence + n, &say);
		}
		free(c->shown);
		c->shown = buf_take(&say);
		if (holds && c->state == CP_OPEN) {
			c->state = CP_DONE;
			c->done_at = at;
		}
	}
}
