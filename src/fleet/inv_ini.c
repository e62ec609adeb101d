/* Ansible's INI: [group], [group:vars], [group:children], and hosts with key=value behind them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "fleet/inv_inside.h"

enum section { SECTION_HOSTS, SECTION_VARS, SECTION_CHILDREN, SECTION_UNKNOWN };

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

/* The kind behind the colon of a heading. */
static enum section ini_kind(const char *kind)
{
	return kind == NULL || strcmp(kind, "hosts") == 0 ? SECTION_HOSTS : strcmp(kind, "vars") == 0 ? SECTION_VARS :
	    strcmp(kind, "children") == 0 ? SECTION_CHILDREN : SECTION_UNKNOWN;
}

/* "[name:kind]", perhaps with a comment behind. Whatever is wrong with it, a section begins: what follows does not
 * belong to the one before. */
static void ini_heading(struct reader *r, char *s)
{
	char *close = strchr(s, ']'), *kind;
	const char *rest = close != NULL ? close + 1 + strspn(close + 1, " \t") : "";
	struct node *g;
	bool bad = false;

	if (close == NULL)
		bad = ini_error(r, _("a heading that is not closed"), s) < 0;
	else if (*rest != '\0' && *rest != '#' && *rest != ';')
		bad = ini_error(r, _("text behind a heading"), rest) < 0;
	s[close != NULL ? (size_t)(close - s) : strcspn(s, " \t#;")] = '\0';
	if ((kind = strchr(++s, ':')) != NULL)
		*kind++ = '\0';
	if (!bad && (s[0] == '\0' || s[strcspn(s, " \t,\"'")] != '\0'))
		bad = ini_error(r, _("not the name of a group"), s) < 0;
	r->section = ini_kind(kind);
	if (!bad && r->section == SECTION_UNKNOWN) {
		ini_error(r, _("a heading of an unknown kind"), kind);
		inv_remedy(r->in, _("the kinds are [GROUP], [GROUP:vars] and [GROUP:children]"));
	}
	r->group = inv_group(r->in, s, r->in->path, r->line);
	g = &r->in->group[r->group];
	g->declared = g->declared || r->section != SECTION_VARS;
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

/* "key=value" of a host, into var. */
static int ini_pair(struct reader *r, char *word, struct value **var)
{
	char *eq = strchr(word, '=');
	enum inv_var v;

	if (eq == NULL || eq == word)
		return ini_error(r, _("key=value is expected behind a host"), word);
	*eq = '\0';
	if ((v = inv_var_find(word)) != INV_VARS)
		var[v] = inv_value(r->in, eq + 1, strlen(eq + 1), r->in->path, r->line);
	return 0;
}

/* A line is told of once: what stands behind its first error is the same error, as often as not. */
static void ini_host(struct reader *r, const char *s)
{
	struct value *var[INV_VARS] = { NULL };
	bool bad;
	char *name = ini_word(&s, &bad), *word;
	int rc = bad ? ini_error(r, _("a quote that is not closed"), name) : 0;

	if (name == NULL)
		return;
	while (rc == 0 && (word = ini_word(&s, &bad)) != NULL) {
		rc = bad ? ini_error(r, _("a quote that is not closed"), word) : ini_pair(r, word, var);
		free(word);
	}
	if (rc == 0)
		inv_host_add(r->in, r->group, name, var, r->in->path, r->line);
	free(name);
}

/* "key = value", the value as it stands or in quotes. */
static void ini_variable(struct reader *r, char *s)
{
	char *eq = strchr(s, '='), *hash;
	enum inv_var v;
	size_t n;

	if (eq == NULL || eq == s) {
		ini_error(r, _("key=value is expected"), s);
		return;
	}
	for (n = (size_t)(eq - s); n > 0 && isspace((unsigned char)s[n - 1]); n--)
		;
	s[n] = '\0';
	if ((v = inv_var_find(s)) == INV_VARS)
		return;
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
}

static void ini_child(struct reader *r, const char *s)
{
	bool bad;
	char *name = ini_word(&s, &bad), *more = NULL;

	if (name == NULL)
		return;
	if (bad || (more = ini_word(&s, &bad)) != NULL)
		ini_error(r, _("one group a line is expected"), name);
	else
		inv_group_child(r->in, r->group, inv_group(r->in, name, r->in->path, r->line));
	free(more);
	free(name);
}

/* A heading, or a host that begins with a bracket: "[a:f].example.com", "[2001:db8::1]:22". Behind a heading stands nothing
 * but a comment; what stands there behind a plain word was meant as one. */
static bool ini_is_heading(const char *s)
{
	const char *close = strchr(s, ']'), *after = close != NULL ? close + 1 + strspn(close + 1, " \t") : NULL;
	size_t len = close != NULL ? (size_t)(close - s) : 0;

	if (after == NULL)
		return true;
	if (*after == '\0' || *after == '#' || *after == ';')
		return memchr(s, ':', len) == memrchr(s, ':', len);
	return after > close + 1 && len > 2 && isalpha((unsigned char)s[1]) && strcspn(s, ":,-") > len;
}

static void ini_line(struct reader *r, char *s)
{
	if (s[0] == '\0' || s[0] == '#' || s[0] == ';')
		return;
	if (s[0] == '[' && ini_is_heading(s)) {
		ini_heading(r, s);
		return;
	}
	switch (r->section) {
	case SECTION_HOSTS: ini_host(r, s); break;
	case SECTION_VARS: ini_variable(r, s); break;
	case SECTION_CHILDREN: ini_child(r, s); break;
	case SECTION_UNKNOWN: break;
	}
}

void inv_ini_read(struct inv *in, const char *text, size_t len)
{
	struct reader r = { .in = in, .group = inv_group(in, "ungrouped", in->path, 0) };
	const char *at = text, *end = text + len;

	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl != NULL ? nl : end) - at), from = 0;
		char *line;

		while (from < n && isspace((unsigned char)at[from]))
			from++;
		line = mem_strndup(at + from, n - from);
		for (size_t k = n - from; k > 0 && isspace((unsigned char)line[k - 1]); k--)
			line[k - 1] = '\0';
		r.line++;
		ini_line(&r, line);
		free(line);
		at += n + (nl != NULL);
	}
}
