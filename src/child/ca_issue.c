/* issue: a session. Requests come in line by line; what has gathered is issued in one go. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/ca_child.h"
#include "child/serve.h"
#include "pki/blocklist.h"
#include "pki/build.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/in_place.h"
#include "pki/issue.h"
#include "pki/issuer.h"
#include "pki/key.h"

#define BATCH 64

static void say_refused(const char *id, const char *text)
{
	json_t *o = json_object();

	json_put(o, "id", id);
	json_put(o, "text", text);
	serve_say(json_pack("{s:o}", "refused", o));
}

static void say_issued(const char *id, const struct issue_item *item, const char *chain)
{
	char fingerprint[DIGEST_HEX], *pem = cert_pem(item->made);
	char *serial = cert_serial(X509_get0_serialNumber(item->made));
	json_t *o = json_object();

	cert_fingerprint(item->made, fingerprint);
	json_put(o, "id", id);
	json_object_set_new(o, "certificate", json_string(pem));
	json_object_set_new(o, "chain", json_string(chain));
	json_put(o, "serial", serial);
	json_put(o, "fingerprint", fingerprint);
	json_put_num(o, "not_after", cert_time(X509_get0_notAfter(item->made)));
	serve_say(json_pack("{s:o}", "issued", o));
	free(pem);
	free(serial);
}

/* What a session is held against. */
struct session {
	struct issuer is;
	const json_t *refuse;
	struct blocklist *blocked, *stolen; /* the operator's, and the keys of what the scope revokes for keyCompromise */
	X509 **known;     /* CAs whose certificates in place give their names; NULL: names come from the inventory */
	size_t knowns;
	char *chain;
};

/* Check one request into an item; its error says why not. Names taken from the certificate in place are kept in
 * msg. */
static void item_read(const struct session *s, json_t *msg, struct issue_item *item)
{
	const struct issuer *is = &s->is;
	const char *csr = json_str(msg, "csr");
	char spki[DIGEST_HEX];
	X509_REQ *req;

	*item = (struct issue_item){ .names = json_list(msg, "names") };
	if (json_array_size(item->names) == 0) {
		err_set(&item->error, ERR_USAGE, _("no name to issue the certificate for"));
		return;
	}
	/* the request was made for the inventory's names, whatever the certificate will have */
	if ((req = csr_read(csr, strlen(csr), item->names, s->refuse, spki, &item->error)) == NULL)
		return;
	if (s->known != NULL) {
		json_t *names = in_place_names(csr, json_string_value(json_array_get(item->names, 0)), s->known, s->knowns,
		    &item->error);

		item->names = names;
		if (names == NULL) {
			X509_REQ_free(req);
			return;
		}
		json_object_set_new(msg, "in_place", names);
	}
	if (blocklist_has(s->blocked, spki) || blocklist_has(s->stolen, spki)) {
		X509_REQ_free(req);
		err_set(&item->error, ERR_REFUSED, blocklist_has(s->stolen, spki)
		    ? _("the request is for the key of a certificate that is revoked for keyCompromise")
		    : _("the request is for a key on the blocklist of compromised keys"));
		err_remedy(&item->error, _("make a new key on the host (key mode \"new\")"));
		return;
	}
	item->subject = build_server_subject(is->ca, is->cert, item->names, &item->error);
	item->key = X509_REQ_get_pubkey(req);
	item->as = X509_PUBKEY_dup(X509_REQ_get_X509_PUBKEY(req));
	X509_REQ_free(req);
}

/* Issue for up to BATCH lines. 0, or the error that ends the session: then nothing is said of them, and whoever asked
 * may ask again. */
static int issue_batch(const struct session *s, json_t *const *msg, size_t n, struct err *e)
{
	struct issue_item item[BATCH];
	int rc;

	for (size_t i = 0; i < n; i++)
		item_read(s, msg[i], &item[i]);
	rc = issue_all(&s->is, item, n, clock_now(), e);
	for (size_t i = 0; i < n; i++) {
		if (rc == 0 && item[i].made != NULL)
			say_issued(json_str(msg[i], "id"), &item[i], s->chain);
		else if (rc == 0)
			say_refused(json_str(msg[i], "id"), item[i].error.text);
		issue_item_clear(&item[i]);
	}
	return rc;
}

/* Wait for one line, take what else has come meanwhile. 0 at the end of the session. */
static size_t issue_gather(json_t *msg[BATCH])
{
	size_t n = 0;

	while (n < BATCH && (msg[n] = serve_next(n == 0 ? -1 : 0, NULL)) != NULL)
		n++;
	return n;
}

/* The certificates of the CAs that are known here. 0 or an error. */
static int session_know(struct session *s, const json_t *cas, struct err *e)
{
	const json_t *v;
	size_t i;

	if (cas == NULL)
		return 0;
	s->known = mem_zalloc(json_array_size(cas) + 1, sizeof *s->known);
	json_array_foreach(cas, i, v) {
		struct ca *ca = request_ca(v, e);

		s->known[s->knowns] = ca != NULL ? ca_certificate(ca, e) : NULL;
		ca_free(ca);
		if (s->known[s->knowns] == NULL)
			return e->code;
		s->knowns++;
	}
	return 0;
}

static int session_open(struct session *s, const json_t *request, struct err *e)
{
	const char *list = json_str(request, "blocklist"), *stolen = json_str(request, "stolen");
	struct issuer *is = &s->is;

	if (is->days < 1 || is->days > 3650)
		return err_set(e, ERR_USAGE, _("certificates are issued for 1 to 3650 days, not %d"), is->days);
	if (is->ca == NULL || (list[0] != '\0' && (s->blocked = blocklist_load(list, e)) == NULL) ||
	    (stolen[0] != '\0' && (s->stolen = blocklist_load(stolen, e)) == NULL) ||
	    (is->cert = ca_certificate(is->ca, e)) == NULL || issuer_judge(is->cert, s->refuse, clock_now(), e) < 0 ||
	    session_know(s, json_list(request, "known"), e) < 0 || (is->key = key_open(is->ca, is->cert, e)) == NULL)
		return e->code;
	s->chain = cert_pem(is->cert);
	return 0;
}

static void session_close(struct session *s)
{
	for (size_t i = 0; i < s->knowns; i++)
		X509_free(s->known[i]);
	free(s->known);
	blocklist_free(s->blocked);
	blocklist_free(s->stolen);
	free(s->chain);
	EVP_PKEY_free(s->is.key);
	X509_free(s->is.cert);
	ca_free((struct ca *)(uintptr_t)s->is.ca);
}

int ca_issue(const json_t *request, json_t **result, struct err *e)
{
	struct session s = { .refuse = json_list(request, "refuse"),
		.is = { .ca = request_ca(json_object_get(request, "ca"), e), .days = (int)json_num(request, "days", 90),
			.since = json_num(request, "since", 0) } };
	json_t *msg[BATCH];
	size_t n;
	int rc = session_open(&s, request, e);

	while (rc == 0 && (n = issue_gather(msg)) > 0) {
		rc = issue_batch(&s, msg, n, e);
		for (size_t i = 0; i < n; i++)
			json_decref(msg[i]);
	}
	if (rc == 0)
		*result = json_object();
	session_close(&s);
	return rc;
}
