/* What is wrong with an input, all of it: a line for each error, and what to do about it. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "pager.h"
#include "screen.h"

struct errors {
	struct job *job;
	struct lines lines; /* the errors, broken for a width */
	int width;
	struct pager pager;
};

static void errors_open(struct screen *s, void *arg)
{
	struct errors *v = mem_zalloc(1, sizeof *v);

	v->job = arg;
	v->job->held++;
	v->pager.lines = &v->lines;
	s->data = v;
	s->title = mem_printf("sev1 %s", v->job->words);
}

static void errors_done(struct screen *s)
{
	struct errors *v = s->data;

	v->job->held--;
	pager_free(&v->pager);
	lines_free(&v->lines);
	free(v);
}

/* One error, or a remedy, which stands further in than what does not fit the first line of an error. */
static void errors_add(struct errors *v, const char *text, int indent)
{
	char *safe = text_escaped(text, strlen(text), 8192), *p = safe;
	size_t n, skip;

	while (*p != '\0') {
		char *line;
		n = draw_break(p, v->width - indent, &skip);
		line = mem_printf("%*s%.*s", indent, "", (int)n, p);
		lines_add(&v->lines, line);
		free(line);
		p += n + skip;
		indent = indent > 0 ? indent : 4;
	}
	free(safe);
}

/* The octets of the folder that all errors begin with; it would fill the screen. */
static size_t errors_folder(const struct errs *es)
{
	size_t n = strcspn(es->err[0].text, ": ");

	for (size_t i = 0; i < es->count; i++)
		while (n > 0 && (es->err[0].text[n - 1] != '/' || strncmp(es->err[i].text, es->err[0].text, n) != 0))
			n--;
	return n;
}

static void errors_fit(struct errors *v, int width)
{
	const struct errs *es = v->job->errs;
	size_t folder = errors_folder(es);
	char *in;

	if (width == v->width)
		return;
	v->width = width;
	lines_free(&v->lines);
	if (folder > 1) {
		in = mem_printf(_("in %.*s"), (int)folder, es->err[0].text);
		errors_add(v, in, 0);
		free(in);
	}
	for (size_t i = 0; i < es->count; i++) {
		errors_add(v, es->err[i].text + (folder > 1 ? folder : 0), 0);
		errors_add(v, errs_remedy(es, i), 6);
	}
	pager_refresh(&v->pager);
}

static void errors_draw(struct screen *s, const struct area *a)
{
	struct errors *v = s->data;
	struct area list = *a;
	int head = draw_wrap(a, 0, 1, a->cols - 2, 2, STYLE_BAD, v->job->err.text) + 1;

	list.top += head;
	list.rows -= head;
	errors_fit(v, a->cols - 2);
	pager_draw(&v->pager, &list);
}

static bool errors_key(struct screen *s, int key)
{
	struct errors *v = s->data;

	if (keymap_act(key) == ACT_ENTER) {
		ui_pop(s->ui);
		return true;
	}
	return pager_key(&v->pager, s->ui, key);
}

static const struct binding errors_keys[] = {
	{ KEYC_UP, "Up Down PgUp PgDn", N_("scroll"), NULL },
	{ '/', "/", N_("filter"), NULL },
	{ KEYC_ENTER, "Enter", N_("close"), NULL },
	{ 0, NULL, NULL, NULL },
};

const struct screen_ops scr_errors = {
	.name = "errors",
	.title = N_("Errors"),
	.keys = errors_keys,
	.open = errors_open,
	.draw = errors_draw,
	.key = errors_key,
	.done = errors_done,
};
