/* What a report still lacks, and where it contradicts itself, the journal or its appendix. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "incident/owed.h"
#include "report/fields.h"

struct linting {
	const struct report *r;
	enum report_what kind;
	json_t *found;
};

/* where: what to type to mend it. Takes it. */
static void found(struct linting *l, char *where, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void found(struct linting *l, char *where, const char *fmt, ...)
{
	json_t *o = json_object();
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	json_put(o, "what", text);
	json_put(o, "where", where);
	json_array_append_new(l->found, o);
	free(where);
}

static char *fix_field(const char *name)
{
	return mem_printf("sev1 report --set %.*s=...", (int)strcspn(name, ","), name); /* of "timeline, line 2" the field */
}

static bool lint_na(const char *text)
{
	return strcmp(text, "N/A") == 0;
}

/* ---- fields ---- */

/* A time that begins a text: there, with a zone, in UTC, not in the future. */
static bool lint_time(struct linting *l, const char *name, const char *text, bool ahead, int64_t *ms)
{
	const char *rest;
	char at[32];
	bool utc;

	if (field_time(text, ms, &utc, &rest) < 0) {
		found(l, fix_field(name), _("%s: \"%.40s\" does not begin with a time in UTC (2026-08-31 02:26Z)"), name, text);
		return false;
	}
	if (!utc)
		found(l, fix_field(name), _("%s: \"%.40s\" is not in UTC; it is %s"), name, text, report_minute(at, *ms));
	if (*ms > l->r->at && !ahead)
		found(l, fix_field(name), _("%s: %s has not come yet"), name, report_minute(at, *ms));
	return true;
}

static void lint_fields(struct linting *l)
{
	struct field_list all;
	int64_t ms;

	fields_list(l->r, (int)l->kind, &all);
	for (size_t i = 0; i < all.fields; i++) {
		const struct field_view *v = &all.field[i];

		if (v->text[0] == '\0' && !v->optional)
			found(l, fix_field(v->name), strncmp(v->name, "event.", 6) == 0 ?
			    _("%s: an expected event of the timeline is missing (%s)") : _("%s is missing (%s)"), v->name, _(v->ask));
		else if (v->time && v->text[0] != '\0' && !lint_na(v->text))
			lint_time(l, v->name, v->text, strcmp(v->name, "event.expected") == 0, &ms);
	}
	fields_clear(&all);
}

static void lint_words(struct linting *l, const char *name, const char *const words[], bool several)
{
	char *text = field_text(l->r, name), *at = text, *word;
	bool bad = false;

	while (text[0] != '\0' && !lint_na(text) && (word = several ? strsep(&at, ", ;\n") : at) != NULL) {
		bool known = word[0] == '\0';

		for (size_t i = 0; words[i] != NULL && !known; i++)
			known = strcmp(words[i], word) == 0;
		bad = bad || !known;
		if (!several)
			break;
	}
	if (bad)
		found(l, fix_field(name), several ? _("%s: of DV, IV, OV, EV only, or N/A") :
		    _("%s: one of Self Reported, Third Party Reported, Audit"), name);
	free(text);
}

static void lint_count(struct linting *l, const char *name, int64_t is)
{
	const char *given = incident_field(l->r->in, name);
	char *end;
	long long n = strtoll(given, &end, 10);

	if (given[0] == '\0' || lint_na(given) || !l->r->in->scope_frozen)
		return;
	if (end == given || (*end != '\0' && *end != ' '))
		found(l, fix_field(name), _("%s: \"%.40s\" is not a number"), name, given);
	else if (n != is)
		found(l, mem_printf("sev1 report --set %s=", name), _("%s says %lld, the journal %lld"), name, n, (long long)is);
}

/* ---- times ---- */

static bool time_of(const struct linting *l, const char *name, int64_t *ms)
{
	char *text = field_text(l->r, name);
	const char *rest;
	bool utc, is = field_time(text, ms, &utc, &rest) == 0;

	free(text);
	return is;
}

static void lint_order(struct linting *l, const char *first, const char *then)
{
	char x[32], y[32];
	int64_t a, b;

	if (time_of(l, first, &a) && time_of(l, then, &b) && b / 60000 < a / 60000)
		found(l, fix_field(then), _("%s (%s) is before %s (%s)"), then, report_minute(x, b), first,
		    report_minute(y, a));
}

static void lint_lines(struct linting *l)
{
	const char *p = incident_field(l->r->in, "timeline"), *nl;
	int64_t before = INT64_MIN, ms;
	char at[32];

	for (int n = 1; *p != '\0' && !lint_na(p); p = *nl == '\n' ? nl + 1 : nl, n++) {
		char name[32], *line;

		nl = p + strcspn(p, "\n");
		line = mem_strndup(p, (size_t)(nl - p));
		snprintf(name, sizeof name, "timeline, line %d", n);
		if (line[strspn(line, " \t")] != '\0' && lint_time(l, name, line, false, &ms)) {
			if (ms < before)
				found(l, fix_field("timeline"), _("%s: %s is out of order, the line before is later"), name,
				    report_minute(at, ms));
			before = ms;
		}
		free(line);
	}
}

static void lint_journal(struct linting *l)
{
	const struct report *r = l->r;
	char a[32], b[32];

	if (r->verdict != NULL)
		found(l, mem_strdup("sev1 audit"), _("the journal does not verify: %s"), r->verdict);
	for (size_t i = 1; i < r->events; i++)
		if (r->event[i].at / 60000 < r->event[i - 1].at / 60000)
			found(l, mem_printf("sev1 report --set timeline=..."),
			    _("journal row %lld (%s) is earlier than the row before it (%s): the clock was set back"),
			    (long long)r->event[i].seq, report_minute(a, r->event[i].at), report_minute(b, r->event[i - 1].at));
}

static void lint_ended(struct linting *l)
{
	static const char *const ends[] = { "event.ended", "event.completed", "end" };
	int64_t published = incident_published(l->r->in), ms;
	char a[32], b[32];

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		if (incident_field(l->r->in, ends[i])[0] == '\0' || !time_of(l, ends[i], &ms))
			continue;
		if (published == 0 && l->r->in->triage.answered)
			found(l, fix_field(ends[i]), _("%s is given, but no revocation was published"), ends[i]);
		else if (published > 0 && ms / 60000 < published / 60000)
			found(l, fix_field(ends[i]), _("%s (%s) is before the revocation was published (%s)"), ends[i],
			    report_minute(a, ms), report_minute(b, published));
	}
}

static void lint_times(struct linting *l)
{
	bool delay = l->kind == REPORT_DELAY;

	lint_order(l, delay ? "delay.start" : "start", delay ? "delay.end" : "end");
	if (!delay)
		lint_order(l, "start", "identified");
	lint_order(l, "event.began", "event.received");
	lint_order(l, "event.began", "event.ended");
	lint_order(l, "event.received", "event.aware");
	lint_order(l, "event.ceased", "event.resumed");
	lint_order(l, "event.aware", "event.ended");
	lint_lines(l);
	lint_ended(l);
	lint_journal(l);
}

/* ---- action items ---- */

static bool cause_named(const struct incident *in, bool delay, bool bad, int n)
{
	struct owed_cause c;

	for (size_t i = 0; i < in->followups; i++) {
		const char *at = in->followup[i].cause;

		while (in->followup[i].kind[0] != '\0' && in->followup[i].status != OWED_CANCELED && owed_cause_next(&at, &c))
			if (c.delay == delay && c.bad == bad && c.n == n)
				return true;
	}
	return false;
}

static int lint_causes(struct linting *l, bool delay)
{
	const char *d = delay ? "d" : "";
	char name[48];
	struct buf item = { 0 };
	char *bad;
	int n;

	for (n = 1; n <= fields_factors(l->r->in, delay); n++) {
		snprintf(name, sizeof name, "%sfactor.%d.title", delay ? "delay." : "", n);
		if (incident_field(l->r->in, name)[0] != '\0' && !cause_named(l->r->in, delay, false, n))
			found(l, mem_printf("sev1 action add \"...\" --kind Prevent --cause %s%d", d, n),
			    _("contributing factor %d has no action item: %s"), n, incident_field(l->r->in, name));
	}
	bad = field_text(l->r, delay ? "delay.lessons.bad" : "lessons.bad");
	for (n = 0; !lint_na(bad) && field_item(bad, n, &item); n++)
		if (!cause_named(l->r->in, delay, true, n + 1))
			found(l, mem_printf("sev1 action add \"...\" --kind Prevent --cause %sw%d", d, n + 1),
			    _("what didn't go well, %d, has no action item: %s"), n + 1, buf_str(&item));
	free(bad);
	buf_free(&item);
	return n;
}

static void lint_item_causes(struct linting *l, const struct followup *f, bool delay, int bads)
{
	const char *at = f->cause;
	char name[48];
	struct owed_cause c;

	if (f->cause[strspn(f->cause, " ")] == '\0')
		found(l, mem_printf("sev1 action set %d --cause N", f->n), _("action item %d names no root cause: %s"), f->n,
		    f->title);
	while (owed_cause_next(&at, &c)) {
		if (c.n > 0 && c.delay != delay)
			continue;
		snprintf(name, sizeof name, "%sfactor.%d.title", delay ? "delay." : "", c.n);
		if (c.n == 0 || (c.bad ? c.n > bads : incident_field(l->r->in, name)[0] == '\0'))
			found(l, mem_printf("sev1 action set %d --cause N", f->n),
			    _("action item %d: there is no root cause %s"), f->n, c.word);
	}
}

static void lint_items(struct linting *l, bool delay)
{
	const struct incident *in = l->r->in;
	int bads = lint_causes(l, delay);

	for (size_t i = 0; i < in->followups; i++) {
		const struct followup *f = &in->followup[i];

		if (!followup_reported(f, delay))
			continue;
		lint_item_causes(l, f, delay, bads);
		if (f->criteria[0] == '\0')
			found(l, mem_printf("sev1 action set %d --criteria \"...\"", f->n),
			    _("action item %d has no evaluation criteria: %s"), f->n, f->title);
		if (f->due < 0)
			found(l, mem_printf("sev1 action set %d --due DATE", f->n), _("action item %d has no due date: %s"), f->n,
			    f->title);
		if (f->status == OWED_ONGOING && followup_overdue(in, f, l->r->at))
			found(l, mem_printf("sev1 action set %d --status Delayed", f->n),
			    _("action item %d is Ongoing and past its due date: %s"), f->n, f->title);
		if (l->kind == REPORT_CLOSURE && !f->done)
			found(l, mem_printf("sev1 action set %d --status Complete", f->n),
			    _("action item %d is %s, and the closure says that all are completed: %s"), f->n,
			    owed_status_name(f->status), f->title);
	}
}

/* ---- appendix ---- */

static int serial_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct serials {
	char **s;
	size_t n, no_hash, no_precert; /* rows of the CSV that lack one */
};

static void serials_add(struct serials *all, const char *s, size_t len)
{
	all->s = mem_grow(all->s, all->n + 1, sizeof *all->s);
	all->s[all->n++] = mem_strndup(s, len);
}

static void serials_free(struct serials *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->s[i]);
	free(all->s);
}

/* Manifests: "SERIAL REASON" lines behind three of a head, whose words are no serials. */
static void serials_of_manifest(struct serials *all, const char *p)
{
	const char *nl;

	for (; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		size_t len = strspn(p, "0123456789ABCDEF-");

		nl = p + strcspn(p, "\n");
		if (len > 0 && p[len] == ' ')
			serials_add(all, p, len);
	}
}

static void serials_field(struct serials *all, int column, const char *p, const char *end)
{
	while (p < end && (*p == '"' || *p == ' '))
		p++;
	while (end > p && (end[-1] == '"' || end[-1] == ' ' || end[-1] == '\r'))
		end--;
	all->no_precert += column == 0 && p == end;
	all->no_hash += column == 1 && p == end;
	if (column == 6)
		serials_add(all, p, (size_t)(end - p));
}

/* The column "Serial # (hex)" of the CSV, whose fields may be quoted and hold newlines. */
static void serials_of_csv(struct serials *all, const char *p)
{
	bool quoted = false, head = true;
	int column = 0;
	const char *field = p;

	for (; *p != '\0'; p++) {
		quoted = quoted != (*p == '"');
		if (quoted || (*p != ',' && *p != '\n'))
			continue;
		if (!head)
			serials_field(all, column, field, p);
		column = *p == ',' ? column + 1 : 0;
		head = head && *p != '\n';
		field = p + 1;
	}
}

static void lint_serials(struct linting *l)
{
	struct serials scope = { 0 }, csv = { 0 };
	size_t i = 0, k = 0, lacking = 0, foreign = 0;
	const char *first = "", *path = json_str(report_appendix(l->r), "path");

	serials_of_manifest(&scope, l->r->manifest);
	serials_of_csv(&csv, l->r->appendix);
	if (scope.n > 0)
		qsort(scope.s, scope.n, sizeof *scope.s, serial_order);
	if (csv.n > 0)
		qsort(csv.s, csv.n, sizeof *csv.s, serial_order);
	while (i < scope.n || k < csv.n) {
		int d = i == scope.n ? 1 : k == csv.n ? -1 : strcmp(scope.s[i], csv.s[k]);

		if (d != 0 && first[0] == '\0')
			first = d < 0 ? scope.s[i] : csv.s[k];
		lacking += d < 0;
		foreign += d > 0;
		i += d <= 0;
		k += d >= 0;
	}
	if (lacking + foreign > 0)
		found(l, mem_strdup("sev1 report --appendix"), _("the appendix is not the scope: of the scope's certificates not in it: "
		    "%zu; of its own not in the scope: %zu (first: %s)"), lacking, foreign, first);
	if (csv.no_hash > 0)
		found(l, mem_strdup(path), _("rows of the appendix without a hash, as the CA's new_certs_dir does not hold "
		    "their certificate: %zu; write it in"), csv.no_hash);
	if (csv.no_precert > csv.no_hash)
		found(l, mem_strdup(path), _("rows of the appendix with SCTs, and without the hash of their precertificate: %zu; "
		    "write it in"), csv.no_precert - csv.no_hash);
	serials_free(&scope);
	serials_free(&csv);
}

static void lint_appendix(struct linting *l)
{
	const json_t *o = report_appendix(l->r);

	if (!l->r->in->scope_frozen)
		return;
	if (o == NULL) {
		found(l, mem_strdup("sev1 report --appendix"), _("the appendix is missing: the list of the certificates"));
		return;
	}
	if (l->r->appendix == NULL)
		found(l, mem_strdup("sev1 report --appendix"), _("the appendix %s is not there any more"), json_str(o, "path"));
	else if (strcmp(json_str(o, "form"), "csv") == 0 && l->r->manifest != NULL)
		lint_serials(l);
	else if (json_num(o, "rows", 0) != l->r->in->scope_count)
		found(l, mem_strdup("sev1 report --appendix"), _("the appendix has %lld rows, the scope %lld certificates"),
		    (long long)json_num(o, "rows", 0), (long long)l->r->in->scope_count);
	if (strcmp(json_str(o, "form"), "links") == 0 && json_num(o, "missing", 0) > 0)
		found(l, mem_strdup("sev1 report --appendix"), _("rows of the appendix whose certificate is not in the CA's "
		    "new_certs_dir, so that the hash is missing: %lld"), (long long)json_num(o, "missing", 0));
	if (json_num(o, "revoked", 0) != report_revoked(l->r))
		found(l, mem_strdup("sev1 report --appendix"), _("the appendix says %lld revoked, the journal %lld: write it anew"),
		    (long long)json_num(o, "revoked", 0), (long long)report_revoked(l->r));
}

static void lint_late(struct linting *l)
{
	bool late = incident_late(l->r->in, l->r->at);

	if (late && l->kind == REPORT_FULL && incident_field(l->r->in, "delay.analysis")[0] == '\0')
		found(l, mem_strdup("sev1 report --kind delay"), _("revocation was late: a report on the delay is owed, with the "
		    "analysis of why"));
	if (!late && (l->kind == REPORT_DELAY || l->kind == REPORT_STATUS))
		found(l, mem_strdup("sev1 status"), _("the revocation is not late: there is nothing to report of a delay"));
}

json_t *report_lint(const struct report *r, enum report_what kind)
{
	static const char *const sources[] = { "Self Reported", "Third Party Reported", "Audit", NULL };
	static const char *const types[] = { "DV", "IV", "OV", "EV", NULL };
	struct linting l = { .r = r, .kind = kind, .found = json_array() };
	bool whole = kind == REPORT_FULL || kind == REPORT_DELAY;

	if (kind == REPORT_AFTER) {
		lint_journal(&l);
		return l.found;
	}
	lint_fields(&l);
	lint_late(&l);
	if (kind == REPORT_PRELIMINARY || whole)
		lint_words(&l, "source", sources, false);
	if (whole) {
		lint_words(&l, "types", types, true);
		lint_count(&l, "total", r->in->scope_count);
		lint_count(&l, "remaining", r->in->scope_count - report_revoked(r));
		lint_times(&l);
		lint_appendix(&l);
	}
	if (whole || kind == REPORT_CLOSURE)
		lint_items(&l, kind == REPORT_DELAY);
	return l.found;
}
