#include "comms/mail_decode.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "comms/mail.h"

#define WORD_MAX 4000 /* octets of an encoded word; RFC 2047 2 allows 75 */

/* ---- transfer encodings ---- */

static int base64_digit(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Padding ends a group, not the data: mails are put together from pieces. What is no digit is passed over. */
static void base64_decode(struct buf *out, const char *p, size_t len)
{
	unsigned bits = 0, n = 0;

	for (size_t i = 0; i < len; i++) {
		int d = base64_digit((unsigned char)p[i]);

		if (p[i] == '=')
			n = 0;
		if (d < 0)
			continue;
		bits = bits << 6 | (unsigned)d;
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_addc(out, (char)(bits >> n & 0xff));
		}
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "=\n", with blanks before the line's end or not: how many octets; 0 for none. */
static size_t soft_break(const char *p, size_t len)
{
	size_t i = 1;

	while (i < len && (p[i] == ' ' || p[i] == '\t'))
		i++;
	if (i < len && p[i] == '\r')
		i++;
	return i < len && p[i] == '\n' ? i + 1 : i == len ? i : 0;
}

static void quoted_decode(struct buf *out, const char *p, size_t len, bool word)
{
	for (size_t i = 0, n; i < len; i++) {
		if (p[i] == '=' && i + 2 < len && hex_digit(p[i + 1]) >= 0 && hex_digit(p[i + 2]) >= 0) {
			buf_addc(out, (char)(hex_digit(p[i + 1]) << 4 | hex_digit(p[i + 2])));
			i += 2;
		} else if (p[i] == '=' && !word && (n = soft_break(p + i, len - i)) > 0) {
			i += n - 1;
		} else {
			buf_addc(out, word && p[i] == '_' ? ' ' : p[i]);
		}
	}
}

void mail_transfer(struct buf *out, const char *encoding, const char *p, size_t len)
{
	mail_room(out, len);
	if (strcasecmp(encoding, "base64") == 0)
		base64_decode(out, p, len);
	else if (strcasecmp(encoding, "quoted-printable") == 0)
		quoted_decode(out, p, len, false);
	else
		buf_add(out, p, len);
}

/* ---- charsets ---- */

/* Names that mail uses and iconv does not know, or knows as something narrower than what is meant. */
static const char *charset_alias(const char *s)
{
	static const char *const alias[][2] = { { "x-sjis", "CP932" }, { "shift-jis", "CP932" }, { "shift_jis", "CP932" },
		{ "sjis", "CP932" }, { "windows-31j", "CP932" }, { "ms_kanji", "CP932" }, { "x-euc-jp", "EUC-JP" }, { "eucjp", "EUC-JP" },
		{ "iso-2022-jp", "ISO-2022-JP-2" }, { "iso-2022-jp-1", "ISO-2022-JP-2" }, { "iso-2022-jp-ms", "ISO-2022-JP-2" },
		{ "gb2312", "GB18030" }, { "gb_2312-80", "GB18030" }, { "x-gbk", "GB18030" }, { "cp936", "GB18030" },
		{ "ks_c_5601-1987", "CP949" }, { "ks_c_5601", "CP949" }, { "euc-kr", "CP949" }, { "windows-949", "CP949" },
		{ "x-windows-949", "CP949" }, { "big5", "BIG5-HKSCS" }, { "x-x-big5", "BIG5-HKSCS" }, { "cn-big5", "BIG5-HKSCS" },
		{ "iso_8859-1", "WINDOWS-1252" }, { "iso-8859-1", "WINDOWS-1252" }, { "iso8859-1", "WINDOWS-1252" },
		{ "latin1", "WINDOWS-1252" }, { "x-mac-roman", "MACINTOSH" }, { "x-user-defined", "WINDOWS-1252" },
		{ "unicode-1-1-utf-7", "UTF-7" }, { "iso-8859-8-i", "ISO-8859-8" } };

	for (size_t i = 0; i < sizeof alias / sizeof alias[0]; i++)
		if (strcasecmp(s, alias[i][0]) == 0)
			return alias[i][1];
	return s;
}

/* Those that iconv is asked for: its odd converters have had their own holes. */
static bool charset_known(const char *s)
{
	static const char *const start[] = { "iso-8859-", "iso8859-", "windows-125", "cp125", "koi8-", "utf-16", "utf-32",
		"latin" };
	static const char *const whole[] = { "iso-2022-jp-2", "iso-2022-kr", "cp932", "euc-jp", "cp949", "gbk", "gb18030",
		"big5-hkscs", "macintosh", "cp437", "cp850", "cp866", "utf-7", "windows-874", "tis-620" };

	for (size_t i = 0; i < sizeof start / sizeof start[0]; i++)
		if (strncasecmp(s, start[i], strlen(start[i])) == 0 && strlen(s) < 16)
			return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(s);
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
		if (strcasecmp(s, whole[i]) == 0)
			return true;
	return false;
}

/* What the octets themselves say, whatever is written above them: a byte order mark, escapes of ISO 2022. NULL: nothing. */
static const char *charset_seen(const char *p, size_t len)
{
	if (len >= 2 && memcmp(p, "\xff\xfe", 2) == 0)
		return "UTF-16";
	if (len >= 2 && memcmp(p, "\xfe\xff", 2) == 0)
		return "UTF-16";
	if (memmem(p, len, "\x1b$B", 3) != NULL || memmem(p, len, "\x1b$@", 3) != NULL)
		return "ISO-2022-JP-2";
	return NULL;
}

/* Octets of the UTF-8 character at p; 0 where it is none (RFC 3629). */
static size_t utf8_octets(const unsigned char *p, size_t len)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void put_utf8(struct buf *out, uint32_t c)
{
	if (c == 0)
		c = ' ';
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	if (c < 0x80) {
		buf_addc(out, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_addc(out, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_addc(out, (char)(0xe0 | c >> 12));
		} else {
			buf_addc(out, (char)(0xf0 | c >> 18));
			buf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_addc(out, (char)(0x80 | (c & 0x3f)));
}

/* UTF-8 as it is; each other octet as windows-1252 has it. */
static void guess_utf8(struct buf *out, const char *p, size_t len)
{
	static const uint16_t cp1252[32] = { 0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160,
		0x2039, 0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122,
		0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178 };

	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)p[i];

		if ((n = utf8_octets((const unsigned char *)p + i, len - i)) > 0 && c != 0) {
			buf_add(out, p + i, n);
		} else {
			n = 1;
			put_utf8(out, c >= 0x80 && c < 0xa0 ? cp1252[c - 0x80] : c);
		}
	}
}

static void iconv_utf8(struct buf *out, iconv_t cd, const char *p, size_t len)
{
	char *in = (char *)p, chunk[4096], *to;
	size_t left = len, room;

	while (left > 0) {
		to = chunk;
		room = sizeof chunk;
		size_t rc = iconv(cd, &in, &left, &to, &room);
		int why = errno;

		guess_utf8(out, chunk, sizeof chunk - room);
		if (rc != (size_t)-1)
			break;
		if (why != E2BIG) { /* an octet that belongs to no character */
			put_utf8(out, 0xfffd);
			in++;
			left--;
		}
	}
	explicit_bzero(chunk, sizeof chunk);
}

void mail_utf8(struct buf *out, const char *charset, const char *p, size_t len)
{
	const char *seen = charset_seen(p, len), *name = charset != NULL ? charset_alias(charset) : NULL;
	iconv_t cd;

	if (seen != NULL && (name == NULL || strncasecmp(name, "utf-16", 6) != 0))
		name = seen;
	else if (name != NULL && strcasecmp(name, "utf-16") == 0 && seen == NULL && len >= 2 && p[0] == '\0')
		name = "UTF-16BE"; /* RFC 2781 4.3; iconv would take the order of this machine */
	cd = name != NULL && charset_known(name) ? iconv_open("UTF-8", name) : (iconv_t)-1;

	mail_room(out, 2 * len);
	if (cd == (iconv_t)-1) {
		guess_utf8(out, p, len);
		return;
	}
	iconv_utf8(out, cd, p, len);
	iconv_close(cd);
}

/* ---- headers ---- */

/* One encoded word at p: its length, its decoded octets appended to raw, its charset; 0 where there is none. */
static size_t word_read(const char *p, size_t len, char charset[40], struct buf *raw)
{
	const char *end = p + len, *cs = p + 2, *enc, *text, *stop;
	size_t n;

	if (len < 8 || memcmp(p, "=?", 2) != 0 || (enc = memchr(cs, '?', (size_t)(end - cs))) == NULL || end - enc < 4 ||
	    enc[2] != '?')
		return 0;
	text = enc + 3;
	for (stop = text; stop + 1 < end && !(stop[0] == '?' && stop[1] == '='); stop++)
		if (*stop == '\n' || stop - text > WORD_MAX)
			return 0;
	if (stop + 1 >= end)
		return 0;
	n = (size_t)(enc - cs);
	if (memchr(cs, '*', n) != NULL) /* RFC 2231 5: a language behind the charset */
		n = (size_t)((const char *)memchr(cs, '*', n) - cs);
	if (n == 0 || n >= 40 || strchr("bBqQ", enc[1]) == NULL || enc[1] == '\0')
		return 0;
	memcpy(charset, cs, n);
	charset[n] = '\0';
	if (tolower((unsigned char)enc[1]) == 'b')
		base64_decode(raw, text, (size_t)(stop - text));
	else
		quoted_decode(raw, text, (size_t)(stop - text), true);
	return (size_t)(stop + 2 - p);
}

char *mail_words(const char *s, size_t len)
{
	struct buf out = { 0 }, raw = { 0 };
	char charset[40] = "", other[40];
	size_t i = 0, n, plain = 0, gap;
	bool word = false; /* the last thing was an encoded word */

	while (i < len) {
		struct buf one = { 0 };

		for (gap = 0; word && i + gap < len && isspace((unsigned char)s[i + gap]); gap++)
			;
		n = s[i + gap < len ? i + gap : i] == '=' ? word_read(s + i + gap, len - i - gap, other, &one) : 0;
		word = n > 0;
		if (raw.len > 0 && (!word || strcasecmp(charset, other) != 0)) {
			mail_utf8(&out, charset, buf_str(&raw), raw.len);
			buf_clear(&raw);
		}
		if (n > 0) { /* white space between two encoded words is none (RFC 2047 6.2) */
			guess_utf8(&out, s + plain, i - plain);
			memcpy(charset, other, sizeof charset);
			buf_add(&raw, buf_str(&one), one.len);
			i += gap + n;
			plain = i;
		} else {
			i++;
		}
		buf_free(&one);
	}
	if (raw.len > 0)
		mail_utf8(&out, charset, buf_str(&raw), raw.len);
	guess_utf8(&out, s + plain, len - plain);
	buf_free(&raw);
	return buf_take(&out);
}

/* The next parameter at *at, behind a ';': its name and value into n and v. */
static bool parameter_next(const char **at, struct buf *n, struct buf *v)
{
	const char *p = *at + strcspn(*at, ";\"");

	if (*p == '"') { /* a string before the first parameter */
		for (p++; *p != '\0' && *p != '"'; p++)
			p += *p == '\\' && p[1] != '\0';
		p += strcspn(p, ";");
	}
	if (*p == '\0')
		return false;
	p++;
	p += strspn(p, " \t\r\n");
	buf_clear(n);
	buf_clear(v);
	buf_add(n, p, strcspn(p, "= \t\r\n;"));
	p += n->len + strspn(p + n->len, " \t\r\n");
	if (*p == '=') {
		p++;
		p += strspn(p, " \t\r\n");
		if (*p == '"') {
			for (p++; *p != '\0' && *p != '"'; p++) {
				p += *p == '\\' && p[1] != '\0';
				buf_addc(v, *p);
			}
			p += *p == '"';
		} else {
			buf_add(v, p, strcspn(p, "; \t\r\n"));
			p += v->len;
		}
	}
	*at = p;
	return true;
}

static void percent_decode(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '%' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0) {
			buf_addc(out, (char)(hex_digit(s[1]) << 4 | hex_digit(s[2])));
			s += 2;
		} else {
			buf_addc(out, *s);
		}
	}
}

/* A piece of an extended value, "charset'language'text" where it is the first (RFC 2231 4). */
static void extended_add(struct buf *raw, const char *s, bool first, char charset[40])
{
	const char *q = first ? strchr(s, '\'') : NULL, *r = q != NULL ? strchr(q + 1, '\'') : NULL;

	if (r != NULL && q - s < 40) {
		memcpy(charset, s, (size_t)(q - s));
		charset[q - s] = '\0';
		s = r + 1;
	}
	percent_decode(raw, s);
}

char *mail_parameter(const char *value, const char *name)
{
	struct buf n = { 0 }, v = { 0 }, raw = { 0 }, out = { 0 };
	char charset[40] = "";
	size_t len = strlen(name), pieces = 0;
	bool extended = false, plain = false;

	for (const char *at = value; !plain && parameter_next(&at, &n, &v);) {
		const char *rest = buf_str(&n) + len;

		if (n.len < len || strncasecmp(buf_str(&n), name, len) != 0 || (*rest != '\0' && *rest != '*'))
			continue;
		if ((plain = *rest == '\0')) {
			buf_clear(&raw);
			buf_add(&raw, buf_str(&v), v.len);
		} else if (rest[strlen(rest) - 1] == '*') {
			extended = true;
			extended_add(&raw, buf_str(&v), pieces++ == 0, charset);
		} else {
			buf_add(&raw, buf_str(&v), v.len);
			pieces++;
		}
	}
	if (plain && raw.len > 0) { /* against RFC 2047 5, and everywhere */
		buf_free(&out);
		out.data = mail_words(buf_str(&raw), raw.len);
		out.len = strlen(out.data);
	} else if (plain || pieces > 0) {
		mail_utf8(&out, extended ? charset : NULL, buf_str(&raw), raw.len);
	}
	buf_free(&n);
	buf_free(&v);
	buf_free(&raw);
	if (!plain && pieces == 0)
		return NULL;
	return buf_take(&out);
}
