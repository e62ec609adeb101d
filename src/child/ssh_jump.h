/* A connection through bastions: `ssh -W`, with a socket in place of its terminal. ssh reads its own
 * configuration for each bastion: keys, host keys, agents, further bastions. */
#ifndef SEV1_SSH_JUMP_H
#define SEV1_SSH_JUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct jump;

/* Start one to address and port through chain (as ssh -J takes it); file: the ssh_config, or NULL. Waits until
 * fewer than JUMP_SLOTS connections of this user are being set up through the chain's last bastion, as an sshd
 * drops some of those beyond MaxStartups 10. NULL with an error. */
#define JUMP_SLOTS 8
struct jump *jump_start(const char *chain, const char *file, const char *address, int port, int64_t until,
    struct err *e);
/* The socket, the caller's from now on. */
int jump_take(struct jump *j);
/* The connection stands: another may be set up now. */
void jump_settled(struct jump *j);
/* Why it ended, in ssh's last words, escaped and owned by the caller; "" where it has not said any. *again: they
 * sound as if the bastion were too busy. */
char *jump_words(struct jump *j, bool *again);
/* Ends ssh. */
void jump_free(struct jump *j);

#endif
