/* ari: renewalInfo files (RFC 9773) for every certificate of the frozen scope. No key is opened. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/ca_child.h"
#include "child/serve.h"
#include "pki/ari.h"
#include "pki/cert.h"
#include "pki/issued.h"
#include "pki/scope.h"

#define CHECKED 64       /* certificates of each CA that are compared with their file in new_certs_dir */
#define SHOWN 3
#define STEP 10000

struct renewing_info {
	const json_t *request;
	struct ari_files *files;
	struct digest *digest;   /* over the names in their order, then the body */
	json_t *sample;
	int64_t total, checked, missing;
};

/* The CA whose certificates are named; every one of them has its key id. */
struct naming {
	struct ca *ca;
	X509 *cert;
	ASN1_OCTET_STRING *key_id;
};

static int naming_open(struct naming *n, const json_t *o, struct err *e)
{
	*n = (struct naming){ .ca = request_ca(o, e) };
	n->cert = n->ca != NULL ? ca_certificate(n->ca, e) : NULL;
	n->key_id = n->cert != NULL ? cert_key_id(n->cert) : NULL;
	return n->key_id != NULL ? 0 : e->code;
}

static void naming_close(struct naming *n)
{
	ASN1_OCTET_STRING_free(n->key_id);
	X509_free(n->cert);
	ca_free(n->ca);
}

static char *naming_id(const struct naming *n, const char *serial, size_t len)
{
	return ari_id(ASN1_STRING_get0_data(n->key_id), (size_t)ASN1_STRING_length(n->key_id), serial, len);
}

static int info_add(struct renewing_info *w, const struct naming *n, const char *serial, size_t len, struct err *e)
{
	char *id = naming_id(n, serial, len), *text;
	json_t *o;
	int rc = ari_files_add(w->files, id, e);

	digest_add(w->digest, id, strlen(id));
	digest_add(w->digest, "\n", 1);
	if (json_array_size(w->sample) < SHOWN) {
		text = mem_strndup(serial, len);
		o = json_object();
		json_put(o, "ca", n->ca->name);
		json_put(o, "serial", text);
		json_put(o, "id", id);
		json_array_append_new(w->sample, o);
		free(text);
	}
	free(id);
	if (ari_files_count(w->files) % STEP == 0)
		serve_progress((int64_t)ari_files_count(w->files), w->total, "renewalInfo");
	return rc;
}

/* A client makes the name from the certificate it has: is it the one that is made from the CA's? */
static int info_compare(const struct naming *n, const struct issued *c, const char *serial, struct err *e)
{
	const unsigned char *id = ASN1_STRING_get0_data(n->key_id);
	size_t len = (size_t)ASN1_STRING_length(n->key_id);

	if (der_len(&c->key_id) == 0) {
		err_set(e, ERR_REFUSED, _("%s: certificate %s has no authorityKeyIdentifier: ACME Renewal Information cannot name it"),
		    n->ca->name, serial);
		return err_remedy(e, _("such certificates have to be replaced without it: tell their subscribers"));
	}
	if (der_len(&c->key_id) != len || memcmp(c->key_id.p, id, len) != 0) {
		err_set(e, ERR_REFUSED, _("%s: the authorityKeyIdentifier of certificate %s is not the key identifier of %s"),
		    n->ca->name, serial, n->ca->certificate);
		return err_remedy(e, _("is that the certificate of the CA that issued it? See: sev1 doctor"));
	}
	return 0;
}

static int info_check(struct renewing_info *w, const struct naming *n, const struct manifest *m, struct err *e)
{
	size_t step = m->rows > CHECKED ? m->rows / CHECKED : 1;
	struct issued_by by = { 0 };
	struct issued c = { 0 };
	int rc = issued_by_init(&by, n->ca, n->cert, e);

	for (size_t i = 0; rc == 0 && i < m->rows; i += step) {
		char *serial = mem_strndup(m->row[i].serial, m->row[i].len);

		rc = issued_read(&c, &by, serial, e);
		if (rc == ERR_NOTFOUND) {
			w->missing++;
			rc = 0;
		} else if (rc == 0 && (rc = info_compare(n, &c, serial, e)) == 0) {
			w->checked++;
		}
		free(serial);
	}
	issued_clear(&c);
	issued_by_clear(&by);
	return rc;
}

static int info_ca(struct renewing_info *w, const json_t *o, struct err *e)
{
	struct manifest m = { 0 };
	struct naming n;
	int rc = naming_open(&n, o, e);

	if (rc == 0 && (rc = manifest_read(&m, json_str(o, "path"), json_str(o, "manifest"), n.ca, n.cert, e)) == 0)
		rc = info_check(w, &n, &m, e);
	for (size_t i = 0; rc == 0 && i < m.rows; i++)
		rc = info_add(w, &n, m.row[i].serial, m.row[i].len, e);
	manifest_clear(&m);
	naming_close(&n);
	return rc;
}

/* A CA's own certificate, named after its issuer. */
static int info_own(struct renewing_info *w, const json_t *o, struct err *e)
{
	const char *serial = json_str(o, "serial");
	struct naming n;
	int rc = naming_open(&n, json_object_get(o, "issuer"), e);

	if (rc == 0 && !serial_is_canon(serial, strlen(serial)))
		rc = err_set(e, ERR_USAGE, _("\"%s\" is not a serial"), serial);
	if (rc == 0)
		rc = info_add(w, &n, serial, strlen(serial), e);
	naming_close(&n);
	return rc;
}

static int info_all(struct renewing_info *w, struct err *e)
{
	const json_t *v;
	size_t i;
	int rc;

	json_array_foreach(json_list(w->request, "cas"), i, v)
		if ((rc = info_ca(w, v, e)) < 0)
			return rc;
	json_array_foreach(json_list(w->request, "own"), i, v)
		if ((rc = info_own(w, v, e)) < 0)
			return rc;
	return 0;
}

static int info_commit(struct renewing_info *w, const struct ari_site *s, struct err *e)
{
	char *nginx = ari_nginx(s), *apache = ari_apache(s);
	int rc = ari_files_commit(w->files, nginx, apache, e);

	free(nginx);
	free(apache);
	return rc;
}

int ca_ari(const json_t *request, json_t **result, struct err *e)
{
	const char *folder = json_str(request, "folder");
	char *served = fs_join(folder, ARI_SERVED), *prefix = ari_prefix(json_str(request, "url")), hash[DIGEST_HEX];
	char *body = ari_body(json_num(request, "start", 0), json_num(request, "end", 0), json_str(request, "explanation"));
	struct ari_site site = { .incident = json_str(request, "incident"), .files = served, .prefix = prefix,
		.retry_after = (int)json_num(request, "retry_after", 0) };
	struct renewing_info w = { .request = request, .digest = digest_new(), .sample = json_array(),
		.total = json_num(request, "total", 0) };
	int rc = ari_site_check(&site, e);

	if (rc == 0 && json_num(request, "end", 0) <= json_num(request, "start", 0))
		rc = err_set(e, ERR_USAGE, _("a renewal window ends after its start"));
	if (rc == 0 && (w.files = ari_files_new(folder, site.incident, body, e)) == NULL)
		rc = e->code;
	if (rc == 0)
		rc = info_all(&w, e);
	digest_add(w.digest, body, strlen(body));
	digest_end(w.digest, hash);
	if (rc == 0 && (rc = info_commit(&w, &site, e)) == 0)
		*result = json_pack("{s:I,s:s,s:s,s:s,s:I,s:I,s:O}", "files", (json_int_t)ari_files_count(w.files), "sha256", hash,
		    "folder", folder, "served", served, "checked", (json_int_t)w.checked, "missing", (json_int_t)w.missing,
		    "sample", w.sample);
	ari_files_free(w.files);
	json_decref(w.sample);
	free(served);
	free(prefix);
	free(body);
	return rc;
}
