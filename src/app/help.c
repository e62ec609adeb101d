#include "app/help.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

#define WIDTH 80

static const struct option global[] = {
	{ "-c", N_("FILE"), N_("the configuration; else ~/.config/sev1/sev1.conf, /etc/sev1/sev1.conf") },
	{ "-i", N_("INCIDENT"), N_("an incident's id or file; else the only open one") },
	{ "--actor", N_("NAME"), N_("who acts, for the journal; else the login name") },
	{ "--json", NULL, N_("machine-readable output, with a \"version\"") },
	{ "--line", NULL, N_("numbered prompts and plain lines: screen readers, serial consoles") },
	{ "--no-input", NULL, N_("never ask") },
	{ "--pin-fd", N_("N"), N_("read PINs and passphrases from this descriptor, a line each") },
	{ "--read-only", NULL, N_("watch an incident without writing to it") },
	{ "--version", NULL, N_("print the version") },
	{ "--help", NULL, N_("print this help") },
	{ NULL, NULL, NULL }
};

static const struct {
	enum gate gate;
	const char *words;
} needs[] = {
	{ GATE_CONFIG, N_("a configuration") },
	{ GATE_INCIDENT, N_("an open incident") },
	{ GATE_ARMED, N_("an armed console (on the command line: the typed phrase)") },
	{ GATE_TRIAGE, N_("triage answered") },
	{ GATE_SCOPE, N_("the scope frozen") },
	{ GATE_OFFLINE, N_("the CA offline, or that checkpoint closed by hand") },
	{ GATE_CRL, N_("an emergency CRL") },
	{ GATE_ISSUER, N_("a replacement issuer") },
	{ GATE_LEASE, N_("no other console acting on the incident") },
};

/* Text in lines of at most WIDTH columns, each after the first indented. The first starts at column
 * at, where the caller has brought the line. */
static void help_wrap(struct buf *b, const char *text, int indent, int at)
{
	int used;
	size_t n;

	for (bool first = true; *text != '\0'; first = false) {
		n = strcspn(text, " ");
		char *word = mem_strndup(text, n);
		used = text_columns(word);
		if (!first && at + 1 + used > WIDTH) {
			buf_addf(b, "\n%*s", indent, "");
			at = indent;
		} else if (!first) {
			buf_addc(b, ' ');
			at++;
		}
		buf_adds(b, word);
		free(word);
		at += used;
		text += n + strspn(text + n, " ");
	}
	buf_addc(b, '\n');
}

/* "  name ARG" and, from a column on, what it means. */
static void help_row(struct buf *b, const char *name, const char *arg, const char *help, int column)
{
	struct buf left = { 0 };
	int used;

	buf_addf(&left, "  %s", name);
	if (arg != NULL && arg[0] != '\0')
		buf_addf(&left, " %s", _(arg));
	used = text_columns(buf_str(&left));
	buf_adds(b, buf_str(&left));
	if (used + 2 > column) {
		buf_addf(b, "\n%*s", column, "");
	} else {
		buf_addf(b, "%*s", column - used, "");
	}
	help_wrap(b, help, column, column);
	buf_free(&left);
}

void help_usage(struct buf *b)
{
	const struct command *cmd;

	buf_adds(b, _("sev1: the war-room console for a compromised certification authority\n\n"));
	buf_adds(b, _("Usage:\n"));
	help_row(b, "sev1", NULL, _("the console: the open incident, or the start screen"), 26);
	help_row(b, _("sev1 COMMAND ..."), NULL, _("one step, without a screen"), 26);
	help_row(b, _("sev1 help COMMAND"), NULL, _("what it does, and how to undo it"), 26);
	buf_adds(b, _("\nCommands, in the order in which an incident needs them:\n"));
	for (size_t i = 0; (cmd = command_at(i)) != NULL; i++)
		help_row(b, cmd->name, NULL, _(cmd->summary), 14);
	buf_adds(b, _("\nOptions, before the command:\n"));
	for (const struct option *o = global; o->name != NULL; o++)
		help_row(b, o->name, o->arg, _(o->help), 18);
	buf_adds(b, _("\nExit status: 0 done, 1 failed, 2 usage, 3 refused, 4 done in part,\n"
		      "5 the journal does not verify.\n"));
}

/* What must hold before it runs, in words with commas between; empty where nothing must. */
static void help_needs(const struct command *cmd, struct buf *b)
{
	for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
		if (cmd->gates & needs[i].gate)
			buf_addf(b, "%s%s", b->len > 0 ? ", " : "", _(needs[i].words));
}

void help_command(const struct command *cmd, struct buf *b)
{
	struct buf text = { 0 }, name = { 0 };

	buf_addf(b, _("Usage: sev1 %s"), cmd->name);
	if (cmd->usage != NULL && cmd->usage[0] != '\0')
		buf_addf(b, " %s", _(cmd->usage));
	buf_adds(b, cmd->options != NULL ? _(" [OPTIONS]\n\n") : "\n\n");
	help_wrap(b, _(cmd->summary), 0, 0);
	if (cmd->effect != NULL) {
		buf_addc(b, '\n');
		help_wrap(b, _(cmd->effect), 0, 0);
	}
	if (cmd->options != NULL)
		buf_adds(b, _("\nOptions:\n"));
	for (const struct option *o = cmd->options; o != NULL && o->name != NULL; o++) {
		buf_clear(&name);
		buf_addf(&name, "--%s", o->name);
		help_row(b, buf_str(&name), o->arg, _(o->help), 24);
	}
	help_needs(cmd, &text);
	if (text.len > 0 || cmd->key != NULL || cmd->go != NULL)
		buf_addc(b, '\n');
	if (text.len > 0) {
		buf_clear(&name);
		buf_addf(&name, _("Needs: %s."), buf_str(&text));
		help_wrap(b, buf_str(&name), 7, 0);
	}
	if (cmd->go != NULL)
		help_wrap(b, _("First shows a plan; it runs once its phrase is typed, or with --plan HASH "
			       "--confirm PHRASE where there is no terminal."), 0, 0);
	if (cmd->key != NULL)
		buf_addf(b, _("In the console: the key %s, or :%s\n"), cmd->key, cmd->name);
	buf_free(&text);
	buf_free(&name);
}

/* ---- the manual page, mdoc(7) ---- */

/* Text lines, a sentence each as mdoc wants them: no request at their start, no escape in them. */
static void man_text(struct buf *b, const char *s)
{
	for (bool start = true; *s != '\0'; s++) {
		if (start && (*s == '.' || *s == '\''))
			buf_adds(b, "\\&");
		start = false;
		if (*s == '\\') {
			buf_adds(b, "\\e");
		} else if (*s == '-') {
			buf_adds(b, "\\-");
		} else if (*s == '.' && s[1] == ' ' && s[2] >= 'A' && s[2] <= 'Z') {
			buf_adds(b, ".\n");
			s++;
			start = true;
		} else {
			buf_addc(b, *s);
		}
	}
	buf_addc(b, '\n');
}

/* Words as arguments of a macro: none of them may be taken for another macro. */
static void man_words(struct buf *b, const char *macro, const char *s)
{
	size_t n;

	for (; *s != '\0'; s += n + strspn(s + n, " ")) {
		n = strcspn(s, " ");
		buf_addf(b, " %s \\&%.*s", macro, (int)n, s);
	}
}

static void man_command(struct buf *b, const struct command *cmd)
{
	struct buf text = { 0 };

	buf_addf(b, ".It Ic %s", cmd->name);
	if (cmd->usage != NULL)
		man_words(b, "Ar", _(cmd->usage));
	buf_addc(b, '\n');
	man_text(b, _(cmd->summary));
	if (cmd->effect != NULL) {
		buf_adds(b, ".Pp\n");
		man_text(b, _(cmd->effect));
	}
	help_needs(cmd, &text);
	if (text.len > 0) {
		buf_adds(b, ".Pp\n");
		buf_adds(b, _("Needs: "));
		man_text(b, buf_str(&text));
	}
	buf_free(&text);
	if (cmd->options == NULL)
		return;
	buf_adds(b, ".Bl -tag -width Ds -compact\n");
	for (const struct option *o = cmd->options; o->name != NULL; o++) {
		buf_addf(b, ".It Fl \\-%s", o->name);
		if (o->arg != NULL)
			man_words(b, "Ar", _(o->arg));
		buf_addc(b, '\n');
		man_text(b, _(o->help));
	}
	buf_adds(b, ".El\n");
}

void help_man(struct buf *b)
{
	const struct command *cmd;

	buf_addf(b, ".Sh %s\n.Bl -tag -width Ds\n", _("OPTIONS"));
	for (const struct option *o = global; o->name != NULL; o++) {
		buf_addf(b, ".It Fl %s%s", o->name[1] == '-' ? "\\-" : "", o->name + (o->name[1] == '-' ? 2 : 1));
		if (o->arg != NULL)
			man_words(b, "Ar", _(o->arg));
		buf_addc(b, '\n');
		man_text(b, _(o->help));
	}
	buf_addf(b, ".El\n.Sh %s\n.Bl -tag -width Ds\n", _("COMMANDS"));
	for (size_t i = 0; (cmd = command_at(i)) != NULL; i++)
		man_command(b, cmd);
	buf_adds(b, ".El\n");
}
