#include "app/model.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "engine/run.h"
#include "incident/owed.h"
#include "journal/journal.h"
#include "report/fields.h"
#include "work/deadlines.h"
#include "work/intake_clock.h"
#include "work/intake_store.h"
#include "work/renewal.h"
#include "work/report_make.h"
#include "work/rollout.h"

const struct incident *model_incident(const struct engine *en)
{
	return engine_incident(en);
}

const struct config *model_config(const struct engine *en)
{
	return engine_config(en);
}

const struct err *model_config_error(const struct engine *en)
{
	return engine_config_error(en);
}

bool model_armed(const struct engine *en)
{
	return engine_armed(en);
}

size_t model_journal(struct engine *en, char **line, size_t n)
{
	size_t all, i;
	char *const *lines = engine_lines(en, &all);

	for (i = 0; i < n && i < all; i++)
		line[i] = mem_strdup(lines[all - 1 - i]);
	return i;
}

char **model_timeline(struct engine *en, size_t *n)
{
	char *const *lines = engine_lines(en, n);
	char **copy = mem_zalloc(*n + 1, sizeof *copy);

	for (size_t i = 0; i < *n; i++)
		copy[i] = mem_strdup(lines[i]);
	return copy;
}

bool model_count(const struct engine *en, const char *ca, struct ca_count *out)
{
	const json_t *o = engine_count(en, ca);

	if (o == NULL)
		return false;
	*out = (struct ca_count){
		.title = json_str(o, "title"),
		.subject = json_str(o, "subject"),
		.error = json_str(o, "error")[0] != '\0' ? json_str(o, "error") : NULL,
		.valid = json_num(o, "valid", 0),
		.expired = json_num(o, "expired", 0),
		.revoked = json_num(o, "revoked", 0),
		.unreadable = json_num(o, "unreadable", 0),
		.matches = json_num(o, "matches", -1),
		.refused = json_str(o, "refused")[0] != '\0' ? json_str(o, "refused") : NULL,
	};
	return true;
}

static int entry_fold(void *ctx, const struct event *ev, struct err *e)
{
	return incident_apply(ctx, ev, e);
}

static void entry_fill(struct incident_entry *it, const struct incident *in)
{
	const struct checkpoint *next = incident_next(in);
	int64_t now = clock_now();

	it->id = mem_strdup(in->id);
	it->title = mem_strdup(in->title);
	it->next = mem_strdup(next != NULL ? next->title : "");
	it->drill = in->drill;
	it->closed = in->closed;
	it->declared = in->declared;
	it->checkpoints = in->checkpoints;
	for (size_t i = 0; i < in->checkpoints; i++)
		it->checkpoints_done += in->checkpoint[i].state != CP_OPEN;
	for (size_t i = 0; i < in->followups; i++) {
		const struct followup *f = &in->followup[i];
		if (f->done || f->due < 0 || !followup_owed(in, f, now))
			continue;
		it->overdue += followup_overdue(in, f, now);
		if (it->followup == 0 || f->due < it->followup) {
			it->followup = f->due;
			free(it->followup_title);
			it->followup_title = mem_strdup(f->title);
		}
	}
	if (incident_fuse_left(in, 0) != INT64_MIN)
		it->fuse = incident_fuse_left(in, 0);
}

static void entry_read(struct incident_entry *it, char *path)
{
	struct incident *in = incident_new();
	struct err e = { 0 };
	struct journal *j = journal_open(path, true, &e);

	it->path = path;
	if (j != NULL && journal_each(j, 0, entry_fold, in, &e) == 0)
		entry_fill(it, in);
	else
		it->error = mem_printf("%s%s%s", e.text, e.remedy[0] != '\0' ? "; " : "", e.remedy);
	journal_free(j);
	incident_free(in);
}

static int entry_newest_first(const void *a, const void *b)
{
	const struct incident_entry *x = a, *y = b;

	return x->declared < y->declared ? 1 : x->declared > y->declared ? -1 : 0;
}

struct incident_entry *model_incidents(const struct engine *en, size_t *n)
{
	struct incident_entry *list = NULL;
	DIR *d = opendir(engine_state(en));
	struct dirent *entry;

	*n = 0;
	while (d != NULL && (entry = readdir(d)) != NULL) {
		size_t len = strlen(entry->d_name);
		if (len <= 5 || strcmp(entry->d_name + len - 5, ".sev1") != 0)
			continue;
		list = mem_grow(list, *n + 1, sizeof *list);
		memset(&list[*n], 0, sizeof *list);
		entry_read(&list[(*n)++], fs_join(engine_state(en), entry->d_name));
	}
	if (d != NULL)
		closedir(d);
	if (*n > 1)
		qsort(list, *n, sizeof *list, entry_newest_first);
	return list;
}

void model_incidents_free(struct incident_entry *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].path);
		free(list[i].id);
		free(list[i].title);
		free(list[i].next);
		free(list[i].error);
		free(list[i].followup_title);
	}
	free(list);
}

/* Until triage is answered by what is recognised, then by the answers. A report of an incident that is not open here has
 * its clock there. */
static void report_fill_clock(struct report_entry *it, const struct engine *en, const json_t *times, const json_t *o)
{
	const struct incident *in = engine_incident(en);
	struct intake_clock k;

	if (it->incident[0] != '\0' && (in == NULL || strcmp(in->id, it->incident) != 0))
		return;
	intake_clock(engine_config(en), times, o, &k);
	it->due = k.due;
	it->advised = k.advised;
	it->minutes = k.minutes;
	if (it->incident[0] == '\0' || !in->triage.answered) {
		it->reason = mem_strdup(k.reason);
		it->grounds = mem_strdup(k.why);
		return;
	}
	it->reason = mem_strdup(in->triage.reason);
	it->due = in->triage.deadline;
	it->minutes = (int)((it->due - in->triage.received) / 60000);
	it->advised = 0;
	it->published = incident_published(in);
}

static void report_fill(struct report_entry *it, const json_t *o)
{
	const json_t *v;
	size_t i;

	it->id = mem_strdup(json_str(o, "id"));
	it->level = mem_strdup(json_str(o, "level"));
	it->state = mem_strdup(json_str(o, "state"));
	it->incident = mem_strdup(json_str(o, "incident"));
	it->subject = mem_strdup(json_str(o, "subject"));
	it->from = mem_strdup(json_str(o, "from"));
	it->channel = mem_strdup(json_str(o, "channel"));
	it->error = json_str(o, "error")[0] != '\0' ? mem_strdup(json_str(o, "error")) : NULL;
	it->received = json_num(o, "received", 0);
	it->messages = json_array_size(json_object_get(o, "messages"));
	it->matches = json_array_size(json_object_get(o, "matches"));
	it->keys = json_array_size(json_object_get(o, "keys"));
	it->found = json_array_size(json_object_get(o, "found"));
	json_array_foreach(json_list(o, "why"), i, v)
		if (i < REPORT_WHY)
			it->why[i] = mem_printf("%+lld %s", (long long)json_num(v, "points", 0), json_str(v, "text"));
}

/* Those that wait before those that have an incident; then the one that is due first. */
static int report_most_urgent(const void *a, const void *b)
{
	const struct report_entry *x = a, *y = b;
	bool busy_x = x->incident[0] != '\0', busy_y = y->incident[0] != '\0';

	if (busy_x != busy_y)
		return busy_x ? 1 : -1;
	if (x->due != y->due)
		return x->due < y->due ? -1 : 1;
	return strcmp(y->id, x->id);
}

struct report_entry *model_reports(const struct engine *en, size_t *n)
{
	struct err e = { 0 };
	json_t *all = intake_load(engine_state(en), &e), *times = intake_times(engine_config(en)), *o;
	struct report_entry *list = mem_zalloc(json_array_size(all) + 1, sizeof *list);
	size_t i;

	*n = 0;
	json_array_foreach(all, i, o) {
		if (strcmp(json_str(o, "state"), "closed") == 0)
			continue;
		report_fill(&list[*n], o);
		report_fill_clock(&list[(*n)++], en, times, o);
	}
	json_decref(times);
	json_decref(all);
	if (*n > 1)
		qsort(list, *n, sizeof *list, report_most_urgent);
	return list;
}

/* Reports are exchanged whole (fs_write): the folder's time tells. */
int64_t model_reports_stamp(const struct engine *en)
{
	const struct incident *in = engine_incident(en);
	char *folder = fs_join(engine_state(en), "intake");
	struct stat st = { 0 };
	int64_t stamp = stat(folder, &st) == 0 ? st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec : 0;

	free(folder);
	return stamp + (in != NULL ? in->last_seq : 0);
}

void model_reports_free(struct report_entry *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *const own[] = { list[i].id, list[i].level, list[i].state, list[i].incident, list[i].subject, list[i].from,
			list[i].channel, list[i].error, list[i].reason, list[i].grounds };

		for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
			free(own[k]);
		for (size_t k = 0; k < REPORT_WHY; k++)
			free(list[i].why[k]);
	}
	free(list);
}

char *model_renewal(const struct engine *en, bool *bad)
{
	*bad = false;
	if (engine_incident(en) == NULL)
		return mem_strdup("");
	return renewal_line(engine_incident(en), engine_config(en), clock_now(), bad);
}

char *model_rollout(const struct engine *en)
{
	return rollout_waits(en);
}

char *model_halted(const struct engine *en)
{
	const struct incident *in = engine_incident(en);

	return rollout_now(en) != ROLLOUT_INTERRUPTED ? mem_strdup("") :
	    mem_printf(_("RE-ISSUE INTERRUPTED: %zu of %zu hosts verified; go on: reissue --resume"), in->hosts_verified, in->hosts);
}

static const char *const report_order[] = { "full", "preliminary", "delay", "status", "closure" };

static void report_row_add(struct report_view *v, const char *name, const char *text, const char *state)
{
	v->row = mem_grow(v->row, v->rows + 1, sizeof *v->row);
	v->row[v->rows++] = (struct report_row){ .name = mem_strdup(name), .text = mem_strdup(text), .state = state };
}

static void report_view_fields(struct report_view *v, const struct report *r, int kind, bool shown)
{
	struct field_list l;

	fields_list(r, kind, &l);
	for (size_t i = 0; i < l.fields; i++) {
		const struct field_view *f = &l.field[i];

		v->missing += f->text[0] == '\0' && !f->optional;
		if (shown)
			report_row_add(v, f->name, f->text[0] != '\0' ? f->text : _(f->ask), f->given ? N_("given") :
		    f->text[0] != '\0' ? N_("journal") : f->optional ? N_("optional") : N_("missing"));
	}
	fields_clear(&l);
}

int model_report(struct engine *en, const char *kind, bool lint, struct report_view *out, struct err *e)
{
	const struct report_kind *k = report_kind_find(kind);
	struct report_source *s = k != NULL ? report_source_new(en, e) : NULL;
	json_t *found, *o;
	size_t i;

	*out = (struct report_view){ 0 };
	if (s == NULL)
		return ERR_FAILED;
	found = report_lint(report_source(s), k->is);
	out->findings = json_array_size(found);
	report_view_fields(out, report_source(s), (int)k->is, !lint);
	json_array_foreach(found, i, o)
		if (lint)
			report_row_add(out, json_str(o, "what"), json_str(o, "where"), "");
	json_decref(found);
	report_source_free(s);
	return 0;
}

void model_report_free(struct report_view *v)
{
	for (size_t i = 0; i < v->rows; i++)
		free(v->row[i].name), free(v->row[i].text);
	free(v->row);
	*v = (struct report_view){ 0 };
}

const char *model_report_kind(size_t i)
{
	return i < sizeof report_order / sizeof report_order[0] ? report_order[i] : NULL;
}

bool model_owed(const struct incident *in, size_t i)
{
	return followup_owed(in, &in->followup[i], clock_now());
}

const char *model_owed_state(const struct incident *in, size_t i)
{
	return followup_overdue(in, &in->followup[i], clock_now()) ? N_("late") :
	    followup_state(in, &in->followup[i], clock_now());
}

char *model_deadline(const struct engine *en, bool *late)
{
	*late = false;
	if (engine_incident(en) == NULL)
		return mem_strdup("");
	return deadlines_line(engine_incident(en), clock_now(), late);
}

int64_t model_hold(const struct engine *en, const struct subscriber *s)
{
	return subscriber_hold(engine_incident(en), s);
}

size_t model_runs(const struct engine *en)
{
	return engine_runs(en);
}

void model_run(const struct engine *en, size_t i, struct run_view *out)
{
	const struct run *r = engine_run(en, i);

	out->command = run_command(r)->name;
	run_get_progress(r, &out->done, &out->total, &out->text);
}
