#include "board.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/model.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "theme.h"

/* A pane being filled: rows before top and below the area are counted, not drawn. */
struct pane {
	const struct area *a;
	size_t top, n;
};

static int pane_next(struct pane *p)
{
	size_t n = p->n++;

	return n >= p->top && n - p->top < (size_t)p->a->rows ? (int)(n - p->top) : -1;
}

static void pane_row(struct pane *p, const struct column *c, size_t n, const char *const text[],
    const enum style *st)
{
	int row = pane_next(p);

	if (row >= 0)
		draw_row(p->a, row, ' ', c, n, text, st);
}

static void pane_line(struct pane *p, enum style st, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void pane_line(struct pane *p, enum style st, const char *fmt, ...)
{
	char line[400];
	int row = pane_next(p);
	va_list ap;

	if (row < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	draw_text(p->a, row, 3, p->a->cols - 4, st, line);
}

char *show_minute(char out[32], int64_t ms)
{
	clock_iso(out, 32, ms);
	if (strlen(out) >= 20) {
		out[10] = ' ';
		memcpy(out + 16, "Z", 2);
	}
	return out;
}

static const char *or_dash(const char *s)
{
	return s != NULL && s[0] != '\0' ? s : "-";
}

/* ---- 1: scope ---- */

static void detail_scope(struct pane *p, const struct incident *in)
{
	static const struct column c[] = { { "", 24, false }, { "", 0, false }, { "", 16, false } };
	char n[5][32], counts[200], *reasons;

	if (!in->triage.answered) {
		pane_line(p, STYLE_PLAIN, _("Triage has not been answered: Enter asks, one question after another."));
		return;
	}
	pane_line(p, STYLE_PLAIN, "%s, %s: %s", in->triage.ca, in->triage.level, in->triage.trigger);
	reasons = incident_reasons(in);
	pane_line(p, STYLE_PLAIN, _("Action: %s. Reason: %s."), in->triage.action, reasons);
	free(reasons);
	if (!in->scope_frozen)
		pane_line(p, STYLE_WARN, _("The scope is not frozen yet: :scope"));
	for (size_t i = 0; i < in->scopes; i++) {
		const struct ca_scope *s = &in->scope[i];
		const char *text[] = { s->ca, counts, n[4] };
		snprintf(counts, sizeof counts, _("%s valid  %s expired  %s revoked"),
		    text_count(n[0], s->valid), text_count(n[1], s->expired), text_count(n[2], s->revoked));
		snprintf(n[4], sizeof n[4], _("%s selected"), text_count(n[3], s->selected));
		pane_row(p, c, 3, text, NULL);
	}
	for (size_t i = 0; i < in->owns; i++)
		pane_line(p, STYLE_PLAIN, _("%s itself, serial %s, on the CRL of %s"), in->own[i].ca,
		    in->own[i].serial, in->own[i].issuer);
	if (in->scope_frozen)
		pane_line(p, STYLE_DIM, _("manifest sha256 %s"), in->manifest);
}

/* ---- 2: actions ---- */

static const char *action_word(enum action_state st)
{
	static const char *const words[] = { "waiting", "running", "held", "failed", "undone" };

	return words[st];
}

static void action_took(char out[32], int64_t ms)
{
	if (ms <= 0)
		out[0] = '\0';
	else if (ms < 60000)
		snprintf(out, 32, "%.1f s", (double)ms / 1000);
	else
		snprintf(out, 32, "%lld min", (long long)(ms / 60000));
}

static void detail_action(struct pane *p, const char *title, const char *host, const char *state,
    const char *detail, int64_t ms)
{
	static const struct column c[] = { { "", 21, false }, { "", 8, false }, { "", 8, false },
		{ "", 0, false }, { "", 7, true } };
	char took[32];
	const char *text[] = { title, host, _(state), detail, took };
	enum style st[] = { STYLE_PLAIN, STYLE_PLAIN, theme_state(state), STYLE_PLAIN, STYLE_DIM };

	action_took(took, ms);
	pane_row(p, c, 5, text, st);
}

static void detail_actions(struct pane *p, const struct incident *in, const struct config *c)
{
	for (size_t i = 0; i < in->actions; i++) {
		const struct action *a = &in->action[i];
		detail_action(p, a->title, a->host[0] != '\0' ? a->host : _("here"),
		    action_word(a->state), a->detail, a->ms);
	}
	for (size_t i = 0; c != NULL && i < c->actions; i++) {
		const struct action_conf *a = &c->action[i];
		if (incident_action(in, a->name) == NULL)
			detail_action(p, a->title != NULL ? a->title : a->name,
			    a->host != NULL ? a->host : _("here"), "waiting",
			    a->kind == ACTION_KEYLOCK ? _("until the CRL is signed") : "", 0);
	}
	if (p->n == 0)
		pane_line(p, STYLE_WARN, _("No containment action is configured: add [action NAME] sections."));
}

/* ---- 3, 6, 7: notices ---- */

static void detail_notice(struct pane *p, const struct incident *in, const struct config *c,
    const char *name)
{
	static const struct column cols[] = { { "", 36, false }, { "", 9, false }, { "", 9, false },
		{ "", 0, false } };
	const struct notice *n = incident_notice(in, name);
	const struct notice_conf *conf = c != NULL ? config_notice(c, name) : NULL;
	char at[32];

	if (n != NULL && n->subject[0] != '\0')
		pane_line(p, STYLE_DIM, _("subject: %s"), n->subject);
	for (size_t i = 0; i < in->recipients; i++) {
		const struct recipient *r = &in->recipient[i];
		const char *word = r->accepted ? "accepted" : "failed";
		const char *text[] = { r->to, _(word), clock_time(at, sizeof at, r->at), r->detail };
		enum style st[] = { STYLE_PLAIN, theme_state(word), STYLE_DIM, STYLE_PLAIN };
		if (strcmp(r->notice, name) == 0)
			pane_row(p, cols, 4, text, st);
	}
	if (n != NULL)
		return;
	for (size_t i = 0; conf != NULL && i < conf->tos; i++) {
		const char *text[] = { conf->to[i], _("waiting"), "", conf->transport };
		enum style st[] = { STYLE_PLAIN, STYLE_DIM, STYLE_DIM, STYLE_DIM };
		pane_row(p, cols, 4, text, st);
	}
	if (conf == NULL)
		pane_line(p, STYLE_WARN, _("No recipients are configured: add a [notice %s] section."), name);
}

/* ---- 4: CRLs ---- */

static void detail_crls(struct pane *p, const struct incident *in)
{
	static const struct column c[] = { { "", 18, false }, { "", 11, false }, { "", 15, true },
		{ "", 0, false } };
	char until[64], number[48], entries[64];

	for (size_t i = 0; i < in->revocations; i++) {
		const struct revocation *r = &in->revocation[i];
		char planned[32], done[32];
		if (r->state == REVOKE_DONE && incident_crl(in, r->ca) != NULL)
			continue;
		if (r->state == REVOKE_UNDONE) {
			pane_line(p, STYLE_BUSY, _("%s: undone, nothing of it was published"), r->ca);
			continue;
		}
		pane_line(p, r->state == REVOKE_FAILED ? STYLE_BAD : STYLE_BUSY, "%s: %s, %s %s %s %s", r->ca,
		    r->state == REVOKE_FAILED ? _("failed") : r->state == REVOKE_UNDOING ? _("being undone") : _("running"), text_count(done, r->revoked),
		    _("of"), text_count(planned, r->planned), r->detail);
	}
	for (size_t i = 0; i < in->crls; i++) {
		const struct crl_made *m = &in->crl[i];
		const char *text[] = { m->ca, number, entries, until };
		char iso[32];
		snprintf(number, sizeof number, _("number %s"), m->number);
		text_entries(entries, m->entries);
		snprintf(until, sizeof until, _("until %s"), show_minute(iso, m->next_update));
		pane_row(p, c, 4, text, NULL);
	}
	if (p->n == 0)
		pane_line(p, STYLE_PLAIN, in->scope_frozen
		    ? _("Nothing is revoked yet: Enter makes the plan and shows it.")
		    : _("Nothing is revoked yet: the scope must be frozen first."));
}

/* ---- 5: distribution points ---- */

static const char *point_word(enum point_state st)
{
	static const char *const words[] = { "waiting", "started", "placed", "verified", "failed" };

	return words[st];
}

static void detail_point(struct pane *p, const char *name, const char *url, enum point_state state,
    const char *detail)
{
	static const struct column c[] = { { "", 14, false }, { "", 9, false }, { "", 0, false } };
	char what[400];
	const char *text[] = { name, _(point_word(state)), what };
	enum style st[] = { STYLE_PLAIN, theme_state(point_word(state)), STYLE_PLAIN };

	snprintf(what, sizeof what, "%s%s%s", detail, detail[0] != '\0' ? "  " : "", url);
	pane_row(p, c, 3, text, st);
}

static void detail_points(struct pane *p, const struct incident *in, const struct config *c)
{
	for (size_t i = 0; i < in->points; i++)
		detail_point(p, in->point[i].point, in->point[i].url, in->point[i].state,
		    in->point[i].detail);
	for (size_t i = 0; c != NULL && i < c->points; i++)
		if (incident_point(in, c->point[i].ca, c->point[i].name) == NULL)
			detail_point(p, c->point[i].name, c->point[i].url, POINT_NONE, "");
	if (p->n == 0)
		pane_line(p, STYLE_WARN, _("No distribution point is configured: add [point NAME] sections."));
}

/* ---- 8: recovery ---- */

static size_t hosts_in(const struct incident *in, const char *state)
{
	size_t n = 0;

	for (size_t i = 0; i < in->hosts; i++)
		n += strcmp(in->host[i].state, state) == 0;
	return n;
}

static void detail_recovery(struct pane *p, const struct incident *in)
{
	static const char *const states[] = { "failed", "rolled back", "unreachable", "refused", "running",
		NULL };
	struct buf b = { 0 };
	char until[32];
	int row;

	if (in->issuer == NULL) {
		pane_line(p, STYLE_PLAIN, _("No replacement issuer yet: Enter chooses or makes one."));
		return;
	}
	pane_line(p, STYLE_PLAIN, _("issuer %s (%s) until %s, %s"), in->issuer->name, in->issuer->how,
	    show_minute(until, in->issuer->not_after), in->issuer->subject);
	pane_line(p, STYLE_DIM, _("fingerprint %s"), in->issuer->fingerprint);
	if (in->hosts == 0) {
		pane_line(p, STYLE_PLAIN, _("Nothing is re-issued yet: :reissue, then :fleet shows it."));
		return;
	}
	row = pane_next(p);
	if (row >= 0) {
		draw_bar(p->a, row, 3, 42, (int64_t)in->hosts_verified, (int64_t)in->hosts);
		draw_printf(p->a, row, 47, p->a->cols - 48, STYLE_PLAIN, _("%zu of %zu verified"),
		    in->hosts_verified, in->hosts);
	}
	for (size_t i = 0; states[i] != NULL; i++)
		if (hosts_in(in, states[i]) > 0)
			buf_addf(&b, "%s%s %zu", b.len > 0 ? "   " : "", _(states[i]), hosts_in(in, states[i]));
	pane_line(p, STYLE_PLAIN, "%s", b.len > 0 ? b.data : _(":fleet shows each host"));
	buf_free(&b);
}

size_t detail_draw(const struct area *a, const struct incident *in, const struct config *c,
    const struct checkpoint *cp, bool evidence, size_t top)
{
	struct pane p = { a, top, 0 };
	const char *arg = cp->command + strcspn(cp->command, " ");
	char name[32];

	snprintf(name, sizeof name, "%.*s", (int)(arg - cp->command), cp->command);
	arg += strspn(arg, " ");
	if (evidence)
		pane_line(&p, STYLE_BOLD, "%s", cp->shown);
	if (strcmp(name, "triage") == 0 || strcmp(name, "scope") == 0)
		detail_scope(&p, in);
	else if (strcmp(name, "contain") == 0)
		detail_actions(&p, in, c);
	else if (strcmp(name, "notify") == 0)
		detail_notice(&p, in, c, arg);
	else if (strcmp(name, "revoke") == 0 || strcmp(name, "crl") == 0)
		detail_crls(&p, in);
	else if (strcmp(name, "publish") == 0)
		detail_points(&p, in, c);
	else if (strcmp(name, "recover") == 0 || strcmp(name, "reissue") == 0)
		detail_recovery(&p, in);
	else
		pane_line(&p, STYLE_PLAIN, _("closed by: %s"), or_dash(cp->evidence));
	return p.n;
}

void show_span(char out[40], int64_t ms)
{
	int64_t hours = ms / (3600 * 1000);

	if (llabs(hours) < 100)
		clock_span(out, 40, ms);
	else
		snprintf(out, 40, "%lldd %02lldh", (long long)(hours / 24), llabs(hours) % 24);
}
