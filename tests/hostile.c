#include "hostile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

/* Nobody of these lives longer than a row may take, whatever happens to the test. */
#define LIFE_S 60
#define RAW "\033[2J\033]0;owned\007\r\xc2\x9b" "31m\xe2\x80\xae" "evil"

static char folder[200]; /* the working one */

struct one { /* a connection */
	const struct hostile_host *host;
	const char *word;
	ssh_session s;
	int fd;
};

static bool is(const struct one *o, const char *word)
{
	return strcmp(o->word, word) == 0;
}

static bool begins(const struct one *o, const char *prefix)
{
	return strncmp(o->word, prefix, strlen(prefix)) == 0;
}

void hostile_address(size_t i, char out[32])
{
	snprintf(out, 32, "127.3.%u.%u", (unsigned)(i / 250) & 255u, (unsigned)(i % 250 + 1));
}

/* ---- without a word of SSH ---- */

static void stall(void)
{
	for (;;)
		pause(); /* LIFE_S ends it */
}

static void say(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0 && (n = write(fd, p, len)) > 0) {
		p += n;
		len -= (size_t)n;
	}
	if (len > 0)
		_exit(0);
}

static void say_words(int fd, const char *s)
{
	say(fd, s, strlen(s));
}

static void say_slowly(int fd, const char *s)
{
	for (; *s != '\0'; s++) {
		say(fd, s, 1);
		poll(NULL, 0, 1000);
	}
}

static void say_for_ever(int fd, const char *s)
{
	for (;;)
		say_words(fd, s);
}

/* A packet in the clear: its type, then what is in it. */
static void say_packet(int fd, unsigned char type, const void *data, size_t len)
{
	static const unsigned char zeros[16];
	size_t pad = 8 - (len + 6) % 8 + 4;
	unsigned char head[6] = { (unsigned char)((len + pad + 2) >> 24), (unsigned char)((len + pad + 2) >> 16),
		(unsigned char)((len + pad + 2) >> 8), (unsigned char)(len + pad + 2), (unsigned char)pad, type };

	say(fd, head, sizeof head);
	say(fd, data, len);
	say(fd, zeros, pad);
}

/* Packets after a banner, before any key exchange. */
static void raw_packets(const struct one *o)
{
	static const char ignored[] = "\0\0\0\20" "0123456789abcdef", shown[] = "\1\0\0\0\x20" RAW "0123456789abcdef\0\0\0\0";
	unsigned char kexinit[64];
	char farewell[30000];

	say_words(o->fd, "SSH-2.0-x\r\n");
	if (is(o, "raw-farewell")) {
		memset(farewell, 0, sizeof farewell);
		farewell[3] = 2, farewell[6] = (char)(29984 >> 8), farewell[7] = (char)(29984 & 255);
		for (size_t i = 8; i < 8 + 29984; i++)
			farewell[i] = RAW[i % (sizeof RAW - 1)];
		say_packet(o->fd, 1, farewell, 8 + 29984 + 4);
		stall();
	}
	if (is(o, "raw-ignored"))
		for (;;)
			say_packet(o->fd, 2, ignored, sizeof ignored - 1);
	if (is(o, "raw-debugged"))
		for (;;)
			say_packet(o->fd, 4, shown, sizeof shown - 1);
	memset(kexinit, is(o, "raw-kex-lies") ? 0xff : 0, sizeof kexinit); /* lists of 4 GB, or empty ones */
	say_packet(o->fd, 20, kexinit, sizeof kexinit);
	stall();
}

static void raw(const struct one *o)
{
	static const char huge[] = "\x7f\xff\xff\xff\x04\x14", tiny[] = "\0\0\0\1\0\0\0\0\0\0\0\0";
	char zeros[4096] = "";

	if (is(o, "raw-silent"))
		stall();
	else if (is(o, "raw-slow"))
		say_slowly(o->fd, "SSH-2.0-OpenSSH_9.2p1-and-a-very-long-comment-that-never-comes-to-its-end-in-time");
	else if (is(o, "raw-lines"))
		say_for_ever(o->fd, "this is not the banner that you look for\r\n");
	else if (is(o, "raw-endless-line"))
		say_for_ever(o->fd, "SSH-2.0-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	else if (is(o, "raw-http"))
		say_words(o->fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
	else if (is(o, "raw-ssh1"))
		say_words(o->fd, "SSH-1.5-1.2.27\r\n"), stall();
	else if (is(o, "raw-escapes"))
		say_words(o->fd, RAW "\r\n" RAW "\r\nSSH-2.0-" RAW "\r\n");
	else if (is(o, "raw-banner-silent"))
		say_words(o->fd, "SSH-2.0-x\r\n"), stall();
	else if (is(o, "raw-banner-close"))
		say_words(o->fd, "SSH-2.0-x\r\n");
	else if (is(o, "raw-huge-packet")) {
		say_words(o->fd, "SSH-2.0-x\r\n");
		say(o->fd, huge, sizeof huge - 1);
		for (;;)
			say(o->fd, zeros, sizeof zeros);
	} else if (is(o, "raw-tiny-packet")) {
		say_words(o->fd, "SSH-2.0-x\r\n");
		say(o->fd, tiny, sizeof tiny - 1);
		stall();
	} else if (is(o, "raw-nul-banner")) {
		say(o->fd, "SSH-2.0-\0\0\0x\r\n", 14), stall();
	} else if (is(o, "raw-ssh9")) {
		say_words(o->fd, "SSH-9.9-x\r\n"), stall();
	} else if (is(o, "raw-farewell") || is(o, "raw-ignored") || is(o, "raw-debugged") || begins(o, "raw-kex-")) {
		raw_packets(o);
	} else if (is(o, "raw-noise")) {
		say_words(o->fd, "SSH-2.0-x\r\n");
		for (size_t i = 0; i < sizeof zeros; i++)
			zeros[i] = (char)(i * 131 + 7);
		for (;;)
			say(o->fd, zeros, sizeof zeros);
	}
	/* raw-close, and whoever is done */
	_exit(0);
}

/* A second process between the wire and libssh, which lets one octet a second through. */
static int trickle(int fd)
{
	int pair[2];
	char c[512];
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		_exit(1);
	if (fork() == 0) {
		close(pair[0]);
		for (;;) {
			struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = pair[1], .events = POLLIN } };

			poll(p, 2, -1);
			if (p[0].revents != 0 && ((n = read(fd, c, sizeof c)) <= 0 || write(pair[1], c, (size_t)n) != n))
				_exit(0);
			if (p[1].revents != 0 && ((n = read(pair[1], c, 1)) <= 0 || write(fd, c, 1) != 1))
				_exit(0);
			if (p[1].revents != 0)
				poll(NULL, 0, 1000);
		}
	}
	close(pair[1]);
	return pair[0];
}

/* ---- a command ---- */

static void channel_say(ssh_channel c, const char *s)
{
	ssh_channel_write(c, s, (uint32_t)strlen(s));
}

static void finish(ssh_channel c, int status)
{
	if (status >= 0)
		ssh_channel_request_send_exit_status(c, status);
	ssh_channel_send_eof(c);
	ssh_channel_close(c);
}

/* Both ways until the command is done; what it said is kept from the peer where drop is set. */
static void run(const struct one *o, ssh_channel c, const char *command, const char *path)
{
	int in[2], out[2], err[2], status = 0, left = 2;
	char block[4096];
	pid_t pid;

	if (pipe(in) < 0 || pipe(out) < 0 || pipe(err) < 0)
		_exit(1);
	if ((pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGHUP);
		dup2(in[0], 0), dup2(out[1], 1), dup2(err[1], 2);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		setenv("PATH", path, 1);
		signal(SIGPIPE, SIG_DFL);
		alarm(0);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(in[0]), close(out[1]), close(err[1]);
	while (left > 0) {
		struct pollfd p[3] = { { .fd = out[0], .events = POLLIN }, { .fd = err[0], .events = POLLIN },
			{ .fd = ssh_get_fd(o->s), .events = POLLIN } };
		int n;

		poll(p, 3, 20);
		for (int i = 0; i < 2; i++) {
			int *fd = i == 0 ? &out[0] : &err[0];
			ssize_t got;

			if (*fd < 0 || p[i].revents == 0)
				continue;
			if ((got = read(*fd, block, sizeof block)) <= 0) {
				close(*fd);
				*fd = -1;
				left--;
			} else if (i == 0) {
				for (ssize_t done = 0, step = is(o, "odd-pieces") ? 1 : got; done < got; done += step)
					ssh_channel_write(c, block + done, (uint32_t)step);
				if (is(o, "verify-close") && memmem(block, (size_t)got, "sev1 installed", 14) != NULL)
					_exit(0);
			} else {
				ssh_channel_write_stderr(c, block, (uint32_t)got);
			}
		}
		if (in[1] >= 0 && (n = ssh_channel_read_nonblocking(c, block, sizeof block, 0)) > 0) {
			if (write(in[1], block, (size_t)n) < 0) {
				close(in[1]);
				in[1] = -1;
			}
		} else if (in[1] >= 0 && (n == SSH_EOF || n == SSH_ERROR || ssh_channel_is_eof(c))) {
			close(in[1]);
			in[1] = -1;
		}
		if (!ssh_is_connected(o->s) && in[1] >= 0) {
			close(in[1]);
			in[1] = -1;
		}
	}
	waitpid(pid, &status, 0);
	finish(c, WIFEXITED(status) ? WEXITSTATUS(status) : 255);
}

#define PATH_GOOD "/usr/local/bin:/usr/bin:/bin"

/* openssl's request for names that the word wants, with a key that it wants; then what the script would say. */
static void request(const struct one *o, ssh_channel c, const char *key, const char *subject, const char *san,
    const char *filter)
{
	char command[1024];

	snprintf(command, sizeof command, "openssl req -new -key %s -subj '%s' -addext subjectAltName=%s%s; echo; echo sev1 request; "
	    "cat >/dev/null", key, subject, san, filter);
	run(o, c, command, PATH_GOOD);
}

/* Requests of openssl's; %h is the host. NULL: what a good one has. */
static const struct {
	const char *behaviour, *key, *subject, *san, *filter;
} asks[] = {
	{ "csr-other-name", NULL, "/CN=bank.example", "DNS:bank.example", NULL },
	{ "csr-more-names", NULL, NULL, "DNS:bank.example", NULL },
	{ "csr-wildcard", NULL, NULL, "DNS:*.test", NULL },
	{ "csr-neighbour", NULL, "/CN=g00000.test", "DNS:g00000.test", NULL },
	{ "csr-escape-subject", NULL, "/CN=\033[2J\033]0;owned\007x", NULL, NULL },
	{ "csr-weak", "weak.key", NULL, NULL, NULL },
	{ "csr-stolen-key", "issuing/ca.key", NULL, NULL, NULL },
	{ "csr-small-curve", "csr-small-curve", NULL, NULL, NULL },
	{ "csr-odd-curve", "csr-odd-curve", NULL, NULL, NULL },
	{ "csr-ed448", "csr-ed448", NULL, NULL, NULL },
	{ "csr-dsa", "csr-dsa", NULL, NULL, NULL },
	{ "csr-exponent-3", "csr-exponent-3", NULL, NULL, NULL },
	{ "csr-more-kinds", NULL, NULL, "DNS:%h,email:root@bank.example", NULL },
	{ "csr-address", NULL, NULL, "DNS:%h,IP:192.0.2.1", NULL },
	{ "csr-uri", NULL, NULL, "DNS:%h,URI:https://bank.example/", NULL },
	{ "csr-two", NULL, NULL, NULL, "; openssl req -new -key server.key.good -subj /CN=bank.example" },
	{ "csr-challenge", NULL, NULL, NULL, " -config challenge.cnf" },
	{ "csr-truncated", NULL, NULL, NULL, " | head -c 200" },
	/* someone else's signature: the last octets are changed */
	{ "csr-forged", NULL, NULL, NULL, " -outform DER | (head -c -8; printf 12345678) | openssl req -inform DER" },
};

/* And what is no request of the kind. */
static const struct {
	const char *behaviour, *command;
} runs[] = {
	{ "csr-two-other-first", "openssl req -new -key server.key.good -subj /CN=bank.example; openssl req -new -key "
	    "server.key.good -subj /CN=test; echo; echo sev1 request; cat >/dev/null" },
	{ "csr-10000-names", "openssl req -new -key server.key.good -subj /CN=x -addext subjectAltName=$(seq -f DNS:%g.x -s, "
	    "10000); echo; echo sev1 request; cat >/dev/null" },
	{ "csr-key", "cat server.key.good; echo; echo sev1 request; cat >/dev/null" },
	{ "csr-certificate", "cat server.pem.good; echo; echo sev1 request; cat >/dev/null" },
	{ "csr-10MB", "echo -----BEGIN CERTIFICATE REQUEST-----; head -c 10000000 /dev/zero | tr '\\0' A; echo; "
	    "echo -----END CERTIFICATE REQUEST-----; echo sev1 request" },
	{ "shell-asks", "echo 'Password: '; read -r answer; echo \"$answer\"" },
	{ "shell-says-words", "echo; echo sev1 request; echo sev1 installed; echo sev1 kept; cat >/dev/null" },
	{ "shell-execs", "exec cat" },
};

/* given with %h filled in, or otherwise so. */
static char *of_host(const struct one *o, const char *given, const char *otherwise)
{
	const char *pattern = given != NULL ? given : otherwise, *at = strstr(pattern, "%h");

	return at == NULL ? mem_strdup(pattern) :
	    mem_printf("%.*s%s%s", (int)(at - pattern), pattern, o->host->name, at + 2);
}

static bool csr_asks(const struct one *o, ssh_channel c)
{
	for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
		char *key, *subject, *san;

		if (!is(o, asks[i].behaviour))
			continue;
		key = of_host(o, asks[i].key, "hosts/%h/server.key");
		subject = of_host(o, asks[i].subject, "/CN=%h");
		san = of_host(o, asks[i].san, "DNS:%h");
		request(o, c, key, subject, san, asks[i].filter != NULL ? asks[i].filter : "");
		free(key);
		free(subject);
		free(san);
		return true;
	}
	return false;
}

static bool csr_runs(const struct one *o, ssh_channel c)
{
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++)
		if (is(o, runs[i].behaviour)) {
			run(o, c, runs[i].command, PATH_GOOD);
			return true;
		}
	return false;
}

static void csr(const struct one *o, ssh_channel c, const char *command)
{
	char *before;

	if (csr_asks(o, c) || csr_runs(o, c))
		return;
	if (is(o, "csr-nothing"))
		finish(c, 0);
	else if (is(o, "csr-status-only"))
		finish(c, 1);
	else if (is(o, "csr-no-status"))
		channel_say(c, "-----BEGIN CERTIFICATE REQUEST-----\n"), finish(c, -1);
	else if (is(o, "csr-signal"))
		ssh_channel_request_send_exit_signal(c, "KILL" RAW, 0, RAW, "en"), finish(c, -1);
	else if (is(o, "csr-says-why"))
		ssh_channel_write_stderr(c, "sev1 begins\n" RAW " error: no luck\r\n", (uint32_t)strlen("sev1 begins\n" RAW " error: no luck\r\n")),
		    finish(c, 3);
	else if (is(o, "csr-csh"))
		ssh_channel_write_stderr(c, "Unmatched '''.\n", 15), finish(c, 1);
	else if (is(o, "csr-binary"))
		ssh_channel_write(c, "\0\1\2\xff\xfe\0\0\x80\nsev1 request\n", 22);
	else if (is(o, "csr-escapes"))
		channel_say(c, RAW RAW RAW "\r\nsev1 request\n");
	else if (is(o, "csr-endless"))
		for (;;) {
			if (ssh_channel_write(c, RAW "0123456789012345678901234567890123456789\n", 52) < 0)
				_exit(0);
		}
	else if (is(o, "csr-endless-errors"))
		for (;;) {
			if (ssh_channel_write_stderr(c, "failed failed failed failed failed failed\n", 42) < 0)
				_exit(0);
		}
	else if (is(o, "csr-slow"))
		for (int i = 0; i < LIFE_S; i++) {
			ssh_channel_write(c, &"-----BEGIN CERTIFICATE REQUEST-----\nMIIBAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"[i % 60], 1);
			poll(NULL, 0, 1000);
		}
	else if (is(o, "csr-end-no-close"))
		channel_say(c, "x"), ssh_channel_send_eof(c), stall();
	else if (is(o, "csr-eof-then-data"))
		ssh_channel_send_eof(c), channel_say(c, "sev1 request\n"), finish(c, 0);
	else if (is(o, "csr-two-statuses"))
		ssh_channel_request_send_exit_status(c, 0), ssh_channel_request_send_exit_status(c, 7), finish(c, 0);
	else if (is(o, "csr-statuses"))
		for (int i = 0; ssh_channel_request_send_exit_status(c, i) == SSH_OK; i++)
			ssh_blocking_flush(o->s, 1000), poll(NULL, 0, 100);
	else if (is(o, "csr-status-first"))
		ssh_channel_request_send_exit_status(c, 0), ssh_blocking_flush(o->s, 1000), stall();
	else if (is(o, "odd-shell"))
		before = mem_printf("printf 'Welcome\\033[2J\\r\\n'; echo 'failed to greet' >&2; %s", command), run(o, c, before, PATH_GOOD),
		    free(before);
	else
		run(o, c, command, PATH_GOOD);
}

/* A request like the script's, and the certificate that comes for it: from here on the word goes its own way. */
static void request_good(const struct one *o, ssh_channel c)
{
	char line[512], heard[65536] = "";
	FILE *p;

	snprintf(line, sizeof line, "openssl req -new -key hosts/%s/server.key -subj /CN=%s -addext subjectAltName=DNS:%s",
	    o->host->name, o->host->name, o->host->name);
	if ((p = popen(line, "r")) == NULL)
		_exit(1);
	while (fgets(line, sizeof line, p) != NULL)
		channel_say(c, line);
	pclose(p);
	channel_say(c, "sev1 request\n");
	for (size_t n = 0; strstr(heard, "\nsev1 install ") == NULL;) {
		int got = ssh_channel_read(c, heard + n, (uint32_t)(sizeof heard - 1 - n), 0);

		if (got <= 0)
			_exit(0);
		n += (size_t)got;
	}
	if (begins(o, "install-serves-")) { /* it is given on at once, as what comes after is of no interest here */
		char live[128];
		const char *pem;
		FILE *f;

		while ((pem = strstr(heard, "-----BEGIN CERT")) == NULL || strstr(pem, "-----END CERT") == NULL) {
			size_t n = strlen(heard);
			int got = ssh_channel_read(c, heard + n, (uint32_t)(sizeof heard - 1 - n), 0);

			if (got <= 0)
				_exit(0);
		}
		snprintf(live, sizeof live, "hosts/%s/live.pem", o->host->name);
		unlink(live); /* it is a link to the one of all */
		if ((f = fopen(live, "w")) == NULL || fputs(pem, f) < 0 || fclose(f) != 0)
			_exit(1);
	}
}

static void install(const struct one *o, ssh_channel c)
{
	char word[64] = "";

	if (is(o, "install-early"))
		channel_say(c, "sev1 installed\nsev1 kept\n");
	request_good(o, c);
	if (begins(o, "install-serves-")) {
		channel_say(c, "sev1 phase reload\nsev1 phase test\nsev1 installed\n");
		ssh_channel_read(c, word, sizeof word - 1, 0);
		if (is(o, "install-serves-restored"))
			channel_say(c, "sev1 restored\n"), finish(c, 1);
		else if (is(o, "install-serves-both"))
			channel_say(c, "sev1 kept\nsev1 restored\n"), finish(c, 1);
		else
			finish(c, 0);
	} else if (is(o, "install-requests")) {
		for (int i = 0; i < 100; i++)
			channel_say(c, "sev1 request\n");
		finish(c, 0);
	} else if (is(o, "install-wordless")) {
		for (int i = 0; i < 60000; i++)
			ssh_channel_write(c, "a", 1);
		finish(c, 0);
	} else if (is(o, "install-close")) {
		_exit(0);
	} else if (is(o, "install-stall")) {
		channel_say(c, "sev1 phase test\n");
		stall();
	} else if (is(o, "install-lies")) {
		channel_say(c, "sev1 phase test\nsev1 phase reload\nsev1 installed\n");
		ssh_channel_read(c, word, sizeof word - 1, 0);
		channel_say(c, "sev1 restored\n"), finish(c, 1);
	} else if (is(o, "install-lies-kept")) {
		channel_say(c, "sev1 installed\nsev1 kept\nsev1 kept\n");
		ssh_channel_read(c, word, sizeof word - 1, 0);
		channel_say(c, "sev1 kept\n"), finish(c, 0);
	} else if (is(o, "install-kept-at-once")) {
		channel_say(c, "sev1 kept\n"), finish(c, 0);
	} else if (is(o, "install-words")) {
		for (;;)
			if (ssh_channel_write(c, "sev1 phase reload\n", 18) < 0)
				_exit(0);
	} else if (is(o, "install-escapes")) {
		channel_say(c, "sev1 phase " RAW "\nsev1 " RAW "\n"), finish(c, 0);
	} else {
		finish(c, 0); /* install-nothing */
	}
}

static void command(const struct one *o, ssh_channel c, const char *text)
{
	char path[300];

	if (is(o, "exec-stall"))
		stall();
	if (is(o, "exec-close"))
		_exit(0);
	while (is(o, "exec-ignored") && ssh_send_ignore(o->s, "0123456789abcdef") == SSH_OK)
		;
	while (is(o, "exec-asked") && ssh_send_keepalive(o->s) == SSH_OK)
		;
	if (is(o, "exec-opens"))
		for (ssh_set_blocking(o->s, 0);;)
			if (ssh_channel_open_x11(ssh_channel_new(o->s), "192.0.2.1", 1) == SSH_ERROR)
				_exit(0);
	if (is(o, "odd-traffic"))
		for (int i = 0; i < 200; i++)
			ssh_send_ignore(o->s, RAW), ssh_send_debug(o->s, RAW, 1);
	if (is(o, "odd-keepalive"))
		ssh_send_keepalive(o->s), ssh_send_keepalive(o->s);
	snprintf(path, sizeof path, "%s/full:" PATH_GOOD, folder);
	if (is(o, "install-disk-full"))
		run(o, c, text, path);
	else if (begins(o, "install-"))
		install(o, c);
	else
		csr(o, c, text);
}

/* ---- SSH, by messages ---- */

/* A server by messages has no other way to tell an offer of a key from its proof. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static void auth(const struct one *o, ssh_message m, bool *in)
{
	if (ssh_message_subtype(m) != SSH_AUTH_METHOD_PUBLICKEY || is(o, "auth-denied")) {
		ssh_message_auth_set_methods(m, SSH_AUTH_METHOD_PUBLICKEY);
		ssh_message_reply_default(m);
	} else if (is(o, "auth-stall")) {
		stall();
	} else if (is(o, "auth-close")) {
		_exit(0);
	} else if (is(o, "auth-keyboard")) {
		ssh_message_auth_set_methods(m, SSH_AUTH_METHOD_INTERACTIVE);
		ssh_message_reply_default(m);
	} else if (ssh_message_auth_publickey_state(m) != SSH_PUBLICKEY_STATE_VALID) {
		if (is(o, "odd-greeting")) {
			ssh_string s = ssh_string_from_char(RAW RAW RAW "failed\r\n");

			for (int i = 0; i < 100; i++)
				ssh_send_issue_banner(o->s, s);
			ssh_string_free(s);
		}
		ssh_message_auth_reply_pk_ok_simple(m);
	} else if (is(o, "auth-denied-late")) {
		ssh_message_auth_set_methods(m, SSH_AUTH_METHOD_PUBLICKEY);
		ssh_message_reply_default(m);
	} else {
		ssh_message_auth_reply_success(m, is(o, "auth-second-factor"));
		*in = !is(o, "auth-second-factor");
	}
}

static ssh_channel channel(const struct one *o, ssh_message m)
{
	if (is(o, "channel-stall"))
		stall();
	if (is(o, "channel-close"))
		_exit(0);
	if (is(o, "channel-refused")) {
		ssh_message_reply_default(m);
		return NULL;
	}
	return ssh_message_channel_request_open_reply_accept(m);
}

static void serve(const struct one *o)
{
	ssh_channel c = NULL;
	bool in = false;
	ssh_message m;

	if (ssh_handle_key_exchange(o->s) != SSH_OK)
		return;
	while ((m = ssh_message_get(o->s)) != NULL) {
		int type = ssh_message_type(m);

		if (type == SSH_REQUEST_AUTH) {
			auth(o, m, &in);
		} else if (type == SSH_REQUEST_CHANNEL_OPEN && in) {
			c = channel(o, m);
		} else if (type == SSH_REQUEST_CHANNEL && ssh_message_subtype(m) == SSH_CHANNEL_REQUEST_EXEC && c != NULL) {
			if (is(o, "exec-refused")) {
				ssh_message_reply_default(m);
			} else {
				char *text = mem_strdup(ssh_message_channel_request_command(m));

				ssh_message_channel_request_reply_success(m);
				command(o, c, text);
				free(text);
			}
		} else {
			ssh_message_reply_default(m);
		}
		ssh_message_free(m);
	}
}

static void ssh_one(struct one *o)
{
	ssh_bind b = ssh_bind_new();
	const bool no = false;
	const char *key = is(o, "key-changed") ? "otherkey" : is(o, "key-other-type") ? "ecdsakey" : "hostkey";

	if (is(o, "odd-lines"))
		for (int i = 0; i < 20; i++)
			say_words(o->fd, "a line before the banner, as RFC 4253 allows\r\n");
	if (is(o, "tcp-trickle"))
		o->fd = trickle(o->fd);
	o->s = ssh_new();
	ssh_bind_options_set(b, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
	ssh_bind_options_set(b, SSH_BIND_OPTIONS_HOSTKEY, key);
	if (is(o, "kex-nothing-common"))
		ssh_bind_options_set(b, SSH_BIND_OPTIONS_KEY_EXCHANGE, "diffie-hellman-group1-sha1");
	if (ssh_bind_accept_fd(b, o->s, o->fd) == SSH_OK)
		serve(o);
}

/* ---- TLS ---- */

static void tls_one(const struct one *o)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char live[160], key[160], down[160], hello[4096] = "";
	SSL *ssl;
	ssize_t n;

	snprintf(live, sizeof live, "hosts/%s/live.pem", o->host->name);
	snprintf(key, sizeof key, "hosts/%s/server.key", o->host->name);
	snprintf(down, sizeof down, "hosts/%s/down", o->host->name);
	if (access(down, F_OK) == 0)
		_exit(0);
	if (is(o, "tls-stall"))
		stall();
	if (is(o, "tls-noise"))
		say_for_ever(o->fd, RAW "not tls\r\n");
	if (is(o, "tls-closes"))
		n = recv(o->fd, hello, sizeof hello, 0), _exit(n > 0);
	if (is(o, "tls-alert"))
		say(o->fd, "\x15\3\3\0\2\2\x28", 7), stall();
	if (is(o, "tls-half"))
		say(o->fd, "\x16\3\3\x3f\xff\2\0\x3f\xfb\3\3", 11), stall();
	if (is(o, "tls-huge"))
		for (say(o->fd, "\x16\3\3\x40\0\2\xff\xff\xff\3\3", 11);;)
			say(o->fd, hello, sizeof hello);
	if (is(o, "odd-old-tls"))
		SSL_CTX_set_security_level(ctx, 0), SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION),
		    SSL_CTX_set_max_proto_version(ctx, TLS1_VERSION), SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	if (is(o, "odd-client"))
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (SSL_CTX_use_certificate_chain_file(ctx, live) != 1 || SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		_exit(1);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, o->fd);
	if (SSL_accept(ssl) == 1)
		SSL_shutdown(ssl);
	_exit(0);
}

/* ---- the listeners ---- */

static int listen_on(int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_ANY) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof in) < 0 || listen(fd, 1024) < 0) {
		perror("hostile: listen");
		_exit(1);
	}
	return fd;
}

static void serve_connection(const struct hostile *h, int fd, bool tls)
{
	struct sockaddr_in in = { 0 };
	socklen_t n = sizeof in;
	struct one o = { .fd = fd };
	uint32_t a;
	size_t i;

	alarm(LIFE_S);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	getsockname(fd, (struct sockaddr *)&in, &n);
	a = ntohl(in.sin_addr.s_addr);
	i = (size_t)(a >> 8 & 255) * 250 + (a & 255) - 1;
	if (i >= h->hosts)
		_exit(0);
	o.host = &h->host[i];
	o.word = o.host->word != NULL ? o.host->word : "good";
	if (tls)
		tls_one(&o);
	else if (begins(&o, "raw-"))
		raw(&o);
	else
		ssh_one(&o);
	_exit(0);
}

static pid_t listener(const struct hostile *h, int port, bool tls)
{
	pid_t pid = fork();
	int fd, c;

	if (pid != 0)
		return pid;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGCHLD, SIG_IGN);
	fd = listen_on(port);
	for (;;) {
		if ((c = accept(fd, NULL, NULL)) < 0)
			continue;
		if (fork() == 0) {
			close(fd);
			serve_connection(h, c, tls);
		}
		close(c);
	}
}

void hostile_start(struct hostile *h)
{
	if (getcwd(folder, sizeof folder) == NULL)
		abort();
	h->ssh = listener(h, h->ssh_port, false);
	h->tls = listener(h, h->tls_port, true);
}

void hostile_stop(struct hostile *h)
{
	const pid_t pid[] = { h->ssh, h->tls };

	for (int i = 0; i < 2; i++) {
		if (pid[i] <= 0)
			continue;
		kill(-pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
}
