/* Help, made from the tables: this screen's keys, the keys of every screen, the commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "pager.h"
#include "screen.h"

struct help {
	struct lines lines;
	struct pager pager;
};

static void help_line(struct help *h, const char *key, const char *what)
{
	char *line = mem_printf("  %-20s %s", key, what);

	lines_add(&h->lines, line);
	free(line);
}

static void help_title(struct help *h, const char *title)
{
	if (h->lines.count > 0)
		lines_add(&h->lines, "");
	lines_add(&h->lines, title);
}

static void help_screen(struct help *h, const struct screen *of)
{
	char title[120];

	snprintf(title, sizeof title, _("On the screen you came from (%s)"), of->ops->name);
	help_title(h, title);
	for (const struct binding *b = of->ops->keys; b != NULL && b->what != NULL; b++)
		if (keymap_label(b) != NULL)
			help_line(h, keymap_label(b), in_(b->what));
}

static void help_global(struct help *h)
{
	const struct keydef *k;

	help_title(h, _("Everywhere"));
	for (size_t i = 0; (k = keymap_at(i)) != NULL; i++)
		if (k->what != NULL)
			help_line(h, k->label, _(k->what));
}

static void help_commands(struct help *h, const struct ui *u)
{
	const struct command *c;
	char *left, *right;
	const char *closed;

	help_title(h, _("Commands: after ':', or in a shell as  sev1 NAME ...  (key on the board)"));
	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		closed = ui_closed(u, c);
		left = mem_printf("%s%s%s%s%s%s", c->name, c->usage != NULL && c->usage[0] != '\0' ? " " : "",
		    c->usage != NULL ? c->usage : "", c->key != NULL ? "  (" : "", c->key != NULL ? c->key : "",
		    c->key != NULL ? ")" : "");
		right = mem_printf("%s%s%s%s", _(c->summary), closed != NULL ? "  [" : "",
		    closed != NULL ? closed : "", closed != NULL ? "]" : "");
		help_line(h, left, right);
		free(left);
		free(right);
		if (c->effect != NULL)
			help_line(h, "", _(c->effect));
		for (const struct option *o = c->options; o != NULL && o->name != NULL; o++) {
			left = mem_printf("--%s%s%s", o->name, o->arg != NULL ? " " : "", o->arg != NULL ? _(o->arg) : "");
			right = mem_printf("%-18s %s", left, _(o->help));
			help_line(h, "", right);
			free(left);
			free(right);
		}
	}
}

static void help_open(struct screen *s, void *arg)
{
	struct help *h = mem_zalloc(1, sizeof *h);
	const struct screen *of = arg != NULL ? arg : s->below;

	if (of != NULL)
		help_screen(h, of);
	help_global(h);
	help_commands(h, s->ui);
	help_title(h, _("The command line"));
	help_line(h, "sev1 --help", _("the same commands; man sev1 has all of it"));
	h->pager.lines = &h->lines;
	pager_refresh(&h->pager);
	s->data = h;
}

static void help_done(struct screen *s)
{
	struct help *h = s->data;

	pager_free(&h->pager);
	lines_free(&h->lines);
	free(h);
}

static void help_draw(struct screen *s, const struct area *a)
{
	struct help *h = s->data;

	pager_draw(&h->pager, a);
}

static bool help_key(struct screen *s, int key)
{
	struct help *h = s->data;

	return pager_key(&h->pager, s->ui, key);
}

static const struct binding help_keys[] = {
	{ KEYC_UP, "Up Down PgUp PgDn", N_("scroll"), NULL },
	{ '/', "/", N_("filter"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_help = {
	.name = "help",
	.title = N_("Help"),
	.keys = help_keys,
	.open = help_open,
	.draw = help_draw,
	.key = help_key,
	.done = help_done,
};
