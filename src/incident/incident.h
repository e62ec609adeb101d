/* The state of an incident: a fold over its events. Pure: no I/O, no clock; time is an argument. */
#ifndef SEV1_INCIDENT_H
#define SEV1_INCIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dict.h"
#include "base/err.h"
#include "incident/event.h"

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

struct followup {
	int n;
	char *title;
	int64_t due;     /* ms; -1 per regulation */
	bool done;
	char *text;
};

struct ca_scope {
	char *ca;
	int64_t valid, expired, revoked, unreadable, selected;
	char *manifest;
};

struct own_cert { /* a CA certificate that is to be revoked at its issuer */
	char *ca, *issuer, *serial, *subject;
};

enum action_state { ACTION_NONE, ACTION_RUNNING, ACTION_HELD, ACTION_FAILED, ACTION_UNDONE };

struct action {
	char *id, *title, *kind, *host, *command, *verify, *undo, *detail;
	enum action_state state;
	int64_t at, ms; /* when its state changed; how long it took */
	char *sha256;   /* of a forensic image, "" otherwise */
};

struct revocation {
	char *ca, *plan, *manifest, *backup, *detail;
	int64_t stamp;           /* ms: the revocation date that is written */
	int64_t planned, revoked;
	enum { REVOKE_STARTED, REVOKE_DONE, REVOKE_FAILED } state;
};

struct crl_made {
	char *ca, *number, *sha256, *der, *pem, *signature;
	int64_t entries, octets, this_update, next_update, at;
	bool revoke;
};

enum point_state { POINT_NONE, POINT_STARTED, POINT_PLACED, POINT_VERIFIED, POINT_FAILED };

struct point {
	char *ca, *point, *url, *sha256, *detail;
	enum point_state state;
	int attempt;
	int64_t at;
};

struct recipient {
	char *notice, *to, *detail;
	bool accepted;
	int64_t at;
};

struct notice {
	char *name, *subject, *sha256;
	size_t wanted, accepted, failed; /* recipients */
};

struct issuer {
	char *name, *subject, *fingerprint, *spki, *how;
	char *config; /* its openssl.cnf where it was made here; "" for a configured one */
	int64_t not_after;
};

/* A host's row. phase is the last one reached; state one of waiting, running, verified, failed,
 * "rolled back", unreachable, refused. What stands in its second line is known once it has ended, and is NULL
 * where it is not: phases "connect 0 csr 120 ..." (ms after it was begun), the certificate it had before, and
 * what it said, a line each. */
struct host_row {
	char *host, *phase, *state, *detail, *serial, *fingerprint;
	char *phases, *old_serial, *old_fingerprint, *old_subject, *output;
	int64_t not_after, old_not_after, ms, at;
};

struct incident {
	char *id, *title, *profile, *organisation, *root; /* root: a drill's folder, "" otherwise */
	bool drill, closed, armed;
	int64_t declared;  /* ms */

	struct {
		bool answered;
		char *ca, *level, *trigger, *action, *channel, *reporter, *reason;
		int compromise;
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
	struct action *action; size_t actions;
	struct revocation *revocation; size_t revocations; /* the last one of each CA */
	struct crl_made *crl; size_t crls;                 /* the last one of each CA */
	struct point *point; size_t points;                /* the last state of each point */
	struct notice *notice; size_t notices;
	struct recipient *recipient; size_t recipients;
	struct issuer *issuer;                             /* the replacement; NULL until chosen */
	struct host_row *host; size_t hosts;
	struct dict by_host;                               /* name -> index in host */
	size_t hosts_verified, hosts_failed;
	int64_t reissue_at;                                /* when the last re-issue began; 0 */

	char *plan_command, *plan_hash, *plan_phrase; /* the last plan made; NULL without */
	json_t *plan_spec;
	bool plan_confirmed;

	int64_t last_seq, last_at;
};

struct incident *incident_new(void);
void incident_free(struct incident *in);

/* Fold one event in. 0, or ERR_SYNTAX where its body cannot be (the state is unchanged). */
int incident_apply(struct incident *in, const struct event *ev, struct err *e);

/* The first open checkpoint, or NULL where none is left. */
const struct checkpoint *incident_next(const struct incident *in);
const struct checkpoint *incident_checkpoint(const struct incident *in, int n); /* NULL */
bool incident_checkpoint_closed(const struct incident *in, const char *evidence);
const struct crl_made *incident_crl(const struct incident *in, const char *ca);   /* NULL */
const struct revocation *incident_revocation(const struct incident *in, const char *ca);
const struct action *incident_action(const struct incident *in, const char *id);
const struct point *incident_point(const struct incident *in, const char *ca, const char *point);
const struct notice *incident_notice(const struct incident *in, const char *name);
const struct host_row *incident_host(const struct incident *in, const char *host);

/* The clocks at a moment, in ms left; INT64_MIN where a clock does not run yet. */
int64_t incident_rto_left(const struct incident *in, int64_t now);      /* to the last checkpoint's due */
int64_t incident_deadline_left(const struct incident *in, int64_t now); /* from first receipt */
int64_t incident_fuse_left(const struct incident *in, int64_t now);     /* first nextUpdate of the CRLs made */
int64_t checkpoint_left(const struct incident *in, const struct checkpoint *cp, int64_t now);

/* checkpoint.c: bring every checkpoint's state and words up to date; at dates what closed now. */
void checkpoint_update(struct incident *in, int64_t at);
/* Is this a word of evidence that checkpoint_update can judge? */
bool checkpoint_evidence(const char *word);

#endif
