/* One SSH connection to a host, and commands on it. Everything waits on our own poll with a deadline
 * that the caller gives (until: clock_mono ms); libssh itself never blocks. How a host is reached is what
 * the request says, then what ssh itself would do (ssh_config.h). */
#ifndef SEV1_SSH_SESSION_H
#define SEV1_SSH_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct session;
struct remote;

/* Connect, check the host's key, authenticate. host: {name, address, port, user, identity,
 * known_hosts, jump, ssh_config}; port 0 and empty ones: as ssh_config has it. Takes at most SESSION_OPEN_MS of
 * the time until. NULL with
 *	ERR_IO, ERR_TIMEOUT  no connection, or one that does not become an SSH server in time
 *	ERR_REFUSED          the host key is not the known one, or authentication is denied
 *	ERR_CONFINED         a drill, and not a loopback address
 *	ERR_USAGE            the request or the files it names are unusable */
#define SESSION_OPEN_MS 15000
struct session *session_open(const json_t *host, int64_t until, struct err *e);
void session_free(struct session *s);
const char *session_name(const struct session *s); /* the host's name, borrowed */

/* Start a command through the user's shell. keep: octets of stdout and of stderr that may wait to be
 * taken; a host that sends more is cut off by remote_wait. NULL on error. */
struct remote *remote_open(struct session *s, const char *command, size_t keep, int64_t until,
    struct err *e);
/* Write to its stdin. 0, also where the command has ended without reading all of it (its status tells
 * why); ERR_IO or ERR_TIMEOUT. */
int remote_write(struct remote *x, const void *data, size_t len, int64_t until, struct err *e);
/* End of its stdin. */
int remote_shut(struct remote *x, struct err *e);
/* Wait until something arrived: 1; 0 once the command has ended and all it said was read; ERR_IO for
 * a lost connection, ERR_TIMEOUT, ERR_FAILED where it said more than is kept. */
int remote_wait(struct remote *x, int64_t until, struct err *e);
/* What arrived and was not yet taken (buf_drop, buf_clear). */
struct buf *remote_out(struct remote *x);
struct buf *remote_errors(struct remote *x);
/* The exit status; -1 where there was none, *signal_name then says which signal ended it ("" unknown). */
int remote_status(const struct remote *x, const char **signal_name);
/* It has ended: 0 with its status, or ERR_FAILED where there is none. */
int remote_ended(const struct remote *x, int *status, struct err *e);
void remote_close(struct remote *x);

/* Run a command to its end with input (may be NULL): out and errors hold at most keep octets each.
 * 0 with *status, or an error as above; a command without an exit status is ERR_FAILED. */
int session_run(struct session *s, const char *command, const void *input, size_t len, size_t keep,
    int64_t until, struct buf *out, struct buf *errors, int *status, struct err *e);

#endif
