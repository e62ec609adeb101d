/* Checkpoint 8, first half: the issuer that takes over. One that is there, one made here, one whose
 * certificate comes from elsewhere; never one that is or uses a compromised key. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/request.h"
#include "engine/run.h"
#include "journal/journal.h"
#include "work/ceremony.h"
#include "work/compromised.h"
#include "work/renewal.h"

#define ISSUER_DEADLINE_S 120

enum recover_kind { RECOVER_CHOOSE, RECOVER_NEW, RECOVER_IMPORT };

struct recover {
	enum recover_kind kind;
	struct compromised compromised;
	char *name, *folder;
	bool root;
	json_t *spec;   /* what the CA child is asked to do; without refuse */
	json_t *judged; /* CHOOSE: what the CA child said of it */
};

static void recover_free(void *data)
{
	struct recover *d = data;

	compromised_clear(&d->compromised);
	free(d->name);
	free(d->folder);
	json_decref(d->spec);
	json_decref(d->judged);
	free(d);
}

/* ---- going ---- */

static json_t *recover_request(const struct recover *d)
{
	json_t *o = json_deep_copy(d->spec);

	json_object_set(o, "refuse", d->compromised.refuse);
	return o;
}

static void recover_say_issuer(struct run *r, const struct recover *d, const json_t *result)
{
	char at[24];

	run_out(r, _("Issuer        %s"), d->name);
	run_out(r, _("Subject       %s"), json_str(result, "subject"));
	run_out(r, _("Valid until   %s"), clock_iso(at, sizeof at, json_num(result, "not_after", 0)));
	run_out(r, _("Fingerprint   %s"), json_str(result, "fingerprint"));
	if (d->root)
		run_out(r, _("Next: go on with the ceremony: sev1 recover --step %d --text \"who, what\""),
		    CEREMONY_KEY + 1);
	else
		run_out(r, _("Next: re-issue the servers' certificates: sev1 reissue"));
}

/* An issuer without a parent here waits for its certificate. */
static void recover_say_request(struct run *r, const struct recover *d, const json_t *result)
{
	run_out(r, _("Request       %s"), json_str(result, "csr"));
	run_out(r, _("Have it signed as a CA, then: sev1 recover --import FILE --name %s"), d->name);
	json_put(run_result(r), "csr", json_str(result, "csr"));
	json_put(run_result(r), "config", json_str(result, "config"));
	run_end(r, EXIT_DONE);
}

/* The step of the ceremony that the program itself takes. */
static int recover_key_made(struct run *r, const struct recover *d, const json_t *result)
{
	char *text = mem_printf(_("key of %s made, fingerprint %s"), d->name, json_str(result, "fingerprint"));
	struct err e = { 0 };
	int rc = ceremony_confirm(r, CEREMONY_KEY, text, &e);

	if (rc < 0)
		run_fail(r, &e);
	free(text);
	return rc;
}

static void recover_made(void *ctx, const json_t *result, const struct err *err)
{
	static const char *const how[] = { "existing", "made", "imported" };
	struct run *r = ctx;
	struct recover *d = run_data(r);
	struct err e = { 0 };
	json_t *body;

	if (result == NULL) {
		run_fail(r, err);
		return;
	}
	if (d->kind == RECOVER_NEW && json_str(result, "fingerprint")[0] == '\0') {
		recover_say_request(r, d, result);
		return;
	}
	if (d->kind == RECOVER_CHOOSE && !json_equal(result, d->judged)) {
		err_set(&e, ERR_REFUSED, _("%s has changed since the plan was made"), d->name);
		err_remedy(&e, _("make the plan again: sev1 recover --issuer %s"), d->name);
		run_fail(r, &e);
		return;
	}
	if (d->root && recover_key_made(r, d, result) < 0)
		return;
	body = json_object();
	json_put(body, "name", d->name);
	for (const char *const *k = (const char *const[]){ "subject", "fingerprint", "spki", "config", NULL };
	     *k != NULL; k++)
		json_put(body, *k, json_str(result, *k));
	json_put_num(body, "not_after", json_num(result, "not_after", 0));
	json_put(body, "how", how[d->kind]);
	json_object_set(run_result(r), "issuer", body);
	if (run_append(r, EV_ISSUER, body) < 0)
		return;
	recover_say_issuer(r, d, result);
	run_end(r, EXIT_DONE);
}

/* Steps that the operator confirmed with --witness count as the first of the ceremony. */
static int recover_witness(struct run *r, struct err *e)
{
	const char *text;
	int done, rc;

	if ((rc = ceremony_done(r, &done, e)) < 0 || done == CEREMONY_KEY - 1)
		return rc;
	for (int n = 1; n < CEREMONY_KEY; n++) {
		if ((text = args_nth(run_args(r), "witness", (size_t)n - 1)) == NULL || text[0] == '\0') {
			err_set(e, ERR_REFUSED, _("a new root is made in a ceremony, and step %d is not confirmed"), n);
			return err_remedy(e, _("see the steps: sev1 recover --ceremony"));
		}
		if ((rc = ceremony_confirm(r, n, text, e)) < 0)
			return rc;
	}
	return 0;
}

static void recover_go(struct run *r)
{
	struct recover *d = run_data(r);
	struct err e = { 0 };
	char *above;
	int rc = 0;

	if (d->root && (rc = recover_witness(r, &e)) < 0) {
		run_fail(r, &e);
		return;
	}
	if (d->kind == RECOVER_NEW) {
		above = mem_strdup(d->folder);
		if (strrchr(above, '/') > above)
			*strrchr(above, '/') = '\0';
		rc = fs_mkdirs(above, 0700, &e);
		free(above);
	}
	if (rc < 0)
		run_fail(r, &e);
	else
		run_child(r, "ca", recover_request(d), ISSUER_DEADLINE_S, NULL, recover_made, r);
}

/* ---- planning ---- */

static void recover_plan(struct run *r)
{
	static const char *const title[] = { N_("Let %s issue from now on"), N_("Make a new issuer, %s"),
		N_("Import the certificate of the issuer %s") };
	struct recover *d = run_data(r);
	char *text = mem_printf(_(title[d->kind]), d->name), *phrase = mem_printf("ISSUER %s", d->name);
	json_t *spec = recover_request(d);
	struct plan *p;
	char at[24];

	if (d->judged != NULL)
		json_object_set(spec, "judged", d->judged);
	p = plan_new(text, phrase, spec);
	plan_row(p, _("issuer"), "%s", d->name);
	if (d->judged != NULL) {
		plan_row(p, _("subject"), "%s", json_str(d->judged, "subject"));
		plan_row(p, _("valid until"), "%s", clock_iso(at, sizeof at, json_num(d->judged, "not_after", 0)));
		plan_row(p, _("fingerprint"), "%s", json_str(d->judged, "fingerprint"));
	} else if (d->kind == RECOVER_NEW) {
		const char *by = json_str(json_object_get(d->spec, "parent"), "name");
		plan_row(p, _("subject"), "%s", json_str(d->spec, "subject"));
		plan_row(p, _("key"), "%s", json_str(d->spec, "key"));
		plan_row(p, _("signed by"), "%s", d->root ? _("itself: a new root") : by[0] != '\0' ? by :
		    _("another CA, elsewhere; a request is written"));
		plan_row(p, _("folder"), "%s", d->folder);
	} else {
		plan_row(p, _("certificate"), "%s", json_str(d->spec, "certificate"));
		plan_row(p, _("folder"), "%s", d->folder);
	}
	plan_row(p, _("refused keys"), "%zu", json_array_size(d->compromised.refuse));
	renewal_plan_ladder(p, run_incident(r)); /* before the old key is handed in */
	for (size_t i = 0; i < json_array_size(d->compromised.refuse); i++) {
		const json_t *o = json_array_get(d->compromised.refuse, i);
		plan_line(p, _("never again: %s, fingerprint %.32s..."), json_str(o, "ca"), json_str(o, "fingerprint"));
	}
	free(text);
	free(phrase);
	run_plan(r, p);
}

static void recover_judged(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct recover *d = run_data(r);

	if (result == NULL) {
		run_fail(r, err);
		return;
	}
	d->judged = json_deep_copy(result);
	recover_plan(r);
}

static void recover_refused_known(struct run *r)
{
	struct recover *d = run_data(r);

	if (d->kind == RECOVER_CHOOSE)
		run_child(r, "ca", recover_request(d), ISSUER_DEADLINE_S, NULL, recover_judged, r);
	else
		recover_plan(r);
}

static int recover_choose(struct run *r, struct recover *d, struct err *e)
{
	const char *ca = args_get(run_args(r), "issuer");

	if (config_ca(run_config(r), ca) == NULL) {
		err_set(e, ERR_USAGE, _("recover: no CA is called '%s' in %s"), ca, run_config(r)->path);
		return err_remedy(e, _("see the names with: sev1 count"));
	}
	if (compromised_is(r, ca)) {
		err_set(e, ERR_REFUSED, _("%s is compromised, or stands below the CA that is"), ca);
		return err_remedy(e, _("choose another one, or make one: sev1 recover --new intermediate --name N ..."));
	}
	d->name = mem_strdup(ca);
	d->spec = json_pack("{s:s, s:o}", "op", "issuer-check", "ca", ca_request(run_config(r), ca));
	return 0;
}

/* Where the issuer NAME was made, as the plan in the journal has it. */
struct made {
	const char *name;
	char *folder;
};

static int recover_find_folder(void *ctx, const struct event *ev, struct err *e)
{
	struct made *m = ctx;
	const json_t *spec = json_object_get(ev->body, "spec");

	(void)e;
	if (ev->kind != EV_PLAN || strcmp(json_str(spec, "op"), "issuer-new") != 0 ||
	    strcmp(json_str(spec, "name"), m->name) != 0)
		return 0;
	free(m->folder);
	m->folder = mem_strdup(json_str(spec, "folder"));
	return 0;
}

/* --folder, else where it was made before, else issuers/NAME beside the incidents: its key is no part of
 * the incident, which may be handed over. */
static int recover_folder(struct run *r, struct recover *d, struct err *e)
{
	const char *folder = args_get(run_args(r), "folder");
	struct made m = { .name = d->name };
	char *here;
	int rc = 0;

	if (folder != NULL && folder[0] != '\0') {
		if (folder[0] != '/') {
			here = realpath(".", NULL);
			d->folder = fs_join(here != NULL ? here : "", folder);
			free(here);
		} else {
			d->folder = mem_strdup(folder);
		}
		return 0;
	}
	rc = journal_each(engine_journal(run_engine(r)), 0, recover_find_folder, &m, e);
	d->folder = m.folder != NULL ? m.folder :
	    mem_printf("%s/issuers/%s", engine_state(run_engine(r)), d->name);
	return rc;
}

static int recover_number(const struct args *a, const char *name, int otherwise, struct err *e)
{
	const char *s = args_get(a, name);
	char *end;
	long n;

	if (s == NULL || s[0] == '\0')
		return otherwise;
	n = strtol(s, &end, 10);
	if (*end != '\0' || n < 1 || n > 10950)
		return err_set(e, ERR_USAGE, _("recover: --%s %s: a number from 1 to 10950 is wanted"), name, s);
	return (int)n;
}

static const char *recover_word(const struct args *a, const char *name, const char *otherwise)
{
	const char *s = args_get(a, name);

	return s != NULL && s[0] != '\0' ? s : otherwise;
}

static int recover_parent(struct run *r, const struct recover *d, const char *mode, struct err *e)
{
	const char *parent = recover_word(run_args(r), "parent", NULL);

	if (!d->root && strcmp(mode, "intermediate") != 0)
		return err_set(e, ERR_USAGE, _("recover: --new is intermediate or root, not '%s'"), mode);
	if (parent == NULL)
		return 0;
	if (d->root)
		return err_set(e, ERR_USAGE, _("recover: a root has no parent"));
	if (config_ca(run_config(r), parent) == NULL)
		return err_set(e, ERR_USAGE, _("recover: no CA is called '%s' in %s"), parent, run_config(r)->path);
	if (compromised_is(r, parent)) {
		err_set(e, ERR_REFUSED, _("%s is compromised, or stands below the CA that is"), parent);
		return err_remedy(e, _("choose another parent, or make a new root: sev1 recover --ceremony"));
	}
	return 0;
}

static int recover_new(struct run *r, struct recover *d, struct err *e)
{
	const struct args *a = run_args(r);
	const char *name = recover_word(a, "name", ""), *subject = recover_word(a, "subject", "");
	const char *parent = recover_word(a, "parent", NULL), *mode = args_get(a, "new");
	int days = recover_number(a, "days", 1825, e), rc;

	d->root = strcmp(mode, "root") == 0;
	if (days < 0 || (rc = recover_parent(r, d, mode, e)) < 0)
		return days < 0 ? days : rc;
	if (!text_is_word(name) || config_ca(run_config(r), name) != NULL)
		return err_set(e, ERR_USAGE, _("recover: --name '%s': a new name of letters, digits, '.', '_', '-' is wanted"),
		    name);
	if (subject[0] != '/' || strstr(subject, "/CN=") == NULL)
		return err_set(e, ERR_USAGE, _("recover: --subject is wanted as /C=DE/O=Example/CN=Issuing CA 3"));
	d->name = mem_strdup(name);
	if ((rc = recover_folder(r, d, e)) < 0)
		return rc;
	d->spec = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:o}", "op", "issuer-new", "mode", mode,
	    "folder", d->folder, "name", name, "subject", subject, "key", recover_word(a, "key", "ec-p384"), "days",
	    days, "cdp", recover_word(a, "cdp", ""), "parent",
	    parent != NULL ? ca_request(run_config(r), parent) : json_null());
	return d->spec != NULL ? 0 : err_set(e, ERR_USAGE, _("recover: the words are not UTF-8"));
}

static int recover_import(struct run *r, struct recover *d, struct err *e)
{
	const char *file = args_get(run_args(r), "import"), *name = recover_word(run_args(r), "name", "");
	char *path = realpath(file, NULL);
	int rc;

	if (path == NULL)
		return err_sys(e, "%s", file);
	d->name = mem_strdup(name);
	if (!text_is_word(name))
		rc = err_set(e, ERR_USAGE, _("recover: --import wants the --name that the issuer was made with"));
	else if ((rc = recover_folder(r, d, e)) == 0)
		d->spec = json_pack("{s:s, s:s, s:s, s:s}", "op", "issuer-import", "folder", d->folder, "name", name,
		    "certificate", path);
	free(path);
	return rc;
}

/* The ceremony's list, or a step of it. */
static void recover_ceremony(struct run *r)
{
	const char *step = args_get(run_args(r), "step");
	struct err e = { 0 };

	if (step != NULL && ceremony_confirm(r, atoi(step), args_get(run_args(r), "text"), &e) < 0)
		run_fail(r, &e);
	else if (ceremony_show(r, &e) < 0)
		run_fail(r, &e);
	else
		run_end(r, EXIT_DONE);
}

static void recover_start(struct run *r)
{
	const struct args *a = run_args(r);
	struct recover *d = mem_zalloc(1, sizeof *d);
	struct err e = { 0 };
	int rc;

	run_set_data(r, d, recover_free);
	if (args_has(a, "ceremony") || args_has(a, "step")) {
		recover_ceremony(r);
		return;
	}
	d->kind = args_has(a, "issuer") ? RECOVER_CHOOSE : args_has(a, "new") ? RECOVER_NEW : RECOVER_IMPORT;
	if (args_has(a, "issuer") + args_has(a, "new") + args_has(a, "import") != 1) {
		rc = err_set(&e, ERR_USAGE, _("recover: one of --issuer, --new, --import, --ceremony is wanted"));
		err_remedy(&e, _("sev1 recover --issuer CA chooses one of the configuration"));
	} else if (d->kind == RECOVER_CHOOSE) {
		rc = recover_choose(r, d, &e);
	} else if (d->kind == RECOVER_NEW) {
		rc = recover_new(r, d, &e);
	} else {
		rc = recover_import(r, d, &e);
	}
	if (rc < 0)
		run_fail(r, &e);
	else
		compromised_ask(&d->compromised, r, recover_refused_known);
}

const struct command cmd_recover = {
	.name = "recover", .key = "v", .usage = "",
	.summary = N_("choose, make or import the issuer that takes over"),
	.effect = N_("--new makes a CA folder with a key; a parent here signs it and gains a row in its index. The issuer is "
	             "recorded in the journal; choose another one to change it"),
	.options = (const struct option[]){
		{ "issuer", "CA", N_("take this CA of the configuration") },
		{ "new", "KIND", N_("make one: intermediate or root") },
		{ "name", "NAME", N_("what the new one is called") },
		{ "subject", "DN", N_("its subject: /C=DE/O=Example/CN=Issuing CA 3") },
		{ "parent", "CA", N_("who signs it; without: a request to have signed elsewhere") },
		{ "folder", N_("PATH"), N_("where it is made (default: issuers/NAME beside the incidents)") },
		{ "key", "KIND", N_("ec-p256, ec-p384, rsa-3072 or rsa-4096 (default ec-p384)") },
		{ "days", "N", N_("its validity (default 1825)") },
		{ "cdp", "URL", N_("where its CRL will be served") },
		{ "import", "FILE", N_("the certificate that was signed elsewhere") },
		{ "witness", "TEXT", N_("confirm a step of the ceremony before the key; three times") },
		{ "ceremony", NULL, N_("the steps of a new root's key ceremony") },
		{ "step", "N", N_("confirm a step of it") },
		{ "text", "TEXT", N_("who was there and what was seen") },
		{ NULL, NULL, NULL } },
	.gates = GATE_CONFIG | GATE_INCIDENT | GATE_ARMED | GATE_TRIAGE | GATE_LEASE,
	.start = recover_start, .go = recover_go,
};
