#include "work/compromised.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "engine/request.h"
#include "work/revoke_jobs.h"

#define CHECK_DEADLINE_S 60
#define KEYS_DEADLINE_S 600

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

static void keys_answer(void *ctx, const json_t *result, const struct err *err)
{
	struct compromised *c = ctx;

	if (result == NULL) {
		run_fail(c->run, err);
		return;
	}
	c->keys = json_num(result, "keys", 0);
	c->done(c->run);
}

void compromised_ask_keys(struct compromised *c, void (*done)(struct run *r))
{
	const struct incident *in = run_incident(c->run);
	char *reasons, *folder, *name;
	struct err e = { 0 };
	bool stolen;
	json_t *cas;

	if (strcmp(in->triage.level, "end-entity") != 0) {
		done(c->run);
		return;
	}
	if (run_gate(c->run, GATE_SCOPE, &e) < 0) { /* nobody knows yet which keys */
		run_fail(c->run, &e);
		return;
	}
	reasons = incident_reasons(in);
	stolen = strstr(reasons, "keyCompromise") != NULL;
	free(reasons);
	if (!stolen) {
		done(c->run);
		return;
	}
	c->done = done;
	folder = engine_folder(run_engine(c->run), "manifests", &e);
	if (folder == NULL || (cas = manifests_request(c->run, &e)) == NULL) {
		free(folder);
		run_fail(c->run, &e);
		return;
	}
	name = mem_printf("%.16s.keys", in->manifest);
	c->stolen = fs_join(folder, name);
	free(name);
	free(folder);
	run_child(c->run, "ca", json_pack("{s:s,s:o,s:s}", "op", "keys", "cas", cas, "out", c->stolen), KEYS_DEADLINE_S, NULL,
	    keys_answer, c);
}

void compromised_clear(struct compromised *c)
{
	free(c->stolen);
	c->stolen = NULL;
	json_decref(c->refuse);
	c->refuse = NULL;
}
