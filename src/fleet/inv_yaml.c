/* Ansible's YAML: groups with hosts, vars and children; and the mappings of group_vars and host_vars. */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "fleet/inv_inside.h"

#define DEPTH_MAX 32
/* Aliases can make a small file endless. */
#define NODES_MAX 4000000

struct reader {
	struct inv *in;
	const char *file;
	yaml_document_t doc;
	long nodes;
	bool over; /* no use to read on */
};

static int yaml_line(const yaml_node_t *n)
{
	return (int)n->start_mark.line + 1;
}

/* What was to be read there is left out, groups and all. */
static void yaml_bad(struct reader *r, const yaml_node_t *n, const char *what, const char *shown)
{
	inv_error(r->in, r->file, yaml_line(n), what, shown);
	r->in->cut = true;
}

static const char *yaml_text(const yaml_node_t *n)
{
	return n != NULL && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

static bool yaml_is_null(const yaml_node_t *n)
{
	const char *s = yaml_text(n);

	return s != NULL && n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    (s[0] == '\0' || strcmp(s, "~") == 0 || strcasecmp(s, "null") == 0);
}

typedef void (*pair_fn)(struct reader *r, const yaml_node_t *key, yaml_node_t *value, void *ctx, int depth);

static void yaml_each(struct reader *r, yaml_node_t *map, pair_fn fn, void *ctx, int depth);

/* One pair; merge: in the pass for "<<", whose pairs come first, as they yield to the others. */
static void yaml_pair(struct reader *r, const yaml_node_pair_t *p, bool merge, pair_fn fn, void *ctx, int depth)
{
	const yaml_node_t *key = yaml_document_get_node(&r->doc, p->key);
	yaml_node_t *value = yaml_document_get_node(&r->doc, p->value);
	bool merges = yaml_text(key) != NULL && strcmp(yaml_text(key), "<<") == 0;

	if (merges && merge && value->type == YAML_MAPPING_NODE)
		yaml_each(r, value, fn, ctx, depth + 1);
	else if (!merges && !merge && yaml_text(key) != NULL)
		fn(r, key, value, ctx, depth);
	else if (!merges && !merge)
		yaml_bad(r, key, _("a key that is not plain text"), "");
}

/* Call fn for each pair of a mapping. */
static void yaml_each(struct reader *r, yaml_node_t *map, pair_fn fn, void *ctx, int depth)
{
	const yaml_node_pair_t *first = map->data.mapping.pairs.start, *end = map->data.mapping.pairs.top;

	for (int merge = 1; merge >= 0; merge--)
		for (const yaml_node_pair_t *p = first; p < end && !r->over; p++) {
			r->over = depth > DEPTH_MAX || ++r->nodes > NODES_MAX;
			if (r->over)
				yaml_bad(r, map, depth > DEPTH_MAX ? _("nested too deep") : _("more than a real inventory holds"), "");
			else
				yaml_pair(r, p, merge == 1, fn, ctx, depth);
		}
}

static void yaml_variable(struct reader *r, const yaml_node_t *key, yaml_node_t *value, void *ctx, int depth)
{
	struct value **var = ctx;
	enum inv_var v = inv_var_find(yaml_text(key));
	const char *tag = (const char *)value->tag;
	struct value *set;
	struct buf b = { 0 };

	(void)depth;
	if (v == INV_VARS)
		return;
	if (value->type == YAML_SEQUENCE_NODE && v == INV_NAMES) {
		yaml_node_item_t *item = value->data.sequence.items.start;
		for (; item < value->data.sequence.items.top; item++) {
			const char *s = yaml_text(yaml_document_get_node(&r->doc, *item));
			buf_addf(&b, "%s ", s != NULL ? s : "?");
		}
	} else if (yaml_text(value) == NULL) {
		yaml_bad(r, value, _("a plain value is expected for"), yaml_text(key));
		return;
	} else {
		buf_add(&b, value->data.scalar.value, value->data.scalar.length);
	}
	set = inv_value(r->in, buf_str(&b), b.len, r->file, yaml_line(value));
	set->sealed = tag != NULL && strstr(tag, "vault") != NULL;
	var[v] = yaml_is_null(value) ? NULL : set;
	buf_free(&b);
}

static void yaml_host(struct reader *r, const yaml_node_t *key, yaml_node_t *value, void *ctx, int depth)
{
	struct value *var[INV_VARS] = { NULL };

	if (value->type == YAML_MAPPING_NODE)
		yaml_each(r, value, yaml_variable, var, depth + 1);
	else if (!yaml_is_null(value))
		yaml_bad(r, value, _("a host's variables are expected as a mapping"), yaml_text(key));
	inv_host_add(r->in, *(size_t *)ctx, yaml_text(key), var, r->file, yaml_line(key));
}

static void yaml_group(struct reader *r, const yaml_node_t *key, yaml_node_t *value, void *ctx, int depth);

/* Does here stand in front of p too? */
static bool yaml_again(struct reader *r, const yaml_node_pair_t *first, const yaml_node_pair_t *p, const char *here)
{
	for (; first < p; first++) {
		const char *there = yaml_text(yaml_document_get_node(&r->doc, first->key));
		if (there != NULL && strcmp(here, there) == 0)
			return true;
	}
	return false;
}

/* A key that stands twice in one mapping: ansible would drop the first. */
static void yaml_once(struct reader *r, const yaml_node_t *map)
{
	const yaml_node_pair_t *first = map->data.mapping.pairs.start, *end = map->data.mapping.pairs.top;

	for (const yaml_node_pair_t *p = first; p < end && end - first < 5000; p++) {
		const yaml_node_t *key = yaml_document_get_node(&r->doc, p->key);
		if (yaml_text(key) != NULL && yaml_again(r, first, p, yaml_text(key)))
			yaml_bad(r, key, _("this group stands in the same mapping already"), yaml_text(key));
	}
}

static void yaml_part(struct reader *r, const yaml_node_t *key, yaml_node_t *value, void *ctx, int depth)
{
	const char *name = yaml_text(key);
	size_t group = *(size_t *)ctx;
	bool hosts = strcmp(name, "hosts") == 0, children = strcmp(name, "children") == 0;

	if (!hosts && !children && strcmp(name, "vars") != 0) {
		inv_note(r->in, r->file, yaml_line(key), _("neither hosts, vars nor children; not read"), name);
		return;
	}
	if (yaml_is_null(value))
		return;
	r->in->block += hosts;
	if (value->type == YAML_SCALAR_NODE && hosts) {
		inv_host_add(r->in, group, yaml_text(value), NULL, r->file, yaml_line(value));
	} else if (value->type != YAML_MAPPING_NODE) {
		yaml_bad(r, value, _("a mapping is expected for"), name);
	} else if (hosts) {
		yaml_each(r, value, yaml_host, &group, depth + 1);
	} else if (children) {
		yaml_once(r, value);
		yaml_each(r, value, yaml_group, &group, depth + 1);
	} else {
		yaml_each(r, value, yaml_variable, r->in->group[group].var, depth + 1);
	}
}

/* ctx: the group above, or NULL. */
static void yaml_group(struct reader *r, const yaml_node_t *key, yaml_node_t *value, void *ctx, int depth)
{
	const char *name = yaml_text(key);
	size_t group;

	if (ctx == NULL && (strcmp(name, "plugin") == 0 || strcmp(name, "_meta") == 0)) {
		yaml_bad(r, key, _("the settings or output of an inventory plugin, not an inventory"), name);
		inv_remedy(r->in, _("ansible-inventory -i %s --list --yaml > NEW.yml writes what it says"), r->file);
		r->over = true;
		return;
	}
	if (name[0] == '\0' || strlen(name) > 200) {
		yaml_bad(r, key, _("not the name of a group"), name);
		return;
	}
	if (value->type != YAML_MAPPING_NODE && !yaml_is_null(value)) {
		yaml_bad(r, value, _("a group is expected as a mapping of hosts, vars and children"), name);
		return;
	}
	group = inv_group(r->in, name, r->file, yaml_line(key));
	r->in->group[group].declared = true;
	if (ctx != NULL)
		inv_group_child(r->in, *(size_t *)ctx, group);
	if (!yaml_is_null(value))
		yaml_each(r, value, yaml_part, &group, depth + 1);
}

/* Parse and hand the top mapping to fn. An empty file is no mapping, and no error. What the parser refuses ends the file:
 * nobody knows where it would go on. */
static void yaml_top(struct inv *in, const char *text, size_t len, const char *file, pair_fn fn, void *ctx)
{
	struct reader r = { .in = in, .file = file };
	yaml_parser_t parser;
	yaml_node_t *top;
	struct err e = { 0 };

	if (yaml_parser_initialize(&parser) != 1) {
		err_set(&e, ERR_FAILED, _("libyaml cannot be used"));
		inv_failed(in, file, 0, &e);
		return;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (yaml_parser_load(&parser, &r.doc) != 1) {
		inv_error(in, file, (int)parser.problem_mark.line + 1, _("not YAML"), parser.problem != NULL ? parser.problem : "");
		in->cut = true;
		yaml_parser_delete(&parser);
		return;
	}
	top = yaml_document_get_root_node(&r.doc);
	if (top != NULL && top->type == YAML_MAPPING_NODE)
		yaml_each(&r, top, fn, ctx, 0);
	else if (top != NULL && !yaml_is_null(top))
		yaml_bad(&r, top, _("a mapping is expected"), "");
	yaml_document_delete(&r.doc);
	yaml_parser_delete(&parser);
}

void inv_yaml_read(struct inv *in, const char *text, size_t len)
{
	yaml_top(in, text, len, in->path, yaml_group, NULL);
}

void inv_yaml_vars(struct inv *in, const char *text, size_t len, const char *file, struct value **set)
{
	yaml_top(in, text, len, file, yaml_variable, set);
}
