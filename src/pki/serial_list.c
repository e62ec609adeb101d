#include "pki/serial_list.h"

#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"

#define LIST_MAX (64u << 20)
#define DECIMAL_MAX 150

static const char *trim(const char *s, size_t *len)
{
	while (*len > 0 && isspace((unsigned char)s[0]))
		s++, --*len;
	while (*len > 0 && isspace((unsigned char)s[*len - 1]))
		--*len;
	return s;
}

static size_t serial_decimal(char *out, const char *s, size_t len)
{
	char digits[DECIMAL_MAX + 1], *hex;
	BIGNUM *bn = NULL;
	size_t n = 0;

	s = trim(s, &len);
	if (len == 0 || len > DECIMAL_MAX)
		return 0;
	memcpy(digits, s, len);
	digits[len] = '\0';
	if (strspn(digits, "0123456789") != len || BN_dec2bn(&bn, digits) == 0)
		return 0;
	if ((hex = BN_bn2hex(bn)) != NULL)
		n = serial_canon(out, hex, strlen(hex));
	OPENSSL_free(hex);
	BN_free(bn);
	return n;
}

/* Copy the digits without what parts octets; every part between two blanks or colons is a whole octet. */
static size_t serial_plain(char *text, size_t size, const char *s, size_t len)
{
	size_t n = 0, part = 0;
	bool parted = false;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == ':' || s[i] == ' ') {
			if (part != 2)
				return 0;
			parted = true;
			part = 0;
		} else if (n == size) {
			return 0;
		} else {
			text[n++] = s[i];
			part++;
		}
	}
	return parted && part != 2 ? 0 : n;
}

size_t serial_read(char *out, const char *s, size_t len)
{
	char text[SERIAL_MAX];
	bool minus;
	size_t n;

	out[0] = '\0';
	s = trim(s, &len);
	if (len > 4 && strncasecmp(s, "dec:", 4) == 0)
		return serial_decimal(out, s + 4, len - 4);
	if ((minus = len > 1 && s[0] == '-'))
		s++, len--;
	if (len > 2 && strncasecmp(s, "0x", 2) == 0)
		s += 2, len -= 2;
	text[0] = '-';
	n = serial_plain(text + 1, sizeof text - 1, s, len);
	if (n == 0 || text[1] == '-')
		return 0;
	return minus ? serial_canon(out, text, n + 1) : serial_canon(out, text + 1, n);
}

struct list {
	const char *path;
	struct buf *out;
	size_t count, line, bads, bad_line;
	char *bad; /* the first, escaped */
};

static void list_word(struct list *l, const char *s, size_t len)
{
	char serial[SERIAL_MAX];

	s = trim(s, &len);
	if (len == 0)
		return;
	if (serial_read(serial, s, len) == 0) {
		if (l->bads++ == 0) {
			l->bad_line = l->line;
			l->bad = text_escaped(s, len, 60);
		}
		return;
	}
	buf_addf(l->out, "%s %zu\n", serial, l->line);
	l->count++;
}

static void list_line(struct list *l, const char *s, size_t len)
{
	const char *hash = memchr(s, '#', len), *end = hash != NULL ? hash : s + len, *comma;

	l->line++;
	for (; s <= end; s = comma + 1) {
		if ((comma = memchr(s, ',', (size_t)(end - s))) == NULL)
			comma = end;
		list_word(l, s, (size_t)(comma - s));
	}
}

static int list_judge(const struct list *l, struct err *e)
{
	if (l->bads > 0) {
		err_set(e, ERR_SYNTAX, _("%s: line %zu: \"%s\" is not a serial (%zu such)"), l->path, l->bad_line,
		    l->bad, l->bads);
		return err_remedy(e, _("one serial a line, in hexadecimal (1A:2B, 0x1a2b) or decimal marked dec:123456; "
		    "# starts a comment"));
	}
	if (l->count > 0)
		return 0;
	err_set(e, ERR_NOTFOUND, _("%s: holds no serial"), l->path);
	return err_remedy(e, _("one serial a line, in hexadecimal or decimal marked dec:123456"));
}

int serial_list_read(const char *path, struct buf *out, size_t *count, struct err *e)
{
	struct list l = { .path = path, .out = out };
	struct buf b = { 0 };
	const char *p, *end, *nl;
	struct stat st;
	int rc;

	*count = 0;
	if (stat(path, &st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_SYNTAX, _("%s: not a regular file"), path);
	if ((rc = fs_read(path, &b, LIST_MAX, e)) < 0)
		goto out;
	p = buf_str(&b);
	end = p + b.len;
	if (b.len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		list_line(&l, p, (size_t)(nl - p));
	}
	rc = list_judge(&l, e);
	*count = l.count;
out:
	free(l.bad);
	buf_free(&b);
	return rc;
}

bool serial_list_next(const char **at, char *out, size_t *line)
{
	const char *s = *at, *space = strchr(s, ' ');
	char *end;

	if (space == NULL || serial_canon(out, s, (size_t)(space - s)) == 0)
		return false;
	*line = strtoul(space + 1, &end, 10);
	if (*end != '\n')
		return false;
	*at = end + 1;
	return true;
}
