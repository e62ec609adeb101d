/* What each host's variables come to: group_vars and host_vars read, groups in ansible's order, then what the
 * values mean for a connection. */
#include <ctype.h>
#include <dirent.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"
#include "child/jump.h"
#include "fleet/inv_inside.h"

#define VARS_FILE_MAX (4u << 20)
#define DEPTH_MAX 64

/* ---- group_vars and host_vars ---- */

static int vars_file(struct inv *in, const char *path, const struct value **set)
{
	const char *file = inv_file(in, path);
	struct buf b = { 0 };
	int rc = fs_read(path, &b, VARS_FILE_MAX, in->e);

	if (rc == 0 && b.len >= 14 && strncmp(b.data, "$ANSIBLE_VAULT", 14) == 0)
		inv_note(in, file, 1, _("encrypted with ansible-vault; not read"), "");
	else if (rc == 0)
		rc = inv_yaml_vars(in, buf_str(&b), b.len, file, set);
	buf_free(&b);
	return rc;
}

static int vars_filter(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && d->d_name[n - 1] != '~';
}

/* The endings that a file of variables may have, in ansible's order. */
static const char *const vars_ending[] = { "", ".yml", ".yaml", ".json" };
#define VARS_ENDINGS (sizeof vars_ending / sizeof vars_ending[0])

static bool vars_is_file(const char *path)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash != NULL ? slash : path, '.');

	for (size_t i = 0; i < VARS_ENDINGS; i++)
		if (strcmp(dot != NULL ? dot : "", vars_ending[i]) == 0)
			return true;
	return false;
}

static int vars_path(struct inv *in, const char *path, const struct value **set, int depth);

/* One of a folder's: a folder without an ending in its name, a file with one that ansible knows. */
static int vars_below(struct inv *in, const char *path, const struct value **set, int depth)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (stat(path, &st) < 0) {
		inv_note(in, inv_file(in, path), 1, _("a link to nothing; not read"), "");
		return 0;
	}
	if (S_ISDIR(st.st_mode) ? strchr(slash, '.') == NULL && depth < 8 : vars_is_file(path))
		return vars_path(in, path, set, depth);
	return 0;
}

/* A file, or a folder with all that lies in it, in the order of its names. */
static int vars_path(struct inv *in, const char *path, const struct value **set, int depth)
{
	struct dirent **list;
	struct stat st;
	int n, rc = 0;

	if (stat(path, &st) < 0)
		return err_sys(in->e, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return vars_file(in, path, set);
	if ((n = scandir(path, &list, vars_filter, alphasort)) < 0)
		return err_sys(in->e, "%s", path);
	for (int i = 0; i < n; i++) {
		char *below = fs_join(path, list[i]->d_name);
		rc = rc == 0 ? vars_below(in, below, set, depth + 1) : rc;
		free(below);
		free(list[i]);
	}
	free(list);
	return rc;
}

/* The host or group whose variables FILE has, "NAME" and an ending; NULL: none, or they are read already. */
static struct node *vars_owner(struct inv *in, const char *file, const char *ending, bool groups)
{
	size_t len = strlen(file), less = strlen(ending), at;
	struct node *owner = NULL;
	char *name, *key;

	if (len <= less || strcmp(file + len - less, ending) != 0)
		return NULL;
	name = mem_strndup(file, len - less);
	key = mem_strdup(name);
	for (char *p = key; !groups && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if ((at = dict_get(groups ? &in->by_group : &in->by_host, key)) != DICT_NONE)
		owner = groups ? &in->group[at] : &in->host[at];
	if (owner != NULL && (owner->read || strcmp(owner->name, name) != 0))
		owner = NULL;
	free(name);
	free(key);
	return owner;
}

/* The names that lie in FOLDER/group_vars or host_vars, each given to its node; of NAME, NAME.yml ... the first. */
static int vars_folder(struct inv *in, const char *which, bool groups)
{
	char *folder = mem_printf("%s%s", in->folder, which);
	struct dirent **list = NULL;
	int n = fs_exists(folder) ? scandir(folder, &list, vars_filter, alphasort) : 0, rc = 0;

	if (n < 0)
		rc = err_sys(in->e, "%s", folder);
	for (size_t k = 0; k < VARS_ENDINGS; k++) {
		for (int i = 0; i < n && rc == 0; i++) {
			struct node *owner = vars_owner(in, list[i]->d_name, vars_ending[k], groups);
			char *path = fs_join(folder, list[i]->d_name);
			if (owner != NULL) {
				owner->read = true;
				rc = vars_path(in, path, owner->set, 0);
			}
			free(path);
		}
	}
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	free(folder);
	return rc;
}

/* ---- groups ---- */

/* The longest way from "all" down to each group. */
static int group_depth(struct inv *in, size_t at, int depth)
{
	struct node *g = &in->group[at];
	int rc = 0;

	if (g->busy || depth > DEPTH_MAX)
		return inv_error(in, g->file, g->line, _("a group below itself"), g->name);
	if (g->depth >= depth)
		return 0;
	g->depth = depth;
	g->busy = true;
	for (size_t i = 0; rc == 0 && i < g->children; i++)
		rc = group_depth(in, g->child[i], depth + 1);
	in->group[at].busy = false;
	return rc;
}

static int group_tree(struct inv *in)
{
	bool *below = mem_zalloc(in->groups, sizeof *below);
	int rc;

	for (size_t g = 1; g < in->groups; g++)
		for (size_t i = 0; i < in->group[g].children; i++)
			below[in->group[g].child[i]] = true;
	for (size_t g = 1; g < in->groups; g++)
		if (!below[g])
			inv_group_child(in, 0, g);
	free(below);
	rc = group_depth(in, 0, 0);
	/* Groups in a ring hang below nothing. */
	for (size_t g = 1; rc == 0 && g < in->groups; g++)
		if (in->group[g].depth < 0)
			rc = inv_error(in, in->group[g].file, in->group[g].line, _("a group below itself"), in->group[g].name);
	return rc;
}

/* Mark all hosts of a group and of those below it; seen has a place for each group. */
static void group_mark(const struct inv *in, size_t at, bool *member, bool *seen)
{
	const struct node *g = &in->group[at];

	if (seen[at])
		return;
	seen[at] = true;
	for (size_t i = 0; i < g->hosts; i++)
		member[g->host[i]] = true;
	for (size_t i = 0; i < g->children; i++)
		group_mark(in, g->child[i], member, seen);
}

static bool *group_members(const struct inv *in, size_t at)
{
	bool *member = mem_zalloc(in->hosts, sizeof *member), *seen = mem_zalloc(in->groups, sizeof *seen);

	group_mark(in, at, member, seen);
	if (at == 0)
		memset(member, true, in->hosts * sizeof *member);
	free(seen);
	return member;
}

struct order {
	const struct inv *in;
	size_t group;
};

static int order_compare(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	const struct node *g = &x->in->group[x->group], *h = &y->in->group[y->group];

	return g->depth != h->depth ? g->depth - h->depth : strcmp(g->name, h->name);
}

static bool vars_any(const struct value *const *var)
{
	for (int v = 0; v < INV_VARS; v++)
		if (var[v] != NULL)
			return true;
	return false;
}

/* Where from is set, it wins over what to had. */
static void vars_over(const struct value **to, const struct value *const *from)
{
	for (int v = 0; v < INV_VARS; v++)
		if (from[v] != NULL)
			to[v] = from[v];
}

/* The inventory's group variables from "all" downwards, then those of group_vars, then the host's own; ansible's
 * "variable precedence". files has what host_vars says. */
static void vars_settle(struct inv *in)
{
	struct order *order = mem_zalloc(in->groups, sizeof *order);
	const struct value **files = mem_zalloc(in->hosts, sizeof(struct value *) * INV_VARS);

	for (size_t i = 0; i < in->hosts; i++) {
		memcpy(files + i * INV_VARS, in->host[i].set, sizeof in->host[i].set);
		memset(in->host[i].set, 0, sizeof in->host[i].set);
	}
	for (size_t g = 0; g < in->groups; g++)
		order[g] = (struct order){ in, g };
	qsort(order, in->groups, sizeof *order, order_compare);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t k = 0; k < in->groups; k++) {
			const struct node *g = &in->group[order[k].group];
			const struct value *const *var = pass == 0 ? g->var : g->set;
			bool *member = vars_any(var) ? group_members(in, order[k].group) : NULL;
			for (size_t i = 0; member != NULL && i < in->hosts; i++)
				if (member[i])
					vars_over(in->host[i].set, var);
			free(member);
		}
	}
	for (size_t i = 0; i < in->hosts; i++) {
		vars_over(in->host[i].set, in->host[i].var);
		vars_over(in->host[i].set, files + i * INV_VARS);
	}
	free(files);
	free(order);
}

/* ---- what they mean ---- */

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

static int server_bad(struct inv *in, const struct value *v, const char *what)
{
	return inv_error(in, v->file, v->line, what, v->text);
}

static int server_port(struct inv *in, struct server *s, const struct node *h)
{
	const char *text = server_text(s, h, INV_PORT);
	char *end;
	long n;

	if (text == NULL)
		return 0;
	n = strtol(text, &end, 10);
	if (text[strspn(text, "0123456789")] != '\0' || n < 1 || n > 65535)
		return server_bad(in, h->set[INV_PORT], _("not a port"));
	s->port = (int)n;
	return 0;
}

/* "~/x" lies in our home, "x" beside the inventory. */
static char *server_path(const struct inv *in, const char *s)
{
	const struct passwd *pw = s[0] == '~' && s[1] == '/' ? getpwuid(geteuid()) : NULL;

	if (pw != NULL)
		return mem_printf("%s%s", pw->pw_dir, s + 1);
	return s[0] == '/' ? mem_strdup(s) : mem_printf("%s%s", in->folder, s);
}

static int server_names(struct inv *in, struct server *s, const struct node *h)
{
	const char *v = server_text(s, h, INV_NAMES);
	size_t n;

	for (; v != NULL && *(v += strspn(v, " \t;,")) != '\0'; v += n) {
		n = strcspn(v, " \t;,");
		s->names = mem_grow(s->names, s->count + 1, sizeof *s->names);
		s->names[s->count++] = mem_strndup(v, n);
		if (!text_is_host(s->names[s->count - 1], true))
			return inv_error(in, h->set[INV_NAMES]->file, h->set[INV_NAMES]->line,
			    _("not a name for a certificate"), s->names[s->count - 1]);
	}
	if (s->count == 0) {
		s->names = mem_grow(s->names, 1, sizeof *s->names);
		s->names[s->count++] = mem_strdup(s->name);
	}
	return 0;
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

static int server_make(struct inv *in, const struct node *h, struct server *s)
{
	const char *text;
	int rc;

	*s = (struct server){ .name = mem_strdup(h->name), .line = h->line };
	server_connection(s, h);
	if ((text = server_text(s, h, INV_ADDRESS)) != NULL) {
		size_t n = strlen(text);
		s->address = mem_strndup(text, n > 1 && text[n - 1] == '.' ? n - 1 : n); /* the root's dot, as in names */
		if (!text_is_host(s->address, false))
			return server_bad(in, h->set[INV_ADDRESS], _("not an address"));
	}
	if ((text = server_text(s, h, INV_USER)) != NULL) {
		if (!text_is_word(text))
			return server_bad(in, h->set[INV_USER], _("not a user name"));
		s->user = mem_strdup(text);
	}
	if ((text = server_text(s, h, INV_PROFILE)) != NULL) {
		if (!text_is_word(text))
			return server_bad(in, h->set[INV_PROFILE], _("not the name of a profile"));
		s->profile = mem_strdup(text);
	}
	if ((rc = server_port(in, s, h)) < 0 || (rc = server_names(in, s, h)) < 0)
		return rc;
	if ((text = server_text(s, h, INV_IDENTITY)) != NULL)
		s->identity = server_path(in, text);
	server_executable(s, h);
	server_args(s, h, INV_SSH_ARGS);
	server_args(s, h, INV_COMMON_ARGS);
	server_args(s, h, INV_EXTRA_ARGS);
	server_become(s, h);
	return 0;
}

static int group_by_name(const void *a, const void *b)
{
	return strcmp(((const struct server_group *)a)->name, ((const struct server_group *)b)->name);
}

static void groups_show(struct inv *in)
{
	struct inventory *out = in->out;

	for (size_t g = 1; g < in->groups; g++) {
		if (strcmp(in->group[g].name, "ungrouped") == 0)
			continue;
		bool *member = group_members(in, g);
		struct server_group made = { .name = NULL };
		for (size_t i = 0; i < in->hosts; i++)
			if (member[i]) {
				made.server = mem_grow(made.server, made.servers + 1, sizeof *made.server);
				made.server[made.servers++] = i;
			}
		free(member);
		if (made.servers == 0)
			continue;
		made.name = mem_strdup(in->group[g].name);
		out->group = mem_grow(out->group, out->groups + 1, sizeof *out->group);
		out->group[out->groups++] = made;
	}
	if (out->groups > 0)
		qsort(out->group, out->groups, sizeof *out->group, group_by_name);
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

/* A group that only stands below another, or only has variables, is a slip of the pen. */
static int groups_check(struct inv *in)
{
	for (size_t i = 1; i < in->groups; i++) {
		const struct node *g = &in->group[i];
		if (!g->declared && strcmp(g->name, "ungrouped") != 0)
			return inv_error(in, g->file, g->line, _("a group that has no heading of its own"), g->name);
	}
	return 0;
}

int inv_resolve(struct inv *in)
{
	int rc = 0;

	if (in->loose && ((rc = groups_check(in)) < 0 || (rc = group_tree(in)) < 0 ||
	    (rc = vars_folder(in, "group_vars", true)) < 0 || (rc = vars_folder(in, "host_vars", false)) < 0))
		return rc;
	vars_settle(in);
	in->out->server = mem_zalloc(in->hosts, sizeof *in->out->server);
	for (size_t i = 0; rc == 0 && i < in->hosts; i++)
		rc = server_make(in, &in->host[i], &in->out->server[in->out->servers++]);
	if (rc < 0)
		return rc;
	groups_show(in);
	passwords_note(in, INV_PASSWORD, _("a password for SSH, never given: sev1 logs in with a key"));
	passwords_note(in, INV_BECOME_PASSWORD, _("a password for sudo, never given: sudo must work without (NOPASSWD)"));
	return rc;
}
