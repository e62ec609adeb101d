#include "fleet/wave.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"

#define WAVES_MAX 100

void waves_add(struct waves *w, const char *name, size_t hosts, bool all)
{
	w->wave = mem_grow(w->wave, w->count + 1, sizeof *w->wave);
	w->wave[w->count++] = (struct wave){ .name = mem_strdup(name), .hosts = hosts, .all = all };
}

void waves_clear(struct waves *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->wave[i].name);
	free(w->wave);
	*w = (struct waves){ 0 };
}

/* How many hosts one word of the list means; false where it means none. */
static bool wave_size(const char *word, size_t total, size_t left, size_t *hosts)
{
	char *end;
	unsigned long n;

	if (strcmp(word, "rest") == 0) {
		*hosts = left;
		return true;
	}
	if (word[0] < '0' || word[0] > '9')
		return false;
	n = strtoul(word, &end, 10);
	if (strcmp(end, "%") == 0 && n >= 1 && n <= 100)
		*hosts = (total * n + 99) / 100;
	else if (*end == '\0' && n >= 1 && n <= 1000000)
		*hosts = n;
	else
		return false;
	return true;
}

static int waves_read(struct waves *w, const char *spec, size_t total, size_t *left, struct err *e)
{
	size_t n, hosts;
	bool good, over = false;
	char *word;

	for (; *spec != '\0'; spec += n + (spec[n] == ',')) {
		n = strcspn(spec, ",");
		word = mem_strndup(spec, n);
		good = !over && w->count < WAVES_MAX && wave_size(word, total, *left, &hosts);
		over = strcmp(word, "rest") == 0;
		if (good && *left > 0) {
			hosts = hosts < *left ? hosts : *left;
			waves_add(w, word, hosts, false);
			*left -= hosts;
		}
		free(word);
		if (good && (spec[n] == '\0' || spec[n + 1] != '\0'))
			continue;
		err_set(e, ERR_USAGE, _("waves: '%.*s' is not a number of hosts, a percentage, or rest at the end"),
		    (int)n, spec);
		return err_remedy(e, _("as in: --waves 5,10%%,50%%,rest"));
	}
	return 0;
}

int waves_cut(struct waves *w, const char *spec, size_t canaries, size_t total, struct err *e)
{
	size_t left = total;
	int rc;

	*w = (struct waves){ 0 };
	if (canaries > total)
		canaries = total;
	if (canaries > 0)
		waves_add(w, WAVE_CANARIES, canaries, true);
	left -= canaries;
	if ((rc = waves_read(w, spec != NULL ? spec : "", total, &left, e)) < 0) {
		waves_clear(w);
		return rc;
	}
	if (left > 0)
		waves_add(w, w->count > 0 ? "rest" : "all", left, false);
	return 0;
}

size_t waves_of(const struct waves *w, size_t i)
{
	size_t k = 0;

	while (k + 1 < w->count && i >= w->wave[k].hosts)
		i -= w->wave[k++].hosts;
	return k;
}

char *waves_words(const struct waves *w)
{
	struct buf b = { 0 };
	char size[24];

	for (size_t i = 0; i < w->count; i++) {
		const struct wave *x = &w->wave[i];

		snprintf(size, sizeof size, "%zu", x->hosts);
		buf_addf(&b, "%s%s", i > 0 ? ", " : "", size);
		if (strcmp(size, x->name) != 0)
			buf_addf(&b, x->all ? " %s" : " (%s)", x->name);
	}
	return buf_take(&b);
}
