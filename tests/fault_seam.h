/* The program's children under faults: run with one thing going wrong at one call, while another process reads the
 * file that must never be absent or torn. Everything is seen from the outside: how many calls there are, and in what
 * order, is not known here. */
#ifndef SEV1_TESTS_FAULT_SEAM_H
#define SEV1_TESTS_FAULT_SEAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "fault/fault.h"

/* Ends the test program with 77 and a reason where the preloaded library does not work here. */
void fault_setup(void);

struct shot {
	const char *in;    /* "child ca", or "main"; as FAULT_IN */
	const char *calls; /* as FAULT_CALLS */
	const char *what;  /* as FAULT_DO; NULL: count only */
	const char *path;  /* as FAULT_PATH, or NULL */
	const char *hook;  /* as FAULT_HOOK, or NULL */
	int at;
};

struct outcome {
	int status;        /* exit status; -1 where it was killed */
	int sig;           /* by this signal */
	json_t *result;    /* of a child: NULL where it gave none */
	json_t *error;     /* the same */
	char *said;        /* stderr; of a program that is no child also stdout */
	struct fault_record fault;
};
void outcome_clear(struct outcome *o);

/* Set the environment of a shot in this process (between fork and exec), and the record behind it to nothing. */
void fault_env(const struct shot *s);
/* From now on no program that is started looks for leaks: the process that a sanitizer does that with is a child like
 * others, and whoever kills it leaves its parent stopped for good. */
void fault_keep_leaks(void);
/* What the last shot hit. */
struct fault_record fault_seen(void);

/* Where the calls of a shot with what = "stacks" came from, by the first call from there: how many places, and the
 * list, owned by the caller. */
size_t fault_places(struct fault_seen **list);

/* Run `sev1 child NAME` with one request (borrowed), to its end. */
void fault_child(const char *name, const json_t *request, const struct shot *s, struct outcome *o);
/* Run `sev1 ARGUMENTS` (ends with NULL). The pid; wait with fault_wait. */
pid_t fault_start(const char *const *arguments, const struct shot *s);
void fault_wait(pid_t pid, struct outcome *o);

/* "ENOSPC at write 12 of /...": for a message. */
const char *fault_words(const struct shot *s, const struct fault_record *r);

/* Copies of a folder's files (not of the folders in it), to go back to. Going back replaces a file that differs in one
 * rename, so that a reader sees no tear of our making, and removes what was not there. */
struct kept {
	char *folder;
	char **name;
	struct buf *content;
	size_t files;
};
struct kept *kept_new(const char *folder);
void kept_restore(const struct kept *k);
const struct buf *kept_file(const struct kept *k, const char *name); /* NULL */
void kept_free(struct kept *k);

/* Another process that opens and reads path again and again until reader_end. Whatever it finds must satisfy whole();
 * ctx as it is at reader_begin. */
struct reader;
struct reader *reader_begin(const char *path, bool (*whole)(void *ctx, const char *p, size_t len), void *ctx);
struct readings {
	long reads, absent, torn;
};
struct readings reader_end(struct reader *r);

/* A fixed series of numbers from a seed. */
unsigned long fault_random(unsigned long *seed);

#endif
