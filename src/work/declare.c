#include "work/declare.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "engine/paths.h"
#include "incident/playbook.h"
#include "incident/times.h"

#define PLAYBOOK "playbooks/ca-compromise.ini"
#define PLAYBOOK_MAX (1u << 20)

/* The playbook of the configuration, else the installed one, into an EV_OPENED body. */
static int open_playbook(const struct config *c, json_t *body, struct err *e)
{
	char *path = c != NULL && c->playbook != NULL ? mem_strdup(c->playbook) : path_data(PLAYBOOK);
	struct buf text = { 0 };
	int rc = fs_read(path, &text, PLAYBOOK_MAX, e);

	if (rc == 0)
		rc = playbook_read(buf_str(&text), path, body, e);
	else
		err_remedy(e, _("set 'playbook' in [sev1] to a playbook file, or install sev1's data files"));
	buf_free(&text);
	free(path);
	return rc;
}

/* The times of the configuration, else those installed for the profile. */
static int open_times(const struct config *c, json_t *body, struct err *e)
{
	char *path = declare_times(c, json_str(body, "profile"));
	struct buf text = { 0 };
	json_t *times = NULL;

	if (fs_read(path, &text, PLAYBOOK_MAX, e) == 0)
		times = times_read(buf_str(&text), path, e);
	else
		err_remedy(e, _("set 'deadlines' in [sev1] to a file of times, or install sev1's data files"));
	if (times != NULL)
		json_object_set_new(body, "times", times);
	buf_free(&text);
	free(path);
	return times != NULL ? 0 : e->code;
}

char *declare_times(const struct config *c, const char *profile)
{
	char *name = mem_printf("playbooks/deadlines-%s.ini", profile);
	char *path = c != NULL && c->deadlines != NULL ? mem_strdup(c->deadlines) : path_data(name);

	free(name);
	return path;
}

/* The next free id of the year: INC-2026-0001. */
static char *open_next_id(const struct engine *en, const char *prefix, int64_t now)
{
	char year[24], *id, *path, *name;

	clock_iso(year, sizeof year, now);
	for (int n = 1;; n++) {
		id = mem_printf("%s-%.4s-%04d", prefix, year, n);
		name = mem_printf("%s.sev1", id);
		path = fs_join(engine_state(en), name);
		bool taken = fs_exists(path);
		free(name);
		free(path);
		if (!taken)
			return id;
		free(id);
	}
}

static int declare(struct engine *en, const char *title, const char *root, int64_t declared, json_t *report, struct err *e)
{
	const struct config *c = engine_config(en);
	json_t *body = json_object();
	char *id = open_next_id(en, root != NULL ? "DRILL" : "INC", clock_now());
	int rc;

	json_put(body, "id", id);
	json_put(body, "title", title);
	json_put(body, "kind", root != NULL ? "drill" : "real");
	json_put(body, "root", root);
	json_put(body, "profile", c != NULL && c->profile != NULL ? c->profile : "private");
	json_put(body, "organisation", c != NULL ? c->organisation : "");
	json_put_num(body, "declared", declared);
	if (report != NULL)
		json_object_set(body, "report", report);
	free(id);
	if ((rc = open_playbook(c, body, e)) < 0 || (rc = open_times(c, body, e)) < 0) {
		json_decref(body);
		return rc;
	}
	return engine_create(en, body, e);
}

int incident_declare(struct engine *en, const char *title, const char *root, int64_t declared, struct err *e)
{
	return declare(en, title, root, declared, NULL, e);
}

int incident_declare_of(struct engine *en, const char *title, int64_t declared, json_t *report, struct err *e)
{
	return declare(en, title, NULL, declared, report, e);
}
