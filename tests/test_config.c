/* config.c: every form of error with its place and remedy; defaults; the sample. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "engine/config_keys.h"
#include "work/servers.h"

static char dir[64];
static char conf[96];

static void put(const char *name, const char *text)
{
	char *path = fs_join(dir, name);
	char *slash = strrchr(path, '/');

	*slash = '\0';
	assert_int_equal(fs_mkdirs(path, 0700, NULL), 0);
	*slash = '/';
	assert_int_equal(fs_write(path, text, strlen(text), 0600, NULL), 0);
	free(path);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/sev1-config-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(conf, sizeof conf, "%s/sev1.conf", dir);
	setenv("SEV1_DATADIR", dir, 1);
	put("playbooks/ca-compromise.ini", "");
	put("templates/management.txt", "");
	put("templates/internal.txt", "");
	put("ca/openssl.cnf", "");
	put("hosts.txt", "");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return fs_remove_tree(dir, NULL);
}

static struct config *load(const char *text, struct err *e)
{
	memset(e, 0, sizeof *e);
	put("sev1.conf", text);
	return config_load(conf, e);
}

struct bad {
	const char *text;
	int line; /* 0: none in the message */
	const char *what, *remedy;
};

#define ROOT "[ca root]\nconfig = ca/openssl.cnf\n" /* lines 1 and 2 */
#define FLEET "[fleet]\ninventory = hosts.txt\nkey = /k\ncertificate = /c\nreload = true\n"

static const struct bad bad[] = {
	{ ROOT "tilte = x\n", 3, "unknown key 'tilte' in [ca root]", "did you mean 'title'?" },
	{ ROOT "zzzzzzzz = x\n", 3, "unknown key 'zzzzzzzz' in [ca root]",
	    "its keys are title, config, section, parent, key, pkcs11-module, crl-hours, renew-before, spare" },
	{ ROOT "[hots web]\n", 3, "unknown section [hots web]", "did you mean 'host'?" },
	{ ROOT "[xyzxyzxyz]\n", 3, "unknown section [xyzxyzxyz]",
	    "the sections are sev1, ca, point, host, action, notice, fleet, contacts and intake" },
	{ ROOT "[ca]\n", 3, "[ca] without a name", "write [ca NAME]" },
	{ ROOT "[fleet x]\n", 3, "[fleet x] takes no name", "write [fleet]" },
	{ ROOT "[ca a b]\n", 3, "[ca a b]: not a usable name",
	    "use letters, digits, '.', '_' and '-', without spaces" },
	{ ROOT "config = ca/openssl.cnf\n", 3, "'config' again; the first is at line 2",
	    "keep one of the two" },
	{ ROOT "\n[ca root]\n", 4, "[ca root] again; the first is at line 1",
	    "put all its keys under one heading" },
	{ ROOT "crl-hours = soon\n", 3, "crl-hours = soon: not a number from 1 to 8784",
	    "write a whole number from 1 to 8784" },
	{ ROOT "crl-hours = 0\n", 3, "crl-hours = 0: not a number from 1 to 8784",
	    "write a whole number from 1 to 8784" },
	{ ROOT "crl-hours = 99999999999999999999\n", 3,
	    "crl-hours = 99999999999999999999: not a number from 1 to 8784",
	    "write a whole number from 1 to 8784" },
	{ ROOT "spare = maybe\n", 3, "spare = maybe: not a value for it", "yes|no" },
	{ ROOT "key =\n", 3, "key = : not a value for it", "write a value, or comment the line out" },
	{ ROOT "key = pkcs11:token=x;object=y?pin-value=1234\n", 3, "key: the pkcs11: URI holds a PIN (pin-value or "
	    "pin-source): a PIN in a file is not safe, it is in every backup of it",
	    "take it out; sev1 asks for the PIN once, or reads it with --pin-fd. Change the PIN if the file was readable "
	    "by others" },
	{ ROOT "key = \"pkcs11:token=x;object=y?pin-value=1234\"\n", 3, "something stands before the pkcs11: URI of the private key",
	    "write the URI alone, without quotes and without engine: before it" },
	{ ROOT "key = pkcs11:token=x\n", 3, "key: the pkcs11: URI names no key",
	    "add object= or id=; p11tool --list-all or pkcs11-tool -O shows them" },
	{ ROOT "key = pkcs11:token=x;object=y\n", 1, "[ca root] lacks the key 'pkcs11-module'",
	    "add a line \"pkcs11-module = ...\": the PKCS#11 library of the token" },
	{ "\n[ca root]\ntitle = x\n", 2, "[ca root] lacks the key 'config'",
	    "add a line \"config = ...\": Its openssl.cnf, or an easy-rsa pki folder." },
	{ ROOT "parent = rot\n[ca rost]\nconfig = ca/openssl.cnf\n", 3,
	    "parent = rot: there is no [ca rot]", "did you mean 'root'?" },
	{ ROOT "parent = elsewhere\n", 3, "parent = elsewhere: there is no [ca elsewhere]",
	    "add a section [ca elsewhere]" },
	{ ROOT "parent = sub\n[ca sub]\nconfig = ca/openssl.cnf\nparent = root\n", 1,
	    "parent = sub: a CA above itself", "a root has no parent: remove its key" },
	{ ROOT "[point a]\nca = root\nurl = http://x/y\npath = /p\nhost = web\n", 7,
	    "host = web: there is no [host web]", "add a section [host web]" },
	{ ROOT "[point a]\nca = root\nurl = ftp://x/y\n", 5, "url = ftp://x/y: not a value for it",
	    "write a URL that starts with http:// or https://" },
	{ ROOT "[point a]\nca = root\nurl = http://x/y\npath = crl\nhost = web\n[host web]\n", 6,
	    "path = crl: not a value for it", "write an absolute path: it is on another host" },
	{ ROOT "[host web]\naddress = web;reboot\n", 4, "address = web;reboot: not a value for it",
	    "write a host name or an IP address" },
	{ ROOT "[host web]\nport = 65536\n", 4, "port = 65536: not a number from 1 to 65535",
	    "write a whole number from 1 to 65535" },
	{ ROOT "[action a]\nkind = fire\n", 4, "kind = fire: not a value for it",
	    "command|firewall|image|keylock" },
	{ ROOT "[action a]\n", 3, "[action a] lacks the key 'run'",
	    "add a line \"run = ...\": the command of the step" },
	{ ROOT "[action a]\nkind = firewall\n", 3, "[action a] lacks the key 'ports'",
	    "add a line \"ports = ...\": the ports to close" },
	{ ROOT "[action a]\nkind = firewall\nports = 80, http\n", 5,
	    "ports = 80, http: not a value for it", "write ports with commas between: 80, 443" },
	{ ROOT "[action a]\nrun = x\nprobe = nowhere\n", 5, "probe = nowhere: not a value for it",
	    "write address:port" },
	{ ROOT "[action a]\nkind = image\nsource = /dev/sda\n", 3, "[action a] lacks the key 'target'",
	    "add a line \"target = ...\": the folder of the image" },
	{ ROOT "[notice management]\nto = a@b, c d@e\nfrom = x@y\n", 3,
	    "to: 'c d@e' is not a plain mail address",
	    "write name@example.com, with commas between several" },
	{ ROOT "[notice management]\nto = --help@x\nfrom = x@y\n", 3,
	    "to: '--help@x' is not a plain mail address",
	    "write name@example.com, with commas between several" },
	{ ROOT "[notice management]\ntransport = webhook\nto = a@b\n", 3,
	    "to: 'a@b' is not an http or https URL", "transport = webhook takes URLs" },
	{ ROOT "[notice management]\nto = a@b\n", 3, "[notice management] lacks the key 'from'",
	    "add a line \"from = ...\": the sender's address" },
	{ ROOT "[notice management]\ntransport = smtp\nto = a@b\nfrom = c@d\n", 3,
	    "transport = smtp, but [sev1] has no smtp-url",
	    "add \"smtp-url = smtps://...\" to [sev1], or use sendmail" },
	{ ROOT FLEET "waves = 5, 10%\n", 3, "waves: ' 10%' is not a number of hosts, a percentage, or rest at the end",
	    "as in: --waves 5,10%,50%,rest" },
	{ ROOT FLEET "max-refused = some\n", 3, "max-refused = some: not a number of hosts", "write 0 to 999999, or none" },
	{ ROOT FLEET "key-mode = swap\n", 8, "key-mode = swap: not a value for it", "keep|new" },
	{ ROOT "[fleet]\ninventory = hosts.txt\nkey = server.key\n", 5,
	    "key = server.key: not a value for it", "write an absolute path" },
	{ ROOT "no equals sign\n", 3, "neither a heading, a comment nor \"key = value\"",
	    "a comment starts with '#', on a line of its own" },
	{ "title = x\n" ROOT, 1, "a key before the first heading", "start with [sev1]" },
	{ ROOT "[host web\n", 3, "a heading without ']'", "write it as [kind name]" },
	{ ROOT "[host web] port = 1\n", 3, "text after a heading", "put it on a line of its own" },
	{ ROOT "[host aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n", 3,
	    "a heading longer than 48 octets", "choose a shorter name" },
	{ ROOT "title = \033[2J\n", 3, "a control character", "remove it; the file is plain UTF-8 text" },
	{ "# nothing\n", 0, "no [ca NAME] section",
	    "describe at least one CA; `sev1 init` finds those of this machine" },
};

static void test_errors(void **state)
{
	char want[512];
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_null(load(bad[i].text, &e));
		if (bad[i].line > 0)
			snprintf(want, sizeof want, "%s:%d: %s", conf, bad[i].line, bad[i].what);
		else
			snprintf(want, sizeof want, "%s: %s", conf, bad[i].what);
		assert_string_equal(e.text, want);
		assert_string_equal(e.remedy, bad[i].remedy);
		assert_true(e.code < 0);
	}
}

/* A file that is named and not there keeps nothing else from running: its key, line and remedy. */
static void test_missing_files(void **state)
{
	static const struct bad missing[] = {
		{ "[ca x]\nconfig = nowhere/openssl.cnf\n", 2, "config", "nowhere/openssl.cnf" },
		{ ROOT "[sev1]\nplaybook = none.ini\n", 4, "playbook", "none.ini" },
		{ ROOT "[host web]\nidentity = id\n", 4, "identity", "id" },
		{ ROOT "[notice management]\nto = a@b\nfrom = c@d\ntemplate = t\n", 6, "template", "t" },
		{ ROOT "[notice external]\nto = a@b\nfrom = c@d\n", 3, "template",
		    "templates/external.txt" },
		{ ROOT "[sev1]\nsmtp-password-file = pw\n", 4, "smtp-password-file", "pw" },
	};
	char want[512];
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
		struct config *c = load(missing[i].text, &e);

		assert_non_null(c);
		assert_int_equal(c->missing.total, 1);
		snprintf(want, sizeof want, "%s:%d: %s = %s/%s: No such file or directory", conf,
		    missing[i].line, missing[i].what, dir, missing[i].remedy);
		assert_string_equal(c->missing.err[0].text, want);
		assert_string_equal(c->missing.err[0].remedy, "correct the path, or put the file there");
		config_free(c);
	}
	{ /* what only some steps need keeps none of the others: a key that is locked away, the subscribers' file, the servers */
		struct config *c = load(ROOT "key = private.pem\n[sev1]\nsubscribers = none.csv\n[fleet]\ninventory = all\n"
		    "identity = id\nprofiles = own\nblocklist = keys\nprofile = nginx\n", &e);
		struct errs es = { 0 };

		assert_non_null(c);
		assert_null(servers_load(c, &es));
		assert_int_equal(es.total, 1);
		snprintf(want, sizeof want, "%s/all: No such file or directory", dir);
		assert_string_equal(es.err[0].text, want);
		snprintf(want, sizeof want, "correct 'inventory' in [fleet] of %s, or put the file where it can be read", conf);
		assert_string_equal(es.err[0].remedy, want);
		servers_files(c, &es); /* those beside it */
		assert_int_equal(es.total, 3);
		snprintf(want, sizeof want, "%s: [fleet] identity = %s/id: No such file or directory", conf, dir);
		assert_string_equal(es.err[0].text, want);
		put("all", "web1\n");
		put("id", "");
		put("own/mine.ini", "");
		put("keys", "");
		inventory_free(servers_load(c, &es));
		assert_int_equal(es.total, 0);
		servers_files(c, &es);
		assert_int_equal(es.total, 0);
		config_free(c);
	}
	unlink(conf);
	assert_null(config_load(conf, &e));
	snprintf(want, sizeof want, "%s: No such file or directory", conf);
	assert_string_equal(e.text, want);
	assert_string_equal(e.remedy, "write one with `sev1 init`, or name another with -c");
}

static void test_long_line(void **state)
{
	struct buf b = { 0 };
	struct config *c;
	char want[512];
	struct err e;

	(void)state;
	buf_adds(&b, ROOT "[action a]\nrun = ");
	for (int i = 0; i < 3000; i++)
		buf_addc(&b, 'x');
	buf_adds(&b, " ; sync # all of it\n");
	c = load(buf_str(&b), &e); /* long, but not too long: whole */
	assert_non_null(c);
	assert_int_equal(strlen(c->action[0].run), 3000 + strlen(" ; sync # all of it"));
	config_free(c);
	b.len -= 1;
	for (int i = 0; i < 2000; i++)
		buf_addc(&b, 'x');
	assert_null(load(buf_str(&b), &e));
	snprintf(want, sizeof want, "%s:4: a line longer than 4096 octets", conf);
	assert_string_equal(e.text, want);
	assert_string_equal(e.remedy, "put a long command into a script and name that");
	buf_free(&b);
}

static void test_values(void **state)
{
	struct config *c;
	struct err e;
	char *want;

	(void)state;
	c = load("\xef\xbb\xbf# a comment\r\n[sev1]\r\nstate = st\n; another\n  organisation =  A B \n"
		 ROOT "title=R \xc3\xa9\n[ca sub]\nconfig = ca\nparent = root\nkey = pkcs11:token=x;object=y\npkcs11-module = hsm.so\nspare = yes\n"
		 "[host web]\n[point p]\nca = sub\nurl = https://x/c.crl\npath = /srv/c.crl\nhost = web\npem = yes\n"
		 "[action i]\nkind = image\nsource = disk\ntarget = /t\n[action a]\nrun = a ; b = c\n"
		 "[notice internal]\nto = a@b , c@d,\nfrom = e@f\n" FLEET, &e);
	assert_string_equal(e.text, "");
	assert_non_null(c);
	want = fs_join(dir, "st");
	assert_string_equal(c->state, want);
	free(want);
	assert_string_equal(c->organisation, "A B");
	assert_string_equal(c->profile, "private");
	assert_string_equal(c->sendmail, "/usr/sbin/sendmail");
	assert_null(c->contact_pki);
	assert_int_equal(c->cas, 2);
	assert_string_equal(c->ca[0].title, "R \xc3\xa9");
	assert_string_equal(c->ca[1].title, "sub");
	assert_string_equal(c->ca[1].key, "pkcs11:token=x;object=y");
	assert_non_null(strstr(c->ca[1].pkcs11_module, "/hsm.so"));
	assert_int_equal(c->ca[0].crl_hours, 24);
	assert_true(c->ca[1].spare && !c->ca[0].spare);
	assert_ptr_equal(config_ca(c, "sub"), &c->ca[1]);
	assert_null(config_ca(c, "SUB"));
	assert_string_equal(config_host(c, "web")->address, "web");
	assert_null(config_host(c, "web")->user); /* as ssh has it */
	assert_int_equal(config_host(c, "web")->port, 0);
	assert_string_equal(c->point[0].path, "/srv/c.crl");
	assert_true(c->point[0].pem);
	assert_int_equal(config_action(c, "i")->deadline, 86400);
	want = fs_join(dir, "disk");
	assert_string_equal(config_action(c, "i")->source, want);
	free(want);
	assert_int_equal(config_action(c, "a")->deadline, 60);
	assert_string_equal(config_action(c, "a")->run, "a ; b = c");
	assert_int_equal(config_notice(c, "internal")->tos, 2);
	assert_string_equal(config_notice(c, "internal")->to[0], "a@b");
	assert_string_equal(config_notice(c, "internal")->to[1], "c@d");
	want = fs_join(dir, "templates/internal.txt");
	assert_string_equal(config_notice(c, "internal")->template, want);
	free(want);
	assert_int_equal(c->fleet.concurrency, 16);
	assert_null(c->fleet.waves);
	assert_null(c->fleet.max_failed);
	assert_int_equal(c->fleet.days, 90);
	assert_int_equal(c->fleet.probe_port, 0); /* the profile's, else 443 */
	assert_string_equal(c->fleet.key_mode, "keep");
	config_free(c);
}

static void test_find(void **state)
{
	char *path, *want;
	struct err e;

	(void)state;
	put("sev1.conf", "");
	path = config_find(conf, &e);
	assert_string_equal(path, conf);
	free(path);
	assert_null(config_find("/nowhere/x.conf", &e));
	assert_string_equal(e.text, "/nowhere/x.conf: no such configuration");
	setenv("XDG_CONFIG_HOME", dir, 1);
	put("sev1/sev1.conf", "");
	path = config_find(NULL, &e);
	want = fs_join(dir, "sev1/sev1.conf");
	assert_string_equal(path, want);
	free(path);
	free(want);
}

/* The installed sample is the table's; as it stands it lacks nothing but a CA. */
static void test_sample_file(void **state)
{
	const char *srcdir = getenv("SRCDIR");
	char *path = fs_join(srcdir != NULL ? srcdir : ".", "data/sev1.conf.sample");
	struct buf sample = { 0 }, file = { 0 };
	char want[512];
	struct err e = { 0 };

	(void)state;
	config_sample(&sample);
	assert_int_equal(fs_read(path, &file, 1 << 20, &e), 0);
	assert_string_equal(buf_str(&file), buf_str(&sample));
	assert_null(load(buf_str(&file), &e));
	snprintf(want, sizeof want, "%s: no [ca NAME] section", conf);
	assert_string_equal(e.text, want);
	buf_free(&sample);
	buf_free(&file);
	free(path);
}

/* The sample with every key taken into use, and its files put in place, is a configuration; and it
 * holds each key of the table, with the default that the parser has. */
static void test_sample(void **state)
{
	struct buf sample = { 0 }, use = { 0 };
	struct config *c;
	struct err e;
	char *line, *next;
	size_t keys = 0;

	(void)state;
	config_sample(&sample);
	for (line = sample.data; *line != '\0'; line = next) {
		next = strchr(line, '\n');
		*next++ = '\0';
		if (line[0] == '#' && line[1] == '[') {
			buf_addf(&use, "%s\n", line + 1);
		} else if (line[0] == '#' && line[1] != ' ') {
			char *value = strstr(++line, " = ");

			assert_non_null(value);
			*value = '\0';
			value += 3;
			keys++;
			if (strcmp(line, "template") == 0 || strcmp(line, "playbook") == 0)
				continue;
			buf_addf(&use, "%s = %s%s\n", line, value[0] == '/' ? dir : "", value);
			if (value[0] == '/')
				put(value + 1, "");
		} else if (line[0] != '#') {
			buf_addf(&use, "%s\n", line);
		}
	}
	assert_int_equal(keys, conf_key_count);
	buf_adds(&use, "[ca root]\nconfig = ca/openssl.cnf\n");
	c = load(buf_str(&use), &e);
	assert_string_equal(e.text, "");
	assert_non_null(c);
	assert_int_equal(c->cas, 2);
	assert_int_equal(config_ca(c, "example")->crl_hours, 24);
	config_free(c);
	buf_free(&sample);
	buf_free(&use);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_missing_files),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_sample_file),
		cmocka_unit_test(test_sample),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
