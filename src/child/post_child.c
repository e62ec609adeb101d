/* Sends a notice: through a sendmail-compatible command, SMTP or a webhook; one recipient at a time, so
 * that each has an outcome of its own. The SMTP password is read here and nowhere else. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/dial.h"
#include "child/exec.h"
#include "child/net.h"
#include "child/serve.h"

#define ANSWER_KEPT 400u

struct post {
	const json_t *request;
	const char *from, *message, *url;
	int timeout_s; /* for one recipient */
	CURL *curl;
	struct curl_slist *header;
	char *password;
	size_t sent;
	struct buf answer;
	struct err refused;
};

/* Send to one recipient: 0 with detail, or an error. */
typedef int (*post_fn)(struct post *p, const char *to, struct buf *detail, struct err *e);

/* ---- sendmail ---- */

static int sendmail_send(struct post *p, const char *to, struct buf *detail, struct err *e)
{
	char *script = mem_printf("exec %s \"$@\"", json_str(p->request, "command"));
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", script, (char *)"sendmail", (char *)"-i",
		(char *)"-f", (char *)p->from, (char *)"--", (char *)to, NULL };
	struct exec x = { .argv = argv, .timeout_s = p->timeout_s };
	struct exec_result r;
	struct buf text = { 0 };
	int rc;

	for (const char *s = p->message; *s != '\0'; s++)
		if (s[0] != '\r' || s[1] != '\n') /* its input has the line ends of this system */
			buf_addc(&text, *s);
	x.input = buf_str(&text);
	x.input_len = text.len;
	if ((rc = exec_run(&x, &r, e)) == 0) {
		const struct buf *said = r.err.len > 0 ? &r.err : &r.out;
		if (r.status != 0)
			rc = err_set(e, ERR_FAILED, _("exit status %d: %.*s"), r.status,
			    (int)strcspn(buf_str(said), "\n"), buf_str(said));
		else
			buf_adds(detail, _("taken by the mail command"));
	}
	exec_result_clear(&r);
	buf_free(&text);
	free(script);
	return rc;
}

static int sendmail_check(struct post *p, struct err *e)
{
	const char *command = json_str(p->request, "command");
	char *word = mem_strndup(command, strcspn(command, " \t"));
	int rc = 0;

	if (word[0] != '/')
		rc = err_set(e, ERR_USAGE, _("the mail command needs an absolute path: '%s'"), command);
	else if (access(word, X_OK) < 0)
		rc = err_sys(e, "%s", word);
	else if (strstr(command, " -t") != NULL)
		rc = err_set(e, ERR_USAGE, _("%s: without -t; the recipients are given to it"), command);
	else
		rc = exec_confined(command, e);
	free(word);
	return rc;
}

/* ---- libcurl, for SMTP and webhooks ---- */

static curl_socket_t curl_socket(void *ctx, curlsocktype why, struct curl_sockaddr *to)
{
	struct post *p = ctx;

	(void)why;
	if (confine_address(&to->addr, &p->refused) < 0)
		return CURL_SOCKET_BAD;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t curl_keep(char *data, size_t size, size_t n, void *ctx)
{
	struct post *p = ctx;

	if (p->answer.len < ANSWER_KEPT)
		buf_add(&p->answer, data, size * n < ANSWER_KEPT ? size * n : ANSWER_KEPT);
	return size * n;
}

/* SMTP: keep the server's last line, which says why; its farewell says nothing. */
static size_t curl_last_line(char *data, size_t size, size_t n, void *ctx)
{
	struct post *p = ctx;

	if (size * n >= 3 && memcmp(data, "221", 3) == 0)
		return size * n;
	buf_clear(&p->answer);
	return curl_keep(data, size, n, ctx);
}

static size_t curl_give(char *data, size_t size, size_t n, void *ctx)
{
	struct post *p = ctx;
	size_t left = strlen(p->message) - p->sent, take = size * n < left ? size * n : left;

	memcpy(data, p->message + p->sent, take);
	p->sent += take;
	return take;
}

static void curl_common(struct post *p, const char *url, char *said)
{
	net.easy_reset(p->curl); /* keeps the connection for the next recipient */
	net.easy_setopt(p->curl, CURLOPT_URL, url);
	net.easy_setopt(p->curl, CURLOPT_PROXY, "");
	net.easy_setopt(p->curl, CURLOPT_NOSIGNAL, 1L);
	net.easy_setopt(p->curl, CURLOPT_TIMEOUT_MS, (long)p->timeout_s * 1000);
	net.easy_setopt(p->curl, CURLOPT_ERRORBUFFER, said);
	net.easy_setopt(p->curl, CURLOPT_OPENSOCKETFUNCTION, curl_socket);
	net.easy_setopt(p->curl, CURLOPT_OPENSOCKETDATA, p);
	net.easy_setopt(p->curl, CURLOPT_USERAGENT, "sev1");
}

/* Perform; *status is the server's last code. */
static int curl_run(struct post *p, const char *said, long *status, struct err *e)
{
	CURLcode code;
	size_t n;

	buf_clear(&p->answer);
	p->refused.code = 0;
	code = net.easy_perform(p->curl);
	net.easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, status);
	n = strcspn(buf_str(&p->answer), "\r\n");
	if (code == CURLE_OK)
		return 0;
	if (p->refused.code != 0)
		*e = p->refused;
	else if (code == CURLE_OPERATION_TIMEDOUT)
		err_set(e, ERR_TIMEOUT, _("no answer within %d s"), p->timeout_s);
	else if (*status >= 400 && n > 0)
		err_set(e, ERR_FAILED, "%.*s", (int)n, buf_str(&p->answer));
	else
		err_set(e, ERR_FAILED, "%s", said[0] != '\0' ? said : net.easy_strerror(code));
	return e->code;
}

static bool is_loopback(const char *url)
{
	static const char *const name[] = { "smtp://localhost", "smtp://127.", "smtp://[::1]" };

	for (size_t i = 0; i < sizeof name / sizeof name[0]; i++)
		if (strncasecmp(url, name[i], strlen(name[i])) == 0)
			return true;
	return false;
}

static void smtp_secure(struct post *p)
{
	const char *user = json_str(p->request, "user");

	if (user[0] != '\0') {
		net.easy_setopt(p->curl, CURLOPT_USERNAME, user);
		net.easy_setopt(p->curl, CURLOPT_PASSWORD, p->password);
		/* a password crosses no network in the clear, nor to a server that is not who it says */
		net.easy_setopt(p->curl, CURLOPT_USE_SSL,
		    is_loopback(p->url) ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL);
	} else {
		/* opportunistic (RFC 7435): the notice must go out although the compromised CA may
		 * have issued the mail server's certificate */
		net.easy_setopt(p->curl, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
		net.easy_setopt(p->curl, CURLOPT_SSL_VERIFYPEER, 0L);
		net.easy_setopt(p->curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static int smtp_send(struct post *p, const char *to, struct buf *detail, struct err *e)
{
	struct curl_slist *list = net.slist_append(NULL, to);
	char said[CURL_ERROR_SIZE] = "";
	long status = 0;
	int rc;

	p->sent = 0;
	curl_common(p, p->url, said);
	smtp_secure(p);
	net.easy_setopt(p->curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	net.easy_setopt(p->curl, CURLOPT_MAIL_FROM, p->from);
	net.easy_setopt(p->curl, CURLOPT_MAIL_RCPT, list);
	net.easy_setopt(p->curl, CURLOPT_UPLOAD, 1L);
	net.easy_setopt(p->curl, CURLOPT_READFUNCTION, curl_give);
	net.easy_setopt(p->curl, CURLOPT_READDATA, p);
	net.easy_setopt(p->curl, CURLOPT_HEADERFUNCTION, curl_last_line);
	net.easy_setopt(p->curl, CURLOPT_HEADERDATA, p);
	if ((rc = curl_run(p, said, &status, e)) == 0)
		buf_add(detail, buf_str(&p->answer), strcspn(buf_str(&p->answer), "\r\n"));
	net.slist_free_all(list);
	return rc;
}

static int webhook_send(struct post *p, const char *to, struct buf *detail, struct err *e)
{
	json_t *o = json_pack("{s:s,s:s}", "text", p->message, "subject", json_str(p->request, "subject"));
	char *text = json_dumps(o, JSON_COMPACT), said[CURL_ERROR_SIZE] = "";
	long status = 0;
	int rc;

	json_decref(o);
	if ((rc = dial_confined_url(to, e)) < 0)
		goto out;
	curl_common(p, to, said);
	net.easy_setopt(p->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	net.easy_setopt(p->curl, CURLOPT_HTTPHEADER, p->header);
	net.easy_setopt(p->curl, CURLOPT_POSTFIELDS, text);
	net.easy_setopt(p->curl, CURLOPT_WRITEFUNCTION, curl_keep);
	net.easy_setopt(p->curl, CURLOPT_WRITEDATA, p);
	if ((rc = curl_run(p, said, &status, e)) < 0)
		goto out;
	if (status < 200 || status > 299)
		rc = err_set(e, ERR_FAILED, _("HTTP status %ld: %.*s"), status,
		    (int)strcspn(buf_str(&p->answer), "\r\n"), buf_str(&p->answer));
	else
		buf_addf(detail, _("HTTP status %ld"), status);
out:
	free(text);
	return rc;
}

/* The password stands alone in a file that only its owner may read. */
static int password_read(struct post *p, struct err *e)
{
	const char *path = json_str(p->request, "password_file");
	char line[1024];
	struct stat st;
	ssize_t n;
	int fd, rc = 0;

	if (path[0] == '\0')
		return err_set(e, ERR_USAGE, _("SMTP with a user needs a password file"));
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return err_sys(e, "%s", path);
	if (fstat(fd, &st) < 0)
		rc = err_sys(e, "%s", path);
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 ||
	    (st.st_uid != geteuid() && st.st_uid != 0)) {
		err_set(e, ERR_REFUSED, _("%s: others may read this password"), path);
		rc = err_remedy(e, "chmod 600 %s", path);
	} else if ((n = read(fd, line, sizeof line - 1)) < 0) {
		rc = err_sys(e, "%s", path);
	} else {
		line[n] = '\0';
		p->password = mem_strndup(line, strcspn(line, "\r\n"));
		if (p->password[0] == '\0')
			rc = err_set(e, ERR_SYNTAX, _("%s: holds no password"), path);
	}
	explicit_bzero(line, sizeof line);
	close(fd);
	return rc;
}

static int smtp_check(struct post *p, struct err *e)
{
	int rc = dial_confined_url(p->url, e);

	if (rc == 0 && json_str(p->request, "user")[0] != '\0')
		rc = password_read(p, e);
	return rc;
}

static void post_outcome(const char *to, const char *detail, bool accepted)
{
	json_t *o = json_object();

	json_put(o, "to", to);
	json_put(o, "outcome", accepted ? "accepted" : "failed");
	json_put(o, "detail", detail);
	serve_say(json_pack("{s:o}", "recipient", o));
}

static void post_each(struct post *p, post_fn send, json_t **result)
{
	const json_t *list = json_list(p->request, "to");
	int64_t accepted = 0, failed = 0;
	size_t i;
	json_t *to;

	json_array_foreach(list, i, to) {
		struct buf detail = { 0 };
		struct err why = { 0 };
		bool ok = send(p, json_string_value(to), &detail, &why) == 0;
		post_outcome(json_string_value(to), ok ? buf_str(&detail) : why.text, ok);
		accepted += ok;
		failed += !ok;
		serve_progress(accepted + failed, (int64_t)json_array_size(list), json_string_value(to));
		buf_free(&detail);
	}
	*result = json_object();
	json_put_num(*result, "accepted", accepted);
	json_put_num(*result, "failed", failed);
}

/* What comes as an address becomes an argument and an SMTP line: nothing may hide in it. */
static int post_check(const struct post *p, struct err *e)
{
	const json_t *list = json_list(p->request, "to");
	size_t i;
	json_t *to;

	json_array_foreach(list, i, to) {
		const char *s = json_string_value(to);
		if (s == NULL || s[0] == '\0' || s[0] == '-' || s[strcspn(s, "\r\n \t<>")] != '\0')
			return err_set(e, ERR_USAGE, _("recipient %zu is not an address"), i + 1);
	}
	if (json_array_size(list) == 0)
		return err_set(e, ERR_USAGE, _("no recipients"));
	if (p->from[0] == '-' || p->from[strcspn(p->from, "\r\n \t<>")] != '\0')
		return err_set(e, ERR_USAGE, _("the sender is not an address"));
	return 0;
}

int post_child(const json_t *request, json_t **result, struct err *e)
{
	const char *transport = json_str(request, "transport");
	struct post p = { .request = request, .from = json_str(request, "from"),
		.message = json_str(request, "message"), .url = json_str(request, "url"),
		.timeout_s = (int)json_num(request, "timeout_s", 30) };
	post_fn send = NULL;
	int rc;

	if (strcmp(json_str(request, "op"), "post") != 0)
		return err_set(e, ERR_USAGE, _("the post child cannot do '%s'"), json_str(request, "op"));
	if ((rc = post_check(&p, e)) < 0 || (rc = net_load(e)) < 0)
		return rc;
	net.global_init(CURL_GLOBAL_DEFAULT);
	p.curl = net.easy_init();
	p.header = net.slist_append(NULL, "Content-Type: application/json");
	if (strcmp(transport, "sendmail") == 0) {
		send = sendmail_send;
		rc = sendmail_check(&p, e);
	} else if (strcmp(transport, "smtp") == 0) {
		send = smtp_send;
		rc = smtp_check(&p, e);
	} else if (strcmp(transport, "webhook") == 0) {
		send = webhook_send;
	} else {
		rc = err_set(e, ERR_USAGE, _("no transport is called '%s'"), transport);
	}
	if (rc == 0)
		post_each(&p, send, result);
	if (p.password != NULL)
		explicit_bzero(p.password, strlen(p.password));
	free(p.password);
	net.slist_free_all(p.header);
	net.easy_cleanup(p.curl);
	net.global_cleanup();
	buf_free(&p.answer);
	return rc;
}
