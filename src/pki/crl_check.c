#include "pki/crl_check.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "pki/cert.h"
#include "pki/crl_look.h"
#include "pki/crl_store.h"

#define CRL_MAX ((size_t)1 << 30)
#define EARLY_MS (5 * 60 * 1000)     /* a clock that goes wrong by less is no fault */
#define LONG_MS (366LL * 86400000)   /* TLS BR 7.2 ends at twelve months for any CA */

/* ---- header ---- */

int crl_number_compare(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	if ((a[0] == '-') != (b[0] == '-'))
		return a[0] == '-' ? -1 : 1;
	return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}

static void look_number(struct look *k, const struct crl_view *v)
{
	const char *last = k->ask->last;

	if (v->number[0] == '\0')
		look_fault(k, F_NO_NUMBER, NULL);
	else if (v->number[0] == '-')
		look_fault(k, F_NEGATIVE, v->number);
	else if (strlen(v->number) > 40 || (strlen(v->number) == 40 && v->number[0] > '7'))
		look_fault(k, F_NUMBER_LARGE, NULL);
	else if (last != NULL && last[0] != '\0') {
		char *detail = mem_printf(_("%s, after %s"), v->number, last);
		int cmp = crl_number_compare(v->number, last);

		if (cmp < 0)
			look_fault(k, F_OLDER, detail);
		else if (cmp == 0 && strcmp(json_str(k->o, "sha256"), k->ask->last_sha256) != 0)
			look_fault(k, F_SAME_NUMBER, v->number);
		free(detail);
	}
}

static void look_times(struct look *k, const struct crl_view *v)
{
	if (v->next_update == 0)
		look_fault(k, F_NO_NEXT, NULL);
	else if (v->next_update <= v->this_update)
		look_fault(k, F_ORDER, NULL);
	else if (v->next_update <= k->ask->now)
		look_fault(k, F_EXPIRED, NULL);
	else if (v->next_update - v->this_update > LONG_MS)
		look_fault(k, F_LONG, NULL);
	if (v->this_update > k->ask->now + EARLY_MS)
		look_fault(k, F_FUTURE, NULL);
}

static void look_digest(struct look *k, const struct crl_view *v)
{
	int nid = OBJ_ln2nid(crl_algorithm(v)), md = NID_undef, key = NID_undef;

	if (!OBJ_find_sigid_algs(nid, &md, &key))
		return; /* the signature will not verify */
	if (md == NID_md5 || md == NID_md4 || md == NID_md2)
		look_fault(k, F_DIGEST_BROKEN, OBJ_nid2ln(md));
	else if (md == NID_sha1)
		look_fault(k, F_DIGEST_WEAK, OBJ_nid2ln(md));
}

static void look_issuer(struct look *k, const struct crl_view *v)
{
	struct err e = { 0 };
	X509 *cert = ca_certificate(k->ask->ca, &e);
	struct crl_view bare = *v;
	bool name, id, signature;

	if (cert == NULL) {
		look_fault(k, F_CERTIFICATE, e.text);
		return;
	}
	bare.key_id.end = bare.key_id.p; /* crl_issuer_is looks at both */
	name = crl_issuer_is(&bare, cert);
	id = crl_issuer_is(v, cert);
	if (!name)
		look_fault(k, F_ISSUER, NULL);
	else if (!id)
		look_fault(k, F_KEY_ID, NULL);
	if (!(signature = crl_verify(v, cert, &e) == 0))
		look_fault(k, F_SIGNATURE, e.text);
	json_object_set_new(k->o, "issuer_ok", json_boolean(id));
	json_object_set_new(k->o, "signature_ok", json_boolean(signature));
	X509_free(cert);
}

/* ---- all of it ---- */

static void look_name(struct look *k, const struct crl_view *v)
{
	const unsigned char *p = v->issuer.p;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der_len(&v->issuer));
	char *text = name != NULL ? cert_name(name) : NULL;

	json_put(k->o, "issuer", text);
	free(text);
	X509_NAME_free(name);
	ERR_clear_error();
}

static void look_view(struct look *k, const struct crl_view *v)
{
	look_name(k, v);
	json_put(k->o, "number", v->number);
	json_put_num(k->o, "entries", v->count);
	json_put_num(k->o, "this_update", v->this_update);
	json_put_num(k->o, "next_update", v->next_update);
	json_put(k->o, "signature", crl_algorithm(v));
	look_number(k, v);
	look_times(k, v);
	look_digest(k, v);
	if (der_len(&v->key_id) == 0)
		look_fault(k, F_NO_KEY_ID, NULL);
	if (v->critical[0] != '\0')
		look_fault(k, F_CRITICAL, v->critical);
	if (v->delta)
		look_fault(k, F_DELTA, NULL);
	look_extensions(k, v);
	if (k->ask->ca != NULL)
		look_issuer(k, v);
	look_entries(k, v);
}

static void look_begin(struct look *k, const struct crl_ask *ask)
{
	*k = (struct look){ .ask = ask, .o = json_object(), .findings = json_array(), .problems = json_array() };
	json_object_set_new(k->o, "findings", k->findings);
	json_object_set_new(k->o, "problems", k->problems);
	json_object_set_new(k->o, "named", json_array());
}

bool crl_is_of(const struct buf *file, X509 *issuer)
{
	struct crl_ask nothing = { 0 };
	struct buf b = { 0 };
	const struct buf *der;
	struct crl_view v;
	struct look k;
	bool is = false;

	look_begin(&k, &nothing);
	if (look_der(&k, file, &b)) {
		der = b.data != NULL ? &b : file;
		is = crl_parse(&v, buf_str(der), der->len, &(struct err){ 0 }) == 0 && crl_issuer_is(&v, issuer);
	}
	json_decref(k.o);
	buf_free(&b);
	return is;
}

static int crl_look(const struct buf *file, const struct crl_ask *ask, struct look *k)
{
	struct buf b = { 0 };
	const struct buf *der = &b;
	struct crl_view v;
	struct err e = { 0 };
	char sha256[DIGEST_HEX];

	look_begin(k, ask);
	if (look_der(k, file, &b)) {
		if (b.data == NULL)
			der = file;
		json_put_num(k->o, "octets", (int64_t)der->len);
		digest_of(buf_str(der), der->len, sha256);
		json_put(k->o, "sha256", sha256);
		if (crl_parse(&v, buf_str(der), der->len, &e) == 0) {
			look_view(k, &v);
		} else {
			int before = k->failing;

			look_structure(k, buf_str(der), der->len);
			if (k->failing == before)
				look_fault(k, F_STRUCTURE, e.text);
		}
	}
	buf_free(&b);
	return k->failing;
}

json_t *crl_check(const struct buf *file, const struct crl_ask *ask)
{
	struct look k;

	crl_look(file, ask, &k);
	return k.o;
}

/* The failing findings in one sentence: ids and words. */
static void failing_words(struct buf *b, const json_t *findings)
{
	const json_t *f;
	size_t i;

	json_array_foreach(findings, i, f)
		if (strcmp(json_str(f, "level"), "fail") == 0 && b->len < 300)
			buf_addf(b, "%s%s (%s)", b->len > 0 ? "; " : "", json_str(f, "what"), json_str(f, "id"));
}

int crl_rehearse(const struct ca *ca, X509 *cert, EVP_PKEY *key, const char *number, int64_t now, int hours,
    struct err *e)
{
	const struct crl_terms terms = { now, now + (int64_t)hours * 3600000, number, NULL };
	const struct listing none = { 0 };
	const struct crl_ask ask = { .ca = ca, .now = now, .der = true };
	struct buf b = { 0 }, words = { 0 };
	struct look k = { 0 };
	struct crl crl;
	int rc = crl_make(ca, cert, key, &none, &terms, &crl, e);

	if (rc == 0) {
		buf_add(&b, crl.der, crl.len);
		if (crl_look(&b, &ask, &k) > 0) {
			failing_words(&words, k.findings);
			rc = err_set(e, ERR_REFUSED, _("%s: a CRL signed now would not be published: %s"), ca->name, buf_str(&words));
			err_remedy(e, _("correct what makes it so in %s: default_md, crl_extensions"), ca->config);
		}
	}
	json_decref(k.o);
	crl_clear(&crl);
	buf_free(&b);
	buf_free(&words);
	return rc;
}

/* ---- admission ---- */

/* A FIFO or device would hang or never end. */
int crl_read_some(const char *path, struct buf *b, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)CRL_MAX)
		return err_set(e, ERR_SYNTAX, _("%s: not a file of at most 1 GiB"), path);
	return fs_read(path, b, CRL_MAX, e);
}

/* Against a CRL that is served. What is not this CA's protects nobody and may be replaced. */
static int admit_served(const char *path, const struct crl_view *v, const char *sha256, const struct crl_ask *ask,
    struct err *e)
{
	struct look k = { .ask = ask, .o = json_object(), .findings = json_array(), .problems = json_array() };
	struct buf file = { 0 }, b = { 0 };
	const struct buf *der = &b;
	struct crl_view was;
	char hex[DIGEST_HEX], next[SERIAL_MAX] = "";
	X509 *cert = ca_certificate(ask->ca, e);
	int rc = cert == NULL ? e->code : 0, cmp;

	if (rc == 0 && crl_read_some(path, &file, NULL) == 0 && look_der(&k, &file, &b)) {
		if (b.data == NULL)
			der = &file;
		digest_of(buf_str(der), der->len, hex);
		if (strcmp(hex, sha256) != 0 && crl_parse(&was, buf_str(der), der->len, NULL) == 0 &&
		    crl_issuer_is(&was, cert) && crl_verify(&was, cert, NULL) == 0) {
			cmp = was.number[0] != '\0' ? crl_number_compare(v->number, was.number) : 1;
			if (cmp <= 0) {
				rc = err_set(e, ERR_REFUSED, cmp < 0 ? _("CRL %s is older than CRL %s, which is served (older)")
				    : _("CRL %s has the same number as CRL %s, which is served with other octets (same-number)"),
				    v->number, was.number);
				crl_number_after(was.number, 1, next);
				err_remedy(e, _("sign one with a higher number: printf '%%s\\n' %s > %s, then sev1 crl renew --ca %s"), next,
				    ask->ca->crlnumber, ask->ca->name);
			} else {
				rc = crl_covers(v, &was, ask->l, ask->now, e);
			}
		}
	}
	X509_free(cert);
	json_decref(k.o);
	json_decref(k.findings);
	json_decref(k.problems);
	buf_free(&file);
	buf_free(&b);
	return rc;
}

static int admit_refuse(const char *path, const json_t *findings, struct err *e)
{
	struct buf b = { 0 };

	failing_words(&b, findings);
	err_set(e, ERR_REFUSED, "%s: %s", path, buf_str(&b));
	buf_free(&b);
	return err_remedy(e, _("it is not published, the point keeps what it serves; see sev1 crl check FILE, then sign anew: "
	    "sev1 crl renew"));
}

int crl_admit(const char *path, const char *sha256, const struct crl_ask *ask, const char *const *served,
    size_t n, struct err *e)
{
	struct buf file = { 0 }, b = { 0 };
	struct crl_view v;
	struct look k = { 0 };
	char hex[DIGEST_HEX];
	int rc = crl_read_some(path, &file, e);

	if (rc < 0)
		goto out;
	digest_of(buf_str(&file), file.len, hex);
	if (crl_look(&file, ask, &k) > 0) {
		rc = admit_refuse(path, k.findings, e);
		goto out;
	}
	if (strcmp(hex, sha256) != 0) {
		rc = err_set(e, ERR_REFUSED, _("%s: the file changed since it was planned: its digest is %.16s..., not %.16s..."), path,
		    hex, sha256);
		goto out;
	}
	if (strcmp(json_str(k.o, "form"), "PEM") == 0 && !look_der(&k, &file, &b)) {
		rc = ERR_SYNTAX;
		goto out;
	}
	if ((rc = crl_parse(&v, b.data != NULL ? b.data : file.data, b.data != NULL ? b.len : file.len, e)) < 0)
		goto out;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = admit_served(served[i], &v, json_str(k.o, "sha256"), ask, e);
out:
	json_decref(k.o);
	buf_free(&file);
	buf_free(&b);
	return rc;
}
