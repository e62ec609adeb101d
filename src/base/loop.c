#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

/* How many events are served before whoever runs the loop gets to draw. */
#define SERVED 32

struct watch {
	loop_fd_fn fn; /* NULL: not watched */
	void *ctx;
	uint64_t since; /* which watch of its fd it is: events of an earlier one are dropped */
	short events;
	bool always;    /* a file, of which epoll knows nothing: always ready */
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
	int epoll;
	struct watch *watch; /* by fd */
	size_t watches;
	uint64_t last_watch;
	size_t always;
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
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	return l;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	if (l->signal_fd >= 0)
		close(l->signal_fd);
	close(l->epoll);
	sigprocmask(SIG_UNBLOCK, &l->signals, NULL);
	free(l->watch);
	free(l->timer);
	free(l);
}

static uint32_t loop_events(short events)
{
	return (events & POLLIN ? EPOLLIN : 0u) | (events & POLLOUT ? EPOLLOUT : 0u);
}

static short loop_revents(uint32_t events)
{
	return (short)((events & EPOLLIN ? POLLIN : 0) | (events & EPOLLOUT ? POLLOUT : 0) | (events & EPOLLERR ? POLLERR : 0) |
	    (events & EPOLLHUP ? POLLHUP : 0));
}

void loop_fd(struct loop *l, int fd, short events, loop_fd_fn fn, void *ctx)
{
	struct epoll_event ev = { .events = loop_events(events), .data.fd = fd };
	struct watch *w;
	size_t n = (size_t)fd;

	if (n >= l->watches) {
		l->watch = mem_grow(l->watch, n + 1, sizeof *l->watch);
		while (l->watches <= n)
			l->watch[l->watches++] = (struct watch){ .fn = NULL };
	}
	w = &l->watch[n];
	if (w->fn == NULL) {
		w->since = ++l->last_watch;
		w->always = epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 && errno == EPERM;
		l->always += w->always;
	} else if (!w->always && w->events != events) {
		epoll_ctl(l->epoll, EPOLL_CTL_MOD, fd, &ev);
	}
	w->fn = fn;
	w->ctx = ctx;
	w->events = events;
}

void loop_fd_drop(struct loop *l, int fd)
{
	struct watch *w = fd >= 0 && (size_t)fd < l->watches ? &l->watch[fd] : NULL;

	if (w == NULL || w->fn == NULL)
		return;
	if (w->always)
		l->always--;
	else
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
	*w = (struct watch){ .fn = NULL };
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

static void loop_serve(struct loop *l, int fd, uint64_t since, short revents)
{
	const struct watch *w = &l->watch[fd];

	if (!l->stopped && w->fn != NULL && w->since == since)
		w->fn(w->ctx, revents);
}

/* Files are always ready, for whatever they are asked. */
static void loop_serve_files(struct loop *l)
{
	for (size_t fd = 0; l->always > 0 && fd < l->watches; fd++)
		if (l->watch[fd].always)
			loop_serve(l, (int)fd, l->watch[fd].since, POLLIN | POLLOUT);
}

bool loop_step(struct loop *l)
{
	struct epoll_event ready[SERVED];
	uint64_t since[SERVED];
	int n = epoll_wait(l->epoll, ready, SERVED, l->always > 0 ? 0 : loop_timeout(l));

	for (int i = 0; i < n; i++)
		since[i] = l->watch[ready[i].data.fd].since;
	for (int i = 0; i < n; i++)
		loop_serve(l, ready[i].data.fd, since[i], loop_revents(ready[i].events));
	loop_serve_files(l);
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
