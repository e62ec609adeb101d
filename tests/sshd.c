#include "sshd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/loop.h"
#include "child/child.h"
#include "patience.h"

static char folder[64];

void sh(const char *fmt, ...)
{
	char *command = NULL;
	va_list ap;
	int rc;

	va_start(ap, fmt);
	if (vasprintf(&command, fmt, ap) < 0)
		abort();
	va_end(ap);
	rc = system(command);
	if (rc != 0)
		fprintf(stderr, "failed (%d): %s\n", rc, command);
	free(command);
	assert_int_equal(rc, 0);
}

char *slurp(const char *path)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	if (fs_read(path, &b, 1 << 24, &e) < 0)
		fail_msg("%s", e.text);
	return buf_take(&b);
}

void scratch_enter(const char *const tools[])
{
	char command[128];

	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	for (; *tools != NULL; tools++) {
		snprintf(command, sizeof command, "command -v %s >/dev/null", *tools);
		if (system(command) != 0) {
			printf("skipped: %s is not installed\n", *tools);
			exit(77);
		}
	}
	snprintf(folder, sizeof folder, "/tmp/sev1-test-XXXXXX");
	if (mkdtemp(folder) == NULL || chdir(folder) < 0)
		abort();
}

void scratch_leave(void)
{
	if (chdir("/") == 0)
		fs_remove_tree(folder, NULL);
}

const char *scratch_path(void)
{
	return folder;
}

/* Was this port given out before? The kernel may offer again what nobody listens on yet. Remembers it. */
static bool port_given(int port)
{
	static int given[64];
	static size_t n;

	for (size_t i = 0; i < n; i++)
		if (given[i] == port)
			return true;
	if (n < sizeof given / sizeof given[0])
		given[n++] = port;
	return false;
}

int port_free(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port;

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&in, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&in, &len) == 0);
	port = ntohs(in.sin_port);
	if (port_given(port))
		port = port_free(); /* another, as this one is held */
	close(fd);
	return port;
}

void port_wait(int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int64_t until = clock_mono() + PATIENCE_MS;

	while (clock_mono() < until) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int rc = connect(fd, (struct sockaddr *)&in, sizeof in);
		close(fd);
		if (rc == 0)
			return;
		poll(NULL, 0, 5);
	}
	fail_msg("nothing listens on port %d", port);
}

pid_t spawn(const char *program, ...)
{
	char *argv[16] = { (char *)program };
	va_list ap;
	pid_t pid;

	va_start(ap, program);
	for (size_t i = 1; i < 15 && (argv[i] = va_arg(ap, char *)) != NULL; i++)
		;
	va_end(ap);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execvp(program, argv);
		_exit(127);
	}
	return pid;
}

void sshd_start(struct sshd *d, const char *extra)
{
	const struct passwd *pw = getpwuid(geteuid());
	FILE *f;
	char *log;

	if (!fs_exists("hostkey")) {
		sh("ssh-keygen -q -t ed25519 -N '' -f hostkey && ssh-keygen -q -t ed25519 -N '' -f id");
		sh("cp id.pub authorized_keys");
		if (geteuid() == 0)
			sh("mkdir -p /run/sshd");
	}
	d->port = port_free();
	f = fopen("sshd_config", "w");
	assert_non_null(f);
	/* the last words come first: sshd takes the first value of a key */
	fprintf(f, "%s\nPort %d\nListenAddress 127.0.0.1\nHostKey %s/hostkey\nAuthorizedKeysFile %s/authorized_keys\n"
	    "StrictModes no\nUsePAM no\nPermitRootLogin yes\nAllowUsers %s\nPidFile none\nLogLevel ERROR\n"
	    "MaxStartups 500\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n",
	    extra, d->port, folder, folder, pw->pw_name);
	fclose(f);
	log = mem_printf("%s/sshd.log", folder); /* its sessions open it again, from "/" */
	d->pid = spawn("/usr/sbin/sshd", "-D", "-f", "sshd_config", "-E", log, (char *)NULL);
	free(log);
	port_wait(d->port);
	sh("printf '[127.0.0.1]:%d %%s' \"$(cat hostkey.pub)\" > known_hosts", d->port);
}

void sshd_stop(struct sshd *d)
{
	if (d->pid > 0) {
		kill(d->pid, SIGTERM);
		waitpid(d->pid, NULL, 0);
	}
	d->pid = 0;
}

json_t *sshd_host(const struct sshd *d)
{
	json_t *o = json_pack("{s:s, s:s, s:i}", "name", "web01", "address", "127.0.0.1", "port", d->port);

	json_object_set_new(o, "identity", json_sprintf("%s/id", folder));
	json_object_set_new(o, "known_hosts", json_sprintf("%s/known_hosts", folder));
	return o;
}

struct asked {
	struct loop *loop;
	json_t *result, *lines;
	struct err err;
};

static void asked_line(void *ctx, struct child *c, const json_t *msg)
{
	struct asked *a = ctx;

	(void)c;
	json_array_append(a->lines, (json_t *)msg);
}

static void asked_done(void *ctx, const json_t *result, const struct err *err)
{
	struct asked *a = ctx;

	a->result = json_incref((json_t *)result);
	if (err != NULL)
		a->err = *err;
	loop_stop(a->loop);
}

json_t *ask_ssh(json_t *request, json_t **lines, struct err *e)
{
	struct asked a = { .loop = loop_new(), .lines = json_array() };

	assert_non_null(child_start(a.loop, "ssh", request, PATIENCE_S, asked_line, asked_done, &a, e));
	loop_run(a.loop);
	loop_free(a.loop);
	*e = a.err;
	if (lines != NULL)
		*lines = a.lines;
	else
		json_decref(a.lines);
	return a.result;
}
