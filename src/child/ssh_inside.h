/* What the files of the SSH child share about a session; nobody else includes this. */
#ifndef SEV1_SSH_INSIDE_H
#define SEV1_SSH_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include <libssh/libssh.h>

#include "base/err.h"

struct session {
	char *name, *address, *user, *identity, *known_hosts;
	int port;
	int fd;
	bool fd_given; /* libssh closes it */
	ssh_session ssh;
};

/* Wait for the socket until the deadline. 0, or ERR_TIMEOUT naming what was waited for. */
int session_poll(struct session *s, int64_t until, const char *when, struct err *e);
/* ERR_IO with libssh's words. */
int session_lost(struct session *s, const char *when, struct err *e);
/* ssh_trust.c: is it the host that we know? 0 or ERR_REFUSED with the remedy. */
int session_check_key(struct session *s, struct err *e);
/* ssh_trust.c: the configured identity only; the agent where none is configured. 0, ERR_REFUSED,
 * ERR_USAGE (the identity cannot be read), ERR_IO, ERR_TIMEOUT. */
int session_authenticate(struct session *s, int64_t until, struct err *e);

#endif
