/* The next CRL of a CA: signed, or a rung of the ladder, then published; by hand or because it is due. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/loop.h"
#include "engine/request.h"
#include "work/crl.h"
#include "work/publish.h"
#include "work/renewal.h"

struct renew {
	struct loop *loop;
	char **ca;
	size_t cas, at;
	bool due;       /* by the standing order: only what is due, quietly where somebody else acts */
	enum renewal_how how;
	int done;
	const struct child *child; /* of a renewal that is due */
	uint64_t timer;            /* until it need not wait for a secret any longer */
	struct err error;
	int failed;
};

/* By the standing order a PIN is asked for as well, but nobody may be there; the CRLs of other CAs must not wait for one. */
#define SECRET_MS 60000

static void renew_free(void *data)
{
	struct renew *d = data;

	loop_cancel(d->loop, d->timer);
	for (size_t i = 0; i < d->cas; i++)
		free(d->ca[i]);
	free(d->ca);
	free(d);
}

static void renew_next(struct run *r);

static int renew_event(struct run *r, const char *state, const char *detail)
{
	static const char *const how[] = { "", "sign", "rung", "publish" };
	struct renew *d = run_data(r);
	json_t *o = json_object();

	json_put(o, "ca", d->ca[d->at]);
	json_put(o, "how", how[d->how]);
	json_object_set_new(o, "due", json_boolean(d->due));
	json_put(o, "state", state);
	if (detail != NULL)
		json_put(o, "detail", detail);
	return run_append(r, EV_RENEW, o);
}

static int renew_journal(struct run *r, const json_t *crl)
{
	struct renew *d = run_data(r);
	const char *ca = d->ca[d->at];
	const struct crl_made *was = incident_crl(run_incident(r), ca);
	json_t *body = json_deep_copy(crl);

	json_put(body, "ca", ca);
	/* it holds what the revocation put on the one before */
	json_object_set_new(body, "revoke", json_boolean(was != NULL && was->revoke));
	json_object_set_new(body, "renewed", json_true());
	json_object_set_new(body, "ladder", json_boolean(d->how == RENEW_RUNG));
	json_array_append(json_object_get(run_result(r), "crls"), body);
	crl_show(r, ca, body);
	return run_append(r, EV_CRL, body);
}

static void renew_failed(struct run *r, const struct err *err)
{
	struct renew *d = run_data(r);

	run_say(r, _("%s: the CRL is NOT renewed: %s"), d->ca[d->at], err->text);
	if (d->failed++ == 0)
		d->error = *err;
	if (renew_event(r, "failed", err->text) < 0)
		return;
	d->at++;
	renew_next(r);
}

static void renew_ended(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct renew *d = run_data(r);
	const json_t *list, *v;
	size_t i;

	if (result == NULL) {
		renew_failed(r, err);
		return;
	}
	if (json_object_get(result, "crl") != NULL && renew_journal(r, json_object_get(result, "crl")) < 0)
		return;
	list = json_list(result, json_object_get(result, "crl") != NULL ? "parts" : "crls");
	json_array_foreach(list, i, v)
		if (renew_journal(r, v) < 0)
			return;
	d->done++;
	d->at++;
	renew_next(r);
}

static void renew_waits(void *ctx)
{
	struct run *r = ctx;
	struct renew *d = run_data(r);
	struct err e = { 0 };

	d->timer = 0;
	err_set(&e, ERR_REFUSED, _("nobody typed the PIN or passphrase within %d s"), SECRET_MS / 1000);
	err_remedy(&e, _("sev1 crl renew asks for it at once; a console that knows it renews without a question"));
	engine_secret_give_up(run_engine(r), d->child, &e);
}

static void renew_finish(struct run *r)
{
	struct renew *d = run_data(r);
	struct err failed = d->error; /* d ends where publishing begins */

	if (d->failed > 0 && d->done > 0)
		failed.code = ERR_PARTIAL;
	if (!args_has(run_args(r), "sign-only") && d->done > 0) {
		publish_follow(r, d->failed > 0 ? &failed : NULL);
	} else if (d->failed > 0) {
		run_fail(r, &failed);
	} else {
		run_out(r, _("Next: publish: sev1 publish"));
		run_end(r, EXIT_DONE);
	}
}

/* A rung that must not be published makes the whole ladder stale. */
static void rung_ended(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct renew *d = run_data(r);
	struct err e = { 0 };

	if (result == NULL || !crl_stale(r, d->ca[d->at], result, &e))
		renew_ended(ctx, result, err);
	else if (run_state(r) != RUN_ENDED)
		renew_failed(r, &e);
}

/* By hand: a rung whose time has come, where there is a ladder, else a new CRL. */
static enum renewal_how renew_how(struct run *r, const char *ca, json_t *rungs)
{
	struct renew *d = run_data(r);
	struct renewal_due due;

	if (!d->due)
		return rungs != NULL && !args_has(run_args(r), "hours") ? RENEW_RUNG : RENEW_SIGN;
	due = renewal_next(run_incident(r), run_config(r), ca, clock_now());
	return due.at <= clock_now() ? due.how : RENEW_NONE;
}

static void renew_one(struct run *r, const char *ca)
{
	struct renew *d = run_data(r);
	json_t *rungs = renewal_rungs(run_incident(r), ca, clock_now()), *o;
	const struct child *child;
	struct err e = { 0 };

	d->how = renew_how(r, ca, rungs);
	if (d->how == RENEW_NONE || (d->how != RENEW_NONE && renew_event(r, "started", NULL) < 0)) {
		json_decref(rungs);
		if (d->how == RENEW_NONE) {
			d->at++;
			renew_next(r);
		}
		return;
	}
	if (d->how == RENEW_PUBLISH) {
		json_decref(rungs);
		d->done++;
		d->at++;
		renew_next(r);
		return;
	}
	if ((o = crl_request(r, d->how == RENEW_RUNG ? "rung" : "crl", ca, &e)) == NULL) {
		json_decref(rungs);
		renew_failed(r, &e);
		return;
	}
	if (d->how == RENEW_RUNG) {
		json_object_set(o, "rungs", rungs);
		json_object_set_new(o, "take", json_true());
	} else {
		const struct ladder *l = incident_ladder(run_incident(r), ca);

		if (l != NULL && !l->stale && !d->due)
			run_say(r, _("%s: a CRL signed now ends the ladder; sign a new one before the key is locked"), ca);
		json_put_num(o, "hours", crl_hours(r, ca, &e));
	}
	json_decref(rungs);
	child = run_child(r, "ca", o, CRL_DEADLINE_S, NULL, d->how == RENEW_RUNG ? rung_ended : renew_ended, r);
	if (child == NULL || !d->due)
		return;
	d->child = child;
	d->timer = loop_after(d->loop, SECRET_MS, renew_waits, r);
}

static void renew_next(struct run *r)
{
	struct renew *d = run_data(r);

	if (run_state(r) == RUN_ENDED)
		return;
	loop_cancel(d->loop, d->timer);
	d->timer = 0;
	if (d->at < d->cas) {
		renew_one(r, d->ca[d->at]);
	} else if (d->due && d->done == 0 && d->failed == 0) {
		run_out(r, _("No CRL is due."));
		run_end(r, EXIT_DONE);
	} else {
		renew_finish(r);
	}
}

static bool renew_known(const struct renew *d, const char *ca)
{
	for (size_t i = 0; i < d->cas; i++)
		if (strcmp(d->ca[i], ca) == 0)
			return true;
	return false;
}

/* The CA that is named, or every one whose CRL this incident has signed. */
static int renew_cas(struct run *r, struct renew *d, struct err *e)
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
		const char *ca = name != NULL ? name : in->crl[i].ca;

		if (renew_known(d, ca))
			continue;
		if (config_ca(run_config(r), ca) == NULL)
			return err_set(e, ERR_USAGE, _("crl: no CA is called '%s' in %s"), ca, run_config(r)->path);
		d->ca[d->cas++] = mem_strdup(ca);
	}
	return 0;
}

void crl_renew(struct run *r)
{
	struct renew *d = mem_zalloc(1, sizeof *d);
	struct err e = { 0 };

	d->loop = engine_loop(run_engine(r));
	run_set_data(r, d, renew_free);
	d->due = args_has(run_args(r), "due");
	if (run_gate(r, GATE_INCIDENT | GATE_ARMED | GATE_LEASE, &e) < 0) {
		if (d->due && e.code == ERR_REFUSED)
			run_end(r, EXIT_DONE); /* somebody else acts; it is looked at again */
		else
			run_fail(r, &e);
		return;
	}
	/* what another console did before the lease was ours is known now */
	if (engine_catch_up(run_engine(r), &e) < 0 || renew_cas(r, d, &e) < 0 || crl_hours(r, d->ca[0], &e) == 0) {
		run_fail(r, &e);
		return;
	}
	json_object_set_new(run_result(r), "crls", json_array());
	renew_next(r);
}
