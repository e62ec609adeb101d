/* The child's side: read a request, say lines, end with a result or an error. */
#ifndef SEV1_SERVE_H
#define SEV1_SERVE_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"

/* Run child NAME: die with the parent, no core dumps, confine, serve one request. Returns the
 * process's exit status. Called by main for `sev1 child NAME`. */
int serve_main(const char *name);

/* One child: fills *result (a new object) and returns 0, or an error code with e. */
typedef int (*serve_fn)(const json_t *request, json_t **result, struct err *e);

int ca_child(const json_t *request, json_t **result, struct err *e);
int ssh_child(const json_t *request, json_t **result, struct err *e);
int probe_child(const json_t *request, json_t **result, struct err *e);
int action_child(const json_t *request, json_t **result, struct err *e);
int play_child(const json_t *request, json_t **result, struct err *e);
int post_child(const json_t *request, json_t **result, struct err *e);

/* Send a line (reference stolen). A parent that is gone ends the process. */
void serve_say(json_t *msg);
void serve_progress(int64_t done, int64_t total, const char *text);
/* The next line from the parent, owned by the caller; NULL at end of file or after timeout_ms (-1
 * waits for ever), *timed_out tells which (may be NULL). */
json_t *serve_next(int timeout_ms, int *timed_out);
/* The parent's answer to a question: the first line with this member, or with "refused". Other lines wait for
 * serve_next. NULL at end of file. */
json_t *serve_answer(const char *member);

#endif
