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

#endif
