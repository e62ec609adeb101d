/* A certificate is replaced on a real nginx through a real sshd: what is installed, what is put back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/loop.h"
#include "child/child.h"
#include "child/serve.h"
#include "patience.h"
#include "sshd.h"

static struct sshd server;
static int nginx_port;
static pid_t nginx;

int ca_child(const json_t *request, json_t **result, struct err *e)
{
	(void)request;
	(void)result;
	return err_set(e, ERR_USAGE, "no CA here");
}

/* What the console does, by hand: sign what is asked for, look, say the verdict. */
struct drive {
	struct loop *loop;
	json_t *order, *row;
	struct buf phases;
	char *csr;
	const char *stop;     /* refuse the request with this */
	int verdict;          /* 1 as the handshake shows, 0 always no, -1 none at all */
	bool no_reload;       /* nothing is reloaded: it need not be waited for */
	bool kill_installed;  /* the console dies while the host waits for the verdict */
	bool saw_new;
	struct err err;
};

/* The fingerprint that the server presents, as openssl prints it. */
static char *presented(void)
{
	FILE *p;
	char line[256] = "";
	char *command = NULL;

	assert_true(asprintf(&command, "openssl s_client -connect 127.0.0.1:%d -servername web01 </dev/null 2>/dev/null"
	    " | openssl x509 -noout -fingerprint -sha256 2>/dev/null", nginx_port) > 0);
	p = popen(command, "r");
	if (fgets(line, sizeof line, p) == NULL)
		line[0] = '\0';
	pclose(p);
	free(command);
	return strdup(line);
}

static char *fingerprint_of(const char *path)
{
	char line[256] = "", *command = NULL;
	FILE *p;

	assert_true(asprintf(&command, "openssl x509 -in %s -noout -fingerprint -sha256", path) > 0);
	p = popen(command, "r");
	assert_non_null(fgets(line, sizeof line, p));
	pclose(p);
	free(command);
	return strdup(line);
}

static bool presents_now(const char *path)
{
	char *a = presented(), *b = fingerprint_of(path);
	bool same = strcmp(a, b) == 0;

	free(a);
	free(b);
	return same;
}

/* nginx reloads in its own time: wait until it presents the certificate of path. */
static bool presents(const char *path)
{
	int64_t until = clock_mono() + PATIENCE_MS;

	while (!presents_now(path))
		if (clock_mono() > until)
			return false;
	return true;
}

/* Wait until the host has put everything back by itself: the folder holds the two files of before. */
static void wait_put_back(void)
{
	int64_t until = clock_mono() + PATIENCE_MS;

	while (system("[ \"$(ls -A etc)\" = \"$(printf 'server.key\\nserver.pem')\" ]") != 0 && clock_mono() < until)
		;
}

static void drive_csr(struct drive *d, struct child *c, const json_t *o)
{
	char *pem;

	free(d->csr);
	d->csr = strdup(json_str(o, "csr"));
	if (d->stop != NULL) {
		child_send(c, json_pack("{s:{s:s, s:s}}", "stop", "id", "7", "text", d->stop));
		return;
	}
	fs_write("csr.pem", d->csr, strlen(d->csr), 0644, NULL);
	sh("openssl req -in csr.pem -noout -verify 2>/dev/null");
	sh("openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 5 -copy_extensions copy"
	   " -out new.pem 2>/dev/null");
	pem = slurp("new.pem");
	child_send(c, json_pack("{s:{s:s, s:s, s:s}}", "install", "id", "7", "certificate", pem, "chain", ""));
	free(pem);
}

static void drive_line(void *ctx, struct child *c, const json_t *msg)
{
	struct drive *d = ctx;
	const json_t *o;
	bool ok;

	if ((o = json_object_get(msg, "phase")) != NULL)
		buf_addf(&d->phases, "%s ", json_str(o, "phase"));
	else if ((o = json_object_get(msg, "csr")) != NULL)
		drive_csr(d, c, o);
	else if (json_object_get(msg, "installed") != NULL && d->kill_installed)
		child_kill(c, "killed by the test");
	else if (json_object_get(msg, "installed") != NULL && d->verdict >= 0) {
		d->saw_new = d->no_reload ? presents_now("new.pem") : presents("new.pem");
		ok = d->verdict == 1 && d->saw_new;
		child_send(c, json_pack("{s:{s:s, s:b, s:s}}", "verdict", "id", "7", "ok", ok, "text",
		    ok ? "seen" : "presents the old certificate"));
	} else if ((o = json_object_get(msg, "host")) != NULL) {
		d->row = json_incref((json_t *)o);
		child_finish(c);
	}
}

static void drive_done(void *ctx, const json_t *result, const struct err *err)
{
	struct drive *d = ctx;

	(void)result;
	if (err != NULL)
		d->err = *err;
	loop_stop(d->loop);
}

static void drive_run(struct drive *d, int timeout_s)
{
	struct child *c;
	struct err e = { 0 };

	d->loop = loop_new();
	c = child_start(d->loop, "ssh", json_pack("{s:s, s:i, s:s}", "op", "reissue", "timeout_s", timeout_s, "tag",
	    "t1"), 0, drive_line, drive_done, d, &e);
	assert_non_null(c);
	child_send(c, json_incref(d->order));
	loop_run(d->loop);
	loop_free(d->loop);
}

static void drive_clear(struct drive *d)
{
	json_decref(d->order);
	json_decref(d->row);
	buf_free(&d->phases);
	free(d->csr);
	*d = (struct drive){ .verdict = 1 };
}

static void set(json_t *o, const char *key, const char *fmt, ...)
{
	char *v = NULL;
	va_list ap;

	va_start(ap, fmt);
	assert_true(vasprintf(&v, fmt, ap) >= 0);
	va_end(ap);
	json_object_set_new(o, key, json_string(v));
	free(v);
}

static json_t *order(void)
{
	json_t *o = json_pack("{s:s, s:o, s:[s, s], s:s}", "id", "7", "host", sshd_host(&server), "names", "web01",
	    "192.0.2.4", "key_mode", "keep");
	const char *f = scratch_path();

	set(o, "key", "%s/etc/server.key", f);
	set(o, "certificate", "%s/etc/server.pem", f);
	set(o, "test", "nginx -t -q -c %s/nginx.conf", f);
	set(o, "reload", "nginx -c %s/nginx.conf -s reload", f);
	return o;
}

static void expect(struct drive *d, const char *state, const char *phase, const char *detail)
{
	if (d->row == NULL)
		fail_msg("no row: %s", d->err.text);
	if (strcmp(json_str(d->row, "state"), state) != 0 || strcmp(json_str(d->row, "phase"), phase) != 0 ||
	    strstr(json_str(d->row, "detail"), detail) == NULL)
		fail_msg("%s at %s: %s", json_str(d->row, "state"), json_str(d->row, "phase"),
		    json_str(d->row, "detail"));
}

/* The folder holds the files of before and nothing else; nginx presents what it did. */
static void expect_as_before(void)
{
	sh("cmp etc/server.pem before.pem && cmp etc/server.key before.key");
	sh("[ \"$(ls -A etc)\" = \"$(printf 'server.key\\nserver.pem')\" ]");
	assert_true(presents("before.pem"));
}

static int setup(void **state)
{
	json_t *conf;
	FILE *f;

	(void)state;
	sshd_start(&server, "");
	sh("mkdir -p etc");
	sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem"
	   " -subj '/CN=Test CA' -days 30 2>/dev/null");
	sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout etc/server.key"
	   " -out etc/server.pem -subj /CN=web01 -days 30 2>/dev/null");
	sh("chmod 640 etc/server.key; chmod 604 etc/server.pem; cp etc/server.pem before.pem; cp etc/server.key before.key");
	nginx_port = port_free();
	f = fopen("nginx.conf", "w");
	fprintf(f, "daemon off;\npid %s/nginx.pid;\nerror_log %s/nginx.log;\nevents { }\nhttp {\n access_log off;\n server {\n"
	    "  listen 127.0.0.1:%d ssl;\n  ssl_certificate %s/etc/server.pem;\n  ssl_certificate_key %s/etc/server.key;\n"
	    " }\n}\n", scratch_path(), scratch_path(), nginx_port, scratch_path(), scratch_path());
	fclose(f);
	conf = json_sprintf("%s/nginx.conf", scratch_path());
	nginx = spawn("nginx", "-c", json_string_value(conf), (char *)NULL);
	json_decref(conf);
	port_wait(nginx_port);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kill(nginx, SIGTERM);
	waitpid(nginx, NULL, 0);
	sshd_stop(&server);
	return 0;
}

/* Back to the files of before; nginx with them. */
static int restore(void **state)
{
	(void)state;
	sh("cp before.pem etc/server.pem; cp before.key etc/server.key; rm -f etc/.*sev1*; nginx -c %s/nginx.conf -s reload 2>/dev/null",
	    scratch_path());
	assert_true(presents("before.pem"));
	return 0;
}

static void test_install(void **state)
{
	struct drive d = { .verdict = 1 };
	const json_t *before;
	json_t *told;
	struct stat st;

	(void)state;
	d.order = order();
	drive_run(&d, PATIENCE_S);
	expect(&d, "verified", "verify", "seen");
	assert_string_equal(buf_str(&d.phases), "connect csr install test reload ");
	sh("openssl req -in csr.pem -noout -text | grep -q 'DNS:web01, IP Address:192.0.2.4'");
	sh("openssl req -in csr.pem -noout -subject | grep -q 'CN = web01'");
	/* what was there before, as the row has it */
	before = json_object_get(json_object_get(d.row, "found"), "before");
	set(told = json_object(), "text", "%s\nserial=%s\nsubject=%s\n%lld\n", json_str(before, "fingerprint"),
	    json_str(before, "serial"), json_str(before, "subject"), (long long)json_num(before, "not_after", 0) / 1000);
	fs_write("told", json_str(told, "text"), strlen(json_str(told, "text")), 0644, NULL);
	json_decref(told);
	sh("{ openssl x509 -in before.pem -outform DER | sha256sum | cut -d' ' -f1; openssl x509 -in before.pem -noout -serial; "
	   "echo subject=/CN=web01; date -d \"$(openssl x509 -in before.pem -noout -enddate | sed 's/.*=//')\" +%%s; } | diff - told");
	/* in place, mode kept, the backup beside, the key untouched */
	sh("cmp etc/server.pem new.pem && cmp etc/server.key before.key");
	assert_int_equal(stat("etc/server.pem", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	sh("cmp etc/.server.pem.sev1-[0-9]* before.pem && [ $(ls -A etc | wc -l) = 3 ]");
	assert_true(presents("new.pem"));
	drive_clear(&d);
}

static void test_new_key(void **state)
{
	struct drive d = { .verdict = 0 };
	struct stat st;
	char *first;

	(void)state;
	/* put back: the old key serves; the staged one waits for another try */
	d.order = order();
	set(d.order, "key_mode", "new");
	drive_run(&d, PATIENCE_S);
	expect(&d, "rolled back", "rollback", "presents the old certificate");
	assert_true(d.saw_new);
	sh("cmp etc/server.pem before.pem && cmp etc/server.key before.key");
	sh("[ \"$(ls -A etc | LC_ALL=C sort)\" = \"$(printf '.server.key.sev1-new-t1\\nserver.key\\nserver.pem')\" ]");
	assert_true(presents("before.pem"));
	assert_int_equal(stat("etc/.server.key.sev1-new-t1", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	sh("openssl req -in csr.pem -noout -pubkey > first.pub");
	drive_clear(&d);
	/* tried again: the same new key, so the CA need not issue twice */
	d.order = order();
	set(d.order, "key_mode", "new");
	drive_run(&d, PATIENCE_S);
	expect(&d, "verified", "verify", "seen");
	sh("openssl req -in csr.pem -noout -pubkey | cmp - first.pub");
	sh("cmp etc/.server.key.sev1-[0-9]* before.key && [ $(ls -A etc | wc -l) = 5 ]");
	sh("[ -s etc/.server.key.sev1-done-t1 ] && [ ! -e etc/.server.key.sev1-new-t1 ]");
	sh("openssl pkey -in etc/server.key -pubout | cmp - first.pub");
	assert_int_equal(stat("etc/server.key", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	first = slurp("first.pub");
	assert_non_null(strstr(first, "PUBLIC KEY"));
	free(first);
	drive_clear(&d);
	/* and once more, as after a kill before the result was recorded: the key in place is that one */
	d.order = order();
	set(d.order, "key_mode", "new");
	drive_run(&d, PATIENCE_S);
	expect(&d, "verified", "verify", "seen");
	sh("openssl req -in csr.pem -noout -pubkey | cmp - first.pub");
	sh("openssl pkey -in etc/server.key -pubout | cmp - first.pub");
	drive_clear(&d);
}

static void test_chain_apart(void **state)
{
	struct drive d = { .verdict = 1 };

	(void)state;
	d.order = order();
	set(d.order, "chain", "%s/etc/chain.pem", scratch_path());
	set(d.order, "test", "false");
	drive_run(&d, PATIENCE_S);
	/* a file that was not there before is gone again */
	expect(&d, "rolled back", "rollback", "");
	expect_as_before();
	drive_clear(&d);
}

static void test_failing_test(void **state)
{
	struct drive d = { .verdict = 1 };

	(void)state;
	d.order = order();
	set(d.order, "test", "echo 'nginx: [warn] odd' >&2; echo 'nginx: [emerg] \033[31mno\033[0m such file' >&2; exit 1");
	drive_run(&d, PATIENCE_S);
	expect(&d, "failed", "connect", "control characters in the command");
	drive_clear(&d);
	d.order = order();
	set(d.order, "test", "printf 'nginx: [warn] odd\\nnginx: [emerg] \\033[31mno such file\\n' >&2; exit 1");
	drive_run(&d, PATIENCE_S);
	expect(&d, "rolled back", "rollback", "nginx: [emerg] \\x1B[31mno such file");
	expect_as_before();
	drive_clear(&d);
}

static void test_failing_reload(void **state)
{
	struct drive d = { .verdict = 1 };

	(void)state;
	/* fails once, then works: as it was before */
	d.order = order();
	set(d.order, "reload", "if [ -e %s/again ]; then nginx -c %s/nginx.conf -s reload; else : > %s/again; echo Job failed >&2; exit 5; fi",
	    scratch_path(), scratch_path(), scratch_path());
	drive_run(&d, PATIENCE_S);
	expect(&d, "rolled back", "rollback", "Job failed");
	expect_as_before();
	drive_clear(&d);
	/* fails always: the files are as before, and the row says that somebody must look */
	d.order = order();
	set(d.order, "reload", "exit 1");
	drive_run(&d, PATIENCE_S);
	expect(&d, "failed", "rollback", "put back, but the service did not reload");
	expect_as_before();
	drive_clear(&d);
}

static void test_old_certificate(void **state)
{
	struct drive d = { .verdict = 1, .no_reload = true };

	(void)state;
	/* a reload that does nothing: the handshake shows the old certificate */
	d.order = order();
	set(d.order, "reload", "true");
	drive_run(&d, PATIENCE_S);
	assert_false(d.saw_new);
	expect(&d, "rolled back", "rollback", "presents the old certificate");
	expect_as_before();
	drive_clear(&d);
}

static void test_no_verdict(void **state)
{
	struct drive d = { .verdict = -1 };
	int64_t start = clock_mono();

	(void)state;
	d.order = order();
	drive_run(&d, 12); /* a quarter of it is for the way back */
	expect(&d, "rolled back", "rollback", "no verdict in time");
	assert_in_range(clock_mono() - start, 8000, 8000 + SOON_MS);
	expect_as_before();
	drive_clear(&d);
}

/* kill -9 in the middle: the host puts everything back by itself. */
static void test_killed(void **state)
{
	struct drive d = { .verdict = 1, .kill_installed = true };

	(void)state;
	d.order = order();
	drive_run(&d, PATIENCE_S);
	assert_null(d.row);
	wait_put_back();
	expect_as_before();
	drive_clear(&d);
}

static void test_hung_test(void **state)
{
	struct drive d = { .verdict = 1 };
	int64_t start = clock_mono();

	(void)state;
	d.order = order();
	set(d.order, "test", "sleep 60");
	drive_run(&d, 3);
	assert_in_range(clock_mono() - start, 1000, SOON_MS); /* and not those 60 s */
	assert_string_not_equal(json_str(d.row, "state"), "verified");
	wait_put_back();
	expect_as_before();
	drive_clear(&d);
}

static void test_refused_request(void **state)
{
	struct drive d = { .verdict = 1, .stop = "RSA 1024 is too weak" };

	(void)state;
	d.order = order();
	drive_run(&d, PATIENCE_S);
	expect(&d, "refused", "issue", "RSA 1024 is too weak");
	expect_as_before();
	drive_clear(&d);
}

/* What the host's openssl makes of it: garbage, too much, nothing. */
static void test_bad_request(void **state)
{
	static const char *const fake[][2] = {
		{ "head -c 200000 /dev/zero | tr '\\0' A", "cut off after" },
		{ "echo 'unable to load key' >&2; exit 1", "no request: unable to load key" },
		{ "printf '\\377\\376'", "not text" },
	};
	struct drive d = { .verdict = 1 };
	struct sshd other;

	(void)state;
	sh("mkdir -p fakebin; cp known_hosts kept");
	for (size_t i = 0; i < sizeof fake / sizeof fake[0]; i++) {
		char *extra = NULL, *script = NULL;
		assert_true(asprintf(&script, "#!/bin/sh\n%s\n", fake[i][0]) > 0);
		fs_write("fakebin/openssl", script, strlen(script), 0755, NULL);
		sh("chmod 755 fakebin/openssl");
		assert_true(asprintf(&extra, "SetEnv PATH=%s/fakebin:/usr/bin:/bin", scratch_path()) > 0);
		sshd_start(&other, extra);
		d.order = order();
		json_object_set_new(d.order, "host", sshd_host(&other));
		drive_run(&d, PATIENCE_S);
		expect(&d, "failed", "csr", fake[i][1]);
		drive_clear(&d);
		sshd_stop(&other);
		free(extra);
		free(script);
	}
	/* nologin says it on stdout */
	sshd_start(&other, "ForceCommand echo This account is currently not available.; exit 1");
	d.order = order();
	json_object_set_new(d.order, "host", sshd_host(&other));
	drive_run(&d, PATIENCE_S);
	expect(&d, "failed", "csr", "no request: This account is currently not available.");
	drive_clear(&d);
	sshd_stop(&other);
	sh("mv kept known_hosts");
	expect_as_before();
}

static void test_bad_key(void **state)
{
	struct drive d = { .verdict = 1 };

	(void)state;
	d.order = order();
	set(d.order, "key", "%s/etc/nothing.key", scratch_path());
	drive_run(&d, PATIENCE_S);
	expect(&d, "failed", "csr", "nothing.key: no such key on the host");
	drive_clear(&d);
	d.order = order();
	set(d.order, "certificate", "%s/etc", scratch_path());
	drive_run(&d, PATIENCE_S);
	expect(&d, "failed", "install", "/etc: not a plain file");
	drive_clear(&d);
	d.order = order();
	set(d.order, "key", "relative.key");
	drive_run(&d, PATIENCE_S);
	expect(&d, "failed", "connect", "not an absolute path");
	drive_clear(&d);
	d.order = order();
	json_object_set_new(d.order, "names", json_pack("[s]", "web01/emailAddress=x"));
	drive_run(&d, PATIENCE_S);
	expect(&d, "failed", "connect", "cannot be a name in a certificate");
	drive_clear(&d);
}

/* The file limit stands for a full disk. */
static void test_disk_full(void **state)
{
	struct drive d = { .verdict = 1 };
	struct sshd small;

	(void)state;
	sh("cp known_hosts kept");
	sshd_start(&small, "ForceCommand sh -c 'trap \"\" XFSZ; ulimit -f 0; eval \"$SSH_ORIGINAL_COMMAND\"'");
	d.order = order();
	json_object_set_new(d.order, "host", sshd_host(&small));
	drive_run(&d, PATIENCE_S);
	expect(&d, "failed", "install", "");
	expect_as_before();
	drive_clear(&d);
	sshd_stop(&small);
	sh("mv kept known_hosts");
}

static void test_unreachable(void **state)
{
	struct drive d = { .verdict = 1 };

	(void)state;
	d.order = order();
	json_object_set_new(json_object_get(d.order, "host"), "port", json_integer(port_free()));
	drive_run(&d, PATIENCE_S);
	expect(&d, "unreachable", "connect", "connect to port");
	drive_clear(&d);
	d.order = order();
	json_object_set_new(json_object_get(d.order, "host"), "known_hosts", json_string("/nonexistent"));
	drive_run(&d, PATIENCE_S);
	expect(&d, "refused", "connect", "ssh-keyscan");
	drive_clear(&d);
}

#define CASE(f) cmocka_unit_test_setup(f, restore)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		CASE(test_install), CASE(test_new_key), CASE(test_chain_apart), CASE(test_failing_test),
		CASE(test_failing_reload), CASE(test_old_certificate), CASE(test_no_verdict), CASE(test_killed),
		CASE(test_hung_test), CASE(test_refused_request), CASE(test_bad_request), CASE(test_bad_key),
		CASE(test_disk_full), CASE(test_unreachable),
	};
	int rc;

	if (argc == 3 && strcmp(argv[1], "child") == 0)
		return serve_main(argv[2]);
	scratch_enter((const char *const[]){ "/usr/sbin/sshd", "ssh-keygen", "nginx", "openssl", NULL });
	rc = cmocka_run_group_tests(tests, setup, teardown);
	scratch_leave();
	return rc;
}
