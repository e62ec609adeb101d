/* An agent that is asked for some keys only, and not for ever. libssh 0.10 offers every key of an agent, which
 * meets MaxAuthTries, and waits for its answer without end. */
#ifndef SEV1_SSH_AGENT_H
#define SEV1_SSH_AGENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct agent;

/* Stand between libssh and the agent at path: of its keys only those whose public part is in blobs (base64, as in
 * a .pub file) are shown; count 0 shows all. Each answer may take until the deadline. NULL with an error. */
struct agent *agent_open(const char *path, char *const *blobs, size_t count, int64_t until, struct err *e);
/* The socket for ssh_set_agent_socket, the caller's from now on. */
int agent_take(struct agent *a);
/* How many keys were shown; after authentication. */
size_t agent_shown(const struct agent *a);
void agent_free(struct agent *a);

#endif
