/* Who was told: recipients of notices, and subscribers one by one. */
#ifndef SEV1_TOLD_H
#define SEV1_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct incident;

struct recipient {
	char *notice, *to, *detail;
	bool accepted;
	int64_t at;
};

struct notice {
	char *name, *subject, *sha256;
	size_t wanted, accepted, failed; /* recipients */
};

/* One attempt to reach somebody. */
struct attempt {
	char *channel, *outcome, *detail; /* outcome: "sent", "reached", "no answer", "failed" */
	int64_t at;
};

struct subscriber { /* who is to be told: a subscriber, or the reporter */
	char *name, *mail, *phone, *webhook, *answer;
	bool reporter;          /* no answer is waited for */
	int64_t certificates;   /* of the scope */
	json_t *reasons;        /* {reason: certificates} */
	struct attempt *attempt; size_t attempts;
	int64_t tried;          /* the first attempt, whatever came of it; 0 none. The rest likewise: */
	int64_t answered, reported /* has the preliminary report */, proceeded;
};

const struct notice *incident_notice(const struct incident *in, const char *name);
const struct subscriber *incident_subscriber(const struct incident *in, const char *name);
/* When the wait for an answer ends: from the first attempt, by the shortest time of the reasons of the subscriber's
 * certificates, and never after the revocation deadline. 0 where none is waited for: not tried, or answered. */
int64_t subscriber_hold(const struct incident *in, const struct subscriber *s);
#define TOLD_BY_HAND "by hand" /* EV_NOTICE's to, where somebody told the approvers himself */
/* The plan has proceeded past a wait for an answer, and those who approve were not told of it since: some were not reached, or
 * none was tried. */
bool incident_untold(const struct incident *in);
/* Has this approver been told since? to is as EV_NOTICE has it. */
bool incident_told(const struct incident *in, const char *to);

#endif
