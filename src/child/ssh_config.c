#include "child/ssh_config.h"

#include <glob.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/confine.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/jump.h"
#include "child/ssh_config_inside.h"

#define IDENTITIES_MAX 5u /* sshd gives up after MaxAuthTries 6 */

/* ---- taking it in ---- */

/* The value of a directive among the lines of `ssh -G`; NULL without. Borrowed, ends with a newline. */
static const char *line_of(const char *text, const char *key, size_t *len)
{
	size_t n = strlen(key);

	for (; text != NULL && *text != '\0'; text = strchr(text, '\n'), text += text != NULL) {
		if (strncasecmp(text, key, n) == 0 && text[n] == ' ') {
			*len = strcspn(text + n + 1, "\r\n");
			return text + n + 1;
		}
		if (strchr(text, '\n') == NULL)
			break;
	}
	return NULL;
}

static void strings_add(struct strings *s, char *item)
{
	s->item = mem_grow(s->item, s->count + 1, sizeof *s->item);
	s->item[s->count++] = item;
}

static void strings_clear(struct strings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->item[i]);
	free(s->item);
	*s = (struct strings){ 0 };
}

struct taking {
	struct ssh_conf *c;
	const char *name, *asked; /* the host's name in the inventory; what ssh was asked for */
	bool known_given;
	struct err *e;
};

static int cannot(const struct taking *t, const char *key, const char *value, const char *why)
{
	char *safe = text_escaped(value, strlen(value), 80);

	err_set(t->e, ERR_REFUSED, _("%s: ssh_config says %s %s, which %s"), t->name, key, safe, why);
	free(safe);
	return err_remedy(t->e, _("take it out for this host, or set ssh-config and say in sev1.conf how it is reached"));
}

/* "${NAME}" of the environment, which ssh expands in paths; false: not set, or not closed. */
static bool path_variable(struct buf *b, const char **at)
{
	size_t n = strcspn(*at + 2, "}");
	char *name = mem_strndup(*at + 2, n);
	const char *value = (*at)[2 + n] == '}' ? getenv(name) : NULL;

	free(name);
	if (value == NULL)
		return false;
	buf_adds(b, value);
	*at += 2 + n;
	return true;
}

/* ~, the environment's variables and the tokens that a path may hold; NULL: one that is not known here. */
static char *path_expand(const struct taking *t, const char *s)
{
	const struct passwd *pw = getpwuid(geteuid());
	struct buf b = { 0 };

	if (s[0] == '~' && s[1] == '/' && pw != NULL) {
		buf_adds(&b, pw->pw_dir);
		s++;
	}
	for (; *s != '\0'; s++) {
		if (s[0] == '$' && s[1] == '{') {
			if (!path_variable(&b, &s)) {
				buf_free(&b);
				return NULL;
			}
			continue;
		}
		if (*s != '%') {
			buf_addc(&b, *s);
			continue;
		}
		switch (*++s) {
		case '%': buf_addc(&b, '%'); break;
		case 'd': buf_adds(&b, pw != NULL ? pw->pw_dir : ""); break;
		case 'u': buf_adds(&b, pw != NULL ? pw->pw_name : ""); break;
		case 'h': buf_adds(&b, t->c->address); break;
		case 'n': buf_adds(&b, t->asked); break;
		case 'r': buf_adds(&b, t->c->user); break;
		case 'p': buf_addf(&b, "%d", t->c->port); break;
		case 'i': buf_addf(&b, "%u", (unsigned)geteuid()); break;
		default:
			buf_free(&b);
			return NULL;
		}
	}
	return buf_take(&b);
}

/* An identity is there with its public half too: an agent has the other. */
static bool path_is_there(const char *path)
{
	char *half = mem_printf("%s.pub", path);
	bool there = fs_exists(path) || fs_exists(half);

	free(half);
	return there;
}

static int take_path(const struct taking *t, struct strings *to, const char *key, const char *value, bool there)
{
	char *path;

	if (strcasecmp(value, "none") == 0)
		return 0;
	if ((path = path_expand(t, value)) == NULL)
		return cannot(t, key, value, _("holds a token or variable that sev1 does not know"));
	if (there && !path_is_there(path))
		free(path);
	else
		strings_add(to, path);
	return 0;
}

static int take_paths(const struct taking *t, struct strings *to, const char *key, const char *value)
{
	char *words = mem_strdup(value), *rest = words, *word;
	int rc = 0;

	while (rc == 0 && (word = strsep(&rest, " \t")) != NULL)
		if (word[0] != '\0')
			rc = take_path(t, to, key, word, false);
	free(words);
	return rc;
}

static int take_proxy(const struct taking *t, const char *key, const char *value)
{
	char *jump;

	if (t->c->jump != NULL || strcasecmp(value, "none") == 0)
		return 0;
	jump = strcasecmp(key, "proxyjump") == 0 ? mem_strdup(value) : jump_of_command(value);
	if (jump == NULL)
		return cannot(t, key, value, _("would run a shell here; sev1 takes ProxyJump, or \"ssh -W %h:%p BASTION\""));
	if (!jump_is_chain(jump)) {
		free(jump);
		return cannot(t, key, value, _("is not a list of bastions"));
	}
	t->c->jump = jump;
	return 0;
}

/* Of "a,b,c"? */
static bool list_has(const char *list, const char *word)
{
	size_t n;

	for (; *list != '\0'; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == strlen(word) && strncmp(list, word, n) == 0)
			return true;
	}
	return false;
}

static void take_algorithms(char **slot, const char *value)
{
	free(*slot);
	*slot = mem_strdup(value);
}

/* One directive that is not neutral and not as ssh has it without configuration. */
static int take_changed(const struct taking *t, const char *key, const char *value)
{
	struct ssh_conf *c = t->c;

	if (strcmp(key, "proxyjump") == 0 || strcmp(key, "proxycommand") == 0)
		return take_proxy(t, key, value);
	if (strcmp(key, "hostkeyalias") == 0) {
		take_algorithms(&c->alias, value);
		return 0;
	}
	if (strcmp(key, "identityagent") == 0) {
		free(c->agent);
		c->agent = strcmp(value, "SSH_AUTH_SOCK") == 0 ? NULL : strcasecmp(value, "none") == 0 ? mem_strdup("none") :
		    value[0] == '$' ? mem_strdup(getenv(value + 1) != NULL ? getenv(value + 1) : "none") : path_expand(t, value);
		return c->agent != NULL || strcmp(value, "SSH_AUTH_SOCK") == 0 ? 0 :
		    cannot(t, key, value, _("holds a token that sev1 does not know"));
	}
	if (strcmp(key, "certificatefile") == 0)
		return c->explicit_identity ? 0 : take_path(t, &c->certificate, key, value, true);
	if (strcmp(key, "revokedhostkeys") == 0)
		return take_path(t, &c->revoked, key, value, false);
	if (strcmp(key, "preferredauthentications") == 0)
		return list_has(value, "publickey") ? 0 : cannot(t, key, value, _("leaves out the only way in that sev1 knows"));
	if (strcmp(key, "identitiesonly") == 0)
		c->only = strcmp(value, "yes") == 0;
	else if (strcmp(key, "addressfamily") == 0)
		c->family = strcmp(value, "inet") == 0 ? AF_INET : strcmp(value, "inet6") == 0 ? AF_INET6 : AF_UNSPEC;
	else if (strcmp(key, "ciphers") == 0)
		take_algorithms(&c->ciphers, value);
	else if (strcmp(key, "kexalgorithms") == 0)
		take_algorithms(&c->kex, value);
	else if (strcmp(key, "macs") == 0)
		take_algorithms(&c->macs, value);
	else if (strcmp(key, "pubkeyacceptedalgorithms") == 0)
		take_algorithms(&c->pubkeys, value);
	else if (strcmp(key, "hostkeyalgorithms") == 0)
		take_algorithms(&c->hostkeys, value);
	else
		return cannot(t, key, value, _("sev1 cannot honour"));
	return 0;
}

/* First what the paths of the others are made of. */
static int take_first(const struct taking *t, const char *text)
{
	const char *v;
	size_t n;

	if ((v = line_of(text, "hostname", &n)) != NULL) {
		free(t->c->address);
		t->c->address = mem_strndup(v, n);
	}
	if ((v = line_of(text, "user", &n)) != NULL) {
		free(t->c->user);
		t->c->user = mem_strndup(v, n);
	}
	if ((v = line_of(text, "port", &n)) != NULL)
		t->c->port = (int)strtol(v, NULL, 10);
	if (!text_is_host(t->c->address, false))
		return cannot(t, "HostName", t->c->address, _("is neither a name nor an address"));
	for (size_t i = 0; i < 2 && !t->known_given; i++) /* the user's own first, whatever order ssh prints them in */
		if ((v = line_of(text, i == 0 ? "userknownhostsfile" : "globalknownhostsfile", &n)) != NULL) {
			char *files = mem_strndup(v, n);
			int rc = take_paths(t, &t->c->known, i == 0 ? "userknownhostsfile" : "globalknownhostsfile", files);
			free(files);
			if (rc < 0)
				return rc;
		}
	return 0;
}

static int take_line(const struct taking *t, const char *line, const char *baseline)
{
	size_t n = strcspn(line, " "), len = strlen(line), other;
	char *key = mem_strndup(line, n);
	const char *value = line + n + (line[n] != '\0'), *same;
	int rc = 0;

	if (list_has("hostname,user,port,userknownhostsfile,globalknownhostsfile", key) || ssh_conf_neutral(key))
		;
	else if (strcmp(key, "identityfile") == 0) {
		same = memmem(baseline, strlen(baseline), line, len);
		t->c->configured = t->c->configured || same == NULL || (same[len] != '\n' && same[len] != '\0');
		rc = t->c->explicit_identity || t->c->identity.count >= IDENTITIES_MAX ? 0 :
		    take_path(t, &t->c->identity, key, value, true);
	}
	else if ((same = line_of(baseline, key, &other)) == NULL || other != len - n - 1 || strncmp(same, value, other) != 0)
		rc = take_changed(t, key, value);
	free(key);
	return rc;
}

static int config_take(const struct taking *t, char *text, const char *baseline)
{
	char *line, *rest;
	int rc = take_first(t, text);

	for (rest = text; rc == 0 && (line = strsep(&rest, "\n")) != NULL;)
		if (line[0] != '\0')
			rc = take_line(t, line, baseline);
	return rc;
}

/* As ssh has it where no file says anything that matters. */
static void config_defaults(const struct taking *t)
{
	static const char *const names[] = { "id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk" };
	const struct passwd *pw = getpwuid(geteuid());
	const char *home = pw != NULL ? pw->pw_dir : "/root";
	bool drill = confine_root() != NULL;

	for (size_t i = 0; !drill && !t->c->explicit_identity && i < sizeof names / sizeof names[0]; i++) {
		char *path = mem_printf("%s/.ssh/%s", home, names[i]);
		if (fs_exists(path))
			strings_add(&t->c->identity, path);
		else
			free(path);
	}
	if (t->known_given)
		return;
	strings_add(&t->c->known, mem_printf("%s/.ssh/known_hosts", home));
	strings_add(&t->c->known, mem_printf("%s/.ssh/known_hosts2", home));
	strings_add(&t->c->known, mem_strdup("/etc/ssh/ssh_known_hosts"));
	strings_add(&t->c->known, mem_strdup("/etc/ssh/ssh_known_hosts2"));
}

int ssh_conf_resolve(const json_t *host, int64_t until, struct ssh_conf *c, struct err *e)
{
	const char *address = json_str(host, "address"), *name = json_str(host, "name"), *user = json_str(host, "user");
	const char *identity = json_str(host, "identity"), *known = json_str(host, "known_hosts");
	const char *file = json_str(host, "ssh_config"), *jump = json_str(host, "jump"), *baseline;
	struct taking t = { .c = c, .name = name, .asked = address[0] != '\0' ? address : name,
		.known_given = known[0] != '\0', .e = e };
	const struct passwd *pw = getpwuid(geteuid());
	struct buf text = { 0 };
	char *lines;
	int rc = 0;

	*c = (struct ssh_conf){ .address = mem_strdup(t.asked), .port = (int)json_num(host, "port", 0),
		.user = mem_strdup(user[0] != '\0' ? user : pw != NULL ? pw->pw_name : ""), .family = AF_UNSPEC };
	if (!text_is_host(t.asked, false))
		return err_set(e, ERR_USAGE, _("%s: %s is not a host name or address"), name, t.asked);
	if (c->port < 0 || c->port > 65535)
		return err_set(e, ERR_USAGE, _("%s: %d is not a port"), name, c->port);
	if (!text_is_word(c->user))
		return err_set(e, ERR_USAGE, _("%s: %s is not a user name"), name, c->user);
	if (jump[0] != '\0' && !jump_is_chain(jump))
		return err_set(e, ERR_USAGE, _("%s: not a list of bastions: %s"), name, jump);
	if (jump[0] != '\0')
		c->jump = mem_strdup(jump);
	if (identity[0] != '\0') {
		c->explicit_identity = true;
		strings_add(&c->identity, mem_strdup(identity));
	}
	if (t.known_given)
		strings_add(&c->known, mem_strdup(known));
	if (file[0] != '\0')
		c->file = mem_strdup(file);
	if (confine_root() != NULL || strcmp(file, "none") == 0 || !ssh_conf_matters(file)) {
		config_defaults(&t);
	} else {
		if ((baseline = ssh_conf_baseline(until, e)) == NULL)
			return e->code;
		if ((rc = ssh_conf_ask(host, file, t.asked, until, &text, e)) == 0) {
			lines = buf_take(&text);
			rc = config_take(&t, lines, baseline);
			free(lines);
		}
		buf_free(&text);
	}
	c->port = c->port == 0 ? 22 : c->port;
	return rc;
}

void ssh_conf_clear(struct ssh_conf *c)
{
	strings_clear(&c->identity);
	strings_clear(&c->certificate);
	strings_clear(&c->known);
	strings_clear(&c->revoked);
	free(c->address);
	free(c->user);
	free(c->alias);
	free(c->jump);
	free(c->file);
	free(c->agent);
	free(c->ciphers);
	free(c->kex);
	free(c->macs);
	free(c->hostkeys);
	free(c->pubkeys);
	*c = (struct ssh_conf){ 0 };
}
