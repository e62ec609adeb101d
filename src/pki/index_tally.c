/* Counting an index without keeping it: read in blocks, a large one by two threads, each from the first line
 * that starts in its half. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/beside.h"
#include "pki/index_line.h"

#define BLOCK ((size_t)1 << 20)
#define APART ((off_t)1 << 22) /* octets from which on two threads are worth it */

/* A part of a file that is being counted: the lines that start in [from, to). */
struct tally {
	int fd;
	off_t from, to;
	int64_t at;
	size_t lines;
	struct index_counts counts;
	struct index_bad *bad;
	int error; /* errno */
};

static void tally_line(struct tally *t, const char *p, size_t len)
{
	struct row r;
	const char *why = index_line(p, len, &r);

	t->lines++;
	if (why != NULL && t->counts.unreadable < INDEX_BAD_KEPT)
		t->bad[t->counts.unreadable] = (struct index_bad){ t->lines, why };
	index_count_row(&t->counts, &r, t->at);
}

/* Count the lines that lie whole in the block, which starts at offset; those of the file's end may lack their
 * newline. Returns the octets that are done with. */
static size_t tally_block(struct tally *t, const char *data, size_t len, off_t offset, bool last)
{
	const char *p = data, *end = data + len, *nl;

	while (p < end && offset + (p - data) < t->to) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL && !last)
			break;
		if (nl == NULL)
			nl = end;
		tally_line(t, p, (size_t)(nl - p));
		p = nl < end ? nl + 1 : end;
	}
	return (size_t)(p - data);
}

/* The first offset from at on where a line starts. */
static off_t tally_align(struct tally *t, char *block, off_t at)
{
	const char *nl;
	ssize_t n;

	if (at == 0)
		return 0;
	for (at--; (n = pread(t->fd, block, BLOCK, at)) > 0; at += n)
		if ((nl = memchr(block, '\n', (size_t)n)) != NULL)
			return at + (nl - block) + 1;
	t->error = n < 0 ? errno : 0;
	return at;
}

static void tally_part(void *arg)
{
	struct tally *t = arg;
	size_t room = BLOCK, len = 0, used;
	char *block = mem_alloc(room);
	off_t offset = tally_align(t, block, t->from);
	ssize_t n = 1;

	while (t->error == 0 && n > 0 && offset < t->to) {
		if (len == room) /* a line longer than the block */
			block = mem_grow(block, room *= 2, 1);
		n = pread(t->fd, block + len, room - len, offset + (off_t)len);
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n < 0)
			t->error = errno;
		len += n > 0 ? (size_t)n : 0;
		used = tally_block(t, block, len, offset, n == 0);
		memmove(block, block + used, len -= used);
		offset += (off_t)used;
	}
	free(block);
}

/* Put what the second part found behind what the first did. */
static void tally_join(struct tally *a, const struct tally *b)
{
	struct index_counts *c = &a->counts;

	for (int64_t i = 0; i < b->counts.unreadable && i < INDEX_BAD_KEPT; i++)
		if (c->unreadable + i < INDEX_BAD_KEPT)
			a->bad[c->unreadable + i] = (struct index_bad){ a->lines + b->bad[i].line, b->bad[i].why };
	c->valid += b->counts.valid;
	c->expired += b->counts.expired;
	c->revoked += b->counts.revoked;
	c->unreadable += b->counts.unreadable;
	c->rows += b->counts.rows;
}

int index_tally(const char *path, int64_t at, struct index_counts *c, struct index_bad *bad, struct err *e)
{
	struct tally half[2];
	struct beside beside;
	struct stat st;
	off_t middle;
	int fd, rc = 0;

	*c = (struct index_counts){ 0 };
	if ((fd = index_open(path, &st, e)) < 0)
		return fd;
	middle = st.st_size > APART ? st.st_size / 2 : st.st_size;
	half[0] = (struct tally){ .fd = fd, .to = middle, .at = at, .bad = bad };
	half[1] = (struct tally){ .fd = fd, .from = middle, .to = st.st_size, .at = at,
		.bad = mem_grow(NULL, INDEX_BAD_KEPT, sizeof *bad) };
	beside_start(&beside, middle < st.st_size, tally_part, &half[1]);
	tally_part(&half[0]);
	beside_end(&beside);
	if ((errno = half[0].error) != 0 || (errno = half[1].error) != 0)
		rc = err_sys(e, "%s", path);
	tally_join(&half[0], &half[1]);
	*c = half[0].counts;
	free(half[1].bad);
	close(fd);
	return rc;
}
