/* Looking at the problem reports that were kept, and closing one. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/run.h"
#include "work/intake.h"
#include "work/intake_clock.h"
#include "work/intake_store.h"

/* A copy that says by when, for --json: of one that has no incident, whose clock would be another. */
static json_t *clocked(struct run *r, const json_t *o, const json_t *times)
{
	json_t *copy = json_copy((json_t *)o);
	struct intake_clock k;

	if (json_str(o, "incident")[0] != '\0' || json_str(o, "error")[0] != '\0')
		return copy;
	intake_clock(run_config(r), times, o, &k);
	json_put(copy, "reason", k.reason);
	json_put(copy, "grounds", k.why);
	json_put_num(copy, "due", k.due);
	json_object_set_new(copy, "advised", k.advised != 0 ? json_integer((json_int_t)k.advised) : json_null());
	return copy;
}

const char *intake_word(const json_t *report, const char *key)
{
	const char *word = json_str(report, key);

	return word[0] != '\0' ? _(word) : "";
}

static void list_line(struct run *r, const json_t *o)
{
	int64_t due = json_num(o, "due", 0);
	char at[24], age[40], left[40], level[64], state[64];

	if (json_str(o, "error")[0] != '\0') {
		run_out(r, "%s %s", json_str(o, "id"), json_str(o, "error"));
		return;
	}
	run_out(r, "%s  %s %s %s  %11s  %11s  %s", json_str(o, "id"), text_pad(level, sizeof level, intake_word(o, "level"), 8),
	    text_pad(state, sizeof state, json_str(o, "incident")[0] != '\0' ? json_str(o, "incident") : intake_word(o, "state"), 8),
	    clock_iso(at, sizeof at, json_num(o, "received", 0)),
	    clock_span(age, sizeof age, clock_now() - json_num(o, "received", 0)),
	    due != 0 ? clock_span(left, sizeof left, due - clock_now()) : "-", json_str(o, "subject"));
}

void intake_list(struct run *r)
{
	struct err e = { 0 };
	json_t *all = intake_load(engine_state(run_engine(r)), &e), *shown = json_array(), *o;
	json_t *times = intake_times(run_config(r));
	size_t i;

	json_array_foreach(all, i, o) {
		if (!args_has(run_args(r), "all") && strcmp(json_str(o, "state"), "closed") == 0)
			continue;
		if (json_array_size(shown) == 0)
			run_out(r, _("%-11s  %-8s %-8s %-20s  %11s  %11s  %s"), _("report"), _("level"), _("state"), _("first received"),
			    _("ago"), _("left"), in_(NC_("mail", "subject")));
		json_array_append_new(shown, clocked(r, o, times));
		list_line(r, json_array_get(shown, json_array_size(shown) - 1));
	}
	if (json_array_size(shown) == 0)
		run_out(r, _("No open reports in %s"), engine_state(run_engine(r)));
	json_decref(times);
	json_object_set_new(run_result(r), "reports", shown);
	json_decref(all);
	run_end(r, EXIT_DONE);
}

static void show_hops(struct run *r, const json_t *o)
{
	int64_t before = INT64_MIN, at;
	char iso[24], span[40];
	const json_t *h;
	size_t i;

	json_array_foreach(json_list(o, "hops"), i, h) {
		at = json_num(h, "at", INT64_MIN);
		run_out(r, "  %s %-7s %-10s %s%s (%s)%s%s", at != INT64_MIN ? clock_iso(iso, sizeof iso, at) : "?",
		    json_str(h, "trust"), before != INT64_MIN && at != INT64_MIN ? clock_span(span, sizeof span, at - before) : "",
		    json_str(h, "by")[0] != '\0' ? json_str(h, "by") : _("the sender"), json_bool(h, "first") ? _(" <- first receipt") : "",
		    json_str(h, "stamp"), json_str(h, "doubt")[0] != '\0' ? ": " : "", json_str(h, "doubt"));
		if (at != INT64_MIN)
			before = at;
	}
	at = json_num(o, "read", 0);
	run_out(r, "  %s %-7s %-10s %s", clock_iso(iso, sizeof iso, at), "sev1", before != INT64_MIN ?
	    clock_span(span, sizeof span, at - before) : "", _("read here"));
}

static void show_list(struct run *r, const json_t *o, const char *name, const char *title, const char *a, const char *b,
    const char *c)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_list(o, name), i, v) {
		if (i == 0)
			run_out(r, "%s", title);
		if (i < 200)
			run_out(r, "  %s %s %s", json_str(v, a), json_str(v, b), c != NULL ? json_str(v, c) : "");
	}
}

static void show_keys(struct run *r, const json_t *o)
{
	const json_t *v;
	char n[64];
	size_t i;

	json_array_foreach(json_list(o, "keys"), i, v) {
		if (i == 0)
			run_out(r, "%s", _("Keys"));
		run_out(r, _("  %s in %s: sha256 %s, on %s of ours%s"), json_str(v, "kind"), json_str(v, "where"),
		    json_str(v, "spki"), text_certificates(n, json_num(v, "certificates", 0)), strcmp(json_str(v, "kind"), "private-key") == 0 &&
		    json_num(v, "certificates", 0) > 0 ? _("; possession proved, the key itself was not kept") : "");
	}
}

static void show_text(struct run *r, const json_t *o)
{
	const json_t *m, *line;
	size_t i, k;

	json_array_foreach(json_list(o, "messages"), i, m) {
		run_out(r, _("Message %zu from %s: %s"), i + 1, json_str(m, "from"), json_str(m, "subject"));
		json_array_foreach(json_list(m, "text"), k, line)
			run_out(r, "  %s", json_string_value(line));
	}
}

static void show_why(struct run *r, const json_t *o)
{
	const json_t *v;
	size_t i;

	run_out(r, _("Why (score %lld)"), (long long)json_num(o, "score", 0));
	json_array_foreach(json_list(o, "why"), i, v)
		run_out(r, "  %+3lld  %s", (long long)json_num(v, "points", 0), json_str(v, "text"));
	json_array_foreach(json_list(o, "faults"), i, v)
		run_out(r, _("  broken: %s"), json_string_value(v));
}

static void show_clock(struct run *r, const json_t *o, const json_t *times)
{
	struct intake_clock k;
	char at[24], left[40], should[24];

	if (json_str(o, "incident")[0] != '\0') {
		run_out(r, _("Its clock is that of incident %s: sev1 -i %s deadline"), json_str(o, "incident"), json_str(o, "incident"));
		return;
	}
	intake_clock(run_config(r), times, o, &k);
	run_out(r, _("To be revoked by %s (%s left) for %s, as %s; triage decides"), clock_iso(at, sizeof at, k.due),
	    clock_span(left, sizeof left, k.due - clock_now()), k.reason, k.why);
	if (k.advised != 0)
		run_out(r, _("  earlier, by %s, where its circumstance wants it: sev1 deadline --circumstances"),
		    clock_iso(should, sizeof should, k.advised));
}

void intake_show(struct run *r, const json_t *o)
{
	int64_t received = json_num(o, "received", 0);
	json_t *times = intake_times(run_config(r));
	char at[24], age[40];

	run_out(r, "%s  %s, %s  %s", json_str(o, "id"), intake_word(o, "level"), intake_word(o, "state"), json_str(o, "subject"));
	run_out(r, _("From %s by %s"), json_str(o, "from"), json_str(o, "channel"));
	run_out(r, _("First received %s, %s ago"), clock_iso(at, sizeof at, received), clock_span(age, sizeof age, clock_now() - received));
	show_clock(r, o, times);
	show_hops(r, o);
	show_why(r, o);
	show_list(r, o, "found", _("Found"), "kind", "text", "where");
	show_list(r, o, "certificates", _("Certificates in it"), "serial", "subject", "where");
	show_keys(r, o);
	show_list(r, o, "matches", _("Of ours"), "ca", "serial", "status");
	show_list(r, o, "errors", _("Not looked at"), "ca", "text", NULL);
	show_list(r, o, "routed", _("Told"), "to", "outcome", "detail");
	show_text(r, o);
	json_object_set_new(run_result(r), "report", clocked(r, o, times));
	json_decref(times);
	run_end(r, EXIT_DONE);
}

/* Under the lock, since others may write it too. */
void intake_close(struct run *r, const char *id)
{
	const char *state = engine_state(run_engine(r)), *reason = args_get(run_args(r), "reason");
	struct err e = { 0 };
	int lock;
	json_t *o;

	if (reason == NULL || reason[0] == '\0') {
		err_set(&e, ERR_USAGE, _("intake close needs --reason: why nothing is to be done"));
		run_fail(r, &e);
		return;
	}
	lock = intake_lock(state, &e);
	o = lock >= 0 ? intake_get(state, id, &e) : NULL;
	if (o != NULL) {
		json_put(o, "state", "closed");
		intake_log(o, _("closed: %s"), reason);
		if (intake_save(state, o, &e) == 0)
			run_out(r, _("%s closed: %s"), json_str(o, "id"), reason);
	}
	json_decref(o);
	if (lock >= 0)
		close(lock);
	if (e.code != 0)
		run_fail(r, &e);
	else
		run_end(r, EXIT_DONE);
}
