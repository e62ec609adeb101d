/* An inventory in the making, and what it is made of. */
#include "fleet/inventory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

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

/* The host is there already. */
static int host_again(const struct adding *a, const struct node *h, const char *name)
{
	char *what;
	int rc;

	if (a->in->loose && !list_has(h->child, h->children, a->group))
		return 0;
	what = mem_printf(_("this host stands in line %d already"), h->line);
	rc = inv_error(a->in, a->file, a->line, what, name);
	free(what);
	return rc;
}

/* Two addresses for one host: which one is it? */
static int host_contradicts(const struct adding *a, const struct node *h, enum inv_var v)
{
	char *what, *safe;
	int rc;

	if ((v != INV_ADDRESS && v != INV_PORT) || h->var[v] == NULL || strcmp(h->var[v]->text, a->var[v]->text) == 0)
		return 0;
	safe = text_escaped(h->var[v]->text, strlen(h->var[v]->text), 60);
	what = mem_printf(_("%s is at %s in line %d already, and here at"), h->name, safe, h->var[v]->line);
	rc = inv_error(a->in, a->file, a->line, what, a->var[v]->text);
	free(what);
	free(safe);
	return rc;
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
	if (!text_is_host(name, false)) {
		const char *at = strrchr(name, '@');

		free(key);
		return inv_error(in, a->file, a->line, at != NULL && text_is_host(at + 1, false) ?
		    _("the user does not belong into the name but into ansible_user, the column user or [fleet]") :
		    _("not a host name or address"), name);
	}
	if ((i = dict_get(&in->by_host, key)) == DICT_NONE) {
		i = host_new(a, name, key);
	} else {
		free(key);
		if ((rc = host_again(a, &in->host[i], name)) < 0)
			return rc;
	}
	h = &in->host[i];
	for (int v = 0; rc == 0 && a->var != NULL && v < INV_VARS; v++)
		if (a->var[v] != NULL && (rc = host_contradicts(a, h, (enum inv_var)v)) == 0)
			h->var[v] = a->var[v];
	g = &in->group[a->group];
	h->child = list_add(h->child, &h->children, a->group);
	g->host = list_add(g->host, &g->hosts, i);
	return rc;
}

int inv_host_add(struct inv *in, size_t group, const char *pattern, const struct value *const *var,
    const char *file, int line)
{
	struct adding a = { in, group, var, file, line };
	struct err why = { 0 };
	int rc;

	if (strchr(pattern, '[') == NULL ||
	    pattern[strspn(pattern, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:,[]")] != '\0')
		return host_take(&a, pattern);
	in->e->code = 0;
	if ((rc = inventory_range(pattern, host_take, &a, &why)) < 0 && why.code != 0) {
		rc = err_set(in->e, why.code, "%s:%d: %s", file, line, why.text);
		err_remedy(in->e, "%s", why.remedy);
	}
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

/* The next line that is neither empty nor a comment, without white space around it; 0 at the end. */
static size_t line_next(const char **at, const char *end, const char **line)
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

typedef int (*inv_reader)(struct inv *in, const char *text, size_t len);

/* Which reader? The first line decides, but for INI, which may begin as a list does. */
static inv_reader inv_format(const char *path, const char *text, size_t len)
{
	const char *at = text, *line;
	size_t n = line_next(&at, text + len, &line);
	char *first = mem_strndup(n > 0 ? line : "", n);
	inv_reader fn = NULL;

	if (path_ends(path, ".yml") || path_ends(path, ".yaml") || path_ends(path, ".json") ||
	    strncmp(first, "---", 3) == 0 || first[0] == '{' || line_is_key(first))
		fn = inv_yaml_read;
	else if (path_ends(path, ".csv") || (strchr(first, ',') != NULL && strchr(first, '[') == NULL &&
	    strcasestr(first, "host") != NULL) || strcasecmp(first, "host") == 0)
		fn = inv_csv_read;
	else if (path_ends(path, ".ini"))
		fn = inv_ini_read;
	free(first);
	for (; fn == NULL && n > 0; n = line_next(&at, text + len, &line))
		if (line_is_ini(line, n))
			fn = inv_ini_read;
	return fn != NULL ? fn : inv_list_read;
}

/* A program that prints an inventory is not run: it may ask whom it likes, and take its time. */
static int inv_refuse(struct inv *in, const char *text, size_t len)
{
	if (memchr(text, '\0', len) != NULL)
		return err_set(in->e, ERR_SYNTAX, _("%s: holds NUL octets; it is not a text file"), in->path);
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

struct inventory *inventory_read(const char *text, size_t len, const char *path, struct err *e)
{
	struct inventory *out = mem_zalloc(1, sizeof *out);
	struct inv in = { .path = path, .out = out, .e = e };
	const char *slash = strrchr(path, '/');
	inv_reader reader;
	int rc;

	out->path = mem_strdup(path);
	in.folder = slash != NULL ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup("");
	inv_group(&in, "all", path, 0);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* what spreadsheets put in front */
		text += 3;
		len -= 3;
	}
	if ((rc = inv_refuse(&in, text, len)) == 0) {
		reader = inv_format(path, text, len);
		in.loose = reader == inv_ini_read || reader == inv_yaml_read;
		rc = reader(&in, text, len);
	}
	if (rc == 0 && in.hosts == 0) {
		rc = err_set(e, ERR_SYNTAX, _("%s: no host stands in it"), path);
		err_remedy(e, _("write one host name a line"));
	}
	if (rc == 0)
		rc = inv_resolve(&in);
	inv_clear(&in);
	if (rc == 0)
		return out;
	inventory_free(out);
	return NULL;
}

struct inventory *inventory_load(const char *path, struct err *e)
{
	struct inventory *inv = NULL;
	struct buf b = { 0 };

	if (fs_read(path, &b, INVENTORY_MAX, e) == 0)
		inv = inventory_read(buf_str(&b), b.len, path, e);
	buf_free(&b);
	return inv;
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
