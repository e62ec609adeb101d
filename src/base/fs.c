#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/confine.h"
#include "base/i18n.h"

#define BLOCK ((size_t)1 << 20)
#define EARLY (1 << 18)

int fs_read(const char *path, struct buf *b, size_t max, struct err *e)
{
	size_t start = b->len;
	struct stat st;
	ssize_t n = 1;
	int fd, rc = 0;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return err_sys(e, "%s", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uintmax_t)st.st_size <= max)
		buf_room(b, (size_t)st.st_size + 1);
	while (n > 0 && b->len - start <= max) {
		buf_room(b, b->len + 1 < b->cap ? 1 : 1 << 16);
		if ((n = fs_get(fd, b->data + b->len, b->cap - b->len - 1)) > 0)
			b->len += (size_t)n;
		b->data[b->len] = '\0';
	}
	if (n < 0)
		rc = err_sys(e, "%s", path);
	else if (b->len - start > max)
		rc = err_set(e, ERR_SYNTAX, _("%s: larger than %zu octets"), path, max);
	close(fd);
	return rc;
}

ssize_t fs_get(int fd, void *data, size_t len)
{
	char *p = data;
	size_t have = 0;
	ssize_t n;

	while (have < len && (n = read(fd, p + have, len - have)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

int fs_sweep(const char *folder, const char *prefix, struct err *e)
{
	DIR *d = opendir(folder);
	struct dirent *de;
	char *path;
	size_t n;
	int rc = 0;

	if (d == NULL)
		return err_sys(e, "%s", folder);
	while (rc == 0 && (errno = 0, de = readdir(d)) != NULL) {
		n = strlen(de->d_name);
		if (n < 12 || strncmp(de->d_name, prefix, strlen(prefix)) != 0 ||
		    strncmp(de->d_name + n - 12, ".sev1-", 6) != 0)
			continue;
		path = fs_join(folder, de->d_name);
		if ((rc = confine_path(path, e)) == 0 && unlink(path) < 0 && errno != ENOENT)
			rc = err_sys(e, "%s", path);
		free(path);
	}
	if (rc == 0 && errno != 0 && de == NULL)
		rc = err_sys(e, "%s", folder);
	closedir(d);
	return rc;
}

int fs_put(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		if ((n = write(fd, p, len < BLOCK ? len : BLOCK)) < 0) {
			if (errno == EINTR)
				continue;
			return ERR_IO;
		}
		/* what is large is on its way to the disk while the rest is made; an error shows in the fsync */
		if (n >= EARLY)
			sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static bool fs_my_group(gid_t gid)
{
	gid_t list[NGROUPS_MAX];
	int n = getgroups(NGROUPS_MAX, list);
	bool mine = gid == getegid();

	for (int i = 0; i < n; i++)
		mine = mine || list[i] == gid;
	return mine;
}

int fs_replaceable(const char *path, struct err *e)
{
	char *copy = mem_strdup(path), *dir = dirname(copy);
	struct stat st;
	int rc = 0;

	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) < 0) {
		err_sys(e, _("%s: files in it cannot be replaced"), dir);
		rc = err_remedy(e, _("run sev1 as a user who may write there"));
	} else if (geteuid() != 0 && stat(path, &st) == 0 && (st.st_uid != geteuid() || !fs_my_group(st.st_gid))) {
		err_set(e, ERR_REFUSED, _("%s: belongs to user %u and group %u, and only they can keep it so"), path,
		    (unsigned)st.st_uid, (unsigned)st.st_gid);
		rc = err_remedy(e, _("run sev1 as that user, or as root"));
	}
	free(copy);
	return rc;
}

int fs_beside(const char *path, mode_t mode, char **tmp, struct err *e)
{
	int fd;

	*tmp = NULL;
	if (confine_path(path, e) < 0)
		return ERR_CONFINED;
	*tmp = mem_printf("%s.sev1-XXXXXX", path);
	if ((fd = mkostemp(*tmp, O_CLOEXEC)) < 0) {
		err_sys(e, _("a file beside %s"), path);
		goto fail;
	}
	if (fs_like(fd, path, mode, e) == 0)
		return fd;
fail:
	if (fd >= 0) {
		close(fd);
		unlink(*tmp);
	}
	free(*tmp);
	*tmp = NULL;
	return ERR_IO;
}

/* A rename is durable once its folder is. */
static int fs_sync_folder(const char *path, struct err *e)
{
	char *copy = mem_strdup(path);
	int rc = 0, fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		rc = err_sys(e, _("%s: fsync of its folder"), path);
	if (fd >= 0)
		close(fd);
	free(copy);
	return rc;
}

int fs_commit(int fd, const char *tmp, const char *path, struct err *e)
{
	int rc = 0;

	if (fsync(fd) < 0)
		rc = err_sys(e, "%s: fsync", path);
	if (close(fd) < 0 && rc == 0)
		rc = err_sys(e, "%s: close", path);
	if (rc == 0 && rename(tmp, path) < 0)
		rc = err_sys(e, "%s: rename", path);
	if (rc < 0) {
		unlink(tmp);
		return rc;
	}
	return fs_sync_folder(path, e);
}

bool fs_unchanged(const char *path, const struct stat *was)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == was->st_dev && st.st_ino == was->st_ino &&
	    st.st_size == was->st_size && st.st_mtim.tv_sec == was->st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

static int fs_refuse_changed(const char *tmp, const char *path, struct err *e)
{
	unlink(tmp);
	return err_set(e, ERR_REFUSED, _("%s was changed by another program while it was being rewritten"), path);
}

int fs_replace(int fd, const char *tmp, const char *path, const struct stat *was, struct err *e)
{
	int rc = 0;

	if (fsync(fd) < 0)
		rc = err_sys(e, "%s: fsync", path);
	if (close(fd) < 0 && rc == 0)
		rc = err_sys(e, "%s: close", path);
	if (rc == 0 && !fs_unchanged(path, was))
		return fs_refuse_changed(tmp, path, e);
	if (rc == 0 && renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
		if (!fs_unchanged(tmp, was) && renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
			return fs_refuse_changed(tmp, path, e);
		if (unlink(tmp) < 0)
			rc = err_sys(e, "%s", tmp);
	} else if (rc == 0 && ((errno != EINVAL && errno != ENOSYS) || rename(tmp, path) < 0)) {
		rc = err_sys(e, "%s: rename", path);
	}
	if (rc < 0) {
		unlink(tmp);
		return rc;
	}
	return fs_sync_folder(path, e);
}

int fs_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	char *tmp;
	int fd, rc;

	if ((fd = fs_beside(path, mode, &tmp, e)) < 0)
		return fd;
	if (fs_put(fd, data, len) < 0) {
		rc = err_sys(e, "%s", path);
		close(fd);
		unlink(tmp);
	} else {
		rc = fs_commit(fd, tmp, path, e);
	}
	free(tmp);
	return rc;
}

int fs_backup(const char *from, const char *to, struct err *e)
{
	struct buf b = { 0 };
	struct stat st;
	int rc;

	if (fs_exists(to))
		return err_set(e, ERR_IO, _("%s: exists already"), to);
	if (stat(from, &st) < 0)
		return err_sys(e, "%s", from);
	if ((rc = fs_read(from, &b, SIZE_MAX / 8, e)) == 0)
		rc = fs_write(to, buf_str(&b), b.len, st.st_mode & 07777, e);
	buf_free(&b);
	return rc;
}

int fs_same(int fd, const void *data, size_t len, struct err *e)
{
	enum { PIECE = 1 << 18 };
	const char *p = data;
	char *block = mem_alloc(PIECE);
	size_t left = len;
	ssize_t n;
	int rc = lseek(fd, 0, SEEK_SET) < 0 ? err_sys(e, _("read back")) : 0;

	while (rc == 0 && (n = fs_get(fd, block, PIECE)) != 0) {
		if (n < 0)
			rc = err_sys(e, _("read back"));
		else if ((size_t)n > left || memcmp(block, p, (size_t)n) != 0)
			break;
		p += n;
		left -= (size_t)n;
	}
	if (rc == 0 && (left > 0 || n != 0))
		rc = err_set(e, ERR_FAILED, _("what is on disk is not what was written"));
	free(block);
	return rc;
}

int fs_keep(const char *from, const char *to, struct err *e)
{
	int fd, rc = 0;

	if (confine_path(to, e) < 0)
		return ERR_CONFINED;
	if (link(from, to) < 0) {
		if (errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK || errno == EXDEV)
			return fs_backup(from, to, e);
		return err_sys(e, "%s", to);
	}
	if ((fd = open(to, O_RDONLY | O_CLOEXEC)) < 0 || fsync(fd) < 0)
		rc = err_sys(e, "%s: fsync", to);
	if (fd >= 0)
		close(fd);
	return rc < 0 ? rc : fs_sync_folder(to, e);
}

int fs_move(const char *from, const char *to, struct err *e)
{
	if (confine_path(from, e) < 0 || confine_path(to, e) < 0)
		return ERR_CONFINED;
	if (rename(from, to) < 0)
		return err_sys(e, "%s: rename", to);
	return fs_sync_folder(to, e);
}

int fs_mkdirs(const char *path, mode_t mode, struct err *e)
{
	char *copy, *p;
	int rc = 0;

	if (confine_path(path, e) < 0)
		return ERR_CONFINED;
	copy = mem_strdup(path);
	for (p = copy + 1; rc == 0 && *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			rc = err_sys(e, "%s", copy);
		*p = '/';
	}
	if (rc == 0 && mkdir(copy, mode) < 0 && errno != EEXIST)
		rc = err_sys(e, "%s", copy);
	free(copy);
	return rc;
}

static int fs_remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

int fs_remove_tree(const char *path, struct err *e)
{
	if (confine_path(path, e) < 0)
		return ERR_CONFINED;
	if (nftw(path, fs_remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
		return err_sys(e, _("%s: remove"), path);
	return 0;
}

/* Whoever may write the file may lock it: one that root made must not keep its owner out. */
static void fs_lend(int fd, const char *path)
{
	struct stat st, lock;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || fstat(fd, &lock) < 0 || lock.st_uid != geteuid())
		return;
	if (fchmod(fd, st.st_mode & 0666) < 0 || fchown(fd, st.st_uid, st.st_gid) < 0)
		errno = 0; /* the lock holds all the same */
}

int fs_lock(const char *path, int wait_ms, struct err *e)
{
	const struct timespec pause = { 0, 10 * 1000 * 1000 };
	int64_t until = clock_mono() + wait_ms;
	char *name;
	int fd;

	if (confine_path(path, e) < 0)
		return ERR_CONFINED;
	name = mem_printf("%s.lock", path);
	if ((fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0) {
		err_sys(e, "%s", name);
		free(name);
		return ERR_IO;
	}
	fs_lend(fd, path);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK && clock_mono() < until) {
			nanosleep(&pause, NULL);
			continue;
		}
		if (errno == EWOULDBLOCK) {
			err_set(e, ERR_TIMEOUT, _("%s is locked by another process"), path);
			err_remedy(e, _("fuser %s names it; wait for it to finish"), name);
			close(fd);
			free(name);
			return ERR_TIMEOUT;
		}
		err_sys(e, _("%s: lock"), name);
		close(fd);
		free(name);
		return ERR_IO;
	}
	free(name);
	return fd;
}

bool fs_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

int64_t fs_free_octets(const char *path)
{
	struct statvfs v;

	if (statvfs(path, &v) < 0)
		return -1;
	return (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

char *fs_join(const char *dir, const char *name)
{
	if (name[0] == '/' || dir[0] == '\0')
		return mem_strdup(name);
	return mem_printf("%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name);
}
