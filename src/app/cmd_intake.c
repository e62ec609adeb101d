/* Problem reports: read, typed in, listed, shown, closed. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incident/triage.h"
#include "work/intake.h"
#include "work/intake_store.h"

static int typed_time(struct run *r, int64_t *ms, struct err *e)
{
	const char *s = args_get(run_args(r), "received");

	*ms = clock_now();
	if (s != NULL && (clock_parse_when(s, clock_now(), ms) < 0 || *ms > clock_now())) {
		err_set(e, ERR_USAGE, _("intake: --received '%s' is not a time with a zone, or lies in the future"), s);
		return err_remedy(e, _("write 2026-08-31T23:19+05:30, 2026-08-31T17:49Z, -35m or now"));
	}
	return 0;
}

static int typed_check(struct run *r, const char *text, struct err *e)
{
	const char *channel = args_get(run_args(r), "channel");
	const struct choice *c = triage_channels;

	while (channel != NULL && c->value != NULL && strcmp(c->value, channel) != 0)
		c++;
	if (c->value == NULL) {
		err_set(e, ERR_USAGE, _("intake: unknown channel '%s'"), channel);
		return err_remedy(e, _("it is one of problem-report, support, phone, monitoring, staff, authority, other"));
	}
	if (text == NULL || text[strspn(text, " \n")] == '\0') {
		err_set(e, ERR_USAGE, _("intake type: what was reported?"));
		return err_remedy(e, _("sev1 intake type --text \"...\" --reporter NAME --channel phone --received -35m"));
	}
	if (strstr(text, "PRIVATE KEY") != NULL) {
		err_set(e, ERR_REFUSED, _("intake type: a private key must not stand on a command line"));
		return err_remedy(e, _("put the report into a file that only you can read: sev1 intake FILE"));
	}
	return 0;
}

static void intake_type(struct run *r)
{
	const char *text = args_get(run_args(r), "text"), *subject = args_get(run_args(r), "subject");
	struct err e = { 0 };
	int64_t at;
	char *first, *mail, iso[24];

	if (typed_check(r, text, &e) < 0 || typed_time(r, &at, &e) < 0) {
		run_fail(r, &e);
		return;
	}
	first = text_escaped(text, strcspn(text, "\n"), 70);
	mail = mem_printf("Subject: %s\nContent-Type: text/plain; charset=utf-8\nX-Typed: %s\n\n%s\n",
	    subject != NULL && strchr(subject, '\n') == NULL ? subject : first, clock_iso(iso, sizeof iso, at), text);
	intake_typed(r, mail, at);
	free(first);
	free(mail);
}

static void intake_start(struct run *r)
{
	const char *word = args_nth(run_args(r), "", 0), *id = args_nth(run_args(r), "", 1);
	bool one = word != NULL && (strcmp(word, "show") == 0 || strcmp(word, "close") == 0);
	struct err e = { 0 };
	json_t *o;

	if (one && id == NULL) {
		err_set(&e, ERR_USAGE, _("intake %s: which report?"), word);
		err_remedy(&e, _("see: sev1 intake list"));
		run_fail(r, &e);
	} else if (one && strcmp(word, "close") == 0) {
		intake_close(r, id);
	} else if (one) {
		if ((o = intake_get(engine_state(run_engine(r)), id, &e)) == NULL)
			run_fail(r, &e);
		else
			intake_show(r, o);
		json_decref(o);
	} else if (word != NULL && strcmp(word, "list") == 0) {
		intake_list(r);
	} else if (word != NULL && strcmp(word, "type") == 0) {
		intake_type(r);
	} else {
		intake_read(r, word);
	}
}

const struct command cmd_intake = {
	.name = "intake", .usage = N_("[FILE | - | list | show ID | type | close ID]"),
	.summary = N_("read problem reports: recognise revocation requests, match them, tell people at once"),
	.effect = N_("Reads mails of a file, an mbox, a Maildir or standard input, which stay as they are; keeps reports in the state "
	    "folder, without private keys; sends the intake notice for those of high priority. Undo: intake close."),
	.options = (const struct option[]){
		{ "text", "TEXT", N_("type: what was reported, as it was said") },
		{ "subject", "TEXT", N_("type: in a few words") },
		{ "reporter", "TEXT", N_("who reported it") },
		{ "channel", "NAME", N_("problem-report (default), support, phone, monitoring, staff, authority, other") },
		{ "received", N_("TIME"), N_("type: when it was first received, with a zone; -35m; now (default)") },
		{ "no-route", NULL, N_("tell nobody this time") },
		{ "all", NULL, N_("list: closed ones too") },
		{ "reason", "TEXT", N_("close: why nothing is to be done") },
		{ NULL, NULL, NULL } },
	.gates = GATE_CONFIG, .start = intake_start,
};
