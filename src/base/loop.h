/* One poll loop for everything that waits: terminal, timers, signals, the children's sockets. */
#ifndef SEV1_LOOP_H
#define SEV1_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

typedef void (*loop_fd_fn)(void *ctx, short revents);
typedef void (*loop_timer_fn)(void *ctx);
typedef void (*loop_signal_fn)(void *ctx, int signo);

struct loop *loop_new(void);
void loop_free(struct loop *l);

/* Call fn with poll's revents when fd is ready for events (POLLIN, POLLOUT). Setting an fd again
 * replaces its entry. The loop does not own fd; drop it before closing. */
void loop_fd(struct loop *l, int fd, short events, loop_fd_fn fn, void *ctx);
void loop_fd_drop(struct loop *l, int fd);

/* Call fn once, after_ms from now. Returns an id for loop_cancel; ids are never 0 nor reused. */
uint64_t loop_after(struct loop *l, int64_t after_ms, loop_timer_fn fn, void *ctx);
void loop_cancel(struct loop *l, uint64_t id); /* an id that has fired or 0 is ignored */

/* Deliver signo through the loop: it is blocked and read from a signalfd. */
void loop_signal(struct loop *l, int signo, loop_signal_fn fn, void *ctx);

/* Wait for the next events and serve them. Returns false once loop_stop was called. */
bool loop_step(struct loop *l);
void loop_run(struct loop *l); /* until loop_stop */
void loop_stop(struct loop *l);

#endif
