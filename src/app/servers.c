#include "app/servers.h"

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
	} else {
		inv = inventory_load(c->fleet.inventory, es);
	}
	return inv;
}
