#include "work/intake_store.h"

#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "comms/grounds.h"

#define REPORT_MAX (8u << 20)
#define LOCK_MS 20000
#define FOLDER_MODE 0700

static char *store_folder(const char *state)
{
	return fs_join(state, "intake");
}

int intake_lock(const char *state, struct err *e)
{
	char *folder = store_folder(state), *path = fs_join(folder, "reports");
	int rc = fs_mkdirs(folder, FOLDER_MODE, e);

	if (rc == 0)
		rc = fs_lock(path, LOCK_MS, e);
	free(folder);
	free(path);
	return rc;
}

static json_t *store_read(const char *path, struct err *e)
{
	struct buf text = { 0 };
	json_t *o = fs_read(path, &text, REPORT_MAX, e) == 0 ? json_read(buf_str(&text), text.len, e) : NULL;

	buf_free(&text);
	if (o != NULL && json_str(o, "id")[0] == '\0') {
		err_set(e, ERR_SYNTAX, _("%s: not a report"), path);
		json_decref(o);
		return NULL;
	}
	if (o == NULL)
		err_remedy(e, _("restore it from a backup, or move it away"));
	return o;
}

static bool is_report(const char *name)
{
	size_t n = strlen(name);

	return n > 7 && strncmp(name, "R-", 2) == 0 && strcmp(name + n - 5, ".json") == 0;
}

static int newest_first(const void *a, const void *b)
{
	return strcmp(json_str(*(json_t *const *)b, "id"), json_str(*(json_t *const *)a, "id"));
}

static json_t *store_sorted(json_t **list, size_t n)
{
	json_t *all = json_array();

	if (n > 1)
		qsort(list, n, sizeof *list, newest_first);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, list[i]);
	free(list);
	return all;
}

json_t *intake_load(const char *state, struct err *e)
{
	char *folder = store_folder(state), *path;
	DIR *d = opendir(folder);
	struct dirent *it;
	json_t **list = NULL, *o;
	struct err why;
	size_t n = 0;

	(void)e;
	while (d != NULL && (it = readdir(d)) != NULL) {
		if (!is_report(it->d_name))
			continue;
		path = fs_join(folder, it->d_name);
		why = (struct err){ 0 };
		if ((o = store_read(path, &why)) == NULL) {
			o = json_object();
			json_put(o, "id", it->d_name);
			json_put(o, "error", why.text);
		}
		list = mem_grow(list, n + 1, sizeof(json_t *));
		list[n++] = o;
		free(path);
	}
	if (d != NULL)
		closedir(d);
	free(folder);
	return store_sorted(list, n);
}

static char *store_id(const char *id)
{
	char year[24], *s;

	clock_iso(year, sizeof year, clock_now());
	if (strspn(id, "0123456789") == strlen(id) && id[0] != '\0')
		return mem_printf("R-%.4s-%04ld", year, strtol(id, NULL, 10));
	s = mem_strdup(id);
	for (char *p = s; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	return s;
}

json_t *intake_get(const char *state, const char *id, struct err *e)
{
	char *name = store_id(id), *folder = store_folder(state), *file = mem_printf("%s.json", name), *path;
	json_t *o = NULL;

	path = fs_join(folder, file);
	if (strspn(name, "RABCDEFGHIJKLMNOPQSTUVWXYZ0123456789-") != strlen(name) || !fs_exists(path)) {
		err_set(e, ERR_NOTFOUND, _("there is no report '%.40s'"), id);
		err_remedy(e, _("see: sev1 intake list"));
	} else {
		o = store_read(path, e);
	}
	free(name);
	free(folder);
	free(file);
	free(path);
	return o;
}

/* The id after the last one of the year: R-2026-0001. */
static void store_number(const char *folder, json_t *report)
{
	DIR *d = opendir(folder);
	struct dirent *it;
	char year[24], *id;
	long last = 0, n;

	clock_iso(year, sizeof year, clock_now());
	while (d != NULL && (it = readdir(d)) != NULL)
		if (is_report(it->d_name) && strncmp(it->d_name + 2, year, 4) == 0 &&
		    (n = strtol(it->d_name + 7, NULL, 10)) > last)
			last = n;
	if (d != NULL)
		closedir(d);
	id = mem_printf("R-%.4s-%04ld", year, last + 1);
	json_put(report, "id", id);
	free(id);
}

int intake_save(const char *state, json_t *report, struct err *e)
{
	char *folder = store_folder(state), *file, *path, *text;
	int rc;

	if (json_str(report, "id")[0] == '\0')
		store_number(folder, report);
	file = mem_printf("%s.json", json_str(report, "id"));
	path = fs_join(folder, file);
	text = json_dumps(report, JSON_INDENT(1) | JSON_SORT_KEYS);
	rc = text != NULL ? fs_write(path, text, strlen(text), 0600, e) :
	    err_set(e, ERR_FAILED, _("%s: cannot be written as JSON"), path);
	free(text);
	free(path);
	free(file);
	free(folder);
	return rc;
}

void intake_log(json_t *report, const char *fmt, ...)
{
	json_t *list = json_object_get(report, "log"), *o = json_object();
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = mem_strdup("");
	va_end(ap);
	if (list == NULL) {
		list = json_array();
		json_object_set_new(report, "log", list);
	}
	json_put_num(o, "at", clock_now());
	json_put(o, "text", text);
	json_array_append_new(list, o);
	free(text);
}

/* ---- duplicates ---- */

static bool has_message(const json_t *report, const char *key, const char *value)
{
	const json_t *m;
	size_t i;

	json_array_foreach(json_list(report, "messages"), i, m)
		if (value[0] != '\0' && strcmp(json_str(m, key), value) == 0)
			return true;
	return false;
}

/* Does it answer one of the report's messages? */
static bool is_answer(const json_t *report, const char *references)
{
	const json_t *m;
	size_t i;

	json_array_foreach(json_list(report, "messages"), i, m)
		if (json_str(m, "id")[0] == '<' && strstr(references, json_str(m, "id")) != NULL)
			return true;
	return false;
}

/* What a report is about, word for word: {"key SPKI": true, ...}. Names of hosts are too common to join by. */
static json_t *evidence(const json_t *report)
{
	static const char *const kinds[] = { "serial", "fingerprint", "key-hash", "crt.sh", NULL };
	json_t *set = json_object();
	const json_t *v, *by;
	char *key;
	size_t i, k;

	json_array_foreach(json_list(report, "certificates"), i, v)
		json_object_set_new(set, json_str(v, "sha256"), json_true());
	json_array_foreach(json_list(report, "keys"), i, v)
		json_object_set_new(set, json_str(v, "spki"), json_true());
	json_array_foreach(json_list(report, "found"), i, v)
		for (k = 0; kinds[k] != NULL; k++)
			if (strcmp(json_str(v, "kind"), kinds[k]) == 0)
				json_object_set_new(set, json_str(v, "text"), json_true());
	json_array_foreach(json_list(report, "matches"), i, v) {
		by = json_array_get(json_object_get(v, "by"), 0);
		if (json_array_size(json_object_get(v, "by")) == 1 && strcmp(json_string_value(by), "host") == 0)
			continue;
		key = mem_printf("%s %s", json_str(v, "ca"), json_str(v, "serial"));
		json_object_set_new(set, key, json_true());
		free(key);
	}
	return set;
}

static bool same_evidence(const json_t *a, const json_t *b)
{
	json_t *x = evidence(a), *y = evidence(b);
	const char *key;
	json_t *v;
	bool same = false;

	json_object_foreach(x, key, v)
		same = same || json_object_get(y, key) != NULL;
	json_decref(x);
	json_decref(y);
	return same;
}

json_t *intake_join(json_t *reports, const json_t *fresh, const char *references, int *same)
{
	const json_t *message = json_array_get(json_object_get(fresh, "messages"), 0);
	json_t *r, *found = NULL;
	size_t i;

	*same = 0;
	json_array_foreach(reports, i, r) {
		if (has_message(r, "sha256", json_str(message, "sha256"))) {
			*same = 1;
			return r;
		}
		if (found == NULL && (has_message(r, "id", json_str(message, "id")) || is_answer(r, references) ||
		    (strcmp(json_str(r, "state"), "closed") != 0 && same_evidence(r, fresh))))
			found = r;
	}
	return found;
}

static int level_rank(const json_t *report)
{
	const char *l = json_str(report, "level");

	return strcmp(l, "high") == 0 ? 2 : strcmp(l, "doubtful") == 0 ? 1 : 0;
}

static bool same_member(const json_t *a, const json_t *b, const char *name)
{
	return strcmp(json_str(a, name), json_str(b, name)) == 0;
}

/* One thing found twice, though other words led to it? */
static bool same_thing(const json_t *a, const json_t *b)
{
	if (json_object_get(a, "by") != NULL)
		return same_member(a, b, "ca") && same_member(a, b, "serial");
	if (json_str(a, "sha256")[0] != '\0')
		return same_member(a, b, "sha256");
	if (json_str(a, "spki")[0] != '\0')
		return same_member(a, b, "kind") && same_member(a, b, "spki");
	return json_equal(a, b);
}

/* Append what is not there yet. Returns how many. */
static size_t merge_list(json_t *report, const json_t *fresh, const char *name)
{
	json_t *to = json_object_get(report, name), *v, *w;
	size_t i, k, n = 0;

	json_array_foreach(json_list(fresh, name), i, v) {
		bool there = false;

		json_array_foreach(to, k, w)
			there = there || same_thing(v, w);
		if (!there) {
			json_array_append(to, v);
			n++;
		}
	}
	return n;
}

/* A key is the ground that leaves the least time. */
static bool about_key(const json_t *report)
{
	const char *reason = grounds_kept(report).reason;

	return strcmp(reason, "keyCompromise") == 0 || strcmp(reason, "cACompromise") == 0;
}

int intake_merge(json_t *report, const json_t *fresh)
{
	bool key = about_key(report);
	size_t fresh_things = merge_list(report, fresh, "keys") + merge_list(report, fresh, "certificates") +
	    merge_list(report, fresh, "matches");
	bool higher = level_rank(fresh) > level_rank(report);

	merge_list(report, fresh, "messages");
	merge_list(report, fresh, "found");
	merge_list(report, fresh, "unreadable");
	merge_list(report, fresh, "faults");
	if (higher) {
		json_object_set(report, "level", json_object_get(fresh, "level"));
		json_object_set(report, "score", json_object_get(fresh, "score"));
		json_object_set(report, "why", json_object_get(fresh, "why"));
	}
	if (json_num(fresh, "received", INT64_MAX) < json_num(report, "received", INT64_MAX)) {
		json_object_set(report, "received", json_object_get(fresh, "received"));
		json_object_set(report, "hops", json_object_get(fresh, "hops"));
	}
	if (strcmp(json_str(report, "state"), "closed") == 0 && (higher || (fresh_things > 0 && level_rank(fresh) == 2)))
		json_put(report, "state", "open");
	grounds_keep(report);
	intake_log(report, _("a further message from %s joined"), json_str(fresh, "from"));
	return level_rank(report) == 2 && (higher || (!key && about_key(report)) || (fresh_things > 0 && level_rank(fresh) == 2));
}

/* ---- for an incident ---- */

const char *intake_ca(const json_t *report)
{
	const json_t *matches = json_list(report, "matches"), *v, *w;
	const char *best = "";
	size_t i, k, n, most = 0;

	json_array_foreach(matches, i, v) {
		n = 0;
		json_array_foreach(matches, k, w)
			n += strcmp(json_str(v, "ca"), json_str(w, "ca")) == 0;
		if (n > most) {
			most = n;
			best = json_str(v, "ca");
		}
	}
	return best;
}

/* A match that names a certificate: not merely one of its hosts, and one that can still be revoked. */
static bool match_selects(const json_t *match, const char *ca)
{
	const json_t *by = json_object_get(match, "by");

	return strcmp(json_str(match, "ca"), ca) == 0 && strcmp(json_str(match, "status"), "valid") == 0 &&
	    (json_array_size(by) > 1 || strcmp(json_string_value(json_array_get(by, 0)), "host") != 0);
}

json_t *intake_selectors(const json_t *report, const char *ca)
{
	json_t *serials = json_array(), *hashes = json_array(), *groups = json_array();
	const json_t *v;
	size_t i;

	json_array_foreach(json_list(report, "keys"), i, v)
		if (json_num(v, "certificates", 0) > 0)
			json_array_append(hashes, json_object_get(v, "spki"));
	json_array_foreach(json_list(report, "matches"), i, v)
		if (match_selects(v, ca))
			json_array_append(serials, json_object_get(v, "serial"));
	if (json_array_size(serials) > 0)
		json_array_append_new(groups, json_pack("{s:O}", "serial", serials));
	else if (json_array_size(hashes) > 0)
		json_array_append_new(groups, json_pack("{s:O}", "key-hash", hashes));
	json_decref(serials);
	json_decref(hashes);
	return groups;
}

json_t *intake_others(const json_t *report, const char *ca)
{
	json_t *all = json_object();
	const json_t *v;
	size_t i;

	json_array_foreach(json_list(report, "matches"), i, v) {
		const char *its = json_str(v, "ca");

		if (strcmp(its, ca) != 0 && match_selects(v, its))
			json_put_num(all, its, json_num(all, its, 0) + 1);
	}
	return all;
}
