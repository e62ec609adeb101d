/* HTML as text, in one pass. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "comms/mail.h"
#include "comms/mail_decode.h"

#define HREF_MAX 2000

static const struct {
	const char *name, *text;
} entities[] = { { "amp", "&" }, { "lt", "<" }, { "gt", ">" }, { "quot", "\"" }, { "apos", "'" }, { "nbsp", " " },
	{ "ndash", "-" }, { "mdash", "-" }, { "lsquo", "'" }, { "rsquo", "'" }, { "ldquo", "\"" }, { "rdquo", "\"" },
	{ "hellip", "..." }, { "shy", "" }, { "zwnj", "" }, { "zwj", "" }, { "colon", ":" }, { "sol", "/" }, { "period", "." },
	{ "equals", "=" }, { "plus", "+" }, { "ensp", " " }, { "emsp", " " }, { "thinsp", " " }, { "NewLine", "\n" },
	{ "Tab", "\t" }, { "commat", "@" }, { "lowbar", "_" }, { "hyphen", "-" }, { "iquest", "\xc2\xbf" }, { "oelig", "oe" },
	{ "OElig", "OE" }, { "scaron", "\xc5\xa1" }, { "Scaron", "\xc5\xa0" } };

/* The letters of Latin 1 from U+00C0 on, by their names. */
static const char *const letters[] = { "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave",
	"Eacute", "Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde",
	"Ouml", "times", "Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc",
	"atilde", "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc", "iuml",
	"eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml",
	"yacute", "thorn", "yuml" };

static void put_point(struct buf *out, unsigned long c)
{
	if (c == 0xad || (c >= 0x200b && c <= 0x200f) || c == 0xfeff)
		return;
	if (c < 0x80) {
		buf_addc(out, c < 0x20 ? ' ' : (char)c);
	} else if (c == 0xa0 || c > 0xffff || (c >= 0xd800 && c < 0xe000)) {
		buf_addc(out, ' ');
	} else if (c >= 0x2010 && c <= 0x2015) {
		buf_addc(out, '-');
	} else {
		if (c < 0x800) {
			buf_addc(out, (char)(0xc0 | c >> 6));
		} else {
			buf_addc(out, (char)(0xe0 | c >> 12));
			buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		}
		buf_addc(out, (char)(0x80 | (c & 0x3f)));
	}
}

static bool put_named(struct buf *out, const char *name)
{
	for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
		if (strcmp(entities[i].name, name) == 0) {
			buf_adds(out, entities[i].text);
			return true;
		}
	for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
		if (strcmp(letters[i], name) == 0) {
			put_point(out, 0xc0 + i);
			return true;
		}
	return false;
}

/* A reference at p ("&amp;"): how many octets it takes; 1 where it is none. */
static size_t entity(struct buf *out, const char *p, size_t len)
{
	size_t n = 1;
	char name[12];

	while (n < len && n < sizeof name && (isalnum((unsigned char)p[n]) || p[n] == '#'))
		n++;
	memcpy(name, p + 1, n - 1 < sizeof name - 1 ? n - 1 : sizeof name - 1);
	name[n - 1 < sizeof name - 1 ? n - 1 : sizeof name - 1] = '\0';
	if (name[0] == '#' && name[1] != '\0') {
		bool hex = tolower((unsigned char)name[1]) == 'x';

		put_point(out, strtoul(name + (hex ? 2 : 1), NULL, hex ? 16 : 10));
		return n + (n < len && p[n] == ';');
	}
	if (put_named(out, name))
		return n + (n < len && p[n] == ';');
	buf_addc(out, '&');
	return 1;
}

static bool tag_is(const char *p, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len >= n && strncasecmp(p, name, n) == 0 && (len == n || !isalnum((unsigned char)p[n]));
}

static bool tag_breaks(const char *p, size_t len)
{
	static const char *const names[] = { "br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "pre", "blockquote",
		"hr", "ul", "ol", "title" };

	if (len > 0 && *p == '/') {
		p++;
		len--;
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (tag_is(p, len, names[i]))
			return true;
	return false;
}

/* The target of a link, to stand behind it: what people click on is not what they read. */
static void tag_href(struct buf *link, const char *p, size_t len)
{
	const char *end = p + len, *h = p;
	char quote;

	buf_clear(link);
	while (h + 5 < end && strncasecmp(h, "href=", 5) != 0)
		h++;
	if (h + 5 >= end)
		return;
	h += 5;
	quote = *h == '"' || *h == '\'' ? *h++ : '\0';
	for (; h < end && link->len < HREF_MAX && (quote != '\0' ? *h != quote : !isspace((unsigned char)*h));)
		if (*h == '&')
			h += entity(link, h, (size_t)(end - h));
		else
			buf_addc(link, *h++);
}

/* Past the element whose text is none ("<style>...</style>"), or past p where it does not end. */
static const char *skip_element(const char *p, const char *end, const char *name)
{
	size_t n = strlen(name);

	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		if ((size_t)(end - p) > n + 2 && p[1] == '/' && strncasecmp(p + 2, name, n) == 0)
			return p;
		p++;
	}
	return end;
}

/* A tag from '<' on; returns where the text goes on. */
static const char *tag_read(struct buf *out, struct buf *link, const char *p, const char *end)
{
	const char *close, *name = p + 1;
	size_t len;

	if (end - p >= 4 && memcmp(p, "<!--", 4) == 0) {
		close = memmem(p + 4, (size_t)(end - p - 4), "-->", 3);
		return close != NULL ? close + 3 : end;
	}
	if (name == end || !(isalpha((unsigned char)*name) || *name == '/' || *name == '!' || *name == '?')) {
		buf_addc(out, '<');
		return name;
	}
	if ((close = memchr(p, '>', (size_t)(end - p))) == NULL)
		close = end;
	len = (size_t)(close - name);
	if (tag_is(name, len, "a"))
		tag_href(link, name, len);
	if (tag_is(name, len, "/a") && link->len > 0) {
		buf_adds(out, " <");
		buf_add(out, buf_str(link), link->len);
		buf_adds(out, "> ");
		buf_clear(link);
	}
	if (tag_breaks(name, len))
		buf_addc(out, '\n');
	if (tag_is(name, len, "/p") || tag_is(name, len, "/div") || tag_is(name, len, "/td"))
		buf_addc(out, tag_is(name, len, "/td") ? ' ' : '\n');
	if (close == end)
		return end;
	if (tag_is(name, len, "style"))
		return skip_element(close, end, "style");
	return tag_is(name, len, "script") ? skip_element(close, end, "script") : close + 1;
}

void mail_html(struct buf *out, const char *p, size_t len)
{
	const char *end = p + len;
	struct buf link = { 0 };

	mail_room(out, len);
	while (p < end) {
		if (*p == '<')
			p = tag_read(out, &link, p, end);
		else if (*p == '&')
			p += entity(out, p, (size_t)(end - p));
		else
			buf_addc(out, *p++);
	}
	buf_free(&link);
}
