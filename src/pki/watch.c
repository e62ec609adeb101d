#include "pki/watch.h"

#include <stddef.h>

void watch_stage(const struct watch *w, const char *stage)
{
	if (w != NULL && w->stage != NULL)
		w->stage(w->ctx, stage);
}

void watch_step(const struct watch *w, const char *step)
{
	if (w != NULL && w->step != NULL)
		w->step(w->ctx, step);
}

void watch_progress(const struct watch *w, int64_t done, int64_t total, const char *text)
{
	if (w != NULL && w->progress != NULL)
		w->progress(w->ctx, done, total, text);
}
