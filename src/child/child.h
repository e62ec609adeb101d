/* The parent's side of a child: `sev1 child NAME` on a socket pair, one JSON object a line each way.
 *
 * The first line to the child is its request; it has an "op" and whatever that op takes. The child
 * answers with any number of lines and, last, exactly one of
 *	{"result": {...}}
 *	{"error": {"code": -6, "text": "...", "remedy": "..."}}
 * Lines of progress are {"progress": {"done": 3, "total": 40, "text": "..."}}.
 * A child that says neither, dies or passes its deadline yields an error from here. */
#ifndef SEV1_CHILD_H
#define SEV1_CHILD_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"

struct child;

/* line: a message other than the last one, borrowed. NULL where not wanted.
 * done: called exactly once, from the loop; result is borrowed, NULL on error. The child is gone
 * when it returns, with every process it started. */
typedef void (*child_line_fn)(void *ctx, struct child *c, const json_t *msg);
typedef void (*child_done_fn)(void *ctx, const json_t *result, const struct err *err);

/* Start child name with request (reference stolen; "confine" and "parent_pid" are added here).
 * deadline_s: seconds until it is killed (at deadline + 2 s), 0 for none. Returns NULL on error. */
struct child *child_start(struct loop *l, const char *name, json_t *request, int deadline_s,
    child_line_fn line, child_done_fn done, void *ctx, struct err *e);

/* Send one more line (reference stolen). */
void child_send(struct child *c, json_t *msg);

/* Send {"member": "secret"}: a copy that is kept in locked memory until the child has it. 0 or an error. */
int child_send_secret(struct child *c, const char *member, const char *secret, struct err *e);

/* It waits for the operator: its deadline stands still, and starts anew when the waiting is over. */
void child_wait(struct child *c, bool waiting);

/* No more lines will be sent: the child reads end of file. */
void child_finish(struct child *c);

/* Kill it and all it started; done is called from the loop with ERR_FAILED, text why. */
void child_kill(struct child *c, const char *why);

/* The same for every child of the loop, without calling done: the console is leaving. */
void child_kill_all(struct loop *l);

/* Tests: the program to start instead of /proc/self/exe. */
void child_program(const char *path);

#endif
