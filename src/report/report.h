/* The after-action report: one document from the state of an incident and its events. Pure: it reads
 * no file and no clock; whoever asks hands everything in. */
#ifndef SEV1_REPORT_H
#define SEV1_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "incident/incident.h"

struct report {
	const struct incident *in;
	const struct event *event; /* all of them, in order; borrowed */
	size_t events;
	int64_t at;                /* ms: when the report is made */
	const char *version;       /* of sev1 */
	int64_t rows;              /* of the journal */
	const char *head;          /* its last hash, hex */
	const char *verdict;       /* NULL: the chain verifies; else why it does not */
	const char *appendix;      /* what the file of the last EV_APPENDIX holds now; NULL: it is not there */
	const char *appendix_sha256;
	const char *manifest;      /* the manifests of the scope, one behind another; NULL: not there */
};

/* What is told to whom. */
enum report_what { REPORT_AFTER, REPORT_PRELIMINARY, REPORT_FULL, REPORT_CLOSURE, REPORT_DELAY, REPORT_STATUS };
struct report_kind {
	const char *name; /* "full", as --kind takes it */
	const char *what; /* untranslated */
	enum report_what is;
};
extern const struct report_kind report_kinds[]; /* ends with a NULL name */
const struct report_kind *report_kind_find(const char *name); /* NULL */

/* A report in the form and order of the CCADB, version 3.2 of its template, in Markdown. The headings are the
 * template's and are not translated. Where something is still missing it says so. */
void ccadb_write(const struct report *r, enum report_what kind, struct buf *b);
void ccadb_html_write(const struct report *r, enum report_what kind, struct buf *b);

/* What is missing or contradicts itself: [{what, where}], new; empty where the report can go out. */
json_t *report_lint(const struct report *r, enum report_what kind);

struct report_format {
	const char *name;   /* "markdown", as --format takes it */
	const char *suffix; /* "md" */
	void (*write)(const struct report *r, struct buf *b);
	void (*ccadb)(const struct report *r, enum report_what kind, struct buf *b); /* the CCADB's kinds; NULL: not in this one */
};

/* Ends with a NULL name. */
extern const struct report_format report_formats[];
const struct report_format *report_format_find(const char *name); /* NULL */

/* The formats. Every string is escaped for its format: no text of the incident becomes markup. */
void markdown_write(const struct report *r, struct buf *b);
void html_write(const struct report *r, struct buf *b);
void json_report_write(const struct report *r, struct buf *b);

/* What the formats share. */
int64_t report_due(const struct report *r, const struct checkpoint *c); /* ms */
/* How far a checkpoint was from its time, in ms: positive early, negative late; for an open one
 * measured now. */
int64_t report_margin(const struct report *r, const struct checkpoint *c);
const char *report_action_state(const struct action *a);         /* "held", "failed" ... */
const char *report_point_state(const struct point *p);           /* "verified", "failed" ... */
const char *report_revocation_state(const struct revocation *v); /* "done", "failed", "started" */
/* When the checkpoint with this evidence closed by it, ms; 0 while it did not. */
int64_t report_closed_at(const struct report *r, const char *evidence);
const char *report_compromise(const struct incident *in); /* translated; "" before triage */
/* "2026-08-31 02:26Z": UTC, to the minute. Returns out. */
char *report_minute(char out[32], int64_t ms);
/* "35 h 05 min". out needs 32 octets. Returns out. */
char *report_hours(char out[32], int64_t ms);
/* How many of the scope's certificates are revoked, and not again valid. */
int64_t report_revoked(const struct report *r);
/* "2 406 of 4 812 certificates have a successor, 1 seen on servers": as it was counted last; owned by the caller, "" before. */
char *report_replaced(const struct report *r);
/* The last EV_APPENDIX's body, or NULL. */
const json_t *report_appendix(const struct report *r);
/* The timeline that is told: given events, the timeline field's lines, and the journal's milestones, in their order. */
struct moment {
	int64_t at;
	char *text;
};
struct moment *report_moments(const struct report *r, size_t *n);
void moments_free(struct moment *m, size_t n);
/* The event that confirmed or refused the plan of event i, or NULL. */
const struct event *report_verdict_of(const struct report *r, size_t i);

#endif
