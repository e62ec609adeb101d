#include "app/drill_make.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/i18n.h"

extern char **environ;

struct making {
	struct run *run;
	struct loop *loop;
	char *folder;
	pid_t pid;
	int fd;             /* what it says */
	struct buf said;
	void (*done)(struct run *r, const char *folder, struct err *e);
};

static void making_free(void *arg)
{
	struct making *m = arg;

	if (m->fd >= 0) {
		loop_fd_drop(m->loop, m->fd);
		close(m->fd);
	}
	if (m->pid > 0) {
		kill(m->pid, SIGTERM);
		waitpid(m->pid, NULL, 0);
	}
	buf_free(&m->said);
	free(m->folder);
	free(m);
}

/* "sev1: what happened" is the line that counts; progress came before it. */
static const char *making_words(struct making *m)
{
	char *at = m->said.len > 0 ? memmem(m->said.data, m->said.len, "sev1: ", 6) : NULL;

	if (at == NULL)
		return _("it gave no reason");
	at[strcspn(at, "\n")] = '\0';
	return at + 6;
}

static void making_readable(void *ctx, short revents)
{
	struct making *m = ctx;
	char block[1024];
	struct err e = { 0 };
	int status = 0;
	ssize_t n = read(m->fd, block, sizeof block);

	(void)revents;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		if (m->said.len < 65536)
			buf_add(&m->said, block, (size_t)n);
		return;
	}
	loop_fd_drop(m->loop, m->fd);
	close(m->fd);
	m->fd = -1;
	waitpid(m->pid, &status, 0);
	m->pid = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_DONE)
		err_set(&e, WIFEXITED(status) && WEXITSTATUS(status) == EXIT_REFUSED ? ERR_REFUSED : ERR_FAILED,
		    "%s", making_words(m));
	m->done(m->run, m->folder, &e);
}

static int making_spawn(struct making *m, const char *name, int out, struct err *e)
{
	char *const argv[] = { (char *)"sev1", (char *)"drill", (char *)name, (char *)"--folder", m->folder,
		(char *)"--no-console", NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	int rc;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
	rc = posix_spawn(&m->pid, "/proc/self/exe", &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	errno = rc;
	if (rc == 0)
		return 0;
	m->pid = 0;
	return err_sys(e, "sev1 drill");
}

int drill_make(struct run *r, const char *name, const char *folder,
    void (*done)(struct run *r, const char *folder, struct err *e), struct err *e)
{
	struct making *m = mem_zalloc(1, sizeof *m);
	int out[2], rc;

	m->run = r;
	m->loop = engine_loop(run_engine(r));
	m->folder = mem_strdup(folder);
	m->done = done;
	m->fd = -1;
	if (pipe2(out, O_CLOEXEC) < 0) {
		making_free(m);
		return err_sys(e, "a pipe");
	}
	m->fd = out[0];
	rc = making_spawn(m, name, out[1], e);
	close(out[1]);
	if (rc < 0) {
		making_free(m);
		return rc;
	}
	loop_fd(m->loop, m->fd, POLLIN, making_readable, m);
	run_set_data(r, m, making_free);
	return 0;
}
