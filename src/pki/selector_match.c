/* Selectors against a certificate, and what came of them. */
#include <arpa/inet.h>
#include <fnmatch.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "pki/selector_inside.h"

/* ---- a certificate ---- */

/* As a shell has it; or with its backslashes as they are, for what was copied out of index.txt. */
static bool pattern_is(const char *glob, const char *text)
{
	return fnmatch(glob, text, FNM_CASEFOLD) == 0 ||
	    (strchr(glob, '\\') != NULL && fnmatch(glob, text, FNM_CASEFOLD | FNM_NOESCAPE) == 0);
}

static bool pattern_is_address(const char *glob, const char *text)
{
	unsigned char a[16], b[16];

	return inet_pton(AF_INET6, glob, a) == 1 && inet_pton(AF_INET6, text, b) == 1 && memcmp(a, b, sizeof a) == 0;
}

/* Every pattern is tried, so that one that never matches is found out; plain is text in another writing, or NULL. */
static bool patterns_match(struct pattern *p, size_t n, const char *text, const char *plain)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!pattern_is(p[i].glob, text) && (plain == NULL || !pattern_is(p[i].glob, plain)) &&
		    !pattern_is_address(p[i].glob, text))
			continue;
		p[i].hits++;
		any = true;
	}
	return any;
}

/* The octets that openssl wrote as \xHH into index.txt; NULL where there are none. Owned by the caller. */
static char *subject_plain(const char *name)
{
	char *out, *to;
	unsigned octet;

	if (strstr(name, "\\x") == NULL)
		return NULL;
	out = to = mem_strdup(name);
	for (const char *p = name; *p != '\0'; to++) {
		if (p[0] == '\\' && p[1] == 'x' && serial_digits[(unsigned char)p[2]] != 0 && serial_digits[(unsigned char)p[3]] != 0 &&
		    (octet = (unsigned)(serial_digits[(unsigned char)p[2]] - 1) << 4 | (serial_digits[(unsigned char)p[3]] - 1u)) != 0) {
			*to = (char)octet;
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
	return out;
}

static bool group_row(struct group *g, const struct index *x, uint32_t row)
{
	const char *p;
	char *name, *plain;
	size_t len;
	bool match;

	if (g->by_serial && (g->rows == 0 || bsearch(&row, g->row, g->rows, sizeof *g->row, row_number_cmp) == NULL))
		return false;
	if (g->subjects == 0)
		return true;
	p = row_name(x, &x->row[row], &len);
	name = mem_strndup(p, len);
	plain = subject_plain(name);
	match = patterns_match(g->subject, g->subjects, name, plain);
	free(name);
	free(plain);
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
		any = patterns_match(g->san, g->sans, name, NULL) || any;
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
