#include "comms/template.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"

static const char name_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

struct fields {
	json_t *values;
	json_t *why; /* name -> why it has none */
};

/* One filling as it goes. */
struct fill {
	const char *file;
	const struct fields *fields;
	json_t *missing;
	int line;
	struct err *e;
};

struct fields *fields_new(void)
{
	struct fields *f = mem_alloc(sizeof *f);

	f->values = json_object();
	f->why = json_object();
	return f;
}

void fields_free(struct fields *f)
{
	if (f == NULL)
		return;
	json_decref(f->values);
	json_decref(f->why);
	free(f);
}

void fields_set(struct fields *f, const char *name, const char *value)
{
	struct buf b = { 0 };
	size_t n;

	for (const char *p = value != NULL ? value : ""; *p != '\0'; p += n) {
		n = strcspn(p, "\n");
		text_escape(&b, p, n);
		if (p[n] == '\n') {
			buf_addc(&b, '\n');
			n++;
		}
	}
	if (b.len > 0)
		json_object_set_new(f->values, name, json_string(buf_str(&b)));
	else
		json_object_del(f->values, name);
	buf_free(&b);
}

void fields_lack(struct fields *f, const char *name, const char *why)
{
	json_put(f->why, name, why);
}

const char *fields_get(const struct fields *f, const char *name)
{
	return json_string_value(json_object_get(f->values, name));
}

/* A value into the text; in a subject its lines are joined. */
static void fill_value(struct buf *b, const char *value, bool one_line)
{
	for (; *value != '\0'; value++)
		buf_addc(b, one_line && *value == '\n' ? ' ' : *value);
}

static int fill_field(struct fill *t, struct buf *b, const char *name, bool one_line)
{
	const char *value = fields_get(t->fields, name), *why;

	if (value != NULL) {
		fill_value(b, value, one_line);
		return 0;
	}
	buf_addf(b, "{{%s}}", name);
	if (t->missing != NULL) {
		json_array_append_new(t->missing,
		    json_pack("{s:s,s:i}", "field", name, "line", t->line));
		return 0;
	}
	why = json_str(t->fields->why, name);
	err_set(t->e, ERR_REFUSED, _("%s:%d: the field {{%s}} is not filled%s%s"), t->file, t->line, name,
	    why[0] != '\0' ? ": " : "", why);
	return err_remedy(t->e, _("give it: --field %s=VALUE; nothing was sent"), name);
}

/* Fill in one line of the template. */
static int fill_line(struct fill *t, struct buf *b, const char *s, size_t len, bool one_line)
{
	const char *end = s + len, *open;
	char *name;
	size_t n;
	int rc = 0;

	while (rc == 0 && (open = memmem(s, (size_t)(end - s), "{{", 2)) != NULL) {
		buf_add(b, s, (size_t)(open - s));
		s = open + 2;
		n = strspn(s, name_chars);
		if (n == 0 || n + 2 > (size_t)(end - s) || strncmp(s + n, "}}", 2) != 0)
			return err_set(t->e, ERR_SYNTAX,
			    _("%s:%d: after {{ comes a field's name and }}"), t->file, t->line);
		name = mem_strndup(s, n);
		rc = fill_field(t, b, name, one_line);
		free(name);
		s += n + 2;
	}
	buf_add(b, s, (size_t)(end - s));
	return rc;
}

static int fill_subject(struct fill *t, const char **text, const char *instead, struct buf *b)
{
	static const char head[] = "Subject: ";
	size_t len = strcspn(*text, "\n"), skip = sizeof head - 1;
	const char *line = *text + skip;
	int rc;

	if (len <= skip || strncmp(*text, head, skip) != 0)
		return err_set(t->e, ERR_SYNTAX, _("%s:1: the first line must be \"Subject: ...\""), t->file);
	*text += len;
	if (instead != NULL) {
		t->line = 0;
		rc = fill_line(t, b, instead, strcspn(instead, "\r\n"), true);
	} else {
		rc = fill_line(t, b, line, len - skip, true);
	}
	return rc;
}

int template_fill(const char *text, const char *file, const struct fields *f,
    const char *subject_instead, json_t *missing, char **subject, char **body, struct err *e)
{
	struct fill t = { .file = file, .fields = f, .missing = missing, .line = 1, .e = e };
	struct buf s = { 0 }, b = { 0 };
	int rc;

	*subject = *body = NULL;
	rc = fill_subject(&t, &text, subject_instead, &s);
	if (rc == 0 && (text[0] != '\n' || (text[1] != '\n' && text[1] != '\0')))
		rc = err_set(e, ERR_SYNTAX, _("%s:2: an empty line must follow the subject"), file);
	if (rc == 0 && *++text == '\n')
		text++;
	for (t.line = 3; rc == 0 && *text != '\0'; t.line++) {
		size_t len = strcspn(text, "\n");
		rc = fill_line(&t, &b, text, len, false);
		buf_addc(&b, '\n');
		text += len + (text[len] == '\n');
	}
	if (rc == 0) {
		*subject = buf_take(&s);
		*body = buf_take(&b);
	}
	buf_free(&s);
	buf_free(&b);
	return rc;
}
