#include "report/report.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"

const struct report_format report_formats[] = {
	{ "markdown", "md", markdown_write, ccadb_write },
	{ "html", "html", html_write, ccadb_html_write },
	{ "json", "json", json_report_write, NULL },
	{ NULL, NULL, NULL, NULL },
};

const struct report_format *report_format_find(const char *name)
{
	for (const struct report_format *f = report_formats; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

const struct report_kind report_kinds[] = {
	{ "after-action", N_("what happened, for those who were there"), REPORT_AFTER },
	{ "preliminary", N_("the first disclosure, within 72 hours"), REPORT_PRELIMINARY },
	{ "full", N_("the incident report, within 14 days"), REPORT_FULL },
	{ "delay", N_("the report of a revocation past its deadline"), REPORT_DELAY },
	{ "status", N_("a status update while revocation is late"), REPORT_STATUS },
	{ "closure", N_("the closure summary"), REPORT_CLOSURE },
	{ NULL, NULL, 0 },
};

const struct report_kind *report_kind_find(const char *name)
{
	for (const struct report_kind *k = report_kinds; k->name != NULL; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

char *report_minute(char out[32], int64_t ms)
{
	char iso[32];

	clock_iso(iso, sizeof iso, ms);
	snprintf(out, 32, "%.10s %.5sZ", iso, iso + 11);
	return out;
}

char *report_hours(char out[32], int64_t ms)
{
	int64_t minutes = ms / 60000;

	snprintf(out, 32, "%lld h %02d min", (long long)(minutes / 60), (int)(minutes % 60));
	return out;
}

const char *report_compromise(const struct incident *in)
{
	static const char *const words[] = { "", N_("private key stolen"), N_("unauthorised certificate issuance"),
		N_("system compromise"), N_("algorithm vulnerability") };

	return in->triage.compromise >= 1 && in->triage.compromise <= 4 ? _(words[in->triage.compromise]) : "";
}

int64_t report_revoked(const struct report *r)
{
	int64_t n = 0;

	for (size_t i = 0; i < r->in->revocations; i++)
		if (r->in->revocation[i].state == REVOKE_DONE)
			n += r->in->revocation[i].revoked;
	return n;
}

char *report_replaced(const struct report *r)
{
	const struct replaced *p = r->in->replacements > 0 ? &r->in->replaced[r->in->replacements - 1] : NULL;
	char done[32], whole[64], seen[32];

	return p == NULL ? mem_strdup("") : mem_printf(_("with a successor: %s of %s, %s seen on servers"),
	    text_count(done, p->replaced), text_certificates(whole, p->total), text_count(seen, p->seen));
}

const json_t *report_appendix(const struct report *r)
{
	for (size_t i = r->events; i > 0; i--)
		if (r->event[i - 1].kind == EV_APPENDIX)
			return r->event[i - 1].body;
	return NULL;
}

int64_t report_due(const struct report *r, const struct checkpoint *c)
{
	return r->in->declared + (int64_t)c->due * 60 * 1000;
}

int64_t report_margin(const struct report *r, const struct checkpoint *c)
{
	return report_due(r, c) - (c->done_at > 0 ? c->done_at : r->at);
}

const char *report_action_state(const struct action *a)
{
	switch (a->state) {
	case ACTION_RUNNING:
		return N_("running");
	case ACTION_HELD:
		return N_("held");
	case ACTION_FAILED:
		return N_("failed");
	case ACTION_UNDONE:
		return N_("undone");
	case ACTION_NONE:
		break;
	}
	return N_("not run");
}

const char *report_point_state(const struct point *p)
{
	switch (p->state) {
	case POINT_STARTED:
		return N_("started");
	case POINT_PLACED:
		return N_("placed, not verified");
	case POINT_VERIFIED:
		return N_("verified");
	case POINT_FAILED:
		return N_("failed");
	case POINT_NONE:
		break;
	}
	return N_("not published");
}

const char *report_revocation_state(const struct revocation *v)
{
	switch (v->state) {
	case REVOKE_DONE:
		return N_("done");
	case REVOKE_FAILED:
		return N_("failed");
	case REVOKE_UNDOING:
		return N_("being undone");
	case REVOKE_UNDONE:
		return N_("undone");
	case REVOKE_STARTED:
		break;
	}
	return N_("started");
}

int64_t report_closed_at(const struct report *r, const char *evidence)
{
	for (size_t i = 0; i < r->in->checkpoints; i++) {
		const struct checkpoint *c = &r->in->checkpoint[i];

		if (strcmp(c->evidence, evidence) == 0 && c->state == CP_DONE)
			return c->done_at;
	}
	return 0;
}

const struct event *report_verdict_of(const struct report *r, size_t i)
{
	const char *hash = json_str(r->event[i].body, "hash");

	while (++i < r->events) {
		const struct event *ev = &r->event[i];

		if ((ev->kind == EV_CONFIRMED || ev->kind == EV_REFUSED) &&
		    strcmp(json_str(ev->body, "hash"), hash) == 0)
			return ev;
		if (ev->kind == EV_PLAN && strcmp(json_str(ev->body, "hash"), hash) == 0)
			break; /* the same plan was made again */
	}
	return NULL;
}
