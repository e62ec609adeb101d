/* A re-issue by ansible before it goes: whether it can, what the plan says of it, and its export to another machine. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "work/ansible.h"

char *ansible_find(void)
{
	const char *path = getenv("PATH");
	char *all = mem_strdup(path != NULL ? path : "/usr/bin:/bin"), *rest = NULL, *at = NULL;

	for (char *dir = strtok_r(all, ":", &rest); dir != NULL && at == NULL; dir = strtok_r(NULL, ":", &rest)) {
		at = mem_printf("%s/ansible-playbook", dir);
		if (dir[0] != '/' || access(at, X_OK) < 0) {
			free(at);
			at = NULL;
		}
	}
	free(all);
	return at;
}

int ansible_check(const struct run *r, bool *wanted, struct err *e)
{
	const struct args *a = run_args(r);
	const char *engine = args_get(a, "engine");
	char *program;

	*wanted = engine != NULL && strcmp(engine, "ansible") == 0;
	if (engine != NULL && !*wanted && strcmp(engine, "ssh") != 0)
		return err_set(e, ERR_USAGE, _("reissue: --engine takes: ssh, ansible"));
	if (!*wanted && (args_has(a, "export") || args_has(a, "from")))
		return err_set(e, ERR_USAGE, _("reissue: --export and --from go with --engine ansible"));
	if (args_has(a, "export") && args_has(a, "from"))
		return err_set(e, ERR_USAGE, _("reissue: --export writes what is to be run, --from reads what was: one of them"));
	if (!*wanted || args_has(a, "export") || args_has(a, "from"))
		return 0;
	program = ansible_find();
	free(program);
	if (program != NULL)
		return 0;
	err_set(e, ERR_NOTFOUND, _("ansible-playbook is not installed here"));
	return err_remedy(e, _("apt-get install ansible-core, or --export DIR and run it elsewhere"));
}

void ansible_plan(struct plan *p, const struct reissue *d)
{
	const struct args *a = run_args(d->run);

	if (args_has(a, "from"))
		plan_row(p, _("engine"), _("ansible, run elsewhere; results in %s"), args_get(a, "from"));
	else
		plan_row(p, _("engine"), _("ansible-playbook, %d forks; handshakes from here"),
		    run_config(d->run)->fleet.concurrency);
}

char *ansible_folder(const struct run *r, const char *named, struct err *e)
{
	char *folder;

	if (named == NULL)
		return engine_folder(run_engine(r), "ansible", e);
	if (fs_mkdirs(named, 0700, e) < 0)
		return NULL;
	if ((folder = realpath(named, NULL)) == NULL)
		err_sys(e, "%s", named);
	return folder;
}

int ansible_export(struct reissue *d, struct err *e)
{
	char *folder = ansible_folder(d->run, args_get(run_args(d->run), "export"), e);
	struct ansible_host *host;
	int rc;

	if (folder == NULL)
		return e->code;
	host = mem_zalloc(d->targets, sizeof *host);
	for (size_t i = 0; i < d->targets; i++)
		host[i] = (struct ansible_host){ .name = d->target[i]->name, .order = reissue_order(d, i) };
	rc = ansible_write(folder, PLAY_COLLECT, host, d->targets, d->tag, run_config(d->run)->fleet.deadline, e);
	for (size_t i = 0; i < d->targets; i++)
		json_decref((json_t *)host[i].order);
	free(host);
	if (rc == 0) {
		run_out(d->run, _("Written to %s, for %zu hosts:"), folder, d->targets);
		run_out(d->run, "  collect.json, collect-hosts.json, ansible.cfg");
		run_out(d->run, _("1. Run it where the hosts are reached, in that folder:"));
		run_out(d->run, "     ANSIBLE_CALLBACK_TREE_DIR=results/collect ansible-playbook -i collect-hosts.json collect.json");
		run_out(d->run, _("2. With results/collect back here, issue: sev1 reissue --engine ansible --from %s"), folder);
		run_out(d->run, _("3. Run deploy.json in the same way, into results/deploy, and do step 2 again: it verifies."));
	}
	free(folder);
	return rc;
}
