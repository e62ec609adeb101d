#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/plan.h"

struct plan *plan_new(const char *title, const char *phrase, json_t *spec)
{
	struct plan *p = mem_zalloc(1, sizeof *p);
	char *line = json_line(spec);

	p->title = text_escaped(title, strlen(title), 400);
	p->phrase = mem_strdup(phrase);
	p->rows = json_array();
	p->lines = json_array();
	p->spec = spec;
	digest_of(line, strlen(line), p->hash);
	free(line);
	return p;
}

/* The escaped text of a format, as a new JSON string. */
static json_t *plan_text(const char *fmt, va_list ap)
{
	char *raw = NULL, *safe;
	json_t *s;

	if (vasprintf(&raw, fmt, ap) < 0)
		raw = mem_strdup("");
	safe = text_escaped(raw, strlen(raw), 8000);
	s = json_string(safe);
	free(raw);
	free(safe);
	return s;
}

void plan_row(struct plan *p, const char *label, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	json_array_append_new(p->rows, json_pack("[s,o]", label, plan_text(fmt, ap)));
	va_end(ap);
}

void plan_line(struct plan *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	json_array_append_new(p->lines, plan_text(fmt, ap));
	va_end(ap);
}

void plan_free(struct plan *p)
{
	if (p == NULL)
		return;
	free(p->title);
	free(p->phrase);
	json_decref(p->rows);
	json_decref(p->lines);
	json_decref(p->spec);
	free(p);
}
