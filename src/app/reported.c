/* What is known of triage's questions before they are asked: by the report that the incident was opened from, and by its
 * times. People answer them. */
#include <string.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "engine/engine.h"
#include "incident/times.h"

const char *model_report_id(const struct engine *en)
{
	const struct incident *in = engine_incident(en);

	return in != NULL ? json_str(in->report, "id") : "";
}

/* Does it name certificates of this CA that can be revoked? */
static bool names_some(const json_t *report, const char *ca)
{
	return json_array_size(json_object_get(report, "selectors")) > 0 && ca != NULL &&
	    strcmp(json_str(report, "ca"), ca) == 0;
}

const char *model_reported_serial(const struct engine *en, const char *ca, size_t i)
{
	const struct incident *in = engine_incident(en);
	const json_t *group = in != NULL && names_some(in->report, ca) ?
	    json_array_get(json_object_get(in->report, "selectors"), 0) : NULL;

	return json_string_value(json_array_get(json_object_get(group, "serial"), i));
}

/* A CA's own key asks for all of that CA; else the certificates that are named. NULL: nobody knows. */
static const char *level_of(const struct engine *en, const json_t *report, const char *ca)
{
	const struct ca_conf *conf = ca != NULL && engine_config(en) != NULL ? config_ca(engine_config(en), ca) : NULL;

	if (strcmp(json_str(report, "reason"), "cACompromise") == 0 && conf != NULL && strcmp(json_str(report, "ca"), ca) == 0)
		return conf->parent != NULL ? "intermediate" : "root";
	return names_some(report, ca) ? "end-entity" : NULL;
}

/* cACompromise is for the CA's own certificate: what it issued is key compromise. */
static const char *reason_of(const json_t *report)
{
	const char *reason = json_str(report, "reason");

	return strcmp(reason, "cACompromise") == 0 ? "keyCompromise" : reason;
}

/* "old 2, older 1": certificates of other CAs than that of triage. */
static char *others_of(const json_t *report)
{
	struct buf b = { 0 };
	const char *ca;
	json_t *n;

	json_object_foreach(json_object_get(report, "others"), ca, n)
		buf_addf(&b, "%s%s %lld", b.len > 0 ? ", " : "", ca, (long long)json_integer_value(n));
	return b.len > 0 ? buf_take(&b) : NULL;
}

char *model_reported(const struct engine *en, const char *question, const char *ca)
{
	const struct incident *in = engine_incident(en);
	const json_t *report = in != NULL ? in->report : NULL;
	const char *text = NULL;
	char iso[32];

	if (report == NULL)
		return NULL;
	if (strcmp(question, "others") == 0)
		return ca != NULL && strcmp(ca, json_str(report, "ca")) == 0 ? others_of(report) : NULL;
	if (strcmp(question, "received") == 0)
		text = json_num(report, "received", 0) > 0 ? clock_iso(iso, sizeof iso, json_num(report, "received", 0)) : NULL;
	else if (strcmp(question, "level") == 0)
		text = level_of(en, report, ca);
	else if (strcmp(question, "select") == 0)
		text = names_some(report, ca) ? "report" : NULL;
	else if (strcmp(question, "compromise") == 0)
		text = strcmp(reason_of(report), "keyCompromise") == 0 ? "1" : NULL;
	else if (strcmp(question, "reason") == 0)
		text = strcmp(reason_of(report), "unspecified") != 0 ? reason_of(report) : NULL; /* it names none */
	else
		text = json_str(report, question);
	return text != NULL && text[0] != '\0' ? mem_strdup(text) : NULL;
}

bool model_circumstance(const struct engine *en, const char *reason, size_t i, struct circumstance *out)
{
	const struct incident *in = engine_incident(en);
	const json_t *list = in != NULL ? json_list(in->times, "circumstances") : NULL, *c, *found = NULL;
	int alone = list != NULL ? times_revocation(in->times, "end-entity", reason) : 0;
	bool less = false;
	size_t k, n = 0;

	json_array_foreach(list, k, c) {
		if (strcmp(json_str(c, "reason"), reason) != 0)
			continue;
		less = less || json_num(c, "must", 0) < alone;
		if (n++ == i)
			found = c;
	}
	if (!less || found == NULL)
		return false;
	*out = (struct circumstance){ .n = (int)json_num(found, "n", 0), .must = (int)json_num(found, "must", 0), .alone = alone,
		.title = json_str(found, "title") };
	return true;
}
