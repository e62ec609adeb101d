/* contacts: compare the problem-reporting address with what is published, or say when that is due. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "work/contacts.h"

struct comparing {
	struct run *run;
	json_t *list;
	struct contacts_check *check;
};

static void comparing_free(void *data)
{
	struct comparing *c = data;

	contacts_drop(c->check);
	json_decref(c->list);
	free(c);
}

static void compared(void *ctx)
{
	struct comparing *c = ctx;
	struct run *r = c->run;
	size_t i, fails = 0;
	json_t *f;

	json_array_foreach(c->list, i, f) {
		bool fail = strcmp(json_str(f, "level"), "fail") == 0;
		fails += fail;
		run_out(r, "%-5s %s", fail ? _("FAIL") : strcmp(json_str(f, "level"), "warn") == 0 ? _("warn") : _("ok"),
		    json_str(f, "what"));
		if (json_str(f, "remedy")[0] != '\0')
			run_out(r, "        %s", json_str(f, "remedy"));
	}
	json_object_set(run_result(r), "findings", c->list);
	json_put_num(run_result(r), "failures", (int64_t)fails);
	run_end(r, fails > 0 ? EXIT_FAILED : EXIT_DONE);
}

static void contacts_show(struct run *r)
{
	struct contacts_due due = contacts_due(run_engine(r));
	bool late = due.due < clock_now();
	char at[24], next[24];

	if (due.checked == 0)
		run_out(r, _("Never compared: sev1 contacts check"));
	else
		run_out(r, late ? _("Compared %s, %lld failures; OVERDUE since %s") : _("Compared %s, %lld failures; due again %s"),
		    clock_iso(at, sizeof at, due.checked), (long long)due.failures, clock_iso(next, sizeof next, due.due));
	json_put(run_result(r), "address", run_config(r)->contacts.problem_report);
	json_object_set_new(run_result(r), "checked", due.checked != 0 ? json_integer((json_int_t)due.checked) : json_null());
	json_object_set_new(run_result(r), "due", due.due != 0 ? json_integer((json_int_t)due.due) : json_null());
	json_put_num(run_result(r), "failures", due.failures);
	json_object_set_new(run_result(r), "overdue", json_boolean(late));
	run_end(r, late || due.failures > 0 ? EXIT_FAILED : EXIT_DONE);
}

static void contacts_start(struct run *r)
{
	const char *verb = args_nth(run_args(r), "", 0);
	struct comparing *c;
	struct err e = { 0 };

	if (verb != NULL && strcmp(verb, "check") != 0 && strcmp(verb, "due") != 0) {
		err_set(&e, ERR_USAGE, _("contacts: '%s' is neither check nor due"), verb);
	} else if (run_config(r)->contacts.problem_report == NULL) {
		err_set(&e, ERR_NOTFOUND, _("contacts: %s has no [contacts]"), run_config(r)->path);
		err_remedy(&e, _("add it with problem-report, and ccadb, cps or page to compare it with"));
	}
	if (e.code != 0) {
		run_fail(r, &e);
		return;
	}
	if (verb == NULL || verb[0] == 'd') {
		contacts_show(r);
		return;
	}
	c = mem_zalloc(1, sizeof *c);
	c->run = r;
	c->list = json_array();
	c->check = contacts_check(r, c->list, compared, c);
	run_set_data(r, c, comparing_free);
	contacts_begin(c->check);
}

const struct command cmd_contacts = {
	.name = "contacts", .usage = "[check|due]",
	.summary = N_("is the problem-reporting address the same wherever it is published? and when to look again"),
	.effect = N_("check reads the files and fetches the page that [contacts] names, and notes the time in the state folder; it "
	             "changes no other thing, and fails where a place names another address"),
	.gates = GATE_CONFIG, .start = contacts_start,
};
