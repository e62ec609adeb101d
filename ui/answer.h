/* Arguments of a command and the line that would say the same in a shell, built side by side. */
#ifndef SEV1_ANSWER_H
#define SEV1_ANSWER_H

#include "base/buf.h"
#include "screen.h"

struct answer {
	const struct command *command;
	struct args *args; /* NULL: only the words are wanted */
	struct buf words;
};

/* False where there is no such command. */
bool answer_init(struct answer *w, const char *command, bool args);
/* --name value; nothing where value is NULL or "". */
void answer_add(struct answer *w, const char *name, const char *value);
/* --name, of an option without a value. */
void answer_flag(struct answer *w, const char *name);
/* Start it as a job that the screen follows itself; w is emptied. NULL with an error on the message line. */
struct job *answer_start(struct answer *w, struct ui *u);
void answer_free(struct answer *w);

/* Checks for questions that ask a time (ask.h): the answer is kept as an RFC 3339 time. */
int answer_time(void *ctx, const char *text, char **value, struct err *e);
int answer_time_or_unknown(void *ctx, const char *text, char **value, struct err *e);

#endif
