#include "work/selectors.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "journal/journal.h"

#define SELECT_DEADLINE_S 120
#define LIST_MAX (256u << 20)

/* ---- arguments ---- */

/* A selector's value into its group. Paths are made absolute: the child and a later reader stand elsewhere. */
static int selectors_put(json_t *group, const char *name, const char *value, bool path, struct err *e)
{
	json_t *list = json_object_get(group, name), *s;
	char *here = path ? realpath(".", NULL) : NULL, *full = here != NULL ? fs_join(here, value) : mem_strdup(value);

	if (list == NULL) {
		list = json_array();
		json_object_set_new(group, name, list);
	}
	if ((s = json_string(full)) != NULL)
		json_array_append_new(list, s);
	free(here);
	free(full);
	return s != NULL ? 0 : err_set(e, ERR_USAGE, _("--%s: not UTF-8"), name);
}

static int selectors_time(json_t *group, const char *option, const char *key, const char *value, struct err *e)
{
	int64_t ms;

	if (json_object_get(group, key) != NULL)
		return err_set(e, ERR_USAGE, _("--%s is given twice in a group"), option);
	if (clock_parse_when(value, clock_now(), &ms) < 0) {
		err_set(e, ERR_USAGE, _("--%s '%s' is not a time with a zone"), option, value);
		return err_remedy(e, _("write 2026-08-31T23:19+05:30, 2026-08-31T17:49Z, -35m or now"));
	}
	json_put_num(group, key, ms);
	return 0;
}

static int selectors_reason_put(json_t *group, const char *value, struct err *e)
{
	if (json_object_get(group, "reason") != NULL)
		return err_set(e, ERR_USAGE, _("--%s is given twice in a group"), "group-reason");
	json_put(group, "reason", value);
	return 0;
}

static int selectors_arg(json_t *group, const char *name, const char *value, struct err *e)
{
	static const char *const lists[] = { "serial", "subject", "san", "key-hash", "serials-file", "key-file" };

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if (strcmp(name, lists[i]) == 0)
			return selectors_put(group, name, value, i >= 4, e);
	if (strcmp(name, "issued-since") == 0)
		return selectors_time(group, name, "since", value, e);
	if (strcmp(name, "issued-until") == 0)
		return selectors_time(group, name, "until", value, e);
	if (strcmp(name, "group-reason") == 0)
		return selectors_reason_put(group, value, e);
	if (strcmp(name, "all") == 0)
		json_object_set_new(group, "all", json_true());
	return 0;
}

/* The group has a selector, not just a reason. */
static bool selectors_full(const json_t *group)
{
	return json_object_size(group) > (json_object_get(group, "reason") != NULL ? 1u : 0u);
}

json_t *selectors_of(const struct args *a, struct err *e)
{
	json_t *groups = json_array(), *group = json_object();
	const char *name, *value;
	int rc = 0;

	json_array_append_new(groups, group);
	for (size_t i = 0; rc == 0 && (value = args_at(a, i, &name)) != NULL; i++) {
		if (strcmp(name, "or") != 0) {
			rc = selectors_arg(group, name, value, e);
			continue;
		}
		if (!selectors_full(group))
			break;
		group = json_object();
		json_array_append_new(groups, group);
	}
	if (rc == 0 && !selectors_full(group)) {
		if (json_array_size(groups) == 1 && json_object_size(group) == 0 && !args_has(a, "or")) {
			json_array_clear(groups);
			return groups;
		}
		rc = err_set(e, ERR_USAGE, _("a group of selectors is empty"));
		err_remedy(e, _("--or parts two groups and --group-reason belongs to one; to take all of the CA say --all"));
	}
	if (rc == 0)
		return groups;
	json_decref(groups);
	return NULL;
}

/* ---- reading and keeping ---- */

struct asking {
	json_t *body;
	void (*done)(struct run *r, json_t *body);
};

static void asking_free(void *data)
{
	struct asking *a = data;

	json_decref(a->body);
	free(a);
}

/* Each list goes into the incident file, and its path out of the answer. */
static int selectors_keep(struct run *r, json_t *groups, struct err *e)
{
	json_t *group, *list;
	size_t i, k;
	int rc = 0;

	json_array_foreach(groups, i, group)
		json_array_foreach(json_object_get(group, "lists"), k, list) {
			struct buf text = { 0 };
			char hex[65];

			if ((rc = fs_read(json_str(list, "path"), &text, LIST_MAX, e)) == 0)
				rc = journal_keep(engine_journal(run_engine(r)), "serials", buf_str(&text), text.len, hex, e);
			if (rc == 0 && strcmp(hex, json_str(list, "sha256")) != 0)
				rc = err_set(e, ERR_REFUSED, _("%s changed under our hands"), json_str(list, "path"));
			buf_free(&text);
			if (rc < 0)
				return rc;
			json_object_del(list, "path");
		}
	return 0;
}

static void selectors_answer(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct asking *a = run_data(r);
	struct err e = { 0 };
	json_t *selectors;

	if (result == NULL) {
		run_fail(r, err);
		return;
	}
	selectors = json_deep_copy(result);
	if (selectors_keep(r, json_object_get(selectors, "groups"), &e) < 0) {
		json_decref(selectors);
		run_fail(r, &e);
		return;
	}
	json_object_set_new(a->body, "selectors", selectors);
	a->done(r, json_incref(a->body));
}

void selectors_ask(struct run *r, json_t *groups, json_t *body, void (*done)(struct run *r, json_t *body))
{
	struct asking *a = mem_zalloc(1, sizeof *a);
	struct err e = { 0 };
	char *folder = engine_folder(run_engine(r), "manifests", &e);

	a->body = body;
	a->done = done;
	run_set_data(r, a, asking_free);
	if (folder == NULL) {
		json_decref(groups);
		run_fail(r, &e);
		return;
	}
	run_child(r, "ca", json_pack("{s:s,s:o,s:s}", "op", "select", "groups", groups, "folder", folder),
	    SELECT_DEADLINE_S, NULL, selectors_answer, r);
	free(folder);
}

/* A list of the incident file, as a file for the child. */
static int selectors_list(struct run *r, json_t *list, const char *folder, struct err *e)
{
	const char *hash = json_str(list, "sha256");
	char *name = mem_printf("serials-%.16s.list", hash), *path = fs_join(folder, name);
	struct buf text = { 0 };
	int rc = journal_fetch(engine_journal(run_engine(r)), hash, &text, e);

	if (rc == 0 && (rc = fs_write(path, buf_str(&text), text.len, 0600, e)) == 0)
		json_object_set_new(list, "path", json_string(path));
	buf_free(&text);
	free(name);
	free(path);
	return rc;
}

json_t *selectors_request(struct run *r, const json_t *selectors, const char *folder, struct err *e)
{
	json_t *o = selectors != NULL ? json_deep_copy(selectors) : json_object(), *group, *list;
	size_t i, k;

	json_array_foreach(json_object_get(o, "groups"), i, group)
		json_array_foreach(json_object_get(group, "lists"), k, list)
			if (selectors_list(r, list, folder, e) < 0) {
				json_decref(o);
				return NULL;
			}
	return o;
}

/* ---- words ---- */

static void words_list(struct buf *b, const json_t *group, const char *key, const char *label)
{
	const json_t *list = json_list(group, key), *v;
	size_t n = json_array_size(list), i;

	if (n == 0)
		return;
	buf_addf(b, "%s%s ", b->len > 0 ? "; " : "", label);
	json_array_foreach(list, i, v) {
		if (i == 3) {
			buf_addf(b, _(" and %zu more"), n - i);
			return;
		}
		buf_adds(b, i > 0 ? ", " : "");
		if (json_is_string(v))
			buf_adds(b, json_string_value(v));
		else if (json_object_get(v, "count") != NULL)
			buf_addf(b, _("%lld of %s"), (long long)json_num(v, "count", 0), json_str(v, "name"));
		else
			buf_addf(b, "%s %s %.16s", json_str(v, "kind"), json_str(v, "name"), json_str(v, "spki"));
	}
}

static void words_time(struct buf *b, const json_t *group, const char *key, const char *label)
{
	char iso[24];

	if (json_object_get(group, key) != NULL)
		buf_addf(b, "%s%s %s", b->len > 0 ? "; " : "", label, clock_iso(iso, sizeof iso, json_num(group, key, 0)));
}

void selectors_show(struct run *r, const json_t *selectors)
{
	const json_t *groups = json_list(selectors, "groups"), *group;
	size_t i;

	json_array_foreach(groups, i, group) {
		struct buf b = { 0 };

		words_list(&b, group, "serials", _("serials"));
		words_list(&b, group, "lists", _("serials of files:"));
		words_list(&b, group, "subjects", _("subjects like"));
		words_list(&b, group, "sans", _("names like"));
		words_list(&b, group, "keys", _("on the key of"));
		words_time(&b, group, "since", _("issued since"));
		words_time(&b, group, "until", _("issued until"));
		if (b.len == 0)
			buf_adds(&b, _("all of the CA"));
		if (json_str(group, "reason")[0] != '\0')
			buf_addf(&b, " -> %s", json_str(group, "reason"));
		run_out(r, "%-18s %s", i == 0 ? _("Selected by") : _("  or by"), buf_str(&b));
		buf_free(&b);
	}
}

static void found_key(struct run *r, const json_t *key)
{
	const char *name = json_str(key, "name"); /* of its file; a hash has none */

	run_out(r, _("  key %.16s (%s%s%s) is in %lld certificates; possession %s"), json_str(key, "spki"),
	    json_str(key, "kind"), name[0] != '\0' ? " " : "", name, (long long)json_num(key, "matched", 0),
	    json_bool(key, "proved") ? _("proved with each of them") : _("not proved"));
}

void selectors_found(struct run *r, const json_t *groups)
{
	const json_t *group, *key;
	size_t i, k;

	json_array_foreach(groups, i, group) {
		if (json_array_size(groups) > 1)
			run_out(r, _("  group %zu matches %lld, %lld of them not of an earlier one: %s"), i + 1,
			    (long long)json_num(group, "matched", 0), (long long)json_num(group, "selected", 0),
			    json_str(group, "reason"));
		json_array_foreach(json_list(group, "keys"), k, key)
			found_key(r, key);
	}
}
