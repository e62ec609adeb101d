#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/confine.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "child/image.h"
#include "child/serve.h"
#include "patience.h"
#include "serve_seam.h"
#include "work/action.h"

#define ID "INC-2026-0042"

static const char *folder;
static struct err e;

static struct action_conf firewall(const char *ports)
{
	return (struct action_conf){ .name = (char *)"block", .kind = ACTION_FIREWALL,
		.ports = (char *)ports, .line = 12 };
}

static void test_ports(void **state)
{
	int port[ACTION_PORTS_MAX];
	size_t n;
	static const char *const bad[] = { "", " , ", "0", "65536", "http", "80;id", "80 -j", "-80", "80-90",
		"99999999999999999999", "8 0x50" };

	(void)state;
	assert_int_equal(action_ports("80, 443,80 8443", port, &n, &e), 0);
	assert_int_equal(n, 3);
	assert_int_equal(port[2], 8443);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(action_ports(bad[i], port, &n, &e), ERR_USAGE);
}

static void test_probe(void **state)
{
	static const char *const bad[] = { "", ":80", "ca01", "ca01:", "ca01:0", "ca 01:80", "a:80,81", "::1:80x" };
	char *address;
	int port;

	(void)state;
	assert_int_equal(action_probe("[::1]:8443", &address, &port, &e), 0);
	assert_string_equal(address, "::1");
	assert_int_equal(port, 8443);
	free(address);
	assert_int_equal(action_probe("ca01.example.com:443", &address, &port, &e), 0);
	assert_string_equal(address, "ca01.example.com");
	free(address);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(action_probe(bad[i], &address, &port, &e), ERR_USAGE);
		assert_null(address);
	}
}

static void test_exact_commands(void **state)
{
	struct action_conf a = firewall("80"), c = { .name = (char *)"stop", .kind = ACTION_COMMAND,
		.run = (char *)"systemctl stop pki-ca", .verify = (char *)"! systemctl is-active -q pki-ca" };
	struct action_steps s;

	(void)state;
	assert_int_equal(action_build(&a, ID, &s, &e), 0);
#define RULE "-p tcp --dport 80 -m comment --comment sev1:" ID " -j DROP"
	assert_string_equal(s.command,
	    "{ iptables -w -D INPUT " RULE " 2>/dev/null; iptables -w -I INPUT 1 " RULE "; } && "
	    "{ ip6tables -w -D INPUT " RULE " 2>/dev/null; ip6tables -w -I INPUT 1 " RULE "; }");
	assert_string_equal(s.undo, "iptables -w -D INPUT " RULE "; ip6tables -w -D INPUT " RULE);
	action_steps_clear(&s);
	assert_int_equal(action_build(&c, ID, &s, &e), 0);
	assert_string_equal(s.command, "systemctl stop pki-ca");
	assert_string_equal(s.verify, "! systemctl is-active -q pki-ca");
	assert_string_equal(s.undo, "");
	action_steps_clear(&s);
	/* what is shown must be what is run */
	c.run = (char *)"systemctl stop \xe2\x80\xaepki";
	assert_int_equal(action_build(&c, ID, &s, &e), ERR_USAGE);
	assert_non_null(strstr(e.text, "[action stop]"));
	a = firewall("80; id");
	assert_int_equal(action_build(&a, ID, &s, &e), ERR_USAGE);
	assert_non_null(strstr(e.text, "(line 12)"));
	a = firewall("80");
	assert_int_equal(action_build(&a, "x;id", &s, &e), ERR_USAGE);
}

/* ---- the real thing in a network namespace ---- */

static int sh(const char *command)
{
	json_t *request = json_pack("{s:s,s:s,s:i}", "op", "run", "command", command, "timeout_s", PATIENCE_S),
	    *r = NULL;
	int status = -1;

	memset(&e, 0, sizeof e);
	if (action_child(request, &r, &e) == 0)
		status = (int)json_num(r, "status", -1);
	json_decref(request);
	json_decref(r);
	return status;
}

static int in_namespace(const char *command)
{
	assert_int_equal(fs_write("script", command, strlen(command), 0600, &e), 0);
	return sh("unshare -n sh script");
}

static void test_firewall(void **state)
{
	struct action_conf a = firewall("80, 443");
	struct action_steps s;
	struct buf b = { 0 };

	(void)state;
	if (sh("command -v iptables ip6tables unshare") != 0 ||
	    sh("unshare -n sh -c 'iptables -w -S INPUT && ip6tables -w -S INPUT'") != 0) {
		print_message("no network namespace with iptables here\n");
		skip();
	}
	assert_int_equal(action_build(&a, ID, &s, &e), 0);
	/* an ACCEPT stands there already; nothing holds yet; then it does, whatever is done twice */
	buf_addf(&b, "verify() { %s; }; undone() { %s; }\n", s.verify, s.undone);
	buf_addf(&b, "iptables -A INPUT -p tcp -j ACCEPT; ip6tables -A INPUT -p tcp -j ACCEPT\n"
	             "verify && exit 10\n undone || exit 11\n");
	buf_addf(&b, "%s || exit 12\n verify || exit 13\n undone && exit 14\n", s.command);
	buf_addf(&b, "%s || exit 15\n verify || exit 16\n", s.command);
	buf_adds(&b, "for f in iptables ip6tables; do [ $($f -S INPUT | grep -c DROP) -eq 2 ] || exit 17; done\n");
	/* an ACCEPT slipped in before them, in one family only: it no longer holds, until it is done again */
	buf_adds(&b, "ip6tables -I INPUT 1 -p tcp -j ACCEPT\n verify && exit 18\n");
	buf_addf(&b, "%s || exit 19\n verify || exit 20\n", s.command);
	/* another incident's rule is not ours */
	buf_adds(&b, "iptables -I INPUT 1 -p tcp --dport 80 -m comment --comment sev1:" ID "9 -j DROP\n"
	             "verify && exit 21\n iptables -D INPUT 1\n verify || exit 22\n");
	buf_addf(&b, "%s || exit 23\n undone || exit 24\n verify && exit 25\n", s.undo);
	buf_adds(&b, "iptables -S INPUT | grep -q DROP && exit 26\n exit 0\n");
	assert_int_equal(in_namespace(buf_str(&b)), 0);
	buf_free(&b);
	action_steps_clear(&s);
}

/* ---- the image ---- */

static int image(const char *source, const char *target, json_t **result)
{
	char *from = fs_join(folder, source), *to = fs_join(folder, target);
	json_t *request = json_pack("{s:s,s:s,s:s,s:s,s:i}", "op", "image", "source", from, "target", to,
	    "name", ID "-image.img", "timeout_s", PATIENCE_S);
	int rc;

	memset(&e, 0, sizeof e);
	*result = NULL;
	seam_reset();
	rc = action_child(request, result, &e);
	json_decref(request);
	free(from);
	free(to);
	return rc < 0 ? rc : (int)json_num(*result, "status", -1);
}

static const char *last_line(void)
{
	json_t *last = json_array_get(seam_said, json_array_size(seam_said) - 1);

	return json_str(last, "line");
}

static void test_image(void **state)
{
	char hex[DIGEST_HEX], copy[DIGEST_HEX], *want;
	struct buf b = { 0 };
	json_t *r;

	(void)state;
	for (int i = 0; i < 9000000; i++)
		buf_addc(&b, (char)(i * 31 >> 7));
	assert_int_equal(fs_write("disk", b.data, b.len, 0600, &e), 0);
	buf_clear(&b);
	digest_file("disk", hex, &e);
	assert_int_equal(fs_mkdirs("forensic", 0755, &e), 0);
	assert_int_equal(fs_write("forensic/" ID "-image.img.part", "left over", 9, 0600, &e), 0);
	assert_int_equal(image("disk", "forensic", &r), 0);
	json_decref(r);
	want = mem_printf("sha256 %s", hex);
	assert_string_equal(last_line(), want);
	assert_string_equal(json_string_value(seam_find("line", 0)), "progress 0 9000000");
	assert_int_equal(digest_file("forensic/" ID "-image.img", copy, &e), 0);
	assert_string_equal(copy, hex);
	assert_int_equal(sh("cd forensic && sha256sum -c " ID "-image.img.sha256 && ! ls *.part"), 0);
	/* again: it is there, and is not read again */
	assert_int_equal(sh("echo x >>forensic/" ID "-image.img.sha256"), 0);
	assert_int_equal(image("disk", "forensic", &r), 0);
	json_decref(r);
	assert_string_equal(last_line(), want);
	free(want);
	buf_free(&b);
}

static int image_says(const char *source, const char *target, const char *why)
{
	json_t *r;
	int status = image(source, target, &r);

	if (r == NULL || strstr(json_str(r, "stderr"), why) == NULL)
		fail_msg("'%s' does not say '%s'", r != NULL ? json_str(r, "stderr") : e.text, why);
	json_decref(r);
	return status;
}

static void test_image_refused(void **state)
{
	(void)state;
	assert_int_equal(fs_write("small", "0123456789", 10, 0600, &e), 0);
	assert_int_equal(image_says("small", "nowhere", "target folder does not exist"), 1);
	assert_int_equal(image_says("forensic", "forensic", "neither a block device nor a file"), 1);
	assert_int_equal(sh(": >empty; truncate -s 15T huge"), 0);
	assert_int_equal(image_says("empty", "forensic", "is empty"), 1);
	assert_int_equal(image_says("huge", "forensic", "octets are needed"), 1);
	assert_int_equal(sh("ls forensic/*.part"), 2);
}

/* Two consoles at once: the second keeps its hands off the first one's copy. */
static void test_image_twice(void **state)
{
	char *disk = fs_join(folder, "disk"), *target = fs_join(folder, "forensic");
	char *command = image_command(disk, target, "other.img");

	(void)state;
	assert_int_equal(fs_write("script", command, strlen(command), 0600, &e), 0);
	assert_int_equal(sh("flock forensic/other.img.part.lock sh script 2>why"), 1);
	assert_int_equal(sh("grep -q 'being written already' why && [ ! -e forensic/other.img ]"), 0);
	assert_int_equal(sh("sh script && cd forensic && sha256sum -c other.img.sha256"), 0);
	assert_int_equal(sh("ls forensic/*.lock"), 2);
	free(command);
	free(disk);
	free(target);
}

/* Tools that answer as if the folder lay where the test says. */
static void lie(const char *tool, const char *says)
{
	char *path = mem_printf("lie/%s", tool), *text = mem_printf("#!/bin/sh\nprintf '%s\\n'\n", says);

	assert_int_equal(fs_mkdirs("lie", 0755, &e), 0);
	assert_int_equal(fs_write(path, text, strlen(text), 0755, &e), 0);
	assert_int_equal(chmod(path, 0755), 0);
	free(path);
	free(text);
}

static int image_of_device(const char *why)
{
	char *device = fs_join(folder, "device"), *target = fs_join(folder, "forensic"), *command;
	struct buf b = { 0 };
	int rc;

	command = image_command(device, target, ID "-dev.img");
	buf_addf(&b, "PATH=$PWD/lie:$PATH; %s 2>why; s=$?; grep -q '%s' why || exit 99; exit $s", command, why);
	rc = sh(buf_str(&b));
	buf_free(&b);
	free(command);
	free(device);
	free(target);
	return rc;
}

static void test_image_same_device(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(".", &st), 0);
	if (mknod("device", S_IFBLK | 0600, st.st_dev) < 0) {
		print_message("no device nodes can be made here\n");
		skip();
	}
	lie("blockdev", "4096");
	/* the file system of the target is on this very device */
	assert_int_equal(image_of_device("lies on the source device"), 1);
	/* the source is the disk of which a partition, or a volume on it, carries the target */
	assert_int_equal(unlink("device"), 0);
	assert_int_equal(mknod("device", S_IFBLK | 0600, makedev(8, 0)), 0);
	lie("lsblk", "252:3\\n8:1\\n8:0");
	assert_int_equal(image_of_device("lies on the source device"), 1);
	/* another disk: it goes on, and fails only to read a device that is not there */
	lie("lsblk", "252:3\\n8:17\\n8:16");
	assert_int_equal(image_of_device("reading failed\\|No such\\|not permitted"), 1);
}

/* Out of room in the middle: no image is left that looks whole. */
static void test_image_full(void **state)
{
	struct buf b = { 0 };
	char *disk = fs_join(folder, "disk"), *command;

	(void)state;
	if (sh("unshare -m mount -t tmpfs -o size=64k none forensic") != 0) {
		print_message("no mount namespace here\n");
		free(disk);
		skip();
	}
	command = image_command(disk, "full", ID "-image.img");
	/* df is made to lie, so that the writing itself meets the full disk */
	buf_addf(&b, "mkdir -p full lie; mount -t tmpfs -o size=64k none full || exit 9\n"
	             "printf '#!/bin/sh\\necho Avail; echo 99999999999\\n' >lie/df; chmod +x lie/df; PATH=$PWD/lie:$PATH\n"
	             "%s >said 2>why && exit 8\n"
	             "grep -q 'No space left' why || exit 7\n ls full/*.img* && exit 6\n exit 0\n", command);
	assert_int_equal(fs_write("script", buf_str(&b), b.len, 0600, &e), 0);
	assert_int_equal(sh("unshare -m sh script"), 0);
	free(command);
	free(disk);
	buf_free(&b);
}

static void test_image_confined(void **state)
{
	int status;

	(void)state;
	if (fork() == 0) {
		json_t *r;
		if (confine_to(folder, &e) < 0 || image("small", "forensic", &r) != 0)
			_exit(1);
		if (image("/etc/passwd", "forensic", &r) != ERR_CONFINED ||
		    image("small", "/tmp", &r) != ERR_CONFINED || image("../x", "forensic", &r) != ERR_CONFINED)
			_exit(2);
		_exit(0);
	}
	wait(&status);
	assert_int_equal(status, 0);
}

/* ---- what serves CRLs ---- */

static struct host_conf hosts[] = {
	{ .name = (char *)"ca01", .address = (char *)"10.0.0.1", .port = 22 },
	{ .name = (char *)"web01", .address = (char *)"10.0.0.2", .port = 22 },
};
static struct point_conf points[] = {
	{ .name = (char *)"main", .ca = (char *)"issuing", .url = (char *)"http://10.0.0.1/ca.crl",
	    .host = (char *)"web01" },
	{ .name = (char *)"cdn", .ca = (char *)"issuing", .url = (char *)"https://cdn.example.com:8443/ca.crl",
	    .host = (char *)"web01" },
	{ .name = (char *)"near", .ca = (char *)"root", .url = (char *)"http://[2001:db8::1]:8080/r.crl" },
};

static size_t conflicts(enum action_kind kind, const char *host, const char *what, const char *names)
{
	struct config c = { .host = hosts, .hosts = 2, .point = points, .points = 3 };
	struct action_conf a = { .name = (char *)"a", .kind = kind, .host = (char *)host, .ports = (char *)what,
		.run = (char *)what };
	json_t *list = action_conflicts(&c, &a);
	size_t n = json_array_size(list);

	if (n == 1 && strstr(json_string_value(json_array_get(list, 0)), names) == NULL)
		fail_msg("'%s' does not name %s", json_string_value(json_array_get(list, 0)), names);
	json_decref(list);
	return n;
}

static void test_conflicts(void **state)
{
	(void)state;
	/* by the address in the URL; by the host that holds the file; by the port */
	assert_int_equal(conflicts(ACTION_FIREWALL, "ca01", "80, 443", "point main"), 1);
	assert_int_equal(conflicts(ACTION_FIREWALL, "ca01", "443", ""), 0);
	assert_int_equal(conflicts(ACTION_FIREWALL, "web01", "8443", "point cdn"), 1);
	assert_int_equal(conflicts(ACTION_FIREWALL, "web01", "80,8443", ""), 2);
	assert_int_equal(conflicts(ACTION_FIREWALL, NULL, "8080", "point near"), 1);
	assert_int_equal(conflicts(ACTION_FIREWALL, NULL, "80", ""), 0);
	assert_int_equal(conflicts(ACTION_COMMAND, "ca01", "systemctl stop nginx", "point main"), 1);
	assert_int_equal(conflicts(ACTION_COMMAND, "ca01", "logger hello", ""), 0);
	assert_int_equal(conflicts(ACTION_IMAGE, "ca01", "80", ""), 0);
}

static void test_key_waits(void **state)
{
	struct ca_scope scope[] = { { .ca = (char *)"issuing", .selected = 3 }, { .ca = (char *)"empty" } };
	struct own_cert own[] = { { .ca = (char *)"issuing", .issuer = (char *)"root" } };
	struct crl_made crl[] = { { .ca = (char *)"issuing", .part = (char *)"", .revoke = true },
		{ .ca = (char *)"root", .part = (char *)"" } };
	struct incident in = { .scope = scope, .scopes = 2, .own = own, .owns = 1, .crl = crl };

	(void)state;
	assert_string_equal(action_key_waits(&in), "");
	in.scope_frozen = true;
	assert_string_equal(action_key_waits(&in), "issuing");
	in.crls = 2;
	assert_string_equal(action_key_waits(&in), "root"); /* its CRL is not the emergency one */
	crl[1].revoke = true;
	assert_null(action_key_waits(&in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_exact_commands),
		cmocka_unit_test(test_firewall),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_image_refused),
		cmocka_unit_test(test_image_twice),
		cmocka_unit_test(test_image_same_device),
		cmocka_unit_test(test_image_full),
		cmocka_unit_test(test_image_confined),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_key_waits),
	};

	folder = test_folder();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
