/* Checkpoint 2: the plan of containment, every action with its exact command. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/image.h"
#include "engine/request.h"
#include "work/action.h"
#include "work/contain.h"
#include "work/renewal.h"

#define LABEL_COLS 7 /* of what stands before a command in the plan */

/* What is to happen to an action in this plan. */
enum verdict { DO_IT, HOLDS, RUNNING, UNDONE, WAITS, LEFT_OUT };

static bool only_has(const struct args *a, const char *name)
{
	const char *s;

	for (size_t i = 0; (s = args_nth(a, "only", i)) != NULL; i++)
		if (strcmp(s, name) == 0)
			return true;
	return false;
}

static enum verdict contain_judge(const struct run *r, const struct action_conf *a)
{
	const struct action *done = incident_action(run_incident(r), a->name);
	bool only = args_has(run_args(r), "only");

	if (only && !only_has(run_args(r), a->name))
		return LEFT_OUT;
	if (contain_is_running(run_engine(r), r, a->name))
		return RUNNING;
	if (a->kind == ACTION_KEYLOCK && action_key_waits(run_incident(r)) != NULL)
		return WAITS;
	if (only || done == NULL)
		return DO_IT;
	return done->state == ACTION_HELD ? HOLDS : done->state == ACTION_UNDONE ? UNDONE : DO_IT;
}

static json_t *contain_item(const struct config *c, const struct action_conf *a, const struct action_steps *s)
{
	json_t *o = json_object();

	json_put(o, "id", a->name);
	json_put(o, "title", a->title != NULL ? a->title : a->name);
	json_put(o, "kind", action_kind_name(a->kind));
	json_put(o, "host", a->host);
	json_put(o, "command", s->command);
	json_put(o, "verify", s->verify);
	json_put(o, "undo", s->undo);
	json_put(o, "undone", s->undone);
	json_put(o, "probe", a->probe);
	if (a->ca != NULL)
		json_object_set_new(o, "ca", ca_request(c, a->ca));
	json_put_num(o, "deadline", a->deadline);
	if (a->kind == ACTION_IMAGE) {
		json_put(o, "source", a->source);
		json_put(o, "target", a->target);
		json_put(o, "image", s->image);
	}
	return o;
}

static const char *where(const char *host)
{
	return host != NULL && host[0] != '\0' ? host : _("this machine");
}

/* A command on a line of its own each: a script by its line ends, a list of rules by what joins them. */
static void plan_command(struct plan *p, const char *label, const char *command, const char *join)
{
	const char *line = command, *end;
	char pad[64];

	for (bool first = true; *line != '\0'; first = false) {
		end = join != NULL ? strstr(line, join) : NULL;
		end = end != NULL ? end + strlen(join) - (join[0] == '\n') : line + strlen(line);
		char *text = mem_strndup(line, (size_t)(end - line));
		for (char *t = text; *t != '\0'; t++)
			if (*t == '\t')
				*t = ' ';
		plan_line(p, "  %s %s", text_pad(pad, sizeof pad, first ? label : "", LABEL_COLS), text);
		free(text);
		line = end + (*end == '\n');
	}
}

static void plan_action(struct plan *p, const json_t *item)
{
	bool rules = strcmp(json_str(item, "kind"), "firewall") == 0;
	char pad[64];

	plan_line(p, _("%s on %s:"), json_str(item, "title"), where(json_str(item, "host")));
	if (strcmp(json_str(item, "kind"), "image") == 0) {
		char *script = image_command(json_str(item, "source"), json_str(item, "target"),
		    json_str(item, "image"));
		plan_command(p, _("run"), script, "\n");
		plan_line(p, _("  %s size and SHA-256, by the script itself"), text_pad(pad, sizeof pad, _("verify"), LABEL_COLS));
		free(script);
	} else {
		plan_command(p, _("run"), json_str(item, "command"), rules ? "} && " : NULL);
		plan_command(p, _("verify"), json_str(item, "verify"), rules ? "' && " : NULL);
	}
	if (json_str(item, "probe")[0] != '\0')
		plan_line(p, _("  %s no answer from %s"), text_pad(pad, sizeof pad, _("probe"), LABEL_COLS), json_str(item, "probe"));
	if (json_object_get(item, "ca") != NULL)
		plan_line(p, _("  %s the key of %s no longer signs"), text_pad(pad, sizeof pad, _("key"), LABEL_COLS),
		    json_str(json_object_get(item, "ca"), "title"));
	plan_command(p, _("undo"), json_str(item, "undo"), rules ? "; " : NULL);
}

/* The number of the checkpoint that a key lock waits for. */
static int crl_checkpoint(const struct incident *in)
{
	for (size_t i = 0; i < in->checkpoints; i++)
		if (strcmp(in->checkpoint[i].evidence, "crl-made") == 0)
			return in->checkpoint[i].n;
	return 4;
}

static void plan_verdict(struct run *r, struct plan *p, const json_t *item, enum verdict v)
{
	const struct action *done = incident_action(run_incident(r), json_str(item, "id"));
	const char *title = json_str(item, "title"), *at = where(json_str(item, "host"));

	switch (v) {
	case DO_IT:
		if (done != NULL && done->state == ACTION_FAILED)
			plan_row(p, title, _("on %s, again: %s"), at, done->detail);
		else
			plan_row(p, title, _("on %s"), at);
		if (strcmp(json_str(item, "kind"), "keylock") == 0)
			renewal_plan_ladder(p, run_incident(r));
		plan_action(p, item);
		break;
	case HOLDS:
		plan_row(p, title, _("on %s: holds already, left as it is"), at);
		break;
	case RUNNING:
		plan_row(p, title, _("on %s: running"), at);
		break;
	case UNDONE:
		plan_row(p, title, _("on %s: was undone; contain --only %s does it again"), at,
		    json_str(item, "id"));
		break;
	case WAITS:
		plan_row(p, title, _("on %s: waiting after checkpoint %d"), at, crl_checkpoint(run_incident(r)));
		break;
	case LEFT_OUT:
		break;
	}
}

static void plan_warn(const struct run *r, struct plan *p, const struct action_conf *a)
{
	json_t *list = action_conflicts(run_config(r), a), *text;
	const struct host_conf *h = a->host != NULL ? config_host(run_config(r), a->host) : NULL;
	int port[ACTION_PORTS_MAX];
	size_t i, n;

	json_array_foreach(list, i, text)
		plan_row(p, _("warning"), "%s", json_string_value(text));
	json_decref(list);
	if (a->kind != ACTION_FIREWALL || h == NULL || action_ports(a->ports, port, &n, NULL) < 0)
		return;
	for (i = 0; i < n; i++)
		if (port[i] == (h->port != 0 ? h->port : 22))
			plan_row(p, _("warning"), _("%s closes port %d, the way by which sev1 reaches %s: "
			                            "it can verify and undo nothing there afterwards"),
			    a->name, port[i], a->host);
}

/* Fill verdict[] and the spec: all actions, and which of them run. Returns how many run, or -1. */
static int contain_collect(struct run *r, json_t *spec, enum verdict *verdict, struct err *e)
{
	const struct config *c = run_config(r);
	json_t *actions = json_array(), *run = json_array();
	int n = 0;

	json_object_set_new(spec, "actions", actions);
	json_object_set_new(spec, "run", run);
	for (size_t i = 0; i < c->actions; i++) {
		const struct action_conf *a = &c->action[i];
		struct action_steps s;
		if (action_build(a, run_incident(r)->id, &s, e) < 0)
			return -1;
		json_array_append_new(actions, contain_item(run_config(r), a, &s));
		action_steps_clear(&s);
		verdict[i] = contain_judge(r, a);
		if (verdict[i] != DO_IT)
			continue;
		json_array_append_new(run, json_string(a->name));
		n++;
	}
	return n;
}

/* Nothing to do: say why, and end. */
static void contain_nothing(struct run *r, struct plan *p)
{
	const char *waits = action_key_waits(run_incident(r));
	json_t *row;
	size_t i;

	json_array_foreach(p->rows, i, row)
		run_out(r, "%s: %s", json_string_value(json_array_get(row, 0)),
		    json_string_value(json_array_get(row, 1)));
	if (args_has(run_args(r), "only") && waits != NULL) {
		struct err e = { 0 };
		err_set(&e, ERR_REFUSED, waits[0] != '\0' ?
		    _("contain: the key lock waits: %s has not signed its emergency CRL") :
		    _("contain: the key lock waits: the scope is not frozen and no CRL is signed"), waits);
		err_remedy(&e, _("a locked key signs no CRL; run revoke first, then contain again"));
		run_fail(r, &e);
	} else {
		run_out(r, _("nothing to do: every action that can run holds"));
		run_end(r, EXIT_DONE);
	}
	plan_free(p);
}

static void contain_plan(struct run *r)
{
	const struct config *c = run_config(r);
	json_t *spec = json_object();
	enum verdict *verdict = mem_zalloc(c->actions, sizeof *verdict);
	struct err e = { 0 };
	struct plan *p;
	char *phrase;
	int n;

	if ((n = contain_collect(r, spec, verdict, &e)) < 0) {
		free(verdict);
		json_decref(spec);
		run_fail(r, &e);
		return;
	}
	phrase = mem_printf("CONTAIN %d", n);
	p = plan_new(_("Take the CA offline"), phrase, spec);
	for (size_t i = 0; i < c->actions; i++)
		plan_verdict(r, p, json_array_get(json_object_get(spec, "actions"), i), verdict[i]);
	for (size_t i = 0; i < c->actions; i++)
		if (verdict[i] == DO_IT)
			plan_warn(r, p, &c->action[i]);
	free(phrase);
	free(verdict);
	if (n == 0)
		contain_nothing(r, p);
	else
		run_plan(r, p);
}

/* The undo that the journal recorded counts, not what the configuration says today. */
static void contain_plan_undo(struct run *r, const struct action_conf *a)
{
	const struct action *done = incident_action(run_incident(r), a->name);
	struct err e = { 0 };
	struct action_steps s;
	struct plan *p;
	json_t *item, *spec;
	char *phrase, *title;

	if (action_build(a, run_incident(r)->id, &s, &e) < 0) {
		run_fail(r, &e);
		return;
	}
	item = contain_item(run_config(r), a, &s);
	action_steps_clear(&s);
	if (done != NULL && done->undo != NULL && done->undo[0] != '\0')
		json_object_set_new(item, "undo", json_string(done->undo));
	if (done == NULL || done->state == ACTION_NONE || json_str(item, "undo")[0] == '\0') {
		if (done == NULL || done->state == ACTION_NONE)
			err_set(&e, ERR_REFUSED, _("contain: %s has not been done; there is nothing to undo"), a->name);
		else
			err_set(&e, ERR_REFUSED, _("contain: %s has no undo in the configuration"), a->name);
		json_decref(item);
		run_fail(r, &e);
		return;
	}
	phrase = mem_printf("UNDO %s", a->name);
	title = mem_printf(_("Undo: %s"), json_str(item, "title"));
	spec = json_pack("{s:o}", "undo", item);
	p = plan_new(title, phrase, spec);
	plan_row(p, json_str(item, "title"), _("on %s"), where(json_str(item, "host")));
	plan_command(p, _("run"), json_str(item, "undo"), a->kind == ACTION_FIREWALL ? "; " : NULL);
	plan_command(p, _("verify"), json_str(item, "undone"), a->kind == ACTION_FIREWALL ? " && " : NULL);
	free(title);
	free(phrase);
	run_plan(r, p);
}

static int contain_unknown(const struct run *r, const char *name, struct err *e)
{
	err_set(e, ERR_USAGE, _("contain: no [action %s] in %s"), name, run_config(r)->path);
	return err_remedy(e, _("see them with: sev1 contain"));
}

static int contain_check(struct run *r, struct err *e)
{
	const struct args *a = run_args(r);
	const char *s, *undo = args_get(a, "undo");

	if (run_config(r)->actions == 0) {
		err_set(e, ERR_NOTFOUND, _("contain: no [action] is configured in %s"), run_config(r)->path);
		return err_remedy(e, _("add them, or do it by other means and close the checkpoint by hand: "
		                       "sev1 checkpoint 2 --reason \"...\""));
	}
	for (size_t i = 0; (s = args_nth(a, "only", i)) != NULL; i++)
		if (config_action(run_config(r), s) == NULL)
			return contain_unknown(r, s, e);
	if (undo != NULL && config_action(run_config(r), undo) == NULL)
		return contain_unknown(r, undo, e);
	if (undo != NULL && args_has(a, "only"))
		return err_set(e, ERR_USAGE, _("contain: either --only or --undo"));
	return 0;
}

static void contain_start(struct run *r)
{
	const char *undo = args_get(run_args(r), "undo");
	struct err e = { 0 };

	if (contain_check(r, &e) < 0)
		run_fail(r, &e);
	else if (undo != NULL)
		contain_plan_undo(r, config_action(run_config(r), undo));
	else
		contain_plan(r);
}

static const struct option options[] = {
	{ "only", "NAME", N_("only this action (may be repeated)") },
	{ "undo", "NAME", N_("take this action back") },
	{ NULL, NULL, NULL },
};

const struct command cmd_contain = {
	.name = "contain", .key = "o", .usage = "",
	.summary = N_("take the CA offline: stop services, close ports, image, lock the key"),
	.effect = N_("runs the configured actions, each verified by its own command; undo one with contain --undo NAME"),
	.options = options,
	.gates = GATE_CONFIG | GATE_INCIDENT | GATE_ARMED | GATE_TRIAGE | GATE_LEASE,
	.start = contain_start, .go = contain_go,
};
