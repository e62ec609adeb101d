/* What came of a drill: each checkpoint against its time, computed from the incident's state. */
#ifndef SEV1_SCORE_H
#define SEV1_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "incident/incident.h"

enum verdict { VERDICT_IN_TIME, VERDICT_LATE, VERDICT_BY_HAND, VERDICT_WAIVED, VERDICT_OPEN };

struct score_line {
	int n;
	char *title;
	int64_t due, took; /* ms after the declaration; took is -1 while open */
	enum verdict verdict;
	int points;        /* 10 in time by evidence; 5 late, by hand or waived; 0 open */
};

struct score {
	struct score_line *line; size_t lines;
	int points, of;
	bool evidence;     /* every checkpoint is closed, each by evidence */
	bool rto;          /* the last one within its time */
	/* From first receipt to the last checkpoint about publication: TLS BR 4.9.1.1 counts so. */
	int64_t deadline_left; /* ms that were left, negative: late; INT64_MIN without triage or CRL */
	size_t hosts, hosts_verified;
};

/* The score at a moment. Owned by the caller. */
struct score *score_new(const struct incident *in, int64_t now);
void score_free(struct score *s);
/* The score in lines for people, owned by the caller, the array too; *n of them. */
char **score_text(const struct score *s, size_t *n);

#endif
