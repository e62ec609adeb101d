/* What was done to take the CA offline. */
#ifndef SEV1_CONTAINED_H
#define SEV1_CONTAINED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct incident;

enum action_state { ACTION_NONE, ACTION_RUNNING, ACTION_HELD, ACTION_FAILED, ACTION_UNDONE };

struct action {
	char *id, *title, *kind, *host, *command, *verify, *undo, *detail;
	enum action_state state;
	int64_t at, ms; /* when its state changed; how long it took */
	char *sha256;   /* of a forensic image, "" otherwise */
};

const struct action *incident_action(const struct incident *in, const char *id);

#endif
