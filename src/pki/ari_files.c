/* The folder of renewalInfo files. Every file of it has the same octets, so they are names of a few inodes: a hundred
 * thousand of them take a second, a few blocks, and a handful of fsyncs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "pki/ari.h"

#define MARK "sev1-ari.json"
#define MARK_MAX 4096
#define LOCK_MS 5000
#define NAMES_MAX 30000 /* of an inode: ext4 has room for 65,000 */

struct ari_files {
	char *folder, *served, *staged; /* staged becomes served */
	char *body;
	int dir, lock;
	char *base;     /* the name that the next ones are links to; NULL: none */
	size_t names;   /* it has */
	size_t count;
	bool links;     /* the file system knows them */
};

/* May there be such an entry in a folder without a mark? What a killed run has left before it wrote one. */
static bool files_own(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strncmp(name, MARK, strlen(MARK)) == 0;
}

static int files_unmarked(const char *folder, struct err *e)
{
	DIR *d = opendir(folder);
	const struct dirent *de;
	int rc = 0;

	if (d == NULL)
		return err_sys(e, "%s", folder);
	while (rc == 0 && (de = readdir(d)) != NULL)
		if (!files_own(de->d_name)) {
			rc = err_set(e, ERR_REFUSED, _("%s holds other files already, %.80s for one"), folder, de->d_name);
			err_remedy(e, _("choose a new or empty folder with --output"));
		}
	closedir(d);
	return rc;
}

/* The folder is ours alone: what is served there is exchanged as a whole. */
static int files_mark(const struct ari_files *f, const char *path, const char *incident, struct err *e)
{
	struct buf b = { 0 };
	json_t *o = NULL;
	char *text;
	int rc = 0;

	if (!fs_exists(path)) {
		if ((rc = files_unmarked(f->folder, e)) < 0)
			return rc;
		o = json_pack("{s:s}", "incident", incident);
		text = json_line(o);
		rc = fs_write(path, text, strlen(text), 0644, e);
		free(text);
	} else if ((rc = fs_read(path, &b, MARK_MAX, e)) == 0 && (o = json_read(buf_str(&b), b.len, e)) == NULL) {
		rc = err_prefix(e, "%s", path);
	} else if (rc == 0 && strcmp(json_str(o, "incident"), incident) != 0) {
		rc = err_set(e, ERR_REFUSED, _("%s holds the renewal information of %.40s"), f->folder, json_str(o, "incident"));
		err_remedy(e, _("choose another folder with --output, or move that one away once it is no longer needed"));
	}
	buf_free(&b);
	json_decref(o);
	return rc;
}

static int files_stage(struct ari_files *f, struct err *e)
{
	int rc;

	if ((rc = fs_remove_tree(f->staged, e)) < 0 || (rc = fs_mkdirs(f->staged, 0755, e)) < 0)
		return rc;
	if ((f->dir = open(f->staged, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 || fchmod(f->dir, 0755) < 0)
		return err_sys(e, "%s", f->staged);
	return 0;
}

struct ari_files *ari_files_new(const char *folder, const char *incident, const char *body, struct err *e)
{
	struct ari_files *f = mem_zalloc(1, sizeof *f);
	char *mark = fs_join(folder, MARK);
	bool made = !fs_exists(folder);

	f->folder = mem_strdup(folder);
	f->served = fs_join(folder, ARI_SERVED);
	f->staged = fs_join(folder, ARI_SERVED ".new");
	f->body = mem_strdup(body);
	f->links = true;
	f->dir = f->lock = -1;
	if (fs_mkdirs(folder, 0755, e) < 0)
		goto fail;
	if (made && chmod(folder, 0755) < 0) { /* the web server reads it as another user, whatever our umask */
		err_sys(e, "%s", folder);
		goto fail;
	}
	if ((f->lock = fs_lock(mark, LOCK_MS, e)) < 0 || files_mark(f, mark, incident, e) < 0 || files_stage(f, e) < 0)
		goto fail;
	free(mark);
	return f;
fail:
	free(mark);
	ari_files_free(f);
	return NULL;
}

void ari_files_free(struct ari_files *f)
{
	if (f == NULL)
		return;
	if (f->dir >= 0) {
		close(f->dir);
		fs_remove_tree(f->staged, NULL);
	}
	if (f->lock >= 0)
		close(f->lock);
	free(f->folder);
	free(f->served);
	free(f->staged);
	free(f->body);
	free(f->base);
	free(f);
}

size_t ari_files_count(const struct ari_files *f)
{
	return f->count;
}

/* A file of its own; the next ones are links to it. */
static int files_write(struct ari_files *f, const char *id, struct err *e)
{
	int fd = openat(f->dir, id, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644), rc = 0;

	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0 || fs_put(fd, f->body, strlen(f->body)) < 0 || fchmod(fd, 0644) < 0 || fsync(fd) < 0)
		rc = err_sys(e, "%s/%s", f->staged, id);
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = err_sys(e, "%s/%s", f->staged, id);
	if (rc < 0)
		return rc;
	free(f->base);
	f->base = mem_strdup(id);
	f->names = 1;
	f->count++;
	return 0;
}

int ari_files_add(struct ari_files *f, const char *id, struct err *e)
{
	if (f->base == NULL || !f->links || f->names >= NAMES_MAX)
		return files_write(f, id, e);
	if (linkat(f->dir, f->base, f->dir, id, 0) == 0) {
		f->names++;
		f->count++;
		return 0;
	}
	if (errno == EEXIST)
		return 0;
	if (errno != EMLINK && errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
		return err_sys(e, "%s/%s", f->staged, id);
	f->links = errno == EMLINK;
	return files_write(f, id, e);
}

/* In one step for whoever opens a file there. */
static int files_exchange(const struct ari_files *f, struct err *e)
{
	if (!fs_exists(f->served))
		return fs_move(f->staged, f->served, e);
	if (renameat2(AT_FDCWD, f->staged, AT_FDCWD, f->served, RENAME_EXCHANGE) == 0)
		return 0;
	err_sys(e, _("%s and %s cannot be exchanged in one step"), f->staged, f->served);
	return err_remedy(e, _("choose a folder on a local file system (ext4, xfs, btrfs, tmpfs) with --output"));
}

static int files_snippet(const struct ari_files *f, const char *name, const char *text, struct err *e)
{
	char *path = fs_join(f->folder, name);
	int rc = fs_write(path, text, strlen(text), 0644, e);

	free(path);
	return rc;
}

int ari_files_commit(struct ari_files *f, const char *nginx, const char *apache, struct err *e)
{
	int fd, rc;

	if ((rc = files_snippet(f, "nginx.conf", nginx, e)) < 0 || (rc = files_snippet(f, "apache.conf", apache, e)) < 0)
		return rc;
	if (fsync(f->dir) < 0)
		return err_sys(e, "%s: fsync", f->staged);
	if ((rc = files_exchange(f, e)) < 0)
		return rc;
	if ((fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 || fsync(fd) < 0)
		rc = err_sys(e, "%s: fsync", f->folder);
	if (fd >= 0)
		close(fd);
	close(f->dir);
	f->dir = -1;
	return fs_remove_tree(f->staged, e) < 0 ? e->code : rc;
}
