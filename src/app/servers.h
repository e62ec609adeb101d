/* The servers of [fleet], for the commands that need them. */
#ifndef SEV1_SERVERS_H
#define SEV1_SERVERS_H

#include "app/config.h"
#include "base/errs.h"
#include "fleet/inventory.h"

/* The inventory that the configuration names. NULL with all its errors; ERR_USAGE where it names none. */
struct inventory *servers_load(const struct config *c, struct errs *es);

#endif
