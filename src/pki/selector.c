#include "pki/selector.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/selector_inside.h"
#include "pki/serial_list.h"

#define LIST_MAX (256u << 20)
#define NEEDLE_MAX 2048

int selector_reason(const char *name, enum reason *reason, struct err *e)
{
	*reason = reason_of(name, strlen(name));
	if (*reason == REASON_REMOVE) {
		err_set(e, ERR_USAGE, _("\"%s\" is not a reason to revoke for: it takes a certificate off a delta CRL"),
		    reason_name(REASON_REMOVE));
		return err_remedy(e, _("certificates that are to be valid go into no scope"));
	}
	if (*reason != REASON_NONE)
		return 0;
	err_set(e, ERR_USAGE, _("\"%.60s\" is not a reason to revoke for"), name);
	return err_remedy(e, _("one of unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, "
	    "cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise"));
}

/* ---- serials ---- */

int row_number_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

struct look_up {
	const struct index *x;
	const struct sorted *rows;
	size_t n, room;
};

/* Add the row of a serial. file NULL: it was typed. */
static int group_serial(struct group *g, struct look_up *l, const char *serial, const char *file, size_t line,
    struct err *e)
{
	const struct row *r = index_find(l->x, l->rows, l->n, serial);

	if (r == NULL && file != NULL)
		err_set(e, ERR_REFUSED, _("%s: line %zu: serial %s is not in %s"), file, line, serial, l->x->path);
	else if (r == NULL)
		err_set(e, ERR_REFUSED, _("serial %s is not in %s"), serial, l->x->path);
	if (r == NULL)
		return err_remedy(e, _("take it out of the selection, or choose the CA that issued it"));
	if (g->rows == l->room) {
		l->room = l->room * 2 + 64;
		g->row = mem_grow(g->row, l->room, sizeof *g->row);
	}
	g->row[g->rows++] = (uint32_t)(r - l->x->row);
	return 0;
}

/* The text of a list: as it is, or from its path, unchanged. */
static int list_text(const json_t *list, struct buf *b, struct err *e)
{
	const char *text = json_str(list, "text"), *path = json_str(list, "path");
	char hex[DIGEST_HEX];
	int rc;

	if (path[0] == '\0') {
		buf_adds(b, text);
		return 0;
	}
	if ((rc = fs_read(path, b, LIST_MAX, e)) < 0)
		return rc;
	digest_of(buf_str(b), b->len, hex);
	if (strcmp(hex, json_str(list, "sha256")) == 0)
		return 0;
	err_set(e, ERR_REFUSED, _("%s is not the list of serials that was recorded (%s)"), path, json_str(list, "name"));
	return err_remedy(e, _("answer again: sev1 triage"));
}

static int group_list(struct group *g, struct look_up *l, const json_t *list, struct err *e)
{
	struct buf b = { 0 };
	char serial[SERIAL_MAX];
	const char *at;
	size_t line;
	int rc = list_text(list, &b, e);

	for (at = buf_str(&b); rc == 0 && serial_list_next(&at, serial, &line);)
		rc = group_serial(g, l, serial, json_str(list, "name"), line, e);
	if (rc == 0 && *at != '\0')
		rc = err_set(e, ERR_SYNTAX, _("%s is not a list of serials"), json_str(list, "path"));
	buf_free(&b);
	return rc;
}

static int group_serials(struct group *g, struct look_up *l, struct err *e)
{
	const json_t *serials = json_list(g->json, "serials"), *lists = json_list(g->json, "lists"), *v;
	char serial[SERIAL_MAX], *safe;
	const char *s;
	size_t i;
	int rc = 0;

	g->by_serial = json_array_size(serials) + json_array_size(lists) > 0;
	json_array_foreach(serials, i, v) {
		s = json_is_string(v) ? json_string_value(v) : "";
		if (serial_read(serial, s, strlen(s)) == 0) {
			safe = text_escaped(s, strlen(s), 80);
			err_set(e, ERR_USAGE, _("\"%s\" is not a serial"), safe);
			free(safe);
			return err_remedy(e, _("hexadecimal (1A:2B, 0x1a2b), or decimal marked dec:123456"));
		}
		if ((rc = group_serial(g, l, serial, NULL, 0, e)) < 0)
			return rc;
	}
	json_array_foreach(lists, i, v)
		if ((rc = group_list(g, l, v, e)) < 0)
			return rc;
	if (g->rows > 0)
		qsort(g->row, g->rows, sizeof *g->row, row_number_cmp);
	return 0;
}

/* ---- a group ---- */

/* "subjects": [glob], or "subject": glob as journals of before have it. */
static size_t group_patterns(const struct group *g, const char *many, const char *one, struct pattern **out)
{
	const json_t *list = json_list(g->json, many), *v;
	size_t i, n = 0;

	*out = mem_zalloc(json_array_size(list) + 1, sizeof **out);
	json_array_foreach(list, i, v)
		if (json_is_string(v))
			(*out)[n++].glob = json_string_value(v);
	if (n == 0 && json_str(g->json, one)[0] != '\0')
		(*out)[n++].glob = json_str(g->json, one);
	return n;
}

/* Octets that stand in a SubjectPublicKeyInfo of this key however it is written: modulus, x, the key. */
static void key_needle(struct key_wanted *k)
{
	static const char *const numbers[] = { OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_EC_PUB_X };
	BIGNUM *bn = NULL;
	size_t n = NEEDLE_MAX;

	k->needle = mem_alloc(NEEDLE_MAX);
	for (size_t i = 0; i < 2 && bn == NULL; i++)
		EVP_PKEY_get_bn_param(k->pub, numbers[i], &bn);
	if (bn != NULL && BN_num_bytes(bn) <= NEEDLE_MAX)
		k->needle_len = (size_t)BN_bn2bin(bn, k->needle);
	else if (EVP_PKEY_get_raw_public_key(k->pub, k->needle, &n) == 1)
		k->needle_len = n;
	BN_free(bn);
	ERR_clear_error();
}

static void group_keys(struct group *g)
{
	const json_t *list = json_list(g->json, "keys"), *v;
	size_t i;

	g->keys = json_array_size(list);
	g->key = mem_zalloc(g->keys + 1, sizeof *g->key);
	json_array_foreach(list, i, v) {
		g->key[i] = (struct key_wanted){ .json = v, .spki = json_str(v, "spki"), .pub = leaked_public(v) };
		if (g->key[i].pub != NULL)
			key_needle(&g->key[i]);
	}
}

static int group_init(struct group *g, const json_t *json, enum reason otherwise, const struct index *x,
    const struct sorted *rows, size_t n, struct err *e)
{
	struct look_up l = { .x = x, .rows = rows, .n = n };
	const char *reason = json_str(json, "reason");

	g->json = json;
	g->reason = otherwise;
	g->since = json_num(json, "since", INT64_MIN);
	g->until = json_num(json, "until", INT64_MAX);
	g->subjects = group_patterns(g, "subjects", "subject", &g->subject);
	g->sans = group_patterns(g, "sans", "san", &g->san);
	group_keys(g);
	if (reason[0] != '\0' && selector_reason(reason, &g->reason, e) < 0)
		return e->code;
	return group_serials(g, &l, e);
}

static bool group_any(const struct group *g)
{
	return g->by_serial || g->subjects + g->sans + g->keys > 0 || g->since != INT64_MIN || g->until != INT64_MAX;
}

int selectors_init(struct selectors *s, const json_t *json, enum reason otherwise, const struct index *x,
    const struct sorted *rows, size_t n, struct err *e)
{
	const json_t *groups = json_list(json, "groups");
	int rc = 0;

	*s = (struct selectors){ .groups = json_array_size(groups) > 0 ? json_array_size(groups) : 1 };
	s->group = mem_zalloc(s->groups, sizeof *s->group);
	for (size_t i = 0; rc == 0 && i < s->groups; i++) {
		rc = group_init(&s->group[i], json_array_size(groups) > 0 ? json_array_get(groups, i) : json, otherwise, x,
		    rows, n, e);
		s->any = s->any || group_any(&s->group[i]) || s->groups > 1;
	}
	return rc;
}

void selectors_clear(struct selectors *s)
{
	for (size_t i = 0; i < s->groups; i++) {
		struct group *g = &s->group[i];

		for (size_t k = 0; k < g->keys; k++) {
			EVP_PKEY_free(g->key[k].pub);
			free(g->key[k].needle);
		}
		free(g->key);
		free(g->row);
		free(g->subject);
		free(g->san);
	}
	free(s->group);
	*s = (struct selectors){ 0 };
}
