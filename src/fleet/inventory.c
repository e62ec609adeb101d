#include "fleet/inventory.h"

#include <ctype.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"

#define INVENTORY_MAX (32u << 20)
#define FIELDS_MAX 16u

enum column { COL_HOST, COL_ADDRESS, COL_PORT, COL_USER, COL_NAMES, COLUMNS };

static const char *const column_names[COLUMNS] = { "host", "address", "port", "user", "names" };

/* Where a host was seen first; the tree outlives moves of the server array. */
struct seen {
	char *name;
	int line;
};

/* Reading position. */
struct reader {
	struct inventory *inv;
	const char *at, *end;
	int line;               /* of what is being read */
	int column[FIELDS_MAX]; /* an enum column each; CSV only */
	size_t columns;         /* 0 before the header */
	void *seen;             /* a tree of struct seen */
	struct err *e;
};

static int reader_error(const struct reader *r, const char *what, const char *shown)
{
	char *safe = text_escaped(shown, strlen(shown), 80);
	int rc = err_set(r->e, ERR_SYNTAX, "%s:%d: %s%s%s", r->inv->path, r->line, what,
	    safe[0] != '\0' ? ": " : "", safe);

	free(safe);
	return rc;
}

static void server_clear(struct server *s)
{
	free(s->name);
	free(s->address);
	free(s->user);
	for (size_t i = 0; i < s->count; i++)
		free(s->names[i]);
	free(s->names);
}

void inventory_free(struct inventory *inv)
{
	if (inv == NULL)
		return;
	for (size_t i = 0; i < inv->servers; i++)
		server_clear(&inv->server[i]);
	free(inv->server);
	free(inv->path);
	free(inv);
}

static void server_add_name(struct server *s, const char *name, size_t len)
{
	s->names = mem_grow(s->names, s->count + 1, sizeof *s->names);
	s->names[s->count++] = mem_strndup(name, len);
}

static int seen_compare(const void *a, const void *b)
{
	return strcasecmp(((const struct seen *)a)->name, ((const struct seen *)b)->name);
}

static void seen_free(void *p)
{
	struct seen *s = p;

	free(s->name);
	free(s);
}

/* Names are names, and the host is new. */
static int server_check(struct reader *r, const struct server *s)
{
	struct seen *seen, **found;
	char *what;
	int rc;

	if (!text_is_host(s->name, false))
		return reader_error(r, _("not a host name or address"), s->name);
	if (s->address != NULL && !text_is_host(s->address, false))
		return reader_error(r, _("not an address"), s->address);
	if (s->user != NULL && !text_is_word(s->user))
		return reader_error(r, _("not a user name"), s->user);
	for (size_t i = 0; i < s->count; i++)
		if (!text_is_host(s->names[i], true))
			return reader_error(r, _("not a name for a certificate"), s->names[i]);
	seen = mem_alloc(sizeof *seen);
	*seen = (struct seen){ mem_strdup(s->name), r->line };
	found = tsearch(seen, &r->seen, seen_compare);
	if (*found == seen)
		return 0;
	what = mem_printf(_("this host stands in line %d already"), (*found)->line);
	rc = reader_error(r, what, s->name);
	free(what);
	seen_free(seen);
	return rc;
}

/* Check a server and add it; s is stolen. */
static int reader_add(struct reader *r, struct server *s)
{
	int rc = server_check(r, s);

	if (rc < 0) {
		server_clear(s);
		return rc;
	}
	s->line = r->line;
	if (s->count == 0)
		server_add_name(s, s->name, strlen(s->name));
	r->inv->server = mem_grow(r->inv->server, r->inv->servers + 1, sizeof *r->inv->server);
	r->inv->server[r->inv->servers++] = *s;
	return 0;
}

static char *text_trimmed(char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	for (n = strlen(s); n > 0 && isspace((unsigned char)s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

/* Take one line without its end; NULL at the end of the text. */
static char *reader_line(struct reader *r)
{
	const char *nl;
	size_t n;
	char *line;

	if (r->at >= r->end)
		return NULL;
	nl = memchr(r->at, '\n', (size_t)(r->end - r->at));
	n = (size_t)((nl != NULL ? nl : r->end) - r->at);
	line = mem_strndup(r->at, n);
	r->at += n + (nl != NULL);
	r->line++;
	return line;
}

static int list_read(struct reader *r)
{
	char *line, *name, *hash;
	int rc = 0;

	while (rc == 0 && (line = reader_line(r)) != NULL) {
		if ((hash = strchr(line, '#')) != NULL)
			*hash = '\0';
		name = text_trimmed(line);
		if (name[strcspn(name, " \t,;")] != '\0') {
			rc = reader_error(r, _("one host name a line is expected"), name);
			if (strchr(name, ',') != NULL)
				err_remedy(r->e, _("a CSV file needs a header: host,address,port,user,names"));
		} else if (name[0] != '\0') {
			struct server s = { .name = mem_strdup(name) };
			rc = reader_add(r, &s);
		}
		free(line);
	}
	return rc;
}

/* The rest of a quoted field, RFC 4180 2.5 to 2.7, but on one line: no host name has a line break. */
static int csv_quoted(struct reader *r, struct buf *b)
{
	for (r->at++; r->at < r->end && *r->at != '\n'; r->at++) {
		if (*r->at != '"') {
			buf_addc(b, *r->at);
		} else if (r->at + 1 < r->end && r->at[1] == '"') {
			buf_addc(b, '"');
			r->at++;
		} else {
			for (r->at++; r->at < r->end && (*r->at == ' ' || *r->at == '\r'); r->at++)
				;
			if (r->at >= r->end || *r->at == ',' || *r->at == '\n')
				return 0;
			return reader_error(r, _("text behind a closing quote"), buf_str(b));
		}
	}
	return reader_error(r, _("a quote that is not closed"), buf_str(b));
}

/* The next field, trimmed; owned by the caller. NULL on an error. */
static char *csv_field(struct reader *r)
{
	struct buf b = { 0 };
	const char *start;
	char *raw, *field;
	int rc = 0;

	while (r->at < r->end && *r->at == ' ')
		r->at++;
	start = r->at;
	if (r->at < r->end && *r->at == '"') {
		rc = csv_quoted(r, &b);
	} else {
		while (r->at < r->end && *r->at != ',' && *r->at != '\n')
			r->at++;
		buf_add(&b, start, (size_t)(r->at - start));
	}
	raw = buf_take(&b);
	field = rc == 0 ? mem_strdup(text_trimmed(raw)) : NULL;
	free(raw);
	return field;
}

/* One record into field[], *n of them, each owned by the caller. 1; 0 at the end of the text. */
static int csv_record(struct reader *r, char *field[FIELDS_MAX], size_t *n)
{
	char *f;

	*n = 0;
	if (r->at >= r->end)
		return 0;
	r->line++;
	for (;;) {
		if ((f = csv_field(r)) == NULL)
			return ERR_SYNTAX;
		if (*n == FIELDS_MAX) {
			free(f);
			return reader_error(r, _("too many fields"), "");
		}
		field[(*n)++] = f;
		if (r->at >= r->end || *r->at++ == '\n')
			return 1;
	}
}

static int csv_header(struct reader *r, char *field[], size_t n)
{
	bool have[COLUMNS] = { false };
	int c;

	for (size_t i = 0; i < n; i++) {
		for (c = 0; c < COLUMNS && strcasecmp(field[i], column_names[c]) != 0; c++)
			;
		if (c == COLUMNS || have[c]) {
			reader_error(r, c == COLUMNS ? _("unknown column") : _("a column twice"), field[i]);
			return err_remedy(r->e, _("the columns are: host,address,port,user,names"));
		}
		have[c] = true;
		r->column[i] = c;
	}
	r->columns = n;
	return have[COL_HOST] ? 0 : reader_error(r, _("no column is called host"), "");
}

static int csv_port(const struct reader *r, const char *s, int *port)
{
	char *end;
	long v = strtol(s, &end, 10);

	if (*end != '\0' || !isdigit((unsigned char)s[0]) || v < 1 || v > 65535)
		return reader_error(r, _("not a port"), s);
	*port = (int)v;
	return 0;
}

static void csv_names(struct server *s, const char *v)
{
	for (; *(v += strspn(v, " \t;")) != '\0'; v += strcspn(v, " \t;"))
		server_add_name(s, v, strcspn(v, " \t;"));
}

static int csv_server(struct reader *r, char *field[], size_t n)
{
	struct server s = { 0 };
	int rc = 0;

	if (n != r->columns) {
		char *what = mem_printf(_("%zu fields where the header has %zu"), n, r->columns);
		rc = reader_error(r, what, "");
		free(what);
		return rc;
	}
	for (size_t i = 0; i < n; i++) {
		char *v = field[i][0] != '\0' ? field[i] : NULL;
		if (r->column[i] == COL_HOST)
			s.name = mem_strdup(field[i]);
		else if (r->column[i] == COL_ADDRESS)
			s.address = mem_strdup(v);
		else if (r->column[i] == COL_USER)
			s.user = mem_strdup(v);
		else if (r->column[i] == COL_NAMES)
			csv_names(&s, field[i]);
		else if (rc == 0 && v != NULL)
			rc = csv_port(r, v, &s.port);
	}
	if (rc == 0)
		return reader_add(r, &s);
	server_clear(&s);
	return rc;
}

static int csv_read(struct reader *r)
{
	char *field[FIELDS_MAX];
	size_t n = 0;
	int rc;

	do {
		rc = csv_record(r, field, &n);
		if (rc > 0 && field[0][0] != '#' && (n > 1 || field[0][0] != '\0')) {
			int bad = r->columns == 0 ? csv_header(r, field, n) : csv_server(r, field, n);
			rc = bad < 0 ? bad : rc;
		}
		for (size_t i = 0; i < n; i++)
			free(field[i]);
	} while (rc > 0);
	return rc;
}

/* Is the first line that is no comment a CSV header? */
static bool inventory_is_csv(const struct reader *from)
{
	struct reader r = *from;
	char *line, *s;
	bool csv = false, blank = true;

	while (blank && (line = reader_line(&r)) != NULL) {
		s = text_trimmed(line);
		blank = s[0] == '\0' || s[0] == '#';
		csv = !blank && ((strchr(s, ',') != NULL && strcasestr(s, "host") != NULL) ||
		    strcasecmp(s, "host") == 0);
		free(line);
	}
	return csv;
}

struct inventory *inventory_read(const char *text, size_t len, const char *path, struct err *e)
{
	struct inventory *inv = mem_zalloc(1, sizeof *inv);
	struct reader r = { .inv = inv, .at = text, .end = text + len, .e = e };
	int rc;

	inv->path = mem_strdup(path);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		r.at += 3; /* what spreadsheets put in front */
	if (memchr(text, '\0', len) != NULL)
		rc = err_set(e, ERR_SYNTAX, _("%s: holds NUL octets; it is not a text file"), path);
	else
		rc = inventory_is_csv(&r) ? csv_read(&r) : list_read(&r);
	if (rc == 0 && inv->servers == 0) {
		rc = err_set(e, ERR_SYNTAX, _("%s: no host stands in it"), path);
		err_remedy(e, _("write one host name a line"));
	}
	tdestroy(r.seen, seen_free);
	if (rc == 0)
		return inv;
	inventory_free(inv);
	return NULL;
}

struct inventory *inventory_load(const char *path, struct err *e)
{
	struct inventory *inv = NULL;
	struct buf b = { 0 };

	if (fs_read(path, &b, INVENTORY_MAX, e) == 0)
		inv = inventory_read(buf_str(&b), b.len, path, e);
	buf_free(&b);
	return inv;
}
