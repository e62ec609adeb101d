#include "mail_scene.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"

static char *key_pem, *cert_pem_text, *csr_pem, *key_quoted, *key_der64;

static char *bio_take(BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	char *s = mem_strndup(p, (size_t)n);

	BIO_free(bio);
	return s;
}

static void scene_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	ASN1_INTEGER_set(X509_get_serialNumber(x), 0x1000);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"web1", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, x), 1);
	cert_pem_text = bio_take(bio);
	X509_free(x);
}

static void scene_request(EVP_PKEY *key)
{
	X509_REQ *req = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());

	X509_REQ_set_pubkey(req, key);
	assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509_REQ(bio, req), 1);
	csr_pem = bio_take(bio);
	X509_REQ_free(req);
}

static void scene_der(EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int n = i2d_PrivateKey(key, &der);

	assert_true(n > 0);
	key_der64 = mem_zalloc(2, (size_t)n);
	EVP_EncodeBlock((unsigned char *)key_der64, der, n);
	OPENSSL_free(der);
}

void mail_scene_open(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	struct buf quoted = { 0 };

	assert_non_null(key);
	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	key_pem = bio_take(bio);
	for (const char *p = key_pem; *p != '\0'; p += strcspn(p, "\n") + 1)
		buf_addf(&quoted, "> %.*s\n", (int)strcspn(p, "\n"), p);
	key_quoted = buf_take(&quoted);
	scene_certificate(key);
	scene_request(key);
	scene_der(key);
	EVP_PKEY_free(key);
}

void mail_scene_close(void)
{
	free(key_pem);
	free(cert_pem_text);
	free(csr_pem);
	free(key_quoted);
	free(key_der64);
}

const char *mail_scene_key(void)
{
	return key_pem;
}

static char *scene_folder(void)
{
	const char *src = getenv("SRCDIR");

	return mem_printf("%s/tests/data/mail", src != NULL ? src : ".");
}

static int name_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **mail_scene_names(size_t *n)
{
	char *folder = scene_folder(), **list = NULL;
	DIR *d = opendir(folder);
	struct dirent *it;

	assert_non_null(d);
	for (*n = 0; (it = readdir(d)) != NULL;) {
		if (it->d_name[0] == '.')
			continue;
		list = mem_grow(list, *n + 1, sizeof *list);
		list[(*n)++] = mem_strdup(it->d_name);
	}
	closedir(d);
	free(folder);
	qsort(list, *n, sizeof *list, name_cmp);
	return list;
}

void mail_scene_read(const char *name, struct buf *out)
{
	const struct {
		const char *mark, *text;
	} marks[] = { { "@KEY@", key_pem }, { "@QKEY@", key_quoted }, { "@KEYDER64@", key_der64 }, { "@CERT@", cert_pem_text },
		{ "@CSR@", csr_pem } };
	char *folder = scene_folder(), *path = fs_join(folder, name);
	struct buf raw = { 0 };
	struct err e = { 0 };

	assert_int_equal(fs_read(path, &raw, 1 << 20, &e), 0);
	for (size_t i = 0, n; i < raw.len; i += n) {
		n = 0;
		for (size_t k = 0; n == 0 && k < sizeof marks / sizeof marks[0]; k++)
			if (raw.len - i >= strlen(marks[k].mark) && memcmp(raw.data + i, marks[k].mark, strlen(marks[k].mark)) == 0) {
				buf_adds(out, marks[k].text);
				n = strlen(marks[k].mark);
			}
		if (n == 0) {
			buf_addc(out, raw.data[i]);
			n = 1;
		}
	}
	buf_free(&raw);
	free(path);
	free(folder);
}
