/* The home of the console: checkpoints with their clocks, what stands behind the selected one, the
 * journal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "board.h"
#include "list.h"
#include "screen.h"
#include "theme.h"

#define DETAIL_ROWS 5
#define JOURNAL_MAX 64

struct board {
	struct list checkpoints;
	bool pane;              /* the keys move the detail pane */
	size_t detail_top;
	int64_t seq;            /* the journal lines are those up to here */
	char *journal[JOURNAL_MAX];
	size_t lines;
	int moved_for;          /* the checkpoint the cursor was last put on by itself */
};

static const struct column columns[] = {
	{ N_("Checkpoint"), 25, false },
	{ N_("due"), 5, false },
	{ N_("clock"), 9, true },
	{ N_("state"), 7, false },
	{ N_("evidence"), 0, false },
};

static void board_open(struct screen *s, void *arg)
{
	(void)arg;
	s->data = mem_zalloc(1, sizeof(struct board));
}

static void board_done(struct screen *s)
{
	struct board *b = s->data;

	for (size_t i = 0; i < b->lines; i++)
		free(b->journal[i]);
	list_free(&b->checkpoints);
	free(b);
}

static void board_row(const struct area *a, int row, const struct incident *in,
    const struct checkpoint *cp, bool here, int64_t now)
{
	char title[160], due[16], clock[40];
	const char *state = checkpoint_word(in, cp, now);
	const char *text[] = { title, due, clock, _(state), cp->shown };
	enum style st[] = { STYLE_PLAIN, STYLE_DIM, STYLE_PLAIN, theme_state(state), STYLE_PLAIN };

	snprintf(title, sizeof title, "%d %s", cp->n, cp->title);
	snprintf(due, sizeof due, "%+dm", cp->due);
	checkpoint_clock(clock, sizeof clock, in, cp, now);
	if (cp->state == CP_OPEN)
		st[2] = theme_clock(checkpoint_left(in, cp, now));
	draw_row(a, row, here ? '>' : ' ', columns, 5, text, st);
}

/* The journal lines are read again only when there is a new event. */
static void board_read_journal(struct screen *s, const struct incident *in)
{
	struct board *b = s->data;

	if (b->seq == in->last_seq && b->lines > 0)
		return;
	for (size_t i = 0; i < b->lines; i++)
		free(b->journal[i]);
	b->lines = model_journal(ui_engine(s->ui), b->journal, JOURNAL_MAX);
	b->seq = in->last_seq;
}

/* The cursor goes along to the next open checkpoint when one closes. */
static void board_follow(struct board *b, const struct incident *in)
{
	const struct checkpoint *next = incident_next(in);

	list_set(&b->checkpoints, in->checkpoints);
	if (next == NULL || next->n == b->moved_for)
		return;
	b->moved_for = next->n;
	list_first(&b->checkpoints);
	list_move(&b->checkpoints, (long)(next - in->checkpoint));
	b->detail_top = 0;
}

static const struct checkpoint *board_here(const struct board *b, const struct incident *in)
{
	size_t i = list_here(&b->checkpoints);

	return i < in->checkpoints ? &in->checkpoint[i] : NULL;
}

/* "Enter: contain", or what must come first. */
static void board_note(const struct screen *s, const struct checkpoint *cp, char *out, size_t size)
{
	char name[32];
	const struct command *cmd;
	const char *closed;

	snprintf(name, sizeof name, "%.*s", (int)strcspn(cp->command, " "), cp->command);
	cmd = command_find(name);
	closed = cmd != NULL ? ui_closed(s->ui, cmd) : NULL;
	if (cmd == NULL)
		snprintf(out, size, "%s", cp->command);
	else if (closed != NULL)
		snprintf(out, size, "%s: %s", cp->command, closed);
	else
		snprintf(out, size, _("Enter: %s"), cp->command);
}

static int board_draw_detail(struct screen *s, const struct area *a, int row, int rows,
    const struct incident *in, const struct checkpoint *cp)
{
	struct board *b = s->data;
	struct area pane = frame_area(a->f, a->top + row + 1, a->left, rows, a->cols);
	char note[120], title[320];
	size_t total;
	int room;
	bool cut;

	board_note(s, cp, note, sizeof note);
	snprintf(title, sizeof title, "%s%s%s%s", b->pane ? "> " : "", cp->title, cp->shown[0] != '\0' ? ": " : "",
	    cp->shown);
	room = a->cols - 12 - text_columns(note);
	cut = text_columns(title) > room;
	if (cut)
		snprintf(title, sizeof title, "%s%s", b->pane ? "> " : "", cp->title);
	draw_rule(a, row, title, note);
	total = detail_draw(&pane, in, model_config(ui_engine(s->ui)), cp, cut, b->detail_top);
	if (b->detail_top > 0 && b->detail_top + (size_t)rows > total) {
		b->detail_top = total > (size_t)rows ? total - (size_t)rows : 0;
		for (int r = 0; r < rows; r++)
			draw_printf(&pane, r, 0, pane.cols, STYLE_PLAIN, "%*s", pane.cols, "");
		detail_draw(&pane, in, model_config(ui_engine(s->ui)), cp, cut, b->detail_top);
	}
	return row + 1 + rows;
}

static void board_draw(struct screen *s, const struct area *a)
{
	struct board *b = s->data;
	const struct incident *in = model_incident(ui_engine(s->ui));
	const struct checkpoint *cp;
	int row = 0, spare, seen;

	if (in == NULL) {
		draw_text(a, 0, 1, a->cols - 2, STYLE_PLAIN, _("No incident is open. q goes back."));
		return;
	}
	board_read_journal(s, in);
	board_follow(b, in);
	spare = a->rows - 2 - DETAIL_ROWS - 1 - 3;
	seen = (int)in->checkpoints < spare ? (int)in->checkpoints : spare;
	list_height(&b->checkpoints, (size_t)(seen > 0 ? seen : 1));
	draw_head(a, row++, columns, 5);
	for (size_t i = 0; list_seen(&b->checkpoints, i) != LIST_NONE; i++)
		board_row(a, row++, in, &in->checkpoint[list_seen(&b->checkpoints, i)],
		    list_is_here(&b->checkpoints, i), clock_now());
	/* What a larger terminal gives goes to the detail first, then to the journal. */
	spare = a->rows - row - 2 - DETAIL_ROWS - 3;
	cp = board_here(b, in);
	if (cp != NULL)
		row = board_draw_detail(s, a, row, DETAIL_ROWS + (spare > 0 ? spare / 2 : 0), in, cp);
	draw_rule(a, row++, _("Journal"), NULL);
	for (size_t i = 0; i < b->lines && row < a->rows; i++)
		draw_text(a, row++, 1, a->cols - 2, STYLE_PLAIN, b->journal[i]);
}

static void board_noted(void *ctx, enum prompt_end end, const char *text)
{
	char words[EDIT_MAX + 16];

	if (end != PROMPT_DONE || text[0] == '\0')
		return;
	snprintf(words, sizeof words, "note %s", text);
	ui_do(ctx, words);
}

/* A command's key: never does more than ask. What needs words, or changes systems without a plan of
 * its own, comes up on the ':' line first. */
static bool board_command(struct screen *s, int key)
{
	const struct command *cmd = keymap_command(key);
	char words[64];

	if (cmd == NULL)
		return false;
	if (strcmp(cmd->name, "note") == 0) {
		ui_ask(s->ui, _("Note:"), _("Enter writes it to the journal, Esc gives up"), "",
		    board_noted, s->ui);
		return true;
	}
	snprintf(words, sizeof words, "%s ", cmd->name);
	if ((cmd->usage != NULL && cmd->usage[0] != '\0' && cmd->usage[0] != '[') ||
	    (cmd->effect != NULL && cmd->go == NULL && strcmp(cmd->name, "arm") != 0))
		ui_ask_command(s->ui, words);
	else
		ui_do(s->ui, cmd->name);
	return true;
}

static bool board_key(struct screen *s, int key)
{
	struct board *b = s->data;
	const struct incident *in = model_incident(ui_engine(s->ui));
	const struct checkpoint *cp = in != NULL ? board_here(b, in) : NULL;

	switch (keymap_act(key)) {
	case ACT_PANE:
		b->pane = !b->pane;
		return true;
	case ACT_UP:
	case ACT_DOWN:
		if (b->pane) {
			if (keymap_act(key) == ACT_DOWN)
				b->detail_top++;
			else if (b->detail_top > 0)
				b->detail_top--;
			return true;
		}
		break;
	case ACT_ENTER:
	case ACT_RIGHT:
		if (cp != NULL)
			ui_do(s->ui, cp->command);
		return true;
	case ACT_FILTER:
		ui_push(s->ui, &scr_timeline, NULL);
		return true;
	default:
		break;
	}
	if (key >= '1' && key <= '9') {
		list_first(&b->checkpoints);
		list_move(&b->checkpoints, key - '1');
		b->detail_top = 0;
		return true;
	}
	if (ui_list_key(&b->checkpoints, key)) {
		b->detail_top = 0;
		return true;
	}
	return board_command(s, key);
}

static const struct binding board_keys[] = {
	{ KEYC_ENTER, "Enter", N_("do"), NULL },
	{ 0, NULL, N_("arm"), "arm" },
	{ 0, NULL, N_("note"), "note" },
	{ KEYC_TAB, "Tab", N_("pane"), NULL },
	{ ':', ":", N_("command"), NULL },
	{ '/', "/", N_("timeline"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_board = {
	.name = "board",
	.title = NULL,
	.keys = board_keys,
	.open = board_open,
	.draw = board_draw,
	.key = board_key,
	.done = board_done,
};
