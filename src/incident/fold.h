/* Shared by incident.c and fold.c only: parts of the state that an event replaces as a whole. */
#ifndef SEV1_FOLD_H
#define SEV1_FOLD_H

#include "incident/incident.h"

void incident_free_playbook(struct incident *in);
void incident_free_scope(struct incident *in);
void incident_free_issuer(struct incident *in);
void crl_made_clear(struct crl_made *c);

#endif
