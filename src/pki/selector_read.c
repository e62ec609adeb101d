/* Selectors as they are given on the command line, made into what the journal keeps. */
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/leaked.h"
#include "pki/selector.h"
#include "pki/serial_list.h"

#define PATTERN_MAX 512

/* One value: what it becomes, or NULL with an error. */
typedef json_t *(*resolve_fn)(const char *value, struct err *e);

static json_t *resolve_serial(const char *value, struct err *e)
{
	char serial[SERIAL_MAX], *safe;

	if (serial_read(serial, value, strlen(value)) > 0)
		return json_string(serial);
	safe = text_escaped(value, strlen(value), 80);
	err_set(e, ERR_USAGE, _("\"%s\" is not a serial"), safe);
	err_remedy(e, _("hexadecimal (1A:2B, 0x1a2b), or decimal marked dec:123456"));
	free(safe);
	return NULL;
}

static json_t *resolve_list(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	struct buf b = { 0 };
	char hex[DIGEST_HEX];
	json_t *o = NULL;
	size_t count;

	if (serial_list_read(path, &b, &count, e) == 0) {
		digest_of(buf_str(&b), b.len, hex);
		o = json_object();
		json_put(o, "name", slash != NULL ? slash + 1 : path);
		json_put_num(o, "count", (int64_t)count);
		json_put(o, "sha256", hex);
		json_object_set_new(o, "text", json_stringn(buf_str(&b), b.len));
	}
	buf_free(&b);
	return o;
}

static json_t *resolve_pattern(const char *value, struct err *e)
{
	json_t *s = NULL;

	if (value[0] == '\0' || strlen(value) > PATTERN_MAX) {
		err_set(e, ERR_USAGE, _("a pattern has 1 to %d octets"), PATTERN_MAX);
		err_remedy(e, _("* and ? as in a shell: *.example.com; for all certificates of the CA: --all"));
	} else if ((s = json_string(value)) == NULL) {
		err_set(e, ERR_USAGE, _("a pattern must be UTF-8"));
	}
	return s;
}

static json_t *resolve_hash(const char *value, struct err *e)
{
	char hex[DIGEST_HEX];
	json_t *o = NULL;

	if (leaked_hash(value, hex, e) == 0)
		o = json_pack("{s:s,s:s,s:b}", "kind", "hash", "spki", hex, "proved", 0);
	return o;
}

static const struct {
	const char *from, *to;
	resolve_fn resolve;
} kinds[] = {
	{ "serial", "serials", resolve_serial },
	{ "serials-file", "lists", resolve_list },
	{ "subject", "subjects", resolve_pattern },
	{ "san", "sans", resolve_pattern },
	{ "key-hash", "keys", resolve_hash },
	{ "key-file", "keys", leaked_read },
};

static int resolve_kind(const json_t *from, json_t *to, size_t kind, struct err *e)
{
	const json_t *list = json_list(from, kinds[kind].from), *v;
	json_t *out = json_object_get(to, kinds[kind].to), *made;
	size_t i;

	if (json_array_size(list) == 0)
		return 0;
	if (out == NULL) {
		out = json_array();
		json_object_set_new(to, kinds[kind].to, out);
	}
	json_array_foreach(list, i, v) {
		made = kinds[kind].resolve(json_is_string(v) ? json_string_value(v) : "", e);
		if (made == NULL)
			return e->code;
		json_array_append_new(out, made);
	}
	return 0;
}

static int resolve_group(const json_t *from, json_t *to, struct err *e)
{
	static const char *const times[] = { "since", "until" };
	const char *reason = json_str(from, "reason");
	enum reason r;
	int rc;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if ((rc = resolve_kind(from, to, i, e)) < 0)
			return rc;
	for (size_t i = 0; i < 2; i++)
		if (json_is_integer(json_object_get(from, times[i])))
			json_object_set(to, times[i], json_object_get(from, times[i]));
	if (json_num(to, "since", INT64_MIN) > json_num(to, "until", INT64_MAX))
		return err_set(e, ERR_USAGE, _("issued since a time that is after the time it was issued until"));
	if (json_bool(from, "all"))
		json_object_set_new(to, "all", json_true());
	if (json_object_size(to) == 0) {
		err_set(e, ERR_USAGE, _("a group of selectors is empty"));
		return err_remedy(e, _("to take every valid certificate of the CA say so: --all"));
	}
	if (reason[0] == '\0')
		return 0;
	if ((rc = selector_reason(reason, &r, e)) == 0)
		json_put(to, "reason", reason_name(r));
	return rc;
}

json_t *selectors_resolve(const json_t *groups, struct err *e)
{
	json_t *out = json_array(), *to;
	const json_t *from;
	size_t i;

	json_array_foreach(groups, i, from) {
		to = json_object();
		json_array_append_new(out, to);
		if (resolve_group(from, to, e) < 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}
