/* An inventory in the making: what readers find goes in here, hosts and groups with their values. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "fleet/inv_inside.h"

/* Errors are told by file, as the files were begun, and line. */
static int64_t place_in(const struct inv *in, const char *file, int line)
{
	size_t rank = dict_get(&in->by_file, file);

	return (int64_t)(rank != DICT_NONE ? rank : 0) << 32 | line;
}

int inv_error(struct inv *in, const char *file, int line, const char *what, const char *shown)
{
	char *safe;

	if ((in->last = errs_add(&in->errs, place_in(in, file, line))) == NULL)
		return ERR_SYNTAX;
	safe = text_escaped(shown, strlen(shown), 80);
	err_set(in->last, ERR_SYNTAX, "%s:%d: %s%s%s", file, line, what, safe[0] != '\0' ? ": " : "", safe);
	free(safe);
	return ERR_SYNTAX;
}

int inv_failed(struct inv *in, const char *file, int line, const struct err *e)
{
	if ((in->last = errs_add(&in->errs, place_in(in, file, line))) != NULL)
		*in->last = *e;
	if (in->last != NULL && line > 0)
		err_prefix(in->last, "%s:%d", file, line);
	return e->code;
}

int inv_remedy(struct inv *in, const char *fmt, ...)
{
	char text[sizeof in->last->remedy];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_remedy(in->last, "%s", text);
	return in->last != NULL ? in->last->code : ERR_SYNTAX;
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
	char *file = mem_strdup(path);

	in->file = mem_grow(in->file, in->files + 1, sizeof *in->file);
	in->file[in->files++] = file;
	if (dict_get(&in->by_file, file) == DICT_NONE)
		dict_put(&in->by_file, file, in->files);
	return file;
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
	struct value *const *var;
	const char *file;
	int line;
	bool told; /* an error; more of one range would be the same again */
};

/* An error of the hosts that are added; remedy may be "". Returns ERR_SYNTAX. */
static int adding_error(struct adding *a, const char *what, const char *shown, const char *remedy)
{
	if (a->told)
		return ERR_SYNTAX;
	a->told = true;
	inv_error(a->in, a->file, a->line, what, shown);
	return inv_remedy(a->in, "%s", remedy);
}

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
static int host_again(struct adding *a, const struct node *h, const char *name)
{
	char *what, *place;
	int rc;

	if (a->in->loose && (h->block != a->in->block || !list_has(h->child, h->children, a->group)))
		return 0;
	if (a->told)
		return ERR_SYNTAX;
	place = place_of(a, h->file, h->line);
	what = mem_printf(_("this host stands in %s already"), place);
	rc = adding_error(a, what, name,
	    _("leave one; two servers need two names, and what they are reached by as their address"));
	free(what);
	free(place);
	return rc;
}

/* Two addresses for one host: which one is it? */
static int host_contradicts(struct adding *a, const struct node *h, enum inv_var v)
{
	char *what, *safe, *place;
	int rc;

	if ((v != INV_ADDRESS && v != INV_PORT) || h->var[v] == NULL || strcmp(h->var[v]->text, a->var[v]->text) == 0)
		return 0;
	if (a->told)
		return ERR_SYNTAX;
	safe = text_escaped(h->var[v]->text, strlen(h->var[v]->text), 60);
	place = place_of(a, h->var[v]->file, h->var[v]->line);
	what = mem_printf(_("%s is at %s in %s already, and here at"), h->name, safe, place);
	rc = adding_error(a, what, a->var[v]->text, "");
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

/* Put host i, new or met again, into the group, with its values. */
static void host_put(struct adding *a, size_t i)
{
	struct inv *in = a->in;
	struct node *h = &in->host[i], *g = &in->group[a->group];

	for (int v = 0; v < INV_VARS; v++)
		if (a->var[v] != NULL && host_contradicts(a, h, (enum inv_var)v) == 0)
			h->var[v] = a->var[v];
	h->block = in->block;
	if (!list_has(h->child, h->children, a->group)) {
		h->child = list_add(h->child, &h->children, a->group);
		g->host = list_add(g->host, &g->hosts, i);
	}
}

/* One of a range, or the only one; the others are taken whatever is wrong with it. */
static int host_take(void *ctx, const char *name)
{
	struct adding *a = ctx;
	struct inv *in = a->in;
	char *key;
	size_t i;

	if (!host_is_usable(name)) {
		adding_error(a, _("not a host name or address"), name, _("a host stands as [USER@]NAME[:PORT]; a name as the "
		    "DNS has it (xn--...), IPv6 with a port in brackets, many as web[01:50]"));
		return 0;
	}
	key = mem_strdup(name);
	for (char *p = key; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if ((i = dict_get(&in->by_host, key)) == DICT_NONE) {
		host_put(a, host_new(a, name, key));
		return 0;
	}
	free(key);
	if (host_again(a, &in->host[i], name) == 0)
		host_put(a, i);
	return 0;
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
static int target_split(struct adding *a, char *target, struct value **own, char **name)
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
			return adding_error(a, _("another user stands before the name"), target, "");
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

	if (strchr(pattern, '[') == NULL ||
	    pattern[strspn(pattern, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:,[]")] != '\0')
		host_take(a, pattern);
	else if (inventory_range(pattern, host_take, a, &why) < 0)
		return inv_failed(a->in, a->file, a->line, &why);
	return a->told ? ERR_SYNTAX : 0;
}

int inv_host_add(struct inv *in, size_t group, const char *target, struct value *const *var,
    const char *file, int line)
{
	struct value *own[INV_VARS] = { NULL };
	struct adding a = { .in = in, .group = group, .var = own, .file = file, .line = line };
	char *copy = mem_strdup(target), *name;
	int rc;

	if (var != NULL)
		memcpy(own, var, sizeof own);
	if ((rc = target_split(&a, copy, own, &name)) == 0)
		rc = target_take(&a, name);
	free(copy);
	return rc;
}
