/* Shared by incident.c and fold.c only: parts of the state that an event replaces as a whole. */
#ifndef SEV1_FOLD_H
#define SEV1_FOLD_H

#include "incident/incident.h"

void incident_free_playbook(struct incident *in);
void incident_free_scope(struct incident *in);
void incident_free_issuer(struct incident *in);
void crl_made_clear(struct crl_made *c);
void rollout_clear(struct rollout *r);
/* EV_REISSUE_START (after its hosts have rows), EV_WAVE, EV_STEER, EV_REISSUE_END, and EV_HOST to count. */
void rollout_apply(struct incident *in, const struct event *ev);

#endif
