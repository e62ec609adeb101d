#include "incident/times.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/inifile.h"
#include "base/json.h"
#include "incident/playbook.h"
#include "incident/triage.h"

#define CIRCUMSTANCE_MAX 99

struct times {
	json_t *out, *circumstance; /* the one that is being read, borrowed; NULL outside of one */
};

static bool times_reason(const char *name)
{
	for (const struct choice *c = triage_reasons; c->value != NULL; c++)
		if (strcmp(c->value, name) == 0)
			return true;
	return false;
}

static int times_unknown(const char *key, const char *section, const char *keys, struct err *e)
{
	err_set(e, ERR_SYNTAX, _("unknown key '%s' in [%s]"), key, section);
	return err_remedy(e, _("its keys are %s"), keys);
}

static int times_put(json_t *o, const char *as, const char *key, const char *value, bool zero, struct err *e)
{
	long minutes = playbook_minutes(value);

	if (json_object_get(o, as) != NULL)
		return err_set(e, ERR_SYNTAX, _("'%s' again"), key);
	if (minutes < 0 || (minutes == 0 && !zero)) {
		err_set(e, ERR_SYNTAX, _("%s = %s: not a time"), key, value);
		return err_remedy(e, _("write minutes, hours, days or weeks: 30m, 24h, 5d, 1w"));
	}
	json_put_num(o, as, minutes);
	return 0;
}

/* "50%, 80%, 1h" */
static int times_warnings(json_t *list, const char *value, struct err *e)
{
	while (*value != '\0') {
		size_t n = strcspn(value, ", \t");
		char *word = mem_strndup(value, n), *end;
		long percent = strtol(word, &end, 10), left = playbook_minutes(word);
		bool good = true;

		if (end != word && strcmp(end, "%") == 0 && percent > 0 && percent < 100)
			json_array_append_new(list, json_pack("{s:i}", "percent", (int)percent));
		else if (left > 0)
			json_array_append_new(list, json_pack("{s:i}", "left", (int)left));
		else
			good = n == 0;
		if (!good) {
			err_set(e, ERR_SYNTAX, _("at = ... %s: not a point of time"), word);
			err_remedy(e, _("write shares of the time, or what is left of it: 50%%, 80%%, 1h"));
		}
		free(word);
		if (!good)
			return ERR_SYNTAX;
		value += n;
		value += strspn(value, ", \t");
	}
	return 0;
}

static int times_heading(struct times *t, const char *section, struct err *e)
{
	static const char *const plain[] = { "revocation", "ca", "report", "answer", "warnings" };
	json_t *list = json_object_get(t->out, "circumstances");
	char *end;
	long n;

	t->circumstance = NULL;
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
		if (strcmp(section, plain[i]) == 0)
			return 0;
	if (strncmp(section, "circumstance ", 13) != 0) {
		err_set(e, ERR_SYNTAX, _("unknown section [%s]"), section);
		return err_remedy(e, _("the sections are revocation, ca, report, answer, warnings and circumstance N"));
	}
	n = strtol(section + 13, &end, 10);
	if (*end != '\0' || n < 1 || n > CIRCUMSTANCE_MAX || times_circumstance(t->out, (int)n) != NULL) {
		err_set(e, ERR_SYNTAX, _("[%s]: not a new number"), section);
		return err_remedy(e, _("give each circumstance its own number from 1 to 99"));
	}
	t->circumstance = json_pack("{s:i}", "n", (int)n);
	json_array_append_new(list, t->circumstance);
	return 0;
}

static int times_of_circumstance(json_t *o, const char *section, const char *key, const char *value, struct err *e)
{
	if (strcmp(key, "must") == 0 || strcmp(key, "should") == 0)
		return times_put(o, key, key, value, false, e);
	if (strcmp(key, "reason") == 0 && !times_reason(value))
		return err_set(e, ERR_SYNTAX, _("reason = %s: no reason of a CRL entry"), value);
	if (strcmp(key, "reason") != 0 && strcmp(key, "title") != 0)
		return times_unknown(key, section, "title, reason, must, should", e);
	json_put(o, key, value);
	return 0;
}

static int times_line(void *ctx, const char *section, const char *key, const char *value, int line, struct err *e)
{
	struct times *t = ctx;

	(void)line;
	if (key == NULL)
		return times_heading(t, section, e);
	if (t->circumstance != NULL)
		return times_of_circumstance(t->circumstance, section, key, value, e);
	if (strcmp(section, "revocation") == 0 || strcmp(section, "answer") == 0) {
		if (strcmp(key, "default") != 0 && !times_reason(key))
			return times_unknown(key, section, _("default and the reasons of CRL entries"), e);
		return times_put(json_object_get(t->out, section), key, key, value, section[0] == 'a', e);
	}
	if (strcmp(section, "ca") == 0)
		return strcmp(key, "issued") == 0 || strcmp(key, "certificate") == 0 ?
		    times_put(t->out, key, key, value, false, e) : times_unknown(key, section, "issued, certificate", e);
	if (strcmp(section, "report") == 0)
		return strcmp(key, "preliminary") == 0 ? times_put(t->out, key, key, value, true, e) :
		    times_unknown(key, section, "preliminary", e);
	if (strcmp(key, "at") != 0)
		return times_unknown(key, section, "at", e);
	return times_warnings(json_object_get(t->out, "warnings"), value, e);
}

static int times_lacks(const char *name, const char *section, const char *key, struct err *e)
{
	err_set(e, ERR_SYNTAX, _("%s: [%s] lacks the key '%s'"), name, section, key);
	return err_remedy(e, _("add a line \"%s = ...\""), key);
}

static int times_whole(const json_t *o, const char *name, struct err *e)
{
	const json_t *c;
	size_t i;

	if (json_object_get(json_object_get(o, "revocation"), "default") == NULL)
		return times_lacks(name, "revocation", "default", e);
	if (json_object_get(json_object_get(o, "answer"), "default") == NULL)
		return times_lacks(name, "answer", "default", e);
	if (json_object_get(o, "issued") == NULL)
		return times_lacks(name, "ca", "issued", e);
	if (json_object_get(o, "certificate") == NULL)
		return times_lacks(name, "ca", "certificate", e);
	if (json_object_get(o, "preliminary") == NULL)
		return times_lacks(name, "report", "preliminary", e);
	json_array_foreach(json_list(o, "circumstances"), i, c) {
		char section[32];

		snprintf(section, sizeof section, "circumstance %d", (int)json_num(c, "n", 0));
		for (const char *const *k = (const char *const[]){ "title", "reason", "must", NULL }; *k != NULL; k++)
			if (json_object_get(c, *k) == NULL)
				return times_lacks(name, section, *k, e);
	}
	return 0;
}

json_t *times_read(const char *text, const char *name, struct err *e)
{
	struct times t = { .out = json_pack("{s:{},s:{},s:[],s:[]}", "revocation", "answer", "circumstances", "warnings") };

	if (inifile_each(text, name, times_line, &t, e) == 0 && times_whole(t.out, name, e) == 0)
		return t.out;
	json_decref(t.out);
	return NULL;
}

static int times_by_reason(const json_t *o, const char *reason)
{
	return (int)json_num(o, reason, json_num(o, "default", 0));
}

int times_revocation(const json_t *times, const char *level, const char *reason)
{
	if (strcmp(level, "end-entity") == 0)
		return times_by_reason(json_object_get(times, "revocation"), reason);
	return (int)json_num(times, strcmp(reason, "cACompromise") == 0 ? "certificate" : "issued", 0);
}

int times_answer(const json_t *times, const char *reason)
{
	return times_by_reason(json_object_get(times, "answer"), reason);
}

const json_t *times_circumstance(const json_t *times, int n)
{
	const json_t *c;
	size_t i;

	json_array_foreach(json_list(times, "circumstances"), i, c)
		if (json_num(c, "n", 0) == n)
			return c;
	return NULL;
}
