/* The timeline as it is told to others: what people gave, and the milestones of the journal without its inner life. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "incident/owed.h"
#include "report/fields.h"

struct moments {
	struct moment *m;
	size_t n;
};

static const struct {
	const char *field, *words;
} expected[] = {
	{ "event.began", N_("The incident began") },
	{ "event.received", N_("Problem report received") },
	{ "event.aware", N_("The CA became aware of the incident") },
	{ "event.preliminary", N_("Preliminary report sent") },
	{ "event.subscribers", N_("Subscribers told") },
	{ "event.scope", N_("Scope disclosed") },
	{ "event.ceased", N_("Issuance ceased") },
	{ "event.resumed", N_("Issuance resumed") },
	{ "event.expected", N_("Revocation expected to be completed") },
	{ "event.completed", N_("Revocation completed") },
	{ "event.ended", N_("The incident ended") },
};

static void moment_add(struct moments *all, int64_t at, char *text)
{
	all->m = mem_grow(all->m, all->n + 1, sizeof *all->m);
	all->m[all->n++] = (struct moment){ .at = at, .text = text };
}

static void moments_expected(struct moments *all, const struct report *r)
{
	const char *rest;
	int64_t at;
	bool utc;

	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		char *text = field_text(r, expected[i].field);

		if (field_time(text, &at, &utc, &rest) == 0)
			moment_add(all, at, rest[0] == '\0' ? mem_strdup(_(expected[i].words)) :
			    mem_printf("%s: %s", _(expected[i].words), rest));
		free(text);
	}
}

static void moments_given(struct moments *all, const struct report *r)
{
	const char *p = incident_field(r->in, "timeline"), *nl, *rest;
	int64_t at;
	bool utc;

	for (; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		char *line;

		nl = p + strcspn(p, "\n");
		line = mem_strndup(p, (size_t)(nl - p));
		if (field_time(line, &at, &utc, &rest) == 0)
			moment_add(all, at, mem_strdup(rest));
		free(line);
	}
}

/* Renewals go on for days: of each point the first publication is told. */
static bool published_before(const struct report *r, const struct event *ev)
{
	for (const struct event *was = r->event; was < ev; was++)
		if (was->kind == EV_POINT && strcmp(json_str(was->body, "state"), "verified") == 0 &&
		    strcmp(json_str(was->body, "url"), json_str(ev->body, "url")) == 0 &&
		    strcmp(json_str(was->body, "ca"), json_str(ev->body, "ca")) == 0)
			return true;
	return false;
}

static char *moment_of(const struct report *r, const struct event *ev)
{
	const json_t *o = ev->body;
	const struct checkpoint *c;
	char count[64];

	switch (ev->kind) {
	case EV_SCOPE:
		return mem_printf(_("Scope determined: %s"), text_certificates(count, json_num(o, "count", 0)));
	case EV_REVOKE_END:
		if (strcmp(json_str(o, "outcome"), "done") != 0)
			return mem_printf(_("Revocation by %s failed"), json_str(o, "ca"));
		return mem_printf(_("%s of %s revoked"), text_certificates(count, json_num(o, "revoked", 0)),
		    json_str(o, "ca"));
	case EV_UNDO_END:
		return strcmp(json_str(o, "outcome"), "done") != 0 ? NULL :
		    mem_printf(_("Revocation by %s taken back before publication"), json_str(o, "ca"));
	case EV_POINT:
		return strcmp(json_str(o, "state"), "verified") != 0 || published_before(r, ev) ? NULL :
		    mem_printf(_("CRL of %s published at %s, verified there"), json_str(o, "ca"), json_str(o, "url"));
	case EV_NOTICE_START:
		return mem_printf(_("Notice sent: %s"), json_str(o, "subject"));
	case EV_CHECKPOINT:
		c = incident_checkpoint(r->in, (int)json_num(o, "n", 0));
		return c == NULL ? NULL : mem_printf("%s: %s", c->title, json_str(o, "state"));
	case EV_ISSUER:
		return mem_printf(_("Replacement issuer chosen: %s"), json_str(o, "name"));
	case EV_REISSUE_END:
		return mem_printf(_("Certificates replaced and verified on %lld servers, %lld not"),
		    (long long)json_num(o, "verified", 0), (long long)(json_num(o, "failed", 0) +
		    json_num(o, "unreachable", 0) + json_num(o, "refused", 0)));
	default:
		return NULL;
	}
}

/* The order of times, and where two are the same that in which they were said. */
static void moments_sort(struct moments *all)
{
	for (size_t i = 1; i < all->n; i++) {
		struct moment m = all->m[i];
		size_t k = i;

		for (; k > 0 && all->m[k - 1].at > m.at; k--)
			all->m[k] = all->m[k - 1];
		all->m[k] = m;
	}
}

struct moment *report_moments(const struct report *r, size_t *n)
{
	struct moments all = { 0 };

	moments_expected(&all, r);
	moments_given(&all, r);
	for (size_t i = 0; i < r->events; i++) {
		char *text = moment_of(r, &r->event[i]);

		if (text != NULL)
			moment_add(&all, r->event[i].at, text);
	}
	moments_sort(&all);
	*n = all.n;
	return all.m;
}

void moments_free(struct moment *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(m[i].text);
	free(m);
}
