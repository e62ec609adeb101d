#include "pki/issue.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/fs_group.h"
#include "base/i18n.h"
#include "pki/build.h"
#include "pki/cert.h"
#include "pki/revinfo.h"

#define LOCK_WAIT_MS 10000

struct batch {
	const struct issuer *is;
	struct index *x;
	struct sorted *rows;
	size_t n;
	char serial[SERIAL_MAX]; /* the next one of the serial file; "" where random */
	struct buf added;        /* rows for the index */
	struct fs_group files;   /* the serial and the certificates: durable before a row names them */
	struct err keyless;      /* the key did not sign: that is no fault of an item */
};

void issue_item_clear(struct issue_item *item)
{
	X509_NAME_free(item->subject);
	EVP_PKEY_free(item->key);
	X509_PUBKEY_free(item->as);
	X509_free(item->made);
	*item = (struct issue_item){ 0 };
}

static int serial_load(struct batch *b, struct err *e)
{
	const struct ca *ca = b->is->ca;
	struct buf text = { 0 };
	size_t n;
	int rc = 0;

	b->serial[0] = '\0';
	if (ca->rand_serial || ca->serial[0] == '\0')
		return 0;
	if ((rc = fs_read(ca->serial, &text, 256, e)) == 0) {
		for (n = text.len; n > 0 && strchr("\r\n \t", text.data[n - 1]) != NULL; n--)
			;
		if (n == 0 || text.data[0] == '-' || serial_canon(b->serial, text.data, n) == 0 ||
		    strlen(b->serial) > 40)
			rc = err_set(e, ERR_SYNTAX, _("%s: not a serial in hexadecimal"), ca->serial);
	}
	if (rc < 0)
		err_remedy(e, _("write the next serial into it: one that is above all in %s"), ca->database);
	buf_free(&text);
	return rc;
}

/* The next serial that is not in the index. */
static void serial_take(struct batch *b, char *out)
{
	BIGNUM *bn = BN_new();
	unsigned char octets[16];
	char *hex;

	do {
		if (b->serial[0] == '\0') {
			if (RAND_bytes(octets, sizeof octets) != 1)
				mem_alloc((size_t)-1); /* without randomness nothing may be signed */
			octets[0] = (unsigned char)((octets[0] & 0x7f) | 0x40); /* positive, full length */
			BN_bin2bn(octets, sizeof octets, bn);
			hex = BN_bn2hex(bn);
			serial_canon(out, hex, strlen(hex));
		} else {
			memcpy(out, b->serial, sizeof b->serial);
			BN_hex2bn(&bn, b->serial);
			BN_add_word(bn, 1);
			hex = BN_bn2hex(bn);
			serial_canon(b->serial, hex, strlen(hex));
		}
		OPENSSL_free(hex);
	} while (index_find(b->x, b->rows, b->n, out) != NULL);
	BN_free(bn);
}

static int serial_save(struct batch *b, struct err *e)
{
	char line[SERIAL_MAX + 2];

	if (b->serial[0] == '\0')
		return 0;
	snprintf(line, sizeof line, "%s\n", b->serial);
	return fs_group_add(&b->files, b->is->ca->serial, line, strlen(line), 0644, e);
}

/* The same names in the same order, as the extension has them. */
static bool same_sans(X509 *a, X509 *b)
{
	int i = X509_get_ext_by_NID(a, NID_subject_alt_name, -1);
	int j = X509_get_ext_by_NID(b, NID_subject_alt_name, -1);

	if (i < 0 || j < 0)
		return i < 0 && j < 0;
	return ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_get_ext(a, i)),
	           X509_EXTENSION_get_data(X509_get_ext(b, j))) == 0;
}

/* Did an earlier run issue this very certificate? A row of the same subject whose file has the same
 * key and names and is not older than since. */
static X509 *issued_before(const struct batch *b, const struct issue_item *item, X509 *want, const struct row *r)
{
	char serial[SERIAL_MAX], *path;
	X509 *x = NULL;

	row_canon(b->x, r, serial);
	path = ca_issued_path(b->is->ca, serial);
	if (fs_exists(path))
		x = cert_read(path, NULL);
	if (x != NULL && (cert_time(X509_get0_notBefore(x)) < b->is->since / 1000 * 1000 ||
	    EVP_PKEY_eq(X509_get0_pubkey(x), item->key) != 1 || !same_sans(x, want) ||
	    !cert_issued_by(x, b->is->cert))) {
		X509_free(x);
		x = NULL;
	}
	ERR_clear_error();
	free(path);
	return x;
}

/* A valid row of the same subject: the certificate of an earlier run, or in the way where subjects
 * must be unique. 1 where item->made is set from it. */
static int item_known(const struct batch *b, struct issue_item *item, X509 *want, int64_t now)
{
	char *name = cert_name(item->subject), serial[SERIAL_MAX];
	size_t want_len = strlen(name), len;
	int rc = 0;

	for (size_t i = b->x->rows; rc == 0 && i-- > 0;) {
		const struct row *r = &b->x->row[i];
		const char *p;

		if (r->kind != ROW_VALID || (p = row_name(b->x, r, &len), len != want_len) ||
		    memcmp(p, name, len) != 0 || row_expired(r, now))
			continue;
		if (b->is->since > 0 && (item->made = issued_before(b, item, want, r)) != NULL) {
			item->reused = true;
			rc = 1;
		} else if (b->is->ca->unique_subject) {
			row_canon(b->x, r, serial);
			rc = err_set(&item->error, ERR_REFUSED, _("unique_subject = yes, and the valid certificate %s has "
			    "the same subject"), serial);
			err_remedy(&item->error, _("revoke that one, or set unique_subject = no in %s"),
			    b->is->ca->attr);
		}
	}
	free(name);
	return rc;
}

/* The same was asked for twice in one go: one certificate for both. Or only the same subject, where that must
 * be unique. */
static bool batch_twin(const struct batch *b, struct issue_item *item, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (item[j].made == NULL || X509_NAME_cmp(item[j].subject, item[i].subject) != 0)
			continue;
		if (b->is->since > 0 && EVP_PKEY_eq(item[j].key, item[i].key) == 1 &&
		    json_equal(item[j].names, item[i].names)) {
			X509_up_ref(item[j].made);
			item[i].made = item[j].made;
			item[i].reused = true;
			return true;
		}
		if (b->is->ca->unique_subject) {
			err_set(&item[i].error, ERR_REFUSED, _("unique_subject = yes, and the same subject was asked for twice"));
			return true;
		}
	}
	ERR_clear_error();
	return false;
}

static int item_make(struct batch *b, struct issue_item *item, int64_t now)
{
	const struct issuer *is = b->is;
	struct err *e = &item->error;
	char serial[SERIAL_MAX] = "01", real[SERIAL_MAX];
	X509 *x;
	int rc;

	/* a serial only once it is sure that there will be a certificate */
	if ((x = build_new(is->cert, serial, item->subject, item->as != NULL ? NULL : item->key, now, is->days, e)) == NULL)
		return e->code;
	if (item->as != NULL && !build_key_as(x, item->as) && X509_set_pubkey(x, item->key) != 1) {
		X509_free(x);
		return err_set(e, ERR_FAILED, _("the certificate could not be made (%s)"), cert_why());
	}
	rc = item->names != NULL ? build_server_extensions(x, is->ca, is->cert, item->names, e)
	                         : build_ca_extensions(x, is->ca, is->cert, false, e);
	if (rc < 0 || (rc = item_known(b, item, x, now)) != 0) {
		X509_free(x);
		return rc < 0 ? rc : 0;
	}
	serial_take(b, real);
	build_serial(x, real);
	if ((rc = build_sign(x, is->key, is->ca->default_md, e)) < 0) {
		b->keyless = *e;
		X509_free(x);
		return rc;
	}
	item->made = x;
	return 0;
}

/* The certificate's file, before its row. A drive that is full shows here. */
static int item_store(struct batch *b, const struct issue_item *item, struct err *e)
{
	char *serial = cert_serial(X509_get0_serialNumber(item->made));
	char *path = ca_issued_path(b->is->ca, serial), *pem = cert_pem(item->made), until[16];
	char *name = cert_name(X509_get_subject_name(item->made));
	int rc;

	if (path[0] == '\0')
		rc = err_set(e, ERR_SYNTAX, _("%s: [%s] has no 'new_certs_dir'"), b->is->ca->config,
		    b->is->ca->section);
	else
		rc = fs_group_add(&b->files, path, pem, strlen(pem), 0644, e);
	time_write(until, cert_time(X509_get0_notAfter(item->made)) / 1000);
	buf_addf(&b->added, "V\t%s\t\t%s\tunknown\t%s\n", until, serial, name);
	free(serial);
	free(path);
	free(pem);
	free(name);
	return rc;
}

/* The index with the new rows: a new file, renamed over the old one once what its rows name is there. */
static int batch_index(struct batch *b, struct err *e)
{
	const char *path = b->is->ca->database;
	char *tmp;
	int fd, rc;

	if (b->added.len == 0)
		return fs_group_commit(&b->files, -1, e);
	if ((fd = fs_beside(path, 0644, &tmp, e)) < 0)
		return fd;
	if (fs_put(fd, b->x->data, b->x->len) < 0 ||
	    (b->x->open_end && fs_put(fd, "\n", 1) < 0) ||
	    fs_put(fd, buf_str(&b->added), b->added.len) < 0)
		rc = err_sys(e, "%s", path);
	else
		rc = fs_group_commit(&b->files, fd, e);
	if (rc == 0) {
		rc = fs_replace(fd, tmp, path, &b->x->st, e);
	} else {
		close(fd);
		unlink(tmp);
	}
	free(tmp);
	return rc;
}

static int batch_run(struct batch *b, struct issue_item *item, size_t n, int64_t now, struct err *e)
{
	int rc;

	if ((b->x = index_load(b->is->ca->database, e)) == NULL)
		return e->code;
	if ((rc = index_refuse_bad(b->x, e)) < 0 || (rc = serial_load(b, e)) < 0)
		return rc;
	if ((b->rows = index_sorted(b->x, &b->n, e)) == NULL)
		return e->code;
	for (size_t i = 0; i < n && b->keyless.code == 0; i++) {
		if (item[i].error.code == 0 && !batch_twin(b, item, i))
			item_make(b, &item[i], now);
	}
	if (b->keyless.code != 0) {
		if (e != NULL)
			*e = b->keyless;
		return b->keyless.code;
	}
	if ((rc = serial_save(b, e)) < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (item[i].made != NULL && !item[i].reused)
			rc = item_store(b, &item[i], e);
	return rc == 0 ? batch_index(b, e) : rc;
}

int issue_all(const struct issuer *is, struct issue_item *item, size_t n, int64_t now, struct err *e)
{
	struct batch b = { .is = is };
	int lock, rc;

	if ((lock = fs_lock(is->ca->database, LOCK_WAIT_MS, e)) < 0)
		return lock;
	rc = batch_run(&b, item, n, now, e);
	close(lock);
	index_free(b.x);
	free(b.rows);
	buf_free(&b.added);
	fs_group_clear(&b.files);
	for (size_t i = 0; rc < 0 && i < n; i++) {
		X509_free(item[i].made);
		item[i].made = NULL;
	}
	return rc;
}
