#include "pki/in_place.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/cert.h"

#define NAMES_MAX 200

/* The text of a DNS name or an address that can stand in a certificate of ours; "" for anything else. */
static void name_text(const GENERAL_NAME *g, char *out, size_t size)
{
	const ASN1_STRING *s = g->d.ia5;
	int n = g->type == GEN_DNS || g->type == GEN_IPADD ? ASN1_STRING_length(s) : 0;

	out[0] = '\0';
	if (g->type == GEN_IPADD && (n == 4 || n == 16))
		inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(s), out, (socklen_t)size);
	else if (g->type == GEN_DNS && n > 0 && (size_t)n < size) {
		memcpy(out, ASN1_STRING_get0_data(s), (size_t)n);
		out[n] = '\0';
		if (strlen(out) != (size_t)n || !text_is_host(out, true))
			out[0] = '\0';
	}
}

static json_t *names_of(X509 *x, struct err *e)
{
	GENERAL_NAMES *list = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	json_t *names = json_array();
	char name[256];

	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		name_text(sk_GENERAL_NAME_value(list, i), name, sizeof name);
		if (name[0] != '\0')
			json_array_append_new(names, json_string(name));
	}
	GENERAL_NAMES_free(list);
	if (json_array_size(names) > 0 && json_array_size(names) <= NAMES_MAX)
		return names;
	err_set(e, ERR_REFUSED, _("the certificate in place has %zu names; 1 to %d can be taken over"),
	    json_array_size(names), NAMES_MAX);
	err_remedy(e, _("give its names in the inventory, and names = inventory in [fleet]"));
	json_decref(names);
	return NULL;
}

static bool covers(X509 *x, const char *host)
{
	return X509_check_host(x, host, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1 ||
	    X509_check_ip_asc(x, host, 0) == 1;
}

static bool ours(X509 *x, X509 *const *issuer, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cert_issued_by(x, issuer[i]))
			return true;
	return false;
}

json_t *in_place_names(const char *pem, const char *host, X509 *const *issuer, size_t n, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	json_t *names = NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (x == NULL) {
		err_set(e, ERR_REFUSED, _("no certificate is in place to take the names from"));
		err_remedy(e, _("give its names in the inventory, and names = inventory in [fleet]"));
	} else if (!ours(x, issuer, n)) {
		err_set(e, ERR_REFUSED, _("the certificate in place was not issued by a CA of the configuration"));
		err_remedy(e, _("give its names in the inventory, and names = inventory in [fleet]"));
	} else if (!covers(x, host)) {
		err_set(e, ERR_REFUSED, _("the certificate in place is not one for %s"), host);
		err_remedy(e, _("the host may show another's: look at it; or give its names in the inventory"));
	} else {
		names = names_of(x, e);
	}
	X509_free(x);
	ERR_clear_error();
	return names;
}
