/* ACME Renewal Information: tell the ACME clients of the whole scope to renew now, and count those that did. */
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
#include "work/replaced.h"

#define ARI_DEADLINE_S 900
#define DAY_MS (24LL * 3600 * 1000)
#define RETRY_AFTER 21600      /* RFC 9773 4.3.2: clients ask about every six hours */
#define RETRY_AFTER_MAX 86400
#define EVERY_MIN_MS 1000
#define DEFAULT_URL "/renewal-info"

struct ari {
	struct run *run;
	struct replacing replacing;
	json_t *body;     /* of EV_ARI */
	int64_t every;    /* ms; 0: once */
	uint64_t timer;
};

static void ari_free(void *data)
{
	struct ari *d = data;

	loop_cancel(engine_loop(run_engine(d->run)), d->timer);
	replaced_clear(&d->replacing);
	json_decref(d->body);
	free(d);
}

/* ---- progress ---- */

static void progress_again(void *ctx);

static void progress_shown(struct run *r)
{
	struct ari *d = run_data(r);
	const json_t *o = d->replacing.result;
	bool whole = json_num(o, "replaced", 0) == json_num(o, "total", 0);
	char *words;

	if (d->every > 0 && !whole) {
		words = replaced_words(run_incident(r));
		run_say(r, "%s", words);
		free(words);
		d->timer = loop_after(engine_loop(run_engine(r)), d->every, progress_again, d);
		return;
	}
	replaced_show(&d->replacing);
	replaced_plot(r, clock_now());
	run_end(r, EXIT_DONE);
}

static void progress_again(void *ctx)
{
	struct ari *d = ctx;
	struct err e = { 0 };

	d->timer = 0;
	if (engine_catch_up(run_engine(d->run), &e) < 0)
		run_fail(d->run, &e);
	else if (run_incident(d->run)->closed)
		run_end(d->run, EXIT_DONE);
	else
		replaced_count(&d->replacing, d->run, progress_shown);
}

/* "30s", "5m", "1h". */
static int progress_every(const char *text, int64_t *every, struct err *e)
{
	char *span = mem_printf("-%s", text);
	int64_t then;
	int rc = clock_parse_when(span, 0, &then);

	free(span);
	*every = -then;
	if (rc == 0 && *every >= EVERY_MIN_MS)
		return 0;
	err_set(e, ERR_USAGE, _("--every %.40s is not a span of time of a second or more"), text);
	return err_remedy(e, _("such as 30s, 5m, 1h"));
}

/* ---- writing ---- */

static int ari_retry_after(const struct args *a, struct err *e)
{
	const char *text = args_get(a, "retry-after");
	char *end;
	long n = RETRY_AFTER;

	if (text != NULL) {
		n = strtol(text, &end, 10);
		if (end == text || *end != '\0' || n < 1 || n > RETRY_AFTER_MAX)
			return err_set(e, ERR_USAGE, _("--retry-after %.40s is not a number of seconds from 1 to %d"), text,
			    RETRY_AFTER_MAX);
	}
	return (int)n;
}

static int ari_explanation(const char *url, struct err *e)
{
	if (url == NULL || strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0)
		return 0;
	err_set(e, ERR_USAGE, _("--explanation %.80s is not a URL"), url);
	return err_remedy(e, _("such as https://www.example.com/incident"));
}

/* CA certificates of the scope at their issuers. */
static json_t *ari_own(const struct run *r, struct err *e)
{
	const struct incident *in = run_incident(r);
	json_t *list = json_array(), *issuer;

	for (size_t i = 0; i < in->owns; i++) {
		if ((issuer = ca_request(run_config(r), in->own[i].issuer)) == NULL) {
			err_set(e, ERR_NOTFOUND, _("[ca %s], which the scope names, is not in %s any more"), in->own[i].issuer,
			    run_config(r)->path);
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, json_pack("{s:o,s:s}", "issuer", issuer, "serial", in->own[i].serial));
	}
	return list;
}

/* --output, ari-folder, or a folder beside the incident; absolute, owned by the caller. */
static char *ari_folder(struct run *r, struct err *e)
{
	const char *given = args_get(run_args(r), "output");
	char *real, *path;

	if (given == NULL)
		given = run_config(r)->ari_folder;
	if (given == NULL)
		return engine_folder(run_engine(r), "ari", e);
	if (fs_mkdirs(given, 0755, e) < 0)
		return NULL;
	if ((real = realpath(given, NULL)) == NULL)
		err_sys(e, "%s", given);
	path = mem_strdup(real);
	free(real);
	return path;
}

static const char *ari_option(const struct run *r, const char *name, const char *configured)
{
	const char *given = args_get(run_args(r), name);

	return given != NULL ? given : configured != NULL ? configured : "";
}

static void ari_counted(struct run *r)
{
	const struct ari *d = run_data(r);

	replaced_show(&d->replacing);
	run_end(r, EXIT_DONE);
}

static void ari_say(struct run *r, const json_t *o, const json_t *body)
{
	const json_t *first = json_array_get(json_list(o, "sample"), 0);
	char n[32], from[24], until[24];
	int64_t checked = json_num(o, "checked", 0), missing = json_num(o, "missing", 0);

	run_out(r, _("Written       %s files to %s"), text_count(n, json_num(o, "files", 0)), json_str(o, "served"));
	run_out(r, _("Window        %s to %s: renew now"), clock_iso(from, sizeof from, json_num(body, "start", 0)),
	    clock_iso(until, sizeof until, json_num(body, "end", 0)));
	run_out(r, _("Explanation   %s"), json_str(body, "explanation")[0] != '\0' ? json_str(body, "explanation") :
	    _("none: give one with --explanation URL"));
	if (first != NULL)
		run_out(r, _("For example   %s  (%s, serial %s)"), json_str(first, "id"), json_str(first, "ca"),
		    json_str(first, "serial"));
	run_out(r, _("Compared      %lld certificates with their files in new_certs_dir; %lld of the sample are not there"),
	    (long long)checked, (long long)missing);
	run_out(r, _("Serve it      include %s/nginx.conf or apache.conf in the web server's configuration"),
	    json_str(o, "folder"));
	if (checked == 0)
		run_say(r, _("no certificate was there to compare with: check one name by hand before you rely on these"));
	if (args_get(run_args(r), "output") == NULL && run_config(r)->ari_folder == NULL)
		run_say(r, _("only you can read that folder: set ari-folder, or use --output, for one that the web server reads"));
}

/* -1 where the run has ended. */
static int ari_note(struct run *r, const char *state, const char *detail)
{
	const struct ari *d = run_data(r);
	json_t *body = json_copy(d->body);

	json_put(body, "state", state);
	json_put(body, "detail", detail);
	return run_append(r, EV_ARI, body);
}

static void ari_written(void *ctx, const json_t *result, const struct err *err)
{
	struct run *r = ctx;
	struct ari *d = run_data(r);
	const struct incident *in = run_incident(r);
	struct err e = { 0 };

	if (result == NULL) {
		if (ari_note(r, "failed", err->text) == 0)
			run_fail(r, err);
		return;
	}
	json_put_num(d->body, "files", json_num(result, "files", 0));
	json_put(d->body, "sha256", json_str(result, "sha256"));
	json_object_update(run_result(r), d->body);
	json_object_update(run_result(r), (json_t *)(uintptr_t)result);
	if (ari_note(r, "written", "") < 0)
		return;
	ari_say(r, result, d->body);
	if (json_num(result, "files", 0) != in->scope_count) {
		err_set(&e, ERR_PARTIAL, _("ari: %lld files for the %lld certificates of the scope"),
		    (long long)json_num(result, "files", 0), (long long)in->scope_count);
		err_remedy(&e, _("freeze the scope anew: sev1 scope"));
		run_fail(r, &e);
		return;
	}
	replaced_count(&d->replacing, r, ari_counted);
}

static void ari_line(void *ctx, struct child *c, const json_t *msg)
{
	const json_t *o = json_object_get(msg, "progress");

	(void)c;
	if (o != NULL)
		run_progress(ctx, json_num(o, "done", 0), json_num(o, "total", 0), json_str(o, "text"));
}

/* The window is the same however often it is written: the two days before the declaration of the incident. */
static void ari_write(struct run *r)
{
	const struct incident *in = run_incident(r);
	const struct config *c = run_config(r);
	struct ari *d = run_data(r);
	struct err e = { 0 };
	int retry = ari_retry_after(run_args(r), &e);
	char *folder = NULL;
	json_t *cas = NULL, *own = NULL, *o;

	if (retry < 0 || ari_explanation(args_get(run_args(r), "explanation"), &e) < 0 || run_gate(r, GATE_ARMED | GATE_LEASE, &e) < 0 ||
	    (cas = scope_request(r, &e)) == NULL || (own = ari_own(r, &e)) == NULL || (folder = ari_folder(r, &e)) == NULL) {
		json_decref(cas);
		json_decref(own);
		run_fail(r, &e);
		return;
	}
	d->body = json_object();
	json_put(d->body, "folder", folder);
	json_put(d->body, "manifest", in->manifest);
	json_put_num(d->body, "start", in->declared - 2 * DAY_MS);
	json_put_num(d->body, "end", in->declared - DAY_MS);
	json_put(d->body, "explanation", ari_option(r, "explanation", c->ari_explanation));
	json_put_num(d->body, "retry_after", retry);
	o = json_copy(d->body);
	json_put(o, "op", "ari");
	json_put(o, "incident", in->id);
	json_put(o, "url", ari_option(r, "url", c->ari_url != NULL ? c->ari_url : DEFAULT_URL));
	json_put_num(o, "total", in->scope_count);
	json_object_set_new(o, "cas", cas);
	json_object_set_new(o, "own", own);
	free(folder);
	json_put_num(d->body, "files", in->scope_count);
	if (ari_note(r, "started", "") < 0) {
		json_decref(o);
		return;
	}
	run_child(r, "ca", o, ARI_DEADLINE_S, ari_line, ari_written, r);
}

static void ari_start(struct run *r)
{
	const char *every = args_get(run_args(r), "every");
	struct ari *d = mem_zalloc(1, sizeof *d);
	struct err e = { 0 };

	d->run = r;
	run_set_data(r, d, ari_free);
	if (every != NULL && progress_every(every, &d->every, &e) < 0)
		run_fail(r, &e);
	else if (every != NULL || args_has(run_args(r), "progress"))
		replaced_count(&d->replacing, r, progress_shown);
	else
		ari_write(r);
}

const struct command cmd_ari = {
	.name = "ari", .usage = "",
	.summary = N_("tell ACME clients of the scope to renew now (RFC 9773); count what was replaced"),
	.effect = N_("writes a file for each certificate of the scope, and snippets for nginx and Apache, into a folder of its own, "
	             "whole or not at all; ACME clients that are served them renew. To undo, take the snippet out again"),
	.options = (const struct option[]){
		{ "output", "FOLDER", N_("its own folder, which a web server can read (ari-folder)") },
		{ "url", "URL", N_("the renewalInfo URL of the ACME directory, for the snippets (ari-url)") },
		{ "explanation", "URL", N_("what clients show their people (ari-explanation)") },
		{ "retry-after", N_("SECONDS"), N_("when clients ask again (21600)") },
		{ "progress", NULL, N_("write nothing: how many certificates have a successor, as a curve") },
		{ "every", N_("SPAN"), N_("the same again and again, such as 5m, until all are replaced") },
		{ NULL, NULL, NULL } },
	.gates = GATE_CONFIG | GATE_INCIDENT | GATE_SCOPE, .start = ari_start,
};
