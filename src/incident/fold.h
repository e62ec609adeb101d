/* Shared by incident.c and those who fold events into its state: fold.c has the table of them all. */
#ifndef SEV1_FOLD_H
#define SEV1_FOLD_H

#include "incident/incident.h"

/* Every string in the state is a copy: of an event's member, "" without it, or of s. */
void fold_set(char **at, const json_t *o, const char *key);
void fold_literal(char **at, const char *s);
/* One more element, zeroed: the list where it lies now. */
void *fold_list(void *list, size_t *n, size_t size);

/* Parts that an event replaces as a whole. */
void incident_free_playbook(struct incident *in);
void incident_free_scope(struct incident *in);
void incident_free_issuer(struct incident *in);
void incident_free_subscribers(struct incident *in);
/* fold_crl.c: revocation and the CRL's life. */
struct point *point_add(struct incident *in, const json_t *o);
void apply_undo(struct incident *in, const struct event *ev);
void apply_revoke(struct incident *in, const struct event *ev);
void apply_ladder(struct incident *in, const json_t *o);
void apply_renew(struct incident *in, const struct event *ev);
void apply_crl(struct incident *in, const struct event *ev);
void apply_point(struct incident *in, const struct event *ev);
/* fold_hosts.c: the fleet, and what was replaced. */
void apply_hosts(struct incident *in, const struct event *ev);
void apply_ari(struct incident *in, const struct event *ev);
void apply_replaced(struct incident *in, const struct event *ev);
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
