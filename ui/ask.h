/* Questions one after another: closed menus and fields. What was answered stays in sight; Esc goes
 * back one question. Curses-free. */
#ifndef SEV1_ASK_H
#define SEV1_ASK_H

#include <stdbool.h>

#include "base/err.h"
#include "draw.h"
#include "edit.h"
#include "list.h"

struct ask;

struct ask_item {
	const char *name;     /* the answer's name; the table ends with a NULL */
	const char *title;    /* untranslated: "Affected CA" */
	const char *question; /* untranslated */
	const char *hint;     /* untranslated; NULL */
	/* A menu: call ask_choice for each row. NULL: a field. Called for each drawing: rows may live. */
	void (*menu)(struct ask *a, void *ctx);
	/* A field: check text and give the value to keep (new). NULL: any text. 0, or an error shown. */
	int (*check)(void *ctx, const char *text, char **value, struct err *e);
	const char *preset;   /* a field's first text; NULL */
	/* What is known of it already, as its answer (of a menu the value of a row): the question comes up with that, and
	 * says whose word it is (ask_source). New, or NULL; no function: NULL. */
	char *(*known)(const struct ask *a, void *ctx);
	bool (*wanted)(const struct ask *a, void *ctx); /* NULL: always asked */
	bool optional;        /* an empty field is an answer */
	bool quiet;           /* which is not shown among those given */
};

enum ask_end { ASK_MORE, ASK_DONE, ASK_BACK };

struct ask_row {
	char *value, *title;
};

struct ask {
	const struct ask_item *item;
	void *ctx;
	size_t at, count;
	char **answer, **said; /* per item: the value, and as shown; NULL unanswered */
	struct ask_row *row;   /* the menu at hand */
	size_t rows;
	struct list list;
	struct edit edit;
	bool fresh;            /* the field holds its preset: the first character replaces it */
	struct err err;        /* why the last field was refused */
	char *source;          /* of what is known: "R-2026-0001"; NULL */
	bool *known;           /* per item: the answer is what was known */
	bool knows;            /* of the question at hand something is known */
};

void ask_init(struct ask *a, const struct ask_item *item, void *ctx);
void ask_free(struct ask *a);
/* Whose word the known answers are; before the first question is drawn. */
void ask_source(struct ask *a, const char *name);
/* "R-2026-0001 says so: Enter takes it over"; NULL where nothing is known of the question at hand. Owned by the caller. */
char *ask_known_words(const struct ask *a);
void ask_choice(struct ask *a, const char *value, const char *title);
enum ask_end ask_key(struct ask *a, int key);
/* A key that the questions have no use for: help, also as ? where nothing is typed, and drawing anew. */
bool ask_leaves(const struct ask *a, int key);
void ask_draw(struct ask *a, const struct area *ar);
/* The answer of this name; NULL unanswered, "" for an empty field. */
const char *ask_get(const struct ask *a, const char *name);
const char *ask_shown(const struct ask *a, const char *name); /* "" unanswered */
bool ask_done(const struct ask *a);
/* Read the menu at hand again (its rows may live). */
void ask_refresh(struct ask *a);
/* From done, back to the last question. */
void ask_reopen(struct ask *a);

#endif
