/* Do we know the host, and does it know us? */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libssh/libssh.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "child/ssh_inside.h"

#define KNOWN_HOSTS_MAX (8u << 20)

/* The line of a shell that fetches the host's key, after it was compared. */
static int trust_remedy_scan(const struct session *s, const char *print, struct err *e)
{
	return err_remedy(e, _("compare %s with ssh-keygen -lf on the host itself, then: "
	    "ssh-keyscan -p %d %s >> %s"), print, s->port, s->address, s->known_hosts);
}

static int trust_remedy_changed(const struct session *s, struct err *e)
{
	if (s->port == 22)
		return err_remedy(e, _("do not go on unless you know why; if the server was rebuilt: "
		    "ssh-keygen -R %s -f %s"), s->address, s->known_hosts);
	return err_remedy(e, _("do not go on unless you know why; if the server was rebuilt: "
	    "ssh-keygen -R '[%s]:%d' -f %s"), s->address, s->port, s->known_hosts);
}

/* libssh 0.10 skips @revoked lines. A key on one is refused whatever host the line names. */
static int trust_check_revoked(const struct session *s, ssh_key key, struct err *e)
{
	struct buf b = { 0 };
	char *blob = NULL, *line, *next;
	int rc = 0;

	if (!fs_exists(s->known_hosts))
		return 0;
	if (ssh_pki_export_pubkey_base64(key, &blob) != SSH_OK)
		return err_set(e, ERR_FAILED, _("%s: its host key cannot be read"), s->name);
	if ((rc = fs_read(s->known_hosts, &b, KNOWN_HOSTS_MAX, e)) < 0)
		goto out;
	for (line = b.data; rc == 0 && line != NULL; line = next) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		if (strncmp(line, "@revoked", 8) == 0 && strstr(line, blob) != NULL)
			rc = err_set(e, ERR_REFUSED, _("%s: its host key is marked @revoked in %s"), s->name,
			    s->known_hosts);
	}
out:
	buf_free(&b);
	ssh_string_free_char(blob);
	return rc;
}

static int trust_verdict(struct session *s, enum ssh_known_hosts_e known, const char *type,
    const char *print, struct err *e)
{
	switch (known) {
	case SSH_KNOWN_HOSTS_OK:
		return 0;
	case SSH_KNOWN_HOSTS_CHANGED:
		err_set(e, ERR_REFUSED, _("%s: the host key has changed: it shows %s %s, %s has another"),
		    s->name, type, print, s->known_hosts);
		trust_remedy_changed(s, e);
		break;
	case SSH_KNOWN_HOSTS_OTHER:
		err_set(e, ERR_REFUSED, _("%s: the host shows a key of another type (%s %s) than the one in %s"),
		    s->name, type, print, s->known_hosts);
		trust_remedy_scan(s, print, e);
		break;
	case SSH_KNOWN_HOSTS_UNKNOWN:
		err_set(e, ERR_REFUSED, _("%s: the host key %s %s is not in %s"), s->name, type, print,
		    s->known_hosts);
		trust_remedy_scan(s, print, e);
		break;
	case SSH_KNOWN_HOSTS_NOT_FOUND:
		err_set(e, ERR_REFUSED, _("%s: there is no known_hosts file %s to check its key %s %s with"),
		    s->name, s->known_hosts, type, print);
		trust_remedy_scan(s, print, e);
		break;
	default:
		return err_set(e, ERR_REFUSED, _("%s: its host key cannot be checked: %s"), s->name,
		    ssh_get_error(s->ssh));
	}
	return ERR_REFUSED;
}

/* libssh 0.10 says "unknown" for a file that is not there, too. */
static enum ssh_known_hosts_e trust_known(struct session *s)
{
	enum ssh_known_hosts_e known = ssh_session_is_known_server(s->ssh);

	return known == SSH_KNOWN_HOSTS_UNKNOWN && !fs_exists(s->known_hosts) ? SSH_KNOWN_HOSTS_NOT_FOUND :
	    known;
}

int session_check_key(struct session *s, struct err *e)
{
	ssh_key key = NULL;
	unsigned char *hash = NULL;
	char *print = NULL;
	size_t n = 0;
	int rc;

	if (ssh_get_server_publickey(s->ssh, &key) != SSH_OK ||
	    ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &n) != 0 ||
	    (print = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, n)) == NULL)
		rc = err_set(e, ERR_REFUSED, _("%s: it shows no host key"), s->name);
	else if ((rc = trust_check_revoked(s, key, e)) == 0)
		rc = trust_verdict(s, trust_known(s), ssh_key_type_to_char(ssh_key_type(key)),
		    print, e);
	ssh_string_free_char(print);
	ssh_clean_pubkey_hash(&hash);
	ssh_key_free(key);
	return rc;
}

/* An identity with a passphrase would be asked for on the terminal: never. */
static int trust_no_passphrase(const char *prompt, char *out, size_t len, int echo, int verify,
    void *ctx)
{
	(void)prompt;
	(void)out;
	(void)len;
	(void)echo;
	(void)verify;
	(void)ctx;
	return -1;
}

static int trust_denied(struct session *s, const char *with, struct err *e)
{
	err_set(e, ERR_REFUSED, _("%s: authentication denied for %s with %s"), s->name, s->user, with);
	return err_remedy(e, _("check authorized_keys of %s there, and: ssh -p %d -i %s %s@%s true"),
	    s->user, s->port, s->identity[0] != '\0' ? s->identity : "KEY", s->user, s->address);
}

/* Call libssh again until it has an answer. */
static int trust_ask(struct session *s, ssh_key key, int64_t until, struct err *e)
{
	const char *with = key != NULL ? s->identity : _("the keys of the agent");
	int rc, wait;

	for (;;) {
		rc = key != NULL ? ssh_userauth_publickey(s->ssh, NULL, key) :
		    ssh_userauth_agent(s->ssh, NULL);
		if (rc != SSH_AUTH_AGAIN)
			break;
		if ((wait = session_poll(s, until, _("authenticating"), e)) < 0)
			return wait;
	}
	if (rc == SSH_AUTH_SUCCESS)
		return 0;
	if (rc == SSH_AUTH_PARTIAL)
		return err_set(e, ERR_REFUSED, _("%s: it wants a second factor from %s"), s->name, s->user);
	/* MaxAuthTries and some servers close the connection in place of an answer. */
	return rc == SSH_AUTH_DENIED ? trust_denied(s, with, e) : session_lost(s, _("authenticating"), e);
}

int session_authenticate(struct session *s, int64_t until, struct err *e)
{
	ssh_key key = NULL;
	int rc;

	if (s->identity[0] == '\0') {
		if (getenv("SSH_AUTH_SOCK") == NULL) {
			err_set(e, ERR_REFUSED, _("%s: no identity is configured and no agent runs"), s->name);
			return err_remedy(e, _("set identity in the configuration"));
		}
		return trust_ask(s, NULL, until, e);
	}
	rc = ssh_pki_import_privkey_file(s->identity, NULL, trust_no_passphrase, NULL, &key);
	if (rc == SSH_EOF) {
		err_set(e, ERR_USAGE, _("identity %s: not there or not readable"), s->identity);
		return err_remedy(e, _("ssh-keygen -t ed25519 -f %s makes one"), s->identity);
	}
	if (rc != SSH_OK) {
		err_set(e, ERR_USAGE, _("identity %s: not a private key, or one with a passphrase"),
		    s->identity);
		return err_remedy(e, _("add it to an agent (ssh-add) and leave identity out"));
	}
	rc = trust_ask(s, key, until, e);
	ssh_key_free(key);
	return rc;
}
