/* Values of the configuration: converted one by one as they are read, judged together at the end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/i18n.h"
#include "base/text.h"
#include "engine/config_keys.h"
#include "engine/paths.h"
#include "fleet/wave.h"
#include "pki/token_uri.h"

void *conf_base(struct config *c, const struct conf_part *p)
{
	char *at = (char *)c;

	if (!p->section->named)
		return at + p->section->array;
	return *(char **)(void *)(at + p->section->array) + p->index * p->section->size;
}

static char **conf_slot(struct config *c, const struct conf_part *p, const struct conf_key *k)
{
	return (char **)(void *)((char *)conf_base(c, p) + k->offset);
}

static size_t conf_distance(const char *a, const char *b)
{
	size_t row[65], la = strlen(a), lb = strlen(b), diagonal, above;

	if (la > 64 || lb > 64)
		return 64;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			above = row[j];
			row[j] = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[lb];
}

const char *conf_nearest(const char *word, const char *const names[], size_t n)
{
	size_t best = strlen(word) / 2 + 1, d;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		if ((d = conf_distance(word, names[i])) < best) {
			best = d;
			found = names[i];
		}
	}
	return found;
}

/* Relative to the folder of the configuration; "~/" is the operator's home. */
static char *conf_path(const struct config *c, const char *value)
{
	const char *slash = strrchr(c->path, '/'), *home = getenv("HOME");
	char *dir, *out;

	if (strncmp(value, "~/", 2) == 0 && home != NULL)
		return fs_join(home, value + 2);
	dir = slash == NULL ? mem_strdup(".") : mem_strndup(c->path, (size_t)(slash - c->path));
	out = fs_join(dir[0] != '\0' ? dir : "/", value);
	free(dir);
	return out;
}

static int conf_bad(struct err *e, const struct conf_key *k, const char *value, const char *remedy)
{
	err_set(e, ERR_SYNTAX, _("%s = %s: not a value for it"), k->name, value);
	return err_remedy(e, "%s", remedy);
}

static int conf_number(const struct conf_key *k, const char *value, long min, long max, int *out,
    struct err *e)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (errno == 0 && end != value && *end == '\0' && n >= min && n <= max) {
		*out = (int)n;
		return 0;
	}
	err_set(e, ERR_SYNTAX, _("%s = %s: not a number from %ld to %ld"), k->name, value, min, max);
	return err_remedy(e, _("write a whole number from %ld to %ld"), min, max);
}

/* The index of value in k's choices, or -1. */
static int conf_choice(const struct conf_key *k, const char *value)
{
	const char *p = k->choices;
	size_t len = strlen(value), n;

	for (int i = 0;; i++) {
		n = strcspn(p, "|");
		if (n == len && strncmp(p, value, n) == 0)
			return i;
		if (p[n] == '\0')
			return -1;
		p += n + 1;
	}
}

static bool conf_ports_ok(const char *value)
{
	char *end;
	long n;

	for (;;) {
		n = strtol(value, &end, 10);
		if (end == value || n < 1 || n > 65535)
			return false;
		end += strspn(end, " \t");
		if (*end == '\0')
			return true;
		if (*end != ',')
			return false;
		value = end + 1;
	}
}

static bool conf_probe_ok(const char *value)
{
	const char *colon = strrchr(value, ':');
	char *address;
	bool ok;

	if (colon == NULL || !conf_ports_ok(colon + 1) || strchr(colon, ',') != NULL)
		return false;
	if (value[0] == '[' && colon > value && colon[-1] == ']')
		address = mem_strndup(value + 1, (size_t)(colon - value) - 2);
	else
		address = mem_strndup(value, (size_t)(colon - value));
	ok = text_is_host(address, false);
	free(address);
	return ok;
}

static bool conf_has_scheme(const char *value, const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	if (strpbrk(value, " \t\"'<>\\") != NULL)
		return false;
	return (strncmp(value, a, la) == 0 && value[la] != '\0') ||
	    (strncmp(value, b, lb) == 0 && value[lb] != '\0');
}

static void conf_list(struct config *c, const struct conf_part *p, const struct conf_key *k,
    const char *value)
{
	char *base = conf_base(c, p), *item;
	char ***list = (char ***)(void *)(base + k->offset);
	size_t *n = (size_t *)(void *)(base + k->offset2), len;

	while (*n > 0)
		free((*list)[--*n]);
	for (;; value += len + 1) {
		value += strspn(value, ", \t");
		len = strcspn(value, ",");
		item = mem_strndup(value, len);
		for (size_t i = len; i > 0 && strchr(" \t", item[i - 1]) != NULL; i--)
			item[i - 1] = '\0';
		if (item[0] != '\0') {
			*list = mem_grow(*list, *n + 1, sizeof **list);
			(*list)[(*n)++] = item;
		} else {
			free(item);
		}
		if (value[len] == '\0')
			break;
	}
}

/* Is the text right for its type? What needs the rest of the file comes in conf_check_part. */
static int conf_judge(const struct conf_key *k, const char *value, struct err *e)
{
	switch (k->type) {
	case CONF_CHOICE:
		if (conf_choice(k, value) < 0)
			return conf_bad(e, k, value, k->choices);
		break;
	case CONF_REMOTE:
		if (value[0] != '/')
			return conf_bad(e, k, value, _("write an absolute path"));
		break;
	case CONF_HTTP:
		if (!conf_has_scheme(value, "http://", "https://"))
			return conf_bad(e, k, value, _("write a URL that starts with http:// or https://"));
		break;
	case CONF_SMTP:
		if (!conf_has_scheme(value, "smtp://", "smtps://"))
			return conf_bad(e, k, value, _("write a URL that starts with smtp:// or smtps://"));
		break;
	case CONF_ADDRESS:
		if (!text_is_host(value, false))
			return conf_bad(e, k, value, _("write a host name or an IP address"));
		break;
	case CONF_PROBE:
		if (!conf_probe_ok(value))
			return conf_bad(e, k, value, _("write address:port"));
		break;
	case CONF_KEY:
		if (token_uri_is(value))
			return token_uri_parse(&(struct token_uri){ 0 }, value, e);
		break;
	case CONF_PORTS:
		if (!conf_ports_ok(value))
			return conf_bad(e, k, value, _("write ports with commas between: 80, 443"));
		break;
	default:
		break;
	}
	return 0;
}

int conf_set(struct config *c, const struct conf_part *p, const struct conf_key *k,
    const char *value, struct err *e)
{
	char **slot = conf_slot(c, p, k);
	int i, rc;

	if (value[0] == '\0' && k->type != CONF_TEXT)
		return conf_bad(e, k, value, _("write a value, or comment the line out"));
	switch (k->type) {
	case CONF_NUMBER:
		return conf_number(k, value, k->min, k->max, (int *)(void *)slot, e);
	case CONF_FLAG:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
			return conf_bad(e, k, value, "yes|no");
		*(bool *)(void *)slot = value[0] == 'y';
		return 0;
	case CONF_KIND:
		if ((i = conf_choice(k, value)) < 0)
			return conf_bad(e, k, value, k->choices);
		*(int *)(void *)slot = i;
		return 0;
	case CONF_LIST:
		conf_list(c, p, k, value);
		return 0;
	default:
		break;
	}
	if ((rc = conf_judge(k, value, e)) < 0)
		return rc;
	free(*slot);
	if (k->type == CONF_FILE || k->type == CONF_PATH ||
	    (k->type == CONF_KEY && !token_uri_is(value)))
		*slot = conf_path(c, value);
	else
		*slot = value[0] != '\0' ? mem_strdup(value) : NULL;
	return 0;
}

/* ---- what needs the whole file ---- */

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

static int conf_check_key(struct config *c, const struct conf_part *p, const struct conf_key *k,
    struct err *e)
{
	char **slot = conf_slot(c, p, k), *absolute;
	const char *host = NULL;

	if (k->type == CONF_NUMBER || k->type == CONF_FLAG || k->type == CONF_KIND ||
	    k->type == CONF_LIST || *slot == NULL)
		return 0;
	if (k->type == CONF_CA || k->type == CONF_HOST)
		return conf_reference(c, k, *slot, e);
	if (k->type == CONF_FILE) { /* not a key: a lock takes it away, and all else must go on */
		if (access(*slot, F_OK) == 0)
			return 0;
		err_sys(e, "%s = %s", k->name, *slot);
		return err_remedy(e, _("correct the path, or put the file there"));
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
		if ((rc = conf_check_key(c, p, k, e)) < 0)
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
