#include "comms/receipt.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "base/json.h"

#define SKEW_MS (5 * 60 * 1000LL)
#define OLD_MS (30 * 24 * 3600 * 1000LL)

struct receipt {
	const struct mail *mail;
	const char *const *ours;
	size_t n;
	const char *top;     /* the topmost "by" */
	int64_t now, first;
	size_t first_hop;
	const char **doubt;  /* by hop; NULL: none */
	bool *own;
};

/* The last two labels; a host without a dot is its own domain. */
static const char *domain_of(const char *host)
{
	const char *last = strrchr(host, '.'), *p = last;

	while (p != NULL && p > host && p[-1] != '.')
		p--;
	return p != NULL ? p : host;
}

static bool by_us(const struct receipt *r, const char *by)
{
	for (size_t i = 0; i < r->n; i++)
		if (fnmatch(r->ours[i], by, FNM_CASEFOLD) == 0)
			return true;
	return r->n == 0 && by[0] != '\0' && strcasecmp(domain_of(by), domain_of(r->top)) == 0;
}

/* above: when the host after it had the mail; linked: it is of the same message, else an upper bound only. */
static void hop_judge(struct receipt *r, size_t i, int64_t above, bool linked)
{
	int64_t at = r->mail->hop[i].at;

	if (at == INT64_MIN)
		r->doubt[i] = N_("its time cannot be read");
	else if (at > above + SKEW_MS)
		r->doubt[i] = N_("later than the host after it: a clock is wrong");
	else if (linked && at < above - OLD_MS)
		r->doubt[i] = N_("more than 30 days before the host after it");
	else if (r->first == INT64_MIN || at < r->first) {
		r->first = at;
		r->first_hop = i;
	}
}

/* The lines of one message, the newest first: i is its first; returns that of the next message. */
static size_t message_judge(struct receipt *r, size_t i)
{
	const struct mail *m = r->mail;
	int forward = m->hop[i].forward;
	int64_t above = r->first != INT64_MIN ? r->first : r->now;
	bool chain = true, linked = false;

	for (; i < m->hops && m->hop[i].forward == forward; i++) {
		const struct mail_hop *h = &m->hop[i];

		if (h->date)
			continue;
		chain = chain && by_us(r, h->by);
		r->own[i] = chain;
		if (!chain)
			continue;
		hop_judge(r, i, above, linked);
		if (r->doubt[i] != NULL)
			continue;
		above = h->at;
		linked = true;
	}
	return i;
}

static void receipt_fallback(struct receipt *r, int64_t delivered)
{
	const struct mail *m = r->mail;

	if (delivered != INT64_MIN && delivered <= r->now + SKEW_MS)
		r->first = delivered;
	for (size_t i = 0; r->first == INT64_MIN && i < m->hops; i++)
		if (m->hop[i].date && m->hop[i].forward == 0)
			hop_judge(r, i, r->now, false);
	if (r->first == INT64_MIN)
		r->first = r->now;
}

static void receipt_hops(const struct receipt *r, json_t *hops)
{
	const struct mail *m = r->mail;

	for (size_t i = m->hops; i > 0; i--) {
		const struct mail_hop *h = &m->hop[i - 1];
		json_t *o = json_object();

		json_put(o, "from", h->from);
		json_put(o, "by", h->by);
		json_put(o, "stamp", h->stamp);
		if (h->at != INT64_MIN)
			json_put_num(o, "at", h->at);
		json_put_num(o, "forward", h->forward);
		json_put(o, "trust", h->text ? "text" : h->date ? "date" : r->own[i - 1] ? "ours" : "claimed");
		json_object_set_new(o, "first", json_boolean(i - 1 == r->first_hop));
		if (r->doubt[i - 1] != NULL)
			json_put(o, "doubt", _(r->doubt[i - 1]));
		else if (h->text)
			json_put(o, "doubt", _("stands in the text: ask when, and on which channel, it was received"));
		json_array_append_new(hops, o);
	}
}

int64_t receipt_of(const struct mail *m, const char *const *ours, size_t n, int64_t delivered, int64_t now, json_t *hops)
{
	struct receipt r = { .mail = m, .ours = ours, .n = n, .top = "", .now = now, .first = INT64_MIN, .first_hop = SIZE_MAX,
		.doubt = mem_zalloc(m->hops + 1, sizeof *r.doubt), .own = mem_zalloc(m->hops + 1, sizeof *r.own) };

	for (size_t i = m->hops; i > 0; i--)
		if (!m->hop[i - 1].date && m->hop[i - 1].forward == 0)
			r.top = m->hop[i - 1].by;
	for (size_t i = 0; i < m->hops;)
		i = message_judge(&r, i);
	if (r.first == INT64_MIN)
		receipt_fallback(&r, delivered);
	receipt_hops(&r, hops);
	free(r.doubt);
	free(r.own);
	return r.first;
}
