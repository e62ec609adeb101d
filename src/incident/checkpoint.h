/* Checkpoints of the hour, each closed by evidence, and what is owed afterwards. */
#ifndef SEV1_CHECKPOINT_H
#define SEV1_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct incident;

enum checkpoint_state { CP_OPEN, CP_DONE, CP_BY_HAND, CP_WAIVED };

struct checkpoint {
	int n;
	char *title;
	int due;         /* minutes after the declaration */
	char *command;   /* what the operator does next: "triage", "contain", "notify management" ... */
	char *evidence;  /* what closes it: see checkpoint.c */
	enum checkpoint_state state;
	int64_t done_at; /* ms; 0 while open */
	char *shown;     /* the evidence in words, or how far it is: "2 of 5 actions held"; never NULL */
};

/* What is owed afterwards: the playbook's follow-ups, action items, and what a late revocation adds; see owed.h. */
enum owed_status { OWED_ONGOING, OWED_COMPLETE, OWED_DELAYED, OWED_CANCELED };
enum owed_when { OWED_ALWAYS, OWED_IF_LATE, OWED_WHILE_LATE };

struct followup {
	int n;
	char *title;
	int64_t due;     /* ms; -1 per regulation */
	bool done;       /* Complete or Canceled */
	char *text;      /* what came of it */
	char *kind;      /* "Prevent", "Mitigate" or "Detect" of an action item; "" of a follow-up */
	char *cause;     /* the contributing factors it answers: "1, w2"; see owed.h */
	char *criteria;
	enum owed_status status;
	enum owed_when when;
	int64_t at;      /* ms: when it last changed; 0 never */
};

struct field { /* of a report: the last EV_FIELD of that name */
	char *name, *text; /* lines with a newline between them */
	int64_t at;
};

/* The first open checkpoint, or NULL where none is left. */
const struct checkpoint *incident_next(const struct incident *in);
const struct checkpoint *incident_checkpoint(const struct incident *in, int n); /* NULL */
bool incident_checkpoint_closed(const struct incident *in, const char *evidence);
int64_t checkpoint_left(const struct incident *in, const struct checkpoint *cp, int64_t now);
/* "open", "done", "by hand" or "waived"; and of an open one whether it is "late" or "next": to be translated. */
const char *checkpoint_state(const struct checkpoint *cp);
const char *checkpoint_word(const struct incident *in, const struct checkpoint *cp, int64_t now);
/* Closed: when, counted from the declaration. Open: "-" and what is left to its due time; "+" and by how much it is late. */
char *checkpoint_clock(char *out, size_t size, const struct incident *in, const struct checkpoint *cp, int64_t now);

/* Bring every checkpoint's state and words up to date; at dates what closed now. */
void checkpoint_update(struct incident *in, int64_t at);
/* Is this a word of evidence that checkpoint_update can judge? */
bool checkpoint_evidence(const char *word);

#endif
