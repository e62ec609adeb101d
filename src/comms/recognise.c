#include "comms/recognise.h"

#include <stdio.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"


const char *report_level_name(enum report_level l)
{
	return l == REPORT_HIGH ? N_("high") : l == REPORT_DOUBTFUL ? N_("doubtful") : N_("ordinary");
}

enum report_level recognised_level(const struct recognised *r)
{
	return r->score >= REPORT_HIGH_AT ? REPORT_HIGH : r->score >= REPORT_DOUBTFUL_AT ? REPORT_DOUBTFUL : REPORT_ORDINARY;
}

void recognised_why(struct recognised *r, int points, const char *fmt, ...)
{
	char *text = NULL;
	json_t *o;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = mem_strdup("");
	va_end(ap);
	o = json_object();
	json_put_num(o, "points", points);
	json_put(o, "text", text);
	json_array_append_new(r->why, o);
	r->score += points;
	free(text);
}

size_t recognised_count(const struct recognised *r, const char *kind)
{
	const json_t *v;
	size_t i, n = 0;

	json_array_foreach(r->found, i, v)
		n += strcmp(json_str(v, "kind"), kind) == 0;
	return n;
}

static size_t blobs_of(const struct recognised *r, const char *tail)
{
	size_t n = 0, k = strlen(tail), len;

	for (size_t i = 0; i < r->blobs; i++) {
		len = strlen(r->blob[i].label);
		n += len >= k && strcmp(r->blob[i].label + len - k, tail) == 0;
	}
	return n;
}

/* What it carries without a word about revocation makes it doubtful at most; not even that, where it is about an order. */
int recognised_room(const struct recognised *r)
{
	return r->benign ? REPORT_DOUBTFUL_AT - 1 : REPORT_HIGH_AT - 1;
}

/* Points for one kind of what is carried. */
static void carried(struct recognised *r, size_t n, int points, int *sum, const char *what)
{
	if (n == 0)
		return;
	if (!r->words && *sum + points > recognised_room(r))
		points = recognised_room(r) - *sum;
	*sum += points;
	if (points > 0)
		recognised_why(r, points, _("carries %s (%zu)"), what, n);
}

static void recognise_carried(struct recognised *r)
{
	size_t keys = blobs_of(r, "PRIVATE KEY"), plain = 0;
	int sum = 0;

	for (size_t i = 0; i < r->blobs; i++)
		plain += r->blob[i].label[0] == '\0';
	if (keys > 0)
		recognised_why(r, 12, _("carries %s (%zu)"), _("a private key"), keys);
	carried(r, recognised_count(r, "crt.sh"), 4, &sum, _("links to crt.sh"));
	carried(r, recognised_count(r, "fingerprint") + recognised_count(r, "key-hash"), 3, &sum, _("SHA-256 fingerprints"));
	carried(r, recognised_count(r, "serial"), 3, &sum, _("serial numbers"));
	carried(r, blobs_of(r, "CERTIFICATE") + blobs_of(r, "PKCS7"), 3, &sum, _("certificates"));
	carried(r, recognised_count(r, "encrypted-key"), 4, &sum, _("an encrypted private key"));
	carried(r, recognised_count(r, "key-file"), 4, &sum, _("files named as a private key, which cannot be looked into"));
	carried(r, blobs_of(r, "REQUEST"), 2, &sum, _("certificate requests"));
	carried(r, plain, 2, &sum, _("DER that may be a certificate, a request or a key"));
	if (r->words)
		carried(r, recognised_count(r, "host"), 1, &sum, _("host names"));
	if (r->words)
		carried(r, recognised_count(r, "opaque"), 1, &sum, _("attachments that cannot be looked into"));
}

static bool part_says(const struct mail_part *p, const char *word)
{
	return p->text && strcasestr(buf_str(&p->data), word) != NULL;
}

static void recognise_keywords(struct recognised *r, const struct mail *m, const char *const *keywords, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool said = strcasestr(m->subject, keywords[i]) != NULL;

		for (size_t k = 0; !said && k < m->parts; k++)
			said = part_says(&m->part[k], keywords[i]);
		if (said) {
			r->words = true;
			recognised_why(r, REPORT_HIGH_AT, _("holds the keyword \"%s\" of the configuration"), keywords[i]);
		}
	}
}

struct recognised *recognise(const struct mail *m, const char *const *keywords, size_t n)
{
	struct recognised *r = mem_zalloc(1, sizeof *r);

	r->why = json_array();
	r->found = json_array();
	recognise_find(r, m);
	recognise_words(r, m, r->blobs > 0 || recognised_count(r, "serial") + recognised_count(r, "fingerprint") +
	    recognised_count(r, "crt.sh") + recognised_count(r, "key-file") > 0);
	recognise_keywords(r, m, keywords, n);
	recognise_carried(r);
	if (m->encrypted)
		recognised_why(r, REPORT_DOUBTFUL_AT, "%s", _("is encrypted: somebody has to read it"));
	if (m->unread)
		recognised_why(r, REPORT_DOUBTFUL_AT, "%s", _("is nested too deeply, or of too many parts, to be read whole"));
	recognised_settle(r);
	return r;
}

static int why_cmp(const void *a, const void *b)
{
	int64_t x = json_num(*(json_t *const *)a, "points", 0), y = json_num(*(json_t *const *)b, "points", 0);

	return x < y ? 1 : x > y ? -1 : 0;
}

void recognised_settle(struct recognised *r)
{
	size_t n = json_array_size(r->why);
	json_t **list = mem_zalloc(n + 1, sizeof *list), *sorted = json_array();

	for (size_t i = 0; i < n; i++)
		list[i] = json_array_get(r->why, i);
	if (n > 1)
		qsort(list, n, sizeof *list, why_cmp);
	for (size_t i = 0; i < n; i++)
		json_array_append(sorted, list[i]);
	json_decref(r->why);
	r->why = sorted;
	free(list);
}

void recognised_free(struct recognised *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->blobs; i++) {
		free(r->blob[i].label);
		free(r->blob[i].where);
		mail_wipe(&r->blob[i].der);
	}
	free(r->blob);
	json_decref(r->why);
	json_decref(r->found);
	free(r);
}

/* ---- what is kept of the text ---- */

static bool is_digit64(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '=' || c == '-' || c == '_';
}

/* May this word be of a key? A long run of base64 that is no fingerprint; octets with colons in lines as OpenSSL
 * prints a key. */
static bool word_secret(const char *p, size_t n)
{
	size_t hex = 0, colons = 0, digits = 0, upper = 0;

	for (size_t i = 0; i < n; i++) {
		hex += isxdigit((unsigned char)p[i]) != 0;
		colons += p[i] == ':';
		digits += is_digit64(p[i]);
		upper += isupper((unsigned char)p[i]) != 0;
	}
	if (colons > 8 && hex + colons == n)
		return p[n - 1] == ':';
	return n >= 40 && digits == n && !(hex == n && n <= 64) && upper > 0;
}

static void text_cut(struct buf *out, const char *p, size_t len, size_t max)
{
	const char *end = p + len;
	bool cut = false, pem = false;

	while (p < end && out->len < max) {
		size_t n = 0, gap = 0;

		while (p + n < end && !isspace((unsigned char)p[n]))
			n++;
		while (p + n + gap < end && isspace((unsigned char)p[n + gap]))
			gap++;
		if (memmem(p, n, "END", 3) != NULL)
			pem = false;
		if (n > 0 && (pem || word_secret(p, n))) {
			if (!cut)
				buf_adds(out, _("[cut by sev1: what may be a key]"));
			if (!cut)
				buf_addc(out, '\n');
			cut = true;
		} else {
			buf_add(out, p, n + gap);
			cut = cut && n == 0;
		}
		/* the words behind BEGIN are the label, which ends in dashes */
		if (n >= 5 && memcmp(p + n - 5, "-----", 5) == 0 && memmem(p, n, "KEY", 3) != NULL)
			pem = !pem && memmem(p, n, "END", 3) == NULL;
		p += n + gap;
	}
}

char *recognise_cut(const char *p, size_t len, size_t max)
{
	struct buf out = { 0 };

	text_cut(&out, p, len, max);
	if (out.len > max)
		out.data[out.len = max] = '\0';
	return buf_take(&out);
}

char *recognise_text(const struct mail *m, size_t max)
{
	struct buf out = { 0 };
	bool plain = false;

	for (size_t i = 0; i < m->parts; i++)
		plain = plain || (m->part[i].text && !m->part[i].html);
	for (size_t i = 0; i < m->parts && out.len < max; i++) {
		const struct mail_part *p = &m->part[i];

		if (out.len > 0)
			buf_addc(&out, '\n');
		if (p->name[0] != '\0' || !p->text)
			buf_addf(&out, "[%s %s]\n", p->type, p->name);
		if (p->text && (!p->html || !plain))
			text_cut(&out, buf_str(&p->data), p->data.len, max);
	}
	if (out.len > max)
		out.data[out.len = max] = '\0';
	return buf_take(&out);
}
