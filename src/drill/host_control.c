/* The console's side of the host process: start, find, stop. */
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
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "drill/host.h"

#define START_MS 10000
#define STOP_MS 5000

extern char **environ;

bool host_runs(const char *folder)
{
	char *run = fs_join(folder, "run"), *lock = fs_join(folder, "run/host");
	struct err e = { 0 };
	int fd = fs_exists(run) ? fs_lock(lock, 0, &e) : -1;

	if (fd >= 0)
		close(fd);
	free(lock);
	free(run);
	return e.code == ERR_TIMEOUT;
}

/* The first line that it says, or its absence. */
static int host_ready(int fd, struct err *e)
{
	int64_t until = clock_mono() + START_MS;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct buf said = { 0 };
	char block[512];
	ssize_t n = 1;
	int rc;

	while (n > 0 && (said.len == 0 || memchr(said.data, '\n', said.len) == NULL)) {
		int64_t left = until - clock_mono();

		if (left <= 0 || poll(&p, 1, (int)left) < 0) {
			buf_free(&said);
			return err_set(e, ERR_TIMEOUT, _("the drill's hosts did not start within %d s"),
			    START_MS / 1000);
		}
		if (p.revents != 0 && (n = read(fd, block, sizeof block)) > 0)
			buf_add(&said, block, (size_t)n);
	}
	rc = strcmp(buf_str(&said), "ready\n") == 0 ? 0 :
	    err_set(e, ERR_FAILED, _("the drill's hosts did not start: %.*s"),
	    (int)strcspn(buf_str(&said), "\n"), buf_str(&said));
	buf_free(&said);
	return rc;
}

/* In a session of its own, so that neither the terminal nor its signals reach it. */
static int host_spawn(const char *folder, const char *program, int out, pid_t *pid, struct err *e)
{
	char *log = fs_join(folder, "run/host.log");
	char *const argv[] = { (char *)"sev1", (char *)"drill-host", (char *)folder, NULL };
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
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	rc = posix_spawn(pid, program, &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	free(log);
	errno = rc;
	return rc != 0 ? err_sys(e, _("%s drill-host"), program) : 0;
}

int host_start(const char *folder, const char *program, struct err *e)
{
	int out[2], rc;
	pid_t pid;

	if (host_runs(folder))
		return 0;
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, _("a pipe"));
	rc = host_spawn(folder, program != NULL ? program : "/proc/self/exe", out[1], &pid, e);
	close(out[1]);
	if (rc == 0 && (rc = host_ready(out[0], e)) < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(out[0]);
	return rc;
}

/* The process that holds the lock, checked against what it calls itself: a stale number must not
 * hit someone else. 0 where there is none. */
static pid_t host_pid(const char *folder)
{
	char *file = fs_join(folder, "run/host.pid"), *proc;
	struct buf b = { 0 }, line = { 0 };
	long pid = 0;

	if (fs_read(file, &b, 64, NULL) == 0)
		pid = strtol(buf_str(&b), NULL, 10);
	proc = mem_printf("/proc/%ld/cmdline", pid);
	if (pid <= 1 || fs_read(proc, &line, 1 << 16, NULL) < 0 ||
	    memmem(buf_str(&line), line.len, "drill-host", 11) == NULL ||
	    memmem(buf_str(&line), line.len, folder, strlen(folder) + 1) == NULL)
		pid = 0;
	buf_free(&line);
	buf_free(&b);
	free(proc);
	free(file);
	return (pid_t)pid;
}

int host_stop(const char *folder, struct err *e)
{
	char *lock;
	int fd = -1;
	pid_t pid;

	if (!host_runs(folder))
		return 0;
	lock = fs_join(folder, "run/host");
	if ((pid = host_pid(folder)) > 0) {
		kill(pid, SIGTERM);
		if ((fd = fs_lock(lock, STOP_MS, e)) < 0) {
			kill(pid, SIGKILL);
			fd = fs_lock(lock, STOP_MS, e);
		}
		waitpid(pid, NULL, WNOHANG); /* where it was ours */
	} else {
		err_set(e, ERR_FAILED, _("%s: something holds run/host.lock, and run/host.pid does not name it"),
		    folder);
		err_remedy(e, _("fuser %s.lock names it"), lock);
	}
	free(lock);
	if (fd < 0)
		return e != NULL && e->code != 0 ? e->code : ERR_FAILED;
	close(fd);
	return 0;
}

int host_watch(const char *folder, struct err *e)
{
	char *lock = fs_join(folder, "run/console");
	int fd = fs_lock(lock, 1000, e);

	if (fd == ERR_TIMEOUT) {
		fd = err_set(e, ERR_REFUSED, _("another console runs the drill in %s"), folder);
		err_remedy(e, _("go on there, or give this one another folder with --folder"));
	}
	free(lock);
	return fd;
}
