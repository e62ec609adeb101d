/* Certificates, requests and keys in a mail, as PEM and DER: their octets, for a child to look into. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "comms/mail_decode.h"
#include "comms/recognise_inside.h"

#define NAKED_MIN 200 /* base64 without armour: fewer digits are no certificate */

/* der is taken, and wiped where the same is there already: with armour and without, as text and as HTML. */
static void blob_add(struct find *f, const char *label, size_t len, struct buf *der)
{
	bool known = f->r->blobs == BLOBS_MAX || der->len == 0;

	for (size_t i = 0; !known && i < f->r->blobs; i++)
		known = f->r->blob[i].der.len == der->len && memcmp(f->r->blob[i].der.data, der->data, der->len) == 0;
	if (known) {
		mail_wipe(der);
		return;
	}
	f->r->blob = mem_grow(f->r->blob, f->r->blobs + 1, sizeof *f->r->blob);
	f->r->blob[f->r->blobs++] = (struct blob){ .label = mem_strndup(label, len), .where = mem_strdup(f->where),
		.der = *der };
	*der = (struct buf){ 0 };
}

/* Dashes as they are, and as word processors make them. Octets of one at p; 0 where there is none. */
static size_t dash(const char *p, const char *end)
{
	if (p < end && *p == '-')
		return 1;
	return end - p >= 3 && (unsigned char)p[0] == 0xe2 && (unsigned char)p[1] == 0x80 && (unsigned char)p[2] >= 0x90 &&
	    (unsigned char)p[2] <= 0x95 ? 3 : 0;
}

/* "-----BEGIN LABEL-----" whose BEGIN is at p: the label's length, *body behind it; 0 where it is none. */
static size_t pem_label(const char *p, const char *end, const char **label, const char **body)
{
	const char *q = p + 6;
	size_t n;

	*label = q;
	while (q < end && q - *label < 40 && (isupper((unsigned char)*q) || isdigit((unsigned char)*q) || *q == ' ' || *q == '#'))
		q++;
	n = (size_t)(q - *label);
	if (n < 3 || dash(q, end) == 0)
		return 0;
	while (dash(q, end) > 0)
		q += dash(q, end);
	*body = q;
	while (n > 0 && (*label)[n - 1] == ' ')
		n--;
	return n;
}

static bool label_is(const char *label, size_t n, const char *tail)
{
	size_t k = strlen(tail);

	return n >= k && memcmp(label + n - k, tail, k) == 0;
}

/* What has this label. NULL: nothing of ours. */
static const char *label_kind(const char *label, size_t n)
{
	if (label_is(label, n, "ENCRYPTED PRIVATE KEY"))
		return "encrypted-key";
	if (label_is(label, n, "PRIVATE KEY"))
		return "private-key";
	if (label_is(label, n, "CERTIFICATE REQUEST"))
		return "request";
	if (label_is(label, n, "CERTIFICATE") || label_is(label, n, "PKCS7") || label_is(label, n, "X509 CRL"))
		return label_is(label, n, "CRL") ? NULL : "certificate";
	return label_is(label, n, "PUBLIC KEY") && !label_is(label, n, "SSH2 PUBLIC KEY") ? "public-key" : NULL;
}

/* The digits of a body up to its END; lines "Name: value" of a traditional key are passed over. */
static const char *pem_body(struct buf *digits, const char *p, const char *end, bool *encrypted)
{
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl != NULL ? nl : end;
		const char *tail = memmem(p, (size_t)(stop - p), "END ", 4), *colon = memchr(p, ':', (size_t)(stop - p));

		if (tail != NULL && tail > p && dash(tail - 1, end) + dash(tail - (tail - p >= 3 ? 3 : 1), end) > 0)
			stop = tail;
		if (digits->len > BLOB_MAX * 4 / 3)
			return p;
		if (colon != NULL && colon < stop)
			*encrypted = *encrypted || memmem(p, (size_t)(stop - p), "ENCRYPTED", 9) != NULL;
		else
			for (; p < stop; p++)
				if (isalnum((unsigned char)*p) || *p == '+' || *p == '/' || *p == '=')
					buf_addc(digits, *p);
		if (stop == tail)
			return tail;
		p = stop < end ? stop + 1 : end;
	}
	return end;
}

static const char *pem_one(struct find *f, const char *label, size_t n, const char *body, const char *end)
{
	const char *kind = label_kind(label, n), *after = body;
	struct buf digits = { 0 }, der = { 0 };
	bool encrypted = false;

	if (kind == NULL)
		return body;
	mail_room(&digits, BLOB_MAX * 2);
	after = pem_body(&digits, body, end, &encrypted);
	if (encrypted && strcmp(kind, "private-key") == 0)
		kind = "encrypted-key";
	if (digits.len >= 40 && strcmp(kind, "encrypted-key") == 0) {
		found_add(f, kind, label, n, FOUND_MAX);
	} else if (digits.len >= 40) {
		mail_transfer(&der, "base64", buf_str(&digits), digits.len);
		blob_add(f, label, n, &der);
		if (label_is(label, n, "OPENSSH PRIVATE KEY"))
			found_add(f, kind, label, n, FOUND_MAX);
	}
	mail_wipe(&digits);
	return after;
}

void find_pem(struct find *f, const char *p, size_t len)
{
	const char *end = p + len, *label, *body;
	size_t n;

	while (p < end && (p = memmem(p, (size_t)(end - p), "BEGIN ", 6)) != NULL) {
		n = pem_label(p, end, &label, &body);
		p = n > 0 ? pem_one(f, label, n, body, end) : p + 6;
	}
}

/* Is it one DER SEQUENCE, whole but for what follows it? */
static bool is_der(const char *data, size_t len)
{
	const unsigned char *p = (const unsigned char *)data;
	size_t n;

	if (len < 40 || p[0] != 0x30)
		return false;
	if (p[1] == 0x81)
		n = 3u + p[2];
	else if (p[1] == 0x82)
		n = 4u + ((size_t)p[2] << 8 | p[3]);
	else
		n = p[1] < 0x80 ? 2u + p[1] : SIZE_MAX;
	return n <= len && len - n < 16 && len <= BLOB_MAX;
}

/* What it is by its first fields, in words of PEM; "" for something else. Whether it really is one a child finds out. */
static const char *der_label(const char *data, size_t len)
{
	const unsigned char *p = (const unsigned char *)data;
	size_t at = p[1] == 0x82 ? 4 : p[1] == 0x81 ? 3 : 2, in;

	if (len < at + 12)
		return "";
	if (p[at] == 0x02 && p[at + 1] == 1 && p[at + 2] <= 1) /* PKCS#8, RSAPrivateKey, ECPrivateKey: a version first */
		return "PRIVATE KEY";
	if (p[at] != 0x30)
		return "";
	in = at + (p[at + 1] == 0x82 ? 4 : p[at + 1] == 0x81 ? 3 : 2);
	if (p[in] == 0xa0)
		return "CERTIFICATE";
	return p[in] == 0x02 && p[in + 1] == 1 && p[in + 2] == 0 ? "CERTIFICATE REQUEST" : "";
}

static bool is_base64(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '/';
}

static void naked_add(struct find *f, struct buf *der)
{
	const char *label = der_label(buf_str(der), der->len);

	blob_add(f, label, strlen(label), der);
}

/* Base64 of DER in lines, without armour: "MII...". */
void find_naked(struct find *f, const char *p, size_t len)
{
	const char *end = p + len, *from = p, *q;

	for (; p < end; p = p < q ? q : p + 1) {
		struct buf der = { 0 };
		size_t digits = 0;

		q = p + 1;
		if (*p != 'M' || end - p < NAKED_MIN || p[1] < 'C' || p[1] > 'I' || (p > from && is_base64(p[-1])))
			continue;
		for (q = p; q < end && digits < BLOB_MAX && (is_base64(*q) || *q == '=' || *q == '\n' || *q == '\r' || *q == '>' ||
		     (*q == ' ' && (q[-1] == '\n' || q[-1] == '>' || (q + 1 < end && q[1] == '\n')))); q++)
			digits += is_base64(*q);
		if (digits < NAKED_MIN)
			continue;
		mail_transfer(&der, "base64", p, (size_t)(q - p));
		if (is_der(buf_str(&der), der.len))
			naked_add(f, &der);
		mail_wipe(&der);
	}
}

bool find_der(struct find *f, const char *p, size_t len)
{
	struct buf der = { 0 };

	if (!is_der(p, len))
		return false;
	mail_transfer(&der, "binary", p, len);
	naked_add(f, &der);
	mail_wipe(&der);
	return true;
}
