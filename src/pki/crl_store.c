#include "pki/crl_store.h"

#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "pki/cert.h"
#include "pki/crl_check.h"
#include "pki/crl_pem.h"

char *crl_ladder_folder(const char *folder)
{
	return fs_join(folder, "ladder");
}

char *crl_parts_folder(const char *folder)
{
	return fs_join(folder, "parts");
}

void crl_store_floor(const struct ca *ca, const char *folder, char *number)
{
	char *const folders[] = { crl_ladder_folder(folder), crl_parts_folder(folder) };

	for (size_t i = 0; i < 2; i++) {
		char last[SERIAL_MAX];

		free(crl_file_last(ca, folders[i], last));
		if (last[0] != '\0' && (number[0] == '\0' || crl_number_compare(last, number) > 0))
			memcpy(number, last, sizeof last);
		free(folders[i]);
	}
}

void crl_number_after(const char *first, size_t n, char *out)
{
	BIGNUM *bn = NULL;
	char *hex = NULL;

	if (BN_hex2bn(&bn, first) == 0 || BN_add_word(bn, n) != 1 || (hex = BN_bn2hex(bn)) == NULL)
		mem_alloc((size_t)-1); /* first was checked: only memory can be short */
	serial_canon(out, hex, strlen(hex));
	OPENSSL_free(hex);
	BN_free(bn);
}

int crl_number_take(const struct ca *ca, const char *folder, size_t n, char *first, struct err *e)
{
	char next[SERIAL_MAX], *line;
	int rc;

	if ((rc = crl_number_next(ca, folder, first, e)) < 0)
		return rc;
	crl_number_after(first, n, next);
	if (strlen(next) > 40 || (strlen(next) == 40 && next[0] > '7'))
		return err_set(e, ERR_REFUSED, _("%s: %zu more CRL numbers than %s would pass 20 octets (RFC 5280 5.2.3)"),
		    ca->crlnumber, n, first);
	line = mem_printf("%s\n", next);
	rc = fs_write(ca->crlnumber, line, strlen(line), 0644, e);
	free(line);
	return rc;
}

int crl_store(const char *path, const void *der, size_t len, bool pem, struct err *e)
{
	char *beside = mem_printf("%.*s.pem", (int)(strlen(path) - 4), path);
	int rc = pem ? crl_pem_write(beside, der, len, e) : 0;

	free(beside);
	return rc < 0 ? rc : fs_write(path, der, len, 0644, e);
}

/* A configuration that holds nothing but the names of the distribution point. */
static CONF *scope_conf(const json_t *urls, struct err *e)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?[]@!&'()*+,;=%";
	struct buf b = { 0 };
	CONF *conf = NULL;
	const json_t *v;
	BIO *bio;
	size_t i;

	buf_adds(&b, "[sev1_point]\nfullname = @sev1_names\n[sev1_names]\n");
	json_array_foreach(urls, i, v) {
		const char *url = json_is_string(v) ? json_string_value(v) : "";

		if (url[0] == '\0' || url[strspn(url, plain)] != '\0') {
			err_set(e, ERR_USAGE, _("the distribution point %s holds a character that a URL must write as %%XX"), url);
			buf_free(&b);
			return NULL;
		}
		buf_addf(&b, "URI.%zu = \"%s\"\n", i, url);
	}
	bio = BIO_new_mem_buf(buf_str(&b), (int)b.len);
	conf = bio != NULL ? NCONF_new(NULL) : NULL;
	if (conf == NULL || NCONF_load_bio(conf, bio, NULL) <= 0) {
		err_set(e, ERR_FAILED, _("the distribution points cannot be encoded (%s)"), cert_why());
		NCONF_free(conf);
		conf = NULL;
	}
	BIO_free(bio);
	buf_free(&b);
	return conf;
}

int crl_store_make(const struct ca *ca, X509 *cert, EVP_PKEY *key, const struct listing *l,
    const struct crl_scope *scope, const char *folder, const struct crl_terms *terms, bool pem, struct crl_file *out,
    struct err *e)
{
	struct ca local = *ca;
	struct crl_terms mine = *terms;
	struct listing mine_l = *l;
	struct crl crl = { 0 };
	char *name = mem_printf("%s-%s.crl", ca->name, terms->number), *path = fs_join(folder, name);
	CONF *conf = NULL;
	int rc = 0;

	*out = (struct crl_file){ 0 };
	mine_l.want = scope->want;
	if (scope->urls == NULL) {
		mine_l.part = NULL;
	} else if ((conf = scope_conf(scope->urls, e)) == NULL) {
		rc = e->code;
	} else {
		local.conf = conf;
		mine.distribution = "critical,@sev1_point";
	}
	if (rc == 0 && (rc = crl_make(&local, cert, key, &mine_l, &mine, &crl, e)) == 0 &&
	    (rc = fs_mkdirs(folder, 0700, e)) == 0 && (rc = crl_store(path, crl.der, crl.len, pem, e)) == 0)
		rc = crl_file_verify(path, cert, &mine_l, out, e);
	crl_clear(&crl);
	NCONF_free(conf);
	free(name);
	free(path);
	return rc;
}
