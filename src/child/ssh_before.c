/* The certificate that was in place before. */
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "base/json.h"
#include "child/ssh_reissue.h"
#include "pki/cert.h"
#include "pki/der.h"

/* The parts of a certificate that a row shows, without its key: to decode that costs more than all else that is done
 * here for a host, and nothing is proved by it. */
static json_t *before_read(const unsigned char *data, size_t len)
{
	struct der d = { data, data + len }, whole, all, tbs, serial, part, times, subject;
	char fingerprint[DIGEST_HEX], *name, *hex;
	ASN1_INTEGER *number;
	ASN1_TIME *until;
	X509_NAME *dn;
	json_t *o = NULL;

	if (!der_get(&d, DER_SEQ, &all) || !der_get(&all, DER_SEQ, &tbs))
		return NULL;
	der_get(&tbs, DER_CONTEXT_0, &part); /* the version, where it is not 1 */
	if (!der_take(&tbs, DER_INTEGER, &serial, &whole) || !der_skip(&tbs, &part) || !der_skip(&tbs, &part) ||
	    !der_get(&tbs, DER_SEQ, &times) || !der_skip(&times, &part) ||
	    !der_skip(&times, &part) || !der_take(&tbs, DER_SEQ, &subject, &whole))
		return NULL;
	number = d2i_ASN1_INTEGER(NULL, &serial.p, (long)der_len(&serial));
	until = d2i_ASN1_TIME(NULL, &part.p, (long)der_len(&part));
	dn = d2i_X509_NAME(NULL, &subject.p, (long)der_len(&subject));
	if (number != NULL && until != NULL && dn != NULL) {
		digest_of(data, (size_t)(d.p - data), fingerprint);
		hex = cert_serial(number);
		name = cert_name(dn);
		o = json_object();
		json_put(o, "serial", hex);
		json_put(o, "fingerprint", fingerprint);
		json_put(o, "subject", name);
		json_put_num(o, "not_after", cert_time(until));
		free(hex);
		free(name);
	}
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(until);
	X509_NAME_free(dn);
	return o;
}

/* For a row only, so what cannot be read is no error. */
json_t *reissue_before(const struct buf *out)
{
	static const char mark[] = "-----BEGIN CERTIFICATE-----";
	char *at = out->len > 0 ? memmem(out->data, out->len, mark, strlen(mark)) : NULL;
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	json_t *o = NULL;
	long len = 0;
	BIO *b;

	if (at == NULL)
		return NULL;
	if ((b = BIO_new_mem_buf(at, (int)(out->len - (size_t)(at - out->data)))) != NULL &&
	    PEM_read_bio(b, &name, &header, &data, &len) == 1)
		o = before_read(data, (size_t)len);
	if (o == NULL)
		cert_why();
	BIO_free(b);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	return o;
}
