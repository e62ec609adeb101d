/* Inventories: what people write, and what is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "fleet/inventory.h"

static struct inventory *read_text(const char *text, struct errs *e)
{
	return inventory_read(text, strlen(text), "hosts", e);
}

static void refuse(const char *text, const char *said)
{
	struct errs e = { 0 };

	assert_null(read_text(text, &e));
	assert_int_equal(e.err[0].code, ERR_SYNTAX);
	if (strstr(e.err[0].text, said) == NULL)
		fail_msg("'%s' does not hold '%s'", e.err[0].text, said);
}

static void test_list(void **state)
{
	struct errs e = { 0 };
	struct inventory *inv = read_text("# web\nweb01.example.com\r\n\n  db.example.com  # primary\n"
	    "2001:db8::7\n192.0.2.9", &e);

	(void)state;
	assert_non_null(inv);
	assert_int_equal(inv->servers, 4);
	assert_string_equal(inv->server[0].name, "web01.example.com");
	assert_int_equal(inv->server[0].line, 2);
	assert_int_equal(inv->server[0].count, 1);
	assert_string_equal(inv->server[0].names[0], "web01.example.com");
	assert_string_equal(inv->server[1].name, "db.example.com");
	assert_string_equal(inv->server[2].name, "2001:db8::7");
	/* the last line has no newline, and is not lost */
	assert_string_equal(inv->server[3].name, "192.0.2.9");
	assert_int_equal(inv->server[3].port, 0);
	assert_null(inv->server[3].user);
	inventory_free(inv);
}

/* A line is [USER@]NAME[:PORT], in lists, CSV and ansible's files. */
static void test_target(void **state)
{
	static const struct {
		const char *text, *name, *user;
		int port;
	} lines[] = {
		{ "web1:2222", "web1", "", 2222 }, { "deploy@web1", "web1", "deploy", 0 },
		{ "deploy@web1.example.com:2222", "web1.example.com", "deploy", 2222 },
		{ "web1.example.com.", "web1.example.com", "", 0 }, { "[2001:db8::1]", "2001:db8::1", "", 0 },
		{ "[2001:db8::1]:2222", "2001:db8::1", "", 2222 }, { "root@2001:db8::1", "2001:db8::1", "root", 0 },
		{ "2001:db8::1:2222", "2001:db8::1:2222", "", 0 }, { "a@web[7:7]:22", "web7", "a", 22 },
		{ "\tweb1\t\r", "web1", "", 0 }, { "; gone\nweb1", "web1", "", 0 }, { "1234", "1234", "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		for (int k = 0; k < 3; k++) {
			struct buf b = { 0 };
			struct errs e = { 0 };
			struct inventory *inv;

			if (k == 1 && strchr(lines[i].text, ';') != NULL)
				continue;
			buf_addf(&b, k == 0 ? "%s\n" : k == 1 ? "host\n%s\n" : "[web]\n%s\n", lines[i].text);
			if ((inv = read_text(buf_str(&b), &e)) == NULL)
				fail_msg("%s: %s", buf_str(&b), e.err[0].text);
			assert_int_equal(inv->servers, 1);
			assert_string_equal(inv->server[0].name, lines[i].name);
			assert_string_equal(inv->server[0].names[0], lines[i].name);
			assert_string_equal(inv->server[0].user != NULL ? inv->server[0].user : "", lines[i].user);
			assert_int_equal(inv->server[0].port, lines[i].port);
			inventory_free(inv);
			buf_free(&b);
		}
	/* a caller may do without the reason */
	assert_null(inventory_read("web[5:1]\n", 9, "hosts", NULL));
	assert_null(inventory_read("web[1-2]\nweb1\n", 14, "hosts", NULL));
	inventory_free(inventory_read("web[1-2]\n", 9, "hosts", NULL));
}

static void test_csv(void **state)
{
	struct errs e = { 0 };
	struct inventory *inv = read_text("\xef\xbb\xbfhost, address ,port,user,names\r\n"
	    "web01,10.0.0.1,2222,deploy,\"www.example.com; example.com\"\r\n"
	    "# out of service,,,,\n"
	    "\n"
	    "\"web02\",,,,\n"
	    "web03,web03.internal,,root,*.apps.example.com web03.example.com", &e);

	(void)state;
	assert_non_null(inv);
	assert_int_equal(inv->servers, 3);
	assert_string_equal(inv->server[0].address, "10.0.0.1");
	assert_int_equal(inv->server[0].port, 2222);
	assert_string_equal(inv->server[0].user, "deploy");
	assert_int_equal(inv->server[0].count, 2);
	assert_string_equal(inv->server[0].names[0], "www.example.com");
	assert_string_equal(inv->server[0].names[1], "example.com");
	assert_string_equal(inv->server[1].name, "web02");
	assert_null(inv->server[1].address);
	assert_string_equal(inv->server[1].names[0], "web02");
	assert_int_equal(inv->server[1].line, 5);
	assert_string_equal(inv->server[2].names[0], "*.apps.example.com");
	assert_string_equal(inv->server[2].names[1], "web03.example.com");
	inventory_free(inv);
	for (const char *const *p = (const char *const[]){ "host;port;names\nweb01;22;\"a.example.com;b.example.com\"\n",
		"names\t\"host\"\tport\na.example.com b.example.com\tweb01\t22\n", NULL }; *p != NULL; p++) {
		inv = read_text(*p, &e);
		if (inv == NULL)
			fail_msg("%s", e.err[0].text);
		assert_string_equal(inv->server[0].name, "web01");
		assert_int_equal(inv->server[0].port, 22);
		assert_int_equal(inv->server[0].count, 2);
		inventory_free(inv);
	}
	inv = read_text("names,host\nx.example.com,web01\n", &e);
	assert_non_null(inv);
	assert_string_equal(inv->server[0].name, "web01");
	assert_string_equal(inv->server[0].names[0], "x.example.com");
	inventory_free(inv);
}

static void test_refused(void **state)
{
	(void)state;
	refuse("web01\nweb02\nWEB01\n", "hosts:3: this host stands in line 1 already: WEB01");
	refuse("web01\nweb 02\n", "hosts:2: one host name a line is expected: web 02");
	refuse("web01,10.0.0.1\n", "hosts:1: one host name");
	refuse("127.0.0.1\tlocalhost\n", "hosts:1: one host name");
	refuse("web01\nweb01.\n", "hosts:2: this host stands in line 1 already");
	refuse("root@web01\nadmin@web01\n", "hosts:2: this host stands in line 1 already");
	refuse("10.0.0.1-20\n", "hosts:1: not a host name or address: 10.0.0.1-20");
	refuse("10.1\n", "hosts:1: not a host name or address: 10.1");
	refuse("web01:70000\n", "hosts:1: not a port: 70000");
	refuse("web01:ssh\n", "hosts:1: not a host name or address: web01:ssh");
	refuse("host,user\nroot@web01,admin\n", "hosts:2: another user stands before the name: root");
	refuse("web01\n-oProxyCommand=sh\n", "hosts:2: not a host name or address: -oProxyCommand=sh");
	refuse("$(reboot)\n", "hosts:1: not a host name or address");
	refuse("web01\nssh://root@web02\n", "hosts:2: not a host name or address: ssh://root@web02");
	refuse("-oX@$(reboot)\n", "hosts:1: not a host name or address");
	refuse("web01\n\033[2Jweb02\n", "hosts:2: not a host name or address: \\x1B[2Jweb02");
	refuse("", "no host stands in it");
	refuse("# nothing\n\n", "no host stands in it");
	refuse("host,port\nweb01,0\n", "hosts:2: not a port: 0");
	refuse("host,port\nweb01,22x\n", "hosts:2: not a port: 22x");
	refuse("host,port\nweb01\n", "hosts:2: 1 field where the header has 2");
	refuse("host,colour\nweb01,red\n", "hosts:1: unknown column: colour");
	refuse("host,port,host\nweb01,1,2\n", "hosts:1: a column twice");
	refuse("hostname,port\nweb01,22\n", "hosts:1: no header: no column is called host: hostname");
	refuse("host,names\nweb01,\"a.example.com\n", "hosts:2: a quote that is not closed");
	refuse("host,names\nweb01,\"a\"b\n", "hosts:2: text behind a closing quote");
	refuse("host,names\nweb01,a_b;c/d\n", "hosts:2: not a name for a certificate: c/d");
	refuse("host,user\nweb01,root;id\n", "hosts:2: not a user name: root;id");
	refuse("host,address\nweb01,a b\n", "hosts:2: not an address: a b");
	refuse("host,address\n*.example.com,a\n", "hosts:2: not a host name or address");
}

static void test_octets(void **state)
{
	struct errs e = { 0 };

	(void)state;
	assert_null(inventory_read("web01\0\n", 7, "hosts", &e));
	assert_non_null(strstr(e.err[0].text, "NUL"));
	assert_null(inventory_load("/nonexistent/hosts", &e));
	assert_int_equal(e.err[0].code, ERR_IO);
}

static void test_many(void **state)
{
	struct errs e = { 0 };
	struct buf b = { 0 };
	struct inventory *inv;

	(void)state;
	for (int i = 0; i < 20000; i++)
		buf_addf(&b, "web%05d.example.com\n", i);
	inv = inventory_read(b.data, b.len, "hosts", &e);
	assert_non_null(inv);
	assert_int_equal(inv->servers, 20000);
	inventory_free(inv);
	buf_adds(&b, "web00000.example.com\n");
	assert_null(inventory_read(b.data, b.len, "hosts", &e));
	assert_non_null(strstr(e.err[0].text, "hosts:20001: this host stands in line 1 already"));
	buf_free(&b);
}

/* ---- ansible ---- */

static const struct server *find(const struct inventory *inv, const char *name)
{
	for (size_t i = 0; i < inv->servers; i++)
		if (strcmp(inv->server[i].name, name) == 0)
			return &inv->server[i];
	fail_msg("no host %s", name);
	return NULL;
}

static size_t group_size(const struct inventory *inv, const char *name)
{
	for (size_t i = 0; i < inv->groups; i++)
		if (strcmp(inv->group[i].name, name) == 0)
			return inv->group[i].servers;
	return 0;
}

static struct inventory *sample(const char *name)
{
	const char *top = getenv("SRCDIR");
	char *path = mem_printf("%s/tests/data/inventory/%s", top != NULL ? top : ".", name);
	struct errs e = { 0 };
	struct inventory *inv = inventory_load(path, &e);

	free(path);
	if (inv == NULL)
		fail_msg("%s", e.err[0].text);
	return inv;
}

/* What both samples say, in their own syntax. */
static void sample_is_right(const struct inventory *inv)
{
	const struct server *s;

	assert_int_equal(inv->servers, 11);
	assert_int_equal(group_size(inv, "web"), 4);
	assert_int_equal(group_size(inv, "frontends"), 5);
	assert_int_equal(group_size(inv, "mail"), 2);
	assert_int_equal(group_size(inv, "all"), 0);
	s = find(inv, "web02.example.com");
	assert_string_equal(s->user, "deploy");     /* of the group */
	assert_int_equal(s->port, 2222);
	assert_null(s->address);
	assert_string_equal(s->jump, "bastion.example.com");
	assert_int_equal(s->sudo, 1);
	assert_string_equal(s->profile, "nginx");
	s = find(inv, "web04.example.com");
	assert_string_equal(s->user, "root");       /* the host's own wins */
	assert_string_equal(s->address, "192.0.2.14");
	assert_int_equal(s->count, 2);
	assert_string_equal(s->names[1], "shop.example.com");
	s = find(inv, "lb.example.com");
	assert_string_equal(s->profile, "haproxy"); /* of the parent group, deeper than "all" */
	assert_string_equal(s->user, "admin");
	assert_string_equal(s->jump, "jump@b1.example.com:2200,b2.example.com");
	assert_string_equal(s->identity + strlen(s->identity) - 8, "keys/ops");
	assert_string_equal(find(inv, "mx1.example.com")->profile, "postfix");
	assert_non_null(strstr(find(inv, "db1.example.com")->unusable, "Jinja"));
	assert_non_null(strstr(find(inv, "db2.example.com")->unusable, "vault"));
	assert_non_null(strstr(find(inv, "db3.example.com")->unusable, "ssh option"));
	assert_false(find(inv, "db3.example.com")->apart);
	assert_true(find(inv, "localhost")->apart);
}

static void test_ini(void **state)
{
	struct inventory *inv = sample("hosts.ini");

	(void)state;
	sample_is_right(inv);
	assert_non_null(strstr(find(inv, "db1.example.com")->unusable, "hosts.ini:26: "));
	inventory_free(inv);
}

static void test_yaml(void **state)
{
	struct inventory *inv = sample("hosts.yml");

	(void)state;
	sample_is_right(inv);
	assert_non_null(strstr(find(inv, "db1.example.com")->unusable, "hosts.yml:33: "));
	inventory_free(inv);
}

/* group_vars and host_vars lie beside: the host's file wins over the inventory, a vault file is named. */
static void test_vars(void **state)
{
	struct inventory *inv = sample("vars/hosts");
	const struct server *s = find(inv, "app1.example.com");

	(void)state;
	assert_string_equal(s->user, "fromgroup");
	assert_int_equal(s->port, 2022);
	assert_string_equal(s->address, "198.51.100.1");
	s = find(inv, "app2.example.com");
	assert_string_equal(s->user, "fromhost");
	assert_int_equal(inv->notes, 1);
	assert_non_null(strstr(inv->note[0], "group_vars/app/vault.yml:1: encrypted"));
	inventory_free(inv);
}

/* A folder is one inventory of all its files; host_vars/FQDN needs no ending, and of several files the first counts. */
static void test_folder(void **state)
{
	struct inventory *inv = sample("folder");
	const struct server *s = find(inv, "App1.example.com");

	(void)state;
	assert_int_equal(inv->servers, 3);
	assert_int_equal(group_size(inv, "app"), 2);
	assert_int_equal(group_size(inv, "both"), 3); /* its children stand in another file */
	assert_string_equal(s->user, "fromhost");
	assert_int_equal(s->port, 2201);              /* NAME, not NAME.yml */
	assert_string_equal(find(inv, "app2.example.com")->user, "fromgroup");
	assert_int_equal(find(inv, "app2.example.com")->port, 0); /* host_vars/APP2... is another host's */
	assert_string_equal(find(inv, "db1.example.com")->address, "192.0.2.7");
	inventory_free(inv);
}

/* ansible-inventory --yaml tells a group again below each of its parents, and aliases do the same. */
static void test_again(void **state)
{
	struct errs e = { 0 };
	static const char text[] = "all:\n  children:\n    a:\n      children:\n        m: &m\n          hosts:\n"
	    "            x: {}\n            y: {}\n    b:\n      children:\n        m:\n          hosts:\n            x:\n"
	    "              ansible_port: 22\n    c:\n      children:\n        m: *m\n";
	struct inventory *inv = inventory_read(text, strlen(text), "h.yml", &e);

	(void)state;
	if (inv == NULL)
		fail_msg("%s", e.err[0].text);
	assert_int_equal(inv->servers, 2);
	assert_int_equal(group_size(inv, "m"), 2);
	assert_int_equal(group_size(inv, "c"), 2);
	assert_int_equal(find(inv, "x")->port, 22);
	inventory_free(inv);
}

static void test_unhonoured(void **state)
{
	struct errs e = { 0 };
	struct inventory *inv = read_text("a ansible_ssh_args='-o ProxyJump=b1 -o ControlMaster=auto' ansible_password=x\n"
	    "b ansible_host=b.example.com. ansible_ssh_executable=/usr/bin/ssh ansible_become_password=y\nc ansible_ssh_executable=./wrapper\n"
	    "d ansible_ssh_args='-F other.cfg'\n", &e);

	(void)state;
	assert_non_null(inv);
	assert_string_equal(inv->server[0].jump, "b1");
	assert_null(inv->server[0].unusable);
	assert_null(inv->server[1].unusable);
	assert_string_equal(inv->server[1].address, "b.example.com");
	assert_string_equal(inv->server[2].unusable, "hosts:3: reached by a program of its own: ./wrapper");
	assert_non_null(strstr(inv->server[3].unusable, "hosts:4: an ssh option"));
	assert_int_equal(inv->notes, 2);
	assert_string_equal(inv->note[0], "hosts:1: a password for SSH, never given: sev1 logs in with a key");
	assert_string_equal(inv->note[1], "hosts:2: a password for sudo, never given: sudo must work without (NOPASSWD)");
	inventory_free(inv);
}

static void refuse_as(const char *path, const char *text, const char *said)
{
	struct errs e = { 0 };

	if (inventory_read(text, strlen(text), path, &e) != NULL)
		fail_msg("taken: %s", text);
	if (strstr(e.err[0].text, said) == NULL)
		fail_msg("'%s' does not hold '%s'", e.err[0].text, said);
}

static void test_ansible_refused(void **state)
{
	(void)state;
	refuse_as("h.ini", "[web]\na\nb\na\n", "h.ini:4: this host stands in line 2 already: a");
	refuse_as("h.ini", "[web]\na ansible_host=10.0.0.1\n[db]\na ansible_host=10.0.0.2\n",
	    "h.ini:4: a is at 10.0.0.1 in line 2 already, and here at: 10.0.0.2");
	refuse_as("h.yml", "[web]\na b\n", "h.yml:2: key=value is expected behind a host: b");
	refuse_as("h.csv", "tower;192.0.2.7;root;secret\n", "h.csv:1: no header: no column is called host: tower");
	refuse_as("h.csv", "NAME,RACK,IP\nweb1,1,192.0.2.7\n", "h.csv:1: no header: no column is called host: NAME");
	refuse_as("h.csv", "host,RACK\nweb1,1\n", "h.csv:1: unknown column: RACK");
	refuse_as("h.toml", "[web.hosts]\na = { }\n", "h.toml: an inventory in TOML");
	refuse_as("h.ini", "[web]\na b\n", "h.ini:2: key=value is expected behind a host: b");
	refuse_as("h.ini", "[web]\na x='1\n", "h.ini:2: a quote that is not closed");
	refuse_as("h.ini", "[web\na\n", "h.ini:1: a heading that is not closed");
	refuse_as("h.ini", "[web] b c\na\n", "h.ini:1: text behind a heading: b c");
	refuse_as("h.ini", "[a:c].x y\n[web]\n", "h.ini:1: key=value is expected behind a host: y");
	refuse_as("h.ini", "[web:var]\na=b\n", "h.ini:1: a heading of an unknown kind: var");
	refuse_as("h.ini", "[a:children]\nb\n[b:children]\na\n[c]\nx\n", "a group below itself");
	refuse_as("h.ini", "[a:children]\nghost\n[c]\nx\n", "h.ini:2: a group that has no heading of its own: ghost");
	refuse_as("h.ini", "[a]\nx ansible_port=twenty\n", "h.ini:2: not a port: twenty");
	refuse_as("h.ini", "[a]\n$(reboot) ansible_port=22\n", "h.ini:2: not a host name or address");
	refuse_as("h.ini", "[a]\nweb[5:1]\n", "h.ini:2: a range that runs backwards: [5:1]");
	refuse_as("h.ini", "[a]\nweb[1:2\n", "h.ini:2: a bracket that is not closed");
	refuse_as("h.yml", "all:\n  hosts:\n    a: {}\n    a: {}\n", "h.yml:4: this host stands in line 3 already: a");
	refuse_as("h.yml", "all:\n  hosts:\n    w[1:2]: {}\n    w2: {}\n", "h.yml:4: this host stands in line 3 already: w2");
	refuse_as("h.yml", "all:\n  children:\n    g: {hosts: {a: }}\n    g: {hosts: {b: }}\n",
	    "h.yml:4: this group stands in the same mapping already: g");
	refuse_as("h.yml", "all:\n  hosts: [a, b]\n", "h.yml:2: a mapping is expected for: hosts");
	refuse_as("h.yml", "all:\n\thosts:\n", "h.yml:2: not YAML");
	refuse_as("h.yml", "plugin: aws_ec2\nregions: []\n", "h.yml:1: the settings or output of an inventory plugin");
	refuse_as("h.yml", "- hosts: all\n  tasks: []\n", "h.yml:1: a mapping is expected");
	refuse_as("h.yml", "a: &a\n  children:\n    b: *a\n", "h.yml");
	refuse_as("h.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n", "h.yml:1: the file is encrypted");
	refuse_as("h", "#!/bin/sh\necho all\n", "h:1: a program");
}

/* ---- all that is wrong, at one go ---- */

/* Each error on a line, its remedy after " | " where none before has it. */
static void tells(const struct inventory *inv, const struct errs *es, const char *said)
{
	struct buf b = { 0 };

	assert_null(inv);
	for (size_t i = 0; i < es->count; i++)
		buf_addf(&b, "%s%s%s\n", es->err[i].text, errs_remedy(es, i)[0] != '\0' ? " | " : "", errs_remedy(es, i));
	if (strcmp(buf_str(&b), said) != 0)
		fail_msg("told:\n%s\ninstead of:\n%s", buf_str(&b), said);
	buf_free(&b);
}

#define LINE " | a line is [USER@]NAME[:PORT]; what knows more of a host is CSV with the header host,address,port,user,names\n"
#define TWICE " | leave one; two servers need two names, and what they are reached by as their address\n"
#define NAME " | a host stands as [USER@]NAME[:PORT]; a name as the DNS has it (xn--...), IPv6 with a port in brackets, many as web[01:50]\n"
#define KINDS " | the kinds are [GROUP], [GROUP:vars] and [GROUP:children]\n"
#define RANGE " | ranges look so: web[01:50], web[1:9:2], node[1-3,7], [a:f].example.com\n"

static const struct {
	const char *path, *text, *said;
} several[] = {
	{ "hosts", "web01\nweb 02\nweb01\nok\n10.1\nweb02:99999\nWEB01\nweb[3:1]\nweb[1:3]\nweb2\nweb[1:3]\ndb[2\n",
	    "hosts:2: one host name a line is expected: web 02" LINE
	    "hosts:3: this host stands in line 1 already: web01" TWICE
	    "hosts:5: not a host name or address: 10.1" NAME
	    "hosts:6: not a port: 99999\n"
	    "hosts:7: this host stands in line 1 already: WEB01\n"
	    "hosts:8: a range that runs backwards: [3:1]" RANGE
	    "hosts:10: this host stands in line 9 already: web2\n"
	    "hosts:11: this host stands in line 9 already: web1\n" /* once for all of the range */
	    "hosts:12: a bracket that is not closed: [2]\n" },
	{ "h.csv", "host,port,user,address,names\na,22x,,,\nb,1\na,22,,,\nc,0,a b,d e,x/y ok z!\n\"d,,,,\n\"e\"x,,,,\n# f,\n"
	    "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18\ng[1:2],,,g,\nroot@h,,admin,,\ni,,,,\n,,,,\nI,,,,\n",
	    "h.csv:2: not a port: 22x\n"
	    "h.csv:3: 2 fields where the header has 5\n"
	    "h.csv:4: this host stands in line 2 already: a" TWICE
	    "h.csv:5: not an address: d e\n"
	    "h.csv:5: not a user name: a b\n"
	    "h.csv:5: not a port: 0\n"
	    "h.csv:5: not a name for a certificate: x/y\n"
	    "h.csv:5: not a name for a certificate: z!\n"
	    "h.csv:6: a quote that is not closed: d,,,,\n"
	    "h.csv:7: text behind a closing quote: e\n"
	    "h.csv:9: too many fields\n"
	    "h.csv:10: a range cannot share one address or its names: g[1:2]\n"
	    "h.csv:11: another user stands before the name: root\n"
	    "h.csv:13: not a host name or address" NAME
	    "h.csv:14: this host stands in line 12 already: I\n" },
	/* without its header nothing of a CSV can be told apart */
	{ "h.csv", "host,colour\na,red,\na\n", "h.csv:1: unknown column: colour | rename or take out columns, so that these are "
	    "left: host,address,port,user,names,profile\n" },
	{ "h.ini", "[web\nweb[1:3]\nweb2\n[db] x\nd ansible_port=x\nd\n[no name]\nn y\n[app:var]\nnot=looked at\n"
	    "[app]\na k='1\na z\nb\n[app:vars]\nansible_port=70000\n=x\nansible_user=\"a b\"\n[all:children]\nghost\nweb db\nweb\ndb\n"
	    "[r1:children]\nr2\n[r2:children]\nr1\n[x:children]\nx\n",
	    "h.ini:1: a heading that is not closed: [web\n"
	    "h.ini:3: this host stands in line 2 already: web2" TWICE
	    "h.ini:4: text behind a heading: x\n"
	    "h.ini:5: not a port: x\n"
	    "h.ini:6: this host stands in line 5 already: d\n"
	    "h.ini:7: not the name of a group: no name\n"
	    "h.ini:8: key=value is expected behind a host: y\n"
	    "h.ini:9: a heading of an unknown kind: var" KINDS
	    "h.ini:12: a quote that is not closed: k=1\n"
	    "h.ini:13: key=value is expected behind a host: z\n"
	    "h.ini:16: not a port: 70000\n"
	    "h.ini:17: key=value is expected: =x\n"
	    "h.ini:18: not a user name: a b\n"
	    "h.ini:20: a group that has no heading of its own: ghost\n"
	    "h.ini:21: one group a line is expected: web\n"
	    "h.ini:24: a group below itself: r1\n"
	    "h.ini:28: a group below itself: x\n" },
	{ "h.yml", "all:\n  hosts:\n    a: 5\n    b: {ansible_port: no, ansible_user: [x]}\n    b: {}\n    c d: {}\n    ? [k]\n    : v\n"
	    "  vars: [x]\n  children:\n    g: {hosts: {e: {ansible_port: 1e3}}}\n    g: {hosts: {b: {}}}\n    h: text\n    i: {hosts: [a]}\n"
	    "    j: {vars: {ansible_user: 'u v'}, hosts: {'j[1:50]': {}}}\n",
	    "h.yml:3: a host's variables are expected as a mapping: a\n"
	    "h.yml:4: a plain value is expected for: ansible_user\n"
	    "h.yml:4: not a port: no\n"
	    "h.yml:5: this host stands in line 4 already: b" TWICE
	    "h.yml:6: not a host name or address: c d" NAME
	    "h.yml:7: a key that is not plain text\n"
	    "h.yml:9: a mapping is expected for: vars\n"
	    "h.yml:11: not a port: 1e3\n"
	    "h.yml:12: this group stands in the same mapping already: g\n"
	    "h.yml:13: a group is expected as a mapping of hosts, vars and children: h\n"
	    "h.yml:14: a mapping is expected for: hosts\n"
	    "h.yml:15: not a user name: u v\n" }, /* once for all that have it */
	/* where YAML's grammar is broken nobody knows how it goes on */
	{ "h.yml", "all:\n  hosts:\n    a b: {}\n\tc: {}\n    d e: {}\n", "h.yml:4: not YAML: found character that cannot start any token\n" },
	{ "h.yml", "plugin: aws_ec2\nregions: []\nfilters: []\n", "h.yml:1: the settings or output of an inventory plugin, not an "
	    "inventory: plugin | ansible-inventory -i h.yml --list --yaml > NEW.yml writes what it says\n" },
};

static void test_several(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof several / sizeof several[0]; i++) {
		struct errs es;
		struct inventory *inv = inventory_read(several[i].text, strlen(several[i].text), several[i].path, &es);

		tells(inv, &es, several[i].said);
		assert_int_equal(es.total, es.count);
	}
}

/* Of many the first by line are kept, in their order, however late they are found; the rest is counted. */
static void test_several_many(void **state)
{
	struct buf b = { 0 }, said = { 0 };
	struct errs es;
	struct err e = { 0 };

	(void)state;
	buf_adds(&b, "host,port\n");
	for (int i = 2; i <= 5000; i++)
		buf_addf(&b, i % 2 == 0 ? "h%d,x\n" : "h%d\n", i); /* a port is looked at once all lines are read */
	for (int i = 2; i < 2 + ERRS_KEPT; i++)
		buf_addf(&said, i % 2 == 0 ? "hosts:%d: not a port: x\n" : "hosts:%d: 1 field where the header has 2\n", i);
	tells(inventory_read(b.data, b.len, "hosts", &es), &es, buf_str(&said));
	assert_int_equal(es.total, 4999);
	assert_int_equal(errs_sum(&es, "reissue", &e), ERR_SYNTAX);
	assert_string_equal(e.text, "reissue: 4999 errors, 4979 of them not shown; nothing was done");
	buf_free(&b);
	buf_free(&said);
}

static char *put(const char *folder, const char *name, const char *text)
{
	char *path = fs_join(folder, name);

	assert_int_equal(fs_write(path, text, strlen(text), 0600, NULL), 0);
	return path;
}

/* A folder's files are read on whatever is wrong with one; what that one might have said is not missed in the others. */
static void test_several_files(void **state)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{ "10-web", "[web]\nw1\nw1\n[top:children]\nweb\napp\n" }, { "20-app.yml", "app:\n  hosts:\n\ta: {}\n" },
		{ "30-db.yml", "db:\n  hosts:\n    d 1: {}\n    d2: {ansible_host: 10.0.0.1}\n" },
		{ "40-more.ini", "[more]\nd2 ansible_host=10.0.0.2\nd3 x\n" }, { "50-sealed", "$ANSIBLE_VAULT;1.1;AES256\n61\n" },
		{ "group_vars/web.yml", "ansible_port: http\n" }, { "host_vars/d2.yml", "ansible_user: [\n" },
	};
	char dir[] = "/tmp/sev1-several-XXXXXX", *path[8] = { NULL }, *gone;
	struct errs es;
	char said[2000];

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (const char *const *p = (const char *const[]){ "group_vars", "host_vars", NULL }; *p != NULL; p++) {
		char *sub = fs_join(dir, *p);
		assert_int_equal(fs_mkdirs(sub, 0700, NULL), 0);
		free(sub);
	}
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		path[i] = put(dir, files[i].name, files[i].text);
	gone = fs_join(dir, "60-gone");
	assert_int_equal(symlink("nowhere", gone), 0);
	snprintf(said, sizeof said, "%s:3: this host stands in line 2 already: w1" TWICE
	    "%s:3: not YAML: found character that cannot start any token\n"
	    "%s:3: not a host name or address: d 1" NAME
	    "%s:2: d2 is at 10.0.0.1 in %s:4 already, and here at: 10.0.0.2\n"
	    "%s:3: key=value is expected behind a host: x\n"
	    "%s:1: the file is encrypted with ansible-vault | ansible-vault view %s > NEW writes it out\n"
	    "%s: No such file or directory\n"
	    "%s:1: not a port: http\n"
	    "%s:2: not YAML: did not find expected node content\n", path[0], path[1], path[2], path[3], path[2], path[3], path[4],
	    path[4], gone, path[5], path[6]);
	tells(inventory_load(dir, &es), &es, said);
	assert_int_equal(es.total, 9);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		free(path[i]);
	free(gone);
	assert_int_equal(fs_remove_tree(dir, NULL), 0);
}

/* ---- ranges ---- */

static int add_name(void *ctx, const char *name)
{
	buf_addf(ctx, "%s ", name);
	return 0;
}

static void expands(const char *pattern, const char *want)
{
	struct err e = { 0 };
	struct buf b = { 0 };

	if (inventory_range(pattern, add_name, &b, &e) < 0)
		fail_msg("%s: %s", pattern, e.text);
	assert_string_equal(buf_str(&b), want);
	buf_free(&b);
}

static void test_range(void **state)
{
	struct err e = { 0 };
	struct buf b = { 0 };

	(void)state;
	expands("web", "web ");
	expands("web[08:11]", "web08 web09 web10 web11 ");
	expands("web[1:9:4].x", "web1.x web5.x web9.x ");
	expands("node[1-3,7,09-10]", "node1 node2 node3 node7 node09 node10 ");
	expands("[a:c].y", "a.y b.y c.y ");
	expands("r[1-2]n[0:1]", "r1n0 r1n1 r2n0 r2n1 ");
	assert_true(inventory_range("x[1:9999]y[1:9999]", add_name, &b, &e) < 0);
	assert_non_null(strstr(e.text, "more than"));
	buf_free(&b);
	for (const char *const *p = (const char *const[]){ "w[01:100]", "w[]", "w[a:5]", "w[1:5:0]", "w[1", "w[a:F]", NULL }; *p != NULL; p++)
		if (inventory_range(*p, add_name, &b, &e) == 0)
			fail_msg("%s was taken: %s", *p, b.data);
	buf_free(&b);
}

/* ---- choosing ---- */

static void chooses(const struct inventory *inv, const char *want, const char *but, const char *said)
{
	bool *chosen = mem_zalloc(inv->servers, sizeof *chosen);
	struct err e = { 0 };
	struct buf b = { 0 };

	if (inventory_choose(inv, want, but, chosen, &e) < 0)
		buf_adds(&b, e.text);
	for (size_t i = 0; i < inv->servers && e.code == 0; i++)
		if (chosen[i])
			buf_addf(&b, "%.*s ", (int)strcspn(inv->server[i].name, "."), inv->server[i].name);
	assert_string_equal(buf_str(&b), said);
	buf_free(&b);
	free(chosen);
}

static void test_choose(void **state)
{
	struct inventory *inv = sample("hosts.ini");
	char path[] = "/tmp/sev1-choose-XXXXXX", *want, *said;
	int fd = mkstemp(path);

	(void)state;
	chooses(inv, NULL, NULL, "web01 web02 web03 web04 lb mx1 mx2 db1 db2 db3 "); /* 11 less localhost */
	chooses(inv, "mail", NULL, "mx1 mx2 ");
	chooses(inv, "WEB02.example.com,lb*", NULL, "web02 lb ");
	chooses(inv, "web[02-03].example.com", NULL, "web02 web03 ");
	chooses(inv, "web[02:04:2].example.com", NULL, "web02 web04 ");
	chooses(inv, "web0[12].example.com", NULL, "web01 web02 ");
	chooses(inv, "frontends:!web", NULL, "lb ");
	chooses(inv, "frontends:&web:!web01.example.com", NULL, "web02 web03 web04 ");
	chooses(inv, NULL, "web,db?.example.com", "lb mx1 mx2 ");
	chooses(inv, "all", "frontends,db*", "mx1 mx2 ");
	assert_true(fd >= 0 && write(fd, "# canaries\nweb01.example.com\n\n mx1.example.com # one\n", 52) > 0);
	close(fd);
	want = mem_printf("@%s", path);
	chooses(inv, want, NULL, "web01 mx1 ");
	chooses(inv, "web", want, "web02 web03 web04 ");
	chooses(inv, "", NULL, "no pattern is given to choose hosts by");
	chooses(inv, " ,", NULL, "no pattern is given to choose hosts by");
	chooses(inv, "db*", "", "db1 db2 db3 ");
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0 && write(fd, "\xef\xbb\xbflb*\r\n", 8) == 8);
	close(fd);
	chooses(inv, want, NULL, "lb ");
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0 && write(fd, "lb*\n\nnone*\n", 11) == 11);
	close(fd);
	said = mem_printf("%s:3: no host and no group of %s matches 'none*'", path, inv->path);
	chooses(inv, want, NULL, said);
	free(said);
	free(want);
	unlink(path);
	want = mem_printf("no host and no group of %s matches 'web99.example.com'", inv->path);
	chooses(inv, "web,web99.example.com", NULL, want);
	chooses(inv, NULL, "web99.example.com", want);
	free(want);
	inventory_free(inv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list), cmocka_unit_test(test_target),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_many), cmocka_unit_test(test_ini), cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_vars), cmocka_unit_test(test_ansible_refused), cmocka_unit_test(test_range),
		cmocka_unit_test(test_several), cmocka_unit_test(test_several_many), cmocka_unit_test(test_several_files),
		cmocka_unit_test(test_folder), cmocka_unit_test(test_again), cmocka_unit_test(test_unhonoured), cmocka_unit_test(test_choose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
