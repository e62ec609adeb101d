/* Issued certificates in new_certs_dir, read by the hundred thousand. OpenSSL 3.0 decodes the key of each
 * certificate it parses, 0.13 ms apiece; here only those parts are looked at that a selector asks for. */
#ifndef SEV1_ISSUED_H
#define SEV1_ISSUED_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "pki/ca.h"
#include "pki/der.h"

struct issued {
	struct buf file;        /* as read; kept from one to the next */
	unsigned char *der;     /* the certificate */
	size_t len;
	struct der tbs, algorithm, signature; /* what is signed, whole; signatureAlgorithm, whole; BIT STRING's content */
	struct der spki;        /* its SubjectPublicKeyInfo, whole */
	struct der names;       /* GeneralNames of its subjectAltName; empty where it has none */
	struct der serial;      /* content octets of its serialNumber */
	struct der subject;     /* its Name, whole */
	struct der key_id;      /* keyIdentifier of its authorityKeyIdentifier; empty where it has none */
	int64_t since;          /* notBefore, ms */
	bool ca;                /* basicConstraints CA */
};

/* What every certificate of a CA has in common. */
struct issued_by {
	const struct ca *ca;
	X509 *cert;
	unsigned char *name;    /* DER of its subject */
	size_t name_len;
};
/* 0, or an error. cert is borrowed. */
int issued_by_init(struct issued_by *by, const struct ca *ca, X509 *cert, struct err *e);
void issued_by_clear(struct issued_by *by);

/* Read the certificate with a canonical serial, PEM or DER: c must be zero or from an earlier call. It must
 * have that serial, and the CA as its issuer. 0; ERR_NOTFOUND where the file is not there; ERR_REFUSED where it
 * holds another certificate; ERR_SYNTAX, ERR_IO. */
int issued_read(struct issued *c, const struct issued_by *by, const char *serial, struct err *e);
void issued_clear(struct issued *c);

/* SHA-256 over the DER of its SubjectPublicKeyInfo. */
void issued_spki(const struct issued *c, char hex[DIGEST_HEX]);
/* Did the CA sign it (RFC 5280 4.1.1.3)? */
bool issued_signed(const struct issued *c, const struct issued_by *by);
/* As OpenSSL parses it; owned by the caller. NULL where it cannot be. */
X509 *issued_x509(const struct issued *c);

/* The next name of its subjectAltName (RFC 5280 4.2.1.6) as text, escaped, owned by the caller; an
 * address as inet_ntop writes it. *at starts as c->names. Of the nine kinds dNSName, iPAddress, rfc822Name
 * and uniformResourceIdentifier are given; the others are passed over. NULL at the end. */
char *issued_name_next(struct der *at);

#endif
