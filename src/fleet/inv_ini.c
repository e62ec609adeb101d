/* Ansible's INI: [group], [group:vars], [group:children], and hosts with key=value behind them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "fleet/inv_inside.h"

enum section { SECTION_HOSTS, SECTION_VARS, SECTION_CHILDREN };

struct reader {
	struct inv *in;
	int line;
	enum section section;
	size_t group;
};

static int ini_error(const struct reader *r, const char *what, const char *shown)
{
	return inv_error(r->in, r->in->path, r->line, what, shown);
}

/* "[name:kind]", perhaps with a comment behind. */
static int ini_heading(struct reader *r, char *s)
{
	char *close = strchr(s, ']'), *kind;
	const char *rest;
	struct node *g;

	if (close == NULL)
		return ini_error(r, _("a heading that is not closed"), s);
	*close = '\0';
	rest = close + 1 + strspn(close + 1, " \t");
	if (*rest != '\0' && *rest != '#' && *rest != ';')
		return ini_error(r, _("text behind a heading"), rest);
	if ((kind = strchr(++s, ':')) != NULL)
		*kind++ = '\0';
	if (s[0] == '\0' || s[strcspn(s, " \t,\"'")] != '\0')
		return ini_error(r, _("not the name of a group"), s);
	if (kind != NULL && strcmp(kind, "vars") != 0 && strcmp(kind, "children") != 0 && strcmp(kind, "hosts") != 0) {
		ini_error(r, _("a heading of an unknown kind"), kind);
		return err_remedy(r->in->e, _("the kinds are [GROUP], [GROUP:vars] and [GROUP:children]"));
	}
	r->section = kind == NULL || kind[0] == 'h' ? SECTION_HOSTS : kind[0] == 'v' ? SECTION_VARS : SECTION_CHILDREN;
	r->group = inv_group(r->in, s, r->in->path, r->line);
	g = &r->in->group[r->group];
	g->declared = g->declared || r->section != SECTION_VARS;
	return 0;
}

/* The next word as a shell has it; quotes and backslashes go. Owned by the caller; NULL at the end of the line or
 * its comment; *bad where a quote is not closed. */
static char *ini_word(const char **at, bool *bad)
{
	struct buf b = { 0 };
	const char *p = *at + strspn(*at, " \t");
	char quote = 0;

	*bad = false;
	if (*p == '\0' || *p == '#') {
		*at = p + strlen(p);
		return NULL;
	}
	for (; *p != '\0' && (quote != 0 || !isspace((unsigned char)*p)); p++) {
		if (quote == 0 && (*p == '"' || *p == '\''))
			quote = *p;
		else if (quote != 0 && *p == quote)
			quote = 0;
		else if (*p == '\\' && quote != '\'' && p[1] != '\0')
			buf_addc(&b, *++p);
		else
			buf_addc(&b, *p);
	}
	*bad = quote != 0;
	*at = p;
	return buf_take(&b);
}

static int ini_host(struct reader *r, const char *s)
{
	const struct value *var[INV_VARS] = { NULL };
	struct inv *in = r->in;
	bool bad;
	char *name = ini_word(&s, &bad), *word, *eq;
	enum inv_var v;
	int rc = bad ? ini_error(r, _("a quote that is not closed"), name) : 0;

	if (name == NULL)
		return 0;
	while (rc == 0 && (word = ini_word(&s, &bad)) != NULL) {
		if (bad) {
			rc = ini_error(r, _("a quote that is not closed"), word);
		} else if ((eq = strchr(word, '=')) == NULL || eq == word) {
			rc = ini_error(r, _("key=value is expected behind a host"), word);
		} else {
			*eq = '\0';
			if ((v = inv_var_find(word)) != INV_VARS)
				var[v] = inv_value(in, eq + 1, strlen(eq + 1), in->path, r->line);
		}
		free(word);
	}
	if (rc == 0)
		rc = inv_host_add(in, r->group, name, var, in->path, r->line);
	free(name);
	return rc;
}

/* "key = value", the value as it stands or in quotes. */
static int ini_variable(struct reader *r, char *s)
{
	char *eq = strchr(s, '='), *hash;
	enum inv_var v;
	size_t n;

	if (eq == NULL || eq == s)
		return ini_error(r, _("key=value is expected"), s);
	for (n = (size_t)(eq - s); n > 0 && isspace((unsigned char)s[n - 1]); n--)
		;
	s[n] = '\0';
	if ((v = inv_var_find(s)) == INV_VARS)
		return 0;
	s = eq + 1 + strspn(eq + 1, " \t");
	n = strlen(s);
	if (n > 1 && (*s == '"' || *s == '\'') && strchr(s + 1, *s) != NULL) {
		n = (size_t)(strchr(s + 1, *s) - s) - 1;
		s++;
	} else if ((hash = strstr(s, " #")) != NULL) {
		for (n = (size_t)(hash - s); n > 0 && isspace((unsigned char)s[n - 1]); n--)
			;
	}
	r->in->group[r->group].var[v] = inv_value(r->in, s, n, r->in->path, r->line);
	return 0;
}

static int ini_child(struct reader *r, const char *s)
{
	bool bad;
	char *name = ini_word(&s, &bad), *more = NULL;
	int rc = 0;

	if (name == NULL)
		return 0;
	if (bad || (more = ini_word(&s, &bad)) != NULL)
		rc = ini_error(r, _("one group a line is expected"), name);
	else
		inv_group_child(r->in, r->group, inv_group(r->in, name, r->in->path, r->line));
	free(more);
	free(name);
	return rc;
}

static int ini_line(struct reader *r, char *s)
{
	if (s[0] == '\0' || s[0] == '#' || s[0] == ';')
		return 0;
	if (s[0] == '[') {
		/* "[a:f].example.com" and "[2001:db8::1]:22" are hosts. */
		const char *close = strchr(s, ']');
		const char *after = close != NULL ? close + 1 + strspn(close + 1, " \t") : NULL;
		if (after == NULL || ((*after == '\0' || *after == '#' || *after == ';') &&
		    memchr(s, ':', (size_t)(close - s)) == memrchr(s, ':', (size_t)(close - s))))
			return ini_heading(r, s);
	}
	switch (r->section) {
	case SECTION_VARS: return ini_variable(r, s);
	case SECTION_CHILDREN: return ini_child(r, s);
	case SECTION_HOSTS: break;
	}
	return ini_host(r, s);
}

int inv_ini_read(struct inv *in, const char *text, size_t len)
{
	struct reader r = { .in = in, .group = inv_group(in, "ungrouped", in->path, 0) };
	const char *at = text, *end = text + len;
	int rc = 0;

	while (rc == 0 && at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl != NULL ? nl : end) - at), from = 0;
		char *line;

		while (from < n && isspace((unsigned char)at[from]))
			from++;
		line = mem_strndup(at + from, n - from);
		for (size_t k = n - from; k > 0 && isspace((unsigned char)line[k - 1]); k--)
			line[k - 1] = '\0';
		r.line++;
		rc = ini_line(&r, line);
		free(line);
		at += n + (nl != NULL);
	}
	return rc;
}
