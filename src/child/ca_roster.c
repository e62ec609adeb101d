/* roster: whose certificates are in a frozen scope, by patterns of names. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/ca_child.h"
#include "pki/issued.h"
#include "pki/scope.h"

struct roster {
	const json_t *patterns;  /* [{name, match: [glob]}] */
	json_t *rows;            /* [{name, certificates, reasons}] in their order */
	int64_t total, unmatched, unread;
	struct issued cert;
};

/* Does a pattern hold of one of the names? Those with '=' are of the subject, which stands first. */
static bool roster_match(const json_t *globs, char *const *name, size_t names)
{
	const json_t *g;
	size_t i;

	json_array_foreach(globs, i, g) {
		const char *glob = json_is_string(g) ? json_string_value(g) : "";
		bool subject = strchr(glob, '=') != NULL;
		for (size_t k = subject ? 0 : 1; k < (subject ? 1 : names); k++)
			if (fnmatch(glob, name[k], FNM_CASEFOLD) == 0)
				return true;
	}
	return false;
}

static void roster_count(json_t *row, const char *reason)
{
	json_t *reasons = json_object_get(row, "reasons");

	json_put_num(row, "certificates", json_num(row, "certificates", 0) + 1);
	json_put_num(reasons, reason, json_num(reasons, reason, 0) + 1);
}

/* The names of a certificate: its subject, the subject's CN, each subjectAltName. */
static char **roster_names(struct roster *r, const struct index *x, const struct row *row, const struct issued_by *by,
    const char *serial, size_t *names)
{
	size_t len;
	const char *p = row_name(x, row, &len), *cn;
	char **name = mem_grow(NULL, 2, sizeof *name), *san;
	struct der at;

	name[0] = mem_strndup(p, len);
	*names = 1;
	if ((cn = strstr(name[0], "/CN=")) != NULL)
		name[(*names)++] = mem_strndup(cn + 4, strcspn(cn + 4, "/"));
	if (issued_read(&r->cert, by, serial, NULL) < 0) {
		r->unread++;
		return name;
	}
	at = r->cert.names;
	while ((san = issued_name_next(&at)) != NULL) {
		name = mem_grow(name, *names + 1, sizeof *name);
		name[(*names)++] = san;
	}
	return name;
}

static void roster_one(struct roster *r, char *const *name, size_t names, const char *reason)
{
	const json_t *pattern;
	bool any = false;
	size_t i;

	json_array_foreach(r->patterns, i, pattern) {
		if (!roster_match(json_list(pattern, "match"), name, names))
			continue;
		roster_count(json_array_get(r->rows, i), reason);
		any = true;
	}
	r->total++;
	r->unmatched += !any;
}

static int roster_rows(struct roster *r, const struct manifest *m, const struct index *x, const struct sorted *rows,
    size_t n, const struct issued_by *by, struct err *e)
{
	for (size_t i = 0; i < m->rows; i++) {
		char *serial = mem_strndup(m->row[i].serial, m->row[i].len), **name;
		const struct row *row = index_find(x, rows, n, serial);
		size_t names = 0;

		if (i % 512 == 0)
			watch_progress(&ca_watch, (int64_t)i, (int64_t)m->rows, by->ca->name);
		if (row == NULL) {
			err_set(e, ERR_REFUSED, _("%s: serial %s of the scope is not there any more"), x->path, serial);
			free(serial);
			return e->code;
		}
		name = roster_names(r, x, row, by, serial, &names);
		roster_one(r, name, names, reason_name((enum reason)m->row[i].reason));
		while (names > 0)
			free(name[--names]);
		free(name);
		free(serial);
	}
	return 0;
}

static int roster_ca(struct roster *r, const json_t *want, struct err *e)
{
	struct ca *ca = request_ca(want, e);
	X509 *cert = ca != NULL ? ca_certificate(ca, e) : NULL;
	struct index *x = cert != NULL ? index_load(ca->database, e) : NULL;
	struct issued_by by = { 0 };
	struct manifest m = { 0 };
	struct sorted *rows = NULL;
	size_t n;
	int rc = e->code;

	if (x != NULL && (rows = index_sorted(x, &n, e)) != NULL &&
	    manifest_read(&m, json_str(want, "path"), json_str(want, "manifest"), ca, cert, e) == 0 &&
	    issued_by_init(&by, ca, cert, e) == 0)
		rc = roster_rows(r, &m, x, rows, n, &by, e);
	else
		rc = e->code;
	issued_by_clear(&by);
	manifest_clear(&m);
	free(rows);
	index_free(x);
	X509_free(cert);
	ca_free(ca);
	return rc;
}

int ca_roster(const json_t *request, json_t **result, struct err *e)
{
	struct roster r = { .patterns = json_list(request, "patterns"), .rows = json_array() };
	const json_t *v;
	size_t i;
	int rc = 0;

	json_array_foreach(r.patterns, i, v)
		json_array_append_new(r.rows, json_pack("{s:s,s:i,s:{}}", "name", json_str(v, "name"), "certificates", 0, "reasons"));
	json_array_foreach(json_list(request, "cas"), i, v)
		if ((rc = roster_ca(&r, v, e)) < 0)
			break;
	if (rc == 0)
		*result = json_pack("{s:O,s:I,s:I,s:I}", "rows", r.rows, "certificates", (json_int_t)r.total, "unmatched",
		    (json_int_t)r.unmatched, "unread", (json_int_t)r.unread);
	issued_clear(&r.cert);
	json_decref(r.rows);
	return rc;
}
