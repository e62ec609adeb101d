/* The questions of triage, for the console and for --line. */
#include <stdio.h>
#include <string.h>

#include "app/model.h"
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

static bool triage_end_entity(const struct ask *a, void *ctx)
{
	const char *level = ask_get(a, "level");

	(void)ctx;
	return level != NULL && strcmp(level, "end-entity") == 0;
}

/* Serials in hexadecimal, colons or not, apart by blanks or commas; kept apart by one blank. */
static int triage_serials(void *ctx, const char *text, char **value, struct err *e)
{
	struct buf b = { 0 };
	char word[128];
	size_t n, k;

	(void)ctx;
	for (; *(text += strspn(text, " ,")) != '\0'; text += n) {
		n = strcspn(text, " ,");
		for (size_t i = k = 0; i < n && k < sizeof word - 1; i++)
			if (text[i] != ':')
				word[k++] = text[i];
		word[k] = '\0';
		if (!text_is_hex(word) || k > 40) {
			buf_free(&b);
			return err_set(e, ERR_USAGE, _("\"%.*s\" is no serial: hexadecimal digits, at most 40."), (int)n, text);
		}
		buf_addf(&b, "%s%s", b.len > 0 ? " " : "", word);
	}
	*value = buf_take(&b);
	return 0;
}

const struct ask_item triage_items[] = {
	{ .name = "ca", .title = N_("Affected CA"), .question = N_("Which CA is affected?"), .menu = triage_cas,
	    .hint = N_("Those of the configuration, counted from their index files now.") },
	{ .name = "compromise", .title = N_("Compromise"), .question = N_("What kind of compromise is it?"),
	    .menu = triage_compromise_menu },
	{ .name = "level", .title = N_("Scope"), .question = N_("What must be revoked?"), .menu = triage_level_menu },
	{ .name = "serial", .title = N_("Serials"), .question = N_("Which serials? (hexadecimal; empty: any)"),
	    .check = triage_serials, .wanted = triage_end_entity, .optional = true,
	    .hint = N_("Several apart by blanks. All selectors must match at once.") },
	{ .name = "subject", .title = N_("Subjects"), .question = N_("Which subjects? (a pattern; empty: any)"),
	    .wanted = triage_end_entity, .optional = true, .hint = N_("* and ? as in a shell: *CN=web*.example.com*") },
	{ .name = "issued-since", .title = N_("Issued since"), .question = N_("Issued since when? (empty: any time)"),
	    .check = answer_time, .wanted = triage_end_entity, .optional = true,
	    .hint = N_("-2d, or a time with its zone: 2026-08-31T23:19+05:30") },
	{ .name = "received", .title = N_("First receipt"), .preset = "now", .check = answer_time,
	    .question = N_("When was it first reported, on any channel?"),
	    .hint = N_("The revocation deadline runs from here, however late it reached you. "
	        "now, -35m, -2h, or a time with its zone: 2026-08-31T23:19+05:30") },
	{ .name = "channel", .title = N_("Channel"), .question = N_("By which channel?"), .menu = triage_channel_menu },
	{ .name = "reporter", .title = N_("Reporter"), .question = N_("Who reported it?"), .optional = true,
	    .hint = N_("A name or an address; empty where unknown.") },
	{ .name = "since", .title = N_("Began"), .question = N_("Since when is it compromised?"), .preset = "unknown",
	    .check = answer_time_or_unknown,
	    .hint = N_("unknown, -3d, or a time with its zone. It becomes the CRL's invalidityDate.") },
	{ .name = "reason", .title = N_("Reason"), .question = N_("Which revocation reason?"),
	    .menu = triage_reason_menu, .hint = N_("CA certificates get cACompromise in any case.") },
	{ .name = NULL },
};

void triage_words(const struct ask *a, struct answer *w)
{
	static const char *const names[] = { "ca", "level", "compromise", "received", "channel", "reporter", "since",
		"reason", "subject", "issued-since" };
	const char *serials = ask_get(a, "serial");
	char word[64];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		answer_add(w, names[i], ask_get(a, names[i]));
	while (serials != NULL && serials[0] != '\0') {
		snprintf(word, sizeof word, "%.*s", (int)strcspn(serials, " "), serials);
		answer_add(w, "serial", word);
		serials += strcspn(serials, " ");
		serials += strspn(serials, " ");
	}
}
