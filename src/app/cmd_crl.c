/* CRLs after the first: renew before the fuse burns, list, inspect. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/engine.h"
#include "app/publish.h"
#include "app/request.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"

#define CRL_DEADLINE_S 300

struct renewal {
	char **ca;
	size_t cas, at;
	long hours;    /* 0: of each CA */
	char *folder;
	int done;
	struct err error;
	int failed;
};

static void renewal_free(void *data)
{
	struct renewal *d = data;

	for (size_t i = 0; i < d->cas; i++)
		free(d->ca[i]);
	free(d->ca);
	free(d->folder);
	free(d);
}

static void crl_show(struct run *r, const char *ca, const json_t *crl)
{
	char n[32], size[16], until[24];

	run_out(r, _("%-20s CRL %s: %s entries, %s, %s, next update %s"), ca, json_str(crl, "number"),
	    text_count(n, json_num(crl, "entries", 0)), text_size(size, json_num(crl, "octets", 0)),
	    json_str(crl, "signature"), clock_iso(until, sizeof until, json_num(crl, "next_update", 0)));
}

static void renew_next(struct run *r);

static void renew_ended(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct renewal *d = run_data(r);
	const char *ca = d->ca[d->at];
	const struct crl_made *was = incident_crl(run_incident(r), ca);
	json_t *body;

	if (result != NULL) {
		body = json_deep_copy(json_object_get(result, "crl"));
		json_put(body, "ca", ca);
		/* it holds what the revocation put on the one before */
		json_object_set_new(body, "revoke", json_boolean(was != NULL && was->revoke));
		json_array_append(json_object_get(run_result(r), "crls"), body);
		crl_show(r, ca, body);
		if (run_append(r, EV_CRL, body) < 0)
			return;
		d->done++;
	} else {
		run_say(r, "%s: %s", ca, err->text);
		if (d->failed++ == 0)
			d->error = *err;
	}
	d->at++;
	renew_next(r);
}

static void renew_next(struct run *r)
{
	struct renewal *d = run_data(r);
	const struct ca_conf *conf;
	json_t *o;

	if (d->at == d->cas && d->failed == 0) {
		if (!args_has(run_args(r), "sign-only")) {
			publish_follow(r);
			return;
		}
		run_out(r, _("Next: publish: sev1 publish"));
		run_end(r, EXIT_DONE);
		return;
	}
	if (d->at == d->cas) {
		if (d->done > 0)
			d->error.code = ERR_PARTIAL;
		run_fail(r, &d->error);
		return;
	}
	conf = config_ca(run_config(r), d->ca[d->at]);
	o = json_object();
	json_put(o, "op", "crl");
	json_object_set_new(o, "ca", ca_request(run_config(r), d->ca[d->at]));
	json_put(o, "folder", d->folder);
	json_put_num(o, "hours", d->hours > 0 ? d->hours : conf->crl_hours > 0 ? conf->crl_hours : 24);
	json_put_num(o, "at", clock_now());
	run_child(r, "ca", o, CRL_DEADLINE_S, NULL, renew_ended, r);
}

/* The CA that is named, or every one whose CRL this incident has signed. */
static int renew_cas(struct run *r, struct renewal *d, struct err *e)
{
	const char *name = args_get(run_args(r), "ca");
	const struct incident *in = run_incident(r);
	size_t n = name != NULL ? 1 : in->crls;

	if (n == 0) {
		err_set(e, ERR_REFUSED, _("no CRL has been signed in this incident"));
		return err_remedy(e, _("name the CA: sev1 crl renew --ca NAME"));
	}
	d->ca = mem_zalloc(n, sizeof *d->ca);
	for (size_t i = 0; i < n; i++) {
		d->ca[d->cas++] = mem_strdup(name != NULL ? name : in->crl[i].ca);
		if (config_ca(run_config(r), d->ca[i]) == NULL)
			return err_set(e, ERR_USAGE, _("crl: no CA is called '%s' in %s"), d->ca[i], run_config(r)->path);
	}
	return 0;
}

static void crl_renew(struct run *r)
{
	struct renewal *d = mem_zalloc(1, sizeof *d);
	const char *hours = args_get(run_args(r), "hours");
	struct err e = { 0 };
	char *end = NULL;

	run_set_data(r, d, renewal_free);
	if (hours != NULL && ((d->hours = strtol(hours, &end, 10)) < 1 || *end != '\0' || d->hours > 8784)) {
		err_set(&e, ERR_USAGE, _("crl: --hours '%s' is not a number from 1 to 8784"), hours);
		run_fail(r, &e);
		return;
	}
	if (run_gate(r, GATE_INCIDENT | GATE_ARMED | GATE_LEASE, &e) < 0 || renew_cas(r, d, &e) < 0 ||
	    (d->folder = engine_folder(run_engine(r), "crl", &e)) == NULL) {
		run_fail(r, &e);
		return;
	}
	json_object_set_new(run_result(r), "crls", json_array());
	renew_next(r);
}

static void crl_list(struct run *r)
{
	const struct incident *in = run_incident(r);
	json_t *list = json_array();
	char n[32], until[24], fuse[24];

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
		run_out(r, _("%-20s CRL %s: %s entries, next update %s (%s left)"), c->ca, c->number,
		    text_count(n, c->entries), clock_iso(until, sizeof until, c->next_update),
		    clock_span(fuse, sizeof fuse, c->next_update - clock_now()));
		run_out(r, "%-20s %s", "", c->der);
	}
	if (json_array_size(list) == 0)
		run_out(r, _("No CRL has been signed in this incident."));
	json_object_set_new(run_result(r), "crls", list);
	run_end(r, EXIT_DONE);
}

static void check_ended(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	const json_t *v;
	char n[32], from[24], until[24];
	bool judged = result != NULL && json_object_get(result, "signature_ok") != NULL;
	size_t i;

	if (result == NULL) {
		run_fail(r, err);
		return;
	}
	json_object_set_new(run_result(r), "crl", json_deep_copy(result));
	run_out(r, _("number      %s"), json_str(result, "number"));
	run_out(r, _("entries     %s"), text_count(n, json_num(result, "entries", 0)));
	run_out(r, _("this update %s"), clock_iso(from, sizeof from, json_num(result, "this_update", 0)));
	run_out(r, _("next update %s"), clock_iso(until, sizeof until, json_num(result, "next_update", 0)));
	run_out(r, _("sha256      %s"), json_str(result, "sha256"));
	run_out(r, _("signature   %s, %s"), json_str(result, "signature"), !judged ? _("not judged: name the CA with --ca")
	    : json_bool(result, "signature_ok") ? _("verified") : _("NOT verified"));
	json_array_foreach(json_list(result, "problems"), i, v)
		run_out(r, _("problem     %s"), json_string_value(v));
	run_end(r, json_array_size(json_list(result, "problems")) == 0 ? EXIT_DONE : EXIT_FAILED);
}

static void crl_check(struct run *r)
{
	const char *file = args_nth(run_args(r), "", 1), *ca = args_get(run_args(r), "ca");
	char path[PATH_MAX];
	struct err e = { 0 };
	json_t *o;

	if (file == NULL || realpath(file, path) == NULL) {
		if (file == NULL)
			err_set(&e, ERR_USAGE, _("crl check: which file?"));
		else
			err_sys(&e, "%s", file);
		run_fail(r, &e);
		return;
	}
	if (ca != NULL && config_ca(run_config(r), ca) == NULL) {
		err_set(&e, ERR_USAGE, _("crl: no CA is called '%s' in %s"), ca, run_config(r)->path);
		run_fail(r, &e);
		return;
	}
	o = json_object();
	json_put(o, "op", "inspect");
	json_object_set_new(o, "path", json_string(path));
	json_put_num(o, "at", clock_now());
	if (ca != NULL)
		json_object_set_new(o, "ca", ca_request(run_config(r), ca));
	run_child(r, "ca", o, CRL_DEADLINE_S, NULL, check_ended, r);
}

static void crl_start(struct run *r)
{
	const char *what = args_nth(run_args(r), "", 0);
	struct err e = { 0 };

	if (what != NULL && strcmp(what, "renew") == 0)
		crl_renew(r);
	else if (what == NULL || strcmp(what, "list") == 0)
		crl_list(r);
	else if (strcmp(what, "check") == 0)
		crl_check(r);
	else {
		err_set(&e, ERR_USAGE, _("crl: '%s' is none of renew, list, check"), what);
		run_fail(r, &e);
	}
}

const struct command cmd_crl = {
	.name = "crl", .usage = "renew|list|check [FILE]",
	.summary = N_("sign the next CRL before the fuse burns, list those signed, inspect one"),
	.effect = N_("renew signs a CRL over index.txt as it is, advances crlnumber, and publishes it to every point of the CA"),
	.options = (const struct option[]){
		{ "ca", "NAME", N_("this CA only; for check: the CA to judge it by") },
		{ "hours", "N", N_("hours until nextUpdate (default: crl_hours of the CA)") },
		{ "sign-only", NULL, N_("renew: do not publish") },
		{ NULL, NULL, NULL } },
	.gates = GATE_CONFIG | GATE_IF_OPEN, .start = crl_start,
};
