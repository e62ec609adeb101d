/* Playbooks and inventories, as files that another machine can run. No secret is in them: keys stay on their hosts,
 * and SSH keys are named by path. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "child/ssh_script.h"
#include "work/ansible.h"

static const char *const play_names[PLAYS] = { "collect", "deploy", "back" };

static const char *const play_titles[PLAYS] = { "Collect certificate requests", "Install, test and reload",
	"Put back what no handshake proved" };

/* raw over plain ssh: nothing is needed on the hosts. The tree callback keeps each host's result in a file. */
static const char ansible_cfg[] =
    "[defaults]\n"
    "callbacks_enabled = tree\n"
    "host_key_checking = True\n"
    "retry_files_enabled = False\n"
    "nocows = True\n"
    "\n"
    "[callback_tree]\n"
    "directory = results/unnamed\n"
    "\n"
    "[ssh_connection]\n"
    "usetty = False\n"
    "ssh_args = -o ControlMaster=no -o BatchMode=yes -o ConnectTimeout=10\n";

const char *ansible_play_name(enum ansible_play play)
{
	return play_names[play];
}

/* A string in which ansible must not look for templates: a reload may hold {{. */
static json_t *plain(const char *s)
{
	return json_pack("{s:s}", "__ansible_unsafe", s);
}

/* ssh splits the value of an option once more, and looks for tokens in it. */
static char *ssh_file(const char *option, const char *path)
{
	struct buf b = { 0 };

	buf_addf(&b, "%s=\"", option);
	for (const char *p = path; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buf_addc(&b, '\\');
		if (*p == '%')
			buf_addc(&b, '%');
		buf_addc(&b, *p);
	}
	buf_addc(&b, '"');
	return buf_take(&b);
}

/* -o 'UserKnownHostsFile="..."' ...: as a shell would split it. */
static char *ssh_arguments(const json_t *host)
{
	const char *known = json_str(host, "known_hosts"), *config = json_str(host, "ssh_config");
	const char *jump = json_str(host, "jump");
	struct buf b = { 0 };

	buf_adds(&b, "-o StrictHostKeyChecking=yes");
	if (known[0] != '\0') {
		char *option = ssh_file("UserKnownHostsFile", known);
		buf_adds(&b, " -o ");
		text_quote(&b, option);
		free(option);
	}
	if (config[0] != '\0') {
		buf_adds(&b, " -F ");
		text_quote(&b, config);
	}
	if (jump[0] != '\0') {
		buf_adds(&b, " -J ");
		text_quote(&b, jump);
	}
	return buf_take(&b);
}

/* The command of a play on a host; NULL with an error. */
static char *host_command(enum ansible_play play, const struct ansible_host *h, const char *tag, int seconds,
    struct err *e)
{
	const char *names[SCRIPT_NAMES];
	struct staged st;
	char *script, *command;

	if (script_order(&st, h->order, names, tag, h->stamp != NULL ? h->stamp : "0", e) < 0)
		return NULL;
	if (play == PLAY_COLLECT)
		return script_csr(&st);
	if (play == PLAY_DEPLOY && (!script_is_pem(h->certificate) || (h->chain[0] != '\0' && !script_is_pem(h->chain)))) {
		err_set(e, ERR_SYNTAX, _("%s: what the CA issued is not PEM"), h->name);
		return NULL;
	}
	/* The verdict is given beforehand; what no handshake proves is put back by a play of its own. Each says what it
	 * was made for, so that the result of another one is not taken for its. */
	script = play == PLAY_BACK ? script_back(&st) : script_install(&st, h->certificate, h->chain, seconds);
	command = mem_printf("echo sev1 for %s; echo keep | {\n%s\n}", st.stamp, script);
	free(script);
	return command;
}

static void set_plain(json_t *o, const char *key, const char *value)
{
	if (value[0] != '\0')
		json_object_set_new(o, key, plain(value));
}

static json_t *host_vars(const struct ansible_host *h, const char *command)
{
	const json_t *host = json_object_get(h->order, "host");
	char *arguments = ssh_arguments(host);
	json_t *o = json_object();

	set_plain(o, "ansible_host", json_str(host, "address"));
	set_plain(o, "ansible_user", json_str(host, "user"));
	set_plain(o, "ansible_ssh_private_key_file", json_str(host, "identity"));
	set_plain(o, "ansible_ssh_common_args", arguments);
	set_plain(o, "sev1_command", command);
	if (json_num(host, "port", 0) > 0)
		json_object_set_new(o, "ansible_port", json_integer(json_num(host, "port", 0)));
	free(arguments);
	return o;
}

static json_t *playbook(enum ansible_play play)
{
	return json_pack("[{s:s, s:s, s:b, s:s, s:[{s:s, s:s}]}]", "name", play_titles[play], "hosts", "all", "gather_facts",
	    0, "strategy", "free", "tasks", "name", play_titles[play], "ansible.builtin.raw", "{{ sev1_command }}");
}

static int write_text(const char *folder, const char *name, const char *text, struct err *e)
{
	char *path = fs_join(folder, name);
	int rc = fs_write(path, text, strlen(text), 0600, e);

	free(path);
	return rc;
}

static int write_json(const char *folder, enum ansible_play play, const char *end, json_t *o, struct err *e)
{
	char *name = mem_printf("%s%s.json", play_names[play], end), *text = json_dumps(o, JSON_INDENT(1) | JSON_SORT_KEYS);
	int rc = text != NULL ? write_text(folder, name, text, e) : err_set(e, ERR_FAILED, _("%s cannot be written"), name);

	free(text);
	free(name);
	json_decref(o);
	return rc;
}

int ansible_write(const char *folder, enum ansible_play play, const struct ansible_host *host, size_t n,
    const char *tag, int seconds, struct err *e)
{
	char *results = mem_printf("%s/results/%s", folder, play_names[play]);
	json_t *hosts = json_object();
	int rc = fs_mkdirs(results, 0700, e);

	free(results);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		char *command = host_command(play, &host[i], tag, seconds, e);
		if (command == NULL)
			rc = e->code;
		else
			json_object_set_new(hosts, host[i].name, host_vars(&host[i], command));
		free(command);
	}
	if (rc < 0) {
		json_decref(hosts);
		return rc;
	}
	if ((rc = write_json(folder, play, "-hosts", json_pack("{s:{s:o}}", "all", "hosts", hosts), e)) == 0 &&
	    (rc = write_json(folder, play, "", playbook(play), e)) == 0)
		rc = write_text(folder, "ansible.cfg", ansible_cfg, e);
	return rc;
}
