/* How groups hang together: who is below whom, whose variables win, and who is in each. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "fleet/inv_inside.h"

#define DEPTH_MAX 64

/* Those on the way down to this group; a ring is told of once, wherever it is met. */
static void group_ring(struct inv *in, size_t at)
{
	struct node *g = &in->group[at];

	if (!g->ringed)
		inv_error(in, g->file, g->line, _("a group below itself"), g->name);
	for (size_t i = 0; i < in->groups; i++)
		in->group[i].ringed = in->group[i].ringed || in->group[i].busy;
	g->ringed = true;
}

/* The longest way from "all" down to each group. */
static void group_depth(struct inv *in, size_t at, int depth)
{
	struct node *g = &in->group[at];

	if (g->busy || depth > DEPTH_MAX) {
		group_ring(in, at);
		return;
	}
	if (g->depth >= depth)
		return;
	g->depth = depth;
	g->busy = true;
	for (size_t i = 0; i < g->children; i++)
		group_depth(in, g->child[i], depth + 1);
	g->busy = false;
}

static void group_tree(struct inv *in)
{
	bool *below = mem_zalloc(in->groups, sizeof *below);

	for (size_t g = 1; g < in->groups; g++)
		for (size_t i = 0; i < in->group[g].children; i++)
			below[in->group[g].child[i]] = true;
	for (size_t g = 1; g < in->groups; g++)
		if (!below[g])
			inv_group_child(in, 0, g);
	free(below);
	group_depth(in, 0, 0);
	/* Groups in a ring hang below nothing. */
	for (size_t g = 1; g < in->groups; g++)
		if (in->group[g].depth < 0)
			group_depth(in, g, 0);
}

void inv_groups_check(struct inv *in)
{
	/* A group that only stands below another, or only has variables, is a slip of the pen. */
	for (size_t i = 1; !in->cut && i < in->groups; i++) {
		const struct node *g = &in->group[i];
		if (!g->declared && strcmp(g->name, "ungrouped") != 0)
			inv_error(in, g->file, g->line, _("a group that has no heading of its own"), g->name);
	}
	group_tree(in);
}

/* Mark all hosts of a group and of those below it; seen has a place for each group. */
static void group_mark(const struct inv *in, size_t at, bool *member, bool *seen)
{
	const struct node *g = &in->group[at];

	if (seen[at])
		return;
	seen[at] = true;
	for (size_t i = 0; i < g->hosts; i++)
		member[g->host[i]] = true;
	for (size_t i = 0; i < g->children; i++)
		group_mark(in, g->child[i], member, seen);
}

static bool *group_members(const struct inv *in, size_t at)
{
	bool *member = mem_zalloc(in->hosts, sizeof *member), *seen = mem_zalloc(in->groups, sizeof *seen);

	group_mark(in, at, member, seen);
	if (at == 0)
		memset(member, true, in->hosts * sizeof *member);
	free(seen);
	return member;
}

struct order {
	const struct inv *in;
	size_t group;
};

static int order_compare(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	const struct node *g = &x->in->group[x->group], *h = &y->in->group[y->group];

	return g->depth != h->depth ? g->depth - h->depth : strcmp(g->name, h->name);
}

static bool vars_any(struct value *const *var)
{
	for (int v = 0; v < INV_VARS; v++)
		if (var[v] != NULL)
			return true;
	return false;
}

/* Where from is set, it wins over what to had. */
static void vars_over(struct value **to, struct value *const *from)
{
	for (int v = 0; v < INV_VARS; v++)
		if (from[v] != NULL)
			to[v] = from[v];
}

/* The inventory's group variables from "all" downwards, then those of group_vars, then the host's own; ansible's
 * "variable precedence". files has what host_vars says. */
void inv_vars_settle(struct inv *in)
{
	struct order *order = mem_zalloc(in->groups, sizeof *order);
	struct value **files = mem_zalloc(in->hosts, sizeof(struct value *) * INV_VARS);

	for (size_t i = 0; i < in->hosts; i++) {
		memcpy(files + i * INV_VARS, in->host[i].set, sizeof in->host[i].set);
		memset(in->host[i].set, 0, sizeof in->host[i].set);
	}
	for (size_t g = 0; g < in->groups; g++)
		order[g] = (struct order){ in, g };
	qsort(order, in->groups, sizeof *order, order_compare);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t k = 0; k < in->groups; k++) {
			const struct node *g = &in->group[order[k].group];
			struct value *const *var = pass == 0 ? g->var : g->set;
			bool *member = vars_any(var) ? group_members(in, order[k].group) : NULL;
			for (size_t i = 0; member != NULL && i < in->hosts; i++)
				if (member[i])
					vars_over(in->host[i].set, var);
			free(member);
		}
	}
	for (size_t i = 0; i < in->hosts; i++) {
		vars_over(in->host[i].set, in->host[i].var);
		vars_over(in->host[i].set, files + i * INV_VARS);
	}
	free(files);
	free(order);
}

static int group_by_name(const void *a, const void *b)
{
	return strcmp(((const struct server_group *)a)->name, ((const struct server_group *)b)->name);
}

void inv_groups_show(struct inv *in)
{
	struct inventory *out = in->out;

	for (size_t g = 1; g < in->groups; g++) {
		if (strcmp(in->group[g].name, "ungrouped") == 0)
			continue;
		bool *member = group_members(in, g);
		struct server_group made = { .name = NULL };
		for (size_t i = 0; i < in->hosts; i++)
			if (member[i]) {
				made.server = mem_grow(made.server, made.servers + 1, sizeof *made.server);
				made.server[made.servers++] = i;
			}
		free(member);
		if (made.servers == 0)
			continue;
		made.name = mem_strdup(in->group[g].name);
		out->group = mem_grow(out->group, out->groups + 1, sizeof *out->group);
		out->group[out->groups++] = made;
	}
	if (out->groups > 0)
		qsort(out->group, out->groups, sizeof *out->group, group_by_name);
}
