#include "answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"

bool answer_init(struct answer *w, const char *command, bool args)
{
	*w = (struct answer){ .command = command_find(command) };
	if (w->command == NULL)
		return false;
	if (args)
		w->args = args_new();
	buf_adds(&w->words, command);
	return true;
}

void answer_add(struct answer *w, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	if (w->args != NULL)
		args_add(w->args, name, value);
	buf_addf(&w->words, " --%s ", name);
	if (text_is_word(value))
		buf_adds(&w->words, value);
	else
		text_quote(&w->words, value);
}

void answer_flag(struct answer *w, const char *name)
{
	if (w->args != NULL)
		args_add(w->args, name, "");
	buf_addf(&w->words, " --%s", name);
}

struct job *answer_start(struct answer *w, struct ui *u)
{
	struct args *args = w->args;
	struct job *j = NULL;
	struct err e = { 0 };

	w->args = NULL; /* taken, also on error */
	if (jobs_start(ui_jobs(u), w->command, args, buf_str(&w->words), true, &j, &e) < 0)
		ui_say_err(u, &e);
	answer_free(w);
	return j;
}

void answer_free(struct answer *w)
{
	args_free(w->args);
	w->args = NULL;
	buf_free(&w->words);
}

int answer_time(void *ctx, const char *text, char **value, struct err *e)
{
	int64_t ms, now = clock_now();
	char iso[32];

	(void)ctx;
	if (clock_parse_when(text, now, &ms) < 0)
		return err_set(e, ERR_USAGE,
		    _("That is no time with a zone. Say now, -35m, -2h, 2026-08-31T23:19+05:30 or 2026-08-31 17:49Z."));
	if (ms > now)
		return err_set(e, ERR_USAGE, _("That lies in the future; this machine's clock says %s."),
		    clock_iso(iso, sizeof iso, now));
	*value = mem_strdup(clock_iso(iso, sizeof iso, ms));
	return 0;
}

int answer_time_or_unknown(void *ctx, const char *text, char **value, struct err *e)
{
	if (strcmp(text, "unknown") == 0) {
		*value = mem_strdup(text);
		return 0;
	}
	return answer_time(ctx, text, value, e);
}
