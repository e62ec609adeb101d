/* plan, revoke: what is read before a revocation, and the revocation. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/ca_child.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/revoke.h"

static json_t *revoke_json(const struct revoke_result *r)
{
	json_t *o = json_object(), *backups = json_array();

	json_put_num(o, "planned", r->planned);
	json_put_num(o, "revoked", r->revoked);
	json_put_num(o, "already", r->already);
	json_put_num(o, "done", r->done);
	json_put_num(o, "valid", r->counts.valid);
	json_put_num(o, "expired", r->counts.expired);
	json_put_num(o, "unreadable", r->counts.unreadable);
	json_put(o, "number", r->number);
	json_put(o, "backup", r->backup[0]);
	for (size_t i = 0; i < 3; i++)
		if (r->backup[i] != NULL)
			json_array_append_new(backups, json_string(r->backup[i]));
	json_object_set_new(o, "backups", backups);
	if (r->first[0] != '\0') {
		json_t *first = json_object();

		json_put(first, "serial", r->first);
		json_put(first, "subject", r->first_name);
		json_put_num(first, "until", r->first_until);
		json_object_set_new(o, "first", first);
	}
	return o;
}

static int job_open(const json_t *request, struct revoke_job *job, bool key, struct err *e)
{
	struct ca *ca = request_ca(json_object_get(request, "ca"), e);

	*job = (struct revoke_job){
		.ca = ca,
		.path = json_str(request, "path"),
		.manifest = json_str(request, "manifest"),
		.folder = json_str(request, "folder"),
		.stamp = json_num(request, "stamp", clock_now()),
		.since = json_num(request, "since", 0),
		.now = json_num(request, "at", clock_now()),
		.hours = (int)json_num(request, "hours", 24),
		.exact = json_bool(request, "exact"),
	};
	if (ca == NULL || (job->cert = ca_certificate(ca, e)) == NULL)
		return e->code;
	if (job->folder[0] != '/')
		return err_set(e, ERR_USAGE, _("the folder must be an absolute path"));
	if (key && (job->key = key_open(ca, job->cert, e)) == NULL)
		return e->code;
	return fs_mkdirs(job->folder, 0700, e);
}

static void job_close(struct revoke_job *job)
{
	EVP_PKEY_free(job->key);
	X509_free(job->cert);
	ca_free((struct ca *)(uintptr_t)job->ca);
}

/* {"serials": [hex], "reason", "path"}: write the manifest of a few rows, in their order. */
static int plan_manifest(const json_t *request, const struct revoke_job *job, char hash[DIGEST_HEX],
    struct err *e)
{
	struct index *x = index_load(job->ca->database, e);
	struct sorted *rows = NULL;
	char *id = cert_key_id_hex(job->cert), serial[SERIAL_MAX];
	struct buf b = { 0 };
	const json_t *v;
	size_t n, i, k;
	int rc = 0;

	buf_addf(&b, "sev1-manifest 1\nca %s\nissuer-key-id %s\n", job->ca->name, id);
	if (x == NULL || index_refuse_bad(x, e) < 0 || (rows = index_sorted(x, &n, e)) == NULL)
		rc = e->code;
	for (i = 0; rc == 0 && i < n; i++) {
		row_canon(x, &x->row[rows[i].row], serial);
		json_array_foreach(json_list(request, "serials"), k, v)
			if (strcmp(json_string_value(v) != NULL ? json_string_value(v) : "", serial) == 0)
				buf_addf(&b, "%s %s\n", serial, json_str(request, "reason"));
	}
	digest_of(buf_str(&b), b.len, hash);
	if (rc == 0)
		rc = fs_write(job->path, buf_str(&b), b.len, 0600, e);
	free(rows);
	free(id);
	index_free(x);
	buf_free(&b);
	return rc;
}

/* What revoke would do, without doing it; with "serials" the manifest is made first; with "replaced" (names) it
 * says what is not yet replaced. */
int ca_plan(const json_t *request, json_t **result, struct err *e)
{
	struct revoke_result r = { 0 };
	struct revoke_job job;
	json_t *unreplaced = NULL;
	char hash[DIGEST_HEX] = "";
	int rc;

	if ((rc = job_open(request, &job, false, e)) < 0)
		goto out;
	if (json_list(request, "serials") != NULL) {
		if ((rc = plan_manifest(request, &job, hash, e)) < 0)
			goto out;
		job.manifest = hash;
	}
	if ((rc = revoke_check(&job, &r, e)) < 0)
		goto out;
	if (json_list(request, "serials") != NULL &&
	    r.planned != (int64_t)json_array_size(json_list(request, "serials"))) {
		rc = err_set(e, ERR_REFUSED, _("%s: not every CA certificate to be revoked is in it"),
		    job.ca->database);
		goto out;
	}
	if (json_list(request, "replaced") != NULL &&
	    (rc = ca_unreplaced(&job, json_list(request, "replaced"), &unreplaced, e)) < 0)
		goto out;
	*result = revoke_json(&r);
	if (unreplaced != NULL)
		json_object_set_new(*result, "unreplaced", unreplaced);
	json_put(*result, "manifest", job.manifest);
	json_put(*result, "path", job.path);
	json_put(*result, "database", job.ca->database);
out:
	revoke_clear(&r);
	job_close(&job);
	return rc;
}

int ca_revoke(const json_t *request, json_t **result, struct err *e)
{
	struct revoke_result r = { 0 };
	struct revoke_job job;
	int rc;

	if ((rc = job_open(request, &job, true, e)) == 0 &&
	    (rc = revoke_run(&job, &ca_watch, &r, e)) == 0) {
		json_t *parts = json_array();
		struct err why = { 0 };

		*result = revoke_json(&r);
		json_object_set_new(*result, "crl", crl_json(&r.crl, ""));
		/* the certificates are revoked: what fails from here on is said, not undone */
		if (ca_revoked_parts(request, &r.crl, parts, &why) < 0)
			json_put(*result, "parts_error", why.text);
		json_object_set_new(*result, "parts", parts);
	}
	revoke_clear(&r);
	job_close(&job);
	return rc;
}
