/* Asking `ssh -G`, where what the files say can matter. */
#include "child/ssh_config_inside.h"

#include <glob.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/exec.h"

#define SSH "/usr/bin/ssh"
#define CONFIG_MAX (1u << 20)

/* ---- directives ---- */

/* Those that change nothing here: they are about terminals, forwarding, ssh's own timeouts and ways to log in that
 * sev1 never uses; or sev1 is stricter whatever they say (StrictHostKeyChecking). */
static const char *const neutral[] = { "host", "match", "addkeystoagent", "batchmode", "canonicaldomains",
	"canonicalizefallbacklocal", "canonicalizehostname", "canonicalizemaxdots", "canonicalizepermittedcnames",
	"casignaturealgorithms", "challengeresponseauthentication", "checkhostip", "clearallforwardings", "compression",
	"connectionattempts", "connecttimeout", "controlmaster", "controlpath", "controlpersist", "dynamicforward",
	"enableescapecommandline", "enablesshkeysign", "escapechar", "exitonforwardfailure", "fingerprinthash",
	"forkafterauthentication", "forwardagent", "forwardx11", "forwardx11timeout", "forwardx11trusted", "gatewayports",
	"gssapiauthentication", "gssapiclientidentity", "gssapidelegatecredentials", "gssapikexalgorithms",
	"gssapikeyexchange", "gssapirenewalforcesrekey", "gssapiserveridentity", "gssapitrustdns", "hashknownhosts",
	"hostbasedacceptedalgorithms", "hostbasedauthentication", "ignoreunknown", "ipqos", "kbdinteractiveauthentication",
	"kbdinteractivedevices", "localcommand", "localforward", "loglevel", "logverbose",
	"nohostauthenticationforlocalhost", "numberofpasswordprompts", "obscurekeystroketiming", "passwordauthentication",
	"permitlocalcommand", "permitremoteopen", "proxyusefdpass",
	"rekeylimit", "remotecommand", "remoteforward", "requesttty", "sendenv",
	"serveralivecountmax", "serveraliveinterval", "sessiontype", "setenv", "stdinnull", "streamlocalbindmask",
	"streamlocalbindunlink", "stricthostkeychecking", "syslogfacility", "tag", "tcpkeepalive", "tunnel",
	"tunneldevice", "updatehostkeys", "verifyhostkeydns", "visualhostkey", "xauthlocation", NULL };

bool ssh_conf_neutral(const char *key)
{
	for (size_t i = 0; neutral[i] != NULL; i++)
		if (strcasecmp(neutral[i], key) == 0)
			return true;
	return false;
}

/* ---- is it worth asking? ---- */

static bool files_matter(const char *path, int depth);

/* The files of an Include, which lie beside the one that names them. */
static bool include_matters(const char *from, char *words, int depth)
{
	const char *slash = strrchr(from, '/');
	const struct passwd *pw = getpwuid(geteuid());
	char *word;
	bool matters = false;

	while (!matters && (word = strsep(&words, " \t")) != NULL) {
		glob_t g = { 0 };
		char *path;
		if (word[0] == '\0')
			continue;
		path = word[0] == '/' ? mem_strdup(word) : word[0] == '~' && word[1] == '/' && pw != NULL ?
		    mem_printf("%s%s", pw->pw_dir, word + 1) : mem_printf("%.*s/%s", (int)(slash - from), from, word);
		matters = strpbrk(word, "\"'%$") != NULL; /* not for us to take apart */
		if (!matters && glob(path, 0, NULL, &g) == 0)
			for (size_t i = 0; !matters && i < g.gl_pathc; i++)
				matters = files_matter(g.gl_pathv[i], depth + 1);
		globfree(&g);
		free(path);
	}
	return matters;
}

/* Does a file hold anything but neutral directives, for whatever host? Only then is ssh asked. */
static bool files_matter(const char *path, int depth)
{
	struct buf b = { 0 };
	struct err e = { 0 };
	char *line, *rest, *key;
	bool matters = depth > 16;

	if (!fs_exists(path))
		return false;
	if (fs_read(path, &b, CONFIG_MAX, &e) < 0)
		matters = true; /* ssh will say why */
	for (rest = b.data; !matters && (line = strsep(&rest, "\r\n")) != NULL;) {
		line += strspn(line, " \t");
		if (line[0] == '\0' || line[0] == '#')
			continue;
		key = strsep(&line, " \t=");
		if (strcasecmp(key, "Include") == 0 && line != NULL)
			matters = include_matters(path, line, depth);
		else
			matters = !ssh_conf_neutral(key);
	}
	buf_free(&b);
	return matters;
}

bool ssh_conf_matters(const char *file)
{
	static int usual = -1; /* a child lives for one job: what the files say at its start holds */
	const struct passwd *pw = getpwuid(geteuid());
	char *own;

	if (file[0] != '\0')
		return true;
	if (usual < 0) {
		own = mem_printf("%s/.ssh/config", pw != NULL ? pw->pw_dir : "/root");
		usual = files_matter(own, 0) || files_matter("/etc/ssh/ssh_config", 0);
		free(own);
	}
	return usual;
}

/* ---- asking ---- */

int ssh_conf_ask(const json_t *host, const char *file, const char *address, int64_t until, struct buf *out,
    struct err *e)
{
	const char *user = json_str(host, "user");
	int port = (int)json_num(host, "port", 0);
	char digits[16], *argv[12], *said;
	struct exec_result r = { 0 };
	size_t n = 0;
	int64_t left = (until - clock_mono() + 999) / 1000;
	int rc;

	snprintf(digits, sizeof digits, "%d", port);
	argv[n++] = (char *)(uintptr_t)SSH;
	argv[n++] = (char *)(uintptr_t)"-G";
	if (file[0] != '\0') {
		argv[n++] = (char *)(uintptr_t)"-F";
		argv[n++] = (char *)(uintptr_t)file;
	}
	if (user[0] != '\0') {
		argv[n++] = (char *)(uintptr_t)"-l";
		argv[n++] = (char *)(uintptr_t)user;
	}
	if (port > 0) {
		argv[n++] = (char *)(uintptr_t)"-p";
		argv[n++] = digits;
	}
	argv[n++] = (char *)(uintptr_t)"--";
	argv[n++] = (char *)(uintptr_t)address;
	argv[n] = NULL;
	rc = exec_run(&(struct exec){ .argv = argv, .timeout_s = left > 10 ? 10 : left < 1 ? 1 : (int)left }, &r, e);
	if (rc < 0) {
		err_prefix(e, _("%s: ssh_config cannot be resolved"), json_str(host, "name"));
	} else if (r.status != 0) {
		said = text_escaped(buf_str(&r.err), r.err.len, 200);
		rc = err_set(e, ERR_USAGE, _("%s: ssh_config cannot be resolved: %s"), json_str(host, "name"), said);
		err_remedy(e, _("see: ssh -G %s"), address);
		free(said);
	} else {
		buf_add(out, r.out.data, r.out.len);
	}
	exec_result_clear(&r);
	return rc;
}

const char *ssh_conf_baseline(int64_t until, struct err *e)
{
	static struct buf text;
	json_t *nobody;

	if (text.len == 0) {
		nobody = json_pack("{s:s}", "name", "ssh");
		ssh_conf_ask(nobody, "none", "localhost", until, &text, e);
		json_decref(nobody);
	}
	return text.len > 0 ? buf_str(&text) : NULL;
}
