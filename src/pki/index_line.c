#include "pki/index_line.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/i18n.h"
#include "pki/revinfo.h"

#define ROW_MAX 65000

int index_open(const char *path, struct stat *st, struct err *e)
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

	if (n == i)
		return N_("no serial");
	if (n > SERIAL_MAX - 8)
		return N_("the serial is too long");
	for (size_t k = i; k < n; k++)
		if (serial_digits[(unsigned char)s[k]] == 0)
			return N_("the serial is not hexadecimal");
	return (n - i) % 2 == 0 ? NULL : N_("the serial has an odd number of digits");
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

bool row_blank(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r')
			return false;
	return true;
}

const char *index_line(const char *p, size_t len, struct row *r)
{
	const char *why;

	if (len > 0 && p[0] == '#') {
		r->kind = ROW_COMMENT;
		return NULL;
	}
	if (row_blank(p, len))
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

void index_count_row(struct index_counts *c, const struct row *r, int64_t at)
{
	c->valid += r->kind == ROW_VALID && !row_expired(r, at);
	c->expired += r->kind == ROW_EXPIRED || (r->kind == ROW_VALID && row_expired(r, at));
	c->revoked += r->kind == ROW_REVOKED;
	c->unreadable += r->kind == ROW_BAD;
	c->rows += r->kind != ROW_COMMENT;
}
