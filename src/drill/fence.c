#include "drill/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FENCE_WRITES                                                                               \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                           \
	LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
	LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* glibc has no functions for these three. */
static int fence_ruleset(const struct landlock_ruleset_attr *attr, size_t size, unsigned flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

static int fence_allow(int rules, const char *path, unsigned long long access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access };
	int rc;

	if ((rule.parent_fd = open(path, O_PATH | O_CLOEXEC)) < 0)
		return -1;
	rc = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
	return rc;
}

int fence_raise(const char *folder, int *on, struct err *e)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = FENCE_WRITES };
	int version = fence_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION), rules, rc = 0;

	if (on != NULL)
		*on = version > 0;
	if (version <= 0)
		return 0;
#ifdef LANDLOCK_ACCESS_FS_REFER
	/* a rename into another folder: without it all of them fail */
	if (version >= 2)
		attr.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
#endif
	if ((rules = fence_ruleset(&attr, sizeof attr, 0)) < 0)
		return err_sys(e, "landlock");
	if (fence_allow(rules, folder, attr.handled_access_fs) < 0 ||
	    fence_allow(rules, "/dev", LANDLOCK_ACCESS_FS_WRITE_FILE) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		rc = err_sys(e, "landlock, %s", folder);
	close(rules);
	return rc;
}
