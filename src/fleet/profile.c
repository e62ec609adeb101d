#include "fleet/profile.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/inifile.h"
#include "child/starttls.h"

#define PROFILE_MAX 65536u

static const struct {
	const char *name;
	size_t offset;
	bool path;
} texts[] = {
	{ "key", offsetof(struct profile, key), true },
	{ "certificate", offsetof(struct profile, certificate), true },
	{ "chain", offsetof(struct profile, chain), true },
	{ "test", offsetof(struct profile, test), false },
	{ "reload", offsetof(struct profile, reload), false },
	{ "starttls", offsetof(struct profile, starttls), false },
};

void profile_free(struct profile *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		free(*(char **)(void *)((char *)p + texts[i].offset));
	free(p->name);
	free(p->file);
	free(p);
}

static int profile_flag(bool *flag, const char *key, const char *value, struct err *e)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return err_set(e, ERR_SYNTAX, _("%s = %s: yes or no is expected"), key, value);
	*flag = value[0] == 'y';
	return 0;
}

static int profile_text(struct profile *p, const char *key, const char *value, struct err *e)
{
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char **slot = (char **)(void *)((char *)p + texts[i].offset);
		if (strcmp(texts[i].name, key) != 0)
			continue;
		if (texts[i].path && value[0] != '/')
			return err_set(e, ERR_SYNTAX, _("%s = %s: an absolute path on the host is expected"), key, value);
		if (slot == &p->starttls && !starttls_known(value))
			return err_set(e, ERR_SYNTAX, _("%s = %s: smtp, imap, pop3, ftp or ldap is expected"), key, value);
		free(*slot);
		*slot = mem_strdup(value);
		return 0;
	}
	err_set(e, ERR_SYNTAX, _("unknown key '%s'"), key);
	return err_remedy(e, _("the keys are: key, certificate, chain, combined, test, reload, probe-port, starttls, sudo"));
}

static int profile_key(void *ctx, const char *section, const char *key, const char *value, int line, struct err *e)
{
	struct profile *p = ctx;
	char *end;
	long port;

	(void)line;
	if (strcmp(section, "profile") != 0)
		return err_set(e, ERR_SYNTAX, _("unknown section [%s]; [profile] is expected"), section);
	if (key == NULL)
		return 0;
	if (strcmp(key, "combined") == 0)
		return profile_flag(&p->combined, key, value, e);
	if (strcmp(key, "sudo") == 0)
		return profile_flag(&p->sudo, key, value, e);
	if (strcmp(key, "probe-port") != 0)
		return profile_text(p, key, value, e);
	port = strtol(value, &end, 10);
	if (end == value || *end != '\0' || port < 1 || port > 65535)
		return err_set(e, ERR_SYNTAX, _("%s = %s: not a port"), key, value);
	p->probe_port = (int)port;
	return 0;
}

struct profile *profile_read(const char *text, const char *name, const char *file, struct err *e)
{
	struct profile *p = mem_zalloc(1, sizeof *p);

	p->name = mem_strdup(name);
	p->file = mem_strdup(file);
	if (inifile_each(text, file, profile_key, p, e) == 0) {
		if (p->key != NULL && p->certificate != NULL && p->reload != NULL && p->probe_port != 0)
			return p;
		err_set(e, ERR_SYNTAX, _("%s: a profile needs key, certificate, reload and probe-port"), file);
	}
	profile_free(p);
	return NULL;
}

struct profile *profile_load(const char *name, const char *file, struct err *e)
{
	struct profile *p = NULL;
	struct buf b = { 0 };

	if (fs_read(file, &b, PROFILE_MAX, e) == 0)
		p = profile_read(buf_str(&b), name, file, e);
	buf_free(&b);
	return p;
}
