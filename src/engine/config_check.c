/* What is right only once the whole configuration is read. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/i18n.h"
#include "engine/config_keys.h"
#include "fleet/wave.h"
#include "pki/token_uri.h"

static int conf_need(const struct conf_part *p, const char *key, const char *why, struct err *e)
{
	err_set(e, ERR_SYNTAX, p->name != NULL ? _("[%s %s] lacks the key '%s'") :
	    _("[%s%s] lacks the key '%s'"), p->section->kind, p->name != NULL ? p->name : "", key);
	return err_remedy(e, _("add a line \"%s = ...\"%s%s"), key, why != NULL ? ": " : "",
	    why != NULL ? why : "");
}

static int conf_reference(struct config *c, const struct conf_key *k, const char *value,
    struct err *e)
{
	size_t n = k->type == CONF_CA ? c->cas : c->hosts;
	const char *kind = k->type == CONF_CA ? "ca" : "host", *near;
	const char **names = mem_zalloc(n, sizeof *names);
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		names[i] = k->type == CONF_CA ? c->ca[i].name : c->host[i].name;
		found = found || strcmp(names[i], value) == 0;
	}
	if (!found) {
		near = conf_nearest(value, names, n);
		err_set(e, ERR_NOTFOUND, _("%s = %s: there is no [%s %s]"), k->name, value, kind, value);
		if (near != NULL)
			err_remedy(e, _("did you mean '%s'?"), near);
		else
			err_remedy(e, _("add a section [%s %s]"), kind, value);
	}
	free(names);
	return found ? 0 : ERR_NOTFOUND;
}

static int conf_check_action(const struct action_conf *a, const struct conf_part *p, struct err *e)
{
	switch (a->kind) {
	case ACTION_COMMAND:
	case ACTION_KEYLOCK:
		return a->run == NULL ? conf_need(p, "run", _("the command of the step"), e) : 0;
	case ACTION_FIREWALL:
		return a->ports == NULL ? conf_need(p, "ports", _("the ports to close"), e) : 0;
	case ACTION_IMAGE:
		if (a->source == NULL)
			return conf_need(p, "source", _("the device to image"), e);
		return a->target == NULL ? conf_need(p, "target", _("the folder of the image"), e) : 0;
	}
	return 0;
}

/* Who gets these is in the subscribers' file, not here. */
static bool conf_told_by_file(const struct conf_part *p)
{
	return strcmp(p->section->kind, "notice") == 0 &&
	    (strcmp(p->name, "subscriber") == 0 || strcmp(p->name, "preliminary") == 0);
}

static int conf_check_notice(const struct config *c, const struct notice_conf *n,
    const struct conf_part *p, struct err *e)
{
	bool hook = strcmp(n->transport, "webhook") == 0, ok;

	for (size_t i = 0; i < n->tos; i++) {
		ok = hook ? conf_has_scheme(n->to[i], "http://", "https://") :
		    n->to[i][0] != '-' && strchr(n->to[i], '@') != NULL &&
		    strpbrk(n->to[i], " \t<>\"'\\;|&$`()") == NULL;
		if (ok)
			continue;
		err_set(e, ERR_SYNTAX, _("to: '%s' is not %s"), n->to[i],
		    hook ? _("an http or https URL") : _("a plain mail address"));
		return err_remedy(e, "%s", hook ? _("transport = webhook takes URLs") :
		    _("write name@example.com, with commas between several"));
	}
	if (n->tos == 0 && !conf_told_by_file(p))
		return conf_need(p, "to", NULL, e);
	if (hook && conf_told_by_file(p)) {
		err_set(e, ERR_SYNTAX, _("transport = webhook: who gets this notice is in the subscribers' file"));
		return err_remedy(e, _("write sendmail or smtp; a subscriber's webhook is in that file"));
	}
	if (!hook && n->from == NULL)
		return conf_need(p, "from", _("the sender's address"), e);
	if (strcmp(n->transport, "smtp") == 0 && c->smtp_url == NULL) {
		err_set(e, ERR_SYNTAX, _("transport = smtp, but [sev1] has no smtp-url"));
		return err_remedy(e, _("add \"smtp-url = smtps://...\" to [sev1], or use sendmail"));
	}
	return 0;
}

/* A chain of parents that comes back to where it started has no root. */
static int conf_check_parents(const struct config *c, const struct ca_conf *ca, struct err *e)
{
	const struct ca_conf *up = ca;

	for (size_t i = 0; i <= c->cas && up != NULL && up->parent != NULL; i++) {
		up = config_ca(c, up->parent);
		if (up == ca) {
			err_set(e, ERR_SYNTAX, _("parent = %s: a CA above itself"), ca->parent);
			return err_remedy(e, _("a root has no parent: remove its key"));
		}
	}
	return 0;
}

/* Without a profile the section itself must say it all; whether each host has one only the inventory knows. */
/* A rollout's defaults are found wrong here, and not at three in the morning. */
static int conf_check_rollout(const struct fleet_conf *f, struct err *e)
{
	const struct {
		const char *key, *value;
	} limits[] = { { "max-failed", f->max_failed }, { "max-unreachable", f->max_unreachable },
		{ "max-refused", f->max_refused } };
	struct waves w = { 0 };
	int rc = waves_cut(&w, f->waves, 0, 1000, e);

	waves_clear(&w);
	for (size_t i = 0; rc == 0 && i < sizeof limits / sizeof limits[0]; i++) {
		const char *v = limits[i].value;

		if (v == NULL || strcmp(v, "none") == 0 ||
		    (v[0] != '\0' && strlen(v) <= 6 && strspn(v, "0123456789") == strlen(v)))
			continue;
		rc = err_set(e, ERR_SYNTAX, _("%s = %s: not a number of hosts"), limits[i].key, v);
		err_remedy(e, _("write 0 to 999999, or none"));
	}
	return rc;
}

static int conf_check_fleet(const struct fleet_conf *f, const struct conf_part *p, struct err *e)
{
	int rc = conf_check_rollout(f, e);

	if (rc < 0 || f->profile != NULL || p->line == 0 || (f->key == NULL && f->certificate == NULL))
		return rc;
	if (f->key == NULL)
		return conf_need(p, "key", _("or a profile"), e);
	if (f->certificate == NULL)
		return conf_need(p, "certificate", _("or a profile"), e);
	return f->reload == NULL ? conf_need(p, "reload", _("or a profile"), e) : 0;
}

static int conf_check_contacts(struct config *c, const struct conf_part *p, struct err *e)
{
	struct contacts_conf *k = &c->contacts;
	const char *at = k->problem_report;

	for (size_t i = 0; i < k->cpss; i++)
		if (k->cps[i][0] != '/') {
			err_set(e, ERR_SYNTAX, _("cps: '%s' is no absolute path"), k->cps[i]);
			return err_remedy(e, _("write absolute paths, with commas between several"));
		}
	if (k->ccadb != NULL && k->ccadb_owner == NULL && c->organisation == NULL)
		return conf_need(p, "ccadb-owner", _("or 'organisation' in [sev1]"), e);
	if (k->ccadb_owner == NULL && c->organisation != NULL)
		k->ccadb_owner = mem_strdup(c->organisation);
	if (at == NULL || conf_has_scheme(at, "http://", "https://") || (strchr(at, '@') != NULL && strpbrk(at, " \t<>") == NULL))
		return 0;
	err_set(e, ERR_SYNTAX, _("problem-report = %s: neither a mail address nor a URL"), at);
	return err_remedy(e, _("write name@example.com, or https://..."));
}

/* A file that is not there stops only what needs it: at night a CA's folder is moved away, and reports must be written. */
static void conf_missing(struct config *c, const struct conf_key *k, const char *path, int line)
{
	struct err *e;

	if (access(path, F_OK) == 0)
		return;
	e = errs_add(&c->missing, line);
	err_sys(e, "%s = %s", k->name, path);
	if (line > 0)
		err_prefix(e, "%s:%d", c->path, line);
	else
		err_prefix(e, "%s", c->path);
	err_remedy(e, _("correct the path, or put the file there"));
}

static int conf_check_key(struct config *c, const struct conf_part *p, const struct conf_key *k, int line, struct err *e)
{
	char **slot = conf_slot(c, p, k), *absolute;
	const char *host = NULL;

	if (k->type == CONF_NUMBER || k->type == CONF_FLAG || k->type == CONF_KIND ||
	    k->type == CONF_LIST || *slot == NULL)
		return 0;
	if (k->type == CONF_CA || k->type == CONF_HOST)
		return conf_reference(c, k, *slot, e);
	if (k->type == CONF_FILE) {
		conf_missing(c, k, *slot, line);
		return 0;
	}
	if (k->type != CONF_PLACE)
		return 0;
	if (strcmp(p->section->kind, "point") == 0)
		host = ((const struct point_conf *)conf_base(c, p))->host;
	else
		host = ((const struct action_conf *)conf_base(c, p))->host;
	if (host != NULL && (*slot)[0] != '/')
		return conf_bad(e, k, *slot, _("write an absolute path: it is on another host"));
	if (host == NULL) {
		absolute = conf_path(c, *slot);
		free(*slot);
		*slot = absolute;
	}
	return 0;
}

int conf_check_part(struct config *c, const struct conf_part *p, int *line, struct err *e)
{
	int rc;

	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (&conf_sections[k->section] != p->section)
			continue;
		*line = p->line;
		if (k->must && !(k->type == CONF_LIST && conf_told_by_file(p)) && p->key_line[i] == 0 && (p->line > 0 || p->section->named))
			return conf_need(p, k->name, k->help, e);
		if (p->key_line[i] > 0)
			*line = p->key_line[i];
		if ((rc = conf_check_key(c, p, k, *line, e)) < 0)
			return rc;
	}
	*line = p->line;
	if (strcmp(p->section->kind, "action") == 0) {
		struct action_conf *a = conf_base(c, p);

		if (a->deadline == 0)
			a->deadline = a->kind == ACTION_IMAGE ? 86400 : 60;
		return conf_check_action(a, p, e);
	}
	if (strcmp(p->section->kind, "contacts") == 0)
		return conf_check_contacts(c, p, e);
	if (strcmp(p->section->kind, "fleet") == 0)
		return conf_check_fleet(conf_base(c, p), p, e);
	if (strcmp(p->section->kind, "notice") == 0)
		return conf_check_notice(c, conf_base(c, p), p, e);
	if (strcmp(p->section->kind, "ca") == 0) {
		const struct ca_conf *ca = conf_base(c, p);

		if (ca->key != NULL && token_uri_is(ca->key) && ca->pkcs11_module == NULL)
			return conf_need(p, "pkcs11-module", _("the PKCS#11 library of the token"), e);
	}
	if (strcmp(p->section->kind, "ca") == 0)
		return conf_check_parents(c, conf_base(c, p), e);
	return 0;
}
