/* Do we know the host? */
#include <stdlib.h>
#include <string.h>

#include <libssh/libssh.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/ssh_inside.h"
#include "child/ssh_known.h"

#define REVOKED_MAX (8u << 20)

/* The name and port under which the host's key is looked up. */
static const char *trust_name(const struct session *s, int *port)
{
	*port = s->conf.alias != NULL ? 22 : s->conf.port;
	return s->conf.alias != NULL ? s->conf.alias : s->conf.address;
}

/* The file that a new key would be added to. */
static const char *trust_file(const struct session *s)
{
	for (size_t i = 0; i < s->conf.known.count; i++)
		if (strcmp(s->conf.known.item[i], "/dev/null") != 0)
			return s->conf.known.item[i];
	return "known_hosts";
}

char *session_known_types(const struct session *s, const struct known *k)
{
	int port;
	const char *name = trust_name(s, &port);

	return known_types(k, name, port);
}

/* The line of a shell that fetches the host's key, after it was compared. */
static int trust_remedy_scan(const struct session *s, const char *print, struct err *e)
{
	return err_remedy(e, _("compare %s with ssh-keygen -lf on the host itself, then: "
	    "ssh-keyscan -p %d %s >> %s"), print, s->conf.port, s->conf.address, trust_file(s));
}

static int trust_remedy_changed(const struct session *s, const char *file, struct err *e)
{
	int port;
	const char *name = trust_name(s, &port);

	if (port == 22)
		return err_remedy(e, _("do not go on unless you know why; if the server was rebuilt: "
		    "ssh-keygen -R %s -f %s"), name, file);
	return err_remedy(e, _("do not go on unless you know why; if the server was rebuilt: "
	    "ssh-keygen -R '[%s]:%d' -f %s"), name, port, file);
}

/* RevokedHostKeys: a list of keys. ssh refuses every host where the file cannot be read, and so do we. */
static int trust_check_revoked(const struct session *s, const char *blob, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->conf.revoked.count; i++) {
		const char *file = s->conf.revoked.item[i];
		struct buf b = { 0 };
		if ((rc = fs_read(file, &b, REVOKED_MAX, e)) < 0)
			rc = e->code = ERR_REFUSED;
		else if (b.len > 7 && memcmp(b.data, "SSHKRL\n", 7) == 0)
			rc = err_set(e, ERR_REFUSED, _("%s: RevokedHostKeys %s is a binary revocation list, which sev1 cannot read"),
			    s->name, file);
		else if (strstr(buf_str(&b), blob) != NULL)
			rc = err_set(e, ERR_REFUSED, _("%s: its host key stands in RevokedHostKeys %s"), s->name, file);
		buf_free(&b);
	}
	return rc;
}

static int trust_verdict(struct session *s, enum known_verdict known, const char *file, const char *type,
    const char *print, struct err *e)
{
	switch (known) {
	case KNOWN_OK:
		return 0;
	case KNOWN_CHANGED:
		err_set(e, ERR_REFUSED, _("%s: the host key has changed: it shows %s %s, %s has another"),
		    s->name, type, print, file);
		trust_remedy_changed(s, file, e);
		break;
	case KNOWN_OTHER:
		err_set(e, ERR_REFUSED, _("%s: the host shows a key of another type (%s %s) than the one in %s"),
		    s->name, type, print, file);
		trust_remedy_scan(s, print, e);
		break;
	case KNOWN_REVOKED:
		err_set(e, ERR_REFUSED, _("%s: its host key is marked @revoked in %s"), s->name, file);
		err_remedy(e, _("do not connect to it; make it a new host key on its console"));
		break;
	case KNOWN_CA:
		err_set(e, ERR_REFUSED, _("%s: known through a @cert-authority line of %s only; libssh 0.10 cannot check host "
		    "certificates"), s->name, file);
		trust_remedy_scan(s, print, e);
		break;
	case KNOWN_UNKNOWN:
		err_set(e, ERR_REFUSED, _("%s: the host key %s %s is not in %s"), s->name, type, print, trust_file(s));
		trust_remedy_scan(s, print, e);
		break;
	case KNOWN_NO_FILE:
		err_set(e, ERR_REFUSED, _("%s: there is no known_hosts file %s to check its key %s %s with"),
		    s->name, trust_file(s), type, print);
		trust_remedy_scan(s, print, e);
		break;
	}
	return ERR_REFUSED;
}

int session_check_key(struct session *s, struct err *e)
{
	const struct known *k = known_load(s->conf.known.item, s->conf.known.count, e);
	const char *type, *name, *file;
	enum known_verdict verdict;
	unsigned char *hash = NULL;
	char *print = NULL, *blob = NULL;
	ssh_key key = NULL;
	size_t n = 0;
	int rc, port;

	if (k == NULL)
		return e->code;
	name = trust_name(s, &port);
	if (ssh_get_server_publickey(s->ssh, &key) != SSH_OK ||
	    ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &n) != 0 ||
	    ssh_pki_export_pubkey_base64(key, &blob) != SSH_OK ||
	    (print = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, n)) == NULL) {
		rc = err_set(e, ERR_REFUSED, _("%s: it shows no host key"), s->name);
	} else if ((rc = trust_check_revoked(s, blob, e)) == 0) {
		type = ssh_key_type_to_char(ssh_key_type(key));
		verdict = known_judge(k, name, port, type, blob, &file);
		/* As ssh has it: a host's own key will do on another port. */
		if (verdict == KNOWN_UNKNOWN && port != 22 && known_judge(k, name, 22, type, blob, &file) == KNOWN_OK)
			verdict = KNOWN_OK;
		rc = trust_verdict(s, verdict, file, type, print, e);
	}
	ssh_string_free_char(print);
	ssh_string_free_char(blob);
	ssh_clean_pubkey_hash(&hash);
	ssh_key_free(key);
	return rc;
}
