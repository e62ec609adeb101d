/* crl, ladder, rung, admit, inspect: CRLs without a revocation, most of them without a key. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/ca_child.h"
#include "pki/cert.h"
#include "pki/check.h"
#include "pki/crl_check.h"
#include "pki/key.h"
#include "pki/ladder.h"
#include "pki/partition.h"

#define LOCK_WAIT_MS 5000

/* A CA with its index, sorted, its rows assigned to the request's partitions, and its key where that is asked for. */
struct desk {
	struct ca *ca;
	X509 *cert;
	EVP_PKEY *key;
	struct index *x;
	struct sorted *rows;
	struct partitions parts;
	struct listing l;
	const char *folder; /* of the CRLs */
	int lock;
};

static int desk_open(struct desk *d, const json_t *request, bool key, struct err *e)
{
	size_t n;
	int rc;

	*d = (struct desk){ .folder = json_str(request, "folder"), .lock = -1 };
	if ((d->ca = request_ca(json_object_get(request, "ca"), e)) == NULL || (d->cert = ca_certificate(d->ca, e)) == NULL)
		return e->code;
	if (d->folder[0] != '/' && (key || d->folder[0] != '\0'))
		return err_set(e, ERR_USAGE, _("the folder must be an absolute path"));
	if (key && (d->key = key_open(d->ca, d->cert, e)) == NULL)
		return e->code;
	if (d->folder[0] != '\0' && (rc = fs_mkdirs(d->folder, 0700, e)) < 0)
		return rc;
	if (key && (d->lock = fs_lock(d->ca->database, LOCK_WAIT_MS, e)) < 0)
		return d->lock;
	if ((d->x = index_load(d->ca->database, e)) == NULL || index_refuse_bad(d->x, e) < 0 ||
	    (d->rows = index_sorted(d->x, &n, e)) == NULL)
		return e->code;
	if ((rc = partitions_make(&d->parts, d->ca, d->x, json_list(request, "partitions"), d->folder, &ca_watch, e)) < 0)
		return rc;
	d->l = (struct listing){ d->x, d->rows, n, crl_gone(d->ca, d->cert, d->folder, json_num(request, "at", clock_now())),
		d->parts.part, 0 };
	return 0;
}

static void desk_close(struct desk *d)
{
	if (d->lock >= 0)
		close(d->lock);
	partitions_clear(&d->parts);
	free(d->rows);
	index_free(d->x);
	EVP_PKEY_free(d->key);
	X509_free(d->cert);
	ca_free(d->ca);
}

json_t *crl_json(const struct crl_file *f, const char *part)
{
	json_t *o = json_object();

	json_put(o, "number", f->number);
	json_put_num(o, "entries", f->entries);
	json_put_num(o, "this_update", f->this_update);
	json_put_num(o, "next_update", f->next_update);
	json_put(o, "sha256", f->sha256);
	json_put(o, "der", f->der);
	json_put(o, "pem", f->pem);
	json_put_num(o, "octets", f->octets);
	json_put_num(o, "size", f->octets);
	json_put(o, "signature", f->signature);
	json_put(o, "part", part);
	return o;
}

/* The CRL of each partition, with the times of the whole CA's. */
static int desk_parts(struct desk *d, const struct crl_file *whole, json_t *list, struct err *e)
{
	char first[SERIAL_MAX], number[SERIAL_MAX], *folder = crl_parts_folder(d->folder);
	int rc = d->parts.n > 1 ? crl_number_take(d->ca, d->folder, d->parts.n - 1, first, e) : 0;

	for (size_t i = 1; rc == 0 && i < d->parts.n; i++) {
		struct crl_file f = { 0 };

		crl_number_after(first, i - 1, number);
		rc = crl_store_make(d->ca, d->cert, d->key, &d->l, &d->parts.scope[i], folder,
		    &(struct crl_terms){ whole->this_update, whole->next_update, number, NULL }, true, &f, e);
		if (rc == 0)
			json_array_append_new(list, crl_json(&f, d->parts.scope[i].name));
		crl_file_clear(&f);
	}
	free(folder);
	return rc;
}

int ca_crl(const json_t *request, json_t **result, struct err *e)
{
	json_t *list = json_array();
	struct crl_file f = { 0 };
	struct desk d;
	int rc;

	if ((rc = desk_open(&d, request, true, e)) == 0 &&
	    (rc = crl_file_make(d.ca, d.cert, d.key, &(struct listing){ d.x, d.rows, d.l.n, d.l.gone, NULL, 0 }, d.folder,
	         json_num(request, "at", clock_now()), (int)json_num(request, "hours", 24), &ca_watch, &f, e)) == 0 &&
	    (rc = desk_parts(&d, &f, list, e)) == 0)
		*result = json_pack("{s:o,s:O}", "crl", crl_json(&f, ""), "parts", list);
	json_decref(list);
	crl_file_clear(&f);
	desk_close(&d);
	return rc;
}

int ca_revoked_parts(const json_t *request, const struct crl_file *whole, json_t *list, struct err *e)
{
	struct desk d;
	int rc;

	if (json_array_size(json_list(request, "partitions")) == 0)
		return 0;
	if ((rc = desk_open(&d, request, true, e)) == 0)
		rc = desk_parts(&d, whole, list, e);
	desk_close(&d);
	return rc;
}

/* {count, first, step (ms), hours}: sign them ahead. */
int ca_ladder(const json_t *request, json_t **result, struct err *e)
{
	struct ladder_terms t = { (int)json_num(request, "count", 0), json_num(request, "first", clock_now()),
		json_num(request, "step", 0), (int)json_num(request, "hours", 24) };
	struct rung *rung = NULL;
	json_t *list = json_array();
	struct desk d;
	size_t n = 0;
	int rc;

	if ((rc = desk_open(&d, request, true, e)) == 0)
		rc = ladder_make(d.ca, d.cert, d.key, &d.l, d.parts.scope, d.parts.n, d.folder, &t, &ca_watch, &rung, &n, e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		json_array_append_new(list, crl_json(&rung[i].file, rung[i].part));
	if (rc == 0)
		*result = json_pack("{s:O}", "rungs", list);
	json_decref(list);
	ladder_free(rung, n);
	desk_close(&d);
	return rc;
}

static int rung_one(struct desk *d, const json_t *rung, bool look, bool take, bool *stale, int64_t at,
    json_t *list, struct err *e)
{
	const struct rung_claim claim = { json_str(rung, "number"), json_str(rung, "sha256"),
		json_num(rung, "this_update", 0), json_num(rung, "next_update", 0) };
	const struct crl_scope *scope = partitions_find(&d->parts, json_str(rung, "part"));
	const char *last = json_str(rung, "last");
	struct crl_file f;
	int rc;

	*stale = false;
	if (scope == NULL)
		return 0; /* its partition is not configured any more: no point waits for it, and the others are judged by themselves */
	if (look && claim.this_update > at)
		at = claim.this_update; /* would it be good when its time comes? */
	rc = ladder_judge(d->ca, &d->l, scope, d->folder, &claim, last[0] != '\0' ? last : NULL, at, e);
	*stale = rc < 0;
	if (rc == 0 && take) {
		if ((rc = ladder_take(d->ca, d->cert, &d->l, scope, d->folder, &claim, &f, e)) == 0)
			json_array_append_new(list, crl_json(&f, scope->name));
		crl_file_clear(&f);
	}
	return rc;
}

/* {rungs: [{number, sha256, this_update, next_update, part, last: the file of the last CRL of that part}], take}: judge all
 * of them; with take put them where CRLs lie that were signed. {stale: why} where one must not be published; what
 * keeps us from judging is an error. No key is opened. */
int ca_rung(const json_t *request, json_t **result, struct err *e)
{
	int64_t at = json_num(request, "at", clock_now());
	json_t *list = json_array();
	const json_t *rung;
	struct desk d;
	bool stale = false;
	size_t i;
	int rc = desk_open(&d, request, false, e);

	for (int take = 0; rc == 0 && take <= json_bool(request, "take"); take++)
		json_array_foreach(json_list(request, "rungs"), i, rung)
			if (rc == 0)
				rc = rung_one(&d, rung, !json_bool(request, "take"), take, &stale, at, list, e);
	if (rc == 0) {
		*result = json_pack("{s:O}", "crls", list);
	} else if (stale) {
		*result = json_object();
		json_put(*result, "stale", e->text);
		rc = 0;
	}
	json_decref(list);
	desk_close(&d);
	return rc;
}

/* {path, digest, part, der, served: [paths]}: may the file take the place of what is served? No key is opened. */
int ca_admit(const json_t *request, json_t **result, struct err *e)
{
	const json_t *served = json_list(request, "served"), *v;
	const char **paths = mem_zalloc(json_array_size(served) + 1, sizeof *paths);
	const struct crl_scope *scope;
	struct crl_ask ask;
	struct desk d;
	size_t i, n = 0;
	int rc = desk_open(&d, request, false, e);

	json_array_foreach(served, i, v)
		if (json_is_string(v))
			paths[n++] = json_string_value(v);
	if (rc == 0 && (scope = partitions_find(&d.parts, json_str(request, "part"))) == NULL)
		rc = err_set(e, ERR_REFUSED, _("the partition %s is not configured any more"), json_str(request, "part"));
	if (rc == 0) {
		d.l.want = scope->want;
		if (scope->urls == NULL)
			d.l.part = NULL;
		ask = (struct crl_ask){ .ca = d.ca, .l = &d.l, .now = json_num(request, "at", clock_now()), .urls = scope->urls,
			.der = json_bool(request, "der") };
		rc = crl_admit(json_str(request, "path"), json_str(request, "digest"), &ask, paths, n, e);
	}
	if (rc == 0)
		*result = json_object();
	free(paths);
	desk_close(&d);
	return rc;
}

/* Of several CAs the one that issued what file holds; NULL where none did, or none that can be read. */
static const json_t *inspect_whose(const json_t *candidates, const struct buf *file)
{
	const json_t *v, *found = NULL;
	size_t i;

	json_array_foreach(candidates, i, v) {
		struct ca *ca = found == NULL ? request_ca(json_object_get(v, "ca"), NULL) : NULL;
		X509 *cert = ca != NULL ? ca_certificate(ca, NULL) : NULL;

		if (cert != NULL && crl_is_of(file, cert))
			found = v;
		X509_free(cert);
		ca_free(ca);
	}
	return found;
}

/* {path, ca, last, last_sha256, partitions, part, der}, or {path, candidates: [{ca, last, last_sha256, partitions}]}, of which
 * the issuer is taken: everything that can be said of a CRL, or of what is none. */
int ca_inspect(const json_t *request, json_t **result, struct err *e)
{
	json_t *of = json_copy((json_t *)request);
	const struct crl_scope *scope;
	struct err why = { 0 };
	struct buf b = { 0 };
	struct crl_ask ask = { .now = json_num(request, "at", clock_now()), .der = json_bool(request, "der") };
	struct desk d = { .lock = -1 };
	int rc = crl_read_some(json_str(request, "path"), &b, e);

	if (rc == 0 && json_object_get(request, "candidates") != NULL)
		json_object_update(of, (json_t *)inspect_whose(json_list(request, "candidates"), &b));
	ask.last = json_str(of, "last");
	ask.last_sha256 = json_str(of, "last_sha256");
	if (rc == 0 && json_object_get(of, "ca") != NULL) {
		if (desk_open(&d, of, false, &why) < 0)
			ask.no_index = why.text;
		else if ((scope = partitions_find(&d.parts, json_str(of, "part"))) != NULL) {
			d.l.want = scope->want;
			d.l.part = scope->urls != NULL ? d.l.part : NULL;
			ask.urls = scope->urls;
			ask.l = &d.l;
		}
		ask.ca = d.ca;
		if (d.ca == NULL) {
			*e = why;
			rc = why.code;
		}
	}
	if (rc == 0) {
		*result = crl_check(&b, &ask);
		json_put(*result, "ca", d.ca != NULL ? d.ca->name : NULL);
	}
	buf_free(&b);
	desk_close(&d);
	json_decref(of);
	return rc;
}
