/* A fleet of SSH and TLS servers in one folder, each as well or as badly behaved as its word says. */
#ifndef SEV1_TEST_HOSTILE_H
#define SEV1_TEST_HOSTILE_H

#include <stddef.h>
#include <sys/types.h>

/* Host i answers at 127.3.(i / 250).(i % 250 + 1), has the folder hosts/NAME, and behaves as word says; NULL
 * or "good": as it should. The working folder holds hostkey, otherkey, ecdsakey, weak.key and ca.key. */
struct hostile_host {
	char name[64];
	const char *word;
};

struct hostile {
	const struct hostile_host *host;
	size_t hosts;
	int ssh_port, tls_port;
	pid_t ssh, tls;
};

void hostile_address(size_t i, char out[32]);
/* Start both servers; they end with hostile_stop or with this process. */
void hostile_start(struct hostile *h);
void hostile_stop(struct hostile *h);

#endif
