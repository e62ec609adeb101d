#include "report/fields.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "incident/owed.h"

#define K(x) (1 << (x))
#define BOTH (K(REPORT_FULL) | K(REPORT_DELAY))
#define DELAY_PREFIX "delay."

/* What the journal says of a field nobody gave; NULL or a new string. */
typedef char *(*known_fn)(const struct report *r);

static const struct event *first_of(const struct report *r, enum event_kind kind)
{
	for (size_t i = 0; i < r->events; i++)
		if (r->event[i].kind == kind)
			return &r->event[i];
	return NULL;
}

static char *known_minute(int64_t ms)
{
	char out[32];

	return ms > 0 ? mem_strdup(report_minute(out, ms)) : NULL;
}

static char *known_start(const struct report *r)
{
	return known_minute(r->in->triage.since > 0 ? r->in->triage.since : r->in->triage.received);
}

static char *known_received(const struct report *r)
{
	return known_minute(r->in->triage.received);
}

static char *known_aware(const struct report *r)
{
	return known_minute(r->in->declared);
}

static char *known_end(const struct report *r)
{
	return known_minute(incident_published(r->in));
}

static char *known_since(const struct report *r)
{
	return known_minute(r->in->triage.since);
}

static char *known_deadline(const struct report *r)
{
	return known_minute(r->in->triage.deadline);
}

static char *known_scope(const struct report *r)
{
	const struct event *ev = first_of(r, EV_SCOPE);

	return ev != NULL ? known_minute(ev->at) : NULL;
}

static char *known_ceased(const struct report *r)
{
	return known_minute(report_closed_at(r, "actions-held"));
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* By the first message or call that reached one; else by the notice to all the world. */
static char *known_told(const struct report *r)
{
	int64_t first = 0;

	for (size_t i = 0; i < r->in->subscribers; i++) {
		const struct subscriber *s = &r->in->subscriber[i];

		for (size_t k = 0; k < s->attempts && !s->reporter; k++)
			if (strcmp(s->attempt[k].outcome, "sent") == 0 || strcmp(s->attempt[k].outcome, "reached") == 0)
				first = earlier(first, s->attempt[k].at);
	}
	if (first != 0)
		return known_minute(first);
	for (size_t i = 0; i < r->events; i++)
		if (r->event[i].kind == EV_NOTICE && strcmp(json_str(r->event[i].body, "notice"), "external") == 0 &&
		    strcmp(json_str(r->event[i].body, "outcome"), "accepted") == 0)
			return known_minute(r->event[i].at);
	return NULL;
}

/* The reporter's or the first subscriber's: it counts once it is given. */
static char *known_preliminary(const struct report *r)
{
	int64_t first = 0;

	for (size_t i = 0; i < r->in->subscribers; i++)
		first = earlier(first, r->in->subscriber[i].reported);
	return known_minute(first);
}

static char *known_total(const struct report *r)
{
	return r->in->scope_frozen ? mem_printf("%lld", (long long)r->in->scope_count) : NULL;
}

static char *known_remaining(const struct report *r)
{
	return r->in->scope_frozen ? mem_printf("%lld", (long long)(r->in->scope_count - report_revoked(r))) : NULL;
}

/* own: the delay report has a text of its own, "delay.NAME". */
static const struct spec {
	const char *name, *ask;
	int kinds;
	bool own, optional, time;
	known_fn known;
} specs[] = {
	{ "owner", N_("CA Owner CCADB unique ID (A000000)"), BOTH, false, false, false, NULL },
	{ "description", N_("what happened, to what, in a few sentences"),
	    K(REPORT_PRELIMINARY) | BOTH | K(REPORT_CLOSURE), true, false, false, NULL },
	{ "start", N_("non-compliance start date, UTC"), BOTH, true, false, true, known_start },
	{ "identified", N_("non-compliance identified date, UTC"), BOTH, true, false, true, known_aware },
	{ "end", N_("non-compliance end date, UTC"), BOTH, true, false, true, known_end },
	{ "policies", N_("the policies and sections that were not met"), K(REPORT_PRELIMINARY) | BOTH, false, false,
	    false, NULL },
	{ "source", N_("Self Reported, Third Party Reported, or Audit"), K(REPORT_PRELIMINARY) | BOTH, false, false, false,
	    NULL },
	{ "total", N_("total number of certificates"), BOTH, false, false, false, known_total },
	{ "remaining", N_("number of certificates that are still valid"), BOTH, false, false, false, known_remaining },
	{ "types", N_("affected certificate types: DV, IV, OV, EV"), BOTH, false, false, false, NULL },
	{ "heuristic", N_("how another finds the affected certificates"), BOTH, false, false, false, NULL },
	{ "issuance", N_("was issuance stopped, and why or why not?"), BOTH, false, false, false, NULL },
	{ "analysis", N_("why revocation was delayed: who decided what, and on which grounds"), K(REPORT_DELAY), true, false,
	    false, NULL },
	{ "considerations", N_("additional considerations of the impact"), BOTH, true, true, false, NULL },
	{ "event.began", N_("time and words: the incident began"), BOTH, false, false, true, known_since },
	{ "event.received", N_("time and words: the problem report was received"), BOTH, false, false, true, known_received },
	{ "event.aware", N_("time and words: the CA became aware"), BOTH, false, false, true, known_aware },
	{ "event.preliminary", N_("time and words: the preliminary report was sent"), BOTH, false, false, true,
	    known_preliminary },
	{ "event.subscribers", N_("time and words: subscribers were told"), BOTH, false, false, true, known_told },
	{ "event.scope", N_("time and words: the scope was disclosed"), BOTH, false, false, true, known_scope },
	{ "event.ceased", N_("time and words: issuance ceased"), BOTH, false, false, true, known_ceased },
	{ "event.resumed", N_("time and words: issuance resumed"), BOTH, false, false, true, NULL },
	{ "event.expected", N_("time and words: revocation expected to be completed"), BOTH, false, false, true,
	    known_deadline },
	{ "event.completed", N_("time and words: revocation was completed"), BOTH, false, false, true, known_end },
	{ "event.ended", N_("time and words: the incident ended"), BOTH, false, false, true, known_end },
	{ "timeline", N_("further events, a line each: 2026-08-31 02:26Z what happened"), BOTH, false, true, false, NULL },
	{ "related", N_("related incidents, a line each: BUG | DATE | DESCRIPTION"), BOTH, false, false, false, NULL },
	{ "lessons.well", N_("what went well, a line each, begun with \"- \""), BOTH, true, false, false, NULL },
	{ "lessons.bad", N_("what didn't go well, a line each, begun with \"- \""), BOTH, true, false, false, NULL },
	{ "lessons.lucky", N_("where we got lucky, a line each, begun with \"- \""), BOTH, true, false, false, NULL },
	{ "lessons.additional", N_("additional lessons"), BOTH, true, true, false, NULL },
	{ "update", N_("what was done since the last update, what comes next and when"), K(REPORT_STATUS), false, false,
	    false, NULL },
	{ "closure.remediation", N_("what was done to mend it"), K(REPORT_CLOSURE), false, false, false, NULL },
	{ "closure.commitments", N_("what remains promised, and until when"), K(REPORT_CLOSURE), false, false, false, NULL },
};
#define SPECS (sizeof specs / sizeof specs[0])

static const struct part {
	const char *name, *ask;
	bool optional;
} parts[] = {
	{ "title", N_("the contributing factor in a few words"), false },
	{ "description", N_("what it was"), false },
	{ "timeline", N_("since when, and how it came about"), false },
	{ "detection", N_("how it was found, and why not before"), false },
	{ "interaction", N_("how it worked together with other factors"), true },
	{ "method", N_("the method of analysis: five whys, fishbone ..."), false },
};
#define PARTS (sizeof parts / sizeof parts[0])

static const char *unprefixed(const char *name, bool *delay)
{
	*delay = strncmp(name, DELAY_PREFIX, strlen(DELAY_PREFIX)) == 0;
	return *delay ? name + strlen(DELAY_PREFIX) : name;
}

static const struct spec *spec_find(const char *name)
{
	bool delay;

	name = unprefixed(name, &delay);
	for (size_t i = 0; i < SPECS; i++)
		if (strcmp(specs[i].name, name) == 0 &&
		    (delay ? specs[i].own && specs[i].kinds & K(REPORT_DELAY) : specs[i].kinds != K(REPORT_DELAY)))
			return &specs[i];
	return NULL;
}

/* The number of "factor.N.part", 0 where it is none. */
static int factor_of(const char *name, bool *delay, const char **part)
{
	char *end;
	long n;

	name = unprefixed(name, delay);
	if (strncmp(name, "factor.", 7) != 0 || !isdigit((unsigned char)name[7]) || name[7] == '0')
		return 0;
	n = strtol(name + 7, &end, 10);
	*part = end + 1;
	return n <= FACTORS_MAX && *end == '.' ? (int)n : 0;
}

bool field_known(const char *name)
{
	const char *part;
	bool delay;

	if (spec_find(name) != NULL)
		return true;
	if (factor_of(name, &delay, &part) == 0)
		return false;
	for (size_t i = 0; i < PARTS; i++)
		if (strcmp(parts[i].name, part) == 0)
			return true;
	return false;
}

int fields_factors(const struct incident *in, bool delay)
{
	const char *part;
	bool its;
	int most = 1;

	for (size_t i = 0; i < in->fields; i++) {
		int n = in->field[i].text[0] != '\0' ? factor_of(in->field[i].name, &its, &part) : 0;

		if (n > most && its == delay)
			most = n;
	}
	return most;
}

bool field_item(const char *text, int i, struct buf *b)
{
	int n = 0;

	buf_clear(b);
	for (const char *p = text, *nl; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		bool begins;

		nl = p + strcspn(p, "\n");
		p += strspn(p, " \t");
		begins = *p == '-' || *p == '*';
		if (p >= nl)
			continue;
		n += begins || n == 0; /* a line without a dash goes on the one above */
		if (n == i + 1) {
			p += begins ? 1 + strspn(p + 1, " \t") : 0;
			buf_adds(b, b->len > 0 ? " " : "");
			if (nl > p)
				buf_add(b, p, (size_t)(nl - p));
		} else if (n > i + 1) {
			break;
		}
	}
	return b->len > 0;
}

/* ---- times ---- */

int field_time(const char *s, int64_t *ms, bool *utc, const char **rest)
{
	char word[64];
	const char *zone;
	size_t len;

	s += strspn(s, " \t-*");
	if (strlen(s) < 16 || (s[10] != ' ' && s[10] != 'T'))
		return ERR_SYNTAX;
	len = 11 + strcspn(s + 11, " \t\n");
	if (len >= sizeof word - 8)
		return ERR_SYNTAX;
	snprintf(word, sizeof word, "%.*s", (int)len, s);
	zone = s + len + strspn(s + len, " \t");
	if (strncmp(zone, "UTC", 3) == 0 && !isalnum((unsigned char)zone[3]) && zone[3] != '+' && zone[3] != '-') {
		word[len++] = 'Z';
		word[len] = '\0';
		zone += 3;
	}
	*utc = word[len - 1] == 'Z' || strcmp(word + len - 6, "+00:00") == 0;
	*rest = zone + strspn(zone, " \t,:;-");
	return clock_parse(word, ms);
}

/* ---- lists ---- */

static void list_field(struct field_list *l, const struct report *r, char *name, const char *ask, bool optional, bool time)
{
	struct field_view *v;

	for (size_t i = 0; i < l->fields; i++) {
		if (strcmp(l->field[i].name, name) != 0)
			continue;
		free(name);
		return;
	}
	l->field = mem_grow(l->field, l->fields + 1, sizeof *l->field);
	v = &l->field[l->fields++];
	*v = (struct field_view){ .name = name, .ask = ask, .optional = optional, .time = time };
	v->given = incident_field(r->in, name)[0] != '\0';
	v->text = field_text(r, name);
}

static void list_factors(struct field_list *l, const struct report *r, bool delay)
{
	for (int n = 1; n <= fields_factors(r->in, delay); n++)
		for (size_t i = 0; i < PARTS; i++)
			list_field(l, r, mem_printf("%sfactor.%d.%s", delay ? DELAY_PREFIX : "", n, parts[i].name),
			    parts[i].ask, parts[i].optional, false);
}

static void list_kind(struct field_list *l, const struct report *r, int kind)
{
	bool delay = kind == REPORT_DELAY;

	for (size_t i = 0; i < SPECS; i++) {
		const struct spec *s = &specs[i];

		if (strcmp(s->name, "lessons.well") == 0 && kind != REPORT_PRELIMINARY && (K(kind) & BOTH))
			list_factors(l, r, delay);
		if (s->kinds & K(kind))
			list_field(l, r, mem_printf("%s%s", delay && s->own ? DELAY_PREFIX : "", s->name), s->ask, s->optional,
			    s->time);
	}
}

void fields_list(const struct report *r, int kind, struct field_list *out)
{
	static const int all[] = { REPORT_PRELIMINARY, REPORT_FULL, REPORT_DELAY, REPORT_STATUS, REPORT_CLOSURE };

	*out = (struct field_list){ 0 };
	if (kind != FIELDS_ALL) {
		list_kind(out, r, kind);
		return;
	}
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if ((all[i] != REPORT_DELAY && all[i] != REPORT_STATUS) || incident_late(r->in, r->at))
			list_kind(out, r, all[i]);
	for (size_t i = 0; i < r->in->fields; i++) /* what was given once is never left out */
		if (r->in->field[i].text[0] != '\0')
			list_field(out, r, mem_strdup(r->in->field[i].name), "", true, false);
}

void fields_clear(struct field_list *l)
{
	for (size_t i = 0; i < l->fields; i++)
		free(l->field[i].name), free(l->field[i].text);
	free(l->field);
	*l = (struct field_list){ 0 };
}

/* The delay began when its deadline passed; what the incident's own start is stands in the other report. */
static known_fn known_of(const char *name)
{
	const struct spec *s = spec_find(name);

	if (strcmp(name, "delay.start") == 0)
		return known_deadline;
	return s != NULL ? s->known : NULL;
}

char *field_text(const struct report *r, const char *name)
{
	const char *given = incident_field(r->in, name);
	known_fn known = known_of(name);
	char *text = given[0] == '\0' && known != NULL ? known(r) : NULL;

	return text != NULL ? text : mem_strdup(given);
}

/* ---- the file ---- */

#define BASE_LEN 12

static void base_of(const char *text, char hex[DIGEST_HEX])
{
	digest_of(text, strlen(text), hex);
	hex[BASE_LEN] = '\0';
}

void fields_write(const struct report *r, struct buf *b)
{
	char hex[DIGEST_HEX];
	struct field_list l;

	fields_list(r, FIELDS_ALL, &l);
	buf_addf(b, _("@# Fields of the reports on %s. Write below a line that begins with two @ signs, over as many\n"
		      "@# lines as it takes; N/A where something does not apply. Leave the @ lines as they are. A further\n"
		      "@# contributing factor: \"@@ factor.2.title\" and so on. Read it: sev1 report --fields FILE\n"), r->in->id);
	for (size_t i = 0; i < l.fields; i++) {
		const struct field_view *v = &l.field[i];
		const char *text = v->given ? v->text : "";

		base_of(text, hex);
		buf_addf(b, "\n@@ %s %s\n", v->name, hex);
		if (v->ask[0] != '\0')
			buf_addf(b, "@# %s%s%s%s\n", _(v->ask), v->optional ? _(" (optional)") : "",
			    !v->given && v->text[0] != '\0' ? _("; from the journal: ") : "", v->given ? "" : v->text);
		for (const char *p = text, *nl; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
			nl = p + strcspn(p, "\n");
			buf_addf(b, "%s%.*s\n", *p == '@' || *p == '\\' ? "\\" : "", (int)(nl - p), p);
		}
	}
	fields_clear(&l);
}

struct reading {
	const struct report *r;
	const char *path;
	char name[64], base[DIGEST_HEX];
	int line;
	struct buf text;
	json_t *changes, *seen;
};

json_t *field_body(const char *name, const char *text)
{
	json_t *o = json_object(), *lines = json_array();

	for (const char *p = text, *nl; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		char *safe;

		nl = p + strcspn(p, "\n");
		safe = text_escaped(p, (size_t)(nl - p), FIELD_TEXT);
		json_array_append_new(lines, json_string(safe));
		free(safe);
	}
	json_put(o, "name", name);
	json_object_set_new(o, "lines", lines);
	return o;
}

/* As the journal will have it: escaped line by line. */
static char *settled(const struct buf *text)
{
	struct buf b = { 0 };
	const char *p = buf_str(text);
	size_t len = text->len, n;

	while (len > 0 && isspace((unsigned char)p[len - 1]))
		len--;
	while (len > 0 && *p == '\n')
		p++, len--;
	for (const char *end = p + len, *nl; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		nl = nl != NULL ? nl : end;
		if (b.len > 0)
			buf_addc(&b, '\n');
		n = (size_t)(nl - p);
		while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\r' || p[n - 1] == '\t'))
			n--;
		text_escape(&b, p, n);
	}
	return buf_take(&b);
}

/* A field of the file has ended: is it news, and does it contradict what the incident has got meanwhile? */
static int reading_end(struct reading *rd, struct err *e)
{
	char *text, was[DIGEST_HEX], is[DIGEST_HEX];
	const char *given;
	int rc = 0;

	if (rd->name[0] == '\0')
		return 0;
	text = settled(&rd->text);
	given = incident_field(rd->r->in, rd->name);
	base_of(given, was);
	base_of(text, is);
	if (strlen(text) > FIELD_TEXT) {
		rc = err_set(e, ERR_SYNTAX, _("%s:%d: %s is longer than %d octets"), rd->path, rd->line, rd->name, FIELD_TEXT);
	} else if (strcmp(text, given) != 0 && strcmp(is, rd->base) != 0) {
		if (strcmp(was, rd->base) == 0 || strcmp(rd->base, "!") == 0) {
			json_object_set_new(rd->changes, rd->name, json_string(text));
		} else {
			rc = err_set(e, ERR_REFUSED, _("%s:%d: %s was changed here and in the incident since the file was "
			    "written; in the incident it reads: %.200s"), rd->path, rd->line, rd->name, given);
			err_remedy(e, _("write here what it is to be and end its line with an exclamation mark: @@ %s !"), rd->name);
		}
	}
	json_object_set_new(rd->seen, rd->name, json_true());
	rd->name[0] = '\0';
	buf_clear(&rd->text);
	free(text);
	return rc;
}

static int reading_head(struct reading *rd, const char *p, size_t len, int line, struct err *e)
{
	char *head = mem_strndup(p, len), more;
	int n = sscanf(head, "@@ %63s %64s %c", rd->name, rd->base, &more), rc = 0;

	rd->line = line;
	if (n == 1)
		base_of("", rd->base);
	if (n < 1 || n > 2)
		rc = err_set(e, ERR_SYNTAX, _("%s:%d: \"%.60s\" is not \"@@ NAME\""), rd->path, line, head);
	else if (!field_known(rd->name))
		rc = err_set(e, ERR_SYNTAX, _("%s:%d: no report has a field %s"), rd->path, line, rd->name);
	else if (json_object_get(rd->seen, rd->name) != NULL)
		rc = err_set(e, ERR_SYNTAX, _("%s:%d: %s stands there twice"), rd->path, line, rd->name);
	if (rc < 0)
		err_remedy(e, _("their names: sev1 report --fields NEWFILE writes a file of all"));
	free(head);
	return rc;
}

int fields_read(const struct report *r, const char *text, const char *path, json_t **changes, struct err *e)
{
	struct reading rd = { .r = r, .path = path, .changes = json_object(), .seen = json_object() };
	int line = 1, rc = 0;

	for (const char *p = text, *nl; rc == 0 && *p != '\0'; p = *nl == '\n' ? nl + 1 : nl, line++) {
		nl = p + strcspn(p, "\n");
		if (strncmp(p, "@#", 2) == 0)
			continue;
		if (*p == '@') {
			if ((rc = reading_end(&rd, e)) == 0)
				rc = reading_head(&rd, p, (size_t)(nl - p), line, e);
			continue;
		}
		if (rd.name[0] == '\0' && p + strspn(p, " \t\r") < nl) {
			rc = err_set(e, ERR_SYNTAX, _("%s:%d: text before the first field"), path, line);
			err_remedy(e, _("a field begins with a line \"@@ NAME\""));
		}
		if (*p == '\\')
			p++;
		buf_add(&rd.text, p, (size_t)(nl - p));
		buf_addc(&rd.text, '\n');
	}
	if (rc == 0)
		rc = reading_end(&rd, e);
	buf_free(&rd.text);
	json_decref(rd.seen);
	if (rc < 0)
		json_decref(rd.changes);
	else
		*changes = rd.changes;
	return rc;
}
