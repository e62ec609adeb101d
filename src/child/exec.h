/* Programs that a child starts: an own process group, pipes, a deadline, bounded output. */
#ifndef SEV1_EXEC_H
#define SEV1_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define EXEC_KEPT 65536u /* octets of each output that are kept */

struct exec {
	char *const *argv;        /* argv[0] is an absolute path; NULL-terminated */
	const void *input;        /* its standard input; NULL: empty */
	size_t input_len;
	int timeout_s;            /* 0: none */
	/* Each line of its output as it comes, raw, without the newline, cut at 1000 octets. */
	void (*line)(void *ctx, const char *s, size_t len);
	void *ctx;
};

struct exec_result {
	int status;               /* exit status; 128 + signal where one ended it */
	struct buf out, err;      /* raw, the first EXEC_KEPT octets */
	int64_t ms;
};

/* Run a program to its end. 0 with r filled whatever its exit status; ERR_TIMEOUT where the deadline
 * passed (r holds what it said so far); ERR_IO where it could not be started. When this returns, no
 * process of its group is left, and none is left either if this process is killed meanwhile. */
int exec_run(const struct exec *x, struct exec_result *r, struct err *e);
void exec_result_clear(struct exec_result *r);

/* Outside a drill 0. In a drill: command must be plain words (single quotes allowed) joined by
 * && || ; and !, and each program it starts lies in the drill's folder; else ERR_CONFINED. */
int exec_confined(const char *command, struct err *e);

#endif
