/* Inventories: what people write, and what is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "fleet/inventory.h"

static struct inventory *read_text(const char *text, struct err *e)
{
	return inventory_read(text, strlen(text), "hosts", e);
}

static void refuse(const char *text, const char *said)
{
	struct err e = { 0 };

	assert_null(read_text(text, &e));
	assert_int_equal(e.code, ERR_SYNTAX);
	if (strstr(e.text, said) == NULL)
		fail_msg("'%s' does not hold '%s'", e.text, said);
}

static void test_list(void **state)
{
	struct err e = { 0 };
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
			struct err e = { 0 };
			struct inventory *inv;

			if (k == 1 && strchr(lines[i].text, ';') != NULL)
				continue;
			buf_addf(&b, k == 0 ? "%s\n" : k == 1 ? "host\n%s\n" : "[web]\n%s\n", lines[i].text);
			if ((inv = read_text(buf_str(&b), &e)) == NULL)
				fail_msg("%s: %s", buf_str(&b), e.text);
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
	struct err e = { 0 };
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
			fail_msg("%s", e.text);
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
	refuse("host,port\nweb01\n", "hosts:2: 1 fields where the header has 2");
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
	struct err e = { 0 };

	(void)state;
	assert_null(inventory_read("web01\0\n", 7, "hosts", &e));
	assert_non_null(strstr(e.text, "NUL"));
	assert_null(inventory_load("/nonexistent/hosts", &e));
	assert_int_equal(e.code, ERR_IO);
}

static void test_many(void **state)
{
	struct err e = { 0 };
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
	assert_non_null(strstr(e.text, "hosts:20001: this host stands in line 1 already"));
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
	struct err e = { 0 };
	struct inventory *inv = inventory_load(path, &e);

	free(path);
	if (inv == NULL)
		fail_msg("%s", e.text);
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
	struct err e = { 0 };
	static const char text[] = "all:\n  children:\n    a:\n      children:\n        m: &m\n          hosts:\n"
	    "            x: {}\n            y: {}\n    b:\n      children:\n        m:\n          hosts:\n            x:\n"
	    "              ansible_port: 22\n    c:\n      children:\n        m: *m\n";
	struct inventory *inv = inventory_read(text, strlen(text), "h.yml", &e);

	(void)state;
	if (inv == NULL)
		fail_msg("%s", e.text);
	assert_int_equal(inv->servers, 2);
	assert_int_equal(group_size(inv, "m"), 2);
	assert_int_equal(group_size(inv, "c"), 2);
	assert_int_equal(find(inv, "x")->port, 22);
	inventory_free(inv);
}

static void test_unhonoured(void **state)
{
	struct err e = { 0 };
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
	struct err e = { 0 };

	if (inventory_read(text, strlen(text), path, &e) != NULL)
		fail_msg("taken: %s", text);
	if (strstr(e.text, said) == NULL)
		fail_msg("'%s' does not hold '%s'", e.text, said);
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
		cmocka_unit_test(test_folder), cmocka_unit_test(test_again), cmocka_unit_test(test_unhonoured), cmocka_unit_test(test_choose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
