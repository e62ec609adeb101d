#include "work/servers.h"

#include <unistd.h>

#include "base/i18n.h"

struct inventory *servers_load(const struct config *c, struct errs *es)
{
	struct inventory *inv = NULL;
	struct err *e;

	*es = (struct errs){ 0 };
	if (c->fleet.inventory == NULL) {
		e = errs_add(es, 0);
		err_set(e, ERR_USAGE, _("%s: [fleet] names no inventory"), c->path);
		err_remedy(e, _("see the section in the sample configuration"));
	} else if ((inv = inventory_load(c->fleet.inventory, es)) == NULL && access(c->fleet.inventory, R_OK) < 0) {
		err_remedy(&es->err[0], _("correct 'inventory' in [fleet] of %s, or put the file where it can be read"), c->path);
	}
	return inv;
}

void servers_files(const struct config *c, struct errs *es)
{
	const struct {
		const char *key, *path;
	} files[] = { { "identity", c->fleet.identity }, { "profiles", c->fleet.profiles }, { "blocklist", c->fleet.blocklist } };

	*es = (struct errs){ 0 };
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct err *e;

		if (files[i].path == NULL || access(files[i].path, F_OK) == 0)
			continue;
		e = errs_add(es, 0);
		err_sys(e, "%s: [fleet] %s = %s", c->path, files[i].key, files[i].path);
		err_remedy(e, _("correct the path, or put the file there"));
	}
}
