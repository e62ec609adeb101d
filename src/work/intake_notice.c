/* Reports of high level go to people at once. What is intended is in the report's file before it is done. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "comms/message.h"
#include "comms/template.h"
#include "work/intake.h"
#include "work/intake_clock.h"
#include "work/intake_store.h"
#include "work/notice.h"

#define RECIPIENT_S 30
#define LINES_MAX 20

struct routing {
	struct run *run;
	const struct notice_conf *conf;
	json_t *waiting;   /* ids */
	char *id;          /* the one at hand */
	json_t *label;     /* {address: label} */
	json_t *outcome;   /* [{"to", "outcome", "detail", "at", "alert"}] of this sending */
	int64_t alert;
	size_t left;
	void (*done)(struct run *r, size_t left);
};

static void routing_next(struct routing *s);

static void routing_free(void *data)
{
	struct routing *s = data;

	json_decref(s->waiting);
	json_decref(s->label);
	json_decref(s->outcome);
	free(s->id);
	free(s);
}

static bool told(const json_t *report, const char *label)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_list(report, "routed"), i, v)
		if (json_num(v, "alert", 0) == json_num(report, "alert", 0) && strcmp(json_str(v, "to"), label) == 0 &&
		    strcmp(json_str(v, "outcome"), "accepted") == 0)
			return true;
	return false;
}

/* One that has an incident: of what joined it since. */
static bool wants_telling(const json_t *report)
{
	const char *state = json_str(report, "state");

	return strcmp(json_str(report, "level"), "high") == 0 && (strcmp(state, "open") == 0 || (strcmp(state, "incident") == 0 &&
	    json_num(report, "alert", 0) > json_num(report, "opened_alert", INT64_MAX)));
}

/* ---- the text ---- */

static char *lines_of(const json_t *list, char *(*line)(const json_t *), const char *none)
{
	struct buf b = { 0 };
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v) {
		char *text = line(v);

		if (i == LINES_MAX)
			buf_addf(&b, _("- and %zu more\n"), json_array_size(list) - i);
		else if (i < LINES_MAX)
			buf_addf(&b, "- %s\n", text);
		free(text);
	}
	if (b.len == 0)
		buf_addf(&b, "- %s\n", none);
	b.data[--b.len] = '\0';
	return buf_take(&b);
}

static char *line_why(const json_t *v)
{
	return mem_printf("%s (%+lld)", json_str(v, "text"), (long long)json_num(v, "points", 0));
}

static char *line_found(const json_t *v)
{
	return mem_printf("%s %s", json_str(v, "kind"), json_str(v, "text"));
}

static char *line_match(const json_t *v)
{
	return mem_printf("%s %s %s: %s", json_str(v, "ca"), json_str(v, "serial"), json_str(v, "subject"),
	    json_str(v, "status"));
}

static void set_lines(struct fields *f, const char *name, char *text)
{
	fields_set(f, name, text);
	free(text);
}

bool intake_fills(const char *field)
{
	static const char *const names[] = { "report", "level", "subject", "from", "received", "age", "due", "left", "reason",
		"grounds", "why", "found", "matches" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], field) == 0)
			return true;
	return false;
}

static struct fields *routing_fields(const struct config *c, const json_t *report)
{
	struct fields *f = fields_new();
	json_t *times = intake_times(c);
	struct intake_clock k;
	char at[24], age[40];

	intake_clock(c, times, report, &k);
	json_decref(times);
	fields_set(f, "due", clock_iso(at, sizeof at, k.due));
	fields_set(f, "left", clock_span(age, sizeof age, k.due - clock_now()));
	fields_set(f, "reason", k.reason);
	fields_set(f, "grounds", k.why);

	fields_set(f, "report", json_str(report, "id"));
	fields_set(f, "level", json_str(report, "level"));
	fields_set(f, "subject", json_str(report, "subject")[0] != '\0' ? json_str(report, "subject") : _("(no subject)"));
	fields_set(f, "from", json_str(report, "from")[0] != '\0' ? json_str(report, "from") : _("unknown"));
	fields_set(f, "received", clock_iso(at, sizeof at, json_num(report, "received", 0)));
	fields_set(f, "age", clock_span(age, sizeof age, clock_now() - json_num(report, "received", 0)));
	set_lines(f, "why", lines_of(json_list(report, "why"), line_why, _("nothing")));
	set_lines(f, "found", lines_of(json_list(report, "found"), line_found, _("nothing that can be named")));
	set_lines(f, "matches", lines_of(json_list(report, "matches"), line_match, _("none was matched")));
	return f;
}

static int routing_text(struct routing *s, const json_t *report, char **subject, char **body, struct err *e)
{
	char *path;
	struct fields *f = routing_fields(run_config(s->run), report);
	struct buf source = { 0 };
	int rc = notice_template(s->conf, &path, &source, e);

	if (rc == 0)
		rc = template_fill(buf_str(&source), path, f, s->conf->subject, NULL, subject, body, e);
	buf_free(&source);
	fields_free(f);
	free(path);
	return rc;
}

/* ---- sending ---- */

static void outcome_add(struct routing *s, const char *label, const char *outcome, const char *detail)
{
	json_t *o = json_object();

	json_put(o, "to", label);
	json_put(o, "outcome", outcome);
	json_put(o, "detail", detail);
	json_put_num(o, "at", clock_now());
	json_put_num(o, "alert", s->alert);
	json_array_append_new(s->outcome, o);
	s->left += strcmp(outcome, "accepted") != 0;
	run_out(s->run, "%s: %s: %s", s->id, label, detail);
}

static void routing_line(void *ctx, struct child *c, const json_t *msg)
{
	struct routing *s = ctx;
	const json_t *o = json_object_get(msg, "recipient");
	const char *to = json_str(o, "to"), *label = json_str(s->label, to);

	(void)c;
	if (o == NULL || label[0] == '\0')
		return;
	outcome_add(s, label, strcmp(json_str(o, "outcome"), "accepted") == 0 ? "accepted" : "failed", json_str(o, "detail"));
	json_object_del(s->label, to);
}

/* Write outcomes into the report as it is now: it may have grown meanwhile. */
static int routing_record(struct routing *s, struct err *e)
{
	const char *state = engine_state(run_engine(s->run));
	int lock = intake_lock(state, e), rc = lock;
	json_t *report = lock >= 0 ? intake_get(state, s->id, e) : NULL;

	if (report != NULL) {
		if (json_list(report, "routed") == NULL)
			json_object_set_new(report, "routed", json_array());
		json_array_extend(json_object_get(report, "routed"), s->outcome);
		rc = intake_save(state, report, e);
	} else if (lock >= 0) {
		rc = e->code;
	}
	json_decref(report);
	if (lock >= 0)
		close(lock);
	return rc < 0 ? rc : 0;
}

static void routing_done(void *ctx, const json_t *result, const struct err *err)
{
	struct routing *s = ctx;
	struct err e = { 0 };
	const char *address;
	json_t *label;

	(void)result;
	json_object_foreach(s->label, address, label)
		outcome_add(s, json_string_value(label), "failed", err != NULL ? err->text : _("no outcome was reported"));
	if (routing_record(s, &e) < 0)
		run_fail(s->run, &e);
	else
		routing_next(s);
}

static json_t *routing_to(struct routing *s, const json_t *report, struct err *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->conf->tos; i++) {
		char *label = notice_label(s->conf, i), *address = NULL;

		if (!told(report, label)) {
			address = strcmp(s->conf->transport, "webhook") == 0 ? mem_strdup(s->conf->to[i]) :
			    message_address(s->conf->to[i], e);
			if (address != NULL) {
				json_array_append_new(list, json_string(address));
				json_object_set_new(s->label, address, json_string(label));
			}
		}
		free(label);
		free(address);
	}
	return list;
}

static char *routing_mail(struct routing *s, const char *subject, const char *body, struct err *e)
{
	char *key = mem_printf("%s alert %lld", s->id, (long long)s->alert), *mail;
	struct message m = { .from = s->conf->from, .to = (const char *const *)s->conf->to, .tos = s->conf->tos,
		.subject = subject, .body = body, .key = key, .at = clock_now() };

	if (strcmp(s->conf->transport, "webhook") == 0)
		mail = mem_printf("%s\n\n%s", subject, body);
	else
		mail = message_build(&m, e);
	free(key);
	return mail;
}

/* Send one report. False where that cannot even be begun. */
static bool routing_send(struct routing *s, const json_t *report, struct err *e)
{
	char *subject = NULL, *body = NULL, *mail = NULL;
	json_t *to, *request = NULL;
	bool ok = true;

	s->alert = json_num(report, "alert", 0);
	json_object_clear(s->label);
	json_array_clear(s->outcome);
	to = routing_to(s, report, e);
	if (json_array_size(to) == 0) {
		json_decref(to);
		return e->code == 0 ? (routing_next(s), true) : false;
	}
	if (routing_text(s, report, &subject, &body, e) == 0 && (mail = routing_mail(s, subject, body, e)) != NULL)
		request = notice_request(run_config(s->run), s->conf, to, subject, mail, e);
	if (request == NULL)
		ok = false;
	else
		run_child(s->run, "post", request, RECIPIENT_S * (int)(json_array_size(to) + 1), routing_line, routing_done, s);
	json_decref(to);
	free(subject);
	free(body);
	free(mail);
	return ok;
}

/* The next report that somebody has not been told of. */
static void routing_next(struct routing *s)
{
	const char *state = engine_state(run_engine(s->run));
	struct run *r = s->run;
	struct err e = { 0 };
	json_t *report = NULL;

	free(s->id);
	s->id = NULL;
	if (json_array_size(s->waiting) > 0) {
		s->id = mem_strdup(json_string_value(json_array_get(s->waiting, 0)));
		json_array_remove(s->waiting, 0);
		report = intake_get(state, s->id, &e);
	}
	if (s->id == NULL) {
		size_t left = s->left;
		void (*done)(struct run *, size_t) = s->done;

		done(r, left);
		return;
	}
	if (report == NULL || !routing_send(s, report, &e))
		run_fail(r, &e);
	json_decref(report);
}

void intake_route(struct run *r, void (*done)(struct run *r, size_t left))
{
	struct routing *s;
	struct err e = { 0 };
	json_t *all = intake_load(engine_state(run_engine(r)), &e), *waiting = json_array(), *report;
	const struct notice_conf *conf = config_notice(run_config(r), "intake");
	size_t i;

	json_array_foreach(all, i, report) {
		bool wanted = conf == NULL;

		for (size_t k = 0; conf != NULL && k < conf->tos; k++) {
			char *label = notice_label(conf, k);
			wanted = wanted || !told(report, label);
			free(label);
		}
		if (wanted && wants_telling(report))
			json_array_append(waiting, json_object_get(report, "id"));
	}
	json_decref(all);
	if (conf == NULL) {
		i = json_array_size(waiting);
		json_decref(waiting);
		done(r, i);
		return;
	}
	s = mem_zalloc(1, sizeof *s);
	*s = (struct routing){ .run = r, .conf = conf, .waiting = waiting, .label = json_object(), .outcome = json_array(),
		.done = done };
	run_set_data(r, s, routing_free);
	routing_next(s);
}
