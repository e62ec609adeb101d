/* What the files of the SSH child share about a session; nobody else includes this. */
#ifndef SEV1_SSH_INSIDE_H
#define SEV1_SSH_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include <libssh/libssh.h>

#include "base/err.h"
#include "child/ssh_agent.h"
#include "child/ssh_config.h"
#include "child/ssh_jump.h"

struct session {
	char *name;
	struct ssh_conf conf;
	struct jump *jump;   /* NULL: reached directly */
	struct agent *agent; /* NULL: not asked */
	int fd;
	bool fd_given; /* libssh closes it */
	ssh_session ssh;
};

/* Wait for the socket until the deadline. 0, or ERR_TIMEOUT naming what was waited for. */
int session_poll(struct session *s, int64_t until, const char *when, struct err *e);
/* ERR_IO with libssh's words. */
int session_lost(struct session *s, const char *when, struct err *e);
/* ssh_trust.c: the types of key that are known for the host; owned by the caller. */
struct known;
char *session_known_types(const struct session *s, const struct known *k);
/* ssh_trust.c: is it the host that we know? 0 or ERR_REFUSED with the remedy. */
int session_check_key(struct session *s, struct err *e);
/* ssh_auth.c: the identities that ssh would use, each with its certificate; the agent for those of them that it
 * holds, for all of its keys only where none is configured. 0, ERR_REFUSED, ERR_USAGE (the identity cannot be
 * read), ERR_IO, ERR_TIMEOUT. */
int session_authenticate(struct session *s, int64_t until, struct err *e);

#endif
