#include "pki/partition.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"
#include "pki/cert.h"

#define CACHE_MAX ((size_t)1 << 30)
#define NAMED 5
#define PROGRESS_EVERY 1000

/* What certificates name, by serial. The file: "sev1-points 1", "set N URL URL ..." for each set of URLs that occurs,
 * then "SERIAL N" a certificate, then "sha256 HEX" over all before. */
struct points {
	char **set;      /* the URLs of a set, parted by spaces, sorted as the certificate has them */
	size_t sets;
	json_t *of;      /* serial: set */
	bool changed;
};

static void points_clear(struct points *p)
{
	for (size_t i = 0; i < p->sets; i++)
		free(p->set[i]);
	free(p->set);
	json_decref(p->of);
}

static size_t points_set(struct points *p, const char *urls)
{
	size_t i;

	for (i = 0; i < p->sets && strcmp(p->set[i], urls) != 0; i++)
		;
	if (i == p->sets) {
		p->set = mem_grow(p->set, p->sets + 1, sizeof *p->set);
		p->set[p->sets++] = mem_strdup(urls);
	}
	return i;
}

/* ---- the file ---- */

static bool cache_line(struct points *p, char *line)
{
	char *space = strchr(line, ' '), *end = NULL;
	unsigned long set;

	if (strcmp(line, "sev1-points 1") == 0)
		return true;
	if (space == NULL)
		return false;
	*space = '\0';
	if (strcmp(line, "set") == 0) {
		set = strtoul(space + 1, &end, 10);
		return *end == ' ' && set == p->sets && points_set(p, end + 1) == set;
	}
	set = strtoul(space + 1, &end, 10);
	if (*end != '\0' || set >= p->sets)
		return false;
	json_object_set_new(p->of, line, json_integer((json_int_t)set));
	return true;
}

/* A file that is not whole is as good as none: all is read again. */
static void cache_read(struct points *p, const char *path)
{
	struct buf b = { 0 };
	char hex[DIGEST_HEX], *line, *rest, *sum;
	bool ok = fs_read(path, &b, CACHE_MAX, NULL) == 0 && b.len > 72 && b.data[b.len - 1] == '\n';

	sum = ok ? b.data + b.len - 72 : NULL; /* "sha256 " and 64 digits and a newline */
	if (ok) {
		digest_of(b.data, b.len - 72, hex);
		ok = strncmp(sum, "sha256 ", 7) == 0 && strncmp(sum + 7, hex, 64) == 0;
		*sum = '\0';
	}
	for (line = ok ? strtok_r(b.data, "\n", &rest) : NULL; ok && line != NULL; line = strtok_r(NULL, "\n", &rest))
		ok = cache_line(p, line);
	if (!ok) {
		points_clear(p);
		*p = (struct points){ .of = json_object() };
	}
	buf_free(&b);
}

static int cache_write(const struct points *p, const char *path, struct err *e)
{
	struct buf b = { 0 };
	char hex[DIGEST_HEX];
	const char *serial;
	json_t *v;
	int rc;

	buf_adds(&b, "sev1-points 1\n");
	for (size_t i = 0; i < p->sets; i++)
		buf_addf(&b, "set %zu %s\n", i, p->set[i]);
	json_object_foreach(p->of, serial, v)
		buf_addf(&b, "%s %lld\n", serial, (long long)json_integer_value(v));
	digest_of(b.data, b.len, hex);
	buf_addf(&b, "sha256 %s\n", hex);
	rc = fs_write(path, b.data, b.len, 0600, e);
	buf_free(&b);
	return rc;
}

/* ---- certificates ---- */

/* The URIs of all fullNames, parted by spaces; what holds a space or control character is left out: it is no URL. */
static char *cert_urls(X509 *x)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
	struct buf b = { 0 };

	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *p = sk_DIST_POINT_value(points, i);
		const GENERAL_NAMES *names = p->distpoint != NULL && p->distpoint->type == 0 ? p->distpoint->name.fullname : NULL;

		for (int j = 0; j < sk_GENERAL_NAME_num(names); j++) {
			int type;
			const ASN1_STRING *s = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, j), &type);
			const unsigned char *t = ASN1_STRING_get0_data(s);
			int len = ASN1_STRING_length(s), k;

			for (k = 0; k < len && t[k] > ' ' && t[k] < 0x7f; k++)
				;
			if (type == GEN_URI && len > 0 && k == len)
				buf_addf(&b, "%s%.*s", b.len > 0 ? " " : "", len, (const char *)t);
		}
	}
	CRL_DIST_POINTS_free(points);
	ERR_clear_error();
	return buf_take(&b);
}

/* The set of the certificate with this serial; -1 with an error where it is missing. */
static int64_t points_of(struct points *p, const struct ca *ca, const char *serial, struct err *e)
{
	const json_t *known = json_object_get(p->of, serial);
	char *path, *urls, *mine;
	int64_t set = -1;
	X509 *x;

	if (known != NULL)
		return json_integer_value(known);
	path = ca_issued_path(ca, serial);
	if ((x = cert_read(path, e)) != NULL) {
		mine = cert_serial(X509_get0_serialNumber(x));
		if (strcmp(mine, serial) == 0) {
			urls = cert_urls(x);
			set = (int64_t)points_set(p, urls);
			json_object_set_new(p->of, serial, json_integer((json_int_t)set));
			p->changed = true;
			free(urls);
		} else {
			err_set(e, ERR_FAILED, _("%s: holds the certificate %s"), path, mine);
		}
		free(mine);
	}
	X509_free(x);
	free(path);
	return set;
}

/* ---- assignment ---- */

static bool has_url(const json_t *urls, const char *word, size_t len)
{
	const json_t *v;
	size_t i;

	json_array_foreach(urls, i, v)
		if (json_string_length(v) == len && memcmp(json_string_value(v), word, len) == 0)
			return true;
	return false;
}

/* The partition of a set of URLs: 0 none, 255 several. */
static uint8_t set_part(const struct partitions *p, const char *set)
{
	uint8_t found = 0;

	for (size_t len; *set != '\0'; set += len + (set[len] == ' ')) {
		len = strcspn(set, " ");
		for (size_t i = 1; i < p->n; i++) {
			if (!has_url(p->scope[i].urls, set, len))
				continue;
			if (found != 0 && found != p->scope[i].want)
				return 255;
			found = p->scope[i].want;
		}
	}
	return found;
}

struct refusals {
	struct buf named;
	int64_t n;
};

static void refuse(struct refusals *f, const char *serial, const char *why)
{
	if (f->n++ < NAMED)
		buf_addf(&f->named, "%s%s: %.150s", f->named.len > 0 ? "; " : "", serial, why);
}

static void assign(struct partitions *p, struct points *known, const struct ca *ca, const struct index *x,
    const struct watch *w, struct refusals *f)
{
	char serial[SERIAL_MAX];
	int64_t set;

	for (size_t i = 0; i < x->rows; i++) {
		struct err why = { 0 };
		uint8_t part;

		if (x->row[i].kind != ROW_REVOKED)
			continue;
		row_canon(x, &x->row[i], serial);
		if ((set = points_of(known, ca, serial, &why)) < 0) {
			refuse(f, serial, why.text);
			continue;
		}
		part = set_part(p, known->set[set]);
		if (part == 0 || part == 255)
			refuse(f, serial, known->set[set][0] == '\0' ? _("names no distribution point")
			    : part == 0 ? known->set[set] : _("names points of two partitions"));
		p->part[i] = part;
		if (i % PROGRESS_EVERY == 0)
			watch_progress(w, (int64_t)i, (int64_t)x->rows, _("distribution points of certificates"));
	}
}

static int partitions_scopes(struct partitions *p, const json_t *want, struct err *e)
{
	const json_t *v;
	size_t i;

	p->n = json_array_size(want) + 1;
	if (p->n > PARTITION_MAX)
		return err_set(e, ERR_USAGE, _("more than %d partitions"), PARTITION_MAX - 1);
	p->scope = mem_zalloc(p->n, sizeof *p->scope);
	p->scope[0] = (struct crl_scope){ "", NULL, 0 };
	json_array_foreach(want, i, v) {
		const json_t *name = json_object_get(v, "name");

		p->scope[i + 1] = (struct crl_scope){ json_is_string(name) ? json_string_value(name) : "",
			json_object_get(v, "urls"), (uint8_t)(i + 1) };
		if (!text_is_word(p->scope[i + 1].name) || json_array_size(p->scope[i + 1].urls) == 0)
			return err_set(e, ERR_USAGE, _("a partition needs a name and its distribution points"));
	}
	return 0;
}

int partitions_make(struct partitions *p, const struct ca *ca, const struct index *x, const json_t *want,
    const char *folder, const struct watch *w, struct err *e)
{
	struct points known = { .of = json_object() };
	struct refusals f = { 0 };
	char *name = mem_printf("%s.points", ca->name), *path = fs_join(folder, name);
	int rc;

	*p = (struct partitions){ 0 };
	if ((rc = partitions_scopes(p, want, e)) < 0 || p->n == 1)
		goto out;
	p->part = mem_zalloc(x->rows + 1, 1);
	cache_read(&known, path);
	assign(p, &known, ca, x, w, &f);
	if (known.changed && (rc = cache_write(&known, path, e)) < 0)
		goto out;
	if (f.n > 0) {
		rc = err_set(e, ERR_REFUSED, ngettext("%s: %lld revoked certificate belongs to no partition: %s",
		    "%s: %lld revoked certificates belong to no partition: %s", (unsigned long)f.n), ca->name, (long long)f.n,
		    buf_str(&f.named));
		err_remedy(e, _("give each distribution point a [point] with partition = NAME, and put missing certificates back into "
		    "%s"), ca->new_certs_dir);
	}
out:
	points_clear(&known);
	buf_free(&f.named);
	free(name);
	free(path);
	return rc;
}

void partitions_clear(struct partitions *p)
{
	free(p->scope);
	free(p->part);
	*p = (struct partitions){ 0 };
}

const struct crl_scope *partitions_find(const struct partitions *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->scope[i].name, name) == 0)
			return &p->scope[i];
	return NULL;
}
