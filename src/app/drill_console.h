/* A drill as long as a console is on it: the lock, the hosts, the injects when their time comes. A
 * process is confined to one drill for good, so there is one of these at most. */
#ifndef SEV1_DRILL_CONSOLE_H
#define SEV1_DRILL_CONSOLE_H

#include "drill/scenario.h"
#include "engine/engine.h"

/* Where the open incident is a drill: see that its hosts run, schedule the injects. 0, also where it
 * is none; ERR_REFUSED where another console runs it. Called again it does nothing. */
int drill_attach(struct engine *en, struct err *e);
/* The console leaves: the hosts are stopped, the score is printed. Nothing where none is attached. */
void drill_detach(struct engine *en);
/* The scenario of the attached drill, borrowed; NULL. */
const struct scenario *drill_scenario(void);

#endif
