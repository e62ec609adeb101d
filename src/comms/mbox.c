#include "comms/mbox.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "comms/mail.h"

#define CHUNK 65536

struct mbox {
	char *path;
	size_t max;
	int in;              /* a file or stdin; -1 for a Maildir */
	char *ahead;         /* what was read of it, from at on; CHUNK octets, wiped */
	size_t at, have;
	int failed;          /* errno of a read */
	bool many;           /* an mbox: "From " lines part its mails */
	bool begun, ended;
	size_t nth;
	char **file;         /* of a Maildir, in order */
	size_t files;
	struct mbox_mail mail;
	char *line;          /* the line at hand: no longer than CHUNK, a long line comes in pieces */
	size_t len;
	bool fresh;          /* the line starts a line */
};

static int name_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void folder_list(struct mbox *b, const char *sub)
{
	char *folder = fs_join(b->path, sub);
	DIR *d = opendir(folder);
	struct dirent *it;

	while (d != NULL && (it = readdir(d)) != NULL) {
		if (it->d_name[0] == '.')
			continue;
		b->file = mem_grow(b->file, b->files + 1, sizeof *b->file);
		b->file[b->files++] = fs_join(folder, it->d_name);
	}
	if (d != NULL)
		closedir(d);
	free(folder);
}

/* A Maildir: what is in tmp is not delivered yet. */
static int maildir_open(struct mbox *b, struct err *e)
{
	char *fresh = fs_join(b->path, "new"), *seen = fs_join(b->path, "cur");
	bool ok = fs_exists(fresh) && fs_exists(seen);

	free(fresh);
	free(seen);
	if (!ok) {
		err_set(e, ERR_SYNTAX, _("%s: a folder without new and cur is no Maildir"), b->path);
		return err_remedy(e, _("name the Maildir itself, or a single file"));
	}
	folder_list(b, "new");
	folder_list(b, "cur");
	if (b->files > 1)
		qsort(b->file, b->files, sizeof *b->file, name_cmp);
	return 0;
}

static bool is_from_line(const char *p, size_t n)
{
	size_t digits = 0;

	if (n < 20 || memcmp(p, "From ", 5) != 0)
		return false;
	while (n > 0 && isspace((unsigned char)p[n - 1]))
		n--;
	for (size_t i = n; i > 0 && isdigit((unsigned char)p[i - 1]); i--)
		digits++;
	/* "From who Sat Aug 31 23:19:00 2024", or a zone behind the year */
	return memchr(p, ':', n) != NULL && digits >= 4;
}

static bool ahead_fill(struct mbox *b)
{
	ssize_t n;

	if (b->at < b->have)
		return true;
	while ((n = read(b->in, b->ahead, CHUNK)) < 0 && errno == EINTR)
		;
	if (n < 0)
		b->failed = errno;
	b->at = 0;
	b->have = n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* The next line, or piece of a long one. False at the end. */
static bool line_next(struct mbox *b)
{
	bool whole = b->len == 0 || b->line[b->len - 1] == '\n';

	b->fresh = whole;
	b->len = 0;
	while (b->len < CHUNK && ahead_fill(b)) {
		size_t room = CHUNK - b->len, n = b->have - b->at;
		const char *nl;

		n = n < room ? n : room;
		if ((nl = memchr(b->ahead + b->at, '\n', n)) != NULL)
			n = (size_t)(nl - (b->ahead + b->at)) + 1;
		memcpy(b->line + b->len, b->ahead + b->at, n);
		b->len += n;
		b->at += n;
		if (nl != NULL)
			break;
	}
	return b->len > 0;
}

struct mbox *mbox_open(const char *path, size_t max, struct err *e)
{
	struct mbox *b = mem_zalloc(1, sizeof *b);
	bool std = strcmp(path, "-") == 0;
	struct stat st;
	int fd, rc = 0;

	b->path = mem_strdup(std ? _("(standard input)") : path);
	b->max = max;
	b->in = -1;
	b->line = mem_zalloc(1, CHUNK);
	b->ahead = mem_zalloc(1, CHUNK);
	fd = std ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = err_sys(e, "%s", b->path);
	} else if (!std && S_ISDIR(st.st_mode)) {
		rc = maildir_open(b, e);
	} else if (!std && !S_ISREG(st.st_mode)) {
		rc = err_set(e, ERR_SYNTAX, _("%s: neither a file nor a Maildir"), b->path);
	} else {
		b->in = fd;
	}
	if (fd >= 0 && b->in < 0)
		close(fd);
	if (rc < 0) {
		mbox_free(b);
		return NULL;
	}
	return b;
}

static void mail_clear(struct mbox *b)
{
	mail_wipe(&b->mail.data);
	free(b->mail.origin);
	b->mail = (struct mbox_mail){ .delivered = INT64_MIN };
}

static void mail_add(struct mbox *b, const char *p, size_t n)
{
	size_t room = b->max - b->mail.data.len;

	if (n > room) {
		b->mail.cut = true;
		n = room;
	}
	if (b->mail.data.cap < b->mail.data.len + n + 1) { /* what may hold a key is not left behind in smaller copies */
		struct buf more = { 0 };

		buf_room(&more, 2 * (b->mail.data.len + n) + CHUNK);
		buf_add(&more, buf_str(&b->mail.data), b->mail.data.len);
		mail_wipe(&b->mail.data);
		b->mail.data = more;
	}
	buf_add(&b->mail.data, p, n);
}

/* mboxrd: ">From " was "From ". */
static void line_add(struct mbox *b)
{
	size_t quotes = 0;

	while (b->many && b->fresh && quotes < b->len && b->line[quotes] == '>')
		quotes++;
	if (quotes > 0 && b->len - quotes > 5 && memcmp(b->line + quotes, "From ", 5) == 0)
		mail_add(b, b->line + 1, b->len - 1);
	else
		mail_add(b, b->line, b->len);
}

static const struct mbox_mail *stream_next(struct mbox *b, struct err *e)
{
	bool blank = false;

	if (!b->begun) {
		b->begun = true;
		if (line_next(b) && (b->many = is_from_line(b->line, b->len)))
			b->ended = !line_next(b);
	}
	if (b->ended)
		return NULL;
	while (b->len > 0) {
		line_add(b);
		blank = b->fresh && (b->len == 1 || (b->len == 2 && b->line[0] == '\r'));
		if (!line_next(b) || (b->many && blank && b->fresh && is_from_line(b->line, b->len)))
			break;
	}
	if (b->failed != 0) {
		errno = b->failed;
		err_sys(e, "%s", b->path);
		b->ended = true;
		return NULL;
	}
	b->ended = b->len == 0 || !line_next(b);
	if (b->mail.data.len == 0)
		return NULL;
	b->nth++;
	b->mail.origin = b->many ? mem_printf("%s:%zu", b->path, b->nth) : mem_strdup(b->path);
	return &b->mail;
}

static int file_read(struct mbox *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		b->mail.delivered = (int64_t)st.st_mtime * 1000;
		while ((n = read(fd, b->line, CHUNK)) > 0 && !b->mail.cut)
			mail_add(b, b->line, (size_t)n);
		b->mail.origin = mem_strdup(path);
	}
	close(fd);
	return b->mail.origin != NULL ? 0 : -1;
}

const struct mbox_mail *mbox_next(struct mbox *b, struct err *e)
{
	*e = (struct err){ 0 };
	mail_clear(b);
	if (b->in >= 0)
		return stream_next(b, e);
	while (b->nth < b->files)
		if (file_read(b, b->file[b->nth++]) == 0) /* one that was moved meanwhile is met again next time */
			return &b->mail;
	return NULL;
}

void mbox_free(struct mbox *b)
{
	if (b == NULL)
		return;
	mail_clear(b);
	if (b->in >= 0)
		close(b->in);
	for (size_t i = 0; i < b->files; i++)
		free(b->file[i]);
	free(b->file);
	explicit_bzero(b->line, CHUNK);
	explicit_bzero(b->ahead, CHUNK);
	free(b->line);
	free(b->ahead);
	free(b->path);
	free(b);
}
