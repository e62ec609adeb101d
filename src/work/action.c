#include "work/action.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"
#include "child/image.h"

static const char *const families[] = { "iptables", "ip6tables" };
#define FAMILIES (sizeof families / sizeof families[0])

const char *action_kind_name(enum action_kind kind)
{
	static const char *const name[] = { "command", "firewall", "image", "keylock" };

	return name[kind];
}

int action_ports(const char *s, int port[ACTION_PORTS_MAX], size_t *n, struct err *e)
{
	char *end;
	long v;
	size_t i;

	*n = 0;
	for (const char *p = s != NULL ? s : ""; *p != '\0';) {
		if (*p == ' ' || *p == ',') {
			p++;
			continue;
		}
		v = *p >= '0' && *p <= '9' ? strtol(p, &end, 10) : 0;
		if (v < 1 || v > 65535 || (*end != '\0' && *end != ',' && *end != ' '))
			return err_set(e, ERR_USAGE, _("'%s' is not a list of ports from 1 to 65535"), s);
		for (i = 0; i < *n && port[i] != v; i++)
			;
		if (i == ACTION_PORTS_MAX)
			return err_set(e, ERR_USAGE, _("more than %d ports"), ACTION_PORTS_MAX);
		if (i == *n)
			port[(*n)++] = (int)v;
		p = end;
	}
	return *n > 0 ? 0 : err_set(e, ERR_USAGE, _("no ports are given"));
}

int action_probe(const char *s, char **address, int *port, struct err *e)
{
	const char *colon = strrchr(s, ':');
	size_t n = colon != NULL ? (size_t)(colon - s) : 0;
	int list[ACTION_PORTS_MAX];
	size_t ports;

	*address = NULL;
	if (n > 2 && s[0] == '[' && s[n - 1] == ']')
		*address = mem_strndup(s + 1, n - 2);
	else if (n > 0)
		*address = mem_strndup(s, n);
	if (text_is_host(*address, false) && action_ports(colon + 1, list, &ports, NULL) == 0 && ports == 1) {
		*port = list[0];
		return 0;
	}
	free(*address);
	*address = NULL;
	return err_set(e, ERR_USAGE, _("probe '%s' is not address:port"), s);
}

/* ---- the firewall ---- */

static void rule_add(struct buf *b, int port, const char *incident)
{
	buf_addf(b, "-p tcp --dport %d -m comment --comment sev1:%s -j DROP", port, incident);
}

/* Removed first where an earlier try has left it, so that there is one rule and one undo. */
static void rule_insert(struct buf *b, const char *family, int port, const char *incident)
{
	buf_addf(b, "{ %s -w -D INPUT ", family);
	rule_add(b, port, incident);
	buf_addf(b, " 2>/dev/null; %s -w -I INPUT 1 ", family);
	rule_add(b, port, incident);
	buf_adds(b, "; }");
}

/* The rules of this incident must stand before all others, and ours among them: behind an ACCEPT they
 * do nothing. */
static void rules_verify(struct buf *b, const char *family, const int *port, size_t n,
    const char *incident)
{
	buf_addf(b, "%s -w -S INPUT | awk '/^-P/ {next} !/sev1:%s[\" ]/ {exit}", family, incident);
	for (size_t i = 0; i < n; i++)
		buf_addf(b, " /--dport %d .*-j DROP/ {p%d = 1}", port[i], port[i]);
	buf_adds(b, " END {exit !(");
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%sp%d", i > 0 ? " && " : "", port[i]);
	buf_adds(b, ")}'");
}

static int firewall_build(const struct action_conf *a, const char *incident, struct action_steps *out,
    struct err *e)
{
	struct buf command = { 0 }, verify = { 0 }, undo = { 0 }, undone = { 0 };
	int port[ACTION_PORTS_MAX];
	size_t n;

	if (action_ports(a->ports, port, &n, e) < 0)
		return e->code;
	for (size_t f = 0; f < FAMILIES; f++) {
		for (size_t i = 0; i < n; i++) {
			bool first = f == 0 && i == 0;
			buf_adds(&command, first ? "" : " && ");
			rule_insert(&command, families[f], port[i], incident);
			buf_addf(&undo, "%s%s -w -D INPUT ", first ? "" : "; ", families[f]);
			rule_add(&undo, port[i], incident);
			buf_addf(&undone, "%s! %s -w -C INPUT ", first ? "" : " && ", families[f]);
			rule_add(&undone, port[i], incident);
			buf_adds(&undone, " 2>/dev/null");
		}
		buf_adds(&verify, f == 0 ? "" : " && ");
		rules_verify(&verify, families[f], port, n, incident);
	}
	out->command = buf_take(&command);
	out->verify = buf_take(&verify);
	out->undo = buf_take(&undo);
	out->undone = buf_take(&undone);
	return 0;
}

/* ---- all kinds ---- */

static int image_build(const struct action_conf *a, const char *incident, struct action_steps *out,
    struct err *e)
{
	if (a->source == NULL || a->source[0] != '/' || a->target == NULL || a->target[0] != '/')
		return err_set(e, ERR_USAGE, _("an image needs source and target as absolute paths"));
	out->image = mem_printf("%s-%s.img", incident, a->name);
	out->command = image_short(a->source, a->target, out->image);
	return 0;
}

static int command_build(const struct action_conf *a, struct action_steps *out, struct err *e)
{
	if (a->run == NULL || a->run[0] == '\0')
		return err_set(e, ERR_USAGE, _("there is no command to run"));
	out->command = mem_strdup(a->run);
	out->verify = mem_strdup(a->verify);
	out->undo = mem_strdup(a->undo);
	return 0;
}

/* What is shown is what is run: no text whose escaped form differs from itself. */
static int action_shown(const struct action_conf *a, struct err *e)
{
	const char *const text[] = { a->run, a->verify, a->undo, a->source, a->target, a->probe };

	for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
		char *safe = text[i] != NULL ? text_escaped(text[i], strlen(text[i]), SIZE_MAX) : NULL;
		bool same = safe == NULL || strcmp(safe, text[i]) == 0;
		if (!same)
			err_set(e, ERR_USAGE, _("control or invisible characters: %s"), safe);
		free(safe);
		if (!same)
			return ERR_USAGE;
	}
	return 0;
}

int action_build(const struct action_conf *a, const char *incident, struct action_steps *out,
    struct err *e)
{
	struct err why = { 0 };
	char *address = NULL;
	int rc, port;

	*out = (struct action_steps){ 0 };
	if ((rc = action_shown(a, &why)) < 0)
		;
	else if (a->probe != NULL && (rc = action_probe(a->probe, &address, &port, &why)) < 0)
		;
	else if (!text_is_word(incident) || !text_is_word(a->name))
		rc = err_set(&why, ERR_USAGE, _("the name or incident '%s' holds odd characters"), incident);
	else if (a->kind == ACTION_FIREWALL)
		rc = firewall_build(a, incident, out, &why);
	else if (a->kind == ACTION_IMAGE)
		rc = image_build(a, incident, out, &why);
	else
		rc = command_build(a, out, &why);
	free(address);
	for (char **s[] = { &out->command, &out->verify, &out->undo, &out->undone, &out->image, NULL },
	    ***p = s; *p != NULL; p++)
		if (**p == NULL)
			**p = mem_strdup("");
	if (rc < 0) {
		action_steps_clear(out);
		err_set(e, rc, _("[action %s] (line %d): %s"), a->name, a->line, why.text);
	}
	return rc;
}

void action_steps_clear(struct action_steps *s)
{
	free(s->command);
	free(s->verify);
	free(s->undo);
	free(s->undone);
	free(s->image);
	*s = (struct action_steps){ 0 };
}

/* ---- what serves CRLs must stay ---- */

/* The host of a URL into b, and its port. */
static int url_port(const char *url, struct buf *host)
{
	const char *p = strstr(url, "://"), *at, *end;

	if (p == NULL)
		return 0;
	p += 3;
	if ((at = memchr(p, '@', strcspn(p, "/?#"))) != NULL)
		p = at + 1;
	if (*p == '[') {
		end = p + 1 + strcspn(p + 1, "]");
		buf_add(host, p + 1, (size_t)(end - p - 1));
		end += *end == ']';
	} else {
		end = p + strcspn(p, ":/?#");
		buf_add(host, p, (size_t)(end - p));
	}
	if (*end == ':')
		return atoi(end + 1);
	return strncasecmp(url, "https:", 6) == 0 ? 443 : 80;
}

static bool name_is_here(const char *name)
{
	char self[256] = "";

	gethostname(self, sizeof self - 1);
	return strcmp(name, "localhost") == 0 || strncmp(name, "127.", 4) == 0 || strcmp(name, "::1") == 0 ||
	    strcasecmp(name, self) == 0;
}

/* Does the point's URL, or the point itself, live where the action works? */
static bool same_place(const struct config *c, const struct action_conf *a, const struct point_conf *p,
    const char *url_host)
{
	const struct host_conf *at;

	if (a->host == NULL)
		return p->host == NULL || name_is_here(url_host);
	at = config_host(c, a->host);
	return (p->host != NULL && strcmp(p->host, a->host) == 0) || strcasecmp(url_host, a->host) == 0 ||
	    (at != NULL && at->address != NULL && strcasecmp(url_host, at->address) == 0);
}

static bool stops_something(const char *command)
{
	static const char *const word[] = { "stop", "disable", "mask", "kill", "poweroff", "shutdown",
		"halt", "down" };

	for (size_t i = 0; command != NULL && i < sizeof word / sizeof word[0]; i++)
		if (strstr(command, word[i]) != NULL)
			return true;
	return false;
}

static bool takes_away(const struct action_conf *a, int url_port_no)
{
	int port[ACTION_PORTS_MAX];
	size_t n;

	if (a->kind == ACTION_COMMAND)
		return stops_something(a->run);
	if (a->kind != ACTION_FIREWALL || action_ports(a->ports, port, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (port[i] == url_port_no)
			return true;
	return false;
}

json_t *action_conflicts(const struct config *c, const struct action_conf *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->points; i++) {
		const struct point_conf *p = &c->point[i];
		struct buf host = { 0 };
		int port = url_port(p->url != NULL ? p->url : "", &host);
		if (takes_away(a, port) && same_place(c, a, p, buf_str(&host))) {
			char *text = a->kind == ACTION_FIREWALL ?
			    mem_printf(_("%s closes port %d, where clients fetch the CRL of %s (point %s, %s): "
			                 "move the point first, or keep the port"), a->name, port, p->ca, p->name, p->url) :
			    mem_printf(_("%s may stop what serves the CRL of %s (point %s, %s): "
			                 "make sure that it stays, or move the point first"), a->name, p->ca, p->name, p->url);
			json_array_append_new(list, json_string(text));
			free(text);
		}
		buf_free(&host);
	}
	return list;
}

/* ---- the key lock ---- */

static bool crl_ready(const struct incident *in, const char *ca)
{
	const struct crl_made *crl = incident_crl(in, ca);

	return crl != NULL && crl->revoke;
}

const char *action_key_waits(const struct incident *in)
{
	if (!in->scope_frozen)
		return "";
	for (size_t i = 0; i < in->scopes; i++)
		if (in->scope[i].selected > 0 && !crl_ready(in, in->scope[i].ca))
			return in->scope[i].ca;
	for (size_t i = 0; i < in->owns; i++)
		if (!crl_ready(in, in->own[i].issuer))
			return in->own[i].issuer;
	return NULL;
}
