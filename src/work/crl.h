/* The parts of the crl command, one file each; cmd_crl.c holds its row of the table. */
#ifndef SEV1_APP_CRL_H
#define SEV1_APP_CRL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "engine/run.h"

#define CRL_DEADLINE_S 300
#define LADDER_DEADLINE_S 7200

/* crl renew: sign the next CRL, or take the next rung, or publish again; --due: only what is due. */
void crl_renew(struct run *r);
/* crl ladder: sign ahead with --count, else judge and list what is there. */
void crl_ladder(struct run *r);
/* crl check FILE|URL, or --published. */
void crl_inspect(struct run *r);

/* The CA child's answer to "rung": were the rungs found stale? Then that is journalled, once, and e says so. */
bool crl_stale(struct run *r, const char *ca, const json_t *result, struct err *e);
/* --hours of the run, or of the CA (24 without); 0 with an error. */
int crl_hours(struct run *r, const char *ca, struct err *e);
/* {op, ca, folder, partitions, at}: a request to the CA child; NULL with an error. */
json_t *crl_request(struct run *r, const char *op, const char *ca, struct err *e);
/* One line of the answer. */
void crl_show(struct run *r, const char *ca, const json_t *crl);

#endif
