/* The after-action report, written to a file and journalled. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/engine.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "journal/journal.h"
#include "report/report.h"

struct gathered {
	struct event *event;
	size_t events;
};

static int report_gather(void *ctx, const struct event *ev, struct err *e)
{
	struct gathered *g = ctx;
	struct event *copy;

	(void)e;
	g->event = mem_grow(g->event, g->events + 1, sizeof *g->event);
	copy = &g->event[g->events++];
	*copy = *ev;
	copy->actor = mem_strdup(ev->actor);
	copy->body = json_incref(ev->body);
	return 0;
}

static void gathered_free(struct gathered *g)
{
	for (size_t i = 0; i < g->events; i++)
		event_clear(&g->event[i]);
	free(g->event);
}

/* A journal that does not verify is reported as such: the report says so and which row. */
static int report_make(struct run *r, const struct report_format *f, struct buf *b, struct err *e)
{
	struct journal *j = engine_journal(run_engine(r));
	struct report report = { .in = run_incident(r), .at = clock_now(), .version = PACKAGE_VERSION };
	struct gathered g = { 0 };
	struct err audit = { 0 };
	char head[DIGEST_HEX] = "";
	int rc;

	if (journal_audit(j, &report.rows, head, &audit) < 0)
		report.verdict = audit.text;
	report.head = head;
	rc = journal_each(j, 0, report_gather, &g, e);
	report.event = g.event;
	report.events = g.events;
	if (rc == 0 || rc == ERR_AUDIT) {
		f->write(&report, b);
		rc = report.verdict != NULL ? err_set(e, ERR_AUDIT, "%s", audit.text) : 0;
	}
	gathered_free(&g);
	return rc;
}

/* Where -o names nothing: REPORTS/INC-2026-0042-20260831030000.md beside the incident. */
static char *report_path(struct run *r, const struct report_format *f, struct err *e)
{
	const char *wanted = args_get(run_args(r), "output");
	char stamp[32], *folder, *name, *path;

	if (wanted != NULL) {
		char *cwd = realpath(".", NULL);

		path = fs_join(cwd != NULL ? cwd : ".", wanted);
		free(cwd);
		return path;
	}
	if ((folder = engine_folder(run_engine(r), "reports", e)) == NULL)
		return NULL;
	name = mem_printf("%s-%s.%s", run_incident(r)->id, clock_stamp(stamp, sizeof stamp, clock_now()),
	    f->suffix);
	path = fs_join(folder, name);
	free(folder);
	free(name);
	return path;
}

/* Write it and say so; an EV_REPORT names its digest. Returns 0 or an error (the run then goes on). */
static int report_put(struct run *r, const struct report_format *f, const struct buf *b, struct err *e)
{
	char *path = report_path(r, f, e), hex[DIGEST_HEX], size[16];
	json_t *body;
	int rc;

	if (path == NULL)
		return e->code;
	digest_of(buf_str(b), b->len, hex);
	if ((rc = fs_write(path, buf_str(b), b->len, 0600, e)) == 0) {
		body = json_object();
		json_put(body, "format", f->name);
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
		json_put(run_result(r), "sha256", hex);
	}
	free(path);
	return rc;
}

static void report_start(struct run *r)
{
	const char *name = args_get(run_args(r), "format");
	const struct report_format *f = report_format_find(name != NULL ? name : "markdown");
	struct buf b = { 0 };
	struct err e = { 0 }, put = { 0 };
	int rc;

	if (f == NULL) {
		err_set(&e, ERR_USAGE, _("there is no format '%s'"), name);
		err_remedy(&e, _("the formats are markdown and json"));
		run_fail(r, &e);
		return;
	}
	rc = report_make(r, f, &b, &e);
	if ((rc == 0 || rc == ERR_AUDIT) && report_put(r, f, &b, &put) < 0 && rc == 0) {
		rc = put.code;
		e = put;
	}
	buf_free(&b);
	if (rc < 0)
		run_fail(r, &e);
	else
		run_end(r, EXIT_DONE);
}

const struct command cmd_report = {
	.name = "report", .key = "R", .usage = "",
	.summary = N_("write the after-action report"),
	.effect = N_("Writes one file, beside the incident unless --output names another, and records its "
		     "SHA-256. Delete the file to undo."),
	.options = (const struct option[]){
		{ "format", N_("FORMAT"), N_("markdown (default) or json") },
		{ "output", N_("FILE"), N_("where to write it; replaces the file") },
		{ NULL, NULL, NULL } },
	.gates = GATE_INCIDENT, .start = report_start,
};
