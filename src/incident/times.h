/* The times that an incident runs by, as data: until revocation is published, by reason; until the preliminary
 * report; how long a subscriber's answer is waited for; when to warn. Read once, kept in the journal. */
#ifndef SEV1_TIMES_H
#define SEV1_TIMES_H

#include <jansson.h>

#include "base/err.h"

/* Read a deadlines file's text (name for messages) into what EV_OPENED keeps as "times", times in minutes:
 *	{revocation: {REASON: n, default: n}, issued, certificate, preliminary, answer: {REASON: n, default: n},
 *	 circumstances: [{n, title, reason, must, should (0 none)}], warnings: [{percent} or {left}]}
 * New; NULL with ERR_SYNTAX naming the line. */
json_t *times_read(const char *text, const char *name, struct err *e);

/* Minutes to published revocation: level as triage has it; reason of the CRL entry, cACompromise being a CA's own
 * certificate where its CA is concerned (TLS BR 4.9.1.1, 4.9.1.2). */
int times_revocation(const json_t *times, const char *level, const char *reason);
/* Minutes that an answer is waited for. */
int times_answer(const json_t *times, const char *reason);
/* The circumstance of that number; borrowed, NULL where there is none. */
const json_t *times_circumstance(const json_t *times, int n);

#endif
