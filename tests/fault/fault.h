/* What the preloaded library leaves in the file FAULT_FILE: it is mapped, so a kill does not lose it. */
#ifndef SEV1_TESTS_FAULT_H
#define SEV1_TESTS_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define FAULT_PATH_MAX 300
#define FAULT_STACKS (1 << 15) /* a power of two */

#define FAULT_FRAMES 8             /* of a site */

/* Where a call came from: hashes of the return addresses, each relative to its module, so that they are the same in
 * every run. */
struct fault_place {
	uint64_t stack;            /* of all of them; 0: nothing here */
	uint64_t site;             /* of the innermost FAULT_FRAMES */
};

struct fault_seen {
	struct fault_place place;
	int first;                 /* of the calls that came from there, counted as FAULT_AT does */
};

struct fault_record {
	_Atomic bool loaded;       /* the process that was meant has loaded the library */
	_Atomic int count;         /* calls of the classes asked for */
	_Atomic bool fired;
	_Atomic bool hook_failed;
	char call[24];             /* what was hit, and on which path */
	char path[FAULT_PATH_MAX];
	struct fault_place place;  /* where the call that failed came from; memory only */
	char crashed[80];          /* the first module beyond libc on the stack of a crash; the same */
};

/* The whole file. */
struct fault_file {
	struct fault_record record;
	bool crowded;              /* there were more stacks than room */
	struct fault_seen seen[FAULT_STACKS]; /* of "stacks", at place.stack % FAULT_STACKS or behind it */
};

#endif
