/* Commands on a session: bounded output, deadlines, exit status. */
#include "child/ssh_session.h"

#include <stdlib.h>
#include <string.h>

#include <libssh/callbacks.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "child/ssh_inside.h"

#define WRITE_CHUNK 32768u
/* A daemon started by the command may hold its output open: how long to wait after the status. */
#define LINGER_MS 500

struct remote {
	struct session *s;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	struct buf out, errors;
	size_t keep;
	int status;         /* the first that came; -1: none yet */
	char *signal_name;
	int64_t ended;      /* clock_mono when the status came; 0 */
};

static void remote_on_status(ssh_session ssh, ssh_channel channel, int status, void *ctx)
{
	struct remote *x = ctx;

	(void)ssh;
	(void)channel;
	if (x->ended != 0)
		return;
	x->status = status;
	x->ended = clock_mono();
}

static void remote_on_signal(ssh_session ssh, ssh_channel channel, const char *name, int core,
    const char *words, const char *lang, void *ctx)
{
	struct remote *x = ctx;

	(void)ssh;
	(void)channel;
	(void)core;
	(void)words;
	(void)lang;
	if (x->ended != 0)
		return;
	x->signal_name = text_escaped(name, strlen(name), 20);
	x->ended = clock_mono();
}

struct remote *remote_open(struct session *s, const char *command, size_t keep, int64_t until,
    struct err *e)
{
	struct remote *x = mem_zalloc(1, sizeof *x);
	int rc;

	x->s = s;
	x->keep = keep;
	x->status = -1;
	if ((x->channel = ssh_channel_new(s->ssh)) == NULL) {
		session_lost(s, _("opening a channel"), e);
		goto fail;
	}
	x->callbacks.userdata = x;
	x->callbacks.channel_exit_status_function = remote_on_status;
	x->callbacks.channel_exit_signal_function = remote_on_signal;
	ssh_callbacks_init(&x->callbacks);
	ssh_set_channel_callbacks(x->channel, &x->callbacks);
	while ((rc = ssh_channel_open_session(x->channel)) == SSH_AGAIN)
		if (session_poll(s, until, _("opening a channel"), e) < 0)
			goto fail;
	if (rc != SSH_OK) {
		session_lost(s, _("opening a channel"), e);
		goto fail;
	}
	while ((rc = ssh_channel_request_exec(x->channel, command)) == SSH_AGAIN)
		if (session_poll(s, until, _("starting a command"), e) < 0)
			goto fail;
	if (rc == SSH_OK)
		return x;
	session_lost(s, _("starting a command"), e);
fail:
	remote_close(x);
	return NULL;
}

int remote_write(struct remote *x, const void *data, size_t len, int64_t until, struct err *e)
{
	const char *p = data;
	uint32_t part;
	int n, rc;

	while (len > 0) {
		part = len < WRITE_CHUNK ? (uint32_t)len : WRITE_CHUNK;
		n = ssh_channel_write(x->channel, p, part);
		if (x->ended != 0 || ssh_channel_is_closed(x->channel))
			return 0;
		if (n == SSH_ERROR)
			return session_lost(x->s, _("sending"), e);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
		/* Not more than a chunk in libssh's own buffers. */
		while (n <= 0 || (ssh_get_status(x->s->ssh) & SSH_WRITE_PENDING)) {
			if ((rc = session_poll(x->s, until, _("sending"), e)) < 0)
				return rc;
			if (ssh_channel_poll(x->channel, 0) == SSH_ERROR)
				return session_lost(x->s, _("sending"), e);
			if (n <= 0)
				break;
		}
	}
	return 0;
}

int remote_shut(struct remote *x, struct err *e)
{
	return ssh_channel_send_eof(x->channel) == SSH_OK ? 0 : session_lost(x->s, _("sending"), e);
}

/* Take what is there of one stream. 1 something, 0 nothing, -1 lost. */
static int remote_take(struct remote *x, struct buf *b, int is_stderr)
{
	char block[4096];
	int n, got = 0;

	while (b->len < x->keep) {
		n = ssh_channel_read_nonblocking(x->channel, block, sizeof block, is_stderr);
		if (n == 0 || n == SSH_EOF)
			return got;
		if (n < 0)
			return ssh_channel_is_closed(x->channel) ? got : -1;
		buf_add(b, block, (size_t)n);
		got = 1;
	}
	return 1;
}

int remote_wait(struct remote *x, int64_t until, struct err *e)
{
	int rc, out, errors;

	for (;;) {
		/* full and not taken by the caller since: nobody wants that much */
		if (x->out.len >= x->keep || x->errors.len >= x->keep)
			return err_set(e, ERR_FAILED, _("%s: cut off after %zu octets of output"), x->s->name,
			    x->keep);
		out = remote_take(x, &x->out, 0);
		errors = remote_take(x, &x->errors, 1);
		if (out > 0 || errors > 0)
			return 1;
		/* Past end of file reading no longer looks for packets, and the status may still come. */
		ssh_channel_get_exit_status(x->channel);
		if (ssh_channel_is_eof(x->channel) && (x->ended != 0 || ssh_channel_is_closed(x->channel)))
			return 0;
		if (x->ended != 0 && clock_mono() >= x->ended + LINGER_MS)
			return 0;
		if (out < 0 || errors < 0 || !ssh_is_connected(x->s->ssh))
			return session_lost(x->s, _("a command ran"), e);
		if (x->ended != 0)
			session_poll(x->s, x->ended + LINGER_MS, "", NULL);
		else if ((rc = session_poll(x->s, until, _("a command ran"), e)) < 0)
			return rc;
	}
}

struct buf *remote_out(struct remote *x)
{
	return &x->out;
}

struct buf *remote_errors(struct remote *x)
{
	return &x->errors;
}

int remote_status(const struct remote *x, const char **signal_name)
{
	if (signal_name != NULL)
		*signal_name = x->signal_name != NULL ? x->signal_name : "";
	return x->status;
}

void remote_close(struct remote *x)
{
	if (x == NULL)
		return;
	if (x->channel != NULL) {
		ssh_remove_channel_callbacks(x->channel, &x->callbacks);
		ssh_channel_close(x->channel);
		ssh_channel_free(x->channel);
	}
	buf_free(&x->out);
	buf_free(&x->errors);
	free(x->signal_name);
	free(x);
}

int remote_ended(const struct remote *x, int *status, struct err *e)
{
	const char *name;

	if ((*status = remote_status(x, &name)) >= 0)
		return 0;
	if (name[0] != '\0')
		return err_set(e, ERR_FAILED, _("%s: the command was killed by signal %s"), x->s->name, name);
	return err_set(e, ERR_FAILED, _("%s: the command ended without an exit status"), x->s->name);
}

int session_run(struct session *s, const char *command, const void *input, size_t len, size_t keep,
    int64_t until, struct buf *out, struct buf *errors, int *status, struct err *e)
{
	struct remote *x = remote_open(s, command, keep, until, e);
	int rc;

	*status = -1;
	if (x == NULL)
		return e != NULL ? e->code : ERR_IO;
	rc = len > 0 ? remote_write(x, input, len, until, e) : 0;
	if (rc == 0)
		rc = remote_shut(x, e);
	while (rc == 0 && (rc = remote_wait(x, until, e)) > 0)
		rc = 0;
	buf_add(out, buf_str(&x->out), x->out.len);
	buf_add(errors, buf_str(&x->errors), x->errors.len);
	if (rc == 0)
		rc = remote_ended(x, status, e);
	remote_close(x);
	return rc;
}
