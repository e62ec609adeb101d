#include "engine/engine_private.h"

#include <dirent.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/confine.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/paths.h"
#include "engine/secrets.h"
#include "journal/journal.h"

#define LEASE_MS 15000
#define LEASE_AGAIN_MS 5000

struct engine {
	struct loop *loop;
	struct config *config;
	struct err config_error;
	bool astray; /* see engine_astray */
	char *config_path, *state, *actor;
	struct journal *journal;
	struct incident *incident;
	char **line; /* the journal as shown */
	size_t lines;
	struct run **run;
	size_t runs;
	json_t *counts;
	struct sink sink;
	void *sink_ctx;
	bool console, read_only, armed;
	size_t leases;
	uint64_t lease_timer;
	struct secrets *secrets;
};

struct loop *engine_loop(const struct engine *en) { return en->loop; }
const struct config *engine_config(const struct engine *en) { return en->config; }
const struct err *engine_config_error(const struct engine *en) { return &en->config_error; }
const struct incident *engine_incident(const struct engine *en) { return en->incident; }
struct journal *engine_journal(const struct engine *en) { return en->journal; }
const char *engine_state(const struct engine *en) { return en->state; }
bool engine_is_read_only(const struct engine *en)
{
	return en->read_only;
}

bool engine_is_console(const struct engine *en) { return en->console; }
size_t engine_runs(const struct engine *en) { return en->runs; }
struct secrets *engine_secrets(struct engine *en) { return en->secrets; }
const struct secret_ask *engine_secret(const struct engine *en) { return secrets_wanted(en->secrets); }
struct run *engine_run(const struct engine *en, size_t i) { return en->run[i]; }

/* On the command line the typed phrase arms, for the one plan it confirms. */
bool engine_armed(const struct engine *en)
{
	return !en->console || en->armed;
}

void engine_arm(struct engine *en, bool on)
{
	en->armed = on;
	if (!on)
		secrets_forget(en->secrets);
}

void engine_secret_give(struct engine *en, const char *text)
{
	secrets_give(en->secrets, text);
}

void engine_secret_refuse(struct engine *en, const struct err *why)
{
	secrets_refuse(en->secrets, why);
}

void engine_secret_fd(struct engine *en, int fd)
{
	secrets_fd(en->secrets, fd);
}

bool engine_secret_give_up(struct engine *en, const struct child *c, const struct err *why)
{
	return secrets_give_up(en->secrets, c, why);
}

bool engine_secret_turned(const struct engine *en, const struct child *c)
{
	return secrets_turned(en->secrets, c);
}

void engine_secret_proved(struct engine *en)
{
	secrets_proved(en->secrets);
}

char *engine_secret_label(const struct secret_ask *a)
{
	char *of = text_escaped(a->of, strlen(a->of), 200);
	char *label = mem_printf(strcmp(a->kind, "pin") == 0 ? _("PIN of the token %s: ") : _("Passphrase of %s: "), of);

	free(of);
	return label;
}

void engine_sink(struct engine *en, const struct sink *s, void *ctx)
{
	en->sink = s != NULL ? *s : (struct sink){ 0 };
	en->sink_ctx = ctx;
}

const struct sink *engine_get_sink(const struct engine *en, void **ctx)
{
	*ctx = en->sink_ctx;
	return &en->sink;
}

char *const *engine_lines(const struct engine *en, size_t *n)
{
	*n = en->lines;
	return en->line;
}

void engine_set_count(struct engine *en, const char *ca, json_t *count)
{
	json_object_set_new(en->counts, ca, count);
}

const json_t *engine_count(const struct engine *en, const char *ca)
{
	return json_object_get(en->counts, ca);
}

void engine_add_run(struct engine *en, struct run *r)
{
	en->run = mem_grow(en->run, en->runs + 1, sizeof(struct run *));
	en->run[en->runs++] = r;
}

void engine_drop_run(struct engine *en, struct run *r)
{
	for (size_t i = 0; i < en->runs; i++) {
		if (en->run[i] != r)
			continue;
		memmove(&en->run[i], &en->run[i + 1], (en->runs - i - 1) * sizeof(struct run *));
		en->runs--;
		return;
	}
}

bool engine_runs_a(const struct engine *en, const char *command)
{
	for (size_t i = 0; i < en->runs; i++)
		if (strcmp(run_command(en->run[i])->name, command) == 0 && run_state(en->run[i]) != RUN_ENDED)
			return true;
	return false;
}

/* ---- the lease ---- */

static void engine_renew(void *ctx)
{
	struct engine *en = ctx;

	en->lease_timer = 0;
	if (en->leases == 0 || en->journal == NULL)
		return;
	journal_lease(en->journal, clock_now(), LEASE_MS, NULL);
	en->lease_timer = loop_after(en->loop, LEASE_AGAIN_MS, engine_renew, en);
}

int engine_lease(struct engine *en, struct err *e)
{
	int rc = journal_lease(en->journal, clock_now(), LEASE_MS, e);

	if (rc < 0)
		return rc;
	en->leases++;
	if (en->lease_timer == 0)
		en->lease_timer = loop_after(en->loop, LEASE_AGAIN_MS, engine_renew, en);
	return 0;
}

void engine_unlease(struct engine *en)
{
	if (en->leases > 0 && --en->leases == 0 && en->journal != NULL)
		journal_release(en->journal, NULL);
}

bool engine_acting(const struct engine *en)
{
	return en->leases > 0 || (en->journal != NULL && journal_leased(en->journal, clock_now()));
}

/* ---- events ---- */

static int engine_fold(void *ctx, const struct event *ev, struct err *e)
{
	struct engine *en = ctx;
	char at[24], *text;
	int rc = incident_apply(en->incident, ev, e);

	if (rc < 0)
		return rc;
	text = event_text(ev);
	en->line = mem_grow(en->line, en->lines + 1, sizeof *en->line);
	en->line[en->lines++] = mem_printf("%s %-4s %s", clock_time(at, sizeof at, ev->at), ev->actor, text);
	free(text);
	if (en->sink.event != NULL)
		en->sink.event(en->sink_ctx, ev);
	return 0;
}

int engine_catch_up(struct engine *en, struct err *e)
{
	if (en->journal == NULL)
		return 0;
	return journal_each(en->journal, en->incident->last_seq, engine_fold, en, e);
}

/* What may still be recorded once the incident is closed. */
static bool engine_after_close(enum event_kind kind)
{
	return kind == EV_FOLLOWUP || kind == EV_REPORT || kind == EV_NOTE || kind == EV_SESSION;
}

int engine_append(struct engine *en, enum event_kind kind, json_t *body, struct err *e)
{
	int rc;

	if (en->journal == NULL)
		rc = err_set(e, ERR_REFUSED, _("no incident is open"));
	else if (en->incident->closed && !engine_after_close(kind))
		rc = err_set(e, ERR_REFUSED, _("incident %s is closed"), en->incident->id);
	else
		rc = journal_append(en->journal, clock_now(), en->actor, kind, body, NULL, e);
	json_decref(body);
	return rc < 0 ? rc : engine_catch_up(en, e);
}

/* ---- open and close ---- */

static void engine_load_config(struct engine *en, const char *path)
{
	config_free(en->config);
	en->config = NULL;
	en->config_error = (struct err){ 0 };
	free(en->config_path);
	en->config_path = config_find(path, &en->config_error);
	if (en->config_path != NULL)
		en->config = config_load(en->config_path, &en->config_error);
	en->astray = en->config == NULL && (path != NULL || en->config_path != NULL);
	free(en->state);
	en->state = en->config != NULL ? mem_strdup(en->config->state) : path_state();
}

void engine_close(struct engine *en)
{
	journal_free(en->journal);
	incident_free(en->incident);
	for (size_t i = 0; i < en->lines; i++)
		free(en->line[i]);
	free(en->line);
	en->journal = NULL;
	en->incident = NULL;
	en->line = NULL;
	en->lines = 0;
	en->armed = false;
}

/* Is it an incident file's name? */
static bool engine_is_file(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".sev1") == 0;
}

/* The only incident of the state folder that is not closed. */
static char *engine_find_open(const struct engine *en, struct err *e)
{
	DIR *d = opendir(en->state);
	struct dirent *entry;
	struct buf names = { 0 };
	struct err why = { 0 };
	char *found = NULL;
	size_t n = 0;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		struct engine probe = { .incident = NULL };
		char *path;
		if (!engine_is_file(entry->d_name))
			continue;
		path = fs_join(en->state, entry->d_name);
		probe.incident = incident_new();
		probe.journal = journal_open(path, true, &why);
		if (probe.journal != NULL && engine_catch_up(&probe, &why) == 0 && !probe.incident->closed) {
			buf_addf(&names, "%s%s", n > 0 ? ", " : "", probe.incident->id);
			free(found);
			found = mem_strdup(path);
			n++;
		}
		engine_close(&probe);
		free(path);
	}
	if (d != NULL)
		closedir(d);
	if (n == 0 && why.code != 0) {
		if (e != NULL)
			*e = why; /* one that cannot be read may be the open one */
	} else if (n == 0 && en->astray) {
		if (e != NULL)
			*e = en->config_error; /* nobody looked where it is */
	} else if (n == 0) {
		err_set(e, ERR_NOTFOUND, _("no open incident in %s"), en->state);
		err_remedy(e, _("declare one: sev1 open --title \"...\", or name a file with -i"));
	} else if (n > 1) {
		err_set(e, ERR_USAGE, _("several incidents are open: %s"), names.data);
		err_remedy(e, _("choose one with -i ID"));
		free(found);
		found = NULL;
	}
	buf_free(&names);
	return found;
}

bool engine_astray(const struct engine *en)
{
	return en->astray;
}

char *engine_find(const struct engine *en, const char *which, struct err *e)
{
	char *name, *path;

	if (which != NULL && (strchr(which, '/') != NULL || engine_is_file(which)))
		return mem_strdup(which);
	if (en->astray) {
		if (e != NULL)
			*e = en->config_error;
		return NULL;
	}
	if (which == NULL)
		return engine_find_open(en, e);
	name = mem_printf("%s.sev1", which);
	path = fs_join(en->state, name);
	free(name);
	return path;
}

/* A drill is fenced in before anything else, and runs by its own configuration only. */
static int engine_settle(struct engine *en, struct err *e)
{
	char *path;
	int rc;

	if (!en->incident->drill)
		return 0;
	if ((rc = confine_to(en->incident->root, e)) < 0)
		return err_prefix(e, _("drill %s"), en->incident->id);
	path = fs_join(en->incident->root, "sev1.conf");
	if (en->config == NULL || strcmp(en->config->path, path) != 0)
		engine_load_config(en, path);
	free(path);
	return 0;
}

static int engine_start(struct engine *en, struct err *e)
{
	json_t *body;
	char host[64] = "?";
	int rc;

	en->incident = incident_new();
	if ((rc = engine_catch_up(en, e)) < 0 || (rc = engine_settle(en, e)) < 0) {
		engine_close(en);
		return rc;
	}
	if (!en->console || en->read_only)
		return 0;
	gethostname(host, sizeof host - 1);
	body = json_object();
	json_put(body, "version", PACKAGE_VERSION);
	json_put(body, "how", "console");
	json_put(body, "host", host);
	json_put_num(body, "pid", getpid());
	return engine_append(en, EV_SESSION, body, e);
}

int engine_open(struct engine *en, const char *which, struct err *e)
{
	char *path;

	engine_close(en);
	if ((path = engine_find(en, which, e)) == NULL)
		return e != NULL && e->code != 0 ? e->code : ERR_NOTFOUND;
	en->journal = journal_open(path, en->read_only, e);
	free(path);
	return en->journal == NULL ? (e != NULL ? e->code : ERR_FAILED) : engine_start(en, e);
}

int engine_create(struct engine *en, json_t *body, struct err *e)
{
	bool drill = strcmp(json_str(body, "kind"), "drill") == 0;
	char *name = mem_printf("%s.sev1", json_str(body, "id")), *path = NULL;
	int rc = 0;

	if (en->astray && !drill) {
		json_decref(body);
		free(name);
		if (e != NULL)
			*e = en->config_error;
		return en->config_error.code;
	}
	engine_close(en);
	if (drill)
		rc = confine_to(json_str(body, "root"), e);
	if (rc == 0)
		rc = fs_mkdirs(en->state, 0700, e);
	path = fs_join(en->state, name);
	if (rc == 0 && (en->journal = journal_create(path, e)) == NULL)
		rc = e != NULL ? e->code : ERR_FAILED;
	if (rc == 0)
		rc = journal_append(en->journal, clock_now(), en->actor, EV_OPENED, body, NULL, e);
	json_decref(body);
	free(name);
	free(path);
	if (rc < 0) {
		engine_close(en);
		return rc;
	}
	return engine_start(en, e);
}

char *engine_folder(struct engine *en, const char *name, struct err *e)
{
	const char *path = journal_path(en->journal);
	char *base = mem_strndup(path, strlen(path) - (engine_is_file(path) ? 5 : 0));
	char *folder = mem_printf("%s.d/%s", base, name), *absolute;

	free(base);
	if (fs_mkdirs(folder, 0700, e) < 0) {
		free(folder);
		return NULL;
	}
	absolute = realpath(folder, NULL);
	if (absolute == NULL)
		err_sys(e, "%s", folder);
	free(folder);
	return absolute;
}

static char *engine_login(void)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *sudo = getenv("SUDO_USER");

	if (sudo != NULL && sudo[0] != '\0')
		return mem_strdup(sudo);
	return mem_strdup(pw != NULL ? pw->pw_name : "op");
}

struct engine *engine_new(struct loop *l, const struct engine_options *o, struct err *e)
{
	struct engine *en = mem_zalloc(1, sizeof *en);

	en->loop = l;
	en->console = o->console;
	en->read_only = o->read_only;
	en->actor = o->actor != NULL ? mem_strdup(o->actor) : engine_login();
	en->counts = json_object();
	en->secrets = secrets_new();
	engine_load_config(en, o->config_path);
	if (o->incident != NULL && engine_open(en, o->incident, e) < 0) {
		engine_free(en);
		return NULL;
	}
	return en;
}

void engine_free(struct engine *en)
{
	if (en == NULL)
		return;
	loop_cancel(en->loop, en->lease_timer);
	if (en->leases > 0 && en->journal != NULL)
		journal_release(en->journal, NULL);
	engine_close(en);
	config_free(en->config);
	free(en->config_path);
	free(en->state);
	free(en->actor);
	free(en->run);
	json_decref(en->counts);
	secrets_free(en->secrets);
	free(en);
}
