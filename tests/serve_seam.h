/* A link seam in place of child/serve.c: what a child says is kept, what it is told is scripted. */
#ifndef SEV1_TESTS_SERVE_SEAM_H
#define SEV1_TESTS_SERVE_SEAM_H

#include <jansson.h>

extern json_t *seam_said; /* an array of every line said since seam_reset */
/* A function that makes the next line the parent sends; NULL: end of file at once. It returns a new
 * object, or NULL with *end false for "nothing yet". */
extern json_t *(*seam_next)(int *end);

/* The parent's answer to a question (serve_answer); NULL: there is no parent. */
extern json_t *(*seam_answer)(const char *member);
/* Told of each line as it is said; NULL. */
extern void (*seam_hear)(const json_t *msg);

void seam_reset(void);
/* The i-th said line that has a member of this name: that member, borrowed; NULL past the end. */
json_t *seam_find(const char *key, size_t i);

/* A new folder below $TMPDIR or /tmp, entered; its path. Removed at exit. */
const char *test_folder(void);

#endif
