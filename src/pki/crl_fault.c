/* The faults of a CRL by name, and those that lie in its octets. */
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/json.h"
#include "pki/crl_look.h"

/* Of each fault: its name, and whether it forbids publication. */
static const struct {
	const char *id;
	bool fails;
	const char *what;
} faults[] = {
	[F_EMPTY] = { "empty-file", true, N_("the file is empty") },
	[F_HTML] = { "html", true, N_("it is a web page, not a CRL") },
	[F_PEM] = { "pem", true, N_("it is PEM where DER is served (RFC 5280 4.2.1.13)") },
	[F_NOT_DER] = { "not-der", true, N_("it is neither DER nor a PEM CRL") },
	[F_TRUNCATED] = { "truncated", true, N_("it is truncated") },
	[F_INDEFINITE] = { "indefinite", true, N_("it has an indefinite length, which DER forbids (X.690 10.1)") },
	[F_LENGTH] = { "length", true, N_("it has a length that is not in its shortest form (X.690 10.1)") },
	[F_TRAILING] = { "trailing", true, N_("octets follow the CRL") },
	[F_VERSION] = { "version", true, N_("it is not of version 2 (RFC 5280 5.1.2.1)") },
	[F_ALGORITHM] = { "algorithm", true, N_("its two signature algorithms differ (RFC 5280 5.1.1.2)") },
	[F_STRUCTURE] = { "structure", true, N_("its structure is broken") },
	[F_DIGEST_BROKEN] = { "digest-broken", true, N_("its signature uses a broken digest") },
	[F_DIGEST_WEAK] = { "digest-weak", false, N_("its signature uses a weak digest") },
	[F_ISSUER] = { "issuer", true, N_("it is of another issuer") },
	[F_KEY_ID] = { "key-id", true, N_("its authority key identifier is of another key: it is of another issuer") },
	[F_NO_KEY_ID] = { "no-key-id", true, N_("it has no authority key identifier (RFC 5280 5.2.1)") },
	[F_SIGNATURE] = { "signature", true, N_("its signature does not verify") },
	[F_NO_NUMBER] = { "no-number", true, N_("it has no CRL number (RFC 5280 5.2.3)") },
	[F_NEGATIVE] = { "negative-number", true, N_("its CRL number is negative (RFC 5280 5.2.3)") },
	[F_NUMBER_LARGE] = { "large-number", true, N_("its CRL number is longer than 20 octets (RFC 5280 5.2.3)") },
	[F_OLDER] = { "older", true, N_("its CRL number is lower than that of the CRL that was published") },
	[F_SAME_NUMBER] = { "same-number", true, N_("another CRL with this CRL number was published") },
	[F_NO_NEXT] = { "no-next-update", true, N_("it has no nextUpdate (RFC 5280 5.1.2.5)") },
	[F_ORDER] = { "order", true, N_("its nextUpdate does not come after its thisUpdate") },
	[F_EXPIRED] = { "expired", true, N_("it has expired") },
	[F_FUTURE] = { "future", true, N_("its thisUpdate lies in the future") },
	[F_LONG] = { "long", false, N_("it is valid for more than a year") },
	[F_CRITICAL] = { "critical-extension", true, N_("it has an unknown critical extension") },
	[F_TWICE] = { "extension-twice", true, N_("it has an extension twice (RFC 5280 4.2)") },
	[F_DELTA] = { "delta", true, N_("it is a delta CRL") },
	[F_INDIRECT] = { "indirect", true, N_("it is an indirect CRL: it lists certificates of other issuers") },
	[F_POINT] = { "point", true, N_("it is for another distribution point (issuingDistributionPoint)") },
	[F_ONLY] = { "only-some", true, N_("it is for some kinds of certificates or reasons only (issuingDistributionPoint)") },
	[F_ENTRY] = { "entry", true, N_("an entry is malformed") },
	[F_ENTRY_CRITICAL] = { "critical-entry", true, N_("an entry has an unknown critical extension") },
	[F_ENTRY_HUGE] = { "huge-entry", true, N_("an entry is larger than any certificate's can be") },
	[F_DUPLICATE] = { "duplicate", true, N_("it lists a certificate twice") },
	[F_MISSING] = { "missing", true, N_("it lacks certificates that are revoked") },
	[F_EXTRA] = { "extra", true, N_("it lists certificates that are not revoked") },
	[F_DIFFERS] = { "differs", true, N_("entries have another date or reason than index.txt") },
	[F_INDEX] = { "index", true, N_("its entries cannot be judged") },
	[F_CERTIFICATE] = { "certificate", true, N_("the CA's certificate cannot be read") },
};

void look_fault(struct look *k, enum fault f, const char *detail)
{
	json_t *o = json_object();
	char *what = mem_printf("%s%s%s", _(faults[f].what), detail != NULL ? ": " : "", detail != NULL ? detail : "");

	json_put(o, "id", faults[f].id);
	json_put(o, "level", faults[f].fails ? "fail" : "warn");
	json_put(o, "what", what);
	if (faults[f].fails) {
		json_array_append(k->problems, json_object_get(o, "what"));
		k->failing++;
	}
	json_array_append_new(k->findings, o);
	free(what);
}

/* Why the next value of d cannot be taken. */
static enum fault der_fault(const struct der *d)
{
	size_t left = der_len(d), n;

	if (left < 2)
		return F_TRUNCATED;
	if (d->p[1] == 0x80)
		return F_INDEFINITE;
	if (d->p[1] < 0x80)
		return F_TRUNCATED;
	n = d->p[1] & 0x7f;
	if (left < 2 + n)
		return F_TRUNCATED;
	if (d->p[2] == 0 || (n == 1 && d->p[2] < 0x80))
		return F_LENGTH;
	return F_TRUNCATED;
}

/* Take a value of this tag (-1: any), or name the fault. */
static bool take(struct look *k, struct der *d, int tag, struct der *inner, const char *where)
{
	struct der whole = *d;

	if (tag >= 0 ? der_get(d, tag, inner) : der_skip(d, inner))
		return true;
	if (der_len(d) > 0 && (tag < 0 || der_peek(d) == tag))
		look_fault(k, der_fault(&whole), where);
	else
		look_fault(k, der_len(d) == 0 ? F_TRUNCATED : F_STRUCTURE, where);
	return false;
}

void look_structure(struct look *k, const void *data, size_t len)
{
	struct der all = { data, (const unsigned char *)data + len }, crl, tbs, outer, inner, v;

	if (!take(k, &all, DER_SEQ, &crl, NULL))
		return;
	if (der_len(&all) > 0) {
		look_fault(k, F_TRAILING, NULL);
		return;
	}
	if (!take(k, &crl, DER_SEQ, &tbs, "tbsCertList") || !take(k, &crl, DER_SEQ, &outer, "signatureAlgorithm") ||
	    !take(k, &crl, DER_BITS, &v, "signatureValue"))
		return;
	if (der_len(&crl) > 0) {
		look_fault(k, F_TRAILING, "CertificateList");
		return;
	}
	if (der_peek(&tbs) != DER_INTEGER) {
		look_fault(k, F_VERSION, NULL);
		return;
	}
	if (!take(k, &tbs, DER_INTEGER, &v, "version"))
		return;
	if (der_len(&v) != 1 || v.p[0] != 1) {
		look_fault(k, F_VERSION, NULL);
		return;
	}
	if (!take(k, &tbs, DER_SEQ, &inner, "signature"))
		return;
	if (der_len(&inner) != der_len(&outer) || memcmp(inner.p, outer.p, der_len(&inner)) != 0) {
		look_fault(k, F_ALGORITHM, NULL);
		return;
	}
	for (int i = 0; der_len(&tbs) > 0; i++) {
		static const char *const name[] = { "issuer", "thisUpdate", "nextUpdate" };
		int tag = der_peek(&tbs);

		if (!take(k, &tbs, -1, &v, i < 3 ? name[i] : "revokedCertificates"))
			return;
		if (tag == DER_CONTEXT_0 && der_len(&tbs) > 0)
			look_fault(k, F_STRUCTURE, "crlExtensions");
		if (i == 0 && tag != DER_SEQ)
			look_fault(k, F_STRUCTURE, "issuer");
		v = (struct der){ v.p + 1, v.end };
	}
}

bool look_der(struct look *k, const struct buf *file, struct buf *b)
{
	const char *p = buf_str(file), *end = p + file->len;
	unsigned char *der = NULL;
	long len = 0;
	bool pem, ok;
	BIO *bio;

	if (file->len == 0) {
		look_fault(k, F_EMPTY, NULL);
		return false;
	}
	if (p[0] == 0x30) {
		json_put(k->o, "form", "DER");
		return true;
	}
	while (p < end && isspace((unsigned char)*p))
		p++;
	if (p < end && *p == '<') {
		look_fault(k, F_HTML, NULL);
		return false;
	}
	pem = file->len < INT32_MAX && memmem(p, (size_t)(end - p), "-----BEGIN X509 CRL-----", 24) != NULL;
	bio = pem ? BIO_new_mem_buf(p, (int)(end - p)) : NULL;
	ok = bio != NULL && PEM_bytes_read_bio(&der, &len, NULL, PEM_STRING_X509_CRL, bio, NULL, NULL) == 1;
	BIO_free(bio);
	ERR_clear_error();
	if (ok)
		buf_add(b, der, (size_t)len);
	OPENSSL_free(der);
	json_put(k->o, "form", "PEM");
	if (pem && k->ask->der)
		look_fault(k, F_PEM, NULL);
	else if (!ok)
		look_fault(k, pem ? F_STRUCTURE : F_NOT_DER, pem ? "PEM" : NULL);
	return ok;
}
