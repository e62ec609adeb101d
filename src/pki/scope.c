#include "pki/scope.h"

#include <fnmatch.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/cert.h"

struct selection {
	const struct ca *ca;
	const struct index *x;
	const char *subject;
	int64_t since;
	enum reason reason;
	bool look_ca;      /* certificates in new_certs_dir may be CAs */
	char *const *own;
};

void scope_clear(struct scope *s)
{
	free(s->pick);
	*s = (struct scope){ 0 };
}

/* A serial as people write it: colons, spaces, 0x and letter case do not matter. */
static size_t selector_serial(char *out, const char *s)
{
	char text[SERIAL_MAX * 2];
	size_t n = 0;

	if (strncasecmp(s, "0x", 2) == 0)
		s += 2;
	for (; *s != '\0' && n + 1 < sizeof text; s++)
		if (*s != ':' && *s != ' ')
			text[n++] = *s;
	return *s == '\0' ? serial_canon(out, text, n) : 0;
}

/* The issued certificate of a row, or NULL where it is not there or cannot be read. */
static X509 *selection_certificate(const struct selection *s, const char *serial, char **path)
{
	X509 *x;

	*path = ca_issued_path(s->ca, serial);
	x = (*path)[0] != '\0' && fs_exists(*path) ? cert_read(*path, NULL) : NULL;
	ERR_clear_error();
	return x;
}

static int selection_since(const struct selection *s, const char *serial, bool *take, struct err *e)
{
	char *path;
	X509 *x = selection_certificate(s, serial, &path);
	int rc = 0;

	if (x != NULL) {
		*take = cert_time(X509_get0_notBefore(x)) >= s->since;
	} else {
		rc = err_set(e, ERR_NOTFOUND, _("%s: the certificate with serial %s is needed to tell when it was "
		    "issued, and cannot be read"), path, serial);
		err_remedy(e, _("restore it, or select by serial instead of time"));
	}
	X509_free(x);
	free(path);
	return rc;
}

static bool selection_is_ca(const struct selection *s, const char *serial)
{
	char *path;
	X509 *x;
	bool ca;

	for (size_t i = 0; s->own != NULL && s->own[i] != NULL; i++)
		if (strcmp(s->own[i], serial) == 0)
			return true;
	if (!s->look_ca)
		return false;
	x = selection_certificate(s, serial, &path);
	ca = x != NULL && X509_check_ca(x) == 1;
	X509_free(x);
	free(path);
	return ca;
}

static bool selection_subject(const struct selection *s, const struct row *r)
{
	size_t len;
	const char *p = row_name(s->x, r, &len);
	char *name;
	bool match;

	if (s->subject[0] == '\0')
		return true;
	name = mem_strndup(p, len);
	match = fnmatch(s->subject, name, FNM_CASEFOLD) == 0;
	free(name);
	return match;
}

/* A row that may be in: look at the rest, and pick it. */
static int selection_row(const struct selection *s, uint32_t i, struct scope *out, struct err *e)
{
	const struct row *r = &s->x->row[i];
	char serial[SERIAL_MAX];
	enum reason reason = s->reason;
	bool take = true;
	int rc;

	if (!selection_subject(s, r))
		return 0;
	if (s->since > 0 || s->look_ca || s->own != NULL)
		row_canon(s->x, r, serial);
	if (s->since > 0 && ((rc = selection_since(s, serial, &take, e)) < 0 || !take))
		return rc;
	if (reason == REASON_KEY_COMPROMISE && (s->look_ca || s->own != NULL) &&
	    selection_is_ca(s, serial))
		reason = REASON_CA_COMPROMISE;
	out->pick[out->picks++] = (struct picked){ i, (int8_t)reason };
	return 0;
}

static int row_number_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The rows that a list of serials names, as a sorted set; all must be in the index. */
static int selection_serials(const struct index *x, const struct sorted *rows, size_t n,
    const json_t *serials, uint32_t **set, size_t *count, struct err *e)
{
	char serial[SERIAL_MAX];
	const struct row *r;
	size_t i;
	const json_t *v;

	*set = mem_grow(NULL, json_array_size(serials), sizeof **set);
	*count = 0;
	json_array_foreach(serials, i, v) {
		const char *s = json_string_value(v);

		if (s == NULL || selector_serial(serial, s) == 0) {
			char *safe = text_escaped(s != NULL ? s : "", s != NULL ? strlen(s) : 0, 80);

			err_set(e, ERR_USAGE, _("\"%s\" is not a serial in hexadecimal"), safe);
			free(safe);
			return ERR_USAGE;
		}
		if ((r = index_find(x, rows, n, serial)) == NULL) {
			err_set(e, ERR_REFUSED, _("serial %s is not in %s"), serial, x->path);
			return err_remedy(e, _("take it out of the selection, or choose the CA that issued it"));
		}
		(*set)[(*count)++] = (uint32_t)(r - x->row);
	}
	qsort(*set, *count, sizeof **set, row_number_cmp);
	return 0;
}

static int selection_init(struct selection *s, const json_t *selectors, X509 *cert, struct err *e)
{
	const char *reason = json_str(selectors, "reason");

	s->subject = json_str(selectors, "subject");
	s->since = json_num(selectors, "since", 0);
	s->reason = REASON_KEY_COMPROMISE;
	if (reason[0] != '\0')
		s->reason = reason_of(reason, strlen(reason));
	if (s->reason == REASON_NONE || s->reason == REASON_REMOVE || s->reason == REASON_HOLD)
		return err_set(e, ERR_USAGE, _("\"%s\" is not a reason to revoke for"), reason);
	if (!reason_in_index(s->reason)) {
		err_set(e, ERR_REFUSED, _("%s cannot be kept in index.txt: openssl ca has no word for it and would "
		    "refuse the whole database afterwards"), reason);
		return err_remedy(e, _("choose unspecified, keyCompromise, cACompromise, affiliationChanged, superseded "
		    "or cessationOfOperation"));
	}
	s->look_ca = s->reason == REASON_KEY_COMPROMISE && X509_get_pathlen(cert) != 0;
	return 0;
}

int scope_select(const struct ca *ca, X509 *cert, const struct index *x, const struct sorted *rows,
    size_t n, const json_t *selectors, char *const *own, int64_t at, const struct watch *w,
    struct scope *out, struct err *e)
{
	struct selection s = { .ca = ca, .x = x, .own = own };
	const json_t *serials = json_list(selectors, "serials");
	uint32_t *set = NULL;
	size_t count = 0;
	int rc;

	*out = (struct scope){ 0 };
	if ((rc = index_refuse_bad(x, e)) < 0 || (rc = selection_init(&s, selectors, cert, e)) < 0)
		return rc;
	if (json_array_size(serials) > 0 &&
	    (rc = selection_serials(x, rows, n, serials, &set, &count, e)) < 0)
		goto out;
	index_count(x, at, &out->counts);
	out->pick = mem_grow(NULL, (size_t)out->counts.valid, sizeof *out->pick);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct row *r = &x->row[rows[i].row];

		if (i % 1024 == 0 && (s.look_ca || s.since > 0))
			watch_progress(w, (int64_t)i, (int64_t)n, ca->name);
		if (r->kind == ROW_VALID && !row_expired(r, at) && (set == NULL ||
		    bsearch(&rows[i].row, set, count, sizeof *set, row_number_cmp) != NULL))
			rc = selection_row(&s, rows[i].row, out, e);
	}
out:
	free(set);
	if (rc < 0)
		scope_clear(out);
	return rc;
}

void scope_manifest(struct buf *b, const struct ca *ca, X509 *cert, const struct index *x,
    const struct scope *s)
{
	char *id = cert_key_id_hex(cert), serial[SERIAL_MAX];

	buf_addf(b, "sev1-manifest 1\nca %s\nissuer-key-id %s\n", ca->name, id);
	for (size_t i = 0; i < s->picks; i++) {
		buf_add(b, serial, row_canon(x, &x->row[s->pick[i].row], serial));
		buf_addc(b, ' ');
		buf_adds(b, reason_name((enum reason)s->pick[i].reason));
		buf_addc(b, '\n');
	}
	free(id);
}
