/* An inventory in the making, and what it is made of. */
#include "fleet/inventory.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"
#include "fleet/inv_inside.h"

#define INVENTORY_MAX (32u << 20)

int inv_error(struct inv *in, const char *file, int line, const char *what, const char *shown)
{
	char *safe = text_escaped(shown, strlen(shown), 80);
	int rc = err_set(in->e, ERR_SYNTAX, "%s:%d: %s%s%s", file, line, what, safe[0] != '\0' ? ": " : "", safe);

	free(safe);
	return rc;
}

void inv_note(struct inv *in, const char *file, int line, const char *what, const char *shown)
{
	struct inventory *out = in->out;
	char *safe = text_escaped(shown, strlen(shown), 80);

	out->note = mem_grow(out->note, out->notes + 1, sizeof *out->note);
	out->note[out->notes++] = mem_printf("%s:%d: %s%s%s", file, line, what, safe[0] != '\0' ? ": " : "", safe);
	free(safe);
}

enum inv_var inv_var_find(const char *name)
{
	static const struct {
		const char *name;
		enum inv_var var;
	} known[] = {
		{ "ansible_host", INV_ADDRESS }, { "ansible_ssh_host", INV_ADDRESS },
		{ "ansible_port", INV_PORT }, { "ansible_ssh_port", INV_PORT },
		{ "ansible_user", INV_USER }, { "ansible_ssh_user", INV_USER },
		{ "ansible_ssh_private_key_file", INV_IDENTITY }, { "ansible_private_key_file", INV_IDENTITY },
		{ "ansible_ssh_common_args", INV_COMMON_ARGS }, { "ansible_ssh_extra_args", INV_EXTRA_ARGS },
		{ "ansible_connection", INV_CONNECTION }, { "ansible_become", INV_BECOME },
		{ "ansible_become_method", INV_BECOME_METHOD }, { "ansible_become_user", INV_BECOME_USER },
		{ "ansible_ssh_args", INV_SSH_ARGS }, { "ansible_ssh_executable", INV_EXECUTABLE },
		{ "ansible_password", INV_PASSWORD }, { "ansible_ssh_pass", INV_PASSWORD },
		{ "ansible_ssh_password", INV_PASSWORD }, { "ansible_become_password", INV_BECOME_PASSWORD },
		{ "ansible_become_pass", INV_BECOME_PASSWORD },
		{ "sev1_names", INV_NAMES }, { "sev1_profile", INV_PROFILE },
	};

	if (name[0] == 'a' || name[0] == 's')
		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
			if (strcmp(known[i].name, name) == 0)
				return known[i].var;
	return INV_VARS;
}

struct value *inv_value(struct inv *in, const char *text, size_t len, const char *file, int line)
{
	struct value *v = mem_alloc(sizeof *v);

	*v = (struct value){ .next = in->values, .text = mem_strndup(text, len), .file = file, .line = line };
	in->values = v;
	return v;
}

const char *inv_file(struct inv *in, const char *path)
{
	in->file = mem_grow(in->file, in->files + 1, sizeof *in->file);
	return in->file[in->files++] = mem_strdup(path);
}

static size_t *list_add(size_t *list, size_t *n, size_t value)
{
	list = mem_grow(list, *n + 1, sizeof *list);
	list[(*n)++] = value;
	return list;
}

static bool list_has(const size_t *list, size_t n, size_t value)
{
	while (n > 0)
		if (list[--n] == value)
			return true;
	return false;
}

size_t inv_group(struct inv *in, const char *name, const char *file, int line)
{
	size_t i = dict_get(&in->by_group, name);

	if (i != DICT_NONE)
		return i;
	i = in->groups;
	in->group = mem_grow(in->group, i + 1, sizeof *in->group);
	in->group[i] = (struct node){ .name = mem_strdup(name), .file = file, .line = line, .depth = -1 };
	in->groups++;
	dict_put(&in->by_group, in->group[i].name, i);
	return i;
}

void inv_group_child(struct inv *in, size_t group, size_t child)
{
	struct node *g = &in->group[group];

	if (!list_has(g->child, g->children, child))
		g->child = list_add(g->child, &g->children, child);
}

/* ---- hosts ---- */

struct adding {
	struct inv *in;
	size_t group;
	const struct value *const *var;
	const char *file;
	int line;
};

static size_t host_new(struct adding *a, const char *name, char *key)
{
	struct inv *in = a->in;
	size_t i = in->hosts++;

	in->host = mem_grow(in->host, in->hosts, sizeof *in->host);
	in->host[i] = (struct node){ .name = mem_strdup(name), .key = key, .file = a->file, .line = a->line };
	dict_put(&in->by_host, key, i);
	return i;
}

/* "line 7", of another file "FILE:7"; owned by the caller. */
static char *place_of(const struct adding *a, const char *file, int line)
{
	return strcmp(file, a->file) == 0 ? mem_printf(_("line %d"), line) : mem_printf("%s:%d", file, line);
}

/* The host is there already. */
static int host_again(const struct adding *a, const struct node *h, const char *name)
{
	char *what, *place;
	int rc;

	if (a->in->loose && (h->block != a->in->block || !list_has(h->child, h->children, a->group)))
		return 0;
	place = place_of(a, h->file, h->line);
	what = mem_printf(_("this host stands in %s already"), place);
	inv_error(a->in, a->file, a->line, what, name);
	rc = err_remedy(a->in->e, _("leave one; two servers need two names, and what they are reached by as their address"));
	free(what);
	free(place);
	return rc;
}

/* Two addresses for one host: which one is it? */
static int host_contradicts(const struct adding *a, const struct node *h, enum inv_var v)
{
	char *what, *safe, *place;
	int rc;

	if ((v != INV_ADDRESS && v != INV_PORT) || h->var[v] == NULL || strcmp(h->var[v]->text, a->var[v]->text) == 0)
		return 0;
	safe = text_escaped(h->var[v]->text, strlen(h->var[v]->text), 60);
	place = place_of(a, h->var[v]->file, h->var[v]->line);
	what = mem_printf(_("%s is at %s in %s already, and here at"), h->name, safe, place);
	rc = inv_error(a->in, a->file, a->line, what, a->var[v]->text);
	free(place);
	free(what);
	free(safe);
	return rc;
}

/* A name or an address; "10.0.0.1-20" and "10.1" only look like them. */
static bool host_is_usable(const char *name)
{
	struct in_addr v4;

	return text_is_host(name, false) &&
	    (name[strspn(name, "0123456789.-")] != '\0' || strchr(name, '.') == NULL || inet_pton(AF_INET, name, &v4) == 1);
}

static int host_take(void *ctx, const char *name)
{
	struct adding *a = ctx;
	struct inv *in = a->in;
	char *key = mem_strdup(name);
	struct node *h, *g;
	size_t i;
	int rc = 0;

	for (char *p = key; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if (!host_is_usable(name)) {
		free(key);
		inv_error(in, a->file, a->line, _("not a host name or address"), name);
		return err_remedy(in->e, _("a host stands as [USER@]NAME[:PORT]; a name as the DNS has it (xn--...), IPv6 with "
		    "a port in brackets, many as web[01:50]"));
	}
	if ((i = dict_get(&in->by_host, key)) == DICT_NONE) {
		i = host_new(a, name, key);
	} else {
		free(key);
		if ((rc = host_again(a, &in->host[i], name)) < 0)
			return rc;
	}
	h = &in->host[i];
	for (int v = 0; rc == 0 && v < INV_VARS; v++)
		if (a->var[v] != NULL && (rc = host_contradicts(a, h, (enum inv_var)v)) == 0)
			h->var[v] = a->var[v];
	g = &in->group[a->group];
	h->block = in->block;
	if (!list_has(h->child, h->children, a->group)) {
		h->child = list_add(h->child, &h->children, a->group);
		g->host = list_add(g->host, &g->hosts, i);
	}
	return rc;
}

/* "name:2222" has its port behind a colon that is not within brackets; NULL where there is none. Cuts it off. */
static char *target_port(char *name)
{
	char *colon = strrchr(name, ':'), *close = strrchr(name, ']');

	if (colon == NULL || text_is_host(name, false) || (close != NULL && close > colon) ||
	    colon[1 + strspn(colon + 1, "0123456789")] != '\0' || colon[1] == '\0')
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* "[2001:db8::1]" is an address and no range; "web01.example.com." is the name without its root. */
static char *target_plain(char *name)
{
	size_t n = strlen(name);

	if (n > 3 && name[0] == '[' && name[n - 1] == ']' && strchr(name, ':') != strrchr(name, ':')) {
		name[n - 1] = '\0';
		if (text_is_host(name + 1, false))
			return name + 1;
		name[n - 1] = ']';
	}
	if (n > 1 && name[n - 1] == '.')
		name[n - 1] = '\0';
	return name;
}

/* Take [USER@]NAME[:PORT] apart, as ssh, pdsh and ansible write it; what stands behind the name goes for more. */
static int target_split(const struct adding *a, char *target, const struct value **own, char **name)
{
	char *at = strrchr(target, '@'), *port;

	*name = target;
	if (at != NULL) {
		*at = '\0';
		if (!text_is_word(target)) {
			*at = '@'; /* host_take says that it is no name */
			return 0;
		}
		if (own[INV_USER] != NULL && strcmp(own[INV_USER]->text, target) != 0)
			return inv_error(a->in, a->file, a->line, _("another user stands before the name"), target);
		own[INV_USER] = inv_value(a->in, target, (size_t)(at - target), a->file, a->line);
		*name = at + 1;
	}
	if ((port = target_port(*name)) != NULL && own[INV_PORT] == NULL)
		own[INV_PORT] = inv_value(a->in, port, strlen(port), a->file, a->line);
	*name = target_plain(*name);
	return 0;
}

/* A name, or a range of them. */
static int target_take(struct adding *a, const char *pattern)
{
	struct err why = { 0 };
	int rc;

	if (strchr(pattern, '[') == NULL ||
	    pattern[strspn(pattern, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:,[]")] != '\0')
		return host_take(a, pattern);
	if ((rc = inventory_range(pattern, host_take, a, &why)) < 0 && why.code != 0) {
		rc = err_set(a->in->e, why.code, "%s:%d: %s", a->file, a->line, why.text);
		err_remedy(a->in->e, "%s", why.remedy);
	}
	return rc;
}

int inv_host_add(struct inv *in, size_t group, const char *target, const struct value *const *var,
    const char *file, int line)
{
	const struct value *own[INV_VARS] = { NULL };
	struct adding a = { in, group, own, file, line };
	char *copy = mem_strdup(target), *name;
	int rc;

	if (var != NULL)
		memcpy(own, var, sizeof own);
	if ((rc = target_split(&a, copy, own, &name)) == 0)
		rc = target_take(&a, name);
	free(copy);
	return rc;
}

/* ---- reading ---- */

static void node_clear(struct node *n)
{
	free(n->name);
	free(n->key);
	free(n->host);
	free(n->child);
	free(n->member);
}

static void inv_clear(struct inv *in)
{
	struct value *next;

	for (size_t i = 0; i < in->hosts; i++)
		node_clear(&in->host[i]);
	for (size_t i = 0; i < in->groups; i++)
		node_clear(&in->group[i]);
	for (size_t i = 0; i < in->files; i++)
		free(in->file[i]);
	for (struct value *v = in->values; v != NULL; v = next) {
		next = v->next;
		free(v->text);
		free(v);
	}
	dict_free(&in->by_host);
	dict_free(&in->by_group);
	free(in->host);
	free(in->group);
	free(in->file);
	free(in->folder);
}

static bool path_ends(const char *path, const char *ending)
{
	size_t n = strlen(path), m = strlen(ending);

	return n > m && strcasecmp(path + n - m, ending) == 0;
}

size_t inv_line_next(const char **at, const char *end, const char **line)
{
	size_t n = 0;

	while (*at < end && n == 0) {
		const char *nl = memchr(*at, '\n', (size_t)(end - *at)), *stop = nl != NULL ? nl : end;
		for (*line = *at; *line < stop && isspace((unsigned char)**line); (*line)++)
			;
		for (n = (size_t)(stop - *line); n > 0 && isspace((unsigned char)(*line)[n - 1]); n--)
			;
		if (n > 0 && (**line == '#' || **line == ';'))
			n = 0;
		*at = stop + (nl != NULL);
	}
	return n;
}

/* "[group]" or "[group:vars]", perhaps with a comment behind; "name key=value". */
static bool line_is_ini(const char *s, size_t n)
{
	const char *close = memchr(s, ']', n), *eq = memchr(s, '=', n);
	size_t word = 0;

	if (*s == '[' && close != NULL) {
		size_t after = (size_t)(close - s) + 1;
		while (after < n && isspace((unsigned char)s[after]))
			after++;
		return after == n || s[after] == '#' || s[after] == ';';
	}
	while (word < n && !isspace((unsigned char)s[word]))
		word++;
	return eq != NULL && (size_t)(eq - s) > word;
}

/* "all:", and no IPv6 address. */
static bool line_is_key(const char *s)
{
	size_t n = strcspn(s, ": \t");

	return n > 0 && s[n] == ':' && !text_is_host(s, false) &&
	    (s[n + 1] == '\0' || s[n + 1 + strspn(s + n + 1, " \t")] == '#');
}

/* A CSV header: a field of several says "host" (or "hostname", which is refused by name). */
static bool line_is_header(const char *s)
{
	size_t n = strcspn(s, ",;\t"), word;
	bool host = false, several = s[n] != '\0';

	while (several && !host && *s != '\0') {
		s += strspn(s, " \"");
		n = strcspn(s, ",;\t");
		word = strcspn(s, "\" ,;\t");
		host = (word == 4 && strncasecmp(s, "host", 4) == 0) || (word == 8 && strncasecmp(s, "hostname", 8) == 0);
		s += n + (s[n] != '\0');
	}
	return host;
}

typedef int (*inv_reader)(struct inv *in, const char *text, size_t len);

/* Which reader? The first line decides, but for INI, which may begin as a list does. */
static inv_reader inv_format(const char *path, const char *text, size_t len)
{
	const char *at = text, *line;
	size_t n = inv_line_next(&at, text + len, &line);
	char *first = mem_strndup(n > 0 ? line : "", n);
	inv_reader fn = NULL;

	if (first[0] == '[' && line_is_ini(first, n)) /* whatever the file is called, as ansible has it */
		fn = inv_ini_read;
	else if (path_ends(path, ".yml") || path_ends(path, ".yaml") || path_ends(path, ".json") ||
	    strncmp(first, "---", 3) == 0 || first[0] == '{' || line_is_key(first))
		fn = inv_yaml_read;
	else if (path_ends(path, ".csv") || line_is_header(first) || strcasecmp(first, "host") == 0)
		fn = inv_csv_read;
	else if (path_ends(path, ".ini"))
		fn = inv_ini_read;
	free(first);
	for (; fn == NULL && n > 0; n = inv_line_next(&at, text + len, &line))
		if (line_is_ini(line, n))
			fn = inv_ini_read;
	return fn != NULL ? fn : inv_list_read;
}

/* A program that prints an inventory is not run: it may ask whom it likes, and take its time. */
static int inv_refuse(struct inv *in, const char *text, size_t len)
{
	if (memchr(text, '\0', len) != NULL) {
		err_set(in->e, ERR_SYNTAX, _("%s: holds NUL octets; it is not a text file"), in->path);
		return err_remedy(in->e, _("if it is text in UTF-16: iconv -f UTF-16 -t UTF-8 %s > NEW"), in->path);
	}
	if (path_ends(in->path, ".toml")) {
		err_set(in->e, ERR_SYNTAX, _("%s: an inventory in TOML, which is not read here"), in->path);
		return err_remedy(in->e, _("ansible-inventory -i %s --list --yaml > NEW.yml writes what it says"), in->path);
	}
	if (len > 14 && strncmp(text, "$ANSIBLE_VAULT", 14) == 0) {
		err_set(in->e, ERR_SYNTAX, _("%s:1: the file is encrypted with ansible-vault"), in->path);
		return err_remedy(in->e, _("ansible-vault view %s > NEW writes it out"), in->path);
	}
	if (len > 2 && strncmp(text, "#!", 2) == 0 && memmem(text, len < 64 ? len : 64, "ansible", 7) == NULL) {
		err_set(in->e, ERR_SYNTAX, _("%s:1: a program, not an inventory; it is not run"), in->path);
		return err_remedy(in->e, _("ansible-inventory -i %s --list --yaml > NEW.yml writes what it says"), in->path);
	}
	return 0;
}

static int inv_text(struct inv *in, const char *text, size_t len)
{
	inv_reader reader;
	int rc;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* what spreadsheets put in front */
		text += 3;
		len -= 3;
	}
	if ((rc = inv_refuse(in, text, len)) < 0)
		return rc;
	reader = inv_format(in->path, text, len);
	if (in->loose && reader == inv_list_read) /* one of a folder's */
		reader = inv_ini_read;
	in->loose = in->loose || reader == inv_ini_read || reader == inv_yaml_read;
	return reader(in, text, len);
}

static int inv_file_read(struct inv *in, const char *path)
{
	struct buf b = { 0 };
	int rc = fs_read(path, &b, INVENTORY_MAX, in->e);

	in->path = inv_file(in, path);
	if (rc == 0)
		rc = inv_text(in, buf_str(&b), b.len);
	buf_free(&b);
	return rc;
}

/* What ansible leaves out of a folder: hidden files, variables, and the endings of what is no inventory. */
static int folder_filter(const struct dirent *d)
{
	static const char *const endings[] = { ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig",
		".cfg", ".retry" };
	const char *name = d->d_name;

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
		if (path_ends(name, endings[i]))
			return 0;
	return name[0] != '.' && strcmp(name, "group_vars") != 0 && strcmp(name, "host_vars") != 0 &&
	    strcmp(name, "vars_plugins") != 0;
}

/* All files of a folder are one inventory, in the order of their names. */
static int inv_folder_read(struct inv *in, const char *path, int depth)
{
	struct dirent **list;
	int n = scandir(path, &list, folder_filter, alphasort), rc = 0;

	if (n < 0)
		return err_sys(in->e, "%s", path);
	for (int i = 0; i < n; i++) {
		char *below = fs_join(path, list[i]->d_name);
		struct stat st;
		if (rc == 0 && stat(below, &st) < 0)
			rc = err_sys(in->e, "%s", below);
		else if (rc == 0)
			rc = S_ISDIR(st.st_mode) && depth < 8 ? inv_folder_read(in, below, depth + 1) : inv_file_read(in, below);
		free(below);
		free(list[i]);
	}
	free(list);
	return rc;
}

static void inv_begin(struct inv *in, const char *path, bool folder, struct err *e)
{
	const char *slash = strrchr(path, '/');

	*in = (struct inv){ .path = path, .out = mem_zalloc(1, sizeof *in->out), .loose = folder, .e = e };
	in->out->path = mem_strdup(path);
	in->folder = folder ? mem_printf("%s/", path) : slash != NULL ? mem_strndup(path, (size_t)(slash - path) + 1) :
	    mem_strdup("");
	inv_group(in, "all", path, 0);
}

/* rc: what reading came to. */
static struct inventory *inv_end(struct inv *in, int rc)
{
	struct inventory *out = in->out;

	if (rc == 0 && in->hosts == 0) {
		rc = err_set(in->e, ERR_SYNTAX, _("%s: no host stands in it"), out->path);
		err_remedy(in->e, _("write one host name a line"));
	}
	if (rc == 0)
		rc = inv_resolve(in);
	inv_clear(in);
	if (rc == 0)
		return out;
	inventory_free(out);
	return NULL;
}

struct inventory *inventory_read(const char *text, size_t len, const char *path, struct err *e)
{
	struct inv in;

	inv_begin(&in, path, false, e);
	return inv_end(&in, inv_text(&in, text, len));
}

struct inventory *inventory_load(const char *path, struct err *e)
{
	struct stat st;
	bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	struct inv in;

	inv_begin(&in, path, folder, e);
	return inv_end(&in, folder ? inv_folder_read(&in, path, 0) : inv_file_read(&in, path));
}

static void server_clear(struct server *s)
{
	free(s->name);
	free(s->address);
	free(s->user);
	free(s->identity);
	free(s->jump);
	free(s->profile);
	free(s->unusable);
	for (size_t i = 0; i < s->count; i++)
		free(s->names[i]);
	free(s->names);
}

void inventory_free(struct inventory *inv)
{
	if (inv == NULL)
		return;
	for (size_t i = 0; i < inv->servers; i++)
		server_clear(&inv->server[i]);
	for (size_t i = 0; i < inv->groups; i++) {
		free(inv->group[i].name);
		free(inv->group[i].server);
	}
	for (size_t i = 0; i < inv->notes; i++)
		free(inv->note[i]);
	free(inv->server);
	free(inv->group);
	free(inv->note);
	free(inv->path);
	free(inv);
}
