#include "child/ssh_session.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libssh/libssh.h>
#include <libssh/server.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/dial.h"
#include "child/ssh_inside.h"
#include "child/ssh_known.h"

#define CONNECT_MS 10000
#define JUMP_TRIES 5
#define JUMP_WAIT_MS 250u /* then doubling, with as much again at random */

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
	    words[0] != '\0' && strstr(words, "Success") == NULL ? words : _("closed by the host"));

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

static int session_dial(struct session *s, int64_t until, struct err *e)
{
	struct dial *d = dial_start(s->conf.address, s->conf.port);
	int64_t start = clock_mono(), left;
	enum dial_state state;
	int rc = 0, one = 1;

	dial_family(d, s->conf.family);
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
		rc = err_set(e, ERR_TIMEOUT, _("%s: no answer from %s port %d in %lld s"), s->name, s->conf.address,
		    s->conf.port, (long long)(clock_mono() - start + 500) / 1000);
	} else {
		rc = err_prefix(e, _("%s: connect to port %d"), s->name, s->conf.port);
		if (rc == ERR_NOTFOUND) {
			rc = e->code = ERR_IO;
			err_remedy(e, _("look it up with: getent hosts %s"), s->conf.address);
		}
	}
	dial_free(d);
	return rc;
}

static int session_connect(struct session *s, int64_t until, struct err *e)
{
	if (s->conf.jump == NULL)
		return session_dial(s, until, e);
	s->jump = jump_start(s->conf.jump, s->conf.file, s->conf.address, s->conf.port, until, e);
	if (s->jump == NULL)
		return err_prefix(e, "%s", s->name);
	s->fd = jump_take(s->jump);
	return 0;
}

static int session_set(struct session *s, enum ssh_options_e option, const void *value, struct err *e)
{
	if (ssh_options_set(s->ssh, option, value) == SSH_OK)
		return 0;
	return err_set(e, ERR_USAGE, "%s: %s", s->name, ssh_get_error(s->ssh));
}

/* What the host key may be: types that are known for the host first, so that one of them is shown. */
static char *session_host_keys(struct session *s, struct err *e)
{
	static const char usual[] = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
	    "sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256";
	const struct known *k = known_load(s->conf.known.item, s->conf.known.count, e);
	const char *all = s->conf.hostkeys != NULL ? s->conf.hostkeys : usual, *p;
	struct buf b = { 0 };
	char *types;
	size_t n;

	if (k == NULL)
		return NULL;
	types = session_known_types(s, k);
	for (int known = 1; known >= 0; known--)
		for (p = all; *p != '\0'; p += n + (p[n] == ',')) {
			n = strcspn(p, ",");
			if (n > 21 && strncmp(p + n - 21, "-cert-v01@openssh.com", 21) == 0)
				continue; /* libssh would ask for them, and then not check them */
			char *one = mem_strndup(p, n);
			bool is = strstr(types, strncmp(one, "rsa-sha2-", 9) == 0 ? "ssh-rsa" : one) != NULL;
			if (is == (known == 1))
				buf_addf(&b, "%s%s", b.len > 0 ? "," : "", one);
			free(one);
		}
	free(types);
	if (b.len > 0)
		return buf_take(&b);
	err_set(e, ERR_REFUSED, _("%s: ssh_config asks for host certificates only (HostKeyAlgorithms), which libssh 0.10 cannot "
	    "check"), s->name);
	err_remedy(e, _("name plain algorithms there too, and the host's key in known_hosts"));
	return NULL;
}

/* As libssh has them, but first those that OpenSSH leaves to OpenSSL: its own curve25519 and Poly1305 are portable code,
 * and cost a server a tenth of all that a connection does. GCM is not open to prefix truncation (Terrapin) either. */
static const char kex_usual[] = "ecdh-sha2-nistp256,curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp384,"
    "ecdh-sha2-nistp521,diffie-hellman-group18-sha512,diffie-hellman-group16-sha512,"
    "diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256";
static const char ciphers_usual[] = "aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,"
    "aes256-ctr,aes192-ctr,aes128-ctr";

static int session_algorithms(struct session *s, struct err *e)
{
	const struct ssh_conf *c = &s->conf;
	const char *ciphers = c->ciphers != NULL ? c->ciphers : ciphers_usual;
	char *keys = session_host_keys(s, e);
	const struct {
		enum ssh_options_e option;
		const char *value;
	} lists[] = { { SSH_OPTIONS_HOSTKEYS, keys }, { SSH_OPTIONS_CIPHERS_C_S, ciphers },
		{ SSH_OPTIONS_CIPHERS_S_C, ciphers }, { SSH_OPTIONS_KEY_EXCHANGE, c->kex != NULL ? c->kex : kex_usual },
		{ SSH_OPTIONS_HMAC_C_S, c->macs }, { SSH_OPTIONS_HMAC_S_C, c->macs },
		{ SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, c->pubkeys } };
	int rc = keys != NULL ? 0 : e->code;

	/* libssh takes those of a list that it has, and refuses a list of which it has none. */
	for (size_t i = 0; rc == 0 && i < sizeof lists / sizeof lists[0]; i++)
		if (lists[i].value != NULL && (rc = session_set(s, lists[i].option, lists[i].value, e)) < 0)
			err_remedy(e, _("libssh has none of the algorithms that ssh_config asks for: %.120s"), lists[i].value);
	free(keys);
	return rc;
}

static int session_user(struct session *s, struct err *e)
{
	char *safe;

	if (ssh_options_set(s->ssh, SSH_OPTIONS_USER, s->conf.user) == SSH_OK)
		return 0;
	safe = text_escaped(s->conf.user, strlen(s->conf.user), 60);
	err_set(e, ERR_REFUSED, _("%s: a user name that libssh does not take: %s"), s->name, safe);
	free(safe);
	return e->code;
}

/* What a host asks of us is dropped: libssh would keep it for a server's loop, and answers that are not read pile up too. */
static int session_asked(ssh_session ssh, ssh_message m, void *ctx)
{
	(void)ssh;
	(void)m;
	(void)ctx;
	return 0;
}

/* All that libssh would otherwise take from files or guess. */
static int session_options(struct session *s, struct err *e)
{
	const bool off = false;
	const int quiet = SSH_LOG_NOLOG, no = 0, yes = 1;
	const unsigned int port = (unsigned int)s->conf.port;
	int rc;

	if ((s->ssh = ssh_new()) == NULL)
		return err_set(e, ERR_FAILED, "libssh: ssh_new");
	if ((rc = session_set(s, SSH_OPTIONS_PROCESS_CONFIG, &off, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_LOG_VERBOSITY, &quiet, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_HOST, s->conf.address, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_PORT, &port, e)) < 0 ||
	    (rc = session_user(s, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_KNOWNHOSTS, "/dev/null", e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null", e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_STRICTHOSTKEYCHECK, &yes, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_PASSWORD_AUTH, &no, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_KBDINT_AUTH, &no, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_GSSAPI_AUTH, &no, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_COMPRESSION, "no", e)) < 0 ||
	    (rc = session_algorithms(s, e)) < 0 ||
	    (rc = session_set(s, SSH_OPTIONS_FD, &s->fd, e)) < 0)
		return rc;
	ssh_set_message_callback(s->ssh, session_asked, NULL);
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

/* Back to where no connection was made. */
static void session_drop(struct session *s)
{
	if (s->ssh != NULL) {
		ssh_disconnect(s->ssh);
		ssh_free(s->ssh);
	}
	s->ssh = NULL;
	if (s->fd >= 0 && !s->fd_given)
		close(s->fd);
	s->fd = -1;
	s->fd_given = false;
	jump_free(s->jump);
	s->jump = NULL;
	agent_free(s->agent);
	s->agent = NULL;
}

/* What the bastion's ssh has to say is nearer to the cause than what libssh saw. 1: it may be tried again. */
static int session_jump_lost(struct session *s, struct err *e)
{
	bool again;
	char *words = jump_words(s->jump, &again);
	int code = strstr(words, "Host key verification failed") != NULL || strstr(words, "Permission denied") != NULL ?
	    ERR_REFUSED : ERR_IO;

	if (words[0] != '\0') {
		err_set(e, code, _("%s: through %s: %s"), s->name, s->conf.jump, words);
		err_remedy(e, _("see: ssh -J %s %s@%s true"), s->conf.jump, s->conf.user, s->conf.address);
	}
	free(words);
	return again ? 1 : e->code;
}

/* Connect and shake hands; again, later and later, where a bastion has too many at its door. */
static int session_reach(struct session *s, int64_t until, struct err *e)
{
	unsigned wait = JUMP_WAIT_MS, more = 0;
	int rc;

	for (int try = 1;; try++) {
		if ((rc = session_connect(s, until, e)) < 0 || ((rc = session_options(s, e)) == 0 &&
		    (rc = session_shake(s, until, e)) == 0) || s->jump == NULL)
			break;
		if (session_jump_lost(s, e) <= 0 || try == JUMP_TRIES || clock_mono() + wait * 2 >= until)
			return e->code;
		session_drop(s);
		if (getrandom(&more, sizeof more, 0) != sizeof more)
			more = (unsigned)clock_mono();
		poll(NULL, 0, (int)(wait + more % wait));
		wait *= 2;
	}
	if (rc == 0 && s->jump != NULL)
		jump_settled(s->jump);
	return rc;
}

struct session *session_open(const json_t *host, int64_t until, struct err *e)
{
	struct session *s = mem_zalloc(1, sizeof *s);
	int64_t most = clock_mono() + SESSION_OPEN_MS;

	s->fd = -1;
	s->name = mem_strdup(json_str(host, "name"));
	if (until > most)
		until = most;
	if (ssh_conf_resolve(host, until, &s->conf, e) < 0 || session_reach(s, until, e) < 0 ||
	    session_check_key(s, e) < 0 || session_authenticate(s, until, e) < 0) {
		session_free(s);
		return NULL;
	}
	return s;
}

void session_free(struct session *s)
{
	if (s == NULL)
		return;
	session_drop(s);
	ssh_conf_clear(&s->conf);
	free(s->name);
	free(s);
}
