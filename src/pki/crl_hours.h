/* A CRL's life, from thisUpdate to nextUpdate, for whoever needs no more of CRLs than that. */
#ifndef SEV1_CRL_HOURS_H
#define SEV1_CRL_HOURS_H

#include "base/err.h"

#define CRL_HOURS_MAX (24 * 366)

/* 0, or ERR_USAGE where a CRL is not valid for so many hours. */
int crl_hours_check(int hours, struct err *e);

#endif
