#include "child/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/confine.h"
#include "base/i18n.h"

/* getaddrinfo_a works on these in a thread of its own; they must stay until it has finished. */
struct lookup {
	struct gaicb cb;
	struct gaicb *list[1];
	struct addrinfo hints;
	char *name, service[8];
};

struct dial {
	struct lookup *lookup; /* NULL once answered */
	char *name;
	struct addrinfo *list, *at;
	struct err last;
	int fd, family;
};

static void lookup_free(struct lookup *l)
{
	free(l->name);
	free(l);
}

int dial_confined(const char *name, struct err *e)
{
	unsigned char ip[16];

	if (confine_root() == NULL || strcmp(name, "localhost") == 0 ||
	    inet_pton(AF_INET, name, ip) == 1 || inet_pton(AF_INET6, name, ip) == 1)
		return 0;
	return err_set(e, ERR_CONFINED, _("%s: a drill looks up no names"), name);
}

int dial_confined_url(const char *url, struct err *e)
{
	const char *host = strstr(url, "://"), *at, *end;
	char *name;
	int rc;

	if (host == NULL)
		return err_set(e, ERR_USAGE, _("%s: not a URL"), url);
	host += 3;
	at = memchr(host, '@', strcspn(host, "/?#"));
	if (at != NULL)
		host = at + 1;
	if (*host == '[')
		end = host + 1 + strcspn(host + 1, "]");
	else
		end = host + strcspn(host, ":/?#");
	host += *host == '[';
	name = mem_strndup(host, (size_t)(end - host));
	rc = dial_confined(name, e);
	free(name);
	return rc;
}

struct dial *dial_start(const char *address, int port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST };
	struct dial *d = mem_zalloc(1, sizeof *d);
	struct lookup *l;
	char service[8];
	int rc;

	d->fd = -1;
	d->name = mem_strdup(address);
	snprintf(service, sizeof service, "%d", port & 0xffff);
	if (dial_confined(address, &d->last) < 0)
		return d;
	if (getaddrinfo(address, service, &hints, &d->list) == 0) { /* a number: nobody is asked */
		d->at = d->list;
		return d;
	}
	l = mem_zalloc(1, sizeof *l);
	l->name = mem_strdup(address);
	memcpy(l->service, service, sizeof service);
	l->hints = (struct addrinfo){ .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	l->cb = (struct gaicb){ .ar_name = l->name, .ar_service = l->service, .ar_request = &l->hints };
	l->list[0] = &l->cb;
	rc = getaddrinfo_a(GAI_NOWAIT, l->list, 1, NULL);
	if (rc == 0) {
		d->lookup = l;
	} else {
		err_set(&d->last, ERR_NOTFOUND, "%s: %s", address, gai_strerror(rc));
		lookup_free(l);
	}
	return d;
}

void dial_family(struct dial *d, int family)
{
	d->family = family;
}

void dial_free(struct dial *d)
{
	if (d == NULL)
		return;
	if (d->lookup != NULL) {
		int rc = gai_cancel(&d->lookup->cb);
		/* One that cannot be cancelled is still written to by its thread: it is left to it. */
		if (rc == EAI_CANCELED || rc == EAI_ALLDONE) {
			if (d->lookup->cb.ar_result != NULL)
				freeaddrinfo(d->lookup->cb.ar_result);
			lookup_free(d->lookup);
		}
	}
	if (d->list != NULL)
		freeaddrinfo(d->list);
	if (d->fd >= 0)
		close(d->fd);
	free(d->name);
	free(d);
}

/* Take the answer of the resolver. false while there is none. */
static bool dial_looked_up(struct dial *d)
{
	int rc = gai_error(&d->lookup->cb);

	if (rc == EAI_INPROGRESS)
		return false;
	if (rc == 0)
		d->list = d->at = d->lookup->cb.ar_result;
	else
		err_set(&d->last, ERR_NOTFOUND, "%s: %s", d->name, gai_strerror(rc));
	lookup_free(d->lookup);
	d->lookup = NULL;
	return true;
}

/* Begin to connect to the address at hand. false where it failed at once. */
static bool dial_connect(struct dial *d)
{
	if (d->family != AF_UNSPEC && d->at->ai_family != d->family) {
		if (d->last.code == 0)
			err_set(&d->last, ERR_NOTFOUND, _("%s: no address of the family that is asked for"), d->name);
		return false;
	}
	if (confine_address(d->at->ai_addr, &d->last) < 0)
		return false;
	d->fd = socket(d->at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd >= 0 &&
	    (connect(d->fd, d->at->ai_addr, d->at->ai_addrlen) == 0 || errno == EINPROGRESS))
		return true;
	err_sys(&d->last, "%s", d->name);
	return false;
}

/* Has the connection under way come to an end? *failed says how. */
static bool dial_settled(struct dial *d, bool *failed)
{
	struct pollfd p = { .fd = d->fd, .events = POLLOUT };
	socklen_t len = sizeof errno;
	int why = 0;

	if (poll(&p, 1, 0) <= 0)
		return false;
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
		why = errno;
	*failed = why != 0;
	errno = why;
	if (why != 0)
		err_sys(&d->last, "%s", d->name);
	return true;
}

static void dial_next(struct dial *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	d->at = d->at->ai_next;
}

enum dial_state dial_step(struct dial *d, struct err *e)
{
	bool failed = false;

	if (d->lookup != NULL && !dial_looked_up(d))
		return DIAL_WAIT;
	while (d->at != NULL) {
		if (d->fd < 0 && !dial_connect(d)) {
			dial_next(d);
			continue;
		}
		if (!dial_settled(d, &failed))
			return DIAL_WAIT;
		if (!failed)
			return DIAL_OPEN;
		dial_next(d);
	}
	*e = d->last;
	return DIAL_FAILED;
}

int dial_fd(const struct dial *d)
{
	return d->fd;
}

int dial_take(struct dial *d)
{
	int fd = d->fd;

	d->fd = -1;
	return fd;
}
