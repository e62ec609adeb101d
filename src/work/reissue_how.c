/* How each server is reached, and takes its certificate. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"
#include "engine/paths.h"
#include "engine/request.h"
#include "work/reissue.h"

static const struct profile *profile_find(const struct reissue *d, const char *name)
{
	for (size_t i = 0; name != NULL && i < d->profiles; i++)
		if (strcmp(d->profile[i]->name, name) == 0)
			return d->profile[i];
	return NULL;
}

static const char *server_profile(const struct reissue *d, const struct server *s)
{
	return s->profile != NULL ? s->profile : run_config(d->run)->fleet.profile;
}

/* PROFILES/NAME.ini, else the installed one. */
static int profile_add(struct reissue *d, const char *name, struct err *e)
{
	const char *folder = run_config(d->run)->fleet.profiles;
	char *relative = mem_printf("%s.ini", name), *file = folder != NULL ? fs_join(folder, relative) : NULL;
	struct profile *p;

	if (file == NULL || !fs_exists(file)) {
		free(file);
		free(relative);
		relative = mem_printf("profiles/%s.ini", name);
		file = path_data(relative);
	}
	if (!fs_exists(file)) {
		err_set(e, ERR_NOTFOUND, _("profile %s: there is no such file: %s"), name, file);
		err_remedy(e, _("installed are nginx, apache, haproxy, postfix, dovecot; put your own into the folder that "
		                "profiles in [fleet] names"));
	} else if ((p = profile_load(name, file, e)) != NULL) {
		d->profile = mem_grow(d->profile, d->profiles + 1, sizeof *d->profile);
		d->profile[d->profiles++] = p;
	}
	free(relative);
	free(file);
	return e->code;
}

int reissue_profiles(struct reissue *d, struct err *e)
{
	const struct fleet_conf *f = &run_config(d->run)->fleet;

	for (size_t i = 0; i < d->targets; i++) {
		const char *name = server_profile(d, d->target[i]);
		if (name != NULL && profile_find(d, name) == NULL && profile_add(d, name, e) < 0)
			return e->code;
		if (name == NULL && (f->key == NULL || f->certificate == NULL || f->reload == NULL)) {
			err_set(e, ERR_USAGE, _("%s: [fleet] names no profile and no key, certificate and reload"),
			    run_config(d->run)->path);
			return err_remedy(e, _("see the section in the sample configuration"));
		}
	}
	return 0;
}

static void over(const char **slot, const char *value)
{
	if (value != NULL)
		*slot = value;
}

struct reissue_how reissue_how(const struct reissue *d, const struct server *s)
{
	const struct fleet_conf *f = &run_config(d->run)->fleet;
	const char *name = server_profile(d, s);
	const struct profile *p = profile_find(d, name);
	struct reissue_how how = { .sudo = f->sudo };

	if (p != NULL)
		how = (struct reissue_how){ .key = p->key, .certificate = p->certificate, .chain = p->chain, .test = p->test,
			.reload = p->reload, .starttls = p->starttls, .probe_port = p->probe_port, .combined = p->combined,
			.sudo = p->sudo || f->sudo };
	/* [fleet]'s own words are about the profile that it names, not about others that the inventory does. */
	if (p == NULL || (f->profile != NULL && strcmp(f->profile, name) == 0)) {
		over(&how.key, f->key);
		over(&how.certificate, f->certificate);
		over(&how.chain, f->chain);
		over(&how.test, f->test);
		over(&how.reload, f->reload);
		over(&how.starttls, f->starttls);
		how.combined = how.combined || f->combined;
		if (f->probe_port != 0)
			how.probe_port = f->probe_port;
	}
	if (how.probe_port == 0)
		how.probe_port = 443;
	if (s->sudo >= 0)
		how.sudo = s->sudo == 1;
	return how;
}

/* ---- what the children are told of a host ---- */

static void reissue_put(json_t *o, const char *key, const char *pattern, const char *name)
{
	char *s = host_expand(pattern, name);

	json_object_set_new(o, key, json_string(s != NULL ? s : ""));
	free(s);
}

/* How a host is reached: the inventory first, then its [host] section, then [fleet]. */
static json_t *reissue_host(const struct config *c, const struct server *s)
{
	json_t *o = host_request(c, s->name);
	const struct fleet_conf *f = &c->fleet;

	if (o == NULL) {
		o = json_pack("{s:s, s:s, s:i}", "name", s->name, "address", s->name, "port", f->port);
		json_object_set_new(o, "user", json_string(f->user != NULL ? f->user : ""));
		json_object_set_new(o, "identity", json_string(f->identity != NULL ? f->identity : ""));
		json_object_set_new(o, "known_hosts", json_string(f->known_hosts != NULL ? f->known_hosts : ""));
		json_object_set_new(o, "ssh_config", json_string(c->ssh_config != NULL ? c->ssh_config : ""));
	}
	if (s->address != NULL)
		json_object_set_new(o, "address", json_string(s->address));
	if (s->user != NULL)
		json_object_set_new(o, "user", json_string(s->user));
	if (s->port != 0)
		json_object_set_new(o, "port", json_integer(s->port));
	if (s->identity != NULL)
		json_object_set_new(o, "identity", json_string(s->identity));
	if (s->jump != NULL)
		json_object_set_new(o, "jump", json_string(s->jump));
	return o;
}

bool reissue_new_key(const struct config *c)
{
	return c->fleet.key_mode != NULL && strcmp(c->fleet.key_mode, "new") == 0;
}

bool reissue_in_place(const struct config *c)
{
	return c->fleet.names != NULL && strcmp(c->fleet.names, "certificate") == 0;
}

json_t *reissue_order(void *ctx, size_t i)
{
	struct reissue *d = ctx;
	const struct config *c = run_config(d->run);
	const struct fleet_conf *f = &c->fleet;
	const struct server *s = d->target[i];
	const struct reissue_how how = reissue_how(d, s);
	json_t *o = json_pack("{s:o, s:s}", "host", reissue_host(c, s), "key_mode",
	    f->key_mode != NULL ? f->key_mode : "keep"), *names = json_array();

	for (size_t k = 0; k < s->count; k++)
		json_array_append_new(names, json_string(s->names[k]));
	json_object_set_new(o, "names", names);
	reissue_put(o, "key", how.key, s->name);
	reissue_put(o, "certificate", how.certificate, s->name);
	reissue_put(o, "chain", how.chain, s->name);
	reissue_put(o, "test", how.test, s->name);
	reissue_put(o, "reload", how.reload, s->name);
	json_object_set_new(o, "combined", json_boolean(how.combined));
	json_object_set_new(o, "sudo", json_boolean(how.sudo));
	return o;
}

json_t *reissue_probe(void *ctx, size_t i)
{
	struct reissue *d = ctx;
	const struct server *s = d->target[i];
	const struct reissue_how how = reissue_how(d, s);
	json_t *host = reissue_host(run_config(d->run), s), *o;
	const char *name = s->name;

	for (size_t k = s->count; k > 0; k--)
		if (strchr(s->names[k - 1], '*') == NULL && !text_is_ip(s->names[k - 1]))
			name = s->names[k - 1];
	o = json_pack("{s:O, s:i, s:s}", "address", json_object_get(host, "address"), "port",
	    how.probe_port, "name", name);
	if (how.starttls != NULL)
		json_object_set_new(o, "starttls", json_string(how.starttls));
	json_decref(host);
	return o;
}
