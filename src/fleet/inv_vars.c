/* group_vars and host_vars beside an inventory: which files speak of whom, and in what order. */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "fleet/inv_inside.h"

#define VARS_FILE_MAX (4u << 20)

static void vars_file(struct inv *in, const char *path, struct value **set)
{
	const char *file = inv_file(in, path);
	struct buf b = { 0 };
	struct err e = { 0 };

	if (fs_read(path, &b, VARS_FILE_MAX, &e) < 0)
		inv_failed(in, file, 0, &e);
	else if (b.len >= 14 && strncmp(b.data, "$ANSIBLE_VAULT", 14) == 0)
		inv_note(in, file, 1, _("encrypted with ansible-vault; not read"), "");
	else
		inv_yaml_vars(in, buf_str(&b), b.len, file, set);
	buf_free(&b);
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

static void vars_path(struct inv *in, const char *path, struct value **set, int depth);

/* One of a folder's: a folder without an ending in its name, a file with one that ansible knows. */
static void vars_below(struct inv *in, const char *path, struct value **set, int depth)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (stat(path, &st) < 0) {
		inv_note(in, inv_file(in, path), 1, _("a link to nothing; not read"), "");
		return;
	}
	if (S_ISDIR(st.st_mode) ? strchr(slash, '.') == NULL && depth < 8 : vars_is_file(path))
		vars_path(in, path, set, depth);
}

/* What errno says of a file or folder as a whole. */
static void vars_unread(struct inv *in, const char *path)
{
	struct err e = { 0 };

	err_sys(&e, "%s", path);
	inv_failed(in, inv_file(in, path), 0, &e);
}

/* A file, or a folder with all that lies in it, in the order of its names. */
static void vars_path(struct inv *in, const char *path, struct value **set, int depth)
{
	struct dirent **list;
	struct stat st;
	int n;

	if (stat(path, &st) < 0) {
		vars_unread(in, path);
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		vars_file(in, path, set);
		return;
	}
	if ((n = scandir(path, &list, vars_filter, alphasort)) < 0) {
		vars_unread(in, path);
		return;
	}
	for (int i = 0; i < n; i++) {
		char *below = fs_join(path, list[i]->d_name);
		vars_below(in, below, set, depth + 1);
		free(below);
		free(list[i]);
	}
	free(list);
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
static void vars_folder(struct inv *in, const char *which, bool groups)
{
	char *folder = mem_printf("%s%s", in->folder, which);
	struct dirent **list = NULL;
	int n = fs_exists(folder) ? scandir(folder, &list, vars_filter, alphasort) : 0;

	if (n < 0)
		vars_unread(in, folder);
	for (size_t k = 0; k < VARS_ENDINGS; k++) {
		for (int i = 0; i < n; i++) {
			struct node *owner = vars_owner(in, list[i]->d_name, vars_ending[k], groups);
			char *path = fs_join(folder, list[i]->d_name);
			if (owner != NULL) {
				owner->read = true;
				vars_path(in, path, owner->set, 0);
			}
			free(path);
		}
	}
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	free(folder);
}

void inv_vars_read(struct inv *in)
{
	vars_folder(in, "group_vars", true);
	vars_folder(in, "host_vars", false);
}
