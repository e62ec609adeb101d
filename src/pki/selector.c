#include "pki/selector.h"

#include <fnmatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/leaked.h"
#include "pki/serial_list.h"

#define LIST_MAX (256u << 20)
#define NEEDLE_MAX 2048

struct key_wanted {
	const json_t *json;
	const char *spki;
	EVP_PKEY *pub;      /* NULL where only the hash is known */
	unsigned char *needle; /* octets that every encoding of pub holds */
	size_t needle_len;
	size_t hits;
	size_t proofs;      /* certificates whose key verified the challenge */
	char proved[DIGEST_HEX]; /* the last of these keys */
};

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

static int row_number_cmp(const void *a, const void *b)
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

/* ---- a certificate ---- */

/* Every pattern is tried, so that one that never matches is found out. */
static bool patterns_match(struct pattern *p, size_t n, const char *text)
{
	unsigned char a[16], b[16];
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (fnmatch(p[i].glob, text, FNM_CASEFOLD) != 0 && !(inet_pton(AF_INET6, p[i].glob, a) == 1 &&
		        inet_pton(AF_INET6, text, b) == 1 && memcmp(a, b, sizeof a) == 0))
			continue;
		p[i].hits++;
		any = true;
	}
	return any;
}

static bool group_row(struct group *g, const struct index *x, uint32_t row)
{
	const char *p;
	char *name;
	size_t len;
	bool match;

	if (g->by_serial && (g->rows == 0 || bsearch(&row, g->row, g->rows, sizeof *g->row, row_number_cmp) == NULL))
		return false;
	if (g->subjects == 0)
		return true;
	p = row_name(x, &x->row[row], &len);
	name = mem_strndup(p, len);
	match = patterns_match(g->subject, g->subjects, name);
	free(name);
	return match;
}

bool selectors_row(struct selectors *s, const struct index *x, uint32_t row)
{
	bool needed = false;

	for (size_t i = 0; i < s->groups; i++) {
		struct group *g = &s->group[i];

		g->held = group_row(g, x, row);
		needed = needed || (g->held && (g->sans + g->keys > 0 || g->since != INT64_MIN || g->until != INT64_MAX));
	}
	return needed;
}

static bool group_sans(struct group *g, const struct issued *c)
{
	struct der at = c->names;
	size_t *before = mem_zalloc(g->sans, sizeof *before);
	char *name;
	bool any = false;

	for (size_t i = 0; i < g->sans; i++)
		before[i] = g->san[i].hits;
	while ((name = issued_name_next(&at)) != NULL) {
		any = patterns_match(g->san, g->sans, name) || any;
		free(name);
	}
	for (size_t i = 0; i < g->sans; i++) /* a certificate counts once, however many of its names match */
		if (g->san[i].hits > before[i])
			g->san[i].hits = before[i] + 1;
	free(before);
	return any;
}

/* The key itself, though its hash differs because it is written in another way. */
static bool key_is(const struct key_wanted *k, const struct issued *c, const char *spki)
{
	const unsigned char *p = c->spki.p;
	EVP_PKEY *pub;
	bool same;

	if (strcmp(k->spki, spki) == 0)
		return true;
	if (k->needle_len == 0 || memmem(c->spki.p, der_len(&c->spki), k->needle, k->needle_len) == NULL)
		return false;
	pub = d2i_PUBKEY(NULL, &p, (long)der_len(&c->spki));
	same = pub != NULL && leaked_same(pub, k->pub);
	EVP_PKEY_free(pub);
	ERR_clear_error();
	return same;
}

/* Does the proof of possession hold for this certificate's key? The same octets of a key have the same answer. */
static bool key_proves(struct key_wanted *k, const struct issued *c, const char *spki)
{
	const unsigned char *p = c->spki.p;
	EVP_PKEY *pub;
	bool ok;

	if (strcmp(k->proved, spki) == 0)
		return true;
	pub = d2i_PUBKEY(NULL, &p, (long)der_len(&c->spki));
	ok = pub != NULL && leaked_proves(k->json, pub);
	if (ok)
		memcpy(k->proved, spki, DIGEST_HEX);
	EVP_PKEY_free(pub);
	ERR_clear_error();
	return ok;
}

/* A certificate was found by its key: the CA signed it, and the proof of possession holds for it. */
static int key_found(struct key_wanted *k, const struct issued *c, const struct issued_by *by, const char *spki,
    const char *serial, struct err *e)
{
	bool proof = json_bool(k->json, "proved");

	if (!issued_signed(c, by)) {
		err_set(e, ERR_REFUSED, _("the file of serial %s in %s holds a certificate that %s did not sign"), serial,
		    by->ca->new_certs_dir, by->ca->name);
		return err_remedy(e, _("restore the certificate there, or select by serial or subject instead"));
	}
	if (proof && !key_proves(k, c, spki)) {
		err_set(e, ERR_REFUSED, _("the proof of possession of %s does not verify with the certificate of serial %s"),
		    json_str(k->json, "name"), serial);
		return err_remedy(e, _("nothing was frozen; give the private key again: sev1 triage"));
	}
	k->hits++;
	k->proofs += proof;
	return 0;
}

/* 1 where one of the keys is the certificate's, 0 where none is, or an error. */
static int group_key(struct group *g, const struct issued *c, const struct issued_by *by, const char *serial,
    struct err *e)
{
	char spki[DIGEST_HEX];
	int rc, any = 0;

	issued_spki(c, spki);
	for (size_t i = 0; i < g->keys; i++) {
		if (!key_is(&g->key[i], c, spki))
			continue;
		if ((rc = key_found(&g->key[i], c, by, spki, serial, e)) < 0)
			return rc;
		any = 1;
	}
	return any;
}

static int group_certificate(struct group *g, const struct issued *c, const struct issued_by *by,
    const char *serial, struct err *e)
{
	if (c == NULL)
		return 1;
	if (c->since < g->since || c->since > g->until || (g->sans > 0 && !group_sans(g, c)))
		return 0;
	return g->keys == 0 ? 1 : group_key(g, c, by, serial, e);
}

int selectors_pick(struct selectors *s, const struct issued *c, const struct issued_by *by, const char *serial,
    struct group **first, struct err *e)
{
	int rc;

	*first = NULL;
	for (size_t i = 0; i < s->groups; i++) {
		struct group *g = &s->group[i];

		if (!g->held)
			continue;
		if ((rc = group_certificate(g, c, by, serial, e)) < 0)
			return rc;
		if (rc == 0)
			continue;
		g->matched++;
		if (*first == NULL)
			(*first = g)->selected++;
	}
	return 0;
}

/* ---- what came of it ---- */

static int judge_patterns(const struct pattern *p, size_t n, const char *option, const struct ca *ca, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i].hits > 0)
			continue;
		err_set(e, ERR_REFUSED, _("--%s \"%.100s\" matches no certificate of %s that is valid"), option, p[i].glob,
		    ca->name);
		return err_remedy(e, _("correct it or leave it out; all kinds of selectors of a group must hold at once"));
	}
	return 0;
}

int selectors_judge(const struct selectors *s, const struct ca *ca, struct err *e)
{
	for (size_t i = 0; s->any && i < s->groups; i++) {
		const struct group *g = &s->group[i];

		if (judge_patterns(g->subject, g->subjects, "subject", ca, e) < 0 ||
		    judge_patterns(g->san, g->sans, "san", ca, e) < 0)
			return e->code;
		for (size_t k = 0; k < g->keys; k++) {
			if (g->key[k].hits > 0)
				continue;
			err_set(e, ERR_REFUSED, _("%s: the public key %.16s is in no valid certificate of %s that the other "
			    "selectors match"), json_str(g->key[k].json, "name")[0] != '\0' ? json_str(g->key[k].json, "name") :
			    json_str(g->key[k].json, "kind"), g->key[k].spki, ca->name);
			return err_remedy(e, _("choose the CA that issued it, or leave the key out"));
		}
		if (g->matched > 0 || (s->groups == 1 && g->by_serial))
			continue;
		err_set(e, ERR_REFUSED, _("group %zu of the selectors matches no certificate of %s that is valid"), i + 1,
		    ca->name);
		return err_remedy(e, _("all kinds of selectors of a group must hold at once: correct it or leave it out"));
	}
	return 0;
}

static json_t *result_keys(const struct group *g)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < g->keys; i++) {
		const struct key_wanted *k = &g->key[i];

		o = json_object();
		json_put(o, "kind", json_str(k->json, "kind"));
		json_put(o, "name", json_str(k->json, "name"));
		json_put(o, "spki", k->spki);
		json_put_num(o, "matched", (int64_t)k->hits);
		json_object_set_new(o, "proved", json_boolean(k->hits > 0 && k->proofs == k->hits));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *selectors_result(const struct selectors *s)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < s->groups; i++) {
		o = json_object();
		json_put(o, "reason", reason_name(s->group[i].reason));
		json_put_num(o, "matched", (int64_t)s->group[i].matched);
		json_put_num(o, "selected", (int64_t)s->group[i].selected);
		json_object_set_new(o, "keys", result_keys(&s->group[i]));
		json_array_append_new(list, o);
	}
	return list;
}
