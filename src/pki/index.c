#include "pki/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/i18n.h"
#include "pki/revinfo.h"

#define FIELDS 6
#define ROW_MAX 65000

struct parse {
	const char *p;          /* the row */
	size_t len;
	size_t field[FIELDS + 1]; /* offsets; the last is len + 1 */
	const char *why;
};

/* Split at tabs. A tab behind a backslash belongs to its field, as in OpenSSL's TXT_DB. */
static bool index_split(struct parse *a)
{
	const char *p = a->p, *end = a->p + a->len, *tab;
	size_t n = 0;

	a->field[n++] = 0;
	for (; (tab = memchr(p, '\t', (size_t)(end - p))) != NULL; p = tab + 1) {
		if (tab > a->p && tab[-1] == '\\')
			continue;
		if (n == FIELDS) {
			a->why = N_("more than six fields");
			return false;
		}
		a->field[n++] = (size_t)(tab + 1 - a->p);
	}
	if (n < FIELDS) {
		a->why = n == 1 ? N_("no tabs: fields must be parted by single tabs")
		                : N_("fewer than six fields");
		return false;
	}
	a->field[FIELDS] = a->len + 1;
	return true;
}

static size_t parse_len(const struct parse *a, int i)
{
	return a->field[i + 1] - a->field[i] - 1;
}

static bool index_serial_ok(struct parse *a)
{
	const char *s = a->p + a->field[3];
	size_t n = parse_len(a, 3), i = n > 0 && s[0] == '-';

	if (n - i < 2) {
		a->why = N_("no serial");
		return false;
	}
	if ((n - i) % 2 != 0) {
		a->why = N_("the serial has an odd number of digits");
		return false;
	}
	if (n > SERIAL_MAX - 8) {
		a->why = N_("the serial is too long");
		return false;
	}
	for (; i < n; i++)
		if (strchr("0123456789abcdefABCDEF", s[i]) == NULL || s[i] == '\0') {
			a->why = N_("the serial is not hexadecimal");
			return false;
		}
	return true;
}

/* The same checks that `openssl ca` makes when it starts, and a few it should. */
static bool index_check(struct parse *a, struct row *r)
{
	struct revinfo info;
	size_t rev;

	if (memchr(a->p, '\0', a->len) != NULL) {
		a->why = N_("a NUL octet");
		return false;
	}
	if (!index_split(a))
		return false;
	rev = parse_len(a, 2);
	if (parse_len(a, 0) != 1 || memchr("VRE", a->p[0], 3) == NULL) {
		a->why = N_("the status is none of V, R, E");
		return false;
	}
	if (!time_field(a->p + a->field[1], parse_len(a, 1), &r->expires)) {
		a->why = N_("the expiry date is not a date");
		return false;
	}
	r->kind = a->p[0] == 'V' ? ROW_VALID : a->p[0] == 'R' ? ROW_REVOKED : ROW_EXPIRED;
	if (r->kind != ROW_REVOKED && rev != 0) {
		a->why = N_("not revoked, but with a revocation date");
		return false;
	}
	if (r->kind == ROW_REVOKED && (a->why = revinfo_read(&info, a->p + a->field[2], rev)) != NULL)
		return false;
	return index_serial_ok(a);
}

static void index_row(struct index *x, struct row *r, size_t line)
{
	struct parse a = { .p = x->data + r->at, .len = r->len };

	if (r->len > 0 && a.p[0] == '#') {
		r->kind = ROW_COMMENT;
		return;
	}
	if (r->len == 0)
		a.why = N_("an empty line");
	else if (r->len > ROW_MAX)
		a.why = N_("longer than 65 000 octets");
	else if (index_check(&a, r)) {
		r->rev = (uint16_t)a.field[2];
		r->serial = (uint16_t)a.field[3];
		r->file = (uint16_t)a.field[4];
		r->name = (uint16_t)a.field[5];
		return;
	}
	r->kind = ROW_BAD;
	if (x->bads < INDEX_BAD_KEPT)
		x->bad[x->bads] = (struct index_bad){ line, a.why };
	x->bads++;
}

static void index_parse(struct index *x)
{
	const char *p = x->data, *end = x->data + x->len, *nl;
	size_t room = x->len / 64 + 16;

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
		x->row[x->rows] = (struct row){ .at = (uint64_t)(p - x->data),
			.len = nl - p > (ptrdiff_t)UINT32_MAX ? UINT32_MAX : (uint32_t)(nl - p) };
		x->rows++;
		index_row(x, &x->row[x->rows - 1], x->rows);
	}
}

/* Read the whole file in one piece; a file that shrinks or grows meanwhile shows in index_changed. */
static int index_slurp(struct index *x, int fd, struct err *e)
{
	size_t want;
	ssize_t n;

	if (fstat(fd, &x->st) < 0)
		return err_sys(e, "%s", x->path);
	if (!S_ISREG(x->st.st_mode))
		return err_set(e, ERR_SYNTAX, _("%s: not a regular file"), x->path);
	want = (size_t)x->st.st_size;
	x->data = mem_alloc(want + 1);
	while (x->len < want) {
		if ((n = read(fd, x->data + x->len, want - x->len)) < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s", x->path);
		if (n == 0)
			return err_set(e, ERR_IO, _("%s: became shorter while it was read"), x->path);
		x->len += (size_t)n;
	}
	x->data[x->len] = '\0';
	return 0;
}

struct index *index_load(const char *path, struct err *e)
{
	struct index *x = mem_zalloc(1, sizeof *x);
	int fd, rc;

	x->path = mem_strdup(path);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
		err_sys(e, "%s", path);
		err_remedy(e, _("the database of the CA must exist, be it empty"));
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

void index_count(const struct index *x, int64_t at, struct index_counts *c)
{
	*c = (struct index_counts){ 0 };
	for (size_t i = 0; i < x->rows; i++) {
		const struct row *r = &x->row[i];

		c->valid += r->kind == ROW_VALID && !row_expired(r, at);
		c->expired += r->kind == ROW_EXPIRED || (r->kind == ROW_VALID && row_expired(r, at));
		c->revoked += r->kind == ROW_REVOKED;
		c->unreadable += r->kind == ROW_BAD;
		c->rows += r->kind != ROW_COMMENT;
	}
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
