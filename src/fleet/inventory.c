/* Reading an inventory: which reader a file is for, a folder's files one after another, and what comes of it. */
#include "fleet/inventory.h"

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

/* ---- which reader ---- */

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

typedef void (*inv_reader)(struct inv *in, const char *text, size_t len);

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

/* ---- files and folders ---- */

/* What the file is, where it is no inventory, and what makes one of it. A program that prints one is not run: it may ask
 * whom it likes, and take its time. */
static int inv_unfit(const char *path, const char *text, size_t len, struct err *e)
{
	if (memchr(text, '\0', len) != NULL) {
		err_set(e, ERR_SYNTAX, _("%s: holds NUL octets; it is not a text file"), path);
		return err_remedy(e, _("if it is text in UTF-16: iconv -f UTF-16 -t UTF-8 %s > NEW"), path);
	}
	if (path_ends(path, ".toml")) {
		err_set(e, ERR_SYNTAX, _("%s: an inventory in TOML, which is not read here"), path);
		return err_remedy(e, _("ansible-inventory -i %s --list --yaml > NEW.yml writes what it says"), path);
	}
	if (len > 14 && strncmp(text, "$ANSIBLE_VAULT", 14) == 0) {
		err_set(e, ERR_SYNTAX, _("%s:1: the file is encrypted with ansible-vault"), path);
		return err_remedy(e, _("ansible-vault view %s > NEW writes it out"), path);
	}
	if (len > 2 && strncmp(text, "#!", 2) == 0 && memmem(text, len < 64 ? len : 64, "ansible", 7) == NULL) {
		err_set(e, ERR_SYNTAX, _("%s:1: a program, not an inventory; it is not run"), path);
		return err_remedy(e, _("ansible-inventory -i %s --list --yaml > NEW.yml writes what it says"), path);
	}
	return 0;
}

/* A whole file, or folder, that is not read. */
static void inv_unread(struct inv *in, const char *path, const struct err *e)
{
	inv_failed(in, path, 0, e);
	in->cut = true;
}

static void inv_text(struct inv *in, const char *text, size_t len)
{
	struct err e = { 0 };
	inv_reader reader;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* what spreadsheets put in front */
		text += 3;
		len -= 3;
	}
	if (inv_unfit(in->path, text, len, &e) < 0) {
		inv_unread(in, in->path, &e);
		return;
	}
	reader = inv_format(in->path, text, len);
	if (in->loose && reader == inv_list_read) /* one of a folder's */
		reader = inv_ini_read;
	in->loose = in->loose || reader == inv_ini_read || reader == inv_yaml_read;
	reader(in, text, len);
}

static void inv_file_read(struct inv *in, const char *path)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	in->path = inv_file(in, path);
	if (fs_read(path, &b, INVENTORY_MAX, &e) == 0)
		inv_text(in, buf_str(&b), b.len);
	else
		inv_unread(in, in->path, &e);
	buf_free(&b);
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
static void inv_folder_read(struct inv *in, const char *path, int depth)
{
	struct dirent **list;
	struct err e = { 0 };
	int n = scandir(path, &list, folder_filter, alphasort);

	if (n < 0) {
		err_sys(&e, "%s", path);
		inv_unread(in, path, &e);
		return;
	}
	for (int i = 0; i < n; i++) {
		char *below = fs_join(path, list[i]->d_name);
		struct stat st;
		if (stat(below, &st) == 0 && S_ISDIR(st.st_mode) && depth < 8)
			inv_folder_read(in, below, depth + 1);
		else
			inv_file_read(in, below); /* which tells, too, of a link to nothing */
		free(below);
		free(list[i]);
	}
	free(list);
}

/* ---- from the beginning to the end ---- */

static void inv_begin(struct inv *in, const char *path, bool folder)
{
	const char *slash = strrchr(path, '/');

	*in = (struct inv){ .path = path, .out = mem_zalloc(1, sizeof *in->out), .loose = folder };
	in->out->path = mem_strdup(path);
	in->folder = folder ? mem_printf("%s/", path) : slash != NULL ? mem_strndup(path, (size_t)(slash - path) + 1) :
	    mem_strdup("");
	inv_group(in, "all", path, 0);
}

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
	dict_free(&in->by_file);
	free(in->host);
	free(in->group);
	free(in->file);
	free(in->folder);
}

/* Also after errors: what is wrong with groups and values is told at the same go. */
static void inv_resolve(struct inv *in)
{
	if (in->loose) {
		inv_groups_check(in);
		inv_vars_read(in);
	}
	inv_vars_settle(in);
	inv_servers_make(in);
	inv_groups_show(in);
}

static struct inventory *inv_end(struct inv *in, struct errs *es)
{
	struct inventory *out = in->out;
	struct err e = { 0 };

	if (in->errs.total == 0 && in->hosts == 0) {
		err_set(&e, ERR_SYNTAX, _("%s: no host stands in it"), out->path);
		err_remedy(&e, _("write one host name a line"));
		inv_failed(in, out->path, 0, &e);
	} else {
		inv_resolve(in);
	}
	if (in->errs.total > 0) {
		inventory_free(out);
		out = NULL;
	}
	if (es != NULL)
		*es = in->errs;
	inv_clear(in);
	return out;
}

struct inventory *inventory_read(const char *text, size_t len, const char *path, struct errs *es)
{
	struct inv in;

	inv_begin(&in, path, false);
	inv_text(&in, text, len);
	return inv_end(&in, es);
}

struct inventory *inventory_load(const char *path, struct errs *es)
{
	struct stat st;
	bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	struct inv in;

	inv_begin(&in, path, folder);
	if (folder)
		inv_folder_read(&in, path, 0);
	else
		inv_file_read(&in, path);
	return inv_end(&in, es);
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
