/* select: selectors as they were given, made into what the journal keeps and a scope is made from. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/ca_child.h"
#include "pki/selector.h"

/* A long list is no line of JSON: it goes into a file, from where the incident file keeps it. */
static int select_list(json_t *list, const char *folder, struct err *e)
{
	const json_t *text = json_object_get(list, "text");
	char *name = mem_printf("serials-%.16s.list", json_str(list, "sha256")), *path = fs_join(folder, name);
	int rc = fs_write(path, json_string_value(text), json_string_length(text), 0600, e);

	if (rc == 0) {
		json_object_del(list, "text");
		json_object_set_new(list, "path", json_string(path));
	}
	free(name);
	free(path);
	return rc;
}

static int select_lists(json_t *groups, const char *folder, struct err *e)
{
	json_t *group, *list;
	size_t i, k;
	int rc;

	json_array_foreach(groups, i, group)
		json_array_foreach(json_object_get(group, "lists"), k, list)
			if ((rc = select_list(list, folder, e)) < 0)
				return rc;
	return 0;
}

int ca_select(const json_t *request, json_t **result, struct err *e)
{
	const char *folder = json_str(request, "folder");
	json_t *groups;
	int rc;

	if (folder[0] != '/')
		return err_set(e, ERR_USAGE, _("select: the folder must be an absolute path"));
	if ((rc = fs_mkdirs(folder, 0700, e)) < 0)
		return rc;
	if ((groups = selectors_resolve(json_list(request, "groups"), e)) == NULL)
		return e->code;
	if ((rc = select_lists(groups, folder, e)) < 0)
		json_decref(groups);
	else
		*result = json_pack("{s:o}", "groups", groups);
	return rc;
}
