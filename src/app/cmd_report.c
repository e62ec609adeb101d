/* Reports: the after-action report, those that the CCADB asks for, what they still lack. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/request.h"
#include "incident/owed.h"
#include "report/fields.h"
#include "work/report_make.h"

#define FIELDS_FILE_MAX ((size_t)16 << 20)
#define LINKS_FROM 10000 /* certificates: CCADB template 3.2 wants lines of crt.sh from here */
#define APPENDIX_DEADLINE_S 1800

/* NAME as seen from here, absolute; owned by the caller. */
static char *report_here(const char *name)
{
	char *cwd = realpath(".", NULL), *path = fs_join(cwd != NULL ? cwd : ".", name);

	free(cwd);
	return path;
}

/* Where -o names nothing: REPORTS/INC-2026-0042-full-20260831030000.md beside the incident. */
static char *report_path(struct run *r, const char *what, const char *suffix, struct err *e)
{
	const char *wanted = args_get(run_args(r), "output");
	char stamp[32], *folder, *name, *path;

	if (wanted != NULL)
		return report_here(wanted);
	if ((folder = engine_folder(run_engine(r), "reports", e)) == NULL)
		return NULL;
	name = mem_printf("%s%s%s-%s.%s", run_incident(r)->id, what[0] != '\0' ? "-" : "", what,
	    clock_stamp(stamp, sizeof stamp, clock_now()), suffix);
	path = fs_join(folder, name);
	free(folder);
	free(name);
	return path;
}

/* Write it and say so; an EV_REPORT names its digest. Returns 0 or an error (the run then goes on). */
static int report_put(struct run *r, const struct report_format *f, const struct report_kind *k, const struct buf *b,
    struct err *e)
{
	char *path = report_path(r, k->is == REPORT_AFTER ? "" : k->name, f->suffix, e), hex[DIGEST_HEX], size[16];
	json_t *body;
	int rc;

	if (path == NULL)
		return e->code;
	digest_of(buf_str(b), b->len, hex);
	if ((rc = fs_write(path, buf_str(b), b->len, 0600, e)) == 0) {
		body = json_object();
		json_put(body, "format", f->name);
		if (k->is != REPORT_AFTER)
			json_put(body, "kind", k->name);
		json_put(body, "path", path);
		json_put(body, "sha256", hex);
		rc = engine_append(run_engine(r), EV_REPORT, body, e);
	} else {
		err_remedy(e, _("name another file with --output"));
	}
	if (rc == 0) {
		run_out(r, _("Report written to %s (%s, sha256 %.16s)"), path,
		    text_size(size, (long long)b->len), hex);
		json_put(run_result(r), "path", path);
		json_put(run_result(r), "format", f->name);
		json_put(run_result(r), "kind", k->name);
		json_put(run_result(r), "sha256", hex);
	}
	free(path);
	return rc;
}

/* A journal that does not verify is reported as such: the report says so and which row. */
static void report_write(struct run *r, const struct report_format *f, const struct report_kind *k)
{
	struct err e = { 0 }, put = { 0 };
	struct report_source *s = report_source_new(run_engine(r), &e);
	struct buf b = { 0 };
	json_t *lint;

	if (s == NULL) {
		run_fail(r, &e);
		return;
	}
	if (k->is == REPORT_AFTER)
		f->write(report_source(s), &b);
	else
		f->ccadb(report_source(s), k->is, &b);
	lint = report_lint(report_source(s), k->is);
	if (report_source(s)->verdict != NULL)
		err_set(&e, ERR_AUDIT, "%s", report_source(s)->verdict);
	if (report_put(r, f, k, &b, &put) < 0 && e.code == 0)
		e = put;
	if (k->is != REPORT_AFTER && json_array_size(lint) > 0)
		run_out(r, ngettext("It lacks %zu thing: sev1 report --kind %s --lint", "It lacks %zu things: sev1 report --kind %s "
		    "--lint", json_array_size(lint)), json_array_size(lint), k->name);
	json_put_num(run_result(r), "lacking", (int64_t)json_array_size(lint));
	json_decref(lint);
	report_source_free(s);
	buf_free(&b);
	if (e.code < 0)
		run_fail(r, &e);
	else
		run_end(r, EXIT_DONE);
}

static void report_check(struct run *r, const struct report_kind *k)
{
	struct err e = { 0 };
	struct report_source *s = report_source_new(run_engine(r), &e);
	json_t *lint, *o;
	size_t i;

	if (s == NULL) {
		run_fail(r, &e);
		return;
	}
	lint = report_lint(report_source(s), k->is);
	json_array_foreach(lint, i, o) {
		run_out(r, "%s", json_str(o, "what"));
		run_out(r, "    %s", json_str(o, "where"));
	}
	report_source_free(s);
	json_put(run_result(r), "kind", k->name);
	json_object_set(run_result(r), "findings", lint);
	if (i > 0) {
		err_set(&e, ERR_FAILED, ngettext("the %s report lacks %zu thing", "the %s report lacks %zu things", i), k->name, i);
		err_remedy(&e, _("each line above is followed by what mends it"));
		run_fail(r, &e);
	} else {
		run_out(r, _("The %s report lacks nothing that can be told from here."), k->name);
		run_end(r, EXIT_DONE);
	}
	json_decref(lint);
}

/* ---- fields ---- */

/* NAME=TEXT; "\n" in TEXT begins a new line. */
static int field_set(struct run *r, const char *word, struct err *e)
{
	const char *eq = strchr(word, '=');
	char *name = mem_strndup(word, eq != NULL ? (size_t)(eq - word) : strlen(word));
	struct buf text = { 0 };
	int rc = 0;

	if (eq == NULL || !field_known(name)) {
		rc = err_set(e, ERR_USAGE, _("report: '%s' is not NAME=TEXT with the name of a field"), word);
		err_remedy(e, _("their names: sev1 report --list"));
	} else if (strlen(eq) > FIELD_TEXT) {
		rc = err_set(e, ERR_USAGE, _("report: the text of %s is longer than %d octets"), name, FIELD_TEXT);
	} else {
		for (const char *p = eq + 1; *p != '\0'; p++) {
			if (strncmp(p, "\\n", 2) == 0) {
				buf_addc(&text, '\n');
				p++;
			} else {
				buf_addc(&text, *p);
			}
		}
		if (strcmp(buf_str(&text), incident_field(run_incident(r), name)) != 0)
			rc = engine_append(run_engine(r), EV_FIELD, field_body(name, buf_str(&text)), e);
	}
	buf_free(&text);
	free(name);
	return rc;
}

static int fields_set(struct run *r, struct err *e)
{
	const char *word;
	int rc = 0;

	for (size_t i = 0; rc == 0 && (word = args_nth(run_args(r), "set", i)) != NULL; i++)
		rc = field_set(r, word, e);
	return rc;
}

static int fields_take(struct run *r, const struct report *report, const char *path, size_t *changed, struct err *e)
{
	struct buf text = { 0 };
	json_t *changes = NULL, *v;
	const char *name;
	int rc = fs_read(path, &text, FIELDS_FILE_MAX, e);

	if (rc == 0 && memchr(buf_str(&text), '\0', text.len) != NULL)
		rc = err_set(e, ERR_SYNTAX, _("%s holds a NUL octet: it is not text"), path);
	if (rc == 0)
		rc = fields_read(report, buf_str(&text), path, &changes, e);
	json_object_foreach(changes, name, v) {
		if (rc == 0 && (rc = engine_append(run_engine(r), EV_FIELD, field_body(name, json_string_value(v)), e)) == 0)
			++*changed;
	}
	json_decref(changes);
	buf_free(&text);
	return rc;
}

/* What the file says goes into the incident; then the file is written anew, with all that the incident holds. */
static int fields_file(struct run *r, const char *given, struct err *e)
{
	char *path = report_here(given);
	struct report_source *s = report_source_new(run_engine(r), e);
	struct buf b = { 0 };
	size_t changed = 0;
	int rc = s == NULL ? e->code : 0;

	if (rc == 0 && fs_exists(path))
		rc = fields_take(r, report_source(s), path, &changed, e);
	if (rc == 0) {
		fields_write(report_source(s), &b);
		rc = fs_write(path, buf_str(&b), b.len, 0600, e);
	}
	if (rc == 0)
		run_out(r, ngettext("%s: %zu field taken from it, and written anew", "%s: %zu fields taken from it, and written anew",
		    changed), path, changed);
	json_put_num(run_result(r), "changed", (int64_t)changed);
	report_source_free(s);
	buf_free(&b);
	free(path);
	return rc;
}

static void fields_show(struct run *r, const struct report_kind *k, struct err *e)
{
	struct report_source *s = report_source_new(run_engine(r), e);
	struct field_list l;
	json_t *all = json_array(), *o;

	if (s == NULL) {
		json_decref(all);
		run_fail(r, e);
		return;
	}
	fields_list(report_source(s), k->is == REPORT_AFTER ? FIELDS_ALL : (int)k->is, &l);
	for (size_t i = 0; i < l.fields; i++) {
		const struct field_view *v = &l.field[i];

		run_out(r, "%-26s %-8s %.*s%s", v->name, v->given ? _("given") : v->text[0] != '\0' ? _("journal") :
		    v->optional ? _("optional") : _("MISSING"), (int)strcspn(v->text[0] != '\0' ? v->text : _(v->ask), "\n"),
		    v->text[0] != '\0' ? v->text : _(v->ask), strchr(v->text, '\n') != NULL ? " ..." : "");
		o = json_object();
		json_put(o, "name", v->name);
		json_object_set_new(o, "text", json_string(v->text));
		json_put(o, "ask", v->ask);
		json_object_set_new(o, "given", json_boolean(v->given));
		json_object_set_new(o, "optional", json_boolean(v->optional));
		json_array_append_new(all, o);
	}
	json_object_set_new(run_result(r), "fields", all);
	fields_clear(&l);
	report_source_free(s);
	run_end(r, EXIT_DONE);
}

/* ---- appendix ---- */

static void appendix_done(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	char n[64];

	if (result == NULL) {
		run_fail(r, err);
		return;
	}
	if (run_append(r, EV_APPENDIX, json_deep_copy(result)) < 0)
		return;
	run_out(r, _("Appendix written to %s: %s (sha256 %.16s)"), json_str(result, "path"),
	    text_certificates(n, json_num(result, "rows", 0)), json_str(result, "sha256"));
	json_object_set_new(run_result(r), "appendix", json_deep_copy(result));
	run_end(r, EXIT_DONE);
}

static int appendix_ca(struct run *r, const char *folder, const char *ca, json_t *cas, struct err *e)
{
	json_t *o = ca_request(run_config(r), ca);
	char *name = mem_printf("%s.scope", ca), *path = fs_join(folder, name);
	struct buf b = { 0 };
	int rc;

	if (o == NULL)
		rc = err_set(e, ERR_NOTFOUND, _("the CA %s is in the scope, but not in %s"), ca, run_config(r)->path);
	else if ((rc = report_manifest(run_engine(r), ca, &b, e)) == 0)
		rc = fs_write(path, buf_str(&b), b.len, 0600, e);
	if (rc == 0) {
		json_put(o, "serials", path);
		json_array_append(cas, o);
	}
	json_decref(o);
	buf_free(&b);
	free(name);
	free(path);
	return rc;
}

static void appendix_start(struct run *r)
{
	const struct incident *in = run_incident(r);
	bool links = in->scope_count >= LINKS_FROM;
	struct err e = { 0 };
	json_t *cas = json_array(), *request;
	char *folder = NULL, *path = NULL;
	const char **ca = report_cas(in);
	int rc = run_gate(r, GATE_CONFIG | GATE_TRIAGE | GATE_SCOPE, &e);

	if (rc == 0 && (folder = engine_folder(run_engine(r), "reports", &e)) == NULL)
		rc = e.code;
	for (size_t i = 0; rc == 0 && ca[i] != NULL; i++)
		rc = appendix_ca(r, folder, ca[i], cas, &e);
	if (rc == 0 && (path = report_path(r, "appendix", links ? "txt" : "csv", &e)) == NULL)
		rc = e.code;
	if (rc < 0) {
		run_fail(r, &e);
	} else {
		request = json_pack("{s:s,s:s,s:b,s:b,s:O}", "op", "appendix", "path", path, "links", links, "late",
		    incident_late(in, clock_now()), "cas", cas);
		run_child(r, "ca", request, APPENDIX_DEADLINE_S, NULL, appendix_done, r);
	}
	json_decref(cas);
	free(ca);
	free(folder);
	free(path);
}

static void report_start(struct run *r)
{
	const struct args *a = run_args(r);
	const char *format = args_get(a, "format"), *kind = args_get(a, "kind"), *file = args_get(a, "fields");
	const struct report_format *f = report_format_find(format != NULL ? format : "markdown");
	const struct report_kind *k = report_kind_find(kind != NULL ? kind : args_has(a, "lint") ? "full" : "after-action");
	struct err e = { 0 };
	int rc = 0;

	if (f == NULL) {
		rc = err_set(&e, ERR_USAGE, _("there is no format '%s'"), format);
		err_remedy(&e, _("the formats are markdown, html and json"));
	} else if (k == NULL) {
		rc = err_set(&e, ERR_USAGE, _("there is no kind of report '%s'"), kind);
		err_remedy(&e, _("the kinds are after-action, preliminary, full, delay, status and closure"));
	} else if (k->is != REPORT_AFTER && f->ccadb == NULL) {
		rc = err_set(&e, ERR_USAGE, _("the %s report is written in markdown, as the CCADB asks, or html"), k->name);
		err_remedy(&e, _("its fields for a script: sev1 report --kind %s --list --json"), k->name);
	}
	if (rc == 0)
		rc = fields_set(r, &e);
	if (rc == 0 && file != NULL)
		rc = fields_file(r, file, &e);
	if (rc < 0)
		run_fail(r, &e);
	else if (args_has(a, "list"))
		fields_show(r, k, &e);
	else if (args_has(a, "appendix"))
		appendix_start(r);
	else if (args_has(a, "lint"))
		report_check(r, k);
	else if (kind == NULL && format == NULL && args_get(a, "output") == NULL && (file != NULL || args_has(a, "set")))
		run_end(r, EXIT_DONE);
	else
		report_write(r, f, k);
}

const struct command cmd_report = {
	.name = "report", .key = "R", .usage = "",
	.summary = N_("write a report, give its fields, check what it lacks"),
	.effect = N_("Writes one file, beside the incident unless --output names another, and records its "
		     "SHA-256. Delete the file to undo."),
	.options = (const struct option[]){
		{ "kind", N_("KIND"), N_("after-action (default; with --lint: full), preliminary, full, delay, status or closure") },
		{ "format", N_("FORMAT"), N_("markdown (default) or html; an after-action report in json too") },
		{ "output", N_("FILE"), N_("where to write it; replaces the file") },
		{ "lint", NULL, N_("write nothing: name all that is missing or contradictory, and fail where there is any") },
		{ "list", NULL, N_("show the fields of the kind, and which are missing") },
		{ "set", N_("NAME=TEXT"), N_("give a field, again for another; \\n begins a new line") },
		{ "fields", N_("FILE"), N_("take the fields from FILE where it is there, then write it anew") },
		{ "appendix", NULL, N_("write the list of the scope's certificates: CSV, or crt.sh lines from 10,000") },
		{ NULL, NULL, NULL } },
	.gates = GATE_INCIDENT, .start = report_start,
};
