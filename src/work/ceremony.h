/* The key ceremony of a new root: steps in order, each confirmed by who was there, in the journal. */
#ifndef SEV1_CEREMONY_H
#define SEV1_CEREMONY_H

#include "engine/run.h"

#define CEREMONY_KEY 4 /* the step at which the key is made: by recover --new root */
#define CEREMONY_STEPS 7

/* The last step that is confirmed, 0 for none, in *done. 0 or an error of the journal. */
int ceremony_done(struct run *r, int *done, struct err *e);
/* Answer with the list of steps and how each was confirmed. 0 or an error. */
int ceremony_show(struct run *r, struct err *e);
/* Confirm step n with text. 0; ERR_USAGE or ERR_REFUSED where it is not the next one; -1 where the run has
 * ended because the journal cannot be written. */
int ceremony_confirm(struct run *r, int n, const char *text, struct err *e);

#endif
