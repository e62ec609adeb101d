/* The questions of triage, for the console and for --line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/model.h"
#include "ask_select.h"
#include "asked.h"
#include "base/i18n.h"
#include "base/text.h"

static void triage_cas(struct ask *a, void *ctx)
{
	const struct engine *en = ctx;
	const struct config *c = model_config(en);
	struct ca_count n;
	char title[400], num[4][32];

	for (size_t i = 0; c != NULL && i < c->cas; i++) {
		const struct ca_conf *ca = &c->ca[i];
		if (ca->spare)
			continue;
		if (!model_count(en, ca->name, &n))
			snprintf(title, sizeof title, "%-16s  %s", ca->title != NULL ? ca->title : ca->name,
			    _("counting ..."));
		else if (n.error != NULL)
			snprintf(title, sizeof title, "%-16s  %s", n.title, n.error);
		else
			snprintf(title, sizeof title, _("%-16s %7s valid %6s expired %5s revoked %2s unreadable"),
			    n.title, text_count(num[0], n.valid), text_count(num[1], n.expired),
			    text_count(num[2], n.revoked), text_count(num[3], n.unreadable));
		ask_choice(a, ca->name, title);
	}
}

static void triage_menu(struct ask *a, const struct choice *c)
{
	for (; c->value != NULL; c++)
		ask_choice(a, c->value, _(c->title));
}

static bool triage_below(const struct config *c, const struct ca_conf *ca, const char *top)
{
	for (size_t depth = 0; ca != NULL && depth <= c->cas; depth++) {
		if (strcmp(ca->name, top) == 0)
			return true;
		ca = ca->parent != NULL ? config_ca(c, ca->parent) : NULL;
	}
	return false;
}

int64_t triage_valid(const struct engine *en, const char *top, size_t *cas)
{
	const struct config *c = model_config(en);
	struct ca_count n;
	int64_t valid = 0;

	*cas = 0;
	for (size_t i = 0; c != NULL && i < c->cas; i++) {
		if (c->ca[i].spare || !triage_below(c, &c->ca[i], top) || !model_count(en, c->ca[i].name, &n))
			continue;
		valid += n.valid;
		++*cas;
	}
	return valid;
}

/* A CA without a parent is a root, another is not: the menu holds what can be. */
static void triage_level_menu(struct ask *a, void *ctx)
{
	const struct config *c = model_config(ctx);
	const struct ca_conf *ca = c != NULL ? config_ca(c, ask_get(a, "ca")) : NULL;
	char title[200], count[32];
	size_t cas;
	int64_t valid = triage_valid(ctx, ask_get(a, "ca"), &cas);

	for (const struct choice *l = triage_levels; l->value != NULL; l++) {
		if (ca != NULL && strcmp(l->value, ca->parent != NULL ? "root" : "intermediate") == 0)
			continue;
		snprintf(title, sizeof title, strcmp(l->value, "end-entity") == 0 || cas == 0 ? "%s" : _("%s; %s valid"),
		    _(l->title), text_count(count, valid));
		ask_choice(a, l->value, title);
	}
}

static void triage_compromise_menu(struct ask *a, void *ctx)
{
	(void)ctx;
	triage_menu(a, triage_compromises);
}

static void triage_channel_menu(struct ask *a, void *ctx)
{
	(void)ctx;
	triage_menu(a, triage_channels);
}

static void triage_reason_menu(struct ask *a, void *ctx)
{
	char title[200];

	(void)ctx;
	for (const struct choice *c = triage_reasons; c->value != NULL; c++) {
		snprintf(title, sizeof title, "%-21s %s", c->value, _(c->title));
		ask_choice(a, c->value, title);
	}
}

/* Only where it decides the time: another is told by the reason. */
static bool triage_wants_circumstance(const struct ask *a, void *ctx)
{
	const char *level = ask_get(a, "level"), *reason = ask_get(a, "reason");
	struct circumstance c;

	return level != NULL && strcmp(level, "end-entity") == 0 && reason != NULL && model_circumstance(ctx, reason, 0, &c);
}

static void triage_circumstance_menu(struct ask *a, void *ctx)
{
	struct circumstance c = { 0 };
	char title[240], n[16];

	for (size_t i = 0; model_circumstance(ctx, ask_get(a, "reason"), i, &c); i++) {
		snprintf(n, sizeof n, "%d", c.n);
		snprintf(title, sizeof title, _("%d h: (%d) %s"), c.must / 60, c.n, c.title);
		ask_choice(a, n, title);
	}
	snprintf(title, sizeof title, _("%d h: none of these"), c.alone / 60);
	ask_choice(a, "0", title);
}

/* What the report says that the incident was opened from. */
static char *triage_known(const struct ask *a, void *ctx)
{
	return model_reported(ctx, a->item[a->at].name, ask_get(a, "ca"));
}

void triage_source(struct ask *a, const struct engine *en)
{
	if (model_report_id(en)[0] != '\0')
		ask_source(a, model_report_id(en));
}

const struct ask_item triage_items[] = {
	{ .name = "ca", .title = N_("Affected CA"), .question = N_("Which CA is affected?"), .menu = triage_cas,
	    .known = triage_known,
	    .hint = N_("Those of the configuration, counted from their index files now.") },
	{ .name = "compromise", .title = N_("Compromise"), .question = N_("What kind of compromise is it?"),
	    .menu = triage_compromise_menu, .known = triage_known },
	{ .name = "level", .title = N_("Scope"), .question = N_("What must be revoked?"), .menu = triage_level_menu,
	    .known = triage_known },
	{ .name = "select", .title = N_("Selected by"), .question = N_("Which of its certificates?"),
	    .menu = select_menu, .known = triage_known, .wanted = select_wanted, .hint = N_("Groups with a reason each: sev1 help scope, --or.") },
	{ .name = "serial", .title = N_("Serials"), .question = N_("Which serials?"),
	    .check = select_serials, .wanted = select_wants_serial, .optional = true, .quiet = true,
	    .hint = N_("Hexadecimal, or decimal as dec:123456; several apart by blanks. Empty: any.") },
	{ .name = "serials-file", .title = N_("File of serials"), .question = N_("Which file holds the serials?"),
	    .check = select_file, .wanted = select_wants_list, .optional = true, .quiet = true,
	    .hint = N_("A path on this machine; one serial a line, # starts a comment. Empty: none.") },
	{ .name = "subject", .title = N_("Subjects"), .question = N_("Which subjects?"),
	    .wanted = select_wants_subject, .optional = true, .quiet = true,
	    .hint = N_("* and ? as in a shell, over the subject in index.txt: *CN=web*. Empty: any.") },
	{ .name = "san", .title = N_("Names"), .question = N_("Which names?"),
	    .wanted = select_wants_san, .optional = true, .quiet = true,
	    .hint = N_("*.example.com 192.0.2.*; several apart by blanks, one is enough. Empty: any.") },
	{ .name = "key-file", .title = N_("Leaked key"), .question = N_("Which file holds the key?"),
	    .check = select_file, .wanted = select_wants_key, .optional = true, .quiet = true,
	    .hint = N_("A private key (its possession is proved), CSR or certificate. Empty: any.") },
	{ .name = "key-hash", .title = N_("Key hash"), .question = N_("Which public key's SHA-256?"),
	    .check = select_hashes, .wanted = select_wants_hash, .optional = true, .quiet = true,
	    .hint = N_("Hexadecimal or sha256/BASE64=; several apart by blanks. Empty: any.") },
	{ .name = "issued-since", .title = N_("Issued since"), .question = N_("Issued since when?"),
	    .check = answer_time, .wanted = select_wants_time, .optional = true, .quiet = true,
	    .hint = N_("-2d, or a time with its zone: 2026-08-31T17:49Z. Empty: any time.") },
	{ .name = "issued-until", .title = N_("Issued until"), .question = N_("Issued until when?"),
	    .check = answer_time, .wanted = select_wants_time, .optional = true, .quiet = true,
	    .hint = N_("now, -2h, or a time with its zone: 2026-08-31T17:49Z. Empty: any time.") },
	{ .name = "received", .title = N_("First receipt"), .preset = "now", .check = answer_time, .known = triage_known,
	    .question = N_("When was it first reported, on any channel?"),
	    .hint = N_("The revocation deadline runs from here, however late it reached you. "
	        "now, -35m, -2h, or a time with its zone: 2026-08-31T23:19+05:30") },
	{ .name = "channel", .title = N_("Channel"), .question = N_("By which channel?"), .menu = triage_channel_menu,
	    .known = triage_known },
	{ .name = "reporter", .title = N_("Reporter"), .question = N_("Who reported it?"), .optional = true, .known = triage_known,
	    .hint = N_("A name or an address; empty where unknown.") },
	{ .name = "since", .title = N_("Began"), .question = N_("Since when is it compromised?"), .preset = "unknown",
	    .check = answer_time_or_unknown,
	    .hint = N_("unknown, -3d, or a time with its zone. It becomes the CRL's invalidityDate.") },
	{ .name = "reason", .title = N_("Reason"), .question = N_("Which revocation reason?"),
	    .menu = triage_reason_menu, .known = triage_known, .hint = N_("CA certificates get cACompromise in any case.") },
	{ .name = "circumstance", .title = N_("Circumstance"), .question = N_("Which circumstance is it?"),
	    .menu = triage_circumstance_menu, .wanted = triage_wants_circumstance,
	    .hint = N_("Of TLS BR 4.9.1.1: it decides how much time there is. In doubt the shorter one.") },
	{ .name = NULL },
};

int asked_circumstance(const struct ask *a)
{
	const char *n = ask_get(a, "circumstance");

	return n != NULL ? atoi(n) : 0;
}

void triage_words(const struct ask *a, struct answer *w)
{
	static const char *const names[] = { "ca", "level", "compromise", "received", "channel", "reporter", "since",
		"reason" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		answer_add(w, names[i], ask_get(a, names[i]));
	if (asked_circumstance(a) != 0)
		answer_add(w, "circumstance", ask_get(a, "circumstance"));
	select_words(a, w, false);
}
