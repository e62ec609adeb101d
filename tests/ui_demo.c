/* The real console over a scripted incident: ui_demo [--line] [--run] SCENE FOLDER. The clock is
 * pinned at the scene's moment; with --run it goes on from there as fast as the real one. */
#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "line.h"
#include "ui.h"
#include "ui_fake.h"

static int demo_fail(const struct err *e)
{
	fprintf(stderr, "ui_demo: %s\n", e->text);
	return 1;
}

static void demo_tick(void *ctx)
{
	clock_pin(clock_now() + 1000);
	loop_after(ctx, 1000, demo_tick, ctx);
}

int main(int argc, char *argv[])
{
	struct engine_options o = { .actor = "op", .console = true };
	struct loop *l = loop_new();
	struct err e = { 0 };
	struct engine *en;
	bool line = false, run = false;
	int at = 1, rc;

	setlocale(LC_ALL, "");
	for (; at < argc && argv[at][0] == '-'; at++) {
		line = line || strcmp(argv[at], "--line") == 0;
		run = run || strcmp(argv[at], "--run") == 0;
	}
	if (at + 2 != argc) {
		fprintf(stderr, "usage: ui_demo [--line] [--run] SCENE FOLDER\n");
		return 2;
	}
	fake_config(argv[at + 1], strcmp(argv[at], "noconfig") != 0);
	en = engine_new(l, &o, &e);
	if (en == NULL || fake_scene(en, strcmp(argv[at], "noconfig") == 0 ? "empty" : argv[at], &e) < 0)
		return demo_fail(&e);
	if (run)
		demo_tick(l);
	rc = line ? line_run(en, l, &e) : ui_run(en, l, &e);
	engine_free(en);
	loop_free(l);
	if (rc < 0)
		return demo_fail(&e);
	printf("ui_demo: left\n");
	return 0;
}
