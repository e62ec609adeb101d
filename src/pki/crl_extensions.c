/* The extensions of a CRL: which there are, and for which certificates it says it speaks. */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/crl_look.h"

static void idp_names(json_t *urls, struct der point)
{
	struct der full, name;

	if (!der_get(&point, 0xa0, &full))
		return;
	while (der_len(&full) > 0) {
		int tag = der_peek(&full);
		char *url;

		if (!der_get(&full, tag, &name))
			return;
		url = text_escaped((const char *)name.p, der_len(&name), 500);
		if (tag == 0x86)
			json_array_append_new(urls, json_string(url));
		free(url);
	}
}

/* Is it, octet for octet, what the CA's openssl.cnf says? */
static bool idp_configured(const struct look *k, const struct der *value)
{
	const struct ca *ca = k->ask->ca;
	const char *want = ca != NULL && k->ask->urls == NULL ? ca_setting(ca, ca->crl_extensions, "issuingDistributionPoint") : "";
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	ASN1_OCTET_STRING *s;
	bool same;

	if (want[0] == '\0')
		return false;
	X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, ca->conf);
	ext = X509V3_EXT_nconf(ca->conf, &ctx, "issuingDistributionPoint", want);
	s = ext != NULL ? X509_EXTENSION_get_data(ext) : NULL;
	same = s != NULL && (size_t)ASN1_STRING_length(s) == der_len(value) &&
	    memcmp(ASN1_STRING_get0_data(s), value->p, der_len(value)) == 0;
	X509_EXTENSION_free(ext);
	ERR_clear_error();
	return same;
}

/* IssuingDistributionPoint, RFC 5280 5.2.5. A CA may say itself that its CRLs are of one kind of certificates. */
static void look_idp(struct look *k, struct der value, json_t *urls)
{
	bool own = idp_configured(k, &value);
	struct der idp, v;

	if (!der_get(&value, DER_SEQ, &idp)) {
		look_fault(k, F_STRUCTURE, "issuingDistributionPoint");
		return;
	}
	while (der_len(&idp) > 0) {
		int tag = der_peek(&idp);

		if (!der_get(&idp, tag, &v)) {
			look_fault(k, F_STRUCTURE, "issuingDistributionPoint");
			return;
		}
		if (tag == 0xa0)
			idp_names(urls, v);
		else if (tag == 0x84)
			look_fault(k, F_INDIRECT, NULL);
		else if (!own || tag == 0x83) /* onlySomeReasons: sev1 revokes for any */
			look_fault(k, F_ONLY, NULL);
	}
}

static bool url_in(const json_t *list, const char *url)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
		if (json_is_string(v) && strcmp(json_string_value(v), url) == 0)
			return true;
	return false;
}

/* The scope it states must be the one that is wanted: a relying party takes a CRL for the certificates whose
 * point it names (RFC 5280 6.3.3 b 2 i). */
static void judge_point(struct look *k, bool has, const json_t *urls)
{
	const struct ca *ca = k->ask->ca;
	const json_t *v;
	size_t i;

	if (ca == NULL)
		return;
	if (k->ask->urls == NULL) {
		const char *want = ca_setting(ca, ca->crl_extensions, "issuingDistributionPoint");

		if (has && want[0] == '\0')
			look_fault(k, F_POINT, json_string_value(json_array_get(urls, 0)));
		else if (!has && want[0] != '\0')
			look_fault(k, F_POINT, _("it has none"));
		return;
	}
	if (!has || json_array_size(urls) != json_array_size(k->ask->urls)) {
		look_fault(k, F_POINT, has ? json_string_value(json_array_get(urls, 0)) : _("it has none"));
		return;
	}
	json_array_foreach(urls, i, v)
		if (!url_in(k->ask->urls, json_string_value(v))) {
			look_fault(k, F_POINT, json_string_value(v));
			return;
		}
}

static void oid_text(const struct der *oid, char *text, size_t size, char *name, size_t name_size)
{
	unsigned char whole[140];
	const unsigned char *p = whole;
	ASN1_OBJECT *o = NULL;

	snprintf(text, size, "?");
	snprintf(name, name_size, "?");
	if (der_len(oid) > 0 && der_len(oid) <= 120)
		o = d2i_ASN1_OBJECT(NULL, &p, (long)der_put(whole, DER_OID, oid->p, der_len(oid)));
	if (o != NULL) {
		OBJ_obj2txt(text, (int)size, o, 1);
		OBJ_obj2txt(name, (int)name_size, o, 0);
	}
	ASN1_OBJECT_free(o);
	ERR_clear_error();
}

void look_extensions(struct look *k, const struct crl_view *v)
{
	struct der tbs = v->tbs, d = { 0 }, list, ext, oid, value, flag;
	json_t *all = json_array(), *urls = json_array(), *seen = json_object();
	bool has = false;

	der_get(&tbs, DER_SEQ, &d);
	d.p = v->entries.end;
	if (der_get(&d, DER_CONTEXT_0, &list) && der_get(&list, DER_SEQ, &d))
		while (der_get(&d, DER_SEQ, &ext) && der_get(&ext, DER_OID, &oid)) {
			bool critical = der_get(&ext, 0x01, &flag) && der_len(&flag) == 1 && flag.p[0] != 0;
			char text[160], name[100];
			json_t *o = json_object();

			oid_text(&oid, text, sizeof text, name, sizeof name);
			json_put(o, "oid", text);
			json_put(o, "name", name);
			json_object_set_new(o, "critical", json_boolean(critical));
			json_array_append_new(all, o);
			if (json_object_get(seen, text) != NULL)
				look_fault(k, F_TWICE, name);
			json_object_set_new(seen, text, json_true());
			if (!der_get(&ext, DER_OCTETS, &value))
				break;
			if (strcmp(text, "2.5.29.28") == 0) {
				has = true;
				look_idp(k, value, urls);
			}
		}
	judge_point(k, has, urls);
	json_object_set_new(k->o, "extensions", all);
	json_object_set_new(k->o, "distribution", urls);
	json_decref(seen);
}
