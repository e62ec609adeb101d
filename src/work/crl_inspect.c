/* crl check: what any CRL says, and every fault that speaks against it. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "work/crl.h"

#define FETCH_S 60
#define FETCH_MAX ((json_int_t)1 << 30)

/* What is looked at, one after another: a file, a URL, or what each point of the CA serves. */
struct inspect {
	struct target {
		char *name, *path, *ca, *part;
		bool fetch, der; /* der: a point that serves DER */
	} *target;
	size_t targets, at;
	char *folder;  /* a temporary one; NULL */
	int bad;
};

static void inspect_free(void *data)
{
	struct inspect *d = data;

	for (size_t i = 0; i < d->targets; i++) {
		free(d->target[i].name);
		free(d->target[i].path);
		free(d->target[i].ca);
		free(d->target[i].part);
	}
	free(d->target);
	if (d->folder != NULL)
		fs_remove_tree(d->folder, NULL);
	free(d->folder);
	free(d);
}

static void inspect_next(struct run *r);

static void show_line(struct run *r, const json_t *o)
{
	char n[32], size[16], from[24], until[24], left[24];
	int64_t next = json_num(o, "next_update", 0);

	if (json_object_get(o, "entries") == NULL)
		return;
	if (json_str(o, "ca")[0] != '\0')
		run_out(r, _("issuer      %s (CA %s)"), json_str(o, "issuer"), json_str(o, "ca"));
	else
		run_out(r, _("issuer      %s"), json_str(o, "issuer"));
	run_out(r, _("number      %s"), json_str(o, "number"));
	run_out(r, _("entries     %s, %s"), text_count(n, json_num(o, "entries", 0)), text_size(size, json_num(o, "octets", 0)));
	run_out(r, _("this update %s (%s ago)"), clock_iso(from, sizeof from, json_num(o, "this_update", 0)),
	    clock_span(left, sizeof left, clock_now() - json_num(o, "this_update", 0)));
	run_out(r, _("next update %s (%s left)"), next > 0 ? clock_iso(until, sizeof until, next) : "-",
	    clock_span(left, sizeof left, next > 0 ? next - clock_now() : INT64_MIN));
	run_out(r, _("sha256      %s"), json_str(o, "sha256"));
	run_out(r, _("signature   %s, %s"), json_str(o, "signature"), json_object_get(o, "signature_ok") == NULL
	    ? _("not judged: it is of no CA that is configured") : json_bool(o, "signature_ok") ? _("verified") : _("NOT verified"));
}

static void show_lists(struct run *r, const json_t *o)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_list(o, "extensions"), i, v)
		run_out(r, _("extension   %s%s"), json_str(v, "name"), json_bool(v, "critical") ? _(", critical") : "");
	json_array_foreach(json_list(o, "distribution"), i, v)
		run_out(r, _("for point   %s"), json_string_value(v));
	json_array_foreach(json_list(o, "findings"), i, v)
		run_out(r, "%-11s %s [%s]", strcmp(json_str(v, "level"), "fail") == 0 ? _("problem") : _("warning"), json_str(v, "what"),
		    json_str(v, "id"));
	json_array_foreach(json_list(o, "named"), i, v)
		run_out(r, "            %s", json_string_value(v));
	if (json_array_size(json_list(o, "findings")) == 0 && json_str(o, "ca")[0] != '\0')
		run_out(r, _("sound       its entries are those of index.txt, and nothing speaks against it"));
}

static void inspect_ended(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct inspect *d = run_data(r);
	struct target *t = &d->target[d->at];
	json_t *o;

	if (result == NULL && d->targets == 1) {
		run_fail(r, err);
		return;
	}
	if (d->targets > 1) {
		if (d->at > 0)
			run_out(r, "%s", "");
		run_out(r, "%s", t->name);
	}
	if (result == NULL) {
		run_out(r, _("problem     %s"), err->text);
		d->bad++;
	} else {
		show_line(r, result);
		show_lists(r, result);
		d->bad += json_array_size(json_list(result, "problems")) > 0;
		o = json_deep_copy(result);
		json_put(o, "name", t->name);
		json_array_append(json_object_get(run_result(r), "checked"), o);
		if (d->at == 0)
			json_object_set(run_result(r), "crl", o);
		json_decref(o);
	}
	d->at++;
	inspect_next(r);
}

/* What a CRL of this CA is held against. */
static json_t *inspect_request(struct run *r, const char *ca, const char *part, struct err *e)
{
	const struct incident *in = run_incident(r);
	const struct crl_made *last = in != NULL && ca != NULL ? incident_crl_part(in, ca, part) : NULL;
	json_t *o = crl_request(r, "inspect", ca, e);

	if (o != NULL && last != NULL) {
		json_put(o, "last", last->number);
		json_put(o, "last_sha256", last->sha256);
	}
	return o;
}

static void inspect_ask(struct run *r, const struct target *t)
{
	const struct config *c = run_config(r);
	json_t *o, *candidates = json_array();
	struct err e = { 0 };

	if ((o = inspect_request(r, t->ca, t->part, &e)) == NULL) {
		json_decref(candidates);
		run_fail(r, &e);
		return;
	}
	for (size_t i = 0; t->ca == NULL && i < c->cas; i++)
		json_array_append_new(candidates, inspect_request(r, c->ca[i].name, t->part, &e));
	if (t->ca == NULL)
		json_object_set(o, "candidates", candidates);
	json_decref(candidates);
	json_object_set_new(o, "path", json_string(t->path));
	json_put(o, "part", t->part);
	json_object_set_new(o, "der", json_boolean(t->der));
	run_child(r, "ca", o, CRL_DEADLINE_S, NULL, inspect_ended, r);
}

static void inspect_fetched(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct inspect *d = run_data(r);
	struct err e = { 0 };

	if (result != NULL && json_num(result, "status", 0) == 200) {
		inspect_ask(r, &d->target[d->at]);
		return;
	}
	if (result != NULL)
		err_set(&e, ERR_FAILED, _("%s: HTTP status %lld"), d->target[d->at].name, (long long)json_num(result, "status", 0));
	inspect_ended(ctx, NULL, result != NULL ? &e : err);
}

static void inspect_next(struct run *r)
{
	struct inspect *d = run_data(r);
	const struct target *t = &d->target[d->at];

	if (d->at == d->targets)
		run_end(r, d->bad == 0 ? EXIT_DONE : EXIT_FAILED);
	else if (t->fetch)
		run_child(r, "probe", json_pack("{s:s,s:s,s:i,s:I,s:s}", "op", "fetch", "url", t->name, "timeout_s", FETCH_S, "max",
		    FETCH_MAX, "path", t->path), FETCH_S, NULL, inspect_fetched, r);
	else
		inspect_ask(r, t);
}

static struct target *target_add(struct inspect *d, const char *name, const char *ca, const char *part)
{
	struct target *t;

	d->target = mem_grow(d->target, d->targets + 1, sizeof *d->target);
	t = &d->target[d->targets++];
	*t = (struct target){ .name = mem_strdup(name), .ca = mem_strdup(ca), .part = mem_strdup(part),
		.fetch = strncmp(name, "http://", 7) == 0 || strncmp(name, "https://", 8) == 0 };
	return t;
}

/* Where what is fetched is kept meanwhile. */
static int target_place(struct run *r, struct inspect *d, struct target *t, struct err *e)
{
	char real[PATH_MAX], *name, *base;

	if (!t->fetch) {
		if (realpath(t->name, real) == NULL)
			return err_sys(e, "%s", t->name);
		t->path = mem_strdup(real);
		return 0;
	}
	if (d->folder == NULL) {
		base = run_incident(r) != NULL ? engine_folder(run_engine(r), "check", e) : mem_strdup("/tmp");
		if (base == NULL)
			return e->code;
		d->folder = fs_join(base, "sev1-crl-XXXXXX");
		free(base);
		if (mkdtemp(d->folder) == NULL) {
			err_sys(e, "%s", d->folder);
			free(d->folder);
			d->folder = NULL;
			return ERR_IO;
		}
	}
	name = mem_printf("%zu.crl", d->targets);
	t->path = fs_join(d->folder, name);
	free(name);
	return 0;
}

static int inspect_targets(struct run *r, struct inspect *d, struct err *e)
{
	const char *what = args_nth(run_args(r), "", 1), *ca = args_get(run_args(r), "ca");
	const char *part = args_get(run_args(r), "partition");
	const struct config *c = run_config(r);
	int rc = 0;

	if (ca != NULL && config_ca(c, ca) == NULL)
		return err_set(e, ERR_USAGE, _("crl: no CA is called '%s' in %s"), ca, c->path);
	if (run_incident(r) == NULL && part != NULL) {
		err_set(e, ERR_REFUSED, _("crl check: a partition can be judged with an open incident only"));
		return err_remedy(e, _("name one with -i, or leave --partition out"));
	}
	if (what != NULL)
		return target_place(r, d, target_add(d, what, ca, part != NULL ? part : ""), e);
	if (!args_has(run_args(r), "published"))
		return err_set(e, ERR_USAGE, _("crl check: which file or URL? --published looks at every distribution point"));
	for (size_t i = 0; rc == 0 && i < c->points; i++)
		if (ca == NULL || strcmp(ca, c->point[i].ca) == 0) {
			struct target *t = target_add(d, c->point[i].url, c->point[i].ca,
			    c->point[i].partition != NULL ? c->point[i].partition : "");

			t->der = !c->point[i].pem;
			rc = target_place(r, d, t, e);
		}
	if (rc == 0 && d->targets == 0)
		return err_set(e, ERR_NOTFOUND, _("crl check: %s has no [point]"), c->path);
	return rc;
}

void crl_inspect(struct run *r)
{
	struct inspect *d = mem_zalloc(1, sizeof *d);
	struct err e = { 0 };

	run_set_data(r, d, inspect_free);
	if (inspect_targets(r, d, &e) < 0) {
		run_fail(r, &e);
		return;
	}
	json_object_set_new(run_result(r), "checked", json_array());
	inspect_next(r);
}
