#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

void json_begin(void)
{
	json_set_alloc_funcs(mem_alloc, free);
}

const char *json_str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

int64_t json_num(const json_t *o, const char *key, int64_t otherwise)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? (int64_t)json_integer_value(v) : otherwise;
}

bool json_bool(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

const json_t *json_list(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_array(v) ? v : NULL;
}

void json_put(json_t *o, const char *key, const char *value)
{
	char *safe;

	if (value == NULL)
		value = "";
	safe = text_escaped(value, strlen(value), 1 << 20);
	json_object_set_new(o, key, json_string(safe));
	free(safe);
}

void json_put_num(json_t *o, const char *key, int64_t value)
{
	json_object_set_new(o, key, json_integer((json_int_t)value));
}

char *json_line(const json_t *o)
{
	char *s = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);

	if (s == NULL)
		mem_alloc((size_t)-1); /* only memory can fail here: every string was checked on entry */
	return s;
}

json_t *json_read(const char *s, size_t len, struct err *e)
{
	json_error_t at;
	json_t *v = json_loadb(s, len, JSON_REJECT_DUPLICATES, &at);

	if (v == NULL)
		err_set(e, ERR_SYNTAX, "not JSON: %s (column %d)", at.text, at.column);
	return v;
}
