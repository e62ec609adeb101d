/* Plain lists and CSV. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "fleet/inv_inside.h"

#define FIELDS_MAX 16u

enum column { COL_HOST, COL_ADDRESS, COL_PORT, COL_USER, COL_NAMES, COL_PROFILE, COLUMNS };

static const char *const column_names[COLUMNS] = { "host", "address", "port", "user", "names", "profile" };
static const enum inv_var column_var[COLUMNS] = { INV_VARS, INV_ADDRESS, INV_PORT, INV_USER, INV_NAMES, INV_PROFILE };

/* Reading position. */
struct reader {
	struct inv *in;
	const char *at, *end;
	int line;               /* of what is being read */
	int column[FIELDS_MAX]; /* an enum column each */
	char comma;             /* what separates fields: the first of , ; and tab in the header */
	size_t columns;         /* 0 before the header */
};

static int reader_error(const struct reader *r, const char *what, const char *shown)
{
	return inv_error(r->in, r->in->path, r->line, what, shown);
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

/* Does one name stand there? A comma belongs to it only between brackets. */
static bool list_is_name(const char *s)
{
	bool inside = false;

	for (; *s != '\0'; s++) {
		inside = *s == '[' || (inside && *s != ']');
		if (strchr(" \t;", *s) != NULL || (*s == ',' && !inside))
			return false;
	}
	return true;
}

void inv_list_read(struct inv *in, const char *text, size_t len)
{
	struct reader r = { .in = in, .at = text, .end = text + len };
	char *line, *name, *hash;

	while ((line = reader_line(&r)) != NULL) {
		if ((hash = strchr(line, '#')) != NULL)
			*hash = '\0';
		name = text_trimmed(line);
		if (name[0] == ';') /* as in ansible's INI */
			name[0] = '\0';
		if (!list_is_name(name)) {
			reader_error(&r, _("one host name a line is expected"), name);
			inv_remedy(in, _("a line is [USER@]NAME[:PORT]; what knows more of a host is CSV with the header "
			    "host,address,port,user,names"));
		} else if (name[0] != '\0') {
			inv_host_add(in, 0, name, NULL, in->path, r.line);
		}
		free(line);
	}
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
			if (r->at >= r->end || *r->at == r->comma || *r->at == '\n')
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
		while (r->at < r->end && *r->at != r->comma && *r->at != '\n')
			r->at++;
		buf_add(&b, start, (size_t)(r->at - start));
	}
	raw = buf_take(&b);
	field = rc == 0 ? mem_strdup(text_trimmed(raw)) : NULL;
	free(raw);
	return field;
}

/* The next line is the next record, whatever this one came to. */
static void csv_skip(struct reader *r)
{
	while (r->at < r->end && *r->at++ != '\n')
		;
}

/* One record into field[], *n of them, each owned by the caller. 1; 0 at the end of the text; an error was told. */
static int csv_record(struct reader *r, char *field[FIELDS_MAX], size_t *n)
{
	char *f;

	*n = 0;
	if (r->at >= r->end)
		return 0;
	r->line++;
	for (;;) {
		if ((f = csv_field(r)) == NULL) {
			csv_skip(r);
			return ERR_SYNTAX;
		}
		if (*n == FIELDS_MAX) {
			free(f);
			csv_skip(r);
			return reader_error(r, _("too many fields"), "");
		}
		field[(*n)++] = f;
		if (r->at >= r->end || *r->at++ == '\n')
			return 1;
	}
}

static int csv_header(struct reader *r, char *field[], size_t n)
{
	static const char *const left = N_("rename or take out columns, so that these are left: host,address,port,user,names,profile");
	bool have[COLUMNS] = { false };
	size_t host = 0;
	int c;

	while (host < n && strcasecmp(field[host], column_names[COL_HOST]) != 0)
		host++;
	if (host == n) {
		reader_error(r, _("no header: no column is called host"), field[0]);
		return inv_remedy(r->in, "%s", _(left));
	}
	for (size_t i = 0; i < n; i++) {
		for (c = 0; c < COLUMNS && strcasecmp(field[i], column_names[c]) != 0; c++)
			;
		if (c == COLUMNS || have[c]) {
			reader_error(r, c == COLUMNS ? _("unknown column") : _("a column twice"), field[i]);
			return inv_remedy(r->in, "%s", _(left));
		}
		have[c] = true;
		r->column[i] = c;
	}
	r->columns = n;
	return 0;
}

static int csv_server(struct reader *r, char *field[], size_t n)
{
	struct value *var[INV_VARS] = { NULL };
	struct inv *in = r->in;
	const char *name = "";
	bool own = false;
	int rc = 0;

	if (n != r->columns) {
		char *what = mem_printf(ngettext("%zu field where the header has %zu", "%zu fields where the header has %zu", n), n,
		    r->columns);
		rc = reader_error(r, what, "");
		free(what);
		return rc;
	}
	for (size_t i = 0; i < n; i++) {
		if (r->column[i] == COL_HOST)
			name = field[i];
		else if (field[i][0] != '\0')
			var[column_var[r->column[i]]] = inv_value(in, field[i], strlen(field[i]), in->path, r->line);
	}
	own = var[INV_ADDRESS] != NULL || var[INV_NAMES] != NULL;
	if (own && strchr(name, '[') != NULL)
		return reader_error(r, _("a range cannot share one address or its names"), name);
	return inv_host_add(in, 0, name, var, in->path, r->line);
}

/* Without its header nothing of the file can be told apart. False: it ends here. */
static bool csv_take(struct reader *r, char *field[], size_t n)
{
	if (field[0][0] == '#' || (n == 1 && field[0][0] == '\0'))
		return true;
	if (r->columns > 0) {
		csv_server(r, field, n);
		return true;
	}
	return csv_header(r, field, n) == 0;
}

void inv_csv_read(struct inv *in, const char *text, size_t len)
{
	struct reader r = { .in = in, .at = text, .end = text + len };
	const char *head, *at = text;
	char *field[FIELDS_MAX];
	size_t n = inv_line_next(&at, r.end, &head);
	bool more = true;
	int rc;

	r.comma = ',';
	for (size_t i = n; i-- > 0;)
		if (memchr(",;\t", head[i], 3) != NULL)
			r.comma = head[i];
	while (more && (rc = csv_record(&r, field, &n)) != 0) {
		more = rc > 0 ? csv_take(&r, field, n) : r.columns > 0;
		for (size_t i = 0; i < n; i++)
			free(field[i]);
	}
}
