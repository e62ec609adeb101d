#include "work/replaced.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/curve.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/request.h"
#include "work/revoke_jobs.h"

#define PLOT_WIDTH 66
#define PLOT_HEIGHT 10
#define PLOT_MIN_MS 60000 /* of time, at least */

static int scope_request_one(struct run *r, json_t *list, const struct ca_scope *s, const char *folder, struct err *e)
{
	json_t *o = ca_request(run_config(r), s->ca);
	char *name = mem_printf("%s.manifest", s->ca), *path = fs_join(folder, name);
	int rc;

	if (o == NULL)
		rc = err_set(e, ERR_NOTFOUND, _("[ca %s], which the scope names, is not in %s any more"), s->ca, run_config(r)->path);
	else if ((rc = manifest_at(r, path, s->manifest, e)) == 0) {
		json_put(o, "path", path);
		json_put(o, "manifest", s->manifest);
		json_array_append(list, o);
	}
	json_decref(o);
	free(name);
	free(path);
	return rc;
}

json_t *scope_request(struct run *r, struct err *e)
{
	const struct incident *in = run_incident(r);
	char *folder = engine_folder(run_engine(r), "manifests", e);
	json_t *list = json_array();

	for (size_t i = 0; folder != NULL && list != NULL && i < in->scopes; i++) {
		if (in->scope[i].selected == 0 || scope_request_one(r, list, &in->scope[i], folder, e) == 0)
			continue;
		json_decref(list);
		list = NULL;
	}
	if (folder == NULL) {
		json_decref(list);
		list = NULL;
	}
	free(folder);
	return list;
}

/* The replacement issuer; one that was made in this incident may not be in the configuration. */
static json_t *replaced_issuers(const struct run *r)
{
	const struct issuer *is = run_incident(r)->issuer;
	json_t *o = is != NULL ? ca_request(run_config(r), is->name) : NULL, *list = json_array();

	if (is != NULL && is->config[0] != '\0') {
		json_decref(o);
		o = json_object();
		json_put(o, "name", is->name);
		json_put(o, "config", is->config);
	}
	if (o != NULL)
		json_array_append_new(list, o);
	return list;
}

/* Serials that a handshake showed. */
static json_t *replaced_seen(const struct incident *in)
{
	json_t *list = json_array();

	for (size_t i = 0; i < in->hosts; i++)
		if (strcmp(in->host[i].state, "verified") == 0 && in->host[i].serial != NULL)
			json_array_append_new(list, json_string(in->host[i].serial));
	return list;
}

/* -1 where the run has ended. */
static int replaced_note(struct replacing *p)
{
	const struct incident *in = run_incident(p->run);
	const struct replaced *last = in->replacements > 0 ? &in->replaced[in->replacements - 1] : NULL;
	const json_t *o = p->result;
	json_t *body;

	if (last != NULL && last->total == json_num(o, "total", 0) && last->replaced == json_num(o, "replaced", 0) &&
	    last->seen == json_num(o, "seen", 0) && last->unknown == json_num(o, "unknown", 0))
		return 0;
	body = json_object();
	for (const char *const *k = (const char *const[]){ "total", "replaced", "seen", "unknown", "lost", NULL };
	     *k != NULL; k++)
		json_put_num(body, *k, json_num(o, *k, 0));
	json_put(body, "issuer", in->issuer != NULL ? in->issuer->name : "");
	json_put(body, "manifest", in->manifest);
	return run_append(p->run, EV_REPLACED, body);
}

static void replaced_failed(struct replacing *p, const struct err *err)
{
	if (!p->aside) {
		run_fail(p->run, err);
		return;
	}
	run_say(p->run, _("what was replaced could not be counted: %s"), err->text);
	p->done(p->run);
}

static void replaced_counted(void *ctx, const json_t *result, const struct err *err)
{
	struct replacing *p = ctx;

	json_decref(p->result);
	p->result = NULL;
	if (result == NULL) {
		replaced_failed(p, err);
		return;
	}
	p->result = json_deep_copy(result);
	if (replaced_note(p) == 0)
		p->done(p->run);
}

static void replaced_line(void *ctx, struct child *c, const json_t *msg)
{
	const struct replacing *p = ctx;
	const json_t *o = json_object_get(msg, "progress");

	(void)c;
	if (o != NULL)
		run_progress(p->run, json_num(o, "done", 0), json_num(o, "total", 0), json_str(o, "text"));
}

void replaced_count(struct replacing *p, struct run *r, void (*done)(struct run *r))
{
	const struct incident *in = run_incident(r);
	struct err e = { 0 };
	json_t *cas = scope_request(r, &e), *o;

	p->run = r;
	p->done = done;
	if (cas == NULL) {
		replaced_failed(p, &e);
		return;
	}
	o = json_pack("{s:s,s:o,s:o,s:o,s:b,s:I}", "op", "successors", "cas", cas, "issuers", replaced_issuers(r), "seen",
	    replaced_seen(in), "new_key", strcmp(in->triage.level, "end-entity") == 0, "at", (json_int_t)clock_now());
	run_child(r, "ca", o, REPLACED_DEADLINE_S, replaced_line, replaced_counted, p);
}

void replaced_clear(struct replacing *p)
{
	json_decref(p->result);
	p->result = NULL;
}

static char *replaced_text(int64_t total, int64_t replaced, int64_t seen)
{
	char n[32], all[64], on[32];

	return mem_printf(_("%s of %s replaced (%lld %%), %s of them seen on servers"), text_count(n, replaced),
	    text_certificates(all, total), (long long)(total > 0 ? replaced * 100 / total : 0), text_count(on, seen));
}

char *replaced_words(const struct incident *in)
{
	const struct replaced *p = in->replacements > 0 ? &in->replaced[in->replacements - 1] : NULL;

	return p != NULL ? replaced_text(p->total, p->replaced, p->seen) : mem_strdup("");
}

static void replaced_say(struct run *r, const char *ca, const json_t *o)
{
	char *text = replaced_text(json_num(o, "total", 0), json_num(o, "replaced", 0), json_num(o, "seen", 0)), n[32];
	int64_t unknown = json_num(o, "unknown", 0);

	run_out(r, "%s%s%s", ca, ca[0] != '\0' ? ": " : "", text);
	if (unknown > 0)
		run_out(r, _("  of %s it is not known: new_certs_dir lacks them"), text_count(n, unknown));
	free(text);
}

void replaced_show(const struct replacing *p)
{
	const json_t *cas = json_list(p->result, "cas"), *v;
	struct run *r = p->run;
	json_t *out = run_result(r);
	size_t i;

	if (run_incident(r)->issuer == NULL)
		run_out(r, _("No replacement issuer was chosen yet (sev1 recover): nothing has a successor."));
	replaced_say(r, "", p->result);
	json_array_foreach(cas, i, v)
		if (json_array_size(cas) > 1)
			replaced_say(r, json_str(v, "ca"), v);
	if (json_num(p->result, "lost", 0) > 0)
		run_out(r, _("Not counted: %lld certificates of the replacement issuer that its new_certs_dir lacks"),
		    (long long)json_num(p->result, "lost", 0));
	json_array_foreach(json_list(p->result, "waiting"), i, v)
		run_out(r, _("  waiting: %s %s  %s"), json_str(v, "ca"), json_str(v, "serial"), json_str(v, "names"));
	json_object_update(out, p->result);
	json_object_set_new(out, "percent", json_real(json_num(p->result, "total", 0) > 0 ?
	    (double)json_num(p->result, "replaced", 0) * 100 / (double)json_num(p->result, "total", 0) : 0));
}

static void plot_lines(struct run *r, const char *text)
{
	for (size_t n; *text != '\0'; text += n + 1) {
		n = strcspn(text, "\n");
		run_out(r, "%.*s", (int)n, text);
	}
}

void replaced_plot(struct run *r, int64_t now)
{
	const struct incident *in = run_incident(r);
	struct curve_point *p = mem_zalloc(in->replacements, sizeof *p);
	json_t *points = json_array();
	struct buf b = { 0 };
	int64_t from = now;

	for (size_t i = 0; i < in->replacements; i++) {
		const struct replaced *at = &in->replaced[i];

		p[i] = (struct curve_point){ at->at, at->seen, at->replaced, at->total };
		json_array_append_new(points, json_pack("{s:I,s:I,s:I,s:I,s:I}", "at", (json_int_t)at->at, "total",
		    (json_int_t)at->total, "replaced", (json_int_t)at->replaced, "seen", (json_int_t)at->seen, "unknown",
		    (json_int_t)at->unknown));
	}
	json_object_set_new(run_result(r), "points", points);
	if (in->replacements > 0) {
		from = in->ari.at > 0 && in->ari.at < p[0].at ? in->ari.at : p[0].at;
		from = now - from < PLOT_MIN_MS ? now - PLOT_MIN_MS : from;
		run_out(r, " ");
		curve_draw(&b, p, in->replacements, from, now, PLOT_WIDTH, PLOT_HEIGHT);
		plot_lines(r, buf_str(&b));
		run_out(r, _("       + has a successor   # and a server was seen to present it"));
	}
	buf_free(&b);
	free(p);
}
