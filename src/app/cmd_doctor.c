/* All that an incident will need, checked before there is one. What is slow runs in children, a few
 * at a time, each with its deadline; findings are shown in the order of the groups, not of arrival. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/confine.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/paths.h"
#include "engine/request.h"
#include "engine/run.h"
#include "work/contacts.h"
#include "work/doctor.h"

#define AT_ONCE 16
#define CA_S 60
#define HOST_S 15
#define POINT_S 15
#define POINT_OCTETS (256LL * 1024 * 1024)

struct doctor;

/* One thing to ask a child. */
struct task {
	struct doctor *d;
	json_t *list;         /* where its findings go; borrowed */
	void (*start)(struct task *t);
	const void *conf;     /* what it is about */
	char *path;           /* a point: where the fetched CRL is kept */
	bool alone;           /* it asks for a secret: in the file's order, or a PIN of --pin-fd goes to another token */
};

struct doctor {
	struct run *run;
	json_t *groups;       /* [{title, findings: []}] */
	struct task *task;
	size_t tasks, started, done;
	struct contacts_check *contacts;
	char *folder;         /* for fetched CRLs; NULL until needed */
};

static void doctor_free(void *data)
{
	struct doctor *d = data;

	for (size_t i = 0; i < d->tasks; i++)
		free(d->task[i].path);
	free(d->task);
	contacts_drop(d->contacts);
	json_decref(d->groups);
	if (d->folder != NULL)
		fs_remove_tree(d->folder, NULL);
	free(d->folder);
	free(d);
}

/* name NULL: not a section of its own. line: where it stands in the configuration, 0 nowhere. */
static json_t *doctor_group(struct doctor *d, const char *kind, const char *name, int line)
{
	json_t *o = json_object(), *list = json_array();
	const struct config *c = run_config(d->run);
	char *title = name != NULL ? mem_printf("%s %s", kind, name) : mem_strdup(kind);
	char *where = c != NULL && line > 0 ? mem_printf("%s:%d", c->path, line) : NULL;

	json_put(o, "title", title);
	json_put(o, "where", where);
	free(where);
	json_object_set_new(o, "findings", list);
	json_array_append_new(d->groups, o);
	free(title);
	return list;
}

/* ---- the end ---- */

static const char *doctor_word(const char *level)
{
	return strcmp(level, "ok") == 0 ? _("ok") : strcmp(level, "warn") == 0 ? _("warn") : _("FAIL");
}

static void doctor_show(struct run *r, const json_t *group, size_t *warns, size_t *fails)
{
	const json_t *list = json_list(group, "findings"), *f;
	const char *where = json_str(group, "where");
	size_t i;

	json_array_foreach(list, i, f) {
		const char *level = json_str(f, "level");

		*warns += strcmp(level, "warn") == 0;
		*fails += strcmp(level, "fail") == 0;
		run_out(r, "%-5s %s: %s", doctor_word(level), json_str(group, "title"), json_str(f, "what"));
		if (strcmp(level, "ok") != 0 && (json_str(f, "remedy")[0] != '\0' || where[0] != '\0'))
			run_out(r, "        %s%s%s", where,
			    where[0] != '\0' && json_str(f, "remedy")[0] != '\0' ? ": " : "", json_str(f, "remedy"));
	}
}

static void doctor_end(struct doctor *d)
{
	struct run *r = d->run;
	size_t warns = 0, fails = 0, i;
	const json_t *group;

	json_array_foreach(d->groups, i, group)
		doctor_show(r, group, &warns, &fails);
	json_object_set(run_result(r), "groups", d->groups);
	json_put_num(run_result(r), "warnings", (int64_t)warns);
	json_put_num(run_result(r), "failures", (int64_t)fails);
	if (fails > 0)
		run_out(r, _("Not ready. Failed: %zu, warnings: %zu."), fails, warns);
	else
		run_out(r, warns > 0 ? _("Ready, with %zu warnings.") : _("Ready."), warns);
	run_end(r, fails > 0 ? EXIT_FAILED : EXIT_DONE);
}

/* Start tasks while there is room. A child that cannot be started ends the run: stop there. */
static void doctor_next(struct doctor *d)
{
	struct run *r = d->run;

	while (d->started < d->tasks && d->started - d->done < AT_ONCE) {
		struct task *t = &d->task[d->started];

		if (t->alone && d->done < d->started)
			return;
		d->started++;
		t->start(t);
		if (run_state(r) == RUN_ENDED)
			return;
	}
	if (d->done == d->tasks)
		doctor_end(d);
}

static void task_done(struct task *t)
{
	struct doctor *d = t->d;

	d->done++;
	run_progress(d->run, (int64_t)d->done, (int64_t)d->tasks, _("checking"));
	doctor_next(d);
}

static void task_failed(struct task *t, const struct err *err, const char *otherwise)
{
	finding_add(t->list, "fail", err->remedy[0] != '\0' ? err->remedy : otherwise, "%s", err->text);
	task_done(t);
}

/* ---- CAs ---- */

static void ca_checked(void *ctx, const json_t *result, const struct err *err)
{
	struct task *t = ctx;
	const struct ca_conf *ca = t->conf;

	if (result == NULL) {
		task_failed(t, err, _("correct the CA's files, or what its section says of them"));
		return;
	}
	json_array_extend(t->list, json_object_get(result, "findings"));
	doctor_ca_points(t->list, run_config(t->d->run), ca->name, json_list(result, "cdps"));
	task_done(t);
}

static void ca_start(struct task *t)
{
	const struct ca_conf *ca = t->conf;
	json_t *request = json_pack("{s:s,s:o,s:b,s:b}", "op", "check", "ca",
	    ca_request(run_config(t->d->run), ca->name), "sign", 1, "ask", args_has(run_args(t->d->run), "sign"));

	run_child(t->d->run, "ca", request, CA_S, NULL, ca_checked, t);
}

/* ---- hosts ---- */

static void host_reached(void *ctx, const json_t *result, const struct err *err)
{
	struct task *t = ctx;

	if (result == NULL) {
		task_failed(t, err, _("start its SSH server, or correct 'address' and 'port'"));
		return;
	}
	if (json_num(result, "status", -1) == 0)
		finding_add(t->list, "ok", "", _("reached over SSH, its host key is known (%lld ms)"),
		    (long long)json_num(result, "ms", 0));
	else
		finding_add(t->list, "fail", _("log in by hand and see what its shell says"),
		    _("reached, but `true` ended with status %lld: %s"),
		    (long long)json_num(result, "status", -1), json_str(result, "stderr"));
	task_done(t);
}

static void host_start(struct task *t)
{
	const struct host_conf *h = t->conf;
	json_t *request = json_pack("{s:s,s:o,s:s,s:i}", "op", "run", "host",
	    host_request(run_config(t->d->run), h->name), "command", "true", "timeout_s", HOST_S - 3);

	run_child(t->d->run, "ssh", request, HOST_S, NULL, host_reached, t);
}

/* ---- host keys: ssh-keygen reads hashed names too ---- */

static void key_known(void *ctx, const json_t *result, const struct err *err)
{
	struct task *t = ctx;
	const struct host_conf *h = t->conf;

	if (result == NULL && err->code == ERR_CONFINED)
		finding_add(t->list, "ok", "", _("in a drill the host key is checked as it connects"));
	else if (result == NULL)
		finding_err(t->list, err);
	else if (json_num(result, "status", -1) == 0)
		finding_add(t->list, "ok", "", _("its host key is in %s"),
		    h->known_hosts != NULL ? h->known_hosts : "~/.ssh/known_hosts");
	else
		finding_add(t->list, "fail", _("compare its key on the host itself, then add it with ssh-keyscan"),
		    _("its host key is not in %s"),
		    h->known_hosts != NULL ? h->known_hosts : "~/.ssh/known_hosts");
	task_done(t);
}

static void key_start(struct task *t)
{
	const struct host_conf *h = t->conf;
	char *place = h->port == 22 || h->port == 0 ? mem_strdup(h->address) : mem_printf("[%s]:%d", h->address, h->port);
	struct buf command = { 0 };

	buf_adds(&command, "ssh-keygen -F ");
	text_quote(&command, place);
	buf_adds(&command, " -f ");
	if (h->known_hosts != NULL)
		text_quote(&command, h->known_hosts);
	else
		buf_adds(&command, "~/.ssh/known_hosts");
	free(place);
	run_child(t->d->run, "action", json_pack("{s:s,s:s,s:i}", "op", "run", "command", buf_str(&command),
	    "timeout_s", HOST_S - 3), HOST_S, NULL, key_known, t);
	buf_free(&command);
}

/* ---- distribution points: fetch, then read what came ---- */

static void point_inspected(void *ctx, const json_t *result, const struct err *err)
{
	struct task *t = ctx;
	const json_t *problem;
	char until[32];
	bool bad;
	size_t i;

	if (result == NULL) {
		task_failed(t, err, _("publish a current CRL of this CA there"));
		return;
	}
	bad = !json_bool(result, "signature_ok") || !json_bool(result, "issuer_ok") ||
	    json_num(result, "next_update", 0) <= clock_now();
	if (!bad)
		finding_add(t->list, "ok", "", _("serves CRL number %s with %lld entries, nextUpdate %s"),
		    json_str(result, "number")[0] != '\0' ? json_str(result, "number") : "-",
		    (long long)json_num(result, "entries", 0),
		    clock_iso(until, sizeof until, json_num(result, "next_update", 0)));
	json_array_foreach(json_list(result, "problems"), i, problem)
		finding_add(t->list, bad ? "fail" : "warn", _("publish a current CRL of this CA there"),
		    _("the CRL that it serves: %s"), json_string_value(problem));
	task_done(t);
}

static void point_fetched(void *ctx, const json_t *result, const struct err *err)
{
	struct task *t = ctx;
	const struct point_conf *p = t->conf;
	json_t *request;

	if (result == NULL) {
		task_failed(t, err, _("start its web server, or correct 'url'"));
		return;
	}
	if (json_num(result, "status", 0) != 200) {
		finding_add(t->list, "fail", _("correct 'url', or publish a CRL there"),
		    _("%s answers %lld instead of a CRL"), p->url, (long long)json_num(result, "status", 0));
		task_done(t);
		return;
	}
	request = json_pack("{s:s,s:s,s:o}", "op", "inspect", "path", t->path, "ca",
	    ca_request(run_config(t->d->run), p->ca));
	run_child(t->d->run, "ca", request, CA_S, NULL, point_inspected, t);
}

static void point_start(struct task *t)
{
	const struct point_conf *p = t->conf;
	json_t *request = json_pack("{s:s,s:s,s:i,s:I,s:s}", "op", "fetch", "url", p->url, "timeout_s",
	    POINT_S - 3, "max", (json_int_t)POINT_OCTETS, "path", t->path);

	run_child(t->d->run, "probe", request, POINT_S, NULL, point_fetched, t);
}

/* ---- contacts ---- */

static void contacts_done(void *ctx)
{
	task_done(ctx);
}

static void contacts_start(struct task *t)
{
	t->d->contacts = contacts_check(t->d->run, t->list, contacts_done, t);
	contacts_begin(t->d->contacts);
}

/* ---- the beginning ---- */

static void doctor_task(struct doctor *d, json_t *list, void (*start)(struct task *), const void *conf)
{
	d->task = mem_grow(d->task, d->tasks + 1, sizeof *d->task);
	d->task[d->tasks++] = (struct task){ .d = d, .list = list, .start = start, .conf = conf };
}

static void doctor_point(struct doctor *d, const struct point_conf *p)
{
	json_t *list = doctor_group(d, "point", p->name, p->line);

	doctor_point_place(list, p);
	if (d->folder == NULL) {
		const char *tmp = confine_root() != NULL ? confine_root() : "/tmp";

		d->folder = mem_printf("%s/sev1-doctor-XXXXXX", tmp);
		if (mkdtemp(d->folder) == NULL) {
			finding_add(list, "fail", "", _("%s: no temporary folder can be made"), tmp);
			free(d->folder);
			d->folder = NULL;
			return;
		}
	}
	doctor_task(d, list, point_start, p);
	d->task[d->tasks - 1].path = mem_printf("%s/%s.crl", d->folder, p->name);
}

static void doctor_configured(struct doctor *d, const struct config *c)
{
	json_t *list = doctor_group(d, "configuration", NULL, 0);

	doctor_complete(list, c);
	for (size_t i = 0; i < c->missing.count; i++)
		finding_err(list, &c->missing.err[i]);
	for (size_t i = 0; i < c->cas; i++) {
		list = doctor_group(d, "ca", c->ca[i].name, c->ca[i].line);
		doctor_ca_room(list, &c->ca[i]);
		doctor_task(d, list, ca_start, &c->ca[i]);
		d->task[d->tasks - 1].alone = args_has(run_args(d->run), "sign");
	}
	for (size_t i = 0; i < c->points; i++)
		doctor_point(d, &c->point[i]);
	for (size_t i = 0; i < c->hosts; i++) {
		list = doctor_group(d, "host", c->host[i].name, c->host[i].line);
		doctor_task(d, list, key_start, &c->host[i]);
		doctor_task(d, list, host_start, &c->host[i]);
	}
	for (size_t i = 0; i < c->actions; i++)
		doctor_image(doctor_group(d, "action", c->action[i].name, c->action[i].line), &c->action[i]);
	for (size_t i = 0; i < c->notices; i++)
		doctor_notice(doctor_group(d, "notice", c->notice[i].name, c->notice[i].line), c,
		    &c->notice[i]);
	doctor_fleet(doctor_group(d, "fleet", NULL, c->fleet.line), c);
	doctor_times(doctor_group(d, "deadlines", NULL, 0), c);
	if (c->contacts.problem_report != NULL)
		doctor_task(d, doctor_group(d, "contacts", NULL, c->contacts.line), contacts_start, &c->contacts);
	else if (strcmp(c->profile, "public-tls") == 0)
		finding_add(doctor_group(d, "contacts", NULL, 0), "warn", _("add [contacts] with problem-report and where it is published"),
		    _("nothing compares the problem-reporting address with what is published"));
}

static void doctor_start(struct run *r)
{
	const struct config *c = run_config(r);
	const struct err *why = engine_config_error(run_engine(r));
	struct doctor *d = mem_zalloc(1, sizeof *d);
	char *state;

	d->run = r;
	d->groups = json_array();
	run_set_data(r, d, doctor_free);
	if (c != NULL)
		doctor_configured(d, c);
	else
		finding_add(doctor_group(d, "configuration", NULL, 0), "fail", why->remedy, "%s", why->text);
	state = c != NULL ? mem_strdup(c->state) : path_state();
	doctor_state(doctor_group(d, "state", NULL, 0), state);
	free(state);
	doctor_clock(doctor_group(d, "clock", NULL, 0));
	doctor_terminal(doctor_group(d, "terminal", NULL, 0));
	doctor_libraries(doctor_group(d, "libraries", NULL, 0));
	doctor_next(d);
}

static const struct option options[] = {
	{ "sign", NULL, N_("ask for PINs and passphrases, and try those keys too") },
	{ NULL, NULL, NULL },
};

const struct command cmd_doctor = {
	.name = "doctor", .key = "D", .usage = "",
	.summary = N_("check everything that an incident will need, before there is one"),
	.effect = N_("Signs a probe with each CA's key, runs `true` on each configured host and fetches each "
		     "distribution point. Changes nothing."),
	.options = options,
	.start = doctor_start,
};
