/* Doctor's checks of what speaks to people and servers, and of the libraries in use. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "comms/subscribers.h"
#include "comms/template.h"
#include "incident/times.h"
#include "work/declare.h"
#include "work/doctor.h"
#include "work/intake.h"
#include "work/servers.h"
#include "work/subscribers.h"

#define TEMPLATE_OCTETS (256u << 10)

/* Versions as the libraries themselves give them, at run time. They are looked up by name, because
 * this floor of the house includes none of them. */
void doctor_libraries(json_t *list)
{
	static const struct {
		const char *library, *symbol, *file; /* file: loaded only when it is needed, see child/net.h */
		bool takes_int;
	} libraries[] = {
		{ "OpenSSL", "OpenSSL_version", NULL, true }, { "libssh", "ssh_version", NULL, true },
		{ "SQLite", "sqlite3_libversion", NULL, false }, { "ncurses", "curses_version", NULL, false },
		{ "libcurl", "curl_version", "libcurl.so.4", false }, { "jansson", "jansson_version_str", NULL, false },
	};
	union {
		void *symbol;
		const char *(*with)(int);
		const char *(*without)(void);
	} u;

	for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
		const char *version = NULL;

		void *in = libraries[i].file != NULL ? dlopen(libraries[i].file, RTLD_NOW | RTLD_LOCAL) : RTLD_DEFAULT;

		u.symbol = in != NULL || libraries[i].file == NULL ? dlsym(in, libraries[i].symbol) : NULL;
		if (u.symbol != NULL)
			version = libraries[i].takes_int ? u.with(0) : u.without();
		if (version != NULL)
			finding_add(list, "ok", "", "%s: %s", libraries[i].library, version);
		else
			finding_add(list, "warn", _("the build is incomplete: install sev1 anew"),
			    _("%s is not there"), libraries[i].library);
	}
}

/* A secret's file must be for its owner alone. */
static void doctor_secret(json_t *list, const char *path)
{
	struct stat st;

	if (path != NULL && stat(path, &st) == 0 && (st.st_mode & 077) != 0)
		finding_add(list, "fail", _("chmod 600 it"), _("%s: others than its owner may read it (mode %03o)"),
		    path, st.st_mode & 0777u);
}

static void doctor_sendmail(json_t *list, const char *command)
{
	char *program = mem_strndup(command, strcspn(command, " \t"));

	if (access(program, X_OK) < 0)
		finding_add(list, "fail", _("install a mail transfer agent, or set 'sendmail' or transport = smtp"),
		    _("%s: there is no such command"), program);
	free(program);
}

/* Fields of a template that only the configuration can fill; work/notice_fields.h has the others. */
static const struct {
	const char *field, *key;
	size_t offset;
} configured[] = {
	{ "organisation", "organisation", offsetof(struct config, organisation) },
	{ "contact_pki", "contact-pki", offsetof(struct config, contact_pki) },
	{ "contact_security", "contact-security", offsetof(struct config, contact_security) },
	{ "contact_hotline", "contact-hotline", offsetof(struct config, contact_hotline) },
	{ "downtime", "estimated-downtime", offsetof(struct config, estimated_downtime) },
};

/* Those that the incident fills. */
static bool doctor_of_incident(const char *field)
{
	static const char *const names[] = { "incident", "title", "time", "declared", "level", "ca",
		"compromise", "trigger", "action", "reason", "summary", "description", "certificates",
		"systems", "systems_count", "actions", "next_steps", "rto", "deadline", "crl_urls", "received",
		"subscriber", "subscriber_certificates", "answer_by", "proceeding" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], field) == 0)
			return true;
	return false;
}

static void doctor_field(json_t *list, const struct config *c, const struct notice_conf *n,
    const char *field, int64_t line)
{
	char *remedy;

	if (strcmp(n->name, "intake") == 0) { /* there is no incident yet */
		if (!intake_fills(field))
			finding_add(list, "fail", _("take it out of the template: nobody would be told of a report"),
			    _("%s line %lld: nothing fills the field %s"), n->template, (long long)line, field);
		return;
	}
	if (doctor_of_incident(field))
		return;
	for (size_t i = 0; i < sizeof configured / sizeof configured[0]; i++) {
		const char *value = *(char *const *)(const void *)((const char *)c + configured[i].offset);

		if (strcmp(configured[i].field, field) != 0)
			continue;
		if (value != NULL)
			return;
		remedy = mem_printf(_("set '%s' in [sev1]"), configured[i].key);
		finding_add(list, "warn", remedy, _("%s line %lld: nothing fills the field %s"), n->template,
		    (long long)line, field);
		free(remedy);
		return;
	}
	finding_add(list, "warn", _("it must be given when the notice is sent, or be taken out of the template"),
	    _("%s line %lld: nothing fills the field %s"), n->template, (long long)line, field);
}

void doctor_notice(json_t *list, const struct config *c, const struct notice_conf *n)
{
	struct buf text = { 0 };
	struct fields *f = fields_new();
	json_t *missing = json_array();
	char *subject = NULL, *body = NULL;
	struct err e = { 0 };
	const json_t *item;
	size_t i;

	if (fs_read(n->template, &text, TEMPLATE_OCTETS, &e) < 0 ||
	    template_fill(buf_str(&text), n->template, f, n->subject, missing, &subject, &body, &e) < 0) {
		finding_err(list, &e);
	} else {
		finding_add(list, "ok", "", _("%s: a template with %zu fields, for %zu recipients by %s"),
		    n->template, json_array_size(missing), n->tos, n->transport);
		json_array_foreach(missing, i, item)
			doctor_field(list, c, n, json_str(item, "field"), json_num(item, "line", 0));
	}
	if (strcmp(n->transport, "sendmail") == 0)
		doctor_sendmail(list, c->sendmail);
	if (strcmp(n->transport, "smtp") == 0)
		doctor_secret(list, c->smtp_password_file);
	free(subject);
	free(body);
	json_decref(missing);
	fields_free(f);
	buf_free(&text);
}

void doctor_times(json_t *list, const struct config *c)
{
	char *path = declare_times(c, c->profile);
	struct buf text = { 0 };
	struct err e = { 0 };
	json_t *times = fs_read(path, &text, TEMPLATE_OCTETS, &e) == 0 ? times_read(buf_str(&text), path, &e) : NULL;
	struct contacts *subscribers;

	if (times != NULL)
		finding_add(list, "ok", "", _("%s: times for %s"), path, c->profile);
	else
		finding_err(list, &e);
	json_decref(times);
	buf_free(&text);
	free(path);
	if (c->subscribers == NULL)
		return;
	if ((subscribers = subscribers_file(c, &e)) == NULL)
		finding_err(list, &e);
	else
		finding_add(list, "ok", "", _("%s: contacts of %zu subscribers"), c->subscribers, subscribers->contacts);
	for (const char *const *n = (const char *const[]){ "subscriber", "preliminary", "approvers", NULL }; *n != NULL; n++)
		if (config_notice(c, *n) == NULL)
			finding_add(list, "warn", _("add its section with 'from'; approvers also with 'to'"),
			    _("there is no [notice %s]: they must be told by other means"), *n);
	contacts_free(subscribers);
}

static void doctor_servers(json_t *list, const struct inventory *inv)
{
	size_t bad = 0, first = 0;

	for (size_t i = inv->servers; i > 0; i--)
		if (inv->server[i - 1].unusable != NULL && !inv->server[i - 1].apart) {
			bad++;
			first = i - 1;
		}
	if (bad == 0)
		finding_add(list, "ok", "", _("%s: %zu servers, %zu groups"), inv->path, inv->servers, inv->groups);
	else
		finding_add(list, "fail", _("see: sev1 inventory"), _("%s: %zu of %zu servers are unusable; %s: %s"),
		    inv->path, bad, inv->servers, inv->server[first].name, inv->server[first].unusable);
}

void doctor_fleet(json_t *list, const struct config *c)
{
	struct inventory *inv;
	struct errs es;

	for (size_t i = 0; i < c->hosts; i++)
		doctor_secret(list, c->host[i].identity);
	if (c->fleet.inventory == NULL) {
		finding_add(list, "warn", _("add [fleet] with its inventory"),
		    _("no inventory: servers could not be given new certificates"));
		return;
	}
	doctor_secret(list, c->fleet.identity);
	inv = servers_load(c, &es);
	if (inv != NULL)
		doctor_servers(list, inv);
	else if (es.total == 1)
		finding_err(list, &es.err[0]);
	else
		finding_add(list, "fail", _("see them all: sev1 inventory"), ngettext("%s (and %zu more error)", "%s (and %zu more errors)",
		    es.total - 1), es.err[0].text, es.total - 1);
	inventory_free(inv);
	servers_files(c, &es);
	for (size_t i = 0; i < es.count; i++)
		finding_err(list, &es.err[i]);
}
