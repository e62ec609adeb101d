#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

struct watch {
	int fd; /* -1: dropped while events were being served */
	short events;
	loop_fd_fn fn;
	void *ctx;
};

struct timer {
	uint64_t id;
	int64_t at; /* clock_mono */
	loop_timer_fn fn;
	void *ctx;
};

struct handler {
	loop_signal_fn fn;
	void *ctx;
};

struct loop {
	struct watch *watch;
	size_t watches;
	struct timer *timer;
	size_t timers;
	uint64_t last_id;
	struct handler handler[NSIG];
	sigset_t signals;
	int signal_fd;
	bool stopped;
};

struct loop *loop_new(void)
{
	struct loop *l = mem_zalloc(1, sizeof *l);

	sigemptyset(&l->signals);
	l->signal_fd = -1;
	return l;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	if (l->signal_fd >= 0)
		close(l->signal_fd);
	sigprocmask(SIG_UNBLOCK, &l->signals, NULL);
	free(l->watch);
	free(l->timer);
	free(l);
}

static struct watch *loop_watch(struct loop *l, int fd)
{
	for (size_t i = 0; i < l->watches; i++)
		if (l->watch[i].fd == fd)
			return &l->watch[i];
	return NULL;
}

void loop_fd(struct loop *l, int fd, short events, loop_fd_fn fn, void *ctx)
{
	struct watch *w = loop_watch(l, fd);

	if (w == NULL) {
		l->watch = mem_grow(l->watch, l->watches + 1, sizeof *l->watch);
		w = &l->watch[l->watches++];
	}
	*w = (struct watch){ .fd = fd, .events = events, .fn = fn, .ctx = ctx };
}

void loop_fd_drop(struct loop *l, int fd)
{
	struct watch *w = fd >= 0 ? loop_watch(l, fd) : NULL;

	if (w != NULL)
		w->fd = -1;
}

uint64_t loop_after(struct loop *l, int64_t after_ms, loop_timer_fn fn, void *ctx)
{
	l->timer = mem_grow(l->timer, l->timers + 1, sizeof *l->timer);
	l->timer[l->timers++] = (struct timer){
		.id = ++l->last_id, .at = clock_mono() + after_ms, .fn = fn, .ctx = ctx };
	return l->last_id;
}

void loop_cancel(struct loop *l, uint64_t id)
{
	for (size_t i = 0; i < l->timers; i++) {
		if (l->timer[i].id == id) {
			l->timer[i] = l->timer[--l->timers];
			return;
		}
	}
}

static void loop_read_signals(void *ctx, short revents)
{
	struct loop *l = ctx;
	struct signalfd_siginfo info;

	(void)revents;
	while (read(l->signal_fd, &info, sizeof info) == sizeof info)
		if (info.ssi_signo < NSIG && l->handler[info.ssi_signo].fn != NULL)
			l->handler[info.ssi_signo].fn(
			    l->handler[info.ssi_signo].ctx, (int)info.ssi_signo);
}

void loop_signal(struct loop *l, int signo, loop_signal_fn fn, void *ctx)
{
	l->handler[signo] = (struct handler){ fn, ctx };
	sigaddset(&l->signals, signo);
	sigprocmask(SIG_BLOCK, &l->signals, NULL);
	l->signal_fd = signalfd(l->signal_fd, &l->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	loop_fd(l, l->signal_fd, POLLIN, loop_read_signals, l);
}

/* Milliseconds to the next timer, -1 for none. */
static int loop_timeout(const struct loop *l)
{
	int64_t now = clock_mono(), best = -1;

	for (size_t i = 0; i < l->timers; i++) {
		int64_t left = l->timer[i].at > now ? l->timer[i].at - now : 0;
		if (best < 0 || left < best)
			best = left;
	}
	return best > INT_MAX ? INT_MAX : (int)best;
}

/* Fire the timers that were due when we began, earliest first; a callback may add and cancel. */
static void loop_fire(struct loop *l)
{
	int64_t now = clock_mono();

	for (;;) {
		struct timer due = { .at = INT64_MAX };
		for (size_t i = 0; i < l->timers; i++)
			if (l->timer[i].at <= now && l->timer[i].at < due.at)
				due = l->timer[i];
		if (due.at == INT64_MAX)
			return;
		loop_cancel(l, due.id);
		due.fn(due.ctx);
	}
}

static void loop_sweep(struct loop *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->watches; i++)
		if (l->watch[i].fd >= 0)
			l->watch[kept++] = l->watch[i];
	l->watches = kept;
}

bool loop_step(struct loop *l)
{
	struct pollfd *p;
	size_t n;
	int ready;

	loop_sweep(l);
	n = l->watches;
	p = mem_zalloc(n + 1, sizeof *p);
	for (size_t i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = l->watch[i].fd, .events = l->watch[i].events };
	ready = poll(p, (nfds_t)n, loop_timeout(l));
	for (size_t i = 0; ready > 0 && i < n && !l->stopped; i++)
		if (p[i].revents != 0 && l->watch[i].fd == p[i].fd)
			l->watch[i].fn(l->watch[i].ctx, p[i].revents);
	free(p);
	if (!l->stopped)
		loop_fire(l);
	return !l->stopped;
}

void loop_run(struct loop *l)
{
	while (loop_step(l))
		;
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
}
