#include "pki/scope.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/json.h"
#include "pki/cert.h"
#include "pki/issued.h"
#include "pki/selector.h"

#define MISSING_NAMED 5

struct selection {
	const struct index *x;
	struct selectors by;
	struct issued_by issuer;
	struct issued cert;
	bool read;         /* cert is the row's at hand */
	bool look_ca;      /* certificates in new_certs_dir may be CAs */
	char *const *own;
	struct buf missing; /* the first few, " SERIAL.pem" each */
	size_t missings;
};

void scope_clear(struct scope *s)
{
	free(s->pick);
	json_decref(s->groups);
	*s = (struct scope){ 0 };
}

/* Read the row's certificate. 1; 0 where it is not there, which is noted and told at the end, of all at once. */
static int selection_read(struct selection *s, const char *serial, struct err *e)
{
	int rc = issued_read(&s->cert, &s->issuer, serial, e);

	s->read = rc == 0;
	if (rc != ERR_NOTFOUND)
		return rc < 0 ? rc : 1;
	if (s->missings++ < MISSING_NAMED)
		buf_addf(&s->missing, "%s %s.pem", s->missing.len > 0 ? "," : "", serial);
	*e = (struct err){ 0 };
	return 0;
}

/* A CA's row? 1, 0, or ERR_IO. A certificate that is not there or another's is not known to be one. */
static int selection_is_ca(struct selection *s, const char *serial, struct err *e)
{
	struct err why = { 0 };
	X509 *x;
	int ca;

	for (size_t i = 0; s->own != NULL && s->own[i] != NULL; i++)
		if (strcmp(s->own[i], serial) == 0)
			return 1;
	if (!s->look_ca)
		return 0;
	if (!s->read && issued_read(&s->cert, &s->issuer, serial, &why) < 0) {
		if (why.code == ERR_IO) /* it is there, and cannot be looked at now */
			*e = why;
		return why.code == ERR_IO ? ERR_IO : 0;
	}
	if (!s->cert.ca)
		return 0;
	x = issued_x509(&s->cert);
	ca = x != NULL && X509_check_ca(x) == 1;
	X509_free(x);
	return ca;
}

/* A valid row: which group has it? */
static int selection_row(struct selection *s, uint32_t i, struct scope *out, struct err *e)
{
	char serial[SERIAL_MAX];
	struct group *first;
	enum reason reason;
	bool needed = selectors_row(&s->by, s->x, i);
	int rc;

	s->read = false;
	if (needed || s->look_ca || s->own != NULL)
		row_canon(s->x, &s->x->row[i], serial);
	else
		serial[0] = '\0'; /* nobody asks for it */
	if (needed && (rc = selection_read(s, serial, e)) <= 0)
		return rc;
	if ((rc = selectors_pick(&s->by, needed ? &s->cert : NULL, &s->issuer, serial, &first, e)) < 0 || first == NULL)
		return rc;
	reason = first->reason;
	if (reason == REASON_KEY_COMPROMISE) {
		if ((rc = selection_is_ca(s, serial, e)) < 0)
			return rc;
		if (rc == 1)
			reason = REASON_CA_COMPROMISE;
	}
	out->pick[out->picks++] = (struct picked){ i, (int8_t)reason };
	return 0;
}

static int selection_missing(const struct selection *s, struct err *e)
{
	if (s->missings == 0)
		return 0;
	err_set(e, ERR_NOTFOUND, ngettext("%s: %zu certificate that the selectors must look at is not there:%s%s",
	    "%s: %zu certificates that the selectors must look at are not there:%s%s", s->missings),
	    s->issuer.ca->new_certs_dir[0] != '\0' ? s->issuer.ca->new_certs_dir : s->issuer.ca->config, s->missings,
	    buf_str(&s->missing), s->missings > MISSING_NAMED ? ", ..." : "");
	return err_remedy(e, _("restore them; or select by what index.txt holds, serials and subjects, which narrows what must be "
	    "looked at when given with the others"));
}

static int selection_init(struct selection *s, const struct ca *ca, X509 *cert, const struct sorted *rows, size_t n,
    const json_t *selectors, struct err *e)
{
	const char *name = json_str(selectors, "reason");
	enum reason reason = REASON_KEY_COMPROMISE;
	int rc;

	if ((rc = index_refuse_bad(s->x, e)) < 0 || (name[0] != '\0' && (rc = selector_reason(name, &reason, e)) < 0) ||
	    (rc = issued_by_init(&s->issuer, ca, cert, e)) < 0)
		return rc;
	s->look_ca = X509_get_pathlen(cert) != 0 && ca->new_certs_dir[0] != '\0';
	return selectors_init(&s->by, selectors, reason, s->x, rows, n, e);
}

static bool selection_reads(const struct selection *s)
{
	bool reads = false;

	for (size_t i = 0; i < s->by.groups; i++) {
		const struct group *g = &s->by.group[i];

		reads = reads || g->sans + g->keys > 0 || g->since != INT64_MIN || g->until != INT64_MAX ||
		    (s->look_ca && g->reason == REASON_KEY_COMPROMISE);
	}
	return reads;
}

static int selection_run(struct selection *s, const struct ca *ca, const struct sorted *rows, size_t n, int64_t at,
    const struct watch *w, struct scope *out, struct err *e)
{
	bool reads = selection_reads(s);
	int rc = 0;

	index_count(s->x, at, &out->counts);
	out->pick = mem_grow(NULL, (size_t)out->counts.valid, sizeof *out->pick);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct row *r = &s->x->row[rows[i].row];

		index_ahead(s->x, rows, n, i);
		if (reads && i % 512 == 0)
			watch_progress(w, (int64_t)i, (int64_t)n, ca->name);
		if (r->kind == ROW_VALID && !row_expired(r, at))
			rc = selection_row(s, rows[i].row, out, e);
	}
	if (rc < 0 || (rc = selection_missing(s, e)) < 0 || (rc = selectors_judge(&s->by, ca, e)) < 0)
		return rc;
	out->groups = selectors_result(&s->by);
	return 0;
}

int scope_select(const struct ca *ca, X509 *cert, const struct index *x, const struct sorted *rows,
    size_t n, const json_t *selectors, char *const *own, int64_t at, const struct watch *w,
    struct scope *out, struct err *e)
{
	struct selection s = { .x = x, .own = own };
	int rc;

	*out = (struct scope){ 0 };
	if ((rc = selection_init(&s, ca, cert, rows, n, selectors, e)) == 0)
		rc = selection_run(&s, ca, rows, n, at, w, out, e);
	selectors_clear(&s.by);
	issued_clear(&s.cert);
	issued_by_clear(&s.issuer);
	buf_free(&s.missing);
	if (rc < 0)
		scope_clear(out);
	return rc;
}

/* Is the row's certificate on this key? 1, 0, or an error. What is not there can only be one by its subject. */
static int row_on_key(const struct issued_by *by, struct issued *c, const struct index *x, const struct row *r,
    const char *serial, const char *spki, const char *subject, struct err *e)
{
	struct err why = { 0 };
	char is[DIGEST_HEX];
	const char *p;
	size_t len;

	if (issued_read(c, by, serial, &why) == 0) {
		issued_spki(c, is);
		return strcmp(is, spki) == 0;
	}
	if (why.code == ERR_IO) {
		*e = why;
		return why.code;
	}
	p = row_name(x, r, &len);
	if (len != strlen(subject) || memcmp(p, subject, len) != 0)
		return 0;
	err_set(e, ERR_REFUSED, _("%s: serial %s has the subject of the compromised CA, and its certificate cannot be read: "
	    "is it on the same key? (%.300s)"), x->path, serial, why.text);
	return err_remedy(e, _("put %s.pem into new_certs_dir; or revoke it with openssl ca, if it is on that key"), serial);
}

int scope_same_key(const struct ca *ca, X509 *cert, const struct index *x, const struct sorted *rows, size_t n,
    X509 *sub, int64_t at, const struct watch *w, char ***serials, struct err *e)
{
	char spki[DIGEST_HEX], serial[SERIAL_MAX], *subject = cert_name(X509_get_subject_name(sub));
	char *own = cert_serial(X509_get0_serialNumber(sub));
	struct issued_by by = { 0 };
	struct issued c = { 0 };
	size_t found = 0;
	int rc = issued_by_init(&by, ca, cert, e);

	cert_spki(X509_get_X509_PUBKEY(sub), spki);
	*serials = mem_zalloc(1, sizeof **serials);
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		const struct row *r = &x->row[rows[i].row];

		if (i % 512 == 0)
			watch_progress(w, (int64_t)i, (int64_t)n, ca->name);
		if (r->kind != ROW_VALID || row_expired(r, at) || row_is(x, r, own, strlen(own)))
			continue;
		row_canon(x, r, serial);
		if ((rc = row_on_key(&by, &c, x, r, serial, spki, subject, e)) != 1)
			continue;
		*serials = mem_grow(*serials, found + 2, sizeof **serials);
		(*serials)[found++] = mem_strdup(serial);
		(*serials)[found] = NULL;
	}
	issued_by_clear(&by);
	issued_clear(&c);
	free(subject);
	free(own);
	return rc < 0 ? rc : 0;
}

void scope_manifest(struct buf *b, const struct ca *ca, X509 *cert, const struct index *x,
    const struct scope *s)
{
	char *id = cert_key_id_hex(cert), serial[SERIAL_MAX];

	buf_addf(b, "sev1-manifest 1\nca %s\nissuer-key-id %s\n", ca->name, id);
	buf_room(b, s->picks * 48);
	for (size_t i = 0; i < s->picks; i++) {
		if (i + 16 < s->picks) /* in the order of serials: anywhere in the file */
			__builtin_prefetch(x->data + x->row[s->pick[i + 16].row].at);
		buf_add(b, serial, row_canon(x, &x->row[s->pick[i].row], serial));
		buf_addc(b, ' ');
		buf_adds(b, reason_name((enum reason)s->pick[i].reason));
		buf_addc(b, '\n');
	}
	free(id);
}
