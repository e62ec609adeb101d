/* CRLs after the first: renew before the fuse burns, sign ahead, list, inspect. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "work/crl.h"
#include "work/renewal.h"

static void crl_list(struct run *r)
{
	const struct incident *in = run_incident(r);
	json_t *list = json_array();
	char n[64], until[24], fuse[24], *line = NULL;
	bool bad;

	for (size_t i = 0; in != NULL && i < in->crls; i++) {
		const struct crl_made *c = &in->crl[i];
		json_t *o = json_object();

		json_put(o, "ca", c->ca);
		json_put(o, "number", c->number);
		json_put(o, "sha256", c->sha256);
		json_put(o, "der", c->der);
		json_put(o, "pem", c->pem);
		json_put_num(o, "entries", c->entries);
		json_put_num(o, "this_update", c->this_update);
		json_put_num(o, "next_update", c->next_update);
		json_array_append_new(list, o);
		json_put(o, "part", c->part);
		run_out(r, _("%-20s CRL %s%s%s: %s, next update %s (%s left)"), c->ca, c->number,
		    c->part[0] != '\0' ? "/" : "", c->part,
		    text_entries(n, c->entries), clock_iso(until, sizeof until, c->next_update),
		    clock_span(fuse, sizeof fuse, c->next_update - clock_now()));
		run_out(r, "%-20s %s", "", c->der);
	}
	if (json_array_size(list) == 0)
		run_out(r, _("No CRL has been signed in this incident."));
	if (in != NULL && (line = renewal_line(in, run_config(r), clock_now(), &bad))[0] != '\0')
		run_out(r, "%s", line);
	free(line);
	json_object_set_new(run_result(r), "crls", list);
	run_end(r, EXIT_DONE);
}

/* The standing order: from now on CRLs are renewed by whoever may act, without being asked. */
static void crl_order(struct run *r)
{
	const char *word = args_get(run_args(r), "auto");
	bool on = strcmp(word, "on") == 0;
	struct err e = { 0 };

	if (!on && strcmp(word, "off") != 0) {
		err_set(&e, ERR_USAGE, _("crl: --auto '%s' is neither on nor off"), word);
		run_fail(r, &e);
		return;
	}
	if (run_gate(r, GATE_INCIDENT | (on ? GATE_ARMED : 0), &e) < 0) {
		run_fail(r, &e);
		return;
	}
	if (run_incident(r)->renewal != on && run_append(r, EV_RENEWAL, json_pack("{s:b}", "on", on)) < 0)
		return;
	run_out(r, "%s", on ? _("CRLs are renewed unattended from now on, while an armed console or sev1 watch --renew runs.")
	                    : _("CRLs are renewed by hand only from now on."));
	run_end(r, EXIT_DONE);
}

static void crl_start(struct run *r)
{
	const char *what = args_nth(run_args(r), "", 0);
	struct err e = { 0 };

	if (what != NULL && strcmp(what, "renew") == 0 && args_has(run_args(r), "auto"))
		crl_order(r);
	else if (what != NULL && strcmp(what, "renew") == 0)
		crl_renew(r);
	else if (what != NULL && strcmp(what, "ladder") == 0)
		crl_ladder(r);
	else if (what == NULL || strcmp(what, "list") == 0)
		crl_list(r);
	else if (strcmp(what, "check") == 0)
		crl_inspect(r);
	else {
		err_set(&e, ERR_USAGE, _("crl: '%s' is none of renew, ladder, list, check"), what);
		run_fail(r, &e);
	}
}

const struct command cmd_crl = {
	.name = "crl", .usage = "renew|ladder|list|check [FILE|URL]",
	.summary = N_("renew CRLs before the fuse burns, sign ahead, list those signed, inspect any"),
	.effect = N_("renew signs a CRL over index.txt as it is, advances crlnumber, and publishes it to every point of the CA; "
	             "where the ladder has a rung whose time has come, that one is published and no key is needed. ladder --count "
	             "signs the next CRLs ahead and publishes none"),
	.options = (const struct option[]){
		{ "ca", "NAME", N_("this CA only; for check: the CA to judge it by (default: the one that issued it)") },
		{ "hours", "N", N_("hours until nextUpdate (default: crl_hours of the CA)") },
		{ "sign-only", NULL, N_("renew: do not publish") },
		{ "auto", "on|off", N_("renew: the standing order to renew unattended, in an armed console or sev1 watch --renew") },
		{ "due", NULL, N_("renew: only what is due, as the standing order would") },
		{ "count", "N", N_("ladder: sign the next N CRLs ahead; without it the ladder is judged") },
		{ "step", "SPAN", N_("ladder: from each thisUpdate to the next: 30m, 16h, 2d (default: two thirds of the hours)") },
		{ "published", NULL, N_("check: what every distribution point serves now") },
		{ "partition", "NAME", N_("check: the partition it must be of") },
		{ NULL, NULL, NULL } },
	.gates = GATE_CONFIG | GATE_IF_OPEN, .start = crl_start,
};
