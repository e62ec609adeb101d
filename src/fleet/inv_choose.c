/* Which servers: patterns as users of pdsh and ansible write them. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/dict.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"
#include "fleet/inventory.h"

#define LIST_MAX (8u << 20)

struct choice {
	const struct inventory *inv;
	struct dict host;       /* lower case name -> server; made when a range first wants it */
	char **key;
	bool *hit;              /* what the pattern at hand matched */
	size_t hits;
	struct err *e;
};

static void choice_hit(struct choice *c, size_t i)
{
	c->hits += !c->hit[i];
	c->hit[i] = true;
}

static char *choice_lower(const char *s)
{
	char *low = mem_strdup(s);

	for (char *p = low; *p != '\0'; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
	return low;
}

static int choice_name(void *ctx, const char *name)
{
	struct choice *c = ctx;
	char *low = choice_lower(name);
	size_t i;

	if (c->key == NULL) {
		c->key = mem_zalloc(c->inv->servers, sizeof *c->key);
		for (i = 0; i < c->inv->servers; i++)
			dict_put(&c->host, c->key[i] = choice_lower(c->inv->server[i].name), i);
	}
	i = dict_get(&c->host, low);
	free(low);
	if (i != DICT_NONE)
		choice_hit(c, i);
	return 0;
}

/* A name, a group, wildcards for either, a range. hit says what it matched. */
static int choice_pattern(struct choice *c, const char *pattern)
{
	const struct inventory *inv = c->inv;
	bool all = strcmp(pattern, "all") == 0, wild = strpbrk(pattern, "*?[") != NULL;
	struct err bad = { 0 };
	char *safe;

	memset(c->hit, 0, inv->servers * sizeof *c->hit);
	c->hits = 0;
	/* web[12] is pdsh's web12 where there is one, else a wildcard. */
	if (strpbrk(pattern, "*?") == NULL && inventory_range(pattern, choice_name, c, &bad) < 0)
		c->hits = 0;
	for (size_t g = 0; g < inv->groups; g++)
		if (strcmp(pattern, inv->group[g].name) == 0 || (wild && c->hits == 0 && fnmatch(pattern, inv->group[g].name, 0) == 0))
			for (size_t i = 0; i < inv->group[g].servers; i++)
				choice_hit(c, inv->group[g].server[i]);
	if (all || (wild && c->hits == 0) || strpbrk(pattern, "*?") != NULL)
		for (size_t i = 0; i < inv->servers; i++)
			if (all || fnmatch(pattern, inv->server[i].name, FNM_CASEFOLD) == 0)
				choice_hit(c, i);
	if (c->hits > 0)
		return 0;
	safe = text_escaped(pattern, strlen(pattern), 80);
	err_set(c->e, ERR_USAGE, _("no host and no group of %s matches '%s'"), inv->path, safe);
	free(safe);
	return err_remedy(c->e, _("see them with: sev1 inventory"));
}

/* Apply one pattern with its sign. sign: what it does without a mark of its own, '+' or '!'. */
static int choice_apply(struct choice *c, const char *pattern, char sign, bool *chosen)
{
	int rc;

	if (pattern[0] == '!' || pattern[0] == '&') {
		sign = sign == '!' ? '!' : pattern[0];
		pattern++;
	}
	if ((rc = choice_pattern(c, pattern)) < 0)
		return rc;
	for (size_t i = 0; i < c->inv->servers; i++)
		chosen[i] = sign == '+' ? chosen[i] || c->hit[i] : sign == '&' ? chosen[i] && c->hit[i] :
		    chosen[i] && !c->hit[i];
	return 0;
}

/* Where the pattern at s ends: at a comma, or a colon, that is not between brackets. An IPv6 address is one. */
static size_t pattern_length(const char *s)
{
	size_t n = 0, comma = strcspn(s, ",");
	char *whole = mem_strndup(s, comma);
	bool literal = text_is_host(whole, false), inside = false;

	free(whole);
	if (literal)
		return comma;
	for (; s[n] != '\0' && (inside || (s[n] != ',' && s[n] != ':')); n++)
		inside = s[n] == '[' || (inside && s[n] != ']');
	return n;
}

static int choice_list(struct choice *c, const char *list, char sign, char only, bool *chosen);

static int choice_file(struct choice *c, const char *path, char sign, char only, bool *chosen)
{
	struct buf b = { 0 };
	char *line, *rest, *hash;
	int rc = fs_read(path, &b, LIST_MAX, c->e), at = 0;

	rest = b.len >= 3 && memcmp(b.data, "\xef\xbb\xbf", 3) == 0 ? b.data + 3 : b.data; /* as in the inventory */
	while (rc == 0 && (line = strsep(&rest, "\n")) != NULL) {
		at++;
		if ((hash = strchr(line, '#')) != NULL)
			*hash = '\0';
		line += strspn(line, " \t\r");
		line[strcspn(line, " \t\r")] = '\0';
		if (line[0] == '@')
			rc = err_set(c->e, ERR_USAGE, _("a list cannot name another: %s"), line);
		else if (line[0] != '\0')
			rc = choice_list(c, line, sign, only, chosen);
		if (rc < 0)
			err_prefix(c->e, "%s:%d", path, at);
	}
	buf_free(&b);
	return rc;
}

/* only '+': those patterns that add; '-': those that take away or narrow; 0: all, in their order. */
static int choice_list(struct choice *c, const char *list, char sign, char only, bool *chosen)
{
	int rc = 0;
	size_t n;

	for (; rc == 0 && *(list += strspn(list, ",: \t")) != '\0'; list += n) {
		n = pattern_length(list);
		char *pattern = mem_strndup(list, n);
		bool adds = pattern[0] != '!' && pattern[0] != '&';
		for (size_t k = n; k > 0 && strchr(" \t", pattern[k - 1]) != NULL; k--)
			pattern[k - 1] = '\0';
		if (pattern[0] == '@')
			rc = choice_file(c, pattern + 1, sign, only, chosen);
		else if (only == 0 || adds == (only == '+'))
			rc = choice_apply(c, pattern, sign, chosen);
		free(pattern);
	}
	return rc;
}

int inventory_choose(const struct inventory *inv, const char *want, const char *but, bool *chosen,
    struct err *e)
{
	struct choice c = { .inv = inv, .hit = mem_zalloc(inv->servers, sizeof(bool)), .e = e };
	bool adds = false;
	int rc = 0;

	/* An empty variable of a script must not mean every server. */
	if (want != NULL && want[strspn(want, ",: \t")] == '\0') {
		rc = err_set(e, ERR_USAGE, _("no pattern is given to choose hosts by"));
		err_remedy(e, _("all hosts are: all"));
		goto out;
	}
	for (const char *p = want; p != NULL && *(p += strspn(p, ",: \t")) != '\0'; p += pattern_length(p))
		adds = adds || (*p != '!' && *p != '&');
	for (size_t i = 0; i < inv->servers; i++)
		chosen[i] = !adds;
	/* As ansible has it: first all that is added, then what is taken away. */
	if (want != NULL && ((rc = choice_list(&c, want, '+', '+', chosen)) < 0 ||
	    (rc = choice_list(&c, want, '+', '-', chosen)) < 0))
		goto out;
	if (but != NULL)
		rc = choice_list(&c, but, '!', 0, chosen);
	for (size_t i = 0; i < inv->servers; i++)
		chosen[i] = chosen[i] && !inv->server[i].apart;
out:
	for (size_t i = 0; c.key != NULL && i < inv->servers; i++)
		free(c.key[i]);
	free(c.key);
	free(c.hit);
	dict_free(&c.host);
	return rc;
}
