#include "engine/paths.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"

char *path_data(const char *relative)
{
	const char *dir = secure_getenv("SEV1_DATADIR");

	return fs_join(dir != NULL && dir[0] == '/' ? dir : PKGDATADIR, relative);
}

char *path_template(const char *name)
{
	char *relative = mem_printf("templates/%s/%s.txt", _("en"), name), *path = path_data(relative);

	if (!fs_exists(path)) {
		free(path);
		free(relative);
		relative = mem_printf("templates/%s.txt", name);
		path = path_data(relative);
	}
	free(relative);
	return path;
}

char *path_state(void)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (geteuid() == 0)
		return mem_strdup("/var/lib/sev1");
	if (xdg != NULL && xdg[0] == '/')
		return fs_join(xdg, "sev1");
	return mem_printf("%s/.local/state/sev1", home != NULL ? home : "");
}
