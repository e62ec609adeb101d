/* Which of the words stand in a text? */
#include <stdlib.h>
#include <string.h>

#include "comms/recognise_inside.h"

struct stem {
	const char *text;     /* into stem_rows; ends at '|' or NUL */
	unsigned is;
	unsigned short len;
	unsigned char second; /* octet: most stems are told apart by it */
};

struct stems {
	struct stem *stem;
	size_t start[257];    /* by first octet */
};

/* Walk every stem; where order is given, put it at its place. */
static void stems_walk(struct stem *order, size_t count[256])
{
	for (size_t i = 0; i < stem_row_count; i++)
		for (const char *p = stem_rows[i].stems; *p != '\0'; p += *p == '|') {
			size_t n = strcspn(p, "|"), at;

			at = count[(unsigned char)*p]++;
			if (order != NULL)
				order[at] = (struct stem){ p, stem_rows[i].is, (unsigned short)n, (unsigned char)p[1] };
			p += n;
		}
}

/* Each word is compared only with the stems that begin as it does. */
struct stems *stems_new(void)
{
	struct stems *s = mem_zalloc(1, sizeof *s);
	size_t count[256] = { 0 }, n = 0;

	stems_walk(NULL, count);
	for (size_t c = 0; c < 256; c++) {
		s->start[c] = n;
		n += count[c];
		count[c] = s->start[c];
	}
	s->start[256] = n;
	s->stem = mem_zalloc(n, sizeof *s->stem);
	stems_walk(s->stem, count);
	return s;
}

void stems_free(struct stems *s)
{
	if (s != NULL)
		free(s->stem);
	free(s);
}

/* Leads of the scripts that are met anywhere: Hebrew and Arabic, and all that take three octets. */
static bool anywhere(unsigned char c)
{
	return c >= 0xd6;
}

unsigned stems_flags(const struct stems *s, const char *text)
{
	unsigned is = 0;

	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (!(anywhere(c) || (p > text && p[-1] == ' ')))
			continue;
		for (size_t k = s->start[c]; k < s->start[c + 1]; k++)
			if (s->stem[k].second == (unsigned char)p[1] && strncmp(p, s->stem[k].text, s->stem[k].len) == 0)
				is |= s->stem[k].is;
	}
	return is;
}
