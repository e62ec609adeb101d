#include "report/report.h"

#include <string.h>

#include "base/i18n.h"
#include "base/json.h"

const struct report_format report_formats[] = {
	{ "markdown", "md", markdown_write },
	{ "json", "json", json_report_write },
	{ NULL, NULL, NULL },
};

const struct report_format *report_format_find(const char *name)
{
	for (const struct report_format *f = report_formats; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
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

const char *report_checkpoint_state(const struct checkpoint *c)
{
	switch (c->state) {
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
