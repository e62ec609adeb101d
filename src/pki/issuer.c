#include "pki/issuer.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/build.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/issue.h"
#include "pki/key.h"

int issuer_judge(X509 *x, const json_t *refuse, int64_t now, struct err *e)
{
	char fingerprint[DIGEST_HEX], spki[DIGEST_HEX], *name = cert_name(X509_get_subject_name(x));
	char *safe = text_escaped(name, strlen(name), 200);
	int rc = 0;

	cert_fingerprint(x, fingerprint);
	cert_spki(X509_get_X509_PUBKEY(x), spki);
	if (csr_is_refused(refuse, fingerprint, NULL))
		rc = err_set(e, ERR_REFUSED, _("%s is the compromised certificate itself"), safe);
	else if (csr_is_refused(refuse, NULL, spki))
		rc = err_set(e, ERR_REFUSED, _("%s uses the compromised key"), safe);
	else if (!cert_is_ca(x))
		rc = err_set(e, ERR_REFUSED, _("%s is not a CA certificate (basicConstraints, keyUsage)"), safe);
	else if (cert_time(X509_get0_notAfter(x)) <= now)
		rc = err_set(e, ERR_REFUSED, _("%s has expired"), safe);
	else if (cert_time(X509_get0_notBefore(x)) > now + 300000)
		rc = err_set(e, ERR_REFUSED, _("%s is not valid yet"), safe);
	else if (X509_get0_pubkey(x) == NULL)
		rc = err_set(e, ERR_REFUSED, _("%s has a key that cannot be read"), safe);
	else
		rc = csr_key_check(X509_get0_pubkey(x), e);
	ERR_clear_error();
	if (rc < 0)
		err_remedy(e, _("choose or make another issuer"));
	free(name);
	free(safe);
	return rc;
}

json_t *issuer_json(X509 *x)
{
	char fingerprint[DIGEST_HEX], spki[DIGEST_HEX], *name = cert_name(X509_get_subject_name(x));
	json_t *o = json_object();

	cert_fingerprint(x, fingerprint);
	cert_spki(X509_get_X509_PUBKEY(x), spki);
	json_put(o, "subject", name);
	json_put(o, "fingerprint", fingerprint);
	json_put(o, "spki", spki);
	json_put_num(o, "not_after", cert_time(X509_get0_notAfter(x)));
	free(name);
	return o;
}

/* Text that may stand in openssl.cnf as it is. */
static bool issuer_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || strchr("$#\"'\\`;,", *s) != NULL)
			return false;
	return true;
}

/* Only what an earlier try left may be in the folder. */
static int issuer_folder_free(const char *folder, struct err *e)
{
	static const char *const ours[] = { ".", "..", "private", "newcerts", "index.txt", "index.txt.attr",
		"index.txt.lock", "crlnumber", "openssl.cnf", "ca.crt", "ca.csr" };
	DIR *d = opendir(folder);
	struct dirent *de;
	int rc = 0;

	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys(e, "%s", folder);
	while (rc == 0 && (de = readdir(d)) != NULL) {
		bool known = strstr(de->d_name, ".sev1-") != NULL;

		for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
			known = known || strcmp(de->d_name, ours[i]) == 0;
		if (!known) {
			rc = err_set(e, ERR_REFUSED, _("%s is not empty, and not a directory that sev1 began"), folder);
			err_remedy(e, _("name a folder that does not exist yet"));
		}
	}
	closedir(d);
	return rc;
}

static char *issuer_conf(const struct issuer_plan *p)
{
	struct buf b = { 0 };

	buf_addf(&b, "# Made by sev1: a directory of openssl ca.\n[ca]\ndefault_ca = %s\n\n[%s]\n", p->name,
	    p->name);
	buf_addf(&b, "dir = %s\n", p->folder);
	buf_adds(&b, "database = $dir/index.txt\nnew_certs_dir = $dir/newcerts\ncertificate = $dir/ca.crt\n"
	    "private_key = $dir/private/ca.key\ncrlnumber = $dir/crlnumber\nrand_serial = yes\n");
	buf_addf(&b, "default_md = %s\n", strcmp(p->key, "ec-p384") == 0 ? "sha384" : "sha256");
	buf_adds(&b, "default_days = 90\ndefault_crl_hours = 24\nunique_subject = no\npolicy = policy_any\n"
	    "x509_extensions = server_cert\ncrl_extensions = crl_ext\n\n[policy_any]\n"
	    "countryName = optional\nstateOrProvinceName = optional\nlocalityName = optional\n"
	    "organizationName = optional\norganizationalUnitName = optional\ncommonName = optional\n\n"
	    "[server_cert]\nbasicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature\n"
	    "extendedKeyUsage = serverAuth\nsubjectKeyIdentifier = hash\n"
	    "authorityKeyIdentifier = keyid:always\n");
	if (p->cdp != NULL && p->cdp[0] != '\0')
		buf_addf(&b, "crlDistributionPoints = URI:%s\n", p->cdp);
	buf_adds(&b, "\n[crl_ext]\nauthorityKeyIdentifier = keyid:always\n");
	return buf_take(&b);
}

/* A file that is there already stays as it is. */
static int issuer_put(const char *folder, const char *name, const char *text, struct err *e)
{
	char *path = fs_join(folder, name);
	int rc = fs_exists(path) ? 0 : fs_write(path, text, strlen(text), 0644, e);

	free(path);
	return rc;
}

static int issuer_layout(const struct issuer_plan *p, struct err *e)
{
	static const char *const below[] = { "private", "newcerts" };
	char *conf, *path;
	int rc;

	if ((rc = fs_mkdirs(p->folder, 0700, e)) < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		path = fs_join(p->folder, below[i]);
		rc = fs_mkdirs(path, 0700, e);
		free(path);
	}
	conf = issuer_conf(p);
	if (rc < 0 || (rc = issuer_put(p->folder, "index.txt", "", e)) < 0 ||
	    (rc = issuer_put(p->folder, "index.txt.attr", "unique_subject = no\n", e)) < 0 ||
	    (rc = issuer_put(p->folder, "crlnumber", "1000\n", e)) < 0 ||
	    (rc = issuer_put(p->folder, "openssl.cnf", conf, e)) < 0)
		err_prefix(e, "%s", p->folder);
	free(conf);
	return rc;
}

/* The key of an earlier try, or a new one. */
static EVP_PKEY *issuer_key(const struct issuer_plan *p, struct err *e)
{
	char *path = fs_join(p->folder, "private/ca.key");
	EVP_PKEY *key = NULL;
	BIO *bio;

	if (!fs_exists(path)) {
		if ((key = key_make(p->key, e)) != NULL && key_write(key, path, e) < 0) {
			EVP_PKEY_free(key);
			key = NULL;
		}
	} else if ((bio = BIO_new_file(path, "r")) != NULL) {
		key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t) "");
		BIO_free(bio);
		if (key == NULL)
			err_set(e, ERR_SYNTAX, _("%s: not a private key (%s)"), path, cert_why());
	} else {
		err_set(e, ERR_IO, _("%s: cannot be read"), path);
	}
	ERR_clear_error();
	free(path);
	return key;
}

static X509 *issuer_self(const struct issuer_plan *p, X509_NAME *subject, EVP_PKEY *key, struct err *e)
{
	unsigned char r[16];
	char serial[33];
	X509 *x;

	if (RAND_bytes(r, sizeof r) != 1) {
		err_set(e, ERR_FAILED, _("no random numbers from OpenSSL (%s)"), cert_why());
		return NULL;
	}
	r[0] = (unsigned char)((r[0] & 0x7f) | 0x40);
	for (size_t i = 0; i < sizeof r; i++)
		snprintf(serial + 2 * i, 3, "%02X", r[i]);
	x = build_new(NULL, serial, subject, key, p->now, p->days, e);
	if (x != NULL && (build_ca_extensions(x, NULL, NULL, true, e) < 0 ||
	    build_sign(x, key, strcmp(p->key, "ec-p384") == 0 ? "sha384" : "sha256", e) < 0)) {
		X509_free(x);
		x = NULL;
	}
	return x;
}

static X509 *issuer_by_parent(const struct issuer_plan *p, X509_NAME *subject, EVP_PKEY *key,
    struct err *e)
{
	struct issuer is = { .ca = p->parent, .days = p->days, .since = 1 };
	struct issue_item item = { .subject = X509_NAME_dup(subject), .key = key };
	X509 *x = NULL;

	EVP_PKEY_up_ref(key);
	if ((is.cert = ca_certificate(p->parent, e)) != NULL &&
	    issuer_judge(is.cert, p->refuse, p->now, e) == 0 &&
	    (is.key = key_open(p->parent, is.cert, e)) != NULL &&
	    issue_all(&is, &item, 1, p->now, e) == 0) {
		if (item.made == NULL && e != NULL)
			*e = item.error;
		x = item.made;
		item.made = NULL;
	}
	issue_item_clear(&item);
	X509_free(is.cert);
	EVP_PKEY_free(is.key);
	return x;
}

static int issuer_request(const char *folder, X509_NAME *subject, EVP_PKEY *key, struct err *e)
{
	X509_REQ *req = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *path = fs_join(folder, "ca.csr"), *data;
	const EVP_MD *md;
	long n;
	int rc = 0;

	if (req == NULL || bio == NULL || key_digest(key, "default", &md, e) < 0 ||
	    X509_REQ_set_subject_name(req, subject) != 1 || X509_REQ_set_pubkey(req, key) != 1 ||
	    X509_REQ_sign(req, key, md) <= 0 || PEM_write_bio_X509_REQ(bio, req) != 1) {
		rc = err_set(e, ERR_FAILED, _("the request could not be made (%s)"), cert_why());
	} else {
		n = BIO_get_mem_data(bio, &data);
		rc = fs_write(path, data, (size_t)n, 0644, e);
	}
	BIO_free(bio);
	X509_REQ_free(req);
	free(path);
	return rc;
}

static int issuer_keep(const char *folder, X509 *x, struct err *e)
{
	char *path = fs_join(folder, "ca.crt"), *pem = cert_pem(x);
	int rc = fs_write(path, pem, strlen(pem), 0644, e);

	free(path);
	free(pem);
	return rc;
}

static int issuer_plan_check(const struct issuer_plan *p, struct err *e)
{
	if (p->folder[0] != '/' || !issuer_plain(p->folder))
		return err_set(e, ERR_USAGE, _("the folder of a new CA must be an absolute path without $ # ; , or "
		    "quotes"));
	if (!text_is_word(p->name))
		return err_set(e, ERR_USAGE, _("the name of a new CA must be one word"));
	if (p->days < 1 || p->days > 36500)
		return err_set(e, ERR_USAGE, _("a CA certificate is valid for 1 to 36500 days, not %d"), p->days);
	if (p->cdp != NULL && p->cdp[0] != '\0' && (!issuer_plain(p->cdp) ||
	    (strncmp(p->cdp, "http://", 7) != 0 && strncmp(p->cdp, "https://", 8) != 0)))
		return err_set(e, ERR_USAGE, _("the distribution point must be an http or https URL"));
	return issuer_folder_free(p->folder, e);
}

int issuer_make(const struct issuer_plan *p, X509 **certificate, struct err *e)
{
	X509_NAME *subject = NULL;
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	char *path = fs_join(p->folder, "ca.crt");
	int rc;

	*certificate = NULL;
	if ((rc = issuer_plan_check(p, e)) < 0)
		goto out;
	rc = ERR_FAILED;
	if ((subject = build_subject(p->subject, e)) == NULL || (rc = issuer_layout(p, e)) < 0 ||
	    (key = issuer_key(p, e)) == NULL) {
		rc = e != NULL && e->code < 0 ? e->code : rc;
		goto out;
	}
	rc = 0;
	if (fs_exists(path))
		x = cert_read(path, e);
	else if (p->root)
		x = issuer_self(p, subject, key, e);
	else if (p->parent != NULL)
		x = issuer_by_parent(p, subject, key, e);
	else
		rc = issuer_request(p->folder, subject, key, e);
	if (x == NULL && rc == 0 && (p->root || p->parent != NULL || fs_exists(path)))
		rc = e != NULL && e->code < 0 ? e->code : ERR_FAILED;
	if (x != NULL && (rc = issuer_judge(x, p->refuse, p->now, e)) == 0 && !fs_exists(path))
		rc = issuer_keep(p->folder, x, e);
	if (rc == 0) {
		*certificate = x;
		x = NULL;
	}
out:
	X509_free(x);
	EVP_PKEY_free(key);
	X509_NAME_free(subject);
	free(path);
	return rc;
}

int issuer_import(const char *folder, const char *path, const json_t *refuse, int64_t now,
    X509 **certificate, struct err *e)
{
	struct ca *ca = ca_load("import", NULL, folder, NULL, NULL, e);
	X509 *x = NULL;
	EVP_PKEY *key = NULL;
	int rc = ERR_FAILED;

	*certificate = NULL;
	if (ca != NULL && (x = cert_read(path, e)) != NULL && (key = key_open(ca, x, e)) != NULL)
		rc = issuer_judge(x, refuse, now, e);
	else if (e != NULL)
		rc = e->code;
	if (rc == 0 && (rc = issuer_keep(folder, x, e)) == 0) {
		*certificate = x;
		x = NULL;
	}
	EVP_PKEY_free(key);
	X509_free(x);
	ca_free(ca);
	return rc;
}
