#include "child/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/confine.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"

#define LINE_MAX_OCTETS (16u << 20)
#define STDERR_KEPT 2000u
#define GRACE_MS 2000

struct child {
	struct child *next;
	struct loop *loop;
	char *name;
	pid_t pid;
	int pidfd, sock, errfd;
	struct buf in, out, errors;
	char *secret;     /* a line in locked memory that goes out between two others; NULL */
	size_t secret_len, secret_sent;
	bool finish;      /* shut the socket for writing once out is empty */
	bool ended;       /* said its result or error */
	json_t *result;
	struct err err;
	char *killed;     /* why we killed it */
	uint64_t deadline;
	int deadline_s;
	child_line_fn line;
	child_done_fn done;
	void *ctx;
};

static struct child *children; /* every living child of this process */
static const char *program = "/proc/self/exe";

extern char **environ;

void child_program(const char *path)
{
	program = path;
}

static void child_free(struct child *c)
{
	struct child **at = &children;

	while (*at != NULL && *at != c)
		at = &(*at)->next;
	if (*at != NULL)
		*at = c->next;
	loop_cancel(c->loop, c->deadline);
	for (int *fd[] = { &c->pidfd, &c->sock, &c->errfd, NULL }, **p = fd; *p != NULL; p++) {
		if (**p < 0)
			continue;
		loop_fd_drop(c->loop, **p);
		close(**p);
	}
	secret_free(c->secret);
	buf_free(&c->in);
	buf_free(&c->out);
	buf_free(&c->errors);
	json_decref(c->result);
	free(c->killed);
	free(c->name);
	free(c);
}

/* The last message: a result or an error. */
static void child_last(struct child *c, const json_t *msg)
{
	const json_t *result = json_object_get(msg, "result"), *err = json_object_get(msg, "error");

	c->ended = true;
	if (result != NULL) {
		c->result = json_incref((json_t *)result);
		return;
	}
	err_set(&c->err, (int)json_num(err, "code", ERR_FAILED), "%s", json_str(err, "text"));
	err_remedy(&c->err, "%s", json_str(err, "remedy"));
}

static void child_take_line(struct child *c, const char *s, size_t len)
{
	struct err e = { 0 };
	json_t *msg = json_read(s, len, &e);

	if (!json_is_object(msg)) {
		char *shown = text_escaped(s, len, 80);
		child_kill(c, "");
		free(c->killed);
		c->killed = mem_printf(_("the %s child said something that is not JSON: %s"), c->name, shown);
		free(shown);
	} else if (json_object_get(msg, "result") != NULL || json_object_get(msg, "error") != NULL) {
		child_last(c, msg);
	} else if (c->line != NULL && !c->ended && c->killed == NULL) {
		c->line(c->ctx, c, msg);
	}
	json_decref(msg);
}

/* Read what is there. Returns false at end of file. */
static bool child_read(struct child *c)
{
	char block[16384];
	ssize_t n;
	char *nl;

	while ((n = recv(c->sock, block, sizeof block, MSG_DONTWAIT)) > 0) {
		buf_add(&c->in, block, (size_t)n);
		while (c->in.len > 0 && (nl = memchr(c->in.data, '\n', c->in.len)) != NULL) {
			size_t len = (size_t)(nl - c->in.data);
			char *line = mem_strndup(c->in.data, len);
			buf_drop(&c->in, len + 1);
			child_take_line(c, line, len);
			free(line);
		}
		if (c->in.len > LINE_MAX_OCTETS) {
			buf_clear(&c->in);
			child_kill(c, _("a line without end"));
		}
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static ssize_t child_put(struct child *c, const char *data, size_t len)
{
	return send(c->sock, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* True once the secret is out, or where there is none. */
static bool child_write_secret(struct child *c)
{
	ssize_t n;

	while (c->secret != NULL) {
		n = child_put(c, c->secret + c->secret_sent, c->secret_len - c->secret_sent);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		c->secret_sent += n > 0 ? (size_t)n : 0;
		if (n < 0 || c->secret_sent == c->secret_len) {
			secret_free(c->secret);
			c->secret = NULL;
		}
	}
	return true;
}

static void child_write(struct child *c)
{
	ssize_t n;

	if (c->secret_sent > 0 && !child_write_secret(c))
		return;
	while (c->out.len > 0) {
		n = child_put(c, c->out.data, c->out.len);
		if (n < 0)
			break;
		buf_drop(&c->out, (size_t)n);
	}
	if (c->out.len > 0 && errno != EAGAIN && errno != EINTR)
		buf_clear(&c->out); /* it is gone; its exit is reported by the pidfd */
	if (c->out.len == 0 && child_write_secret(c) && c->finish)
		shutdown(c->sock, SHUT_WR);
}

static void child_on_socket(void *ctx, short revents);

static void child_watch(struct child *c)
{
	loop_fd(c->loop, c->sock, (short)(POLLIN | (c->out.len > 0 || c->secret != NULL ? POLLOUT : 0)), child_on_socket, c);
}

static void child_on_socket(void *ctx, short revents)
{
	struct child *c = ctx;

	if (revents & POLLOUT)
		child_write(c);
	if ((revents & (POLLIN | POLLHUP | POLLERR)) && !child_read(c))
		loop_fd_drop(c->loop, c->sock); /* wait for the pidfd */
	else
		child_watch(c);
}

static void child_on_stderr(void *ctx, short revents)
{
	struct child *c = ctx;
	char block[4096];
	ssize_t n = read(c->errfd, block, sizeof block);

	(void)revents;
	if (n <= 0) {
		if (n == 0)
			loop_fd_drop(c->loop, c->errfd);
		return;
	}
	buf_add(&c->errors, block, (size_t)n);
	if (c->errors.len > STDERR_KEPT)
		buf_drop(&c->errors, c->errors.len - STDERR_KEPT);
}

static void child_explain(struct child *c, const siginfo_t *info)
{
	char *said = text_escaped(buf_str(&c->errors), c->errors.len, 400);

	if (c->killed != NULL)
		err_set(&c->err, ERR_FAILED, "%s", c->killed);
	else if (info->si_code == CLD_EXITED)
		err_set(&c->err, ERR_FAILED, _("the %s child ended without a result (status %d) %s"),
		    c->name, info->si_status, said);
	else
		err_set(&c->err, ERR_FAILED, _("the %s child died of signal %d (%s) %s"), c->name,
		    info->si_status, strsignal(info->si_status), said);
	free(said);
}

static void child_on_exit(void *ctx, short revents)
{
	struct child *c = ctx;
	siginfo_t info = { 0 };

	(void)revents;
	if (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return;
	child_on_stderr(c, POLLIN);
	child_read(c);
	kill(-c->pid, SIGKILL); /* whatever it started and left behind */
	if (!c->ended)
		child_explain(c, &info);
	if (c->done != NULL) {
		child_done_fn done = c->done;
		c->done = NULL;
		done(c->ctx, c->result, c->result != NULL ? NULL : &c->err);
	}
	child_free(c);
}

static void child_overdue(void *ctx)
{
	struct child *c = ctx;
	char *why = mem_printf(_("no result from the %s child within %d s"), c->name, c->deadline_s);

	c->deadline = 0;
	child_kill(c, why);
	free(why);
}

static int child_spawn(struct child *c, struct err *e)
{
	char *argv[] = { (char *)"sev1", (char *)"child", c->name, NULL };
	int sock[2] = { -1, -1 }, pipes[2] = { -1, -1 }, rc;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0 ||
	    pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0) {
		rc = errno;
		if (sock[0] >= 0) {
			close(sock[0]);
			close(sock[1]);
		}
		errno = rc;
		return err_sys(e, _("a socket for the %s child"), c->name);
	}
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr,
	    POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, sock[1], 0);
	posix_spawn_file_actions_adddup2(&fa, sock[1], 1);
	posix_spawn_file_actions_adddup2(&fa, pipes[1], 2);
	rc = posix_spawn(&c->pid, program, &fa, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	close(sock[1]);
	close(pipes[1]);
	c->sock = sock[0];
	c->errfd = pipes[0];
	if (rc != 0) {
		errno = rc;
		return err_sys(e, _("start the %s child"), c->name);
	}
	if ((c->pidfd = pidfd_open(c->pid, 0)) < 0) {
		rc = err_sys(e, "pidfd_open");
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
		return rc;
	}
	return 0;
}

struct child *child_start(struct loop *l, const char *name, json_t *request, int deadline_s,
    child_line_fn line, child_done_fn done, void *ctx, struct err *e)
{
	struct child *c = mem_zalloc(1, sizeof *c);

	*c = (struct child){ .loop = l, .name = mem_strdup(name), .pidfd = -1, .sock = -1, .errfd = -1,
		.deadline_s = deadline_s, .line = line, .done = done, .ctx = ctx };
	if (child_spawn(c, e) < 0) {
		json_decref(request);
		child_free(c);
		return NULL;
	}
	c->next = children;
	children = c;
	json_put_num(request, "parent_pid", getpid());
	if (confine_root() != NULL)
		json_put(request, "confine", confine_root());
	loop_fd(l, c->pidfd, POLLIN, child_on_exit, c);
	loop_fd(l, c->errfd, POLLIN, child_on_stderr, c);
	child_send(c, request);
	if (deadline_s > 0)
		c->deadline = loop_after(l, (int64_t)deadline_s * 1000 + GRACE_MS, child_overdue, c);
	return c;
}

void child_send(struct child *c, json_t *msg)
{
	char *line = json_line(msg);

	buf_adds(&c->out, line);
	buf_addc(&c->out, '\n');
	free(line);
	json_decref(msg);
	child_write(c);
	child_watch(c);
}

/* One octet of a JSON string; false where the line is full. */
static bool secret_octet(struct child *c, unsigned char o)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = { '\\', 'u', '0', '0', hex[o >> 4], hex[o & 15] };
	size_t n = 1;

	if (o < 0x20)
		n = sizeof text;
	else if (o == '"' || o == '\\')
		n = 2;
	if (n == 2)
		text[1] = (char)o;
	else if (n == 1)
		text[0] = (char)o;
	if (c->secret_len + n + 3 > SECRET_LINE)
		return false;
	memcpy(c->secret + c->secret_len, text, n);
	c->secret_len += n;
	explicit_bzero(text, sizeof text);
	return true;
}

/* jansson reads nothing else. */
static bool secret_is_utf8(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s != '\0') {
		size_t more = *s < 0x80 ? 0 : *s >= 0xc2 && *s < 0xe0 ? 1 : (*s & 0xf0) == 0xe0 ? 2
		    : *s >= 0xf0 && *s < 0xf5 ? 3 : SIZE_MAX;

		if (more == SIZE_MAX)
			return false;
		for (s++; more > 0; more--, s++)
			if ((*s & 0xc0) != 0x80)
				return false;
	}
	return true;
}

int child_send_secret(struct child *c, const char *member, const char *secret, struct err *e)
{
	bool fits = strlen(secret) < SECRET_MAX;

	if (!secret_is_utf8(secret)) {
		err_set(e, ERR_USAGE, _("the PIN or passphrase is not UTF-8 text; it was not tried"));
		return err_remedy(e, _("type it in a terminal that is set to UTF-8, or change it to one of plain ASCII"));
	}
	if (c->secret == NULL && (c->secret = secret_new(e)) == NULL)
		return e != NULL ? e->code : ERR_IO;
	c->secret_sent = 0;
	c->secret_len = (size_t)snprintf(c->secret, SECRET_LINE, "{\"%.20s\":\"", member);
	for (const char *s = secret; *s != '\0' && fits; s++)
		fits = secret_octet(c, (unsigned char)*s);
	if (!fits) {
		secret_free(c->secret);
		c->secret = NULL;
		return err_set(e, ERR_USAGE, _("the secret is longer than %d octets"), SECRET_MAX - 1);
	}
	memcpy(c->secret + c->secret_len, "\"}\n", 3);
	c->secret_len += 3;
	child_write(c);
	child_watch(c);
	return 0;
}

void child_wait(struct child *c, bool waiting)
{
	loop_cancel(c->loop, c->deadline);
	c->deadline = 0;
	if (!waiting && c->deadline_s > 0)
		c->deadline = loop_after(c->loop, (int64_t)c->deadline_s * 1000 + GRACE_MS, child_overdue, c);
}

void child_finish(struct child *c)
{
	c->finish = true;
	child_write(c);
}

void child_kill(struct child *c, const char *why)
{
	if (c->killed == NULL)
		c->killed = mem_strdup(why);
	kill(-c->pid, SIGKILL);
	kill(c->pid, SIGKILL); /* in case it has not yet become a group of its own */
}

void child_kill_all(struct loop *l)
{
	struct child *c, *next;

	for (c = children; c != NULL; c = next) {
		next = c->next;
		if (c->loop != l)
			continue;
		child_kill(c, "");
		waitpid(c->pid, NULL, 0);
		child_free(c);
	}
}
