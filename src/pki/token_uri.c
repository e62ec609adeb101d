#include "pki/token_uri.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "base/text.h"

#define SCHEME "pkcs11:"

/* A scheme is written either way (RFC 3986, 3.1). What is one is never taken for a file's name: that would be shown. */
bool token_uri_is(const char *s)
{
	return strncasecmp(s, SCHEME, strlen(SCHEME)) == 0;
}

int token_uri_alone(const char *s, struct err *e)
{
	if (token_uri_is(s) || strcasestr(s, SCHEME) == NULL)
		return 0;
	err_set(e, ERR_SYNTAX, _("something stands before the pkcs11: URI of the private key"));
	return err_remedy(e, _("write the URI alone, without quotes and without engine: before it"));
}

/* Does an attribute of this kind begin here, or after a separator? In any case of letters: it may be a PIN. */
static bool uri_holds(const char *s, size_t len, char separator, const char *attribute)
{
	size_t n = strlen(attribute);

	for (size_t i = 0; i + n <= len; i++)
		if ((i == 0 || s[i - 1] == separator) && strncasecmp(s + i, attribute, n) == 0)
			return true;
	return false;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
	    : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decode len octets of s into out of size octets. The length, or -1: malformed or too long. */
static long uri_decode(const char *s, size_t len, unsigned char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)s[i];

		if (s[i] == '%') {
			if (i + 2 >= len || hex_digit(s[i + 1]) < 0 || hex_digit(s[i + 2]) < 0)
				return -1;
			c = hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]);
			i += 2;
		}
		if (n == size)
			return -1;
		out[n++] = (unsigned char)c;
	}
	return (long)n;
}

static int uri_text(const char *name, const char *value, size_t len, char *out, size_t size, struct err *e)
{
	long n = uri_decode(value, len, (unsigned char *)out, size - 1);

	if (n <= 0 || memchr(out, '\0', (size_t)n) != NULL)
		return err_set(e, ERR_SYNTAX, _("key: '%s' of the pkcs11: URI is empty, malformed or too long"), name);
	out[n] = '\0';
	return 0;
}

static int uri_id(struct token_uri *u, const char *value, size_t len, struct err *e)
{
	long n = uri_decode(value, len, u->id, sizeof u->id);

	if (n <= 0)
		return err_set(e, ERR_SYNTAX, _("key: '%s' of the pkcs11: URI is empty, malformed or too long"), "id");
	u->id_len = (size_t)n;
	return 0;
}

/* RFC 7512, 2.3. */
static int uri_twice(const char *name, struct err *e)
{
	err_set(e, ERR_SYNTAX, _("key: '%s' stands twice in the pkcs11: URI"), name);
	return err_remedy(e, _("leave the one that is meant"));
}

static int uri_attribute(struct token_uri *u, const char *at, size_t len, struct err *e)
{
	struct { const char *name; char *out; size_t size; } text[] = {
		{ "token", u->token, sizeof u->token }, { "manufacturer", u->manufacturer, sizeof u->manufacturer },
		{ "serial", u->serial, sizeof u->serial }, { "model", u->model, sizeof u->model },
		{ "object", u->object, sizeof u->object },
	};
	const char *eq = memchr(at, '=', len), *value = eq != NULL ? eq + 1 : NULL;
	size_t name = eq != NULL ? (size_t)(eq - at) : len, left = eq != NULL ? len - name - 1 : 0;
	char *shown;

	for (size_t i = 0; eq != NULL && i < sizeof text / sizeof text[0]; i++)
		if (strlen(text[i].name) == name && strncmp(text[i].name, at, name) == 0)
			return text[i].out[0] != '\0' ? uri_twice(text[i].name, e)
			                              : uri_text(text[i].name, value, left, text[i].out, text[i].size, e);
	if (eq != NULL && name == 2 && strncmp(at, "id", 2) == 0)
		return u->id_len > 0 ? uri_twice("id", e) : uri_id(u, value, left, e);
	if (eq != NULL && name == 4 && strncmp(at, "type", 4) == 0) {
		if (left == 7 && strncmp(value, "private", 7) == 0)
			return 0;
		err_set(e, ERR_SYNTAX, _("key: the pkcs11: URI names something that is not a private key ('type')"));
		return err_remedy(e, _("write type=private, or leave it out"));
	}
	shown = text_escaped(at, name, 40);
	err_set(e, ERR_SYNTAX, _("key: '%s' in the pkcs11: URI is not known here, or has a wrong value"), shown);
	free(shown);
	return err_remedy(e, _("name the key by token, serial, model, manufacturer, object and id"));
}

/* What stands after '?'. Its values are not repeated anywhere: one may be a PIN. */
static int uri_query(const char *query, struct err *e)
{
	if (uri_holds(query, strlen(query), '&', "pin-")) {
		err_set(e, ERR_REFUSED, _("key: the pkcs11: URI holds a PIN (pin-value or pin-source): a PIN in a file "
		    "is not safe, it is in every backup of it"));
		return err_remedy(e, _("take it out; sev1 asks for the PIN once, or reads it with --pin-fd. Change the "
		    "PIN if the file was readable by others"));
	}
	if (uri_holds(query, strlen(query), '&', "module-")) {
		err_set(e, ERR_REFUSED, _("key: the pkcs11: URI names a module"));
		return err_remedy(e, _("take it out, and name the library with 'pkcs11-module ='"));
	}
	err_set(e, ERR_SYNTAX, _("key: the pkcs11: URI has attributes after '?' that are not known here"));
	return err_remedy(e, _("take them out"));
}

int token_uri_parse(struct token_uri *u, const char *s, struct err *e)
{
	size_t path, n;
	int rc;

	*u = (struct token_uri){ 0 };
	if (!token_uri_is(s))
		return err_set(e, ERR_SYNTAX, _("key: not a pkcs11: URI"));
	s += strlen(SCHEME);
	path = strcspn(s, "?");
	if (uri_holds(s, path, ';', "pin-")) /* misplaced, but a PIN all the same */
		return uri_query("pin-", e);
	if (s[path] == '?' && (rc = uri_query(s + path + 1, e)) < 0)
		return rc;
	for (; path > 0; s += n, path -= n) {
		if (*s == ';') {
			n = 1;
			continue;
		}
		n = strcspn(s, ";");
		n = n < path ? n : path;
		if ((rc = uri_attribute(u, s, n, e)) < 0)
			return rc;
	}
	if (u->object[0] != '\0' || u->id_len > 0)
		return 0;
	err_set(e, ERR_SYNTAX, _("key: the pkcs11: URI names no key"));
	return err_remedy(e, _("add object= or id=; p11tool --list-all or pkcs11-tool -O shows them"));
}

static void uri_put(struct buf *b, const char *name, const void *data, size_t len)
{
	const unsigned char *p = data;

	if (len == 0)
		return;
	buf_addf(b, "%s%s=", b->len > strlen(SCHEME) ? ";" : "", name);
	for (size_t i = 0; i < len; i++) {
		if (isalnum(p[i]) && p[i] < 0x80)
			buf_addc(b, (char)p[i]);
		else
			buf_addf(b, "%%%02X", p[i]);
	}
}

void token_uri_build(struct buf *b, const struct token_uri *u)
{
	buf_clear(b);
	buf_adds(b, SCHEME);
	uri_put(b, "token", u->token, strlen(u->token));
	uri_put(b, "manufacturer", u->manufacturer, strlen(u->manufacturer));
	uri_put(b, "serial", u->serial, strlen(u->serial));
	uri_put(b, "model", u->model, strlen(u->model));
	uri_put(b, "object", u->object, strlen(u->object));
	uri_put(b, "id", u->id, u->id_len);
	buf_adds(b, ";type=private");
}
