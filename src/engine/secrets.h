/* PINs and passphrases that CA children ask for: typed once, kept in locked memory until this process ends
 * or is told to forget them, and handed to no other kind of child. */
#ifndef SEV1_SECRETS_H
#define SEV1_SECRETS_H

#include <jansson.h>

#include "engine/engine.h"

struct secrets;
struct secrets *secrets_new(void);
void secrets_free(struct secrets *s);
void secrets_forget(struct secrets *s);

/* A line of a CA child. True where it was about a secret, and is dealt with. */
bool secrets_line(struct secrets *s, struct child *c, const json_t *msg);
/* The child has ended, or nobody waits for it any more. */
void secrets_gone(struct secrets *s, const struct child *c);

/* What the operator is to be asked now; NULL for nothing. */
const struct secret_ask *secrets_wanted(const struct secrets *s);
void secrets_give(struct secrets *s, const char *text);
void secrets_refuse(struct secrets *s, const struct err *why);
/* This child alone is not to wait any longer. False where it did not wait. */
bool secrets_give_up(struct secrets *s, const struct child *c, const struct err *why);
/* Questions are answered by the lines of fd from now on, in their order. */
void secrets_fd(struct secrets *s, int fd);
/* Was this child given a secret that had been right before, and that was refused this time; or did it ask for one that was,
 * so that it proves a lock? */
bool secrets_turned(const struct secrets *s, const struct child *c);
/* What was proved by such refusals is on record: from now on the operator is asked again. */
void secrets_proved(struct secrets *s);

#endif
