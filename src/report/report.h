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
};

struct report_format {
	const char *name;   /* "markdown", as --format takes it */
	const char *suffix; /* "md" */
	void (*write)(const struct report *r, struct buf *b);
};

/* Ends with a NULL name. */
extern const struct report_format report_formats[];
const struct report_format *report_format_find(const char *name); /* NULL */

/* The formats. Every string is escaped for its format: no text of the incident becomes markup. */
void markdown_write(const struct report *r, struct buf *b);
void json_report_write(const struct report *r, struct buf *b);

/* What the formats share. */
int64_t report_due(const struct report *r, const struct checkpoint *c); /* ms */
/* How far a checkpoint was from its time, in ms: positive early, negative late; for an open one
 * measured now. */
int64_t report_margin(const struct report *r, const struct checkpoint *c);
const char *report_checkpoint_state(const struct checkpoint *c); /* untranslated: "done", "by hand" ... */
const char *report_action_state(const struct action *a);         /* "held", "failed" ... */
const char *report_point_state(const struct point *p);           /* "verified", "failed" ... */
const char *report_revocation_state(const struct revocation *v); /* "done", "failed", "started" */
/* When the checkpoint with this evidence closed by it, ms; 0 while it did not. */
int64_t report_closed_at(const struct report *r, const char *evidence);
/* The event that confirmed or refused the plan of event i, or NULL. */
const struct event *report_verdict_of(const struct report *r, size_t i);

#endif
