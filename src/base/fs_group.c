#include "base/fs_group.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"

struct fs_member {
	char *path, *tmp; /* tmp NULL: renamed */
	char *folder;
	int fd;
};

int fs_group_add(struct fs_group *g, const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	struct fs_member m = { .folder = mem_strdup(path) };
	char *base = dirname(m.folder);

	memmove(m.folder, base, strlen(base) + 1);
	if ((m.fd = fs_beside(path, mode, &m.tmp, e)) < 0) {
		free(m.folder);
		return m.fd;
	}
	m.path = mem_strdup(path);
	g->member = mem_grow(g->member, g->members + 1, sizeof *g->member);
	g->member[g->members++] = m;
	return fs_put(m.fd, data, len) < 0 ? err_sys(e, "%s", path) : 0;
}

/* fsync of many at the same time. 0, or -1 with the errno of one that failed. */
static int group_sync(const int *fd, size_t n)
{
	struct aiocb *cb = mem_zalloc(n + 1, sizeof *cb);
	int failed = 0, code;

	for (size_t i = 0; i < n; i++) {
		cb[i].aio_fildes = fd[i];
		cb[i].aio_sigevent.sigev_notify = SIGEV_NONE;
		/* out of threads or memory: then one after another */
		if (aio_fsync(O_SYNC, &cb[i]) < 0) {
			cb[i].aio_fildes = -1;
			if (fsync(fd[i]) < 0)
				failed = errno;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (cb[i].aio_fildes < 0)
			continue;
		while ((code = aio_error(&cb[i])) == EINPROGRESS)
			aio_suspend((const struct aiocb *const[]){ &cb[i] }, 1, NULL);
		aio_return(&cb[i]);
		if (code != 0)
			failed = code;
	}
	free(cb);
	errno = failed;
	return failed == 0 ? 0 : -1;
}

/* The folder of member i, where none before it has the same one; else -1, errno 0 unless it cannot be opened. */
static int group_folder(const struct fs_group *g, size_t i)
{
	errno = 0;
	for (size_t j = 0; j < i; j++)
		if (strcmp(g->member[j].folder, g->member[i].folder) == 0)
			return -1;
	return open(g->member[i].folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int group_sync_folders(const struct fs_group *g, struct err *e)
{
	int *fd = mem_zalloc(g->members + 1, sizeof *fd), rc = 0;
	size_t n = 0;

	for (size_t i = 0; rc == 0 && i < g->members; i++) {
		if ((fd[n] = group_folder(g, i)) >= 0)
			n++;
		else if (errno != 0)
			rc = err_sys(e, "%s", g->member[i].folder);
	}
	if (rc == 0 && group_sync(fd, n) < 0)
		rc = err_sys(e, "%s: fsync", g->member[0].folder);
	while (n-- > 0)
		close(fd[n]);
	free(fd);
	return rc;
}

int fs_group_commit(struct fs_group *g, int fd, struct err *e)
{
	int *all = mem_zalloc(g->members + 1, sizeof *all), rc = 0;
	size_t n = 0;

	for (size_t i = 0; i < g->members; i++)
		all[n++] = g->member[i].fd;
	if (fd >= 0)
		all[n++] = fd;
	if (n > 0 && group_sync(all, n) < 0)
		rc = err_sys(e, "%s: fsync", g->members > 0 ? g->member[0].path : "fsync");
	free(all);
	for (size_t i = 0; i < g->members && rc == 0; i++) {
		struct fs_member *m = &g->member[i];

		if (close(m->fd) < 0)
			rc = err_sys(e, "%s: close", m->path);
		m->fd = -1;
		if (rc == 0 && rename(m->tmp, m->path) < 0)
			rc = err_sys(e, "%s: rename", m->path);
		if (rc == 0) {
			free(m->tmp);
			m->tmp = NULL;
		}
	}
	return rc == 0 ? group_sync_folders(g, e) : rc;
}

void fs_group_clear(struct fs_group *g)
{
	for (size_t i = 0; i < g->members; i++) {
		struct fs_member *m = &g->member[i];

		if (m->fd >= 0)
			close(m->fd);
		if (m->tmp != NULL)
			unlink(m->tmp);
		free(m->tmp);
		free(m->path);
		free(m->folder);
	}
	free(g->member);
	*g = (struct fs_group){ 0 };
}
