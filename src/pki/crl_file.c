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

#include "base/beside.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/crl_hours.h"
#include "pki/crl_pem.h"
#include "pki/crl_store.h"

#define CRL_MAX ((size_t)1 << 30)
#define CRL_APART ((size_t)1 << 22) /* from this many octets on DER and PEM are written side by side */
#define NUMBER_MAX 256 /* octets of a crlnumber file */

void crl_file_clear(struct crl_file *f)
{
	free(f->der);
	free(f->pem);
	*f = (struct crl_file){ 0 };
}

int crl_file_read(const char *path, struct buf *b, struct err *e)
{
	unsigned char *der = NULL;
	long len = 0;
	BIO *bio;
	int rc;

	if ((rc = fs_read(path, b, CRL_MAX, e)) < 0)
		return rc;
	if (b->len == 0 || b->data[0] == 0x30)
		return 0;
	bio = BIO_new_mem_buf(b->data, (int)b->len);
	rc = bio != NULL ? PEM_bytes_read_bio(&der, &len, NULL, PEM_STRING_X509_CRL, bio, NULL, NULL) : 0;
	BIO_free(bio);
	if (rc == 1) {
		buf_clear(b);
		buf_add(b, der, (size_t)len);
		rc = 0;
	} else {
		rc = err_set(e, ERR_SYNTAX, _("%s: neither DER nor a PEM CRL"), path);
	}
	ERR_clear_error();
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

int64_t crl_gone(const struct ca *ca, X509 *cert, const char *folder, int64_t now)
{
	char number[SERIAL_MAX], *mine = crl_file_last(ca, folder, number);
	const char *const path[2] = { mine, ca->crl };
	int64_t gone = INT64_MIN;

	for (size_t i = 0; i < 2; i++) {
		struct buf b = { 0 };
		struct crl_view v;

		if (crl_look(path[i], &b, &v) && crl_issuer_is(&v, cert) && v.this_update <= now && v.this_update / 1000 > gone)
			gone = v.this_update / 1000;
		buf_free(&b);
	}
	free(mine);
	return gone;
}

/* The highest number known to be used: in folder, or in the CA's own CRL file. "" where none. */
static void number_floor(const struct ca *ca, const char *folder, char *number)
{
	X509 *cert = ca_certificate(ca, NULL);
	struct buf b = { 0 };
	struct crl_view v;

	free(crl_file_last(ca, folder, number));
	if (crl_look(ca->crl, &b, &v) && (cert == NULL || crl_issuer_is(&v, cert)) && v.number[0] != '\0' &&
	    v.number[0] != '-' && (number[0] == '\0' || number_cmp(v.number, number) > 0))
		memcpy(number, v.number, sizeof v.number);
	crl_store_floor(ca, folder, number);
	X509_free(cert);
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

		rc = err_set(e, ERR_SYNTAX, out[0] != '\0' && b.data[0] != '-'
		    ? _("%s: %s is longer than 20 octets, which no CRL number may be (RFC 5280 5.2.3)")
		    : _("%s: \"%s\" is not a CRL number in hexadecimal"), ca->crlnumber, text);
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

static char *pem_beside(const char *der)
{
	return mem_printf("%.*s.pem", (int)(strlen(der) - 4), der);
}

static void crl_describe(struct crl_file *out, const struct crl_view *v, const char *path, size_t octets)
{
	memcpy(out->number, v->number, sizeof out->number);
	out->entries = v->count;
	out->this_update = v->this_update;
	out->next_update = v->next_update;
	out->octets = (int64_t)octets;
	out->der = mem_strdup(path);
	out->pem = pem_beside(path);
	snprintf(out->signature, sizeof out->signature, "%s", crl_algorithm(v));
}

/* Is it what it should be? */
static int crl_judge(const struct crl_view *v, X509 *cert, const struct listing *l, struct err *e)
{
	int rc;

	if (!crl_issuer_is(v, cert))
		return err_set(e, ERR_FAILED, _("the CRL is of another issuer"));
	if ((rc = crl_verify(v, cert, e)) < 0)
		return rc;
	return crl_compare(v, l, e);
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
	if ((rc = crl_parse(&v, buf_str(&b), b.len, e)) == 0) {
		then.gone = v.this_update / 1000;
		rc = crl_judge(&v, cert, &then, e);
	}
	if (rc < 0) {
		err_prefix(e, "%s", path);
		goto out;
	}
	crl_describe(out, &v, path, b.len);
	digest_of(buf_str(&b), b.len, out->sha256);
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

void crl_draft_clear(struct crl_draft *d)
{
	crl_clear(&d->crl);
	free(d->der);
	free(d->pem);
	*d = (struct crl_draft){ 0 };
}

int crl_hours_check(int hours, struct err *e)
{
	return hours >= 1 && hours <= CRL_HOURS_MAX ? 0 : err_set(e, ERR_USAGE, _("a CRL is valid for 1 to %d hours, not %d"),
	    CRL_HOURS_MAX, hours);
}

int crl_file_sign(struct crl_draft *d, const struct ca *ca, X509 *cert, EVP_PKEY *key,
    const struct listing *l, const char *folder, int64_t now, int hours, const struct watch *w, struct err *e)
{
	int64_t at = now / 1000 * 1000;
	char *name;
	int rc;

	*d = (struct crl_draft){ .ca = ca, .cert = cert, .l = l };
	if ((rc = crl_hours_check(hours, e)) < 0 || (rc = crl_number_next(ca, folder, d->number, e)) < 0)
		return rc;
	name = mem_printf("%s-%s.crl", ca->name, d->number);
	d->der = fs_join(folder, name);
	d->pem = pem_beside(d->der);
	free(name);
	watch_step(w, "crl sign");
	rc = crl_make(ca, cert, key, l, &(struct crl_terms){ at, at + (int64_t)hours * 3600000, d->number, NULL },
	    &d->crl, e);
	if (rc < 0)
		crl_draft_clear(d);
	return rc;
}

/* The PEM beside the DER, which may be written at the same time. */
struct pem_work {
	const struct crl_draft *draft;
	struct err error;
};

static void pem_work(void *arg)
{
	struct pem_work *p = arg;

	crl_pem_write(p->draft->pem, p->draft->crl.der, p->draft->crl.len, &p->error);
}

/* What was signed must hold what it should, and verify. It is looked at while it is written: that the file has the
 * same octets is the writer's proof. */
struct judge_work {
	const struct crl_draft *draft;
	struct crl_view view;
	struct err error;
};

static void judge_work(void *arg)
{
	struct judge_work *j = arg;
	const struct crl_draft *d = j->draft;

	if (crl_parse(&j->view, d->crl.der, d->crl.len, &j->error) == 0)
		crl_judge(&j->view, d->cert, d->l, &j->error);
}

/* The DER as a file without its name; returns its descriptor. */
static int draft_der(const struct crl_draft *d, const struct watch *w, char **tmp, char sha256[DIGEST_HEX], struct err *e)
{
	int fd, rc = 0;

	watch_step(w, "crl der");
	if ((fd = fs_beside(d->der, 0644, tmp, e)) < 0)
		return fd;
	if (fs_put(fd, d->crl.der, d->crl.len) < 0)
		rc = err_sys(e, "%s", d->der);
	digest_of(d->crl.der, d->crl.len, sha256); /* while the disk is at work */
	if (rc == 0 && fsync(fd) < 0)
		rc = err_sys(e, "%s", d->der);
	watch_stage(w, "verify");
	watch_step(w, "crl verify");
	if (rc == 0 && (rc = fs_same(fd, d->crl.der, d->crl.len, e)) < 0)
		err_prefix(e, "%s", d->der);
	if (rc == 0)
		return fd;
	close(fd);
	unlink(*tmp);
	free(*tmp);
	*tmp = NULL;
	return rc;
}

/* The first error of three pieces of work. */
static int draft_error(struct err *e, int rc, const struct crl_draft *d, struct judge_work *judge, const struct pem_work *pem)
{
	if (rc >= 0 && judge->error.code < 0) {
		err_prefix(&judge->error, "%s", d->der);
		*e = judge->error;
	} else if (rc >= 0 && pem->error.code < 0) {
		*e = pem->error;
	} else {
		return rc < 0 ? rc : 0;
	}
	return e->code;
}

static int draft_write(const struct crl_draft *d, const struct watch *w, struct crl_file *out, struct err *e)
{
	struct pem_work pem = { .draft = d };
	struct judge_work judge = { .draft = d };
	struct beside beside[2];
	bool apart = d->crl.len > CRL_APART;
	char *tmp = NULL;
	int fd, rc;

	watch_step(w, "crl pem");
	beside_start(&beside[0], apart, judge_work, &judge);
	beside_start(&beside[1], apart, pem_work, &pem);
	fd = draft_der(d, w, &tmp, out->sha256, e);
	beside_end(&beside[1]);
	beside_end(&beside[0]);
	rc = draft_error(e, fd, d, &judge, &pem);
	watch_step(w, "crl name");
	if (rc == 0) {
		crl_describe(out, &judge.view, d->der, d->crl.len);
		rc = fs_commit(fd, tmp, d->der, e);
	} else if (fd >= 0) {
		close(fd);
		unlink(tmp);
	}
	free(tmp);
	return rc;
}

int crl_file_store(struct crl_draft *d, const struct watch *w, struct crl_file *out, struct err *e)
{
	int rc;

	*out = (struct crl_file){ 0 };
	watch_step(w, "crl number");
	if ((rc = number_write(d->ca, d->number, e)) == 0 && (rc = draft_write(d, w, out, e)) < 0)
		crl_file_clear(out);
	crl_draft_clear(d);
	return rc;
}

int crl_file_make(const struct ca *ca, X509 *cert, EVP_PKEY *key, const struct listing *l,
    const char *folder, int64_t now, int hours, const struct watch *w, struct crl_file *out,
    struct err *e)
{
	struct crl_draft d;
	int rc;

	*out = (struct crl_file){ 0 };
	if ((rc = crl_file_sign(&d, ca, cert, key, l, folder, now, hours, w, e)) < 0)
		return rc;
	return crl_file_store(&d, w, out, e);
}
