#include "base/confine.h"

#include <arpa/inet.h>
#include <libgen.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/i18n.h"

static char root_path[PATH_MAX];

int confine_to(const char *root, struct err *e)
{
	char resolved[PATH_MAX];

	if (realpath(root, resolved) == NULL)
		return err_sys(e, _("drill folder %s"), root);
	if (root_path[0] != '\0' && strcmp(root_path, resolved) != 0)
		return err_set(e, ERR_CONFINED, _("already confined to %s"), root_path);
	memcpy(root_path, resolved, sizeof root_path);
	return 0;
}

const char *confine_root(void)
{
	return root_path[0] != '\0' ? root_path : NULL;
}

/* Is the existing or future path below the folder? The longest existing part is resolved. */
static bool confine_inside(const char *path)
{
	char resolved[PATH_MAX], *copy = mem_strdup(path), *up = copy;
	size_t n = strlen(root_path);
	bool inside = strstr(path, "/../") == NULL;

	if (realpath(up, resolved) == NULL)
		do
			up = dirname(up);
		while (realpath(up, resolved) == NULL && strcmp(up, "/") != 0 && strcmp(up, ".") != 0);
	inside = inside && realpath(up, resolved) != NULL && strncmp(resolved, root_path, n) == 0 &&
	    (resolved[n] == '/' || resolved[n] == '\0');
	free(copy);
	return inside;
}

int confine_path(const char *path, struct err *e)
{
	if (root_path[0] == '\0' || confine_inside(path))
		return 0;
	return err_set(e, ERR_CONFINED, _("%s: a drill writes only below %s"), path, root_path);
}

int confine_address(const struct sockaddr *sa, struct err *e)
{
	static const unsigned char mapped[13] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 };
	char name[INET6_ADDRSTRLEN] = "?";

	if (root_path[0] == '\0' || sa->sa_family == AF_UNIX)
		return 0;
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;
		if (ntohl(in->sin_addr.s_addr) >> 24 == 127)
			return 0;
		inet_ntop(AF_INET, &in->sin_addr, name, sizeof name);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;
		if (IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
		    memcmp(&in6->sin6_addr, mapped, sizeof mapped) == 0)
			return 0;
		inet_ntop(AF_INET6, &in6->sin6_addr, name, sizeof name);
	}
	return err_set(e, ERR_CONFINED, _("%s: a drill connects only to loopback addresses"), name);
}

int confine_program(const char *path, struct err *e)
{
	if (root_path[0] == '\0' || (path[0] == '/' && confine_inside(path)))
		return 0;
	return err_set(e, ERR_CONFINED, _("%s: a drill starts only programs below %s"), path, root_path);
}
