#include "pki/crl_file.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"
#include "pki/cert.h"

#define CRL_MAX ((size_t)1 << 30)
#define NUMBER_MAX 256 /* octets of a crlnumber file */

void crl_file_clear(struct crl_file *f)
{
	free(f->der);
	free(f->pem);
	*f = (struct crl_file){ 0 };
}

void watch_stage(const struct watch *w, const char *stage)
{
	if (w != NULL && w->stage != NULL)
		w->stage(w->ctx, stage);
}

void watch_step(const struct watch *w, const char *step)
{
	if (w != NULL && w->step != NULL)
		w->step(w->ctx, step);
}

void watch_progress(const struct watch *w, int64_t done, int64_t total, const char *text)
{
	if (w != NULL && w->progress != NULL)
		w->progress(w->ctx, done, total, text);
}

int crl_file_read(const char *path, struct buf *b, struct err *e)
{
	unsigned char *der = NULL;
	char *name = NULL, *header = NULL;
	long len = 0;
	BIO *bio;
	int rc;

	if ((rc = fs_read(path, b, CRL_MAX, e)) < 0)
		return rc;
	if (b->len == 0 || b->data[0] == 0x30)
		return 0;
	bio = BIO_new_mem_buf(b->data, (int)b->len);
	rc = bio != NULL ? PEM_read_bio(bio, &name, &header, &der, &len) : 0;
	BIO_free(bio);
	if (rc == 1 && strcmp(name, PEM_STRING_X509_CRL) == 0) {
		buf_clear(b);
		buf_add(b, der, (size_t)len);
		rc = 0;
	} else {
		rc = err_set(e, ERR_SYNTAX, _("%s: neither DER nor a PEM CRL"), path);
	}
	ERR_clear_error();
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	return rc;
}

/* Compare two canonical positive numbers. */
static int number_cmp(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}

/* Add one to a canonical number. */
static void number_add(char *number)
{
	BIGNUM *bn = NULL;
	char *hex;

	if (BN_hex2bn(&bn, number) == 0 || BN_add_word(bn, 1) != 1 || (hex = BN_bn2hex(bn)) == NULL)
		mem_alloc((size_t)-1); /* the text was checked: only memory can be short */
	else {
		serial_canon(number, hex, strlen(hex));
		OPENSSL_free(hex);
	}
	BN_free(bn);
}

static bool number_below_limit(const char *number)
{
	/* RFC 5280 5.2.3: at most 20 octets, and non-negative */
	return strlen(number) < 40 || (strlen(number) == 40 && number[0] <= '7');
}

char *crl_file_last(const struct ca *ca, const char *folder, char *number)
{
	char *prefix = mem_printf("%s-", ca->name), *path = NULL, this[SERIAL_MAX];
	size_t pre = strlen(prefix), n;
	struct dirent *de;
	DIR *d = opendir(folder);

	number[0] = '\0';
	while (d != NULL && (de = readdir(d)) != NULL) {
		n = strlen(de->d_name);
		if (strncmp(de->d_name, prefix, pre) != 0 || n < pre + 5 ||
		    strcmp(de->d_name + n - 4, ".crl") != 0 || de->d_name[pre] == '-' ||
		    serial_canon(this, de->d_name + pre, n - pre - 4) == 0)
			continue;
		if (path != NULL && number_cmp(this, number) <= 0)
			continue;
		free(path);
		path = fs_join(folder, de->d_name);
		memcpy(number, this, sizeof this);
	}
	if (d != NULL)
		closedir(d);
	free(prefix);
	return path;
}

/* Read and parse a CRL; v is empty where there is none. What it points into is owned by b. */
static bool crl_look(const char *path, struct buf *b, struct crl_view *v)
{
	return path != NULL && path[0] != '\0' && crl_file_read(path, b, NULL) == 0 &&
	    crl_parse(v, buf_str(b), b->len, NULL) == 0;
}

int64_t crl_gone(const struct ca *ca, const char *folder)
{
	char number[SERIAL_MAX], *mine = crl_file_last(ca, folder, number);
	const char *const path[2] = { mine, ca->crl };
	int64_t gone = INT64_MIN;

	for (size_t i = 0; i < 2; i++) {
		struct buf b = { 0 };
		struct crl_view v;

		if (crl_look(path[i], &b, &v) && v.this_update / 1000 > gone)
			gone = v.this_update / 1000;
		buf_free(&b);
	}
	free(mine);
	return gone;
}

/* The highest number known to be used: in folder, or in the CA's own CRL file. "" where none. */
static void number_floor(const struct ca *ca, const char *folder, char *number)
{
	struct buf b = { 0 };
	struct crl_view v;

	free(crl_file_last(ca, folder, number));
	if (crl_look(ca->crl, &b, &v) && v.number[0] != '\0' && v.number[0] != '-' &&
	    (number[0] == '\0' || number_cmp(v.number, number) > 0))
		memcpy(number, v.number, sizeof v.number);
	buf_free(&b);
}

/* The text of the file: a canonical number, or "" where there is no file that sev1 keeps itself. */
static int number_read(const struct ca *ca, char *out, struct err *e)
{
	struct buf b = { 0 };
	size_t n;
	int rc = 0;

	out[0] = '\0';
	if (ca->crlnumber_own && !fs_exists(ca->crlnumber))
		return 0;
	if (fs_read(ca->crlnumber, &b, NUMBER_MAX, e) < 0) {
		rc = e != NULL ? e->code : ERR_IO;
		err_remedy(e, _("write the last CRL's number plus one into it, in hexadecimal: printf '%%s\\n' 1000 > "
		    "%s"), ca->crlnumber);
		goto out;
	}
	for (n = b.len; n > 0 && strchr("\r\n \t", b.data[n - 1]) != NULL; n--)
		;
	if (n == 0 || b.data[0] == '-' || serial_canon(out, b.data, n) == 0 ||
	    !number_below_limit(out)) {
		char *text = text_escaped(buf_str(&b), n, 40);

		rc = err_set(e, ERR_SYNTAX, _("%s: \"%s\" is not a CRL number in hexadecimal"), ca->crlnumber,
		    text);
		err_remedy(e, _("write the last CRL's number plus one into it, in hexadecimal: printf '%%s\\n' 1000 > "
		    "%s"), ca->crlnumber);
		free(text);
	}
out:
	buf_free(&b);
	return rc;
}

int crl_number_next(const struct ca *ca, const char *folder, char *out, struct err *e)
{
	char floor[SERIAL_MAX];
	int rc;

	if ((rc = number_read(ca, out, e)) < 0)
		return rc;
	number_floor(ca, folder, floor);
	if (out[0] == '\0') {
		memcpy(out, floor[0] != '\0' ? floor : "00", strlen(floor[0] != '\0' ? floor : "00") + 1);
		number_add(out);
		return 0;
	}
	if (floor[0] == '\0' || number_cmp(out, floor) > 0)
		return 0;
	err_set(e, ERR_REFUSED, _("%s: the next CRL number is %s, but CRL %s has been made already"),
	    ca->crlnumber, out, floor);
	number_add(floor);
	return err_remedy(e, _("printf '%%s\\n' %s > %s"), floor, ca->crlnumber);
}

/* Encode to PEM as it is written: the text is a third larger than the DER and need not be in memory. */
static int pem_write(const char *path, const unsigned char *der, size_t len, struct err *e)
{
	static const char head[] = "-----BEGIN X509 CRL-----\n", foot[] = "-----END X509 CRL-----\n";
	enum { LINE = 48, LINES = 1024 };
	unsigned char *block = mem_alloc(LINES * (LINE / 3 * 4 + 1) + 1);
	char *tmp = NULL;
	size_t at = 0, n;
	int fd, rc = 0;

	if ((fd = fs_beside(path, 0644, &tmp, e)) < 0) {
		free(block);
		return fd;
	}
	if (fs_put(fd, head, sizeof head - 1) < 0)
		rc = err_sys(e, "%s", path);
	while (rc == 0 && len > 0) {
		for (at = 0; len > 0 && at < LINES * (LINE / 3 * 4 + 1); der += n, len -= n) {
			n = len < LINE ? len : LINE;
			at += (size_t)EVP_EncodeBlock(block + at, der, (int)n);
			block[at++] = '\n';
		}
		if (fs_put(fd, block, at) < 0)
			rc = err_sys(e, "%s", path);
	}
	if (rc == 0 && fs_put(fd, foot, sizeof foot - 1) < 0)
		rc = err_sys(e, "%s", path);
	if (rc == 0) {
		rc = fs_commit(fd, tmp, path, e);
	} else {
		close(fd);
		unlink(tmp);
	}
	free(tmp);
	free(block);
	return rc;
}

static char *pem_beside(const char *der)
{
	return mem_printf("%.*s.pem", (int)(strlen(der) - 4), der);
}

int crl_file_verify(const char *path, X509 *cert, const struct listing *l, struct crl_file *out,
    struct err *e)
{
	struct listing then = *l;
	struct buf b = { 0 };
	struct crl_view v;
	int rc;

	*out = (struct crl_file){ 0 };
	if ((rc = fs_read(path, &b, CRL_MAX, e)) < 0)
		goto out;
	if ((rc = crl_parse(&v, buf_str(&b), b.len, e)) == 0 && !crl_issuer_is(&v, cert))
		rc = err_set(e, ERR_FAILED, _("the CRL is of another issuer"));
	then.gone = rc == 0 ? v.this_update / 1000 : INT64_MIN;
	if (rc < 0 || (rc = crl_verify(&v, cert, e)) < 0 || (rc = crl_compare(&v, &then, e)) < 0) {
		err_prefix(e, "%s", path);
		goto out;
	}
	memcpy(out->number, v.number, sizeof out->number);
	out->entries = v.count;
	out->this_update = v.this_update;
	out->next_update = v.next_update;
	out->octets = (int64_t)b.len;
	digest_of(buf_str(&b), b.len, out->sha256);
	out->der = mem_strdup(path);
	out->pem = pem_beside(path);
	snprintf(out->signature, sizeof out->signature, "%s", crl_algorithm(&v));
out:
	buf_free(&b);
	return rc;
}

static int number_write(const struct ca *ca, const char *used, struct err *e)
{
	char next[SERIAL_MAX], *line;
	int rc;

	memcpy(next, used, strlen(used) + 1);
	number_add(next);
	line = mem_printf("%s\n", next);
	rc = fs_write(ca->crlnumber, line, strlen(line), 0644, e);
	free(line);
	return rc;
}

int crl_file_make(const struct ca *ca, X509 *cert, EVP_PKEY *key, const struct listing *l,
    const char *folder, int64_t now, int hours, const struct watch *w, struct crl_file *out,
    struct err *e)
{
	struct crl crl = { 0 };
	char number[SERIAL_MAX], *name = NULL, *der = NULL, *pem = NULL;
	int64_t at = now / 1000 * 1000;
	int rc;

	*out = (struct crl_file){ 0 };
	if (hours < 1 || hours > 24 * 366)
		return err_set(e, ERR_USAGE, _("a CRL is valid for 1 to 8784 hours, not %d"), hours);
	if ((rc = crl_number_next(ca, folder, number, e)) < 0)
		return rc;
	name = mem_printf("%s-%s.crl", ca->name, number);
	der = fs_join(folder, name);
	pem = pem_beside(der);
	watch_step(w, "crl sign");
	if ((rc = crl_make(ca, cert, key, l, &(struct crl_terms){ at, at + (int64_t)hours * 3600000, number, NULL },
	        &crl, e)) < 0)
		goto out;
	watch_step(w, "crl number");
	if ((rc = number_write(ca, number, e)) < 0)
		goto out;
	watch_step(w, "crl pem");
	if ((rc = pem_write(pem, crl.der, crl.len, e)) < 0)
		goto out;
	watch_step(w, "crl der");
	if ((rc = fs_write(der, crl.der, crl.len, 0644, e)) < 0)
		goto out;
	crl_clear(&crl);
	watch_stage(w, "verify");
	watch_step(w, "crl verify");
	rc = crl_file_verify(der, cert, l, out, e);
out:
	crl_clear(&crl);
	free(name);
	free(der);
	free(pem);
	return rc;
}
