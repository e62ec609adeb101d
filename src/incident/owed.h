/* What is owed after the hour, in one list (incident.followup): the playbook's follow-ups, the action items of the
 * incident report, and the reports and status updates that a late revocation adds. */
#ifndef SEV1_OWED_H
#define SEV1_OWED_H

#include "incident/incident.h"

/* The status updates of a late revocation: CCADB asks for one every 3 to 7 days. */
#define OWED_STATUS_EVERY (7LL * 24 * 3600 * 1000)

/* When the revocation was published: the checkpoint that says so closed, by evidence or by hand. ms; 0 not yet. */
int64_t incident_published(const struct incident *in);
/* Is the revocation late at now: published after its deadline, or not published and the deadline past? */
bool incident_late(const struct incident *in, int64_t now);

/* Does it concern us at now? What only a late revocation owes does not before. */
bool followup_owed(const struct incident *in, const struct followup *f, int64_t now);
bool followup_overdue(const struct incident *in, const struct followup *f, int64_t now);
/* "done", "open", "overdue" of a follow-up; "Ongoing", "Complete" ... of an action item, "overdue" past its day. Untranslated. */
const char *followup_state(const struct incident *in, const struct followup *f, int64_t now);
const struct followup *incident_followup(const struct incident *in, int n); /* NULL */
int incident_followup_next(const struct incident *in); /* a number that is not taken */

const char *owed_status_name(enum owed_status st);      /* "Ongoing" */
int owed_status_of(const char *name);                   /* -1; letter case is ignored */
/* The kinds' own spelling ("Prevent") of any letter case; NULL. */
const char *owed_kind_of(const char *name);

/* A word of "1, w2, d1, dw2": contributing factor 1, point 2 of what didn't go well; d: of the revocation delay
 * report. *at goes behind it. False at the end; *n is 0 where it is none of these. */
struct owed_cause {
	bool delay, bad; /* bad: of what didn't go well */
	int n;
	char word[16];
};
bool owed_cause_next(const char **at, struct owed_cause *c);

/* Is it an action item of the incident's report, or of the delay's? It belongs where the factors are that it names;
 * where it names none, to the incident's. */
bool followup_reported(const struct followup *f, bool delay);

/* The text of a field; "" where it was never given or was taken back. */
const char *incident_field(const struct incident *in, const char *name);

#endif
