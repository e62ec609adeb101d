/* For tests: a real OpenSSH server on loopback with its own configuration and keys, and the SSH child
 * of this very program (its main must answer "child NAME" with serve_main). */
#ifndef SEV1_TESTS_SSHD_H
#define SEV1_TESTS_SSHD_H

#include <jansson.h>
#include <sys/types.h>

#include "base/err.h"

struct sshd {
	pid_t pid;
	int port;
};

/* Make a temporary folder and change into it; it is removed by scratch_leave. Ends the program with 77
 * and a reason where a tool is absent (names, NULL-terminated). */
void scratch_enter(const char *const tools[]);
void scratch_leave(void);
const char *scratch_path(void);
/* Run a shell command; fails the test where it fails. */
void sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A file's content, owned by the caller; fails the test where it is not there. */
char *slurp(const char *path);

/* Start a program (arguments end with NULL) that is told to end when this one does. */
pid_t spawn(const char *program, ...);

/* Start one in the folder: keys hostkey (ed25519) and id, known_hosts with the right line. extra: more
 * lines of sshd_config. */
void sshd_start(struct sshd *d, const char *extra);
void sshd_stop(struct sshd *d);
/* A port of loopback that is free now. */
int port_free(void);
/* Wait until something listens there. */
void port_wait(int port);

/* The "host" object of a request: known_hosts and identity of the folder. */
json_t *sshd_host(const struct sshd *d);

/* Ask the SSH child (request stolen) and wait for its end, which its own "timeout_s" brings: the result (owned by the
 * caller), or NULL with e. *lines: an array of what it said before, owned by the caller; may be NULL. */
json_t *ask_ssh(json_t *request, json_t **lines, struct err *e);

#endif
