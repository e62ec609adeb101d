#include "pki/appendix.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/i18n.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/index.h"
#include "pki/issued.h"

void appendix_head(const struct appendix *a, struct buf *b)
{
	if (!a->links)
		buf_adds(b, "Precertificate SHA-256 hash,Certificate SHA-256 hash,Subject,Issuer,Not before,Not after,"
		    "Serial # (hex),dNSNames,Is revoked?,Revocation date,Revocation reason\n");
}

/* A field of RFC 4180, always in quotes. */
static void csv_field(struct buf *b, const char *s, bool last)
{
	buf_addc(b, '"');
	for (; *s != '\0'; s++)
		buf_addf(b, *s == '"' ? "\"\"" : "%c", *s);
	buf_adds(b, last ? "\"\n" : "\",");
}

static void csv_time(struct buf *b, int64_t ms, bool last)
{
	char iso[32];

	csv_field(b, ms > 0 ? clock_iso(iso, sizeof iso, ms) : "", last);
}

/* Host names only: anything else in a subjectAltName is not a dNSName, or not one that can be told safely. */
static void csv_names(struct buf *b, const struct issued *c)
{
	struct buf all = { 0 };
	struct der at = c->names;
	char *name;

	while ((name = issued_name_next(&at)) != NULL) {
		if (text_is_host(name, true))
			buf_addf(&all, "%s%s", all.len > 0 ? " " : "", name);
		free(name);
	}
	csv_field(b, buf_str(&all), false);
	buf_free(&all);
}

static void csv_revocation(struct appendix *a, const struct index *x, const struct row *r, struct buf *b)
{
	struct revinfo rev;

	if (r->kind == ROW_REVOKED && row_revinfo(x, r, &rev) == NULL) {
		csv_field(b, "Yes", false);
		csv_time(b, rev.at * 1000, false);
		csv_field(b, rev.reason == REASON_NONE ? "unspecified" : reason_name(rev.reason), true);
		return;
	}
	csv_field(b, row_expired(r, a->at) ? "N/A" : a->late ? "Delayed" : "Planned", false);
	csv_field(b, "", false);
	csv_field(b, "", true);
}

static void csv_row(struct appendix *a, const struct index *x, const struct row *r, const struct issued *c, X509 *cert,
    X509 *issuer, const char *serial, struct buf *b)
{
	char hash[DIGEST_HEX] = "", *subject, *by = cert_name(X509_get_subject_name(issuer)), *safe;
	const char *name;
	size_t len;

	if (cert != NULL) {
		digest_of(c->der, c->len, hash);
		subject = cert_name(X509_get_subject_name(cert));
	} else {
		name = row_name(x, r, &len);
		subject = mem_strndup(name, len);
	}
	safe = text_escaped(subject, strlen(subject), 4096);
	csv_field(b, cert != NULL && X509_get_ext_by_NID(cert, NID_ct_precert_scts, -1) < 0 ? "N/A" : "", false);
	csv_field(b, hash, false);
	csv_field(b, safe, false);
	csv_field(b, by, false);
	csv_time(b, cert != NULL ? c->since : 0, false);
	csv_time(b, r->expires * 1000, false);
	csv_field(b, serial, false);
	if (cert != NULL)
		csv_names(b, c);
	else
		csv_field(b, "", false);
	csv_revocation(a, x, r, b);
	free(subject);
	free(safe);
	free(by);
}

struct adding {
	struct appendix *a;
	const struct index *x;
	const struct sorted *rows;
	size_t n;
	struct issued_by by;
	X509 *issuer;
	struct issued c;
	struct buf *b;
};

static int appendix_one(struct adding *ad, const char *serial, struct err *e)
{
	const struct row *r = index_find(ad->x, ad->rows, ad->n, serial);
	char hash[DIGEST_HEX];
	X509 *cert = NULL;
	int rc;

	if (r == NULL) {
		err_set(e, ERR_NOTFOUND, _("%s has no row for serial %s, which the scope holds"), ad->x->path, serial);
		return err_remedy(e, _("was the database put back to an older state? See index.txt.* beside it"));
	}
	if ((rc = issued_read(&ad->c, &ad->by, serial, e)) == 0 && (cert = issued_x509(&ad->c)) == NULL)
		rc = err_set(e, ERR_SYNTAX, _("the certificate with serial %s cannot be read"), serial);
	if (rc < 0 && rc != ERR_NOTFOUND)
		return rc;
	ad->a->rows++;
	ad->a->revoked += r->kind == ROW_REVOKED;
	ad->a->missing += cert == NULL;
	if (!ad->a->links) {
		csv_row(ad->a, ad->x, r, &ad->c, cert, ad->issuer, serial, ad->b);
	} else if (cert != NULL) {
		digest_of(ad->c.der, ad->c.len, hash);
		buf_addf(ad->b, "https://crt.sh/?sha256=%s\n", hash);
	}
	X509_free(cert);
	return 0;
}

static int appendix_lines(struct adding *ad, const char *text, const struct watch *w, struct err *e)
{
	char serial[SERIAL_MAX];
	const char *nl;
	int rc = 0;

	for (const char *p = text; rc == 0 && *p != '\0'; p = *nl == '\n' ? nl + 1 : nl) {
		size_t len = strcspn(p, " \n");

		nl = p + strcspn(p, "\n");
		if (len == 0 || len >= sizeof serial || !serial_is_canon(p, len))
			continue;
		memcpy(serial, p, len);
		serial[len] = '\0';
		if (ad->a->rows % 1000 == 0)
			watch_progress(w, ad->a->rows, 0, _("certificates read"));
		rc = appendix_one(ad, serial, e);
	}
	return rc;
}

int appendix_add(struct appendix *a, const struct ca *ca, const char *text, const struct watch *w, struct buf *b,
    struct err *e)
{
	struct adding ad = { .a = a, .b = b };
	struct index *x = NULL;
	struct sorted *rows = NULL;
	int rc;

	if ((ad.issuer = ca_certificate(ca, e)) == NULL || (x = index_load(ca->database, e)) == NULL ||
	    index_refuse_bad(x, e) < 0 || (rows = index_sorted(x, &ad.n, e)) == NULL ||
	    issued_by_init(&ad.by, ca, ad.issuer, e) < 0) {
		rc = e->code;
	} else {
		ad.x = x;
		ad.rows = rows;
		rc = appendix_lines(&ad, text, w, e);
	}
	issued_clear(&ad.c);
	issued_by_clear(&ad.by);
	free(rows);
	index_free(x);
	X509_free(ad.issuer);
	return rc;
}
