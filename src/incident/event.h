/* What the journal holds. An event is a fact with a time, an actor and a JSON body; everything on a
 * screen or in a report is computed from events. Times in bodies are ms since the epoch, UTC. */
#ifndef SEV1_EVENT_H
#define SEV1_EVENT_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"

enum event_kind {
	/* {id, title, kind: "real"|"drill", profile, organisation, declared, root (a drill's folder),
	 *  checkpoints: [{n, title, due, command, evidence}], (due in minutes after declared)
	 *  followups: [{n, title, due}], (due in minutes, -1: per regulation)
	 *  times: see times_read; absent in journals of before} */
	EV_OPENED,
	EV_SESSION,      /* {version, how: "console"|"command", pid, host} */
	EV_ARMED,        /* {on: bool} */
	EV_NOTE,         /* {text} */
	/* {ca, level: "root"|"intermediate"|"end-entity", compromise: 1..4, trigger, action, received,
	 *  channel, reporter, since (0 unknown), reason, circumstance (a number, 0 none), selectors: {groups: [see selectors_resolve in
	 *  pki/selector.h]}, tell: [..], deadline} */
	EV_TRIAGE,
	/* {manifest, count, cas: [{ca, valid, expired, revoked, unreadable, selected, manifest, reasons: {name: n},
	 *   groups: see selectors_result}],
	 *  own: [{ca, issuer, serial, subject}]} own: CA certificates to revoke at their issuer */
	EV_SCOPE,
	EV_PLAN,         /* {command, hash, phrase, title, spec: {...}} */
	EV_CONFIRMED,    /* {command, hash} */
	EV_REFUSED,      /* {command, hash, why} */
	EV_ACTION_START, /* {id, title, kind, host, command, verify, undo} */
	EV_ACTION_END,   /* {id, outcome: "held"|"failed"|"undone", detail, ms, sha256, octets} */
	EV_REVOKE_START, /* {ca, plan, manifest, count, stamp} */
	EV_REVOKE_END,   /* {ca, plan, outcome: "done"|"failed", planned, revoked, backup, detail, ms} */
	/* {ca, number (hex), entries, this_update, next_update, sha256 (of the DER), der, pem (paths),
	 *  octets, signature, revoke: bool (made by a revocation), part (its partition, "" the whole CA), renewed: bool,
	 *  ladder: bool (a rung)} */
	EV_CRL,
	EV_UNDO_START,   /* {ca, plan, backup, sha256, stamp, count} the revocation of that stamp is taken back */
	EV_UNDO_END,     /* {ca, plan, outcome: "done"|"failed", rows, crls: [paths set aside], number, detail, ms} */
	EV_POINT_START,  /* {ca, point, part, url, sha256} */
	EV_POINT,        /* {ca, point, part, url, sha256, state: "placed"|"verified"|"failed", attempt, detail} */
	EV_NOTICE_START, /* {notice, sha256 (of the text), subject, to: [..]} */
	EV_NOTICE,       /* {notice, to, outcome: "accepted"|"failed", detail, transport} */
	EV_CHECKPOINT,   /* {n, state: "by hand"|"waived"|"reopened", reason} */
	EV_CEREMONY,     /* {step, text}: a step of a key ceremony, witnessed */
	/* {name, subject, fingerprint, spki, not_after, how: "existing"|"made"|"imported",
	 *  config: its openssl.cnf where it is not in the configuration file} */
	EV_ISSUER,
	/* {plan, issuer, hosts: [names in the order of the waves], waves: [{name, hosts}], resumed: bool,
	 *  limits: {failed, unreachable, refused}} (-1: none); resumed: the waves are those of the start before,
	 *  and hosts is what they have left */
	EV_REISSUE_START,
	EV_WAVE,         /* {wave (from 1), waves, name, hosts, state: "started"|"ended"} */
	EV_STEER,        /* {what: "pause"|"continue"|"skip"|"drain"|"abort", host, text}: the operator's word */
	/* {rows: [{host, phase, state, detail, serial, fingerprint, not_after, ms,
	 *  phases: "connect 0 csr 120" (ms after the beginning), before: {serial, fingerprint, subject, not_after},
	 *  output: [lines]}]} */
	EV_HOST,
	EV_REISSUE_END,  /* {verified, failed, unreachable, refused, skipped, waiting, ms, stopped (why, "")} */
	EV_FOLLOWUP,     /* {n, done: bool, text} */
	EV_REPORT,       /* {format, kind: a report_kinds name, path, sha256} */
	EV_CLOSED,       /* {reason} */
	EV_RENEWAL,      /* {on: bool}: the standing order to renew CRLs unattended */
	/* {ca, how: "sign"|"rung"|"publish", due: bool (by the standing order), state: "started"|"failed", detail} */
	EV_RENEW,
	/* {ca, state: "signed"|"stale", detail, step (ms), hours, rungs: [{number, this_update, next_update, sha256, entries,
	 *  octets, signature, der, part}]} */
	EV_LADDER,
	/* {state: "started"|"written"|"failed", detail, folder, files, sha256 (over names and body), manifest, start, end (of
	 * the window), explanation, retry_after}: renewalInfo (RFC 9773) of the whole scope */
	EV_ARI,
	/* {total, replaced, seen (by a server's handshake), unknown, lost, issuer, manifest}: how far replacement is */
	EV_REPLACED,
	EV_FIELD,        /* {name, lines: [..]}: what a report says of something that no journal knows; [] takes it back */
	/* {n, title, kind: "Prevent"|"Mitigate"|"Detect"|"", cause, criteria, due, status: "Ongoing"|"Complete"|"Delayed"|
	 *  "Canceled", text}: an action item begins or changes; a member that is absent stays as it was */
	EV_ITEM,
	/* {path, sha256, form: "csv"|"links", rows, revoked, missing: rows without a certificate file} */
	EV_APPENDIX,
	/* {deadline, title, point: "50%"|"1h"|"late", when (that point's moment), due}: a deadline comes near, or has passed */
	EV_WARNING,
	/* {file, rows: [{name, kind: "reporter"|"subscriber", mail, phone, webhook (its label), certificates, reasons: {name: n}}],
	 *  certificates, unmatched (certificates of nobody in the file)}: who is concerned */
	EV_ROSTER,
	/* {subscriber, channel, outcome: "reached"|"no answer"|"failed", detail, when, preliminary: bool (the report was
	 *  given)}: an attempt that was typed in; sent ones are EV_NOTICE "subscriber:NAME" and "preliminary:NAME" */
	EV_CONTACT,
	EV_ANSWER,       /* {subscriber, channel, text, when} */
	/* {rows: [{name, since, until}], certificates}: no answer came in time, the plan proceeds to revocation */
	EV_PROCEED,
	EV_KINDS
};

struct event {
	int64_t seq;  /* 1, 2, 3 ... */
	int64_t at;   /* ms */
	char *actor;  /* who: "op", a login name, "sev1" */
	enum event_kind kind;
	json_t *body; /* an object; strings in it are already escaped for the terminal */
};

/* "incident.opened" ...: the name in the journal. */
const char *event_name(enum event_kind kind);
/* The kind of a name, or -1. */
int event_kind_of(const char *name);
/* The event as one sentence for a timeline, in the user's language; owned by the caller. */
char *event_text(const struct event *ev);
void event_clear(struct event *ev); /* free what ev owns */

#endif
