#include "work/notice.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/i18n.h"
#include "base/json.h"
#include "comms/message.h"
#include "journal/journal.h"

#define RECIPIENT_S 30

/* One sending as it goes. */
struct sending {
	struct run *run;
	const struct notice_conf *conf;
	json_t *label;   /* {what the child calls a recipient: its label} */
	json_t *open;    /* {label: true} for those without an outcome yet */
	int64_t accepted, failed;
	notice_sent_fn sent;
	void *ctx;
};

static bool is_webhook(const struct notice_conf *conf)
{
	return strcmp(conf->transport, "webhook") == 0;
}

char *notice_label(const struct notice_conf *conf, size_t i)
{
	const char *to = conf->to[i], *host = strstr(to, "://");
	char hex[DIGEST_HEX];
	size_t n;

	if (!is_webhook(conf) || host == NULL)
		return mem_strdup(to);
	n = (size_t)(host - to) + 3 + strcspn(host + 3, "/?#");
	digest_of(to, strlen(to), hex);
	return to[n] == '\0' ? mem_strdup(to) : mem_printf("%.*s/...%.8s", (int)n, to, hex);
}

void notice_text(struct buf *text, const char *subject, const char *body, bool drill)
{
	buf_addf(text, "Subject: %s%s\n\n", drill && strncmp(subject, "DRILL", 5) != 0 ? "DRILL: " : "", subject);
	if (drill)
		buf_adds(text, _("THIS IS A DRILL. Nothing has happened; nothing needs to be done.\n\n"));
	buf_adds(text, body);
}

void notice_join(struct buf *text, const json_t *lines)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line) {
		buf_adds(text, json_string_value(line));
		buf_addc(text, '\n');
	}
}

/* ---- outcomes ---- */

static int sending_outcome(struct sending *s, const char *label, const char *outcome, const char *detail)
{
	json_t *o = json_object();

	json_put(o, "notice", s->conf->name);
	json_put(o, "to", label);
	json_put(o, "outcome", outcome);
	json_put(o, "detail", detail);
	json_put(o, "transport", s->conf->transport);
	json_array_append(json_object_get(run_result(s->run), "recipients"), o);
	json_object_del(s->open, label);
	if (strcmp(outcome, "accepted") == 0)
		s->accepted++;
	else
		s->failed++;
	if (run_append(s->run, EV_NOTICE, o) < 0)
		return -1;
	run_say(s->run, "%s: %s: %s", label, strcmp(outcome, "accepted") == 0 ? _("accepted") : _("failed"), detail);
	return 0;
}

static void sending_line(void *ctx, struct child *c, const json_t *msg)
{
	struct sending *s = ctx;
	const json_t *o = json_object_get(msg, "recipient");
	const char *label = json_str(s->label, json_str(o, "to"));

	(void)c;
	if (o != NULL && label[0] != '\0' && json_object_get(s->open, label) != NULL)
		sending_outcome(s, label, strcmp(json_str(o, "outcome"), "accepted") == 0 ? "accepted" : "failed",
		    json_str(o, "detail"));
}

static void sending_done(void *ctx, const json_t *result, const struct err *err)
{
	struct sending *s = ctx;
	const char *key;
	json_t *v;
	void *next;

	/* whoever has no outcome was not reached: that is a failure with the child's reason */
	json_object_foreach_safe(s->open, next, key, v) {
		char *label = mem_strdup(key); /* the outcome takes the key away */
		int rc = sending_outcome(s, label, "failed",
		    err != NULL ? err->text : _("no outcome was reported"));
		free(label);
		if (rc < 0)
			return;
	}
	run_out(s->run, _("accepted for %lld, failed for %lld"), (long long)s->accepted, (long long)s->failed);
	s->sent(s->ctx, s->accepted, s->failed, result == NULL ? err : NULL);
}

void sending_free(struct sending *s)
{
	if (s == NULL)
		return;
	json_decref(s->label);
	json_decref(s->open);
	free(s);
}

/* ---- what is sent ---- */

static char *sending_mail(struct sending *s, const char *subject, const char *body, const char *sha,
    struct err *e)
{
	char *key = mem_printf("%s %s %s", run_incident(s->run)->id, s->conf->name, sha), *mail;
	struct message m = { .from = s->conf->from != NULL ? s->conf->from : run_config(s->run)->contact_pki,
		.to = (const char *const *)s->conf->to, .tos = s->conf->tos, .subject = subject, .body = body,
		.key = key, .at = clock_now() };

	if (m.from == NULL) {
		err_set(e, ERR_REFUSED, _("[notice %s] (line %d): no sender"), s->conf->name, s->conf->line);
		err_remedy(e, _("add: from = PKI Team <pki-emergency@example.com>"));
		free(key);
		return NULL;
	}
	mail = message_build(&m, e);
	free(key);
	return mail;
}

/* Recipients for the child: addresses, or URLs from the configuration. */
static json_t *sending_to(struct sending *s, const json_t *spec, struct err *e)
{
	json_t *list = json_array(), *to = json_object_get(spec, "to");

	for (size_t i = 0; i < s->conf->tos; i++) {
		char *label = notice_label(s->conf, i), *address = NULL;
		bool wanted = false;
		for (size_t k = 0; k < json_array_size(to); k++)
			wanted = wanted || strcmp(json_string_value(json_array_get(to, k)), label) == 0;
		if (wanted)
			address = is_webhook(s->conf) ? mem_strdup(s->conf->to[i]) : message_address(s->conf->to[i], e);
		if (address != NULL) {
			json_array_append_new(list, json_string(address));
			json_object_set_new(s->label, address, json_string(label));
			json_object_set_new(s->open, label, json_true());
		}
		free(label);
		free(address);
		if (wanted && address == NULL) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static void put_optional(json_t *o, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(o, key, json_string(value));
}

json_t *notice_request(const struct config *c, const struct notice_conf *conf, json_t *to, const char *subject,
    const char *message, struct err *e)
{
	const char *sender = conf->from != NULL ? conf->from : c->contact_pki;
	char *from = is_webhook(conf) ? mem_strdup("") : message_address(sender, e);
	json_t *o;

	if (from == NULL)
		return NULL;
	o = json_pack("{s:s,s:s,s:s,s:O,s:s,s:s,s:i}", "op", "post", "transport", conf->transport, "from",
	    from, "to", to, "subject", subject, "message", message, "timeout_s", RECIPIENT_S);
	put_optional(o, "command", c->sendmail);
	put_optional(o, "url", c->smtp_url);
	put_optional(o, "user", c->smtp_user);
	put_optional(o, "password_file", c->smtp_password_file);
	free(from);
	return o;
}

static int sending_start_event(struct sending *s, const json_t *spec, const char *subject)
{
	json_t *o = json_object();

	json_put(o, "notice", s->conf->name);
	json_put(o, "sha256", json_str(spec, "sha256"));
	json_put(o, "subject", subject);
	json_object_set(o, "to", json_object_get(spec, "all"));
	return run_append(s->run, EV_NOTICE_START, o);
}

/* Keep the text in the incident file, then write the intent, then send. */
static void sending_go(struct sending *s, const json_t *spec, const char *text, struct err *e)
{
	static const size_t skip = sizeof "Subject: " - 1;
	char *subject = mem_strndup(text + skip, strcspn(text + skip, "\n"));
	const char *body = text + strcspn(text, "\n") + 2;
	char hex[DIGEST_HEX], *mail = NULL;
	json_t *to, *request = NULL;

	if ((to = sending_to(s, spec, e)) != NULL && (is_webhook(s->conf) ||
	    (mail = sending_mail(s, subject, body, json_str(spec, "sha256"), e)) != NULL))
		request = notice_request(run_config(s->run), s->conf, to, subject, mail != NULL ? mail : body, e);
	if (request != NULL &&
	    journal_keep(engine_journal(run_engine(s->run)), "notice", text, strlen(text), hex, e) == 0) {
		if (sending_start_event(s, spec, subject) == 0)
			run_child(s->run, "post", json_incref(request),
			    RECIPIENT_S * (int)(json_array_size(to) + 1), sending_line, sending_done, s);
	} else {
		run_fail(s->run, e);
	}
	json_decref(request);
	json_decref(to);
	free(mail);
	free(subject);
}

struct sending *notice_send(struct run *r, const struct notice_conf *conf, notice_sent_fn sent, void *ctx)
{
	struct sending *s = mem_zalloc(1, sizeof *s);

	s->run = r;
	s->conf = conf;
	s->label = json_object();
	s->open = json_object();
	s->sent = sent;
	s->ctx = ctx;
	if (json_object_get(run_result(r), "recipients") == NULL)
		json_object_set_new(run_result(r), "recipients", json_array());
	return s;
}

void sending_start(struct sending *s, const json_t *spec)
{
	struct buf text = { 0 };
	struct err e = { 0 };

	notice_join(&text, json_list(spec, "text"));
	sending_go(s, spec, buf_str(&text), &e);
	buf_free(&text);
}

static void notice_sent(void *ctx, int64_t accepted, int64_t failed, const struct err *err)
{
	struct run *r = ctx;

	if (err != NULL && accepted == 0)
		run_fail(r, err);
	else
		run_end(r, failed == 0 ? EXIT_DONE : accepted > 0 ? EXIT_PARTIAL : EXIT_FAILED);
}

static void notice_drop(void *data)
{
	sending_free(data);
}

void notice_go(struct run *r)
{
	const json_t *spec = run_plan_of(r)->spec;
	struct sending *s = notice_send(r, config_notice(run_config(r), json_str(spec, "notice")), notice_sent, r);

	run_set_data(r, s, notice_drop);
	sending_start(s, spec);
}
