/* The fleet as its inventory has it: read, resolved and shown, nothing else. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/engine.h"
#include "engine/run.h"
#include "fleet/inventory.h"
#include "work/servers.h"

static json_t *inventory_row(const struct server *s)
{
	json_t *o = json_object(), *names = json_array();

	json_put(o, "host", s->name);
	json_put_num(o, "line", s->line);
	json_put(o, "address", s->address != NULL ? s->address : s->name);
	json_put(o, "user", s->user);
	json_put_num(o, "port", s->port);
	json_put(o, "identity", s->identity);
	json_put(o, "jump", s->jump);
	json_put_num(o, "sudo", s->sudo);
	json_put(o, "profile", s->profile);
	json_put(o, "unusable", s->unusable);
	json_object_set_new(o, "left_out", json_boolean(s->apart));
	for (size_t i = 0; i < s->count; i++)
		json_array_append_new(names, json_string(s->names[i]));
	json_object_set_new(o, "names", names);
	return o;
}

/* [USER@]ADDRESS[:PORT], as far as the inventory says it; "" where it is the name alone. */
static char *inventory_target(const struct server *s)
{
	const char *at = s->address != NULL ? s->address : s->name;
	bool six = s->port > 0 && strchr(at, ':') != NULL;
	struct buf b = { 0 };

	if (s->address == NULL && s->user == NULL && s->port == 0)
		return mem_strdup("");
	buf_addf(&b, "%s%s%s%s%s", s->user != NULL ? s->user : "", s->user != NULL ? "@" : "", six ? "[" : "", at,
	    six ? "]" : "");
	if (s->port > 0)
		buf_addf(&b, ":%d", s->port);
	return buf_take(&b);
}

static void inventory_line(struct run *r, const struct server *s)
{
	struct buf b = { 0 };
	char *target;

	if (s->unusable != NULL) {
		run_out(r, "  %-30s %s: %s", s->name, s->apart ? _("left out") : _("unusable"), s->unusable);
		return;
	}
	for (size_t i = 0; i < s->count; i++)
		buf_addf(&b, "%s%s", i > 0 ? " " : "", s->names[i]);
	target = inventory_target(s);
	run_out(r, "  %-30s %s%s%s%s%s%s", s->name, target, target[0] != '\0' ? "  " : "",
	    s->profile != NULL ? s->profile : "", s->profile != NULL ? "  " : "",
	    s->count > 1 || strcmp(s->names[0], s->name) != 0 ? buf_str(&b) : "",
	    s->jump != NULL ? _("  (through a bastion)") : "");
	free(target);
	buf_free(&b);
}

static void inventory_show(struct run *r, const struct inventory *inv, const bool *chosen, bool hosts)
{
	json_t *rows = json_array(), *groups = json_object(), *notes = json_array();
	size_t n = 0, bad = 0, apart = 0;

	for (size_t i = 0; i < inv->servers; i++) {
		const struct server *s = &inv->server[i];
		apart += s->apart;
		if (!chosen[i] && !s->apart)
			continue;
		n += chosen[i];
		bad += chosen[i] && s->unusable != NULL;
		json_array_append_new(rows, inventory_row(s));
	}
	run_out(r, _("%s: %zu hosts, %zu chosen, %zu of them unusable, %zu left out, %zu groups"), inv->path,
	    inv->servers, n, bad, apart, inv->groups);
	for (size_t g = 0; g < inv->groups; g++) {
		run_out(r, "  [%s] %zu", inv->group[g].name, inv->group[g].servers);
		json_put_num(groups, inv->group[g].name, (json_int_t)inv->group[g].servers);
	}
	for (size_t i = 0; i < inv->notes; i++) {
		run_out(r, _("  not used: %s"), inv->note[i]);
		json_array_append_new(notes, json_string(inv->note[i]));
	}
	for (size_t i = 0; i < inv->servers; i++)
		if ((hosts && (chosen[i] || inv->server[i].apart)) || (chosen[i] && inv->server[i].unusable != NULL))
			inventory_line(r, &inv->server[i]);
	json_put_num(run_result(r), "total", (json_int_t)inv->servers);
	json_object_set_new(run_result(r), "hosts", rows);
	json_object_set_new(run_result(r), "groups", groups);
	json_object_set_new(run_result(r), "notes", notes);
}

static void inventory_start(struct run *r)
{
	const struct args *a = run_args(r);
	struct errs es;
	struct inventory *inv = servers_load(run_config(r), &es);
	struct err e = { 0 };
	bool *chosen;

	if (inv == NULL) {
		run_fail_all(r, &es);
		return;
	}
	chosen = mem_zalloc(inv->servers, sizeof *chosen);
	if (inventory_choose(inv, args_get(a, "only"), args_get(a, "exclude"), chosen, &e) == 0) {
		inventory_show(r, inv, chosen, !args_has(a, "groups"));
		run_end(r, EXIT_DONE);
	} else {
		run_fail(r, &e);
	}
	free(chosen);
	inventory_free(inv);
}

const struct command cmd_inventory = {
	.name = "inventory", .usage = "",
	.summary = N_("the fleet's hosts and groups, as the inventory resolves"),
	.effect = N_("reads the inventory and what lies beside it; connects to nothing"),
	.options = (const struct option[]){
		{ "only", N_("PATTERNS"), N_("only these, also -w: web*, GROUP, web[01-20], @FILE, a:&b, a:!b") },
		{ "exclude", N_("PATTERNS"), N_("all but these, also -x") },
		{ "groups", NULL, N_("counts and groups without the hosts") },
		{ NULL, NULL, NULL } },
	.gates = GATE_CONFIG,
	.start = inventory_start,
};
