#include "app/compromised.h"

#include <string.h>

#include "app/request.h"
#include "base/i18n.h"
#include "base/json.h"

#define CHECK_DEADLINE_S 60

bool compromised_is(const struct run *r, const char *ca)
{
	const struct incident *in = run_incident(r);
	const struct config *c = run_config(r);
	const struct ca_conf *at = config_ca(c, ca);

	if (!in->triage.answered || strcmp(in->triage.level, "end-entity") == 0)
		return false;
	for (size_t depth = 0; at != NULL && depth <= c->cas; depth++) {
		if (strcmp(at->name, in->triage.ca) == 0)
			return true;
		at = at->parent != NULL ? config_ca(c, at->parent) : NULL;
	}
	return false;
}

static void compromised_next(struct compromised *c);

static void compromised_answer(void *ctx, const json_t *result, const struct err *err)
{
	struct compromised *c = ctx;
	const char *ca = run_config(c->run)->ca[c->at].name;
	struct err e = { 0 };
	json_t *o;

	if (result == NULL || json_str(result, "fingerprint")[0] == '\0') {
		err_set(&e, ERR_REFUSED, _("%s: its certificate cannot be read, so its key could not be refused: %s"),
		    ca, err != NULL ? err->text : _("no fingerprint"));
		err_remedy(&e, _("see: sev1 doctor"));
		run_fail(c->run, &e);
		return;
	}
	o = json_object();
	json_put(o, "ca", ca);
	json_put(o, "fingerprint", json_str(result, "fingerprint"));
	json_put(o, "spki", json_str(result, "spki"));
	json_array_append_new(c->refuse, o);
	c->at++;
	compromised_next(c);
}

static void compromised_next(struct compromised *c)
{
	const struct config *conf = run_config(c->run);

	while (c->at < conf->cas && !compromised_is(c->run, conf->ca[c->at].name))
		c->at++;
	if (c->at == conf->cas)
		c->done(c->run);
	else
		run_child(c->run, "ca", json_pack("{s:s, s:o, s:b}", "op", "check", "ca",
		    ca_request(conf, conf->ca[c->at].name), "sign", 0), CHECK_DEADLINE_S, NULL,
		    compromised_answer, c);
}

void compromised_ask(struct compromised *c, struct run *r, void (*done)(struct run *r))
{
	compromised_clear(c);
	*c = (struct compromised){ .run = r, .refuse = json_array(), .done = done };
	compromised_next(c);
}

void compromised_clear(struct compromised *c)
{
	json_decref(c->refuse);
	c->refuse = NULL;
}
