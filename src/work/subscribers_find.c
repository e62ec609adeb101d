/* subscribers find: whose certificates the frozen scope holds, and who reported the problem. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/request.h"
#include "journal/journal.h"
#include "work/revoke_jobs.h"
#include "work/subscribers.h"

#define FIND_S 3600

struct finding {
	struct run *run;
	struct contacts *file;
};

static void finding_free(void *data)
{
	struct finding *f = data;

	contacts_free(f->file);
	free(f);
}

struct contacts *subscribers_file(const struct config *c, struct err *e)
{
	if (c->subscribers != NULL && fs_exists(c->subscribers))
		return contacts_load(c->subscribers, e);
	if (c->subscribers != NULL) {
		err_set(e, ERR_NOTFOUND, _("%s: no such file, which 'subscribers' in [sev1] names"), c->subscribers);
		err_remedy(e, _("put it there, or correct the path in %s"), c->path);
		return NULL;
	}
	err_set(e, ERR_NOTFOUND, _("no file of subscribers is configured"));
	err_remedy(e, _("set 'subscribers' in [sev1] of %s to a CSV file: subscriber,match,mail,phone,webhook"), c->path);
	return NULL;
}

/* A webhook's path is a secret: the journal has its host and the first digits of its digest. */
static char *find_label(const char *url)
{
	const char *host = strstr(url, "://");
	char hex[DIGEST_HEX];

	if (host == NULL)
		return mem_strdup("");
	digest_of(url, strlen(url), hex);
	return mem_printf("%.*s/...%.8s", (int)(host - url + 3 + (ptrdiff_t)strcspn(host + 3, "/?#")), url, hex);
}

/* The reporter's address: as it is given, or what in the reporter's name looks like one. */
static char *find_reporter_mail(const struct run *r, struct err *e)
{
	const char *s = args_get(run_args(r), "reporter-mail"), *in = run_incident(r)->triage.reporter, *at;
	static const char stops[] = " \t<>()\"'\\;,:|&$`";
	size_t before = 0;

	if (s != NULL) {
		if (strchr(s, '@') == NULL || s[0] == '-' || strpbrk(s, stops) != NULL)
			err_set(e, ERR_USAGE, _("subscribers: --reporter-mail is no plain mail address"));
		return mem_strdup(s);
	}
	if ((at = strchr(in, '@')) == NULL)
		return mem_strdup("");
	while (at - before > in && strchr(stops, at[-(ptrdiff_t)before - 1]) == NULL)
		before++;
	return at[-(ptrdiff_t)before] == '-' ? mem_strdup("") : mem_strndup(at - before, before + strcspn(at, stops));
}

static void find_reporter(json_t *rows, const struct run *r, const char *mail)
{
	json_t *row = json_object();

	json_put(row, "name", "reporter");
	json_put(row, "kind", "reporter");
	json_put(row, "mail", mail);
	json_put(row, "phone", mail[0] == '\0' ? run_incident(r)->triage.reporter : "");
	json_put(row, "webhook", "");
	json_put_num(row, "certificates", 0);
	json_object_set_new(row, "reasons", json_object());
	json_array_append_new(rows, row);
}

static void find_row(json_t *rows, const json_t *found, const struct contact *c)
{
	char *label = find_label(c->webhook);
	json_t *row = json_object();

	json_put(row, "name", c->name);
	json_put(row, "kind", "subscriber");
	json_put(row, "mail", c->mail);
	json_put(row, "phone", c->phone);
	json_put(row, "webhook", label);
	json_put_num(row, "certificates", json_num(found, "certificates", 0));
	json_object_set(row, "reasons", json_object_get(found, "reasons"));
	json_array_append_new(rows, row);
	free(label);
}

static void find_done(void *ctx, const json_t *result, const struct err *err)
{
	struct finding *f = ctx;
	struct run *r = f->run;
	json_t *body, *rows;
	const json_t *found;
	struct err e = { 0 };
	char *mail, n[64];
	size_t i;

	if (result == NULL) {
		run_fail(r, err);
		return;
	}
	mail = find_reporter_mail(r, &e);
	if (e.code != 0) {
		free(mail);
		run_fail(r, &e);
		return;
	}
	rows = json_array();
	find_reporter(rows, r, mail);
	free(mail);
	json_array_foreach(json_list(result, "rows"), i, found)
		if (json_num(found, "certificates", 0) > 0)
			find_row(rows, found, &f->file->contact[i]);
	body = json_object();
	json_put(body, "file", f->file->path);
	json_object_set_new(body, "rows", rows);
	json_put_num(body, "certificates", json_num(result, "certificates", 0));
	json_put_num(body, "unmatched", json_num(result, "unmatched", 0));
	json_object_set(run_result(r), "roster", body);
	run_out(r, _("%zu subscribers of %zu have certificates in the scope."), json_array_size(rows) - 1, f->file->contacts);
	if (json_num(result, "unmatched", 0) > 0)
		run_out(r, _("Of nobody: %s; add patterns for them to %s"), text_certificates(n, json_num(result, "unmatched", 0)),
		    f->file->path);
	if (json_num(result, "unread", 0) > 0)
		run_out(r, _("Without a file, so that only the subject was looked at: %s"),
		    text_certificates(n, json_num(result, "unread", 0)));
	if (run_append(r, EV_ROSTER, body) == 0)
		run_end(r, EXIT_DONE);
}

static json_t *find_patterns(const struct contacts *file)
{
	json_t *all = json_array();

	for (size_t i = 0; i < file->contacts; i++) {
		json_t *match = json_array();
		for (size_t k = 0; k < file->contact[i].matches; k++)
			json_array_append_new(match, json_string(file->contact[i].match[k]));
		json_array_append_new(all, json_pack("{s:s,s:o}", "name", file->contact[i].name, "match", match));
	}
	return all;
}

/* A PKI without subscribers of its own: the reporter is owed the preliminary report all the same. False where there is none. */
static bool find_only_reporter(struct run *r)
{
	struct err e = { 0 };
	char *mail = find_reporter_mail(r, &e);
	json_t *rows = json_array(), *body;

	find_reporter(rows, r, mail);
	if (e.code != 0 || (mail[0] == '\0' && run_incident(r)->triage.reporter[0] == '\0')) {
		free(mail);
		json_decref(rows);
		if (e.code != 0)
			run_fail(r, &e);
		return e.code != 0;
	}
	free(mail);
	body = json_object();
	json_put(body, "file", "");
	json_object_set_new(body, "rows", rows);
	json_put_num(body, "certificates", 0);
	json_put_num(body, "unmatched", 0);
	json_object_set(run_result(r), "roster", body);
	run_out(r, _("No file of subscribers is configured: only the reporter was looked up."));
	if (run_append(r, EV_ROSTER, body) == 0)
		run_end(r, EXIT_DONE);
	return true;
}

void subscribers_find(struct run *r)
{
	struct finding *f = mem_zalloc(1, sizeof *f);
	struct err e = { 0 };
	json_t *cas = NULL;

	f->run = r;
	run_set_data(r, f, finding_free);
	if (run_config(r) != NULL && run_config(r)->subscribers == NULL && run_gate(r, GATE_CONFIG | GATE_TRIAGE, &e) == 0 &&
	    find_only_reporter(r))
		return;
	e = (struct err){ 0 };
	if (run_gate(r, GATE_CONFIG | GATE_TRIAGE | GATE_SCOPE, &e) < 0 ||
	    (f->file = subscribers_file(run_config(r), &e)) == NULL || (cas = manifests_request(r, &e)) == NULL) {
		run_fail(r, &e);
		return;
	}
	run_child(r, "ca", json_pack("{s:s,s:o,s:o}", "op", "roster", "cas", cas, "patterns", find_patterns(f->file)), FIND_S,
	    NULL, find_done, f);
}
