#include "pki/issued.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/index.h"
#include "pki/revinfo.h"

#define ISSUED_MAX (1u << 20)

int issued_by_init(struct issued_by *by, const struct ca *ca, X509 *cert, struct err *e)
{
	int n = i2d_X509_NAME(X509_get_subject_name(cert), &by->name);

	by->ca = ca;
	by->cert = cert;
	by->name_len = n > 0 ? (size_t)n : 0;
	return n > 0 ? 0 : err_set(e, ERR_FAILED, _("%s: its subject cannot be encoded (%s)"), ca->certificate,
	    cert_why());
}

void issued_by_clear(struct issued_by *by)
{
	OPENSSL_free(by->name);
	by->name = NULL;
}

void issued_clear(struct issued *c)
{
	OPENSSL_free(c->der);
	buf_free(&c->file);
	*c = (struct issued){ 0 };
}

/* The DER of the file: from PEM, or as it is. */
static bool issued_decode(struct issued *c)
{
	BIO *bio = BIO_new_mem_buf(buf_str(&c->file), (int)c->file.len);
	long n = 0;
	bool ok;

	OPENSSL_free(c->der);
	c->der = NULL;
	ok = bio != NULL && PEM_bytes_read_bio(&c->der, &n, NULL, PEM_STRING_X509, bio, NULL, NULL) == 1;
	if (!ok && c->file.len > 0 && (unsigned char)c->file.data[0] == DER_SEQ) {
		c->der = OPENSSL_memdup(c->file.data, c->file.len);
		n = (long)c->file.len;
		ok = c->der != NULL;
	}
	c->len = ok ? (size_t)n : 0;
	ERR_clear_error();
	BIO_free(bio);
	return ok;
}

static bool issued_since(struct der *validity, int64_t *since)
{
	struct der t;
	int tag = der_peek(validity);

	if ((tag != DER_UTC && tag != DER_TIME) || !der_get(validity, tag, &t) ||
	    der_len(&t) != (tag == DER_UTC ? 13u : 15u) || !time_field((const char *)t.p, der_len(&t), since))
		return false;
	*since *= 1000;
	return true;
}

/* Extension ::= SEQUENCE { OID, BOOLEAN DEFAULT FALSE, OCTET STRING }: id-ce-... is 2.5.29.x. */
static bool issued_extension(struct issued *c, struct der *list)
{
	struct der ext, oid, flag, value, inner, is;

	if (!der_get(list, DER_SEQ, &ext) || !der_get(&ext, DER_OID, &oid))
		return false;
	der_get(&ext, 0x01, &flag); /* critical or not */
	if (!der_get(&ext, DER_OCTETS, &value))
		return false;
	if (der_len(&oid) != 3 || oid.p[0] != 0x55 || oid.p[1] != 0x1d)
		return true;
	if (oid.p[2] == 17)
		return der_get(&value, DER_SEQ, &c->names);
	if (oid.p[2] == 35) /* AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] IMPLICIT OPTIONAL, ... } */
		return der_get(&value, DER_SEQ, &inner) && (der_peek(&inner) != 0x80 || der_get(&inner, 0x80, &c->key_id));
	if (oid.p[2] == 19)
		c->ca = der_get(&value, DER_SEQ, &inner) && der_get(&inner, 0x01, &is) && der_len(&is) == 1 &&
		    is.p[0] != 0;
	return true;
}

struct facts {
	struct der issuer;
};

/* TBSCertificate, RFC 5280 4.1. */
static bool issued_parse(struct issued *c, struct facts *f)
{
	struct der all = { c->der, c->der + c->len }, cert, tbs, skip, validity, list, exts, peek;

	c->names = c->key_id = (struct der){ c->der, c->der };
	c->ca = false;
	if (!der_get(&all, DER_SEQ, &cert) || der_len(&all) != 0)
		return false;
	peek = cert;
	if (!der_get(&cert, DER_SEQ, &tbs) || !der_skip(&peek, &c->tbs) || der_peek(&cert) != DER_SEQ ||
	    !der_skip(&cert, &c->algorithm) || !der_get(&cert, DER_BITS, &c->signature) || der_len(&cert) != 0)
		return false;
	der_get(&tbs, DER_CONTEXT_0, &skip); /* version */
	if (!der_get(&tbs, DER_INTEGER, &c->serial) || der_peek(&tbs) != DER_SEQ || !der_skip(&tbs, &skip) ||
	    der_len(&skip) != der_len(&c->algorithm) || memcmp(skip.p, c->algorithm.p, der_len(&skip)) != 0 ||
	    der_peek(&tbs) != DER_SEQ || !der_skip(&tbs, &f->issuer) || !der_get(&tbs, DER_SEQ, &validity) ||
	    !issued_since(&validity, &c->since) || der_peek(&tbs) != DER_SEQ || !der_skip(&tbs, &c->subject) ||
	    der_peek(&tbs) != DER_SEQ || !der_skip(&tbs, &c->spki))
		return false;
	while (der_len(&tbs) > 0 && der_peek(&tbs) != 0xa3)
		if (!der_skip(&tbs, &skip))
			return false;
	if (der_len(&tbs) == 0)
		return true;
	if (!der_get(&tbs, 0xa3, &exts) || !der_get(&exts, DER_SEQ, &list))
		return false;
	while (der_len(&list) > 0)
		if (!issued_extension(c, &list))
			return false;
	return true;
}

X509 *issued_x509(const struct issued *c)
{
	const unsigned char *p = c->der;
	X509 *x = d2i_X509(NULL, &p, (long)c->len);

	ERR_clear_error();
	return x;
}

/* The digest of signatureAlgorithm; *md NULL for one that needs none. False where parameters matter (PSS) or it is
 * not known. */
static bool issued_digest(const struct issued *c, const EVP_MD **md)
{
	const unsigned char *p = c->algorithm.p;
	X509_ALGOR *alg = d2i_X509_ALGOR(NULL, &p, (long)der_len(&c->algorithm));
	const ASN1_OBJECT *oid = NULL;
	int digest = NID_undef, key = NID_undef, id;

	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	id = OBJ_obj2nid(oid);
	OBJ_find_sigid_algs(id, &digest, &key);
	X509_ALGOR_free(alg);
	*md = digest != NID_undef ? EVP_get_digestbynid(digest) : NULL;
	return *md != NULL || id == NID_ED25519 || id == NID_ED448;
}

bool issued_signed(const struct issued *c, const struct issued_by *by)
{
	EVP_PKEY *key = X509_get0_pubkey(by->cert);
	const EVP_MD *md;
	EVP_MD_CTX *ctx;
	X509 *x;
	bool ok;

	if (issued_digest(c, &md)) { /* a third of the time that X509_verify takes with what it needs parsed */
		ctx = EVP_MD_CTX_new();
		ok = ctx != NULL && der_len(&c->signature) > 1 && c->signature.p[0] == 0 &&
		    EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		    EVP_DigestVerify(ctx, c->signature.p + 1, der_len(&c->signature) - 1, c->tbs.p, der_len(&c->tbs)) == 1;
		EVP_MD_CTX_free(ctx);
	} else {
		x = issued_x509(c);
		ok = x != NULL && X509_verify(x, key) == 1;
		X509_free(x);
	}
	ERR_clear_error();
	return ok;
}

/* The same octets as a rule; else the same name in another encoding (RFC 5280 7.1). */
static bool issued_issuer(const struct issued *c, const struct issued_by *by, const struct der *issuer)
{
	X509 *x;
	bool same;

	if (der_len(issuer) == by->name_len && memcmp(issuer->p, by->name, by->name_len) == 0)
		return true;
	x = issued_x509(c);
	same = x != NULL && X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(by->cert)) == 0;
	X509_free(x);
	return same;
}

static int issued_judge(const struct issued *c, const struct issued_by *by, const struct facts *f,
    const char *serial, const char *path, struct err *e)
{
	char is[SERIAL_MAX];

	if (der_serial(is, &c->serial) == 0 || strcmp(is, serial) != 0)
		err_set(e, ERR_REFUSED, _("%s holds another certificate, with the serial %s"), path,
		    is[0] != '\0' ? is : "?");
	else if (!issued_issuer(c, by, &f->issuer))
		err_set(e, ERR_REFUSED, _("%s holds a certificate that %s did not issue"), path, by->ca->name);
	else
		return 0;
	return err_remedy(e, _("restore the certificate with serial %s there, or select by serial or subject instead"),
	    serial);
}

int issued_read(struct issued *c, const struct issued_by *by, const char *serial, struct err *e)
{
	char *path = ca_issued_path(by->ca, serial);
	struct facts f;
	int rc;

	buf_clear(&c->file);
	if (path[0] == '\0') {
		rc = err_set(e, ERR_NOTFOUND, _("%s: new_certs_dir is not set in %s"), by->ca->name, by->ca->config);
	} else if ((rc = fs_read(path, &c->file, ISSUED_MAX, e)) < 0) {
		if (access(path, F_OK) < 0 && errno == ENOENT)
			rc = err_set(e, ERR_NOTFOUND, _("%s: not there"), path);
		else
			err_remedy(e, _("run sev1 as a user who may read it"));
	} else if (!issued_decode(c) || !issued_parse(c, &f)) {
		rc = err_set(e, ERR_SYNTAX, _("%s: not a certificate"), path);
		err_remedy(e, _("restore the certificate with serial %s there, or select by serial or subject instead"),
		    serial);
	} else {
		rc = issued_judge(c, by, &f, serial, path, e);
	}
	free(path);
	return rc;
}

void issued_spki(const struct issued *c, char hex[DIGEST_HEX])
{
	digest_of(c->spki.p, der_len(&c->spki), hex);
}

char *issued_name_next(struct der *at)
{
	char text[INET6_ADDRSTRLEN];
	struct der name;
	int tag;

	while ((tag = der_peek(at)) >= 0) {
		if (!der_get(at, tag, &name))
			return NULL;
		if (tag == 0x81 || tag == 0x82 || tag == 0x86)
			return text_escaped((const char *)name.p, der_len(&name), der_len(&name));
		if (tag == 0x87 && (der_len(&name) == 4 || der_len(&name) == 16) &&
		    inet_ntop(der_len(&name) == 4 ? AF_INET : AF_INET6, name.p, text, sizeof text) != NULL)
			return mem_strdup(text);
	}
	return NULL;
}
