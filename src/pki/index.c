#include "pki/index.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "pki/revinfo.h"

#define ROW_MAX 65000
#define BLOCK ((size_t)1 << 20)

/* The tab that ends the field at p, or NULL. A tab behind a backslash belongs to its field, as in OpenSSL's
 * TXT_DB. */
static const char *field_end(const char *p, const char *end)
{
	const char *tab = memchr(p, '\t', (size_t)(end - p));

	while (tab != NULL && tab > p && tab[-1] == '\\')
		tab = memchr(tab + 1, '\t', (size_t)(end - tab - 1));
	return tab;
}

/* Split at tabs; field[i] gets where the i-th field starts, and the last is where a seventh would. NULL, or
 * what is wrong. */
static const char *index_split(const char *p, size_t len, const char *field[7])
{
	const char *end = p + len, *tab;

	field[0] = p;
	for (int i = 1; i < 6; i++) {
		if ((tab = field_end(field[i - 1], end)) == NULL)
			return i == 1 ? N_("no tabs: fields must be parted by single tabs") : N_("fewer than six fields");
		field[i] = tab + 1;
	}
	field[6] = end + 1;
	return field_end(field[5], end) == NULL ? NULL : N_("more than six fields");
}

static const char *serial_wrong(const char *s, size_t n)
{
	size_t i = n > 0 && s[0] == '-';

	if (n - i < 2)
		return N_("no serial");
	if ((n - i) % 2 != 0)
		return N_("the serial has an odd number of digits");
	if (n > SERIAL_MAX - 8)
		return N_("the serial is too long");
	for (; i < n; i++)
		if (serial_digits[(unsigned char)s[i]] == 0)
			return N_("the serial is not hexadecimal");
	return NULL;
}

/* The same checks that `openssl ca` makes when it starts, and a few it should. Fills r's fields; NULL, or what
 * is wrong. */
static const char *index_check(const char *p, size_t len, struct row *r)
{
	const char *field[7], *why;
	struct revinfo info;
	size_t rev;

	if ((why = index_split(p, len, field)) != NULL)
		return why;
	if (field[1] - p != 2 || (p[0] != 'V' && p[0] != 'R' && p[0] != 'E'))
		return N_("the status is none of V, R, E");
	if (!time_field(field[1], (size_t)(field[2] - field[1] - 1), &r->expires))
		return N_("the expiry date is not a date");
	rev = (size_t)(field[3] - field[2] - 1);
	r->kind = p[0] == 'V' ? ROW_VALID : p[0] == 'R' ? ROW_REVOKED : ROW_EXPIRED;
	if (r->kind != ROW_REVOKED && rev != 0)
		return N_("not revoked, but with a revocation date");
	if (r->kind == ROW_REVOKED && (why = revinfo_read(&info, field[2], rev)) != NULL)
		return why;
	r->rev = (uint8_t)(field[2] - p);
	r->serial = (uint16_t)(field[3] - p);
	r->file = (uint16_t)(field[4] - p);
	r->name = (uint16_t)(field[5] - p);
	return serial_wrong(field[3], (size_t)(field[4] - field[3] - 1));
}

/* Read the line of len octets at p. NULL, or what is wrong with it; r->kind says so too. */
static const char *index_line(const char *p, size_t len, struct row *r)
{
	const char *why;

	if (len > 0 && p[0] == '#') {
		r->kind = ROW_COMMENT;
		return NULL;
	}
	if (len == 0)
		why = N_("an empty line");
	else if (len > ROW_MAX)
		why = N_("longer than 65 000 octets");
	else if (memchr(p, '\0', len) != NULL)
		why = N_("a NUL octet");
	else
		why = index_check(p, len, r);
	if (why != NULL)
		r->kind = ROW_BAD;
	return why;
}

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

static int index_open(const char *path, struct stat *st, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0) {
		err_sys(e, "%s", path);
		return err_remedy(e, _("the database of the CA must exist, be it empty"));
	}
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	rc = S_ISREG(st->st_mode) ? err_sys(e, "%s", path) : err_set(e, ERR_SYNTAX, _("%s: not a regular file"), path);
	close(fd);
	return rc;
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
	struct stat st;

	return stat(x->path, &st) < 0 || st.st_dev != x->st.st_dev || st.st_ino != x->st.st_ino ||
	    st.st_size != x->st.st_size || st.st_mtim.tv_sec != x->st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != x->st.st_mtim.tv_nsec;
}

bool row_expired(const struct row *r, int64_t at_ms)
{
	return r->expires <= at_ms / 1000;
}

static void count_row(struct index_counts *c, const struct row *r, int64_t at)
{
	c->valid += r->kind == ROW_VALID && !row_expired(r, at);
	c->expired += r->kind == ROW_EXPIRED || (r->kind == ROW_VALID && row_expired(r, at));
	c->revoked += r->kind == ROW_REVOKED;
	c->unreadable += r->kind == ROW_BAD;
	c->rows += r->kind != ROW_COMMENT;
}

void index_count(const struct index *x, int64_t at, struct index_counts *c)
{
	*c = (struct index_counts){ 0 };
	for (size_t i = 0; i < x->rows; i++)
		count_row(c, &x->row[i], at);
}

/* Count the whole lines in data; returns the octets they take. The last one of a file may lack its end. */
static size_t tally_block(const char *data, size_t len, bool last, int64_t at, size_t *lines,
    struct index_counts *c, struct index_bad *bad)
{
	const char *p = data, *end = data + len, *nl, *why;
	struct row r;

	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL) {
			if (!last)
				break;
			nl = end;
		}
		++*lines;
		if ((why = index_line(p, (size_t)(nl - p), &r)) != NULL && c->unreadable < INDEX_BAD_KEPT)
			bad[c->unreadable] = (struct index_bad){ *lines, why };
		count_row(c, &r, at);
	}
	return p < end ? (size_t)(p - data) : len;
}

int index_tally(const char *path, int64_t at, struct index_counts *c, struct index_bad *bad, struct err *e)
{
	size_t room = BLOCK, len = 0, used, lines = 0;
	struct stat st;
	char *block;
	ssize_t n = 1;
	int fd;

	*c = (struct index_counts){ 0 };
	if ((fd = index_open(path, &st, e)) < 0)
		return fd;
	block = mem_alloc(room);
	while (n > 0) {
		if (len == room) /* a line longer than the block */
			block = mem_grow(block, room *= 2, 1);
		if ((n = fs_get(fd, block + len, room - len)) > 0)
			len += (size_t)n;
		used = tally_block(block, len, n == 0, at, &lines, c, bad);
		memmove(block, block + used, len -= used);
	}
	free(block);
	close(fd);
	return n < 0 ? err_sys(e, "%s", path) : 0;
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
