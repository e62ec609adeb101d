/* What the plan of a notice and that of a round of notices to subscribers have in common. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "engine/paths.h"
#include "work/notice.h"

#define TEMPLATE_MAX (1u << 20)

int notice_template(const struct notice_conf *conf, char **path, struct buf *b, struct err *e)
{
	*path = conf->template != NULL ? mem_strdup(conf->template) : path_template(conf->name);
	if (fs_read(*path, b, TEMPLATE_MAX, e) == 0)
		return 0;
	return err_remedy(e, _("put the file there, or correct 'template' in [notice %s]"), conf->name);
}

int notice_given(struct run *r, struct fields *f, struct err *e)
{
	const char *s, *eq;

	for (size_t i = 0; (s = args_nth(run_args(r), "field", i)) != NULL; i++) {
		char *name;
		if ((eq = strchr(s, '=')) == NULL || eq == s)
			return err_set(e, ERR_USAGE, _("notify: --field is NAME=VALUE, not '%s'"), s);
		name = mem_strndup(s, (size_t)(eq - s));
		fields_set(f, name, eq + 1);
		free(name);
	}
	return 0;
}

int64_t notice_at(const struct run *r)
{
	const struct incident *in = run_incident(r);
	const char *plan = args_get(run_args(r), "plan");

	if (plan != NULL && in->plan_hash != NULL && strcmp(plan, in->plan_hash) == 0 &&
	    strcmp(in->plan_command, "notify") == 0)
		return json_num(in->plan_spec, "at", 0);
	return clock_now() / 1000 * 1000;
}
