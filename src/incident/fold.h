/* Shared by incident.c and fold.c only: parts of the state that an event replaces as a whole. */
#ifndef SEV1_FOLD_H
#define SEV1_FOLD_H

#include "incident/incident.h"

void incident_free_playbook(struct incident *in);
void incident_free_scope(struct incident *in);
void incident_free_issuer(struct incident *in);
void incident_free_subscribers(struct incident *in);
/* subscriber.c: who is told, tried, has answered. */
void apply_roster(struct incident *in, const struct event *ev);
void apply_contact(struct incident *in, const struct event *ev);
void apply_answer(struct incident *in, const struct event *ev);
void apply_proceed(struct incident *in, const struct event *ev);
/* A notice "subscriber:NAME" or "preliminary:NAME" had an outcome; others are passed over. */
void apply_told(struct incident *in, const struct event *ev);
void crl_made_clear(struct crl_made *c);
/* owed.c */
struct followup *owed_add(struct incident *in, int n, const char *title, int64_t due);
void owed_free(struct incident *in);
void owed_triage(struct incident *in); /* triage was answered: what its deadline may come to owe */
void owed_apply(struct incident *in, const struct event *ev);
void rollout_clear(struct rollout *r);
/* EV_REISSUE_START (after its hosts have rows), EV_WAVE, EV_STEER, EV_REISSUE_END, and EV_HOST to count. */
void rollout_apply(struct incident *in, const struct event *ev);

#endif
