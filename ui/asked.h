/* The questions of triage and of recovery. Their context (ask_init) is the engine. */
#ifndef SEV1_ASKED_H
#define SEV1_ASKED_H

#include "answer.h"
#include "ask.h"

extern const struct ask_item triage_items[];
extern const struct ask_item recover_items[];
/* Once triage's questions are initialised: those that a problem report answers come up with its answers. */
void triage_source(struct ask *a, const struct engine *en);
/* The number that was answered; 0 none. */
int asked_circumstance(const struct ask *a);
/* Put the answers into the arguments of the command. An answer "reissue" of recovery is none: it
 * stands for that command. */
void triage_words(const struct ask *a, struct answer *w);
void recover_words(const struct ask *a, struct answer *w);

/* Valid certificates of a CA and all below it, as counted last; *cas: how many CAs were counted. */
int64_t triage_valid(const struct engine *en, const char *top, size_t *cas);

#endif
