/* The file of fields: written anew as often as it is asked for, and merged with what the incident has got meanwhile. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "incident/owed.h"
#include "report/fields.h"

#define BASE_LEN 12

static void base_of(const char *text, char hex[DIGEST_HEX])
{
	digest_of(text, strlen(text), hex);
	hex[BASE_LEN] = '\0';
}

void fields_write(const struct report *r, struct buf *b)
{
	char hex[DIGEST_HEX];
	struct field_list l;

	fields_list(r, FIELDS_ALL, &l);
	buf_addf(b, _("@# Fields of the reports on %s. Write below a line that begins with two @ signs, over as many\n"
		      "@# lines as it takes; N/A where something does not apply. Leave the @ lines as they are. A further\n"
		      "@# contributing factor: \"@@ factor.2.title\" and so on. Read it: sev1 report --fields FILE\n"), r->in->id);
	for (size_t i = 0; i < l.fields; i++) {
		const struct field_view *v = &l.field[i];
		const char *text = v->given ? v->text : "";

		base_of(text, hex);
		buf_addf(b, "\n@@ %s %s\n", v->name, hex);
		if (v->ask[0] != '\0')
			buf_addf(b, "@# %s%s%s%s\n", _(v->ask), v->optional ? _(" (optional)") : "",
			    !v->given && v->text[0] != '\0' ? _("; from the journal: ") : "", v->given ? "" : v->text);
		for (const char *p = text, *nl; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
			nl = p + strcspn(p, "\n");
			buf_addf(b, "%s%.*s\n", *p == '@' || *p == '\\' ? "\\" : "", (int)(nl - p), p);
		}
	}
	fields_clear(&l);
}

struct reading {
	const struct report *r;
	const char *path;
	char name[64], base[DIGEST_HEX];
	int line;
	struct buf text;
	json_t *changes, *seen;
};

json_t *field_body(const char *name, const char *text)
{
	json_t *o = json_object(), *lines = json_array();

	for (const char *p = text, *nl; *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		char *safe;

		nl = p + strcspn(p, "\n");
		safe = text_escaped(p, (size_t)(nl - p), FIELD_TEXT);
		json_array_append_new(lines, json_string(safe));
		free(safe);
	}
	json_put(o, "name", name);
	json_object_set_new(o, "lines", lines);
	return o;
}

/* As the journal will have it: escaped line by line. */
static char *settled(const struct buf *text)
{
	struct buf b = { 0 };
	const char *p = buf_str(text);
	size_t len = text->len, n;

	while (len > 0 && isspace((unsigned char)p[len - 1]))
		len--;
	while (len > 0 && *p == '\n')
		p++, len--;
	for (const char *end = p + len, *nl; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		nl = nl != NULL ? nl : end;
		if (b.len > 0)
			buf_addc(&b, '\n');
		n = (size_t)(nl - p);
		while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\r' || p[n - 1] == '\t'))
			n--;
		text_escape(&b, p, n);
	}
	return buf_take(&b);
}

/* A field of the file has ended: is it news, and does it contradict what the incident has got meanwhile? */
static int reading_end(struct reading *rd, struct err *e)
{
	char *text, was[DIGEST_HEX], is[DIGEST_HEX];
	const char *given;
	int rc = 0;

	if (rd->name[0] == '\0')
		return 0;
	text = settled(&rd->text);
	given = incident_field(rd->r->in, rd->name);
	base_of(given, was);
	base_of(text, is);
	if (strlen(text) > FIELD_TEXT) {
		rc = err_set(e, ERR_SYNTAX, _("%s:%d: %s is longer than %d octets"), rd->path, rd->line, rd->name, FIELD_TEXT);
	} else if (strcmp(text, given) != 0 && strcmp(is, rd->base) != 0) {
		if (strcmp(was, rd->base) == 0 || strcmp(rd->base, "!") == 0) {
			json_object_set_new(rd->changes, rd->name, json_string(text));
		} else {
			rc = err_set(e, ERR_REFUSED, _("%s:%d: %s was changed here and in the incident since the file was "
			    "written; in the incident it reads: %.200s"), rd->path, rd->line, rd->name, given);
			err_remedy(e, _("write here what it is to be and end its line with an exclamation mark: @@ %s !"), rd->name);
		}
	}
	json_object_set_new(rd->seen, rd->name, json_true());
	rd->name[0] = '\0';
	buf_clear(&rd->text);
	free(text);
	return rc;
}

static int reading_head(struct reading *rd, const char *p, size_t len, int line, struct err *e)
{
	char *head = mem_strndup(p, len), more;
	int n = sscanf(head, "@@ %63s %64s %c", rd->name, rd->base, &more), rc = 0;

	rd->line = line;
	if (n == 1)
		base_of("", rd->base);
	if (n < 1 || n > 2)
		rc = err_set(e, ERR_SYNTAX, _("%s:%d: \"%.60s\" is not \"@@ NAME\""), rd->path, line, head);
	else if (!field_known(rd->name))
		rc = err_set(e, ERR_SYNTAX, _("%s:%d: no report has a field %s"), rd->path, line, rd->name);
	else if (json_object_get(rd->seen, rd->name) != NULL)
		rc = err_set(e, ERR_SYNTAX, _("%s:%d: %s stands there twice"), rd->path, line, rd->name);
	if (rc < 0)
		err_remedy(e, _("their names: sev1 report --fields NEWFILE writes a file of all"));
	free(head);
	return rc;
}

int fields_read(const struct report *r, const char *text, const char *path, json_t **changes, struct err *e)
{
	struct reading rd = { .r = r, .path = path, .changes = json_object(), .seen = json_object() };
	int line = 1, rc = 0;

	for (const char *p = text, *nl; rc == 0 && *p != '\0'; p = *nl == '\n' ? nl + 1 : nl, line++) {
		nl = p + strcspn(p, "\n");
		if (strncmp(p, "@#", 2) == 0)
			continue;
		if (*p == '@') {
			if ((rc = reading_end(&rd, e)) == 0)
				rc = reading_head(&rd, p, (size_t)(nl - p), line, e);
			continue;
		}
		if (rd.name[0] == '\0' && p + strspn(p, " \t\r") < nl) {
			rc = err_set(e, ERR_SYNTAX, _("%s:%d: text before the first field"), path, line);
			err_remedy(e, _("a field begins with a line \"@@ NAME\""));
		}
		if (*p == '\\')
			p++;
		buf_add(&rd.text, p, (size_t)(nl - p));
		buf_addc(&rd.text, '\n');
	}
	if (rc == 0)
		rc = reading_end(&rd, e);
	buf_free(&rd.text);
	json_decref(rd.seen);
	if (rc < 0)
		json_decref(rd.changes);
	else
		*changes = rd.changes;
	return rc;
}
