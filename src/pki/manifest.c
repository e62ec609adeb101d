/* Manifests read back before they are carried out. */
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "pki/cert.h"
#include "pki/scope.h"

#define MANIFEST_MAX ((size_t)1 << 30)

void manifest_clear(struct manifest *m)
{
	free(m->text);
	free(m->row);
	*m = (struct manifest){ 0 };
}

static bool manifest_row(struct manifest_row *row, const char *p, const char *end)
{
	const char *space = memchr(p, ' ', (size_t)(end - p));
	enum reason reason;

	if (space == NULL || space == p || space - p >= SERIAL_MAX - 4)
		return false;
	row->serial = p;
	row->len = (uint8_t)(space - p);
	reason = reason_of(space + 1, (size_t)(end - space - 1));
	row->reason = (int8_t)reason;
	return reason != REASON_NONE && reason != REASON_REMOVE && serial_is_canon(p, row->len);
}

/* The order of index_sort, so that both lists can be walked side by side. */
static bool manifest_ordered(const struct manifest_row *a, const struct manifest_row *b)
{
	size_t na = a->serial[0] == '-', nb = b->serial[0] == '-';
	int d;

	if (a->len - na != b->len - nb)
		return a->len - na < b->len - nb;
	d = memcmp(a->serial + na, b->serial + nb, a->len - na);
	return d < 0 || (d == 0 && na < nb);
}

static int manifest_parse(struct manifest *m, const char *p, const char *end, const char *path,
    struct err *e)
{
	size_t room = (size_t)(end - p) / 16 + 16;
	const char *nl;

	m->row = mem_grow(NULL, room, sizeof *m->row);
	for (; p < end; p = nl + 1) {
		if (m->rows == room) {
			room *= 2;
			m->row = mem_grow(m->row, room, sizeof *m->row);
		}
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL || !manifest_row(&m->row[m->rows], p, nl) ||
		    (m->rows > 0 && !manifest_ordered(&m->row[m->rows - 1], &m->row[m->rows])))
			return err_set(e, ERR_SYNTAX, _("%s: line %zu is not \"SERIAL REASON\" in order"), path,
			    m->rows + 4);
		m->rows++;
	}
	return 0;
}

int manifest_read(struct manifest *m, const char *path, const char *hash, const struct ca *ca, X509 *cert,
    struct err *e)
{
	struct buf b = { 0 };
	char *id, *head;
	int rc;

	*m = (struct manifest){ 0 };
	if ((rc = fs_read(path, &b, MANIFEST_MAX, e)) < 0) {
		buf_free(&b);
		return rc;
	}
	digest_of(buf_str(&b), b.len, m->hash);
	id = cert_key_id_hex(cert);
	head = mem_printf("sev1-manifest 1\nca %s\nissuer-key-id %s\n", ca->name, id);
	if (hash[0] != '\0' && strcasecmp(hash, m->hash) != 0) {
		rc = err_set(e, ERR_REFUSED, _("%s is not the manifest that was confirmed: its SHA-256 is %s"), path,
		    m->hash);
		err_remedy(e, _("freeze the scope anew with 'scope'"));
	} else if (b.len < strlen(head) || memcmp(b.data, head, strlen(head)) != 0) {
		rc = err_set(e, ERR_REFUSED, _("%s is not a manifest of the CA %s with key %.16s..."), path, ca->name,
		    id);
	} else {
		rc = manifest_parse(m, b.data + strlen(head), b.data + b.len, path, e);
	}
	free(id);
	free(head);
	m->text = buf_take(&b);
	if (rc < 0)
		manifest_clear(m);
	return rc;
}
