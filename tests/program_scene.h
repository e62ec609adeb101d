/* The whole program before a revocation: a configuration, an incident whose scope is frozen, a distribution point that
 * is served over HTTP; and what must hold once it has revoked and published. Stands on ca_scene.h. */
#ifndef SEV1_TESTS_PROGRAM_SCENE_H
#define SEV1_TESTS_PROGRAM_SCENE_H

#include <stdbool.h>
#include <stddef.h>

#include "fault_seam.h"

int program_setup(void **state);
int program_drop(void **state);
/* The CA, the incident and the point as they were when the scope had been frozen. */
void program_restore(void);

/* Run `sev1 ARGUMENTS` to its end: its exit status; its words in *said (owned by the caller) unless NULL. */
int program_run(char **said, const char *const *arguments);
/* program_run(said, "revoke", "--json") and the like. */
#define PROGRAM(said, ...) program_run(said, (const char *const[]){ __VA_ARGS__, NULL })

/* A command with a plan: what confirms it. */
struct planned {
	const char *command;
	char hash[65], phrase[40];
};
/* Make the plan of "revoke", "publish" or "undo" (revoke --undo). False where nothing is left to do. */
bool program_plan(struct planned *p, const char *command);
/* Start it, confirmed. */
pid_t program_start(const struct planned *p, const struct shot *s);

/* Is this index.txt as it was, or the whole plan carried out with one date? For reader_begin. */
bool program_whole(void *ctx, const char *p, size_t len);
/* NULL, or what does not hold: the journal verifies; index.txt is whole; no two CRLs have one number. */
const char *program_wrong_any(void);
/* ... and the revocation is undone: index.txt is what it was, no CRL can be published. */
const char *program_wrong_undone(void);
/* ... and the plan is carried out, the last CRL is the index, and (published) the point serves it. */
const char *program_wrong_done(bool published);

#endif
