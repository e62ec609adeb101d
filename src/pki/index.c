#include "pki/index.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "pki/index_line.h"

static void index_parse(struct index *x)
{
	const char *p = x->data, *end = x->data + x->len, *nl, *why;
	size_t room = x->len / 64 + 16;
	struct row *r;

	x->row = mem_grow(NULL, room, sizeof *x->row);
	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL) {
			nl = end;
			x->open_end = true;
		}
		if (x->rows == room) {
			room *= 2;
			x->row = mem_grow(x->row, room, sizeof *x->row);
		}
		r = &x->row[x->rows++];
		*r = (struct row){ .at = (uint64_t)(p - x->data),
			.len = nl - p > (ptrdiff_t)UINT32_MAX ? UINT32_MAX : (uint32_t)(nl - p) };
		if ((why = index_line(p, (size_t)(nl - p), r)) == NULL)
			continue;
		if (x->bads < INDEX_BAD_KEPT)
			x->bad[x->bads] = (struct index_bad){ x->rows, why };
		x->bads++;
	}
}

/* Read the whole file in one piece; a file that shrinks or grows meanwhile shows in index_changed. */
static int index_slurp(struct index *x, int fd, struct err *e)
{
	size_t want = (size_t)x->st.st_size;
	ssize_t n;

	x->data = mem_alloc(want + 1);
	if ((n = fs_get(fd, x->data, want)) < 0)
		return err_sys(e, "%s", x->path);
	if ((size_t)n < want)
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
