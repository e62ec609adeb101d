#include "engine/gate.h"

#include <stddef.h>

#include "base/i18n.h"

static int gate_config(const struct engine *en, struct err *e)
{
	const struct err *why = engine_config_error(en);

	if (engine_config(en) != NULL)
		return 0;
	if (e != NULL)
		*e = *why;
	return why->code != 0 ? why->code : ERR_NOTFOUND;
}

static int gate_incident(const struct engine *en, struct err *e)
{
	if (engine_incident(en) != NULL)
		return 0;
	err_set(e, ERR_REFUSED, _("no incident is open"));
	return err_remedy(e, _("declare one with: sev1 open --title \"...\""));
}

static int gate_armed(const struct engine *en, struct err *e)
{
	if (engine_armed(en))
		return 0;
	err_set(e, ERR_REFUSED, _("the console observes: nothing that changes a system runs"));
	return err_remedy(e, _("press a, or type :arm"));
}

static int gate_triage(const struct engine *en, struct err *e)
{
	if (engine_incident(en) != NULL && engine_incident(en)->triage.answered)
		return 0;
	err_set(e, ERR_REFUSED, _("triage has not been answered"));
	return err_remedy(e, _("answer it first: checkpoint 1, or sev1 triage"));
}

static int gate_scope(const struct engine *en, struct err *e)
{
	if (engine_incident(en) != NULL && engine_incident(en)->scope_frozen)
		return 0;
	err_set(e, ERR_REFUSED, _("the scope is not frozen"));
	return err_remedy(e, _("freeze it first: sev1 scope"));
}

static int gate_offline(const struct engine *en, struct err *e)
{
	if (engine_incident(en) != NULL && incident_checkpoint_closed(engine_incident(en), "actions-held"))
		return 0;
	err_set(e, ERR_REFUSED, _("the CA still issues: checkpoint \"CA offline\" is open"));
	return err_remedy(e, _("run contain, or close it by hand with its reason: "
	    "sev1 checkpoint 2 --reason \"...\""));
}

static int gate_crl(const struct engine *en, struct err *e)
{
	const struct incident *in = engine_incident(en);

	if (in != NULL && in->crls > 0)
		return 0;
	err_set(e, ERR_REFUSED, _("no CRL has been signed in this incident"));
	return err_remedy(e, _("run revoke first"));
}

static int gate_issuer(const struct engine *en, struct err *e)
{
	if (engine_incident(en) != NULL && engine_incident(en)->issuer != NULL)
		return 0;
	err_set(e, ERR_REFUSED, _("no replacement issuer was chosen"));
	return err_remedy(e, _("choose one first: sev1 recover --issuer CA"));
}

static const struct {
	unsigned bit;
	int (*check)(const struct engine *en, struct err *e);
} gates[] = {
	{ GATE_CONFIG, gate_config },
	{ GATE_INCIDENT, gate_incident },
	{ GATE_ARMED, gate_armed },
	{ GATE_TRIAGE, gate_triage },
	{ GATE_SCOPE, gate_scope },
	{ GATE_OFFLINE, gate_offline },
	{ GATE_CRL, gate_crl },
	{ GATE_ISSUER, gate_issuer },
};

int gate_check(const struct engine *en, unsigned wanted, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof gates / sizeof gates[0]; i++)
		if (wanted & gates[i].bit)
			rc = gates[i].check(en, e);
	return rc;
}
