#include "comms/message.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/i18n.h"
#include "base/text.h"

#define WORD_MAX 45   /* octets of an encoded word: 60 in base64, 75 with its frame (RFC 2047 2) */
#define LINE_MAX_QP 76
#define LINE_MAX_PLAIN 900 /* RFC 5322 2.1.1 allows 998 */

static bool is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			return false;
	return true;
}

static void base64_add(struct buf *b, const char *s, size_t n)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0) |
		    (i + 2 < n ? p[i + 2] : 0);
		buf_addc(b, digit[v >> 18]);
		buf_addc(b, digit[v >> 12 & 63]);
		buf_addc(b, i + 1 < n ? digit[v >> 6 & 63] : '=');
		buf_addc(b, i + 2 < n ? digit[v & 63] : '=');
	}
}

/* A header's text: as it is, or as encoded words, one a line, broken between characters. Control
 * characters become spaces first: a line break must not reach a header even encoded. */
static void header_text(struct buf *b, const char *s)
{
	char *clean = mem_strdup(s);
	const char *p = clean;
	size_t n;

	for (char *c = clean; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	if (is_plain(clean) && strstr(clean, "=?") == NULL && strlen(clean) < 900) {
		buf_adds(b, clean);
		free(clean);
		return;
	}
	while (*p != '\0') {
		n = strlen(p);
		if (n > WORD_MAX)
			for (n = WORD_MAX; n > 1 && ((unsigned char)p[n] & 0xc0) == 0x80;)
				n--;
		buf_adds(b, p == clean ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
		base64_add(b, p, n);
		buf_adds(b, "?=");
		p += n;
	}
	free(clean);
}

/* One local part and a domain of harmless characters: RFC 5321 4.1.2 without its exotic forms. */
static bool address_ok(const char *s, size_t n)
{
	const char *at = memrchr(s, '@', n);
	char *domain;
	bool ok;

	if (at == NULL || at == s || (size_t)(at - s) > 64 || n > 254)
		return false;
	for (const char *p = s; p < at; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f ||
		    strchr("()<>[]:;@\\,\"", *p) != NULL)
			return false;
	if (s[0] == '-')
		return false; /* would be an option to a program that sends */
	domain = mem_strndup(at + 1, n - (size_t)(at + 1 - s));
	ok = text_is_host(domain, false);
	free(domain);
	return ok;
}

/* Where the addr-spec lies in an address. false where it is not one. */
static bool address_find(const char *s, const char **spec, size_t *n)
{
	const char *open = strrchr(s, '<');

	if (open == NULL) {
		*spec = s;
		*n = strlen(s);
	} else {
		*spec = open + 1;
		*n = strcspn(open + 1, ">");
		if (strcmp(open + 1 + *n, ">") != 0)
			return false;
	}
	return address_ok(*spec, *n);
}

static int address_bad(const char *s, struct err *e)
{
	char *shown = text_escaped(s, strlen(s), 100);

	err_set(e, ERR_USAGE, _("not a mail address: %s"), shown);
	free(shown);
	return err_remedy(e, _("write name@example.com or Name <name@example.com>"));
}

char *message_address(const char *s, struct err *e)
{
	const char *spec;
	size_t n;

	if (address_find(s, &spec, &n))
		return mem_strndup(spec, n);
	address_bad(s, e);
	return NULL;
}

/* "Name <a@b>" with the name quoted or encoded. */
static int header_address(struct buf *b, const char *s, struct err *e)
{
	const char *spec;
	char *name;
	size_t n, len;

	if (!address_find(s, &spec, &n))
		return address_bad(s, e);
	len = spec == s ? 0 : (size_t)(spec - 1 - s);
	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '"'))
		len--;
	if (len > 0 && s[0] == '"') {
		s++;
		len--;
	}
	name = mem_strndup(s, len);
	for (char *p = name; *p != '\0'; p++)
		if (*p == '"' || *p == '\\')
			*p = '\'';
	if (len > 0 && is_plain(name)) {
		buf_addf(b, "\"%s\" ", name);
	} else if (len > 0) {
		header_text(b, name);
		buf_addc(b, ' ');
	}
	buf_addc(b, '<');
	buf_add(b, spec, n);
	buf_addc(b, '>');
	free(name);
	return 0;
}

static void header_date(struct buf *b, int64_t at)
{
	/* not strftime: these words are English in every locale */
	static const char *const day[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const month[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)(at / 1000);
	struct tm tm;

	gmtime_r(&t, &tm);
	buf_addf(b, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", day[tm.tm_wday], tm.tm_mday,
	    month[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void header_id(struct buf *b, const struct message *m, const char *from)
{
	char hex[DIGEST_HEX];

	digest_of(m->key, strlen(m->key), hex);
	buf_addf(b, "Message-ID: <%.32s.sev1@%s>\r\n", hex, strrchr(from, '@') + 1);
}

/* Quoted-printable, RFC 2045 6.7. */
static void body_encode(struct buf *b, const char *s)
{
	size_t column = 0;

	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		bool end = s[1] == '\n' || s[1] == '\0';
		bool raw = (c >= 0x21 && c <= 0x7e && c != '=') || ((c == ' ' || c == '\t') && !end);
		size_t width = raw ? 1 : 3;
		if (c == '\n') {
			buf_adds(b, "\r\n");
			column = 0;
			continue;
		}
		if (column + width >= LINE_MAX_QP) {
			buf_adds(b, "=\r\n");
			column = 0;
		}
		buf_addf(b, raw ? "%c" : "=%02X", c);
		column += width;
	}
	if (column > 0)
		buf_adds(b, "\r\n");
}

static bool body_is_simple(const char *s)
{
	size_t column = 0;

	for (; *s != '\0'; s++) {
		column = *s == '\n' ? 0 : column + 1;
		if (column > LINE_MAX_PLAIN || (unsigned char)*s > 0x7e || ((unsigned char)*s < 0x20 && *s != '\n'))
			return false;
	}
	return true;
}

static void body_plain(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\n')
			buf_addc(b, '\r');
		buf_addc(b, *s);
		if (*s != '\n' && s[1] == '\0')
			buf_adds(b, "\r\n");
	}
}

char *message_build(const struct message *m, struct err *e)
{
	bool simple = body_is_simple(m->body);
	struct buf b = { 0 };
	char *from = message_address(m->from, e);
	int rc = from != NULL ? 0 : ERR_USAGE;

	if (rc == 0) {
		buf_adds(&b, "From: ");
		rc = header_address(&b, m->from, e);
	}
	for (size_t i = 0; rc == 0 && i < m->tos; i++) {
		buf_adds(&b, i == 0 ? "\r\nTo: " : ",\r\n ");
		rc = header_address(&b, m->to[i], e);
	}
	if (rc < 0) {
		free(from);
		buf_free(&b);
		return NULL;
	}
	buf_adds(&b, "\r\nSubject: ");
	header_text(&b, m->subject);
	buf_adds(&b, "\r\n");
	header_date(&b, m->at);
	header_id(&b, m, from);
	free(from);
	buf_addf(&b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"
	             "Content-Transfer-Encoding: %s\r\nImportance: high\r\nAuto-Submitted: no\r\n\r\n",
	    simple ? "7bit" : "quoted-printable");
	if (simple)
		body_plain(&b, m->body);
	else
		body_encode(&b, m->body);
	return buf_take(&b);
}
