/* Messages to subscribers, each its own: nobody learns from a header who else is concerned. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "comms/template.h"
#include "incident/times.h"
#include "work/notice.h"
#include "work/notice_fields.h"
#include "work/subscribers.h"

#define MINUTE_MS (60LL * 1000)

/* Messages on their way, one after another. */
struct round {
	struct run *run;
	struct contacts *file;     /* NULL: only the reporter, or the approvers */
	const json_t *messages;    /* of the plan; borrowed */
	json_t *own;               /* the same, where there is no plan */
	size_t next;
	struct notice_conf conf;   /* of the one under way */
	char *to[1];
	struct sending *sending;
	int64_t accepted, failed;
};

static void round_end_one(struct round *d)
{
	sending_free(d->sending);
	d->sending = NULL;
	free(d->conf.name);
	free(d->to[0]);
	d->conf.name = d->to[0] = NULL;
}

static void round_free(void *data)
{
	struct round *d = data;

	round_end_one(d);
	contacts_free(d->file);
	json_decref(d->own);
	free(d);
}

static const struct notice_conf *round_conf(struct run *r, const char *name, struct err *e)
{
	const struct notice_conf *conf = config_notice(run_config(r), name);

	if (conf == NULL) {
		err_set(e, ERR_NOTFOUND, _("subscribers: no [notice %s] in %s"), name, run_config(r)->path);
		err_remedy(e, strcmp(name, "approvers") == 0 ? _("add it with to and from; tell the approvers by other means now") :
		    _("add it with from and transport, or tell them by phone: sev1 subscribers log NAME --channel phone"));
	}
	return conf;
}

/* ---- the text ---- */

static char *round_proceeding(const struct incident *in, int64_t now)
{
	struct buf b = { 0 };
	char since[24], n[64];

	for (size_t i = 0; i < in->subscribers; i++) {
		const struct subscriber *s = &in->subscriber[i];
		int64_t hold = subscriber_hold(in, s);
		if (hold != 0 && hold <= now)
			buf_addf(&b, _("%s  %s: %s, first tried %s"), b.len > 0 ? "\n" : "", s->name,
			    text_certificates(n, s->certificates), clock_iso(since, sizeof since, s->tried));
	}
	return buf_take(&b);
}

/* Until when this subscriber may answer: what runs already, or what the first attempt now starts. */
static int64_t round_answer_by(const struct incident *in, const struct subscriber *s, int64_t at)
{
	struct subscriber tried = *s;

	if (tried.tried == 0)
		tried.tried = at;
	return subscriber_hold(in, &tried);
}

static struct fields *round_fields(struct run *r, const struct subscriber *s, int64_t at, struct err *e)
{
	const struct incident *in = run_incident(r);
	struct fields *f = notice_fields(in, run_config(r), at);
	char n[32], by[24], *rows;
	int64_t until;

	rows = round_proceeding(in, at);
	fields_set(f, "proceeding", rows);
	free(rows);
	if (s == NULL)
		return f;
	if (notice_given(r, f, e) < 0) {
		fields_free(f);
		return NULL;
	}
	fields_set(f, "subscriber", s->reporter && in->triage.reporter[0] != '\0' ? in->triage.reporter : s->name);
	fields_set(f, "subscriber_certificates", text_count(n, s->certificates));
	if ((until = round_answer_by(in, s, at)) != 0)
		fields_set(f, "answer_by", clock_iso(by, sizeof by, until));
	return f;
}

/* The text's lines as a plan has them, and their digest; NULL with an error. */
static json_t *round_text(struct run *r, const struct notice_conf *conf, const struct subscriber *s, int64_t at,
    char sha[DIGEST_HEX], struct err *e)
{
	struct fields *f = round_fields(r, s, at, e);
	struct buf source = { 0 }, text = { 0 }, whole = { 0 };
	char *path = NULL, *subject = NULL, *body = NULL;
	json_t *lines = NULL;
	bool read = f != NULL && notice_template(conf, &path, &source, e) == 0;

	if (read)
		notice_systems(f, run_config(r), buf_str(&source), conf->subject);
	if (read && template_fill(buf_str(&source), path, f, conf->subject, NULL, &subject, &body, e) == 0) {
		notice_text(&text, subject, body, run_incident(r)->drill);
		lines = json_array();
		for (const char *p = buf_str(&text); *p != '\0';) {
			size_t n = strcspn(p, "\n");
			char *line = text_escaped(p, n, n);
			json_array_append_new(lines, json_string(line));
			free(line);
			p += n + (p[n] == '\n');
		}
		notice_join(&whole, lines);
		digest_of(buf_str(&whole), whole.len, sha);
	}
	fields_free(f);
	buf_free(&source);
	buf_free(&text);
	buf_free(&whole);
	free(subject);
	free(body);
	free(path);
	return lines;
}

/* ---- the plan ---- */

static bool round_named(const struct run *r, const char *name)
{
	const char *s;

	for (size_t i = 1; (s = args_nth(run_args(r), "", i)) != NULL; i++)
		if (strcmp(s, name) == 0)
			return true;
	return false;
}

/* Without names: those that lack it. tell: were not reached by a message yet; report: do not have the report. */
static bool round_wanted(const struct run *r, const struct subscriber *s, bool report)
{
	bool sent = false;

	if (!report && s->reporter)
		return false;
	if (args_nth(run_args(r), "", 1) != NULL)
		return round_named(r, s->name);
	if (report)
		return s->reported == 0;
	for (size_t i = 0; i < s->attempts; i++)
		sent = sent || strcmp(s->attempt[i].outcome, "sent") == 0 || strcmp(s->attempt[i].outcome, "reached") == 0;
	return s->certificates > 0 && s->answered == 0 && !sent;
}

static int round_add(struct run *r, struct plan *p, json_t *messages, const struct notice_conf *conf,
    const struct subscriber *s, int64_t at, struct err *e)
{
	bool mail = s->mail[0] != '\0';
	const char *to = mail ? s->mail : s->webhook;
	char sha[DIGEST_HEX];
	json_t *lines, *line;
	size_t i;

	if (to[0] == '\0') {
		plan_row(p, _("by phone"), _("%s %s: no mail, no webhook; log it with: sev1 subscribers log %s --channel phone"), s->name,
		    s->phone, s->name);
		return 0;
	}
	if ((lines = round_text(r, conf, s, at, sha, e)) == NULL)
		return e->code;
	plan_row(p, _("to"), "%s: %s", s->name, to);
	plan_line(p, "== %s", s->name);
	json_array_foreach(lines, i, line)
		plan_line(p, "%s", json_string_value(line));
	json_array_append_new(messages, json_pack("{s:o,s:s,s:s,s:s,s:[s],s:[s],s:o}", "notice",
	    json_sprintf("%s:%s", conf->name, s->name), "name", s->name, "transport", mail ? conf->transport : "webhook", "sha256",
	    sha, "to", to, "all", to, "text", lines));
	return 0;
}

static int round_messages(struct run *r, struct plan *p, json_t *messages, bool report, int64_t at, struct err *e)
{
	const struct notice_conf *conf = round_conf(r, report ? "preliminary" : "subscriber", e);
	const struct incident *in = run_incident(r);
	int rc = conf != NULL ? 0 : e->code;

	for (size_t i = 0; rc == 0 && i < in->subscribers; i++)
		if (round_wanted(r, &in->subscriber[i], report))
			rc = round_add(r, p, messages, conf, &in->subscriber[i], at, e);
	return rc;
}

static int round_names(const struct run *r, struct err *e)
{
	const char *s;

	if (run_incident(r)->roster_at == 0) {
		err_set(e, ERR_REFUSED, _("subscribers: nobody was looked up yet"));
		return err_remedy(e, _("look them up in the frozen scope: sev1 subscribers find"));
	}
	for (size_t i = 1; (s = args_nth(run_args(r), "", i)) != NULL; i++)
		if (incident_subscriber(run_incident(r), s) == NULL) {
			err_set(e, ERR_USAGE, _("subscribers: nobody concerned is called '%s'"), s);
			return err_remedy(e, _("list them with: sev1 subscribers"));
		}
	return 0;
}

void subscribers_plan(struct run *r, bool report)
{
	struct err e = { 0 };
	int64_t at = notice_at(r);
	json_t *messages = json_array(), *spec;
	struct plan *p;
	char *phrase;

	spec = json_pack("{s:s,s:I,s:O}", "what", report ? "report" : "tell", "at", (json_int_t)at, "messages", messages);
	p = plan_new(report ? _("Send the preliminary report") : _("Tell subscribers of the revocation"), "", spec);
	if (round_names(r, &e) < 0 ||
	    round_messages(r, p, messages, report, at, &e) < 0) {
		plan_free(p);
		run_fail(r, &e);
	} else if (json_array_size(messages) == 0) {
		for (size_t i = 0; i < json_array_size(p->rows); i++)
			run_out(r, "%s: %s", json_string_value(json_array_get(json_array_get(p->rows, i), 0)),
			    json_string_value(json_array_get(json_array_get(p->rows, i), 1)));
		run_out(r, _("nothing to send: everyone who has an address has it"));
		plan_free(p);
		run_end(r, EXIT_DONE);
	} else {
		phrase = mem_printf("SEND %zu", json_array_size(messages));
		free(p->phrase);
		p->phrase = phrase;
		run_plan(r, p);
	}
	json_decref(messages);
}

/* ---- sending ---- */

static void round_next(struct round *d);

static void round_sent(void *ctx, int64_t accepted, int64_t failed, const struct err *err)
{
	struct round *d = ctx;

	(void)err; /* each recipient's outcome is journalled with its reason */
	d->accepted += accepted;
	d->failed += failed;
	round_end_one(d);
	round_next(d);
}

/* The address as it is known here: a webhook's URL is in the file only. */
static char *round_address(const struct round *d, const json_t *m)
{
	const struct contact *c = d->file != NULL ? contacts_find(d->file, json_str(m, "name")) : NULL;

	if (strcmp(json_str(m, "transport"), "webhook") != 0)
		return mem_strdup(json_string_value(json_array_get(json_object_get(m, "to"), 0)));
	return c != NULL && c->webhook[0] != '\0' ? mem_strdup(c->webhook) : NULL;
}

static void round_next(struct round *d)
{
	const json_t *m = json_array_get(d->messages, d->next++);
	const char *notice = json_str(m, "notice");
	const struct notice_conf *conf;
	struct err e = { 0 };
	char *base;

	if (m == NULL) {
		run_end(d->run, d->failed == 0 ? EXIT_DONE : d->accepted > 0 ? EXIT_PARTIAL : EXIT_FAILED);
		return;
	}
	run_progress(d->run, (int64_t)d->next, (int64_t)json_array_size(d->messages), notice);
	base = mem_strndup(notice, strcspn(notice, ":"));
	conf = round_conf(d->run, base, &e);
	free(base);
	d->to[0] = round_address(d, m);
	if (conf == NULL || d->to[0] == NULL) {
		if (conf != NULL)
			err_set(&e, ERR_NOTFOUND, _("subscriber %s has no webhook in the file any more"), json_str(m, "name"));
		run_fail(d->run, &e);
		return;
	}
	d->conf = *conf;
	d->conf.name = mem_strdup(notice);
	d->conf.transport = strcmp(json_str(m, "transport"), "webhook") == 0 ? (char *)"webhook" : conf->transport;
	d->conf.to = d->to;
	d->conf.tos = 1;
	d->sending = notice_send(d->run, &d->conf, round_sent, d);
	sending_start(d->sending, m);
}

void subscribers_go(struct run *r)
{
	struct round *d = mem_zalloc(1, sizeof *d);
	struct err e = { 0 };

	d->run = r;
	run_set_data(r, d, round_free);
	d->messages = json_list(run_plan_of(r)->spec, "messages");
	if (run_config(r)->subscribers != NULL && (d->file = subscribers_file(run_config(r), &e)) == NULL)
		run_fail(r, &e);
	else
		round_next(d);
}

/* ---- no answer in time ---- */

bool subscribers_overdue(const struct incident *in, int64_t now)
{
	for (size_t i = 0; i < in->subscribers; i++) {
		int64_t hold = subscriber_hold(in, &in->subscriber[i]);
		if (hold != 0 && hold <= now && in->subscriber[i].proceeded == 0)
			return true;
	}
	return false;
}

/* Journal it first: that the plan goes on does not hang on a mail server. */
static int proceed_record(struct run *r, int64_t now)
{
	const struct incident *in = run_incident(r);
	json_t *rows = json_array(), *row;
	int64_t certificates = 0;

	for (size_t i = 0; i < in->subscribers; i++) {
		const struct subscriber *s = &in->subscriber[i];
		int64_t hold = subscriber_hold(in, s);
		if (hold == 0 || hold > now || s->proceeded != 0)
			continue;
		row = json_object();
		json_put(row, "name", s->name);
		json_put_num(row, "since", s->tried);
		json_put_num(row, "until", hold);
		json_array_append_new(rows, row);
		certificates += s->certificates;
		run_out(r, _("%s has not answered in time: revocation proceeds"), s->name);
	}
	if (json_array_size(rows) == 0) {
		json_decref(rows);
		return 0;
	}
	return run_append(r, EV_PROCEED, json_pack("{s:o,s:I}", "rows", rows, "certificates", (json_int_t)certificates));
}

static void proceed_tell(struct run *r, int64_t now)
{
	struct round *d = mem_zalloc(1, sizeof *d);
	struct err e = { 0 };
	const struct notice_conf *conf = round_conf(r, "approvers", &e);
	char sha[DIGEST_HEX];
	json_t *lines = conf != NULL ? round_text(r, conf, NULL, now / 1000 * 1000, sha, &e) : NULL, *to = json_array();

	d->run = r;
	run_set_data(r, d, round_free);
	for (size_t i = 0; conf != NULL && i < conf->tos; i++) {
		char *label = notice_label(conf, i);
		if (!incident_told(run_incident(r), label))
			json_array_append_new(to, json_string(label));
		free(label);
	}
	if (lines == NULL) {
		json_decref(to);
		err_remedy(&e, _("set it in the configuration; or tell them yourself, and say so: sev1 subscribers proceed --told TEXT"));
		run_fail(r, &e);
		return;
	}
	d->own = json_pack("{s:s,s:s,s:O,s:o,s:o}", "notice", "approvers", "sha256", sha, "to", to, "all", json_copy(to),
	    "text", lines);
	json_decref(to);
	d->messages = NULL; /* round_next after it finds no more */
	d->sending = notice_send(r, conf, round_sent, d);
	sending_start(d->sending, d->own);
}

/* Somebody told them himself. */
static void proceed_told(struct run *r, const char *how)
{
	json_t *body = json_object();

	json_put(body, "notice", "approvers");
	json_put(body, "to", TOLD_BY_HAND);
	json_put(body, "outcome", "accepted");
	json_put(body, "detail", how);
	json_put(body, "transport", TOLD_BY_HAND);
	if (run_append(r, EV_NOTICE, body) == 0)
		run_end(r, EXIT_DONE);
}

void subscribers_proceed(struct run *r)
{
	bool due = args_has(run_args(r), "due");
	const char *told = args_get(run_args(r), "told");
	struct err e = { 0 };
	int64_t now = clock_now();

	if (run_gate(r, GATE_CONFIG | GATE_ARMED | GATE_TRIAGE | GATE_LEASE, &e) < 0 ||
	    engine_catch_up(run_engine(r), &e) < 0) {
		if (due && e.code == ERR_REFUSED)
			run_end(r, EXIT_DONE); /* somebody else acts; it is looked at again */
		else
			run_fail(r, &e);
		return;
	}
	if (!subscribers_overdue(run_incident(r), now) && !incident_untold(run_incident(r))) {
		run_out(r, _("nobody's wait has ended without an answer"));
		run_end(r, EXIT_DONE);
		return;
	}
	if (proceed_record(r, now) < 0)
		return;
	if (told != NULL)
		proceed_told(r, told);
	else
		proceed_tell(r, now);
}
