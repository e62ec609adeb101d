/* Everything of a tabletop exercise in one folder: CAs, certificates, distribution points, a fleet,
 * the configuration that sev1 runs with. */
#ifndef SEV1_SANDBOX_H
#define SEV1_SANDBOX_H

#include "base/err.h"
#include "drill/map.h"
#include "drill/scenario.h"

/* Make a sandbox in folder, which must not exist or be empty, or hold a drill that was not made
 * completely. Its hosts do not run yet. Returns its map, owned by the caller; NULL on error. */
struct map *sandbox_make(const char *folder, const struct scenario *s, struct err *e);
/* Stop the hosts and remove the folder. ERR_REFUSED where it is not a drill's; 0 where there is none. */
int sandbox_clean(const char *folder, struct err *e);
/* Write sev1.conf, known_hosts and inventory.csv of the map; sandbox_make does. */
int sandbox_conf(const struct map *m, const struct scenario *s, struct err *e);

#endif
