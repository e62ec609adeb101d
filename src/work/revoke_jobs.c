#include "work/revoke_jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/request.h"
#include "journal/journal.h"
#include "pki/crl_hours.h"

void revoke_jobs_free(void *data)
{
	struct revoke_jobs *d = data;

	if (d == NULL)
		return;
	for (size_t i = 0; i < d->jobs; i++) {
		struct revoke_job *j = &d->job[i];

		free(j->ca), free(j->title), free(j->manifest), free(j->path), free(j->subjects);
		json_decref(j->serials);
		json_decref(j->plan);
	}
	json_decref(d->replaced);
	free(d->job);
	free(d->manifests);
	free(d->crls);
	free(d);
}

static struct revoke_job *jobs_add(struct run *r, struct revoke_jobs *d, const char *ca, struct err *e)
{
	const struct ca_conf *conf = config_ca(run_config(r), ca);
	const char *hours = args_get(run_args(r), "hours");
	struct revoke_job *j;
	long n = conf != NULL && conf->crl_hours > 0 ? conf->crl_hours : 24;
	char *end = NULL;

	if (conf == NULL) {
		err_set(e, ERR_NOTFOUND, _("the CA %s is in the scope, but not in %s"), ca, run_config(r)->path);
		return NULL;
	}
	if (hours != NULL && ((n = strtol(hours, &end, 10)) < 1 || *end != '\0' || n > CRL_HOURS_MAX)) {
		err_set(e, ERR_USAGE, _("revoke: --hours '%s' is not a number from 1 to %d"), hours, CRL_HOURS_MAX);
		return NULL;
	}
	d->job = mem_grow(d->job, d->jobs + 1, sizeof *d->job);
	j = &d->job[d->jobs++];
	*j = (struct revoke_job){ .ca = mem_strdup(ca), .hours = (int)n,
		.title = mem_strdup(conf->title != NULL && conf->title[0] != '\0' ? conf->title : ca) };
	return j;
}

void revoke_job_recall(struct run *r, struct revoke_job *j)
{
	const struct revocation *was = incident_revocation(run_incident(r), j->ca);
	const struct crl_made *crl = incident_crl(run_incident(r), j->ca);

	j->stamp = 0;
	if (was == NULL || was->state == REVOKE_UNDONE)
		return;
	if (j->manifest[0] == '\0') {
		j->stamp = was->stamp; /* is it the same? the plan will tell, with this date */
		return;
	}
	if (strcmp(was->manifest, j->manifest) != 0)
		return;
	if (was->state == REVOKE_DONE) {
		j->complete = crl != NULL && crl->revoke;
		return;
	}
	j->stamp = was->stamp;
	j->resumed = true;
}

/* CA certificates that are revoked at their issuers, one job an issuer. */
static int jobs_own(struct run *r, struct revoke_jobs *d, struct err *e)
{
	const struct incident *in = run_incident(r);
	struct revoke_job *j;
	char *name, *subjects;

	for (size_t i = 0; i < in->owns; i++) {
		const struct own_cert *own = &in->own[i];

		for (j = d->job; j < d->job + d->jobs && strcmp(j->ca, own->issuer) != 0; j++)
			;
		if (j == d->job + d->jobs) {
			if ((j = jobs_add(r, d, own->issuer, e)) == NULL)
				return e->code;
			name = mem_printf("%s.own.manifest", own->issuer);
			j->path = fs_join(d->manifests, name);
			j->serials = json_array();
			j->subjects = mem_strdup("");
			j->manifest = mem_strdup("");
			free(name);
		}
		json_array_append_new(j->serials, json_string(own->serial));
		subjects = mem_printf("%s%s%s", j->subjects, j->subjects[0] != '\0' ? ", " : "", own->subject);
		free(j->subjects);
		j->subjects = subjects;
		j->count++;
	}
	for (size_t i = 0; i < d->jobs; i++) /* by number: there may be none, and no array */
		revoke_job_recall(r, &d->job[i]);
	return 0;
}

int manifest_at(struct run *r, const char *path, const char *manifest, struct err *e)
{
	struct buf b = { 0 };
	char hash[65] = "";
	int rc = 0;

	if (!fs_exists(path) || digest_file(path, hash, NULL) < 0 || strcmp(hash, manifest) != 0) {
		rc = journal_fetch(engine_journal(run_engine(r)), manifest, &b, e);
		if (rc == 0)
			rc = fs_write(path, buf_str(&b), b.len, 0600, e);
	}
	buf_free(&b);
	return rc;
}

static json_t *manifest_request(struct run *r, const char *folder, const struct ca_scope *s, struct err *e)
{
	json_t *o = ca_request(run_config(r), s->ca);
	char *name = mem_printf("%s.manifest", s->ca), *path = fs_join(folder, name);
	int rc = 0;

	if (o == NULL)
		rc = err_set(e, ERR_NOTFOUND, _("the CA %s is in the scope, but not in %s"), s->ca, run_config(r)->path);
	else if ((rc = manifest_at(r, path, s->manifest, e)) == 0) {
		json_put(o, "path", path);
		json_put(o, "manifest", s->manifest);
	}
	free(name);
	free(path);
	if (rc == 0)
		return o;
	json_decref(o);
	return NULL;
}

json_t *manifests_request(struct run *r, struct err *e)
{
	const struct incident *in = run_incident(r);
	char *folder = engine_folder(run_engine(r), "manifests", e);
	json_t *cas = folder != NULL ? json_array() : NULL, *o;

	for (size_t i = 0; cas != NULL && i < in->scopes; i++) {
		if ((o = manifest_request(r, folder, &in->scope[i], e)) != NULL) {
			json_array_append_new(cas, o);
			continue;
		}
		json_decref(cas);
		cas = NULL;
	}
	free(folder);
	return cas;
}

static int jobs_scope(struct run *r, struct revoke_jobs *d, struct err *e)
{
	const struct incident *in = run_incident(r);
	bool all = strcmp(in->triage.level, "end-entity") != 0;
	struct revoke_job *j;
	char *name;
	int rc;

	for (size_t i = 0; i < in->scopes; i++) {
		if (in->scope[i].selected == 0)
			continue;
		if ((j = jobs_add(r, d, in->scope[i].ca, e)) == NULL)
			return e->code;
		name = mem_printf("%s.manifest", j->ca);
		j->path = fs_join(d->manifests, name);
		free(name);
		j->manifest = mem_strdup(in->scope[i].manifest);
		j->count = in->scope[i].selected;
		j->exact = all;
		if ((rc = manifest_at(r, j->path, j->manifest, e)) < 0)
			return rc;
		revoke_job_recall(r, j);
	}
	return 0;
}

struct revoke_jobs *revoke_jobs_new(struct run *r, struct err *e)
{
	struct revoke_jobs *d = mem_zalloc(1, sizeof *d);

	if ((d->manifests = engine_folder(run_engine(r), "manifests", e)) == NULL ||
	    (d->crls = engine_folder(run_engine(r), "crl", e)) == NULL || jobs_own(r, d, e) < 0 ||
	    jobs_scope(r, d, e) < 0) {
		revoke_jobs_free(d);
		return NULL;
	}
	d->replaced = revoke_replaced_names(r);
	return d;
}

/* The moment of the compromise goes into the CRL where the reason is one. */
static int64_t jobs_since(const struct run *r)
{
	return run_incident(r)->triage.since;
}

json_t *revoke_job_request(struct run *r, const struct revoke_jobs *d, const struct revoke_job *j,
    const char *op)
{
	json_t *o = json_object();

	json_put(o, "op", op);
	json_object_set_new(o, "ca", ca_request(run_config(r), j->ca));
	json_put(o, "path", j->path);
	json_put(o, "folder", d->crls);
	json_put_num(o, "stamp", j->stamp != 0 ? j->stamp : clock_now());
	json_put_num(o, "since", jobs_since(r));
	json_put_num(o, "hours", j->hours);
	json_object_set_new(o, "exact", json_boolean(j->exact));
	if (d->replaced != NULL && j->serials == NULL && strcmp(op, "plan") == 0)
		json_object_set(o, "replaced", d->replaced);
	json_object_set_new(o, "partitions", partitions_request(run_config(r), j->ca));
	if (j->serials != NULL && strcmp(op, "plan") == 0) {
		json_object_set(o, "serials", j->serials);
		json_put(o, "reason", "cACompromise");
	} else {
		json_put(o, "manifest", j->manifest);
	}
	return o;
}

/* ---- the plan ---- */

static json_t *jobs_spec(struct run *r, const struct revoke_jobs *d)
{
	json_t *cas = json_array(), *spec;

	for (size_t i = 0; i < d->jobs; i++) {
		const struct revoke_job *j = &d->job[i];

		json_array_append_new(cas, json_pack("{s:s,s:s,s:I,s:i,s:b,s:b}", "ca", j->ca, "manifest", j->manifest,
		    "count", (json_int_t)j->count, "hours", j->hours, "exact", j->exact, "own", j->serials != NULL));
	}
	spec = json_pack("{s:s,s:s,s:I,s:s,s:o}", "command", "revoke", "manifest", run_incident(r)->manifest,
	    "since", (json_int_t)jobs_since(r), "reason", run_incident(r)->triage.reason, "cas", cas);
	if (revoke_unreplaced(d) > 0)
		json_put_num(spec, "not_replaced", revoke_unreplaced(d));
	return spec;
}

static char *jobs_title(struct run *r, const struct revoke_jobs *d)
{
	const struct incident *in = run_incident(r);
	const struct ca_conf *ca = config_ca(run_config(r), in->triage.ca);
	const char *name = ca != NULL && ca->title != NULL && ca->title[0] != '\0' ? ca->title : in->triage.ca;
	size_t below = 0;

	for (size_t i = 0; i < d->jobs; i++)
		below += d->job[i].serials == NULL && strcmp(d->job[i].ca, in->triage.ca) != 0;
	if (strcmp(in->triage.level, "end-entity") == 0)
		return mem_printf(_("Revoke selected certificates of %s"), name);
	if (below > 0)
		return mem_printf(_("Revoke every valid certificate of %s and of %zu CAs below it"), name, below);
	return mem_printf(_("Revoke every valid certificate of %s"), name);
}

static void plan_counts(struct run *r, struct plan *p)
{
	const struct incident *in = run_incident(r);
	int64_t selected = 0, revoked = 0, expired = 0, bad = 0;
	char n[32], since[24], *reasons = incident_reasons(in);

	for (size_t i = 0; i < in->scopes; i++) {
		selected += in->scope[i].selected;
		revoked += in->scope[i].revoked;
		expired += in->scope[i].expired;
		bad += in->scope[i].unreadable;
	}
	if (in->triage.since > 0 && strstr(reasons, "ompromise") != NULL)
		plan_row(p, _("will be revoked"), _("%s  %s  (invalidity date %s)"), text_count(n, selected),
		    reasons, clock_iso(since, sizeof since, in->triage.since));
	else
		plan_row(p, _("will be revoked"), "%s  %s", text_count(n, selected), reasons);
	if (strstr(reasons, "certificateHold") != NULL)
		plan_row(p, "certificateHold", "%s", _("can be lifted again; not for public TLS (TLS BR 7.2)"));
	free(reasons);
	plan_row(p, _("already revoked"), _("%s  left as they are"), text_count(n, revoked));
	plan_row(p, _("expired"), _("%s  left as they are"), text_count(n, expired));
	plan_row(p, _("unreadable rows"), "%s", text_count(n, bad));
}

/* "9f3c 11ab 52d0 ...": as it is read aloud. */
static void plan_manifest(struct plan *p, const char *hex)
{
	plan_row(p, _("manifest"), "sha256 %.4s %.4s %.4s %.4s ...", hex, hex + 4, hex + 8, hex + 12);
}

/* A backup's name; the time in it is that of the run, known only where one is resumed. */
static char *backup_name(const struct revoke_job *j, const char *path)
{
	size_t n = strlen(path);

	if (j->resumed || n < 14)
		return mem_strdup(path);
	return mem_printf("%.*s%s", (int)(n - 14), path, _("<time>"));
}

static void plan_job(struct plan *p, const struct revoke_job *j)
{
	const json_t *v;
	char n[32];
	size_t i;

	if (j->complete) {
		plan_row(p, j->title, _("done before: %s revoked"), text_count(n, j->count));
		return;
	}
	if (j->resumed)
		plan_row(p, j->title, _("goes on where it was interrupted: %lld of %s are revoked"),
		    (long long)json_num(j->plan, "done", 0), text_count(n, j->count));
	plan_line(p, _("%s: revoke %s rows of %s, sign CRL %s for %d hours"), j->ca, text_count(n, j->count),
	    json_str(j->plan, "database"), json_str(j->plan, "number"), j->hours);
	json_array_foreach(json_list(j->plan, "backups"), i, v) {
		char *name = backup_name(j, json_string_value(v));

		plan_line(p, _("%s: backup %s"), j->ca, name);
		free(name);
	}
}

static void plan_files(struct plan *p, const struct revoke_jobs *d)
{
	for (size_t i = 0; i < d->jobs; i++) {
		const struct revoke_job *j = &d->job[i];
		char *backup = backup_name(j, json_str(j->plan, "backup"));
		const char *slash = strrchr(backup, '/');

		if (!j->complete)
			plan_row(p, i == 0 || d->job[i - 1].complete ? _("files") : "", _("%s (backup %s)"),
			    json_str(j->plan, "database"), slash != NULL ? slash + 1 : backup);
		free(backup);
	}
}

/* The first certificate concerned: something to recognise, or not. */
static void plan_first(struct plan *p, const struct revoke_jobs *d)
{
	char until[24];

	for (size_t i = 0; i < d->jobs; i++) {
		const json_t *first = json_object_get(d->job[i].plan, "first");

		if (first == NULL || d->job[i].serials != NULL)
			continue;
		plan_row(p, _("first"), _("%.16s  %s  until %.10s"), json_str(first, "serial"),
		    json_str(first, "subject"), clock_iso(until, sizeof until, json_num(first, "until", 0)));
		return;
	}
}

struct plan *revoke_jobs_plan(struct run *r, const struct revoke_jobs *d)
{
	char *title = jobs_title(r, d), *phrase, *label, n[32];
	struct plan *p;

	phrase = revoke_unreplaced(d) == 0 ? mem_printf("REVOKE %lld", (long long)run_incident(r)->scope_count) :
	    mem_printf("REVOKE %lld WITH %lld NOT REPLACED", (long long)run_incident(r)->scope_count,
	        (long long)revoke_unreplaced(d));
	p = plan_new(title, phrase, jobs_spec(r, d));
	plan_counts(r, p);
	for (size_t i = 0; i < d->jobs; i++) {
		const struct revoke_job *j = &d->job[i];

		if (j->serials == NULL)
			continue;
		label = mem_printf(_("and on %s's CRL"), j->title);
		plan_row(p, label, _("%s  %s, cACompromise"), text_count(n, j->count), j->subjects);
		free(label);
	}
	revoke_replaced_plan(r, d, p);
	plan_files(p, d);
	plan_manifest(p, run_incident(r)->manifest);
	plan_first(p, d);
	for (size_t i = 0; i < d->jobs; i++)
		plan_job(p, &d->job[i]);
	free(title);
	free(phrase);
	return p;
}
