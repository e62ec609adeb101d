#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <arpa/inet.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/confine.h"
#include "base/fs.h"
#include "base/json.h"
#include "child/serve.h"
#include "patience.h"
#include "serve_seam.h"

#define MAIL "From: <pki@example.com>\r\nSubject: x\r\n\r\nOne.\r\n.\r\nThree.\r\n"

static const char *folder;
static struct err e;
static int smtp_port, hook_port;
static pid_t server[2];

static int listen_any(int *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (void *)&sa, sizeof sa) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (void *)&sa, &len) < 0)
		abort();
	*port = ntohs(sa.sin_port);
	return fd;
}

/* A mail server of a few lines: knows every address but bad@..., keeps what it is given. */
static void smtp_talk(FILE *f)
{
	char line[4096], rcpt[256] = "", name[300];
	FILE *mail;

	fprintf(f, "220 mail.example.com\r\n");
	while (fflush(f), fgets(line, sizeof line, f) != NULL) {
		if (strncasecmp(line, "EHLO", 4) == 0)
			fprintf(f, "250-mail.example.com\r\n250 AUTH PLAIN\r\n");
		else if (strncasecmp(line, "AUTH PLAIN", 10) == 0) {
			if (strchr(line + 5, ' ') == NULL) {
				fprintf(f, "334 \r\n");
				fflush(f);
				if (fgets(line, sizeof line, f) == NULL)
					return;
			}
			/* \0pki\0secret */
			fprintf(f, strstr(line, "AHBraQBzZWNyZXQ=") ? "235 ok\r\n" : "535 5.7.8 wrong password\r\n");
		} else if (sscanf(line, "RCPT TO:<%255[^>]>", rcpt) == 1)
			fprintf(f, strncmp(rcpt, "bad@", 4) == 0 ? "550 5.1.1 no \033[31mbad\033[0m here\r\n" :
			                                           "250 ok\r\n");
		else if (strncasecmp(line, "DATA", 4) == 0) {
			fprintf(f, "354 go\r\n");
			fflush(f);
			snprintf(name, sizeof name, "smtp-%s", rcpt);
			mail = fopen(name, "w");
			while (fgets(line, sizeof line, f) != NULL && strcmp(line, ".\r\n") != 0)
				fputs(line, mail);
			fclose(mail);
			fprintf(f, "250 2.0.0 queued as 4F2A\r\n");
		} else if (strncasecmp(line, "QUIT", 4) == 0) {
			fprintf(f, "221 bye\r\n");
			return;
		} else
			fprintf(f, "250 ok\r\n");
	}
}

static void hook_talk(FILE *f)
{
	char line[4096], path[256] = "", name[300], *body;
	size_t len = 0;

	while (fgets(line, sizeof line, f) != NULL && strcmp(line, "\r\n") != 0) {
		sscanf(line, "POST %255s", path);
		sscanf(line, "Content-Length: %zu", &len);
	}
	body = calloc(1, len + 1);
	if (fread(body, 1, len, f) == len) {
		FILE *out;
		snprintf(name, sizeof name, "hook-%s", path + 1);
		out = fopen(name, "w");
		fputs(body, out);
		fclose(out);
	}
	free(body);
	if (strcmp(path, "/full") == 0)
		fprintf(f, "HTTP/1.1 503 Busy\r\nContent-Length: 9\r\nConnection: close\r\n\r\nqueue\033[2J");
	else
		fprintf(f, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
	fflush(f);
}

static pid_t start(void (*talk)(FILE *), int *port)
{
	int fd = listen_any(port), c;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while ((c = accept(fd, NULL, NULL)) >= 0) {
			FILE *f = fdopen(c, "r+");
			talk(f);
			fclose(f);
		}
		_exit(0);
	}
	close(fd);
	return pid;
}

static int post(const char *transport, const char *where, const char *user, const char *message, ...)
{
	json_t *request = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "op", "post", "transport", transport,
	    "from", "pki@example.com", "subject", "PKI compromise", "message", message, "timeout_s", PATIENCE_S,
	    strcmp(transport, "sendmail") == 0 ? "command" : "url", where), *to = json_array(), *r = NULL;
	const char *s;
	va_list ap;
	int rc;

	va_start(ap, message);
	while ((s = va_arg(ap, const char *)) != NULL)
		json_array_append_new(to, json_string(s));
	va_end(ap);
	json_object_set_new(request, "to", to);
	if (user != NULL) {
		char *file = fs_join(folder, "password");
		json_object_set_new(request, "user", json_string(user));
		json_object_set_new(request, "password_file", json_string(file));
		free(file);
	}
	memset(&e, 0, sizeof e);
	seam_reset();
	rc = post_child(request, &r, &e);
	json_decref(request);
	if (rc == 0)
		rc = (int)(json_num(r, "accepted", -9) * 10 + json_num(r, "failed", -9));
	json_decref(r);
	return rc;
}

static void check_outcome(size_t i, const char *to, const char *outcome, const char *detail)
{
	const json_t *o = seam_find("recipient", i);

	assert_non_null(o);
	assert_string_equal(json_str(o, "to"), to);
	assert_string_equal(json_str(o, "outcome"), outcome);
	if (strstr(json_str(o, "detail"), detail) == NULL)
		fail_msg("'%s' says nothing of '%s'", json_str(o, "detail"), detail);
}

static void check_file(const char *name, const char *want)
{
	struct buf b = { 0 };

	assert_int_equal(fs_read(name, &b, 1 << 20, &e), 0);
	assert_string_equal(buf_str(&b), want);
	buf_free(&b);
}

static void test_sendmail(void **state)
{
	static const char script[] = "#!/bin/sh\n"
	    "for to; do :; done\n"
	    "case $to in bad@*) echo \"$to: user unknown\" >&2; exit 67;; esac\n"
	    "echo \"$*\" >\"args-$to\"; cat >\"mail-$to\"\n";
	char *command = fs_join(folder, "sendmail"), *with;

	(void)state;
	assert_int_equal(fs_write(command, script, sizeof script - 1, 0755, &e), 0);
	with = mem_printf("%s -oi", command);
	assert_int_equal(post("sendmail", with, NULL, MAIL, "ops@example.com", "bad@example.com",
	    "ciso@example.com", NULL), 21);
	check_outcome(0, "ops@example.com", "accepted", "taken");
	check_outcome(1, "bad@example.com", "failed", "exit status 67: bad@example.com: user unknown");
	check_outcome(2, "ciso@example.com", "accepted", "taken");
	check_file("args-ops@example.com", "-oi -i -f pki@example.com -- ops@example.com\n");
	check_file("mail-ciso@example.com", "From: <pki@example.com>\nSubject: x\n\nOne.\n.\nThree.\n");
	free(with);
	with = mem_printf("%s -t", command);
	assert_int_equal(post("sendmail", with, NULL, MAIL, "ops@example.com", NULL), ERR_USAGE);
	assert_int_equal(post("sendmail", "/no/sendmail", NULL, MAIL, "ops@example.com", NULL), ERR_IO);
	assert_non_null(strstr(e.text, "/no/sendmail"));
	assert_int_equal(post("sendmail", command, NULL, MAIL, "-oQ/tmp", NULL), ERR_USAGE);
	assert_int_equal(post("sendmail", command, NULL, MAIL, "a@b.example\nx", NULL), ERR_USAGE);
	assert_int_equal(post("sendmail", command, NULL, MAIL, NULL), ERR_USAGE);
	assert_int_equal(post("pigeon", command, NULL, MAIL, "ops@example.com", NULL), ERR_USAGE);
	free(with);
	free(command);
}

static void test_smtp(void **state)
{
	char *url = mem_printf("smtp://127.0.0.1:%d", smtp_port);

	(void)state;
	assert_int_equal(post("smtp", url, NULL, MAIL, "ops@example.com", "bad@example.com",
	    "ciso@example.com", NULL), 21);
	check_outcome(0, "ops@example.com", "accepted", "250 2.0.0 queued as 4F2A");
	check_outcome(1, "bad@example.com", "failed", "550 5.1.1 no \\x1B[31mbad\\x1B[0m here");
	check_outcome(2, "ciso@example.com", "accepted", "queued");
	check_file("smtp-ops@example.com", "From: <pki@example.com>\r\nSubject: x\r\n\r\nOne.\r\n..\r\nThree.\r\n");
	free(url);
	assert_int_equal(post("smtp", "smtp://127.0.0.1:1", NULL, MAIL, "ops@example.com", NULL), 1);
	check_outcome(0, "ops@example.com", "failed", "127.0.0.1 port 1");
}

static void test_smtp_password(void **state)
{
	char *url = mem_printf("smtp://127.0.0.1:%d", smtp_port), *dump;

	(void)state;
	assert_int_equal(post("smtp", url, "pki", MAIL, "ops@example.com", NULL), ERR_IO);
	assert_int_equal(fs_write("password", "secret\n", 7, 0644, &e), 0);
	assert_int_equal(chmod("password", 0644), 0);
	assert_int_equal(post("smtp", url, "pki", MAIL, "ops@example.com", NULL), ERR_REFUSED);
	assert_non_null(strstr(e.remedy, "chmod 600"));
	assert_int_equal(chmod("password", 0600), 0);
	assert_int_equal(post("smtp", url, "pki", MAIL, "ops@example.com", NULL), 10);
	dump = json_dumps(seam_said, 0);
	assert_null(strstr(dump, "secret"));
	free(dump);
	assert_int_equal(fs_write("password", "wrong\n", 6, 0600, &e), 0);
	assert_int_equal(post("smtp", url, "pki", MAIL, "ops@example.com", NULL), 1);
	check_outcome(0, "ops@example.com", "failed", "");
	assert_int_equal(fs_write("password", "\n", 1, 0600, &e), 0);
	assert_int_equal(post("smtp", url, "pki", MAIL, "ops@example.com", NULL), ERR_SYNTAX);
	free(url);
}

static void test_webhook(void **state)
{
	char *good = mem_printf("http://127.0.0.1:%d/chat", hook_port);
	char *full = mem_printf("http://127.0.0.1:%d/full", hook_port);

	(void)state;
	assert_int_equal(post("webhook", "", NULL, "Grüße \"an\"\nalle\n", good, full,
	    "http://127.0.0.1:1/x", "file:///etc/passwd", NULL), 13);
	check_outcome(0, good, "accepted", "HTTP status 200");
	check_outcome(1, full, "failed", "HTTP status 503: queue\\x1B[2J");
	check_outcome(2, "http://127.0.0.1:1/x", "failed", "port 1");
	check_outcome(3, "file:///etc/passwd", "failed", "");
	check_file("hook-chat", "{\"text\":\"Grüße \\\"an\\\"\\nalle\\n\",\"subject\":\"PKI compromise\"}");
	free(good);
	free(full);
}

static void test_confined(void **state)
{
	int status;

	(void)state;
	if (fork() == 0) {
		if (confine_to(folder, &e) < 0 ||
		    post("sendmail", "/bin/true", NULL, MAIL, "ops@example.com", NULL) != ERR_CONFINED)
			_exit(1);
		if (post("smtp", "smtp://192.0.2.1", NULL, MAIL, "ops@example.com", NULL) != 1)
			_exit(2);
		check_outcome(0, "ops@example.com", "failed", "a drill connects only to loopback");
		if (post("smtp", "smtp://mail.example.com", NULL, MAIL, "ops@example.com", NULL) != ERR_CONFINED)
			_exit(3);
		if (post("webhook", "", NULL, MAIL, "http://192.0.2.1/x", "http://chat.example.com/", NULL) != 2)
			_exit(4);
		check_outcome(0, "http://192.0.2.1/x", "failed", "a drill connects only to loopback");
		_exit(0);
	}
	wait(&status);
	assert_int_equal(status, 0);
}

static int setup(void **state)
{
	(void)state;
	server[0] = start(smtp_talk, &smtp_port);
	server[1] = start(hook_talk, &hook_port);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		kill(server[i], SIGKILL);
		waitpid(server[i], NULL, 0);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sendmail),
		cmocka_unit_test(test_smtp),
		cmocka_unit_test(test_smtp_password),
		cmocka_unit_test(test_webhook),
		cmocka_unit_test(test_confined),
	};

	signal(SIGPIPE, SIG_IGN);
	folder = test_folder();
	return cmocka_run_group_tests(tests, setup, teardown);
}
