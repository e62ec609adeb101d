/* A new file that takes another's place is like it: to whom it belongs, who may read it, how it is labelled. */
#include "base/fs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/i18n.h"

#define ACL "system.posix_acl_access"

/* Not what is bound to the content (security.ima, security.evm), nor what only the file system's own tools set. */
static bool like_kept(const char *name)
{
	return strcmp(name, ACL) == 0 || strcmp(name, "security.selinux") == 0 || strncmp(name, "user.", 5) == 0;
}

/* One attribute of path for fd, unless it has that very value: nothing is asked for then that might be denied. 0 or -1 with errno. */
static int like_attribute(const char *path, int fd, const char *name)
{
	ssize_t n = getxattr(path, name, NULL, 0), had;
	char *value, *is;
	int rc = 0;

	if (n < 0)
		return errno == ENODATA ? 0 : -1; /* taken away meanwhile */
	value = mem_zalloc((size_t)n + 1, 2);
	is = value + n + 1;
	if ((n = getxattr(path, name, value, (size_t)n)) < 0)
		rc = -1;
	else if ((had = fgetxattr(fd, name, is, (size_t)n)) != n || memcmp(is, value, (size_t)n) != 0)
		rc = fsetxattr(fd, name, value, (size_t)n, 0);
	free(value);
	return rc;
}

static int like_attributes(const char *path, int fd, struct err *e)
{
	ssize_t n = listxattr(path, NULL, 0);
	char *list;
	int rc = 0;

	if (n <= 0)
		return n == 0 || errno == ENOTSUP ? 0 : err_sys(e, _("%s: keep its attributes"), path);
	list = mem_zalloc((size_t)n, 1);
	if ((n = listxattr(path, list, (size_t)n)) < 0)
		rc = err_sys(e, _("%s: keep its attributes"), path);
	for (const char *name = list; rc == 0 && name < list + n; name += strlen(name) + 1)
		if (like_kept(name) && like_attribute(path, fd, name) < 0)
			rc = err_sys(e, _("%s: keep its attribute %s"), path, name);
	free(list);
	return rc;
}

int fs_like(int fd, const char *path, mode_t mode, struct err *e)
{
	struct stat st;
	bool there = stat(path, &st) == 0;

	/* what the folder gives to new files (a default list) the old one need not have */
	if (there && fremovexattr(fd, ACL) < 0 && errno != ENODATA && errno != ENOTSUP)
		return err_sys(e, _("%s: keep its access control list"), path);
	if (there && (st.st_uid != geteuid() || st.st_gid != getegid()) && fchown(fd, st.st_uid, st.st_gid) < 0)
		return err_sys(e, _("%s: keep its owner"), path);
	if (fchmod(fd, there ? st.st_mode & 07777 : mode) < 0)
		return err_sys(e, _("%s: keep its mode"), path);
	return there ? like_attributes(path, fd, e) : 0;
}
