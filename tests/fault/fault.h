/* What the preloaded library leaves in the file FAULT_FILE: it is mapped, so a kill does not lose it. */
#ifndef SEV1_TESTS_FAULT_H
#define SEV1_TESTS_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>

#define FAULT_PATH_MAX 300

struct fault_record {
	_Atomic bool loaded;       /* the process that was meant has loaded the library */
	_Atomic int count;         /* calls of the classes asked for */
	_Atomic bool fired;
	_Atomic bool hook_failed;
	char call[24];             /* what was hit, and on which path */
	char path[FAULT_PATH_MAX];
};

#endif
