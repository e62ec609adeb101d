/* keys: the public keys of what a frozen scope revokes for keyCompromise, so that none of them gets a certificate again. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/ca_child.h"
#include "pki/issued.h"
#include "pki/scope.h"

/* Append a digest a line, as pki/blocklist.h reads them. */
static int keys_rows(const struct manifest *m, const struct issued_by *by, struct buf *out, int64_t *count, struct err *e)
{
	struct issued cert = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->rows; i++) {
		char *serial, spki[DIGEST_HEX];

		if (m->row[i].reason != REASON_KEY_COMPROMISE)
			continue;
		if (i % 512 == 0)
			watch_progress(&ca_watch, (int64_t)i, (int64_t)m->rows, by->ca->name);
		serial = mem_strndup(m->row[i].serial, m->row[i].len);
		if ((rc = issued_read(&cert, by, serial, e)) == 0) {
			issued_spki(&cert, spki);
			buf_addf(out, "%s\n", spki);
			(*count)++;
		} else {
			err_prefix(e, _("the key of certificate %s could not be refused"), serial);
			err_remedy(e, _("restore that certificate, or have new keys made on the hosts: key-mode = new in [fleet]"));
		}
		free(serial);
	}
	issued_clear(&cert);
	return rc;
}

static int keys_ca(const json_t *want, struct buf *out, int64_t *count, struct err *e)
{
	struct ca *ca = request_ca(want, e);
	X509 *cert = ca != NULL ? ca_certificate(ca, e) : NULL;
	struct issued_by by = { 0 };
	struct manifest m = { 0 };
	int rc;

	if (cert == NULL)
		rc = e->code;
	else if ((rc = manifest_read(&m, json_str(want, "path"), json_str(want, "manifest"), ca, cert, e)) == 0 &&
	    (rc = issued_by_init(&by, ca, cert, e)) == 0)
		rc = keys_rows(&m, &by, out, count, e);
	issued_by_clear(&by);
	manifest_clear(&m);
	X509_free(cert);
	ca_free(ca);
	return rc;
}

int ca_keys(const json_t *request, json_t **result, struct err *e)
{
	const char *path = json_str(request, "out");
	struct buf out = { 0 };
	const json_t *v;
	int64_t count = 0;
	size_t i;
	int rc = 0;

	json_array_foreach(json_list(request, "cas"), i, v)
		if (rc == 0)
			rc = keys_ca(v, &out, &count, e);
	if (rc == 0 && (rc = fs_write(path, buf_str(&out), out.len, 0600, e)) == 0) {
		*result = json_object();
		json_put_num(*result, "keys", count);
	}
	buf_free(&out);
	return rc;
}
