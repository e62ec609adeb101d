#include "base/beside.h"

static void *beside_thread(void *arg)
{
	const struct beside *b = arg;

	b->work(b->arg);
	return NULL;
}

void beside_start(struct beside *b, bool apart, void (*work)(void *arg), void *arg)
{
	*b = (struct beside){ .work = work, .arg = arg };
	b->apart = apart && pthread_create(&b->thread, NULL, beside_thread, b) == 0;
	if (!b->apart)
		work(arg);
}

void beside_end(struct beside *b)
{
	if (b->apart)
		pthread_join(b->thread, NULL);
	b->apart = false;
}
