/* The console's own state, shared by ui.c (loop), chrome.c (frame around a screen) and dispatch.c
 * (commands). Screens see screen.h only. */
#ifndef SEV1_UI_STATE_H
#define SEV1_UI_STATE_H

#include "screen.h"

#define UI_ROWS 24
#define UI_COLS 80

struct ui {
	struct engine *en;
	struct loop *loop;
	struct jobs *jobs;
	struct screen *top;
	unsigned stack;   /* counts the changes of the stack of screens */
	struct prompt prompt;
	uint64_t secret;  /* the question for a PIN or passphrase that the prompt puts; 0: none */
	struct history *history;
	struct frame *frame;
	char message[1000];
	enum style message_style;
	uint64_t tick;    /* the timer to the next whole second */
	uint64_t soon;    /* a drawing that is put off */
	int64_t drawn;    /* clock_mono of the last one */
	bool dirty;       /* draw at the end of this step */
	bool leaving, gone;
	bool drill;       /* leave, and become a drill: its fence is never lifted in a process */
};

void ui_draw(struct ui *u);           /* chrome.c: build the frame and show it */
bool ui_too_small(const struct ui *u);
/* dispatch.c: show what jobs wait for, when nothing else has the operator's attention. */
void ui_settle(struct ui *u);
extern const struct job_hooks ui_hooks;

#endif
