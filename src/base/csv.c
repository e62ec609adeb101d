#include "base/csv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"

struct csv {
	char *field[CSV_FIELDS];
	size_t fields;
};

static void csv_clear(struct csv *c)
{
	while (c->fields > 0)
		free(c->field[--c->fields]);
}

/* One field from *at on; *at is left at what ends it. */
static int csv_field(const char **at, int *line, struct buf *b, struct err *e)
{
	const char *p = *at;

	if (*p != '"') {
		size_t n = strcspn(p, ",\r\n");
		buf_add(b, p, n);
		*at = p + n;
		return 0;
	}
	for (p++; *p != '"' || p[1] == '"'; p++) {
		if (*p == '\0')
			return err_set(e, ERR_SYNTAX, _("a quoted field that does not end"));
		if (*p == '"')
			p++;
		*line += *p == '\n';
		buf_addc(b, *p);
	}
	*at = p + 1;
	if (strchr(",\r\n", **at) == NULL)
		return err_set(e, ERR_SYNTAX, _("text after a quoted field"));
	return 0;
}

static int csv_row(const char **at, int *line, struct csv *c, struct err *e)
{
	for (;;) {
		struct buf b = { 0 };
		int rc = csv_field(at, line, &b, e);

		if (rc == 0 && c->fields == CSV_FIELDS)
			rc = err_set(e, ERR_SYNTAX, _("more than %d fields"), CSV_FIELDS);
		if (rc < 0) {
			buf_free(&b);
			return rc;
		}
		c->field[c->fields++] = buf_take(&b);
		if (**at != ',')
			break;
		(*at)++;
	}
	*at += **at == '\r';
	if (**at == '\n') {
		(*at)++;
		(*line)++;
	}
	return 0;
}

int csv_each(const char *text, const char *name, csv_fn fn, void *ctx, struct err *e)
{
	const char *at = strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
	struct csv c = { .fields = 0 };
	int line = 1, begun, rc = 0;

	while (rc == 0 && *at != '\0') {
		begun = line;
		rc = csv_row(&at, &line, &c, e);
		if (rc == 0 && (c.fields > 1 || c.field[0][0] != '\0'))
			rc = fn(ctx, c.field, c.fields, begun, e);
		if (rc < 0)
			err_prefix(e, "%s:%d", name, begun);
		csv_clear(&c);
	}
	return rc;
}
