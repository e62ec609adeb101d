/* The one table of commands. A key in the console, a word after ':', a subcommand of the shell and
 * the drill's player all start a row of it; help, footer, --help and the man page are made from it. */
#ifndef SEV1_COMMAND_H
#define SEV1_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct engine;
struct run;

struct option {
	const char *name;  /* "ca" for --ca */
	const char *arg;   /* "NAME", or NULL for a flag */
	const char *help;  /* untranslated */
};

/* What must hold before a command runs; checked in one place, gate.c, in this order. */
enum gate {
	GATE_CONFIG = 1 << 0,   /* a configuration was loaded */
	GATE_INCIDENT = 1 << 1, /* an incident is open */
	GATE_ARMED = 1 << 2,    /* the console is armed; on the command line the typed phrase arms */
	GATE_TRIAGE = 1 << 3,   /* triage is answered */
	GATE_SCOPE = 1 << 4,    /* checkpoint 1: the scope is frozen */
	GATE_OFFLINE = 1 << 5,  /* checkpoint 2: issuance is stopped (or closed by hand) */
	GATE_CRL = 1 << 6,      /* an emergency CRL was made */
	GATE_ISSUER = 1 << 7,   /* a replacement issuer was chosen */
	GATE_LEASE = 1 << 8,    /* no other console runs an action on this incident */
	GATE_IF_OPEN = 1 << 9   /* no gate: the command looks at the open incident if there is one */
};

/* The operator's word to a command that goes. */
enum steer { STEER_PAUSE, STEER_CONTINUE, STEER_DRAIN, STEER_ABORT };

struct command {
	const char *name;       /* "revoke", "notify" ... */
	const char *key;        /* the key on the board: "r"; NULL */
	const char *usage;      /* positional arguments: "KIND", "" */
	const char *summary;    /* one line, untranslated */
	const char *effect;     /* what it does to systems and how to undo it, untranslated; NULL: nothing */
	const struct option *options; /* ends with a NULL name; NULL */
	unsigned gates;
	void (*start)(struct run *r); /* do it, or make the plan (run_plan) */
	void (*go)(struct run *r);    /* the plan was confirmed: do it. NULL for a command without a plan */
	/* Pause, go on, let what runs finish, or end it now and say so in the journal. NULL: it can only be ended. */
	void (*steer)(struct run *r, enum steer how);
};

const struct command *command_find(const char *name); /* NULL */
const struct command *command_at(size_t i);            /* NULL past the end */

/* Arguments of one command: options by name, positionals under "". Parsed by the same function for
 * the shell and for ':' in the console. */
struct args;
struct args *args_new(void);
void args_free(struct args *a);
void args_set(struct args *a, const char *name, const char *value);    /* replaces; value copied */
void args_add(struct args *a, const char *name, const char *value);    /* appends */
const char *args_get(const struct args *a, const char *name);          /* the last; NULL */
const char *args_nth(const struct args *a, const char *name, size_t i);/* NULL past the end */
/* The i-th of all in the order in which they were given, NULL past the end; *name is its option. */
const char *args_at(const struct args *a, size_t i, const char **name);
bool args_has(const struct args *a, const char *name);
/* Parse words after the command's name. 0 or ERR_USAGE. --plan, --confirm, --json are known to all. */
int args_parse(struct args *a, const struct command *cmd, int argc, char *const argv[], struct err *e);

/* Start a command. args is stolen. On success *out is the run, which reports through the engine's
 * sink; on a closed gate ERR_REFUSED. */
int command_start(struct engine *e, const struct command *cmd, struct args *args, struct run **out,
    struct err *err);

#endif
