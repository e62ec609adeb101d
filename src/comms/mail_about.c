/* What a message says of itself: who wrote it, when and by which hosts it came, and whether a person wrote it. */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "comms/mail_decode.h"
#include "comms/mail_inside.h"

const char *mail_header(const struct entity *en, const char *name)
{
	for (size_t i = 0; i < en->headers; i++)
		if (strcasecmp(en->header[i].name, name) == 0)
			return en->header[i].value + strspn(en->header[i].value, " \t");
	return "";
}

/* The word behind "from" or "by", outside of comments. */
static char *received_word(const char *s, const char *word)
{
	size_t n = strlen(word);
	int depth = 0;

	for (const char *p = s; *p != '\0' && *p != ';'; p++) {
		if (*p == '(')
			depth++;
		else if (*p == ')' && depth > 0)
			depth--;
		else if (depth == 0 && strncasecmp(p, word, n) == 0 && isspace((unsigned char)p[n]) &&
		    (p == s || isspace((unsigned char)p[-1]) || p[-1] == ')'))
			return mem_strndup(p + n + strspn(p + n, " \t"), strcspn(p + n + strspn(p + n, " \t"), " \t;("));
	}
	return mem_strdup("");
}

static void hop_add(struct mail *m, const char *value, const char *stamp, int forward, bool date)
{
	struct mail_hop *h;

	m->hop = mem_grow(m->hop, m->hops + 1, sizeof *m->hop);
	h = &m->hop[m->hops++];
	*h = (struct mail_hop){ .from = received_word(value, "from"), .by = received_word(value, "by"),
		.stamp = mem_strndup(stamp + strspn(stamp, " \t"), 100), .forward = forward, .date = date };
	for (size_t n = strlen(h->stamp); n > 0 && h->stamp[n - 1] == ' '; n--)
		h->stamp[n - 1] = '\0';
	if (mail_date(stamp, &h->at) < 0)
		h->at = INT64_MIN;
}

void mail_hops(struct entity *en)
{
	const char *semi, *date = mail_header(en, "date");

	for (size_t i = 0; i < en->headers && en->mail->hops < MAIL_HEADERS_MAX; i++) {
		if (strcasecmp(en->header[i].name, "received") != 0 || (semi = strrchr(en->header[i].value, ';')) == NULL)
			continue;
		hop_add(en->mail, en->header[i].value, semi + 1, en->forward, false);
	}
	if (date[0] != '\0')
		hop_add(en->mail, "", date, en->forward, true);
}

static bool starts_any(const char *s, const char *const list[])
{
	for (; *list != NULL; list++)
		if (strncasecmp(s, *list, strlen(*list)) == 0)
			return true;
	return false;
}

static bool message_automatic(const struct entity *en, const char *subject)
{
	static const char *const subjects[] = { "out of office", "automatic reply", "auto-reply", "autoreply", "auto:",
		"automatische antwort", "abwesenheit", "undeliver", "delivery status", "mail delivery", "returned mail",
		"unzustellbar", "réponse automatique", "read:", "gelesen:", NULL };
	const char *submitted = mail_header(en, "auto-submitted"), *type = mail_header(en, "content-type");
	const char *reply = mail_header(en, "x-autoreply"), *precedence = mail_header(en, "precedence");

	return strncasecmp(submitted, "auto-replied", 12) == 0 || reply[0] != '\0' ||
	    strncasecmp(precedence, "auto_reply", 10) == 0 || strncasecmp(type, "multipart/report", 16) == 0 ||
	    mail_header(en, "x-failed-recipients")[0] != '\0' || starts_any(subject, subjects);
}

/* A ticket system hands on what people wrote. */
static bool message_ticket(const struct entity *en)
{
	static const char *const tickets[] = { "rt-ticket", "x-rt-original-encoding", "x-jira-fingerprint", "x-otrs-loop", "x-zammad-ticket-id",
		"x-zendesk-from-account-id", "x-redmine-host", "x-servicenow-generated", NULL };

	for (size_t i = 0; tickets[i] != NULL; i++)
		if (mail_header(en, tickets[i])[0] != '\0')
			return true;
	return strcasestr(mail_header(en, "x-mailer"), "zendesk") != NULL || strcasestr(mail_header(en, "x-mailer"), "freshdesk") != NULL;
}

static bool message_bulk(const struct entity *en)
{
	static const char *const bulk[] = { "bulk", "junk", "list", NULL };

	return starts_any(mail_header(en, "precedence"), bulk) || mail_header(en, "list-unsubscribe")[0] != '\0' ||
	    mail_header(en, "list-id")[0] != '\0';
}

/* The subject of a message within the message, on a line of its own. */
static void subject_forwarded(struct mail *m, const char *value)
{
	char *subject = mail_words(value, strlen(value)), *all;

	all = m->forwarded == NULL ? mem_strdup(subject) : mem_printf("%s\n\n%s", m->forwarded, subject);
	mail_wipe_string(m->forwarded);
	mail_wipe_string(subject);
	m->forwarded = all;
}

void mail_about(struct entity *en)
{
	struct mail *m = en->mail;
	const char *v = mail_header(en, "subject");

	if (en->forward > 0) {
		if (m->forwarded == NULL || strlen(m->forwarded) < MAIL_HEADER_MAX)
			subject_forwarded(m, v);
		return;
	}
	m->subject = mail_words(v, strlen(v));
	m->from = mail_words(mail_header(en, "from"), strlen(mail_header(en, "from")));
	m->to = mail_words(mail_header(en, "to"), strlen(mail_header(en, "to")));
	v = mail_header(en, "message-id");
	m->id = mem_strndup(v, strcspn(v, " \t"));
	m->references = mem_printf("%s %s", mail_header(en, "references"), mail_header(en, "in-reply-to"));
	m->automatic = message_automatic(en, m->subject);
	m->bulk = message_bulk(en) && !message_ticket(en);
	m->machine = !message_ticket(en) && (strncasecmp(mail_header(en, "auto-submitted"), "auto-generated", 14) == 0 ||
	    strcasestr(m->from, "noreply@") != NULL || strcasestr(m->from, "no-reply@") != NULL);
}

/* ---- what stands in the text ---- */

#define INLINE_READ (256u << 10) /* octets of a part */
#define INLINE_MAX 10

static const char *const inline_from[] = { "From", "Von", "De", "Da", "Van", "Od", "Fra", "Från", "Lähettäjä", "От", "Від", "差出人",
	"发件人", "寄件者", "보낸 사람", NULL };
static const char *const inline_date[] = { "Date", "Sent", "Gesendet", "Datum", "Envoyé", "Fecha", "Enviado", "Enviada", "Enviado el",
	"Data", "Inviato", "Verzonden", "Wysłano", "Odesláno", "Skickat", "Sendt", "Dato", "Lähetetty", "Дата", "Отправлено", "日時", "送信日時",
	"发送时间", "日期", "寄件日期", "보낸 날짜", NULL };

/* "Name:" in one of these languages at the beginning of a line, behind marks of a quotation: the value, *n its octets. */
static const char *inline_field(const char *p, const char *stop, const char *const names[], size_t *n)
{
	while (p < stop && strchr("> *\t", *p) != NULL)
		p++;
	for (; *names != NULL; names++) {
		size_t len = strlen(*names);
		const char *q = p + len;

		if ((size_t)(stop - p) <= len || strncasecmp(p, *names, len) != 0)
			continue;
		while (q < stop && strchr(" *\t", *q) != NULL)
			q++;
		if (q < stop && (*q == ':' || (stop - q >= 3 && memcmp(q, "：", 3) == 0))) {
			for (q += *q == ':' ? 1 : 3; q < stop && strchr(" *\t", *q) != NULL; q++)
				;
			*n = (size_t)(stop - q);
			return q;
		}
	}
	return NULL;
}

/* A line of a date counts within a few lines of one that says who wrote. */
static void inline_part(struct mail *m, const char *p, size_t len, int forward)
{
	const char *end = p + (len < INLINE_READ ? len : INLINE_READ);
	int from = INT_MAX, found = 0; /* from: lines since that one */

	for (; p < end && found < INLINE_MAX && m->hops < MAIL_HEADERS_MAX;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl != NULL ? nl : end, *date;
		size_t n;

		from += from < INT_MAX;
		if (inline_field(p, stop, inline_from, &n) != NULL) {
			from = 0;
		} else if (from <= 3 && (date = inline_field(p, stop, inline_date, &n)) != NULL && n > 5) {
			char *stamp = text_escaped(date, n, 100);

			hop_add(m, "", stamp, forward + 1, true);
			m->hop[m->hops - 1].text = true;
			free(stamp);
			from = INT_MAX;
			found++;
		}
		p = nl != NULL ? nl + 1 : end;
	}
}

void mail_inline(struct mail *m)
{
	for (size_t i = 0; i < m->parts; i++)
		if (m->part[i].text)
			inline_part(m, buf_str(&m->part[i].data), m->part[i].data.len, m->part[i].forward);
}
