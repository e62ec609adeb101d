/* undo-plan, undo: a revocation taken back before anything of it was published. No key is opened. */
#include <stdlib.h>

#include "base/i18n.h"
#include "base/json.h"
#include "child/ca_child.h"
#include "pki/undo.h"

static json_t *undo_json(const struct undo_job *job, const struct undo_result *r)
{
	json_t *o = json_object(), *crls = json_array();

	json_put(o, "database", job->ca->database);
	json_put(o, "backup", r->backup);
	json_put(o, "sha256", r->sha256);
	json_put(o, "number", r->number);
	json_put_num(o, "rows", r->rows);
	for (size_t i = 0; i < r->crls; i++)
		json_array_append_new(crls, json_string(r->crl[i]));
	json_object_set_new(o, "crls", crls);
	return o;
}

static int undo_ask(const json_t *request, int (*act)(const struct undo_job *, struct undo_result *, struct err *),
    json_t **result, struct err *e)
{
	struct ca *ca = request_ca(json_object_get(request, "ca"), e);
	struct undo_job job = {
		.ca = ca,
		.folder = json_str(request, "folder"),
		.stamp = json_num(request, "stamp", 0),
		.planned = json_num(request, "planned", 0),
		.sha256 = json_str(request, "sha256"),
	};
	struct undo_result r = { 0 };
	int rc;

	if (ca == NULL)
		return e->code;
	if (job.folder[0] != '/' || job.stamp <= 0)
		rc = err_set(e, ERR_USAGE, _("undo needs an absolute folder and the revocation's time"));
	else if ((rc = act(&job, &r, e)) == 0)
		*result = undo_json(&job, &r);
	undo_clear(&r);
	ca_free(ca);
	return rc;
}

int ca_undo_plan(const json_t *request, json_t **result, struct err *e)
{
	return undo_ask(request, undo_check, result, e);
}

int ca_undo(const json_t *request, json_t **result, struct err *e)
{
	return undo_ask(request, undo_run, result, e);
}
