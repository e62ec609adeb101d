/* The engine runs commands: gates, plans, children, events. One per process; everything happens in
 * its loop. The console and the shell talk to it; a command to its run (run.h). */
#ifndef SEV1_ENGINE_H
#define SEV1_ENGINE_H

#include <jansson.h>
#include <stdint.h>

#include "base/errs.h"
#include "base/loop.h"
#include "engine/command.h"
#include "engine/config.h"
#include "incident/incident.h"

struct child;
struct journal;

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
/* Does anybody run an action on the incident, here or in another process? */
bool engine_acting(const struct engine *en);
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
/* This child alone is not to wait for its secret any longer. False where it did not wait. */
bool engine_secret_give_up(struct engine *en, const struct child *c, const struct err *why);
/* Was this child's secret right before, and refused this time? */
bool engine_secret_turned(const struct engine *en, const struct child *c);
/* That is on record now: the operator is asked again. */
void engine_secret_proved(struct engine *en);

size_t engine_runs(const struct engine *en);
struct run *engine_run(const struct engine *en, size_t i);
/* Does a run of the command of this name go, or wait for its phrase? */
bool engine_runs_a(const struct engine *en, const char *command);

#endif
