/* What a mail says. Sentence by sentence: words of revocation or of compromise count where certificates or keys are
 * spoken of, more where somebody asks for it, less where somebody only wants to know or has done it already. */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "comms/recognise.h"
#include "comms/recognise_inside.h"

/* One sentence: words with one blank between them, blanks at both ends. */
struct sentence {
	struct buf text;
	const char *from;   /* of it in the mail */
	size_t len;
	unsigned is;
	bool subject, question, host;
};

struct words {
	struct recognised *r;
	struct stems *stems;
	struct sentence before, now;
	unsigned all;        /* of the whole mail */
	unsigned topic;      /* of the subject */
	unsigned earlier;    /* of the sentence before "before" */
	bool carries, sealed, automatic, bulk, machine;
	int best, second;
	bool named;          /* the best one speaks of one certificate */
	char *best_text, *best_why;
	size_t promos;
};

/* ---- judging a sentence ---- */

/* Does it speak of one certificate or key, not of them in general? */
static bool sentence_named(const struct sentence *s)
{
	return (s->is & (W_THIS | W_HOST)) || ((s->is & W_MINE) && (s->is & W_PRIVATE) && (s->is & (W_LEAK | W_LOST)));
}

/* Advice to everybody ("if your key is lost, revoke"), and what is told to many: nothing is asked for in it. */
static int sentence_general(const struct words *w, const struct sentence *s, int points)
{
	bool named = sentence_named(s);

	if ((s->is & W_IF) && !(s->is & W_MINE) && w->machine)
		points = points > 2 ? 2 : points;
	else if ((s->is & W_IF) && (s->is & W_YOURS) && !(s->is & (W_MINE | W_THIS)))
		points -= 6;
	if (w->bulk && !w->carries && !named && (!(s->is & W_ASK) || (s->is & W_INFO)))
		points /= 3;
	return points;
}

static bool sentence_done(const struct sentence *s, bool asked)
{
	unsigned done = W_DONE | W_PAST;

	return (s->is & done) && (!asked || (s->is & done) == done) && !(s->is & (W_NOT | W_URGENT | W_LEAK));
}

static int sentence_revoke(const struct words *w, const struct sentence *s, unsigned near)
{
	bool about = s->is & (W_CERT | W_RULE), asked = s->is & (W_ASK | W_MINE | W_THIS | W_URGENT);
	int points;

	if ((s->is & W_OTHER) && !(s->is & (W_CERT | W_PRIVATE)))
		return 0;
	if (s->is & W_REVOKE)
		points = about ? 6 : (near & (W_CERT | W_KEY)) || w->carries ? 5 : near & W_LEAK ? 4 : (s->is | near) & W_HOST ? 4 :
		    (w->all & (W_CERT | W_KEY)) ? 3 : 1;
	else if (s->is & W_CANCEL)
		points = (s->is & W_CERT ? 4 : near & W_CERT ? 2 : 0) + (w->carries ? 1 : 0) - (s->is & W_TRADE ? 3 : 0);
	else
		return 0;
	if ((s->is & W_INFO) && !((s->is & W_ASK) && !s->question))
		return points - 3 + ((s->is & W_THIS) && (s->is & W_REVOKE) && about ? 4 : 0);
	if (sentence_done(s, asked))
		return points - 4;
	return points > 1 ? points + (asked ? 4 : 0) : points;
}

/* The key of a certificate, not that of a door: of itself, or by what the mail is about. */
static bool key_is_ours(const struct words *w, const struct sentence *s)
{
	if (s->is & (W_PRIVATE | W_CERT))
		return true;
	return !(s->is & W_OTHER) && (w->carries || (w->all & (W_CERT | W_PRIVATE)) || (s->is & W_MINE));
}

static int sentence_leak(const struct words *w, const struct sentence *s, unsigned near)
{
	bool key = (s->is & W_KEY) && (s->is & (W_PRIVATE | W_PUBLIC)) != W_PUBLIC;
	int points = 0;

	if (s->is & W_LEAK)
		points = key ? (key_is_ours(w, s) ? 8 : s->is & W_OTHER ? 1 : 4) : s->is & W_CERT ? 6 :
		    near & (W_PRIVATE | W_CERT) ? 5 : (near & W_KEY) && (w->all & (W_CERT | W_PRIVATE)) ? 5 : w->carries ? 4 :
		    (s->is | near) & W_HOST ? 3 : 1;
	else if ((s->is & W_LOST) && key)
		points = s->is & W_PRIVATE ? 7 : s->is & W_OTHER ? 0 : s->is & W_TRADE ? 2 :
		    w->carries || (w->all & (W_CERT | W_PRIVATE)) ? 5 : 2;
	else if (s->is & W_LOST)
		points = near & W_PRIVATE ? 3 : w->sealed && ((s->is | near) & W_CERT) ? 3 : 0;
	if (!(s->is & W_LEAK) && s->question && (s->is & W_INFO) && points > 3)
		points = 3; /* "who has access to our private key?" */
	if (points < 5 && (s->is & W_FAULT) && (s->is & W_DATA) && !(s->is & W_TRADE) && ((s->is | near) & W_CERT))
		points = s->is & W_CERT ? 5 : 3;
	else if (points < 3 && (s->is & W_FAULT) && (s->is & W_CERT) && w->carries && !(s->is & W_TRADE))
		points = 3;
	if (points > 2 && (s->is & (W_ASK | W_MINE | W_THIS | W_URGENT)))
		points += 1;
	return points > 2 && (s->is & W_INFO) && !w->carries && !(s->is & W_MINE) ? points - 3 : points;
}

/* Talk in general, in which nothing is asked for: what it can be worth at most. */
static int sentence_cap(const struct words *w, const struct sentence *s)
{
	if ((w->topic & W_TALK) && !w->carries && !((s->is & W_ASK) && (s->is & (W_THIS | W_MINE | W_HOST))))
		return REPORT_DOUBTFUL_AT - 1;
	if (!(s->is & W_INFO) || w->carries || sentence_named(s))
		return INT_MAX;
	return s->question ? REPORT_DOUBTFUL_AT : s->is & (W_ASK | W_MINE) ? INT_MAX : REPORT_DOUBTFUL_AT - 1;
}

static void sentence_judge(struct words *w, const struct sentence *s, unsigned near)
{
	int revoke = sentence_revoke(w, s, near), leak = sentence_leak(w, s, near);
	int points = (revoke > leak ? revoke : leak) + (revoke > 3 && leak > 3 ? 2 : 0);

	points = sentence_general(w, s, points);
	if (points > 2 && (s->is & W_RULE))
		points += 2;
	if (points > 2 && s->subject)
		points += 2;
	if (points > 2 && (s->is & W_PROMO))
		points -= 3;
	if (points > sentence_cap(w, s))
		points = sentence_cap(w, s);
	if (points <= w->second)
		return;
	if (points <= w->best) {
		w->second = points;
		return;
	}
	w->second = w->best;
	w->best = points;
	w->named = sentence_named(s);
	free(w->best_text);
	w->best_text = recognise_cut(s->from, s->len, 160);
	free(w->best_why);
	w->best_why = mem_strdup(revoke >= leak ? N_("asks for revocation") : N_("says that a key or certificate is compromised"));
}

/* A sentence is judged with those on both sides of it: "It was hacked. Please revoke the certificate. Thanks." */
static void sentence_last(struct words *w, unsigned after)
{
	unsigned near = w->earlier | w->topic | after;

	if (w->before.subject) /* what the whole mail is about */
		near |= w->all & (W_CERT | W_PRIVATE | W_HOST);
	if (w->before.text.len > 1)
		sentence_judge(w, &w->before, near);
	w->earlier = w->before.is;
}

/* "Revoke this": where a subject or a sentence begins with the word, somebody wants it. */
static bool sentence_commands(const struct sentence *s)
{
	const char *text = buf_str(&s->text);

	return strncmp(text, " revoke ", 8) == 0 ||
	    (s->subject && strstr(text, " revoke ") != NULL && strstr(text, " to revoke ") == NULL && strstr(text, " i revoke ") == NULL);
}

static void sentence_end(struct words *w)
{
	struct sentence *s = &w->now, old;

	if (s->text.len > 1) {
		buf_addc(&s->text, ' ');
		s->is = stems_flags(w->stems, buf_str(&s->text)) | (sentence_commands(s) ? (unsigned)W_ASK : 0) |
		    (s->host ? (unsigned)W_HOST : 0);
		w->all |= s->is;
		w->promos += (s->is & W_PROMO) != 0;
		if (s->subject)
			w->topic |= s->is;
		sentence_last(w, s->is);
		old = w->before;
		w->before = w->now;
		w->now = old;
	}
	buf_clear(&w->now.text);
	buf_addc(&w->now.text, ' ');
	w->now.from = NULL;
	w->now.question = w->now.host = false;
}

#define TEXT_READ (4u << 20) /* octets of a mail's text that are read for words */
#define SENTENCE_MAX 400 /* octets: what never ends is cut */

/* A full stop before a small letter is that of an abbreviation, or of somebody in a hurry: the sense goes on. */
static bool is_abbreviation(const char *p, const char *end)
{
	for (p++; p < end && *p == ' '; p++)
		;
	return p < end && islower((unsigned char)*p);
}

/* A full stop, a question or an exclamation mark of scripts that write no blank behind it. */
static bool ends_wide(const char *p, const char *end)
{
	return end - p >= 3 && (memcmp(p, "。", 3) == 0 || memcmp(p, "！", 3) == 0 || memcmp(p, "？", 3) == 0);
}

/* Does a line of a list or of a form begin at p: "- this", "Serial: 12"? */
static bool is_item(const char *p, const char *end)
{
	size_t n = 0;

	if (end - p > 2 && strchr("-*+|#", *p) != NULL)
		return true;
	while (p + n < end && n < 30 && (isalnum((unsigned char)p[n]) || p[n] == ' ' || p[n] == '-' || p[n] == '_'))
		n++;
	return n > 1 && end - p > (long)n + 1 && p[n] == ':' && isspace((unsigned char)p[n + 1]);
}

static bool ends_sentence(const char *p, const char *end)
{
	if (*p == '.' && is_abbreviation(p, end))
		return false;
	if (*p == '!' || *p == '?' || *p == '.' || *p == ';')
		return p + 1 == end || isspace((unsigned char)p[1]);
	if (*p != '\n')
		return ends_wide(p, end);
	for (p++; p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '>'); p++)
		;
	return p == end || *p == '\n' || is_item(p, end);
}

/* The last label of a name of two: one of these, not that of a file nor a sentence without a blank behind its stop. */
static bool is_tld(const char *p, size_t n)
{
	static const char *const common[] = { "com", "net", "org", "eu", "info", "biz", "io", "dev", "app", "cloud", "shop", "online",
		"edu", "gov", "mil", "int", "example", "test", "de", "at", "ch", "fr", "be", "nl", "lu", "uk", "ie", "it", "es", "pt",
		"pl", "cz", "sk", "hu", "ro", "bg", "gr", "se", "no", "dk", "fi", "ee", "lv", "lt", "ru", "ua", "tr", "il", "in", "cn",
		"tw", "hk", "jp", "kr", "sg", "au", "nz", "us", "ca", "mx", "br", "ar", "cl", "za" };

	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
		if (strlen(common[i]) == n && strncasecmp(p, common[i], n) == 0)
			return true;
	return false;
}

/* Does a host name or a wildcard begin at p? Not that of a link nor of a mail address. */
static bool is_host(const char *p, const char *from, const char *end)
{
	const char *q = p, *last = p;
	size_t dots = 0;

	if (p > from && (isalnum((unsigned char)p[-1]) || strchr("@/.-_=", p[-1]) != NULL))
		return false;
	if (end - p > 3 && p[0] == '*' && p[1] == '.')
		return isalnum((unsigned char)p[2]);
	for (; q < end && q - p < 254 && (isalnum((unsigned char)*q) || *q == '-' || *q == '.'); q++)
		if (*q == '.' && q + 1 < end && isalpha((unsigned char)q[1])) {
			dots++;
			last = q + 1;
		}
	while (q > last && q[-1] == '.')
		q--;
	return (q == end || *q != '@') && (dots >= 2 || (dots == 1 && last - p > 3 && is_tld(last, (size_t)(q - last))));
}

/* A line of PEM says nothing: its armour, and digits without a blank behind it. Its octets with its end, 0 for other lines. */
static size_t pem_line(const char *p, const char *end, bool *inside)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl != NULL ? nl : end, *q = p;
	size_t n;

	while (q < stop && (*q == '>' || *q == ' '))
		q++;
	while (stop > q && isspace((unsigned char)stop[-1]))
		stop--;
	n = (size_t)(stop - q);
	if (n > 15 && memcmp(q, "-----BEGIN ", 11) == 0 && stop[-1] == '-')
		*inside = memmem(q, n, "PGP SIGNED", 10) == NULL;
	else if (*inside && (n == 0 || memcmp(q, "-----END ", n < 9 ? n : 9) == 0 || memchr(q, ' ', n) != NULL))
		*inside = false;
	else if (!*inside)
		return 0;
	if (!*inside && (n < 9 || memcmp(q, "-----", 5) != 0))
		return 0;
	return (size_t)((nl != NULL ? nl + 1 : end) - p);
}

/* Lines that are quoted; a word parted at a line's end by a hyphen is put together. */
static void words_text(struct words *w, const char *p, size_t len, bool subject)
{
	const char *end = p + len, *from = p;
	bool line = true, pem = false;
	size_t n;

	sentence_end(w);
	w->now.subject = subject;
	for (; p < end; p += n) {
		unsigned char c = (unsigned char)*p;

		if (line && w->automatic && c == '>') { /* what an answering machine quotes is not its own */
			const char *nl = memchr(p, '\n', (size_t)(end - p));
			n = nl != NULL ? (size_t)(nl - p) : (size_t)(end - p);
			continue;
		}
		if (line && (c == '-' || c == '>' || pem) && (n = pem_line(p, end, &pem)) > 0)
			continue;
		line = c == '\n';
		n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		n = n > (size_t)(end - p) ? (size_t)(end - p) : n;
		if (w->now.from == NULL && c > ' ')
			w->now.from = p;
		if (w->now.from != NULL)
			w->now.len = (size_t)(p + n - w->now.from);
		w->now.question = w->now.question || c == '?' || (n == 3 && memcmp(p, "？", 3) == 0);
		w->now.host = w->now.host || ((isalnum(c) || c == '*') && is_host(p, from, end));
		recognise_fold(&w->now.text, (const unsigned char *)p, n);
		if (ends_sentence(p, end) || w->now.text.len > SENTENCE_MAX) {
			sentence_end(w);
			w->now.subject = subject;
		}
	}
	sentence_end(w);
	w->now.subject = false;
}

/* ---- the mail ---- */

static void words_pass(struct words *w, const struct mail *m)
{
	size_t left = TEXT_READ;

	w->before.is = w->now.is = w->earlier = 0;
	w->best = w->second = 0;
	w->promos = 0;
	if (!m->automatic) { /* its subject is that of what it answers */
		words_text(w, m->subject, strlen(m->subject), true);
		words_text(w, m->forwarded, strlen(m->forwarded), true);
	}
	for (size_t i = 0; i < m->parts; i++) {
		size_t n = m->part[i].data.len < left ? m->part[i].data.len : left;

		if (!m->part[i].text || (m->automatic && m->part[i].forward > 0))
			continue;
		words_text(w, buf_str(&m->part[i].data), n, false);
		left -= n;
	}
	sentence_last(w, 0);
	buf_clear(&w->before.text);
}

/* No sentence asks, and yet it is no ordinary mail: somebody shall look at it rather than nobody. */
static bool words_unclear(const struct words *w, const struct mail *m)
{
	bool about = w->all & (W_CERT | W_PRIVATE), ordinary = w->all & (W_TRADE | W_INFO | W_PROMO | W_DONE | W_TALK);

	if (!about || m->automatic || m->bulk || m->machine || (w->all & (W_PROMO | W_TALK)))
		return false;
	return !ordinary || ((w->all & (W_LEAK | W_CANCEL)) && (w->all & (W_MINE | W_THIS | W_HOST)));
}

static void words_say(struct words *w, const struct mail *m)
{
	struct recognised *r = w->r;
	int promo = w->promos > 4 ? 4 : (int)w->promos;

	r->words = w->best >= 3;
	r->hint = (w->all & (W_LEAK | W_CANCEL | W_REVOKE)) && !m->automatic && !m->bulk && !m->machine;
	/* what is understood, and is about something else: what it carries is what such mail carries */
	r->benign = !r->words && (w->all & (W_TRADE | W_INFO | W_PROMO | W_DONE)) && !words_unclear(w, m);
	if (w->best > 2)
		recognised_why(r, w->best, "%s: \"%s\"", _(w->best_why), w->best_text);
	else if (words_unclear(w, m))
		recognised_why(r, REPORT_DOUBTFUL_AT, "%s",
		    _("speaks of certificates or keys, and of trouble or of nothing that ordinary mail is about"));
	if (w->best > 3 && w->second > 3)
		recognised_why(r, w->second > 6 ? 3 : w->second / 2, "%s", _("and again in another sentence"));
	if (w->best > 3 && (w->all & W_URGENT))
		recognised_why(r, 1, "%s", _("is urgent"));
	if ((w->all & W_RULE) && (w->best > 3 || w->carries))
		recognised_why(r, 2, "%s", _("speaks of the rules for certificates, or of a problem report"));
	if (m->automatic && r->score > 0)
		recognised_why(r, -6, "%s", _("an automatic answer or a bounce"));
	if (m->bulk && !w->carries && !w->named && r->score > 0)
		recognised_why(r, -4, "%s", _("sent in bulk"));
	if (promo > 0 && !w->carries && r->score > 0)
		recognised_why(r, -promo, "%s", _("words of advertising or of spam"));
}

void recognise_words(struct recognised *r, const struct mail *m, bool carries)
{
	struct words w = { .r = r, .stems = stems_new(), .carries = carries,
		.sealed = recognised_count(r, "key-file") > 0, .automatic = m->automatic, .bulk = m->bulk, .machine = m->machine };

	words_pass(&w, m); /* once to know what it is about, once to judge with that */
	words_pass(&w, m);
	words_say(&w, m);
	mail_wipe(&w.before.text);
	mail_wipe(&w.now.text);
	stems_free(w.stems);
	free(w.best_text);
	free(w.best_why);
}
