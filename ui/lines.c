#include "lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void lines_add(struct lines *l, const char *line)
{
	if (l->max > 0 && l->count == l->max) {
		free(l->line[0]);
		memmove(l->line, l->line + 1, (l->count - 1) * sizeof *l->line);
		l->count--;
	}
	l->line = mem_grow(l->line, l->count + 1, sizeof *l->line);
	l->line[l->count++] = mem_strdup(line);
}

void lines_free(struct lines *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->line[i]);
	free(l->line);
	l->line = NULL;
	l->count = 0;
}

void lines_take(struct lines *l, char **line, size_t n)
{
	lines_free(l);
	l->line = line;
	l->count = n;
}
