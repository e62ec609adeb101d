/* The host process: listens for every place of the map, forks for each connection, and keeps what
 * listens in step with the state files that the sandbox's tools write. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "drill/fence.h"
#include "drill/host.h"
#include "drill/room.h"

#define CONNECTIONS 256              /* served at a time; more are turned away */
#define LOOK_MS 2000                 /* is the folder still there, is a console watching */
#define LINGER_MS (15 * 60 * 1000)   /* without a console and without a connection */

enum kind { LISTEN_SSH, LISTEN_TLS, LISTEN_HTTP, LISTEN_SERVICE };

struct listener {
	enum kind kind;
	const struct place *place;
	int port, fd;   /* fd -1: closed, by a stopped unit or a firewall rule */
	int service;
	SSL_CTX *tls;
	struct timespec loaded; /* the reload mark that tls belongs to */
};

struct room {
	struct map *map;
	struct listener *listener; size_t listeners;
	int lock, signals, connections;
	int64_t used;     /* clock_mono() of the last sign that someone needs us */
	unsigned long passes;
	bool stop;
};

static int listener_open(struct listener *l, struct err *e)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)l->port) };
	int one = 1;

	if (l->fd >= 0)
		return 0;
	inet_pton(AF_INET, l->place->address, &in.sin_addr);
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd >= 0 && setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
	    bind(l->fd, (struct sockaddr *)&in, sizeof in) == 0 && listen(l->fd, 128) == 0)
		return 0;
	err_sys(e, _("%s: listen on %s port %d"), l->place->name, l->place->address, l->port);
	err_remedy(e, _("another program took the port: sev1 drill --clean, then start anew"));
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	return ERR_IO;
}

static void listener_close(struct listener *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

static void room_add(struct room *r, enum kind kind, const struct place *p, int port, int service)
{
	r->listener = mem_grow(r->listener, r->listeners + 1, sizeof *r->listener);
	r->listener[r->listeners++] = (struct listener){ .kind = kind, .place = p, .port = port,
		.fd = -1, .service = service };
}

static void room_plan(struct room *r)
{
	const struct map *m = r->map;

	for (size_t i = 0; i < m->places; i++) {
		const struct place *p = &m->place[i];

		if (p->fault == FAULT_UNREACHABLE)
			continue;
		room_add(r, LISTEN_SSH, p, m->ssh, 0);
		if (p->role == ROLE_FLEET)
			room_add(r, LISTEN_TLS, p, m->tls, 0);
		if (p->role == ROLE_POINT)
			room_add(r, LISTEN_HTTP, p, m->http, 0);
		if (p->role == ROLE_CA) {
			room_add(r, LISTEN_SERVICE, p, m->pki, 0);
			room_add(r, LISTEN_SERVICE, p, m->ocsp, 1);
		}
	}
}

/* Is there a rule of the place's firewall, as its iptables keeps it, against this port? */
static bool room_blocked(const struct room *r, const struct listener *l)
{
	char *path = map_path(r->map, "hosts/%s/run/rules.v4", l->place->name);
	char *rule = mem_printf("tcp %d DROP ", l->port);
	struct buf b = { 0 };
	bool blocked = fs_exists(path) && fs_read(path, &b, 1 << 20, NULL) == 0 &&
	    strstr(buf_str(&b), rule) != NULL;

	buf_free(&b);
	free(rule);
	free(path);
	return blocked;
}

static bool room_wanted(const struct room *r, const struct listener *l)
{
	char *path;
	struct buf b = { 0 };
	bool up;

	if (l->kind != LISTEN_SERVICE)
		return true;
	path = map_path(r->map, "hosts/%s/run/%s.want", l->place->name, room_services[l->service].unit);
	up = fs_read(path, &b, 64, NULL) == 0 && strcmp(buf_str(&b), "up\n") == 0;
	buf_free(&b);
	free(path);
	return up;
}

/* A small file that a tool waits for: replaced in one step, of no worth after a power cut. */
static void room_note(const struct room *r, const char *what, const char *text)
{
	char *path = map_path(r->map, "%s", what), *tmp = mem_printf("%s.new", path);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd >= 0) {
		if (fs_put(fd, text, strlen(text)) == 0)
			rename(tmp, path);
		close(fd);
	}
	free(tmp);
	free(path);
}

/* Open and close what the state files say. Tools count the passes to know that theirs was read. */
static int room_pass(struct room *r, struct err *e)
{
	char text[32];
	int rc = 0;

	for (size_t i = 0; i < r->listeners; i++) {
		struct listener *l = &r->listener[i];
		bool up = room_wanted(r, l);

		if (!up || room_blocked(r, l))
			listener_close(l);
		else if (listener_open(l, e) < 0)
			rc = ERR_IO;
		if (l->kind == LISTEN_SERVICE) {
			char *is = mem_printf("hosts/%s/run/%s.is", l->place->name,
			    room_services[l->service].unit);

			room_note(r, is, !up ? "inactive\n" : rc < 0 ? "failed\n" : "active\n");
			free(is);
		}
	}
	snprintf(text, sizeof text, "%lu\n", ++r->passes);
	room_note(r, "run/passes", text);
	return rc;
}

/* A web server reads its certificate when it starts and when it is told to reload. */
static SSL_CTX *room_context(struct room *r, struct listener *l)
{
	char *mark = map_path(r->map, "hosts/%s/run/reload", l->place->name);
	struct stat st = { 0 };
	SSL_CTX *fresh;

	if (stat(mark, &st) < 0)
		memset(&st, 0, sizeof st);
	if (l->tls == NULL || st.st_mtim.tv_sec != l->loaded.tv_sec ||
	    st.st_mtim.tv_nsec != l->loaded.tv_nsec) {
		if ((fresh = room_tls_context(r->map, l->place, NULL)) != NULL) {
			SSL_CTX_free(l->tls);
			l->tls = fresh;
		}
		l->loaded = st.st_mtim;
	}
	free(mark);
	return l->tls;
}

static void room_serve(struct room *r, struct listener *l, int fd)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGHUP, SIG_IGN); /* meant for the process that listens */
	close(r->lock);
	close(r->signals);
	for (size_t i = 0; i < r->listeners; i++)
		listener_close(&r->listener[i]);
	switch (l->kind) {
	case LISTEN_SSH:
		room_ssh(r->map, l->place, fd);
		break;
	case LISTEN_TLS:
		room_tls(l->tls, l->place, fd);
		break;
	case LISTEN_HTTP:
		room_http(r->map, l->place, fd);
		break;
	case LISTEN_SERVICE:
		room_service(l->service, fd);
		break;
	}
	_exit(0);
}

static void room_accept(struct room *r, struct listener *l)
{
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC), one = 1;
	pid_t pid;

	if (fd < 0)
		return;
	/* SSH sends many small packets: without this each waits for the last one's acknowledgement */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	r->used = clock_mono();
	if (r->connections < CONNECTIONS && (l->kind != LISTEN_TLS || room_context(r, l) != NULL)) {
		if ((pid = fork()) == 0)
			room_serve(r, l, fd);
		if (pid > 0)
			r->connections++;
	}
	close(fd);
}

static void room_signal(struct room *r)
{
	struct signalfd_siginfo si;

	while (read(r->signals, &si, sizeof si) == sizeof si) {
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			r->stop = true;
		if (si.ssi_signo == SIGHUP)
			(void)room_pass(r, NULL); /* the unit's .is file says what failed */
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		r->connections--;
}

static void room_look(struct room *r)
{
	char *map = map_path(r->map, "drill.json"), *console = map_path(r->map, "run/console");
	int fd;

	if (!fs_exists(map))
		r->stop = true;
	else if ((fd = fs_lock(console, 0, NULL)) >= 0)
		close(fd);
	else
		r->used = clock_mono();
	if (clock_mono() - r->used > LINGER_MS)
		r->stop = true;
	free(console);
	free(map);
}

static void room_run(struct room *r)
{
	struct pollfd *p = mem_zalloc(r->listeners + 1, sizeof *p);
	int64_t look = clock_mono() + LOOK_MS;

	r->used = clock_mono();
	while (!r->stop) {
		int64_t left = look - clock_mono();

		for (size_t i = 0; i < r->listeners; i++)
			p[i] = (struct pollfd){ .fd = r->listener[i].fd, .events = POLLIN };
		p[r->listeners] = (struct pollfd){ .fd = r->signals, .events = POLLIN };
		if (poll(p, r->listeners + 1, left > 0 ? (int)left : 0) < 0 && errno != EINTR)
			break;
		for (size_t i = 0; i < r->listeners; i++)
			if (p[i].revents != 0)
				room_accept(r, &r->listener[i]);
		if (p[r->listeners].revents != 0)
			room_signal(r);
		if (clock_mono() >= look) {
			room_look(r);
			look = clock_mono() + LOOK_MS;
		}
	}
	free(p);
}

static int room_signals(struct room *r, struct err *e)
{
	static const int wanted[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		sigaddset(&set, wanted[i]);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0 ||
	    (r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return err_sys(e, _("signals"));
	return 0;
}

static int room_open(struct room *r, const char *folder, struct err *e)
{
	char *lock = NULL, pid[32];
	int rc = 0;

	if ((r->map = map_load(folder, e)) == NULL || fence_raise(folder, NULL, e) < 0)
		return e->code;
	lock = map_path(r->map, "run/host");
	if ((r->lock = fs_lock(lock, 0, e)) < 0) {
		rc = r->lock;
	} else if ((rc = room_signals(r, e)) == 0) {
		snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
		room_note(r, "run/host.pid", pid);
		room_plan(r);
		rc = room_pass(r, e);
	}
	for (size_t i = 0; rc == 0 && i < r->listeners; i++)
		if (r->listener[i].kind == LISTEN_TLS && room_context(r, &r->listener[i]) == NULL)
			rc = err_set(e, ERR_FAILED, _("%s: its certificate and key cannot be used"),
			    r->listener[i].place->name);
	free(lock);
	return rc;
}

int drill_host_main(const char *folder)
{
	struct room r = { .lock = -1, .signals = -1 };
	struct err e = { 0 };
	int rc = room_open(&r, folder, &e), null;

	if (rc < 0) {
		dprintf(STDOUT_FILENO, "%s\n", e.text);
	} else {
		/* From here on there is nobody to talk to; the console has gone on. */
		if (dprintf(STDOUT_FILENO, "ready\n") > 0 && (null = open("/dev/null", O_RDWR)) >= 0) {
			dup2(null, STDOUT_FILENO);
			close(null);
		}
		room_run(&r);
	}
	for (size_t i = 0; i < r.listeners; i++) {
		listener_close(&r.listener[i]);
		SSL_CTX_free(r.listener[i].tls);
	}
	free(r.listener);
	map_free(r.map);
	if (r.signals >= 0)
		close(r.signals);
	if (r.lock >= 0)
		close(r.lock);
	return rc < 0 ? EXIT_FAILED : EXIT_DONE;
}
