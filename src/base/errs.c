#include "base/errs.h"

#include <string.h>

#include "base/i18n.h"

struct err *errs_add(struct errs *es, int64_t place)
{
	size_t at = es->count, behind;

	es->total++;
	while (at > 0 && es->place[at - 1] > place)
		at--;
	if (at == ERRS_KEPT)
		return NULL;
	if (es->count < ERRS_KEPT)
		es->count++;
	behind = es->count - at - 1;
	memmove(&es->err[at + 1], &es->err[at], behind * sizeof es->err[0]);
	memmove(&es->place[at + 1], &es->place[at], behind * sizeof es->place[0]);
	es->err[at] = (struct err){ 0 };
	es->place[at] = place;
	return &es->err[at];
}

const char *errs_remedy(const struct errs *es, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(es->err[k].remedy, es->err[i].remedy) == 0)
			return "";
	return es->err[i].remedy;
}

int errs_sum(const struct errs *es, const char *who, struct err *e)
{
	if (es->total == 1) {
		*e = es->err[0];
		return e->code;
	}
	if (es->total == es->count)
		return err_set(e, es->err[0].code, _("%s: %zu errors; nothing was done"), who, es->total);
	return err_set(e, es->err[0].code, _("%s: %zu errors, %zu of them not shown; nothing was done"), who, es->total,
	    es->total - es->count);
}
