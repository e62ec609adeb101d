/* A growing list of lines that a screen shows. */
#ifndef SEV1_LINES_H
#define SEV1_LINES_H

#include <stddef.h>

struct lines {
	char **line;
	size_t count, max; /* max: how many are kept, the oldest go first; 0: all */
};

void lines_add(struct lines *l, const char *line);      /* copied */
void lines_take(struct lines *l, char **line, size_t n); /* replace all; the array and lines are stolen */
void lines_free(struct lines *l);

#endif
