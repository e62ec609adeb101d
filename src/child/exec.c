#include "child/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/confine.h"
#include "base/i18n.h"

#define LINE_KEPT 1000u
#define DRAIN_MS 200 /* for output after the exit, while something in the background keeps the pipe */

enum { OUT, ERRS, STATUS, IN, PIPES };

struct pipes {
	int fd[PIPES][2]; /* read end, write end; -1 once closed */
};

/* One run as it goes. */
struct running {
	const struct exec *x;
	struct exec_result *r;
	struct pipes p;
	pid_t guard;
	struct buf line;
	size_t sent;
	bool exited;
};

static void pipes_close(struct pipes *p, int which, int end)
{
	if (p->fd[which][end] >= 0)
		close(p->fd[which][end]);
	p->fd[which][end] = -1;
}

static void pipes_free(struct pipes *p)
{
	for (int i = 0; i < PIPES; i++) {
		pipes_close(p, i, 0);
		pipes_close(p, i, 1);
	}
}

static int pipes_open(struct pipes *p, struct err *e)
{
	memset(p->fd, 0xff, sizeof p->fd);
	for (int i = 0; i < PIPES; i++) {
		if (pipe2(p->fd[i], O_CLOEXEC) < 0) {
			err_sys(e, _("a pipe for a program"));
			pipes_free(p);
			return ERR_IO;
		}
	}
	return 0;
}

static void guard_stop(int signo)
{
	(void)signo;
	kill(0, SIGKILL); /* the whole group, this process included */
}

static void signals_default(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The program itself; never returns. */
static void exec_program(const struct exec *x, const struct pipes *p)
{
	static const char why[] = "cannot be started\n";
	ssize_t n;

	signals_default();
	if (dup2(p->fd[IN][0], 0) < 0 || dup2(p->fd[OUT][1], 1) < 0 || dup2(p->fd[ERRS][1], 2) < 0)
		_exit(127);
	close_range(3, ~0u, 0);
	execv(x->argv[0], x->argv);
	n = write(2, x->argv[0], strlen(x->argv[0]));
	n += write(2, ": ", 2);
	n += write(2, why, sizeof why - 1);
	_exit(n > 0 ? 127 : 126);
}

/* Leads the process group, so that the group outlives nobody: it dies with the process that asked
 * for the run, and takes all others with it. Reports the exit status on a pipe of its own. */
static void guard_main(const struct exec *x, struct pipes *p, pid_t parent)
{
	int status = 0;
	pid_t pid;

	setpgid(0, 0);
	signals_default();
	signal(SIGTERM, guard_stop);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	if ((pid = fork()) == 0)
		exec_program(x, p);
	dup2(p->fd[STATUS][1], 3);
	for (int fd = 0; fd < 3; fd++)
		close(fd); /* or the reader would never see the end of the output */
	close_range(4, ~0u, 0);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0)
		status = 126 << 8;
	if (write(3, &status, sizeof status) != sizeof status)
		_exit(1);
	for (;;)
		pause(); /* keeps the group's id taken until it is killed */
}

static void line_flush(struct running *run)
{
	if (run->x->line != NULL)
		run->x->line(run->x->ctx, buf_str(&run->line), run->line.len);
	buf_clear(&run->line);
}

static void take_lines(struct running *run, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n')
			line_flush(run);
		else if (run->line.len < LINE_KEPT)
			buf_addc(&run->line, s[i]);
	}
}

/* Read what is there of one output; closes it at its end. */
static void take_output(struct running *run, int which)
{
	struct buf *kept = which == OUT ? &run->r->out : &run->r->err;
	char block[8192];
	ssize_t n = read(run->p.fd[which][0], block, sizeof block);
	size_t room;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		pipes_close(&run->p, which, 0);
		return;
	}
	room = EXEC_KEPT - kept->len;
	buf_add(kept, block, (size_t)n < room ? (size_t)n : room);
	if (which == OUT)
		take_lines(run, block, (size_t)n);
}

static void take_status(struct running *run)
{
	int status;

	if (read(run->p.fd[STATUS][0], &status, sizeof status) == sizeof status)
		run->r->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	else
		run->r->status = 128 + SIGKILL; /* the guard itself was killed */
	pipes_close(&run->p, STATUS, 0);
	run->exited = true;
}

static void give_input(struct running *run)
{
	const char *data = run->x->input;
	ssize_t n = write(run->p.fd[IN][1], data + run->sent, run->x->input_len - run->sent);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		run->sent += (size_t)n;
	if (n < 0 || run->sent == run->x->input_len)
		pipes_close(&run->p, IN, 1); /* all given, or the program reads no more */
}

/* Serve the pipes until the program has ended and its output too. false at the deadline. */
static bool exec_serve(struct running *run, int64_t began)
{
	int64_t until = run->x->timeout_s > 0 ? began + (int64_t)run->x->timeout_s * 1000 : INT64_MAX;
	bool draining = false;

	while (!run->exited || run->p.fd[OUT][0] >= 0 || run->p.fd[ERRS][0] >= 0) {
		struct pollfd pf[PIPES] = {
			{ .fd = run->p.fd[OUT][0], .events = POLLIN },
			{ .fd = run->p.fd[ERRS][0], .events = POLLIN },
			{ .fd = run->p.fd[STATUS][0], .events = POLLIN },
			{ .fd = run->p.fd[IN][1], .events = POLLOUT },
		};
		int64_t left = until - clock_mono();
		if (left <= 0)
			return draining;
		if (run->exited && !draining) {
			draining = true;
			until = clock_mono() + DRAIN_MS;
			continue;
		}
		if (poll(pf, PIPES, left > 60000 ? 60000 : (int)left) <= 0)
			continue;
		for (int i = OUT; i <= ERRS; i++)
			if (pf[i].revents != 0)
				take_output(run, i);
		if (pf[STATUS].revents != 0)
			take_status(run);
		if (pf[IN].revents != 0)
			give_input(run);
	}
	return true;
}

int exec_run(const struct exec *x, struct exec_result *r, struct err *e)
{
	struct running run = { .x = x, .r = r };
	int64_t began = clock_mono();
	pid_t self = getpid();
	bool done;

	*r = (struct exec_result){ .status = -1 };
	if (pipes_open(&run.p, e) < 0)
		return ERR_IO;
	if ((run.guard = fork()) == 0)
		guard_main(x, &run.p, self);
	if (run.guard < 0) {
		err_sys(e, "%s", x->argv[0]);
		pipes_free(&run.p);
		return ERR_IO;
	}
	setpgid(run.guard, run.guard); /* whoever comes first; a kill must find the group */
	pipes_close(&run.p, OUT, 1);
	pipes_close(&run.p, ERRS, 1);
	pipes_close(&run.p, STATUS, 1);
	pipes_close(&run.p, IN, 0);
	fcntl(run.p.fd[IN][1], F_SETFL, O_NONBLOCK);
	if (x->input_len == 0)
		pipes_close(&run.p, IN, 1);
	done = exec_serve(&run, began);
	kill(-run.guard, SIGKILL);
	while (waitpid(run.guard, NULL, 0) < 0 && errno == EINTR)
		;
	pipes_free(&run.p);
	if (run.line.len > 0)
		line_flush(&run);
	buf_free(&run.line);
	r->ms = clock_mono() - began;
	return done ? 0 : err_set(e, ERR_TIMEOUT, _("not finished after %d s, killed"), x->timeout_s);
}

void exec_result_clear(struct exec_result *r)
{
	buf_free(&r->out);
	buf_free(&r->err);
}

/* The next word of a drill's command into b, quotes removed. Returns its length in the text, 0 at the
 * end, -1 at a character with a meaning for the shell. */
static int word_next(const char *s, struct buf *b)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                            "_-./:=,@%+";
	const char *p = s, *end;
	size_t n;

	buf_clear(b);
	for (; *p != '\0' && *p != ' ' && *p != ';'; p += n) {
		if (*p == '\'') {
			if ((end = strchr(p + 1, '\'')) == NULL)
				return -1;
			buf_add(b, p + 1, (size_t)(end - p - 1));
			n = (size_t)(end - p) + 1;
		} else {
			if ((n = strspn(p, plain)) == 0)
				return -1;
			buf_add(b, p, n);
		}
	}
	return (int)(p - s);
}

int exec_confined(const char *command, struct err *e)
{
	struct buf word = { 0 };
	const char *p = command;
	bool first = true; /* the next word names a program */
	int rc = 0, n;

	if (confine_root() == NULL)
		return 0;
	while (rc == 0 && *p != '\0') {
		if (*p == ' ') {
			p++;
		} else if (*p == ';' || strncmp(p, "&&", 2) == 0 || strncmp(p, "||", 2) == 0) {
			p += *p == ';' ? 1 : 2;
			first = true;
		} else if (first && strncmp(p, "! ", 2) == 0) {
			p += 2;
		} else if ((n = word_next(p, &word)) <= 0) {
			rc = err_set(e, ERR_CONFINED,
			    _("a drill starts only plain commands from its own folder: %s"), command);
		} else {
			if (first)
				rc = confine_program(buf_str(&word), e);
			first = false;
			p += n;
		}
	}
	buf_free(&word);
	return rc;
}
