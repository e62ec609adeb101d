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
#include "report/fields.h"
#include "report/md.h"

#define INLINE_ROWS 100 /* a longer appendix is a file beside the report */

struct telling {
	const struct report *r;
	enum report_what kind;
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

/* Lines of a field: a blank one parts paragraphs, "- " begins an item, all else is text. */
static void tell_lines(struct buf *b, const char *text)
{
	for (const char *p = text, *nl; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		char *line;

		nl = p + strcspn(p, "\n");
		line = mem_strndup(p, (size_t)(nl - p));
		p = line + strspn(line, " \t");
		if (strncmp(p, "- ", 2) == 0 || strncmp(p, "* ", 2) == 0) {
			buf_adds(b, "- ");
			p += 2;
		} else if (p[0] == '-' || p[0] == '+' || p[0] == '=' || (p[0] >= '0' && p[0] <= '9')) {
			buf_adds(b, "&#8203;"); /* no list, no heading of it */
		}
		md_text(b, p);
		buf_addc(b, '\n');
		free(line);
	}
}

static void tell_missing(const struct telling *t, const char *name)
{
	char *full = telling_name(t, name);

	buf_addf(t->b, "**[MISSING: %s]**", full);
	free(full);
}

/* "- **Label:** text". */
static void tell_fact(const struct telling *t, const char *label, const char *name, bool optional)
{
	char *text = telling_text(t, name);

	buf_addf(t->b, "- **%s:** ", label);
	if (text[0] == '\0' && optional)
		buf_adds(t->b, "N/A");
	else if (text[0] == '\0')
		tell_missing(t, name);
	else if (strchr(text, '\n') == NULL)
		md_text(t->b, text);
	else
		for (const char *p = text, *nl; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
			char *line;

			nl = p + strcspn(p, "\n");
			line = mem_strndup(p, (size_t)(nl - p));
			buf_adds(t->b, p > text ? "\n  " : "");
			md_text(t->b, line);
			free(line);
		}
	buf_addc(t->b, '\n');
	free(text);
}

static void tell_part(const struct telling *t, const char *title, const char *name, bool optional)
{
	char *text = telling_text(t, name);

	buf_addf(t->b, "%s\n\n", title);
	if (text[0] != '\0') {
		tell_lines(t->b, text);
	} else {
		if (optional)
			buf_adds(t->b, "N/A");
		else
			tell_missing(t, name);
		buf_addc(t->b, '\n');
	}
	buf_addc(t->b, '\n');
	free(text);
}

static void tell_drill(const struct telling *t)
{
	if (t->r->in->drill)
		buf_addf(t->b, "**%s**\n\n", _("DRILL: an exercise in a sandbox. Nothing here happened to real systems."));
}

/* "Received ..., deadline ..., published ...: 35 h 05 min after receipt, 11 h 05 min late." */
static void tell_clocks(const struct telling *t)
{
	const struct incident *in = t->r->in;
	int64_t published = incident_published(in), until = published > 0 ? published : t->r->at;
	char a[32], b[32], c[32], took[32], by[32];

	if (!in->triage.answered || in->triage.received <= 0 || in->triage.deadline <= 0)
		return;
	buf_addf(t->b, published > 0 ? _("First received %s, to be revoked by %s, revocation published %s: ") :
	    _("First received %s, to be revoked by %s, revocation not yet published at %s: "),
	    report_minute(a, in->triage.received), report_minute(b, in->triage.deadline), report_minute(c, until));
	buf_addf(t->b, until > in->triage.deadline ? _("%s after receipt, %s late.") : _("%s after receipt, %s early."),
	    report_hours(took, until - in->triage.received), report_hours(by, llabs(in->triage.deadline - until)));
	buf_adds(t->b, "\n\n");
}

static void tell_summary(const struct telling *t)
{
	buf_adds(t->b, "### Summary\n\n");
	if (t->kind != REPORT_PRELIMINARY)
		tell_fact(t, "CA Owner CCADB unique ID", "owner", false);
	tell_fact(t, "Incident description", "description", false);
	if (t->kind != REPORT_PRELIMINARY) {
		buf_adds(t->b, "- **Timeline summary:**\n  ");
		tell_fact(t, "Non-compliance start date", "start", false);
		buf_adds(t->b, "  ");
		tell_fact(t, "Non-compliance identified date", "identified", false);
		buf_adds(t->b, "  ");
		tell_fact(t, "Non-compliance end date", "end", false);
	}
	tell_fact(t, "Relevant policies", "policies", false);
	tell_fact(t, "Source of incident disclosure", "source", false);
	buf_addc(t->b, '\n');
}

static void tell_impact(const struct telling *t)
{
	bool late = incident_late(t->r->in, t->r->at);

	buf_adds(t->b, "### Impact\n\n");
	tell_fact(t, "Total number of certificates", "total", false);
	tell_fact(t, "Total number of \"remaining valid\" certificates", "remaining", false);
	tell_fact(t, "Affected certificate types", "types", false);
	tell_fact(t, "Incident heuristic", "heuristic", false);
	tell_fact(t, "Was issuance stopped in response to this incident, and why or why not?", "issuance", false);
	if (t->kind == REPORT_DELAY)
		tell_fact(t, "Analysis", "analysis", false);
	else
		buf_addf(t->b, "- **Analysis:** %s\n", late ? _("revocation was late: see the report on the revocation delay") :
		    "N/A");
	tell_fact(t, "Additional considerations", "considerations", true);
	buf_addc(t->b, '\n');
}

static void tell_timeline(const struct telling *t)
{
	struct moment *m;
	char at[32];
	size_t n;

	buf_addf(t->b, "### Timeline\n\n%s\n\n", _("All times are UTC."));
	tell_clocks(t);
	m = report_moments(t->r, &n);
	for (size_t i = 0; i < n; i++) {
		buf_addf(t->b, "- %s ", report_minute(at, m[i].at));
		md_text(t->b, m[i].text);
		buf_addc(t->b, '\n');
	}
	buf_addc(t->b, '\n');
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

	buf_adds(t->b, "### Related Incidents\n\n");
	if (strchr(text, '|') == NULL) {
		if (text[0] == '\0')
			tell_missing(t, "related");
		else
			tell_lines(t->b, text);
		buf_adds(t->b, "\n\n");
		return;
	}
	buf_adds(t->b, "| Bug | Date | Description |\n|---|---|---|\n");
	for (const char *p = text, *nl; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		char *line, *at, *cell;

		nl = p + strcspn(p, "\n");
		at = line = mem_strndup(p, (size_t)(nl - p));
		buf_addc(t->b, '|');
		for (int i = 0; i < 3; i++) {
			cell = i < 2 ? strsep(&at, "|") : at;
			md_cell(t->b, trimmed(cell));
		}
		buf_addc(t->b, '\n');
		free(line);
	}
	buf_addc(t->b, '\n');
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
	char name[48];

	buf_adds(t->b, "### Root Cause Analysis\n\n");
	for (int i = 1; i <= n; i++) {
		char *title;

		snprintf(name, sizeof name, "factor.%d.title", i);
		title = telling_text(t, name);
		buf_addf(t->b, "#### Contributing Factor # %d: ", i);
		if (title[0] != '\0')
			md_text(t->b, title);
		else
			tell_missing(t, name);
		buf_adds(t->b, "\n\n");
		free(title);
		for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
			snprintf(name, sizeof name, "factor.%d.%s", i, rows[k].part);
			tell_fact(t, rows[k].label, name, rows[k].optional);
		}
		buf_addc(t->b, '\n');
	}
}

static void tell_lessons(const struct telling *t)
{
	buf_adds(t->b, "### Lessons Learned\n\n");
	tell_part(t, "#### What went well", "lessons.well", false);
	tell_part(t, "#### What didn't go well", "lessons.bad", false);
	tell_part(t, "#### Where we got lucky", "lessons.lucky", false);
	tell_part(t, "#### Additional", "lessons.additional", true);
}

static void tell_causes(struct buf *b, const struct followup *f, bool delay)
{
	struct owed_cause c;
	const char *at = f->cause;
	struct buf words = { 0 };

	while (owed_cause_next(&at, &c))
		if (c.delay == delay && c.n > 0)
			buf_addf(&words, "%s%s # %d", words.len > 0 ? ", " : "", c.bad ? "What didn't go well" : "Root Cause",
			    c.n);
	buf_addf(b, " %s |", buf_str(&words)); /* our own words, whose # is no heading here */
	buf_free(&words);
}

static void tell_actions(const struct telling *t)
{
	const struct incident *in = t->r->in;
	bool delay = t->kind == REPORT_DELAY, any = false;
	char iso[32], day[16];

	buf_adds(t->b, "### Action Items\n\n| Action Item | Kind | Corresponding Root Cause(s) | Evaluation Criteria | "
	    "Due Date | Status |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < in->followups; i++) {
		const struct followup *f = &in->followup[i];

		if (!followup_reported(f, delay))
			continue;
		any = true;
		buf_addc(t->b, '|');
		md_cell(t->b, f->title);
		md_cell(t->b, f->kind);
		tell_causes(t->b, f, delay);
		md_cell(t->b, f->criteria);
		snprintf(day, sizeof day, "%.10s", f->due >= 0 ? clock_iso(iso, sizeof iso, f->due) : "");
		md_cell(t->b, day);
		md_cell(t->b, owed_status_name(f->status));
		buf_addc(t->b, '\n');
	}
	buf_adds(t->b, any ? "\n" : "| **[MISSING: sev1 action add]** | | | | | |\n\n");
}

static void tell_appendix(const struct telling *t)
{
	const json_t *o = report_appendix(t->r);
	char count[32];
	struct buf lines = { 0 };

	buf_adds(t->b, "### Appendix\n\n");
	if (o == NULL) {
		buf_adds(t->b, t->r->in->scope_frozen ? "**[MISSING: sev1 report --appendix]**\n" : "N/A\n");
		return;
	}
	buf_addf(t->b, _("%s certificates are listed in the file "), text_count(count, json_num(o, "rows", 0)));
	md_text(t->b, strrchr(json_str(o, "path"), '/') != NULL ? strrchr(json_str(o, "path"), '/') + 1 : json_str(o, "path"));
	buf_addf(t->b, _(", SHA-256 %s.\n"), t->r->appendix_sha256 != NULL ? t->r->appendix_sha256 : json_str(o, "sha256"));
	if (t->r->appendix != NULL && json_num(o, "rows", 0) <= INLINE_ROWS) {
		buf_addc(t->b, '\n');
		buf_adds(&lines, t->r->appendix);
		md_block(t->b, &lines);
	}
	buf_free(&lines);
}

static void tell_full(const struct telling *t)
{
	buf_adds(t->b, "## Full Incident Report\n\n");
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
	buf_adds(t->b, "## Preliminary Incident Report\n\n");
	tell_drill(t);
	tell_summary(t);
}

static void tell_status(const struct telling *t)
{
	const struct incident *in = t->r->in;
	char at[32];

	buf_adds(t->b, "## Revocation Delay: Status Update\n\n");
	tell_drill(t);
	tell_clocks(t);
	tell_fact(t, "Total number of certificates", "total", false);
	tell_fact(t, "Total number of \"remaining valid\" certificates", "remaining", false);
	tell_fact(t, "Status", "update", false);
	if (incident_published(in) == 0)
		buf_addf(t->b, "- **Next update:** %s\n", report_minute(at, t->r->at + OWED_STATUS_EVERY));
}

static void tell_closure(const struct telling *t)
{
	int n = fields_factors(t->r->in, false);
	char name[48], label[48];

	buf_adds(t->b, "### Report Closure Summary\n\n");
	tell_drill(t);
	tell_fact(t, "Incident description", "description", false);
	buf_adds(t->b, "- **Incident Root Cause(s):**\n");
	for (int i = 1; i <= n; i++) {
		snprintf(name, sizeof name, "factor.%d.title", i);
		snprintf(label, sizeof label, "Root Cause # %d", i);
		buf_adds(t->b, "  ");
		tell_fact(t, label, name, false);
	}
	tell_fact(t, "Remediation description", "closure.remediation", false);
	tell_fact(t, "Commitment summary", "closure.commitments", false);
	buf_adds(t->b, "\nAll Action Items disclosed in this report have been completed as described, and we request its "
	    "closure.\n");
}

void ccadb_write(const struct report *r, enum report_what kind, struct buf *b)
{
	const struct telling t = { .r = r, .kind = kind, .b = b };

	switch (kind) {
	case REPORT_PRELIMINARY: tell_preliminary(&t); break;
	case REPORT_STATUS: tell_status(&t); break;
	case REPORT_CLOSURE: tell_closure(&t); break;
	default: tell_full(&t);
	}
}
