/* Replacement first, revocation after: where the CA itself is sound there is time for it, up to the deadline. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "fleet/inventory.h"
#include "work/revoke_jobs.h"

bool revoke_replace_first(const struct run *r)
{
	const struct incident *in = run_incident(r);

	return (strcmp(in->triage.level, "end-entity") == 0 || in->triage.compromise == 4) &&
	    run_config(r)->fleet.inventory != NULL;
}

json_t *revoke_replaced_names(const struct run *r)
{
	const struct incident *in = run_incident(r);
	struct inventory *inv;
	json_t *names;

	if (!revoke_replace_first(r) || (inv = inventory_load(run_config(r)->fleet.inventory, NULL)) == NULL)
		return NULL;
	names = json_array();
	for (size_t i = 0; i < inv->servers; i++) {
		const struct host_row *row = incident_host(in, inv->server[i].name);

		for (size_t k = 0; row != NULL && strcmp(row->state, "verified") == 0 && k < inv->server[i].count; k++)
			json_array_append_new(names, json_string(inv->server[i].names[k]));
	}
	inventory_free(inv);
	return names;
}

int64_t revoke_unreplaced(const struct revoke_jobs *d)
{
	int64_t n = 0;

	for (size_t i = 0; i < d->jobs; i++)
		n += d->job[i].complete ? 0 : json_num(json_object_get(d->job[i].plan, "unreplaced"), "count", 0);
	return n;
}

void revoke_replaced_plan(const struct run *r, const struct revoke_jobs *d, struct plan *p)
{
	int64_t left = revoke_unreplaced(d);
	const json_t *name;
	struct buf b = { 0 };
	char n[32], span[32];
	size_t i;

	if (!revoke_replace_first(r))
		return;
	if (d->replaced == NULL) {
		plan_row(p, _("not yet replaced"), _("not known: the inventory cannot be read; see: sev1 inventory"));
		return;
	}
	if (left == 0) {
		plan_row(p, _("not yet replaced"), "0");
		return;
	}
	for (size_t k = 0; k < d->jobs; k++)
		json_array_foreach(json_list(json_object_get(d->job[k].plan, "unreplaced"), "first"), i, name)
			buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", json_string_value(name));
	plan_row(p, _("not yet replaced"), "%s  %s%s", text_count(n, left), buf_str(&b),
	    left > 5 ? " ..." : "");
	buf_free(&b);
	plan_line(p, _("replacement first: sev1 reissue, then this plan anew; the deadline to revoke is in %s"),
	    clock_span(span, sizeof span, incident_deadline_left(run_incident(r), clock_now())));
}
