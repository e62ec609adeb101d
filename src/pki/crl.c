#include "pki/crl.h"

#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "pki/cert.h"
#include "pki/key.h"

#define ENTRY_MAX 512
#define TAIL_MAX 300

void crl_clear(struct crl *c)
{
	free(c->base);
	*c = (struct crl){ 0 };
}

static size_t entry_time(unsigned char *out, int64_t seconds)
{
	char text[16];

	time_write(text, seconds);
	return der_put(out, strlen(text) == 13 ? DER_UTC : DER_TIME, text, strlen(text));
}

/* An entry extension with this arc below 2.5.29 (id-ce), not critical. */
static size_t entry_extension(unsigned char *out, unsigned char arc, const unsigned char *value,
    size_t len)
{
	const unsigned char oid[3] = { 0x55, 0x1d, arc };
	unsigned char inner[ENTRY_MAX];
	size_t n = der_put(inner, DER_OID, oid, sizeof oid);

	n += der_put(inner + n, DER_OCTETS, value, len);
	return der_put(out, DER_SEQ, inner, n);
}

static size_t entry_hold(unsigned char *out, const struct revinfo *info)
{
	char name[128];
	unsigned char value[160], *p = value;
	ASN1_OBJECT *o;
	int n;

	memcpy(name, info->hold, info->hold_len);
	name[info->hold_len] = '\0';
	if ((o = OBJ_txt2obj(name, 0)) == NULL)
		return 0;
	n = i2d_ASN1_OBJECT(o, NULL);
	if (n > 0 && (size_t)n <= sizeof value)
		n = i2d_ASN1_OBJECT(o, &p);
	else
		n = 0;
	ASN1_OBJECT_free(o);
	return n > 0 ? entry_extension(out, 23, value, (size_t)n) : 0;
}

/* revocationDate and crlEntryExtensions of a revocation; 0 where they do not fit. reasonCode is left out for
 * unspecified (RFC 5280 5.3.1). */
static size_t entry_tail(unsigned char *out, const struct revinfo *info)
{
	unsigned char exts[ENTRY_MAX], value[24];
	char when[16];
	size_t n = 0, at = entry_time(out, info->at), v;

	if (info->reason > REASON_UNSPECIFIED) {
		v = der_put(value, DER_ENUM, &(unsigned char){ (unsigned char)info->reason }, 1);
		n += entry_extension(exts + n, 21, value, v);
	}
	if (info->invalid != INT64_MIN) {
		v = der_put(value, DER_TIME, time_write_long(when, info->invalid), 15);
		n += entry_extension(exts + n, 24, value, v);
	}
	if (info->hold != NULL)
		n += entry_hold(exts + n, info);
	if (n > 0)
		at += der_put(out + at, DER_SEQ, exts, n);
	return at <= TAIL_MAX ? at : 0;
}

static size_t entry_join(unsigned char *out, const struct index *x, const struct row *r,
    const unsigned char *tail, size_t tail_len)
{
	char serial[SERIAL_MAX];
	unsigned char number[SERIAL_MAX];
	size_t n = der_put_serial(number, serial, row_canon(x, r, serial)), at;

	at = der_header(out, DER_SEQ, n + tail_len);
	memcpy(out + at, number, n);
	memcpy(out + at + n, tail, tail_len);
	return at + n + tail_len;
}

bool listing_has(const struct listing *l, const struct row *r)
{
	return r->kind == ROW_REVOKED && r->expires >= l->gone &&
	    (l->part == NULL || l->part[r - l->x->row] == l->want);
}

/* All entries into b. Rows of one mass revocation share their revocation: it is encoded once. */
static int crl_entries(struct buf *b, const struct listing *l, int64_t *count, struct err *e)
{
	unsigned char entry[ENTRY_MAX], tail[ENTRY_MAX];
	const struct index *x = l->x;
	const struct row *last = NULL;
	struct revinfo info;
	size_t tail_len = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct row *r = &x->row[l->rows[i].row];

		index_ahead(x, l->rows, l->n, i);
		if (!listing_has(l, r))
			continue;
		if (last == NULL || !row_revoked_alike(x, r, last)) {
			tail_len = row_revinfo(x, r, &info) == NULL ? entry_tail(tail, &info) : 0;
			last = r;
		}
		if (tail_len == 0)
			return err_set(e, ERR_SYNTAX, _("%s: line %u: the revocation cannot be encoded"), x->path,
			    l->rows[i].row + 1);
		buf_add(b, entry, entry_join(entry, x, r, tail, tail_len));
		++*count;
	}
	return 0;
}

/* One extension as openssl.cnf writes it. */
static int crl_add_extension(X509_CRL *crl, const struct ca *ca, X509 *cert, const char *name, const char *value,
    struct err *e)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	const char *why;
	int rc = 0;

	ERR_clear_error();
	X509V3_set_ctx(&ctx, cert, NULL, NULL, crl, 0);
	X509V3_set_nconf(&ctx, ca->conf);
	ext = X509V3_EXT_nconf(ca->conf, &ctx, name, value);
	if (ext == NULL || X509_CRL_add_ext(crl, ext, -1) != 1) {
		why = ERR_reason_error_string(ERR_peek_error()); /* the first says what, those after it where */
		rc = err_set(e, ERR_SYNTAX, _("%s: [%s] %s = %s: not an extension of a CRL (%s)"), ca->config,
		    ca->crl_extensions, name, value, why != NULL ? why : "?");
		err_remedy(e, _("correct that line, or remove it: openssl ca -gencrl does not take it either"));
		ERR_clear_error();
	}
	X509_EXTENSION_free(ext);
	return rc;
}

/* The section that crl_extensions names, as openssl ca takes it, but for the AKI, which is always there and by key
 * identifier (RFC 5280 5.2.1). A point that is given stands for the section's. */
static int crl_add_configured(X509_CRL *crl, const struct ca *ca, X509 *cert, const char *point, struct err *e)
{
	STACK_OF(CONF_VALUE) *list = NULL;
	int rc = 0;

	if (ca->crl_extensions[0] != '\0' && (list = NCONF_get_section(ca->conf, ca->crl_extensions)) == NULL) {
		ERR_clear_error();
		err_set(e, ERR_SYNTAX, _("%s: there is no section [%s], which 'crl_extensions' names"), ca->config,
		    ca->crl_extensions);
		return err_remedy(e, _("write that section, or remove crl_extensions"));
	}
	if (point != NULL)
		rc = crl_add_extension(crl, ca, cert, "issuingDistributionPoint", point, e);
	for (int i = 0; rc == 0 && i < sk_CONF_VALUE_num(list); i++) {
		const CONF_VALUE *v = sk_CONF_VALUE_value(list, i);
		int nid = OBJ_txt2nid(v->name);

		if (nid != NID_authority_key_identifier && (nid != NID_issuing_distribution_point || point == NULL))
			rc = crl_add_extension(crl, ca, cert, v->name, v->value, e);
	}
	return rc;
}

int crl_check_configured(const struct ca *ca, X509 *cert, struct err *e)
{
	X509_CRL *crl = X509_CRL_new();
	int rc = crl != NULL ? crl_add_configured(crl, ca, cert, NULL, e)
	                     : err_set(e, ERR_FAILED, _("%s: a CRL could not be made (%s)"), ca->name, cert_why());

	X509_CRL_free(crl);
	return rc;
}

static bool crl_add_number(X509_CRL *crl, X509 *cert, const char *number)
{
	AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
	BIGNUM *bn = NULL;
	ASN1_INTEGER *n = NULL;
	bool ok;

	if (aki != NULL)
		aki->keyid = cert_key_id(cert);
	ok = aki != NULL && aki->keyid != NULL && BN_hex2bn(&bn, number) > 0 &&
	    (n = BN_to_ASN1_INTEGER(bn, NULL)) != NULL &&
	    X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, aki, 0, 0) == 1 &&
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0) == 1;
	AUTHORITY_KEYID_free(aki);
	ASN1_INTEGER_free(n);
	BN_free(bn);
	return ok;
}

/* The same CRL without entries, made and signed by OpenSSL: everything around the list is its work. */
static int crl_frame(const struct ca *ca, X509 *cert, EVP_PKEY *key, const EVP_MD *md,
    const struct crl_terms *terms, unsigned char **der, struct err *e)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *a = ASN1_TIME_set(NULL, (time_t)(terms->this_update / 1000));
	ASN1_TIME *b = ASN1_TIME_set(NULL, (time_t)(terms->next_update / 1000));
	int len = -1;

	*der = NULL;
	if (crl == NULL || a == NULL || b == NULL || X509_CRL_set_version(crl, 1) != 1 ||
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(cert)) != 1 ||
	    X509_CRL_set1_lastUpdate(crl, a) != 1 || X509_CRL_set1_nextUpdate(crl, b) != 1 ||
	    !crl_add_number(crl, cert, terms->number))
		err_set(e, ERR_FAILED, _("%s: a CRL could not be made (%s)"), ca->name, cert_why());
	else if (crl_add_configured(crl, ca, cert, terms->distribution, e) < 0)
		;
	else if (X509_CRL_sign(crl, key, md) <= 0 || (len = i2d_X509_CRL(crl, der)) <= 0) {
		err_set(e, ERR_FAILED, _("%s: the CRL could not be signed (%s)"), ca->name, cert_why());
		if (md != NULL)
			err_remedy(e, _("can the key sign with default_md = %s? see %s; sha256 is the usual one"), ca->default_md, ca->config);
	}
	ASN1_TIME_free(a);
	ASN1_TIME_free(b);
	X509_CRL_free(crl);
	return len > 0 ? len : e != NULL && e->code < 0 ? e->code : ERR_FAILED;
}

/* Sign tbs and append AlgorithmIdentifier and BIT STRING to b. */
static int crl_sign(struct buf *b, size_t tbs_at, const struct der *algorithm, EVP_PKEY *key,
    const EVP_MD *md, struct err *e)
{
	size_t most = (size_t)EVP_PKEY_get_size(key), n = most;
	unsigned char *sig = mem_alloc(n + 1), header[12];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = 0;

	sig[0] = 0; /* no unused bits */
	if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, md, NULL, key) != 1 ||
	    EVP_DigestSign(ctx, sig + 1, &n, (unsigned char *)b->data + tbs_at, b->len - tbs_at) != 1 ||
	    n > most) { /* OpenSSL 3.0 takes an ECDSA signature that it had no memory to encode for one of 2^64-1 octets */
		rc = err_set(e, ERR_FAILED, _("the CRL could not be signed (%s)"), cert_why());
	} else {
		buf_add(b, algorithm->p, der_len(algorithm));
		buf_add(b, header, der_header(header, DER_BITS, n + 1));
		buf_add(b, sig, n + 1);
	}
	EVP_MD_CTX_free(ctx);
	free(sig);
	return rc;
}

/* Put a header before what b holds from at on; room was left there. Returns where it starts now. */
static size_t crl_wrap(struct buf *b, size_t at, int tag)
{
	unsigned char header[12];
	size_t n = der_header(header, tag, b->len - at);

	memcpy(b->data + at - n, header, n);
	return at - n;
}

int crl_make(const struct ca *ca, X509 *cert, EVP_PKEY *key, const struct listing *l,
    const struct crl_terms *terms, struct crl *out, struct err *e)
{
	struct buf b = { 0 };
	struct crl_view v;
	unsigned char *frame;
	const unsigned char *head;
	const EVP_MD *md;
	struct der body = { 0 }, last;
	size_t at, head_len, room;
	int rc, len;

	*out = (struct crl){ 0 };
	if ((rc = key_digest(key, ca->default_md, &md, e)) < 0)
		return rc;
	if ((len = crl_frame(ca, cert, key, md, terms, &frame, e)) < 0)
		return len;
	if ((rc = crl_parse(&v, frame, (size_t)len, e)) < 0)
		goto out;
	/* the frame's tbsCertList: all up to nextUpdate, then the extensions, which come last */
	last = v.tbs;
	der_get(&last, DER_SEQ, &body);
	head = body.p;
	while (der_peek(&body) != DER_CONTEXT_0 && der_skip(&body, &last))
		;
	head_len = (size_t)(body.p - head);
	at = room = head_len + 64;
	b.cap = room + (l->n > 0 ? l->x->len / 2 : 0) + 8192;
	b.data = mem_alloc(b.cap);
	b.len = room;
	if ((rc = crl_entries(&b, l, &out->entries, e)) < 0)
		goto out;
	if (b.len > room) /* revokedCertificates is absent where empty (RFC 5280 5.1.2.6) */
		at = crl_wrap(&b, room, DER_SEQ);
	at -= head_len;
	memcpy(b.data + at, head, head_len);
	buf_add(&b, body.p, der_len(&body));
	at = crl_wrap(&b, at, DER_SEQ);
	if ((rc = crl_sign(&b, at, &v.algorithm, key, md, e)) < 0)
		goto out;
	at = crl_wrap(&b, at, DER_SEQ);
	out->der = (unsigned char *)b.data + at;
	out->len = b.len - at;
	out->base = (unsigned char *)b.data;
	b.data = NULL;
out:
	OPENSSL_free(frame);
	buf_free(&b);
	return rc;
}
