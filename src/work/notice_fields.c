#include "work/notice_fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incident/triage.h"
#include "work/servers.h"

#define SYSTEMS_NAMED 50
#define MINUTE_MS (60LL * 1000)

static void set_time(struct fields *f, const char *name, int64_t ms)
{
	char at[24];

	fields_set(f, name, clock_iso(at, sizeof at, ms));
}

static void set_count(struct fields *f, const char *name, int64_t n)
{
	char count[32];

	fields_set(f, name, text_count(count, n));
}

static void set_take(struct fields *f, const char *name, struct buf *b)
{
	fields_set(f, name, buf_str(b));
	buf_free(b);
}

static const char *level_word(const char *level)
{
	return strcmp(level, "root") == 0 ? _("Root") : strcmp(level, "intermediate") == 0 ?
	    _("Intermediate") : _("End-entity");
}

static void set_summary(struct fields *f, const struct incident *in, const char *ca, const char *how)
{
	struct buf b = { 0 };
	char count[32];

	if (strcmp(in->triage.level, "root") == 0)
		buf_addf(&b, _("The Root CA %s has been compromised (%s). "
		               "All certificates of the whole hierarchy are being revoked."), ca, how);
	else if (strcmp(in->triage.level, "intermediate") == 0)
		buf_addf(&b, _("The Intermediate CA %s has been compromised (%s). "
		               "All issued certificates are being revoked."), ca, how);
	else if (in->scope_frozen)
		buf_addf(&b, _("Certificates of %s have been compromised (%s). "
		               "The %s affected are being revoked."), ca, how, text_count(count, in->scope_count));
	set_take(f, "summary", &b);
}

/* What an outsider is told was found, unless the operator says it in better words. */
static const char *description(int compromise)
{
	switch (compromise) {
	case 1:
		return _("the private key of one of its certificate authorities has been compromised");
	case 2:
		return _("certificates have been issued by one of its certificate authorities without authorisation");
	case 3:
		return _("systems of one of its certificate authorities have been compromised");
	case 4:
		return _("an algorithm on which its certificates rely is no longer secure");
	default:
		return NULL;
	}
}

static void set_triage(struct fields *f, const struct incident *in, const struct config *c)
{
	const struct ca_conf *ca = config_ca(c, in->triage.ca);
	const char *title = ca != NULL && ca->title != NULL ? ca->title : in->triage.ca, *how = "";

	for (const struct choice *t = triage_compromises; t->value != NULL; t++)
		if (atoi(t->value) == in->triage.compromise)
			how = _(t->title);
	fields_set(f, "ca", title);
	fields_set(f, "level", level_word(in->triage.level));
	fields_set(f, "compromise", how);
	fields_set(f, "trigger", in->triage.trigger);
	fields_set(f, "action", in->triage.action);
	fields_set(f, "reason", in->triage.reason);
	fields_set(f, "description", description(in->triage.compromise));
	set_time(f, "received", in->triage.received);
	set_time(f, "deadline", in->triage.deadline);
	set_summary(f, in, title, how);
}

/* What has been done, by the evidence of the checkpoints; numbered. */
static void set_actions(struct fields *f, const struct incident *in)
{
	struct buf b = { 0 };
	int n = 0;

	for (size_t i = 0; i < in->checkpoints; i++) {
		const struct checkpoint *cp = &in->checkpoint[i];
		char at[16];
		if (cp->state == CP_OPEN || cp->state == CP_WAIVED)
			continue;
		buf_addf(&b, "%s%d. %s (%s%s%s)", n > 0 ? "\n" : "", n + 1, cp->title,
		    clock_time(at, sizeof at, cp->done_at), cp->shown[0] != '\0' ? ", " : "", cp->shown);
		n++;
	}
	set_take(f, "actions", &b);
}

/* The runbook's three, and before them what the hour still owes. */
static void set_next_steps(struct fields *f, const struct incident *in)
{
	struct buf b = { 0 };
	int n = 0;

	if (!incident_checkpoint_closed(in, "actions-held"))
		buf_addf(&b, _("%d. Take the CA offline\n"), ++n);
	if (!incident_checkpoint_closed(in, "crl-made"))
		buf_addf(&b, _("%d. Generate and distribute the emergency CRL\n"), ++n);
	buf_addf(&b, _("%d. Forensic analysis\n"), ++n);
	if (strcmp(in->triage.answered ? in->triage.level : "", "end-entity") != 0)
		buf_addf(&b, _("%d. Build new CA\n"), ++n);
	buf_addf(&b, _("%d. Re-issue all certificates"), ++n);
	set_take(f, "next_steps", &b);
}

static void set_crl_urls(struct fields *f, const struct incident *in, const struct config *c)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < c->points; i++)
		if (incident_crl(in, c->point[i].ca) != NULL)
			buf_addf(&b, "%s  %s", b.len > 0 ? "\n" : "", c->point[i].url);
	set_take(f, "crl_urls", &b);
}

struct fields *notice_fields(const struct incident *in, const struct config *c, int64_t at)
{
	struct fields *f = fields_new();
	int due = 0;

	for (size_t i = 0; i < in->checkpoints; i++)
		if (in->checkpoint[i].due > due)
			due = in->checkpoint[i].due;
	fields_set(f, "incident", in->id);
	fields_set(f, "title", in->title);
	set_time(f, "time", at);
	set_time(f, "declared", in->declared);
	if (due > 0)
		set_time(f, "rto", in->declared + due * MINUTE_MS);
	fields_set(f, "organisation", c->organisation != NULL ? c->organisation : in->organisation);
	fields_set(f, "downtime", c->estimated_downtime);
	fields_set(f, "contact_pki", c->contact_pki);
	fields_set(f, "contact_security", c->contact_security);
	fields_set(f, "contact_hotline", c->contact_hotline);
	if (in->triage.answered)
		set_triage(f, in, c);
	if (in->scope_frozen)
		set_count(f, "certificates", in->scope_count);
	set_actions(f, in);
	set_next_steps(f, in);
	set_crl_urls(f, in, c);
	return f;
}

/* Does a text ask for a field that nobody has filled? */
static bool systems_wanted(const struct fields *f, const char *field, const char *text, const char *subject)
{
	char *mark = mem_printf("{{%s}}", field);
	bool wanted = fields_get(f, field) == NULL &&
	    (strstr(text, mark) != NULL || (subject != NULL && strstr(subject, mark) != NULL));

	free(mark);
	return wanted;
}

static void set_systems(struct fields *f, const struct inventory *inv)
{
	struct buf b = { 0 };
	char n[32];

	for (size_t i = 0; i < inv->servers && i < SYSTEMS_NAMED; i++)
		buf_addf(&b, "%s  %s", i > 0 ? "\n" : "", inv->server[i].name);
	if (inv->servers > SYSTEMS_NAMED)
		buf_addf(&b, _("\n  and %s more"), text_count(n, (long long)(inv->servers - SYSTEMS_NAMED)));
	set_take(f, "systems", &b);
}

void notice_systems(struct fields *f, const struct config *c, const char *text, const char *subject)
{
	bool names = systems_wanted(f, "systems", text, subject), count = systems_wanted(f, "systems_count", text, subject);
	struct inventory *inv;
	struct errs es;
	char *why;

	if (c->fleet.inventory == NULL || (!names && !count))
		return;
	if ((inv = servers_load(c, &es)) != NULL) {
		if (names)
			set_systems(f, inv);
		if (count)
			set_count(f, "systems_count", (int64_t)inv->servers);
		inventory_free(inv);
		return;
	}
	why = mem_printf(_("the inventory cannot be read: %s"), es.err[0].text);
	fields_lack(f, "systems", why);
	fields_lack(f, "systems_count", why);
	free(why);
}
