/* Write a configuration from what is found on this machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "engine/config_keys.h"
#include "engine/run.h"
#include "work/init.h"

#define CHECK_S 30
#define ROOTS_MAX 16

struct init {
	struct run *run;
	struct init_found *found;
	struct init_wait {
		struct init *init;
		size_t ca;
	} *wait; /* one for each CA that is asked */
	size_t waiting;
	char *path;
};

static void init_data_free(void *data)
{
	struct init *in = data;

	init_free(in->found);
	free(in->path);
	free(in->wait);
	free(in);
}

static char *init_target(const struct args *a)
{
	const char *wanted = args_get(a, "output"), *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *cwd, *path;

	if (wanted != NULL) {
		cwd = realpath(".", NULL);
		path = fs_join(cwd != NULL ? cwd : ".", wanted);
		free(cwd);
		return path;
	}
	if (geteuid() == 0)
		return mem_strdup("/etc/sev1/sev1.conf");
	if (xdg != NULL && xdg[0] == '/')
		return fs_join(xdg, "sev1/sev1.conf");
	return mem_printf("%s/.config/sev1/sev1.conf", home != NULL ? home : "");
}

static void init_taken(struct run *r, const char *path)
{
	struct err e = { 0 };

	err_set(&e, ERR_REFUSED, _("%s: exists; it is never overwritten"), path);
	err_remedy(&e, _("name another file with -o, or move it away first"));
	run_fail(r, &e);
}

/* Everything was asked: write, and try what was written. */
static void init_finish(struct init *in)
{
	struct run *r = in->run;
	struct buf b = { 0 };
	struct err e = { 0 };
	struct config *c;
	json_t *cas = json_array();
	int rc;

	init_write(in->found, &b);
	rc = init_put(in->path, &b, &e);
	buf_free(&b);
	for (size_t i = 0; i < in->found->cas; i++)
		json_array_append_new(cas, json_pack("{s:s,s:s}", "name", in->found->ca[i].name, "config",
		    in->found->ca[i].config));
	json_object_set_new(run_result(r), "cas", cas);
	json_put(run_result(r), "path", in->path);
	if (rc < 0) {
		run_fail(r, &e);
		return;
	}
	for (size_t i = 0; i < in->found->cas; i++)
		run_out(r, _("found the CA %s: %s"), in->found->ca[i].name, in->found->ca[i].config);
	for (size_t i = 0; i < in->found->inventories; i++)
		run_out(r, _("found an inventory: %s"), in->found->inventory[i]);
	run_out(r, _("Configuration written to %s"), in->path);
	c = config_load(in->path, &e);
	if (c == NULL)
		run_out(r, _("To be completed: %s (%s)"), e.text, e.remedy);
	else
		run_out(r, _("Next: read it, complete it, and run: sev1 -c %s doctor"), in->path);
	config_free(c);
	run_end(r, EXIT_DONE);
}

static void init_checked(void *ctx, const json_t *result, const struct err *err)
{
	struct init_wait *w = ctx;
	struct init *in = w->init;
	struct init_ca *ca = &in->found->ca[w->ca];

	if (result != NULL)
		ca->check = json_deep_copy(result);
	else
		ca->problem = mem_strdup(err->text);
	if (--in->waiting == 0)
		init_finish(in);
}

static void init_start(struct run *r)
{
	static const char *const usual[] = { "/etc/pki", "/etc/ssl", "/etc/easy-rsa", "/root", NULL };
	static const char *const webs[] = { "/var/www", "/srv", "/usr/share/nginx/html", NULL };
	const char *root[ROOTS_MAX + 1] = { NULL };
	struct init *in;
	struct buf b = { 0 };

	if (args_has(run_args(r), "sample")) {
		config_sample(&b);
		for (char *line = b.data, *nl; *line != '\0'; line = nl) {
			nl = line + strcspn(line, "\n");
			*nl++ = '\0';
			run_out(r, "%s", line);
		}
		buf_free(&b);
		run_end(r, EXIT_DONE);
		return;
	}
	in = mem_zalloc(1, sizeof *in);
	in->run = r;
	run_set_data(r, in, init_data_free);
	in->path = init_target(run_args(r));
	if (fs_exists(in->path)) {
		init_taken(r, in->path);
		return;
	}
	for (size_t i = 0; i < ROOTS_MAX; i++)
		root[i] = args_nth(run_args(r), "root", i);
	in->found = root[0] != NULL ? init_search(root, root) : init_search(usual, webs);
	in->wait = mem_zalloc(in->found->cas, sizeof *in->wait);
	in->waiting = in->found->cas + 1; /* one for this function: a child cannot end before it */
	for (size_t i = 0; i < in->found->cas; i++) {
		json_t *ca = json_pack("{s:s,s:s}", "name", in->found->ca[i].name, "config",
		    in->found->ca[i].config);

		in->wait[i] = (struct init_wait){ in, i };
		if (run_child(r, "ca", json_pack("{s:s,s:o,s:b}", "op", "check", "ca", ca, "sign", 0), CHECK_S,
			NULL, init_checked, &in->wait[i]) == NULL)
			return; /* the run has ended with why */
	}
	if (--in->waiting == 0)
		init_finish(in);
}

const struct command cmd_init = {
	.name = "init", .usage = "",
	.summary = N_("write a configuration from what is found on this machine"),
	.effect = N_("Reads openssl.cnf files, easy-rsa folders and inventories below /etc/pki, /etc/ssl, "
		     "/etc/easy-rsa and /root, and writes one new file. An existing file is never overwritten."),
	.options = (const struct option[]){
		{ "output", N_("FILE"), N_("where to write it; also -o FILE") },
		{ "root", N_("FOLDER"), N_("search here instead of the usual places; may be repeated") },
		{ "sample", NULL, N_("print a commented sample with every key, and write nothing") },
		{ NULL, NULL, NULL } },
	.start = init_start,
};
