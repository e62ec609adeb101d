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

/* Check one request into an item; its error says why not. */
static void item_read(const struct issuer *is, const json_t *msg, const json_t *refuse,
    const struct blocklist *blocked, struct issue_item *item)
{
	char spki[DIGEST_HEX];
	X509_REQ *req;

	*item = (struct issue_item){ .names = json_list(msg, "names") };
	if (json_array_size(item->names) == 0) {
		err_set(&item->error, ERR_USAGE, _("no name to issue the certificate for"));
		return;
	}
	req = csr_read(json_str(msg, "csr"), strlen(json_str(msg, "csr")), item->names, refuse, spki,
	    &item->error);
	if (req == NULL)
		return;
	if (blocklist_has(blocked, spki)) {
		X509_REQ_free(req);
		err_set(&item->error, ERR_REFUSED, _("the request is for a key on the blocklist of compromised keys"));
		err_remedy(&item->error, _("make a new key on the host (key mode \"new\")"));
		return;
	}
	item->subject = build_server_subject(is->ca, is->cert, item->names, &item->error);
	item->key = X509_REQ_get_pubkey(req);
	X509_REQ_free(req);
}

/* Issue for up to BATCH lines. 0, or the error that ends the session. */
static int issue_batch(const struct issuer *is, json_t *const *msg, size_t n, const json_t *refuse,
    const struct blocklist *blocked, const char *chain, struct err *e)
{
	struct issue_item item[BATCH];
	int rc;

	for (size_t i = 0; i < n; i++)
		item_read(is, msg[i], refuse, blocked, &item[i]);
	rc = issue_all(is, item, n, clock_now(), e);
	for (size_t i = 0; i < n; i++) {
		if (rc == 0 && item[i].made != NULL)
			say_issued(json_str(msg[i], "id"), &item[i], chain);
		else
			say_refused(json_str(msg[i], "id"), item[i].error.code != 0 ? item[i].error.text : e->text);
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

int ca_issue(const json_t *request, json_t **result, struct err *e)
{
	const json_t *refuse = json_list(request, "refuse");
	struct ca *ca = request_ca(json_object_get(request, "ca"), e);
	struct issuer is = { .ca = ca, .days = (int)json_num(request, "days", 90),
		.since = json_num(request, "since", 0) };
	json_t *msg[BATCH];
	const char *list = json_str(request, "blocklist");
	struct blocklist *blocked = NULL;
	char *chain = NULL;
	size_t n;
	int rc = 0;

	if (ca == NULL || (list[0] != '\0' && (blocked = blocklist_load(list, e)) == NULL) || (is.cert = ca_certificate(ca, e)) == NULL ||
	    issuer_judge(is.cert, refuse, clock_now(), e) < 0 ||
	    (is.key = key_open(ca, is.cert, e)) == NULL)
		rc = e->code;
	else if (is.days < 1 || is.days > 3650)
		rc = err_set(e, ERR_USAGE, _("certificates are issued for 1 to 3650 days, not %d"), is.days);
	if (rc == 0)
		chain = cert_pem(is.cert);
	while (rc == 0 && (n = issue_gather(msg)) > 0) {
		rc = issue_batch(&is, msg, n, refuse, blocked, chain, e);
		for (size_t i = 0; i < n; i++)
			json_decref(msg[i]);
	}
	if (rc == 0)
		*result = json_object();
	blocklist_free(blocked);
	free(chain);
	EVP_PKEY_free(is.key);
	X509_free(is.cert);
	ca_free(ca);
	return rc;
}
