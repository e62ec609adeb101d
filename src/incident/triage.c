#include "incident/triage.h"

#include <limits.h>
#include <string.h>

#include "base/i18n.h"
#include "base/json.h"
#include "incident/times.h"

#define MINUTE_MS (60LL * 1000)

const struct choice triage_levels[] = {
	{ "root", N_("Root CA: the whole hierarchy below it") },
	{ "intermediate", N_("Intermediate CA: itself and all it issued") },
	{ "end-entity", N_("End-entity: some of a CA's certificates, by selector") },
	{ NULL, NULL }
};

const struct choice triage_compromises[] = {
	{ "1", N_("Private key stolen") },
	{ "2", N_("Unauthorised certificate issuance") },
	{ "3", N_("System compromise") },
	{ "4", N_("Algorithm vulnerability") },
	{ NULL, NULL }
};

const struct choice triage_channels[] = {
	{ "problem-report", N_("Problem-reporting address") },
	{ "support", N_("General support queue") },
	{ "phone", N_("Telephone") },
	{ "monitoring", N_("Own monitoring") },
	{ "staff", N_("Own staff") },
	{ "authority", N_("Authority, CERT or browser programme") },
	{ "other", N_("Other") },
	{ NULL, NULL }
};

/* removeFromCRL is left out: it belongs to delta CRLs (RFC 5280 5.3.1). */
const struct choice triage_reasons[] = {
	{ "keyCompromise", N_("the subject's private key is compromised") },
	{ "cACompromise", N_("a CA's private key is compromised (CA certificates)") },
	{ "affiliationChanged", N_("the subject's details changed") },
	{ "superseded", N_("replaced, or misissued") },
	{ "cessationOfOperation", N_("the name is no longer used or permitted") },
	{ "privilegeWithdrawn", N_("the subscriber may no longer hold it") },
	{ "aACompromise", N_("an attribute authority is compromised") },
	{ "certificateHold", N_("suspended: can be lifted again; not for public TLS") },
	{ "unspecified", N_("no reason given; the CRL entry omits the reason") },
	{ NULL, NULL }
};

static bool choice_has(const struct choice *c, const char *value)
{
	for (; c->value != NULL; c++)
		if (strcmp(c->value, value) == 0)
			return true;
	return false;
}

void triage_trigger(const char *level, int compromise, const char **trigger, const char **action)
{
	if (strcmp(level, "root") == 0) {
		*trigger = _("Root CA compromised");
		*action = _("Rebuild the entire PKI");
	} else if (strcmp(level, "intermediate") == 0) {
		*trigger = _("Intermediate compromised");
		*action = _("Revoke the sub-CA and all its certificates");
	} else if (compromise == 4) {
		*trigger = _("Critical vulnerability");
		*action = _("Revoke all affected certificates");
	} else {
		*trigger = _("Mass compromise");
		*action = _("Revoke all affected certificates");
	}
}

json_t *triage_tell(const char *level, const char *profile)
{
	json_t *tell = json_array();

	json_array_append_new(tell, json_string(_("PKI lead")));
	json_array_append_new(tell, json_string(_("CISO")));
	if (strcmp(level, "end-entity") != 0)
		json_array_append_new(tell, json_string(_("Management")));
	json_array_append_new(tell, json_string(_("IT security and IT operations")));
	json_array_append_new(tell, json_string(_("Subscribers and relying parties")));
	if (strcmp(profile, "public-tls") == 0)
		json_array_append_new(tell, json_string(_("Root programmes (CCADB incident report)")));
	if (strcmp(level, "root") == 0)
		json_array_append_new(tell, json_string(_("Authorities, where infrastructure is critical")));
	return tell;
}

/* TLS BR 4.9.1.1: reasons 1 to 5 within 24 hours, the others within 5 days; 4.9.1.2: a subordinate
 * CA's certificate within 7 days. What a compromised CA issued is key compromise: 24 hours. */
int triage_deadline_hours(const char *profile, const char *level, const char *reason)
{
	if (strcmp(profile, "public-tls") != 0 || strcmp(level, "end-entity") != 0)
		return 24;
	if (strcmp(reason, "keyCompromise") == 0 || strcmp(reason, "unspecified") == 0)
		return 24;
	return 5 * 24;
}

/* Minutes for a reason; without times (a journal of before they were data) those that stood in the program then. */
static int triage_minutes(const json_t *body, const char *profile, const json_t *times, const char *reason)
{
	const char *level = json_str(body, "level");
	const json_t *c = times_circumstance(times, (int)json_num(body, "circumstance", 0));

	if (times == NULL)
		return triage_deadline_hours(profile, level, reason) * 60;
	if (c != NULL && strcmp(reason, json_str(body, "reason")) == 0)
		return (int)json_num(c, "must", 0);
	return times_revocation(times, level, reason);
}

/* The shortest time that the reason of any group of selectors leaves; reason is of those that have none. */
int triage_shortest(const json_t *body, const char *profile, const json_t *times)
{
	const json_t *groups = json_list(json_object_get(body, "selectors"), "groups"), *group;
	const char *reason = json_str(body, "reason"), *own;
	int minutes = json_array_size(groups) == 0 ? triage_minutes(body, profile, times, reason) : INT_MAX, n;
	size_t i;

	json_array_foreach(groups, i, group) {
		own = json_str(group, "reason");
		n = triage_minutes(body, profile, times, own[0] != '\0' ? own : reason);
		minutes = n < minutes ? n : minutes;
	}
	return minutes;
}

/* A circumstance has a reason of its own: another would leave the deadline in doubt. */
static int triage_circumstance(const json_t *body, const json_t *times, struct err *e)
{
	int n = (int)json_num(body, "circumstance", 0);
	const json_t *c = times_circumstance(times, n);

	if (n == 0)
		return 0;
	if (c == NULL) {
		err_set(e, ERR_USAGE, _("triage: there is no circumstance %d"), n);
		return err_remedy(e, _("list them with: sev1 deadline --circumstances"));
	}
	if (strcmp(json_str(body, "level"), "end-entity") != 0)
		return err_set(e, ERR_USAGE, _("triage: circumstances are for the level end-entity"));
	if (strcmp(json_str(c, "reason"), json_str(body, "reason")) != 0) {
		err_set(e, ERR_USAGE, _("triage: circumstance %d is %s, not %s"), n, json_str(c, "reason"), json_str(body, "reason"));
		return err_remedy(e, _("leave --reason out, or correct one of the two"));
	}
	return 0;
}

bool triage_holds(const json_t *body)
{
	const json_t *groups = json_list(json_object_get(body, "selectors"), "groups"), *group;
	bool plan = json_array_size(groups) == 0;
	size_t i;

	json_array_foreach(groups, i, group) {
		if (strcmp(json_str(group, "reason"), "certificateHold") == 0)
			return true;
		plan = plan || json_str(group, "reason")[0] == '\0';
	}
	return plan && strcmp(json_str(body, "reason"), "certificateHold") == 0;
}

int triage_complete(json_t *body, const char *profile, const json_t *times, struct err *e)
{
	const char *level = json_str(body, "level"), *reason = json_str(body, "reason");
	int compromise = (int)json_num(body, "compromise", 0);
	int64_t received = json_num(body, "received", 0);
	const char *trigger, *action;
	int rc;

	if (!choice_has(triage_levels, level)) {
		err_set(e, ERR_USAGE, _("triage: the level '%s' is none of root, intermediate, end-entity"), level);
		return err_remedy(e, _("a typing error must not decide what is revoked: choose one of the three"));
	}
	if (compromise < 1 || compromise > 4)
		return err_set(e, ERR_USAGE, _("triage: the compromise is a number from 1 to 4"));
	if (!choice_has(triage_channels, json_str(body, "channel")))
		return err_set(e, ERR_USAGE, _("triage: unknown channel '%s'"), json_str(body, "channel"));
	if (!choice_has(triage_reasons, reason)) {
		err_set(e, ERR_USAGE, _("triage: unknown revocation reason '%s'"), reason);
		return err_remedy(e, _("one of unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, "
		    "cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise"));
	}
	if (json_str(body, "ca")[0] == '\0')
		return err_set(e, ERR_USAGE, _("triage: which CA is affected?"));
	if (received <= 0)
		return err_set(e, ERR_USAGE, _("triage: when was the report first received?"));
	if (strcmp(level, "end-entity") == 0 && json_object_size(json_object_get(body, "selectors")) == 0) {
		err_set(e, ERR_USAGE, _("triage: end-entity needs at least one selector"));
		return err_remedy(e, _("give --serial, --serials-file, --subject, --san, --key-file, --key-hash, --issued-since, "
		    "--issued-until or --all"));
	}
	if (strcmp(level, "end-entity") != 0 && json_object_size(json_object_get(body, "selectors")) > 0) {
		err_set(e, ERR_USAGE, _("triage: selectors are for the level end-entity; %s takes every certificate"), level);
		return err_remedy(e, _("leave them out, or answer --level end-entity"));
	}
	if ((rc = triage_circumstance(body, times, e)) < 0)
		return rc;
	triage_trigger(level, compromise, &trigger, &action);
	json_put(body, "trigger", trigger);
	json_put(body, "action", action);
	json_object_set_new(body, "tell", triage_tell(level, profile));
	json_put_num(body, "deadline", received + triage_shortest(body, profile, times) * MINUTE_MS);
	return 0;
}
