#include "incident/playbook.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/inifile.h"
#include "base/json.h"
#include "incident/incident.h"

#define CHECKPOINT_MAX 99
#define DUE_MAX (366L * 24 * 60) /* minutes */

struct playbook {
	json_t *checkpoints, *followups;
	json_t *item;  /* the one that is being read, borrowed */
	const char *name;
	int line;      /* of its heading */
};

/* "+15m", "1h", "2d", "1w" in minutes; -1 "per regulation" where that is allowed; -2 otherwise. */
static long playbook_due(const char *value, bool followup)
{
	static const struct {
		const char *unit;
		long minutes;
	} units[] = { { "m", 1 }, { "h", 60 }, { "d", 24 * 60 }, { "w", 7 * 24 * 60 } };
	char *end;
	long n;

	if (followup && strcmp(value, "per regulation") == 0)
		return -1;
	errno = 0;
	n = strtol(value + (value[0] == '+'), &end, 10);
	if (errno != 0 || end == value || n < 0 || n > DUE_MAX)
		return -2;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(end, units[i].unit) == 0 && n <= DUE_MAX / units[i].minutes)
			return n * units[i].minutes;
	return -2;
}

long playbook_minutes(const char *value)
{
	return playbook_due(value, false);
}

/* The item before a new heading, or before the end of the file, must be whole. */
static int playbook_whole(const struct playbook *p, struct err *e)
{
	static const char *const needs[] = { "title", "due", "command", "evidence" };
	bool checkpoint;

	if (p->item == NULL)
		return 0;
	checkpoint = json_array_get(p->followups, 0) == NULL;
	for (size_t i = 0; i < (checkpoint ? 4u : 2u); i++) {
		if (json_object_get(p->item, needs[i]) != NULL)
			continue;
		err_set(e, ERR_SYNTAX, _("the entry at line %d lacks the key '%s'"), p->line, needs[i]);
		return err_remedy(e, _("add a line \"%s = ...\""), needs[i]);
	}
	return 0;
}

static int playbook_heading(struct playbook *p, const char *heading, int line, struct err *e)
{
	bool checkpoint = strncmp(heading, "checkpoint ", 11) == 0;
	json_t *list;
	char *end;
	long n;

	if (!checkpoint && strncmp(heading, "followup ", 9) != 0) {
		err_set(e, ERR_SYNTAX, _("unknown section [%s]"), heading);
		return err_remedy(e, _("write [checkpoint N] or [followup N]"));
	}
	if (checkpoint && json_array_size(p->followups) > 0) {
		err_set(e, ERR_SYNTAX, _("[%s] after the follow-ups"), heading);
		return err_remedy(e, _("put the checkpoints first"));
	}
	list = checkpoint ? p->checkpoints : p->followups;
	n = strtol(strchr(heading, ' ') + 1, &end, 10);
	if (*end != '\0' || n != (long)json_array_size(list) + 1 || n > CHECKPOINT_MAX) {
		err_set(e, ERR_SYNTAX, _("[%s]: number %zu comes next"), heading,
		    json_array_size(list) + 1);
		return err_remedy(e, _("number the entries 1, 2, 3 ... in their order, up to 99"));
	}
	p->item = json_object();
	p->line = line;
	json_put_num(p->item, "n", n);
	json_array_append_new(list, p->item);
	return 0;
}

static int playbook_line(void *ctx, const char *section, const char *key, const char *value,
    int line, struct err *e)
{
	struct playbook *p = ctx;
	bool checkpoint = strncmp(section, "checkpoint ", 11) == 0;
	long due;
	int rc;

	if (key == NULL)
		return (rc = playbook_whole(p, e)) < 0 ? rc : playbook_heading(p, section, line, e);
	if (json_object_get(p->item, key) != NULL)
		return err_set(e, ERR_SYNTAX, _("'%s' again in [%s]"), key, section);
	if (strcmp(key, "due") == 0) {
		if ((due = playbook_due(value, !checkpoint)) < -1) {
			err_set(e, ERR_SYNTAX, _("due = %s: not a time"), value);
			return err_remedy(e, checkpoint ? _("write minutes or hours: +15m, +1h") :
			    _("write +24h, +2d, +1w or \"per regulation\""));
		}
		json_put_num(p->item, "due", due);
		return 0;
	}
	if (strcmp(key, "title") != 0 &&
	    !(checkpoint && (strcmp(key, "command") == 0 || strcmp(key, "evidence") == 0))) {
		err_set(e, ERR_SYNTAX, _("unknown key '%s' in [%s]"), key, section);
		return err_remedy(e, checkpoint ? _("its keys are title, due, command, evidence") :
		    _("its keys are title, due"));
	}
	if (value[0] == '\0') {
		err_set(e, ERR_SYNTAX, _("'%s' is empty"), key);
		return err_remedy(e, _("write a value"));
	}
	if (strcmp(key, "evidence") == 0 && !checkpoint_evidence(value)) {
		err_set(e, ERR_SYNTAX, _("evidence = %s: no such evidence"), value);
		return err_remedy(e, _("it is one of scope-frozen, actions-held, notice:NAME, crl-made, "
				       "crl-published, reissue-verified"));
	}
	json_put(p->item, key, value);
	return 0;
}

/* Due times must rise: the next checkpoint is the first that is open, and the last is the RTO. */
static int playbook_order(const struct playbook *p, struct err *e)
{
	int64_t last = 0, due;
	const json_t *item;
	size_t i;

	json_array_foreach(p->checkpoints, i, item) {
		due = json_num(item, "due", 0);
		if (due < last) {
			err_set(e, ERR_SYNTAX, _("%s: checkpoint %zu is due before checkpoint %zu"), p->name,
			    i + 1, i);
			return err_remedy(e, _("put the checkpoints in the order of their times"));
		}
		last = due;
	}
	if (json_array_size(p->checkpoints) == 0) {
		err_set(e, ERR_SYNTAX, _("%s: no [checkpoint 1]"), p->name);
		return err_remedy(e, _("a playbook has at least one checkpoint"));
	}
	return 0;
}

int playbook_read(const char *text, const char *name, json_t *body, struct err *e)
{
	struct playbook p = { .checkpoints = json_array(), .followups = json_array(), .name = name };
	int rc = inifile_each(text, name, playbook_line, &p, e);

	if (rc == 0 && (rc = playbook_whole(&p, e)) < 0)
		err_prefix(e, "%s:%d", name, p.line);
	if (rc == 0)
		rc = playbook_order(&p, e);
	if (rc == 0) {
		json_object_set(body, "checkpoints", p.checkpoints);
		json_object_set(body, "followups", p.followups);
	}
	json_decref(p.checkpoints);
	json_decref(p.followups);
	return rc;
}
