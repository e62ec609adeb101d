#include "child/ssh_script.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/ssh_script_inside.h"

#define PEM_MAX 65536u

/* Part of every script. No backslash and no exclamation mark of our own anywhere: the whole is one
 * quoted word for whatever login shell there is. */
/* A login shell's start-up files may complain before the script begins. */
const char script_head[] =
    "echo '" SCRIPT_BEGINS "' >&2\n"
    "set -u\n"
    "umask 077\n"
    "LC_ALL=C PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\n"
    "export LC_ALL PATH\n"
    "die() { echo \"$*\" >&2; exit 1; }\n"
    "real() { r=$1; [ ! -L \"$1\" ] || { r=$(readlink -f \"$1\") && [ -n \"$r\" ]; }; }\n"
    "astray() { echo \"$1 is a link to $(readlink \"$1\"), which leads nowhere\"; }\n"
    /* What is put beside a file has a dot in front: a service that reads whole folders, as haproxy does (crt FOLDER),
     * must not take a backup, or a new key without its certificate, for one of its own. */
    "aside() { b=${1%/*}/.${1##*/}.sev1-$2; }\n"
    "beside() { aside \"$1\" XXXXXX; mktemp \"$b\" || die \"no file can be made beside $1 by $(id -un)\"; }\n";

const char script_flush[] = "flush() { if command -v sync >/dev/null; then sync \"$@\"; fi; }\n";

/* To a csh a quote ends with its line: it would run the lines of the script one by one, past any exit. There $shell is
 * set. */
static const char script_guard[] =
    "test -z \"$shell\" || exec sh -c 'echo \"sev1: the login shell of this user is a csh, which takes no script of several "
    "lines: use another user, or give it sh\" >&2; exit 1'\n";

char *script_wrap(struct buf *script, bool sudo)
{
	struct buf b = { 0 };

	buf_adds(&b, script_guard);
	buf_adds(&b, sudo ? "exec sudo -n -- sh -c " : "exec sh -c ");
	text_quote(&b, buf_str(script));
	buf_free(script);
	return buf_take(&b);
}

void script_set(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "%s='", name);
	/* The whole is quoted once more, for login shells to which a backslash means something within quotes. */
	for (const char *p = value != NULL ? value : ""; *p != '\0'; p++)
		if (*p == '\'')
			buf_adds(b, "'\"'\"'");
		else
			buf_addc(b, *p);
	buf_adds(b, "'\n");
}

static int script_check_path(const char *path, const char *what, struct err *e)
{
	if (path == NULL || path[0] != '/' || path[1] == '\0' || strlen(path) > 1000)
		return err_set(e, ERR_USAGE, _("%s: not an absolute path on the host: %s"), what,
		    path != NULL ? path : "");
	for (const char *p = path; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '\\' || *p == '!')
			return err_set(e, ERR_USAGE, _("%s: control characters, backslashes and ! cannot be used in the path %s"),
			    what, path);
	return 0;
}

static int script_check_command(const char *command, const char *what, struct err *e)
{
	for (const char *p = command != NULL ? command : ""; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 && *p != '\t')
			return err_set(e, ERR_USAGE, _("%s: control characters in the command"), what);
	return 0;
}

int script_check(const struct staged *st, struct err *e)
{
	int rc;

	if ((rc = script_check_path(st->key, "key", e)) < 0 ||
	    (rc = script_check_path(st->certificate, "certificate", e)) < 0 ||
	    (st->chain != NULL && st->chain[0] != '\0' &&
	        (rc = script_check_path(st->chain, "chain", e)) < 0) ||
	    (rc = script_check_command(st->test, "test", e)) < 0 ||
	    (rc = script_check_command(st->reload, "reload", e)) < 0)
		return rc;
	if (st->combined && (strcmp(st->key, st->certificate) != 0 || (st->chain != NULL && st->chain[0] != '\0')))
		return err_set(e, ERR_USAGE, _("combined: key, certificate and chain are one file, and key and certificate name it"));
	if (st->count == 0)
		return err_set(e, ERR_USAGE, _("no names for the certificate"));
	for (size_t i = 0; i < st->count; i++)
		if (!text_is_host(st->names[i], true))
			return err_set(e, ERR_USAGE, _("%s cannot be a name in a certificate"), st->names[i]);
	if (!text_is_word(st->tag) || !text_is_word(st->stamp))
		return err_set(e, ERR_USAGE, _("tag or stamp are not words"));
	return 0;
}

int script_order(struct staged *st, const json_t *order, const char **names, const char *tag, const char *stamp,
    struct err *e)
{
	const json_t *list = json_list(order, "names");
	size_t count = json_array_size(list);

	if (count > SCRIPT_NAMES)
		return err_set(e, ERR_USAGE, _("more than %d names for one certificate"), SCRIPT_NAMES);
	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_array_get(list, i));
		names[i] = name != NULL ? name : "";
	}
	*st = (struct staged){
		.key = json_str(order, "key"), .certificate = json_str(order, "certificate"),
		.chain = json_str(order, "chain"), .names = names, .count = count,
		.combined = json_bool(order, "combined"), .sudo = json_bool(order, "sudo"),
		.new_key = strcmp(json_str(order, "key_mode"), "new") == 0,
		.tag = tag, .stamp = stamp,
		.test = json_str(order, "test"), .reload = json_str(order, "reload") };
	return script_check(st, e);
}

bool script_is_pem(const char *pem)
{
	size_t n = pem != NULL ? strlen(pem) : 0;

	return n > 0 && n <= PEM_MAX && strncmp(pem, "-----BEGIN ", 11) == 0 &&
	    strspn(pem, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=- \r\n") == n;
}

char *script_put(const char *path, const char *hex, mode_t mode)
{
	struct buf b = { 0 };

	buf_adds(&b, script_head);
	buf_adds(&b, script_flush);
	script_set(&b, "f", path);
	script_set(&b, "h", hex);
	buf_addf(&b, "m=%03o\n", (unsigned)mode & 0777);
	buf_adds(&b,
	    "real \"$f\" || die \"$(astray \"$f\")\"\n"
	    "f=$r\n"
	    "[ -d \"$f\" ] && die \"$f is a folder\"\n"
	    "t=$(beside \"$f\") || exit 1\n"
	    "trap 'rm -f \"$t\"' EXIT\n"
	    "trap 'exit 1' HUP INT TERM PIPE\n"
	    "if [ -e \"$f\" ]; then cp -p \"$f\" \"$t\"; else chmod $m \"$t\"; fi && cat > \"$t\" && flush \"$t\" || die \"$f: not written\"\n"
	    "if command -v sha256sum >/dev/null; then s=$(sha256sum < \"$t\")\n"
	    "else s=$(openssl dgst -sha256 -r < \"$t\"); fi\n"
	    "[ \"${s%% *}\" = \"$h\" ] || die \"$f: what arrived is not what was sent\"\n"
	    "mv -f \"$t\" \"$f\" || die \"$f: not replaced\"\n"
	    "trap - EXIT\n");
	return script_wrap(&b, false);
}
