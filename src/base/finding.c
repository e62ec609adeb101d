#include "base/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"

void finding_add(json_t *list, const char *level, const char *remedy, const char *fmt, ...)
{
	json_t *o = json_object();
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = mem_strdup("");
	va_end(ap);
	json_put(o, "level", level);
	json_put(o, "what", text);
	json_put(o, "remedy", remedy);
	json_array_append_new(list, o);
	free(text);
}

void finding_err(json_t *list, const struct err *e)
{
	finding_add(list, "fail", e->remedy, "%s", e->text);
}
