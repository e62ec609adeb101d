/* Checkpoint 5: the CRLs of this incident go to every distribution point of their CA. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "work/publish.h"

#define ATTEMPTS_MAX 20

static int publish_check(struct run *r, int *attempts, struct err *e)
{
	const char *ca = args_get(run_args(r), "ca"), *point = args_get(run_args(r), "point");
	const char *s = args_get(run_args(r), "attempts");
	bool known = point == NULL;

	*attempts = s != NULL ? atoi(s) : PUBLISH_ATTEMPTS;
	if (*attempts < 1 || *attempts > ATTEMPTS_MAX)
		return err_set(e, ERR_USAGE, _("publish: --attempts is from 1 to %d"), ATTEMPTS_MAX);
	if (ca != NULL && config_ca(run_config(r), ca) == NULL)
		return err_set(e, ERR_USAGE, _("publish: no [ca %s] in %s"), ca, run_config(r)->path);
	if (ca != NULL && incident_crl(run_incident(r), ca) == NULL)
		return err_set(e, ERR_REFUSED, _("publish: no CRL of %s was signed in this incident"), ca);
	for (size_t i = 0; i < run_config(r)->points; i++)
		known = known || strcmp(run_config(r)->point[i].name, point) == 0;
	if (!known)
		return err_set(e, ERR_USAGE, _("publish: no [point %s] in %s"), point, run_config(r)->path);
	return 0;
}

/* The rows are made before the phrase and the hash are known: move them into the plan itself. */
static struct plan *publish_plan(struct plan *draft, json_t *spec, size_t n)
{
	char *phrase = mem_printf("PUBLISH %zu", n);
	struct plan *p = plan_new(draft->title, phrase, spec);

	json_array_extend(p->rows, draft->rows);
	json_array_extend(p->lines, draft->lines);
	plan_free(draft);
	free(phrase);
	return p;
}

static void publish_start(struct run *r)
{
	json_t *points = json_array(), *run = json_array();
	struct plan *p = plan_new(_("Publish the CRLs"), "", json_object());
	struct err e = { 0 };
	int attempts;
	size_t n;

	if (publish_check(r, &attempts, &e) < 0 || publish_collect(r, p, points, run, &e) < 0) {
		plan_free(p);
		json_decref(points);
		json_decref(run);
		run_fail(r, &e);
		return;
	}
	n = json_array_size(run);
	p = publish_plan(p, json_pack("{s:o,s:o,s:i}", "points", points, "run", run, "attempts", attempts), n);
	if (n > 0) {
		run_plan(r, p);
		return;
	}
	for (size_t i = 0; i < json_array_size(p->rows); i++)
		run_out(r, "%s: %s", json_string_value(json_array_get(json_array_get(p->rows, i), 0)),
		    json_string_value(json_array_get(json_array_get(p->rows, i), 1)));
	run_out(r, _("nothing to do: no point is left that does not serve its CRL"));
	plan_free(p);
	run_end(r, EXIT_DONE);
}

static const struct option options[] = {
	{ "ca", "NAME", N_("only the CRL of this CA") },
	{ "point", "NAME", N_("only this point, even if it serves the CRL already") },
	{ "attempts", "N", N_("how often each is tried (5)") },
	{ NULL, NULL, NULL },
};

const struct command cmd_publish = {
	.name = "publish", .key = "p", .usage = "",
	.summary = N_("put the CRLs where clients fetch them, and fetch them back"),
	.effect = N_("replaces the CRL file of each distribution point, whole or not at all"),
	.options = options,
	.gates = GATE_CONFIG | GATE_INCIDENT | GATE_ARMED | GATE_CRL | GATE_LEASE,
	.start = publish_start, .go = publish_go,
};
