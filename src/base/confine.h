/* The fence of a drill: its own folder and loopback, nothing else. Once set it is never lifted in
 * this process; every child is told of it in its request. The checks sit where files are written
 * (fs.c), connections made and commands started (src/child). Outside a drill all checks pass. */
#ifndef SEV1_CONFINE_H
#define SEV1_CONFINE_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

/* Confine this process to the folder root (made absolute, links resolved). 0 or ERR_IO. */
int confine_to(const char *root, struct err *e);
/* The folder, or NULL where the process is not confined. */
const char *confine_root(void);
/* May path be written? Its folder is resolved, so links cannot lead out. 0 or ERR_CONFINED. */
int confine_path(const char *path, struct err *e);
/* May this address be connected to? 0 or ERR_CONFINED. */
int confine_address(const struct sockaddr *sa, struct err *e);
/* May this program be started here? Only one that lies in the folder. 0 or ERR_CONFINED. */
int confine_program(const char *path, struct err *e);

#endif
