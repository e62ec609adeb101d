/* The SSH child against a real sshd, and against servers that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "child/serve.h"
#include "patience.h"
#include "sshd.h"

static struct sshd server;

/* This program is its own SSH child and needs no other. */
int ca_child(const json_t *request, json_t **result, struct err *e)
{
	(void)request;
	(void)result;
	return err_set(e, ERR_USAGE, "no CA here");
}

static json_t *run(json_t *host, const char *command, int timeout_s, json_t **lines, struct err *e)
{
	return ask_ssh(json_pack("{s:s, s:o, s:s, s:i}", "op", "run", "host", host, "command", command,
	    "timeout_s", timeout_s), lines, e);
}

static json_t *put(const char *file, const char *path, json_t *mode, struct err *e)
{
	return ask_ssh(json_pack("{s:s, s:o, s:s, s:s, s:o, s:i}", "op", "put", "host", sshd_host(&server),
	    "file", file, "path", path, "mode", mode, "timeout_s", PATIENCE_S), NULL, e);
}

static void refused(json_t *host, int code, const char *said, const char *remedy)
{
	struct err e = { 0 };
	json_t *r = run(host, "echo in", PATIENCE_S, NULL, &e);

	assert_null(r);
	if (e.code != code || strstr(e.text, said) == NULL || strstr(e.remedy, remedy) == NULL)
		fail_msg("%d: %s [%s]", e.code, e.text, e.remedy);
}

static void test_run(void **state)
{
	struct err e = { 0 };
	json_t *lines, *r = run(sshd_host(&server), "echo one; echo two; printf three; echo bad >&2; exit 3", PATIENCE_S,
	    &lines, &e);

	(void)state;
	assert_non_null(r);
	assert_int_equal(json_num(r, "status", -9), 3);
	assert_string_equal(json_str(r, "stdout"), "one\\ntwo\\nthree");
	assert_string_equal(json_str(r, "stderr"), "bad\\n");
	assert_int_equal(json_array_size(lines), 3);
	assert_string_equal(json_str(json_array_get(lines, 0), "line"), "one");
	assert_string_equal(json_str(json_array_get(lines, 2), "line"), "three");
	json_decref(lines);
	json_decref(r);
	/* stdin is at its end: nothing waits for it */
	r = run(sshd_host(&server), "cat; sleep 0.1; (sleep 60 &); echo done", PATIENCE_S, NULL, &e);
	assert_string_equal(json_str(r, "stdout"), "done\\n");
	json_decref(r);
	r = run(sshd_host(&server), "kill -9 $$", PATIENCE_S, NULL, &e);
	assert_null(r);
	assert_non_null(strstr(e.text, "without an exit status (signal KILL)"));
}

static void test_hostile_output(void **state)
{
	struct err e = { 0 };
	json_t *lines, *r = run(sshd_host(&server), "printf '\\033]0;owned\\007\\033[2J\\r\\377\\302\\233x\\n'", PATIENCE_S,
	    &lines, &e);
	int64_t start;

	(void)state;
	assert_string_equal(json_str(r, "stdout"), "\\x1B]0;owned\\x07\\x1B[2J\\x0D\\xFF\\u{9B}x\\n");
	assert_string_equal(json_str(json_array_get(lines, 0), "line"),
	    "\\x1B]0;owned\\x07\\x1B[2J\\x0D\\xFF\\u{9B}x");
	json_decref(lines);
	json_decref(r);
	/* a line without an end, then lines without end: cut off, few lines said */
	r = run(sshd_host(&server), "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end", PATIENCE_S, &lines, &e);
	if (r == NULL)
		fail_msg("%s", e.text);
	assert_int_equal(json_array_size(lines), 2);
	assert_int_equal(strlen(json_str(json_array_get(lines, 0), "line")), 1003); /* ... after 1000 */
	json_decref(lines);
	json_decref(r);
	start = clock_mono();
	r = run(sshd_host(&server), "yes", PATIENCE_S, &lines, &e);
	assert_null(r);
	assert_non_null(strstr(e.text, "cut off after"));
	assert_in_range(json_array_size(lines), 1000, 1000 + (size_t)((clock_mono() - start) / 1000 + 2) * 10);
	json_decref(lines);
}

static void test_deadline(void **state)
{
	struct err e = { 0 };
	int64_t start = clock_mono();

	(void)state;
	assert_null(run(sshd_host(&server), "sleep 30", 1, NULL, &e));
	assert_int_equal(e.code, ERR_TIMEOUT);
	assert_in_range(clock_mono() - start, 900, SOON_MS); /* and not those 30 s */
}

static void test_unreachable(void **state)
{
	struct sshd nobody = { .port = port_free() };
	json_t *host = sshd_host(&nobody);

	(void)state;
	refused(host, ERR_IO, "web01: connect to port", "");
	host = sshd_host(&nobody);
	json_object_set_new(host, "address", json_string("no-such-host.invalid"));
	refused(host, ERR_IO, "web01: connect to port", "getent hosts no-such-host.invalid");
}

/* A listener that never says anything, one that is no SSH server, one that says a letter now and then, for a minute. */
static pid_t speaker(int *port, const char *words, int every_ms)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;
	pid_t pid;

	assert_int_equal(bind(fd, (struct sockaddr *)&in, n) | listen(fd, 5), 0);
	getsockname(fd, (struct sockaddr *)&in, &n);
	*port = ntohs(in.sin_port);
	if ((pid = fork()) == 0) {
		peer = accept(fd, NULL, NULL);
		for (; *words != '\0'; words++) {
			if (write(peer, words, 1) != 1)
				break;
			usleep((useconds_t)every_ms * 1000);
		}
		for (;;)
			pause();
	}
	close(fd);
	return pid;
}

static void stalled(const char *words, int every_ms, int code)
{
	struct sshd d = { 0 };
	struct err e = { 0 };
	int64_t start = clock_mono();

	d.pid = speaker(&d.port, words, every_ms);
	assert_null(run(sshd_host(&d), "echo in", 2, NULL, &e));
	assert_int_equal(e.code, code);
	assert_in_range(clock_mono() - start, 1900, SOON_MS);
	sshd_stop(&d);
}

static void test_stalled(void **state)
{
	(void)state;
	stalled("", 0, ERR_TIMEOUT);
	stalled("SSH-2.0-OpenSSH_9.2p1 and then very slowly\r\n and nothing at all", 900, ERR_TIMEOUT);
	stalled("SSH-2.0-x\r\n", 0, ERR_TIMEOUT);
	stalled("HTTP/1.1 400 Bad Request\r\n\r\n\033[2Jgarbage", 0, ERR_TIMEOUT);
}

static void test_host_key(void **state)
{
	char *want = NULL;
	json_t *host;

	(void)state;
	sh("cp known_hosts good; ssh-keygen -q -t ed25519 -N '' -f other; ssh-keygen -q -t rsa -N '' -f rsa");
	sh("printf '[127.0.0.1]:%d %%s' \"$(cat other.pub)\" > known_hosts", server.port);
	assert_true(asprintf(&want, "ssh-keygen -R '[127.0.0.1]:%d' -f %s/known_hosts", server.port,
	    scratch_path()) > 0);
	refused(sshd_host(&server), ERR_REFUSED, "the host key has changed: it shows ssh-ed25519 SHA256:", want);
	free(want);
	assert_true(asprintf(&want, "ssh-keyscan -p %d 127.0.0.1 >> %s/known_hosts", server.port,
	    scratch_path()) > 0);
	sh(": > known_hosts");
	refused(sshd_host(&server), ERR_REFUSED, "is not in ", want);
	sh("rm known_hosts");
	refused(sshd_host(&server), ERR_REFUSED, "there is no known_hosts file", want);
	sh("printf '[127.0.0.1]:%d %%s' \"$(cat rsa.pub)\" > known_hosts", server.port);
	refused(sshd_host(&server), ERR_REFUSED, "key of another type", want);
	free(want);
	/* a revoked key is refused even where it is also listed */
	sh("{ printf '@revoked * %%s\n' \"$(cat hostkey.pub)\"; cat good; } > known_hosts");
	refused(sshd_host(&server), ERR_REFUSED, "marked @revoked", "");
	/* hashed names are known */
	sh("cp good known_hosts; ssh-keygen -q -H -f known_hosts >/dev/null 2>&1");
	host = run(sshd_host(&server), "true", PATIENCE_S, NULL, &(struct err){ 0 });
	assert_non_null(host);
	json_decref(host);
	sh("mv good known_hosts");
}

static void test_denied(void **state)
{
	json_t *host = sshd_host(&server);

	(void)state;
	sh("[ -f stranger ] || ssh-keygen -q -t ed25519 -N '' -f stranger; ssh-keygen -q -t ed25519 -N x -f locked");
	json_object_set_new(host, "identity", json_sprintf("%s/stranger", scratch_path()));
	refused(host, ERR_REFUSED, "authentication denied for ", "authorized_keys");
	host = sshd_host(&server);
	json_object_set_new(host, "identity", json_sprintf("%s/missing", scratch_path()));
	refused(host, ERR_USAGE, "not there or not readable", "ssh-keygen");
	host = sshd_host(&server);
	json_object_set_new(host, "identity", json_sprintf("%s/locked", scratch_path()));
	refused(host, ERR_USAGE, "one with a passphrase", "ssh-add");
	host = sshd_host(&server);
	json_object_del(host, "identity");
	unsetenv("SSH_AUTH_SOCK");
	refused(host, ERR_REFUSED, "no agent runs", "identity");
	host = sshd_host(&server);
	json_object_set_new(host, "address", json_string("-oProxyCommand=true"));
	refused(host, ERR_USAGE, "is not a host name", "");
	host = sshd_host(&server);
	json_object_set_new(host, "user", json_string("a b"));
	refused(host, ERR_USAGE, "is not a user name", "");
}

static void test_put(void **state)
{
	struct err e = { 0 };
	char hex[DIGEST_HEX], *path = NULL, *text;
	struct stat st;
	json_t *r;

	(void)state;
	sh("mkdir -p 'dir with blank'; head -c 3000000 /dev/urandom > big; echo new > small");
	assert_true(asprintf(&path, "%s/dir with blank/it's.crl", scratch_path()) > 0);
	r = put("big", path, json_integer(0640), &e);
	assert_non_null(r);
	digest_file("big", hex, &e);
	assert_string_equal(json_str(r, "sha256"), hex);
	json_decref(r);
	digest_file(path, hex, &e);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_size, 3000000);
	/* replaced: keeps its mode; through a link: the file, not the link */
	sh("chmod 604 'dir with blank'/*; ln -s \"dir with blank/it's.crl\" link");
	free(path);
	assert_true(asprintf(&path, "%s/link", scratch_path()) > 0);
	r = put("small", path, json_string("0600"), &e);
	assert_non_null(r);
	json_decref(r);
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat("link", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	text = slurp("link");
	assert_string_equal(text, "new\n");
	free(text);
	sh("[ $(ls 'dir with blank' | wc -l) = 1 ]"); /* nothing lies about */
	free(path);
	/* a folder that is not there, a target that is a folder, a path that is none */
	assert_null(put("small", "/nonexistent/file", json_integer(0644), &e));
	assert_non_null(strstr(e.text, "No such file or directory"));
	assert_null(put("small", scratch_path(), json_integer(0644), &e));
	assert_non_null(strstr(e.text, "is a folder"));
	assert_null(put("small", "relative", json_integer(0644), &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(put("missing", "/tmp/x", json_integer(0644), &e));
	assert_int_equal(e.code, ERR_IO);
}

/* The file limit stands for a full disk: the old file stays whole. */
static void test_put_disk_full(void **state)
{
	struct sshd small;
	struct err e = { 0 };
	char *path = NULL, *text;

	(void)state;
	sh("cp known_hosts kept");
	sshd_start(&small, "ForceCommand sh -c 'trap \"\" XFSZ; ulimit -f 8; eval \"$SSH_ORIGINAL_COMMAND\"'");
	sh("mkdir full; echo old > full/file; head -c 100000 /dev/urandom > big2");
	assert_true(asprintf(&path, "%s/full/file", scratch_path()) > 0);
	assert_null(ask_ssh(json_pack("{s:s, s:o, s:s, s:s, s:i, s:i}", "op", "put", "host", sshd_host(&small),
	    "file", "big2", "path", path, "mode", 0644, "timeout_s", PATIENCE_S), NULL, &e));
	assert_int_equal(e.code, ERR_FAILED);
	assert_non_null(strstr(e.text, "File too large"));
	assert_non_null(strstr(e.remedy, "is as it was"));
	text = slurp("full/file");
	assert_string_equal(text, "old\n");
	free(text);
	sh("[ $(ls full | wc -l) = 1 ]");
	free(path);
	sshd_stop(&small);
	sh("mv kept known_hosts");
}

/* In a drill only loopback is reached, and no name is looked up. */
static void test_confined(void **state)
{
	struct err e = { 0 };
	json_t *host = sshd_host(&server), *request;

	(void)state;
	json_object_set_new(host, "address", json_string("192.0.2.1"));
	request = json_pack("{s:s, s:o, s:s, s:i, s:s}", "op", "run", "host", host, "command", "true", "timeout_s",
	    PATIENCE_S, "confine", scratch_path());
	assert_null(ask_ssh(request, NULL, &e));
	assert_int_equal(e.code, ERR_CONFINED);
}

static int setup(void **state)
{
	(void)state;
	sshd_start(&server, "");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sshd_stop(&server);
	return 0;
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_hostile_output),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_stalled),
		cmocka_unit_test(test_host_key),
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_put_disk_full),
		cmocka_unit_test(test_confined),
	};
	int rc;

	if (argc == 3 && strcmp(argv[1], "child") == 0)
		return serve_main(argv[2]);
	scratch_enter((const char *const[]){ "/usr/sbin/sshd", "ssh-keygen", NULL });
	rc = cmocka_run_group_tests(tests, setup, teardown);
	scratch_leave();
	return rc;
}
