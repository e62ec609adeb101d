/* What a host's variables come to: the server it is, and whether it can be reached as they want. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "child/jump.h"
#include "fleet/inv_inside.h"

static void server_unusable(struct server *s, const struct value *v, const char *why, const char *shown)
{
	char *safe;

	if (s->unusable != NULL)
		return;
	safe = text_escaped(shown, strlen(shown), 60);
	s->unusable = mem_printf("%s:%d: %s%s%s", v->file, v->line, why, safe[0] != '\0' ? ": " : "", safe);
	free(safe);
}

/* The text of a variable; NULL where it is unset, empty, or cannot be known here. */
static const char *server_text(struct server *s, const struct node *h, enum inv_var var)
{
	const struct value *v = h->set[var];

	if (v == NULL || v->text[0] == '\0')
		return NULL;
	if (v->sealed || strncmp(v->text, "$ANSIBLE_VAULT", 14) == 0)
		server_unusable(s, v, _("a vault value, which cannot be read here"), "");
	else if (strstr(v->text, "{{") != NULL || strstr(v->text, "{%") != NULL)
		server_unusable(s, v, _("a Jinja expression, which cannot be worked out here"), v->text);
	else
		return v->text;
	return NULL;
}

static bool word_is(const char *s, const char *const words[])
{
	for (; *words != NULL; words++)
		if (strcasecmp(s, *words) == 0)
			return true;
	return false;
}

/* Options that change nothing here: sev1 has its own times, and checks host keys always. */
static bool args_harmless(const char *option)
{
	static const char *const names[] = { "ControlMaster", "ControlPath", "ControlPersist", "ConnectTimeout",
		"ConnectionAttempts", "ServerAliveInterval", "ServerAliveCountMax", "TCPKeepAlive", "Compression",
		"ForwardAgent", "LogLevel", "BatchMode", "StrictHostKeyChecking", "PreferredAuthentications",
		"PasswordAuthentication", "IdentitiesOnly", "ForwardX11", NULL };
	char *name = mem_strndup(option, strcspn(option, "= \t"));
	bool ok = word_is(name, names) || strcasecmp(option, "UserKnownHostsFile=/dev/null") == 0;

	free(name);
	return ok;
}

/* One -o KEY=VALUE. */
static void args_option(struct server *s, const struct value *v, const char *option)
{
	const char *value = option + strcspn(option, "= \t");
	char *jump = NULL;

	value += strspn(value, "= \t");
	if (strncasecmp(option, "ProxyJump", 9) == 0)
		jump = mem_strdup(value);
	else if (strncasecmp(option, "ProxyCommand", 12) == 0)
		jump = jump_of_command(value);
	else if (args_harmless(option))
		return;
	if (jump != NULL && jump_is_chain(jump)) {
		free(s->jump);
		s->jump = jump;
		return;
	}
	free(jump);
	server_unusable(s, v, _("an ssh option that sev1 does not know how to honour"), option);
}

/* The next word of a command line; quotes anywhere in it go. Owned by the caller, NULL at the end. */
static char *args_word(const char **at)
{
	struct buf b = { 0 };
	const char *p = *at + strspn(*at, " \t");
	char quote = 0;

	if (*p == '\0')
		return NULL;
	for (; *p != '\0' && (quote != 0 || strchr(" \t", *p) == NULL); p++) {
		if (quote == 0 && (*p == '"' || *p == '\''))
			quote = *p;
		else if (*p == quote)
			quote = 0;
		else
			buf_addc(&b, *p);
	}
	*at = p;
	return buf_take(&b);
}

static void server_args(struct server *s, const struct node *h, enum inv_var var)
{
	const char *at = server_text(s, h, var), *value;
	char *word, *next;

	for (; at != NULL && (word = args_word(&at)) != NULL; free(word)) {
		if (strcmp(word, "-q") == 0 || strcmp(word, "-C") == 0 || strcmp(word, "-A") == 0 || strcmp(word, "-T") == 0)
			continue;
		next = (word[0] == '-' && strchr("oJ", word[1]) != NULL && word[2] == '\0') ? args_word(&at) : NULL;
		value = next != NULL ? next : word[0] == '-' && word[1] != '\0' ? word + 2 : "";
		if (strncmp(word, "-o", 2) == 0) {
			args_option(s, h->set[var], value);
		} else if (strncmp(word, "-J", 2) == 0 && jump_is_chain(value)) {
			free(s->jump);
			s->jump = mem_strdup(value);
		} else {
			server_unusable(s, h->set[var], _("an ssh option that sev1 does not know how to honour"), word);
		}
		free(next);
	}
}

/* ssh itself, wherever it lies. */
static void server_executable(struct server *s, const struct node *h)
{
	const char *text = server_text(s, h, INV_EXECUTABLE), *slash = text != NULL ? strrchr(text, '/') : NULL;

	if (text != NULL && strcmp(slash != NULL ? slash + 1 : text, "ssh") != 0)
		server_unusable(s, h->set[INV_EXECUTABLE], _("reached by a program of its own"), text);
}

static void server_become(struct server *s, const struct node *h)
{
	static const char *const yes[] = { "yes", "true", "on", "1", "y", "t", NULL };
	static const char *const no[] = { "no", "false", "off", "0", "n", "f", NULL };
	const char *become = server_text(s, h, INV_BECOME), *how;

	s->sudo = become == NULL ? -1 : word_is(become, yes);
	if (become != NULL && s->sudo == 0 && !word_is(become, no))
		server_unusable(s, h->set[INV_BECOME], _("neither yes nor no"), become);
	if (s->sudo != 1)
		return;
	if ((how = server_text(s, h, INV_BECOME_METHOD)) != NULL && strcmp(how, "sudo") != 0)
		server_unusable(s, h->set[INV_BECOME_METHOD], _("sev1 becomes root with sudo only, not with"), how);
	if ((how = server_text(s, h, INV_BECOME_USER)) != NULL && strcmp(how, "root") != 0)
		server_unusable(s, h->set[INV_BECOME_USER], _("sev1 becomes root only, not"), how);
}

/* shown of a value is not what it should be; it may be that of fifty hosts. */
static void server_bad(struct inv *in, struct value *v, const char *what, const char *shown)
{
	if (!v->told)
		inv_error(in, v->file, v->line, what, shown);
	v->told = true;
}

static void server_port(struct inv *in, struct server *s, const struct node *h)
{
	const char *text = server_text(s, h, INV_PORT);
	char *end;
	long n;

	if (text == NULL)
		return;
	n = strtol(text, &end, 10);
	if (text[strspn(text, "0123456789")] != '\0' || n < 1 || n > 65535)
		server_bad(in, h->set[INV_PORT], _("not a port"), text);
	else
		s->port = (int)n;
}

/* "~/x" lies in our home, "x" beside the inventory. */
static char *server_path(const struct inv *in, const char *s)
{
	const struct passwd *pw = s[0] == '~' && s[1] == '/' ? getpwuid(geteuid()) : NULL;

	if (pw != NULL)
		return mem_printf("%s%s", pw->pw_dir, s + 1);
	return s[0] == '/' ? mem_strdup(s) : mem_printf("%s%s", in->folder, s);
}

static void server_names(struct inv *in, struct server *s, const struct node *h)
{
	const char *v = server_text(s, h, INV_NAMES);
	struct value *set = h->set[INV_NAMES];
	bool told = set != NULL && set->told;
	size_t n;

	for (; v != NULL && *(v += strspn(v, " \t;,")) != '\0'; v += n) {
		n = strcspn(v, " \t;,");
		s->names = mem_grow(s->names, s->count + 1, sizeof *s->names);
		s->names[s->count++] = mem_strndup(v, n);
		if (text_is_host(s->names[s->count - 1], true))
			continue;
		set->told = told; /* each of one value's names, but once */
		server_bad(in, set, _("not a name for a certificate"), s->names[s->count - 1]);
	}
	if (s->count == 0) {
		s->names = mem_grow(s->names, 1, sizeof *s->names);
		s->names[s->count++] = mem_strdup(s->name);
	}
}

static void server_connection(struct server *s, const struct node *h)
{
	static const char *const ssh[] = { "ssh", "smart", "paramiko", "paramiko_ssh", "ansible.builtin.ssh",
		"ansible.builtin.paramiko_ssh", NULL };
	const char *how = server_text(s, h, INV_CONNECTION);

	if (how == NULL || word_is(how, ssh))
		return;
	server_unusable(s, h->set[INV_CONNECTION], _("not reached over SSH but by"), how);
	s->apart = true;
}

/* A value that must be a word, for nothing else is safe in a command; what says what it is not. NULL: it is not set. */
static char *server_word(struct inv *in, struct server *s, const struct node *h, enum inv_var var, const char *what)
{
	const char *text = server_text(s, h, var);

	if (text != NULL && !text_is_word(text))
		server_bad(in, h->set[var], what, text);
	return text != NULL ? mem_strdup(text) : NULL;
}

static void server_make(struct inv *in, const struct node *h, struct server *s)
{
	const char *text;

	*s = (struct server){ .name = mem_strdup(h->name), .line = h->line };
	server_connection(s, h);
	if ((text = server_text(s, h, INV_ADDRESS)) != NULL) {
		size_t n = strlen(text);
		s->address = mem_strndup(text, n > 1 && text[n - 1] == '.' ? n - 1 : n); /* the root's dot, as in names */
		if (!text_is_host(s->address, false))
			server_bad(in, h->set[INV_ADDRESS], _("not an address"), text);
	}
	s->user = server_word(in, s, h, INV_USER, _("not a user name"));
	s->profile = server_word(in, s, h, INV_PROFILE, _("not the name of a profile"));
	server_port(in, s, h);
	server_names(in, s, h);
	if ((text = server_text(s, h, INV_IDENTITY)) != NULL)
		s->identity = server_path(in, text);
	server_executable(s, h);
	server_args(s, h, INV_SSH_ARGS);
	server_args(s, h, INV_COMMON_ARGS);
	server_args(s, h, INV_EXTRA_ARGS);
	server_become(s, h);
}

/* A password is never given: one note for all, where the first stands. */
static void passwords_note(struct inv *in, enum inv_var var, const char *what)
{
	const struct value *first = NULL;

	for (size_t i = 0; i < in->hosts && first == NULL; i++)
		if (!in->out->server[i].apart)
			first = in->host[i].set[var];
	if (first != NULL)
		inv_note(in, first->file, first->line, what, "");
}

void inv_servers_make(struct inv *in)
{
	in->out->server = mem_zalloc(in->hosts, sizeof *in->out->server);
	for (size_t i = 0; i < in->hosts; i++)
		server_make(in, &in->host[i], &in->out->server[in->out->servers++]);
	passwords_note(in, INV_PASSWORD, _("a password for SSH, never given: sev1 logs in with a key"));
	passwords_note(in, INV_BECOME_PASSWORD, _("a password for sudo, never given: sudo must work without (NOPASSWD)"));
}
