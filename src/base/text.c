#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/i18n.h"

/* One UTF-8 character of at most len octets: its length and *cp, or 0 where it is broken, overlong,
 * a surrogate or beyond U+10FFFF (RFC 3629). */
static size_t text_decode(const unsigned char *s, size_t len, uint32_t *cp)
{
	size_t n, i;

	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || n > len)
		return 0;
	*cp = s[0] & (0xffu >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3f);
	}
	if ((n == 3 && *cp < 0x800) || (n == 4 && *cp < 0x10000) || *cp > 0x10ffff ||
	    (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return n;
}

/* Characters that are not seen, or that turn the reading order round. */
static bool text_hidden(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad || cp == 0x61c || cp == 0x180e ||
	    (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	    (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || (cp >= 0xfff0 && cp <= 0xfffb) ||
	    (cp >= 0xe0000 && cp <= 0xe0fff) || (cp >= 0xe000 && cp <= 0xf8ff) || cp >= 0xf0000;
}

void text_escape(struct buf *b, const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t cp;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = text_decode(p, len, &cp);
		if (n == 0) {
			buf_addf(b, "\\x%02X", *p);
			n = 1;
		} else if (cp == '\n') {
			buf_adds(b, "\\n");
		} else if (cp == '\t') {
			buf_adds(b, "\\t");
		} else if (text_hidden(cp)) {
			buf_addf(b, cp < 0x80 ? "\\x%02X" : "\\u{%X}", cp);
		} else {
			buf_add(b, p, n);
		}
	}
}

char *text_escaped(const char *s, size_t len, size_t max)
{
	struct buf b = { 0 };

	text_escape(&b, s, len > max ? max : len);
	if (len > max)
		buf_adds(&b, "...");
	return buf_take(&b);
}

static int text_width(uint32_t cp)
{
	int w = wcwidth((wchar_t)cp);

	return w < 0 ? 1 : w;
}

size_t text_fit(const char *s, int cols, int *used)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t left = strlen(s), n;
	uint32_t cp;
	int w, sum = 0;

	for (; left > 0; p += n, left -= n) {
		if ((n = text_decode(p, left, &cp)) == 0) {
			n = 1;
			cp = '?';
		}
		w = text_width(cp);
		if (sum + w > cols)
			break;
		sum += w;
	}
	if (used != NULL)
		*used = sum;
	return (size_t)((const char *)p - s);
}

int text_columns(const char *s)
{
	int used;

	text_fit(s, INT32_MAX, &used);
	return used;
}

const char *text_pad(char *out, size_t size, const char *s, int cols)
{
	int used = text_columns(s);

	snprintf(out, size, "%s%*s", s, used < cols ? cols - used : 0, "");
	return out;
}

void text_quote(struct buf *b, const char *s)
{
	buf_addc(b, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, *s);
	}
	buf_addc(b, '\'');
}

char *text_quoted(const char *s)
{
	struct buf b = { 0 };

	text_quote(&b, s);
	return buf_take(&b);
}

static bool text_is_label(const char *s, size_t n)
{
	if (n == 0 || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '_')
			return false;
	return true;
}

bool text_is_ip(const char *s)
{
	unsigned char ip[16];

	return inet_pton(AF_INET, s, ip) == 1 || inet_pton(AF_INET6, s, ip) == 1;
}

bool text_is_host(const char *s, bool wildcard)
{
	size_t n;

	if (s == NULL || strlen(s) > 253)
		return false;
	if (text_is_ip(s))
		return true;
	if (wildcard && strncmp(s, "*.", 2) == 0)
		s += 2;
	for (;;) {
		n = strcspn(s, ".");
		if (!text_is_label(s, n))
			return false;
		if (s[n] == '\0')
			return true;
		s += n + 1;
	}
}

bool text_is_word(const char *s)
{
	size_t n;

	if (s == NULL)
		return false;
	n = strlen(s);
	return n >= 1 && n <= 64 && s[0] != '.' && s[0] != '-' &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

bool text_is_hex(const char *s)
{
	return s != NULL && s[0] != '\0' && s[strspn(s, "0123456789abcdefABCDEF")] == '\0';
}

char *text_count(char *out, long long n)
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%lld", n), at = 0;

	for (int i = 0; i < len && at < 30; i++) {
		if (i > 0 && digits[i - 1] != '-' && (len - i) % 3 == 0)
			out[at++] = ' ';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

char *text_entries(char *out, long long n)
{
	char count[32];

	snprintf(out, 64, ngettext("%s entry", "%s entries", (unsigned long)n), text_count(count, n));
	return out;
}

char *text_certificates(char *out, long long n)
{
	char count[32];

	snprintf(out, 64, ngettext("%s certificate", "%s certificates", (unsigned long)n), text_count(count, n));
	return out;
}

char *text_size(char *out, long long octets)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double v = (double)octets;
	size_t u = 0;

	for (; v >= 1024 && u + 1 < sizeof unit / sizeof unit[0]; u++)
		v /= 1024;
	snprintf(out, 16, u == 0 ? "%.0f %s" : "%.1f %s", v, unit[u]);
	return out;
}
