/* A screen: a few static functions and one ops table. Screens stand on a stack; the topmost is drawn
 * and takes the keys. Here is also what the console offers to them. */
#ifndef SEV1_SCREEN_H
#define SEV1_SCREEN_H

#include <stdbool.h>

#include "base/err.h"
#include "draw.h"
#include "job.h"
#include "keymap.h"
#include "prompt.h"

struct ui;
struct screen;

struct screen_ops {
	const char *name;              /* "board" */
	const char *title;             /* untranslated; in the rule above the screen */
	const struct binding *keys;    /* for footer and help; ends with a NULL what; NULL */
	void (*open)(struct screen *s, void *arg); /* set s->data; NULL */
	void (*draw)(struct screen *s, const struct area *a);
	bool typing;                   /* letters are text here: help is F1, back is Esc */
	bool (*key)(struct screen *s, int key);    /* false: the console may have it */
	void (*planned)(struct screen *s, struct job *j); /* a job waits for its phrase; NULL */
	void (*ended)(struct screen *s, struct job *j);   /* a job has ended; NULL */
	void (*done)(struct screen *s);            /* free s->data; NULL */
};

struct screen {
	const struct screen_ops *ops;
	struct ui *ui;
	void *data;
	struct screen *below;
	char *title; /* instead of the ops'; owned; NULL */
};

extern const struct screen_ops scr_start, scr_board, scr_triage, scr_plan, scr_progress, scr_result,
    scr_fleet, scr_host, scr_timeline, scr_output, scr_followups, scr_report, scr_help, scr_recover, scr_new,
    scr_subscribers, scr_inbox, scr_typed, scr_errors;

struct engine *ui_engine(const struct ui *u);
struct jobs *ui_jobs(const struct ui *u);

void ui_push(struct ui *u, const struct screen_ops *ops, void *arg);
void ui_pop(struct ui *u);                       /* the lowest stays */
void ui_replace(struct ui *u, const struct screen_ops *ops, void *arg);
void ui_home(struct ui *u);                      /* to the board, or the start screen without incident */

/* The message line; stays until the next key. */
void ui_say(struct ui *u, enum style st, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void ui_say_err(struct ui *u, const struct err *e);

void ui_ask(struct ui *u, const char *label, const char *hint, const char *text, prompt_fn fn,
    void *ctx);
void ui_ask_phrase(struct ui *u, const char *label, const char *hint, const char *phrase,
    prompt_fn fn, void *ctx);
void ui_ask_command(struct ui *u, const char *text); /* the ':' line */
void ui_ask_leave(struct ui *u);

/* Do what a line of words says: the special screens of triage, recover and the lists, a phrase
 * before arming, everything else through the command table. Errors go to the message line. */
void ui_do(struct ui *u, const char *words);
/* Why a command cannot start now, in a few words ("arm first (a)"); NULL where it can. */
const char *ui_closed(const struct ui *u, const struct command *cmd);
/* Move a list by a key. False where the key is not for a list. */
struct list;
bool ui_list_key(struct list *l, int key);

void ui_show_job(struct ui *u, struct job *j);
/* What a shell would do the same with, on two lines from row on. */
void draw_same(const struct area *a, int row, const struct job *j);

#endif
