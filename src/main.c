/* Arguments to subcommand, locale; nothing else. */
#include <fcntl.h>
#include <libintl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/drill_console.h"
#include "app/player.h"
#include "app/shell.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/child.h"
#include "child/serve.h"
#include "drill/host.h"
#include "engine/engine.h"
#include "line.h"
#include "ui.h"
#include "work/deadlines.h"
#include "work/renewal.h"

/* What the operator sees: the console, numbered lines, or a program in the operator's place. */
static int main_face(const struct shell_call *call, struct engine *en, struct loop *l, struct err *e)
{
	static const struct player_hands hands = { .home = ui_play_home, .key = ui_play_key };
	struct player *p;
	int rc;

	if (call->play && (call->line || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return player_run(en, l, e);
	if (call->line)
		return line_run(en, l, e);
	if (!call->play)
		return ui_run(en, l, e);
	p = player_new(en, l, &hands);
	rc = ui_run(en, l, e);
	return rc < 0 ? player_end(p, NULL), rc : player_end(p, e);
}

/* While the console runs, CRLs are renewed where the standing order says so, and deadlines are watched. */
static int main_renewing(const struct shell_call *call, struct engine *en, struct loop *l, struct err *e)
{
	struct renewal *w = call->read_only ? NULL : renewal_start(en);
	struct deadlines_watch *d = call->read_only ? NULL : deadlines_start(en, true);
	int rc = main_face(call, en, l, e);

	deadlines_stop(d);
	renewal_stop(w);
	return rc;
}

static int main_console(const struct shell_call *call)
{
	struct engine_options o = { .config_path = call->config, .incident = call->incident,
		.actor = call->actor, .console = true, .read_only = call->read_only };
	struct loop *l = loop_new();
	struct err e = { 0 };
	struct engine *en = engine_new(l, &o, &e);
	int rc = e.code;

	if (en != NULL && shell_pin_fd(en, call->pin_fd, &e) < 0)
		rc = e.code;
	else if (en != NULL && call->incident == NULL && engine_open(en, NULL, &e) < 0 && e.code == ERR_AUDIT)
		rc = e.code;
	else if (en != NULL && !call->read_only && drill_attach(en, &e) < 0)
		rc = e.code;
	else if (en != NULL)
		rc = main_renewing(call, en, l, &e);
	child_kill_all(l);
	if (en != NULL)
		drill_detach(en);
	engine_free(en);
	loop_free(l);
	if (rc < 0)
		shell_error(&e);
	return rc < 0 ? err_exit_status(rc) : rc;
}

/* A program started with a closed descriptor must not open a CA's files as its standard error. */
static void main_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char *argv[])
{
	struct shell_call call;
	bool console = true;
	int rc;

	main_standard_fds();
	json_begin();
	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C");
	bindtextdomain(PACKAGE, LOCALEDIR);
	textdomain(PACKAGE);
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "child") == 0)
		return serve_main(argv[2]);
	if (argc == 3 && strcmp(argv[1], "drill-host") == 0)
		return drill_host_main(argv[2]);
	if ((rc = shell_parse(&call, argc, argv)) >= 0)
		return rc;
	if (call.argc > 0)
		rc = shell_run(&call, &console);
	if (!console)
		return rc;
	if (!call.line && !call.play && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
		fprintf(stderr, "%s\n", _("sev1: the console needs a terminal; give a command, or --line. See: sev1 --help"));
		rc = EXIT_USAGE;
	} else {
		rc = main_console(&call);
	}
	shell_clear(&call);
	return rc;
}
