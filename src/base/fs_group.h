/* Files that are replaced together: each whole or not there, and all of them durable for the wait of a few, where one
 * after another takes one wait for each file and one for each folder. */
#ifndef SEV1_FS_GROUP_H
#define SEV1_FS_GROUP_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct fs_member;

struct fs_group {
	struct fs_member *member;
	size_t members;
};

/* As fs_write, but nothing is renamed yet. 0 or ERR_IO. */
int fs_group_add(struct fs_group *g, const char *path, const void *data, size_t len, mode_t mode, struct err *e);

/* Write all of them to the disk, with fd (-1: none), which stays open; then rename them in the order in which they were
 * added, and write their folders. On error a file has its old content or the new one. 0 or ERR_IO. */
int fs_group_commit(struct fs_group *g, int fd, struct err *e);

/* Remove what was not renamed. */
void fs_group_clear(struct fs_group *g);

#endif
