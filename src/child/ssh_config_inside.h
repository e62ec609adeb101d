/* Between ssh_config.c, which takes in what ssh says, and ssh_config_ask.c, which asks it. */
#ifndef SEV1_SSH_CONFIG_INSIDE_H
#define SEV1_SSH_CONFIG_INSIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Does a directive change nothing here? */
bool ssh_conf_neutral(const char *key);
/* Does the file ("": the usual ones) say anything that can matter? What cannot be read does: ssh will say why. */
bool ssh_conf_matters(const char *file);
/* `ssh -G` for the host at address, appended to out: no shell, a bounded time (until, of clock_mono) and output. "Match exec"
 * of the user's own file may start what he wrote there. 0 or an error that names the host. */
int ssh_conf_ask(const json_t *host, const char *file, const char *address, int64_t until, struct buf *out, struct err *e);
/* What ssh does without any configuration, asked once; NULL with an error. */
const char *ssh_conf_baseline(int64_t until, struct err *e);

#endif
