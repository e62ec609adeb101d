/* An index with revocations added, on its way to disk and held against what is there. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "pki/index.h"

#define BLOCK ((size_t)1 << 20)
#define ROW_ROOM (1 << 17)

uint8_t index_give(struct index *x, int64_t date, enum reason reason, int64_t invalid)
{
	bool word = reason_in_index(reason);
	struct buf b = { 0 };
	struct given *g;

	if (x->givens + 1 == GIVEN_MAX)
		abort(); /* there are fewer reasons */
	g = &x->given[++x->givens];
	revinfo_write(&b, date, word ? reason : REASON_NONE, invalid);
	g->len = b.len;
	g->rev = buf_take(&b);
	g->beyond = word ? REASON_NONE : reason;
	return (uint8_t)x->givens;
}

void index_revoke(struct index *x, struct row *r, uint8_t given)
{
	(void)x;
	r->kind = ROW_REVOKED;
	r->given = given;
}

/* Append a row as it is now. */
static void emit_row(struct buf *b, const struct index *x, const struct row *r)
{
	const char *p = x->data + r->at;
	const struct given *g = &x->given[r->given];
	size_t file = (size_t)r->name - 1;

	if (r->given == 0) {
		buf_add(b, p, r->len);
	} else {
		buf_addc(b, 'R');
		buf_add(b, p + 1, (size_t)r->rev - 1);
		buf_add(b, g->rev, g->len);
		if (g->beyond == REASON_NONE) {
			buf_add(b, p + r->rev, r->len - r->rev);
		} else {
			buf_add(b, p + r->rev, file - r->rev);
			buf_addf(b, INDEX_BEYOND "%s", reason_name(g->beyond));
			buf_add(b, p + file, r->len - file);
		}
	}
	buf_addc(b, '\n'); /* openssl passes over a last line without one */
}

/* Hand x as it is now to take(), block by block, until it returns an error. */
static int index_emit(const struct index *x, int (*take)(void *ctx, const struct buf *b), void *ctx)
{
	struct buf b = { 0 };
	int rc = 0;

	buf_room(&b, BLOCK + ROW_ROOM);
	for (size_t i = 0; rc == 0 && i < x->rows; i++) {
		emit_row(&b, x, &x->row[i]);
		if (b.len >= BLOCK || i + 1 == x->rows) {
			rc = take(ctx, &b);
			buf_clear(&b);
		}
	}
	buf_free(&b);
	return rc;
}

struct emit {
	const char *path;
	const struct watch *watch;
	int64_t done, total; /* octets, for those who watch */
	int fd;
	char *block; /* what is read back */
	struct err *e;
};

static int emit_write(void *ctx, const struct buf *b)
{
	struct emit *m = ctx;

	if (fs_put(m->fd, b->data, b->len) < 0)
		return err_sys(m->e, "%s", m->path);
	m->done += (int64_t)b->len;
	watch_progress(m->watch, m->done < m->total ? m->done : m->total, m->total, m->path);
	return 0;
}

int index_write(const struct index *x, int fd, const struct watch *w, struct err *e)
{
	return index_emit(x, emit_write,
	    &(struct emit){ .path = x->path, .watch = w, .total = (int64_t)x->len, .fd = fd, .e = e });
}

static int emit_same(void *ctx, const struct buf *b)
{
	struct emit *m = ctx;

	m->block = mem_grow(m->block, b->len + 1, 1);
	if (fs_get(m->fd, m->block, b->len) != (ssize_t)b->len || memcmp(m->block, b->data, b->len) != 0)
		return err_set(m->e, ERR_FAILED, _("%s: what is on disk is not what was written"), m->path);
	return 0;
}

int index_same(const struct index *x, const char *path, struct err *e)
{
	struct emit m = { .path = path, .fd = open(path, O_RDONLY | O_CLOEXEC), .e = e };
	char more;
	int rc;

	if (m.fd < 0)
		return err_sys(e, "%s", path);
	rc = index_emit(x, emit_same, &m);
	if (rc == 0 && fs_get(m.fd, &more, 1) != 0)
		rc = err_set(e, ERR_FAILED, _("%s: what is on disk is longer than what was written"), path);
	free(m.block);
	close(m.fd);
	return rc;
}
