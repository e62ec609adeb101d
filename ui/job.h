/* The console's side of the engine: each command that was started is a job, which outlives its run
 * so that a screen can show how it ended. Of the screens, the only one that includes the engine. */
#ifndef SEV1_JOB_H
#define SEV1_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/errs.h"
#include "base/loop.h"
#include "engine/command.h"
#include "lines.h"

struct engine;
struct jobs;

enum job_state { JOB_WORKING, JOB_PLANNED, JOB_GOING, JOB_ENDED };

struct job {
	const struct command *command;
	char *words;             /* as after "sev1": "notify management" */
	enum job_state state;
	bool quiet;              /* its screen follows it: no plan, result or message pops up */
	bool confirmed;          /* its plan was */
	bool shown;              /* the console has shown what its state calls for */
	int held;                /* screens that show it: it is not dropped */
	struct lines out, said;  /* the answer; what happened meanwhile */
	char *title, *phrase, *hash; /* the plan; NULL before there is one */
	json_t *rows, *lines;
	int64_t done, total;     /* progress */
	char *text;
	int64_t began, ended;    /* clock_mono */
	int status;              /* an enum exit_status, once ended */
	struct err err;
	struct errs *errs;       /* where it failed of several; NULL */
};

/* Whoever shows jobs. Any member may be NULL. */
struct job_hooks {
	void (*planned)(void *ctx, struct job *j);
	void (*ended)(void *ctx, struct job *j);
	void (*out)(void *ctx, struct job *j, const char *line);
	void (*said)(void *ctx, struct job *j, const char *line);
	void (*changed)(void *ctx); /* progress, or the incident's state */
};

struct jobs *jobs_new(struct engine *en, const struct job_hooks *hooks, void *ctx);
/* Lets go of all jobs and of the engine's sink. */
void jobs_free(struct jobs *js);

/* Start a command with these arguments (stolen). 0 and *out (may be NULL; owned by jobs), or the
 * error of the gate that is closed. It may have ended already. */
int jobs_start(struct jobs *js, const struct command *cmd, struct args *args, const char *words,
    bool quiet, struct job **out, struct err *e);
/* The same from words as typed ("notify management", quotes as in a shell). ERR_USAGE. */
int jobs_start_words(struct jobs *js, const char *words, bool quiet, struct job **out,
    struct err *e);
/* The operator typed phrase: 0, or ERR_REFUSED, and the plan still waits. */
int jobs_confirm(struct jobs *js, struct job *j, const char *phrase, struct err *e);
/* Give a job up; what it started is killed. */
void jobs_cancel(struct jobs *js, struct job *j, const char *why);
/* Kill every child at once, without a word: the terminal is gone. */
void jobs_kill(struct jobs *js);

struct job *jobs_at(const struct jobs *js, size_t i); /* oldest first */
size_t jobs_active(const struct jobs *js);            /* how many have not ended */
void jobs_tick(struct jobs *js);                      /* read progress, and what others wrote */
void jobs_drop(struct jobs *js, struct job *j);       /* forget a job that has ended */
void jobs_sweep(struct jobs *js, size_t keep);        /* forget all but the last, as far as not held */

/* Open the incident file at path, or the only open one where NULL. */
int jobs_open(struct jobs *js, const char *path, struct err *e);

/* Split a line into words, quotes as in a shell, into argv (owned by the caller). -1 with an error
 * where a quote stays open. */
int words_split(const char *line, char ***argv, struct err *e);
void words_free(char **argv, int argc);

#endif
