/* The deadlines of an incident, computed from its state at a moment; what to warn of; whether the pace will do. */
#ifndef SEV1_DEADLINE_H
#define SEV1_DEADLINE_H

#include <stddef.h>
#include <stdint.h>

#include "incident/incident.h"

enum deadline_kind { DEADLINE_REVOCATION, DEADLINE_ADVISED, DEADLINE_REPORT, DEADLINE_ANSWER, DEADLINE_RTO, DEADLINE_FUSE,
	DEADLINE_FOLLOWUP };

struct deadline {
	enum deadline_kind kind;
	char *name;   /* its key in the journal: "revocation:keyCompromise", "preliminary", "answer:acme" ... */
	char *title;  /* gettext'ed */
	int64_t from, due; /* ms */
	int64_t met;  /* when it was met, ms; 0 it runs */
};

/* "revocation", "advised", "preliminary", "answer", "rto", "fuse", "followup": for --json. */
const char *deadline_word(enum deadline_kind kind);
/* Every deadline that the state has: first those that are late at now, the latest first; then those that run, by their
 * time; then those that were met. A revocation is met when it is published on every point (TLS BR 4.9.1.1 and 4.9.5 count
 * from receipt to published revocation). *n of them, owned by the caller. */
struct deadline *incident_deadlines(const struct incident *in, int64_t now, size_t *n);
void incident_deadlines_free(struct deadline *list, size_t n);

/* Bodies of EV_WARNING for the points that have passed at now and were not warned of: for a deadline the last such point
 * only. Revocation, preliminary report and answers are warned of. New array; empty where there is nothing. */
json_t *incident_warnings(const struct incident *in, int64_t now);

/* How far a kind of work is, and when it will be done at the pace so far. */
struct forecast {
	const char *name;     /* "revoked", "published", "replaced" (certificates of the scope that have a successor), "reissued" */
	int64_t done, total;  /* certificates of the scope; servers for "reissued" */
	int64_t since;        /* ms: when it began */
	int64_t counted;      /* "replaced": when done was last seen to change, ms; 0 nobody has counted. The others: 0 */
	int64_t end;          /* ms: when all is done; 0 nothing is done yet, so that there is no pace */
};
/* Four of them, those without anything to do with a total of 0. What is done already ended when the last of it was. */
#define FORECASTS 4
void incident_forecast(const struct incident *in, int64_t now, struct forecast out[FORECASTS]);
/* The first deadline of revocation that is not met, ms; triage's where all are; INT64_MIN before triage. */
int64_t incident_revocation_due(const struct incident *in, int64_t now);

#endif
