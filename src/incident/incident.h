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

struct ca_scope {
	char *ca;
	int64_t valid, expired, revoked, unreadable, selected;
	char *manifest;
	json_t *reasons; /* {reason: certificates selected}; NULL in journals of before */
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

struct crl_made {
	char *ca, *part, *number, *sha256, *der, *pem, *signature;
	int64_t entries, octets, this_update, next_update, at;
	bool revoke, renewed;
};

struct ladder { /* CRLs that were signed ahead, the last of each CA */
	char *ca, *detail;
	json_t *rungs;  /* see EV_LADDER */
	bool stale;     /* no rung of it may be published; detail says why */
};

struct renewing { /* tries to renew a CA's CRL since it was last signed */
	char *ca, *detail;
	bool failed;    /* the last try did, with this detail */
	int tries;
	int64_t at;     /* when the last one began */
};

struct revocation {
	char *ca, *plan, *manifest, *backup, *detail;
	int64_t stamp;           /* ms: the revocation date that is written */
	int64_t planned, revoked;
	/* undoing: that was begun and has not ended; undone: as if it had not been */
	enum { REVOKE_STARTED, REVOKE_DONE, REVOKE_FAILED, REVOKE_UNDOING, REVOKE_UNDONE } state;
	int64_t at;              /* ms: when it was last begun */
	int64_t published;       /* ms: when every point first served a CRL of it; 0 not yet */
	char *offered;           /* the first point that a CRL of it was begun to be put on; "" none */
	struct crl_made before;  /* the CA's CRL before it; .ca NULL where there was none */
};

enum point_state { POINT_NONE, POINT_STARTED, POINT_PLACED, POINT_VERIFIED, POINT_FAILED };

struct point {
	char *ca, *point, *part, *url, *sha256, *detail;
	enum point_state state;
	int attempt;
	int64_t at, until; /* until: nextUpdate of the CRL that it was last seen to serve; 0 none */
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
 * "rolled back", unreachable, refused, skipped. What stands in its second line is known once it has ended, and is
 * NULL where it is not: phases "connect 0 csr 120 ..." (ms after it was begun), the certificate it had before, and
 * what it said, a line each. */
struct host_row {
	char *host, *phase, *state, *detail, *serial, *fingerprint;
	char *phases, *old_serial, *old_fingerprint, *old_subject, *output;
	char *issuer; /* fingerprint of the issuer that it was verified with; NULL: not yet */
	int64_t not_after, old_not_after, ms, at;
	size_t wave; /* of the rollout, from 1; 0: it is not in it */
	bool tried;  /* in this rollout, to its end */
};

/* The last re-issue that was begun, with all that resumed it. */
enum rollout_state { ROLLOUT_NONE, ROLLOUT_GOING, ROLLOUT_PAUSED, ROLLOUT_DRAINING, ROLLOUT_ABORTED, ROLLOUT_ENDED,
	ROLLOUT_INTERRUPTED }; /* only of rollout_stands */
struct rollout {
	enum rollout_state state;
	struct rollout_wave {
		char *name;
		size_t hosts, verified; /* of those that are in it */
	} *wave;
	size_t waves, at; /* at: the wave that runs or ran last, from 1; 0 before the first */
	long failed, unreachable, refused; /* how many may be; -1: no limit */
	char *stopped; /* why it ended early; "" */
};

struct replaced { /* certificates of the scope that had a successor at a moment */
	int64_t at, total, replaced, seen, unknown;
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

/* The first open checkpoint, or NULL where none is left. */
/* What the frozen scope is revoked for: the one reason, or "keyCompromise 4812, superseded 2"; the answer of
 * triage while nothing is frozen. Owned by the caller. */
char *incident_reasons(const struct incident *in);
const struct checkpoint *incident_next(const struct incident *in);
const struct checkpoint *incident_checkpoint(const struct incident *in, int n); /* NULL */
bool incident_checkpoint_closed(const struct incident *in, const char *evidence);
const struct crl_made *incident_crl(const struct incident *in, const char *ca);   /* the whole CA's; NULL */
const struct crl_made *incident_crl_part(const struct incident *in, const char *ca, const char *part); /* NULL */
const struct ladder *incident_ladder(const struct incident *in, const char *ca);  /* NULL */
const struct renewing *incident_renewing(const struct incident *in, const char *ca); /* NULL */
const struct revocation *incident_revocation(const struct incident *in, const char *ca);
const struct action *incident_action(const struct incident *in, const char *id);
const struct point *incident_point(const struct incident *in, const char *ca, const char *point);
const struct notice *incident_notice(const struct incident *in, const char *name);
/* Its state; running: somebody runs an action on the incident. Where nobody does, what the journal leaves going was cut
 * off (kill -9, a power cut): interrupted, or ended where no host is left to try. */
enum rollout_state rollout_stands(const struct incident *in, bool running);
/* "going", "paused" ...: untranslated. */
const char *rollout_word(enum rollout_state state);
/* "wave 2 of 4 (10%)", where there is more than one; owned by the caller, "" otherwise. */
char *rollout_words(const struct rollout *r);
const struct host_row *incident_host(const struct incident *in, const char *host);
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

/* The clocks at a moment, in ms left; INT64_MIN where a clock does not run yet. */
int64_t incident_rto_left(const struct incident *in, int64_t now);      /* to the last checkpoint's due */
int64_t incident_deadline_left(const struct incident *in, int64_t now); /* from first receipt */
int64_t incident_fuse_left(const struct incident *in, int64_t now);     /* first nextUpdate of the CRLs made, or served where one is not there yet */
/* When the last rung of the ladder that ends first expires, ms; INT64_MIN without one that can be used. */
int64_t incident_ladder_end(const struct incident *in);
int64_t checkpoint_left(const struct incident *in, const struct checkpoint *cp, int64_t now);
/* "open", "done", "by hand" or "waived"; and of an open one whether it is "late" or "next": to be translated. */
const char *checkpoint_state(const struct checkpoint *cp);
const char *checkpoint_word(const struct incident *in, const struct checkpoint *cp, int64_t now);
/* Closed: when, counted from the declaration. Open: "-" and what is left to its due time; "+" and by how much it is late. */
char *checkpoint_clock(char *out, size_t size, const struct incident *in, const struct checkpoint *cp, int64_t now);

/* checkpoint.c: does every distribution point of the CA serve its CRL of this revocation? */
bool incident_published_of(const struct incident *in, const char *ca);
/* checkpoint.c: bring every checkpoint's state and words up to date; at dates what closed now. */
void checkpoint_update(struct incident *in, int64_t at);
/* Is this a word of evidence that checkpoint_update can judge? */
bool checkpoint_evidence(const char *word);

#endif
