#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/help.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "engine/run.h"

/* A text of several lines as lines of the answer. */
static void help_say(struct run *r, char *text)
{
	for (char *line = text, *nl; *line != '\0'; line = nl) {
		nl = line + strcspn(line, "\n");
		if (*nl == '\n')
			*nl++ = '\0';
		run_out(r, "%s", line);
	}
}

static void help_start(struct run *r)
{
	const char *name = args_nth(run_args(r), "", 0);
	const struct command *cmd = name != NULL ? command_find(name) : NULL;
	struct buf b = { 0 };
	struct err e = { 0 };
	char *text;

	if (name != NULL && cmd == NULL) {
		err_set(&e, ERR_USAGE, _("there is no command '%s'"), name);
		err_remedy(&e, _("see: sev1 help"));
		run_fail(r, &e);
		return;
	}
	if (args_has(run_args(r), "man"))
		help_man(&b);
	else if (cmd != NULL)
		help_command(cmd, &b);
	else
		help_usage(&b);
	text = buf_take(&b);
	help_say(r, text);
	free(text);
	run_end(r, EXIT_DONE);
}

const struct command cmd_help = {
	.name = "help", .key = "?", .usage = N_("[COMMAND]"), .summary = N_("what the commands do"),
	.options = (const struct option[]){
		{ "man", NULL, N_("the options and commands as sections of the manual page") }, { NULL, NULL, NULL } },
	.start = help_start,
};
