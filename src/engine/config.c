#include "engine/config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "base/inifile.h"
#include "base/text.h"
#include "engine/config_keys.h"
#include "engine/paths.h"

#define CONFIG_MAX (1 << 20) /* octets of the largest file */

struct reader {
	struct config *c;
	struct conf_part *part; /* in the order of the file */
	size_t parts;
};

static char *config_fallback(const struct conf_key *k, const struct conf_part *p)
{
	if (strcmp(k->fallback, "@name") == 0)
		return mem_strdup(p->name);
	if (strcmp(k->fallback, "@state") == 0)
		return path_state();
	if (strcmp(k->fallback, "@playbook") == 0)
		return path_data("playbooks/ca-compromise.ini");
	if (strcmp(k->fallback, "@template") == 0)
		return path_template(p->name);
	return mem_strdup(k->fallback);
}

static int config_defaults(struct config *c, const struct conf_part *p, struct err *e)
{
	char *value;
	int rc = 0;

	for (size_t i = 0; i < conf_key_count && rc == 0; i++) {
		if (&conf_sections[conf_keys[i].section] != p->section || conf_keys[i].fallback == NULL)
			continue;
		value = config_fallback(&conf_keys[i], p);
		rc = conf_set(c, p, &conf_keys[i], value, e);
		free(value);
	}
	return rc;
}

static struct conf_part *config_part(struct reader *r, const struct conf_section *s,
    const char *name, int line)
{
	struct conf_part *p;
	char *at = (char *)r->c;

	r->part = mem_grow(r->part, r->parts + 1, sizeof *r->part);
	p = &r->part[r->parts++];
	*p = (struct conf_part){ .section = s, .line = line, .name = mem_strdup(name) };
	if (s->named) {
		char **array = (char **)(void *)(at + s->array);
		size_t *count = (size_t *)(void *)(at + s->count);

		*array = mem_grow(*array, *count + 1, s->size);
		memset(*array + *count * s->size, 0, s->size);
		p->index = (*count)++;
		/* the name is the first member of every struct that has one */
		*(char **)conf_base(r->c, p) = mem_strdup(name);
	}
	if (s->line > 0)
		*(int *)(void *)((char *)conf_base(r->c, p) + s->line) = line;
	return p;
}

static int config_unknown_section(const char *kind, const char *heading, struct err *e)
{
	const char *names[16];
	const char *near;

	for (size_t i = 0; i < conf_section_count; i++)
		names[i] = conf_sections[i].kind;
	near = conf_nearest(kind, names, conf_section_count);
	err_set(e, ERR_SYNTAX, _("unknown section [%s]"), heading);
	if (near != NULL)
		return err_remedy(e, _("did you mean '%s'?"), near);
	return err_remedy(e, _("the sections are sev1, ca, point, host, action, notice, fleet, contacts and intake"));
}

static int config_heading(struct reader *r, const char *heading, int line, struct err *e)
{
	size_t len = strcspn(heading, " \t");
	const char *name = heading + len + strspn(heading + len, " \t");
	char *kind = mem_strndup(heading, len);
	const struct conf_section *s = NULL;
	int rc = 0;

	for (size_t i = 0; i < conf_section_count; i++)
		if (strcmp(conf_sections[i].kind, kind) == 0)
			s = &conf_sections[i];
	if (s == NULL) {
		rc = config_unknown_section(kind, heading, e);
	} else if (s->named != (*name != '\0')) {
		err_set(e, ERR_SYNTAX, s->named ? _("[%s] without a name") : _("[%s] takes no name"),
		    heading);
		rc = err_remedy(e, s->named ? _("write [%s NAME]") : _("write [%s]"), kind);
	} else if (s->named && !text_is_word(name)) {
		err_set(e, ERR_SYNTAX, _("[%s]: not a usable name"), heading);
		rc = err_remedy(e, _("use letters, digits, '.', '_' and '-', without spaces"));
	}
	for (size_t i = 0; i < r->parts && rc == 0; i++) {
		if (r->part[i].section != s || (s->named && strcmp(r->part[i].name, name) != 0))
			continue;
		err_set(e, ERR_SYNTAX, _("[%s] again; the first is at line %d"), heading, r->part[i].line);
		rc = err_remedy(e, _("put all its keys under one heading"));
	}
	if (rc == 0)
		rc = config_defaults(r->c, config_part(r, s, s->named ? name : NULL, line), e);
	free(kind);
	return rc;
}

static int config_unknown_key(const struct conf_part *p, const char *section, const char *key,
    struct err *e)
{
	const char *names[CONF_KEYS_MAX] = { NULL };
	const char *near;
	struct buf all = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < conf_key_count; i++)
		if (&conf_sections[conf_keys[i].section] == p->section)
			names[n++] = conf_keys[i].name;
	near = conf_nearest(key, names, n);
	err_set(e, ERR_SYNTAX, _("unknown key '%s' in [%s]"), key, section);
	for (size_t i = 0; i < n; i++)
		buf_addf(&all, "%s%s", i > 0 ? ", " : "", names[i]);
	if (near != NULL)
		err_remedy(e, _("did you mean '%s'?"), near);
	else
		err_remedy(e, _("its keys are %s"), buf_str(&all));
	buf_free(&all);
	return ERR_SYNTAX;
}

static int config_line(void *ctx, const char *section, const char *key, const char *value, int line,
    struct err *e)
{
	struct reader *r = ctx;
	struct conf_part *p;

	if (key == NULL)
		return config_heading(r, section, line, e);
	p = &r->part[r->parts - 1];
	for (size_t i = 0; i < conf_key_count; i++) {
		if (&conf_sections[conf_keys[i].section] != p->section ||
		    strcmp(conf_keys[i].name, key) != 0)
			continue;
		if (p->key_line[i] > 0) {
			err_set(e, ERR_SYNTAX, _("'%s' again; the first is at line %d"), key,
			    p->key_line[i]);
			return err_remedy(e, _("keep one of the two"));
		}
		p->key_line[i] = line;
		return conf_set(r->c, p, &conf_keys[i], value, e);
	}
	return config_unknown_key(p, section, key, e);
}

/* The sections that have defaults even where the file does not name them. */
static int config_complete(struct reader *r, struct err *e)
{
	bool there;
	int rc = 0;

	for (size_t i = 0; i < conf_section_count && rc == 0; i++) {
		there = conf_sections[i].named;
		for (size_t j = 0; j < r->parts; j++)
			there = there || r->part[j].section == &conf_sections[i];
		if (!there)
			rc = config_defaults(r->c, config_part(r, &conf_sections[i], NULL, 0), e);
	}
	return rc;
}

static int config_check(struct reader *r, struct err *e)
{
	int line, rc;

	for (size_t i = 0; i < r->parts; i++) {
		if ((rc = conf_check_part(r->c, &r->part[i], &line, e)) == 0)
			continue;
		if (line > 0)
			err_prefix(e, "%s:%d", r->c->path, line);
		else
			err_prefix(e, "%s", r->c->path);
		return rc;
	}
	if (r->c->cas == 0) {
		err_set(e, ERR_SYNTAX, _("%s: no [ca NAME] section"), r->c->path);
		return err_remedy(e, _("describe at least one CA; `sev1 init` finds those of this machine"));
	}
	return 0;
}

struct config *config_load(const char *path, struct err *e)
{
	struct reader r = { 0 };
	struct buf text = { 0 };
	char *real = realpath(path, NULL);
	int rc;

	r.c = mem_zalloc(1, sizeof *r.c);
	r.c->path = real != NULL ? real : mem_strdup(path);
	if ((rc = fs_read(path, &text, CONFIG_MAX, e)) < 0) {
		err_remedy(e, _("write one with `sev1 init`, or name another with -c"));
	} else if (text.len != strlen(buf_str(&text))) {
		err_set(e, ERR_SYNTAX, _("%s: holds NUL octets"), path);
		rc = err_remedy(e, _("it must be plain UTF-8 text"));
	} else {
		rc = inifile_each(buf_str(&text), r.c->path, config_line, &r, e);
	}
	if (rc == 0 && (rc = config_complete(&r, e)) == 0)
		rc = config_check(&r, e);
	for (size_t i = 0; i < r.parts; i++)
		free(r.part[i].name);
	free(r.part);
	buf_free(&text);
	if (rc < 0) {
		config_free(r.c);
		return NULL;
	}
	return r.c;
}

static void config_free_part(struct config *c, const struct conf_part *p)
{
	char *base = conf_base(c, p);

	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *k = &conf_keys[i];
		char **slot = (char **)(void *)(base + k->offset);

		if (&conf_sections[k->section] != p->section || k->type == CONF_NUMBER ||
		    k->type == CONF_FLAG || k->type == CONF_KIND)
			continue;
		if (k->type == CONF_LIST) {
			char **list = *(char ***)(void *)slot;

			for (size_t n = *(size_t *)(void *)(base + k->offset2); n > 0; n--)
				free(list[n - 1]);
		}
		free(*slot);
	}
	if (p->section->named)
		free(*(char **)(void *)base);
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < conf_section_count; i++) {
		const struct conf_section *s = &conf_sections[i];
		struct conf_part p = { .section = s };
		size_t n = s->named ? *(size_t *)(void *)((char *)c + s->count) : 1;

		for (; p.index < n; p.index++)
			config_free_part(c, &p);
		if (s->named)
			free(*(char **)(void *)((char *)c + s->array));
	}
	free(c->path);
	free(c);
}
