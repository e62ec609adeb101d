#include "app/drill_console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "drill/host.h"
#include "drill/score.h"

#define MINUTE_MS 60000LL

static struct {
	struct engine *engine;
	struct scenario *scenario;
	char *root;
	size_t told;    /* injects that are in the journal */
	uint64_t timer;
	int watch;
} here = { .watch = -1 };

/* How many injects earlier consoles told: a file beside the scenario, so that none comes twice. */
static char *inject_file(void)
{
	return fs_join(here.root, "run/injects");
}

static size_t inject_told(void)
{
	char *path = inject_file();
	struct buf b = { 0 };
	size_t n = 0;

	if (fs_exists(path) && fs_read(path, &b, 64, NULL) == 0)
		n = strtoul(buf_str(&b), NULL, 10);
	buf_free(&b);
	free(path);
	return n < here.scenario->injects ? n : here.scenario->injects;
}

static void inject_next(void);

static void inject_tell(void *ctx)
{
	const struct inject *it = &here.scenario->inject[here.told];
	char *text = mem_printf(_("inject: %s"), it->text), *path = inject_file(), count[32];
	json_t *body = json_object();

	(void)ctx;
	here.timer = 0;
	json_put(body, "text", text);
	/* Counted first: an inject that is lost is better than one that comes with every resume. */
	snprintf(count, sizeof count, "%zu\n", ++here.told);
	if (fs_write(path, count, strlen(count), 0600, NULL) < 0 ||
	    engine_append(here.engine, EV_NOTE, body, NULL) < 0)
		here.told = here.scenario->injects; /* closed or full: nobody needs more of them */
	free(path);
	free(text);
	inject_next();
}

static void inject_next(void)
{
	const struct incident *in = engine_incident(here.engine);
	int64_t at;

	if (here.told >= here.scenario->injects || in == NULL || in->closed)
		return;
	at = in->declared + here.scenario->inject[here.told].minute * MINUTE_MS;
	here.timer = loop_after(engine_loop(here.engine), at > clock_now() ? at - clock_now() : 0,
	    inject_tell, NULL);
}

int drill_attach(struct engine *en, struct err *e)
{
	const struct incident *in = engine_incident(en);
	char *file;
	int rc;

	if (in == NULL || !in->drill || here.watch >= 0)
		return 0;
	if ((rc = host_watch(in->root, e)) < 0)
		return rc;
	here.watch = rc;
	if ((rc = host_start(in->root, NULL, e)) < 0) {
		close(here.watch);
		here.watch = -1;
		return rc;
	}
	here.engine = en;
	here.root = mem_strdup(in->root);
	file = fs_join(in->root, "scenario.ini");
	here.scenario = scenario_find("", file, e);
	free(file);
	if (here.scenario == NULL)
		return e != NULL ? e->code : ERR_FAILED;
	here.told = inject_told();
	inject_next();
	return 0;
}

static void drill_score(const struct incident *in)
{
	struct score *s = score_new(in, clock_now());
	size_t n;
	char **line = score_text(s, &n);

	printf(_("Drill %s: %s\n\n"), in->id, in->title);
	for (size_t i = 0; i < n; i++) {
		printf("  %s\n", line[i]);
		free(line[i]);
	}
	printf(_("\nGo on:   sev1 drill --folder %s\nRemove:  sev1 drill --folder %s --clean\n"), here.root,
	    here.root);
	free(line);
	score_free(s);
}

void drill_detach(struct engine *en)
{
	struct err e = { 0 };

	if (here.watch < 0)
		return;
	loop_cancel(engine_loop(en), here.timer);
	if (host_stop(here.root, &e) < 0)
		fprintf(stderr, "sev1: %s\n", e.text);
	if (engine_incident(en) != NULL)
		drill_score(engine_incident(en));
	close(here.watch);
	scenario_free(here.scenario);
	free(here.root);
	memset(&here, 0, sizeof here);
	here.watch = -1;
}

const struct scenario *drill_scenario(void)
{
	return here.scenario;
}
