/* Finding the configuration, and finding things in it. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "engine/config.h"

char *config_find(const char *path, struct err *e)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *own = NULL, *system = mem_strdup("/etc/sev1/sev1.conf"), *found = NULL;

	if (path != NULL) {
		free(system);
		if (fs_exists(path))
			return mem_strdup(path);
		err_set(e, ERR_NOTFOUND, _("%s: no such configuration"), path);
		err_remedy(e, _("write one with `sev1 init -o %s`"), path);
		return NULL;
	}
	if (xdg != NULL && xdg[0] == '/')
		own = fs_join(xdg, "sev1/sev1.conf");
	else if (home != NULL && home[0] == '/')
		own = fs_join(home, ".config/sev1/sev1.conf");
	if (own != NULL && fs_exists(own))
		found = mem_strdup(own);
	else if (fs_exists(system))
		found = mem_strdup(system);
	if (found == NULL) {
		err_set(e, ERR_NOTFOUND, _("no configuration: neither %s nor %s is there"),
		    own != NULL ? own : "~/.config/sev1/sev1.conf", system);
		err_remedy(e, _("write one with `sev1 init`, or name it with -c FILE"));
	}
	free(own);
	free(system);
	return found;
}

#define FIND(array, count)                                                                         \
	do {                                                                                       \
		for (size_t i = 0; name != NULL && i < c->count; i++)                              \
			if (strcmp(c->array[i].name, name) == 0)                                   \
				return &c->array[i];                                               \
		return NULL;                                                                       \
	} while (0)

const struct ca_conf *config_ca(const struct config *c, const char *name)
{
	FIND(ca, cas);
}

const struct host_conf *config_host(const struct config *c, const char *name)
{
	FIND(host, hosts);
}

const struct action_conf *config_action(const struct config *c, const char *name)
{
	FIND(action, actions);
}

const struct notice_conf *config_notice(const struct config *c, const char *name)
{
	FIND(notice, notices);
}
