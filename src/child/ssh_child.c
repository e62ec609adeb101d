/* The SSH child: the only process that reads what a remote host says. No database, no CA key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libssh/libssh.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/serve.h"
#include "child/ssh_reissue.h"
#include "child/ssh_script.h"
#include "child/ssh_session.h"

#define KEEP 65536u           /* octets of stdout and stderr in a result */
#define ENDLESS (64u << 20)   /* a command that says more is cut off */
#define LINE_LONG 1000u
#define LINES_FREE 1000
#define LINES_A_SECOND 10

/* stdout as lines for the parent, at a rate that it can bear. */
struct lines {
	struct buf part;
	int64_t said, second;
	int in_second;
};

static void lines_say(struct lines *l, const char *s, size_t len)
{
	int64_t second = clock_mono() / 1000;
	char *safe;

	if (second != l->second) {
		l->second = second;
		l->in_second = 0;
	}
	if (l->said++ >= LINES_FREE && l->in_second++ >= LINES_A_SECOND)
		return;
	safe = text_escaped(s, len, LINE_LONG);
	serve_say(json_pack("{s:s}", "line", safe));
	free(safe);
}

static void lines_add(struct lines *l, const char *s, size_t len)
{
	const char *nl;

	while (len > 0) {
		size_t n = (nl = memchr(s, '\n', len)) != NULL ? (size_t)(nl - s) : len;
		if (l->part.len <= LINE_LONG)
			buf_add(&l->part, s, n);
		if (nl == NULL)
			return;
		lines_say(l, buf_str(&l->part), l->part.len);
		buf_clear(&l->part);
		s += n + 1;
		len -= n + 1;
	}
}

/* Move what arrived to the part that is kept; *total counts all. */
static void run_take(struct buf *from, struct buf *kept, size_t *total)
{
	size_t room = kept->len < KEEP ? KEEP - kept->len : 0;

	buf_add(kept, from->data, from->len < room ? from->len : room);
	*total += from->len;
	buf_clear(from);
}

static int run_pump(struct remote *x, struct buf *out, struct buf *errors, int64_t until, struct err *e)
{
	struct lines lines = { .second = -1 };
	size_t total = 0;
	int rc;

	while ((rc = remote_wait(x, until, e)) > 0) {
		if (remote_out(x)->len > 0)
			lines_add(&lines, remote_out(x)->data, remote_out(x)->len);
		run_take(remote_out(x), out, &total);
		run_take(remote_errors(x), errors, &total);
		if (total > ENDLESS) {
			rc = err_set(e, ERR_FAILED, _("cut off after %zu octets of output"), total);
			break;
		}
	}
	if (rc == 0 && lines.part.len > 0)
		lines_say(&lines, lines.part.data, lines.part.len);
	buf_free(&lines.part);
	return rc;
}

static json_t *run_result(int status, const struct buf *out, const struct buf *errors, int64_t ms)
{
	json_t *o = json_object();

	json_put_num(o, "status", status);
	json_put(o, "stdout", buf_str(out));
	json_put(o, "stderr", buf_str(errors));
	json_put_num(o, "ms", ms);
	return o;
}

static int ssh_op_run(const json_t *request, json_t **result, struct err *e)
{
	int64_t start = clock_mono(), until = start + json_num(request, "timeout_s", 60) * 1000;
	struct buf out = { 0 }, errors = { 0 };
	struct session *s;
	struct remote *x = NULL;
	const char *signal_name;
	int rc;

	if ((s = session_open(json_object_get(request, "host"), until, e)) == NULL)
		return e->code;
	if ((x = remote_open(s, json_str(request, "command"), KEEP, until, e)) == NULL)
		rc = e->code;
	else if ((rc = remote_shut(x, e)) == 0 && (rc = run_pump(x, &out, &errors, until, e)) == 0) {
		if (remote_status(x, &signal_name) < 0)
			rc = err_set(e, ERR_FAILED, _("%s: the command ended without an exit status (signal %s)"),
			    session_name(s), signal_name[0] != '\0' ? signal_name : "?");
		else
			*result = run_result(remote_status(x, NULL), &out, &errors, clock_mono() - start);
	}
	remote_close(x);
	session_free(s);
	buf_free(&out);
	buf_free(&errors);
	return rc;
}

/* Send a local file as stdin. */
static int put_send(struct remote *x, const char *path, int64_t until, struct err *e)
{
	char *block;
	ssize_t n;
	int fd, rc = 0;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return err_sys(e, "%s", path);
	block = mem_alloc(32768);
	while (rc == 0 && (n = read(fd, block, 32768)) != 0)
		rc = n < 0 ? err_sys(e, "%s", path) : remote_write(x, block, (size_t)n, until, e);
	free(block);
	close(fd);
	return rc == 0 ? remote_shut(x, e) : rc;
}

static int put_run(struct session *s, const char *script, const json_t *request, int64_t until,
    struct err *e)
{
	struct remote *x = remote_open(s, script, KEEP, until, e);
	char *said;
	int rc;

	if (x == NULL)
		return e->code;
	rc = put_send(x, json_str(request, "file"), until, e);
	while (rc == 0 && (rc = remote_wait(x, until, e)) > 0)
		rc = 0;
	if (rc == 0 && remote_status(x, NULL) != 0) {
		said = reissue_reason(remote_errors(x));
		rc = err_set(e, ERR_FAILED, "%s: %s", session_name(s), said[0] != '\0' ? said :
		    _("the file was not written"));
		err_remedy(e, _("what was at %s is as it was"), json_str(request, "path"));
		free(said);
	}
	remote_close(x);
	return rc;
}

/* A number, or octal digits as a string. */
static mode_t put_mode(const json_t *request)
{
	const char *s = json_str(request, "mode");

	return (mode_t)(s[0] != '\0' ? strtol(s, NULL, 8) : (long)json_num(request, "mode", 0644)) & 0777;
}

static int ssh_op_put(const json_t *request, json_t **result, struct err *e)
{
	int64_t until = clock_mono() + json_num(request, "timeout_s", 60) * 1000;
	const char *path = json_str(request, "path");
	char hex[DIGEST_HEX], *script;
	struct session *s;
	int rc;

	if (path[0] != '/' || path[strcspn(path, "\r\n")] != '\0' || path[strlen(path) - 1] == '/')
		return err_set(e, ERR_USAGE, _("not the absolute path of a file: %s"), path);
	if ((rc = digest_file(json_str(request, "file"), hex, e)) < 0)
		return rc;
	if (json_str(request, "sha256")[0] != '\0' && strcmp(hex, json_str(request, "sha256")) != 0)
		return err_set(e, ERR_REFUSED, _("%s changed since it was judged: nothing was written"),
		    json_str(request, "file"));
	if ((s = session_open(json_object_get(request, "host"), until, e)) == NULL)
		return e->code;
	script = script_put(path, hex, put_mode(request));
	rc = put_run(s, script, request, until, e);
	if (rc == 0)
		*result = json_pack("{s:s}", "sha256", hex);
	free(script);
	session_free(s);
	return rc;
}

int ssh_child(const json_t *request, json_t **result, struct err *e)
{
	static const struct {
		const char *op;
		serve_fn run;
	} ops[] = {
		{ "run", ssh_op_run },
		{ "put", ssh_op_put },
		{ "reissue", reissue_serve },
	};

	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
		if (strcmp(json_str(request, "op"), ops[i].op) == 0)
			return ops[i].run(request, result, e);
	return err_set(e, ERR_USAGE, _("the SSH child cannot %s"), json_str(request, "op"));
}
