#include <errno.h>
#include <fcntl.h>
#include <libssh/callbacks.h>
#include <libssh/server.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "drill/room.h"

#define JOBS 16        /* channels of one connection at a time */
#define AUTH_SECONDS 20
#define AUTH_TRIES 6
#define INPUT_OCTETS (64u << 20) /* waiting for a command that does not read */

struct peer;

/* Our end of a pipe. libssh's event walks its own list while it calls us, so nothing is put on it or
 * taken off in a callback: callbacks set end, job_watch() does the rest. */
struct stream {
	int fd;      /* -1: closed */
	bool on;     /* in the event */
	bool end;    /* to be closed */
};

struct job { /* one channel and the command that runs on it */
	struct peer *peer;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct calls;
	pid_t pid;          /* 0 before the command */
	struct stream in, out, err;
	struct buf input;   /* not yet taken by the command */
	bool input_end, closed;
};

struct peer {
	const struct map *map;
	const struct place *place;
	ssh_session session;
	ssh_event event;
	ssh_key key; /* the only one that is let in */
	int tries;
	bool in, gone;
	struct job *job[JOBS];
};

static int peer_auth(ssh_session session, const char *user, struct ssh_key_struct *key, char state,
    void *ctx)
{
	struct peer *p = ctx;

	(void)session;
	if (strcmp(user, MAP_USER) != 0 || ssh_key_cmp(key, p->key, SSH_KEY_CMP_PUBLIC) != 0) {
		p->gone = ++p->tries >= AUTH_TRIES;
		return SSH_AUTH_DENIED;
	}
	if (state == SSH_PUBLICKEY_STATE_NONE)
		return SSH_AUTH_SUCCESS; /* the key would do: now let it be proved */
	if (state != SSH_PUBLICKEY_STATE_VALID)
		return SSH_AUTH_DENIED;
	p->in = true;
	return SSH_AUTH_SUCCESS;
}

/* Give the command what came in, as much as it takes. */
static void job_feed(struct job *j)
{
	ssize_t n;

	while (j->in.fd >= 0 && j->input.len > 0) {
		n = write(j->in.fd, j->input.data, j->input.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) { /* it reads no more, like head(1) */
			buf_clear(&j->input);
			j->input_end = true;
			break;
		}
		buf_drop(&j->input, (size_t)n);
	}
	j->in.end = j->input_end;
}

static int job_room(socket_t fd, int revents, void *ctx)
{
	(void)fd;
	(void)revents;
	job_feed(ctx);
	return 0;
}

static int job_data(ssh_session session, ssh_channel channel, void *data, uint32_t len, int is_stderr,
    void *ctx)
{
	struct job *j = ctx;

	(void)session;
	(void)channel;
	if (is_stderr || j->in.fd < 0 || j->input_end)
		return (int)len;
	if (j->input.len > INPUT_OCTETS) {
		j->closed = true;
		return (int)len;
	}
	buf_add(&j->input, data, len);
	job_feed(j);
	return (int)len;
}

static void job_eof(ssh_session session, ssh_channel channel, void *ctx)
{
	struct job *j = ctx;

	(void)session;
	(void)channel;
	j->input_end = true;
	job_feed(j);
}

static void job_close(ssh_session session, ssh_channel channel, void *ctx)
{
	(void)session;
	(void)channel;
	((struct job *)ctx)->closed = true;
}

/* Not more than the client has room for: a write that waits would serve other events meanwhile, this
 * one among them, and mix up the order. */
static int job_output(socket_t fd, int revents, void *ctx)
{
	struct job *j = ctx;
	struct stream *from = fd == j->out.fd ? &j->out : &j->err;
	char block[32768];
	uint32_t room = ssh_channel_window_size(j->channel);
	ssize_t n;

	(void)revents;
	if (room == 0 || from->end)
		return 0;
	n = read(fd, block, room < sizeof block ? room : sizeof block);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0)
		from->end = true;
	else if ((from == &j->out ? ssh_channel_write(j->channel, block, (uint32_t)n) :
	    ssh_channel_write_stderr(j->channel, block, (uint32_t)n)) != (int)n)
		j->closed = true;
	return 0;
}

static void stream_watch(struct job *j, struct stream *s, bool on, short events, ssh_event_callback fn)
{
	on = on && s->fd >= 0 && !s->end;
	if (s->on && !on)
		ssh_event_remove_fd(j->peer->event, s->fd);
	if (!s->on && on)
		ssh_event_add_fd(j->peer->event, s->fd, events, fn, j);
	s->on = on;
	if (s->end && s->fd >= 0) {
		close(s->fd);
		s->fd = -1;
	}
}

/* Between two rounds of the event: listen to what can be served now. */
static void job_watch(struct job *j)
{
	bool room = ssh_channel_window_size(j->channel) > 0;

	stream_watch(j, &j->in, j->input.len > 0, POLLOUT, job_room);
	stream_watch(j, &j->out, room, POLLIN, job_output);
	stream_watch(j, &j->err, room, POLLIN, job_output);
}

/* In the new process: a host's login shell. Only what is said here is in its environment. */
static void job_shell(const struct peer *p, const char *command, const int fd[3])
{
	char *home = map_path(p->map, "hosts/%s", p->place->name);
	char *path = map_path(p->map, "bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	char *tmp = fs_join(home, "tmp");
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	clearenv();
	if (setenv("HOME", home, 1) < 0 || setenv("PATH", path, 1) < 0 || setenv("TMPDIR", tmp, 1) < 0 ||
	    setenv("USER", MAP_USER, 1) < 0 || setenv("LOGNAME", MAP_USER, 1) < 0 ||
	    setenv("SHELL", "/bin/sh", 1) < 0 || setenv("LC_ALL", "C.UTF-8", 1) < 0 ||
	    setenv("DRILL_HOST", p->place->name, 1) < 0 || chdir(home) < 0)
		_exit(126);
	for (int i = 0; i < 3; i++)
		if (dup2(fd[i], i) < 0)
			_exit(126);
	if (close_range(3, ~0u, 0) < 0)
		_exit(126);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Three pipes; theirs are the command's ends. All closed on error. */
static int job_pipes(struct job *j, int theirs[3])
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 ||
	    fcntl(in[1], F_SETFL, O_NONBLOCK) < 0) {
		const int all[] = { in[0], in[1], out[0], out[1], err[0], err[1] };

		for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
			if (all[i] >= 0)
				close(all[i]);
		return -1;
	}
	theirs[0] = in[0];
	theirs[1] = out[1];
	theirs[2] = err[1];
	j->in.fd = in[1];
	j->out.fd = out[0];
	j->err.fd = err[0];
	return 0;
}

static int job_exec(ssh_session session, ssh_channel channel, const char *command, void *ctx)
{
	struct job *j = ctx;
	int theirs[3];
	pid_t pid;

	(void)session;
	(void)channel;
	if (j->pid != 0 || job_pipes(j, theirs) < 0)
		return 1;
	if ((pid = fork()) == 0)
		job_shell(j->peer, command, theirs);
	for (int i = 0; i < 3; i++)
		close(theirs[i]);
	if (pid < 0) {
		j->in.end = j->out.end = j->err.end = j->closed = true;
		return 1;
	}
	setpgid(pid, pid); /* it does the same: whoever comes first */
	j->pid = pid;
	return 0;
}

static ssh_channel peer_channel(ssh_session session, void *ctx)
{
	struct peer *p = ctx;
	struct job *j;
	size_t slot = 0;

	while (slot < JOBS && p->job[slot] != NULL)
		slot++;
	if (slot == JOBS || !p->in)
		return NULL;
	j = mem_zalloc(1, sizeof *j);
	j->peer = p;
	j->in.fd = j->out.fd = j->err.fd = -1;
	if ((j->channel = ssh_channel_new(session)) == NULL) {
		free(j);
		return NULL;
	}
	j->calls.userdata = j;
	j->calls.channel_exec_request_function = job_exec;
	j->calls.channel_data_function = job_data;
	j->calls.channel_eof_function = job_eof;
	j->calls.channel_close_function = job_close;
	ssh_callbacks_init(&j->calls);
	ssh_set_channel_callbacks(j->channel, &j->calls);
	p->job[slot] = j;
	return j->channel;
}

/* The command has ended or nobody wants it any more. Returns true when j is gone. */
static bool job_reap(struct job *j, bool force)
{
	int status = 0;

	if (!force && !j->closed && (j->pid == 0 || j->out.fd >= 0 || j->err.fd >= 0))
		return false;
	if (j->pid > 0) {
		bool cut = force || j->closed;

		if (cut)
			kill(-j->pid, SIGKILL);
		if (waitpid(j->pid, &status, cut ? 0 : WNOHANG) == 0)
			return false;
		kill(-j->pid, SIGKILL); /* what it left running */
	}
	j->in.end = j->out.end = j->err.end = true;
	job_watch(j);
	if (!force && !j->closed) {
		if (WIFEXITED(status))
			ssh_channel_request_send_exit_status(j->channel, WEXITSTATUS(status));
		else
			ssh_channel_request_send_exit_signal(j->channel,
			    sigabbrev_np(WTERMSIG(status)) != NULL ? sigabbrev_np(WTERMSIG(status)) : "KILL",
			    0, "", "en");
		ssh_channel_send_eof(j->channel);
	}
	if (!force)
		ssh_channel_close(j->channel);
	ssh_remove_channel_callbacks(j->channel, &j->calls);
	ssh_channel_free(j->channel);
	buf_free(&j->input);
	free(j);
	return true;
}

static void peer_serve(struct peer *p)
{
	int wait_ms = 1000;

	/* What is sent waits in libssh's buffer, at most the client's window, and not in our hands. */
	ssh_set_blocking(p->session, 0);
	while (!p->gone) {
		if (ssh_event_dopoll(p->event, wait_ms) == SSH_ERROR || !ssh_is_connected(p->session))
			break;
		if (p->in)
			alarm(0);
		wait_ms = 1000;
		for (size_t i = 0; i < JOBS; i++) {
			struct job *j = p->job[i];

			if (j == NULL)
				continue;
			job_watch(j);
			if (job_reap(j, false))
				p->job[i] = NULL;
			else if (j->pid > 0 && j->out.fd < 0 && j->err.fd < 0)
				wait_ms = 10; /* it closed its output and has yet to end */
		}
	}
	for (size_t i = 0; i < JOBS; i++)
		if (p->job[i] != NULL)
			job_reap(p->job[i], true);
}

/* A session on fd with this host's key. NULL on error; fd is the session's otherwise. */
static ssh_session peer_open(const struct map *m, const struct place *place, int fd)
{
	char *file = map_path(m, "hosts/%s/ssh_host_ed25519_key", place->name);
	ssh_bind listen = ssh_bind_new();
	ssh_session s = ssh_new();
	const bool no = false;

	if (listen == NULL || s == NULL ||
	    ssh_bind_options_set(listen, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no) < 0 ||
	    ssh_bind_options_set(listen, SSH_BIND_OPTIONS_HOSTKEY, file) < 0 ||
	    ssh_bind_accept_fd(listen, s, fd) != SSH_OK) {
		ssh_free(s);
		s = NULL;
	}
	ssh_bind_free(listen);
	free(file);
	return s;
}

void room_ssh(const struct map *m, const struct place *place, int fd)
{
	struct peer p = { .map = m, .place = place };
	struct ssh_server_callbacks_struct calls = { .userdata = &p, .auth_pubkey_function = peer_auth,
		.channel_open_request_session_function = peer_channel };
	char *pub = map_path(m, "ssh/id_ed25519.pub");

	alarm(AUTH_SECONDS);
	signal(SIGPIPE, SIG_IGN);
	ssh_callbacks_init(&calls);
	if (ssh_pki_import_pubkey_file(pub, &p.key) == SSH_OK &&
	    (p.session = peer_open(m, place, fd)) != NULL) {
		ssh_set_server_callbacks(p.session, &calls);
		ssh_set_auth_methods(p.session, SSH_AUTH_METHOD_PUBLICKEY);
		if (ssh_handle_key_exchange(p.session) == SSH_OK && (p.event = ssh_event_new()) != NULL &&
		    ssh_event_add_session(p.event, p.session) == SSH_OK)
			peer_serve(&p);
		ssh_event_free(p.event);
		ssh_disconnect(p.session);
	}
	ssh_free(p.session);
	ssh_key_free(p.key);
	free(pub);
}
