/* What screens draw: a read-only view of the engine. Screens include this and engine/command.h. */
#ifndef SEV1_MODEL_H
#define SEV1_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/config.h"
#include "incident/incident.h"
#include "incident/triage.h"

struct engine;

const struct incident *model_incident(const struct engine *en); /* NULL */
const struct config *model_config(const struct engine *en);     /* NULL */
const struct err *model_config_error(const struct engine *en);
bool model_armed(const struct engine *en);

/* The last n events as lines for a journal pane, newest first: "02:26:12Z op  text". Returns how
 * many were written to line (each owned by the caller). */
size_t model_journal(struct engine *en, char **line, size_t n);
/* All of them, oldest first; *n lines; the array and lines are owned by the caller. */
char **model_timeline(struct engine *en, size_t *n);

/* Live counts of a configured CA from the last `count` command; false before there was one. */
struct ca_count {
	const char *title, *subject, *error; /* error: NULL or why it cannot be read */
	int64_t valid, expired, revoked, unreadable;
	int64_t matches;                     /* what its selectors match; -1 where it had none */
	const char *refused;                 /* why they cannot be counted; NULL */
};
bool model_count(const struct engine *en, const char *ca, struct ca_count *out);

/* The incident files of the state folder. */
struct incident_entry {
	char *path, *id, *title, *next, *error; /* next: the next checkpoint's title; error: cannot be read */
	bool drill, closed;
	int64_t declared;
	size_t checkpoints, checkpoints_done, overdue; /* overdue follow-ups */
	int64_t fuse;     /* nextUpdate of the first CRL to expire, ms; 0 none */
	int64_t followup; /* when the next open follow-up is due, ms; 0 none */
	char *followup_title;
};
struct incident_entry *model_incidents(const struct engine *en, size_t *n);
void model_incidents_free(struct incident_entry *list, size_t n);

/* Problem reports that are open, then those of incidents; the one that is due first. */
#define REPORT_WHY 6
struct report_entry {
	char *id, *level, *state, *incident, *subject, *from, *channel, *error; /* error: NULL, or why it cannot be read */
	char *why[REPORT_WHY]; /* the first reasons, "+8 asks for ..."; NULL behind the last */
	int64_t received;      /* first receipt, ms */
	int64_t due, advised;  /* when revocation must be published, and when it should be, ms; 0 it is not for this one */
	int64_t published;     /* of its incident, where that is open here: when it was; 0 it was not */
	int minutes;           /* from first receipt to due */
	char *reason;          /* the CRL reason that due goes by: recognised, or what triage answered */
	char *grounds;         /* what shows it; NULL where triage has answered */
	size_t messages, matches, keys, found;
};
struct report_entry *model_reports(const struct engine *en, size_t *n);
/* Another number once a report was written, here or by somebody else, or the open incident has gone on. */
int64_t model_reports_stamp(const struct engine *en);
void model_reports_free(struct report_entry *list, size_t n);

/* What the problem report that the incident was opened from says of a question of triage, as its answer (for a time
 * RFC 3339): ca, level, compromise, select ("report": the certificates that it names), received, channel, reporter,
 * reason; and others: the certificates of other CAs that it names, "old 2, older 1". ca: the CA that was answered, "" or NULL before. Owned by the caller; NULL where it says nothing. */
char *model_reported(const struct engine *en, const char *question, const char *ca);
/* Its id; "" where the incident was not opened from one. */
const char *model_report_id(const struct engine *en);
/* The i-th serial (hexadecimal) of those certificates of that CA; NULL past the end. */
const char *model_reported_serial(const struct engine *en, const char *ca, size_t i);

/* The i-th circumstance (TLS BR 4.9.1.1) of a reason, of those that the incident's times have; none at all where the reason
 * alone leaves no more time than each of them, so that nobody need be asked. False past the end. */
struct circumstance {
	int n, must, alone; /* minutes: in this circumstance, and by the reason alone */
	const char *title;
};
bool model_circumstance(const struct engine *en, const char *reason, size_t i, struct circumstance *out);

/* The state of CRL renewal in one line, "" where there is nothing to say; *bad: it needs somebody. Owned by the
 * caller. */
char *model_renewal(const struct engine *en, bool *bad);

/* Why a re-issue that was begun does not go, and what to do; "" where it goes or has ended. Owned by the caller. */
char *model_rollout(const struct engine *en);

/* "RE-ISSUE INTERRUPTED ..." where one was cut off and nobody runs it; "" otherwise. Owned by the caller. */
char *model_halted(const struct engine *en);

/* A report for the console: its fields, or what it lacks. */
struct report_row {
	char *name, *text; /* of a field; or what it lacks, and what mends it */
	const char *state; /* "given", "journal", "optional", "missing"; untranslated */
};
struct report_view {
	struct report_row *row;
	size_t rows, missing, findings;
};
/* kind is one of model_report_kind; lint: what it lacks instead of its fields. 0 or an error. */
int model_report(struct engine *en, const char *kind, bool lint, struct report_view *out, struct err *e);
void model_report_free(struct report_view *v);
const char *model_report_kind(size_t i); /* NULL past the end */

/* The i-th of in->followup: is it owed by now, and "open", "late", "done", "Ongoing" ... (untranslated). */
bool model_owed(const struct incident *in, size_t i);
const char *model_owed_state(const struct incident *in, size_t i);
/* The deadline that needs attention most, in one line, "" where none does; *late: its time has passed. Owned by the
 * caller. */
char *model_deadline(const struct engine *en, bool *late);
/* When the wait for a subscriber's answer ends, ms; 0 where none is waited for. */
int64_t model_hold(const struct engine *en, const struct subscriber *s);

/* A command in progress, for a progress line. */
struct run_view {
	const char *command, *text; /* text: what it is doing */
	int64_t done, total;        /* total 0: unknown */
};
size_t model_runs(const struct engine *en);
void model_run(const struct engine *en, size_t i, struct run_view *out);

#endif
