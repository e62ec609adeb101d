/* A run of a command, for the command: its arguments, its answer, its plan, its children, its end. */
#ifndef SEV1_RUN_H
#define SEV1_RUN_H

#include "child/child.h"
#include "engine/engine.h"
#include "engine/plan.h"

enum run_state { RUN_WORKING, RUN_PLANNED, RUN_GOING, RUN_ENDED };

struct engine *run_engine(const struct run *r);
const struct command *run_command(const struct run *r);
const struct args *run_args(const struct run *r);
enum run_state run_state(const struct run *r);
const struct incident *run_incident(const struct run *r);
const struct config *run_config(const struct run *r);
/* The command's own data; freed with free_fn when the run ends or other data takes its place. */
void run_set_data(struct run *r, void *data, void (*free_fn)(void *));
void *run_data(const struct run *r);

/* One line that something happened; goes to the message line or to stderr. Escaped here. */
void run_say(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One line of the answer: stdout, or the console's output screen. */
void run_out(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void run_progress(struct run *r, int64_t done, int64_t total, const char *text);
void run_get_progress(const struct run *r, int64_t *done, int64_t *total, const char **text);
/* The object that --json prints when the run ends; borrowed, to be filled. */
json_t *run_result(struct run *r);

/* Start a child for this run. request is stolen. When it ends, done is called, and if the run ended
 * meanwhile, nothing is. Failing to start ends the run; NULL then. */
struct child *run_child(struct run *r, const char *name, json_t *request, int deadline_s,
    child_line_fn line, child_done_fn done, void *ctx);

/* Check more gates than the table row names, for a command of which only a part needs them; GATE_LEASE takes
 * the lease until the run ends. 0, or ERR_REFUSED. */
int run_gate(struct run *r, unsigned gates, struct err *e);

/* Append an event; on failure the run is ended with the error, and -1 returned: stop there. */
int run_append(struct run *r, enum event_kind kind, json_t *body);

/* The plan is made (stolen): it is journalled and shown; cmd->go is called once it is confirmed. */
void run_plan(struct run *r, struct plan *p);
const struct plan *run_plan_of(const struct run *r); /* NULL */
/* The operator typed phrase. 0, or ERR_REFUSED where it is not the plan's; the run still waits. */
int run_confirm(struct run *r, const char *phrase, struct err *e);
/* Give up: children are killed, the run ends refused. A command that can be steered aborts, and ends a little
 * later by itself. */
void run_cancel(struct run *r, const char *why);
/* Steer what goes; false where the command cannot be, or does not go. */
bool run_steer(struct run *r, enum steer how);

/* Nothing is left but to wait for something long: let go of the lease, others may act meanwhile. */
void run_yield(struct run *r);

/* The run ends here. status: an enum exit_status. After this the run must not be touched. */
void run_end(struct run *r, int status);
void run_fail(struct run *r, const struct err *e);
/* The same before anything was done, with all that is wrong. */
void run_fail_all(struct run *r, const struct errs *es);
int run_status(const struct run *r);
const struct err *run_error(const struct run *r); /* of several it says how many there are; NULL */
const struct errs *run_errors(const struct run *r); /* the several; NULL */

#endif
