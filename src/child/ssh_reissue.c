#include "child/ssh_reissue.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/serve.h"
#include "child/ssh_script.h"
#include "child/ssh_session.h"

#define KEEP 65536u
/* Our own words are few; what test and reload say besides may be more. Nobody reads on after that. */
#define WORDS_MAX 65536u
#define ERRORS_MAX (16u << 20)
/* Of a host's words that go into its row. */
#define SAID_LINES 40u
#define SAID_LINE 400u
/* How far the way back may overrun; the console waits for 2 s more than the time. */
#define GRACE_MS 1000

/* One host on its way. */
struct job {
	const char *id;
	const json_t *order;     /* the line that started it */
	struct session *s;
	struct remote *x;        /* all of it, in one command */
	struct staged st;
	const char *names[SCRIPT_NAMES];
	char stamp[24]; /* of its backups: to the millisecond, as a retry may follow at once */
	const char *phase;
	int64_t start, forward, until; /* clock_mono: when it began, when it must turn back, its end */
	struct buf errors;       /* its stderr, the first KEEP octets */
	size_t heard, grumbled;   /* octets of its stdout since the request, and of its stderr */
	int phases;              /* of the install that were told: each once, in their order */
	json_t *before;          /* the certificate that was there: {serial, fingerprint, subject, not_after}; NULL */
};

static void job_say(const struct job *j, const char *kind, json_t *body)
{
	json_object_set_new(body, "id", json_string(j->id));
	serve_say(json_pack("{s:o}", kind, body));
}

static void job_phase(struct job *j, const char *phase)
{
	j->phase = phase;
	job_say(j, "phase", json_pack("{s:s}", "phase", phase));
}

void reissue_said(json_t *list, const struct buf *b)
{
	const char *p = buf_str(b), *begins = strstr(p, SCRIPT_BEGINS "\n");
	size_t n;

	for (p = begins != NULL ? begins : p; *p != '\0'; p += n + (p[n] != '\0')) {
		char *line;
		n = strcspn(p, "\r\n");
		if (n == 0 || json_array_size(list) >= SAID_LINES || strncmp(p, SCRIPT_BEGINS "\n", n + 1) == 0)
			continue;
		line = text_escaped(p, n, SAID_LINE);
		json_array_append_new(list, json_string(line));
		free(line);
	}
}

static void job_end(const struct job *j, const char *state, const char *detail)
{
	json_t *o = json_pack("{s:s, s:s}", "phase", j->phase, "state", state), *found = json_object();
	json_t *output = json_array();

	json_put(o, "detail", detail);
	json_put_num(o, "ms", clock_mono() - j->start);
	if (j->before != NULL)
		json_object_set(found, "before", j->before);
	reissue_said(output, &j->errors);
	json_object_set_new(found, "output", output);
	json_object_set_new(o, "found", found);
	job_say(j, "host", o);
}

char *reissue_reason(const struct buf *errors)
{
	static const char *const telling[] = { "emerg", "rror", "ailed", "denied", "annot", "No space",
		"not ", "unable to", NULL };
	const char *text = buf_str(errors), *begins;
	const char *line, *first = NULL, *found = NULL, *ours = NULL;
	size_t n, first_len = 0, found_len = 0, ours_len = 0;
	char *safe, *both;

	/* What is wrong is wrong with the part that began last. */
	while ((begins = strstr(text, SCRIPT_BEGINS "\n")) != NULL)
		text = begins + strlen(SCRIPT_BEGINS "\n");
	for (line = text; *line != '\0' && ours == NULL; line += n + (line[n] != '\0')) {
		n = strcspn(line, "\r\n");
		if (n > strlen(SCRIPT_SAYS) && strncmp(line, SCRIPT_SAYS, strlen(SCRIPT_SAYS)) == 0) {
			ours = line + strlen(SCRIPT_SAYS);
			ours_len = n - strlen(SCRIPT_SAYS);
			break;
		}
		if (n > 0 && first == NULL) {
			first = line;
			first_len = n;
		}
		if (n > 23 && strncmp(line, "sudo: unable to resolve", 23) == 0)
			continue; /* and goes on */
		for (size_t i = 0; n > 0 && found == NULL && telling[i] != NULL; i++)
			if (memmem(line, n, telling[i], strlen(telling[i])) != NULL) {
				found = line;
				found_len = n;
			}
	}
	if (found == NULL) {
		found = first != NULL && ours == NULL ? first : "";
		found_len = ours == NULL ? first_len : 0;
	}
	safe = text_escaped(found, found_len, 200);
	if (ours == NULL)
		return safe;
	/* What our script makes of it, then what it was told. */
	both = text_escaped(ours, ours_len, 200);
	if (safe[0] != '\0') {
		first = both;
		both = mem_printf("%s (%s)", first, safe);
		free((char *)(uintptr_t)first);
	}
	free(safe);
	return both;
}

/* What sudo and the kernel's guards say is short; what to do about it is ours. */
char *reissue_explained(char *why)
{
	const char *more = NULL;
	char *all;

	if (strstr(why, "password is required") != NULL || strstr(why, "terminal is required") != NULL)
		more = _("sudo asks for a password there; sev1 gives none: allow it with NOPASSWD in sudoers");
	else if (strstr(why, "sudo:") != NULL)
		more = _("sudo refuses there, or is not installed; look at sudo -l of that user");
	else if (strstr(why, "peration not permitted") != NULL && strstr(why, "kill(") != NULL)
		more = _("the service belongs to another user there: set sudo = yes or another user");
	else if (strstr(why, "peration not permitted") != NULL)
		more = _("the file or its folder is immutable or append-only there: see lsattr");
	else if (strstr(why, "ead-only file system") != NULL)
		more = _("the file system is mounted read-only there");
	else if (strstr(why, "o space left") != NULL || strstr(why, "quota exceeded") != NULL)
		more = _("a new file beside the old one needs room there: see df and df -i");
	else if (strstr(why, "set sudo") == NULL && (strstr(why, "ermission denied") != NULL || strstr(why, "avc:") != NULL))
		more = _("the service may not read it: compare owner, mode and SELinux label (ls -lZ, ausearch -m avc)");
	else if (strncmp(why, "Unmatched '", 11) == 0)
		more = _("the login shell there is a csh, which takes no script of several lines: use another user, or give it sh");
	if (more == NULL)
		return why;
	all = mem_printf("%s; %s", why, more);
	free(why);
	return all;
}

/* The next line from the console for this host; NULL once it must turn back or the console is gone
 * (*gone). Lines for a host of before are late and dropped. */
static json_t *job_next(const struct job *j, bool *gone)
{
	int64_t left;
	int timed_out = 0;
	json_t *msg;

	*gone = false;
	while ((left = j->forward - clock_mono()) > 0) {
		if ((msg = serve_next((int)left, &timed_out)) == NULL) {
			*gone = !timed_out;
			return NULL;
		}
		for (void *it = json_object_iter(msg); it != NULL; it = json_object_iter_next(msg, it))
			if (strcmp(json_str(json_object_iter_value(it), "id"), j->id) == 0)
				return msg;
		json_decref(msg);
	}
	return NULL;
}

/* Read the order into st. 0 or ERR_USAGE. */
static int job_read(struct job *j, const char *tag, struct err *e)
{
	int64_t now = clock_now();
	char second[16];

	clock_stamp(second, sizeof second, now);
	snprintf(j->stamp, sizeof j->stamp, "%s%03d", second, (int)(now % 1000));
	return script_order(&j->st, j->order, j->names, tag, j->stamp, e);
}

/* The line that ends the request in what the host has said; NULL: not yet. */
#define REQUEST_ENDS "sev1 request\n"
static const char *request_end(const struct buf *out)
{
	static const char line[] = "\n" REQUEST_ENDS;
	const char *at = out->len > 0 ? memmem(out->data, out->len, line, sizeof line - 1) : NULL;

	return at != NULL ? at + 1 : NULL;
}

/* Wait for the request: 0 with its length, or an error. */
static int job_hear_request(struct job *j, size_t *len, struct err *e)
{
	struct buf *out = remote_out(j->x), *errors = remote_errors(j->x);
	const char *end;
	char *why;
	int rc = 1, status;

	while ((end = request_end(out)) == NULL && rc > 0)
		if ((rc = remote_wait(j->x, j->forward, e)) < 0)
			break;
	buf_add(&j->errors, buf_str(errors), errors->len);
	buf_clear(errors);
	if (end != NULL) {
		*len = (size_t)(end - out->data);
		return 0;
	}
	if (rc < 0 || (rc = remote_ended(j->x, &status, e)) < 0)
		return rc;
	why = reissue_explained(reissue_reason(&j->errors));
	if (why[0] == '\0') { /* nologin says it on stdout */
		free(why);
		why = reissue_reason(out);
	}
	rc = err_set(e, ERR_FAILED, _("no request: %s"), why[0] != '\0' ? why : _("no reason given"));
	free(why);
	return rc;
}

/* Have the host make its request and hand it on. 0, or the row is said. */
static int job_request(struct job *j)
{
	struct err e = { 0 };
	char *script = script_job(&j->st);
	json_t *text = NULL;
	size_t len = 0;
	int rc;

	job_phase(j, "csr");
	j->x = remote_open(j->s, script, KEEP, j->forward, &e);
	free(script);
	rc = j->x != NULL ? job_hear_request(j, &len, &e) : e.code;
	if (rc == 0 && (text = json_stringn(remote_out(j->x)->data, len)) == NULL)
		rc = err_set(&e, ERR_SYNTAX, _("no request: what came is not text"));
	if (rc != 0) {
		job_end(j, "failed", e.text);
		return rc;
	}
	j->before = reissue_before(remote_out(j->x));
	job_say(j, "csr", json_pack("{s:o}", "csr", text));
	buf_drop(remote_out(j->x), len + strlen(REQUEST_ENDS));
	return 0;
}

/* The next "sev1 WORD" line of the install, without "sev1 "; owned by the caller. NULL at the end of the
 * command or on an error. */
static char *job_word(struct job *j, int64_t until, struct err *e)
{
	struct buf *out = remote_out(j->x), *errors = remote_errors(j->x);
	char *nl, *word;
	size_t n;
	int rc = 1;

	for (;;) {
		if (j->errors.len < KEEP)
			buf_add(&j->errors, buf_str(errors), errors->len);
		j->grumbled += errors->len;
		buf_clear(errors);
		while (out->len > 0 && (nl = memchr(out->data, '\n', out->len)) != NULL) {
			n = (size_t)(nl - out->data);
			word = n > 5 && strncmp(out->data, "sev1 ", 5) == 0 ?
			    mem_strndup(out->data + 5, n - 5) : NULL;
			buf_drop(out, n + 1);
			j->heard += n + 1;
			if (word != NULL)
				return word;
		}
		if (j->heard > WORDS_MAX || j->grumbled > ERRORS_MAX) {
			err_set(e, ERR_FAILED, _("%s: cut off after %zu octets of output"), session_name(j->s),
			    j->heard + j->grumbled);
			return NULL;
		}
		if (rc <= 0)
			return NULL;
		if ((rc = remote_wait(j->x, until, e)) < 0)
			return NULL;
	}
}

/* Say how the install came out once it can no longer go forward. */
static void job_turned_back(struct job *j, const char *word, const char *why, const struct err *e)
{
	char *reason = why != NULL ? text_escaped(why, strlen(why), 200) :
	    reissue_explained(reissue_reason(&j->errors));
	bool said = reason[0] != '\0';
	char *detail;

	if (!said) {
		free(reason);
		reason = mem_strdup(_("no reason given"));
	}
	if (word != NULL && strcmp(word, "restored") == 0) {
		job_end(j, "rolled back", reason);
	} else if (word != NULL && (strcmp(word, "failed") == 0 || strcmp(word, "again") == 0)) {
		job_end(j, "failed", reason);
	} else if (word != NULL && strcmp(word, "broken") == 0) {
		detail = mem_printf(_("%s; put back, but the service did not reload: look at the host"), reason);
		job_end(j, "failed", detail);
		free(detail);
	} else {
		detail = mem_printf(_("%s%s%s; the host puts the old files back by itself, unless it lost power: "
		    "look for .*.sev1-%s"), e->text, e->text[0] != '\0' && said ? "; " : "", e->text[0] == '\0' || said ? reason : "",
		    j->stamp);
		job_end(j, "failed", detail);
		free(detail);
	}
	free(reason);
}

/* Follow the host's words to one that is not a phase. */
static char *job_follow(struct job *j, int64_t until, struct err *e)
{
	static const char *const phases[] = { "test", "reload", "rollback" };
	char *word;

	while ((word = job_word(j, until, e)) != NULL && strncmp(word, "phase ", 6) == 0) {
		for (int i = j->phases; i < (int)(sizeof phases / sizeof phases[0]); i++)
			if (strcmp(word + 6, phases[i]) == 0) {
				job_phase(j, phases[i]);
				j->phases = i + 1;
			}
		free(word);
	}
	return word;
}

/* The certificate is in place and served, or not: hear the verdict, and keep or put back. */
static void job_verdict(struct job *j)
{
	struct err e = { 0 };
	bool gone, ok;
	json_t *msg;
	const json_t *verdict;
	char *word, *why;

	job_say(j, "installed", json_object());
	j->phase = "verify";
	msg = job_next(j, &gone);
	verdict = json_object_get(msg, "verdict");
	ok = json_bool(verdict, "ok");
	why = mem_strdup(verdict != NULL ? json_str(verdict, "text") : gone ?
	    _("the console is gone") : msg != NULL ? json_str(json_object_get(msg, "stop"), "text") :
	    _("no verdict in time"));
	remote_write(j->x, ok ? "keep\n" : "back\n", 5, j->until, &e);
	remote_shut(j->x, &e);
	word = job_follow(j, j->until, &e);
	if (ok && word != NULL && strcmp(word, "kept") == 0)
		job_end(j, "verified", json_str(verdict, "text"));
	else
		job_turned_back(j, word, ok ? NULL : why, &e);
	free(word);
	free(why);
	json_decref(msg);
}

static void job_install(struct job *j, const json_t *install)
{
	const char *certificate = json_str(install, "certificate"), *chain = json_str(install, "chain");
	struct err e = { 0 };
	char *input, *word = NULL;

	if (!script_is_pem(certificate) || (chain[0] != '\0' && !script_is_pem(chain))) {
		job_end(j, "failed", _("what the CA issued is not PEM"));
		return;
	}
	job_phase(j, "install");
	/* rounded up: a verdict that is given in time is not to be too late for the host */
	input = script_job_input(&j->st, certificate, chain, (int)((j->forward - clock_mono() + 999) / 1000));
	if (remote_write(j->x, input, strlen(input), j->forward, &e) == 0)
		word = job_follow(j, j->until, &e);
	free(input);
	if (word != NULL && strcmp(word, "installed") == 0)
		job_verdict(j);
	else
		job_turned_back(j, word, NULL, &e);
	free(word);
}

/* The state of a row whose connection could not be had. */
static const char *job_no_session(int code)
{
	return code == ERR_IO || code == ERR_TIMEOUT ? "unreachable" : code == ERR_REFUSED ||
	    code == ERR_CONFINED ? "refused" : "failed";
}

static void job_run(struct job *j)
{
	struct err e = { 0 };
	bool gone;
	json_t *msg;

	job_phase(j, "connect");
	if ((j->s = session_open(json_object_get(j->order, "host"), j->forward, &e)) == NULL) {
		char *detail = mem_printf("%s%s%s", e.text, e.remedy[0] != '\0' ? "; " : "", e.remedy);
		job_end(j, job_no_session(e.code), detail);
		free(detail);
		return;
	}
	if (job_request(j) == 0) {
		j->phase = "issue";
		msg = job_next(j, &gone);
		if (json_object_get(msg, "install") != NULL)
			job_install(j, json_object_get(msg, "install"));
		else if (json_object_get(msg, "stop") != NULL)
			job_end(j, "refused", json_str(json_object_get(msg, "stop"), "text"));
		else
			job_end(j, "failed", gone ? _("the console is gone") : _("no certificate in time"));
		json_decref(msg);
	}
	remote_close(j->x);
	session_free(j->s);
}

int reissue_serve(const json_t *request, json_t **result, struct err *e)
{
	int64_t timeout = json_num(request, "timeout_s", 60) * 1000, hosts = 0;
	const char *tag = json_str(request, "tag");
	json_t *order;

	(void)e;
	while ((order = serve_next(-1, NULL)) != NULL) {
		struct job j = { .id = json_str(order, "id"), .order = order, .phase = "connect" };
		struct err bad = { 0 };

		/* Lines for a host of before come late and are no orders. */
		if (json_is_object(json_object_get(order, "host"))) {
			j.start = clock_mono();
			j.forward = j.start + reissue_forward(timeout);
			j.until = j.start + timeout + GRACE_MS;
			if (job_read(&j, tag[0] != '\0' ? tag : "1", &bad) < 0)
				job_end(&j, "failed", bad.text);
			else
				job_run(&j);
			buf_free(&j.errors);
			json_decref(j.before);
			hosts++;
		}
		json_decref(order);
	}
	*result = json_pack("{s:I}", "hosts", (json_int_t)hosts);
	return 0;
}
