#include "comms/mail.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "comms/mail_decode.h"
#include "comms/mail_inside.h"

static void entity_read(struct mail *m, const char *p, const char *end, int forward, int depth, bool message);

void mail_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_free(b);
}

void mail_room(struct buf *b, size_t more)
{
	buf_room(b, more + 1);
	b->data[b->len] = '\0';
}

void mail_fault(struct mail *m, const char *what)
{
	for (size_t i = 0; i < m->faults; i++)
		if (strcmp(m->fault[i], what) == 0)
			return;
	m->fault = mem_grow(m->fault, m->faults + 1, sizeof *m->fault);
	m->fault[m->faults++] = mem_strdup(what);
}

void mail_wipe_string(char *s)
{
	if (s != NULL)
		explicit_bzero(s, strlen(s));
	free(s);
}

void mail_free(struct mail *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->parts; i++) {
		free(m->part[i].type);
		free(m->part[i].name);
		mail_wipe(&m->part[i].data);
	}
	for (size_t i = 0; i < m->hops; i++) {
		free(m->hop[i].from);
		free(m->hop[i].by);
		free(m->hop[i].stamp);
	}
	for (size_t i = 0; i < m->faults; i++)
		free(m->fault[i]);
	free(m->part);
	free(m->hop);
	free(m->fault);
	free(m->from);
	free(m->to);
	mail_wipe_string(m->subject);
	mail_wipe_string(m->forwarded);
	free(m->id);
	free(m->references);
	free(m);
}

/* ---- headers ---- */

static const char *line_end(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	return nl != NULL ? nl : end;
}

/* Is it "Name:"? Then how long the name is, 0 otherwise. */
static size_t header_name(const char *p, const char *end)
{
	const char *q = p;

	while (q < end && *q > ' ' && *q < 127 && *q != ':')
		q++;
	while (q < end && (*q == ' ' || *q == '\t'))
		q++;
	return q < end && *q == ':' && q > p ? (size_t)(q - p) : 0;
}

/* One header with its folded lines; p is behind it afterwards. */
static void header_add(struct entity *en, const char **p, const char *end, size_t name)
{
	const char *from = *p, *q = from + name + 1, *stop = line_end(q, end);
	struct buf value = { 0 };
	struct header *h;

	for (;;) {
		if (value.len < MAIL_HEADER_MAX)
			buf_add(&value, q, (size_t)(stop - q));
		else
			mail_fault(en->mail, N_("a header is too long"));
		*p = stop < end ? stop + 1 : end;
		if (*p == end || (**p != ' ' && **p != '\t'))
			break;
		q = *p;
		stop = line_end(q, end);
	}
	if (value.len > MAIL_HEADER_MAX)
		value.len = MAIL_HEADER_MAX;
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] == '\r' || value.data[i] == '\0')
			value.data[i] = ' ';
	en->header = mem_grow(en->header, en->headers + 1, sizeof *en->header);
	h = &en->header[en->headers++];
	while (name > 0 && (from[name - 1] == ' ' || from[name - 1] == '\t'))
		name--;
	h->name = mem_strndup(from, name);
	h->value = mem_strndup(buf_str(&value), value.len);
	buf_free(&value);
}

/* Up to the empty line, or the first that is no header. Returns where the body starts. */
static const char *headers_read(struct entity *en, const char *p, const char *end)
{
	const char *stop;
	size_t name;

	while (p < end) {
		stop = line_end(p, end);
		if (stop == p || (stop == p + 1 && *p == '\r'))
			return stop < end ? stop + 1 : end;
		if ((name = header_name(p, stop)) == 0) {
			if (en->headers > 0 && ((stop - p > 5 && memcmp(p, "From ", 5) == 0) ||
			    (stop - p > 6 && memcmp(p, ">From ", 6) == 0))) {
				p = stop < end ? stop + 1 : end;
				continue;
			}
			mail_fault(en->mail, N_("a line among the headers is none"));
			return p; /* the empty line is missing */
		}
		if (en->headers == MAIL_HEADERS_MAX) {
			mail_fault(en->mail, N_("too many headers"));
			p = stop < end ? stop + 1 : end;
			continue;
		}
		header_add(en, &p, end, name);
	}
	return end;
}

static void entity_clear(struct entity *en)
{
	for (size_t i = 0; i < en->headers; i++) {
		free(en->header[i].name);
		mail_wipe_string(en->header[i].value);
	}
	free(en->header);
}

/* ---- bodies ---- */

/* Text by what it is, where the type does not say so: no NULs, hardly a control character. */
static bool looks_text(const char *p, size_t len)
{
	size_t odd = 0, n = len < 4096 ? len : 4096;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == 0)
			return false;
		odd += c < 32 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b;
	}
	return n > 0 && odd * 50 < n;
}

static struct mail_part *part_new(struct mail *m, const char *type, const char *name, int forward)
{
	struct mail_part *p;

	m->part = mem_grow(m->part, m->parts + 1, sizeof *m->part);
	p = &m->part[m->parts++];
	*p = (struct mail_part){ .type = mem_strdup(type), .name = mem_strdup(name), .forward = forward };
	return p;
}

/* The charset that HTML names in its own head; owned by the caller, NULL without one. */
static char *html_charset(const struct buf *raw)
{
	size_t n = raw->len < 2048 ? raw->len : 2048, k;
	const char *p = memmem(buf_str(raw), n, "charset=", 8), *end = buf_str(raw) + n;

	if (p == NULL)
		return NULL;
	p += 8;
	p += p < end && (*p == '"' || *p == '\'');
	for (k = 0; p + k < end && k < 40 && (isalnum((unsigned char)p[k]) || p[k] == '-' || p[k] == '_'); k++)
		;
	return mem_strndup(p, k);
}

static void part_text(struct mail *m, struct mail_part *p, const char *charset, struct buf *raw)
{
	char *named = charset == NULL && strcmp(p->type, "text/html") == 0 ? html_charset(raw) : NULL;
	struct buf text = { 0 };

	if (m->text + raw->len > MAIL_TEXT_MAX) {
		mail_fault(m, N_("more text than is looked at"));
		raw->len = m->text < MAIL_TEXT_MAX ? MAIL_TEXT_MAX - m->text : 0;
	}
	m->text += raw->len;
	mail_utf8(&text, named != NULL ? named : charset, buf_str(raw), raw->len);
	free(named);
	m->encrypted = m->encrypted || memmem(buf_str(&text), text.len, "-----BEGIN PGP MESSAGE-----", 27) != NULL;
	p->text = true;
	p->html = strcmp(p->type, "text/html") == 0 ||
	    (strcmp(p->type, "text/plain") == 0 && strncasecmp(buf_str(&text), "<html", 5) == 0);
	if (p->html) {
		mail_html(&p->data, buf_str(&text), text.len);
		mail_wipe(&text);
	} else {
		p->data = text;
	}
}

static char *lower_type(const char *value)
{
	char *type = mem_strndup(value, strcspn(value, "; \t\r\n"));

	for (char *p = type; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return type;
}

static bool is_encrypted(const char *type, const char *value)
{
	char *smime = strstr(type, "pkcs7-mime") != NULL ? mail_parameter(value, "smime-type") : NULL;
	bool yes = strcmp(type, "multipart/encrypted") == 0 || (smime != NULL && strcasecmp(smime, "enveloped-data") == 0);

	free(smime);
	return yes;
}

/* S/MIME that is signed around its content (RFC 8551 3.5.2): the content is an entity in the clear among the octets of the
 * signature. Read from its first header on; where it is parted into strings, a few octets of their heads stand in it. */
static bool signed_read(struct entity *en, const char *type, const struct buf *raw)
{
	static const char *const first[] = { "Content-Type:", "content-type:", "Content-type:", "MIME-Version:" };
	const char *p = NULL;

	if (strstr(type, "pkcs7-mime") == NULL || en->mail->encrypted)
		return false;
	for (size_t i = 0; p == NULL && i < sizeof first / sizeof first[0]; i++)
		p = memmem(buf_str(raw), raw->len, first[i], strlen(first[i]));
	if (p != NULL)
		entity_read(en->mail, p, buf_str(raw) + raw->len, en->forward, en->depth + 1, false);
	return p != NULL;
}

static char *file_name(const struct entity *en, const char *type)
{
	char *name = mail_parameter(mail_header(en, "content-disposition"), "filename");

	if (name == NULL)
		name = mail_parameter(type, "name");
	return name != NULL ? name : mem_strdup("");
}

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), k = strlen(tail);

	return n >= k && strcasecmp(s + n - k, tail) == 0;
}

/* What is written as plain text under a header that says base64: blanks stand between its words, not in base64. */
static bool is_base64_body(const char *p, const char *end)
{
	size_t blanks = 0, n = (size_t)(end - p) < 4096 ? (size_t)(end - p) : 4096;

	for (size_t i = 1; i + 1 < n; i++)
		blanks += p[i] == ' ' && isalnum((unsigned char)p[i - 1]) && isalnum((unsigned char)p[i + 1]);
	return blanks < 3 || blanks * 40 < n;
}

static void leaf_read(struct entity *en, const char *type, const char *value, const char *p, const char *end)
{
	struct mail *m = en->mail;
	const char *coding = mail_header(en, "content-transfer-encoding");
	char *encoding = mem_strndup(coding, strcspn(coding, " \t;(")), *name = file_name(en, value);
	char *charset = mail_parameter(value, "charset");
	bool message = strcmp(type, "message/rfc822") == 0 || strcmp(type, "message/global") == 0 || ends_with(name, ".eml");
	bool coded = strcasecmp(encoding, "base64") == 0 || (strcasecmp(encoding, "quoted-printable") == 0 && en->forward == 0);
	struct mail_part *part;
	struct buf raw = { 0 };

	if (strcasecmp(encoding, "base64") == 0 && !is_base64_body(p, end)) {
		mail_fault(m, N_("a part is not in the encoding that it names"));
		encoding[0] = '\0';
	}
	if (message && !coded) { /* in place: forwards within forwards take no more memory */
		entity_read(m, p, end, en->forward + 1, en->depth + 1, true);
	} else {
		mail_transfer(&raw, encoding, p, (size_t)(end - p));
	}
	if (message && coded) {
		entity_read(m, buf_str(&raw), buf_str(&raw) + raw.len, en->forward + 1, en->depth + 1, true);
	} else if (!message && !signed_read(en, type, &raw)) {
		part = part_new(m, type, name, en->forward);
		if (strncmp(type, "text/", 5) == 0 || strncmp(type, "message/", 8) == 0 || looks_text(buf_str(&raw), raw.len)) {
			part_text(m, part, charset, &raw);
		} else {
			part->data = raw;
			raw = (struct buf){ 0 };
		}
	}
	mail_wipe(&raw);
	free(encoding);
	free(charset);
	free(name);
}

/* The next line "--boundary" at or behind p; *after is behind its line, *last tells "--boundary--". NULL: none. */
static const char *boundary_next(const char *p, const char *begin, const char *end, const char *mark, size_t n,
    const char **after, bool *last)
{
	while (p < end && (p = memmem(p, (size_t)(end - p), mark, n)) != NULL) {
		if ((p == begin || p[-1] == '\n') && (p + n == end || strchr(" \t\r\n-", p[n]) != NULL)) {
			*last = end - p >= (long)n + 2 && memcmp(p + n, "--", 2) == 0;
			*after = line_end(p + n, end);
			*after += *after < end;
			return p;
		}
		p += n;
	}
	return NULL;
}

static void multipart_read(struct entity *en, const char *boundary, const char *begin, const char *end)
{
	char *mark = mem_printf("--%s", boundary);
	size_t n = strlen(mark);
	const char *at = NULL, *next, *after, *p = begin;
	bool last = false;

	while (!last && (next = boundary_next(p, begin, end, mark, n, &after, &last)) != NULL) {
		if (at != NULL)
			entity_read(en->mail, at, next > at ? next - 1 : next, en->forward, en->depth + 1, false);
		at = p = after;
		if (en->mail->parts >= MAIL_PARTS_MAX) {
			en->mail->unread = true;
			break;
		}
	}
	if (!last) {
		mail_fault(en->mail, N_("a multipart does not end"));
		entity_read(en->mail, at != NULL ? at : begin, end, en->forward, en->depth + 1, false);
	}
	free(mark);
}

static void entity_body(struct entity *en, const char *p, const char *end)
{
	const char *value = mail_header(en, "content-type");
	char *type = lower_type(value), *boundary = NULL;

	if (strchr(type, '/') == NULL) {
		free(type);
		type = mem_strdup("text/plain");
	}
	en->mail->encrypted = en->mail->encrypted || is_encrypted(type, value);
	if (strncmp(type, "multipart/", 10) == 0)
		boundary = mail_parameter(value, "boundary");
	if (boundary != NULL && boundary[0] != '\0') {
		multipart_read(en, boundary, p, end);
	} else {
		if (strncmp(type, "multipart/", 10) == 0) {
			mail_fault(en->mail, N_("a multipart names no boundary"));
			free(type);
			type = mem_strdup("text/plain");
		}
		leaf_read(en, type, value, p, end);
	}
	free(boundary);
	free(type);
}

static void entity_read(struct mail *m, const char *p, const char *end, int forward, int depth, bool message)
{
	struct entity en = { .mail = m, .forward = forward, .depth = depth };

	if (m->parts >= MAIL_PARTS_MAX || depth > MAIL_DEPTH_MAX) {
		mail_fault(m, depth > MAIL_DEPTH_MAX ? N_("nested too deeply") : N_("too many parts"));
		m->unread = true;
		return;
	}
	if (message) /* lines before the first header: of mbox, of what was copied */
		while (p < end && (*p == '\n' || *p == '\r' || (end - p > 5 && memcmp(p, "From ", 5) == 0)))
			p = line_end(p, end) < end ? line_end(p, end) + 1 : end;
	p = headers_read(&en, p, end);
	if (message) {
		mail_hops(&en);
		mail_about(&en);
	}
	entity_body(&en, p, end);
	entity_clear(&en);
}

struct mail *mail_read(const char *data, size_t len)
{
	struct mail *m = mem_zalloc(1, sizeof *m);

	entity_read(m, data, data + len, 0, 0, true);
	if (m->forwarded == NULL)
		m->forwarded = mem_strdup("");
	mail_inline(m);
	return m;
}
