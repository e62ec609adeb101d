/* The servers of [fleet], for the commands that need them. Nobody else reads the inventory: what is wrong with it, or
 * with a file beside it, keeps nothing else from running. */
#ifndef SEV1_SERVERS_H
#define SEV1_SERVERS_H

#include "base/errs.h"
#include "engine/config.h"
#include "fleet/inventory.h"

/* The inventory that the configuration names. NULL with all its errors; ERR_USAGE where it names none. */
struct inventory *servers_load(const struct config *c, struct errs *es);
/* Are the other files of [fleet] there, as far as it names any: identity, profiles, blocklist? es: those that are not. */
void servers_files(const struct config *c, struct errs *es);

#endif
