/* What a mail carries: PEM and DER, serials, fingerprints, links to crt.sh, host names. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/text.h"
#include "comms/mail_decode.h"
#include "comms/recognise_inside.h"

#define HOSTS_MAX 200
#define SERIAL_NEAR 48     /* octets between "serial" and the number */
#define RUN_MAX 240        /* octets of a number: longer ones are none of ours */
#define NUMBER_MIN 14      /* digits of a number that nobody calls a serial */

void found_add(struct find *f, const char *kind, const char *text, size_t len, size_t max)
{
	int64_t n = json_num(f->seen, kind, 0);
	char *safe, *key;
	json_t *o;

	if (n >= (int64_t)max)
		return;
	safe = text_escaped(text, len, 300);
	key = mem_printf("%s %s", kind, safe);
	if (json_object_get(f->seen, key) == NULL) {
		o = json_object();
		json_object_set_new(f->seen, key, json_true());
		json_put_num(f->seen, kind, n + 1);
		json_put(o, "kind", kind);
		json_object_set_new(o, "text", json_string(safe));
		json_put(o, "where", f->where);
		json_array_append_new(f->r->found, o);
	}
	free(safe);
	free(key);
}

/* ---- numbers ---- */

static bool word_at(const char *p, const char *from, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - p) >= n && strncasecmp(p, word, n) == 0 && (p == from || !isalnum((unsigned char)p[-1]));
}

/* A hexadecimal number at p, colons or blanks between its octets or not: octets of text, *digits without them. */
static size_t hex_run(const char *p, const char *end, size_t *digits, bool *parted)
{
	const char *q = p;
	size_t n = 0;
	bool gap = false;

	*parted = false;
	if (end - q > 2 && q[0] == '0' && (q[1] == 'x' || q[1] == 'X'))
		q += 2;
	for (; q < end && q - p < RUN_MAX; q++) {
		if (isxdigit((unsigned char)*q)) {
			n++;
			gap = false;
		} else if ((*q == ':' || *q == ' ' || *q == '-') && n > 0 && n % 2 == 0 && !gap && q + 2 < end &&
		    isxdigit((unsigned char)q[1]) && isxdigit((unsigned char)q[2]) &&
		    (*q != ' ' || q + 3 == end || !isalnum((unsigned char)q[3]))) {
			*parted = true;
			gap = true;
		} else {
			break;
		}
	}
	*digits = n;
	return q < end && (isalnum((unsigned char)*q) || *q == '_') ? 0 : (size_t)(q - p);
}

static bool has_decimal(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isdigit((unsigned char)p[i]))
			return true;
	return false;
}

static bool all_digits(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)p[i]))
			return false;
	return n > 0;
}

/* Numbers behind "serial": the first that comes, and those that follow it in a list. */
static const char *find_serials(struct find *f, const char *p, const char *end)
{
	const char *near = p + SERIAL_NEAR;
	size_t n, digits;
	bool parted, decimal;

	while (p < end && p < near) {
		if (!isalnum((unsigned char)*p)) {
			p++;
			continue;
		}
		n = hex_run(p, end, &digits, &parted);
		decimal = all_digits(p, n);
		if (n > 0 && digits <= 50 && (digits >= 8 || parted || (p[1] == 'x' && digits >= 2) || (decimal && digits >= 2) ||
		    (digits >= 4 && has_decimal(p, n)))) {
			found_add(f, "serial", p, n, FOUND_MAX);
			p += n;
			near = p + SERIAL_NEAR;
		} else {
			while (p < end && isalnum((unsigned char)*p))
				p++;
		}
	}
	return p;
}

/* Part of a link: "/4f33", "=4f33". */
static bool in_link(const char *p, const char *from)
{
	return p > from && strchr("/=?&", p[-1]) != NULL;
}

/* Is "serial" written at p, in some language? Its octets; 0 where it is not. */
static size_t serial_word(const char *p, const char *from, const char *end)
{
	static const char *const words[] = { "serial", "seriennummer", "serien-nr", "seriennr", "serien nr", "numéro de série",
		"numero de serie", "número de serie", "número de série", "n° de série", "nº de série", "nº de serie", "serienummer",
		"numero di serie", "seriale", "seryjny", "sn ", "sn:", "sériové číslo", "sarjanumero", "sorozatszám", "numărul de serie", "s/n",
		"серийный номер", "Серийный номер", "серійний номер", "Серійний номер", "シリアル番号", "シリアルナンバー", "序列号", "序列號", "序號",
		"일련번호", "일련 번호" };

	if (strchr("sSnN\xd0\xd1\xe3\xe5\xec", *p) == NULL || *p == '\0')
		return 0;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (word_at(p, from, end, words[i]))
			return strlen(words[i]);
	return 0;
}

/* "sha256/" and the base64 of 32 octets, or curl's "sha256//": the octets of it; 0 where it is none. */
static size_t pin_length(const char *p, const char *end)
{
	if (end - p >= 51 && p[50] == '=')
		return 51;
	return end - p >= 52 && p[7] == '/' && p[51] == '=' ? 52 : 0;
}

static void find_numbers(struct find *f, const char *text, size_t len)
{
	const char *end = text + len, *p = text, *after;
	size_t n, digits;
	bool parted;

	while (p < end) {
		if ((n = serial_word(p, text, end)) > 0) {
			p += n;
			for (after = p; after < end && isalpha((unsigned char)*after); after++)
				;
			find_serials(f, after, end);
		}
		if (p < end && isxdigit((unsigned char)*p) && (p == text || !isalnum((unsigned char)p[-1]))) {
			n = hex_run(p, end, &digits, &parted);
			if (n > 0 && digits == 64)
				found_add(f, "fingerprint", p, n, FOUND_MAX);
			else if (n > 0 && parted && digits >= 16 && digits <= 42 && memchr(p, ':', n) != NULL)
				found_add(f, "serial", p, n, FOUND_MAX); /* what certificates write so is a serial or a SHA-1 */
			else if (n > 0 && digits >= 32 && digits <= 40 && !parted && !all_digits(p, n) && !in_link(p, text))
				found_add(f, "serial", p, n, FOUND_MAX);
			else if (n > 0 && digits >= NUMBER_MIN && digits <= 50)
				found_add(f, "number", p, n, HOSTS_MAX); /* the index knows whether it is one */
			p += n > 0 ? n : 1;
		} else {
			if (p < end && (*p == 's' || *p == 'S') && word_at(p, text, end, "sha256/") && (n = pin_length(p, end)) > 0)
				found_add(f, "key-hash", p, n, FOUND_MAX);
			p++;
		}
	}
}

/* ---- links and names ---- */

static void crtsh_query(struct find *f, const char *name, size_t n, const char *value, size_t len)
{
	size_t digits;
	bool parted;

	if (n == 6 && strncasecmp(name, "serial", 6) == 0)
		found_add(f, "serial", value, len, FOUND_MAX);
	else if (hex_run(value, value + len, &digits, &parted) == len && digits == 64)
		found_add(f, "fingerprint", value, len, FOUND_MAX);
}

static void find_crtsh(struct find *f, const char *text, size_t len)
{
	const char *end = text + len, *p = text, *q, *eq, *stop;

	while (p < end && (p = memmem(p, (size_t)(end - p), "crt.sh", 6)) != NULL) {
		for (stop = p; stop < end && stop - p < 300 && !isspace((unsigned char)*stop) && strchr("<>\"'),;", *stop) == NULL; stop++)
			;
		if (stop - p > 8 && memchr(p, '?', (size_t)(stop - p)) != NULL) {
			found_add(f, "crt.sh", p, (size_t)(stop - p), FOUND_MAX);
			for (q = memchr(p, '?', (size_t)(stop - p)); q != NULL && q < stop; q = memchr(q, '&', (size_t)(stop - q))) {
				q++;
				eq = memchr(q, '=', (size_t)(stop - q));
				if (eq != NULL) {
					const char *amp = memchr(eq, '&', (size_t)(stop - eq));
					crtsh_query(f, q, (size_t)(eq - q), eq + 1, (size_t)((amp != NULL ? amp : stop) - eq - 1));
				}
			}
		}
		p = stop > p ? stop : p + 6;
	}
}

static bool is_file_name(const char *tld, size_t n)
{
	static const char *const ends[] = { "pem", "key", "crt", "cer", "csr", "der", "txt", "zip", "pdf", "html", "htm", "php",
		"log", "docx", "xlsx", "png", "jpg", "gif", "json", "xml", "conf", "cfg", "eml", "exe", "gz", "tar", "pfx" };

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		if (strlen(ends[i]) == n && strncasecmp(tld, ends[i], n) == 0)
			return true;
	return false;
}

/* Names with a dot and letters at the end, or four numbers; not those of mail addresses nor of files. */
static void find_hosts(struct find *f, const char *text, size_t len)
{
	const char *end = text + len, *p = text, *q, *tld;

	for (; p < end; p = q) {
		size_t dots = 0, n;
		bool mail = p > text && p[-1] == '@';

		q = p + 1;
		if (!isalnum((unsigned char)*p) && !(*p == '*' && end - p > 3 && p[1] == '.'))
			continue;
		for (tld = p; q < end && (isalnum((unsigned char)*q) || *q == '-' || *q == '.' || *q == '_'); q++)
			if (*q == '.' && q + 1 < end && isalnum((unsigned char)q[1])) {
				dots++;
				tld = q + 1;
			}
		n = (size_t)(q - p);
		while (n > 0 && (p[n - 1] == '.' || p[n - 1] == '-' || p[n - 1] == '_'))
			n--;
		if (dots > 0 && n >= 4 && n < 254 && !mail && !(q < end && *q == '@') && (size_t)(p + n - tld) >= 2) {
			char *name = mem_strndup(p, n);
			bool address = strspn(name, "0123456789.") == n && dots == 3;

			if (text_is_host(name, true) && !is_file_name(tld, (size_t)(p + n - tld)) &&
			    (address || strspn(name + (tld - p), "0123456789") == 0) && strcasecmp(name, "crt.sh") != 0)
				found_add(f, "host", name, n, HOSTS_MAX);
			free(name);
		}
	}
}

/* "[.]", "(.)", "[dot]" and "hxxp", as people write what nobody shall click on. */
static void refang(struct buf *out, const char *p, size_t len)
{
	static const char *const dots[] = { "[.]", "(.)", "{.}", "[dot]", "(dot)", "[punkt]" };

	mail_room(out, len);
	for (size_t i = 0; i < len;) {
		size_t n = 0;

		for (size_t k = 0; n == 0 && (p[i] == '[' || p[i] == '(' || p[i] == '{') && k < sizeof dots / sizeof dots[0]; k++)
			if (len - i >= strlen(dots[k]) && strncasecmp(p + i, dots[k], strlen(dots[k])) == 0)
				n = strlen(dots[k]);
		buf_addc(out, n > 0 ? '.' : p[i]);
		i += n > 0 ? n : 1;
	}
}

/* ---- a part ---- */

static bool ends_any(const char *s, size_t n, const char *const list[])
{
	for (; *list != NULL; list++)
		if (n > strlen(*list) && strncasecmp(s + n - strlen(*list), *list, strlen(*list)) == 0)
			return true;
	return false;
}

/* A file whose name says that a key is in it. */
static bool names_key(const char *s, size_t n)
{
	static const char *const ends[] = { ".key", ".pfx", ".p12", ".jks", ".pk8", "privkey.pem", "key.pem", "private.pem", NULL };

	return ends_any(s, n, ends);
}

/* The names in an archive, which stand before each file (APPNOTE 4.3.7); the files themselves are not looked into. */
static void find_zip(struct find *f, const struct mail_part *p)
{
	const char *q = buf_str(&p->data), *end = q + p->data.len;
	size_t n;

	while ((q = memmem(q, (size_t)(end - q), "PK\3\4", 4)) != NULL && end - q > 30) {
		n = (size_t)(unsigned char)q[26] | (size_t)(unsigned char)q[27] << 8;
		if (n > 0 && n < 1000 && n <= (size_t)(end - q - 30))
			found_add(f, names_key(q + 30, n) ? "key-file" : "opaque", q + 30, n, 50);
		q += 4;
	}
}

static void find_opaque(struct find *f, const struct mail_part *p)
{
	static const char *const ends[] = { ".zip", ".7z", ".rar", ".gpg", ".pgp", ".asc", ".p12", ".pfx", ".gz", ".tgz", ".pdf",
		".docx", ".doc", ".xlsx", ".jks", ".png", ".jpg", ".jpeg", ".heic", ".msg", ".dat", ".rtf", ".odt", ".bz2", ".xz", NULL };
	size_t n = strlen(p->name);

	if (ends_any(p->name, n, ends))
		found_add(f, names_key(p->name, n) ? "key-file" : "opaque", p->name, n, 20);
	if (p->data.len > 30 && memcmp(p->data.data, "PK\3\4", 4) == 0)
		find_zip(f, p);
}

static void find_part(struct find *f, const struct mail_part *p)
{
	struct buf text = { 0 };

	f->where = p->name[0] != '\0' ? p->name : p->type;
	if (!p->text) {
		find_opaque(f, p);
		if (!find_der(f, buf_str(&p->data), p->data.len) && p->data.len <= BLOB_MAX)
			find_pem(f, buf_str(&p->data), p->data.len);
		return;
	}
	find_pem(f, buf_str(&p->data), p->data.len);
	find_naked(f, buf_str(&p->data), p->data.len);
	refang(&text, buf_str(&p->data), p->data.len);
	find_crtsh(f, buf_str(&text), text.len);
	find_numbers(f, buf_str(&text), text.len);
	find_hosts(f, buf_str(&text), text.len);
	mail_wipe(&text);
}

void recognise_find(struct recognised *r, const struct mail *m)
{
	struct find f = { .r = r, .seen = json_object(), .where = "subject" };

	find_crtsh(&f, m->subject, strlen(m->subject));
	find_numbers(&f, m->subject, strlen(m->subject));
	find_hosts(&f, m->subject, strlen(m->subject));
	for (size_t i = 0; i < m->parts; i++)
		find_part(&f, &m->part[i]);
	json_decref(f.seen);
}
