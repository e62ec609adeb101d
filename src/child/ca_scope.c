/* scope: the manifests of every CA concerned, and the CA certificates to be revoked at their issuers. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/ca_child.h"
#include "pki/cert.h"
#include "pki/scope.h"

#define SAMPLE 5

struct scoping {
	const json_t *request;
	const char *folder;
	int64_t at, total;
	json_t *cas, *own, *sample;
	struct buf overall; /* "NAME HASH COUNT" lines, hashed into the overall manifest */
};

/* The request's object of a CA by name, among cas and parents. */
static const json_t *scoping_find(const json_t *request, const char *name)
{
	static const char *const lists[] = { "cas", "parents" };
	const json_t *v;
	size_t i;

	for (size_t l = 0; l < 2; l++)
		json_array_foreach(json_list(request, lists[l]), i, v)
			if (strcmp(json_str(v, "name"), name) == 0)
				return v;
	return NULL;
}

/* Serials of the configured CAs that this one issued, NULL-terminated: their rows get cACompromise. */
static char **scoping_children(const json_t *request, const char *name, X509 *issuer)
{
	const json_t *list = json_list(request, "cas"), *v;
	char **serials = mem_zalloc(json_array_size(list) + 1, sizeof *serials);
	size_t i, n = 0;

	json_array_foreach(list, i, v) {
		struct ca *ca = strcmp(json_str(v, "parent"), name) == 0 ? request_ca(v, NULL) : NULL;
		X509 *cert = ca != NULL ? ca_certificate(ca, NULL) : NULL;

		if (cert != NULL && cert_issued_by(cert, issuer))
			serials[n++] = cert_serial(X509_get0_serialNumber(cert));
		X509_free(cert);
		ca_free(ca);
	}
	return serials;
}

static void scoping_sample(struct scoping *s, const struct ca *ca, const struct index *x,
    const struct scope *sc)
{
	char serial[SERIAL_MAX];

	for (size_t i = 0; i < sc->picks && json_array_size(s->sample) < SAMPLE; i++) {
		const struct row *r = &x->row[sc->pick[i].row];
		size_t len;
		const char *p = row_name(x, r, &len);
		char *safe = text_escaped(p, len, 400);
		json_t *o = json_object();

		row_canon(x, r, serial);
		json_put(o, "ca", ca->name);
		json_put(o, "serial", serial);
		json_object_set_new(o, "subject", json_string(safe));
		json_put_num(o, "until", r->expires * 1000);
		json_array_append_new(s->sample, o);
		free(safe);
	}
}

/* {reason: certificates}, in the order in which they come. */
static json_t *scoping_reasons(const struct scope *sc)
{
	json_t *o = json_object();

	for (size_t i = 0; i < sc->picks; i++) {
		const char *name = reason_name((enum reason)sc->pick[i].reason);
		json_t *n = json_object_get(o, name);

		if (n != NULL)
			json_integer_set(n, json_integer_value(n) + 1);
		else
			json_object_set_new(o, name, json_integer(1));
	}
	return o;
}

static int scoping_write(struct scoping *s, const struct ca *ca, X509 *cert, const struct index *x,
    const struct scope *sc, struct err *e)
{
	char hash[DIGEST_HEX], *name = mem_printf("%s.manifest", ca->name);
	char *path = fs_join(s->folder, name);
	struct buf b = { 0 };
	json_t *o = json_object();
	int rc;

	scope_manifest(&b, ca, cert, x, sc);
	digest_of(buf_str(&b), b.len, hash);
	rc = fs_write(path, buf_str(&b), b.len, 0600, e);
	buf_addf(&s->overall, "%s %s %zu\n", ca->name, hash, sc->picks);
	json_put(o, "ca", ca->name);
	json_put_num(o, "valid", sc->counts.valid);
	json_put_num(o, "expired", sc->counts.expired);
	json_put_num(o, "revoked", sc->counts.revoked);
	json_put_num(o, "unreadable", sc->counts.unreadable);
	json_put_num(o, "selected", (int64_t)sc->picks);
	json_put(o, "manifest", hash);
	json_put(o, "path", path);
	json_object_set_new(o, "reasons", scoping_reasons(sc));
	if (strcmp(json_str(s->request, "level"), "end-entity") == 0)
		json_object_set(o, "groups", sc->groups);
	json_array_append_new(s->cas, o);
	s->total += (int64_t)sc->picks;
	buf_free(&b);
	free(name);
	free(path);
	return rc;
}

/* The CA's certificate as its parent knows it: 1 where the parent has it as valid, 0 where not. others are those on the
 * same key, valid too. */
static int scoping_at_parent(const struct scoping *s, const json_t *parent, X509 *cert, const char *serial,
    char ***others, struct err *e)
{
	struct ca *ca = request_ca(parent, e);
	X509 *issuer = ca != NULL ? ca_certificate(ca, e) : NULL;
	struct index *x = issuer != NULL ? index_load(ca->database, e) : NULL;
	struct sorted *rows = NULL;
	const struct row *r;
	size_t n;
	int rc = e->code;

	if (x == NULL || index_refuse_bad(x, e) < 0 || (rows = index_sorted(x, &n, e)) == NULL) {
		rc = e->code;
	} else if (!cert_issued_by(cert, issuer)) {
		err_set(e, ERR_REFUSED, _("the certificate with serial %s was not issued by %s"), serial, ca->name);
		rc = err_remedy(e, _("correct 'parent =' of the CA in the configuration"));
	} else if ((r = index_find(x, rows, n, serial)) == NULL) {
		rc = err_set(e, ERR_REFUSED, _("%s has no row for serial %s, a CA certificate it issued"), x->path,
		    serial);
		err_remedy(e, _("add the row (V, expiry, serial, subject), so that it can be revoked"));
	} else if ((rc = scope_same_key(ca, issuer, x, rows, n, cert, s->at, &ca_watch, others, e)) == 0) {
		rc = r->kind == ROW_VALID;
	}
	free(rows);
	index_free(x);
	X509_free(issuer);
	ca_free(ca);
	return rc;
}

static void scoping_own_add(struct scoping *s, const char *ca, const char *parent, const char *serial,
    const char *subject)
{
	json_t *o = json_object();

	json_put(o, "ca", ca);
	json_put(o, "issuer", parent);
	json_put(o, "serial", serial);
	json_put(o, "subject", subject);
	json_array_append_new(s->own, o);
	buf_addf(&s->overall, "own %s %s %s\n", ca, parent, serial);
	s->total++;
}

/* The CA that is concerned but whose parent is not: its own certificate goes onto the parent's CRL. */
static int scoping_own(struct scoping *s, const json_t *want, X509 *cert, struct err *e)
{
	const char *parent = json_str(want, "parent");
	const json_t *at = scoping_find(s->request, parent), *v;
	char *serial, *name, **others = NULL;
	size_t i;
	int rc = 1;

	if (strcmp(json_str(s->request, "level"), "end-entity") == 0 || parent[0] == '\0')
		return 0;
	json_array_foreach(json_list(s->request, "cas"), i, v)
		if (strcmp(json_str(v, "name"), parent) == 0)
			return 0; /* it is among the parent's rows already */
	serial = cert_serial(X509_get0_serialNumber(cert));
	name = cert_name(X509_get_subject_name(cert));
	if (at != NULL && (rc = scoping_at_parent(s, at, cert, serial, &others, e)) < 0)
		err_prefix(e, "%s", json_str(want, "name"));
	if (rc > 0)
		scoping_own_add(s, json_str(want, "name"), parent, serial, name);
	for (i = 0; others != NULL && others[i] != NULL; i++) {
		if (rc >= 0)
			scoping_own_add(s, json_str(want, "name"), parent, others[i], name);
		free(others[i]);
	}
	free(others);
	free(serial);
	free(name);
	return rc < 0 ? rc : 0;
}

/* Whole CAs take every valid row; the reason is the selectors' in any case. */
static json_t *scoping_selectors(const struct scoping *s, const json_t *want)
{
	const json_t *all = json_object_get(s->request, "selectors");
	json_t *o;

	if (!json_bool(want, "all"))
		return all != NULL ? json_incref((json_t *)(uintptr_t)all) : json_object();
	o = json_object();
	if (json_str(all, "reason")[0] != '\0')
		json_put(o, "reason", json_str(all, "reason"));
	return o;
}

static int scoping_one(struct scoping *s, const json_t *want, struct err *e)
{
	struct ca *ca = request_ca(want, e);
	X509 *cert = ca != NULL ? ca_certificate(ca, e) : NULL;
	struct index *x = cert != NULL ? index_load(ca->database, e) : NULL;
	json_t *selectors = scoping_selectors(s, want);
	struct sorted *rows = NULL;
	struct scope sc = { 0 };
	char **own = NULL;
	size_t n;
	int rc;

	if (x == NULL || index_refuse_bad(x, e) < 0 || (rows = index_sorted(x, &n, e)) == NULL) {
		rc = e->code;
		goto out;
	}
	own = scoping_children(s->request, ca->name, cert);
	if ((rc = scope_select(ca, cert, x, rows, n, selectors, own, s->at, &ca_watch, &sc, e)) < 0 ||
	    (rc = scoping_write(s, ca, cert, x, &sc, e)) < 0)
		goto out;
	scoping_sample(s, ca, x, &sc);
out:
	for (size_t i = 0; own != NULL && own[i] != NULL; i++)
		free(own[i]);
	free(own);
	free(rows);
	scope_clear(&sc);
	json_decref(selectors);
	index_free(x);
	X509_free(cert);
	ca_free(ca);
	return rc;
}

static int scoping_owns(struct scoping *s, struct err *e)
{
	const json_t *v;
	size_t i;
	int rc = 0;

	json_array_foreach(json_list(s->request, "cas"), i, v) {
		struct ca *ca = request_ca(v, e);
		X509 *cert = ca != NULL ? ca_certificate(ca, e) : NULL;

		rc = cert != NULL ? scoping_own(s, v, cert, e) : e->code;
		X509_free(cert);
		ca_free(ca);
		if (rc < 0)
			break;
	}
	return rc;
}

int ca_scope(const json_t *request, json_t **result, struct err *e)
{
	struct scoping s = { .request = request, .folder = json_str(request, "folder"),
		.at = json_num(request, "at", clock_now()) };
	const json_t *list = json_list(request, "cas"), *v;
	char hash[DIGEST_HEX], *path;
	size_t i;
	int rc;

	if (s.folder[0] != '/')
		return err_set(e, ERR_USAGE, _("scope: the folder must be an absolute path"));
	if (json_array_size(list) == 0)
		return err_set(e, ERR_USAGE, _("scope: no CA is concerned"));
	if ((rc = fs_mkdirs(s.folder, 0700, e)) < 0)
		return rc;
	s.cas = json_array();
	s.own = json_array();
	s.sample = json_array();
	json_array_foreach(list, i, v)
		if ((rc = scoping_one(&s, v, e)) < 0)
			break;
	if (rc == 0)
		rc = scoping_owns(&s, e);
	digest_of(buf_str(&s.overall), s.overall.len, hash);
	path = fs_join(s.folder, "overall.manifest");
	if (rc == 0)
		rc = fs_write(path, buf_str(&s.overall), s.overall.len, 0600, e);
	if (rc == 0)
		*result = json_pack("{s:s,s:I,s:s,s:O,s:O,s:O}", "manifest", hash, "count", (json_int_t)s.total, "path",
		    path, "cas", s.cas, "own", s.own, "sample", s.sample);
	json_decref(s.cas);
	json_decref(s.own);
	json_decref(s.sample);
	buf_free(&s.overall);
	free(path);
	return rc;
}
