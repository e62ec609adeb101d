#include "base/inifile.h"

#include <ctype.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"

/* inih is built with limits that we cannot know: 200 octets a line, " ;" starts a comment inside a
 * value, an indented line continues the value above. So it is handed one short, plain line at a time
 * and judges the structure, while the value is taken from the text itself. */
struct inifile {
	const char *at;     /* the rest of the text */
	int line;
	char *section;      /* NULL before the first heading */
	char *value;
	inifile_fn fn;
	void *ctx;
	struct err *e;
	int rc;
};

static int inifile_fail(struct inifile *f, const char *what, const char *remedy)
{
	err_set(f->e, ERR_SYNTAX, "%s", what);
	err_remedy(f->e, "%s", remedy);
	return f->rc = ERR_SYNTAX;
}

static char *inifile_trimmed(const char *s, size_t len)
{
	while (len > 0 && isspace((unsigned char)s[0])) {
		s++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)s[len - 1]))
		len--;
	return mem_strndup(s, len);
}

static void inifile_heading(struct inifile *f, const char *line)
{
	const char *end = strchr(line, ']');
	const char *rest;
	size_t len;

	if (end == NULL) {
		inifile_fail(f, _("a heading without ']'"), _("write it as [kind name]"));
		return;
	}
	len = (size_t)(end - line) - 1;
	rest = end + 1 + strspn(end + 1, " \t");
	if (len > INIFILE_SECTION) {
		inifile_fail(f, _("a heading longer than 48 octets"), _("choose a shorter name"));
		return;
	}
	if (*rest != '\0' && *rest != '#' && *rest != ';') {
		inifile_fail(f, _("text after a heading"), _("put it on a line of its own"));
		return;
	}
	free(f->section);
	f->section = inifile_trimmed(line + 1, len);
	f->rc = f->fn(f->ctx, f->section, NULL, NULL, f->line, f->e);
}

/* What inih is to see of this line, into str of num octets. */
static void inifile_show(struct inifile *f, const char *line, char *str, size_t num)
{
	size_t key;

	str[0] = '\0';
	if (*line == '\0' || *line == '#' || *line == ';')
		return;
	if (*line == '[') {
		inifile_heading(f, line);
		memcpy(str, "[s]", sizeof "[s]");
		return;
	}
	key = strcspn(line, "=");
	if (line[key] == '\0' || key == 0) {
		inifile_fail(f, _("neither a heading, a comment nor \"key = value\""),
		    _("a comment starts with '#', on a line of its own"));
		return;
	}
	free(f->value);
	f->value = inifile_trimmed(line + key + 1, strlen(line + key + 1));
	if (key + 3 > num || key > 48 || memchr(line, ':', key) != NULL) {
		inifile_fail(f, _("a key longer than 48 octets, or with ':' in it"),
		    _("write it as \"key = value\""));
		return;
	}
	memcpy(str, line, key);
	memcpy(str + key, "=v", sizeof "=v");
}

static char *inifile_reader(char *str, int num, void *stream)
{
	struct inifile *f = stream;
	size_t len = strcspn(f->at, "\n");
	char *line;

	if (f->rc < 0 || *f->at == '\0')
		return NULL;
	f->line++;
	if (len > INIFILE_LINE) {
		inifile_fail(f, _("a line longer than 4096 octets"),
		    _("put a long command into a script and name that"));
		return NULL;
	}
	line = inifile_trimmed(f->at, len);
	f->at += len + (f->at[len] == '\n');
	for (const char *p = line; *p != '\0' && f->rc == 0; p++)
		if (iscntrl((unsigned char)*p) && *p != '\t')
			inifile_fail(f, _("a control character"), _("remove it; the file is plain UTF-8 text"));
	if (f->rc == 0)
		inifile_show(f, line, str, (size_t)num);
	free(line);
	return f->rc < 0 ? NULL : str;
}

static int inifile_handler(void *user, const char *section, const char *key, const char *value)
{
	struct inifile *f = user;

	(void)section;
	(void)value;
	if (f->rc < 0)
		return 0;
	if (f->section == NULL)
		inifile_fail(f, _("a key before the first heading"), _("start with [sev1]"));
	else
		f->rc = f->fn(f->ctx, f->section, key, f->value, f->line, f->e);
	return f->rc == 0;
}

int inifile_each(const char *text, const char *name, inifile_fn fn, void *ctx, struct err *e)
{
	struct err own;
	struct inifile f = { .at = text, .fn = fn, .ctx = ctx, .e = e != NULL ? e : &own };
	int bad;

	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		f.at += 3; /* the mark that some editors put before UTF-8 */
	bad = ini_parse_stream(inifile_reader, &f, inifile_handler, &f);
	if (f.rc == 0 && bad != 0)
		inifile_fail(&f, _("not understood"), _("write it as \"key = value\""));
	if (f.rc < 0)
		err_prefix(f.e, "%s:%d", name, f.line);
	free(f.section);
	free(f.value);
	return f.rc;
}
