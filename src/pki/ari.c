#include "pki/ari.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "pki/der.h"
#include "pki/index.h"

/* RFC 4648 5, without padding. */
static void ari_base64url(struct buf *b, const unsigned char *p, size_t n)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
		size_t digits = n - i >= 3 ? 4 : n - i + 1;

		for (size_t k = 0; k < digits; k++)
			buf_addc(b, digit[v >> (18 - 6 * k) & 63]);
	}
}

char *ari_id(const unsigned char *key_id, size_t key_len, const char *serial, size_t len)
{
	unsigned char der[SERIAL_MAX];
	struct der all = { der, der + der_put_serial(der, serial, len) }, content;
	struct buf b = { 0 };

	ari_base64url(&b, key_id, key_len);
	buf_addc(&b, '.');
	if (der_get(&all, DER_INTEGER, &content))
		ari_base64url(&b, content.p, der_len(&content));
	return buf_take(&b);
}

char *ari_body(int64_t start, int64_t end, const char *explanation)
{
	char from[24], until[24], *text, *out;
	json_t *o = json_pack("{s:{s:s,s:s}}", "suggestedWindow", "start", clock_iso(from, sizeof from, start), "end",
	    clock_iso(until, sizeof until, end));

	if (explanation[0] != '\0')
		json_object_set_new(o, "explanationURL", json_string(explanation));
	text = json_dumps(o, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	out = mem_printf("%s\n", text);
	free(text);
	json_decref(o);
	return out;
}

char *ari_prefix(const char *url)
{
	const char *at = strstr(url, "://");
	size_t n;

	if (at != NULL)
		at = strchr(at + 3, '/');
	else
		at = url;
	n = at != NULL ? strlen(at) : 0;
	while (n > 0 && at[n - 1] == '/')
		n--;
	return mem_strndup(at != NULL ? at : "", n);
}

/* Both servers take these in quotes as they are. */
static bool ari_plain(const char *s)
{
	static const char ok[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/@+,:";

	return s[0] == '/' && s[strspn(s, ok)] == '\0' && strstr(s, "//") == NULL && strstr(s, "/../") == NULL;
}

int ari_site_check(const struct ari_site *s, struct err *e)
{
	if (!text_is_word(s->incident))
		return err_set(e, ERR_USAGE, _("\"%.80s\" is not the name of an incident"), s->incident);
	if (!ari_plain(s->files)) {
		err_set(e, ERR_USAGE, _("\"%.300s\" cannot stand in a web server's configuration"), s->files);
		return err_remedy(e, _("choose a folder of letters, digits and - _ . ~ / @ + , : with --output"));
	}
	if (!ari_plain(s->prefix)) {
		err_set(e, ERR_USAGE, _("\"%.300s\" is not the path of a renewalInfo URL"), s->prefix);
		return err_remedy(e, _("give the renewalInfo URL of the ACME directory, such as https://acme.example.com/renewal-info"));
	}
	return 0;
}

char *ari_nginx(const struct ari_site *s)
{
	return mem_printf("# renewalInfo (RFC 9773) of %s, written by sev1. Include it in the server { } that\n"
	    "# answers at the renewalInfo URL of the ACME directory.\n"
	    "location = %s/ { return 404; }\n"
	    "location ^~ %s/ {\n"
	    "\talias \"%s/\";\n"
	    "\ttypes { }\n"
	    "\tdefault_type application/json;\n"
	    "\tadd_header Retry-After %d;\n"
	    "\tautoindex off;\n"
	    "}\n",
	    s->incident, s->prefix, s->prefix, s->files, s->retry_after);
}

char *ari_apache(const struct ari_site *s)
{
	return mem_printf("# renewalInfo (RFC 9773) of %s, written by sev1. Include it in the <VirtualHost> that\n"
	    "# answers at the renewalInfo URL of the ACME directory. Needs mod_alias and mod_headers.\n"
	    "Alias \"%s/\" \"%s/\"\n"
	    "<Directory \"%s\">\n"
	    "\tRequire all granted\n"
	    "\tOptions None\n"
	    "\tAllowOverride None\n"
	    "\tForceType application/json\n"
	    "\tSetHandler default-handler\n"
	    "\tHeader set Retry-After \"%d\"\n"
	    "</Directory>\n"
	    "<LocationMatch \"^\\Q%s/\\E$\">\n"
	    "\tRedirect 404\n"
	    "</LocationMatch>\n",
	    s->incident, s->prefix, s->files, s->files, s->retry_after, s->prefix);
}
