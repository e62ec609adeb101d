#include "pki/successor.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/index.h"

#define STEP 5000

static void lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The common name where it is a host's, else the whole subject. */
static char *successor_subject(const struct issued *c)
{
	const unsigned char *p = c->subject.p;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der_len(&c->subject));
	int at = name != NULL ? X509_NAME_get_index_by_NID(name, NID_commonName, -1) : -1, n = -1;
	unsigned char *utf8 = NULL;
	char *out = NULL, *whole;

	if (at >= 0)
		n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (n > 0)
		out = text_escaped((const char *)utf8, (size_t)n, (size_t)n);
	OPENSSL_free(utf8);
	if (out != NULL && text_is_host(out, true)) {
		lower(out);
	} else {
		free(out);
		whole = name != NULL ? cert_name(name) : mem_strdup("");
		out = mem_printf("subject %s", whole);
		free(whole);
	}
	X509_NAME_free(name);
	return out;
}

char *successor_names(const struct issued *c)
{
	struct der at = c->names;
	struct buf b = { 0 };
	char **name = NULL, *next;
	size_t n = 0;

	while ((next = issued_name_next(&at)) != NULL) {
		name = mem_grow(name, n + 1, sizeof *name);
		name[n] = next;
		lower(name[n++]);
	}
	if (n == 0)
		return successor_subject(c);
	qsort(name, n, sizeof *name, by_text);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(name[i], name[i - 1]) != 0)
			buf_addf(&b, "%s%s", i > 0 ? "\n" : "", name[i]);
	for (size_t i = 0; i < n; i++)
		free(name[i]);
	free(name);
	return buf_take(&b);
}

static void successors_put(struct successors *s, const struct issued *c, bool seen)
{
	char *names = successor_names(c);
	size_t at = dict_get(&s->by_name, names);

	if (at == DICT_NONE) {
		at = s->count++;
		s->one = mem_grow(s->one, s->count, sizeof *s->one);
		s->one[at] = (struct successor){ .names = names, .since = INT64_MIN };
		dict_put(&s->by_name, names, at);
	} else {
		free(names);
	}
	if (c->since > s->one[at].since) {
		s->one[at].since = c->since;
		issued_spki(c, s->one[at].spki);
	}
	if (seen && c->since > s->one[at].seen)
		s->one[at].seen = c->since;
}

/* Is it in the manifest? Its rows are in index_sort's order: by length, then by digits. */
static int by_serial(const void *key, const void *row)
{
	const struct manifest_row *a = key, *b = row;
	size_t na = a->serial[0] == '-', nb = b->serial[0] == '-';
	int d;

	if (a->len - na != b->len - nb)
		return a->len - na < b->len - nb ? -1 : 1;
	d = memcmp(a->serial + na, b->serial + nb, a->len - na);
	return d != 0 ? d : (int)na - (int)nb;
}

static bool manifest_holds(const struct manifest *m, const char *serial, size_t len)
{
	struct manifest_row key = { .serial = serial, .len = (uint8_t)len };

	return m != NULL && m->rows > 0 && bsearch(&key, m->row, m->rows, sizeof *m->row, by_serial) != NULL;
}

int successors_add(struct successors *s, const struct ca *ca, X509 *cert, const struct dict *seen,
    const struct manifest *without, int64_t at, const struct watch *w, struct err *e)
{
	struct index *x = index_load(ca->database, e);
	struct issued_by by = { 0 };
	struct issued c = { 0 };
	char serial[SERIAL_MAX];
	int rc = x == NULL ? e->code : index_refuse_bad(x, e);

	if (rc == 0)
		rc = issued_by_init(&by, ca, cert, e);
	for (size_t i = 0; rc == 0 && i < x->rows; i++) {
		const struct row *r = &x->row[i];
		size_t len;

		if (i % STEP == 0)
			watch_progress(w, (int64_t)i, (int64_t)x->rows, _("successors"));
		if (r->kind != ROW_VALID || row_expired(r, at))
			continue;
		len = row_canon(x, r, serial);
		if (manifest_holds(without, serial, len))
			continue;
		if (issued_read(&c, &by, serial, NULL) == 0)
			successors_put(s, &c, dict_get(seen, serial) != DICT_NONE);
		else
			s->lost++;
	}
	issued_clear(&c);
	issued_by_clear(&by);
	index_free(x);
	return rc;
}

const struct successor *successors_find(const struct successors *s, const struct issued *c, bool new_key)
{
	char *names = successor_names(c), spki[DIGEST_HEX];
	size_t at = dict_get(&s->by_name, names);

	free(names);
	if (at == DICT_NONE || s->one[at].since <= c->since)
		return NULL;
	issued_spki(c, spki);
	return new_key && strcmp(spki, s->one[at].spki) == 0 ? NULL : &s->one[at];
}

void successors_clear(struct successors *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->one[i].names);
	free(s->one);
	dict_free(&s->by_name);
	*s = (struct successors){ 0 };
}
