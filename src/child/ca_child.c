/* The CA child: the only process that opens a CA's private key. */
#include "child/ca_child.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "child/serve.h"
#include "pki/cert.h"
#include "pki/check.h"
#include "pki/index.h"
#include "pki/issuer.h"
#include "pki/key.h"
#include "pki/scope.h"
#include "pki/selector.h"

struct ca *request_ca(const json_t *o, struct err *e)
{
	struct ca *ca;

	if (!json_is_object(o) || json_str(o, "name")[0] == '\0' || json_str(o, "config")[0] == '\0') {
		err_set(e, ERR_USAGE, _("the request names no CA (name, config)"));
		return NULL;
	}
	ca = ca_load(json_str(o, "name"), json_str(o, "title"), json_str(o, "config"),
	    json_str(o, "section"), json_str(o, "key"), e);
	if (ca != NULL)
		ca_set_module(ca, json_str(o, "module"));
	return ca;
}

static void watch_say_stage(void *ctx, const char *stage)
{
	(void)ctx;
	serve_say(json_pack("{s:s}", "stage", stage));
}

static void watch_say_progress(void *ctx, int64_t done, int64_t total, const char *text)
{
	(void)ctx;
	serve_progress(done, total, text);
}

const struct watch ca_watch = { .stage = watch_say_stage, .progress = watch_say_progress };

/* ---- count ---- */

static json_t *count_bads(const struct index_bad *bads, int64_t n)
{
	json_t *list = json_array();

	for (int64_t i = 0; i < n && i < 20; i++) {
		json_t *b = json_object();

		json_put_num(b, "line", (int64_t)bads[i].line);
		json_put(b, "why", _(bads[i].why));
		json_array_append_new(list, b);
	}
	return list;
}

/* How many valid certificates these selectors match; nothing is frozen. */
static void count_matches(json_t *o, const struct ca *ca, X509 *cert, const json_t *selectors, int64_t at)
{
	struct err e = { 0 };
	struct scope sc = { 0 };
	struct index *x = index_load(ca->database, &e);
	size_t n;
	struct sorted *rows = x != NULL ? index_sorted(x, &n, &e) : NULL;

	if (rows != NULL && scope_select(ca, cert, x, rows, n, selectors, NULL, at, &ca_watch, &sc, &e) == 0) {
		json_put_num(o, "matches", (int64_t)sc.picks);
		json_object_set(o, "groups", sc.groups);
	} else {
		json_put(o, "refused", e.text);
		json_put(o, "remedy", e.remedy);
	}
	scope_clear(&sc);
	free(rows);
	index_free(x);
}

static json_t *count_one(const json_t *want, const json_t *selectors, int64_t at)
{
	json_t *o = json_object();
	struct err e = { 0 };
	struct ca *ca = request_ca(want, &e);
	struct index_bad *bads = mem_grow(NULL, INDEX_BAD_KEPT, sizeof *bads);
	struct index_counts c;
	X509 *cert = NULL;
	char *name;

	json_put(o, "ca", json_str(want, "name"));
	json_put(o, "title", json_str(want, "title"));
	if (ca != NULL && index_tally(ca->database, at, &c, bads, &e) == 0) {
		json_put_num(o, "valid", c.valid);
		json_put_num(o, "expired", c.expired);
		json_put_num(o, "revoked", c.revoked);
		json_put_num(o, "unreadable", c.unreadable);
		json_put_num(o, "rows", c.rows);
		json_object_set_new(o, "bad", count_bads(bads, c.unreadable));
		cert = ca_certificate(ca, &e);
	}
	if (cert != NULL) {
		name = cert_name(X509_get_subject_name(cert));
		json_put(o, "subject", name);
		free(name);
		if (selectors != NULL)
			count_matches(o, ca, cert, selectors, at);
	} else {
		json_put(o, "error", e.text);
		json_put(o, "remedy", e.remedy);
	}
	X509_free(cert);
	free(bads);
	ca_free(ca);
	return o;
}

int ca_count(const json_t *request, json_t **result, struct err *e)
{
	int64_t at = json_num(request, "at", clock_now());
	const json_t *raw = json_list(request, "groups"), *v;
	json_t *groups = NULL, *selectors = NULL;
	size_t i;

	if (raw != NULL && (groups = selectors_resolve(raw, e)) == NULL)
		return e->code;
	if (groups != NULL)
		selectors = json_pack("{s:o}", "groups", groups);
	json_array_foreach(json_list(request, "cas"), i, v)
		serve_say(json_pack("{s:o}", "count", count_one(v, selectors, at)));
	json_decref(selectors);
	*result = json_object();
	return 0;
}

/* ---- checks ---- */

static int ca_check(const json_t *request, json_t **result, struct err *e)
{
	struct ca *ca = request_ca(json_object_get(request, "ca"), e);

	if (ca == NULL)
		return e->code;
	*result = check_ca(ca, json_bool(request, "sign"), json_bool(request, "ask"), clock_now());
	ca_free(ca);
	return 0;
}

/* Can the key still sign? For the proof that a key lock holds: "signs", "dead", "secret", "unknown". */
static int ca_key(const json_t *request, json_t **result, struct err *e)
{
	static const char *const word[] = { [KEY_SIGNS] = "signs", [KEY_DEAD] = "dead", [KEY_SECRET] = "secret",
		[KEY_UNKNOWN] = "unknown" };
	struct ca *ca = request_ca(json_object_get(request, "ca"), e);
	X509 *cert = ca != NULL ? ca_certificate(ca, e) : NULL;
	struct err why = { 0 };

	if (cert != NULL) {
		ca_secret_proof();
		*result = json_object();
		json_put(*result, "key", word[key_try(ca, cert, &why)]);
		json_put(*result, "why", why.text);
		json_put(*result, "remedy", why.remedy);
	}
	X509_free(cert);
	ca_free(ca);
	return *result != NULL ? 0 : e->code;
}

/* ---- issuers ---- */

static int ca_issuer_check(const json_t *request, json_t **result, struct err *e)
{
	struct ca *ca = request_ca(json_object_get(request, "ca"), e);
	X509 *cert = ca != NULL ? ca_certificate(ca, e) : NULL;
	int rc = cert != NULL ? issuer_judge(cert, json_list(request, "refuse"), clock_now(), e) : e->code;

	if (rc == 0)
		*result = issuer_json(cert);
	X509_free(cert);
	ca_free(ca);
	return rc;
}

static void issuer_result(json_t **result, const char *folder, X509 *cert)
{
	char *config = mem_printf("%s/openssl.cnf", folder), *csr = mem_printf("%s/ca.csr", folder);

	*result = cert != NULL ? issuer_json(cert) : json_object();
	if (cert == NULL)
		json_put(*result, "csr", csr);
	json_put(*result, "config", config);
	free(config);
	free(csr);
}

static int ca_issuer_new(const json_t *request, json_t **result, struct err *e)
{
	const json_t *parent = json_object_get(request, "parent");
	struct issuer_plan p = {
		.root = strcmp(json_str(request, "mode"), "root") == 0,
		.folder = json_str(request, "folder"),
		.name = json_str(request, "name"),
		.subject = json_str(request, "subject"),
		.key = json_str(request, "key")[0] != '\0' ? json_str(request, "key") : "ec-p256",
		.days = (int)json_num(request, "days", 1825),
		.cdp = json_str(request, "cdp"),
		.refuse = json_list(request, "refuse"),
		.now = clock_now(),
	};
	struct ca *ca = NULL;
	X509 *cert;
	int rc;

	if (!p.root && strcmp(json_str(request, "mode"), "intermediate") != 0)
		return err_set(e, ERR_USAGE, _("mode must be root or intermediate"));
	if (!p.root && json_is_object(parent) && (ca = request_ca(parent, e)) == NULL)
		return e->code;
	p.parent = ca;
	if ((rc = issuer_make(&p, &cert, e)) == 0)
		issuer_result(result, p.folder, cert);
	X509_free(cert);
	ca_free(ca);
	return rc;
}

static int ca_issuer_import(const json_t *request, json_t **result, struct err *e)
{
	const char *folder = json_str(request, "folder");
	X509 *cert;
	int rc = issuer_import(folder, json_str(request, "certificate"), json_list(request, "refuse"),
	    clock_now(), &cert, e);

	if (rc == 0)
		issuer_result(result, folder, cert);
	X509_free(cert);
	return rc;
}

static const struct {
	const char *op;
	serve_fn run;
} ops[] = {
	{ "count", ca_count },
	{ "select", ca_select },
	{ "scope", ca_scope },
	{ "appendix", ca_appendix },
	{ "roster", ca_roster },
	{ "keys", ca_keys },
	{ "plan", ca_plan },
	{ "revoke", ca_revoke },
	{ "crl", ca_crl },
	{ "undo-plan", ca_undo_plan },
	{ "undo", ca_undo },
	{ "inspect", ca_inspect },
	{ "ladder", ca_ladder },
	{ "rung", ca_rung },
	{ "admit", ca_admit },
	{ "check", ca_check },
	{ "key", ca_key },
	{ "issuer-check", ca_issuer_check },
	{ "issuer-new", ca_issuer_new },
	{ "issuer-import", ca_issuer_import },
	{ "issue", ca_issue },
	{ "ari", ca_ari },
	{ "successors", ca_successors },
	{ "report", ca_report },
};

static serve_fn op_find(const char *op)
{
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
		if (strcmp(ops[i].op, op) == 0)
			return ops[i].run;
	return NULL;
}

/* An operation failed: was it that the token went away? The request names the CA whose key it was. */
static void ca_explain(const json_t *request, struct err *e)
{
	const json_t *o = json_object_get(request, "ca");
	struct ca *ca = request_ca(json_is_object(o) ? o : json_object_get(request, "parent"), NULL);

	if (ca != NULL)
		key_explain(ca, e);
	ca_free(ca);
}

int ca_child(const json_t *request, json_t **result, struct err *e)
{
	const char *op = json_str(request, "op");
	serve_fn run = op_find(op);
	int rc;

	if (run == NULL)
		return err_set(e, ERR_USAGE, _("the CA child knows no operation \"%.40s\""), op);
	key_asker(&ca_asker);
	if ((rc = run(request, result, e)) < 0)
		ca_explain(request, e);
	key_close_token();
	return rc;
}
