#include "pki/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "pki/index_line.h"

#define APART ((size_t)1 << 22) /* octets from which on two threads are worth it */

/* A part of the index that is being parsed: the lines from p on. */
struct part {
	const char *data, *p, *end;
	struct row *row;
	size_t rows, bads;
	struct index_bad *bad; /* lines counted from the part's first */
	bool open_end;
};

static void part_parse(void *arg)
{
	struct part *t = arg;
	size_t room = (size_t)(t->end - t->p) / 64 + 16;
	const char *nl, *why;
	struct row *r;

	t->row = mem_grow(NULL, room, sizeof *t->row);
	for (const char *p = t->p; p < t->end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(t->end - p))) == NULL) {
			nl = t->end;
			t->open_end = true;
		}
		if (t->rows == room) {
			room *= 2;
			t->row = mem_grow(t->row, room, sizeof *t->row);
		}
		r = &t->row[t->rows++];
		*r = (struct row){ .at = (uint64_t)(p - t->data),
			.len = nl - p > (ptrdiff_t)UINT32_MAX ? UINT32_MAX : (uint32_t)(nl - p) };
		if ((why = index_line(p, (size_t)(nl - p), r)) == NULL)
			continue;
		if (t->bads < INDEX_BAD_KEPT)
			t->bad[t->bads] = (struct index_bad){ t->rows, why };
		t->bads++;
	}
}

/* Put the second part behind the first. */
static void part_join(struct part *a, struct part *b)
{
	for (size_t i = 0; i < b->bads && i < INDEX_BAD_KEPT && a->bads + i < INDEX_BAD_KEPT; i++)
		a->bad[a->bads + i] = (struct index_bad){ a->rows + b->bad[i].line, b->bad[i].why };
	a->row = mem_grow(a->row, a->rows + b->rows, sizeof *a->row);
	memcpy(a->row + a->rows, b->row, b->rows * sizeof *a->row);
	a->rows += b->rows;
	a->bads += b->bads;
	a->open_end = b->open_end;
	free(b->row);
}

/* A large index is parsed by two threads, the second from the first line that starts in its half. */
static void index_parse(struct index *x)
{
	const char *end = x->data + x->len, *half = x->len > APART ? memchr(x->data + x->len / 2, '\n', x->len - x->len / 2) : NULL;
	struct part a = { .data = x->data, .p = x->data, .end = half != NULL ? half + 1 : end, .bad = x->bad };
	struct part b = { .data = x->data, .p = a.end, .end = end };
	struct beside beside;

	if (b.p < b.end) {
		b.bad = mem_grow(NULL, INDEX_BAD_KEPT, sizeof *b.bad);
		beside_start(&beside, true, part_parse, &b);
		part_parse(&a);
		beside_end(&beside);
		part_join(&a, &b);
		free(b.bad);
	} else {
		part_parse(&a);
	}
	x->row = a.row;
	x->rows = a.rows;
	x->bads = a.bads;
	x->open_end = a.open_end;
}

struct slurp {
	int fd;
	char *to;
	off_t from;
	size_t len, got;
	int error; /* errno */
};

static void slurp_part(void *arg)
{
	struct slurp *s = arg;
	ssize_t n = 1;

	while (s->error == 0 && s->got < s->len && n != 0) {
		if ((n = pread(s->fd, s->to + s->got, s->len - s->got, s->from + (off_t)s->got)) < 0 && errno != EINTR)
			s->error = errno;
		s->got += n > 0 ? (size_t)n : 0;
	}
}

/* Read the whole file at one go, a large one in two halves at once; a file that shrinks or grows meanwhile shows
 * here or in index_changed. */
static int index_slurp(struct index *x, int fd, struct err *e)
{
	size_t want = (size_t)x->st.st_size, half = want > APART ? want / 2 : want;
	struct slurp a = { .fd = fd, .len = half }, b = { .fd = fd, .from = (off_t)half, .len = want - half };
	struct beside beside;

	x->data = mem_alloc(want + 1);
	a.to = x->data;
	b.to = x->data + half;
	beside_start(&beside, half < want, slurp_part, &b);
	slurp_part(&a);
	beside_end(&beside);
	if ((errno = a.error) != 0 || (errno = b.error) != 0)
		return err_sys(e, "%s", x->path);
	if (a.got + b.got < want)
		return err_set(e, ERR_IO, _("%s: became shorter while it was read"), x->path);
	x->len = want;
	x->data[want] = '\0';
	return 0;
}

struct index *index_load(const char *path, struct err *e)
{
	struct index *x = mem_zalloc(1, sizeof *x);
	int fd, rc;

	x->path = mem_strdup(path);
	if ((fd = index_open(path, &x->st, e)) < 0) {
		index_free(x);
		return NULL;
	}
	rc = index_slurp(x, fd, e);
	close(fd);
	if (rc < 0) {
		index_free(x);
		return NULL;
	}
	index_parse(x);
	return x;
}

void index_free(struct index *x)
{
	if (x == NULL)
		return;
	for (size_t i = 1; i <= x->givens; i++)
		free(x->given[i].rev);
	free(x->path);
	free(x->data);
	free(x->row);
	free(x);
}

bool index_changed(const struct index *x)
{
	return !fs_unchanged(x->path, &x->st);
}

bool row_expired(const struct row *r, int64_t at_ms)
{
	return r->expires <= at_ms / 1000;
}

void index_count(const struct index *x, int64_t at, struct index_counts *c)
{
	*c = (struct index_counts){ 0 };
	for (size_t i = 0; i < x->rows; i++)
		index_count_row(c, &x->row[i], at);
}

int index_refuse_bad(const struct index *x, struct err *e)
{
	if (x->bads == 0)
		return 0;
	err_set(e, ERR_REFUSED, _("%s: line %zu cannot be read: %s (%zu such lines)"), x->path,
	    x->bad[0].line, _(x->bad[0].why), x->bads);
	if (row_blank(x->data + x->row[x->bad[0].line - 1].at, x->row[x->bad[0].line - 1].len))
		return err_remedy(e, _("openssl ca does not take it either; this removes all empty lines: sed -i '/^[[:space:]]*$/d' %s"),
		    x->path);
	return err_remedy(e, _("correct the line, or remove it into another file; sev1 revokes nothing while "
	    "it cannot read every row"));
}

const char *row_serial(const struct index *x, const struct row *r, size_t *len)
{
	*len = (size_t)(r->file - r->serial - 1);
	return x->data + r->at + r->serial;
}

const char *row_rev(const struct index *x, const struct row *r, size_t *len)
{
	if (r->given != 0) {
		*len = x->given[r->given].len;
		return x->given[r->given].rev;
	}
	*len = (size_t)(r->serial - r->rev - 1);
	return x->data + r->at + r->rev;
}

const char *row_name(const struct index *x, const struct row *r, size_t *len)
{
	const char *s = x->data + r->at + r->name;

	*len = r->len - r->name;
	if (*len > 0 && s[*len - 1] == '\r')
		--*len;
	return s;
}


enum reason row_beyond(const struct index *x, const struct row *r)
{
	const char *file = x->data + r->at + r->file, *mark;
	size_t len = (size_t)(r->name - r->file - 1);

	if (r->given != 0)
		return x->given[r->given].beyond;
	if (len <= sizeof INDEX_BEYOND || (mark = memmem(file, len, INDEX_BEYOND, sizeof INDEX_BEYOND - 1)) == NULL)
		return REASON_NONE;
	mark += sizeof INDEX_BEYOND - 1;
	return reason_of(mark, len - (size_t)(mark - file));
}

const char *row_revinfo(const struct index *x, const struct row *r, struct revinfo *out)
{
	size_t len;
	const char *rev = row_rev(x, r, &len), *why = revinfo_read(out, rev, len);

	if (why == NULL && out->reason == REASON_NONE)
		out->reason = row_beyond(x, r);
	return why;
}

bool row_revoked_alike(const struct index *x, const struct row *a, const struct row *b)
{
	const char *ra, *rb;
	size_t la, lb;

	if (a->given != 0 && a->given == b->given)
		return true;
	ra = row_rev(x, a, &la);
	rb = row_rev(x, b, &lb);
	return la == lb && memcmp(ra, rb, la) == 0 && row_beyond(x, a) == row_beyond(x, b);
}
