/* Values of the configuration, converted one by one as they are read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"
#include "engine/config_keys.h"
#include "pki/token_uri.h"

void *conf_base(struct config *c, const struct conf_part *p)
{
	char *at = (char *)c;

	if (!p->section->named)
		return at + p->section->array;
	return *(char **)(void *)(at + p->section->array) + p->index * p->section->size;
}

char **conf_slot(struct config *c, const struct conf_part *p, const struct conf_key *k)
{
	return (char **)(void *)((char *)conf_base(c, p) + k->offset);
}

static size_t conf_distance(const char *a, const char *b)
{
	size_t row[65], la = strlen(a), lb = strlen(b), diagonal, above;

	if (la > 64 || lb > 64)
		return 64;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			above = row[j];
			row[j] = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[lb];
}

const char *conf_nearest(const char *word, const char *const names[], size_t n)
{
	size_t best = strlen(word) / 2 + 1, d;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		if ((d = conf_distance(word, names[i])) < best) {
			best = d;
			found = names[i];
		}
	}
	return found;
}

char *conf_path(const struct config *c, const char *value)
{
	const char *slash = strrchr(c->path, '/'), *home = getenv("HOME");
	char *dir, *out;

	if (strncmp(value, "~/", 2) == 0 && home != NULL)
		return fs_join(home, value + 2);
	dir = slash == NULL ? mem_strdup(".") : mem_strndup(c->path, (size_t)(slash - c->path));
	out = fs_join(dir[0] != '\0' ? dir : "/", value);
	free(dir);
	return out;
}

int conf_bad(struct err *e, const struct conf_key *k, const char *value, const char *remedy)
{
	err_set(e, ERR_SYNTAX, _("%s = %s: not a value for it"), k->name, value);
	return err_remedy(e, "%s", remedy);
}

static int conf_number(const struct conf_key *k, const char *value, long min, long max, int *out,
    struct err *e)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (errno == 0 && end != value && *end == '\0' && n >= min && n <= max) {
		*out = (int)n;
		return 0;
	}
	err_set(e, ERR_SYNTAX, _("%s = %s: not a number from %ld to %ld"), k->name, value, min, max);
	return err_remedy(e, _("write a whole number from %ld to %ld"), min, max);
}

/* The index of value in k's choices, or -1. */
static int conf_choice(const struct conf_key *k, const char *value)
{
	const char *p = k->choices;
	size_t len = strlen(value), n;

	for (int i = 0;; i++) {
		n = strcspn(p, "|");
		if (n == len && strncmp(p, value, n) == 0)
			return i;
		if (p[n] == '\0')
			return -1;
		p += n + 1;
	}
}

static bool conf_ports_ok(const char *value)
{
	char *end;
	long n;

	for (;;) {
		n = strtol(value, &end, 10);
		if (end == value || n < 1 || n > 65535)
			return false;
		end += strspn(end, " \t");
		if (*end == '\0')
			return true;
		if (*end != ',')
			return false;
		value = end + 1;
	}
}

static bool conf_probe_ok(const char *value)
{
	const char *colon = strrchr(value, ':');
	char *address;
	bool ok;

	if (colon == NULL || !conf_ports_ok(colon + 1) || strchr(colon, ',') != NULL)
		return false;
	if (value[0] == '[' && colon > value && colon[-1] == ']')
		address = mem_strndup(value + 1, (size_t)(colon - value) - 2);
	else
		address = mem_strndup(value, (size_t)(colon - value));
	ok = text_is_host(address, false);
	free(address);
	return ok;
}

bool conf_has_scheme(const char *value, const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	if (strpbrk(value, " \t\"'<>\\") != NULL)
		return false;
	return (strncmp(value, a, la) == 0 && value[la] != '\0') ||
	    (strncmp(value, b, lb) == 0 && value[lb] != '\0');
}

static void conf_list(struct config *c, const struct conf_part *p, const struct conf_key *k,
    const char *value)
{
	char *base = conf_base(c, p), *item;
	char ***list = (char ***)(void *)(base + k->offset);
	size_t *n = (size_t *)(void *)(base + k->offset2), len;

	while (*n > 0)
		free((*list)[--*n]);
	for (;; value += len + 1) {
		value += strspn(value, ", \t");
		len = strcspn(value, ",");
		item = mem_strndup(value, len);
		for (size_t i = len; i > 0 && strchr(" \t", item[i - 1]) != NULL; i--)
			item[i - 1] = '\0';
		if (item[0] != '\0') {
			*list = mem_grow(*list, *n + 1, sizeof **list);
			(*list)[(*n)++] = item;
		} else {
			free(item);
		}
		if (value[len] == '\0')
			break;
	}
}

/* Is the text right for its type? What needs the rest of the file comes in conf_check_part. */
static int conf_judge(const struct conf_key *k, const char *value, struct err *e)
{
	switch (k->type) {
	case CONF_CHOICE:
		if (conf_choice(k, value) < 0)
			return conf_bad(e, k, value, k->choices);
		break;
	case CONF_REMOTE:
		if (value[0] != '/')
			return conf_bad(e, k, value, _("write an absolute path"));
		break;
	case CONF_HTTP:
		if (!conf_has_scheme(value, "http://", "https://"))
			return conf_bad(e, k, value, _("write a URL that starts with http:// or https://"));
		break;
	case CONF_SMTP:
		if (!conf_has_scheme(value, "smtp://", "smtps://"))
			return conf_bad(e, k, value, _("write a URL that starts with smtp:// or smtps://"));
		break;
	case CONF_ADDRESS:
		if (!text_is_host(value, false))
			return conf_bad(e, k, value, _("write a host name or an IP address"));
		break;
	case CONF_PROBE:
		if (!conf_probe_ok(value))
			return conf_bad(e, k, value, _("write address:port"));
		break;
	case CONF_KEY:
		if (token_uri_is(value))
			return token_uri_parse(&(struct token_uri){ 0 }, value, e);
		return token_uri_alone(value, e);
	case CONF_PORTS:
		if (!conf_ports_ok(value))
			return conf_bad(e, k, value, _("write ports with commas between: 80, 443"));
		break;
	default:
		break;
	}
	return 0;
}

int conf_set(struct config *c, const struct conf_part *p, const struct conf_key *k,
    const char *value, struct err *e)
{
	char **slot = conf_slot(c, p, k);
	int i, rc;

	if (value[0] == '\0' && k->type != CONF_TEXT)
		return conf_bad(e, k, value, _("write a value, or comment the line out"));
	switch (k->type) {
	case CONF_NUMBER:
		return conf_number(k, value, k->min, k->max, (int *)(void *)slot, e);
	case CONF_FLAG:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
			return conf_bad(e, k, value, "yes|no");
		*(bool *)(void *)slot = value[0] == 'y';
		return 0;
	case CONF_KIND:
		if ((i = conf_choice(k, value)) < 0)
			return conf_bad(e, k, value, k->choices);
		*(int *)(void *)slot = i;
		return 0;
	case CONF_LIST:
		conf_list(c, p, k, value);
		return 0;
	default:
		break;
	}
	if ((rc = conf_judge(k, value, e)) < 0)
		return rc;
	free(*slot);
	if (k->type == CONF_FILE || k->type == CONF_PATH ||
	    (k->type == CONF_KEY && !token_uri_is(value)))
		*slot = conf_path(c, value);
	else
		*slot = value[0] != '\0' ? mem_strdup(value) : NULL;
	return 0;
}
