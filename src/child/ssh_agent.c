#include "child/ssh_agent.h"

#include <errno.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"

/* draft-ietf-sshm-ssh-agent 3 and 5.1 */
#define REQUEST_IDENTITIES 11
#define IDENTITIES_ANSWER 12
#define MESSAGE_MAX (256u * 1024)

struct blob {
	unsigned char *data;
	size_t len;
};

struct agent {
	int theirs, mine, real; /* libssh's end, ours, the agent's */
	struct blob *blob; size_t count;
	int64_t until;
	pthread_t thread;
	bool runs;
	size_t shown;
};

static uint32_t get_u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_u32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (24 - 8 * i));
}

/* Exactly len octets, in or out, before the deadline. */
static bool agent_move(const struct agent *a, int fd, unsigned char *data, size_t len, bool out)
{
	struct pollfd p = { .fd = fd, .events = out ? POLLOUT : POLLIN };
	ssize_t n;

	while (len > 0) {
		int64_t left = a->until - clock_mono();
		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return false;
		n = out ? send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) : recv(fd, data, len, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* One message with its length, owned by the caller; NULL at the end. */
static unsigned char *agent_receive(const struct agent *a, int fd, size_t *len)
{
	unsigned char head[4], *msg;

	if (!agent_move(a, fd, head, 4, false) || (*len = get_u32(head)) == 0 || *len > MESSAGE_MAX)
		return NULL;
	msg = mem_alloc(*len + 4);
	memcpy(msg, head, 4);
	*len += 4;
	if (agent_move(a, fd, msg + 4, *len - 4, false))
		return msg;
	free(msg);
	return NULL;
}

static bool agent_wants(const struct agent *a, const unsigned char *blob, size_t len)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->blob[i].len == len && memcmp(a->blob[i].data, blob, len) == 0)
			return true;
	return a->count == 0;
}

/* Keep of an IDENTITIES_ANSWER what is wanted, in place. */
static size_t agent_filter(struct agent *a, unsigned char *msg, size_t len)
{
	size_t at = 9, to = 9, blob, comment, entry;
	uint32_t n, kept = 0;

	if (len < 9 || msg[4] != IDENTITIES_ANSWER)
		return len;
	for (n = get_u32(msg + 5); n > 0; n--, at += entry) {
		if (len - at < 4 || (blob = get_u32(msg + at)) > len - at - 4 || len - at - 4 - blob < 4 ||
		    (comment = get_u32(msg + at + 4 + blob)) > len - at - 8 - blob)
			break;
		entry = 8 + blob + comment;
		if (agent_wants(a, msg + at + 4, blob)) {
			memmove(msg + to, msg + at, entry);
			to += entry;
			kept++;
		}
	}
	put_u32(msg, (uint32_t)to - 4);
	put_u32(msg + 5, kept);
	a->shown = kept;
	return to;
}

static void *agent_serve(void *ctx)
{
	struct agent *a = ctx;
	unsigned char *msg;
	size_t len;

	while ((msg = agent_receive(a, a->mine, &len)) != NULL) {
		bool list = len > 4 && msg[4] == REQUEST_IDENTITIES, ok = agent_move(a, a->real, msg, len, true);
		free(msg);
		if (!ok || (msg = agent_receive(a, a->real, &len)) == NULL)
			break;
		if (list)
			len = agent_filter(a, msg, len);
		ok = agent_move(a, a->mine, msg, len, true);
		free(msg);
		if (!ok)
			break;
	}
	shutdown(a->mine, SHUT_RDWR); /* whoever waits there hears of it */
	return NULL;
}

static int agent_connect(const char *path, struct err *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof sun.sun_path)
		return err_set(e, ERR_USAGE, _("the agent's path is too long: %s"), path);
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof sun) < 0) {
		err_sys(e, _("the agent %s"), path);
		if (fd >= 0)
			close(fd);
		return e->code;
	}
	return fd;
}

static void agent_add(struct agent *a, const char *base64)
{
	size_t n = strlen(base64);
	struct blob b = { mem_alloc(n + 4), 0 };
	int got = EVP_DecodeBlock(b.data, (const unsigned char *)base64, (int)n);

	for (size_t pad = n; got > 0 && pad > 0 && base64[pad - 1] == '='; pad--)
		got--;
	b.len = got > 0 ? (size_t)got : 0;
	a->blob = mem_grow(a->blob, a->count + 1, sizeof *a->blob);
	a->blob[a->count++] = b;
}

struct agent *agent_open(const char *path, char *const *blobs, size_t count, int64_t until, struct err *e)
{
	struct agent *a = mem_zalloc(1, sizeof *a);
	int pair[2];

	a->theirs = a->mine = -1;
	a->until = until;
	if ((a->real = agent_connect(path, e)) < 0) {
		agent_free(a);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		agent_add(a, blobs[i]);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		err_sys(e, _("a connection to the agent"));
		agent_free(a);
		return NULL;
	}
	a->theirs = pair[0];
	a->mine = pair[1];
	if ((errno = pthread_create(&a->thread, NULL, agent_serve, a)) != 0) {
		err_sys(e, _("a thread for the agent"));
		agent_free(a);
		return NULL;
	}
	a->runs = true;
	return a;
}

int agent_take(struct agent *a)
{
	int fd = a->theirs;

	a->theirs = -1;
	return fd;
}

size_t agent_shown(const struct agent *a)
{
	return a->shown;
}

void agent_free(struct agent *a)
{
	if (a == NULL)
		return;
	if (a->runs) {
		shutdown(a->mine, SHUT_RDWR);
		shutdown(a->real, SHUT_RDWR);
		pthread_join(a->thread, NULL);
	}
	for (int i = 0; i < 3; i++) {
		int fd = i == 0 ? a->theirs : i == 1 ? a->mine : a->real;
		if (fd >= 0)
			close(fd);
	}
	for (size_t i = 0; i < a->count; i++)
		free(a->blob[i].data);
	free(a->blob);
	free(a);
}
