#include "child/starttls.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

#define SAID_MAX 16384u /* before TLS nobody has that much to say */

/* What is said at each step, and how the line begins that answers it; say NULL: the greeting. */
struct turn {
	const char *say, *want;
};

struct protocol {
	const char *name;
	struct turn turn[4];
};

/* Extended request 1.3.6.1.4.1.1466.20037, message 1. */
static const char ldap_ask[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" "1.3.6.1.4.1.1466.20037";

static const struct protocol protocols[] = {
	{ "smtp", { { NULL, "220 " }, { "EHLO sev1.invalid\r\n", "250 " }, { "STARTTLS\r\n", "220 " } } },
	{ "imap", { { NULL, "* OK" }, { "a STARTTLS\r\n", "a OK" } } },
	{ "pop3", { { NULL, "+OK" }, { "STLS\r\n", "+OK" } } },
	{ "ftp", { { NULL, "220 " }, { "AUTH TLS\r\n", "234 " } } },
	{ "ldap", { { NULL, NULL } } },
};

static const struct protocol *protocol_find(const char *name)
{
	for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
		if (strcmp(protocols[i].name, name) == 0)
			return &protocols[i];
	return NULL;
}

bool starttls_known(const char *protocol)
{
	return protocol_find(protocol) != NULL;
}

static int said_no(const struct starttls *t, const char *line, size_t len, struct err *e)
{
	char *safe = text_escaped(line, len, 120);

	err_set(e, ERR_FAILED, _("no TLS on this port: the %s server said: %s"), t->protocol, safe);
	free(safe);
	return ERR_FAILED;
}

/* A line that goes on: "250-", or one of IMAP's that answers nothing. */
static bool line_more(const struct starttls *t, const char *line, size_t len)
{
	if (strcmp(t->protocol, "ftp") == 0) /* RFC 959, 4.2: what is between may look like anything */
		return len < 4 || !isdigit((unsigned char)line[0]) || line[3] != ' ';
	if (strcmp(t->protocol, "smtp") == 0)
		return len > 3 && isdigit((unsigned char)line[0]) && line[3] == '-';
	return strcmp(t->protocol, "imap") == 0 && t->step > 1 && line[0] == '*';
}

static int lines_step(struct starttls *t, const struct turn *turn, struct buf *in, struct buf *out, struct err *e)
{
	const char *nl;
	size_t len;

	if (t->step == 0)
		t->step = 1; /* the greeting is theirs */
	while (in->len > 0 && (nl = memchr(in->data, '\n', in->len)) != NULL) {
		const struct turn *now = &turn[t->step - 1];
		len = (size_t)(nl - in->data);
		if (!line_more(t, in->data, len)) {
			if (len < strlen(now->want) || strncasecmp(in->data, now->want, strlen(now->want)) != 0)
				return said_no(t, in->data, len, e);
			if (t->step == 4 || turn[t->step].say == NULL) {
				buf_drop(in, len + 1);
				/* Words behind the last one would be taken for the server's under TLS. */
				return in->len == 0 ? 0 : said_no(t, in->data, in->len, e);
			}
			buf_adds(out, turn[t->step++].say);
		}
		buf_drop(in, len + 1);
	}
	return in->len > SAID_MAX ? said_no(t, in->data, 120, e) : 1;
}

/* 30 len 02 01 01 78 len 0a 01 RESULT ..., lengths in one octet or in the longer form. */
static int ldap_step(struct starttls *t, struct buf *in, struct buf *out, struct err *e)
{
	const unsigned char *p = (const unsigned char *)in->data;
	size_t at = 2, len;

	if (t->step == 0) {
		t->step = 1;
		buf_add(out, ldap_ask, sizeof ldap_ask - 1);
		return 1;
	}
	if (in->len < 2)
		return 1;
	len = p[1];
	if ((len & 0x80) != 0) {
		size_t octets = len & 0x7f;
		if (octets > 4)
			return said_no(t, in->data, in->len, e);
		if (in->len < 2 + octets)
			return 1;
		for (len = 0, at = 2; at < 2 + octets; at++)
			len = len << 8 | p[at];
	}
	if (p[0] != 0x30 || len > SAID_MAX)
		return said_no(t, in->data, in->len > 40 ? 40 : in->len, e);
	if (in->len < at + len)
		return 1;
	const unsigned char *end = p + at + len, *q = p + at + 3; /* behind the message's number */
	if (len < 8 || p[at] != 0x02 || q[0] != 0x78)
		return said_no(t, in->data, in->len, e);
	q += (q[1] & 0x80) != 0 ? 2 + (q[1] & 0x7f) : 2;
	if (q + 3 > end || q[0] != 0x0a || q[1] != 1 || q[2] != 0)
		return said_no(t, in->data, in->len, e);
	buf_drop(in, at + len);
	return in->len == 0 ? 0 : said_no(t, in->data, in->len, e);
}

int starttls_step(struct starttls *t, struct buf *in, struct buf *out, struct err *e)
{
	const struct protocol *p = protocol_find(t->protocol);

	if (p == NULL)
		return err_set(e, ERR_USAGE, _("no such protocol before TLS: %s"), t->protocol);
	return p->turn[0].want == NULL ? ldap_step(t, in, out, e) : lines_step(t, p->turn, in, out, e);
}
