#include "incident/owed.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "incident/fold.h"

#define HOUR_MS (3600LL * 1000)
#define DAY_MS (24 * HOUR_MS)

static const char *const statuses[] = { [OWED_ONGOING] = "Ongoing", [OWED_COMPLETE] = "Complete",
	[OWED_DELAYED] = "Delayed", [OWED_CANCELED] = "Canceled" };

const char *owed_status_name(enum owed_status st)
{
	return statuses[st];
}

int owed_status_of(const char *name)
{
	for (int i = 0; i < (int)(sizeof statuses / sizeof statuses[0]); i++)
		if (strcasecmp(statuses[i], name) == 0)
			return i;
	return -1;
}

const char *owed_kind_of(const char *name)
{
	static const char *const kinds[] = { "Prevent", "Mitigate", "Detect" };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcasecmp(kinds[i], name) == 0)
			return kinds[i];
	return NULL;
}

bool owed_cause_next(const char **at, struct owed_cause *c)
{
	const char *p = *at + strspn(*at, " ,;\t");
	size_t len = strcspn(p, " ,;\t");
	char *end;
	long n;

	if (len == 0)
		return false;
	*c = (struct owed_cause){ 0 };
	snprintf(c->word, sizeof c->word, "%.*s", (int)len, p);
	*at = p + len;
	p = c->word;
	if (tolower((unsigned char)*p) == 'd') {
		c->delay = true;
		p++;
	}
	if (tolower((unsigned char)*p) == 'w') {
		c->bad = true;
		p++;
	}
	n = isdigit((unsigned char)*p) ? strtol(p, &end, 10) : 0;
	c->n = n > 0 && n < 1000 && *end == '\0' && len < sizeof c->word ? (int)n : 0;
	return true;
}

/* ---- asking ---- */

bool followup_reported(const struct followup *f, bool delay)
{
	struct owed_cause c;
	const char *at = f->cause;
	bool any = false, here = false;

	if (f->kind[0] == '\0')
		return false;
	while (owed_cause_next(&at, &c)) {
		any = true;
		here = here || c.delay == delay;
	}
	return any ? here : !delay;
}

int64_t incident_published(const struct incident *in)
{
	for (size_t i = 0; i < in->checkpoints; i++) {
		const struct checkpoint *c = &in->checkpoint[i];

		if (strcmp(c->evidence, "crl-published") == 0 && (c->state == CP_DONE || c->state == CP_BY_HAND))
			return c->done_at;
	}
	return 0;
}

bool incident_late(const struct incident *in, int64_t now)
{
	int64_t published = incident_published(in);

	return in->triage.answered && in->triage.deadline > 0 &&
	    (published > 0 ? published : now) > in->triage.deadline;
}

bool followup_owed(const struct incident *in, const struct followup *f, int64_t now)
{
	return f->when == OWED_ALWAYS || f->done || incident_late(in, now);
}

bool followup_overdue(const struct incident *in, const struct followup *f, int64_t now)
{
	return !f->done && f->due >= 0 && f->due < now && followup_owed(in, f, now);
}

const char *followup_state(const struct incident *in, const struct followup *f, int64_t now)
{
	if (followup_overdue(in, f, now))
		return N_("overdue");
	if (f->kind[0] != '\0')
		return owed_status_name(f->status);
	return f->status == OWED_CANCELED ? N_("canceled") : f->done ? N_("done") : N_("open");
}

const struct followup *incident_followup(const struct incident *in, int n)
{
	for (size_t i = 0; i < in->followups; i++)
		if (in->followup[i].n == n)
			return &in->followup[i];
	return NULL;
}

int incident_followup_next(const struct incident *in)
{
	int n = 0;

	for (size_t i = 0; i < in->followups; i++)
		if (in->followup[i].n > n)
			n = in->followup[i].n;
	return n + 1;
}

const char *incident_field(const struct incident *in, const char *name)
{
	for (size_t i = 0; i < in->fields; i++)
		if (strcmp(in->field[i].name, name) == 0)
			return in->field[i].text;
	return "";
}

/* ---- folding ---- */

struct followup *owed_add(struct incident *in, int n, const char *title, int64_t due)
{
	struct followup *f;

	in->followup = mem_grow(in->followup, in->followups + 1, sizeof *in->followup);
	f = &in->followup[in->followups++];
	*f = (struct followup){ .n = n, .title = mem_strdup(title), .due = due, .text = mem_strdup(""),
		.kind = mem_strdup(""), .cause = mem_strdup(""), .criteria = mem_strdup("") };
	return f;
}

void owed_free(struct incident *in)
{
	for (size_t i = 0; i < in->followups; i++) {
		struct followup *f = &in->followup[i];

		free(f->title), free(f->text), free(f->kind), free(f->cause), free(f->criteria);
	}
	for (size_t i = 0; i < in->fields; i++)
		free(in->field[i].name), free(in->field[i].text);
	free(in->followup);
	free(in->field);
	in->followup = NULL;
	in->field = NULL;
	in->followups = in->fields = 0;
}

/* Answers that change keep the numbers and move what is still open. */
static void owed_stand(struct incident *in, const char *title, int64_t due, enum owed_when when)
{
	struct followup *f = NULL;

	for (size_t i = 0; i < in->followups && f == NULL; i++)
		if (in->followup[i].when == when && strcmp(in->followup[i].title, title) == 0)
			f = &in->followup[i];
	if (f == NULL)
		f = owed_add(in, incident_followup_next(in), title, due);
	f->when = when;
	if (f->at == 0)
		f->due = due;
}

/* CCADB incident report 3.2: the first disclosure within 72 hours, the full report within 14 days; a revocation delay
 * is an incident of its own. Titles are data of the journal's state, not of the screen: untranslated. */
void owed_triage(struct incident *in)
{
	if (strcmp(in->profile, "public-tls") == 0) {
		owed_stand(in, "Preliminary incident report disclosed", in->declared + 72 * HOUR_MS, OWED_ALWAYS);
		owed_stand(in, "Full incident report disclosed", in->declared + 14 * DAY_MS, OWED_ALWAYS);
	}
	if (in->triage.deadline <= 0)
		return;
	owed_stand(in, "Revocation delay report disclosed", in->triage.deadline + 72 * HOUR_MS, OWED_IF_LATE);
	owed_stand(in, "Status update on the delayed revocation", in->triage.deadline + OWED_STATUS_EVERY,
	    OWED_WHILE_LATE);
}

static void owed_set(char **at, const json_t *o, const char *key)
{
	if (json_object_get(o, key) == NULL)
		return;
	free(*at);
	*at = mem_strdup(json_str(o, key));
}

/* A status update that is given while the revocation goes on makes the next one due. */
static void owed_done(struct incident *in, struct followup *f, const struct event *ev)
{
	bool again = f->when == OWED_WHILE_LATE && incident_published(in) == 0;

	f->done = json_bool(ev->body, "done") && !again;
	f->status = f->done ? OWED_COMPLETE : OWED_ONGOING;
	if (json_bool(ev->body, "done") && again)
		f->due = ev->at + OWED_STATUS_EVERY;
}

static void apply_item(struct incident *in, const struct event *ev)
{
	int n = (int)json_num(ev->body, "n", 0), status = owed_status_of(json_str(ev->body, "status"));
	struct followup *f = (struct followup *)incident_followup(in, n);

	if (f == NULL)
		f = owed_add(in, n, "", -1);
	owed_set(&f->title, ev->body, "title");
	owed_set(&f->kind, ev->body, "kind");
	owed_set(&f->cause, ev->body, "cause");
	owed_set(&f->criteria, ev->body, "criteria");
	owed_set(&f->text, ev->body, "text");
	f->due = json_num(ev->body, "due", f->due);
	if (status >= 0)
		f->status = (enum owed_status)status;
	f->done = f->status == OWED_COMPLETE || f->status == OWED_CANCELED;
	f->at = ev->at;
}

static void apply_field(struct incident *in, const struct event *ev)
{
	const json_t *lines = json_list(ev->body, "lines"), *line;
	const char *name = json_str(ev->body, "name");
	struct buf b = { 0 };
	struct field *f = NULL;
	size_t i;

	for (i = 0; i < in->fields && f == NULL; i++)
		if (strcmp(in->field[i].name, name) == 0)
			f = &in->field[i];
	if (f == NULL) {
		in->field = mem_grow(in->field, in->fields + 1, sizeof *in->field);
		f = &in->field[in->fields++];
		*f = (struct field){ .name = mem_strdup(name) };
	}
	json_array_foreach(lines, i, line)
		buf_addf(&b, "%s%s", i > 0 ? "\n" : "", json_is_string(line) ? json_string_value(line) : "");
	free(f->text);
	f->text = buf_take(&b);
	f->at = ev->at;
}

void owed_apply(struct incident *in, const struct event *ev)
{
	struct followup *f;

	if (ev->kind == EV_FIELD) {
		apply_field(in, ev);
	} else if (ev->kind == EV_ITEM) {
		apply_item(in, ev);
	} else if ((f = (struct followup *)incident_followup(in, (int)json_num(ev->body, "n", 0))) != NULL) {
		owed_done(in, f, ev);
		owed_set(&f->text, ev->body, "text");
		f->at = ev->at;
	}
}
