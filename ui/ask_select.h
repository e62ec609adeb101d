/* By what the certificates of an end-entity scope are selected: triage's questions about it. */
#ifndef SEV1_ASK_SELECT_H
#define SEV1_ASK_SELECT_H

#include "answer.h"
#include "ask.h"

/* Rows of triage's table: "select" is the menu, the others are asked where its answer wants them. */
void select_menu(struct ask *a, void *ctx);
int select_serials(void *ctx, const char *text, char **value, struct err *e);
int select_hashes(void *ctx, const char *text, char **value, struct err *e);
int select_file(void *ctx, const char *text, char **value, struct err *e);
bool select_wanted(const struct ask *a, void *ctx);
bool select_wants_serial(const struct ask *a, void *ctx);
bool select_wants_list(const struct ask *a, void *ctx);
bool select_wants_subject(const struct ask *a, void *ctx);
bool select_wants_san(const struct ask *a, void *ctx);
bool select_wants_key(const struct ask *a, void *ctx);
bool select_wants_hash(const struct ask *a, void *ctx);
bool select_wants_time(const struct ask *a, void *ctx);

/* Put the answers into the arguments of triage. index: only what index.txt alone can tell, for a count while
 * the questions go on; returns whether there was any. */
bool select_words(const struct ask *a, struct answer *w, bool index);

#endif
