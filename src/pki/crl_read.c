/* Reading CRLs: a parser of its own, so that what was encoded is not judged by its encoder. */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "pki/cert.h"
#include "pki/crl.h"

static bool read_time(struct der *d, int64_t *seconds)
{
	struct der t;
	int tag = der_peek(d);

	if ((tag != DER_UTC && tag != DER_TIME) || !der_get(d, tag, &t))
		return false;
	return der_len(&t) == (tag == DER_UTC ? 13u : 15u) &&
	    time_field((const char *)t.p, der_len(&t), seconds);
}

/* Extension ::= SEQUENCE { OID, BOOLEAN DEFAULT FALSE, OCTET STRING } */
static bool read_extension(struct der *d, struct der *oid, bool *critical, struct der *value)
{
	struct der ext, flag;

	*critical = false;
	if (!der_get(d, DER_SEQ, &ext) || !der_get(&ext, DER_OID, oid))
		return false;
	if (der_get(&ext, 0x01, &flag))
		*critical = der_len(&flag) == 1 && flag.p[0] != 0;
	return der_get(&ext, DER_OCTETS, value) && der_len(&ext) == 0;
}

static int read_arc(const struct der *oid)
{
	return der_len(oid) == 3 && oid->p[0] == 0x55 && oid->p[1] == 0x1d ? oid->p[2] : -1;
}

static void read_oid(const struct der *oid, char *out, size_t size)
{
	unsigned char whole[140];
	const unsigned char *p = whole;
	ASN1_OBJECT *o;

	snprintf(out, size, "?");
	if (der_len(oid) > 120)
		return;
	o = d2i_ASN1_OBJECT(NULL, &p, (long)der_put(whole, DER_OID, oid->p, der_len(oid)));
	if (o != NULL)
		OBJ_obj2txt(out, (int)size, o, 1);
	ASN1_OBJECT_free(o);
}

static bool read_crl_extensions(struct crl_view *v, struct der d)
{
	struct der list, oid, value, inner;
	bool critical;

	if (!der_get(&d, DER_SEQ, &list) || der_len(&d) != 0)
		return false;
	while (der_len(&list) > 0) {
		if (!read_extension(&list, &oid, &critical, &value))
			return false;
		switch (read_arc(&oid)) {
		case 20: /* cRLNumber */
			if (!der_get(&value, DER_INTEGER, &inner) || der_serial(v->number, &inner) == 0)
				return false;
			break;
		case 35: /* authorityKeyIdentifier: [0] keyIdentifier comes first */
			if (!der_get(&value, DER_SEQ, &inner))
				return false;
			if (!der_get(&inner, 0x80, &v->key_id))
				v->key_id = (struct der){ inner.p, inner.p };
			break;
		case 27: /* deltaCRLIndicator */
			v->delta = true;
			break;
		case 28: /* issuingDistributionPoint */
			break;
		default:
			if (critical)
				read_oid(&oid, v->critical, sizeof v->critical);
		}
	}
	return true;
}

static bool read_tbs(struct crl_view *v, struct der d)
{
	struct der inner, algorithm;
	int64_t t = 0;

	if (!der_get(&d, DER_INTEGER, &inner) || der_len(&inner) != 1 || inner.p[0] != 1)
		return false; /* version 2, RFC 5280 5.1.2.1 */
	if (!der_skip(&d, &algorithm) || der_len(&algorithm) != der_len(&v->algorithm) ||
	    memcmp(algorithm.p, v->algorithm.p, der_len(&algorithm)) != 0)
		return false; /* both must be the same, 5.1.1.2 */
	if (der_peek(&d) != DER_SEQ || !der_skip(&d, &v->issuer) || !read_time(&d, &t))
		return false;
	v->this_update = t * 1000;
	if (der_peek(&d) == DER_UTC || der_peek(&d) == DER_TIME) {
		if (!read_time(&d, &t))
			return false;
		v->next_update = t * 1000;
	}
	v->entries = (struct der){ d.p, d.p };
	if (der_peek(&d) == DER_SEQ && !der_get(&d, DER_SEQ, &v->entries))
		return false;
	if (der_get(&d, DER_CONTEXT_0, &inner) && !read_crl_extensions(v, inner))
		return false;
	return der_len(&d) == 0;
}

int crl_parse(struct crl_view *v, const void *data, size_t len, struct err *e)
{
	struct der all = { data, (const unsigned char *)data + len }, outer, inner;

	memset(v, 0, sizeof *v);
	if (!der_get(&all, DER_SEQ, &outer))
		return err_set(e, ERR_SYNTAX, _("not a CRL in DER, or not all of it"));
	if (der_len(&all) != 0)
		return err_set(e, ERR_SYNTAX, _("%zu octets follow the CRL"), der_len(&all));
	if (der_peek(&outer) != DER_SEQ || !der_skip(&outer, &v->tbs) ||
	    der_peek(&outer) != DER_SEQ || !der_skip(&outer, &v->algorithm) ||
	    !der_get(&outer, DER_BITS, &v->signature) || der_len(&outer) != 0 ||
	    der_len(&v->signature) < 2 || v->signature.p[0] != 0)
		return err_set(e, ERR_SYNTAX, _("not a CRL: its outer structure is broken"));
	v->signature.p++;
	inner = v->tbs;
	if (!der_get(&inner, DER_SEQ, &outer) || !read_tbs(v, outer))
		return err_set(e, ERR_SYNTAX, _("not a version 2 CRL: its signed part is broken"));
	for (outer = v->entries; der_skip(&outer, &inner);)
		v->count++;
	if (der_len(&outer) != 0)
		return err_set(e, ERR_SYNTAX, _("the CRL's list breaks off after %lld entries"),
		    (long long)v->count);
	return 0;
}

static bool read_entry_extensions(struct crl_entry *entry, struct der list)
{
	struct der oid, value, inner;
	bool critical;

	while (der_len(&list) > 0) {
		if (!read_extension(&list, &oid, &critical, &value))
			return false;
		switch (read_arc(&oid)) {
		case 21:
			if (!der_get(&value, DER_ENUM, &inner) || der_len(&inner) != 1)
				return false;
			entry->reason = (enum reason)inner.p[0];
			break;
		case 24:
			if (der_peek(&value) != DER_TIME || !read_time(&value, &entry->invalid))
				return false;
			break;
		case 23:
			break;
		default:
			if (critical)
				return false;
		}
	}
	return true;
}

bool crl_next(struct der *d, struct crl_entry *entry, bool *bad)
{
	struct der one, number, list;

	*bad = false;
	if (der_len(d) == 0)
		return false;
	*bad = !der_get(d, DER_SEQ, &one) || !der_get(&one, DER_INTEGER, &number) ||
	    der_serial(entry->serial, &number) == 0;
	if (*bad || (der_len(&one) == der_len(&entry->tail) && memcmp(one.p, entry->tail.p, der_len(&one)) == 0))
		return !*bad; /* says what the entry before said, as in a mass revocation nearly all do */
	entry->tail = one;
	entry->reason = REASON_NONE;
	entry->invalid = INT64_MIN;
	*bad = !read_time(&one, &entry->at) ||
	    (der_len(&one) > 0 && (!der_get(&one, DER_SEQ, &list) || !read_entry_extensions(entry, list))) ||
	    der_len(&one) != 0;
	return !*bad;
}

static X509_ALGOR *crl_algor(const struct crl_view *v)
{
	const unsigned char *p = v->algorithm.p;

	return d2i_X509_ALGOR(NULL, &p, (long)der_len(&v->algorithm));
}

const char *crl_algorithm(const struct crl_view *v)
{
	X509_ALGOR *a = crl_algor(v);
	const ASN1_OBJECT *o = NULL;
	int nid = NID_undef;

	if (a != NULL) {
		X509_ALGOR_get0(&o, NULL, NULL, a);
		nid = OBJ_obj2nid(o);
	}
	X509_ALGOR_free(a);
	ERR_clear_error();
	return nid != NID_undef ? OBJ_nid2ln(nid) : "unknown";
}

/* RSASSA-PSS says in its parameters how it was made (RFC 4055 3.1): OpenSSL reads them, and takes the signed
 * octets as they are. */
static bool verify_pss(const struct crl_view *v, EVP_PKEY *key)
{
	X509_ALGOR *a = crl_algor(v);
	ASN1_STRING *tbs = ASN1_STRING_new(), *signature = ASN1_BIT_STRING_new();
	ASN1_TYPE any = { .type = V_ASN1_SEQUENCE, .value.sequence = tbs };
	bool ok = a != NULL && tbs != NULL && signature != NULL &&
	    ASN1_STRING_set(tbs, v->tbs.p, (int)der_len(&v->tbs)) == 1 &&
	    ASN1_STRING_set(signature, v->signature.p, (int)der_len(&v->signature)) == 1;

	if (ok) {
		const ASN1_VALUE *value = (const ASN1_VALUE *)&any;

		ok = ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), a, signature, value, key) == 1;
	}
	ASN1_STRING_free(tbs);
	ASN1_BIT_STRING_free(signature);
	X509_ALGOR_free(a);
	ERR_clear_error();
	return ok;
}

int crl_verify(const struct crl_view *v, X509 *cert, struct err *e)
{
	int nid = OBJ_ln2nid(crl_algorithm(v)), md_nid = NID_undef, key_nid = NID_undef;
	const EVP_MD *md = NULL;
	EVP_MD_CTX *ctx;
	EVP_PKEY *key = X509_get0_pubkey(cert);
	bool ok;

	if (key == NULL || !OBJ_find_sigid_algs(nid, &md_nid, &key_nid))
		return err_set(e, ERR_FAILED, _("the CRL's signature algorithm is not known"));
	if (nid == NID_rsassaPss)
		return verify_pss(v, key) ? 0 : err_set(e, ERR_FAILED, _("the CRL's signature does not verify with the CA's key"));
	if (md_nid != NID_undef && (md = EVP_get_digestbynid(md_nid)) == NULL)
		return err_set(e, ERR_FAILED, _("the CRL's digest %s is not available"), OBJ_nid2ln(md_nid));
	ctx = EVP_MD_CTX_new();
	ok = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, v->signature.p, der_len(&v->signature), v->tbs.p, der_len(&v->tbs)) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok ? 0 : err_set(e, ERR_FAILED, _("the CRL's signature does not verify with the CA's key"));
}

bool crl_issuer_is(const struct crl_view *v, X509 *cert)
{
	const unsigned char *p = v->issuer.p;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der_len(&v->issuer));
	ASN1_OCTET_STRING *id = cert_key_id(cert);
	bool ok = name != NULL && X509_NAME_cmp(name, X509_get_subject_name(cert)) == 0;

	if (ok && id != NULL && der_len(&v->key_id) > 0)
		ok = der_len(&v->key_id) == (size_t)ASN1_STRING_length(id) &&
		    memcmp(v->key_id.p, ASN1_STRING_get0_data(id), der_len(&v->key_id)) == 0;
	X509_NAME_free(name);
	ASN1_OCTET_STRING_free(id);
	ERR_clear_error();
	return ok;
}

/* Does the entry say what the row says? known is what the row before said, and is kept up. */
static bool entry_is(const struct crl_entry *c, const struct index *x, const struct row *r,
    const struct row **last, struct revinfo *known)
{
	enum reason reason;

	if ((*last == NULL || !row_revoked_alike(x, r, *last)) && row_revinfo(x, r, known) != NULL)
		return false;
	*last = r;
	reason = known->reason == REASON_UNSPECIFIED ? REASON_NONE : known->reason;
	return c->at == known->at && c->invalid == known->invalid &&
	    (c->reason == reason || (c->reason == REASON_UNSPECIFIED && reason == REASON_NONE));
}

/* In a CRL sorted as OpenSSL sorts, entries and rows are walked side by side; another order is
 * looked up row by row. */
int crl_compare(const struct crl_view *v, const struct listing *l, struct err *e)
{
	const struct index *x = l->x;
	const struct sorted *rows = l->rows;
	struct der d = v->entries;
	struct crl_entry c = { 0 };
	const struct row *r, *last = NULL;
	struct revinfo known;
	char *met = mem_zalloc(x->rows, 1); /* rows that an entry was found for */
	int64_t revoked = 0, seen = 0, late = 0; /* late: expired, and still there */
	size_t next = 0, n = l->n;
	bool bad = false;
	int rc = 0;

	for (size_t i = 0; i < x->rows; i++) /* in the file's order, which costs least */
		revoked += listing_has(l, &x->row[i]);
	while (rc == 0 && crl_next(&d, &c, &bad)) {
		seen++;
		while (next < n && !listing_has(l, &x->row[rows[next].row]))
			next++;
		index_ahead(x, rows, n, next);
		r = next < n ? &x->row[rows[next].row] : NULL;
		if (r != NULL && row_is(x, r, c.serial, strlen(c.serial)))
			next++;
		else
			r = index_find(x, rows, n, c.serial);
		if (r == NULL || r->kind != ROW_REVOKED || (l->part != NULL && l->part[r - x->row] != l->want))
			rc = err_set(e, ERR_FAILED, _("the CRL lists %s, which %s does not have as revoked"),
			    c.serial, x->path);
		else if (met[r - x->row])
			rc = err_set(e, ERR_FAILED, _("the CRL lists %s twice"), c.serial);
		else if (!entry_is(&c, x, r, &last, &known))
			rc = err_set(e, ERR_FAILED, _("the CRL's entry for %s has another date or reason than %s"),
			    c.serial, x->path);
		else {
			late += !listing_has(l, r);
			met[r - x->row] = 1;
		}
	}
	if (rc == 0 && bad)
		rc = err_set(e, ERR_FAILED, _("entry %lld of the CRL is malformed"), (long long)seen + 1);
	if (rc == 0 && seen - late != revoked)
		rc = err_set(e, ERR_FAILED, _("the CRL has %lld entries, %s has %lld revoked rows"),
		    (long long)(seen - late), x->path, (long long)revoked);
	free(met);
	return rc;
}
