/* Lines to scroll through and to filter: the body of several screens. */
#ifndef SEV1_PAGER_H
#define SEV1_PAGER_H

#include "lines.h"
#include "list.h"
#include "screen.h"

struct pager {
	const struct lines *lines; /* borrowed */
	struct list list;
	char filter[128];
	int left;                  /* columns scrolled to the right */
	size_t known;              /* lines the filter has seen */
};

void pager_free(struct pager *p);
void pager_refresh(struct pager *p); /* lines have changed */
void pager_draw(struct pager *p, const struct area *a);
/* Moves, '/' asks for a filter through u. False for a key that is not for lines. */
bool pager_key(struct pager *p, struct ui *u, int key);

/* Is what within line, upper and lower case alike? */
bool text_has(const char *line, const char *what);

#endif
