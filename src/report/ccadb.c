/* Incident reports in the form of the CCADB, version 3.2. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "incident/owed.h"
#include "report/doc.h"
#include "report/fields.h"

#define INLINE_ROWS 100 /* a longer appendix is a file beside the report */

struct telling {
	const struct report *r;
	enum report_what kind;
	const struct doc *d;
	struct buf *b;
};

static bool telling_own(const char *name)
{
	char full[80];

	snprintf(full, sizeof full, "delay.%s", name);
	return field_known(full);
}

/* The delay report has some texts of its own. */
static char *telling_name(const struct telling *t, const char *name)
{
	return mem_printf("%s%s", t->kind == REPORT_DELAY && telling_own(name) ? "delay." : "", name);
}

static char *telling_text(const struct telling *t, const char *name)
{
	char *full = telling_name(t, name), *text = field_text(t->r, full);

	free(full);
	return text;
}

static void tell_missing(const struct telling *t, const char *name)
{
	char *full = telling_name(t, name);

	t->d->missing(t->b, full);
	free(full);
}

/* "Label: text". */
static void tell_fact(const struct telling *t, int depth, const char *label, const char *name, bool optional)
{
	char *text = telling_text(t, name), *full = telling_name(t, name);

	if (text[0] != '\0')
		t->d->fact(t->b, depth, label, text, NULL);
	else
		t->d->fact(t->b, depth, label, optional ? "N/A" : NULL, full);
	free(text);
	free(full);
}

static void tell_part(const struct telling *t, const char *title, const char *name, bool optional)
{
	char *text = telling_text(t, name);

	t->d->head(t->b, 3, title, NULL, NULL);
	if (text[0] != '\0' || optional)
		t->d->lines(t->b, text[0] != '\0' ? text : "N/A");
	else
		tell_missing(t, name);
	free(text);
}

static void tell_drill(const struct telling *t)
{
	if (t->r->in->drill)
		t->d->para(t->b, _("DRILL: an exercise in a sandbox. Nothing here happened to real systems."), true);
}

/* "Received ..., deadline ..., published ...: 35 h 05 min after receipt, 11 h 05 min late." */
static void tell_clocks(const struct telling *t)
{
	const struct incident *in = t->r->in;
	int64_t published = incident_published(in), until = published > 0 ? published : t->r->at;
	char a[32], b[32], c[32], took[32], by[32];
	struct buf words = { 0 };

	if (!in->triage.answered || in->triage.received <= 0 || in->triage.deadline <= 0)
		return;
	buf_addf(&words, published > 0 ? _("First received %s, to be revoked by %s, revocation published %s: ") :
	    _("First received %s, to be revoked by %s, revocation not yet published at %s: "),
	    report_minute(a, in->triage.received), report_minute(b, in->triage.deadline), report_minute(c, until));
	buf_addf(&words, until > in->triage.deadline ? _("%s after receipt, %s late.") : _("%s after receipt, %s early."),
	    report_hours(took, until - in->triage.received), report_hours(by, llabs(in->triage.deadline - until)));
	t->d->para(t->b, buf_str(&words), false);
	buf_free(&words);
}

static void tell_summary(const struct telling *t)
{
	t->d->head(t->b, 2, "Summary", NULL, NULL);
	t->d->list(t->b, 0);
	if (t->kind != REPORT_PRELIMINARY)
		tell_fact(t, 0, "CA Owner CCADB unique ID", "owner", false);
	tell_fact(t, 0, "Incident description", "description", false);
	if (t->kind != REPORT_PRELIMINARY) {
		t->d->fact(t->b, 0, "Timeline summary", NULL, NULL);
		t->d->list(t->b, 1);
		tell_fact(t, 1, "Non-compliance start date", "start", false);
		tell_fact(t, 1, "Non-compliance identified date", "identified", false);
		tell_fact(t, 1, "Non-compliance end date", "end", false);
		t->d->list_end(t->b, 1);
	}
	tell_fact(t, 0, "Relevant policies", "policies", false);
	tell_fact(t, 0, "Source of incident disclosure", "source", false);
	t->d->list_end(t->b, 0);
}

static void tell_impact(const struct telling *t)
{
	bool late = incident_late(t->r->in, t->r->at);

	t->d->head(t->b, 2, "Impact", NULL, NULL);
	t->d->list(t->b, 0);
	tell_fact(t, 0, "Total number of certificates", "total", false);
	tell_fact(t, 0, "Total number of \"remaining valid\" certificates", "remaining", false);
	tell_fact(t, 0, "Affected certificate types", "types", false);
	tell_fact(t, 0, "Incident heuristic", "heuristic", false);
	tell_fact(t, 0, "Was issuance stopped in response to this incident, and why or why not?", "issuance", false);
	if (t->kind == REPORT_DELAY)
		tell_fact(t, 0, "Analysis", "analysis", false);
	else
		t->d->fact(t->b, 0, "Analysis", late ? _("revocation was late: see the report on the revocation delay") : "N/A", NULL);
	tell_fact(t, 0, "Additional considerations", "considerations", true);
	t->d->list_end(t->b, 0);
}

static void tell_timeline(const struct telling *t)
{
	struct moment *m;
	char at[32];
	size_t n;

	t->d->head(t->b, 2, "Timeline", NULL, NULL);
	t->d->para(t->b, _("All times are UTC."), false);
	tell_clocks(t);
	m = report_moments(t->r, &n);
	t->d->list(t->b, 0);
	for (size_t i = 0; i < n; i++)
		t->d->moment(t->b, report_minute(at, m[i].at), m[i].text);
	t->d->list_end(t->b, 0);
	moments_free(m, n);
}

static const char *trimmed(char *cell)
{
	size_t len;

	if (cell == NULL)
		return "";
	cell += strspn(cell, " ");
	for (len = strlen(cell); len > 0 && cell[len - 1] == ' ';)
		cell[--len] = '\0';
	return cell;
}

static void tell_related(const struct telling *t)
{
	const char *text = incident_field(t->r->in, "related");

	t->d->head(t->b, 2, "Related Incidents", NULL, NULL);
	if (text[0] == '\0')
		tell_missing(t, "related");
	else if (strchr(text, '|') == NULL)
		t->d->lines(t->b, text);
	if (strchr(text, '|') == NULL)
		return;
	t->d->table(t->b, "Bug | Date | Description");
	for (const char *p = text, *nl; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		char *line, *at, *cell;

		nl = p + strcspn(p, "\n");
		at = line = mem_strndup(p, (size_t)(nl - p));
		t->d->row(t->b);
		for (int i = 0; i < 3; i++) {
			cell = i < 2 ? strsep(&at, "|") : at;
			t->d->cell(t->b, trimmed(cell));
		}
		t->d->row_end(t->b);
		free(line);
	}
	t->d->table_end(t->b);
}

static void tell_factors(const struct telling *t)
{
	static const struct {
		const char *label, *part;
		bool optional;
	} rows[] = { { "Description", "description", false }, { "Timeline", "timeline", false },
		{ "Detection", "detection", false }, { "Interaction with other factors", "interaction", true },
		{ "Root Cause Analysis methodology used", "method", false } };
	int n = fields_factors(t->r->in, t->kind == REPORT_DELAY);
	char name[48], words[48];

	t->d->head(t->b, 2, "Root Cause Analysis", NULL, NULL);
	for (int i = 1; i <= n; i++) {
		char *title, *full;

		snprintf(name, sizeof name, "factor.%d.title", i);
		snprintf(words, sizeof words, "Contributing Factor # %d: ", i);
		title = telling_text(t, name);
		full = telling_name(t, name);
		t->d->head(t->b, 3, words, title[0] != '\0' ? title : NULL, full);
		free(title);
		free(full);
		t->d->list(t->b, 0);
		for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
			snprintf(name, sizeof name, "factor.%d.%s", i, rows[k].part);
			tell_fact(t, 0, rows[k].label, name, rows[k].optional);
		}
		t->d->list_end(t->b, 0);
	}
}

static void tell_lessons(const struct telling *t)
{
	t->d->head(t->b, 2, "Lessons Learned", NULL, NULL);
	tell_part(t, "What went well", "lessons.well", false);
	tell_part(t, "What didn't go well", "lessons.bad", false);
	tell_part(t, "Where we got lucky", "lessons.lucky", false);
	tell_part(t, "Additional", "lessons.additional", true);
}

static void tell_causes(const struct telling *t, const struct followup *f, bool delay)
{
	struct owed_cause c;
	const char *at = f->cause;
	struct buf words = { 0 };

	while (owed_cause_next(&at, &c))
		if (c.delay == delay && c.n > 0)
			buf_addf(&words, "%s%s # %d", words.len > 0 ? ", " : "", c.bad ? "What didn't go well" : "Root Cause",
			    c.n);
	t->d->cell_words(t->b, buf_str(&words), false); /* our own words, whose # is no heading here */
	buf_free(&words);
}

static void tell_actions(const struct telling *t)
{
	const struct incident *in = t->r->in;
	bool delay = t->kind == REPORT_DELAY, any = false;
	char iso[32], day[16];

	t->d->head(t->b, 2, "Action Items", NULL, NULL);
	t->d->table(t->b, "Action Item | Kind | Corresponding Root Cause(s) | Evaluation Criteria | Due Date | Status");
	for (size_t i = 0; i < in->followups; i++) {
		const struct followup *f = &in->followup[i];

		if (!followup_reported(f, delay))
			continue;
		any = true;
		t->d->row(t->b);
		t->d->cell(t->b, f->title);
		t->d->cell(t->b, f->kind);
		tell_causes(t, f, delay);
		t->d->cell(t->b, f->criteria);
		snprintf(day, sizeof day, "%.10s", f->due >= 0 ? clock_iso(iso, sizeof iso, f->due) : "");
		t->d->cell(t->b, day);
		t->d->cell(t->b, owed_status_name(f->status));
		t->d->row_end(t->b);
	}
	if (!any) {
		t->d->row(t->b);
		t->d->cell_words(t->b, "[MISSING: sev1 action add]", true);
		for (int i = 0; i < 5; i++)
			t->d->cell_words(t->b, "", false);
		t->d->row_end(t->b);
	}
	t->d->table_end(t->b);
}

static void tell_appendix(const struct telling *t)
{
	const json_t *o = report_appendix(t->r);
	const char *path = json_str(o, "path");
	char count[32], *before, *after;
	struct buf lines = { 0 };

	t->d->head(t->b, 2, "Appendix", NULL, NULL);
	if (o == NULL) {
		if (t->r->in->scope_frozen)
			t->d->missing(t->b, "sev1 report --appendix");
		else
			t->d->para(t->b, "N/A", false);
		return;
	}
	before = mem_printf(ngettext("%s certificate is listed in the file ", "%s certificates are listed in the file ",
	    (unsigned long)json_num(o, "rows", 0)), text_count(count, json_num(o, "rows", 0)));
	after = mem_printf(_(", SHA-256 %s."), t->r->appendix_sha256 != NULL ? t->r->appendix_sha256 : json_str(o, "sha256"));
	t->d->file(t->b, before, strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path, after);
	if (t->r->appendix != NULL && json_num(o, "rows", 0) <= INLINE_ROWS) {
		buf_adds(&lines, t->r->appendix);
		t->d->block(t->b, &lines);
	}
	buf_free(&lines);
	free(before);
	free(after);
}

static void tell_full(const struct telling *t)
{
	tell_drill(t);
	tell_summary(t);
	tell_impact(t);
	tell_timeline(t);
	tell_related(t);
	tell_factors(t);
	tell_lessons(t);
	tell_actions(t);
	tell_appendix(t);
}

static void tell_preliminary(const struct telling *t)
{
	tell_drill(t);
	tell_summary(t);
}

static void tell_status(const struct telling *t)
{
	const struct incident *in = t->r->in;
	char at[32];

	tell_drill(t);
	tell_clocks(t);
	t->d->list(t->b, 0);
	tell_fact(t, 0, "Total number of certificates", "total", false);
	tell_fact(t, 0, "Total number of \"remaining valid\" certificates", "remaining", false);
	tell_fact(t, 0, "Status", "update", false);
	if (incident_published(in) == 0)
		t->d->fact(t->b, 0, "Next update", report_minute(at, t->r->at + OWED_STATUS_EVERY), NULL);
	t->d->list_end(t->b, 0);
}

static void tell_closure(const struct telling *t)
{
	int n = fields_factors(t->r->in, false);
	char name[48], label[48];

	tell_drill(t);
	t->d->list(t->b, 0);
	tell_fact(t, 0, "Incident description", "description", false);
	t->d->fact(t->b, 0, "Incident Root Cause(s)", NULL, NULL);
	t->d->list(t->b, 1);
	for (int i = 1; i <= n; i++) {
		snprintf(name, sizeof name, "factor.%d.title", i);
		snprintf(label, sizeof label, "Root Cause # %d", i);
		tell_fact(t, 1, label, name, false);
	}
	t->d->list_end(t->b, 1);
	tell_fact(t, 0, "Remediation description", "closure.remediation", false);
	tell_fact(t, 0, "Commitment summary", "closure.commitments", false);
	t->d->list_end(t->b, 0);
	t->d->para(t->b, "All Action Items disclosed in this report have been completed as described, and we request its closure.",
	    false);
}

static void tell(const struct telling *t)
{
	static const struct {
		enum report_what is;
		int level;
		const char *title;
		void (*body)(const struct telling *t);
	} kinds[] = {
		{ REPORT_PRELIMINARY, 1, "Preliminary Incident Report", tell_preliminary },
		{ REPORT_FULL, 1, "Full Incident Report", tell_full },
		{ REPORT_DELAY, 1, "Full Incident Report", tell_full }, /* the template has no other form for it */
		{ REPORT_STATUS, 1, "Revocation Delay: Status Update", tell_status },
		{ REPORT_CLOSURE, 2, "Report Closure Summary", tell_closure },
	};
	char *domain = mem_strdup(textdomain(NULL));

	/* The CCADB reads English, whatever the operator reads: nothing is looked up in a domain that has no catalogue. */
	textdomain("untranslated");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (kinds[i].is != t->kind)
			continue;
		t->d->begin(t->b, t->r, kinds[i].title);
		t->d->head(t->b, kinds[i].level, kinds[i].title, NULL, NULL);
		kinds[i].body(t);
		t->d->end(t->b, t->r);
	}
	textdomain(domain);
	free(domain);
}

void ccadb_write(const struct report *r, enum report_what kind, struct buf *b)
{
	const struct telling t = { .r = r, .kind = kind, .d = &doc_md, .b = b };

	tell(&t);
}

void ccadb_html_write(const struct report *r, enum report_what kind, struct buf *b)
{
	const struct telling t = { .r = r, .kind = kind, .d = &doc_html, .b = b };

	tell(&t);
}
