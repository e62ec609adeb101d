/* What of a manifest no server has replaced yet. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/dict.h"
#include "base/json.h"
#include "child/ca_child.h"

#define NAMED 5

/* The last common name of a subject as the index has it ("/C=DE/CN=web01"); the whole where it has none. */
static char *common_name(const char *subject, size_t len)
{
	char *s = mem_strndup(subject, len), *at = s, *cn = NULL, *found;

	while ((at = strstr(at, "/CN=")) != NULL)
		cn = at += 4;
	if (cn == NULL)
		return s;
	found = mem_strndup(cn, strcspn(cn, "/"));
	free(s);
	return found;
}

static void count_unreplaced(const struct manifest *m, const struct index *x, const struct sorted *rows, size_t n,
    const struct dict *replaced, json_t *out)
{
	json_t *first = json_array();
	char serial[SERIAL_MAX];
	int64_t count = 0;

	for (size_t i = 0; i < m->rows; i++) {
		const struct row *r;
		const char *subject;
		size_t len;
		char *name;

		memcpy(serial, m->row[i].serial, m->row[i].len);
		serial[m->row[i].len] = '\0';
		if ((r = index_find(x, rows, n, serial)) == NULL || r->kind != ROW_VALID || r->given != 0)
			continue;
		subject = row_name(x, r, &len);
		name = common_name(subject, len);
		if (dict_get(replaced, name) == DICT_NONE && count++ < NAMED)
			json_array_append_new(first, json_string(name));
		free(name);
	}
	json_put_num(out, "count", count);
	json_object_set_new(out, "first", first);
}

int ca_unreplaced(const struct revoke_job *job, const json_t *replaced, json_t **out, struct err *e)
{
	struct index *x = index_load(job->ca->database, e);
	struct manifest m = { 0 };
	struct dict names = { 0 };
	struct sorted *rows = NULL;
	const json_t *name;
	size_t n = 0, i;
	int rc = 0;

	json_array_foreach(replaced, i, name)
		if (json_is_string(name))
			dict_put(&names, json_string_value(name), i);
	if (x == NULL || (rows = index_sorted(x, &n, e)) == NULL)
		rc = e->code;
	if (rc == 0 && (rc = manifest_read(&m, job->path, job->manifest, job->ca, job->cert, e)) == 0) {
		*out = json_object();
		count_unreplaced(&m, x, rows, n, &names, *out);
	}
	manifest_clear(&m);
	dict_free(&names);
	free(rows);
	index_free(x);
	return rc;
}
