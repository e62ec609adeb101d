/* A configuration, a command table and incidents for tests of the console: the engine and the journal
 * are real, what the commands do is scripted. */
#ifndef SEV1_UI_FAKE_H
#define SEV1_UI_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

#define FAKE_DECLARED 1788142440000 /* 2026-08-31T02:14:00Z */

/* Where state lies; with is whether a configuration is found. Before engine_new. */
void fake_config(const char *folder, bool with);
/* Bring the incidents of a scene about: "empty", "list", "fresh", "middle", "late", "fleet", "done".
 * 0, or -1 with an error. Returns with the clock pinned at the scene's moment. */
int fake_scene(struct engine *en, const char *scene, struct err *e);

#endif
