/* Files that are whole or not there: durable writes, locks, folders. Every writer asks confine. */
#ifndef SEV1_FS_H
#define SEV1_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Append a whole file of at most max octets to b. ERR_IO; ERR_SYNTAX where it is larger. */
int fs_read(const char *path, struct buf *b, size_t max, struct err *e);

/* Replace path by len octets: a temporary file beside it, fsync, rename, fsync of the folder. A
 * reader sees the old content or the new, never less. mode is used where path did not exist; an
 * existing file keeps its mode and owner. On error the old file is whole. 0 or ERR_IO. */
int fs_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e);

/* The second half of fs_write for content streamed elsewhere: fsync fd, rename tmp to path, fsync
 * the folder. Closes fd in every case, removes tmp on error. */
int fs_commit(int fd, const char *tmp, const char *path, struct err *e);

/* As fs_commit, but only while path is still the file that `was` describes: the two change places at one moment,
 * and what comes out is looked at, so that nothing that another program wrote meanwhile is lost. ERR_REFUSED
 * where it is another; path is then as that program left it. Where the file system cannot exchange, it is looked
 * at just before the rename. */
int fs_replace(int fd, const char *tmp, const char *path, const struct stat *was, struct err *e);
/* Is path the file that `was` describes, and not written since? */
bool fs_unchanged(const char *path, const struct stat *was);

/* Can path be replaced by a file of its owner and group, as fs_beside makes it? Tells it beforehand, and changes
 * nothing. 0; ERR_IO or ERR_REFUSED with a remedy. */
int fs_replaceable(const char *path, struct err *e);

/* Give the new file fd path's owner, group and mode, access control list, SELinux label and user.* attributes, so that
 * whoever reads path (an OCSP responder, a web server) reads what takes its place; where path is not there, mode. What
 * cannot be kept is ERR_IO. */
int fs_like(int fd, const char *path, mode_t mode, struct err *e);

/* Open a new temporary file beside path (same folder, so that a rename is atomic), like path as fs_like has it,
 * else with mode. Returns the fd and *tmp (owned by the caller), or ERR_IO. */
int fs_beside(const char *path, mode_t mode, char **tmp, struct err *e);

/* Remove the temporary files that a killed process left in folder beside files whose names begin with prefix; the
 * caller holds what keeps others from writing there. 0 or ERR_IO. */
int fs_sweep(const char *folder, const char *prefix, struct err *e);

/* Write everything. 0 or ERR_IO with errno. */
int fs_put(int fd, const void *data, size_t len);
/* Read len octets, fewer only at the end of the file. Returns how many, -1 with errno. */
ssize_t fs_get(int fd, void *data, size_t len);

/* Does fd's file, from its start, hold exactly these octets? 0, ERR_FAILED or ERR_IO, without the file's name. */
int fs_same(int fd, const void *data, size_t len, struct err *e);

/* Give a file that is about to be replaced (renamed over) a second name, which must not exist: its old
 * content stays there, durably, without a copy of it. Where the file system knows no links, it is copied. 0 or
 * ERR_IO. */
int fs_keep(const char *from, const char *to, struct err *e);

/* Copy a file byte for byte to a new path that must not exist, durably. 0 or ERR_IO. */
int fs_backup(const char *from, const char *to, struct err *e);

/* Give a file another name in its folder, durably. 0 or ERR_IO. */
int fs_move(const char *from, const char *to, struct err *e);

/* Make a folder and those above it. 0 or ERR_IO. */
int fs_mkdirs(const char *path, mode_t mode, struct err *e);

/* Remove a folder and all below; links are removed, not followed. 0 or ERR_IO. */
int fs_remove_tree(const char *path, struct err *e);

/* An exclusive lock on path.lock, which gets path's owner and mode, held until the returned fd is closed. A lock held
 * by someone else is waited for at most wait_ms. Returns the fd, ERR_TIMEOUT or ERR_IO. */
int fs_lock(const char *path, int wait_ms, struct err *e);

bool fs_exists(const char *path);
int64_t fs_free_octets(const char *path); /* free for us on path's file system; -1 unknown */
/* "dir/name" (name as it is where absolute), owned by the caller. */
char *fs_join(const char *dir, const char *name);

#endif
