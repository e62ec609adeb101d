/* The state of an incident: a fold over its events. Pure: no I/O, no clock; time is an argument. */
#ifndef SEV1_INCIDENT_H
#define SEV1_INCIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dict.h"
#include "base/err.h"
#include "incident/checkpoint.h"
#include "incident/contained.h"
#include "incident/event.h"
#include "incident/reissued.h"
#include "incident/revoked.h"
#include "incident/told.h"

struct incident {
	char *id, *title, *profile, *organisation, *root; /* root: a drill's folder, "" otherwise */
	bool drill, closed, armed;
	int64_t declared;  /* ms */
	json_t *report;    /* the problem report that it was opened from: {id, subject, reporter, channel, ca, received, hops,
	                    * keys, selectors: groups as given, reason: recognised,
	                    * others: {ca: certificates of it that are named too}}; NULL */

	struct {
		bool answered;
		char *ca, *level, *trigger, *action, *channel, *reporter, *reason;
		int compromise, circumstance;
		int64_t received, since, deadline;
		json_t *selectors; /* NULL or an object */
		json_t *tell;      /* NULL or an array of strings */
	} triage;

	bool scope_frozen;
	char *manifest;
	int64_t scope_count; /* end-entity and CA certificates to be revoked */
	struct ca_scope *scope; size_t scopes;
	struct own_cert *own; size_t owns;

	struct checkpoint *checkpoint; size_t checkpoints;
	struct followup *followup; size_t followups;
	struct field *field; size_t fields;
	struct action *action; size_t actions;
	struct revocation *revocation; size_t revocations; /* the last one of each CA */
	struct crl_made *crl; size_t crls;                 /* the last one of each CA and partition */
	struct ladder *ladder; size_t ladders;
	struct renewing *renewing; size_t renewings;
	bool renewal;                                      /* the standing order to renew CRLs unattended */
	struct point *point; size_t points;                /* the last state of each point */
	struct notice *notice; size_t notices;
	struct recipient *recipient; size_t recipients;
	struct issuer *issuer;                             /* the replacement; NULL until chosen */
	struct host_row *host; size_t hosts;
	json_t *times;                                     /* see times_read; NULL in journals of before */
	json_t *warned;                                    /* {deadline: the moment of the last point warned of} */
	struct subscriber *subscriber; size_t subscribers;
	int64_t roster_at, unmatched;                      /* when they were looked up last; certificates of nobody */
	struct dict by_host;                               /* name -> index in host */
	size_t hosts_verified, hosts_failed;
	struct rollout rollout;
	struct { char *folder, *sha256; int64_t files, at; } ari; /* at 0: no renewal information of this scope */
	struct replaced *replaced; size_t replacements;    /* of this scope, oldest first */
	int64_t reissue_at, reissue_first;                 /* when the last re-issue began, and the first; 0 none */

	char *plan_command, *plan_hash, *plan_phrase; /* the last plan made; NULL without */
	json_t *plan_spec;
	struct { char *hash, *by; int64_t seq, at; } confirmed; /* the last plan that was, by whom; seq 0 none */

	int64_t last_seq, last_at;
};

struct incident *incident_new(void);
void incident_free(struct incident *in);

/* Fold one event in. 0, or ERR_SYNTAX where its body cannot be (the state is unchanged). */
int incident_apply(struct incident *in, const struct event *ev, struct err *e);

/* What the frozen scope is revoked for: the one reason, or "keyCompromise 4812, superseded 2"; the answer of
 * triage while nothing is frozen. Owned by the caller. */
char *incident_reasons(const struct incident *in);
/* The clocks at a moment, in ms left; INT64_MIN where a clock does not run yet. */
int64_t incident_rto_left(const struct incident *in, int64_t now);      /* to the last checkpoint's due */
int64_t incident_deadline_left(const struct incident *in, int64_t now); /* from first receipt */
int64_t incident_fuse_left(const struct incident *in, int64_t now);     /* first nextUpdate of the CRLs made, or served where one is not there yet */

#endif
