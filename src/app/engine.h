/* The engine runs commands: gates, plans, children, events. One per process; everything happens in
 * its loop. Command files (cmd_*.c) use the run_* half, the console and the shell the rest. */
#ifndef SEV1_ENGINE_H
#define SEV1_ENGINE_H

#include <jansson.h>
#include <stdint.h>

#include "app/command.h"
#include "app/config.h"
#include "base/errs.h"
#include "base/loop.h"
#include "child/child.h"
#include "incident/incident.h"

struct journal;

enum run_state { RUN_WORKING, RUN_PLANNED, RUN_GOING, RUN_ENDED };

/* A plan: what will be done, for a screen, and its canonical form, which is hashed. */
struct plan {
	char *title;   /* "Revoke every valid certificate of Issuing CA 2" */
	char *phrase;  /* typed to confirm: "REVOKE 4812"; never translated */
	json_t *rows;  /* [[label, value], ...] as shown */
	json_t *lines; /* ["exact command", ...] as run, or a sample of what is concerned */
	json_t *spec;  /* all that is executed; its SHA-256 is the plan's hash */
	char hash[65];
};

/* title and phrase are copied, spec is stolen. */
struct plan *plan_new(const char *title, const char *phrase, json_t *spec);
void plan_row(struct plan *p, const char *label, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void plan_line(struct plan *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void plan_free(struct plan *p);

/* Who hears of runs: the console or the shell. Any member may be NULL. */
struct sink {
	void (*say)(void *ctx, struct run *r, const char *line);   /* something happened: a journal-like line */
	void (*out)(void *ctx, struct run *r, const char *line);   /* a line of the command's answer */
	void (*planned)(void *ctx, struct run *r);                 /* run_plan_of(r) waits for a phrase */
	void (*progress)(void *ctx, struct run *r);
	void (*ended)(void *ctx, struct run *r);                   /* run_status(r), run_error(r); then freed */
	void (*event)(void *ctx, const struct event *ev);          /* the state has changed */
};

struct engine_options {
	const char *config_path; /* -c, or NULL */
	const char *incident;    /* -i: a path or an id; NULL: the only open one */
	const char *actor;       /* NULL: the login name */
	bool console;            /* a console: observe mode until armed */
	bool read_only;          /* open the incident without writing to it */
};

struct engine *engine_new(struct loop *l, const struct engine_options *o, struct err *e);
void engine_free(struct engine *en);
void engine_sink(struct engine *en, const struct sink *s, void *ctx);

struct loop *engine_loop(const struct engine *en);
const struct config *engine_config(const struct engine *en);     /* NULL */
const struct err *engine_config_error(const struct engine *en);  /* why there is none */
const struct incident *engine_incident(const struct engine *en); /* NULL */
struct journal *engine_journal(const struct engine *en);         /* NULL */
bool engine_armed(const struct engine *en);
void engine_arm(struct engine *en, bool on);                     /* this console only */
bool engine_is_console(const struct engine *en);
bool engine_is_read_only(const struct engine *en);

/* Open the incident file at path, or the one with this id in the state folder; NULL: the only open
 * one (ERR_NOTFOUND where there is none, ERR_USAGE naming them where there are several). */
int engine_open(struct engine *en, const char *which, struct err *e);
/* Make a new incident file and open it: body is EV_OPENED's, stolen. Refused where engine_astray, but for a drill. */
int engine_create(struct engine *en, json_t *body, struct err *e);
void engine_close(struct engine *en);
/* Read what another process has appended. 0 or an error. */
int engine_catch_up(struct engine *en, struct err *e);

/* Append an event by the operator, durably, and fold it in. body is stolen. */
int engine_append(struct engine *en, enum event_kind kind, json_t *body, struct err *e);

/* The folder beside the incident file for what a command writes (CRLs, images, reports); made on
 * demand, owned by the caller; NULL with an error. */
char *engine_folder(struct engine *en, const char *name, struct err *e);

/* What the `count` command saw of a CA: the body of its "count" line (stolen); NULL before. */
void engine_set_count(struct engine *en, const char *ca, json_t *count);
const json_t *engine_count(const struct engine *en, const char *ca);

/* The journal as lines "02:26:12Z op  text", oldest first; borrowed, valid until the next event. */
char *const *engine_lines(const struct engine *en, size_t *n);

/* The path of an incident by its id or path (see engine_open); owned by the caller, NULL on error. */
char *engine_find(const struct engine *en, const char *which, struct err *e);
/* The folder of incident files; borrowed. */
const char *engine_state(const struct engine *en);
/* A configuration was named or found and could not be read: which folder it means is not known, so no
 * incident is looked for or declared in another one (engine_config_error says why). A file's name is still opened. */
bool engine_astray(const struct engine *en);

/* A secret that a CA child waits for: a token's PIN, or the passphrase of a key file. */
struct secret_ask {
	uint64_t id;      /* never the same twice */
	const char *kind; /* "pin" or "passphrase" */
	const char *of;   /* the token's label, or the file; to be escaped */
	const char *note; /* what to know before typing; "" */
};
/* What the operator is to be asked at present; NULL for nothing. Whoever has the terminal asks after each step of
 * the loop, without echo, into locked memory. */
const struct secret_ask *engine_secret(const struct engine *en);
void engine_secret_give(struct engine *en, const char *text); /* copied to locked memory */
void engine_secret_refuse(struct engine *en, const struct err *why);
/* The question as it is put: "PIN of the token NAME: ". Owned by the caller. */
char *engine_secret_label(const struct secret_ask *a);
/* Secrets are lines of this descriptor from now on, one for each question. */
void engine_secret_fd(struct engine *en, int fd);
/* Was this child's secret right before, and refused this time? */
bool engine_secret_turned(const struct engine *en, const struct child *c);

size_t engine_runs(const struct engine *en);
struct run *engine_run(const struct engine *en, size_t i);

/* ---- a run, for its command ---- */
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
