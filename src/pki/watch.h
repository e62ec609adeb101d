/* Who hears how far a long piece of work is. */
#ifndef SEV1_WATCH_H
#define SEV1_WATCH_H

#include <stdint.h>

/* Any may be NULL. step is finer than stage, for tests that stop there. They are never
 * called by two threads at once. */
struct watch {
	void (*stage)(void *ctx, const char *stage);
	void (*step)(void *ctx, const char *step);
	void (*progress)(void *ctx, int64_t done, int64_t total, const char *text);
	void *ctx;
};
void watch_stage(const struct watch *w, const char *stage);
void watch_step(const struct watch *w, const char *step);
void watch_progress(const struct watch *w, int64_t done, int64_t total, const char *text);

#endif
