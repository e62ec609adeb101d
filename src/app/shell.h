/* The command line: global options, one command, its answer as lines or JSON. */
#ifndef SEV1_SHELL_H
#define SEV1_SHELL_H

#include <stdbool.h>

/* What main is asked to do. */
struct shell_call {
	char *config, *incident, *actor; /* -c, -i, --actor; NULL */
	char *pin_fd;                    /* --pin-fd; NULL */
	bool json, line, no_input, read_only, play;
	int argc;                        /* the words from the command on; 0: the console */
	char **argv;
	char *followed[2];               /* owned: config and incident of the console that is to follow */
};

/* Read the global options. Returns -1 to go on, or an exit status: --help, --version, a usage error. */
int shell_parse(struct shell_call *call, int argc, char *argv[]);

/* Run the command of call and print its answer. Returns the exit status. A command that asks for the
 * console (drill) sets *console, and fills call's config and incident. */
int shell_run(struct shell_call *call, bool *console);
void shell_clear(struct shell_call *call); /* free what call owns */

/* Have the engine read secrets from the descriptor that text names. NULL: nothing to do. 0 or an error. */
struct engine;
struct err;
int shell_pin_fd(struct engine *en, const char *text, struct err *e);

/* Print an error: what happened, to what, and the remedy. */
void shell_error(const struct err *e);

#endif
