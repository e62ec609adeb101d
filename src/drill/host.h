/* The hosts of a sandbox: one process, `sev1 drill-host FOLDER`, that serves SSH and TLS for every
 * host, HTTP for the distribution points and the ports of the CA host's services, on loopback.
 *
 * It is a machine room, so it does not die with the console that watches it: it holds
 * FOLDER/run/host.lock while it lives, a drill that is resumed uses the one that runs or starts
 * another, and what it serves (certificates in use, services stopped, rules) is in files. It ends
 * when it is told to, when its folder is gone, or after an idle time without a console. */
#ifndef SEV1_DRILL_HOST_H
#define SEV1_DRILL_HOST_H

#include <stdbool.h>

#include "base/err.h"

/* `sev1 drill-host FOLDER`: serve until SIGTERM. Its first line on stdout is "ready", or why not;
 * nothing follows. Returns the exit status. Called by main. */
int drill_host_main(const char *folder);

/* Start it where it does not run yet and wait until it serves. program: the sev1 to start, NULL for
 * /proc/self/exe. 0, ERR_TIMEOUT or what it said. */
int host_start(const char *folder, const char *program, struct err *e);
/* Does it run? */
bool host_runs(const char *folder);
/* Stop it and wait until it is gone, with all it started. 0 also where it did not run. */
int host_stop(const char *folder, struct err *e);
/* Say that a console watches, for as long as the returned descriptor is open. ERR_REFUSED where
 * another one does. */
int host_watch(const char *folder, struct err *e);

#endif
