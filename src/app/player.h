/* The operator played by the program: it looks at the incident, starts the command that comes next
 * from the same table as the console and the shell, and types the phrase of its plan. */
#ifndef SEV1_PLAYER_H
#define SEV1_PLAYER_H

#include <stdbool.h>

#include "engine/engine.h"

struct player;

/* The operator's hands on a console. */
struct player_hands {
	void (*home)(void);    /* back to the board */
	bool (*key)(int key);  /* type a key into the plan that is on the screen; false where none is */
};

/* Play on the engine's open incident, from the loop; en and l are borrowed. With hands (copied) it is
 * watched: slowly enough for people to follow, and phrases are typed letter by letter; NULL without a
 * console. When nothing is left to do, or nothing gets on any more, the loop is stopped. */
struct player *player_new(struct engine *en, struct loop *l, const struct player_hands *hands);
/* How it ended; frees p (NULL gives ERR_FAILED). 0 only where every checkpoint was closed by
 * evidence; else ERR_PARTIAL or what kept it from going on. */
int player_end(struct player *p, struct err *e);

/* The whole without a console: what happens is printed, line by line. Returns as player_end(). */
int player_run(struct engine *en, struct loop *l, struct err *e);

#endif
