/* A piece of work that may go on beside this one: in a thread of its own where it is long, at once where it
 * is short. The result is the same; what runs apart must not touch what its starter writes meanwhile. */
#ifndef SEV1_BESIDE_H
#define SEV1_BESIDE_H

#include <pthread.h>
#include <stdbool.h>

struct beside {
	pthread_t thread;
	void (*work)(void *arg);
	void *arg;
	bool apart;
};

/* Begin work(arg): in a thread where apart is asked for and one can be had, else it is done on return. */
void beside_start(struct beside *b, bool apart, void (*work)(void *arg), void *arg);
/* Wait until it is done. */
void beside_end(struct beside *b);

#endif
