#include "child/ssh_session.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libssh/libssh.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/dial.h"
#include "child/ssh_inside.h"

#define CONNECT_MS 10000

const char *session_name(const struct session *s)
{
	return s->name;
}

/* libssh's own words, which may quote the server. */
static char *session_words(struct session *s)
{
	const char *words = ssh_get_error(s->ssh);

	return text_escaped(words, strlen(words), 200);
}

int session_lost(struct session *s, const char *when, struct err *e)
{
	char *words = session_words(s);
	int rc = err_set(e, ERR_IO, _("%s: connection lost while %s: %s"), s->name, when,
	    words[0] != '\0' ? words : _("closed by the host"));

	free(words);
	return rc;
}

int session_poll(struct session *s, int64_t until, const char *when, struct err *e)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	int64_t left = until - clock_mono();

	if (left <= 0)
		return err_set(e, ERR_TIMEOUT, _("%s: no answer in time while %s"), s->name, when);
	if (ssh_get_status(s->ssh) & SSH_WRITE_PENDING)
		p.events |= POLLOUT;
	/* Never long: libssh may hold octets that it has read and not yet looked at. */
	if (poll(&p, 1, left > 200 ? 200 : (int)left) < 0 && errno != EINTR)
		return err_sys(e, "%s: poll", s->name);
	return 0;
}

static int session_connect(struct session *s, int64_t until, struct err *e)
{
	struct dial *d = dial_start(s->address, s->port);
	int64_t start = clock_mono(), left;
	enum dial_state state;
	int rc = 0, one = 1;

	if (until > start + CONNECT_MS)
		until = start + CONNECT_MS;
	while ((state = dial_step(d, e)) == DIAL_WAIT && (left = until - clock_mono()) > 0) {
		struct pollfd p = { .fd = dial_fd(d), .events = POLLOUT };
		/* The resolver has no descriptor to wait for. */
		poll(&p, 1, p.fd < 0 ? 5 : left > 1000 ? 1000 : (int)left);
	}
	if (state == DIAL_OPEN) {
		s->fd = dial_take(d);
		setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	} else if (state == DIAL_WAIT) {
		rc = err_set(e, ERR_TIMEOUT, _("%s: no answer from %s port %d in %lld s"), s->name, s->address,
		    s->port, (long long)(clock_mono() - start + 500) / 1000);
	} else {
		rc = err_prefix(e, _("%s: connect to port %d"), s->name, s->port);
		if (rc == ERR_NOTFOUND) {
			rc = e->code = ERR_IO;
			err_remedy(e, _("look it up with: getent hosts %s"), s->address);
		}
	}
	dial_free(d);
	return rc;
}

static int session_set(struct session *s, enum ssh_options_e option, const void *value, struct err *e)
{
	if (ssh_options_set(s->ssh, option, value) == SSH_OK)
		return 0;
	return err_set(e, ERR_USAGE, "%s: %s", s->name, ssh_get_error(s->ssh));
}

/* All that libssh would otherwise take from files or guess. */
static int session_options(struct session *s, struct err *e)
{
	const bool off = false;
	const int quiet = SSH_LOG_NOLOG, no = 0, yes = 1;
	const unsigned int port = (unsigned int)s->port;
	int rc;

	if ((rc = session_set(s, SSH_OPTIONS_PROCESS_CONFIG, &off, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_LOG_VERBOSITY, &quiet, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_HOST, s->address, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_PORT, &port, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_USER, s->user, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_KNOWNHOSTS, s->known_hosts, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null", e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_STRICTHOSTKEYCHECK, &yes, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_PASSWORD_AUTH, &no, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_KBDINT_AUTH, &no, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_GSSAPI_AUTH, &no, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_COMPRESSION, "no", e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_FD, &s->fd, e)) < 0)
		return rc;
	ssh_set_blocking(s->ssh, 0);
	return 0;
}

static int session_shake(struct session *s, int64_t until, struct err *e)
{
	int rc;

	while ((rc = ssh_connect(s->ssh)) == SSH_AGAIN) {
		s->fd_given = true;
		if ((rc = session_poll(s, until, _("waiting for its SSH server"), e)) < 0)
			return rc;
	}
	s->fd_given = true;
	return rc == SSH_OK ? 0 : session_lost(s, _("setting up SSH"), e);
}

static struct session *session_read(const json_t *host, struct err *e)
{
	struct session *s = mem_zalloc(1, sizeof *s);
	const char *address = json_str(host, "address"), *known = json_str(host, "known_hosts");
	struct passwd *pw = getpwuid(geteuid());

	s->fd = -1;
	s->name = mem_strdup(json_str(host, "name"));
	s->address = mem_strdup(address[0] != '\0' ? address : s->name);
	s->port = (int)json_num(host, "port", 22);
	s->user = mem_strdup(json_str(host, "user"));
	s->identity = mem_strdup(json_str(host, "identity"));
	if (s->user[0] == '\0' && pw != NULL) {
		free(s->user);
		s->user = mem_strdup(pw->pw_name);
	}
	s->known_hosts = known[0] != '\0' ? mem_strdup(known) :
	    mem_printf("%s/.ssh/known_hosts", pw != NULL ? pw->pw_dir : "/root");
	if (!text_is_host(s->address, false))
		err_set(e, ERR_USAGE, _("%s: %s is not a host name or address"), s->name, s->address);
	else if (s->port < 1 || s->port > 65535)
		err_set(e, ERR_USAGE, _("%s: %d is not a port"), s->name, s->port);
	else if (!text_is_word(s->user))
		err_set(e, ERR_USAGE, _("%s: %s is not a user name"), s->name, s->user);
	else if (strchr(s->known_hosts, '%') != NULL) /* libssh would expand it */
		err_set(e, ERR_USAGE, _("%s: a known_hosts path may hold no %%"), s->known_hosts);
	else if ((s->ssh = ssh_new()) == NULL)
		err_set(e, ERR_FAILED, "libssh: ssh_new");
	else
		return s;
	session_free(s);
	return NULL;
}

struct session *session_open(const json_t *host, int64_t until, struct err *e)
{
	struct session *s = session_read(host, e);
	int64_t most = clock_mono() + SESSION_OPEN_MS;

	if (s == NULL)
		return NULL;
	if (until > most)
		until = most;
	if (session_connect(s, until, e) < 0 || session_options(s, e) < 0 ||
	    session_shake(s, until, e) < 0 || session_check_key(s, e) < 0 ||
	    session_authenticate(s, until, e) < 0) {
		session_free(s);
		return NULL;
	}
	return s;
}

void session_free(struct session *s)
{
	if (s == NULL)
		return;
	if (s->ssh != NULL) {
		ssh_disconnect(s->ssh);
		ssh_free(s->ssh);
	}
	if (s->fd >= 0 && !s->fd_given)
		close(s->fd);
	free(s->name);
	free(s->address);
	free(s->user);
	free(s->identity);
	free(s->known_hosts);
	free(s);
}
