/* The tabletop exercise: a sandbox, an incident of kind drill, a console on it. */
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "drill/host.h"
#include "drill/sandbox.h"
#include "engine/paths.h"
#include "engine/run.h"
#include "journal/journal.h"
#include "work/declare.h"

#define SCENARIO "intermediate-key"
#define SCENARIO_OCTETS (256u << 10)
#define MINUTE_MS 60000LL

struct drill {
	char *name, *folder, *conf; /* the scenario as asked for; absolute paths */
	struct map *map;
	struct scenario *scenario;
	char *incident;             /* path of its file */
	bool finished;              /* no checkpoint is open, or it was closed */
};

static void drill_clear(struct drill *d)
{
	free(d->name);
	free(d->folder);
	free(d->conf);
	free(d->incident);
	map_free(d->map);
	scenario_free(d->scenario);
}

/* Absolute and without links, whether it exists or not; its parents are made. */
static char *drill_resolve(const char *folder, struct err *e)
{
	char real[PATH_MAX], *copy = mem_strdup(folder), *base = mem_strdup(folder), *out = NULL;
	const char *parent = dirname(copy), *name = basename(base);

	if (realpath(folder, real) != NULL) {
		out = mem_strdup(real);
	} else if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "/") == 0) {
		err_set(e, ERR_USAGE, _("%s: not a folder for a drill"), folder);
	} else if (fs_mkdirs(parent, 0700, e) == 0) {
		if (realpath(parent, real) != NULL)
			out = fs_join(real, name);
		else
			err_sys(e, "%s", parent);
	}
	free(base);
	free(copy);
	return out;
}

/* --folder, else one folder for each scenario below the user's own state. */
static int drill_where(const struct args *a, struct drill *d, struct err *e)
{
	const char *name = args_get(a, ""), *given = args_get(a, "folder");
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME"), *base;
	char *folder;

	d->name = mem_strdup(name != NULL ? name : SCENARIO);
	base = strrchr(d->name, '/') != NULL ? strrchr(d->name, '/') + 1 : d->name;
	if (given != NULL)
		folder = mem_strdup(given);
	else if (xdg != NULL && xdg[0] == '/')
		folder = mem_printf("%s/sev1/drill/%s", xdg, base);
	else
		folder = mem_printf("%s/.local/state/sev1/drill/%s", home != NULL ? home : "", base);
	d->folder = drill_resolve(folder, e);
	free(folder);
	if (d->folder == NULL)
		return e->code;
	d->conf = fs_join(d->folder, "sev1.conf");
	return 0;
}

/* The sandbox that is there, or a new one. */
static int drill_sandbox(struct drill *d, struct err *e)
{
	char *kept = fs_join(d->folder, "scenario.ini"), *scenarios = path_data("scenarios");
	char *file = NULL;
	int rc = 0;

	if ((d->map = map_load(d->folder, NULL)) != NULL && d->map->ready) {
		if ((d->scenario = scenario_find("", kept, e)) == NULL)
			rc = e->code;
		goto out;
	}
	map_free(d->map);
	d->map = NULL;
	if ((d->scenario = scenario_find(scenarios, d->name, e)) == NULL) {
		rc = e->code;
		goto out;
	}
	file = strchr(d->name, '/') != NULL ? mem_strdup(d->name) :
	    mem_printf("%s/%s.ini", scenarios, d->name);
	if ((d->map = sandbox_make(d->folder, d->scenario, e)) == NULL)
		rc = e->code;
	else
		rc = fs_backup(file, kept, e);
out:
	free(file);
	free(scenarios);
	free(kept);
	return rc;
}

/* Tell in the journal what the operator is told when the exercise begins. */
static int drill_story(struct engine *en, const struct drill *d, struct err *e)
{
	const struct scenario *s = d->scenario;
	json_t *body = json_object();
	char at[24];
	char *text = mem_printf(_("drill: %s First receipt: %s (%s%s%s)"), s->story,
	    clock_iso(at, sizeof at, engine_incident(en)->declared - s->received * MINUTE_MS), s->channel,
	    s->reporter[0] != '\0' ? ", " : "", s->reporter);

	json_put(body, "text", text);
	free(text);
	return engine_append(en, EV_NOTE, body, e);
}

/* The sandbox has one incident: find it, or declare it. An engine of the drill's own does this, as the
 * caller's belongs to another configuration. */
static int drill_incident(struct engine *outer, struct drill *d, bool declare, struct err *e)
{
	struct engine_options o = { .config_path = d->conf };
	struct engine *en = engine_new(engine_loop(outer), &o, e);
	struct incident_entry *list;
	size_t n;
	int rc = 0;

	if (en == NULL)
		return e->code;
	if (engine_config(en) == NULL) {
		*e = *engine_config_error(en);
		engine_free(en);
		return e->code != 0 ? e->code : ERR_FAILED;
	}
	list = model_incidents(en, &n);
	if (n > 0) {
		d->incident = mem_strdup(list[0].path);
		d->finished = list[0].closed || (list[0].error == NULL && list[0].checkpoints > 0 &&
		    list[0].checkpoints_done == list[0].checkpoints);
	} else if (declare && (rc = incident_declare(en, d->scenario->title, d->folder, clock_now(), e)) == 0 &&
	    (rc = drill_story(en, d, e)) == 0) {
		d->incident = mem_strdup(journal_path(engine_journal(en)));
	}
	model_incidents_free(list, n);
	engine_free(en);
	return rc;
}

/* What an earlier demonstration finished, or the operator does not want any more, makes room. */
static int drill_make_room(struct run *r, struct drill *d, struct err *e)
{
	bool unwanted = args_has(run_args(r), "new");
	struct map *m = map_load(d->folder, NULL);
	int rc = 0;

	if (m == NULL || !m->ready) {
		map_free(m);
		return 0;
	}
	map_free(m);
	if (!unwanted && args_has(run_args(r), "play")) {
		if ((rc = drill_incident(run_engine(r), d, false, e)) < 0)
			return rc;
		unwanted = d->finished;
		free(d->incident);
		d->incident = NULL;
		d->finished = false;
	}
	if (unwanted && (rc = sandbox_clean(d->folder, e)) == 0)
		run_say(r, _("the last drill in %s is removed"), d->folder);
	return rc;
}

/* A console follows, unless it is not wanted. */
static void drill_follow(struct run *r, const struct drill *d)
{
	if (args_has(run_args(r), "no-console")) {
		run_out(r, _("The drill is ready. Its hosts run until sev1 drill --clean, or a quarter of an hour idle."));
		run_out(r, "  sev1 -c %s status", d->conf);
		return;
	}
	json_object_set_new(run_result(r), "console", json_pack("{s:s, s:s, s:b}", "config", d->conf,
	    "incident", d->incident, "play", args_has(run_args(r), "play")));
}

static int drill_go(struct run *r, struct drill *d, struct err *e)
{
	int64_t from = clock_mono();
	bool fresh;
	int rc;

	if ((rc = drill_make_room(r, d, e)) < 0)
		return rc;
	fresh = !fs_exists(d->conf);
	if (fresh)
		run_say(r, _("making the sandbox in %s"), d->folder);
	if ((rc = drill_sandbox(d, e)) < 0 || (rc = host_start(d->folder, NULL, e)) < 0 ||
	    (rc = drill_incident(run_engine(r), d, true, e)) < 0)
		return rc;
	run_say(r, fresh ? _("ready after %lld ms") : _("the drill goes on after %lld ms"),
	    (long long)(clock_mono() - from));
	json_put(run_result(r), "folder", d->folder);
	json_put(run_result(r), "config", d->conf);
	json_put(run_result(r), "path", d->incident);
	drill_follow(r, d);
	return 0;
}

/* A process that was fenced in for a drill never touches a real incident, nor the other way round. */
static int drill_not_here(const struct drill *d, struct err *e)
{
	err_set(e, ERR_REFUSED, _("a drill has a console of its own"));
	return err_remedy(e, _("type drill alone, or in another terminal: sev1 drill %s"), d->name);
}

static int drill_list(struct run *r)
{
	char *folder = path_data("scenarios"), **name;
	json_t *all = json_array();
	size_t n;

	name = scenario_list(folder, &n);
	for (size_t i = 0; i < n; i++) {
		struct err e = { 0 };
		struct scenario *s = scenario_find(folder, name[i], &e);
		json_t *o = json_object();

		run_out(r, "%-20s %s", name[i], s != NULL ? s->title : e.text);
		json_put(o, "name", name[i]);
		json_put(o, s != NULL ? "title" : "error", s != NULL ? s->title : e.text);
		json_array_append_new(all, o);
		scenario_free(s);
		free(name[i]);
	}
	json_object_set_new(run_result(r), "scenarios", all);
	free(name);
	free(folder);
	return 0;
}

static int drill_clean(struct run *r, struct drill *d, struct err *e)
{
	bool there = fs_exists(d->folder);
	int rc = sandbox_clean(d->folder, e);

	if (rc == 0)
		run_out(r, there ? _("%s is removed") : _("%s: there is no drill"), d->folder);
	return rc;
}

static void drill_start(struct run *r)
{
	struct drill d = { 0 };
	struct err e = { 0 };
	int rc = drill_where(run_args(r), &d, &e);

	if (rc == 0 && args_has(run_args(r), "list"))
		rc = drill_list(r);
	else if (rc == 0 && args_has(run_args(r), "clean"))
		rc = drill_clean(r, &d, &e);
	else if (rc == 0 && engine_is_console(run_engine(r)))
		rc = drill_not_here(&d, &e);
	else if (rc == 0)
		rc = drill_go(r, &d, &e);
	drill_clear(&d);
	if (rc < 0)
		run_fail(r, &e);
	else
		run_end(r, EXIT_DONE);
}

const struct command cmd_drill = {
	.name = "drill", .usage = N_("[SCENARIO]"),
	.summary = N_("a tabletop exercise in a sandbox on this machine: make it, or go on with it"),
	.effect = N_("Makes one folder and starts its hosts on loopback addresses; nothing else is touched. "
	    "Undo: sev1 drill --clean."),
	.options = (const struct option[]){
		{ "folder", "FOLDER", N_("where it lies (default: one below your own state folder)") },
		{ "play", NULL, N_("the program plays the operator") },
		{ "new", NULL, N_("remove the drill that is there and begin anew") },
		{ "no-console", NULL, N_("make it and start its hosts, for use by subcommands") },
		{ "list", NULL, N_("list the scenarios") },
		{ "clean", NULL, N_("stop its hosts and remove the folder") },
		{ NULL, NULL, NULL } },
	.start = drill_start,
};
