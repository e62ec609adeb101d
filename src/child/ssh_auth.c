/* Does the host know us? */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libssh/libssh.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "child/ssh_inside.h"

#define PUBLIC_MAX 65536u

/* An identity with a passphrase would be asked for on the terminal: never. */
static int auth_no_passphrase(const char *prompt, char *out, size_t len, int echo, int verify,
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

/* with: the identity's file; NULL: the agent. */
static int auth_denied(struct session *s, const char *with, struct err *e)
{
	err_set(e, ERR_REFUSED, _("%s: authentication denied for %s with %s"), s->name, s->conf.user,
	    with != NULL ? with : _("the keys of the agent"));
	if (s->agent != NULL && s->conf.certificate.count > 0)
		return err_remedy(e, _("libssh presents certificates that the agent holds: ssh-add KEY with %s beside it as "
		    "KEY-cert.pub"), s->conf.certificate.item[0]);
	return err_remedy(e, _("check authorized_keys of %s there, and: ssh -p %d -i %s %s@%s true"),
	    s->conf.user, s->conf.port, with != NULL ? with : "KEY", s->conf.user, s->conf.address);
}

/* Call libssh again until it has an answer; key NULL: the agent. 0, 1: denied, or an error. */
static int auth_ask(struct session *s, ssh_key key, int64_t until, struct err *e)
{
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
		return err_set(e, ERR_REFUSED, _("%s: it wants a second factor from %s"), s->name, s->conf.user);
	/* MaxAuthTries and some servers close the connection in place of an answer. */
	return rc == SSH_AUTH_DENIED ? 1 : session_lost(s, _("authenticating"), e);
}

/* ---- keys in files ---- */

/* Present the key with a certificate. 0, 1: denied, or an error. */
static int auth_certificate(struct session *s, const char *path, const char *certificate, int64_t until,
    struct err *e)
{
	ssh_key key = NULL, cert = NULL;
	int rc;

	if (ssh_pki_import_cert_file(certificate, &cert) != SSH_OK) {
		rc = err_set(e, ERR_USAGE, _("%s: the certificate %s cannot be read"), s->name, certificate);
	} else if (ssh_pki_import_privkey_file(path, NULL, auth_no_passphrase, NULL, &key) != SSH_OK ||
	    ssh_pki_copy_cert_to_privkey(cert, key) != SSH_OK) {
		rc = 1; /* the certificate of another key */
	} else {
		rc = auth_ask(s, key, until, e);
	}
	ssh_key_free(cert);
	ssh_key_free(key);
	return rc;
}

/* With each certificate that may belong to it, then without. 0, 1: denied, or an error. */
static int auth_identity(struct session *s, const char *path, ssh_key key, int64_t until, struct err *e)
{
	char *beside = mem_printf("%s-cert.pub", path);
	int rc = 1;

	for (size_t i = 0; rc == 1 && i < s->conf.certificate.count; i++)
		rc = auth_certificate(s, path, s->conf.certificate.item[i], until, e);
	if (rc == 1 && fs_exists(beside))
		rc = auth_certificate(s, path, beside, until, e);
	if (rc == 1)
		rc = auth_ask(s, key, until, e);
	free(beside);
	return rc;
}

/* ---- the agent ---- */

static const char *auth_agent_path(const struct session *s)
{
	const char *path = s->conf.agent != NULL ? s->conf.agent : getenv("SSH_AUTH_SOCK");

	return path != NULL && path[0] != '\0' && strcmp(path, "none") != 0 ? path : NULL;
}

/* Add the base64 of a public key or certificate, PATH and ending, if it is there. */
static bool want_public(struct strings *want, const char *path, const char *ending)
{
	char *file = mem_printf("%s%s", path, ending), *s, *type, *word = NULL;
	struct buf b = { 0 };
	struct err e = { 0 };

	if (fs_exists(file) && fs_read(file, &b, PUBLIC_MAX, &e) == 0 && (s = b.data) != NULL && s[0] != '-' &&
	    (type = strsep(&s, " \t")) != NULL && (word = strsep(&s, " \t\r\n")) != NULL) {
		want->item = mem_grow(want->item, want->count + 1, sizeof *want->item);
		want->item[want->count++] = mem_strdup(word);
	}
	buf_free(&b);
	free(file);
	return word != NULL;
}

/* What an agent may show for the configured identities: their public halves, which IdentityFile may name instead of
 * the keys themselves, and certificates for them. */
static void want_identities(struct strings *want, const struct ssh_conf *c)
{
	for (size_t i = 0; i < c->certificate.count; i++)
		want_public(want, c->certificate.item[i], "");
	for (size_t i = 0; i < c->identity.count; i++) {
		want_public(want, c->identity.item[i], "-cert.pub");
		if (!want_public(want, c->identity.item[i], ".pub"))
			want_public(want, c->identity.item[i], "");
	}
}

/* Those of the agent's keys that are configured; all of them where none is. 0, 1: denied or nothing to offer,
 * or an error. */
static int auth_agent(struct session *s, int64_t until, struct err *e)
{
	const struct ssh_conf *c = &s->conf;
	const char *path = auth_agent_path(s);
	bool chosen = c->explicit_identity || c->only || c->configured;
	struct strings want = { 0 };
	int rc = 1;

	if (chosen)
		want_identities(&want, c);
	if (path != NULL && (!chosen || want.count > 0)) {
		if ((s->agent = agent_open(path, want.item, want.count, until, e)) == NULL)
			rc = c->identity.count > 0 ? 1 : e->code;
		else if (ssh_set_agent_socket(s->ssh, agent_take(s->agent)) != SSH_OK)
			rc = session_lost(s, _("asking the agent"), e);
		else
			rc = auth_ask(s, NULL, until, e);
	}
	for (size_t i = 0; i < want.count; i++)
		free(want.item[i]);
	free(want.item);
	return rc;
}

/* ---- all of it ---- */

/* ssh does not use a key of ours that others can read. */
static bool auth_is_open(const char *path, mode_t *mode)
{
	struct stat st;

	if (stat(path, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077) == 0)
		return false;
	*mode = st.st_mode & 07777;
	return true;
}

static int auth_unreadable(const char *path, bool there, struct err *e)
{
	mode_t mode;

	if (there && auth_is_open(path, &mode)) {
		err_set(e, ERR_USAGE, _("identity %s: mode %04o lets others read it, so it is not used"), path, (unsigned)mode);
		return err_remedy(e, _("chmod 600 %s, or a new key if others did"), path);
	}
	if (!there) {
		err_set(e, ERR_USAGE, _("identity %s: not there or not readable"), path);
		return err_remedy(e, _("ssh-keygen -t ed25519 -f %s makes one"), path);
	}
	err_set(e, ERR_USAGE, _("identity %s: not a private key, or one with a passphrase that no agent holds"), path);
	return err_remedy(e, _("add it to an agent: ssh-add %s"), path);
}

int session_authenticate(struct session *s, int64_t until, struct err *e)
{
	const struct ssh_conf *c = &s->conf;
	const char *last = NULL;
	bool usable = false;
	int rc = 1, read;
	mode_t mode;

	/* A key that was named for sev1 itself and lies open is taken as it is: no agent need be asked. */
	if (!c->explicit_identity && (rc = auth_agent(s, until, e)) <= 0)
		return rc;
	for (size_t i = 0; i < c->identity.count; i++) {
		ssh_key key = NULL;
		last = c->identity.item[i];
		read = ssh_pki_import_privkey_file(last, NULL, auth_no_passphrase, NULL, &key);
		if (read == SSH_OK && auth_is_open(last, &mode))
			read = SSH_ERROR;
		rc = read == SSH_OK ? auth_identity(s, last, key, until, e) : c->explicit_identity && read != SSH_EOF ?
		    auth_agent(s, until, e) : 1;
		ssh_key_free(key);
		if (rc <= 0)
			return rc;
		usable = usable || read == SSH_OK || (s->agent != NULL && agent_shown(s->agent) > 0);
		if (read != SSH_OK && !usable)
			auth_unreadable(last, read != SSH_EOF, e);
	}
	if (usable || s->agent != NULL)
		return auth_denied(s, usable ? last : NULL, e);
	if (last != NULL)
		return e->code;
	err_set(e, ERR_REFUSED, _("%s: no identity is configured and no agent runs"), s->name);
	return err_remedy(e, _("set identity in the configuration"));
}
