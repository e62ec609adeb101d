/* Checkpoints 3, 6 and 7: a notice, shown whole before it is sent, with an outcome per recipient. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "comms/template.h"
#include "engine/run.h"
#include "journal/journal.h"
#include "work/notice.h"
#include "work/notice_fields.h"
#include "work/subscribers.h"


static const char *const kinds[] = { "management", "internal", "external", NULL };

/* ---- waive ---- */

static void notify_waive(struct run *r, const char *kind, const char *reason)
{
	const struct incident *in = run_incident(r);
	char *evidence = mem_printf("notice:%s", kind);
	const struct checkpoint *cp = NULL;
	struct err e = { 0 };
	json_t *body;

	for (size_t i = 0; i < in->checkpoints; i++)
		if (strcmp(in->checkpoint[i].evidence, evidence) == 0)
			cp = &in->checkpoint[i];
	free(evidence);
	if (strcmp(kind, "external") != 0)
		err_set(&e, ERR_REFUSED, _("notify: only the external notice can be waived"));
	else if (reason[strspn(reason, " ")] == '\0')
		err_set(&e, ERR_USAGE, _("notify: --waive needs a reason"));
	else if (cp == NULL)
		err_set(&e, ERR_REFUSED, _("notify: no checkpoint waits for the external notice"));
	else if (cp->state != CP_OPEN)
		err_set(&e, ERR_REFUSED, _("notify: checkpoint %d is closed already"), cp->n);
	if (e.code != 0) {
		run_fail(r, &e);
		return;
	}
	body = json_pack("{s:i,s:s}", "n", cp->n, "state", "waived");
	json_put(body, "reason", reason);
	run_out(r, _("checkpoint %d waived: %s"), cp->n, reason);
	if (run_append(r, EV_CHECKPOINT, body) == 0)
		run_end(r, EXIT_DONE);
}

/* ---- what was sent before ---- */

static int past_event(void *ctx, const struct event *ev, struct err *e)
{
	struct notice_past *p = ctx;

	(void)e;
	if ((ev->kind != EV_NOTICE_START && ev->kind != EV_NOTICE) ||
	    strcmp(json_str(ev->body, "notice"), p->kind) != 0)
		return 0;
	if (ev->kind == EV_NOTICE_START) {
		if (strcmp(json_str(ev->body, "sha256"), p->sha256) != 0)
			json_object_clear(p->accepted); /* another text */
		snprintf(p->sha256, sizeof p->sha256, "%s", json_str(ev->body, "sha256"));
	} else if (strcmp(json_str(ev->body, "outcome"), "accepted") == 0) {
		json_object_set_new(p->accepted, json_str(ev->body, "to"), json_true());
	}
	return 0;
}

/* ---- the text ---- */

/* The preview of a notice that cannot be sent: the whole text, and what it lacks. */
static void notify_preview(struct run *r, const char *subject, const char *body, const json_t *missing)
{
	const json_t *m;
	size_t i;

	run_out(r, "Subject: %s", subject);
	run_out(r, "%s", "");
	for (const char *p = body; *p != '\0';) {
		size_t n = strcspn(p, "\n");
		run_out(r, "%.*s", (int)n, p);
		p += n + (p[n] == '\n');
	}
	json_array_foreach(missing, i, m)
		run_out(r, _("unfilled: {{%s}} (line %d)"), json_str(m, "field"), (int)json_num(m, "line", 0));
	json_object_set(run_result(r), "unfilled", (json_t *)missing);
}

/* Fill the template in: the text, "Subject: ..." first, into text. */
static int notify_fill(struct run *r, const struct notice_conf *conf, int64_t at, struct buf *text,
    struct err *e)
{
	struct fields *f = notice_fields(run_incident(r), run_config(r), at);
	char *path, *subject = NULL, *body = NULL;
	json_t *missing = json_array();
	struct buf source = { 0 };
	int rc = notice_template(conf, &path, &source, e);

	if (rc == 0 && (rc = notice_given(r, f, e)) == 0) {
		notice_systems(f, run_config(r), buf_str(&source), conf->subject);
		rc = template_fill(buf_str(&source), path, f, conf->subject, missing, &subject, &body, e);
	}
	if (rc == 0 && json_array_size(missing) > 0) {
		notify_preview(r, subject, body, missing);
		/* the same once more, for the error that names the first one */
		free(subject);
		free(body);
		rc = template_fill(buf_str(&source), path, f, conf->subject, NULL, &subject, &body, e);
	}
	if (rc == 0)
		notice_text(text, subject, body, run_incident(r)->drill);
	json_decref(missing);
	fields_free(f);
	buf_free(&source);
	free(subject);
	free(body);
	free(path);
	return rc;
}

/* ---- the plan ---- */

static bool notify_is_retry(const struct run *r, const struct notice_conf *conf, const struct notice_past *past)
{
	if (past->sha256[0] == '\0' || args_has(run_args(r), "field") || args_has(run_args(r), "new"))
		return false;
	for (size_t i = 0; i < conf->tos; i++) {
		char *label = notice_label(conf, i);
		bool left = json_object_get(past->accepted, label) == NULL;
		free(label);
		if (left)
			return true;
	}
	return false;
}

static void notify_plan(struct run *r, const struct notice_conf *conf, const struct notice_past *past,
    const char *text, int64_t at)
{
	json_t *lines = json_array(), *to = json_array(), *all = json_array(), *spec;
	char sha[DIGEST_HEX], *phrase, *title;
	struct buf whole = { 0 };
	bool same;
	struct plan *p;

	for (const char *s = text; *s != '\0';) {
		size_t n = strcspn(s, "\n");
		char *line = text_escaped(s, n, n);
		json_array_append_new(lines, json_string(line));
		free(line);
		s += n + (s[n] == '\n');
	}
	notice_join(&whole, lines);
	digest_of(buf_str(&whole), whole.len, sha);
	buf_free(&whole);
	same = strcmp(sha, past->sha256) == 0;
	for (size_t i = 0; i < conf->tos; i++) {
		char *label = notice_label(conf, i);
		json_array_append_new(all, json_string(label));
		if (!same || json_object_get(past->accepted, label) == NULL)
			json_array_append_new(to, json_string(label));
		free(label);
	}
	phrase = mem_printf("SEND %zu", json_array_size(to));
	title = mem_printf(_("Send the %s notice"), conf->name);
	spec = json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:I}", "notice", conf->name, "sha256", sha, "transport",
	    conf->transport, "to", to, "all", all, "text", lines, "at", (json_int_t)at);
	p = plan_new(title, phrase, spec);
	plan_row(p, _("transport"), "%s", conf->transport);
	plan_row(p, _("from"), "%s", conf->from != NULL ? conf->from : "");
	for (size_t i = 0; i < json_array_size(to); i++)
		plan_row(p, _("to"), "%s", json_string_value(json_array_get(to, i)));
	if (same)
		plan_row(p, _("again"), _("%zu have accepted this very text already"), json_object_size(past->accepted));
	for (size_t i = 0; i < json_array_size(lines); i++)
		plan_line(p, "%s", json_string_value(json_array_get(lines, i)));
	free(title);
	free(phrase);
	if (json_array_size(to) > 0) {
		run_plan(r, p);
		return;
	}
	run_out(r, _("nothing to do: everyone has accepted this very text"));
	plan_free(p);
	run_end(r, EXIT_DONE);
}

static void notify_make(struct run *r, const struct notice_conf *conf)
{
	struct journal *j = engine_journal(run_engine(r));
	struct notice_past past = { .kind = conf->name, .accepted = json_object() };
	int64_t at = notice_at(r);
	struct buf text = { 0 };
	struct err e = { 0 };
	int rc = journal_each(j, 0, past_event, &past, &e);

	if (rc == 0 && notify_is_retry(r, conf, &past))
		rc = journal_fetch(j, past.sha256, &text, &e);
	else if (rc == 0)
		rc = notify_fill(r, conf, at, &text, &e);
	if (rc == 0)
		notify_plan(r, conf, &past, buf_str(&text), at);
	else
		run_fail(r, &e);
	json_decref(past.accepted);
	buf_free(&text);
}

static void notify_start(struct run *r)
{
	const char *kind = args_nth(run_args(r), "", 0), *waive = args_get(run_args(r), "waive");
	const struct notice_conf *conf = NULL;
	struct err e = { 0 };
	size_t i;

	if (kind != NULL && (strcmp(kind, "subscriber") == 0 || strcmp(kind, "preliminary") == 0)) {
		subscribers_plan(r, kind[0] == 'p');
		return;
	}
	for (i = 0; kinds[i] != NULL && (kind == NULL || strcmp(kinds[i], kind) != 0); i++)
		;
	if (kinds[i] == NULL) {
		err_set(&e, ERR_USAGE, _("notify: say which: management, internal, external, subscriber or preliminary"));
	} else if (waive != NULL) {
		notify_waive(r, kind, waive);
		return;
	} else if ((conf = config_notice(run_config(r), kind)) == NULL || conf->tos == 0) {
		err_set(&e, ERR_NOTFOUND, _("notify: no [notice %s] with recipients in %s"), kind,
		    run_config(r)->path);
		err_remedy(&e, _("add it, or tell them by other means and close the checkpoint by hand: "
		                 "sev1 checkpoint N --reason \"...\""));
	}
	if (e.code != 0)
		run_fail(r, &e);
	else
		notify_make(r, conf);
}

static void notify_go(struct run *r)
{
	if (json_object_get(run_plan_of(r)->spec, "messages") != NULL)
		subscribers_go(r);
	else
		notice_go(r);
}

static const struct option options[] = {
	{ "field", "NAME=VALUE", N_("fill a field of the template (may be repeated)") },
	{ "new", NULL, N_("a new text, although the last one was not accepted by all") },
	{ "waive", N_("REASON"), N_("external only: not needed; closes the checkpoint with the reason") },
	{ NULL, NULL, NULL },
};

const struct command cmd_notify = {
	.name = "notify", .key = "i", .usage = N_("KIND [NAME]"),
	.summary = N_("send the management, internal or external notice; tell subscribers, or give the preliminary report"),
	.effect = N_("sends mail or posts to a webhook; cannot be taken back"),
	.options = options,
	.gates = GATE_CONFIG | GATE_INCIDENT | GATE_ARMED | GATE_TRIAGE | GATE_LEASE,
	.start = notify_start, .go = notify_go,
};
